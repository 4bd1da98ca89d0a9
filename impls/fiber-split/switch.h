// What a switch of split stacks does beside impls/common/switch/x86_64.h: two words more.
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

// A segment has one limit, so that both words are saved only if the limit is not the one that was
// saved last: a store each time would make each switch wait for the one before, through memory.
struct co_more {
    void *limit;
    struct co_segment *segment;
};

// clang-format off
#define CO_SPLIT_AT_(R, context, offset) offset "+" context "(" R "rdi)"
#define CO_SPLIT_FIND_(R) "movq __morestack_current_segment@gottpoff(" R "rip), " R "r9\n\t"
#define CO_SPLIT_LIMIT_IN_(R) CO_MUTATE(keep_limit, "movq " R "r8, " R "fs:0x70\n\t", "")
// The segment before the limit: a signal handler between them that needs more stack then leaves
// the limit that comes next.
#define CO_SPLIT_LOAD_(R, context)                                                                 \
    "movq " CO_SPLIT_AT_(R, context, "0") ", " R "r8\n\t"                                          \
    "movq " CO_SPLIT_AT_(R, context, "8") ", " R "r10\n\t"                                         \
    "movq " R "r10, " R "fs:(" R "r9)\n\t"                                                         \
    CO_SPLIT_LIMIT_IN_(R)
#define CO_MORE_CHANGE_(R, mine, other)                                                            \
    CO_SPLIT_FIND_(R)                                                                              \
    "movq " R "fs:0x70, " R "r8\n\t"                                                               \
    "cmpq " R "r8, " CO_SPLIT_AT_(R, mine, "0") "\n\t"                                             \
    CO_MUTATE(keep_segment, "jne 7f\n8:\n\t", "jmp 8f\n8:\n\t")                                    \
    CO_SPLIT_LOAD_(R, other)                                                                       \
    ".subsection 1\n"                                                                              \
    "7:\n\tmovq " R "fs:(" R "r9), " R "r10\n\t"                                                   \
    "movq " R "r8, " CO_SPLIT_AT_(R, mine, "0") "\n\t"                                             \
    "movq " R "r10, " CO_SPLIT_AT_(R, mine, "8") "\n\t"                                            \
    "jmp 8b\n\t"                                                                                   \
    ".previous\n\t"
// clang-format on

// No segment has the control block for a limit, so the first resume saves what the resumer has.
#define CO_MORE_START_(s, top)                                                                     \
    ((s)->body_more.limit = ((const struct co_stack *)(top))->limit,                               \
     (s)->body_more.segment = co_first_segment_((const struct co_stack *)(top)),                   \
     (s)->resumer_more.limit = (s))

// ---- Handlers
// -----------------------------------------------------------------------------------

// setjmp and longjmp for handlers. Those of the C library know neither word, and a function that
// calls them would be one that calls code without split stacks, which takes a segment of 1 MiB.
struct co_split_context {
    void *sp, *ip;
    word bp, bx, r12, r13, r14, r15;
    struct co_more more;
};
typedef struct co_split_context co_mark[1];
static_assert(offsetof(struct co_split_context, more) == 64, "the assembly knows these offsets");

#ifdef __cplusplus
extern "C" {
#endif
__attribute__((visibility("hidden"), returns_twice)) int co_split_mark(struct co_split_context *at);
__attribute__((visibility("hidden"), noreturn)) void co_split_jump(struct co_split_context *at);
#ifdef __cplusplus
}
#endif
#define CO_MARK_(at) co_split_mark(at)
#define CO_JUMP_(at) co_split_jump(at)

#ifdef CO_RUNTIME
// clang-format off
#define CO_SPLIT_JUMP_LOAD_ CO_MUTATE(jump_keeps_limit, CO_SPLIT_LOAD_("%", "64"), "")
__asm__(".text\n\t.p2align 4\n\t"
        ".globl co_split_mark\n\t.hidden co_split_mark\n\t.type co_split_mark, @function\n"
        "co_split_mark:\n\t"
        "popq %rcx\n\t" CO_SPLIT_FIND_("%")
        "movq %rsp, 0(%rdi)\n\tmovq %rcx, 8(%rdi)\n\tmovq %rbp, 16(%rdi)\n\tmovq %rbx, 24(%rdi)\n\t"
        "movq %r12, 32(%rdi)\n\tmovq %r13, 40(%rdi)\n\tmovq %r14, 48(%rdi)\n\tmovq %r15, 56(%rdi)\n\t"
        "movq %fs:0x70, %r8\n\tmovq %fs:(%r9), %r10\n\tmovq %r8, 64(%rdi)\n\tmovq %r10, 72(%rdi)\n\t"
        "pushq %rcx\n\txorl %eax, %eax\n\tret\n\t"
        ".size co_split_mark, . - co_split_mark\n\t.p2align 4\n\t"
        ".globl co_split_jump\n\t.hidden co_split_jump\n\t.type co_split_jump, @function\n"
        "co_split_jump:\n\t" CO_SPLIT_FIND_("%") CO_SPLIT_JUMP_LOAD_
        "movq 0(%rdi), %rsp\n\tmovq 16(%rdi), %rbp\n\tmovq 24(%rdi), %rbx\n\tmovq 32(%rdi), %r12\n\t"
        "movq 40(%rdi), %r13\n\tmovq 48(%rdi), %r14\n\tmovq 56(%rdi), %r15\n\t"
        "movl $1, %eax\n\tjmpq *8(%rdi)\n\t"
        ".size co_split_jump, . - co_split_jump\n\t");
// clang-format on
#endif

#endif
