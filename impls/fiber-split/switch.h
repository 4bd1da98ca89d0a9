// Switching between split stacks on x86-64: the switch of impls/common/switch/x86_64.h and two
// words more.
//
// The stack limit, which each prologue compares the stack pointer with, is in the thread control
// block at %fs:0x70; the segment that is in use is a thread-local variable of libgcc. Both follow
// the stack pointer. __splitstack_getcontext and __splitstack_setcontext move five words more: the
// list's first segment and the bounds of the thread's own stack, which libgcc reads only where no
// segment is in use (and to find a block for alloca to use again; it then takes a new one);
// whether signals are blocked, which is the same for all here; and a stack pointer for debuggers.
#ifndef CO_SPLIT_SWITCH_H
#define CO_SPLIT_SWITCH_H

#include <assert.h>
#include "corobench/coro.h"
#include "common/mutant.h"
#include "common/planted.h"

struct co_context {
    void *sp, *ip;
    word bp, bx, r12, r13, r14, r15;
    void *limit;
    struct co_segment *segment;
};

// One side is running and the other one's context is here. First member of the control block.
struct co_switch {
    struct co_context body, resumer;
};

#define CO_ARCH_DIVERTS 1 // co_arch_divert
#define CO_ARCH_FAR 1     // co_arch_resume_far, co_arch_yield_far

static_assert(sizeof(struct co_context) == 80 && offsetof(struct co_context, segment) == 72,
              "the assembly knows these offsets");

// The assembly, for templates (%% for a register) and for whole functions (%): `r` is the prefix.
// rdi has the control block, rcx the address to go on at; r8 to r10 are lost.
//
// A segment has one limit, so both words are stored only if the limit is not the one that was
// stored last: a store each time would make each switch wait for the one before, through memory.
// clang-format off
#define CO_BODY_ "0"
#define CO_RESUMER_ "80"
#define CO_FIND_SEGMENT_(r) "movq __morestack_current_segment@gottpoff(" r "rip), " r "r9\n\t"
#define CO_SAVE_(r, context)                                                                       \
    CO_FIND_SEGMENT_(r)                                                                            \
    "movq " r "fs:0x70, " r "r8\n\t"                                                               \
    "movq " r "rsp, 0+" context "(" r "rdi)\n\t"                                                   \
    "movq " r "rcx, 8+" context "(" r "rdi)\n\t"                                                   \
    "movq " r "rbp, 16+" context "(" r "rdi)\n\t"                                                  \
    "movq " r "rbx, 24+" context "(" r "rdi)\n\t"                                                  \
    "movq " r "r12, 32+" context "(" r "rdi)\n\t"                                                  \
    "movq " r "r13, 40+" context "(" r "rdi)\n\t"                                                  \
    "movq " r "r14, 48+" context "(" r "rdi)\n\t"                                                  \
    "movq " r "r15, 56+" context "(" r "rdi)\n\t"                                                  \
    "cmpq " r "r8, 64+" context "(" r "rdi)\n\t"                                                   \
    CO_MUTATE(keep_segment, "je 2f\n\t", "jmp 2f\n\t")                                             \
    "movq " r "fs:(" r "r9), " r "r10\n\t"                                                         \
    "movq " r "r8, 64+" context "(" r "rdi)\n\t"                                                   \
    "movq " r "r10, 72+" context "(" r "rdi)\n"                                                    \
    "2:\t"
#define CO_LOAD_R12_(r, context)                                                                   \
    CO_MUTATE(drop_register, "movq 32+" context "(" r "rdi), " r "r12\n\t", "")
#define CO_LOAD_LIMIT_(r) CO_MUTATE(keep_limit, "movq " r "r8, " r "fs:0x70\n\t", "")
// Needs r9, as CO_FIND_SEGMENT_ leaves it.
#define CO_LOAD_(r, context)                                                                       \
    "movq 64+" context "(" r "rdi), " r "r8\n\t"                                                   \
    "movq 72+" context "(" r "rdi), " r "r10\n\t"                                                  \
    "movq 0+" context "(" r "rdi), " r "rsp\n\t"                                                   \
    "movq 16+" context "(" r "rdi), " r "rbp\n\t"                                                  \
    "movq 24+" context "(" r "rdi), " r "rbx\n\t"                                                  \
    CO_LOAD_R12_(r, context)                                                                       \
    "movq 40+" context "(" r "rdi), " r "r13\n\t"                                                  \
    "movq 48+" context "(" r "rdi), " r "r14\n\t"                                                  \
    "movq 56+" context "(" r "rdi), " r "r15\n\t"                                                  \
    CO_LOAD_LIMIT_(r)                                                                              \
    "movq " r "r10, " r "fs:(" r "r9)\n\t"                                                         \
    "jmpq *8+" context "(" r "rdi)\n\t"
// clang-format on

// All that the ABI lets a function call destroy.
#define CO_CALL_CLOBBERS_                                                                          \
    "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",       \
        "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st",        \
        "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc", "memory"

// Makes the first resume call entry(s) on this stack. The word below its record is a return
// address that ends backtraces; nothing returns to it.
CO_INLINE void co_arch_prepare(struct co_switch *s, struct co_stack *stack, void (*entry)(void *)) {
    void **sp = (void **)(void *)stack - CO_MUTATE(misalign, 1, 2);
    *sp = NULL;
    s->body.sp = sp;
    s->body.ip = (void *)entry;
    s->body.bp = 0;
    s->body.limit = stack->limit;
    s->body.segment = co_first_segment_(stack);
    s->resumer.ip = NULL;
    s->resumer.limit = &s->resumer; // no segment's: the first resume stores what the resumer has
}

CO_INLINE bool co_arch_unstarted(const struct co_switch *s) {
    return s->resumer.ip == NULL;
}

// Makes the next resume call f(s) on top of what the suspended body has on its stack, red zone
// included. It stays on that segment, unless f's own prologue finds too little room there.
CO_INLINE void co_arch_divert(struct co_switch *s, void (*f)(void *)) {
    void **sp = (void **)(((word)s->body.sp - 128) & ~(word)15) - 1;
    *sp = NULL;
    s->body.sp = sp;
    s->body.ip = (void *)f;
}

// Into the body; comes back with what it yields (v) and how (st).
CO_INLINE struct co_result co_arch_resume(struct co_switch *s, word in) {
    struct co_result r;
    __asm__ volatile("leaq 1f(%%rip), %%rcx\n\t" CO_SAVE_("%%", CO_RESUMER_)
                         CO_LOAD_("%%", CO_BODY_) "1:"
                     : "=a"(r.v), "=d"(r.st), "+D"(s), "+S"(in)
                     :
                     : CO_CALL_CLOBBERS_);
    return r;
}

// Out of the body; comes back with what the next resume sends in.
CO_INLINE word co_arch_yield(struct co_switch *s, word v) {
    word in, st = CO_YIELDED;
    __asm__ volatile("leaq 1f(%%rip), %%rcx\n\t" CO_SAVE_("%%", CO_BODY_)
                         CO_LOAD_("%%", CO_RESUMER_) "1:"
                     : "+a"(v), "+d"(st), "+D"(s), "=S"(in)
                     :
                     : CO_CALL_CLOBBERS_);
    return CO_MUTATE(lose_sent, in, 0);
}

// Out of the body for good: nothing of it is saved.
__attribute__((noreturn)) CO_INLINE void co_arch_finish(struct co_switch *s, word v, word st) {
    __asm__ volatile(CO_FIND_SEGMENT_("%%") CO_LOAD_("%%", CO_RESUMER_)
                     :
                     : "a"(v), "d"(st), "D"(s)
                     : "memory");
    __builtin_unreachable();
}

// ---- Handlers
// -----------------------------------------------------------------------------------

// setjmp and longjmp for handlers. Those of the C library know neither word, and a function that
// calls them would be one that calls code without split stacks, which takes a segment of 1 MiB.
typedef struct co_context co_mark[1];

#ifdef __cplusplus
extern "C" {
#endif
__attribute__((visibility("hidden"), returns_twice)) int co_split_mark(struct co_context *at);
__attribute__((visibility("hidden"), noreturn)) void co_split_jump(struct co_context *at);
// The two transfers as functions, for the library binding.
__attribute__((visibility("hidden"))) struct co_result co_arch_resume_far(struct co_switch *s,
                                                                          word in);
__attribute__((visibility("hidden"))) word co_arch_yield_far(struct co_switch *s, word v);
#ifdef __cplusplus
}
#endif
#define CO_MARK_(at) co_split_mark(at)
#define CO_JUMP_(at) co_split_jump(at)

#ifdef CO_RUNTIME
// clang-format off
#define CO_FUNCTION_(name)                                                                         \
    ".text\n\t.p2align 4\n\t.globl " name "\n\t.hidden " name "\n\t.type " name ", @function\n"    \
    name ":\n\t"
#define CO_END_FUNCTION_(name) ".size " name ", . - " name "\n\t"
#define CO_JUMP_LIMIT_                                                                             \
    CO_MUTATE(jump_keeps_limit, "", "movq %fs:0x70, %r8\n\tmovq %r8, 64(%rdi)\n\t")
__asm__(CO_FUNCTION_("co_split_mark")
        "popq %rcx\n\tmovq %rdi, 64(%rdi)\n\t" CO_SAVE_("%", "0") "pushq %rcx\n\txorl %eax, %eax\n\tret\n\t"
        CO_END_FUNCTION_("co_split_mark")
        CO_FUNCTION_("co_split_jump")
        CO_JUMP_LIMIT_ CO_FIND_SEGMENT_("%") "movl $1, %eax\n\t" CO_LOAD_("%", "0")
        CO_END_FUNCTION_("co_split_jump"));

#if CO_BINDING == CO_BINDING_LIBRARY
// A yield and a resume may meet inline code on the other side, so both answer in the same
// registers: rsi carries what is sent in and, for a function that returns it, rax too; rax and rdx
// carry what comes out. The return address is popped into the context.
__asm__(CO_FUNCTION_("co_arch_resume_far") CO_PLANTED_TEXT_
        "popq %rcx\n\t" CO_SAVE_("%", CO_RESUMER_) "movq %rsi, %rax\n\t" CO_LOAD_("%", CO_BODY_)
        CO_END_FUNCTION_("co_arch_resume_far")
        CO_FUNCTION_("co_arch_yield_far")
        "popq %rcx\n\t" CO_SAVE_("%", CO_BODY_) "movq %rsi, %rax\n\tmovl $1, %edx\n\t"
        CO_LOAD_("%", CO_RESUMER_)
        CO_END_FUNCTION_("co_arch_yield_far"));
#endif
// clang-format on
#endif

#endif
