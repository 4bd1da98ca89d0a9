// stackless-leaf-eager: a callee runs on its caller's native stack until it suspends.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "stackless-leaf-eager"
#define CO_BACKEND_FAMILY "stackless"
#define CO_BACKEND_SUMMARY                                                                         \
    "frames from an arena, a pointer to the leaf frame, a callee is a C call until it suspends"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_RECURSION | CO_CAP_NO_ALLOCATION | CO_CAP_MIGRATES | CO_CAP_THREAD_LOCALS)

#include "common/frames_arena.h"
#include "common/resume_eager.h"

#include "corobench/coro_check.h"
#endif
