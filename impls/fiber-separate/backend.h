// fiber-separate: bodies run on small packed stacks of their own, the C functions that they call by
// CO_CCALL on the system's stack.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "fiber-separate"
#define CO_BACKEND_FAMILY "fiber"
#define CO_BACKEND_SUMMARY                                                                         \
    "packed 2 KiB stacks without guard; C is called on the resumer's system stack"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_REUSE | CO_CAP_STACK_SIZE |                     \
     CO_CAP_CALLEE_SAVED | CO_CAP_MIGRATES)

#include "stacks.h"
#define CO_OWN_STACKS 1
#define CO_STACK_HAS_OWNER 1
#define CO_CCALL(f, arg) co_c_call_(co_self_, (f), (word)(arg))
#include "common/fiber.h"
#include "c_call.h"

#include "corobench/coro_check.h"
#endif
