// fiber-ret: the small stacks with the textbook switch: a function that pushes, pops and returns.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "fiber-ret"
#define CO_BACKEND_FAMILY "fiber"
#define CO_BACKEND_SUMMARY                                                                         \
    "pooled 16 KiB stacks, the textbook switch: called, six pushes and pops, ends in ret"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_GUARD | CO_CAP_REUSE | CO_CAP_STACK_SIZE |      \
     CO_CAP_CALLEE_SAVED | CO_CAP_MIGRATES)

#define CO_STACK_BYTES (16 << 10)
#define CO_STACK_BATCH 1024
#define CO_OWN_SWITCH 1
#include "common/switch/x86_64_ret.h"
#include "common/fiber.h"

#include "corobench/coro_check.h"
#endif
