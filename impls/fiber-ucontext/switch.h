// Switching stacks by swapcontext (POSIX.1-2001, removed in 2008, still in glibc). It carries no
// value, so what is sent and what comes out pass through the control block.
#ifndef CO_UCONTEXT_SWITCH_H
#define CO_UCONTEXT_SWITCH_H

#include <ucontext.h>
#include "corobench/coro.h"
#include "common/mutant.h"

#define CO_ARCH_DIVERTS 0 // a context can't be told to go on elsewhere
#define CO_ARCH_FAR 0     // swapcontext is a function already

// First member of the control block. `mail` is what the side that runs leaves for the other one.
struct co_switch {
    struct co_result mail;
    void (*entry)(void *);
    ucontext_t body, resumer;
};

// makecontext hands on only ints.
static __attribute__((unused)) void co_ucontext_start_(unsigned high, unsigned low) {
    struct co_switch *s = (struct co_switch *)((word)high << 16 << 16 | low);
    s->entry(s);
}

// Out of line, because nothing that calls getcontext is inlined. Fewer bytes of stack are stated
// than there are: makecontext uses only where they end.
static __attribute__((unused, noinline)) void co_arch_prepare(struct co_switch *s, void *top,
                                                              void (*entry)(void *)) {
    enum { STATED = CO_STACK_BYTES / 2 };
    s->entry = entry;
    getcontext(&s->body);
    s->body.uc_stack.ss_sp = (char *)top - STATED;
    s->body.uc_stack.ss_size = STATED;
    s->resumer.uc_stack.ss_sp = NULL; // AddressSanitizer looks at it
    s->resumer.uc_stack.ss_size = 0;
    makecontext(&s->body, (void (*)(void))co_ucontext_start_, 2, (unsigned)((word)s >> 16 >> 16),
                (unsigned)(word)s);
}

CO_INLINE struct co_result co_arch_resume(struct co_switch *s, word in) {
    s->mail.v = in;
    swapcontext(&s->resumer, &s->body);
    return s->mail;
}

CO_INLINE word co_arch_yield(struct co_switch *s, word v) {
    s->mail.v = v;
    s->mail.st = CO_YIELDED;
    swapcontext(&s->body, &s->resumer);
    return CO_MUTATE(lose_sent, s->mail.v, 0);
}

__attribute__((noreturn)) CO_INLINE void co_arch_finish(struct co_switch *s, word v, word st) {
    s->mail.v = v;
    s->mail.st = st;
    setcontext(&s->resumer);
    __builtin_unreachable();
}

#endif
