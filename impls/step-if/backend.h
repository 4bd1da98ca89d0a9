// step-if: as step, with resume points found by comparisons instead of a jump table.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "step-if"
#define CO_BACKEND_FAMILY "stackless"
#define CO_BACKEND_VARIANT_OF "step"
#define CO_BACKEND_SUMMARY "step functions, all locals copied; resume points found by comparisons"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_RECURSION | CO_CAP_NO_ALLOCATION | CO_CAP_MOVABLE | CO_CAP_MIGRATES |                  \
     CO_CAP_THREAD_LOCALS)

#include "common/frames_arena.h"
#include "common/step.h"

#include "corobench/coro_check.h"
#endif
