// fiber-boost: the small stacks with Boost.Context's fcontext, called from C.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "fiber-boost"
#define CO_BACKEND_FAMILY "peer"
#define CO_BACKEND_SUMMARY "pooled 16 KiB stacks, switched by Boost.Context's fcontext as packaged"
#if defined(__x86_64__)
#define CO_BOOST_CAPS_ CO_CAP_FP_CONTROL // Debian builds it with them
#else
#define CO_BOOST_CAPS_ 0
#endif
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_GUARD | CO_CAP_REUSE | CO_CAP_STACK_SIZE |      \
     CO_CAP_CALLEE_SAVED | CO_CAP_MIGRATES | CO_BOOST_CAPS_)

#define CO_STACK_BYTES (16 << 10)
#define CO_STACK_BATCH 1024
#define CO_OWN_SWITCH 1
#include "switch.h"
#include "common/fiber.h"

#include "corobench/coro_check.h"
#endif
