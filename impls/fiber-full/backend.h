// fiber-full: a stack for each coroutine as large as a thread's, reserved whole and touched as it
// is used.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "fiber-full"
#define CO_BACKEND_FAMILY "fiber"
#define CO_BACKEND_SUMMARY                                                                         \
    "8 MiB of stack each, mapped one by one with a guard page, full-ABI inline switch"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_GUARD | CO_CAP_REUSE | CO_CAP_STACK_SIZE |      \
     CO_CAP_CALLEE_SAVED | CO_CAP_MIGRATES | CO_CAP_GROWS)

#define CO_STACK_BYTES (8 << 20)
#define CO_STACK_BATCH 1
#include "common/fiber.h"

#include "corobench/coro_check.h"
#endif
