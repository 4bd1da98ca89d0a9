// The text of a stackless body: a frame in memory and a step function with one dense switch over
// resume points.
//
// A lowering includes its storage and then this file, and defines before it: struct co_frame (the
// header of every frame, with a `state`), CO_STEP_REST (the step's parameters after frame and
// input), CO_FRAME_LINK_ (how a new frame is made ready), CO_LEAVE_ (how a step ends),
// CO_THROWN_AT_, CO_CAUGHT_. The switch follows Simon Tatham, "Coroutines in C" (2000), with
// counted instead of line-numbered cases: dense cases inline and fold, computed goto stops both
// compilers from folding.
#ifndef CO_STACKLESS_H
#define CO_STACKLESS_H

#include <string.h>

// How a step ends, beside enum co_status.
enum {
    CO_CLOSED_ = 3, // the frame ran its cleanup because the coroutine is being closed
};

#ifndef CO_STATE_START_
#define CO_STATE_START_ 0u
#define CO_STATE_DONE_ (~0u)
#endif

// An answer, as a value (a compound literal is not C++).
CO_INLINE struct co_result co_result_(word v, word st) {
    struct co_result r = {v, st};
    return r;
}

#define CO_VAR(name) struct co_var_##name
#define CO_ARGS_(name, ...) ((struct co_args_##name){__VA_ARGS__})

#if CO_CHECKED
#define CO_POISON_(p, bytes) memset((p), 0xA5, (bytes))
#else
#define CO_POISON_(p, bytes) ((void)0)
#endif

// Callees matter to storage that places them inside the caller's frame, which then says how before.
#ifndef CO_CALLEES_
#define SUB(name)
#define REC(name)
#define CO_CALLEES_(callees)
#endif

// The arguments are a struct of their own, so that a call is one assignment, and at the same time
// fields of `my`.
#define CO_MY_FIELDS_(name, arguments, locals)                                                     \
    union {                                                                                        \
        struct co_args_##name co_args_;                                                            \
        struct {                                                                                   \
            char co_none_[0]; /* C++ wants a member where there are no arguments */                \
            CO_STRIP arguments                                                                     \
        };                                                                                         \
    };                                                                                             \
    CO_STRIP locals

// A frame and what `my` is in its step: the frame itself, unless a lowering says otherwise.
#ifndef CO_FRAME_DECL_
#define CO_FRAME_DECL_(name, arguments, locals, callees)                                           \
    struct co_frame_##name {                                                                       \
        struct co_frame co_;                                                                       \
        CO_MY_FIELDS_(name, arguments, locals) CO_CALLEES_(callees)                                \
    };
#define CO_FRAME_MY_(frame) (frame)
#define CO_MY_(name)                                                                               \
    __attribute__((unused)) struct co_frame_##name *const my = (struct co_frame_##name *)co_f_;
#endif

#define CORO_DECL(name, arguments, locals, callees)                                                \
    struct co_args_##name {                                                                        \
        CO_STRIP arguments                                                                         \
    };                                                                                             \
    CO_FRAME_DECL_(name, arguments, locals, callees)                                               \
    CO_STEP_DECL_(name)                                                                            \
    CO_INLINE void co_frame_init_##name(struct co_frame_##name *frame,                             \
                                        struct co_args_##name args) {                              \
        CO_POISON_(frame, sizeof *frame);                                                          \
        CO_FRAME_MY_(frame)->co_args_ = args;                                                      \
        frame->co_.state = CO_STATE_START_;                                                        \
    }                                                                                              \
    CO_ROOT_DECL_(name)

#if CO_BINDING == CO_BINDING_VISIBLE
#define CO_STEP_LINKAGE_ static __attribute__((unused))
#else
#define CO_STEP_LINKAGE_ CO_BODY_LINKAGE
#endif

#ifdef CO_STEP_DECL_
// The lowering has no step functions.
#elif defined(__cplusplus)
#define CO_STEP_DECL_(name)                                                                        \
    extern "C" {                                                                                   \
    CO_STEP_LINKAGE_ struct co_result CO_SYM(name)(struct co_frame *, word, CO_STEP_REST);         \
    }
#else
#define CO_STEP_DECL_(name)                                                                        \
    CO_STEP_LINKAGE_ struct co_result CO_SYM(name)(struct co_frame *, word, CO_STEP_REST);
#endif

// The body proper is always inlined: once into the step, whose address travels, and (visible
// binding) into each resume by name, where the frame can then stay in registers.
#ifndef CORO
#define CORO(name)                                                                                 \
    CO_INLINE struct co_result co_body_##name(struct co_frame *, word, CO_STEP_REST);              \
    CO_STEP_LINKAGE_ struct co_result CO_SYM(name)(struct co_frame * co_f_, word co_in_,           \
                                                   CO_STEP_REST) {                                 \
        return co_body_##name(co_f_, co_in_, CO_STEP_REST_ARG);                                    \
    }                                                                                              \
    CO_BY_NAME_(name)                                                                              \
    CO_INLINE struct co_result co_body_##name(struct co_frame *co_f_,                              \
                                              __attribute__((unused)) word co_in_, CO_STEP_REST)
#endif

// How a step finds its resume point; what follows is the start.
#ifndef CO_DISPATCH_
#define CO_DISPATCH_                                                                               \
    switch (co_f_->state) {                                                                        \
    default:                                                                                       \
        __builtin_unreachable();                                                                   \
    case CO_STATE_START_:
#endif

// What a lowering keeps beside it while a body runs.
#ifndef CO_BODY_VARIABLES_
#define CO_BODY_VARIABLES_
#endif

#define CO_BEGIN(name)                                                                             \
    enum { co_base_ = __COUNTER__ };                                                               \
    CO_MY_(name)                                                                                   \
    struct co_result co_res_;                                                                      \
    word co_err_;                                                                                  \
    CO_BODY_VARIABLES_ {                                                                           \
        __label__ co_fail_;                                                                        \
        CO_DISPATCH_

// The three ways out of a body meet at co_finish_ with their answer in co_res_. Falling off the end
// returns 0.
#define CO_WAYS_OUT_                                                                               \
    }                                                                                              \
    co_res_ = co_result_(0, CO_RETURNED);                                                          \
    goto co_finish_;                                                                               \
    co_fail_:                                                                                      \
    __attribute__((unused));                                                                       \
    co_res_ = co_result_(co_err_, CO_FAILED);                                                      \
    goto co_finish_;                                                                               \
    }                                                                                              \
    co_close_:                                                                                     \
    __attribute__((unused));                                                                       \
    co_res_ = co_result_(0, CO_CLOSED_);                                                           \
    co_finish_:                                                                                    \
    __attribute__((unused));

#define CO_END                                                                                     \
    CO_WAYS_OUT_                                                                                   \
    CO_LEAVE_

// Outside the block of co_fail_, so that a yield, call or raise in a cleanup does not compile.
#define CO_FINALLY CO_WAYS_OUT_ {
#define CO_END_FINALLY                                                                             \
    }                                                                                              \
    CO_LEAVE_

#define CO_RETURN(value)                                                                           \
    do {                                                                                           \
        co_res_ = co_result_((word)(value), CO_RETURNED);                                          \
        goto co_finish_;                                                                           \
    } while (0)

#define CO_RAISE(error)                                                                            \
    do {                                                                                           \
        co_err_ = (word)(error);                                                                   \
        goto co_fail_;                                                                             \
    } while (0)

#define CO_ERROR_ co_err_
#include "common/try.h" // CO_TRY, CO_CATCH, CO_END_TRY

// __COUNTER__ is expanded once, as an argument, and used twice or more. Cases count from 1 in each
// body.
#define CO_YIELD(lv, value) CO_YIELD_AT_(__COUNTER__ - co_base_, lv, value)
#define CO_CALL(lv, ...) CO_CALL_AT_(__COUNTER__ - co_base_, lv, __VA_ARGS__)
#define CO_CALLREC(lv, ...) CO_CALLREC_AT_(__COUNTER__ - co_base_, lv, __VA_ARGS__)
#define CO_DELEGATE(lv, handle) CO_DELEGATE_AT_(__COUNTER__ - co_base_, lv, handle)

// A stackless step runs on the resumer's stack, which is a real one.
#define CO_CCALL(f, arg) ((f)((word)(arg)))

// Not claimed: a plain C function below the body has no frame that could be left and re-entered.
__attribute__((noreturn)) CO_INLINE word co_not_claimed_(void) {
    __builtin_trap();
}
#define CO_SELF ((co_handle)NULL)
#define CO_DEEP_YIELD(co, value) ((void)(co), (void)(value), co_not_claimed_())

// C knows each body by its own name; only lowerings that dispatch by tag need the list.
#ifndef CO_DISPATCH
#define CO_DISPATCH(BODIES) struct co_dispatch_by_pointer_;
#endif

#endif
