// step-boxed: as step, and each yielded value is put into a box, which the resumer empties and
// frees.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "step-boxed"
#define CO_BACKEND_FAMILY "stackless"
#define CO_BACKEND_VARIANT_OF "step"
#define CO_BACKEND_SUMMARY                                                                         \
    "step functions, all locals copied; each yielded value in an allocated box"
#define CO_BACKEND_CAPS (CO_CAP_RECURSION | CO_CAP_MOVABLE | CO_CAP_MIGRATES | CO_CAP_THREAD_LOCALS)

#define CO_STEP_BOXED 1
#include "common/frames_arena.h"
#include "common/step.h"

#include "corobench/coro_check.h"
#endif
