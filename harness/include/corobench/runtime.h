// A small executor: it polls tasks that were woken and sleeps while none is.
//
// Tasks are futures in a C ABI: a state, and a function that polls it with a waker. co_task_poll
// (coro_check.h) is that function for a coroutine of any backend, so
//
//   struct co_runtime *rt = co_runtime_create();
//   struct co_task *task = co_runtime_spawn(rt, CO_HANDLE(&v), co_task_poll);
//   int status = co_runtime_block_on(rt, task, &out);
//
// runs v to its end. One thread creates, spawns, runs and destroys; wakers, co_event_set and what
// is said to be so may be used on any thread. Nothing here knows coroutines: harness/runtime.
#ifndef COROBENCH_RUNTIME_H
#define COROBENCH_RUNTIME_H

#include "corobench/coro.h"

#ifdef __cplusplus
extern "C" {
#endif

struct co_runtime;
struct co_task;

// Answers as an awaitable does. CO_YIELDED gives way: it is polled again after those that are
// ready. Any other answer ends the task, CO_RETURNED with its value.
typedef struct co_result (*co_future)(void *state, const struct co_waker *waker);

// What block_on and run answer when they cannot go on: a task is pending and no waker of it is kept
// anywhere, so that nobody can ever wake it.
enum { CO_RUNTIME_STUCK = -20 };

struct co_runtime_counts {
    uint64_t polls;    // of futures
    uint64_t finished; // tasks
    uint64_t waits;    // times the executor had nothing to do and asked the kernel
};

// NULL where there is no memory or no file descriptor.
struct co_runtime *co_runtime_create(void);

// Tasks that have not finished are never polled again; their wakers stay valid and wake nobody.
void co_runtime_destroy(struct co_runtime *runtime);

// A task, which is ready to be polled; NULL where there is no memory. The state is the caller's and
// must live until the task has finished or the runtime is destroyed. The handle must be given to
// co_task_drop.
struct co_task *co_runtime_spawn(struct co_runtime *runtime, void *state, co_future poll_state);

// Polls what is ready until this task has finished; what its future answered, or CO_RUNTIME_STUCK.
int co_runtime_block_on(struct co_runtime *runtime, struct co_task *task, word *out);

// Polls what is ready until all tasks have finished: 0, or CO_RUNTIME_STUCK.
int co_runtime_run(struct co_runtime *runtime);

struct co_runtime_counts co_runtime_count(const struct co_runtime *runtime);

// What the future answered, CO_PENDING while it has not finished, CO_E_FINISHED if it never will
// because the runtime is gone.
int co_task_answer(const struct co_task *task, word *out);

// Gives the handle back. The task goes on without it.
void co_task_drop(struct co_task *task);

// ---- What there is to wait for
// -----------------------------------------------------------------------------------

// Something that happens, on whatever thread: one task waits at a time. What is set before anybody
// waits is not lost; what is set twice before it is seen is seen once, with the last value.
struct co_event {
    struct co_awaitable base;
    struct co_waker waker; // kept from one wait to the next, as that is mostly by the same task
    word value;
    bool set;
    bool locked;
};

void co_event_init(struct co_event *event);
void co_event_set(struct co_event *event, word value); // any thread
void co_event_fini(struct co_event *event);            // drops the waker it has kept

// A file descriptor that becomes readable or writable. It must not block: read until EAGAIN, then
// wait. (Readiness is told once, when it changes: EPOLLET.)
enum co_source_for { CO_READABLE, CO_WRITABLE };
struct co_source {
    struct co_awaitable base;
    struct co_waker waker;
    struct co_runtime *runtime;
    int fd;
    bool ready;
};

// 0, or -1 with errno. A descriptor can be in one source of a runtime.
int co_source_open(struct co_source *source, struct co_runtime *runtime, int fd,
                   enum co_source_for what);
void co_source_close(struct co_source *source); // the descriptor stays open

#ifdef __cplusplus
}
#endif

#endif
