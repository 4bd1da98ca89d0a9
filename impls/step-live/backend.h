// step-live: as step, but the body works on the array itself, so that only what is used is loaded
// and stored.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "step-live"
#define CO_BACKEND_FAMILY "stackless"
#define CO_BACKEND_VARIANT_OF "step"
#define CO_BACKEND_SUMMARY                                                                         \
    "step functions on locals in place: loaded and stored where used, not at each yield"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_RECURSION | CO_CAP_NO_ALLOCATION | CO_CAP_MOVABLE | CO_CAP_MIGRATES |                  \
     CO_CAP_THREAD_LOCALS)

#define CO_STEP_LIVE 1
#include "common/frames_arena.h"
#include "common/step.h"

#include "corobench/coro_check.h"
#endif
