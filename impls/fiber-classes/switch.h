// Switching stacks on x86-64 with a control block of one word: whoever is not running left the
// place where it goes on in its own frame, and the word points there.
//
// r12 to r15 are clobbers: the compiler saves those that are live, in the frame of a function that
// switches, once for all its switches. rbx and rbp are saved by hand, since compilers keep a
// frame's base in them. Bodies are compiled with -mno-red-zone: nothing of a suspended body lies
// below its stack pointer.
#ifndef CO_CLASSES_SWITCH_H
#define CO_CLASSES_SWITCH_H

#include <assert.h>

struct co_side {
    void *sp, *ip, *bp;
    word bx;
};

// First member of the control block.
struct co_switch {
    struct co_side *other; // the side that is not running
#if CO_CHECKED
    uint64_t *canary; // the lowest word of a stack without guard, or NULL
#endif
};

#define CO_ARCH_DIVERTS 1 // co_arch_divert

// In: rdi the control block, rcx this side. Leaves rdi, rsi, rax and rdx as they are.
#define CO_LEAVE_                                                                                  \
    "leaq 1f(%%rip), %%r8\n\t"                                                                     \
    "movq (%%rdi), %%r9\n\t"                                                                       \
    "movq %%rcx, (%%rdi)\n\t"                                                                      \
    "movq %%rsp, 0(%%rcx)\n\t"                                                                     \
    "movq %%r8, 8(%%rcx)\n\t"                                                                      \
    "movq %%rbp, 16(%%rcx)\n\t"                                                                    \
    "movq %%rbx, 24(%%rcx)\n\t"
// In: r9 the other side.
#define CO_GO_ON_                                                                                  \
    "movq 0(%%r9), %%rsp\n\t"                                                                      \
    "movq 16(%%r9), %%rbp\n\t" CO_MUTATE(drop_register, "movq 24(%%r9), %%rbx\n\t",                \
                                         "") "jmpq *8(%%r9)\n\t"

#define CO_SWITCH_CLOBBERS_                                                                        \
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",  \
        "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",       \
        "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc",        \
        "memory"

static_assert(offsetof(struct co_side, bx) == 24, "the assembly knows these offsets");

#if CO_CHECKED
#define CO_CANARY_ 0x5aa55aa5c0ffee11u
#endif

// Makes the first resume call entry(s) on the stack that ends at `stack`. The word below is a
// return address that ends backtraces; nothing returns to it. What the first resume loads stands
// where the body will put its first frame.
CO_INLINE void co_arch_prepare(struct co_switch *s, struct co_stack *stack, void (*entry)(void *)) {
    void **sp = (void **)stack - CO_MUTATE(misalign, 1, 2);
    struct co_side *side = (struct co_side *)(sp - 1) - 1;
    *sp = NULL;
    side->sp = sp;
    side->ip = (void *)entry;
    side->bp = NULL;
    side->bx = 0;
    s->other = side;
#if CO_CHECKED
    s->canary = stack->chunk->class_ <= CO_CLASS_SMALL ? (uint64_t *)stack->low : NULL;
    if (s->canary != NULL)
        *s->canary = CO_CANARY_;
#endif
}

// Makes the next resume call f(s) on top of what the suspended body has on its stack.
CO_INLINE void co_arch_divert(struct co_switch *s, void (*f)(void *)) {
    void **sp = (void **)((word)s->other->sp & ~(word)15) - 1;
    *sp = NULL;
    s->other->sp = sp;
    s->other->ip = (void *)f;
}

// Into the body; comes back with what it yields (v) and how (st).
CO_INLINE struct co_result co_arch_resume(struct co_switch *s, word in) {
    struct co_result r;
    struct co_side here, *side = &here;
    __asm__ volatile(CO_LEAVE_ CO_GO_ON_ "1:"
                     : "=a"(r.v), "=d"(r.st), "+S"(in), "+c"(side)
                     : "D"(s)
                     : CO_SWITCH_CLOBBERS_);
#if CO_CHECKED
    if (s->canary != NULL && *s->canary != CO_CANARY_)
        CO_RT(classes_die)("a body has used more stack than its class has: a neighbour is damaged");
#endif
    return r;
}

// Out of the body; comes back with what the next resume sends in.
CO_INLINE word co_arch_yield(struct co_switch *s, word v) {
    word in, st = CO_YIELDED;
    struct co_side here, *side = &here;
    __asm__ volatile(CO_LEAVE_ CO_GO_ON_ "1:"
                     : "+a"(v), "+d"(st), "=S"(in), "+c"(side)
                     : "D"(s)
                     : CO_SWITCH_CLOBBERS_);
    return CO_MUTATE(lose_sent, in, 0);
}

// Out of the body for good: nothing of it is saved.
__attribute__((noreturn)) CO_INLINE void co_arch_finish(struct co_switch *s, word v, word st) {
    register struct co_side *other __asm__("r9") = s->other;
    __asm__ volatile(CO_GO_ON_ : : "a"(v), "d"(st), "D"(s), "r"(other) : "memory");
    __builtin_unreachable();
}

#endif
