// The text of a body that has a stack of its own: a plain C function whose locals live where the
// compiler puts them.
//
// A lowering includes this file and defines before it: struct co_stackful (the control block; it
// has the members `error` and `closing`), where the innermost handler is noted (CO_HANDLERS_(co),
// if not in a member `handlers`), co_switch_out_(co, v), which yields, and co_finish_(co, v, st),
// which leaves the body for good.
//
// Errors cost nothing until they happen: a handler is a record on the coroutine's own stack, a
// throw resumes the coroutine in a function that jumps to the nearest one. Only bodies with CO_TRY
// or CO_FINALLY pay, one setjmp each.
#ifndef CO_STACKFUL_H
#define CO_STACKFUL_H

#include <string.h>

// A backend whose stacks are more than a stack pointer brings its own marks and jumps (co_mark,
// CO_MARK_, CO_JUMP_) and defines CO_OWN_JUMP.
#ifndef CO_OWN_JUMP
#include <setjmp.h>
typedef jmp_buf co_mark;
#define CO_MARK_(at) _setjmp(at)
#define CO_JUMP_(at) longjmp((at), 1)
#endif

// Without optimisation nothing lives in registers across a setjmp, yet gcc warns of each argument.
#if defined(__GNUC__) && !defined(__clang__) && !defined(__OPTIMIZE__)
#pragma GCC diagnostic ignored "-Wclobbered"
#endif
#include "common/mutant.h"

#ifndef CO_HANDLERS_
#define CO_HANDLERS_(co) ((co)->handlers)
#endif

// How a body ends, beside enum co_status.
enum {
    CO_CLOSED_ = 3, // all cleanups have run because the coroutine is being closed
};

enum co_handler_kind {
    CO_CATCHES_ = 1,  // errors
    CO_CLEANS_UP_ = 3 // errors and close
};

// A place in a body that an error or a close goes to next; innermost first.
struct co_handler {
    struct co_handler *outer;
    struct co_stackful *co;
    unsigned kind;
    co_mark at;
};

#define CO_VAR(name) struct co_var_##name
#define CO_HANDLE(v) (&(v)->co_)
#define CO_ARGS_(name, ...) ((struct co_args_##name){__VA_ARGS__})

#if CO_CHECKED
#define CO_POISON_(p, bytes) memset((p), 0xA5, (bytes))
#else
#define CO_POISON_(p, bytes) ((void)0)
#endif

// ---- Handlers
// ------------------------------------------------------------------------------------------------

// Goes to the nearest handler that wants what is under way, or ends the coroutine. Runs on its
// stack.
__attribute__((noreturn, unused)) static CO_COLD void co_unwind_(struct co_stackful *co) {
    unsigned wanted = co->closing ? CO_CLEANS_UP_ : CO_CATCHES_;
    struct co_handler *h = CO_HANDLERS_(co);
    if (CO_MUTATE(skip_cleanup, false, co->closing))
        h = NULL;
    while (h != NULL && (h->kind & wanted) != wanted)
        h = h->outer;
    if (h == NULL) {
        CO_HANDLERS_(co) = NULL;
        co_finish_(co, co->error, co->closing ? (word)CO_CLOSED_ : (word)CO_FAILED);
    }
    CO_HANDLERS_(co) = h->outer;
    CO_JUMP_(h->at);
}

__attribute__((noreturn, unused)) static CO_COLD void co_raise_(struct co_stackful *co,
                                                                word error) {
    co->error = error;
    co->closing = false;
    co_unwind_(co);
}

CO_INLINE void co_handler_push_(struct co_stackful *co, struct co_handler *h, unsigned kind) {
    h->outer = CO_HANDLERS_(co);
    h->co = co;
    h->kind = kind;
    CO_HANDLERS_(co) = h;
}

// Run whenever control leaves the handler's scope, by its end, by a return or by a jump.
CO_INLINE void co_handler_pop_(struct co_handler *h) {
    CO_HANDLERS_(h->co) = h->outer;
}

// A backend that knows what a body needs where nothing is stated defines both: CO_NEED_DECL_ stands
// beside the body's declaration, CO_NEED_ is the number of bytes.
#ifndef CO_NEED_
#define CO_NEED_DECL_(name)
#define CO_NEED_(name, bytes) (bytes)
#endif

// After this the compiler keeps `my` in memory across anything that might raise.
#define CO_ESCAPES_(p) __asm__ volatile("" : : "r"(p) : "memory")

// ---- The text of a body
// --------------------------------------------------------------------------------------

// All callees are plain C functions; recursion needs nothing.
#define SUB(name)
#define REC(name)

#if CO_BINDING == CO_BINDING_VISIBLE
#define CO_CALL_LINKAGE_ static __attribute__((unused))
#define CO_ENTRY_LINKAGE_ static __attribute__((unused))
#elif defined(__clang__)
#define CO_CALL_LINKAGE_ static __attribute__((unused, noinline))
#define CO_ENTRY_LINKAGE_ CO_EXPORT
#else
#define CO_CALL_LINKAGE_ static __attribute__((unused, noipa))
#define CO_ENTRY_LINKAGE_ CO_EXPORT
#endif

#ifdef __cplusplus
#define CO_ENTRY_DECL_(name)                                                                       \
    extern "C" {                                                                                   \
    CO_ENTRY_LINKAGE_ void CO_SYM(name)(void *);                                                   \
    }
#else
#define CO_ENTRY_DECL_(name) CO_ENTRY_LINKAGE_ void CO_SYM(name)(void *);
#endif

#define CORO_DECL(name, arguments, locals, callees)                                                \
    struct co_args_##name {                                                                        \
        CO_STRIP arguments                                                                         \
    };                                                                                             \
    struct co_my_##name {                                                                          \
        union {                                                                                    \
            struct co_args_##name co_args_;                                                        \
            struct {                                                                               \
                char co_none_[0]; /* C++ wants a member where there are no arguments */            \
                CO_STRIP arguments                                                                 \
            };                                                                                     \
        };                                                                                         \
        CO_STRIP locals                                                                            \
    };                                                                                             \
    struct co_var_##name {                                                                         \
        struct co_stackful co_;                                                                    \
        struct co_args_##name args;                                                                \
    };                                                                                             \
    CO_ENTRY_DECL_(name)                                                                           \
    CO_CALL_DECL_(name)                                                                            \
    CO_NEED_DECL_(name)                                                                            \
    CO_INLINE int co_init_##name(struct co_var_##name *v, size_t bytes,                            \
                                 struct co_args_##name args) {                                     \
        v->args = args;                                                                            \
        return CO_CREATE_(&v->co_, CO_SYM(name), CO_NEED_(name, bytes));                           \
    }

#if CO_PART_BODIES
#define CO_CALL_DECL_(name)                                                                        \
    CO_CALL_LINKAGE_ word co_call_##name(struct co_stackful *, struct co_args_##name);
#else
#define CO_CALL_DECL_(name)
#endif

// The body is inlined into its entry (as a root) and into a function of its own (as a callee);
// `flatten` rather than `always_inline`, because a body that calls setjmp cannot be inlined and
// must not be an error.
#define CORO(name)                                                                                 \
    static inline word co_body_##name(struct co_stackful *, struct co_args_##name);                \
    __attribute__((flatten)) CO_ENTRY_LINKAGE_ void CO_SYM(name)(void *co) {                       \
        CO_STARTED_((struct co_stackful *)co);                                                     \
        word v = co_body_##name((struct co_stackful *)co, ((struct co_var_##name *)co)->args);     \
        co_finish_((struct co_stackful *)co, v, CO_RETURNED);                                      \
    }                                                                                              \
    __attribute__((flatten))                                                                       \
    CO_CALL_LINKAGE_ word co_call_##name(struct co_stackful *co, struct co_args_##name args) {     \
        return co_body_##name(co, args);                                                           \
    }                                                                                              \
    static inline word co_body_##name(__attribute__((unused)) struct co_stackful *co_self_,        \
                                      struct co_args_##name co_args_)

// CO_FINALLY stands at the end of the text but has to act at its beginning: the body starts by
// going to its end, where CO_END sends it straight back and CO_FINALLY first sets its handler.
#define CO_BEGIN(name)                                                                             \
    struct co_my_##name co_my_;                                                                    \
    struct co_my_##name *const my = &co_my_;                                                       \
    struct co_handler co_cleanup_ __attribute__((unused));                                         \
    bool co_unwinding_ __attribute__((unused));                                                    \
    word co_value_;                                                                                \
    CO_POISON_(my, sizeof *my);                                                                    \
    my->co_args_ = co_args_;                                                                       \
    goto co_prologue_;                                                                             \
    co_body_ : {

#define CO_END                                                                                     \
    }                                                                                              \
    co_value_ = 0;                                                                                 \
    co_finish_:                                                                                    \
    __attribute__((unused));                                                                       \
    return co_value_;                                                                              \
    co_prologue_:                                                                                  \
    goto co_body_;

#define CO_FINALLY                                                                                 \
    }                                                                                              \
    co_value_ = 0;                                                                                 \
    co_finish_:                                                                                    \
    __attribute__((unused));                                                                       \
    co_handler_pop_(&co_cleanup_);                                                                 \
    co_unwinding_ = false;                                                                         \
    goto co_clean_;                                                                                \
    co_prologue_:                                                                                  \
    co_handler_push_(co_self_, &co_cleanup_, CO_CLEANS_UP_);                                       \
    CO_ESCAPES_(my);                                                                               \
    if (CO_MARK_(co_cleanup_.at) == 0)                                                             \
        goto co_body_;                                                                             \
    co_unwinding_ = true;                                                                          \
    co_value_ = 0; /* not used, but a body that only raises sets it nowhere else */                \
    co_clean_ : {
#define CO_END_FINALLY                                                                             \
    }                                                                                              \
    if (co_unwinding_)                                                                             \
        co_unwind_(co_self_);                                                                      \
    return co_value_;

#define CO_YIELD(lv, value) ((lv) = (__typeof__(lv))CO_SWITCH_OUT_(co_self_, (word)(value)))
#define CO_CALL(lv, name, ...)                                                                     \
    ((lv) = (__typeof__(lv))co_call_##name(co_self_, CO_ARGS_(name, __VA_ARGS__)))
#define CO_CALLREC(lv, name, ...) CO_CALL(lv, name, __VA_ARGS__)
#define CO_DELEGATE(lv, handle) ((lv) = (__typeof__(lv))co_delegate_(co_self_, (handle)))
#define CO_RAISE(error) co_raise_(co_self_, (word)(error))
// A stack of this family is a real one, and C code runs where the body runs; unless a backend has
// another place for it, and has defined CO_CCALL before.
#ifndef CO_CCALL
#define CO_CCALL(f, arg) ((f)((word)(arg)))
#endif
#define CO_SELF co_self_
#define CO_DEEP_YIELD(co, value) CO_SWITCH_OUT_((co), (word)(value))

#define CO_RETURN(value)                                                                           \
    do {                                                                                           \
        co_value_ = (word)(value);                                                                 \
        goto co_finish_;                                                                           \
    } while (0)

#define CO_TRY CO_TRY_AT_(__COUNTER__)
#define CO_TRY_AT_(id) CO_TRY_WITH_(CO_CAT(co_handler, id))
#define CO_TRY_WITH_(handler)                                                                      \
    {                                                                                              \
        struct co_handler handler __attribute__((cleanup(co_handler_pop_)));                       \
        co_handler_push_(co_self_, &handler, CO_CATCHES_);                                         \
        CO_ESCAPES_(my);                                                                           \
        if (CO_MARK_(handler.at) == 0) {
#define CO_CATCH(lv)                                                                               \
    }                                                                                              \
    else {                                                                                         \
        (lv) = (__typeof__(lv))co_self_->error;                                                    \
        {
#define CO_END_TRY                                                                                 \
    }                                                                                              \
    }                                                                                              \
    }

#define CO_DISPATCH(BODIES) struct co_dispatch_by_pointer_;

#endif
