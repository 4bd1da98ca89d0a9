// stackless-leaf-tag: frames name their body by a number, one switch enters them all.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "stackless-leaf-tag"
#define CO_BACKEND_FAMILY "stackless"
#define CO_BACKEND_SUMMARY                                                                         \
    "frames from an arena, a pointer to the leaf frame, no code pointers: one switch over all "    \
    "bodies"
#define CO_BACKEND_CAPS                                                                            \
    (CO_CAP_RECURSION | CO_CAP_NO_ALLOCATION | CO_CAP_FLAT_STACK | CO_CAP_MIGRATES |               \
     CO_CAP_THREAD_LOCALS)

#include "common/frames_arena.h"
#include "common/resume_tag.h"

#include "corobench/coro_check.h"
#endif
