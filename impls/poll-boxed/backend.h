// poll-boxed: futures that are polled from the root, a callee's in a box of its own.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "poll-boxed"
#define CO_BACKEND_FAMILY "poll"
#define CO_BACKEND_SUMMARY "futures: poll(state, context) from the root to the leaf, callees boxed"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_RECURSION | CO_CAP_NO_ALLOCATION | CO_CAP_MIGRATES | CO_CAP_THREAD_LOCALS)

#include "common/frames_arena.h"
#include "common/resume_poll.h"

#include "corobench/coro_check.h"
#endif
