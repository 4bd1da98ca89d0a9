// fiber-split: stacks of linked segments, grown by the prologues that -fsplit-stack compiles in.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "fiber-split"
#define CO_BACKEND_FAMILY "fiber"
#define CO_BACKEND_SUMMARY                                                                         \
    "linked segments by -fsplit-stack: pooled 8 KiB first ones, libgcc's after them, full-ABI "    \
    "inline switch"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_REUSE | CO_CAP_STACK_SIZE |                     \
     CO_CAP_CALLEE_SAVED | CO_CAP_GROWS | CO_CAP_MIGRATES)

#define CO_STACK_BYTES (8 << 10)
#define CO_STACK_BATCH 256
#define CO_OWN_STACKS 1
#include "segments.h"

#define CO_SWITCH_MORE 1
#define CO_OWN_JUMP 1
#include "switch.h"

#include "common/fiber.h"

#include "corobench/coro_check.h"
#endif
