// poll-embedded: futures that are polled from the root, a callee's inside its caller's.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "poll-embedded"
#define CO_BACKEND_FAMILY "poll"
#define CO_BACKEND_SUMMARY                                                                         \
    "futures: poll(state, context) from the root to the leaf, callees inside the caller"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_RECURSION | CO_CAP_MOVABLE | CO_CAP_NO_ALLOCATION | CO_CAP_CALLS_IN_PLACE |            \
     CO_CAP_MIGRATES | CO_CAP_THREAD_LOCALS)

#include "common/frames_embedded.h"
#include "common/resume_poll.h"

#include "corobench/coro_check.h"
#endif
