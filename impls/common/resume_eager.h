// Resume at the leaf; a callee runs on its caller's native stack until it suspends for the first
// time.
//
// A coroutine call is a C call, and one that never yields returns by a return. A callee that yields
// returns too: the caller then links it to its own frame and returns likewise, up to the resume.
// From there on the callee is entered as the leaf, and its end jumps to its caller's step. This is
// how C# and Kotlin start a call of an async or suspending function.
#ifndef CO_RESUME_EAGER_H
#define CO_RESUME_EAGER_H

#include "common/leaf_step.h"

// Without a link there is a native caller, who sees to the rest.
#define CO_LEAVE_                                                                                  \
    struct co_frame *const co_caller_ = my->co_.caller;                                            \
    if (co_caller_ == NULL)                                                                        \
        return co_res_;                                                                            \
    CO_FRAME_LEFT_(my);                                                                            \
    CO_TELL_(co_caller_, co_res_.st);                                                              \
    return co_caller_->step(co_caller_, co_res_.v, co_co_);

#define CO_CALL_(id, lv, frame, left, name, ...)                                                   \
    {                                                                                              \
        struct co_frame_##name *const co_callee_ = (frame);                                        \
        my->co_.state = CO_STATE_(id);                                                             \
        co_frame_init_##name(co_callee_, CO_ARGS_(name, __VA_ARGS__));                             \
        co_callee_->co_.caller = NULL;                                                             \
        CO_MADE_(&co_callee_->co_, name);                                                          \
        co_res_ = CO_SYM(name)(&co_callee_->co_, 0, co_co_);                                       \
        if (co_res_.st == CO_YIELDED) {                                                            \
            CO_MUTATE(call_not_linked, co_callee_->co_.caller = &my->co_, (void)0);                \
            return co_res_;                                                                        \
        }                                                                                          \
        CO_FRAME_LEFT_(co_callee_);                                                                \
        left;                                                                                      \
        if (CO_UNLIKELY(co_res_.st != CO_RETURNED)) {                                              \
            co_err_ = co_res_.v;                                                                   \
            goto co_fail_;                                                                         \
        }                                                                                          \
        co_in_ = co_res_.v;                                                                        \
    }                                                                                              \
    if (0) {                                                                                       \
        CO_ENTRIES_(id, left);                                                                     \
    }                                                                                              \
    (lv) = (__typeof__(lv))co_in_

#include "common/leaf.h"

CO_INLINE struct co_result co_enter_(struct co_leaf *co, word in) {
    struct co_result r = co->leaf->step(co->leaf, in, co);
    if (r.st != CO_YIELDED)
        co->leaf = NULL;
    return r;
}

#endif
