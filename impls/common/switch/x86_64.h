// Switching stacks on x86-64 (System V ABI): everything of a fiber backend that depends on the
// machine.
//
// Full ABI: rbx, rbp, r12-r15, rsp and the resume address survive. A body's are saved in the
// control block, so nothing is pushed and no red zone is hit. Of the resumer's, whose loop the
// resume is inlined in, only rsp, rbp (which can't be declared destroyed) and the address are: the
// assembly declares that it destroys the others, so the compiler saves those that it needs, once
// around the loop or on its own stack. What a resume loads then does not hang on the control block,
// and the next coroutine can start while this one's block is still on its way from memory.
//
// A body that goes on loads its registers itself, after the jump: so a first resume loads a stack
// pointer only, and a creation stores no register. A body finds 0 in rbp when it starts, which ends
// chains of frame pointers.
//
// Both ways leave by `jmp`: a `ret` whose call was made on another stack is mispredicted, which
// costs more than all register moves together. The pointer to the control block is in rdi on both
// sides of each transfer, so a body has it without waiting for its stack.
//
// A backend may define, before it includes this file,
//   CO_SWITCH_FP          mxcsr and the x87 control word are saved too (CO_CAP_FP_CONTROL)
//   CO_SWITCH_LIVE_ONLY   the compiler saves what a body needs, too; not in the library binding
//   CO_SWITCH_MORE        words of its own: struct co_more, those of one side; CO_MORE_START_(s,
//   top),
//                         which sets those of both sides at the start; CO_MORE_CHANGE_(R, mine,
//                         other), text that saves and loads them and may destroy r8 to r11
#ifndef CO_SWITCH_X86_64_H
#define CO_SWITCH_X86_64_H

#include <assert.h>
#include "corobench/coro.h"
#include "common/mutant.h"
#include "common/planted.h"

// Inlined, a resume leaves registers to the compiler; as a function of a library it saves them all.
#define CO_SWITCH_INLINED_ (CO_BINDING != CO_BINDING_LIBRARY)

// One side is running and the other one's context is here. First member of the control block.
struct co_switch {
    struct {
        void *sp, *ip;
        word bp;
#if !CO_SWITCH_LIVE_ONLY
        word bx, r12, r13, r14, r15;
#endif
    } body;
    struct {
        void *sp, *ip;
        word bp;
#if !CO_SWITCH_INLINED_
        word bx, r12, r13, r14, r15;
#endif
    } resumer;
#if CO_SWITCH_FP
    struct {
        uint32_t mxcsr;
        uint16_t x87;
    } body_fp, resumer_fp;
#endif
#if CO_SWITCH_MORE
    struct co_more body_more, resumer_more;
#endif
};

#define CO_ARCH_DIVERTS 1 // co_arch_divert
#define CO_ARCH_FAR 1     // co_arch_resume_far, co_arch_yield_far

// ---- Text ---------------------------------------------------------------------------------------
// Byte offsets of the contexts; R is how a register begins: %% in a statement with operands, else
// %.

#define CO_BODY_ "0"
#if CO_SWITCH_LIVE_ONLY
#define CO_RESUMER_ "24"
#define CO_RESUMER_AT_ 24
#else
#define CO_RESUMER_ "64"
#define CO_RESUMER_AT_ 64
#endif
static_assert(offsetof(struct co_switch, body.ip) == 8 &&
                  offsetof(struct co_switch, resumer.ip) == CO_RESUMER_AT_ + 8,
              "the assembly knows these offsets");

// clang-format off
#define CO_AT_(R, context, offset) offset "+" context "(" R "rdi)"
// The resume address is in rcx.
#define CO_SAVE_(R, context)                                                                       \
    "movq " R "rsp, " CO_AT_(R, context, "0") "\n\t"                                               \
    "movq " R "rcx, " CO_AT_(R, context, "8") "\n\t"                                               \
    "movq " R "rbp, " CO_AT_(R, context, "16") "\n\t"
// A signal that comes here writes its frame over what is below the red zone.
#define CO_BELOW_STACK_(R)                                                                         \
    "movq " R "rsi, -256(" R "rsp)\n\tmovq " R "rsi, -1024(" R "rsp)\n\t"                          \
    ".rept 256\n\tnop\n\t.endr\n\t"                                                               \
    "movq -256(" R "rsp), " R "rsi\n\tandq -1024(" R "rsp), " R "rsi\n\t"
#define CO_LOAD_SP_(R, context)                                                                    \
    "movq " CO_AT_(R, context, "0") ", " R "rsp\n\t"                                               \
    CO_MUTATE(below_stack, "", CO_BELOW_STACK_(R))
#define CO_LOAD_BP_(R, context) "movq " CO_AT_(R, context, "16") ", " R "rbp\n\t"
#define CO_SAVE_MORE_(R, context)                                                                  \
    "movq " R "rbx, " CO_AT_(R, context, "24") "\n\t"                                              \
    "movq " R "r12, " CO_AT_(R, context, "32") "\n\t"                                              \
    "movq " R "r13, " CO_AT_(R, context, "40") "\n\t"                                              \
    "movq " R "r14, " CO_AT_(R, context, "48") "\n\t"                                              \
    "movq " R "r15, " CO_AT_(R, context, "56") "\n\t"
#define CO_LOAD_MORE_(R, context)                                                                  \
    "movq " CO_AT_(R, context, "24") ", " R "rbx\n\t"                                              \
    CO_MUTATE(drop_register, "movq " CO_AT_(R, context, "32") ", " R "r12\n\t", "")                \
    "movq " CO_AT_(R, context, "40") ", " R "r13\n\t"                                              \
    "movq " CO_AT_(R, context, "48") ", " R "r14\n\t"                                              \
    "movq " CO_AT_(R, context, "56") ", " R "r15\n\t"
#define CO_GO_(R, context) "jmpq *" CO_AT_(R, context, "8") "\n\t"

#define CO_LOAD_ALL_(R, context)                                                                   \
    CO_LOAD_SP_(R, context) CO_LOAD_BP_(R, context) CO_LOAD_MORE_(R, context)
// CO_START_(s): what a creation stores for CO_LOAD_BODY_. CO_ARRIVE_: what a body loads where it goes on.
// After a function of a library that is in its caller, so there all is loaded before the jump.
#if CO_SWITCH_LIVE_ONLY
#define CO_SAVE_BODY_(R) CO_SAVE_(R, CO_BODY_)
#define CO_LOAD_BODY_(R) CO_LOAD_SP_(R, CO_BODY_) CO_LOAD_BP_(R, CO_BODY_)
#define CO_START_(s) ((s)->body.bp = 0)
#define CO_ARRIVE_(R) ""
#define CO_LOAD_RESUMER_(R) CO_LOAD_SP_(R, CO_RESUMER_) CO_LOAD_BP_(R, CO_RESUMER_)
#elif CO_SWITCH_INLINED_
#define CO_SAVE_BODY_(R) CO_SAVE_(R, CO_BODY_) CO_SAVE_MORE_(R, CO_BODY_)
#define CO_LOAD_BODY_(R) CO_LOAD_SP_(R, CO_BODY_) "xorl " R "ebp, " R "ebp\n\t"
#define CO_START_(s) ((void)0)
#define CO_ARRIVE_(R) CO_LOAD_BP_(R, CO_BODY_) CO_LOAD_MORE_(R, CO_BODY_)
#define CO_LOAD_RESUMER_(R) CO_LOAD_SP_(R, CO_RESUMER_) CO_LOAD_BP_(R, CO_RESUMER_)
#else
#define CO_SAVE_BODY_(R) CO_SAVE_(R, CO_BODY_) CO_SAVE_MORE_(R, CO_BODY_)
#define CO_LOAD_BODY_(R) CO_LOAD_ALL_(R, CO_BODY_)
#define CO_START_(s) ((s)->body.bp = 0)
#define CO_ARRIVE_(R) ""
#define CO_LOAD_RESUMER_(R) CO_LOAD_ALL_(R, CO_RESUMER_)
#endif
// clang-format on

// All that the ABI lets a function call destroy, and all registers that can be declared destroyed.
#define CO_CALL_CLOBBERS_                                                                          \
    "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",       \
        "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st",        \
        "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc", "memory"
#define CO_ALL_CLOBBERS_                                                                           \
    "rbx", CO_MUTATE(drop_register, "r12", "cc"), "r13", "r14", "r15", CO_CALL_CLOBBERS_
#if CO_SWITCH_LIVE_ONLY
#define CO_YIELD_CLOBBERS_ CO_ALL_CLOBBERS_
#else
#define CO_YIELD_CLOBBERS_ CO_CALL_CLOBBERS_
#endif

// ---- Floating-point control words ---------------------------------------------------------------
// Stored at each transfer, loaded only if the other side's are different: storing and comparing
// costs less than half of loading always. Only the control bits of mxcsr are compared; to the ABI
// its status bits are what any call may change. What differs is loaded out of line.
#if CO_SWITCH_FP
#if !CO_SWITCH_INLINED_
#define CO_BODY_FP_ "128"
#define CO_RESUMER_FP_ "136"
#define CO_BODY_FP_AT_ 128
#elif CO_SWITCH_LIVE_ONLY
#define CO_BODY_FP_ "48"
#define CO_RESUMER_FP_ "56"
#define CO_BODY_FP_AT_ 48
#else
#define CO_BODY_FP_ "88"
#define CO_RESUMER_FP_ "96"
#define CO_BODY_FP_AT_ 88
#endif
static_assert(offsetof(struct co_switch, body_fp.x87) == CO_BODY_FP_AT_ + 4 &&
                  offsetof(struct co_switch, resumer_fp.mxcsr) == CO_BODY_FP_AT_ + 8,
              "the assembly knows these offsets");

// The words that are in force when a coroutine is created are its first ones.
#define CO_FP_START_(s)                                                                            \
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"((s)->body_fp.mxcsr), "=m"((s)->body_fp.x87))
// clang-format off
#define CO_FP_CHANGE_(R, mine, other)                                                              \
    "stmxcsr " CO_AT_(R, mine, "0") "\n\t"                                                         \
    "fnstcw " CO_AT_(R, mine, "4") "\n\t"                                                          \
    "movl " CO_AT_(R, mine, "0") ", " R "r8d\n\t"                                                  \
    "xorl " CO_AT_(R, other, "0") ", " R "r8d\n\t"                                                 \
    "movzwl " CO_AT_(R, mine, "4") ", " R "r9d\n\t"                                                \
    "testl $0xffc0, " R "r8d\n\t"                                                                  \
    "jne 3f\n4:\n\t"                                                                               \
    "cmpw " CO_AT_(R, other, "4") ", " R "r9w\n\t"                                                 \
    "jne 5f\n6:\n\t"                                                                               \
    ".subsection 1\n"                                                                              \
    "3:\n\tldmxcsr " CO_AT_(R, other, "0") "\n\tjmp 4b\n"                                         \
    "5:\n\t" CO_MUTATE(drop_control, "fldcw " CO_AT_(R, other, "4") "\n\t", "") "jmp 6b\n\t"      \
    ".previous\n\t"
// clang-format on
#define CO_FP_IN_(R) CO_FP_CHANGE_(R, CO_RESUMER_FP_, CO_BODY_FP_)
#define CO_FP_OUT_(R) CO_FP_CHANGE_(R, CO_BODY_FP_, CO_RESUMER_FP_)
#else
#define CO_FP_START_(s) ((void)0)
#define CO_FP_IN_(R) ""
#define CO_FP_OUT_(R) ""
#endif

// ---- Words of a backend's own -------------------------------------------------------------------
#if CO_SWITCH_MORE
#if CO_SWITCH_FP || CO_SWITCH_LIVE_ONLY
#error "no offsets are written for this combination"
#elif CO_SWITCH_INLINED_
#define CO_BODY_MORE_ "88"
#define CO_RESUMER_MORE_ "104"
#define CO_BODY_MORE_AT_ 88
#else
#define CO_BODY_MORE_ "128"
#define CO_RESUMER_MORE_ "144"
#define CO_BODY_MORE_AT_ 128
#endif
static_assert(offsetof(struct co_switch, body_more) == CO_BODY_MORE_AT_ &&
                  offsetof(struct co_switch, resumer_more) == CO_BODY_MORE_AT_ + 16,
              "the assembly knows these offsets");
#define CO_MORE_IN_(R) CO_MORE_CHANGE_(R, CO_RESUMER_MORE_, CO_BODY_MORE_)
#define CO_MORE_OUT_(R) CO_MORE_CHANGE_(R, CO_BODY_MORE_, CO_RESUMER_MORE_)
#else
#define CO_MORE_START_(s, top) ((void)0)
#define CO_MORE_IN_(R) ""
#define CO_MORE_OUT_(R) ""
#endif

// ---- Functions ----------------------------------------------------------------------------------

// Makes the first resume call entry(s) on the stack that ends at `top` (16-byte aligned). Whoever
// made the stack wrote the return address there, 0, which ends backtraces. Nothing returns to it
// and no body overwrites it.
CO_INLINE void co_arch_prepare(struct co_switch *s, void *top, void (*entry)(void *)) {
    void **sp = (void **)top - CO_MUTATE(misalign, 1, 2);
    s->body.sp = sp;
    s->body.ip = (void *)entry;
    CO_START_(s);
    CO_FP_START_(s);
    CO_MORE_START_(s, top);
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
    __asm__ volatile("leaq 1f(%%rip), %%rcx\n\t" CO_SAVE_("%%", CO_RESUMER_) CO_FP_IN_("%%")
                         CO_MORE_IN_("%%") CO_LOAD_BODY_("%%") CO_GO_("%%", CO_BODY_) "1:"
                     : "=a"(r.v), "=d"(r.st), "+S"(in)
                     : "D"(s)
                     : CO_ALL_CLOBBERS_);
    return r;
}

// Out of the body; comes back with what the next resume sends in.
CO_INLINE word co_arch_yield(struct co_switch *s, word v) {
    word in, st = CO_YIELDED;
    __asm__ volatile("leaq 1f(%%rip), %%rcx\n\t" CO_SAVE_BODY_("%%") CO_FP_OUT_("%%")
                         CO_MORE_OUT_("%%") CO_LOAD_RESUMER_("%%")
                             CO_GO_("%%", CO_RESUMER_) "1:\n\t" CO_ARRIVE_("%%")
                     : "+a"(v), "+d"(st), "=S"(in)
                     : "D"(s)
                     : CO_YIELD_CLOBBERS_);
    return CO_MUTATE(lose_sent, in, 0);
}

// Out of the body for good: nothing of it is saved.
__attribute__((noreturn)) CO_INLINE void co_arch_finish(struct co_switch *s, word v, word st) {
    __asm__ volatile(CO_FP_OUT_("%%") CO_MORE_OUT_("%%") CO_LOAD_RESUMER_("%%")
                         CO_GO_("%%", CO_RESUMER_)
                     :
                     : "a"(v), "d"(st), "D"(s)
                     : "memory");
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

#if defined(CO_RUNTIME) && !CO_SWITCH_INLINED_
// clang-format off
// A yield and a resume may meet inline code on the other side, so both answer in the same registers: rsi carries
// what is sent in and, for a function that returns it, rax too; rax and rdx carry what comes out.
__asm__(".text\n\t.p2align 4\n\t"
        ".globl co_arch_resume_far\n\t.hidden co_arch_resume_far\n\t.type co_arch_resume_far, @function\n"
        "co_arch_resume_far:\n\t" CO_PLANTED_TEXT_ "popq %rcx\n\t"
        CO_SAVE_("%", CO_RESUMER_) CO_SAVE_MORE_("%", CO_RESUMER_) "movq %rsi, %rax\n\t"
        CO_FP_IN_("%") CO_MORE_IN_("%") CO_LOAD_BODY_("%") CO_GO_("%", CO_BODY_)
        ".size co_arch_resume_far, . - co_arch_resume_far\n\t.p2align 4\n\t"
        ".globl co_arch_yield_far\n\t.hidden co_arch_yield_far\n\t.type co_arch_yield_far, @function\n"
        "co_arch_yield_far:\n\tpopq %rcx\n\t"
        CO_SAVE_BODY_("%") "movq %rsi, %rax\n\tmovl $1, %edx\n\t"
        CO_FP_OUT_("%") CO_MORE_OUT_("%") CO_LOAD_RESUMER_("%") CO_GO_("%", CO_RESUMER_)
        ".size co_arch_yield_far, . - co_arch_yield_far\n\t");
// clang-format on
#endif

#endif
