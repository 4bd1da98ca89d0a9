// The conformance kit: what a check may use.
//
// A part (parts/*.c) holds bodies under `#if CO_PART_BODIES` and checks under `#if CO_PART_LOOP`,
// as a scenario does, and is compiled for a binding as a scenario is. KIT_CHECK puts a check into
// the kit's one table, a linker section, so no check has to be listed a second time. Each check
// runs in a process of its own: it may crash, hang, or leave a backend configured as it likes.
#ifndef KIT_H
#define KIT_H

#include "corobench/coro.h"
#include "trace.h"

#ifdef __cplusplus
extern "C" {
#endif

enum kit_how {
    KIT_ALWAYS,
    KIT_CHECKED, // asks for an error code that only the checked build gives
    KIT_SEGV,    // holds if the process dies by SIGSEGV
};

struct kit_check {
    const char *file;
    int line;
    const char *name;
    const char *purpose;
    unsigned needs; // enum co_capability bits
    enum kit_how how;
    int binding; // CO_BINDING of the unit that holds it
    void (*run)(void);
};

// What kit.c, which is not compiled against backends, has to know of the one under test.
struct kit_facts {
    const char *backend;
    unsigned capabilities;
    bool checked;
};
extern const struct kit_facts kit_facts;

// Ends this check as failed; to be called from a check, not from a body.
__attribute__((noreturn, format(printf, 3, 4))) void kit_fail(const char *file, int line,
                                                              const char *format, ...);
// Ends this check as not claimed, for a reason that no capability bit names.
__attribute__((noreturn)) void kit_not_claimed(const char *reason);
void kit_want(const char *file, int line, const char *text, word is, word wanted);
void kit_want_status(const char *file, int line, const char *text, int is, int wanted);
void kit_want_answer(const char *file, int line, const char *text, int status, int wanted_status,
                     word value, word wanted_value);
void kit_want_trace(const char *file, int line, const struct trace *is, unsigned n,
                    const word *wanted);

// Alternates: whether the next resume is by name.
bool kit_by_name(void);

// Memory of this process, for leaks and limits.
struct kit_memory {
    size_t mappings; // lines of /proc/self/maps
    size_t resident; // bytes
    size_t heap;     // bytes in use, as malloc counts them; 0 under a sanitizer
};
struct kit_memory kit_memory_now(void);

// Whether a sanitizer owns malloc and the address space, so that kit_memory says nothing of use.
#if defined(__SANITIZE_ADDRESS__)
#define KIT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KIT_ASAN 1
#endif
#endif
extern const bool kit_sanitized;

// Lets the n-th allocation from now fail (1: the next one; 0: none any more), and with `all_later`
// every one after it. Memory, mappings, guards and threads count alike. Not under a sanitizer.
void kit_fail_allocation(unsigned n, bool all_later);
unsigned kit_allocations_failed(void); // how many have, since then
bool kit_can_fail_allocations(void);

// Calls f(arg) with the callee-saved registers filled from `fill`; `seen` is what they hold
// afterwards. False, with f called all the same, where no probe is written for this architecture.
enum { KIT_REGISTERS = 6 };
bool kit_probe(word (*f)(void *), void *arg, const word *fill, word *seen);
const char *kit_register(unsigned i);

// What MADV_GUARD_INSTALL does from now on: to be called before the first coroutine.
enum kit_kernel {
    KIT_KERNEL_REAL,
    KIT_KERNEL_OLD,       // before Linux 6.13: there is none
    KIT_KERNEL_THAT_LIES, // says it guards and does not, as under qemu-user
};
void kit_play_kernel(enum kit_kernel which);

// Have a frame of so many bytes and touch its far end only (leap.c); the first is compiled to touch
// each page on its way.
word kit_leap_probed(word bytes);
word kit_leap_unprobed(word bytes);

#ifdef __cplusplus
}
#endif

// Applies settings to the runtime of this binding and checks that they are taken.
static inline void kit_configure(bool fresh, bool guard, size_t memory_limit) {
    struct co_config config;
    config.fresh = fresh;
    config.guard = guard;
    config.memory_limit = memory_limit;
    config.thread_started = NULL;
    kit_want_status(__FILE__, __LINE__, "configure", CO_RT(backend_configure)(&config), 0);
}

// A check. `needs` are the capabilities it asks for, `how` is one of enum kit_how, `purpose` is one
// line. The table holds pointers: a compiler may pad structures in a section, but never pointers.
#define KIT_CHECK(name, needs, how, purpose)                                                       \
    static void check_##name(void);                                                                \
    static const struct kit_check kit_##name##_ = {__FILE__, __LINE__, #name,      purpose,        \
                                                   needs,    how,      CO_BINDING, check_##name};  \
    static const struct kit_check *const kit_at_##name##_                                          \
        __attribute__((section("kit_checks"), used)) = &kit_##name##_;                             \
    static void check_##name(void)

#define WANT(expression, wanted)                                                                   \
    kit_want(__FILE__, __LINE__, #expression, (word)(expression), (word)(wanted))
#define WANT_STATUS(expression, wanted)                                                            \
    kit_want_status(__FILE__, __LINE__, #expression, (expression), (wanted))
// The events of a trace, all of them: WANT_TRACE(&t, 1, 2, 3).
#define WANT_TRACE(trace, ...)                                                                     \
    do {                                                                                           \
        static const word wanted_[] = {__VA_ARGS__};                                               \
        kit_want_trace(__FILE__, __LINE__, (trace), sizeof wanted_ / sizeof wanted_[0], wanted_);  \
    } while (0)
#define WANT_NO_TRACE(trace) kit_want_trace(__FILE__, __LINE__, (trace), 0, NULL)
#define FAIL(...) kit_fail(__FILE__, __LINE__, __VA_ARGS__)

// One resume or throw, and what must come of it; by name and through the handle in turn. Out of
// line, or the compiler would inline some hundred bodies; loops that must be inlined say CO_RESUME.
#define GO(name, v, in, out)                                                                       \
    (kit_by_name() ? kit_resume_##name(v, in, out) : kit_resume(CO_HANDLE(v), in, out))
#define HURL(name, v, err, out)                                                                    \
    (kit_by_name() ? kit_throw_##name(v, err, out) : kit_throw(CO_HANDLE(v), err, out))
#define WANT_GO(name, v, in, status, value)                                                        \
    do {                                                                                           \
        word wanted_ = (word)(value), out_ = ~wanted_;                                             \
        int is_ = GO(name, v, in, &out_);                                                          \
        kit_want_answer(__FILE__, __LINE__, "resume of " #name, is_, status, out_, wanted_);       \
    } while (0)
#define WANT_HURL(name, v, err, status, value)                                                     \
    do {                                                                                           \
        word wanted_ = (word)(value), out_ = ~wanted_;                                             \
        int is_ = HURL(name, v, err, &out_);                                                       \
        kit_want_answer(__FILE__, __LINE__, "throw into " #name, is_, status, out_, wanted_);      \
    } while (0)
// What the above need, once in each part that uses them: KIT_DRIVERS(CO_BODIES).
#define KIT_DRIVERS(bodies)                                                                        \
    static __attribute__((noinline, unused)) int kit_resume(co_handle co, word in, word *out) {    \
        return co_resume(co, in, out);                                                             \
    }                                                                                              \
    static __attribute__((noinline, unused)) int kit_throw(co_handle co, word err, word *out) {    \
        return co_throw(co, err, out);                                                             \
    }                                                                                              \
    bodies(KIT_DRIVER_)
#define KIT_DRIVER_(name)                                                                          \
    static __attribute__((noinline, unused)) int kit_resume_##name(CO_VAR(name) * v, word in,      \
                                                                   word * out) {                   \
        return CO_RESUME(name, v, in, out);                                                        \
    }                                                                                              \
    static __attribute__((noinline, unused)) int kit_throw_##name(CO_VAR(name) * v, word err,      \
                                                                  word * out) {                    \
        return CO_THROW(name, v, err, out);                                                        \
    }
#define WANT_INIT(name, ...) WANT_STATUS(CO_INIT(name, __VA_ARGS__), 0)
#define WANT_FINI(name, v) WANT_STATUS(CO_FINI(name, v), 0)

// A body's own words kept across yields cost a stack at most this much a level in any build.
enum { KIT_LEVEL_BYTES = 1024 };

#endif
