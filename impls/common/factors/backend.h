// One fiber with six choices of its switch, each on or off: what makes published figures of fibers
// differ. The build makes a program of every combination (cmake/factors.cmake); they are measured
// by scripts/factors and are not among the backends.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#ifdef CO_FACTORS_NAME
#define CO_BACKEND_NAME CO_FACTORS_NAME
#else
#define CO_BACKEND_NAME "factors"
#endif
#define CO_BACKEND_FAMILY "fiber"
#define CO_BACKEND_SUMMARY "a fiber whose switch has some of six choices on"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_RECURSION | CO_CAP_GUARD | CO_CAP_REUSE | CO_CAP_STACK_SIZE | CO_CAP_CALLEE_SAVED)

#include "common/factors/switch.h"
#define CO_STACK_BYTES (16 << 10)
#define CO_STACK_BATCH 1024
#if CO_FACTOR_ALIGNED
#define CO_STACK_STEPS 1
#endif
#define CO_OWN_SWITCH 1
#include "common/fiber.h"

#include "corobench/coro_check.h"
#endif
