// eager: a body starts when it is created, and who delegates is passed by.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "eager"
#define CO_BACKEND_FAMILY "stackless"
#define CO_BACKEND_SUMMARY                                                                         \
    "leaf pointer; creation runs to the first suspension, delegations collapse to one jump"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_RECURSION | CO_CAP_NO_ALLOCATION | CO_CAP_FLAT_STACK | CO_CAP_MIGRATES |               \
     CO_CAP_THREAD_LOCALS | CO_CAP_EAGER)

#include "common/frames_arena.h"
#include "common/eager.h"

#include "corobench/coro_check.h"
#endif
