// The bench programs: where they are and what each says of itself.
#ifndef CB_PROGRAMS_H
#define CB_PROGRAMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "names.h"

enum { CB_CONTRACT = 1 }; // the version of the protocol with bench programs

// One backend built by one compiler, linked one way.
struct cb_program {
    char *path; // of the program; NULL where it could not be built
    char *backend, *family, *compiler;
    int link;
    char *status;     // "ok"; "unavailable": not built; "failed": it could not describe itself
    char *note;       // why it is not ok
    json_t *describe; // what it says of itself; NULL when failed
    char *sha256, *library_sha256; // of the program and of its shared object; NULL until hashed
};

struct cb_programs {
    struct cb_program *list; // sorted by backend, compiler, link
    size_t count;
};

// Finds the programs in the given folders, or, where none are given, beside corobench itself
// (bench/) and in the other presets of the same build tree (../*/bench) for compilers that the
// own preset does not have. Returns 0, or CB_EXIT_USAGE after a message.
int cb_programs_find(struct cb_programs *programs, const char *const *folders, size_t count);
void cb_programs_free(struct cb_programs *programs);

// Fills in sha256 and library_sha256 by the system's sha256sum. 0, or CB_EXIT_USAGE.
int cb_programs_hash(struct cb_programs *programs);

// Whether its times mean something: optimised, without checks.
bool cb_program_is_measurable(const struct cb_program *program);
// A text of the description, or "" where it is not there.
const char *cb_program_text(const struct cb_program *program, const char *key);

// Of a backend and compiler: the nth (from 0, modulo their number) of the links that can be used;
// NULL where there is none. And how many there are.
const struct cb_program *cb_programs_link(const struct cb_programs *programs, const char *backend,
                                          const char *compiler, size_t n);
size_t cb_programs_count_links(const struct cb_programs *programs, const char *backend,
                               const char *compiler);
// Whether it claims a capability.
bool cb_program_claims(const struct cb_program *program, const char *capability);

// The variables that it wants for cells with these params: adds at most `most` texts NAME=value to
// `list` (free them), returns how many.
size_t cb_program_environment(const struct cb_program *program, const char *params, char **list,
                              size_t most);

void cb_programs_backends(const struct cb_programs *programs, struct cb_names *names);
void cb_programs_compilers(const struct cb_programs *programs, struct cb_names *names);
void cb_programs_scenarios(const struct cb_programs *programs, struct cb_names *names);

#endif
