// Threads as coroutines: a POSIX thread each, one of which runs while all others wait for their
// turn.
//
// The backend chooses how control is handed over (struct co_handoff and its four functions). The
// thread is made by create, so that a lack of threads is an answer of create, and waits for its
// first turn.
#ifndef CO_THREAD_H
#define CO_THREAD_H

#include <pthread.h>
#include "corobench/coro.h"
#include "common/mutant.h"

struct co_handler;
enum { CO_TURN_RESUMER_ = 0, CO_TURN_BODY_ = 1 };
enum co_order { CO_ORDER_SEND_, CO_ORDER_UNWIND_, CO_ORDER_NEVER_START_ };
enum co_life { CO_LIFE_NONE_, CO_LIFE_NEW_, CO_LIFE_READY_, CO_LIFE_RUNNING_, CO_LIFE_FINISHED_ };

// The control block; what a handle points to.
struct co_stackful {
    struct co_handoff handoff;
    unsigned char life;  // enum co_life
    unsigned char order; // enum co_order: what the resumer wants of the body
    bool closing, yielded_closing;
    word value, status; // the message, either way
    word error;
    struct co_handler *handlers;
    struct co_handler *root; // ends the body from any depth
    void (*entry)(void *);
    pthread_t thread;
    size_t bytes; // of stack, for the memory limit
};
typedef struct co_stackful *co_handle;

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
    co_handoff_pass_(&co->handoff, CO_TURN_RESUMER_);
    co_handoff_wait_(&co->handoff, CO_TURN_BODY_);
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
__attribute__((visibility("hidden"))) void CO_RT(thread_join)(struct co_stackful *co);
#ifdef __cplusplus
}
#endif

CO_INLINE int co_create_here_(struct co_stackful *co, void (*entry)(void *), size_t bytes) {
    return CO_RT(thread_create)(co, entry, bytes);
}

CO_INLINE struct co_result co_enter_(struct co_stackful *co) {
    struct co_result r;
    co->life = CO_LIFE_RUNNING_;
    co_handoff_pass_(&co->handoff, CO_TURN_BODY_);
    co_handoff_wait_(&co->handoff, CO_TURN_RESUMER_);
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

static CO_COLD __attribute__((unused)) struct co_result
co_order_(struct co_stackful *co, enum co_order order, word error, bool closing) {
    co->order = (unsigned char)order;
    co->error = error;
    co->closing = closing;
    struct co_result r = co_enter_(co);
    co->order = CO_ORDER_SEND_;
    return r;
}

static CO_COLD __attribute__((unused)) int co_throw_here_(struct co_stackful *co, word error,
                                                          word *out) {
#if CO_CHECKED
    int misuse = co_misuse_(co);
    if (misuse < 0)
        return misuse;
#endif
    enum co_order order = co->life == CO_LIFE_NEW_ ? CO_ORDER_NEVER_START_ : CO_ORDER_UNWIND_;
    struct co_result r = co_order_(co, order, error, false);
    *out = order == CO_ORDER_NEVER_START_ ? error : r.v;
    return order == CO_ORDER_NEVER_START_ ? (int)CO_FAILED : (int)r.st;
}

// A thread must have ended before it can be joined, so every suspended body is unwound, cleanups or
// not.
CO_INLINE int co_close_here_(struct co_stackful *co) {
    int status = 0;
#if CO_CHECKED
    if (co->life == CO_LIFE_RUNNING_)
        return CO_E_RUNNING;
#endif
    if (co->life == CO_LIFE_NONE_ || co->entry == NULL)
        return 0;
    if (co->life == CO_LIFE_NEW_)
        co_order_(co, CO_ORDER_NEVER_START_, 0, true);
    else if (co->life == CO_LIFE_READY_)
        co_order_(co, CO_ORDER_UNWIND_, 0, true);
    if (co->yielded_closing)
        status = CO_E_CLOSING;
    CO_RT(thread_join)(co);
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

static struct co_config co_threads_config_ = {false, true, 0, NULL};
static size_t co_threads_bytes_; // stack asked for by all live threads, for the memory limit
static const char *co_threads_reason_ = "no allocation has failed";
static char co_threads_text_[160];

// The thread's function. The root handler is where a body ends that did not just return.
static void *co_thread_main_(void *p) {
    struct co_stackful *co = (struct co_stackful *)p;
    struct co_handler root;
    if (co_threads_config_.thread_started != NULL)
        co_threads_config_.thread_started();
    co_handoff_wait_(&co->handoff, CO_TURN_BODY_);
    co->root = &root;
    if (co->order == CO_ORDER_NEVER_START_)
        co->status = CO_FAILED;
    else if (_setjmp(root.at) == 0)
        co->entry(co); // comes back by co_finish_
    co->handlers = NULL;
    co_handoff_pass_(&co->handoff, CO_TURN_RESUMER_);
    return NULL;
}

static int co_thread_refused_(int error) {
    if (error == 0)
        return 0;
    snprintf(
        co_threads_text_, sizeof co_threads_text_,
        "pthread_create: %s; see ulimit -u, kernel.threads-max, kernel.pid_max and the pids cgroup",
        strerror(error));
    co_threads_reason_ = co_threads_text_;
    return CO_E_NOMEM;
}

int CO_RT(thread_create)(struct co_stackful *co, void (*entry)(void *), size_t bytes) {
    pthread_attr_t attr;
    size_t asked;
    memset(co, 0, sizeof *co);
    pthread_attr_init(&attr);
    if (bytes != 0) {
        // The thread's own descriptor and thread-local data lie on its stack too.
        bytes = (bytes + PTHREAD_STACK_MIN + 16384 + 4095) & ~(size_t)4095;
        pthread_attr_setstacksize(&attr, bytes);
    }
    if (!co_threads_config_.guard)
        pthread_attr_setguardsize(&attr, 0);
    pthread_attr_getstacksize(&attr, &asked);
    int error = 0;
    if (co_threads_config_.memory_limit != 0 &&
        co_threads_bytes_ + asked > co_threads_config_.memory_limit) {
        pthread_attr_destroy(&attr);
        co_threads_reason_ = "the memory limit set for stacks is reached";
        return CO_E_NOMEM;
    }
    co_handoff_init_(&co->handoff, CO_TURN_RESUMER_);
    co->entry = entry;
    error = pthread_create(&co->thread, &attr, co_thread_main_, co);
    pthread_attr_destroy(&attr);
    if (error != 0) {
        co_handoff_fini_(&co->handoff);
        co->entry = NULL;
    } else {
        co->life = CO_LIFE_NEW_;
        co->bytes = asked;
        co_threads_bytes_ += asked;
    }
    return co_thread_refused_(error);
}

void CO_RT(thread_join)(struct co_stackful *co) {
    pthread_join(co->thread, NULL);
    co_handoff_fini_(&co->handoff);
    co_threads_bytes_ -= co->bytes;
    co->entry = NULL;
}

CO_EXPORT int CO_RT(backend_configure)(const struct co_config *config) {
    co_threads_config_ = *config;
    return 0;
}

// Joined threads leave nothing here; glibc keeps some of their stacks, within its own limit.
CO_EXPORT void CO_RT(backend_trim)(void) {}

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
