// C++20 coroutines resumed from the root: a caller owns its callee, resumes it in a loop and yields
// again what it yields. What people write who have no elements_of.
#ifndef CO_CXX20_FROM_ROOT_H
#define CO_CXX20_FROM_ROOT_H

#include "corobench/coro.h"
#include "common/cxx20_library.h"
#include "common/mutant.h"

// In each frame's promise.
struct co_promise {
    word value; // in, out, result or error
    word bits;  // CO_RAISED_

    __attribute__((always_inline)) co_promise() : bits(0) {}
    __attribute__((always_inline)) std::coroutine_handle<> frame() {
        return std::coroutine_handle<co_promise>::from_promise(*this);
    }
};

// Awaited at the end of a body: whoever resumed it, sees that it has ended.
struct co_final_ : std::suspend_always {};

#define CO_AWAITED_

#include "common/cxx20.h"

// Inlined, and under gcc's AddressSanitizer, it would make a native frame of each body so large
// that deep recursion from the root has no room.
#if defined(__SANITIZE_ADDRESS__)
#define CO_NESTED_INLINE_ __attribute__((noinline))
#else
#define CO_NESTED_INLINE_ __attribute__((always_inline))
#endif

// A callee, owned by the caller's frame; so a close of the caller destroys it first.
struct co_nested_ {
    struct co_promise *callee; // NULL: no memory

    CO_NESTED_INLINE_ explicit co_nested_(struct co_promise *made) : callee(made) {}
    co_nested_(const co_nested_ &) = delete;
    CO_NESTED_INLINE_ ~co_nested_() {
        if (CO_LIKELY(callee != NULL))
            callee->frame().destroy();
    }
    // Sends or raises in the callee what came to its caller; whether it has yielded again.
    CO_NESTED_INLINE_ bool go_on(struct co_promise *caller) {
        callee->value = caller->value;
        if (co_raised_(caller))
            callee->bits |= CO_RAISED_;
        callee->frame().resume();
        caller->value = callee->value;
        return !callee->frame().done();
    }
    CO_NESTED_INLINE_ bool failed() const {
        return callee->bits & CO_RAISED_;
    }
};

#define CO_CALL(lv, name, ...)                                                                     \
    do {                                                                                           \
        {                                                                                          \
            co_nested_ co_nested_here_(CO_SYM(name)::co_new_(CO_ARGS_(name, __VA_ARGS__)));        \
            if (CO_UNLIKELY(co_nested_here_.callee == NULL))                                       \
                CO_RAISE(CO_NOMEM);                                                                \
            while (co_nested_here_.go_on(my.co_promise_))                                          \
                co_await my.co_yielding;                                                           \
            if (CO_UNLIKELY(co_nested_here_.failed()))                                             \
                goto co_fail_;                                                                     \
        }                                                                                          \
        (lv) = (__typeof__(lv))my.co_promise_->value;                                              \
    } while (0)

// Sends `in` to the root, or raises it there, and says what came of it.
CO_INLINE int co_go_(struct co_promise *root, word in, word raised, word *out) {
    root->value = in;
    if (raised)
        root->bits |= CO_RAISED_;
    root->frame().resume();
    *out = root->value;
    if (CO_LIKELY(!root->frame().done()))
        return CO_YIELDED;
    return root->bits & CO_RAISED_ ? CO_FAILED : CO_RETURNED;
}

CO_INLINE void co_destroy_(struct co_promise *root) {
    root->frame().destroy();
}

#include "common/cxx20_drive.h"

#endif
