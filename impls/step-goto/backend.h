// step-goto: as step, with the address of the resume point for a state and a computed goto.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "step-goto"
#define CO_BACKEND_FAMILY "stackless"
#define CO_BACKEND_VARIANT_OF "step"
#define CO_BACKEND_SUMMARY "step functions, all locals copied; the state is the address to go on at"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_RECURSION | CO_CAP_NO_ALLOCATION | CO_CAP_MOVABLE | CO_CAP_MIGRATES |                  \
     CO_CAP_THREAD_LOCALS)

#define CO_STEP_GOTO 1
#include "common/frames_arena.h"
#include "common/step.h"

#include "corobench/coro_check.h"
#endif
