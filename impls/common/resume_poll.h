// Polled from the root: every poll enters the root's function, which polls the callee that it waits
// for, and so on to the leaf.
//
// The lowering of Rust's async functions (RFC 2394) and of what they were made after, the state
// machines of futures: poll(state, context) answers ready or pending, and a pending answer leaves
// the whole chain. The context brings the waker and passes every level on its way down. A future
// has one result; here it has items too, which the interface's CO_YIELD needs: a third answer,
// CO_YIELDED.
#ifndef CO_RESUME_POLL_H
#define CO_RESUME_POLL_H

#include "corobench/coro.h"
#include "common/mutant.h"

// What is asked of the leaf: to go on, to raise an error where it stands, to run its cleanups.
enum co_mode { CO_SEND_ = 0, CO_THROW_ = 1, CO_CLOSE_ = 2 };

struct co_context {
    const struct co_waker *waker;
    unsigned mode;
};

struct co_frame;
typedef struct co_result (*co_step)(struct co_frame *frame, word in, struct co_context *context);

struct co_frame {
    co_step step;            // of a root; a callee's is known where it is called
    struct co_frame *callee; // while suspended in a coroutine call
    uint32_t state;          // resume point
#if CO_CHECKED
    uint32_t running;
#endif
};
typedef struct co_frame *co_handle;

#define CO_STEP_REST __attribute__((unused)) struct co_context *co_cx_
#define CO_STEP_REST_ARG co_cx_

// The root frame is the whole coroutine.
#define CO_ROOT_DECL_(name)                                                                        \
    struct co_var_##name {                                                                         \
        struct co_frame_##name frame;                                                              \
    };                                                                                             \
    CO_INLINE int co_init_##name(struct co_var_##name *v, struct co_args_##name args) {            \
        co_frame_init_##name(&v->frame, args);                                                     \
        CO_CREATE_(&v->frame.co_, CO_SYM(name));                                                   \
        return 0;                                                                                  \
    }

#define CO_LEAVE_                                                                                  \
    my->co_.state = CO_STATE_DONE_;                                                                \
    return co_res_;

#include "common/stackless.h"

#define CO_HANDLE(v) (&(v)->frame.co_)

// Where a body was suspended it may find, instead of what it waited for, an error or its end.
#define CO_UNLESS_SENT_                                                                            \
    if (CO_UNLIKELY(co_cx_->mode != CO_SEND_)) {                                                   \
        if (co_cx_->mode == CO_CLOSE_)                                                             \
            goto co_close_;                                                                        \
        co_err_ = co_in_;                                                                          \
        goto co_fail_;                                                                             \
    }

// What came last may have been an error; what is polled now for the first time must not see it.
#define CO_POLLED_FROM_HERE_(id)                                                                   \
    my->co_.state = (id);                                                                          \
    co_cx_->mode = CO_SEND_;                                                                       \
    __attribute__((fallthrough))

#define CO_YIELD_AT_(id, lv, value)                                                                \
    do {                                                                                           \
        my->co_.state = (id);                                                                      \
        return co_result_((word)(value), CO_YIELDED);                                              \
    case (id):                                                                                     \
        CO_UNLESS_SENT_(lv) = (__typeof__(lv))CO_MUTATE(lose_sent, co_in_, 0);                     \
    } while (0)

#define CO_AWAIT(lv, awaitable) CO_AWAIT_AT_(__COUNTER__ - co_base_, lv, awaitable)
#define CO_AWAIT_AT_(id, lv, awaitable)                                                            \
    do {                                                                                           \
        CO_POLLED_FROM_HERE_(id);                                                                  \
    case (id):                                                                                     \
        CO_UNLESS_SENT_                                                                            \
        co_res_ = co_ask_with_((awaitable), co_cx_->waker);                                        \
        CO_POLL_ENDED_(lv);                                                                        \
    } while (0)

// The callee's future is boxed: a frame of its own, from whatever storage the backend has chosen.
#define CO_CALL_AT_(id, lv, name, ...)                                                             \
    do {                                                                                           \
        my->co_.callee = (struct co_frame *)co_frame_new(sizeof(struct co_frame_##name));          \
        if (CO_UNLIKELY(my->co_.callee == NULL)) {                                                 \
            co_err_ = CO_NOMEM;                                                                    \
            goto co_fail_;                                                                         \
        }                                                                                          \
        co_frame_init_##name((struct co_frame_##name *)my->co_.callee,                             \
                             CO_ARGS_(name, __VA_ARGS__));                                         \
        CO_POLLED_FROM_HERE_(id);                                                                  \
    case (id):                                                                                     \
        co_res_ = CO_SYM(name)(my->co_.callee, co_in_, co_cx_);                                    \
        if (!CO_SUSPENDED_(co_res_.st))                                                            \
            co_frame_free(my->co_.callee, sizeof(struct co_frame_##name));                         \
        CO_POLL_ENDED_(lv);                                                                        \
    } while (0)

#define CO_CALLREC_AT_(id, lv, name, ...) CO_CALL_AT_(id, lv, name, __VA_ARGS__)

#define CO_DELEGATE_AT_(id, lv, handle)                                                            \
    do {                                                                                           \
        my->co_.callee = (handle);                                                                 \
        co_in_ = 0; /* what came last was sent to this body, not to the other one */               \
        CO_POLLED_FROM_HERE_(id);                                                                  \
    case (id):                                                                                     \
        co_res_ = co_delegate_poll_(my->co_.callee, co_in_, co_cx_);                               \
        CO_POLL_ENDED_(lv);                                                                        \
    } while (0)

#define CO_SUSPENDED_(st) ((st) == CO_YIELDED || (st) == CO_PENDING)

#define CO_POLL_ENDED_(lv)                                                                         \
    if (CO_SUSPENDED_(co_res_.st))                                                                 \
        return co_res_;                                                                            \
    if (CO_UNLIKELY(co_res_.st != CO_RETURNED)) {                                                  \
        if (co_res_.st == CO_CLOSED_)                                                              \
            goto co_close_;                                                                        \
        co_err_ = co_res_.v;                                                                       \
        goto co_fail_;                                                                             \
    }                                                                                              \
    (lv) = (__typeof__(lv))co_res_.v

CO_INLINE struct co_result co_ask_with_(struct co_awaitable *awaitable,
                                        const struct co_waker *waker) {
    return awaitable->ask(awaitable, waker);
}

// ---- Driving
// -------------------------------------------------------------------------------------------------

#if CO_CHECKED
CO_INLINE int co_misuse_(const struct co_frame *f) {
    return f->step == NULL              ? CO_E_INVALID
           : f->running                 ? CO_E_RUNNING
           : f->state == CO_STATE_DONE_ ? CO_E_FINISHED
                                        : 0;
}
#define CO_ENTER_(f)                                                                               \
    int co_misuse_here_ = co_misuse_(f);                                                           \
    if (co_misuse_here_ < 0)                                                                       \
        return co_misuse_here_;                                                                    \
    (f)->running = 1
#define CO_EXIT_(f) ((f)->running = 0)
#else
#define CO_ENTER_(f) ((void)0)
#define CO_EXIT_(f) ((void)0)
#endif

static const struct co_waker co_nobody_ __attribute__((unused)) = {NULL, NULL};

// The root's function: by its address, or (visible binding) itself, so that it may be inlined.
CO_INLINE struct co_result co_enter_(struct co_frame *f, co_step step, word in, unsigned mode,
                                     const struct co_waker *waker) {
    struct co_context context = {waker, mode};
    return step(f, in, &context);
}

// Who has no waker takes waiting for a yield of 0.
CO_INLINE int co_without_waker_(struct co_result r, word *out) {
    bool pending = CO_UNLIKELY(r.st == CO_PENDING);
    *out = pending ? 0 : r.v;
    return pending ? CO_YIELDED : (int)r.st;
}

CO_INLINE void co_create_here_(struct co_frame *f, co_step step) {
    f->step = step;
#if CO_CHECKED
    f->running = 0;
#endif
}

// A body that never started has no cleanup and no handler: an error passes it by.
CO_INLINE struct co_result co_go_(struct co_frame *f, word in, unsigned mode,
                                  const struct co_waker *waker) {
    if (mode == CO_THROW_ && f->state == CO_STATE_START_) {
        f->state = CO_STATE_DONE_;
        return co_result_(in, CO_FAILED);
    }
    return co_enter_(f, f->step, in, mode, waker);
}

CO_INLINE int co_resume_here_(struct co_frame *f, word in, word *out) {
    CO_ENTER_(f);
    struct co_result r = co_go_(f, in, CO_SEND_, &co_nobody_);
    CO_EXIT_(f);
    return co_without_waker_(r, out);
}

CO_INLINE int co_throw_here_(struct co_frame *f, word error, word *out) {
    CO_ENTER_(f);
    struct co_result r = co_go_(f, error, CO_THROW_, &co_nobody_);
    CO_EXIT_(f);
    return co_without_waker_(r, out);
}

CO_INLINE int co_poll_here_(struct co_frame *f, word in, struct co_context context, word *out) {
    CO_ENTER_(f);
    struct co_result r = co_go_(f, in, context.mode, context.waker);
    CO_EXIT_(f);
    *out = r.v;
    return (int)CO_MUTATE(pending_is_item, r.st, (r.st == CO_PENDING ? (word)CO_YIELDED : r.st));
}

CO_INLINE int co_close_with_(struct co_frame *f, co_step step) {
    if (f->state != CO_STATE_START_ && f->state != CO_STATE_DONE_)
        CO_MUTATE(skip_cleanup, (co_enter_(f, step, 0, CO_CLOSE_, &co_nobody_)), (void)step);
    f->state = CO_STATE_DONE_;
    return 0;
}

CO_INLINE int co_close_here_(struct co_frame *f) {
#if CO_CHECKED
    if (f->running)
        return CO_E_RUNNING;
    f->running = 1;
#endif
    co_close_with_(f, f->step);
    CO_EXIT_(f);
    return 0;
}

#include "common/stackless_drive.h"

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
co_delegate_poll_(co_handle co, word in, const struct co_context *context) {
    word out = 0;
    if (context->mode == CO_CLOSE_)
        return co_delegate_(co, in, CO_CLOSE_);
    int status = co_poll_(co, in, *context, &out);
    return status < 0 ? co_result_((word)status, CO_FAILED) : co_result_(out, (word)status);
}

#if CO_BINDING == CO_BINDING_VISIBLE && !CO_CHECKED
// By name: the body itself, inlined; with the frame a local of the loop, all of it folds.
#define CO_BY_NAME_(name)                                                                          \
    CO_INLINE int co_resume_##name(struct co_frame *f, word in, word *out) {                       \
        return co_without_waker_(co_enter_(f, co_body_##name, in, CO_SEND_, &co_nobody_), out);    \
    }                                                                                              \
    CO_INLINE int co_fini_##name(struct co_frame *f) {                                             \
        return co_close_with_(f, co_body_##name);                                                  \
    }
#define CO_RESUME(name, v, in, out) co_resume_##name(CO_HANDLE(v), (in), (out))
#define CO_FINI(name, v) co_fini_##name(CO_HANDLE(v))
#else
#define CO_BY_NAME_(name)
#define CO_RESUME(name, v, in, out) co_resume(CO_HANDLE(v), (in), (out))
#define CO_FINI(name, v) co_close(CO_HANDLE(v))
#endif
#define CO_THROW(name, v, error, out) co_throw(CO_HANDLE(v), (error), (out))

#endif
