// Threads as coroutines: a POSIX thread each, one of which runs while all others wait for their
// turn.
//
// The backend chooses how control is handed over (struct co_handoff and its four functions) and, by
// CO_THREADS_KEPT, whether a thread whose coroutine has ended is parked and serves another one. The
// thread is made by create, so that a lack of threads is an answer of create, and waits for its
// first turn.
#ifndef CO_THREAD_H
#define CO_THREAD_H

#include <pthread.h>
#include "corobench/coro.h"
#include "common/mutant.h"

#ifndef CO_THREADS_KEPT
#define CO_THREADS_KEPT 0
#endif

struct co_handler;
enum { CO_TURN_RESUMER_ = 0, CO_TURN_BODY_ = 1 };
enum co_order { CO_ORDER_SEND_, CO_ORDER_UNWIND_ };
enum co_life { CO_LIFE_NONE_, CO_LIFE_NEW_, CO_LIFE_READY_, CO_LIFE_RUNNING_, CO_LIFE_FINISHED_ };

// A thread, and whose turn it is.
struct co_thread {
    struct co_handoff handoff;
    struct co_stackful *co; // whom it runs; NULL: at its next turn it ends
    pthread_t id;
    size_t bytes; // of stack
    bool kept;    // parked when its coroutine has ended
    bool waits;   // for another turn after this one, so that it has to be told to end
#if CO_THREADS_KEPT
    struct co_thread *next; // while parked
#endif
};

// The control block; what a handle points to.
struct co_stackful {
#if CO_THREADS_KEPT
    struct co_thread *thread;
#else
    struct co_thread thread;
#endif
    unsigned char life;  // enum co_life
    unsigned char order; // enum co_order: what the resumer wants of the body
    bool closing, yielded_closing;
    word value, status; // the message, either way
    word error;
    struct co_handler *handlers;
    struct co_handler *root; // ends the body from any depth
    void (*entry)(void *);
};
typedef struct co_stackful *co_handle;

#if CO_THREADS_KEPT
#define CO_THREAD_(co) ((co)->thread)
#else
#define CO_THREAD_(co) (&(co)->thread)
#endif

#define CO_STARTED_(co) ((void)0)

__attribute__((noreturn, unused)) static CO_COLD void co_unwind_(struct co_stackful *co);

CO_INLINE word co_switch_out_(struct co_stackful *co, word v) {
#if CO_CHECKED
    if (co->closing) {
        co->yielded_closing = true; // reported by co_close; there is nobody to yield to
        return 0;
    }
#endif
    co->value = v;
    co->status = CO_YIELDED;
    co_handoff_pass_(&CO_THREAD_(co)->handoff, CO_TURN_RESUMER_);
    co_handoff_wait_(&CO_THREAD_(co)->handoff, CO_TURN_BODY_);
    if (CO_UNLIKELY(co->order != CO_ORDER_SEND_))
        co_unwind_(co);
    return CO_MUTATE(lose_sent, co->value, 0);
}

// The thread's last words are its answer; co_thread_main_ hands them over.
__attribute__((noreturn)) static inline void co_finish_(struct co_stackful *co, word v, word st);

#include "common/stackful.h"

__attribute__((noreturn)) static inline void co_finish_(struct co_stackful *co, word v, word st) {
    co->value = v;
    co->status = st;
    longjmp(co->root->at, 1);
}

#ifdef __cplusplus
extern "C" {
#endif
__attribute__((visibility("hidden"))) int CO_RT(thread_create)(struct co_stackful *co,
                                                               void (*entry)(void *), size_t bytes);
__attribute__((visibility("hidden"))) void CO_RT(thread_leave)(struct co_stackful *co);
#ifdef __cplusplus
}
#endif

CO_INLINE int co_create_here_(struct co_stackful *co, void (*entry)(void *), size_t bytes) {
    return CO_RT(thread_create)(co, entry, bytes);
}

CO_INLINE struct co_result co_enter_(struct co_stackful *co) {
    struct co_result r;
    co->life = CO_LIFE_RUNNING_;
    co_handoff_pass_(&CO_THREAD_(co)->handoff, CO_TURN_BODY_);
    co_handoff_wait_(&CO_THREAD_(co)->handoff, CO_TURN_RESUMER_);
    co->life = co->status == CO_YIELDED ? CO_LIFE_READY_ : CO_LIFE_FINISHED_;
    r.v = co->value;
    r.st = co->status;
    return r;
}

CO_INLINE int co_misuse_(const struct co_stackful *co) {
    return co->life == CO_LIFE_NONE_       ? CO_E_INVALID
           : co->life == CO_LIFE_RUNNING_  ? CO_E_RUNNING
           : co->life == CO_LIFE_FINISHED_ ? CO_E_FINISHED
                                           : 0;
}

CO_INLINE struct co_result co_resume_here_(struct co_stackful *co, word in) {
#if CO_CHECKED
    int misuse = co_misuse_(co);
    if (misuse < 0) {
        struct co_result r = {0, (word)misuse};
        return r;
    }
#endif
    co->value = in;
    return co_enter_(co);
}

static CO_COLD __attribute__((unused)) struct co_result co_order_(struct co_stackful *co,
                                                                  word error, bool closing) {
    co->order = CO_ORDER_UNWIND_;
    co->error = error;
    co->closing = closing;
    struct co_result r = co_enter_(co);
    co->order = CO_ORDER_SEND_;
    return r;
}

// A body that never started has no cleanup and no handler: the error passes it by.
static CO_COLD __attribute__((unused)) int co_throw_here_(struct co_stackful *co, word error,
                                                          word *out) {
#if CO_CHECKED
    int misuse = co_misuse_(co);
    if (misuse < 0)
        return misuse;
#endif
    struct co_result r = {error, CO_FAILED};
    if (co->life == CO_LIFE_NEW_)
        co->life = CO_LIFE_FINISHED_;
    else
        r = co_order_(co, error, false);
    *out = r.v;
    return (int)r.st;
}

// A body must have ended before its thread can serve another one or be joined, so every suspended
// one is unwound, cleanups or not.
CO_INLINE int co_close_here_(struct co_stackful *co) {
    int status = 0;
#if CO_CHECKED
    if (co->life == CO_LIFE_RUNNING_)
        return CO_E_RUNNING;
#endif
    if (co->life == CO_LIFE_NONE_ || co->entry == NULL)
        return 0;
    if (co->life == CO_LIFE_READY_)
        co_order_(co, 0, true);
    if (co->yielded_closing)
        status = CO_E_CLOSING;
    CO_RT(thread_leave)(co);
    co->life = CO_LIFE_FINISHED_;
    return status;
}

#if CO_BINDING == CO_BINDING_LIBRARY
static __attribute__((unused)) struct co_result co_resume_far_(struct co_stackful *co, word in) {
    return co_resume_here_(co, in);
}
static __attribute__((unused)) word co_yield_far_(struct co_stackful *co, word v) {
    return co_switch_out_(co, v);
}
#define CO_RESUME_FAR_ co_resume_far_
#define CO_YIELD_FAR_ co_yield_far_
#endif

#include "common/stackful_drive.h"

#ifdef CO_RUNTIME
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#if CO_THREADS_KEPT
#include <fenv.h>
#endif

static struct co_config co_threads_config_ = {false, true, 0, NULL};
static size_t co_threads_held_; // bytes of stack asked for by all threads, for the memory limit
static const char *co_threads_reason_ = "no allocation has failed";
static char co_threads_text_[160];

// The root handler is where a body ends that did not just return.
static void co_thread_run_(struct co_stackful *co) {
    struct co_handler root;
    co->root = &root;
    if (_setjmp(root.at) == 0)
        co->entry(co); // comes back by co_finish_
    co->handlers = NULL;
}

// The thread's function. After the last turn nothing of *t is looked at: it may be gone.
static void *co_thread_main_(void *p) {
    struct co_thread *t = (struct co_thread *)p;
    bool again;
    if (co_threads_config_.thread_started != NULL)
        co_threads_config_.thread_started();
#if CO_THREADS_KEPT
    fenv_t clean;
    fegetenv(&clean);
#endif
    do {
        co_handoff_wait_(&t->handoff, CO_TURN_BODY_);
        if (t->co == NULL)
            break;
        again = t->waits = t->kept;
        co_thread_run_(t->co);
#if CO_THREADS_KEPT
        if (CO_MUTATE(keeps_modes, true, false))
            fesetenv(&clean); // the next body must not find the rounding mode of this one
#endif
        co_handoff_pass_(&t->handoff, CO_TURN_RESUMER_);
    } while (again);
    return NULL;
}

// The bytes of stack that a thread has to have for a body that needs `bytes`.
static size_t co_thread_need_(size_t bytes) {
    static size_t usual;
    // The thread's own descriptor and thread-local data lie on its stack too.
    if (bytes != 0)
        return (bytes + PTHREAD_STACK_MIN + 16384 + 4095) & ~(size_t)4095;
    if (usual == 0) {
        pthread_attr_t attr;
        pthread_attr_init(&attr);
        pthread_attr_getstacksize(&attr, &usual);
        pthread_attr_destroy(&attr);
    }
    return usual;
}

static int co_thread_refused_(const char *reason) {
    if (CO_MUTATE(silent_failure, true, false))
        co_threads_reason_ = reason;
    return CO_E_NOMEM;
}

static int co_thread_start_(struct co_thread *t, size_t bytes) {
    pthread_attr_t attr;
    if (co_threads_config_.memory_limit != 0 &&
        co_threads_held_ + bytes > co_threads_config_.memory_limit)
        return co_thread_refused_("the memory limit set for stacks is reached");
    co_handoff_init_(&t->handoff, CO_TURN_RESUMER_);
    t->waits = true;
    t->bytes = bytes;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, bytes);
    if (!co_threads_config_.guard)
        pthread_attr_setguardsize(&attr, 0);
    int error = pthread_create(&t->id, &attr, co_thread_main_, t);
    pthread_attr_destroy(&attr);
    if (error == 0) {
        co_threads_held_ += bytes;
        return 0;
    }
    co_handoff_fini_(&t->handoff);
    snprintf(
        co_threads_text_, sizeof co_threads_text_,
        "pthread_create: %s; see ulimit -u, kernel.threads-max, kernel.pid_max and the pids cgroup",
        strerror(error));
    return co_thread_refused_(co_threads_text_);
}

static void co_thread_tell_to_end_(struct co_thread *t) {
    if (!t->waits)
        return;
    t->co = NULL;
    co_handoff_pass_(&t->handoff, CO_TURN_BODY_);
}

static void co_thread_join_(struct co_thread *t) {
    pthread_join(t->id, NULL);
    co_handoff_fini_(&t->handoff);
    co_threads_held_ -= t->bytes;
}

#if CO_THREADS_KEPT
// Parked threads, last parked first, by the logarithm of their stacks' sizes; the bit of a list
// that is not empty is set.
static struct co_thread *co_threads_parked_[64];
static uint64_t co_threads_lists_;

static unsigned co_thread_list_(size_t bytes) {
    return 63 - (unsigned)__builtin_clzll(bytes | 1);
}

static void co_thread_park_(struct co_thread *t) {
    unsigned list = co_thread_list_(t->bytes);
    t->next = co_threads_parked_[list];
    co_threads_parked_[list] = t;
    co_threads_lists_ |= (uint64_t)1 << list;
}

static struct co_thread *co_thread_unpark_from_(unsigned list) {
    struct co_thread *t = co_threads_parked_[list];
    co_threads_parked_[list] = t->next;
    if (t->next == NULL)
        co_threads_lists_ &= ~((uint64_t)1 << list);
    return t;
}

// A parked thread whose stack is large enough, or NULL. In the list of this size the first one may
// be too small, and none after it is tried; in the lists of larger sizes each will do.
static struct co_thread *co_thread_unpark_(size_t need) {
    size_t least = CO_MUTATE(any_thread, need, (need & 1));
    unsigned list = co_thread_list_(least);
    const struct co_thread *first = co_threads_parked_[list];
    if (first != NULL && first->bytes >= least)
        return co_thread_unpark_from_(list);
    uint64_t larger = co_threads_lists_ >> list >> 1 << 1 << list;
    return larger == 0 ? NULL : co_thread_unpark_from_((unsigned)__builtin_ctzll(larger));
}

// All are told first, so that they end beside each other. Those with the largest stacks are joined
// last: the C library's own cache is bounded in bytes, and is then left with a few of them.
static void co_threads_unpark_all_(void) {
    struct co_thread *all = NULL, *next;
    while (co_threads_lists_ != 0) {
        next = co_thread_unpark_from_(63 - (unsigned)__builtin_clzll(co_threads_lists_));
        co_thread_tell_to_end_(next);
        next->next = all;
        all = next;
    }
    for (; all != NULL; all = next) {
        next = all->next;
        co_thread_join_(all);
        free(all);
    }
}

// Parked threads with smaller stacks may be what stands in a new one's way: they go before it is
// refused.
static int co_thread_take_(struct co_stackful *co, size_t need) {
    struct co_thread *t = co_thread_unpark_(need);
    if (t == NULL) {
        t = (struct co_thread *)calloc(1, sizeof *t);
        if (t == NULL)
            return co_thread_refused_("malloc found no memory for a thread's record");
        t->kept = !co_threads_config_.fresh;
        int status = co_thread_start_(t, need);
        if (status < 0 && co_threads_lists_ != 0) {
            co_threads_unpark_all_();
            status = co_thread_start_(t, need);
        }
        if (status < 0) {
            free(t);
            return status;
        }
    }
    co->thread = t;
    return 0;
}

static void co_thread_give_back_(struct co_thread *t) {
    if (t->kept) {
        co_thread_park_(t);
        return;
    }
    co_thread_tell_to_end_(t);
    co_thread_join_(t);
    free(t);
}
#else
static int co_thread_take_(struct co_stackful *co, size_t need) {
    return co_thread_start_(&co->thread, need);
}

static void co_thread_give_back_(struct co_thread *t) {
    co_thread_tell_to_end_(t);
    co_thread_join_(t);
}

// Joined threads leave nothing here; glibc keeps some of their stacks, within its own limit.
static void co_threads_unpark_all_(void) {}
#endif

int CO_RT(thread_create)(struct co_stackful *co, void (*entry)(void *), size_t bytes) {
    memset(co, 0, sizeof *co);
    int status = co_thread_take_(co, co_thread_need_(bytes));
    if (status < 0)
        return status;
    CO_THREAD_(co)->co = co;
    co->entry = entry;
    co->life = CO_LIFE_NEW_;
    return 0;
}

void CO_RT(thread_leave)(struct co_stackful *co) {
    co_thread_give_back_(CO_THREAD_(co));
    co->entry = NULL;
}

CO_EXPORT int CO_RT(backend_configure)(const struct co_config *config) {
    co_threads_unpark_all_();
    co_threads_config_ = *config;
    return 0;
}

CO_EXPORT void CO_RT(backend_trim)(void) {
    co_threads_unpark_all_();
}

CO_EXPORT const char *CO_RT(backend_reason)(void) {
    return co_threads_reason_;
}

#if CO_BINDING != CO_BINDING_LIBRARY
static long co_number_in_(const char *path) {
    long n = LONG_MAX;
    FILE *f = fopen(path, "re");
    if (f != NULL) {
        if (fscanf(f, "%ld", &n) != 1)
            n = LONG_MAX; // "max": no limit here
        fclose(f);
    }
    return n;
}

// Four limits meet; the smallest is named. 300 of each are left to the rest of the machine.
struct co_limit co_backend_limit(void) {
    static char reason[96];
    struct rlimit user = {RLIM_INFINITY, RLIM_INFINITY};
    getrlimit(RLIMIT_NPROC, &user);
    const struct {
        const char *name;
        long value;
        long each;
    } limits[] = {
        {"kernel.threads-max", co_number_in_("/proc/sys/kernel/threads-max"), 1},
        {"kernel.pid_max", co_number_in_("/proc/sys/kernel/pid_max"), 1},
        {"vm.max_map_count", co_number_in_("/proc/sys/vm/max_map_count"), 2},
        {"pids.max of the cgroup", co_number_in_("/sys/fs/cgroup/pids.max"), 1},
        {"ulimit -u", user.rlim_cur == RLIM_INFINITY ? LONG_MAX : (long)user.rlim_cur, 1},
    };
    long least = LONG_MAX;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i].value == LONG_MAX || (limits[i].value - 300) / limits[i].each >= least)
            continue;
        least = limits[i].value > 300 ? (limits[i].value - 300) / limits[i].each : 0;
        snprintf(reason, sizeof reason, "%s=%ld", limits[i].name, limits[i].value);
    }
    return (struct co_limit){least == LONG_MAX ? SIZE_MAX : (size_t)least, reason};
}
#endif
#endif // CO_RUNTIME

#endif
