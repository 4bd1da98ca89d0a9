// What comes before the promise of a C++20 backend: the coroutine library, with gcc 12 and with
// clang 14 on libstdc++.
#ifndef CO_CXX20_LIBRARY_H
#define CO_CXX20_LIBRARY_H

#ifndef __cplusplus
#error "a C++20 backend is compiled as C++20: its backend.cmake has to say so"
#endif

// clang 14 finds the coroutine library in namespace std, but does not say that it can; libstdc++
// asks.
#if defined(__clang__) && !defined(__cpp_impl_coroutine)
#define __cpp_impl_coroutine 201902L
#endif
#include <coroutine>

// In the lowest bit of co_promise::bits. While a body runs it is clear.
enum {
    CO_RAISED_ = 1, // on going on: `value` is to be raised; at the end: it was not caught
};

#endif
