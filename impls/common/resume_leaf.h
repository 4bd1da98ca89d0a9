// Resume at the leaf: the coroutine keeps its innermost frame and that frame's step function ("with
// trick").
//
// A coroutine call makes the callee the leaf and enters it, a return makes the caller the leaf and
// enters it, both by a sibling call: the step that is left has no native frame any more. The native
// stack holds one step at a time, whatever the depth, and a resume costs the same at any depth. The
// technique is that of std::generator (P2168, P2502) and of C++20's symmetric transfer.
//
// With CO_LEAF_BY_LOOP 1, and where nothing is optimised, a step returns instead, and the resume's
// loop (a trampoline) enters the next one.
//
// A throw or close enters a frame by one of two further states of its resume point, so that a yield
// tests nothing when resumed.
#ifndef CO_RESUME_LEAF_H
#define CO_RESUME_LEAF_H

#include "corobench/coro.h"
#include "common/mutant.h"
#include "common/planted.h"

#ifndef CO_LEAF_BY_LOOP
#ifdef __OPTIMIZE__
#define CO_LEAF_BY_LOOP 0
#else
#define CO_LEAF_BY_LOOP 1 // gcc makes sibling calls when it optimises; clang can be told to, always
#endif
#endif

struct co_frame;
struct co_leaf;
typedef struct co_result (*co_step)(struct co_frame *frame, word in, struct co_leaf *co);

struct co_frame {
    co_step step;            // entered when this frame is the leaf again
    struct co_frame *caller; // NULL for the root
    uint32_t state;          // resume point, and what to do there
};

// The coroutine: what a handle points to. Who drives it otherwise may need more.
#ifndef CO_LEAF_MORE_
#define CO_LEAF_MORE_
#endif
struct co_leaf {
    struct co_frame *leaf; // NULL when finished
    co_step step;          // the leaf's, beside it so that both are loaded at once
    CO_LEAF_MORE_
#if CO_CHECKED
    uint32_t running, finished;
#endif
};
typedef struct co_leaf *co_handle;

// The states of a resume point: one to go on, one more to raise the input there, two more to close.
// Dense from the start's 0, so that a switch is one jump.
#define CO_STATE_(id) (3 * (id)-2)
enum { CO_RAISE_HERE_ = 1, CO_CLOSE_HERE_ = 2 };

// A step's answer where a loop goes on: the leaf has changed, enter it.
enum { CO_GO_ON_ = 8 };

#define CO_STEP_REST __attribute__((unused)) struct co_leaf *co_co_
#define CO_STEP_REST_ARG co_co_

#define CO_ROOT_DECL_(name)                                                                        \
    struct co_var_##name {                                                                         \
        struct co_leaf co_;                                                                        \
        struct co_frame_##name frame;                                                              \
    };                                                                                             \
    CO_INLINE int co_init_##name(struct co_var_##name *v, struct co_args_##name args) {            \
        co_frame_init_##name(&v->frame, args);                                                     \
        v->frame.co_.caller = NULL;                                                                \
        v->frame.co_.step = CO_SYM(name);                                                          \
        v->co_.leaf = &v->frame.co_;                                                               \
        CO_CREATE_(&v->co_, CO_SYM(name));                                                         \
        return 0;                                                                                  \
    }

// The last thing a step does: enters another frame, which is the leaf already.
#if CO_LEAF_BY_LOOP
#define CO_GO_TO_(step, frame, in) return co_result_((in), CO_GO_ON_)
#elif defined(__clang__)
#define CO_GO_TO_(step, frame, in) __attribute__((musttail)) return (step)((frame), (in), co_co_)
#else
#define CO_GO_TO_(step, frame, in) return (step)((frame), (in), co_co_)
#endif

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

// The root ends the coroutine; any other frame makes its caller the leaf. How it ended chooses
// the caller's state.
#define CO_LEAVE_                                                                                  \
    struct co_frame *const co_caller_ = my->co_.caller;                                            \
    if (co_caller_ == NULL) {                                                                      \
        co_co_->leaf = NULL;                                                                       \
        return co_res_;                                                                            \
    }                                                                                              \
    co_co_->step = co_caller_->step;                                                               \
    CO_MUTATE(leaf_not_restored, co_co_->leaf = co_caller_, (void)0);                              \
    CO_FRAME_LEFT_(my);                                                                            \
    if (CO_UNLIKELY(co_res_.st != CO_RETURNED))                                                    \
        co_caller_->state += co_res_.st == CO_FAILED ? CO_RAISE_HERE_ : CO_CLOSE_HERE_;            \
    CO_GO_TO_(co_caller_->step, co_caller_, co_res_.v);

// Entered by its address only: the body is the step. A copy of its answer on the way out of a step
// that it is inlined into would keep gcc from sibling calls.
#define CORO(name)                                                                                 \
    CO_STEP_LINKAGE_ struct co_result CO_SYM(name)(                                                \
        struct co_frame * co_f_, __attribute__((unused)) word co_in_, CO_STEP_REST)
#include "common/stackless.h"

#define CO_HANDLE(v) (&(v)->co_)

// Three cases a resume point. `left` is done first in each.
#define CO_RESUMED_AT_(id, lv, left, value)                                                        \
    case CO_STATE_(id) + CO_RAISE_HERE_:                                                           \
        left;                                                                                      \
        co_err_ = co_in_;                                                                          \
        goto co_fail_;                                                                             \
    case CO_STATE_(id) + CO_CLOSE_HERE_:                                                           \
        left;                                                                                      \
        goto co_close_;                                                                            \
    case CO_STATE_(id):                                                                            \
        left;                                                                                      \
        (lv) = (__typeof__(lv))(value)

#define CO_YIELD_AT_(id, lv, value)                                                                \
    do {                                                                                           \
        my->co_.state = CO_STATE_(id);                                                             \
        return co_result_((word)(value), CO_YIELDED);                                              \
        CO_RESUMED_AT_(id, lv, (void)0, CO_MUTATE(lose_sent, co_in_, 0));                          \
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

#define CO_CALL_(id, lv, frame, left, name, ...)                                                   \
    {                                                                                              \
        struct co_frame_##name *const co_callee_ = (frame);                                        \
        co_frame_init_##name(co_callee_, CO_ARGS_(name, __VA_ARGS__));                             \
        co_callee_->co_.caller = &my->co_;                                                         \
        co_callee_->co_.step = CO_SYM(name);                                                       \
        co_co_->step = CO_SYM(name);                                                               \
        co_co_->leaf = &co_callee_->co_;                                                           \
        my->co_.state = CO_STATE_(id);                                                             \
        CO_GO_TO_(CO_SYM(name), &co_callee_->co_, 0);                                              \
    }                                                                                              \
    CO_RESUMED_AT_(id, lv, left, co_in_)

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
        case CO_STATE_(id) + CO_RAISE_HERE_:                                                       \
            co_res_ = CO_DELEGATE_AGAIN_((handle), co_in_, 1);                                     \
        }                                                                                          \
        if (0) {                                                                                   \
        case CO_STATE_(id) + CO_CLOSE_HERE_:                                                       \
            co_res_ = CO_DELEGATE_AGAIN_((handle), 0, 2);                                          \
        }                                                                                          \
        if (0) {                                                                                   \
        case CO_STATE_(id):                                                                        \
            co_res_ = CO_DELEGATE_AGAIN_((handle), co_in_, 0);                                     \
        }                                                                                          \
        if (co_res_.st == CO_YIELDED) {                                                            \
            my->co_.state = CO_STATE_(id);                                                         \
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

// ---- Driving
// -------------------------------------------------------------------------------------------------

#if CO_CHECKED
CO_INLINE int co_misuse_(const struct co_leaf *co) {
    return co->step == NULL ? CO_E_INVALID
           : co->running    ? CO_E_RUNNING
           : co->finished   ? CO_E_FINISHED
                            : 0;
}
#define CO_ENTER_(co)                                                                              \
    int co_misuse_here_ = co_misuse_(co);                                                          \
    if (co_misuse_here_ < 0)                                                                       \
        return co_misuse_here_;                                                                    \
    (co)->running = 1
#define CO_EXIT_(co) ((co)->running = 0, (co)->finished = (co)->leaf == NULL)
#else
#define CO_ENTER_(co) ((void)0)
#define CO_EXIT_(co) ((void)0)
#endif

// Enters the leaf, and what becomes the leaf, until one yields or the root ends.
CO_INLINE struct co_result co_enter_(struct co_leaf *co, word in) {
    struct co_result r = co->step(co->leaf, in, co);
#if CO_LEAF_BY_LOOP
    while (r.st == CO_GO_ON_)
        r = co->step(co->leaf, r.v, co);
#endif
    return r;
}

#ifdef CO_LEAF_DRIVER_
#include CO_LEAF_DRIVER_
#else
CO_INLINE void co_create_here_(struct co_leaf *co, co_step step) {
    co->step = step;
#if CO_CHECKED
    co->running = co->finished = 0;
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
#if CO_CHECKED
    if (co->running)
        return CO_E_RUNNING;
    co->running = 1;
#endif
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
