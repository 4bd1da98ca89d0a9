// The text of a body as a C++20 coroutine: `my` is a parameter, so it lives in the coroutine frame.
//
// A lowering (cxx20_at_leaf.h, cxx20_from_root.h) includes its storage and this file, and defines
// before it struct co_promise, which every frame's promise is (with `value`, what travels in or out
// or is raised, and `bits`, whose lowest is CO_RAISED_), and struct co_final_, awaited at a body's
// end; after it CO_CALL, co_go_ and co_destroy_, and includes cxx20_drive.h.
//
// Errors are values: one bit of the promise, tested where a body goes on. A close destroys the
// suspended frames, and a cleanup is a destructor. Nothing throws, so that what is measured is the
// coroutines and not the unwinder.
#ifndef CO_CXX20_H
#define CO_CXX20_H

#include "corobench/coro.h"
#include "common/mutant.h"
#include "common/planted.h"

#include <string.h>

// gcc 12 takes the frame of a function that is local to its file for a type that others may meet,
// and warns of each lambda in it.
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

// The control block: what a handle points to. A suspended coroutine is elsewhere, so it may be
// copied.
struct co_cxx20 {
    struct co_promise *root; // NULL: none
#if CO_CHECKED
    unsigned running, finished;
#endif
};
typedef struct co_cxx20 *co_handle;

// ---- What the compiler wants to know of a coroutine
// --------------------------------------------------------------

// What a body's function returns. `My` is its arguments and locals.
template <class My> struct co_task_ {
    struct promise_type;
    struct co_promise *promise; // NULL: no memory
};

// Awaited by a body that yields.
struct co_yielding_ : std::suspend_always {};

// Nothing but the common part, so that a frame is found from a struct co_promise whatever its body.
template <class My> struct co_task_<My>::promise_type : co_promise {
    // gcc 12 keeps each awaiter and each local in the frame, also those that are dead at a
    // suspension; so the body finds its promise through `my`, and awaits members of `my`, which are
    // used where they are (clang removes all of it).
    __attribute__((always_inline)) explicit promise_type(My &my) {
        my.co_promise_ = this;
    }
    __attribute__((always_inline)) co_task_ get_return_object() {
        return {this};
    }
    static co_task_ get_return_object_on_allocation_failure() {
        return {nullptr};
    }
    __attribute__((always_inline)) std::suspend_always initial_suspend() const noexcept {
        return {};
    }
    __attribute__((always_inline)) co_final_ final_suspend() const noexcept {
        return {};
    }
    __attribute__((always_inline)) void return_void() const noexcept {}
    __attribute__((noreturn)) void unhandled_exception() const noexcept {
        __builtin_trap();
    }
    __attribute__((always_inline)) static void *operator new(size_t bytes) noexcept {
        return co_frame_new(bytes);
    }
    __attribute__((always_inline)) static void operator delete(void *frame, size_t bytes) noexcept {
        co_frame_free(frame, bytes);
    }
};

// For bodies without a cleanup.
template <class My> struct co_unguarded_ {
    __attribute__((always_inline)) explicit co_unguarded_(My &) {}
};

// clang 14 keeps the address of a thread-local, errno's too, across a suspension (LLVM issue
// 47179).
#if defined(__clang__)
#define CO_CXX20_CAPS (CO_CAP_RECURSION | CO_CAP_MIGRATES | CO_CAP_MOVABLE)
#else
#define CO_CXX20_CAPS (CO_CAP_RECURSION | CO_CAP_MIGRATES | CO_CAP_MOVABLE | CO_CAP_THREAD_LOCALS)
#endif

// ---- The text of a body
// ------------------------------------------------------------------------------------------

#define CO_VAR(name) struct co_var_##name
#define CO_HANDLE(v) (&(v)->co_)
#define CO_ARGS_(name, ...) ((struct co_args_##name){__VA_ARGS__})

#if CO_CHECKED
#define CO_POISON_(p, bytes) memset((void *)(p), 0xA5, (bytes))
#else
#define CO_POISON_(p, bytes) ((void)0)
#endif

// Whoever makes a coroutine has the size of its frame from nobody; recursion needs nothing.
#define SUB(name)
#define REC(name)

#if CO_BINDING == CO_BINDING_VISIBLE
#define CO_CREATE_LINKAGE_ static inline __attribute__((unused))
#else
#define CO_CREATE_LINKAGE_ CO_BODY_LINKAGE
#endif

// Members of `my` that take no room, beside the lowering's own.
#define CO_NO_ROOM_ [[no_unique_address]]

// `my` is copied into the frame as the coroutine is made: the arguments only, locals are
// indeterminate. Each body has a namespace, which CORO opens and the text's last brace closes.
#define CORO_DECL(name, arguments, locals, callees)                                                \
    struct co_args_##name {                                                                        \
        CO_STRIP arguments                                                                         \
    };                                                                                             \
    struct co_my_##name : co_args_##name {                                                         \
        struct co_promise *co_promise_;                                                            \
        CO_NO_ROOM_ co_yielding_ co_yielding;                                                      \
        CO_AWAITED_                                                                                \
        CO_STRIP locals                                                                            \
            __attribute__((always_inline)) explicit co_my_##name(const co_args_##name &args)       \
            : co_args_##name(args) {}                                                              \
        __attribute__((always_inline)) co_my_##name(const co_my_##name &my) : co_args_##name(my) { \
            CO_POISON_((char *)this + sizeof(co_args_##name),                                      \
                       sizeof *this - sizeof(co_args_##name));                                     \
        }                                                                                          \
        __attribute__((always_inline)) co_my_##name *operator->() {                                \
            return this;                                                                           \
        }                                                                                          \
    };                                                                                             \
    struct co_var_##name {                                                                         \
        struct co_cxx20 co_;                                                                       \
    };                                                                                             \
    namespace CO_SYM(name) {                                                                       \
        CO_CREATE_LINKAGE_ struct co_promise *co_new_(co_args_##name);                             \
    }                                                                                              \
    CO_INLINE int co_init_##name(struct co_var_##name *v, struct co_args_##name args) {            \
        return co_create_here_(&v->co_, CO_SYM(name)::co_new_(args));                              \
    }

#define CORO(name) namespace CO_SYM(name)

// The body is a template of what guards its scope, because whether it has a cleanup is told behind
// it. An error that comes before the body has started passes it by.
#define CO_BEGIN(name)                                                                             \
    typedef struct co_my_##name co_my_;                                                            \
    typedef struct co_args_##name co_args_;                                                        \
    template <class co_guard_> static inline co_task_<co_my_> co_body_(co_my_ my) {                \
        if (CO_UNLIKELY(my.co_promise_->bits & CO_RAISED_))                                        \
            co_return;                                                                             \
        {                                                                                          \
            [[maybe_unused]] co_guard_ co_scope_(my);                                              \
            {                                                                                      \
                __label__ co_fail_;                                                                \
                {

// Falling off the end returns 0.
#define CO_WAYS_OUT_                                                                               \
    }                                                                                              \
    my.co_promise_->value = 0;                                                                     \
    goto co_finish_;                                                                               \
    co_fail_:                                                                                      \
    __attribute__((unused));                                                                       \
    my.co_promise_->bits |= CO_RAISED_;                                                            \
    }                                                                                              \
    co_finish_:                                                                                    \
    __attribute__((unused));                                                                       \
    }                                                                                              \
    co_return;                                                                                     \
    }

#define CO_MAKER_(guard)                                                                           \
    CO_CREATE_LINKAGE_ struct co_promise *co_new_(co_args_ args) {                                 \
        return co_body_<guard>(co_my_(args)).promise;                                              \
    }

#define CO_END CO_WAYS_OUT_ CO_MAKER_(co_unguarded_<co_my_>)

// A function of its own, so that a yield, call or raise in a cleanup does not compile.
#define CO_FINALLY                                                                                 \
    CO_WAYS_OUT_                                                                                   \
    static inline void co_finally_(co_my_ &my) {

#define CO_END_FINALLY                                                                             \
    }                                                                                              \
    struct co_guarded_ {                                                                           \
        co_my_ &my;                                                                                \
        explicit co_guarded_(co_my_ &mine) : my(mine) {}                                           \
        ~co_guarded_() {                                                                           \
            CO_MUTATE(skip_cleanup, co_finally_(my), (void)co_finally_);                           \
        }                                                                                          \
    };                                                                                             \
    CO_MAKER_(co_guarded_)

#define CO_RETURN(result)                                                                          \
    do {                                                                                           \
        my.co_promise_->value = (word)(result);                                                    \
        goto co_finish_;                                                                           \
    } while (0)

#define CO_RAISE(error)                                                                            \
    do {                                                                                           \
        my.co_promise_->value = (word)(error);                                                     \
        goto co_fail_;                                                                             \
    } while (0)

#define CO_ERROR_ my.co_promise_->value
#include "common/try.h" // CO_TRY, CO_CATCH, CO_END_TRY

// Whether the body goes on with an error, which it then has taken notice of.
CO_INLINE bool co_raised_(struct co_promise *promise) {
    if (CO_LIKELY(!(promise->bits & CO_RAISED_)))
        return false;
    promise->bits &= ~(word)CO_RAISED_;
    return true;
}

#define CO_YIELD(lv, yielded)                                                                      \
    do {                                                                                           \
        my.co_promise_->value = (word)(yielded);                                                   \
        co_await my.co_yielding;                                                                   \
        if (co_raised_(my.co_promise_))                                                            \
            goto co_fail_;                                                                         \
        (lv) = (__typeof__(lv))CO_MUTATE(lose_sent, my.co_promise_->value, 0);                     \
    } while (0)

#define CO_CALLREC(lv, ...) CO_CALL(lv, __VA_ARGS__)

// While it delegates, a body that is destroyed closes the other coroutine first. The handle is
// evaluated again at every resume.
template <class Handle> struct co_delegation_ {
    Handle handle;
    bool over;
    explicit co_delegation_(Handle h) : handle(h), over(false) {}
    ~co_delegation_();
    bool go_on(struct co_promise *promise);
};

#define CO_DELEGATE(lv, other)                                                                     \
    do {                                                                                           \
        {                                                                                          \
            auto co_other_ = [&] { return (other); };                                              \
            co_delegation_<decltype(co_other_)> co_delegation_here_(co_other_);                    \
            my.co_promise_->value = 0;                                                             \
            while (co_delegation_here_.go_on(my.co_promise_))                                      \
                co_await my.co_yielding;                                                           \
        }                                                                                          \
        if (co_raised_(my.co_promise_))                                                            \
            goto co_fail_;                                                                         \
        (lv) = (__typeof__(lv))my.co_promise_->value;                                              \
    } while (0)

// A frame is resumed on the resumer's stack, which is a real one.
#define CO_CCALL(f, arg) ((f)((word)(arg)))

// Not claimed: a plain C function below the body has no frame that could be left and re-entered.
__attribute__((noreturn)) CO_INLINE word co_not_claimed_(void) {
    __builtin_trap();
}
#define CO_SELF ((co_handle)NULL)
#define CO_DEEP_YIELD(co, value) ((void)(co), (void)(value), co_not_claimed_())
#define CO_DISPATCH(BODIES) struct co_dispatch_by_handle_;

#endif
