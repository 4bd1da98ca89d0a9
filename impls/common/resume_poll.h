// Polled from the root: the walk of resume_chain.h, with a waker that goes down and "pending" that
// comes up.
//
// The lowering of Rust's async functions (RFC 2394; Future and its Context: RFC 2592):
// poll(state, context) answers ready or pending, and what is pending has kept a waker. A future has
// one result; here it has items too, which the interface's CO_YIELD needs: a third answer.
#ifndef CO_RESUME_POLL_H
#define CO_RESUME_POLL_H

#include "corobench/coro.h"
#include "common/mutant.h"

struct co_context {
    const struct co_waker *waker;
    unsigned mode; // of resume_chain.h
};

#define CO_DOWN_ struct co_context *
#define CO_STEP_REST __attribute__((unused)) struct co_context *co_cx_
#define CO_STEP_REST_ARG co_cx_
#define co_mode_ (co_cx_->mode)
#define CO_ENTER_ROOT_(step, frame, in, mode)                                                      \
    co_enter_root_((step), (frame), (in), (mode), &co_nobody_)
#define CO_DELEGATE_DOWN_(handle) co_delegate_poll_((handle), co_in_, co_cx_)
#define CO_SUSPENDED_(st) ((st) == CO_YIELDED || (st) == CO_PENDING)
#define CO_ANSWER_(r, out) co_without_waker_((r), (out))

static const struct co_waker co_nobody_ __attribute__((unused)) = {NULL, NULL};
struct co_frame;

// The function may be the body itself, which is inlined then.
CO_INLINE struct co_result
co_enter_root_(struct co_result (*step)(struct co_frame *, word, struct co_context *),
               struct co_frame *frame, word in, unsigned mode, const struct co_waker *waker) {
    struct co_context context = {waker, mode};
    return step(frame, in, &context);
}

// Who has no waker takes waiting for a yield of 0.
CO_INLINE int co_without_waker_(struct co_result r, word *out) {
    bool pending = CO_UNLIKELY(r.st == CO_PENDING);
    *out = pending ? 0 : r.v;
    return pending ? CO_YIELDED : (int)r.st;
}

struct co_root;
static struct co_result co_delegate_poll_(struct co_root *co, word in,
                                          const struct co_context *context);

#include "common/resume_chain.h"

// What came last may have been an error: what is awaited now must not see it.
#define CO_AWAIT(lv, awaitable) CO_AWAIT_AT_(__COUNTER__ - co_base_, lv, awaitable)
#define CO_AWAIT_AT_(id, lv, awaitable)                                                            \
    do {                                                                                           \
        my->co_.state = (id);                                                                      \
        co_mode_ = CO_SEND_;                                                                       \
        __attribute__((fallthrough));                                                              \
    case (id):                                                                                     \
        CO_RESUMED_                                                                                \
        co_res_ = co_ask_with_((awaitable), co_cx_->waker);                                        \
        if (co_res_.st == CO_PENDING)                                                              \
            return co_res_;                                                                        \
        CO_CALL_ENDED_(lv);                                                                        \
    } while (0)

CO_INLINE struct co_result co_ask_with_(struct co_awaitable *awaitable,
                                        const struct co_waker *waker) {
    return awaitable->ask(awaitable, waker);
}

// ---- Driving with a waker
// ----------------------------------------------------------------------------------------

CO_INLINE int co_poll_here_(struct co_root *co, word in, struct co_context context, word *out) {
    CO_ENTER_(co);
    struct co_frame *f = co_root_frame_(co);
    struct co_result r = {in, CO_FAILED};
    if (context.mode == CO_THROW_ && f->state == CO_STATE_START_)
        f->state = CO_STATE_DONE_;
    else
        r = co_enter_root_(co->step, f, in, context.mode, context.waker);
    CO_EXIT_(co);
    *out = r.v;
    return (int)CO_MUTATE(pending_is_item, r.st, (r.st == CO_PENDING ? (word)CO_YIELDED : r.st));
}

#if CO_BINDING == CO_BINDING_LIBRARY
// The one operation that the table of a library has not got.
#ifdef __cplusplus
extern "C" {
#endif
CO_EXPORT int CO_RT(poll_far)(co_handle co, word in, struct co_context context, word *out);
#ifdef __cplusplus
}
#endif
#define co_poll_(co, in, context, out) CO_RT(poll_far)((co), (in), (context), (out))
#ifdef CO_RUNTIME
int CO_RT(poll_far)(co_handle co, word in, struct co_context context, word *out) {
    return co_poll_here_(co, in, context, out);
}
#endif
#else
#define co_poll_(co, in, context, out) co_poll_here_((co), (in), (context), (out))
#endif

CO_INLINE int co_poll(co_handle co, const struct co_waker *waker, word in, word *out) {
    struct co_context context = {waker, CO_SEND_};
    return co_poll_(co, in, context, out);
}

// The other coroutine waits with the waker of this one.
static __attribute__((noinline, unused)) struct co_result
co_delegate_poll_(struct co_root *co, word in, const struct co_context *context) {
    word out = 0;
    if (context->mode == CO_CLOSE_)
        return co_delegate_(co, in, CO_CLOSE_);
    int status = co_poll_(co, in, *context, &out);
    return status < 0 ? co_result_((word)status, CO_FAILED) : co_result_(out, (word)status);
}

#endif
