// stackless-chain-malloc: the frames of stackless-chain, each from malloc.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "stackless-chain-malloc"
#define CO_BACKEND_VARIANT_OF "stackless-chain"
#define CO_BACKEND_FAMILY "stackless"
#define CO_BACKEND_SUMMARY "each frame from malloc, every resume walks from the root to the leaf"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_RECURSION | CO_CAP_MOVABLE | CO_CAP_NO_ALLOCATION | CO_CAP_MIGRATES |                  \
     CO_CAP_THREAD_LOCALS)

#include "common/frames_malloc.h"
#include "common/resume_chain.h"

#include "corobench/coro_check.h"
#endif
