// stackless-embedded: the frames of callees lie inside the caller's, every resume walks them.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "stackless-embedded"
#define CO_BACKEND_FAMILY "stackless"
#define CO_BACKEND_SUMMARY                                                                         \
    "callees' frames inside the caller's, every resume walks from the root to the leaf"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_RECURSION | CO_CAP_MOVABLE | CO_CAP_NO_ALLOCATION | CO_CAP_CALLS_IN_PLACE |            \
     CO_CAP_MIGRATES | CO_CAP_THREAD_LOCALS)

#include "common/frames_embedded.h"
#include "common/resume_chain.h"

#include "corobench/coro_check.h"
#endif
