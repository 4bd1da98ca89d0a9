// The coroutine contract: the words that every backend and every scenario share.
//
// A backend's `backend.h` includes this file, defines the macros listed at the end (most backends
// do so by including one of the lowerings in impls/common/), and ends with `#include
// "corobench/coro_check.h"`, which refuses a backend that forgot one. Scenario text then compiles
// unchanged for every backend, as C17 or C++20.
#ifndef COROBENCH_CORO_H
#define COROBENCH_CORO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Raised by one whenever a backend or a scenario has to change to keep compiling or to stay
// correct.
#define CO_CONTRACT_VERSION 1

// What travels in and out of a coroutine: one machine word, wide enough for a pointer.
typedef uintptr_t word;

// What a resume says. Misuse and lack of memory are the negative codes of `enum co_error`.
enum co_status {
    CO_RETURNED = 0, // the body returned; out is its result; the coroutine is finished
    CO_YIELDED = 1,  // the body suspended itself; out is the yielded value
    CO_FAILED =
        2, // an error left the body uncaught; out is the error word; the coroutine is finished
    CO_PENDING = 4, // only from co_poll and awaitables (await.h): not yet; a waker has been kept
};

// Misuse is reported by the checked build (CO_CHECKED); a timed build does not look, except for
// CO_E_NOMEM.
enum co_error {
    CO_E_INVALID = -1, // resumed, thrown into or created through a variable that holds no coroutine
    CO_E_FINISHED = -2, // resumed or thrown into after it returned or failed
    CO_E_RUNNING =
        -3, // resumed, thrown into or closed while running: by itself or by one it resumed
    CO_E_NOMEM =
        -4, // no memory, stack, thread or address space; co_backend_reason() says which limit
    CO_E_CLOSING = -5,     // a body yielded while it was being closed
    CO_E_NOT_CLAIMED = -6, // the backend does not claim what was asked of it
};

// The error word raised at a coroutine call that found no memory for the callee's frame.
#define CO_NOMEM ((word)CO_E_NOMEM)

// A step's or a switch's answer; two words, which the C ABIs of interest return in two registers.
struct co_result {
    word v;  // value, result or error word
    word st; // enum co_status, or a code private to the backend's lowering
};

// What a backend claims. What is not claimed is reported "not claimed": neither failed nor skipped.
enum co_capability {
    CO_CAP_DEEP_YIELD = 1 << 0, // CO_DEEP_YIELD from a plain C function called by a body
    CO_CAP_RECURSION = 1 << 1,  // a body may call itself, to a depth not known beforehand
    CO_CAP_FP_CONTROL = 1 << 2, // mxcsr/x87 control words (or their like) belong to the coroutine
    CO_CAP_MOVABLE = 1 << 3,    // a suspended coroutine may be copied elsewhere and resumed there
    CO_CAP_MIGRATES = 1 << 4,   // may be resumed by another thread than the one that suspended it
    CO_CAP_GUARD = 1 << 5,      // running out of stack faults instead of overwriting a neighbour
    CO_CAP_REUSE = 1 << 6,      // keeps storage for reuse, so storage=fresh and =reused differ
    CO_CAP_PARALLEL = 1 << 7,   // runs on a kernel thread of its own, so cpus=2 means something
    CO_CAP_NO_ALLOCATION = 1 << 8, // a coroutine without calls lives wholly in the caller's storage
    CO_CAP_FLAT_STACK = 1 << 9,    // the resumer's native stack does not grow with call depth
    CO_CAP_STACK_SIZE =
        1 << 10, // CO_INIT_STACK's need is honoured (stackless: there is nothing to honour)
    CO_CAP_CALLEE_SAVED =
        1 << 11,            // all integer callee-saved registers survive a yield ("full ABI")
    CO_CAP_GROWS = 1 << 12, // a body may use more stack than it stated: pages, segments or copying
    CO_CAP_GIVES_BACK = 1 << 13, // memory of a deep excursion is not kept in the pool for ever
    CO_CAP_THREAD_LOCALS =
        1 << 14, // errno and thread-locals are right in a body that another thread resumed
    CO_CAP_CALLS_IN_PLACE = 1 << 15, // nor do coroutine calls need memory, but for recursive ones
    // CO_INIT runs the body to its first suspension. What it yields, its result or its error is
    // what the first resume says; an error that is thrown in before is raised at that yield, and a
    // close runs cleanups. A body that awaits first is not asked then, unless its creator is polled
    CO_CAP_EAGER = 1 << 16,
};

// Settings that the harness makes before the first coroutine exists; all zero but `guard` is the
// default.
struct co_config {
    bool fresh; // keep nothing for reuse: malloc for frames, mmap for stacks, a new thread
    bool guard; // guard pages; off only for the cells that ask what a guard costs
    size_t
        memory_limit; // refuse to hold more than this many bytes of frames or stacks; 0 is no limit
    void (*thread_started)(
        void); // called first on each thread that the backend starts; may be NULL
};

// How many coroutines can be alive at once, and what sets that limit.
struct co_limit {
    size_t live;        // SIZE_MAX where memory is the only limit
    const char *reason; // names the limit, e.g. "vm.max_map_count=65530: one mapping a guard"
};

// ---- Bindings and parts, set by the build for each translation unit
// ----------------------------------------

#define CO_BINDING_VISIBLE 1 // body in the loop's translation unit, resumed by name, inlinable
#define CO_BINDING_OPAQUE 2  // body in a unit of its own, resumed through a handle by inline code
#define CO_BINDING_LIBRARY                                                                         \
    3 // body and backend in a shared object, resumed through out-of-line functions

#ifndef CO_BINDING
#define CO_BINDING CO_BINDING_VISIBLE
#endif
#ifndef CO_PART_BODIES
#define CO_PART_BODIES 1 // this unit holds the coroutine bodies
#endif
#ifndef CO_PART_LOOP
#define CO_PART_LOOP 1 // this unit holds the loop that drives them
#endif
#ifndef CO_UNIT
#define CO_UNIT                                                                                    \
    unit // prefix of this scenario's external names, so that bindings can share a program
#endif
#ifndef CO_CHECKED
#define CO_CHECKED 0 // 1: misuse is an error code and locals are poisoned; never timed
#endif

#define CO_CAT_(a, b) a##_##b
#define CO_CAT(a, b) CO_CAT_(a, b)
#define CO_SYM(name) CO_CAT(CO_UNIT, name) // the external name of a body's entry or step function

// The functions of a backend's runtime, once in the program and once (co_lib_...) in the shared
// object.
#if CO_BINDING == CO_BINDING_LIBRARY
#define CO_RT(name) co_lib_##name
#define CO_EXPORT __attribute__((visibility("default")))
#else
#define CO_RT(name) co_##name
#define CO_EXPORT
#endif

// Opaque and library bodies must not be seen through, as if the optimiser had never met their text.
#if CO_BINDING == CO_BINDING_VISIBLE
#define CO_BODY_LINKAGE static
#elif defined(__clang__)
#define CO_BODY_LINKAGE CO_EXPORT __attribute__((noinline))
#else
#define CO_BODY_LINKAGE CO_EXPORT __attribute__((noipa))
#endif

#define CO_STRIP(...) __VA_ARGS__ // CO_STRIP arguments: takes the parentheses off
#define CO_LIKELY(x) __builtin_expect(!!(x), 1)
#define CO_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define CO_INLINE static inline __attribute__((always_inline, unused))
#define CO_COLD __attribute__((noinline, cold))

#ifdef __cplusplus
extern "C" {
#endif

// Applies settings. Only while no coroutine exists. Returns 0 or an `enum co_error`.
int co_backend_configure(const struct co_config *config);
int co_lib_backend_configure(const struct co_config *config);

// Gives back everything kept for reuse (pools, arenas). Only while no coroutine exists.
void co_backend_trim(void);
void co_lib_backend_trim(void);

// What limits the number of live coroutines here and now.
struct co_limit co_backend_limit(void);

// Why the last CO_E_NOMEM happened, for a person; a static string, never NULL.
const char *co_backend_reason(void);
const char *co_lib_backend_reason(void);

#ifdef __cplusplus
}
#endif

#include "corobench/await.h"

// ---- What a backend.h must define
// ---------------------------------------------------------------------------
//
// Facts (macros):
//   CO_BACKEND_CONTRACT   the CO_CONTRACT_VERSION it was written for, a number
//   CO_BACKEND_NAME       string; the same as its folder
//   CO_BACKEND_FAMILY     string: "thread", "fiber", "stackless", "poll", "peer" or "twin"
//   CO_BACKEND_SUMMARY    string: the technique in one line
//   CO_BACKEND_CAPS       or-ed enum co_capability
//   CO_BACKEND_VARIANT_OF optional, string: another backend, from which this one differs in one
//                         choice. A default run measures fewer cells of it, a full run all; the
//                         tests look at what that choice can break
//   co_handle             a type: pointer to the control block of any coroutine of this backend
//
// For the text of bodies. Every `my->` field keeps its value across a yield; nothing else does.
//   CORO_DECL(name, (arguments), (locals), (callees))   types and entry of a body; callees:
//   SUB(other) REC(self) CORO(name) { CO_BEGIN(name) ... CO_END }             or ... CO_FINALLY
//   cleanup CO_END_FINALLY } CO_YIELD(lv, v)             yields v; lv = what the next resume sends
//   in CO_CALL(lv, name, args...)  coroutine call; lv = its result. An uncaught error of it is
//   raised here CO_CALLREC(lv, name, args...)  the same for a callee named by REC CO_RETURN(v) ends
//   the body; also from inside CO_TRY CO_RAISE(e)                 raises the error word e CO_TRY
//   ... CO_CATCH(lv) ... CO_END_TRY   lv = the error word; close is not catchable CO_DELEGATE(lv,
//   handle)     yields whatever that coroutine yields, sends on what is sent, lv = its result.
//                               `handle` may be evaluated again at each resume
//   CO_AWAIT(lv, awaitable)     suspends until it is ready, lv = its value; await.h. A backend that
//                               defines none has that of coro_check.h, which yields
//   CO_CCALL(f, arg)            expression: word f(word) called where it has a real C stack
//   CO_SELF                     expression: this coroutine's co_handle (with CO_CAP_DEEP_YIELD)
//   CO_DEEP_YIELD(co, v)        expression, in plain C below a body: yields v, gives what is sent
//   CO_DISPATCH(BODIES)         once, after the bodies; BODIES(_) lists them as _(name)
//
// For whoever drives coroutines. `v` is CO_VAR(name) *. Statuses are int.
//   CO_VAR(name)                the type of a coroutine variable; all-zero is legal to CO_FINI
//   CO_INIT(name, v, args...)   0 or an `enum co_error`. The body does not start
//   CO_INIT_STACK(name, v, bytes, args...)   the same, stating that the body needs `bytes` of stack
//   CO_RESUME(name, v, in, out)   status; `in` of the first resume is ignored; `out` is a word *
//   CO_THROW(name, v, err, out)   raises err at the yield; before the first resume the body does
//   not start CO_FINI(name, v)            0 or an `enum co_error`; a suspended coroutine is closed:
//   cleanups, innermost first CO_HANDLE(v)                the co_handle of a variable
//   co_resume(handle, in, out), co_throw(handle, err, out), co_close(handle)   the same through a
//   handle; co_poll(handle, waker, in, out) resumes what may await (defined beside CO_AWAIT)
//
// A backend that needs out-of-line code writes it under `#ifdef CO_RUNTIME`: the build compiles
// backend.h once with that macro into each program and once into each shared object.

#endif
