// Coroutines that take turns on a running stack: who ran last stays there until another one that
// belongs to the same stack is resumed; only then bytes are copied.
//
// A coroutine always runs at the same addresses, so its first resume decides to which running stack
// it belongs: the lowest one on which nobody runs. That is one stack for all, and one more for each
// level of coroutines that resume coroutines. A suspended one that is resumed from above its own
// place (its stack is in use by the one that resumes it, or by one that resumed that) changes
// places with whoever is there: see copied_runtime.h.
//
// Addresses in a suspended coroutine are valid only while it runs, and while those run that it
// resumed on other stacks. Nothing here looks into one from outside; `handlers` is only compared
// with NULL.
#ifndef CO_COPIED_H
#define CO_COPIED_H

#include "corobench/coro.h"
#include "common/annotate.h"
#include "common/mutant.h"
#include "common/planted.h"
#include "common/switch/x86_64.h"

enum {
    CO_RUNNING_BYTES = 16 << 20, // of address space for a running stack, guard included
    CO_RUNNING_GUARD = 64 << 10, // below it
    CO_RUNNING_STEPS = 16,       // tops stand at this many different places,
    CO_RUNNING_STEP_BYTES = 192, // this far from each other, for the cache
    CO_RUNNING_MOST = 255,       // running stacks; one more for copying
};
// The largest need that can be stated.
#define CO_RUNNING_ROOM                                                                            \
    ((size_t)CO_RUNNING_BYTES - CO_RUNNING_GUARD - CO_RUNNING_STEPS * CO_RUNNING_STEP_BYTES - 4096)

struct co_handler;
enum co_life { CO_LIFE_NONE_, CO_LIFE_READY_, CO_LIFE_RUNNING_, CO_LIFE_FINISHED_ };

// The control block of who is in place may lie in a frame on another running stack, which may be
// copied out while it waits: so that it runs is said here.
struct co_running {
    struct co_stackful *in_place; // whose bytes are on it; NULL: nobody's
    bool busy;                    // that one is running, or waits for one that it resumed
    char *low, *top;
};

// The control block; what a handle points to.
struct co_stackful {
    struct co_switch sw;
    struct co_running *home; // since its first resume; NULL: there is no coroutine
    struct co_handler *handlers;
    char *saved;   // its bytes from the top of its stack down, while it is not in place
    word error;    // on its way to a handler
    unsigned room; // bytes at `saved`
    bool closing;  // no handler catches `error`
#if CO_CHECKED
    bool yielded_closing;
    enum co_life life;
#endif
#if CO_ANNOTATED
    struct co_notes notes;
#endif
};
typedef struct co_stackful *co_handle;

struct co_copied {
    struct co_running nowhere; // home of who was never resumed; nobody is in place there
    struct co_running stacks[CO_RUNNING_MOST];
    size_t count;
};

enum { CO_PLACE_TAKEN_ = 1 }; // by one that is running

#ifdef __cplusplus
extern "C" {
#endif
extern __attribute__((visibility("hidden"))) struct co_copied CO_RT(copied);
// Whether there can be a coroutine that states this need: 0 or CO_E_NOMEM.
__attribute__((visibility("hidden"))) int CO_RT(copied_allow)(size_t bytes);
// Brings a coroutine in place. 0, CO_PLACE_TAKEN_, or CO_E_NOMEM, with nothing changed.
__attribute__((visibility("hidden"))) int CO_RT(copied_place)(struct co_stackful *co);
// Enters one whose place is taken.
__attribute__((visibility("hidden"))) struct co_result
    CO_RT(copied_exchange)(struct co_stackful *co, word in, void (*landing)(void *));
__attribute__((visibility("hidden"))) void CO_RT(copied_forget)(struct co_stackful *co);
// Of coroutines in place elsewhere, those whose control blocks lie on this stack are gone with it.
__attribute__((visibility("hidden"))) void CO_RT(copied_orphan)(const struct co_running *stack);
#ifdef __cplusplus
}
#endif

// ---- Out of the body ----------------------------------------------------------------------------

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
    return in;
}

// Its bytes, from `sp` up, are of no use any more. Frames that are left without returning stay
// marked in the sanitizer's shadow.
CO_INLINE void co_leave_(struct co_running *stack, __attribute__((unused)) const void *sp) {
    CO_ASAN_(ASAN_UNPOISON_MEMORY_REGION(sp, (size_t)(stack->top - (const char *)sp));)
    stack->in_place = NULL;
    if (CO_UNLIKELY(CO_RT(copied).count > 1))
        CO_RT(copied_orphan)(stack);
}

__attribute__((noreturn)) CO_INLINE void co_finish_(struct co_stackful *co, word v, word st) {
    const void *sp = NULL;
    CO_ASAN_(__asm__ volatile("movq %%rsp, %0" : "=r"(sp));)
    co_leave_(co->home, sp);
    CO_NOTE_LAST_(&co->notes);
    co_arch_finish(&co->sw, v, st);
}

#include "common/stackful.h"

// ---- Into the body ------------------------------------------------------------------------------

CO_INLINE int co_create_here_(struct co_stackful *co, void (*entry)(void *), size_t bytes) {
    co->home = NULL;
    co->handlers = NULL;
    co->saved = NULL;
    co->room = 0;
#if CO_CHECKED
    co->life = CO_LIFE_NONE_;
    co->closing = co->yielded_closing = false;
#endif
    if (CO_UNLIKELY(CO_RT(copied).count == 0 || bytes != 0)) {
        int error = CO_RT(copied_allow)(bytes);
        if (error < 0)
            return error;
    }
    co->home = &CO_RT(copied).nowhere;
    co->sw.body.ip = (void *)entry; // all that is needed until the first resume
#if CO_CHECKED
    co->life = CO_LIFE_READY_;
#endif
    CO_NOTE_CREATED_(&co->notes, (char *)NULL, (char *)NULL);
    return 0;
}

// The library's yields are a function in assembly, which wants what is sent in rax too.
#if CO_BINDING == CO_BINDING_LIBRARY
CO_INLINE struct co_result co_resume_(struct co_switch *s, word in) {
    struct co_result r;
    __asm__ volatile("leaq 1f(%%rip), %%rcx\n\tmovq %%rsi, %%rax\n\t" CO_SAVE_("%%", CO_RESUMER_)
                         CO_LOAD_BODY_("%%") CO_GO_("%%", CO_BODY_) "1:"
                     : "=a"(r.v), "=d"(r.st), "+S"(in)
                     : "D"(s)
                     : CO_ALL_CLOBBERS_);
    return r;
}
#else
#define co_resume_ co_arch_resume
#endif

// Into one that is in place.
CO_INLINE struct co_result co_go_(struct co_stackful *co, word in, void (*landing)(void *)) {
    if (landing != NULL)
        co_arch_divert(&co->sw, landing);
    co->home->busy = true;
#if CO_CHECKED
    co->life = CO_LIFE_RUNNING_;
#endif
    CO_NOTE_ENTERING_(&co->notes, co->home->low, co->home->top);
    struct co_result r = co_resume_(&co->sw, in);
    CO_NOTE_BACK_(&co->notes);
    co->home->busy = false;
#if CO_CHECKED
    co->life = r.st == CO_YIELDED ? CO_LIFE_READY_ : CO_LIFE_FINISHED_;
#endif
    return r;
}

// The commonest start, without a call: nobody has bytes on the first running stack.
CO_INLINE bool co_start_(struct co_stackful *co) {
    struct co_running *first = &CO_RT(copied).stacks[0];
    if (co->home != &CO_RT(copied).nowhere || first->in_place != NULL)
        return false;
    co->home = first;
    first->in_place = co;
    co_arch_prepare(&co->sw, first->top, (void (*)(void *))co->sw.body.ip);
    return true;
}

// Goes on where the body is, or in `landing`.
CO_INLINE struct co_result co_enter_(struct co_stackful *co, word in, void (*landing)(void *)) {
    if (CO_UNLIKELY(co->home->in_place != co) && !co_start_(co)) {
        int placed = CO_RT(copied_place)(co);
        if (CO_UNLIKELY(placed < 0)) {
            struct co_result r = {0, (word)placed};
            return r;
        }
        if (CO_UNLIKELY(placed == CO_PLACE_TAKEN_))
            return CO_RT(copied_exchange)(co, in, landing);
    }
    return co_go_(co, in, landing);
}

#if CO_CHECKED
CO_INLINE int co_misuse_(const struct co_stackful *co) {
    return co->life == CO_LIFE_NONE_       ? CO_E_INVALID
           : co->life == CO_LIFE_RUNNING_  ? CO_E_RUNNING
           : co->life == CO_LIFE_FINISHED_ ? CO_E_FINISHED
                                           : 0;
}
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
    return co_enter_(co, in, NULL);
}

// Where a diverted body goes on: above what it had on its stack, which nothing returns to.
__attribute__((noreturn, unused)) static CO_COLD void co_landing_(void *p) {
    struct co_stackful *co = (struct co_stackful *)p;
    CO_NOTE_ARRIVED_(&co->notes);
    co_unwind_(co);
}

static CO_COLD __attribute__((unused)) int co_throw_here_(struct co_stackful *co, word error,
                                                          word *out) {
#if CO_CHECKED
    int misuse = co_misuse_(co);
    if (misuse < 0)
        return misuse;
#endif
    struct co_result r = {error, CO_FAILED};
    co->error = error;
    co->closing = false;
    if (co->home != &CO_RT(copied).nowhere)
        r = co_enter_(co, 0, co_landing_);
#if CO_CHECKED
    else
        co->life = CO_LIFE_FINISHED_;
#endif
    *out = r.v;
    return (int)r.st;
}

// Only a body with cleanups has to run again, for which there must be memory for whoever is in its
// place; any other just loses its bytes.
CO_INLINE int co_close_here_(struct co_stackful *co) {
    int status = 0;
#if CO_CHECKED
    if (co->life == CO_LIFE_RUNNING_)
        return CO_E_RUNNING;
#endif
    if (CO_UNLIKELY(co->handlers != NULL)) {
        co->error = 0;
        co->closing = true;
        struct co_result r = co_enter_(co, 0, co_landing_);
        if ((int)r.st < 0)
            return (int)r.st;
        if (r.st == CO_YIELDED)
            status = CO_E_CLOSING;
        co->handlers = NULL;
    }
#if CO_CHECKED
    if (co->life != CO_LIFE_NONE_) {
        if (co->yielded_closing)
            status = CO_E_CLOSING;
        co->yielded_closing = false; // said once: a second close finds nothing to do
        co->life = CO_LIFE_FINISHED_;
    }
#endif
    if (co->home != NULL) {
        if (co->home->in_place == co)
            co_leave_(co->home, co->sw.body.sp);
        if (co->saved != NULL)
            CO_RT(copied_forget)(co);
        CO_NOTE_CLOSED_(&co->notes);
        co->home = NULL;
    }
    return status;
}

#if CO_BINDING == CO_BINDING_LIBRARY
static __attribute__((unused)) struct co_result co_resume_far_(struct co_stackful *co, word in) {
    return co_resume_here_(co, in);
}
#define CO_RESUME_FAR_ co_resume_far_
#if CO_CHECKED || CO_ANNOTATED
static __attribute__((unused)) word co_yield_far_(struct co_stackful *co, word v) {
    return co_switch_out_(co, v);
}
#define CO_YIELD_FAR_ co_yield_far_
#else
// The control block starts with its struct co_switch.
#define CO_YIELD_FAR_ ((word(*)(co_handle, word))co_arch_yield_far)
#endif
#endif

#include "common/stackful_drive.h"

#endif
