// A switch for x86-64 (System V ABI) that pushes the six callee-saved registers, changes the stack
// pointer and pops them, with six choices, each a macro that is 0 or 1:
//
//   CO_FACTOR_CALLED   the switch is a function that is called; else it is inlined
//   CO_FACTOR_RET      it goes on by `ret`, else by `pop; jmp`
//   CO_FACTOR_FP       mxcsr and the x87 control word are stored and loaded
//   CO_FACTOR_STATE    a thread-local "current coroutine", its predecessor and a state are kept
//   CO_FACTOR_MASK     the signal mask is changed by a system call, as swapcontext does
//   CO_FACTOR_ALIGNED  tops of stacks are not staggered (the storage looks at this one)
//
// Everything else is the same in all combinations, so two that differ in one choice tell its cost.
#ifndef CO_FACTORS_SWITCH_H
#define CO_FACTORS_SWITCH_H

#include <signal.h>
#include "corobench/coro.h"

#define CO_ARCH_DIVERTS 1
#define CO_ARCH_FAR 0

// What lies on the stack of a side that does not run, at its stack pointer.
struct co_pushed {
#if CO_FACTOR_FP
    uint32_t mxcsr;
    uint16_t x87;
    uint16_t unused;
#endif
    word r15, r14, r13, r12, bx, bp;
    void (*ip)(void *);
};

// First member of the control block; the assembly knows where the two stack pointers are.
struct co_switch {
    struct co_pushed *body, *resumer;
#if CO_FACTOR_STATE
    struct co_switch *before; // whose body resumed this one
    unsigned state;
#endif
#if CO_FACTOR_MASK
    sigset_t body_mask, resumer_mask;
#endif
};

// clang-format off
#if CO_FACTOR_FP
#define CO_PUSH_FP_(R) "leaq -8(" R "rsp), " R "rsp\n\tstmxcsr (" R "rsp)\n\tfnstcw 4(" R "rsp)\n\t"
#define CO_POP_FP_(R) "ldmxcsr (" R "rsp)\n\tfldcw 4(" R "rsp)\n\tleaq 8(" R "rsp), " R "rsp\n\t"
#else
#define CO_PUSH_FP_(R) ""
#define CO_POP_FP_(R) ""
#endif
#define CO_PUSH_ALL_(R)                                                                            \
    "pushq " R "rbp\n\tpushq " R "rbx\n\tpushq " R "r12\n\tpushq " R "r13\n\tpushq " R "r14\n\t"   \
    "pushq " R "r15\n\t" CO_PUSH_FP_(R)
#if CO_FACTOR_RET
#define CO_GO_ON_(R) "ret\n\t"
#else
#define CO_GO_ON_(R) "popq " R "rcx\n\tjmpq *" R "rcx\n\t"
#endif
#define CO_POP_ALL_(R)                                                                             \
    CO_POP_FP_(R) "popq " R "r15\n\tpopq " R "r14\n\tpopq " R "r13\n\tpopq " R "r12\n\t"          \
    "popq " R "rbx\n\tpopq " R "rbp\n\t" CO_GO_ON_(R)
// Both sides meet in the same registers: rdi the control block, rsi (and, for a function, rax) what is
// sent in, rax and rdx what comes out.
#define CO_IN_(R) "movq " R "rsp, 8(" R "rdi)\n\tmovq (" R "rdi), " R "rsp\n\tmovq " R "rsi, " R "rax\n\t"
#define CO_OUT_(R) "movq " R "rsp, (" R "rdi)\n\tmovq 8(" R "rdi), " R "rsp\n\tmovq " R "rsi, " R "rax\n\t"
// clang-format on

#ifdef __cplusplus
extern "C" {
#endif
struct co_result co_factors_in(struct co_switch *s, word in) __attribute__((visibility("hidden")));
struct co_result co_factors_out(struct co_switch *s, word v, word st)
    __attribute__((visibility("hidden")));
#ifdef __cplusplus
}
#endif

#if CO_FACTOR_CALLED
#define co_factors_in_ co_factors_in
#define co_factors_out_ co_factors_out
#else
// The red zone may be in use where a body or a loop is inlined around this.
#define CO_INLINED_(move)                                                                          \
    "leaq -128(%%rsp), %%rsp\n\tleaq 1f(%%rip), %%rcx\n\tpushq %%rcx\n\t" CO_PUSH_ALL_("%%")       \
        move CO_POP_ALL_("%%") "1:\n\tleaq 128(%%rsp), %%rsp"
#define CO_INLINED_CLOBBERS_                                                                       \
    "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",       \
        "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc",        \
        "memory"
CO_INLINE struct co_result co_factors_in_(struct co_switch *s, word in) {
    struct co_result r;
    __asm__ volatile(CO_INLINED_(CO_IN_("%%"))
                     : "=a"(r.v), "=d"(r.st), "+S"(in), "+D"(s)
                     :
                     : CO_INLINED_CLOBBERS_);
    return r;
}
CO_INLINE struct co_result co_factors_out_(struct co_switch *s, word v, word st) {
    struct co_result r;
    __asm__ volatile(CO_INLINED_(CO_OUT_("%%"))
                     : "=a"(r.v), "+d"(st), "+S"(v), "+D"(s)
                     :
                     : CO_INLINED_CLOBBERS_);
    r.st = st;
    return r;
}
#endif

CO_INLINE struct co_pushed *co_factors_push_(void *end, void (*f)(void *)) {
    void **back = (void **)end - 1;
    struct co_pushed *pushed = (struct co_pushed *)(void *)back - 1;
    *back = NULL;
    pushed->ip = f;
    pushed->bp = 0;
    return pushed;
}

CO_INLINE void co_arch_prepare(struct co_switch *s, void *top, void (*entry)(void *)) {
    s->body = co_factors_push_(top, entry);
#if CO_FACTOR_FP
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(s->body->mxcsr), "=m"(s->body->x87));
#endif
#if CO_FACTOR_STATE
    s->state = 0;
#endif
#if CO_FACTOR_MASK
    sigprocmask(SIG_SETMASK, NULL, &s->body_mask);
#endif
}

// Above the red zone of what the body was doing, if it is inlined there.
CO_INLINE void co_arch_divert(struct co_switch *s, void (*f)(void *)) {
    struct co_pushed *pushed = co_factors_push_((void *)(((word)s->body - 128) & ~(word)15), f);
#if CO_FACTOR_FP
    pushed->mxcsr = s->body->mxcsr;
    pushed->x87 = s->body->x87;
#endif
    s->body = pushed;
}

#if CO_FACTOR_STATE
extern __attribute__((visibility("hidden"))) __thread struct co_switch *co_factors_current;
enum { CO_FACTORS_SUSPENDED = 1, CO_FACTORS_RUNNING = 2, CO_FACTORS_FINISHED = 3 };
#endif

CO_INLINE struct co_result co_arch_resume(struct co_switch *s, word in) {
#if CO_FACTOR_STATE
    s->before = co_factors_current;
    co_factors_current = s;
    s->state = CO_FACTORS_RUNNING;
#endif
#if CO_FACTOR_MASK
    sigprocmask(SIG_SETMASK, &s->body_mask, &s->resumer_mask);
#endif
    struct co_result r = co_factors_in_(s, in);
#if CO_FACTOR_STATE
    co_factors_current = s->before;
    s->state = r.st == CO_YIELDED ? CO_FACTORS_SUSPENDED : CO_FACTORS_FINISHED;
#endif
    return r;
}

CO_INLINE word co_arch_yield(struct co_switch *s, word v) {
#if CO_FACTOR_MASK
    sigprocmask(SIG_SETMASK, &s->resumer_mask, &s->body_mask);
#endif
    return co_factors_out_(s, v, CO_YIELDED).v;
}

__attribute__((noreturn)) CO_INLINE void co_arch_finish(struct co_switch *s, word v, word st) {
#if CO_FACTOR_MASK
    sigprocmask(SIG_SETMASK, &s->resumer_mask, NULL);
#endif
    co_factors_out_(s, v, st);
    __builtin_unreachable();
}

#ifdef CO_RUNTIME
#if CO_FACTOR_STATE
__thread struct co_switch *co_factors_current;
#endif
// clang-format off
#define CO_FUNCTION_(name, text)                                                                   \
    ".globl " name "\n\t.hidden " name "\n\t.type " name ", @function\n\t.p2align 4\n" name ":\n\t" \
    text ".size " name ", . - " name "\n\t"
#if CO_FACTOR_CALLED
__asm__(".text\n\t"
        CO_FUNCTION_("co_factors_in", CO_PUSH_ALL_("%") CO_IN_("%") CO_POP_ALL_("%"))
        CO_FUNCTION_("co_factors_out", CO_PUSH_ALL_("%") CO_OUT_("%") CO_POP_ALL_("%")));
#endif
// clang-format on
#endif

#endif
