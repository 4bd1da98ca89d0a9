// Calling C from a body on a small stack: on the stack of whoever resumed the body, below its
// frames, where nothing happens as long as the body runs.
//
// Where that stack is was saved when the body was resumed: the resumer's stack pointer, in the
// control block. If it points into a small stack, a coroutine resumed this one, and that one's
// resumer is asked, and so on.
#ifndef CO_C_CALL_H
#define CO_C_CALL_H

#ifdef __cplusplus
extern "C" {
#endif
__attribute__((visibility("hidden"))) struct co_stackful *CO_RT(outermost)(struct co_stackful *co);
#ifdef __cplusplus
}
#endif

enum { CO_C_RED_ZONE = 128 }; // below the resumer's stack pointer, in use all the same

// Who is resumed from the system's stack: this one, or one of those that wait for it.
CO_INLINE struct co_stackful *co_outermost_(struct co_stackful *co) {
    if (CO_UNLIKELY(co_stack_is_ours_(co->sw.resumer.sp)))
        return CO_RT(outermost)(co);
    return co;
}

// f(arg) with the stack pointer at `sp`. rbx keeps the body's, as f has to.
CO_INLINE word co_call_at_(char *sp, word (*f)(word), word arg) {
    word result;
    sp = (char *)(((word)sp - CO_C_RED_ZONE) & ~(word)15) - CO_MUTATE(misalign_call, 0, 8);
    __asm__ volatile("movq %%rsp, %%rbx\n\tmovq %[sp], %%rsp\n\tcall *%[f]\n\tmovq %%rbx, %%rsp"
                     : "=a"(result), "+D"(arg)
                     : [sp] "r"(sp), [f] "r"(f)
                     : "rbx", "rdx", "rsi", CO_CALL_CLOBBERS_);
    return result;
}

#if CO_STACK_ASAN
// The sanitizer has to hear of both changes of stacks.
struct co_told_call {
    struct co_stackful *co, *outermost;
    word (*f)(word);
    word arg;
};

static __attribute__((unused)) word co_told_(word p) {
    struct co_told_call *c = (struct co_told_call *)p;
    const struct co_stack *stack = c->co->stack;
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
    word result = c->f(c->arg);
    __sanitizer_start_switch_fiber(NULL, stack->low, (size_t)((const char *)stack - stack->low));
    return result;
}

CO_INLINE word co_c_call_(struct co_stackful *co, word (*f)(word), word arg) {
    struct co_told_call c = {co, co_outermost_(co), f, arg};
    void *fake;
    __sanitizer_start_switch_fiber(&fake, c.outermost->notes.resumer_low,
                                   c.outermost->notes.resumer_bytes);
    word result = co_call_at_((char *)c.outermost->sw.resumer.sp, co_told_, (word)&c);
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
    return result;
}
#else
CO_INLINE word co_c_call_(struct co_stackful *co, word (*f)(word), word arg) {
    return co_call_at_((char *)co_outermost_(co)->sw.resumer.sp, f, arg);
}
#endif

#ifdef CO_RUNTIME
struct co_stackful *CO_RT(outermost)(struct co_stackful *co) {
    while (co_stack_is_ours_(co->sw.resumer.sp))
        co = co_stack_around_(co->sw.resumer.sp)->owner;
    return co;
}
#endif

#endif
