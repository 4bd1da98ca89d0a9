// cxx20-chain-pooled: C++20 coroutines, each caller yields again what its callee yields, frames
// from an arena.
#ifndef CO_BACKEND_H
#define CO_BACKEND_H

#include "corobench/coro.h"

#define CO_BACKEND_CONTRACT 1
#define CO_BACKEND_NAME "cxx20-chain-pooled"
#define CO_BACKEND_FAMILY "peer"
#define CO_BACKEND_SUMMARY                                                                         \
    "C++20 coroutines, nested generators that yield again: resumed from the root, frames pooled"
#define CO_BACKEND_VARIANT_OF "cxx20-chain"

#include "common/frames_arena.h"
#include "common/cxx20_from_root.h"
#define CO_BACKEND_CAPS CO_CXX20_CAPS

#include "corobench/coro_check.h"
#endif
