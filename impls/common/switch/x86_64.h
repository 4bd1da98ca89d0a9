// Switching stacks on x86-64 (System V ABI): everything of a fiber backend that depends on the
// machine.
//
// Full ABI: rbx, rbp, r12-r15, rsp and the resume address are saved in the control block, so
// nothing is pushed and no red zone is hit. Both ways leave by `jmp`: a `ret` whose call was made
// on another stack is mispredicted, which costs more than all register moves together. mxcsr and
// the x87 control word are not saved (another variant does).
#ifndef CO_SWITCH_X86_64_H
#define CO_SWITCH_X86_64_H

#include <assert.h>
#include "corobench/coro.h"
#include "common/mutant.h"
#include "common/planted.h"

struct co_context {
    void *sp, *ip;
    word bp, bx, r12, r13, r14, r15;
};

// One side is running and the other one's context is here. First member of the control block.
struct co_switch {
    struct co_context body, resumer;
};

#define CO_ARCH_DIVERTS 1 // co_arch_divert
#define CO_ARCH_FAR 1     // co_arch_resume_far, co_arch_yield_far

// Byte offsets, for the assembly; checked against the struct below.
#define CO_BODY_ "0"
#define CO_RESUMER_ "64"
#define CO_SAVE_(context)                                                                          \
    "movq %%rsp, 0+" context "(%%rdi)\n\t"                                                         \
    "movq %%rcx, 8+" context "(%%rdi)\n\t"                                                         \
    "movq %%rbp, 16+" context "(%%rdi)\n\t"                                                        \
    "movq %%rbx, 24+" context "(%%rdi)\n\t"                                                        \
    "movq %%r12, 32+" context "(%%rdi)\n\t"                                                        \
    "movq %%r13, 40+" context "(%%rdi)\n\t"                                                        \
    "movq %%r14, 48+" context "(%%rdi)\n\t"                                                        \
    "movq %%r15, 56+" context "(%%rdi)\n\t"
// clang-format off
#define CO_LOAD_R12_(context) CO_MUTATE(drop_register, "movq 32+" context "(%%rdi), %%r12\n\t", "")
// A signal that comes here writes its frame over what is below the red zone.
#define CO_BELOW_STACK_                                                                            \
    "movq %%rsi, -256(%%rsp)\n\t" "movq %%rsi, -1024(%%rsp)\n\t" ".rept 256\n\tnop\n\t.endr\n\t"    \
    "movq -256(%%rsp), %%rsi\n\t" "andq -1024(%%rsp), %%rsi\n\t"
#define CO_LOAD_(context)                                                                          \
    "movq 0+" context "(%%rdi), %%rsp\n\t" CO_MUTATE(below_stack, "", CO_BELOW_STACK_)             \
    "movq 16+" context "(%%rdi), %%rbp\n\t"                                                        \
    "movq 24+" context "(%%rdi), %%rbx\n\t"                                                        \
    CO_LOAD_R12_(context)                                                                          \
    "movq 40+" context "(%%rdi), %%r13\n\t"                                                        \
    "movq 48+" context "(%%rdi), %%r14\n\t"                                                        \
    "movq 56+" context "(%%rdi), %%r15\n\t"                                                        \
    "jmpq *8+" context "(%%rdi)\n\t"
// clang-format on

// All that the ABI lets a function call destroy.
#define CO_CALL_CLOBBERS_                                                                          \
    "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",       \
        "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st",        \
        "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc", "memory"

static_assert(offsetof(struct co_switch, resumer) == 64 && offsetof(struct co_context, r15) == 56,
              "the assembly knows these offsets");

// Makes the first resume call entry(s) on the stack that ends at `top` (16-byte aligned). The word
// below `top` is a return address that ends backtraces; nothing returns to it.
CO_INLINE void co_arch_prepare(struct co_switch *s, void *top, void (*entry)(void *)) {
    void **sp = (void **)top - CO_MUTATE(misalign, 1, 2);
    *sp = NULL;
    s->body.sp = sp;
    s->body.ip = (void *)entry;
    s->body.bp = 0;
    s->resumer.ip = NULL;
}

CO_INLINE bool co_arch_unstarted(const struct co_switch *s) {
    return s->resumer.ip == NULL;
}

// Makes the next resume call f(s) on top of what the suspended body has on its stack, red zone
// included.
CO_INLINE void co_arch_divert(struct co_switch *s, void (*f)(void *)) {
    void **sp = (void **)(((word)s->body.sp - 128) & ~(word)15) - 1;
    *sp = NULL;
    s->body.sp = sp;
    s->body.ip = (void *)f;
}

// Into the body; comes back with what it yields (v) and how (st).
CO_INLINE struct co_result co_arch_resume(struct co_switch *s, word in) {
    struct co_result r;
    __asm__ volatile("leaq 1f(%%rip), %%rcx\n\t" CO_SAVE_(CO_RESUMER_) CO_LOAD_(CO_BODY_) "1:"
                     : "=a"(r.v), "=d"(r.st), "+D"(s), "+S"(in)
                     :
                     : CO_CALL_CLOBBERS_);
    return r;
}

// Out of the body; comes back with what the next resume sends in.
CO_INLINE word co_arch_yield(struct co_switch *s, word v) {
    word in, st = CO_YIELDED;
    __asm__ volatile("leaq 1f(%%rip), %%rcx\n\t" CO_SAVE_(CO_BODY_) CO_LOAD_(CO_RESUMER_) "1:"
                     : "+a"(v), "+d"(st), "+D"(s), "=S"(in)
                     :
                     : CO_CALL_CLOBBERS_);
    return CO_MUTATE(lose_sent, in, 0);
}

// Out of the body for good: nothing of it is saved.
__attribute__((noreturn)) CO_INLINE void co_arch_finish(struct co_switch *s, word v, word st) {
    __asm__ volatile(CO_LOAD_(CO_RESUMER_) : : "a"(v), "d"(st), "D"(s) : "memory");
    __builtin_unreachable();
}

// The same two transfers as functions, for the library binding: the return address is popped into
// the context.
#ifdef __cplusplus
extern "C" {
#endif
struct co_result co_arch_resume_far(struct co_switch *s, word in)
    __attribute__((visibility("hidden")));
word co_arch_yield_far(struct co_switch *s, word v) __attribute__((visibility("hidden")));
#ifdef __cplusplus
}
#endif

#if defined(CO_RUNTIME) && CO_BINDING == CO_BINDING_LIBRARY
// clang-format off
#define CO_FAR_SAVE_(context)                                                                                \
    "popq %rcx\n\t"                                                                                          \
    "movq %rsp, 0+" context "(%rdi)\n\t"  "movq %rcx, 8+" context "(%rdi)\n\t"                               \
    "movq %rbp, 16+" context "(%rdi)\n\t" "movq %rbx, 24+" context "(%rdi)\n\t"                              \
    "movq %r12, 32+" context "(%rdi)\n\t" "movq %r13, 40+" context "(%rdi)\n\t"                              \
    "movq %r14, 48+" context "(%rdi)\n\t" "movq %r15, 56+" context "(%rdi)\n\t"
#define CO_FAR_LOAD_(context)                                                                                \
    "movq 0+" context "(%rdi), %rsp\n\t"  "movq 16+" context "(%rdi), %rbp\n\t"                              \
    "movq 24+" context "(%rdi), %rbx\n\t" "movq 32+" context "(%rdi), %r12\n\t"                              \
    "movq 40+" context "(%rdi), %r13\n\t" "movq 48+" context "(%rdi), %r14\n\t"                              \
    "movq 56+" context "(%rdi), %r15\n\t" "jmpq *8+" context "(%rdi)\n\t"
// A yield and a resume may meet inline code on the other side, so both answer in the same registers: rsi carries
// what is sent in and, for a function that returns it, rax too; rax and rdx carry what comes out.
__asm__(".text\n\t.p2align 4\n\t"
        ".globl co_arch_resume_far\n\t.hidden co_arch_resume_far\n\t.type co_arch_resume_far, @function\n"
        "co_arch_resume_far:\n\t" CO_PLANTED_TEXT_
        CO_FAR_SAVE_(CO_RESUMER_) "movq %rsi, %rax\n\t" CO_FAR_LOAD_(CO_BODY_)
        ".size co_arch_resume_far, . - co_arch_resume_far\n\t.p2align 4\n\t"
        ".globl co_arch_yield_far\n\t.hidden co_arch_yield_far\n\t.type co_arch_yield_far, @function\n"
        "co_arch_yield_far:\n\t"
        CO_FAR_SAVE_(CO_BODY_) "movq %rsi, %rax\n\tmovl $1, %edx\n\t" CO_FAR_LOAD_(CO_RESUMER_)
        ".size co_arch_yield_far, . - co_arch_yield_far\n\t");
// clang-format on
#endif

#endif
