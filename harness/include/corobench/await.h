// Awaiting: how a coroutine waits for something that is not a coroutine, and who is told when it is
// there. Included by coro.h.
//
// The model is that of Rust's futures: whoever drives a coroutine brings a waker; what cannot
// answer yet keeps a clone of it and wakes through it later (core::task::RawWaker and
// RawWakerVTable; RFC 2592). Between the two nobody looks: a coroutine is polled again because it
// was woken.
//
//   CO_AWAIT(lv, awaitable)   in a body: suspends it until the awaitable is ready; lv = its value.
//   An
//                             error of it is raised here. `awaitable` is a struct co_awaitable *
//                             and may be evaluated again at each resume, as CO_DELEGATE's handle
//   co_poll(handle, waker, in, out)   a resume that brings a waker. Beside the answers of co_resume
//                             it knows CO_PENDING: the body awaits, out says nothing. An item is
//                             CO_YIELDED, also from a body that awaits as well: the two are never
//                             mistaken for each other
//
// A body finds its waker in CO_RT(awaiting), where co_poll puts it: not in what is sent, because
// the first resume and callees get none, and not in a thread-local variable, because a body may be
// on another thread than its driver. One thread at a time drives coroutines, and wakers alone cross
// threads, so one variable does. A coroutine that is driven by co_resume has no waker: awaiting
// then is a yield of 0, and the awaitable is asked again at every resume.
//
// Throwing into a body that awaits raises the error at CO_AWAIT; co_throw answers as co_resume
// does, so a body that catches it and awaits anew is to be polled. Closing runs its cleanups: who
// owns an awaitable withdraws it there if it must not wake any more.
#ifndef COROBENCH_AWAIT_H
#define COROBENCH_AWAIT_H

#ifdef __cplusplus
extern "C" {
#endif

struct co_waker;

// What a waker does. All three may be called from any thread, at any time until the drop.
struct co_waker_ops {
    struct co_waker (*clone)(void *data); // another one, that must be dropped too
    void (*wake)(void *data);             // the waker stays valid; waking twice is waking once
    void (*drop)(void *data);
};

struct co_waker {
    const struct co_waker_ops *ops; // NULL: this one wakes nobody
    void *data;
};

// Something to wait for. `ask` answers v with st = CO_RETURNED, the error v with st = CO_FAILED, or
// CO_PENDING; then it has kept a clone of this waker instead of the last one, or nobody comes back.
// The waker itself is the caller's and lives no longer than the call.
struct co_awaitable {
    struct co_result (*ask)(struct co_awaitable *self, const struct co_waker *waker);
};

// What co_poll and CO_AWAIT tell each other.
struct co_awaiting {
    const struct co_waker *waker; // of the co_poll under way, NULL outside
    struct co_result answer;      // the awaitable's last
    word sent;                    // what was sent to a body that awaits: nothing
    bool pending;                 // what is yielded now is no item
};
extern CO_EXPORT struct co_awaiting CO_RT(awaiting);

#ifdef __cplusplus
}
#endif

CO_INLINE struct co_waker co_waker_clone(const struct co_waker *waker) {
    struct co_waker none = {NULL, NULL};
    return waker->ops != NULL ? waker->ops->clone(waker->data) : none;
}

CO_INLINE void co_waker_wake(const struct co_waker *waker) {
    if (waker->ops != NULL)
        waker->ops->wake(waker->data);
}

// The waker wakes nobody afterwards, so that a second drop does nothing.
CO_INLINE void co_waker_drop(struct co_waker *waker) {
    if (waker->ops != NULL)
        waker->ops->drop(waker->data);
    waker->ops = NULL;
}

// Whether both wake the same task: a clone that is kept already need not be made again.
CO_INLINE bool co_waker_same(const struct co_waker *a, const struct co_waker *b) {
    return a->ops == b->ops && a->data == b->data;
}

// Asks with the waker of the co_poll under way. Nobody's waker is one that wakes nobody.
CO_INLINE struct co_result co_ask(struct co_awaitable *awaitable) {
    static const struct co_waker nobody = {NULL, NULL};
    const struct co_waker *waker = CO_RT(awaiting).waker;
    return awaitable->ask(awaitable, waker != NULL ? waker : &nobody);
}

#endif
