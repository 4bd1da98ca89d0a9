// What a bench program knows about the backend in it: filled by describe.c, which is compiled once
// for each backend and compiler.
#ifndef CB_BENCH_FACTS_H
#define CB_BENCH_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// An environment variable that must be set for a process that measures a cell with this parameter.
// A backend.h lists them in the optional macro CO_BACKEND_ENVIRONMENT, e.g.
//   #define CO_BACKEND_ENVIRONMENT {{"storage=fresh", "GLIBC_TUNABLES", "glibc.x=0"}}
struct cb_env {
    const char *param; // "key=value" as in a cell's params
    const char *name;
    const char *value;
};

// What one turn of a hot loop is made of, as the build found it in the disassembly.
struct cb_loop {
    int instructions;
    int elements; // how many a turn handles: an unrolled loop's are several
    int calls, indirect, stores;
};

// The loop of a cell, "scenario/binding/params", and that which does the same by hand.
struct cb_loop_facts {
    const char *cell;
    struct cb_loop loop, hand;
};

struct cb_backend_facts {
    const char *name;
    const char *family;
    const char *summary;
    const char *variant_of; // the backend that it differs from in one choice, "" for none
    unsigned capabilities;  // or-ed enum co_capability
    int contract;
    const char *compiler; // "gcc" or "clang"
    const char *compiler_version;
    const char *flags;
    const char *language;   // "C17", "C++20"
    const char *build_type; // CMake's; only "Release" may measure
    int link;               // number of this link; links differ in padding
    bool checked;           // CO_CHECKED: misuse is an error code
    bool optimised;
    const struct cb_env *environment;
    size_t environment_count;
    long source_lines; // each -1 where the build did not say
    long source_asm_lines;
    long source_text_bytes;
    const struct cb_loop_facts *loops;
    size_t loop_count;
};

extern const struct cb_backend_facts cb_backend_facts;

#ifdef __cplusplus
}
#endif

#endif
