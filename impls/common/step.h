// Step functions over a state number and an array of locals, as a just-in-time compiler for Python
// makes them of generators and async functions; a coroutine that awaits another hands each send on.
//
// State 0 is not started, 1..N suspended at point N, -1 returned, -2 failed (with CO_STEP_GOTO the
// address of point N instead of its number). The step works on an automatic `my`, loaded whole from
// the array when it is entered and stored whole when it suspends. `awaiting` names the coroutine
// whose end is awaited; a send goes down these links first and enters a step only where they end.
//
// A backend chooses before it includes this file:
//   CO_STEP_LIVE    `my` is the array itself: what is alive is loaded and stored where it is used
//   CO_STEP_BOXED   a yielded value travels in a box that is allocated for it
//   CO_STEP_GOTO    dispatch by the address of the resume point instead of a switch
#ifndef CO_STEP_H
#define CO_STEP_H

#include "corobench/coro.h"
#include "common/mutant.h"
#include "common/planted.h"

#ifndef CO_STEP_LIVE
#define CO_STEP_LIVE 0
#endif
#ifndef CO_STEP_BOXED
#define CO_STEP_BOXED 0
#endif
#ifndef CO_STEP_GOTO
#define CO_STEP_GOTO 0
#endif

// What a step is entered for; CO_ENDED_(status): what it awaited has ended so.
enum co_mode { CO_SEND_ = 0, CO_THROW_ = 1, CO_CLOSE_ = 2 };
#define CO_ENDED_(status) (4 + (unsigned)(status))

struct co_frame;
typedef struct co_result (*co_step)(struct co_frame *frame, word in, unsigned mode);

struct co_frame {
    co_step step;
    struct co_frame *awaiting; // NULL: the next send enters this frame's own step
#if CO_STEP_GOTO
    intptr_t state;
#else
    int32_t state;
#endif
    uint32_t foreign; // awaiting is a coroutine of its own (CO_DELEGATE), not a callee's frame
#if CO_CHECKED
    uint32_t running;
#endif
};
typedef struct co_frame *co_handle;

#define CO_STEP_REST __attribute__((unused)) unsigned co_mode_
#define CO_STEP_REST_ARG co_mode_

#define CO_STATE_START_ 0
#define CO_STATE_DONE_ (-1)
#define CO_STATE_FAILED_ (-2)

// The array is of words, whatever lives in it.
#define CO_WORDS_(name) ((sizeof(struct co_locals_##name) + sizeof(word) - 1) / sizeof(word))
#define CO_FRAME_DECL_(name, arguments, locals, callees)                                           \
    struct co_locals_##name {                                                                      \
        CO_MY_FIELDS_(name, arguments, locals)                                                     \
    };                                                                                             \
    union co_array_##name {                                                                        \
        struct co_locals_##name my;                                                                \
        word words[CO_WORDS_(name)];                                                               \
    };                                                                                             \
    struct co_frame_##name {                                                                       \
        struct co_frame co_;                                                                       \
        union {                                                                                    \
            struct co_locals_##name my;                                                            \
            union co_array_##name co_array_;                                                       \
        };                                                                                         \
    };
#define CO_FRAME_MY_(frame) (&(frame)->my)

#if CO_STEP_LIVE
#define CO_MY_(name)                                                                               \
    __attribute__((unused)) struct co_locals_##name *const my =                                    \
        &((struct co_frame_##name *)co_f_)->my;
#define CO_SAVE_ ((void)0)
#else
// Each word is really loaded and really stored. A compiler that knew more would not store what it
// has loaded and not changed, and little would be left of the copy; where this technique comes
// from, calls that may look at the array stand between. Word by word, as they were stored: a wider
// load would wait for the narrower stores before it.
typedef word __attribute__((may_alias)) co_word_;
enum { CO_COPIED_BY_WORD_ = 64 }; // words; of more, a copy in larger pieces is faster
// Written out as far as locals stay in registers, which no index may do.
#define CO_COPY_1_(i)                                                                              \
    if ((i) < n)                                                                                   \
    to[i] = from[i]
#define CO_COPY_4_(i)                                                                              \
    CO_COPY_1_(i);                                                                                 \
    CO_COPY_1_((i) + 1);                                                                           \
    CO_COPY_1_((i) + 2);                                                                           \
    CO_COPY_1_((i) + 3)
#define CO_COPY_WORDS_                                                                             \
    CO_COPY_4_(0);                                                                                 \
    CO_COPY_4_(4);                                                                                 \
    CO_COPY_4_(8);                                                                                 \
    CO_COPY_4_(12);                                                                                \
    for (size_t i = 16; i < n; i++)                                                                \
    to[i] = from[i]
CO_INLINE void co_load_(co_word_ *to, const volatile co_word_ *from, size_t n) {
    CO_COPY_WORDS_;
}
CO_INLINE void co_store_(volatile co_word_ *to, const co_word_ *from, size_t n) {
    CO_COPY_WORDS_;
}
#define CO_MY_(name)                                                                               \
    union co_array_##name *const co_array_ = &((struct co_frame_##name *)co_f_)->co_array_;        \
    union co_array_##name co_my_;                                                                  \
    if (CO_WORDS_(name) <= CO_COPIED_BY_WORD_) {                                                   \
        co_load_(co_my_.words, co_array_->words, CO_WORDS_(name));                                 \
    } else {                                                                                       \
        co_my_ = *co_array_;                                                                       \
        __asm__ volatile("" : "=m"(*co_array_)); /* may have written it, for all one knows */      \
    }                                                                                              \
    __attribute__((unused)) struct co_locals_##name *const my = &co_my_.my;
#define CO_SAVE_ CO_MUTATE(keep_locals, CO_SAVE_ALL_, (void)0)
#define CO_SAVE_ALL_                                                                               \
    (sizeof co_my_ <= CO_COPIED_BY_WORD_ * sizeof(word)                                            \
         ? co_store_(co_array_->words, co_my_.words, sizeof co_my_ / sizeof(word))                 \
         : (void)(*co_array_ = co_my_))
#endif

// A step that has ended stays ended, in a build that does not look for misuse too.
#define CO_ENDED_ALREADY_ return co_result_(0, (word)CO_E_FINISHED);

#if CO_STEP_GOTO
// Two copies of a step would disagree on the addresses of its points: there is one.
#ifdef __clang__
#define CO_ONE_COPY_ __attribute__((noinline))
#else
#define CO_ONE_COPY_ __attribute__((noinline, noclone))
#endif
#define CORO(name)                                                                                 \
    CO_BY_NAME_(name)                                                                              \
    CO_STEP_LINKAGE_ CO_ONE_COPY_ struct co_result CO_SYM(name)(                                   \
        struct co_frame * co_f_, __attribute__((unused)) word co_in_, CO_STEP_REST)
#define co_body_(name) CO_SYM(name)
#define CO_DISPATCH_                                                                               \
    if (CO_UNLIKELY(co_f_->state < 0))                                                             \
        CO_ENDED_ALREADY_                                                                          \
    goto *(co_f_->state == CO_STATE_START_ ? &&co_start_ : (void *)co_f_->state);                  \
    {                                                                                              \
    co_start_:;
#define CO_POINT_NAME_ __label__ co_here_;
#define CO_STATE_AT_(id) ((void)(id), (intptr_t) && co_here_)
#define CO_POINT_(id) co_here_
#define CO_FALLS_ ((void)0)
#else
#define co_body_(name) co_body_##name
#define CO_DISPATCH_                                                                               \
    switch (co_f_->state) {                                                                        \
    case CO_STATE_DONE_:                                                                           \
    case CO_STATE_FAILED_:                                                                         \
        CO_ENDED_ALREADY_                                                                          \
    default:                                                                                       \
        __builtin_unreachable();                                                                   \
    case CO_STATE_START_:
#define CO_POINT_NAME_
#define CO_STATE_AT_(id) (id)
#define CO_POINT_(id) case (id)
#define CO_FALLS_ __attribute__((fallthrough))
#endif

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
    co_f_->state = co_res_.st == CO_FAILED ? CO_STATE_FAILED_ : CO_STATE_DONE_;                    \
    return co_res_;

#include "common/stackless.h"

#define CO_HANDLE(v) (&(v)->frame.co_)

#if CO_STEP_BOXED
// What a value is in a language whose values are objects: counted and on the heap.
struct co_box {
    word references;
    word value;
};
#ifdef __cplusplus
extern "C" {
#endif
extern __attribute__((visibility("hidden"))) struct co_box CO_RT(last_box);
#ifdef __cplusplus
}
#endif
#ifdef CO_RUNTIME
struct co_box CO_RT(last_box);
#endif

// A yield has no error of its own. One box is set aside for the lack of memory; one is enough,
// since no other value is on its way before the resumer has taken this one out.
CO_INLINE word co_boxed_(word value) {
    struct co_box *box = (struct co_box *)co_frame_new(sizeof *box);
    if (CO_LIKELY(box != NULL)) {
        box->references = 1;
    } else {
        box = &CO_RT(last_box);
        box->references = 2;
    }
    box->value = value;
    return (word)box;
}

// The resumer takes the value out and drops its reference, which was the only one.
CO_INLINE word co_unboxed_(struct co_result r) {
    if (r.st != CO_YIELDED)
        return r.v;
    struct co_box *box = (struct co_box *)r.v;
    word value = box->value;
    if (--box->references == 0)
        co_frame_free(box, sizeof *box);
    return value;
}
#else
#define co_boxed_(value) (value)
#define co_unboxed_(r) ((r).v)
#endif

#define CO_YIELD_AT_(id, lv, v)                                                                    \
    do {                                                                                           \
        CO_POINT_NAME_                                                                             \
        co_res_ = co_result_(co_boxed_((word)(v)), CO_YIELDED);                                    \
        co_f_->state = CO_STATE_AT_(id);                                                           \
        CO_SAVE_;                                                                                  \
        return co_res_;                                                                            \
        CO_POINT_(id) : if (CO_UNLIKELY(co_mode_ != CO_SEND_)) {                                   \
            if (co_mode_ == CO_CLOSE_)                                                             \
                goto co_close_;                                                                    \
            co_err_ = co_in_;                                                                      \
            goto co_fail_;                                                                         \
        }                                                                                          \
        (lv) = (__typeof__(lv))CO_MUTATE(lose_sent, co_in_, 0);                                    \
    } while (0)

// A callee that ends without a suspension costs no save; else the step is entered again when the
// callee has ended, with its answer, and not before.
#define CO_CALL_AT_(id, lv, name, ...)                                                             \
    do {                                                                                           \
        CO_POINT_NAME_ {                                                                           \
            struct co_frame_##name *co_callee_ =                                                   \
                (struct co_frame_##name *)co_frame_new(sizeof(struct co_frame_##name));            \
            if (CO_UNLIKELY(co_callee_ == NULL)) {                                                 \
                co_err_ = CO_NOMEM;                                                                \
                goto co_fail_;                                                                     \
            }                                                                                      \
            co_frame_init_##name(co_callee_, CO_ARGS_(name, __VA_ARGS__));                         \
            co_create_here_(&co_callee_->co_, CO_SYM(name));                                       \
            co_f_->awaiting = &co_callee_->co_;                                                    \
        }                                                                                          \
        co_res_ = CO_SYM(name)(co_f_->awaiting, 0, CO_SEND_);                                      \
        if (co_res_.st == CO_YIELDED) {                                                            \
            co_f_->state = CO_STATE_AT_(id);                                                       \
            CO_SAVE_;                                                                              \
            return co_res_;                                                                        \
        }                                                                                          \
        co_in_ = co_res_.v;                                                                        \
        co_mode_ = CO_ENDED_(co_res_.st);                                                          \
        CO_FALLS_;                                                                                 \
        CO_POINT_(id) : co_frame_free(co_f_->awaiting, sizeof(struct co_frame_##name));            \
        co_f_->awaiting = NULL;                                                                    \
        CO_AWAITED_(lv);                                                                           \
    } while (0)

#define CO_CALLREC_AT_ CO_CALL_AT_

#define CO_AWAITED_(lv)                                                                            \
    if (CO_UNLIKELY(co_mode_ != CO_ENDED_(CO_RETURNED))) {                                         \
        if (co_mode_ == CO_ENDED_(CO_CLOSED_))                                                     \
            goto co_close_;                                                                        \
        co_err_ = co_in_;                                                                          \
        goto co_fail_;                                                                             \
    }                                                                                              \
    (lv) = (__typeof__(lv))co_in_

// The other coroutine is awaited through its handle. Where that lies in this body's own locals, it
// moves with them, and no link may point there: the step is entered at each resume and evaluates
// the handle again.
#define CO_DELEGATE_AT_(id, lv, handle)                                                            \
    do {                                                                                           \
        CO_POINT_NAME_                                                                             \
        co_in_ = 0; /* what came last was sent to this body, not to the other one */               \
        co_mode_ = CO_SEND_;                                                                       \
        CO_FALLS_;                                                                                 \
        CO_POINT_(id) : if (co_mode_ < CO_ENDED_(0)) {                                             \
            co_res_ = co_await_(co_f_, (handle), my, sizeof *my, co_in_, co_mode_);                \
            if (co_res_.st == CO_YIELDED) {                                                        \
                co_f_->state = CO_STATE_AT_(id);                                                   \
                CO_SAVE_;                                                                          \
                return co_res_;                                                                    \
            }                                                                                      \
            co_in_ = co_res_.v;                                                                    \
            co_mode_ = CO_ENDED_(co_res_.st);                                                      \
        }                                                                                          \
        co_f_->awaiting = NULL;                                                                    \
        co_f_->foreign = 0;                                                                        \
        CO_AWAITED_(lv);                                                                           \
    } while (0)

// ---- Driving
// -------------------------------------------------------------------------------------------------

#if CO_CHECKED
CO_INLINE int co_misuse_(const struct co_frame *f) {
    return f->step == NULL ? CO_E_INVALID
           : f->running    ? CO_E_RUNNING
           : f->state < 0  ? CO_E_FINISHED
                           : 0;
}
#define CO_EXIT_(f) ((f)->running = 0)
#else
#define CO_EXIT_(f) ((void)0)
#endif
#include "common/entry.h"

CO_INLINE void co_create_here_(struct co_frame *f, co_step step) {
    f->step = step;
    f->awaiting = NULL;
    f->foreign = 0;
#if CO_CHECKED
    f->running = 0;
#endif
}

// The answer of one coroutine: first of what it awaits and, when that has ended, of its own step.
static struct co_result co_send_(struct co_frame *f, uint32_t foreign, word in, unsigned mode);

// By name the step is known, and f itself goes nowhere: it can be a local of the loop.
#define CO_ENTER_STEP_(f, step_, in, mode)                                                         \
    do {                                                                                           \
        if ((f)->awaiting != NULL) {                                                               \
            struct co_result co_awaited_ = co_send_((f)->awaiting, (f)->foreign, (in), (mode));    \
            if (co_awaited_.st == CO_YIELDED)                                                      \
                return co_awaited_;                                                                \
            (in) = co_awaited_.v;                                                                  \
            (mode) = CO_ENDED_(co_awaited_.st);                                                    \
        }                                                                                          \
        return step_((f), (in), (mode));                                                           \
    } while (0)

CO_INLINE struct co_result co_enter_(struct co_frame *f, word in, unsigned mode) {
    CO_ENTER_STEP_(f, f->step, in, mode);
}

CO_INLINE int co_resume_here_(struct co_frame *f, word in, word *out) {
    CO_ENTER_(f);
    CO_PLANTED_();
    struct co_result r = co_enter_(f, in, CO_SEND_);
    CO_EXIT_(f);
    *out = co_unboxed_(r);
    return (int)r.st;
}

// A body that never started has no cleanup and no handler: the error passes it by.
CO_INLINE struct co_result co_raise_(struct co_frame *f, word error) {
    if (f->state != CO_STATE_START_)
        return co_enter_(f, error, CO_THROW_);
    f->state = CO_STATE_FAILED_;
    return co_result_(error, CO_FAILED);
}

CO_INLINE int co_throw_here_(struct co_frame *f, word error, word *out) {
    CO_ENTER_(f);
    struct co_result r = co_raise_(f, error);
    CO_EXIT_(f);
    *out = co_unboxed_(r);
    return (int)r.st;
}

CO_INLINE int co_close_here_(struct co_frame *f) {
    CO_ENTER_TO_CLOSE_(f);
    if (f->state != CO_STATE_START_ && f->state >= 0)
        CO_MUTATE(skip_cleanup, (co_enter_(f, 0, CO_CLOSE_)), (void)0);
    if (f->state >= 0)
        f->state = CO_STATE_DONE_;
    CO_EXIT_(f);
    return 0;
}

#include "common/stackless_drive.h"

// One send, throw or close of a coroutine that a body delegates to; its misuse is that body's
// error.
static __attribute__((noinline, unused)) struct co_result co_foreign_(struct co_frame *f, word in,
                                                                      unsigned mode) {
    int status = 0;
    struct co_result r = {0, CO_CLOSED_};
    if (mode == CO_CLOSE_)
        status = co_close_here_(f);
#if CO_CHECKED
    else if ((status = co_misuse_(f)) == 0)
        f->running = 1;
#endif
    if (status < 0)
        return co_result_((word)status, CO_FAILED);
    if (mode != CO_CLOSE_) {
        r = mode == CO_THROW_ ? co_raise_(f, in) : co_enter_(f, in, CO_SEND_);
        CO_EXIT_(f);
    }
    return r;
}

// The walk from the root: one native call a level, and a step at its end.
static __attribute__((noinline, unused)) struct co_result
co_send_(struct co_frame *f, uint32_t foreign, word in, unsigned mode) {
    return CO_UNLIKELY(foreign) ? co_foreign_(f, in, mode) : co_enter_(f, in, mode);
}

// The first send to another coroutine, and each one where no link to it may be kept.
static __attribute__((noinline, unused)) struct co_result
co_await_(struct co_frame *f, co_handle other, const void *locals, size_t bytes, word in,
          unsigned mode) {
    struct co_result r = co_foreign_(other, in, mode);
    bool own = (uintptr_t)other - (uintptr_t)locals < bytes;
    if (r.st == CO_YIELDED && !CO_MUTATE(link_to_locals, own, (own && false))) {
        f->awaiting = other;
        f->foreign = 1;
    }
    return r;
}

#if CO_BINDING == CO_BINDING_VISIBLE && !CO_CHECKED
#define CO_BY_NAME_(name)                                                                          \
    CO_INLINE struct co_result co_enter_##name(struct co_frame *f, word in, unsigned mode) {       \
        CO_ENTER_STEP_(f, co_body_(name), in, mode);                                               \
    }                                                                                              \
    CO_INLINE int co_resume_##name(struct co_frame *f, word in, word *out) {                       \
        struct co_result r = co_enter_##name(f, in, CO_SEND_);                                     \
        *out = co_unboxed_(r);                                                                     \
        return (int)r.st;                                                                          \
    }                                                                                              \
    CO_INLINE int co_fini_##name(struct co_frame *f) {                                             \
        if (f->state != CO_STATE_START_ && f->state >= 0)                                          \
            CO_MUTATE(skip_cleanup, (co_enter_##name(f, 0, CO_CLOSE_)), (void)0);                  \
        if (f->state >= 0)                                                                         \
            f->state = CO_STATE_DONE_;                                                             \
        return 0;                                                                                  \
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
