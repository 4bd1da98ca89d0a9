// Globs given by the user, and the lists of right names that a wrong one is answered with.
#ifndef CB_NAMES_H
#define CB_NAMES_H

#include <stdbool.h>
#include <stddef.h>

// Sorted, without duplicates. {0} is empty.
struct cb_names {
    char **list;
    size_t count;
};
void cb_names_add(struct cb_names *names, const char *name); // copies it
bool cb_names_have(const struct cb_names *names, const char *name);
char *cb_names_join(const struct cb_names *names); // "a, b, c". Free it
void cb_names_free(struct cb_names *names);

// What is wrong with a glob (fnmatch itself takes a broken one as matching nothing), or NULL.
const char *cb_glob_problem(const char *glob);

// One or more globs, separated by commas; what a user typed for one kind of name. {0} matches all.
struct cb_globs {
    char **list;
    size_t count;
};
void cb_globs_add(struct cb_globs *globs, const char *text);
bool cb_globs_match(const struct cb_globs *globs, const char *name);
void cb_globs_free(struct cb_globs *globs);
// Whether every glob is well-formed and matches a name. If not, an error message on stderr names
// the option `--kind`, the glob and the valid names.
bool cb_globs_check(const struct cb_globs *globs, const char *kind, const struct cb_names *names);

#endif
