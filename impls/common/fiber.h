// Fibers: a body on a stack of its own, entered and left by an inline switch of stack pointers.
//
// The backend chooses its stacks (stack_pool.h) and its switch (switch/<architecture>.h). The
// switch path touches the control block and the two stacks, nothing else: no thread-local, no
// current-coroutine variable, no state word.
#ifndef CO_FIBER_H
#define CO_FIBER_H

#include "corobench/coro.h"
#include "common/annotate.h"
#include "common/planted.h"

// A backend with stacks of its own includes them first and defines CO_OWN_STACKS: struct co_stack
// (with its member `low`; the stack pointer starts at the record's address), co_stack_new,
// co_stack_free and the runtime functions, as stack_pool.h has them. With CO_STACK_HAS_OWNER the
// record also has a member `owner`: whose stack it is; with CO_STACK_HAS_HANDLERS a member
// `handlers`, NULL in each new stack and, by what is written here, in each one that is freed: so no
// creation has to set it. The word below the record is 0 in each new stack: the return address of
// the function that a body starts with, which no body overwrites.
#ifndef CO_OWN_STACKS
#include "common/stack_pool.h"
#endif

// A backend with a switch of its own includes it first and defines CO_OWN_SWITCH: struct co_switch
// and co_arch_prepare, _resume, _yield and _finish, as switch/x86_64.h describes them.
// One that can also make a suspended body go on in another function (co_arch_divert) sets
// CO_ARCH_DIVERTS; without, each resumed body tests a flag. One that has assembly entry points for
// the library binding sets CO_ARCH_FAR.
#if defined(CO_OWN_SWITCH)
#elif defined(__x86_64__)
#include "common/switch/x86_64.h"
#else
#error "no switch for this architecture; the build lists this backend as unavailable"
#endif

struct co_handler;
enum co_life { CO_LIFE_NONE_, CO_LIFE_READY_, CO_LIFE_RUNNING_, CO_LIFE_FINISHED_ };

// The control block; what a handle points to.
struct co_stackful {
    struct co_switch sw;
    struct co_stack *stack; // NULL: there is none to give back
#if !CO_STACK_HAS_HANDLERS
    struct co_handler *handlers;
#endif
    word error;   // on its way to a handler
    bool closing; // no handler catches it
#if !CO_ARCH_DIVERTS
    bool diverted; // what the body finds when it is resumed
#endif
#if CO_CHECKED
    bool yielded_closing;
    enum co_life life;
#endif
#if CO_ANNOTATED
    struct co_notes notes;
#endif
};
typedef struct co_stackful *co_handle;
#if CO_STACK_HAS_HANDLERS
#define CO_HANDLERS_(co) ((co)->stack->handlers)
#else
#define CO_HANDLERS_(co) ((co)->handlers)
#endif

// ---- Out of the body
// ---------------------------------------------------------------------------------------

#define CO_STARTED_(co) CO_NOTE_STARTED_(&(co)->notes)

__attribute__((noreturn, unused)) static CO_COLD void co_unwind_(struct co_stackful *co);

CO_INLINE word co_switch_out_(struct co_stackful *co, word v) {
#if CO_CHECKED
    if (co->closing && co->life == CO_LIFE_RUNNING_) {
        co->yielded_closing = true; // reported by co_close; there is nobody to yield to
        return 0;
    }
#endif
    CO_NOTE_LEAVING_(&co->notes);
    word in = co_arch_yield(&co->sw, v);
    CO_NOTE_ARRIVED_(&co->notes);
#if !CO_ARCH_DIVERTS
    if (CO_UNLIKELY(co->diverted)) {
        co->diverted = false;
        co_unwind_(co);
    }
#endif
    return in;
}

__attribute__((noreturn)) CO_INLINE void co_finish_(struct co_stackful *co, word v, word st) {
    CO_NOTE_LAST_(&co->notes);
    co_arch_finish(&co->sw, v, st);
}

#include "common/stackful.h"

// ---- Into the body
// -----------------------------------------------------------------------------------------

CO_INLINE int co_create_here_(struct co_stackful *co, void (*entry)(void *), size_t bytes) {
    struct co_stack *stack = co_stack_new(bytes);
    co->stack = stack;
#if !CO_STACK_HAS_HANDLERS
    co->handlers = NULL;
#endif
#if !CO_ARCH_DIVERTS
    co->diverted = false;
#endif
#if CO_CHECKED
    co->life = stack == NULL ? CO_LIFE_NONE_ : CO_LIFE_READY_;
    co->closing = co->yielded_closing = false;
#endif
    if (CO_UNLIKELY(stack == NULL))
        return CO_E_NOMEM;
    CO_NOTE_CREATED_(&co->notes, stack->low, (char *)stack);
#if CO_STACK_HAS_OWNER
    stack->owner = co;
#endif
    co_arch_prepare(&co->sw, stack, entry);
    return 0;
}

CO_INLINE struct co_result co_enter_(struct co_stackful *co, word in) {
    CO_NOTE_ENTERING_(&co->notes, co->stack->low, (char *)co->stack);
    struct co_result r = co_arch_resume(&co->sw, in);
    CO_NOTE_BACK_(&co->notes);
    return r;
}

#if CO_CHECKED
CO_INLINE int co_misuse_(const struct co_stackful *co) {
    return co->life == CO_LIFE_NONE_       ? CO_E_INVALID
           : co->life == CO_LIFE_RUNNING_  ? CO_E_RUNNING
           : co->life == CO_LIFE_FINISHED_ ? CO_E_FINISHED
                                           : 0;
}
CO_INLINE struct co_result co_checked_enter_(struct co_stackful *co, word in) {
    co->life = CO_LIFE_RUNNING_;
    struct co_result r = co_enter_(co, in);
    co->life = r.st == CO_YIELDED ? CO_LIFE_READY_ : CO_LIFE_FINISHED_;
    return r;
}
#define CO_ENTER_(co, in) co_checked_enter_((co), (in))
#else
#define CO_ENTER_(co, in) co_enter_((co), (in))
#endif

CO_INLINE struct co_result co_resume_here_(struct co_stackful *co, word in) {
#if CO_CHECKED
    int misuse = co_misuse_(co);
    if (misuse < 0) {
        struct co_result r = {0, (word)misuse};
        return r;
    }
#endif
    CO_PLANTED_();
    return CO_ENTER_(co, in);
}

#if CO_ARCH_DIVERTS
// Where a diverted body goes on: above what it had on its stack, which nothing returns to.
__attribute__((noreturn, unused)) static CO_COLD void co_landing_(void *p) {
    struct co_stackful *co = (struct co_stackful *)p;
    CO_NOTE_ARRIVED_(&co->notes);
    co_unwind_(co);
}
#endif

CO_INLINE struct co_result co_divert_(struct co_stackful *co, word error, bool closing) {
    co->error = error;
    co->closing = closing;
#if CO_ARCH_DIVERTS
    co_arch_divert(&co->sw, co_landing_);
#else
    co->diverted = true;
#endif
    return CO_ENTER_(co, 0);
}

// A body without handlers, among them each that has not started, has nothing to run: it is left
// where it is, as by a close.
static CO_COLD __attribute__((unused)) int co_throw_here_(struct co_stackful *co, word error,
                                                          word *out) {
#if CO_CHECKED
    int misuse = co_misuse_(co);
    if (misuse < 0)
        return misuse;
#endif
    struct co_result r = {error, CO_FAILED};
    if (co->stack != NULL && CO_HANDLERS_(co) != NULL)
        r = co_divert_(co, error, false);
#if CO_CHECKED
    else
        co->life = CO_LIFE_FINISHED_;
#endif
    *out = r.v;
    return (int)r.st;
}

CO_INLINE int co_release_(struct co_stackful *co) {
    int status = 0;
#if CO_CHECKED
    if (co->life != CO_LIFE_NONE_) {
        if (co->yielded_closing)
            status = CO_E_CLOSING;
        co->yielded_closing = false; // said once: a second close finds nothing to do
        co->life = CO_LIFE_FINISHED_;
    }
#endif
    if (CO_LIKELY(co->stack != NULL)) {
        CO_NOTE_CLOSED_(&co->notes);
        co_stack_free(co->stack);
        co->stack = NULL;
    }
    return status;
}

// Inline: after a body that has jumped to its handlers a `ret` of the resumer is mispredicted.
CO_INLINE int co_clean_up_(struct co_stackful *co) {
    bool yielded = co_divert_(co, 0, true).st == CO_YIELDED;
    CO_HANDLERS_(co) = NULL;
    int status = co_release_(co);
    return yielded ? CO_E_CLOSING : status;
}

// Only a body with cleanups has to run again; any other just loses its stack.
CO_INLINE int co_close_here_(struct co_stackful *co) {
#if CO_CHECKED
    if (co->life == CO_LIFE_RUNNING_)
        return CO_E_RUNNING;
#endif
    if (co->stack != NULL && CO_UNLIKELY(CO_HANDLERS_(co) != NULL))
        return co_clean_up_(co);
    return co_release_(co);
}

#if CO_BINDING == CO_BINDING_LIBRARY
#if CO_CHECKED || CO_ANNOTATED || !CO_ARCH_FAR
static __attribute__((unused)) struct co_result co_resume_far_(struct co_stackful *co, word in) {
    return co_resume_here_(co, in);
}
static __attribute__((unused)) word co_yield_far_(struct co_stackful *co, word v) {
    return co_switch_out_(co, v);
}
#define CO_RESUME_FAR_ co_resume_far_
#define CO_YIELD_FAR_ co_yield_far_
#else
// The control block starts with its struct co_switch.
#define CO_RESUME_FAR_ ((struct co_result(*)(co_handle, word))co_arch_resume_far)
#define CO_YIELD_FAR_ ((word(*)(co_handle, word))co_arch_yield_far)
#endif
#endif

#include "common/stackful_drive.h"

#endif
