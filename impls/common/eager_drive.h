// Driving for eager.h: what a coroutine's step is while a value waits in it or it delegates, and
// the ways out of a chain of delegations. Included by resume_leaf.h in the place of its own
// driving.
#ifndef CO_EAGER_DRIVE_H
#define CO_EAGER_DRIVE_H

// ---- What waits for the first resume ------------------------------------------------------------

// Three steps, so that the status needs no place of its own.
static struct co_result co_through_(struct co_frame *frame, word in, struct co_leaf *co);

static __attribute__((unused)) struct co_result co_deliver_item_(struct co_frame *frame, word in,
                                                                 struct co_leaf *co) {
    (void)in;
    co->step = co->inner != NULL ? co_through_ : frame->step;
    return co_result_(CO_MUTATE(lose_waiting, co->waiting, 0), CO_YIELDED);
}

static __attribute__((unused)) struct co_result co_deliver_result_(struct co_frame *frame, word in,
                                                                   struct co_leaf *co) {
    (void)frame;
    (void)in;
    return co_result_(co->waiting, CO_RETURNED);
}

static __attribute__((unused)) struct co_result co_deliver_error_(struct co_frame *frame, word in,
                                                                  struct co_leaf *co) {
    (void)frame;
    (void)in;
    return co_result_(co->waiting, CO_FAILED);
}

// Runs the body. One that awaits has nothing to deliver: its first resume asks again, with the
// waker of whoever drives it then.
CO_INLINE void co_create_here_(struct co_leaf *co, co_step step) {
    bool pending = CO_RT(awaiting).pending;
    co->step = step;
    co->inner = NULL;
    co->outer = co;
#if CO_CHECKED
    co->running = 1;
    co->finished = 0;
#endif
    CO_RT(awaiting).pending = false;
    struct co_result r = co_enter_(co, 0);
    co->outer = NULL;
    co->waiting = r.v;
    if (r.st == CO_RETURNED)
        co->step = co_deliver_result_;
    else if (r.st == CO_FAILED)
        co->step = co_deliver_error_;
    else if (!CO_RT(awaiting).pending)
        co->step = co_deliver_item_;
    CO_RT(awaiting).pending = pending;
#if CO_CHECKED
    co->running = 0;
#endif
}

// ---- Chains -------------------------------------------------------------------------------------

CO_INLINE bool co_delegates_(const struct co_leaf *co) {
    return co->inner != NULL && co->inner != co;
}

CO_INLINE struct co_leaf *co_innermost_(struct co_leaf *co) {
    while (co_delegates_(co))
        co = co->inner;
    return co;
}

// Makes each link from here outwards one to the next coroutine again, for the chain changes in a
// way that the outermost does not see.
CO_INLINE void co_link_outwards_(struct co_leaf *co) {
    for (; co->outer != NULL; co = co->outer)
        co->outer->inner = co;
}

// The other one is resumed from here once. If it suspends, and nobody else is linked to it, this
// body is passed by until it ends.
static __attribute__((noinline, unused)) struct co_result co_link_(struct co_leaf *co,
                                                                   struct co_leaf *other);

// The answer of what has ended, which entered this body by the state for it.
CO_INLINE struct co_result co_came_back_(struct co_leaf *co, word v, unsigned mode) {
    static const word status[] = {CO_RETURNED, CO_FAILED, CO_CLOSED_};
    co->inner = NULL;
    return co_result_(v, status[mode]);
}

// The coroutine that delegated to this one, ready to be entered with its answer; `state` is what is
// added to its resume point.
CO_INLINE struct co_leaf *co_unlink_(struct co_leaf *ended, uint32_t state) {
    struct co_leaf *outer = ended->outer;
    ended->outer = NULL;
    outer->inner = outer;
    outer->step = outer->leaf->step;
    outer->leaf->state += state;
    return outer;
}

// Enters one coroutine of a chain other than the one that is driven; `state` as above. Its misuse
// is an error in the one that delegates to it.
CO_INLINE struct co_result co_enter_other_(struct co_leaf *co, word in, uint32_t state) {
#if CO_CHECKED
    int misuse = co_misuse_(co);
    if (misuse < 0)
        return co_result_((word)misuse, CO_FAILED);
    co->running = 1;
#endif
    co->leaf->state += state;
    struct co_result r = co_enter_(co, in);
    CO_EXIT_(co);
    return r;
}

// From the innermost, which answered r, outwards to co, as far as one after the other ends.
static __attribute__((noinline, unused)) struct co_result
co_outwards_(struct co_leaf *co, struct co_leaf *innermost, struct co_result r) {
    while (innermost != co && r.st != CO_YIELDED) {
        innermost = co_unlink_(innermost, r.st == CO_FAILED ? CO_RAISE_HERE_ : 0);
        if (co->outer != NULL)
            co_link_outwards_(innermost);
        else if (innermost != co)
            co->inner = CO_MUTATE(keep_link, innermost, co->inner);
        if (innermost == co)
            return co_enter_(co, r.v);
        r = co_enter_other_(innermost, r.v, 0);
    }
    return r;
}

// The step of a coroutine that delegates.
static __attribute__((unused)) struct co_result co_through_(struct co_frame *frame, word in,
                                                            struct co_leaf *co) {
    struct co_leaf *innermost = co_innermost_(co);
    (void)frame;
    if (co->outer == NULL)
        co->inner = innermost;
    struct co_result r = co_enter_other_(innermost, in, 0);
    if (CO_UNLIKELY(r.st != CO_YIELDED))
        return co_outwards_(co, innermost, r);
    return co_result_(r.v, CO_YIELDED); // two words: gcc 12 takes `r` through memory
}

#if CO_CHECKED
// Who delegates is running while the innermost is, though it is passed by.
CO_INLINE bool co_running_(struct co_leaf *co) {
    return co->running || co_innermost_(co)->running;
}
#define CO_ENTER_CHAIN_(co)                                                                        \
    if ((co)->step != NULL && co_running_(co))                                                     \
        return CO_E_RUNNING;                                                                       \
    CO_ENTER_(co)
#else
#define CO_ENTER_CHAIN_(co) ((void)0)
#endif

// ---- The four of stackless_drive.h --------------------------------------------------------------

CO_INLINE int co_resume_here_(struct co_leaf *co, word in, word *out) {
    CO_ENTER_CHAIN_(co);
    CO_PLANTED_();
    struct co_result r = co_enter_(co, in);
    CO_EXIT_(co);
    *out = r.v;
    return (int)r.st;
}

// A result that nobody has taken yet is dropped, as a body that has not started is elsewhere.
CO_INLINE int co_throw_here_(struct co_leaf *co, word error, word *out) {
    CO_ENTER_CHAIN_(co);
    struct co_result r = {error, CO_FAILED};
    if (co->leaf != NULL) {
        struct co_leaf *innermost = co_innermost_(co);
        co->step = innermost != co ? co_through_ : co->leaf->step;
        if (innermost == co) {
            co->leaf->state += CO_RAISE_HERE_;
            r = co_enter_(co, error);
        } else {
            r = co_enter_other_(innermost, error, CO_RAISE_HERE_);
            r = co_outwards_(co, innermost, r);
        }
    }
    CO_EXIT_(co);
    *out = r.v;
    return (int)r.st;
}

// Runs the cleanups of a suspended body, those of what it delegates to first.
static __attribute__((noinline, unused)) void co_close_suspended_(struct co_leaf *co) {
    struct co_leaf *innermost = co_innermost_(co);
    co_link_outwards_(co);
    if (innermost->leaf != NULL)
        innermost->leaf->state += CO_CLOSE_HERE_;
    while (innermost != co) {
        if (innermost->leaf != NULL)
            co_enter_(innermost, 0);
        CO_EXIT_(innermost);
        innermost = co_unlink_(innermost, CO_CLOSE_HERE_);
    }
    co->step = co->leaf->step;
    CO_MUTATE(skip_cleanup, (co_enter_(co, 0)), (void)0);
}

CO_INLINE int co_close_here_(struct co_leaf *co) {
#if CO_CHECKED
    if (co_running_(co))
        return CO_E_RUNNING;
    co->running = 1;
#endif
    if (co->leaf != NULL)
        co_close_suspended_(co);
    co->leaf = NULL;
    CO_EXIT_(co);
    return 0;
}

#endif
