// thread-cached: a POSIX thread for each live coroutine; a thread whose coroutine has ended is
// parked and runs the next one. Hand-off by one futex word.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "thread-cached"
#define CO_BACKEND_FAMILY "thread"
#define CO_BACKEND_SUMMARY "POSIX threads that are parked and reused, hand-off by futex"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_FP_CONTROL | CO_CAP_MIGRATES | CO_CAP_GUARD |   \
     CO_CAP_REUSE | CO_CAP_PARALLEL | CO_CAP_STACK_SIZE | CO_CAP_CALLEE_SAVED |                    \
     CO_CAP_THREAD_LOCALS)

// With storage=fresh no thread is kept, and glibc is asked not to keep the stacks of joined ones.
#define CO_BACKEND_ENVIRONMENT                                                                     \
    {                                                                                              \
        { "storage=fresh", "GLIBC_TUNABLES", "glibc.pthread.stack_cache_size=0" }                  \
    }

#define CO_THREADS_KEPT 1
#include "common/handoff_futex.h"
#include "common/thread.h"

#include "corobench/coro_check.h"
#endif
