// A bench program: one backend built by one compiler, with all scenarios. This file only puts the
// parts together; see bench.h.
#include "bench.h"

// A program without the library binding has no shared object to call.
#pragma weak co_lib_backend_configure
#pragma weak co_lib_backend_trim
#pragma weak co_lib_backend_reason

int main(int argc, char **argv) {
    const struct cb_bench bench = {
        .facts = &cb_backend_facts,
        .registry = cb_registry,
        .registry_count = cb_registry_count,
        .backend = {.configure = co_backend_configure,
                    .trim = co_backend_trim,
                    .limit = co_backend_limit,
                    .reason = co_backend_reason,
                    .lib_configure = co_lib_backend_configure,
                    .lib_trim = co_lib_backend_trim,
                    .lib_reason = co_lib_backend_reason},
    };
    return cb_bench_main(&bench, argc, argv);
}
