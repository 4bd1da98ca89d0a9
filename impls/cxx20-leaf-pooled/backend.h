// cxx20-leaf-pooled: C++20 coroutines, resumed at the leaf, frames from an arena.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "cxx20-leaf-pooled"
#define CO_BACKEND_FAMILY "peer"
#define CO_BACKEND_SUMMARY                                                                         \
    "C++20 coroutines as std::generator nests them: resumed at the leaf, frames from an arena"
#define CO_BACKEND_VARIANT_OF "cxx20-leaf"

#include "common/frames_arena.h"
#include "common/cxx20_at_leaf.h"
#define CO_BACKEND_CAPS CO_CXX20_AT_LEAF_CAPS

#include "corobench/coro_check.h"
#endif
