// The scenario contract: what a scenario states about itself, and how the harness runs it.
//
// A scenario is one file, scenarios/<id>/<id>.c: coroutine bodies under `#if CO_PART_BODIES`, the
// loop that drives them under `#if CO_PART_LOOP`, ending in CB_SCENARIO. It may use the C library's
// memory and string functions; it must not look at clocks, print, or know which backend it runs on.
#ifndef COROBENCH_SCENARIO_H
#define COROBENCH_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The parameters of one cell, "key=value" joined by ';', keys sorted.
struct cb_params;

// The number that a key has, or `absent` where the key is not there.
long cb_param(const struct cb_params *params, const char *key, long absent);

// Whether a key has this value; a key that is not there has the value "".
bool cb_param_is(const struct cb_params *params, const char *key, const char *value);

// What a run did; compared with what `expect` says it should have done. All counts are of the whole
// run.
struct cb_counts {
    uint64_t checksum;  // folded over every value that came out
    uint64_t creations; // coroutines created by the run (not by prepare), coroutine calls excluded
    uint64_t yields;    // CO_YIELDED seen by the run
};

enum cb_kind {
    CB_KIND_TIME,  // run(n) is timed
    CB_KIND_SPACE, // grow(n) is called for n/10 and for n, and the process's memory is read after
                   // each
    CB_KIND_LIMIT, // grow(n) is called for larger and larger n until no more can exist
};

// What `grow` answers where the scenario had no memory for its own data; CO_E_NOMEM is the
// backend's.
#define CB_NO_ROOM (-100)

struct cb_scenario {
    const char *id;   // the folder's name. Required
    const char *unit; // what one operation is, e.g. "round trip". Required
    enum cb_kind kind;
    // Cells, each a params string; NULL-terminated. A default run measures quick and normal, a full
    // run all three.
    const char *const *quick;
    const char *const *normal;
    const char *const *full;
    // The enum co_capability bits that a cell needs. Not required: none.
    unsigned (*needs)(const struct cb_params *params);
    // Makes ready, once per process and not timed. 0 or a negative enum co_error. Not required.
    int (*prepare)(const struct cb_params *params);
    // Does n operations. Timed as a whole. May be called any number of times. Required for
    // CB_KIND_TIME.
    struct cb_counts (*run)(uint64_t n);
    // The same work by a plain C loop, timed in alternation; its cell gains the metric `ratio`. Not
    // required.
    struct cb_counts (*hand)(uint64_t n);
    // What run(n), whenever it is called, must give. Required for CB_KIND_TIME.
    struct cb_counts (*expect)(uint64_t n);
    // How often the coroutines of all runs so far were polled, where an executor does that; the
    // cell gains the metric `polls`, of one operation. Not required.
    uint64_t (*polls)(void);
    // Brings the number of started and suspended coroutines up to n. 0 or a negative enum co_error.
    // Required for CB_KIND_SPACE and CB_KIND_LIMIT.
    int (*grow)(uint64_t n);
    // Resumes all that grow made and checks what they say: the number that answered rightly.
    // Required for CB_KIND_SPACE and CB_KIND_LIMIT.
    uint64_t (*verify)(void);
    // How many grow has made, also after it failed. Required for CB_KIND_LIMIT.
    uint64_t (*alive)(void);
    // Closes what is left, frees what prepare made. Not required.
    void (*finish)(void);
};

#define CB_LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

// Defines the scenario's description: CB_SCENARIO(.id = "yield", ...), in the loop's part; what is
// not named is absent. Declared first because a const object is local to its file in C++, where a
// field that is not named also needs a word to the compiler.
#ifdef __cplusplus
#define CB_FIELDS_MAY_BE_ABSENT _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"")
#else
#define CB_FIELDS_MAY_BE_ABSENT
#endif
#define CB_SCENARIO(...)                                                                           \
    CB_FIELDS_MAY_BE_ABSENT                                                                        \
    extern const struct cb_scenario CO_SYM(scenario);                                              \
    const struct cb_scenario CO_SYM(scenario) = {__VA_ARGS__}

// A register that calls preserve, as an asm statement names it.
#if defined(__x86_64__)
#define CB_SPARE_REGISTER "r15"
#elif defined(__aarch64__)
#define CB_SPARE_REGISTER "x27"
#elif defined(__riscv)
#define CB_SPARE_REGISTER "s11"
#else
#error "name a register of this architecture that calls preserve"
#endif

// Folds one word into a checksum: a rotation and an addition. It depends on the order of the words,
// no compiler has a closed form for it, and a recursion that ends in it is neither a tail call nor
// an accumulator: it stays a recursion. Cheap, not strong: what is added to each of 64 words in a
// row cancels out.
static inline uintptr_t cb_mix(uintptr_t check, uintptr_t value) {
    return (check << 1 | check >> (sizeof check * 8 - 1)) + value;
}

#ifdef __cplusplus
}
#endif

#endif
