// Switching stacks by swapcontext (POSIX.1-2001, removed in 2008, still in glibc): it saves
// everything, the signal mask too, for which it asks the kernel each time. A new switch replaces
// the struct and the four functions below.
#ifndef CO_TEMPLATE_SWITCH_H
#define CO_TEMPLATE_SWITCH_H

#include <ucontext.h>
#include "corobench/coro.h"

#define CO_ARCH_DIVERTS 0 // no co_arch_divert: a throw sets a flag that each resumed body tests
#define CO_ARCH_FAR 0     // no assembly entry points: the library binding calls C functions

// First member of the control block. Required.
struct co_switch {
    ucontext_t body, resumer;
    void (*entry)(void *);
    struct co_result message; // in: what is sent; out: what is yielded or returned
};

// makecontext passes ints; a pointer travels as two of them.
static __attribute__((unused)) void co_template_start_(unsigned high, unsigned low) {
    struct co_switch *s = (struct co_switch *)((word)high << 16 << 16 | low);
    s->entry(s);
}

// Makes the first resume call entry(s) on the stack that ends at `top`, 64-byte aligned. entry
// never returns. Required. (Not CO_INLINE here: a function that calls getcontext cannot be
// inlined.)
static __attribute__((unused, noinline)) void co_arch_prepare(struct co_switch *s, void *top,
                                                              void (*entry)(void *)) {
    enum { BYTES = CO_STACK_BYTES / 2 }; // surely there below `top`; only a debugger looks
    getcontext(&s->body);
    s->body.uc_stack.ss_sp = (char *)top - BYTES;
    s->body.uc_stack.ss_size = BYTES;
    s->body.uc_link = NULL;
    s->entry = entry;
    makecontext(&s->body, (void (*)(void))co_template_start_, 2, (unsigned)((word)s >> 16 >> 16),
                (unsigned)(word)s);
}

// Into the body, with `in` for its yield to give; comes back with what it yields and how. Required.
CO_INLINE struct co_result co_arch_resume(struct co_switch *s, word in) {
    s->message.v = in;
    swapcontext(&s->resumer, &s->body);
    return s->message;
}

// Out of the body, with v and CO_YIELDED; comes back with what the next resume sends in. Required.
CO_INLINE word co_arch_yield(struct co_switch *s, word v) {
    s->message.v = v;
    s->message.st = CO_YIELDED;
    swapcontext(&s->body, &s->resumer);
    return s->message.v;
}

// Out of the body for good. Required.
__attribute__((noreturn)) CO_INLINE void co_arch_finish(struct co_switch *s, word v, word st) {
    s->message.v = v;
    s->message.st = st;
    setcontext(&s->resumer);
    __builtin_unreachable();
}

#endif
