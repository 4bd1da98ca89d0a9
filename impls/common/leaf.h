// What all resumes at the leaf share: a coroutine that keeps its innermost frame ("with trick").
//
// The frame that yields makes itself the leaf, so calls and returns leave the coroutine alone, and
// a resume enters the leaf directly, whatever the depth. The technique is that of std::generator
// (P2168, P2502) and of C++20's symmetric transfer.
//
// A lowering includes its storage, defines struct co_frame (with `caller`, NULL for the root, and
// `state`), co_step, CO_STEP_REST, CO_LEAF_REST_ (more fields of the coroutine, and CO_CREATED_
// that sets them), CO_MADE_ (what a new frame is told of its body), CO_STEP_OF_, CO_CALL_,
// CO_LEAVE_, and then includes this file. After it, it defines co_enter_.
#ifndef CO_LEAF_H
#define CO_LEAF_H

#include "corobench/coro.h"
#include "common/mutant.h"
#include "common/planted.h"

// The coroutine: what a handle points to.
struct co_leaf {
    struct co_frame *leaf; // NULL when finished
    CO_LEAF_REST_
#if CO_CHECKED
    uint32_t running, finished;
#endif
};
typedef struct co_leaf *co_handle;

// The state of a suspended frame: the number of its resume point, to which is added that the input
// is an error to be raised there, or that the coroutine is being closed.
#define CO_STATE_(id) (id)
#define CO_RAISE_HERE_ 0x10000u
#define CO_CLOSE_HERE_ 0x20000u

#define CO_ROOT_DECL_(name)                                                                        \
    struct co_var_##name {                                                                         \
        struct co_leaf co_;                                                                        \
        struct co_frame_##name frame;                                                              \
    };                                                                                             \
    CO_INLINE int co_init_##name(struct co_var_##name *v, struct co_args_##name args) {            \
        co_frame_init_##name(&v->frame, args);                                                     \
        v->frame.co_.caller = NULL;                                                                \
        CO_MADE_(&v->frame.co_, name);                                                             \
        v->co_.leaf = &v->frame.co_;                                                               \
        CO_CREATE_(&v->co_, CO_STEP_OF_(name));                                                    \
        return 0;                                                                                  \
    }

// Where a callee lies: in memory of its own, which it gives back, unless the storage has said
// something else before; then the caller does what there is to do.
#ifndef CO_CALLEES_
#define CO_FRAME_LEFT_(frame) co_frame_free((frame), sizeof *(frame))
#define CO_CALL_AT_(id, lv, name, ...)                                                             \
    do {                                                                                           \
        struct co_frame_##name *co_new_;                                                           \
        CO_NEW_FRAME_(co_new_, name);                                                              \
        CO_CALL_(id, lv, co_new_, (void)0, name, __VA_ARGS__);                                     \
    } while (0)
#define CO_CALLREC_AT_ CO_CALL_AT_
#else
#define CO_FRAME_LEFT_(frame) ((void)0)
#endif

// The state that a body is entered in, unless a lowering has it elsewhere.
#ifndef CO_ENTERED_STATE_
#define CO_ENTERED_STATE_ co_f_->state
#endif

// co_moved_: this frame may not be the leaf yet. It is the leaf where a resume entered it, so a
// body that yields again and again stores no pointer that the next resume would have to wait for.
#define CO_BODY_VARIABLES_                                                                         \
    __attribute__((unused)) const uint32_t co_state_ = CO_ENTERED_STATE_;                          \
    __attribute__((unused)) bool co_moved_ = true;

// Cases are only the numbers: a switch over few is a comparison or two, where a jump table of all
// states would be one taken branch more at each resume. The start is told apart first and called
// unlikely, because clang, where a body calls itself, takes it out of the switch in any case, and
// would lay it out before the resume points.
#define CO_DISPATCH_                                                                               \
    if (CO_UNLIKELY(co_state_ == CO_STATE_START_))                                                 \
        goto co_start_;                                                                            \
    switch (co_state_ & (CO_RAISE_HERE_ - 1)) {                                                    \
    default:                                                                                       \
        __builtin_unreachable();                                                                   \
    co_start_:;

#include "common/stackless.h"

#define CO_HANDLE(v) (&(v)->co_)

// How a callee ended chooses the state in which its caller is entered.
#define CO_TELL_(caller, how)                                                                      \
    do {                                                                                           \
        if (CO_UNLIKELY((how) != CO_RETURNED))                                                     \
            (caller)->state += (how) == CO_FAILED ? CO_RAISE_HERE_ : CO_CLOSE_HERE_;               \
    } while (0)

// A suspended body finds what was sent, or an error, or its end. `first` is done before it looks.
#define CO_ENTRIES_(id, first)                                                                     \
    case CO_STATE_(id):                                                                            \
        first;                                                                                     \
        if (CO_UNLIKELY(co_state_ >= CO_RAISE_HERE_)) {                                            \
            if (co_state_ >= CO_CLOSE_HERE_)                                                       \
                goto co_close_;                                                                    \
            co_err_ = co_in_;                                                                      \
            goto co_fail_;                                                                         \
        }

// Where a resume will find this frame.
#define CO_SUSPEND_(id)                                                                            \
    my->co_.state = CO_STATE_(id);                                                                 \
    if (co_moved_)                                                                                 \
    CO_MUTATE(leaf_not_moved, co_co_->leaf = &my->co_, (void)0)

#define CO_YIELD_AT_(id, lv, value)                                                                \
    do {                                                                                           \
        CO_SUSPEND_(id);                                                                           \
        return co_result_((word)(value), CO_YIELDED);                                              \
        CO_ENTRIES_(id, co_moved_ = false);                                                        \
        (lv) = (__typeof__(lv))CO_MUTATE(lose_sent, co_in_, 0);                                    \
    } while (0)

#define CO_NEW_FRAME_(place, name)                                                                 \
    place = (struct co_frame_##name *)co_frame_new(sizeof(struct co_frame_##name));                \
    if (CO_UNLIKELY(place == NULL)) {                                                              \
        co_err_ = CO_NOMEM;                                                                        \
        goto co_fail_;                                                                             \
    }

// A callee whose frame lies in memory of its own, found at `place` in the caller's frame.
#define CO_CALL_NEW_(id, lv, place, name, ...)                                                     \
    do {                                                                                           \
        CO_NEW_FRAME_(place, name);                                                                \
        CO_CALL_(id, lv, place, CO_MUTATE(keep_box, co_frame_free(place, sizeof *place), (void)0), \
                 name, __VA_ARGS__);                                                               \
    } while (0)

// A callee whose frame lies in the caller's.
#define CO_CALL_HERE_(id, lv, frame, name, ...)                                                    \
    do {                                                                                           \
        CO_CALL_(id, lv, frame, (void)0, name, __VA_ARGS__);                                       \
    } while (0)

// The other coroutine is resumed from here, on the resumer's stack: each delegation adds a native
// frame. The handle has no place in the frame: it is evaluated again at every resume.
#ifndef CO_DELEGATE_FIRST_
#define CO_DELEGATE_FIRST_(handle) co_delegate_((handle), 0, 0)
#define CO_DELEGATE_AGAIN_(handle, in, mode) co_delegate_((handle), (in), (mode))
#endif
#define CO_DELEGATE_AT_(id, lv, handle)                                                            \
    do {                                                                                           \
        co_res_ = CO_DELEGATE_FIRST_(handle);                                                      \
        if (0) {                                                                                   \
        case CO_STATE_(id):                                                                        \
            co_moved_ = false;                                                                     \
            co_res_ = CO_DELEGATE_AGAIN_((handle), co_in_, co_state_ / CO_RAISE_HERE_);            \
        }                                                                                          \
        if (co_res_.st == CO_YIELDED) {                                                            \
            CO_SUSPEND_(id);                                                                       \
            return co_res_;                                                                        \
        }                                                                                          \
        if (co_res_.st == CO_CLOSED_)                                                              \
            goto co_close_;                                                                        \
        if (co_res_.st == CO_FAILED) {                                                             \
            co_err_ = co_res_.v;                                                                   \
            goto co_fail_;                                                                         \
        }                                                                                          \
        (lv) = (__typeof__(lv))co_res_.v;                                                          \
    } while (0)

// ---- Driving ------------------------------------------------------------------------------------

#ifndef CO_EMPTY_
#define CO_EMPTY_(co) ((co)->leaf == NULL) // of one that has not ended: there is no coroutine
#endif

#if CO_CHECKED
CO_INLINE int co_misuse_(const struct co_leaf *co) {
    return co->running     ? CO_E_RUNNING
           : co->finished  ? CO_E_FINISHED
           : CO_EMPTY_(co) ? CO_E_INVALID
                           : 0;
}
#define CO_EXIT_(co) ((co)->running = 0, (co)->finished = (co)->leaf == NULL)
#else
#define CO_EXIT_(co) ((void)0)
#endif
#include "common/entry.h"

// Enters the leaf, and what comes after it, until one yields or the root ends.
CO_INLINE struct co_result co_enter_(struct co_leaf *co, word in);

#ifdef CO_LEAF_DRIVER_
#include CO_LEAF_DRIVER_
#else
CO_INLINE void co_create_here_(struct co_leaf *co, __attribute__((unused)) co_step step) {
    CO_CREATED_(co, step);
#if CO_CHECKED
    co->running = co->finished = 0;
#else
    (void)co;
#endif
}

CO_INLINE int co_resume_here_(struct co_leaf *co, word in, word *out) {
    CO_ENTER_(co);
    CO_PLANTED_();
    struct co_result r = co_enter_(co, in);
    CO_EXIT_(co);
    *out = r.v;
    return (int)r.st;
}

// A body that never started has no cleanup and no handler: the error passes it by.
CO_INLINE int co_throw_here_(struct co_leaf *co, word error, word *out) {
    CO_ENTER_(co);
    struct co_result r = {error, CO_FAILED};
    if (co->leaf->state == CO_STATE_START_) {
        co->leaf = NULL;
    } else {
        co->leaf->state += CO_RAISE_HERE_;
        r = co_enter_(co, error);
    }
    CO_EXIT_(co);
    *out = r.v;
    return (int)r.st;
}

CO_INLINE int co_close_here_(struct co_leaf *co) {
    CO_ENTER_TO_CLOSE_(co);
    if (co->leaf != NULL && co->leaf->state != CO_STATE_START_) {
        co->leaf->state += CO_CLOSE_HERE_;
        CO_MUTATE(skip_cleanup, (co_enter_(co, 0)), (void)0);
    }
    co->leaf = NULL;
    CO_EXIT_(co);
    return 0;
}
#endif

#include "common/stackless_drive.h"

// The leaf's step is known only at run time, by name as through the handle.
#define CO_BY_NAME_(name)
#define CO_RESUME(name, v, in, out) co_resume(CO_HANDLE(v), (in), (out))
#define CO_THROW(name, v, error, out) co_throw(CO_HANDLE(v), (error), (out))
#define CO_FINI(name, v) co_close(CO_HANDLE(v))

#endif
