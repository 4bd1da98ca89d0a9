// fiber-fp: fiber-small whose coroutines each have floating-point control words of their own.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "fiber-fp"
#define CO_BACKEND_FAMILY "fiber"
#define CO_BACKEND_SUMMARY                                                                         \
    "pooled 16 KiB stacks, full-ABI inline switch that also keeps mxcsr and the x87 control word"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_GUARD | CO_CAP_REUSE | CO_CAP_STACK_SIZE |      \
     CO_CAP_CALLEE_SAVED | CO_CAP_FP_CONTROL | CO_CAP_MIGRATES)

#define CO_STACK_BYTES (16 << 10)
#define CO_STACK_BATCH 1024
#define CO_SWITCH_FP 1 // asks switch/<architecture>.h for the control words
#include "common/fiber.h"

#include "corobench/coro_check.h"
#endif
