// Eager start and straight delegation, over the leaf pointer of resume_leaf.h.
//
// Creating a coroutine runs its body to its first suspension; what came out is kept and delivered
// by the first resume. A coroutine that delegates to another one is passed by: its step, until the
// other ends, is one that enters the innermost coroutine of the chain. Both take the place of the
// leaf's step in the handle, so that a resume looks at neither.
#ifndef CO_EAGER_H
#define CO_EAGER_H

#include "corobench/coro.h"

// A chain of delegating coroutines is linked both ways. `inner` is the next one, or further in
// where nobody delegates to this one: the outermost finds the innermost at once. After the other
// has ended it is the coroutine itself, until its body has taken the answer.
#define CO_LEAF_REST_                                                                              \
    co_step step; /* the leaf's, or what takes its place */                                        \
    struct co_leaf *inner, *outer;                                                                 \
    word waiting; /* what the first resume delivers */

#define CO_LEAF_STEP_(co) ((co)->step)
#define CO_MOVED_TO_(frame) (co_co_->leaf = (frame), co_co_->step = (frame)->step)
#define CO_EMPTY_(co) ((co)->step == NULL)

#define CO_DELEGATE_FIRST_(handle) co_link_(co_co_, (handle))
#define CO_DELEGATE_AGAIN_(handle, in, mode)                                                       \
    (co_co_->inner == co_co_ ? co_came_back_(co_co_, (in), (mode))                                 \
                             : co_delegate_((handle), (in), (mode)))

// While it is being created, a coroutine is its own `outer`. Without a waker there is no use in
// asking: it would have to be asked again.
#define CO_AWAIT_LATER_() (co_co_->outer == co_co_ && co_await_later_())
CO_INLINE bool co_await_later_(void) {
    bool later = CO_RT(awaiting).waker == NULL;
    if (later)
        CO_RT(awaiting).pending = true;
    return later;
}

#define CO_LEAF_DRIVER_ "common/eager_drive.h"

#include "common/resume_leaf.h"

static __attribute__((noinline, unused)) struct co_result co_link_(struct co_leaf *co,
                                                                   struct co_leaf *other) {
    struct co_result r = co_delegate_(other, 0, 0);
    if (r.st != CO_YIELDED || other->outer != NULL)
        return r;
    if (co_delegates_(other) && other->inner->outer != other)
        co_link_outwards_(co_innermost_(other));
    co->inner = other;
    other->outer = co;
    co->step = co_through_;
    return r;
}

#endif
