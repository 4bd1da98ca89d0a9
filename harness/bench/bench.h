// A bench program's parts, handed to the code that measures; tests hand in their own.
#ifndef CB_BENCH_BENCH_H
#define CB_BENCH_BENCH_H

#include "corobench/coro.h"
#include "facts.h"
#include "registry.h"

// The backend's functions that are not about one coroutine. The `lib_` ones are those of the shared
// object, NULL where the program has none.
struct cb_backend_calls {
    int (*configure)(const struct co_config *config);
    void (*trim)(void);
    struct co_limit (*limit)(void);
    const char *(*reason)(void);
    int (*lib_configure)(const struct co_config *config);
    void (*lib_trim)(void);
    const char *(*lib_reason)(void);
};

struct cb_bench {
    const struct cb_backend_facts *facts;
    const struct cb_registry_entry *registry;
    size_t registry_count;
    struct cb_backend_calls backend;
};

// The whole program behind main(): returns the exit status.
int cb_bench_main(const struct cb_bench *bench, int argc, char **argv);

#endif
