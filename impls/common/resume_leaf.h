// Resume at the leaf, calls and returns by jumps.
//
// A coroutine call enters the callee and a return enters the caller by a sibling call: the step
// that is left has no native frame any more. The native stack holds one step at a time, whatever
// the depth.
//
// With CO_LEAF_BY_LOOP 1, and where nothing is optimised, a step returns instead, and the resume's
// loop (a trampoline) enters the next one.
#ifndef CO_RESUME_LEAF_H
#define CO_RESUME_LEAF_H

#include "common/leaf_step.h"

#ifndef CO_LEAF_BY_LOOP
#ifdef __OPTIMIZE__
#define CO_LEAF_BY_LOOP 0
#else
#define CO_LEAF_BY_LOOP 1 // gcc makes sibling calls when it optimises; clang can be told to, always
#endif
#endif

// The last thing a step does: enters another frame.
#if CO_LEAF_BY_LOOP
enum { CO_GO_ON_ = 8 }; // a step's answer: enter the leaf
#define CO_GO_TO_(step, frame, in)                                                                 \
    co_co_->leaf = (frame);                                                                        \
    return co_result_((in), CO_GO_ON_)
#elif defined(__clang__)
#define CO_GO_TO_(step, frame, in) __attribute__((musttail)) return (step)((frame), (in), co_co_)
#else
#define CO_GO_TO_(step, frame, in) return (step)((frame), (in), co_co_)
#endif

#define CO_LEAVE_                                                                                  \
    struct co_frame *const co_caller_ = my->co_.caller;                                            \
    if (co_caller_ == NULL) {                                                                      \
        co_co_->leaf = NULL;                                                                       \
        return co_res_;                                                                            \
    }                                                                                              \
    CO_FRAME_LEFT_(my);                                                                            \
    CO_TELL_(co_caller_, co_res_.st);                                                              \
    CO_MOVED_TO_(co_caller_);                                                                      \
    CO_GO_TO_(co_caller_->step, co_caller_, co_res_.v);

#define CO_CALL_(id, lv, frame, left, name, ...)                                                   \
    {                                                                                              \
        struct co_frame_##name *const co_callee_ = (frame);                                        \
        my->co_.state = CO_STATE_(id);                                                             \
        co_frame_init_##name(co_callee_, CO_ARGS_(name, __VA_ARGS__));                             \
        co_callee_->co_.caller = &my->co_;                                                         \
        CO_MADE_(&co_callee_->co_, name);                                                          \
        CO_MOVED_TO_(&co_callee_->co_);                                                            \
        CO_GO_TO_(CO_SYM(name), &co_callee_->co_, 0);                                              \
    }                                                                                              \
    CO_ENTRIES_(id, left);                                                                         \
    (lv) = (__typeof__(lv))co_in_

#include "common/leaf.h"

CO_INLINE struct co_result co_enter_(struct co_leaf *co, word in) {
    struct co_result r = CO_LEAF_STEP_(co)(co->leaf, in, co);
#if CO_LEAF_BY_LOOP
    while (r.st == CO_GO_ON_)
        r = CO_LEAF_STEP_(co)(co->leaf, r.v, co);
#endif
    return r;
}

#endif
