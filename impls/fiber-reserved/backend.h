// fiber-reserved: 64 KiB of address space a stack in one arena; only what is touched is memory, and
// what is no longer needed goes back.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"
#include "common/annotate.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "fiber-reserved"
#define CO_BACKEND_FAMILY "fiber"
#define CO_BACKEND_SUMMARY                                                                         \
    "64 KiB of address space a stack in one arena, committed on touch, trimmed after use, "        \
    "full-ABI inline switch"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_GUARD | CO_CAP_REUSE | CO_CAP_STACK_SIZE |      \
     CO_CAP_CALLEE_SAVED | CO_CAP_GROWS | CO_CAP_GIVES_BACK | CO_CAP_MIGRATES)

// And a guard page of 4 KiB. AddressSanitizer makes frames larger.
#define CO_STACK_BYTES ((CO_STACK_ASAN ? 124 : 60) << 10)
#define CO_STACK_BATCH 1024 // 64 MiB; the kernel makes one mapping of neighbours
#define CO_STACK_TRIM (16 << 10)
#include "common/fiber.h"

#include "corobench/coro_check.h"
#endif
