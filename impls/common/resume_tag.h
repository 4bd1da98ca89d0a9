// Resume at the leaf without pointers to code: a frame says by a number which body it is of.
//
// All bodies of a unit are inlined into one function, its dispatcher: a switch over tags around
// switches over resume points. A coroutine call and a return are jumps within it, and where the
// compiler follows a call it goes straight to the callee's beginning. CO_DISPATCH makes the
// dispatcher, so a tag is known before its number is; units that only create see it as a constant
// of the unit with the bodies.
//
// A program may have several units with bodies. The coroutine, not the frame, names its dispatcher.
#ifndef CO_RESUME_TAG_H
#define CO_RESUME_TAG_H

#include "corobench/coro.h"

#include <assert.h>

struct co_leaf;
typedef struct co_result (*co_step)(struct co_leaf *co, word in);

struct co_frame {
    uint32_t tag;            // which body
    uint32_t state;          // resume point, and what to do there
    struct co_frame *caller; // NULL for the root
};
static_assert(sizeof(struct co_frame) == 8 + sizeof(void *), "no pointer to code in a frame");

// What the dispatcher does next; its fields are local variables of it.
struct co_turn {
    struct co_frame *frame;
    uint32_t tag, state; // the frame's
    word in;
};

// A body's answer: the turn says how to go on.
enum { CO_GO_ON_ = 8 };

#define CO_STEP_REST                                                                               \
    __attribute__((unused)) struct co_leaf *co_co_, __attribute__((unused)) struct co_turn *co_turn_
#define CO_LEAF_REST_ co_step dispatch;
#define CO_CREATED_(co, step) ((co)->dispatch = (step))
#define CO_STEP_OF_(name) CO_SYM(co_dispatch)
#define CO_MADE_(frame, name) ((frame)->tag = CO_TAG_(name))

#define CO_GO_TO_(f, t, s, i)                                                                      \
    co_turn_->frame = (f);                                                                         \
    co_turn_->tag = (t);                                                                           \
    co_turn_->state = (s);                                                                         \
    co_turn_->in = (i);                                                                            \
    return co_result_(0, CO_GO_ON_)

#define CO_LEAVE_                                                                                  \
    struct co_frame *const co_caller_ = my->co_.caller;                                            \
    if (co_caller_ == NULL) {                                                                      \
        co_co_->leaf = NULL;                                                                       \
        return co_res_;                                                                            \
    }                                                                                              \
    CO_FRAME_LEFT_(my);                                                                            \
    CO_TELL_(co_caller_, co_res_.st);                                                              \
    CO_GO_TO_(co_caller_, CO_MUTATE(tag_not_changed, co_caller_->tag, co_turn_->tag),              \
              co_caller_->state, co_res_.v);

#define CO_CALL_(id, lv, frame_, left, name, ...)                                                  \
    {                                                                                              \
        struct co_frame_##name *const co_callee_ = (frame_);                                       \
        my->co_.state = CO_STATE_(id);                                                             \
        co_frame_init_##name(co_callee_, CO_ARGS_(name, __VA_ARGS__));                             \
        co_callee_->co_.caller = &my->co_;                                                         \
        CO_MADE_(&co_callee_->co_, name);                                                          \
        CO_GO_TO_(&co_callee_->co_, CO_TAG_(name), CO_STATE_START_, 0);                            \
    }                                                                                              \
    CO_ENTRIES_(id, left);                                                                         \
    (lv) = (__typeof__(lv))co_in_

// There is no step of its own; only the dispatcher is there to be called.
#define CORO(name)                                                                                 \
    CO_INLINE struct co_result co_body_##name(struct co_frame *co_f_,                              \
                                              __attribute__((unused)) word co_in_, CO_STEP_REST)
#define CO_ENTERED_STATE_ co_turn_->state

// Where the bodies are, the tag's number is known at the end of the unit, and is a constant
// nevertheless: the function that gives it is inlined.
#if CO_PART_BODIES
#define CO_TAG_(name) co_tag_##name()
#define CO_STEP_DECL_(name)                                                                        \
    CO_DISPATCHER_DECL_                                                                            \
    CO_INLINE uint32_t co_tag_##name(void);
#else
#define CO_TAG_(name) CO_SYM(co_tag_##name)
#define CO_STEP_DECL_(name)                                                                        \
    CO_DISPATCHER_DECL_                                                                            \
    CO_C_NAMES_(extern const uint32_t CO_SYM(co_tag_##name);)
#endif

#ifdef __cplusplus
#define CO_C_NAMES_(...)                                                                           \
    extern "C" {                                                                                   \
    __VA_ARGS__                                                                                    \
    }
#else
#define CO_C_NAMES_(...) __VA_ARGS__
#endif
#define CO_DISPATCHER_DECL_                                                                        \
    CO_C_NAMES_(                                                                                   \
        CO_STEP_LINKAGE_ struct co_result CO_SYM(co_dispatch)(struct co_leaf * co, word in);)

#if CO_BINDING == CO_BINDING_VISIBLE
#define CO_TAG_EXPORTED_(name)
#else
#define CO_TAG_EXPORTED_(name)                                                                     \
    CO_C_NAMES_(extern CO_EXPORT const uint32_t CO_SYM(co_tag_##name);                             \
                const uint32_t CO_SYM(co_tag_##name) = co_number_##name;)
#endif

#define CO_TAG_NUMBER_(name) co_number_##name,
#define CO_TAG_DEF_(name)                                                                          \
    CO_INLINE uint32_t co_tag_##name(void) {                                                       \
        return co_number_##name;                                                                   \
    }                                                                                              \
    CO_TAG_EXPORTED_(name)
#define CO_TAG_CASE_(name)                                                                         \
    case co_number_##name:                                                                         \
        r = co_body_##name(turn.frame, turn.in, co, &turn);                                        \
        break;

#define CO_DISPATCH(BODIES)                                                                        \
    enum { BODIES(CO_TAG_NUMBER_) };                                                               \
    BODIES(CO_TAG_DEF_)                                                                            \
    CO_STEP_LINKAGE_ struct co_result CO_SYM(co_dispatch)(struct co_leaf * co, word in) {          \
        struct co_turn turn = {co->leaf, co->leaf->tag, co->leaf->state, in};                      \
        struct co_result r;                                                                        \
        do {                                                                                       \
            switch (turn.tag) {                                                                    \
            default:                                                                               \
                __builtin_unreachable();                                                           \
                BODIES(CO_TAG_CASE_)                                                               \
            }                                                                                      \
        } while (r.st == CO_GO_ON_);                                                               \
        return r;                                                                                  \
    }                                                                                              \
    struct co_dispatch_by_tag_;

#include "common/leaf.h"

CO_INLINE struct co_result co_enter_(struct co_leaf *co, word in) {
    return co->dispatch(co, in);
}

#endif
