// fiber-copied: all coroutines run on one stack; what a suspended one has there is copied out when
// another needs the place, and in again before it goes on.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "fiber-copied"
#define CO_BACKEND_FAMILY "fiber"
#define CO_BACKEND_SUMMARY                                                                         \
    "one 16 MiB running stack for all, live bytes copied out and in, lazily; full-ABI inline "     \
    "switch"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_GUARD | CO_CAP_REUSE | CO_CAP_STACK_SIZE |      \
     CO_CAP_CALLEE_SAVED | CO_CAP_GROWS)

#include "copied.h"
#include "copied_runtime.h"

#include "corobench/coro_check.h"
#endif
