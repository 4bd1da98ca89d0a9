// Resume from the root: every resume enters the root's step, which calls its callee's step, and so
// on to the leaf.
//
// The walk is what seed languages without a leaf pointer do (PEP 380 delegation, nested iterators).
// It keeps the callee known at compile time, so a compiler that sees both can fold them into one
// loop.
#ifndef CO_RESUME_CHAIN_H
#define CO_RESUME_CHAIN_H

#include "corobench/coro.h"
#include "common/mutant.h"

// What a resume asks of the leaf; passed down unlooked at, tested only where a body yielded.
enum co_mode { CO_SEND_ = 0, CO_THROW_ = 1, CO_CLOSE_ = 2 };

// What goes down with the input: the mode, unless the file that included this one has said more
// before. Then it has defined all of these.
#ifndef CO_DOWN_
#define CO_DOWN_ unsigned
#define CO_STEP_REST __attribute__((unused)) unsigned co_mode_
#define CO_STEP_REST_ARG co_mode_
#define CO_ENTER_ROOT_(step, frame, in, mode) ((step)((frame), (in), (mode)))
#define CO_DELEGATE_DOWN_(handle) co_delegate_((handle), co_in_, co_mode_)
#define CO_SUSPENDED_(st) ((st) == CO_YIELDED)
#define CO_ANSWER_(r, out) (*(out) = (r).v, (int)(r).st)
#endif

struct co_frame;
typedef struct co_result (*co_step)(struct co_frame *frame, word in, CO_DOWN_ down);

// Where a callee lies: found through a link, unless the storage has said something else before.
#ifndef CO_CALLEES_
#define CO_CALLEE_LINK_ struct co_frame *callee; /* while suspended in a coroutine call */
#define CO_CALL_AT_(id, lv, name, ...) CO_CALL_NEW_(id, lv, my->co_.callee, name, __VA_ARGS__)
#define CO_CALLREC_AT_ CO_CALL_AT_
#endif

struct co_frame {
    CO_CALLEE_LINK_
    uint32_t state; // resume point
};

// Before the root's frame; a callee's step is known where it is called.
struct co_root {
    co_step step;
#if CO_CHECKED
    uint32_t running;
#endif
};
typedef struct co_root *co_handle;

// The frame lies directly behind the root, and so it does where it has to lie on a multiple of more
// than the root's size: the last of several roots is the one that is used.
#define CO_ROOTS_(name)                                                                            \
    (__alignof__(struct co_frame_##name) > sizeof(struct co_root)                                  \
         ? __alignof__(struct co_frame_##name) / sizeof(struct co_root)                            \
         : 1)

#define CO_ROOT_DECL_(name)                                                                        \
    struct co_var_##name {                                                                         \
        struct co_root co_[CO_ROOTS_(name)];                                                       \
        struct co_frame_##name frame;                                                              \
    };                                                                                             \
    CO_BODY_DECL_(name)                                                                            \
    CO_INLINE int co_init_##name(struct co_var_##name *v, struct co_args_##name args) {            \
        co_frame_init_##name(&v->frame, args);                                                     \
        CO_CREATE_(CO_HANDLE(v), CO_SYM(name));                                                    \
        return 0;                                                                                  \
    }

#define CO_LEAVE_                                                                                  \
    my->co_.state = CO_STATE_DONE_;                                                                \
    return co_res_;

// A callee inside its caller's frame is inlined into the caller where a loop may see the body: the
// whole nest is one function then, and folds as one body does. Elsewhere it is called.
#if CO_BINDING == CO_BINDING_VISIBLE && !CO_CHECKED
#define CO_VISIBLE_ 1
#define CO_INNER_(name) co_body_##name
#define CO_BODY_DECL_(name)                                                                        \
    CO_INLINE struct co_result co_body_##name(struct co_frame *, word, CO_STEP_REST);
#else
#define CO_VISIBLE_ 0
#define CO_INNER_(name) CO_SYM(name)
#define CO_BODY_DECL_(name)
#endif

#include "common/stackless.h"

#define CO_HANDLE(v) (&(v)->co_[sizeof((v)->co_) / sizeof((v)->co_[0]) - 1])

// A suspended body finds what was sent, or an error, or its end.
#define CO_RESUMED_                                                                                \
    if (CO_UNLIKELY(co_mode_ != CO_SEND_)) {                                                       \
        if (co_mode_ == CO_CLOSE_)                                                                 \
            goto co_close_;                                                                        \
        co_err_ = co_in_;                                                                          \
        goto co_fail_;                                                                             \
    }

#define CO_YIELD_AT_(id, lv, value)                                                                \
    do {                                                                                           \
        my->co_.state = (id);                                                                      \
        return co_result_((word)(value), CO_YIELDED);                                              \
    case (id):                                                                                     \
        CO_RESUMED_(lv) = (__typeof__(lv))CO_MUTATE(lose_sent, co_in_, 0);                         \
    } while (0)

// A callee whose frame lies in memory of its own, at `place`.
#define CO_CALL_NEW_(id, lv, place, name, ...)                                                     \
    do {                                                                                           \
        place = (__typeof__(place))co_frame_new(sizeof(struct co_frame_##name));                   \
        if (CO_UNLIKELY(place == NULL)) {                                                          \
            co_err_ = CO_NOMEM;                                                                    \
            goto co_fail_;                                                                         \
        }                                                                                          \
        CO_CALL_(id, lv, CO_SYM(name), co_frame_free(place, sizeof(struct co_frame_##name)),       \
                 (struct co_frame_##name *)place, name, __VA_ARGS__);                              \
    } while (0)

// A callee whose frame lies in the caller's.
#define CO_CALL_HERE_(id, lv, frame, name, ...)                                                    \
    CO_CALL_(id, lv, CO_INNER_(name), (void)0, frame, name, __VA_ARGS__)

// The state is stored once, when the call begins; each later resume comes straight back to the
// inner step.
#define CO_CALL_(id, lv, step, leave, frame, name, ...)                                            \
    do {                                                                                           \
        co_frame_init_##name(frame, CO_ARGS_(name, __VA_ARGS__));                                  \
        my->co_.state = (id);                                                                      \
        co_mode_ = CO_SEND_;                                                                       \
        __attribute__((fallthrough));                                                              \
    case (id):                                                                                     \
        co_res_ = step(&(frame)->co_, co_in_, CO_STEP_REST_ARG);                                   \
        if (CO_SUSPENDED_(co_res_.st))                                                             \
            return co_res_;                                                                        \
        leave;                                                                                     \
        CO_CALL_ENDED_(lv);                                                                        \
    } while (0)

#define CO_CALL_ENDED_(lv)                                                                         \
    if (CO_UNLIKELY(co_res_.st != CO_RETURNED)) {                                                  \
        if (co_res_.st == CO_CLOSED_)                                                              \
            goto co_close_;                                                                        \
        co_err_ = co_res_.v;                                                                       \
        goto co_fail_;                                                                             \
    }                                                                                              \
    (lv) = (__typeof__(lv))co_res_.v

// The handle has no place in the frame: it is evaluated again at every resume.
#define CO_DELEGATE_AT_(id, lv, handle)                                                            \
    do {                                                                                           \
        my->co_.state = (id);                                                                      \
        co_mode_ = CO_SEND_;                                                                       \
        co_in_ = 0; /* what came last was sent to this body, not to the other one */               \
        __attribute__((fallthrough));                                                              \
    case (id):                                                                                     \
        co_res_ = CO_DELEGATE_DOWN_(handle);                                                       \
        if (CO_SUSPENDED_(co_res_.st))                                                             \
            return co_res_;                                                                        \
        CO_CALL_ENDED_(lv);                                                                        \
    } while (0)

// ---- Driving
// -------------------------------------------------------------------------------------------------

CO_INLINE struct co_frame *co_root_frame_(struct co_root *co) {
    return (struct co_frame *)(co + 1);
}

#if CO_CHECKED
CO_INLINE int co_misuse_(struct co_root *co) {
    return co->step == NULL                              ? CO_E_INVALID
           : co->running                                 ? CO_E_RUNNING
           : co_root_frame_(co)->state == CO_STATE_DONE_ ? CO_E_FINISHED
                                                         : 0;
}
#define CO_EXIT_(co) ((co)->running = 0)
#else
#define CO_EXIT_(co) ((void)0)
#endif
#include "common/entry.h"

CO_INLINE void co_create_here_(struct co_root *co, co_step step) {
    co->step = step;
#if CO_CHECKED
    co->running = 0;
#endif
}

CO_INLINE int co_resume_here_(struct co_root *co, word in, word *out) {
    CO_ENTER_(co);
    struct co_result r = CO_ENTER_ROOT_(co->step, co_root_frame_(co), in, CO_SEND_);
    CO_EXIT_(co);
    return CO_ANSWER_(r, out);
}

// A body that never started has no cleanup and no handler: the error passes it by.
CO_INLINE int co_throw_here_(struct co_root *co, word error, word *out) {
    CO_ENTER_(co);
    struct co_frame *f = co_root_frame_(co);
    struct co_result r = {error, CO_FAILED};
    if (f->state == CO_STATE_START_)
        f->state = CO_STATE_DONE_;
    else
        r = CO_ENTER_ROOT_(co->step, f, error, CO_THROW_);
    CO_EXIT_(co);
    return CO_ANSWER_(r, out);
}

CO_INLINE int co_close_here_(struct co_root *co) {
    CO_ENTER_TO_CLOSE_(co);
    struct co_frame *f = co_root_frame_(co);
    if (f->state != CO_STATE_START_ && f->state != CO_STATE_DONE_)
        CO_MUTATE(skip_cleanup, (CO_ENTER_ROOT_(co->step, f, 0, CO_CLOSE_)), (void)0);
    f->state = CO_STATE_DONE_;
    CO_EXIT_(co);
    return 0;
}

#include "common/stackless_drive.h"

#if CO_VISIBLE_
// By name: the body itself, inlined; with the frame a local of the loop, all of it folds.
#define CO_BY_NAME_(name)                                                                          \
    CO_INLINE int co_resume_##name(struct co_frame *f, word in, word *out) {                       \
        struct co_result r = CO_ENTER_ROOT_(co_body_##name, f, in, CO_SEND_);                      \
        return CO_ANSWER_(r, out);                                                                 \
    }                                                                                              \
    CO_INLINE int co_fini_##name(struct co_frame *f) {                                             \
        if (f->state != CO_STATE_START_ && f->state != CO_STATE_DONE_)                             \
            CO_MUTATE(skip_cleanup, (CO_ENTER_ROOT_(co_body_##name, f, 0, CO_CLOSE_)), (void)0);   \
        f->state = CO_STATE_DONE_;                                                                 \
        return 0;                                                                                  \
    }
#define CO_RESUME(name, v, in, out) co_resume_##name(&(v)->frame.co_, (in), (out))
#define CO_FINI(name, v) co_fini_##name(&(v)->frame.co_)
#else
#define CO_BY_NAME_(name)
#define CO_RESUME(name, v, in, out) co_resume(CO_HANDLE(v), (in), (out))
#define CO_FINI(name, v) co_close(CO_HANDLE(v))
#endif
#define CO_THROW(name, v, error, out) co_throw(CO_HANDLE(v), (error), (out))

#endif
