// cxx20-chain: C++20 coroutines, each caller yields again what its callee yields.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "cxx20-chain"
#define CO_BACKEND_FAMILY "peer"
#define CO_BACKEND_SUMMARY                                                                         \
    "C++20 coroutines, nested generators that yield again: resumed from the root, frames by new"

#include "common/cxx20_new.h"
#include "common/cxx20_from_root.h"
#define CO_BACKEND_CAPS CO_CXX20_CAPS

#include "corobench/coro_check.h"
#endif
