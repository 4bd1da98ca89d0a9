// The switch that most libraries have (x86-64, System V ABI): a function that pushes the six
// callee-saved registers, changes the stack pointer, pops them and returns.
//
// CO_SWITCH_FP 1 (before including it): mxcsr and the x87 control word belong to the coroutine too.
// Values and status travel in registers, the control block has nothing but two stack pointers. It
// is called, so no red zone is hit, and its `ret` goes to another place than the processor
// predicts.
#ifndef CO_SWITCH_X86_64_RET_H
#define CO_SWITCH_X86_64_RET_H

#include <assert.h>
#include "corobench/coro.h"
#include "common/mutant.h"

#ifndef CO_SWITCH_FP
#define CO_SWITCH_FP 0
#endif

#define CO_ARCH_DIVERTS 1 // co_arch_divert
#define CO_ARCH_FAR 1     // co_arch_resume_far, co_arch_yield_far

// What lies on the stack of a side that does not run, at its stack pointer.
struct co_pushed {
#if CO_SWITCH_FP
    uint32_t mxcsr;
    uint16_t x87;
    uint16_t unused;
#endif
    word r15, r14, r13, r12, bx, bp;
    void (*ip)(void *);
};

// One side is running and the other one's stack pointer is here. First member of the control block.
struct co_switch {
    struct co_pushed *body, *resumer;
};

static_assert(offsetof(struct co_switch, resumer) == 8 &&
                  sizeof(struct co_pushed) == 56 + 8 * CO_SWITCH_FP,
              "the assembly knows these");

#ifdef __cplusplus
extern "C" {
#endif
struct co_result co_arch_resume_far(struct co_switch *s, word in)
    __attribute__((visibility("hidden")));
word co_arch_yield_far(struct co_switch *s, word v) __attribute__((visibility("hidden")));
void co_arch_finish_far(struct co_switch *s, word v, word st)
    __attribute__((visibility("hidden"), noreturn));
#ifdef __cplusplus
}
#endif

// Makes the next switch into the body call f(s) on the stack that ends at `end` (16-byte aligned),
// as if it had been called from address 0, where backtraces end.
CO_INLINE struct co_pushed *co_arch_push_(void *end, void (*f)(void *)) {
    void **back = (void **)end - CO_MUTATE(misalign, 1, 2);
    struct co_pushed *pushed = (struct co_pushed *)(void *)back - 1;
    *back = NULL;
    pushed->ip = f;
    pushed->bp = 0;
    return pushed;
}

// A new coroutine has the control words of who creates it, as a new thread has.
CO_INLINE void co_arch_prepare(struct co_switch *s, void *top, void (*entry)(void *)) {
    s->body = co_arch_push_(top, entry);
#if CO_SWITCH_FP
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(s->body->mxcsr), "=m"(s->body->x87));
#endif
}

// Makes the next resume call f(s) on top of what the suspended body has on its stack. There is no
// red zone to spare: a yield is a call.
CO_INLINE void co_arch_divert(struct co_switch *s, void (*f)(void *)) {
    struct co_pushed *pushed = co_arch_push_((void *)((word)s->body & ~(word)15), f);
#if CO_SWITCH_FP
    pushed->mxcsr = s->body->mxcsr;
    pushed->x87 = s->body->x87;
#endif
    s->body = pushed;
}

// Into the body; comes back with what it yields (v) and how (st).
CO_INLINE struct co_result co_arch_resume(struct co_switch *s, word in) {
    return co_arch_resume_far(s, in);
}

// Out of the body; comes back with what the next resume sends in.
CO_INLINE word co_arch_yield(struct co_switch *s, word v) {
    word in = co_arch_yield_far(s, v);
    return CO_MUTATE(lose_sent, in, in & 0);
}

// Out of the body for good: nothing of it is saved.
__attribute__((noreturn)) CO_INLINE void co_arch_finish(struct co_switch *s, word v, word st) {
    co_arch_finish_far(s, v, st);
}

#ifdef CO_RUNTIME
// clang-format off
#define CO_PUSH_(r) "pushq %" r "\n\t.cfi_adjust_cfa_offset 8\n\t.cfi_rel_offset " r ", 0\n\t"
#define CO_POP_(r) "popq %" r "\n\t.cfi_adjust_cfa_offset -8\n\t.cfi_restore " r "\n\t"
#define CO_POP_R12_                                                                                \
    CO_MUTATE(drop_register, CO_POP_("r12"), "leaq 8(%rsp), %rsp\n\t.cfi_adjust_cfa_offset -8\n\t")
#if CO_SWITCH_FP
#define CO_PUSH_FP_ "leaq -8(%rsp), %rsp\n\t.cfi_adjust_cfa_offset 8\n\t"                          \
                    "stmxcsr (%rsp)\n\tfnstcw 4(%rsp)\n\t"
#define CO_POP_FP_ CO_MUTATE(drop_control, "ldmxcsr (%rsp)\n\tfldcw 4(%rsp)\n\t", "")              \
                   "leaq 8(%rsp), %rsp\n\t.cfi_adjust_cfa_offset -8\n\t"
#define CO_PUSHED_HERE_ ".cfi_def_cfa_offset 64\n\t"
#else
#define CO_PUSH_FP_ ""
#define CO_POP_FP_ ""
#define CO_PUSHED_HERE_ ".cfi_def_cfa_offset 56\n\t"
#endif
#define CO_PUSH_ALL_                                                                               \
    CO_PUSH_("rbp") CO_PUSH_("rbx") CO_PUSH_("r12") CO_PUSH_("r13") CO_PUSH_("r14")                \
    CO_PUSH_("r15") CO_PUSH_FP_
#define CO_POP_ALL_                                                                                \
    CO_POP_FP_ CO_POP_("r15") CO_POP_("r14") CO_POP_("r13") CO_POP_R12_ CO_POP_("rbx")             \
    CO_POP_("rbp")
#define CO_FUNCTION_(name, text)                                                                   \
    ".globl " name "\n\t.hidden " name "\n\t.type " name ", @function\n\t.p2align 4\n" name ":\n\t" \
    ".cfi_startproc\n\t" text "ret\n\t.cfi_endproc\n\t.size " name ", . - " name "\n\t"

// Both stacks look alike where one is left for the other, so the unwind tables hold on each side.
// rdi is the same on both sides, and the first argument of a body that starts.
__asm__(".text\n\t"
        CO_FUNCTION_("co_arch_resume_far",
            CO_PUSH_ALL_ "movq %rsp, 8(%rdi)\n\tmovq (%rdi), %rsp\n\t"
            "movq %rsi, %rax\n\t" CO_POP_ALL_)
        CO_FUNCTION_("co_arch_yield_far",
            CO_PUSH_ALL_ "movq %rsp, (%rdi)\n\tmovq 8(%rdi), %rsp\n\t"
            "movq %rsi, %rax\n\tmovl $1, %edx\n\t" CO_POP_ALL_)
        CO_FUNCTION_("co_arch_finish_far", // the status is in rdx already
            "movq 8(%rdi), %rsp\n\t" CO_PUSHED_HERE_
            ".cfi_offset rbp, -16\n\t.cfi_offset rbx, -24\n\t.cfi_offset r12, -32\n\t"
            ".cfi_offset r13, -40\n\t.cfi_offset r14, -48\n\t.cfi_offset r15, -56\n\t"
            "movq %rsi, %rax\n\t" CO_POP_ALL_));
// clang-format on
#endif

#endif
