// Switching stacks by Boost.Context's fcontext: assembly that needs nothing of C++.
//
// A context is what a jump left on the stack it went away from. Its address and one word come out
// of the jump on the other side, in two registers.
#ifndef CO_BOOST_SWITCH_H
#define CO_BOOST_SWITCH_H

#include "corobench/coro.h"
#include "common/mutant.h"

#define CO_ARCH_DIVERTS 1 // co_arch_divert
#define CO_ARCH_FAR 0     // what a resume does after the jump is C

// Boost's transfer_t and its three functions (boost/context/detail/fcontext.hpp).
struct co_boost_transfer {
    void *context, *data;
};
#ifdef __cplusplus
extern "C" {
#endif
void *make_fcontext(void *top, size_t bytes, void (*f)(struct co_boost_transfer));
struct co_boost_transfer jump_fcontext(void *to, void *data);
struct co_boost_transfer ontop_fcontext(void *to, void *data,
                                        struct co_boost_transfer (*f)(struct co_boost_transfer));
#ifdef __cplusplus
}
#endif

// One side is running and the other one's context is here. First member of the control block.
struct co_switch {
    void *body;
    void *resumer; // NULL: not started; below CO_BOOST_ENDS_: gone for good, with that status
    void (*entry)(void *);
};
enum { CO_BOOST_ENDS_ = 16 };

// The first word sent is the coroutine; the contract says that nobody looks at what was meant.
static __attribute__((unused)) void co_boost_start_(struct co_boost_transfer t) {
    struct co_switch *s = (struct co_switch *)t.data;
    s->resumer = t.context;
    s->entry(s);
}

CO_INLINE void co_arch_prepare(struct co_switch *s, void *top, void (*entry)(void *)) {
    s->body = make_fcontext(top, CO_STACK_BYTES / 2, co_boost_start_);
    s->resumer = NULL;
    s->entry = entry;
}

// Into the body; comes back with what it yields (v) and how (st).
CO_INLINE struct co_result co_arch_resume(struct co_switch *s, word in) {
    void *data = CO_UNLIKELY(s->resumer == NULL) ? (void *)s : (void *)in;
    struct co_boost_transfer t = jump_fcontext(s->body, data);
    struct co_result r = {(word)t.data, CO_YIELDED};
    s->body = t.context;
    if (CO_UNLIKELY((word)s->resumer < CO_BOOST_ENDS_))
        r.st = (word)s->resumer;
    return r;
}

// Out of the body; comes back with what the next resume sends in.
CO_INLINE word co_arch_yield(struct co_switch *s, word v) {
    struct co_boost_transfer t = jump_fcontext(s->resumer, (void *)v);
    s->resumer = t.context;
    return CO_MUTATE(lose_sent, (word)t.data, 0);
}

// Out of the body for good.
__attribute__((noreturn)) CO_INLINE void co_arch_finish(struct co_switch *s, word v, word st) {
    void *resumer = s->resumer;
    s->resumer = (void *)st;
    jump_fcontext(resumer, (void *)v);
    __builtin_unreachable();
}

struct co_boost_landing {
    struct co_switch *s;
    void (*f)(void *);
};

// On top of a suspended body: goes back at once, and when it is resumed calls f(s).
__attribute__((unused)) static CO_COLD struct co_boost_transfer
co_boost_land_(struct co_boost_transfer t) {
    struct co_boost_landing at = *(struct co_boost_landing *)t.data;
    t = jump_fcontext(t.context, NULL);
    at.s->resumer = t.context;
    at.f(at.s);
    return t; // f does not return
}

// Makes the next resume call f(s) on top of what the suspended body has on its stack.
CO_INLINE void co_arch_divert(struct co_switch *s, void (*f)(void *)) {
    struct co_boost_landing at = {s, f};
    s->body = ontop_fcontext(s->body, &at, co_boost_land_).context;
}

#endif
