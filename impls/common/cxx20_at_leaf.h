// C++20 coroutines resumed at the leaf, as std::generator does it (P2168, P2502): the root's
// promise knows the innermost frame; a call and a return are symmetric transfers.
#ifndef CO_CXX20_AT_LEAF_H
#define CO_CXX20_AT_LEAF_H

#include "corobench/coro.h"
#include "common/cxx20_library.h"
#include "common/mutant.h"

// In each frame's promise. Three words serve all: a root has no caller, nobody else has a leaf.
struct co_promise {
    word value;              // in, out, result or error
    word bits;               // the root's promise, and CO_RAISED_
    struct co_promise *link; // in the root: the leaf; elsewhere: the caller

    __attribute__((always_inline)) co_promise() : bits((word)this), link(this) {}
    __attribute__((always_inline)) struct co_promise *root() const {
        return (struct co_promise *)(bits & ~(word)CO_RAISED_);
    }
    __attribute__((always_inline)) std::coroutine_handle<> frame() {
        return std::coroutine_handle<co_promise>::from_promise(*this);
    }
};

// Awaited by a caller: the leaf, which is its callee, goes on.
struct co_calling_ : std::suspend_always {
    template <class Promise>
    __attribute__((always_inline)) std::coroutine_handle<>
    await_suspend(std::coroutine_handle<Promise> caller) const noexcept {
        return caller.promise().root()->link->frame();
    }
};

// Awaited at the end of a body: its caller goes on and finds it in `value`; of the root, the
// resumer.
struct co_final_ : std::suspend_always {
    template <class Promise>
    __attribute__((always_inline)) std::coroutine_handle<>
    await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
        struct co_promise &promise = ended.promise();
        struct co_promise *root = promise.root();
        if (root == &promise)
            return std::noop_coroutine();
        struct co_promise *caller = promise.link;
        CO_MUTATE(leaf_not_moved, root->link = caller, (void)0);
        caller->value = (word)&promise;
        return caller->frame();
    }
};

#define CO_AWAITED_ CO_NO_ROOM_ co_calling_ co_calling;

#include "common/cxx20.h"

// A symmetric transfer is a jump where the compiler optimises; gcc's is a call where it instruments
// as well, and the native stack then grows with each of them up to the next suspension.
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CO_CXX20_AT_LEAF_CAPS (CO_CXX20_CAPS | CO_CAP_FLAT_STACK)
#else
#define CO_CXX20_AT_LEAF_CAPS CO_CXX20_CAPS
#endif

// Makes a new callee the leaf; false where there was no memory for it.
CO_INLINE bool co_enter_(struct co_promise *caller, struct co_promise *callee) {
    if (CO_UNLIKELY(callee == NULL))
        return false;
    callee->bits = caller->bits;
    callee->link = caller;
    caller->root()->link = callee;
    return true;
}

// Takes the answer of the callee that has ended, and destroys it. False: it failed.
CO_INLINE bool co_leave_(struct co_promise *caller) {
    struct co_promise *callee = (struct co_promise *)caller->value;
    bool failed = callee->bits & CO_RAISED_;
    caller->value = callee->value;
    callee->frame().destroy();
    return !failed;
}

#define CO_CALL(lv, name, ...)                                                                     \
    do {                                                                                           \
        if (!co_enter_(my.co_promise_, CO_SYM(name)::co_new_(CO_ARGS_(name, __VA_ARGS__)))) {      \
            my.co_promise_->value = CO_NOMEM;                                                      \
            goto co_fail_;                                                                         \
        }                                                                                          \
        co_await my.co_calling;                                                                    \
        if (CO_UNLIKELY(!co_leave_(my.co_promise_)))                                               \
            goto co_fail_;                                                                         \
        (lv) = (__typeof__(lv))my.co_promise_->value;                                              \
    } while (0)

// Sends `in` to the leaf, or raises it there, and says what came of it. Only a root stays at its
// end, so the leaf has ended if the coroutine has.
CO_INLINE int co_go_(struct co_promise *root, word in, word raised, word *out) {
    struct co_promise *leaf = root->link;
    leaf->value = in;
    if (raised)
        leaf->bits |= CO_RAISED_;
    leaf->frame().resume();
    leaf = root->link;
    *out = leaf->value;
    if (CO_LIKELY(!leaf->frame().done()))
        return CO_YIELDED;
    return root->bits & CO_RAISED_ ? CO_FAILED : CO_RETURNED;
}

// From the leaf outwards, so that cleanups run innermost first.
CO_INLINE void co_destroy_(struct co_promise *root) {
    for (struct co_promise *frame = root->link, *caller; frame != root; frame = caller) {
        caller = frame->link;
        frame->frame().destroy();
    }
    root->frame().destroy();
}

#include "common/cxx20_drive.h"

#endif
