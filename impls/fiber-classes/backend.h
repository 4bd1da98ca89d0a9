// fiber-classes: stacks of four sizes, the size of each body's stack computed when it is compiled.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "fiber-classes"
#define CO_BACKEND_FAMILY "fiber"
#define CO_BACKEND_SUMMARY                                                                         \
    "stacks of 192 B, 2 KiB, 16 KiB or 256 KiB by a static bound, from bitmap pools"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_DEEP_YIELD | CO_CAP_RECURSION | CO_CAP_REUSE | CO_CAP_STACK_SIZE |                     \
     CO_CAP_CALLEE_SAVED | CO_CAP_MIGRATES)

// What a body needs where nothing is stated: a weak word that stack_bounds.sh puts beside the body
// in its object, or nothing, where there is no bound.
#define CO_NEED_SYM_(name) CO_CAT(CO_SYM(name), stack_bound)
#define CO_NEED_DECL_(name) extern const uint32_t CO_NEED_SYM_(name) __attribute__((weak));
#define CO_BOUND_OF_(name) (&CO_NEED_SYM_(name) != NULL ? CO_NEED_SYM_(name) : 0)
#if CO_CLASSES_PAINT
// What somebody stated is not what is compared, and at -O0 it may be too little.
#define CO_NAME_OF_(symbol) #symbol
#define CO_NAME_(symbol) CO_NAME_OF_(symbol)
#define CO_NEED_(name, bytes)                                                                      \
    (CO_RT(painted_body) = CO_NAME_(CO_SYM(name)), (bytes) > CO_NEED_LARGE ? (bytes)               \
                                                   : (bytes) != 0          ? 0                     \
                                                                           : CO_BOUND_OF_(name))
#else
#define CO_NEED_(name, bytes) ((bytes) != 0 ? (bytes) : CO_BOUND_OF_(name))
#endif

#include "classes.h"
#define CO_OWN_STACKS 1
#include "switch.h"
#define CO_OWN_SWITCH 1
#include "common/fiber.h"

#include "corobench/coro_check.h"
#endif
