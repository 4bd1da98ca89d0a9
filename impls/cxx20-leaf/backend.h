// cxx20-leaf: C++20 coroutines, the root knows its leaf, as std::generator does it.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "cxx20-leaf"
#define CO_BACKEND_FAMILY "peer"
#define CO_BACKEND_SUMMARY                                                                         \
    "C++20 coroutines as std::generator nests them: resumed at the leaf, frames by operator new"

#include "common/cxx20_new.h"
#include "common/cxx20_at_leaf.h"
#define CO_BACKEND_CAPS CO_CXX20_AT_LEAF_CAPS

#include "corobench/coro_check.h"
#endif
