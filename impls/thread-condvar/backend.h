// thread-condvar: a POSIX thread for each coroutine; control is handed over by a mutex and a
// condition variable, as most people would write it.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "thread-condvar"
#define CO_BACKEND_FAMILY "thread"
#define CO_BACKEND_SUMMARY "a POSIX thread each, hand-off by a mutex and a condition variable"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_FP_CONTROL | CO_CAP_MIGRATES | CO_CAP_GUARD |   \
     CO_CAP_REUSE | CO_CAP_PARALLEL | CO_CAP_STACK_SIZE | CO_CAP_CALLEE_SAVED |                    \
     CO_CAP_THREAD_LOCALS)

// glibc keeps the stacks of joined threads; storage=fresh asks it not to.
#define CO_BACKEND_ENVIRONMENT                                                                     \
    {                                                                                              \
        { "storage=fresh", "GLIBC_TUNABLES", "glibc.pthread.stack_cache_size=0" }                  \
    }

#include "handoff_condvar.h"
#include "common/thread.h"

#include "corobench/coro_check.h"
#endif
