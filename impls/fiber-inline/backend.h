// fiber-inline: fiber-small with a switch that saves three words and leaves the other registers to
// the compiler.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "fiber-inline"
#define CO_BACKEND_FAMILY "fiber"
#define CO_BACKEND_SUMMARY                                                                         \
    "pooled 16 KiB stacks, inline switch of three words, the compiler saves the live registers"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_GUARD | CO_CAP_REUSE | CO_CAP_STACK_SIZE |      \
     CO_CAP_CALLEE_SAVED | CO_CAP_MIGRATES)

#define CO_STACK_BYTES (16 << 10)
#define CO_STACK_BATCH 1024
// Out of line no compiler knows what is live: a packaged library saves all registers.
#if CO_BINDING != CO_BINDING_LIBRARY
#define CO_SWITCH_LIVE_ONLY 1
#endif
#include "common/fiber.h"

#include "corobench/coro_check.h"
#endif
