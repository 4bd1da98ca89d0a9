// The executor: a ready queue of its own thread, a list that other threads push onto, epoll.
//
// A task is in a queue exactly when its `scheduled` is set; whoever sets it puts it there. It stays
// set when the task has finished, so that later wakes find nothing to do. Tasks live in slabs, and
// a task's memory lasts as long as anybody can name it: the runtime until it has finished, the
// handle, each waker. What all tasks share (struct core) outlives the runtime for the same reason.
#define _GNU_SOURCE
#include "corobench/runtime.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    SLAB_TASKS = 64,
    EVENTS = 64,   // taken from the kernel at a time
    LOOK_AT = 61,  // polls between two looks at the kernel while there is work; tokio's default
    BEFOREHAND = 2 // references of a new task: the runtime's and the handle's
};

struct co_task {
    struct co_task *next; // in a queue, or in a list of free ones
    struct core *core;
    void *state;
    co_future future;
    struct co_result answer;
    atomic_uint references;
    atomic_bool scheduled;
    bool dropped;  // the handle
    bool alive;    // not finished; false in a free place. The runtime's thread only
    bool stranded; // pending, and nobody has its waker
};

struct slab {
    struct slab *next;
    struct co_task tasks[SLAB_TASKS];
};

struct core {
    int epoll, bell; // the bell, an eventfd, ends a sleep
    atomic_bool sleeping;
    atomic_size_t references;        // of tasks, and one of the runtime
    _Atomic(struct co_task *) woken; // by other threads, the last one first
    _Atomic(struct co_task *) freed; // by any thread
    struct co_task *spare;           // free places that the runtime's thread has
    struct slab *slabs;
};

struct co_runtime {
    struct core *core;
    struct co_task *first, **last; // the ready queue
    size_t unfinished, stranded;
    struct co_runtime_counts counts;
};

// Where `woken` points when nobody will look any more.
static struct co_task closed;

// The runtime that this thread is running; wakes of its tasks need no other thread's list.
static _Thread_local struct co_runtime *running;

// ---- Memory -------------------------------------------------------------------------------------

static void core_drop(struct core *core) {
    if (atomic_fetch_sub_explicit(&core->references, 1, memory_order_acq_rel) > 1)
        return;
    for (struct slab *slab = core->slabs, *next; slab != NULL; slab = next) {
        next = slab->next;
        free(slab);
    }
    if (core->bell >= 0)
        close(core->bell);
    if (core->epoll >= 0)
        close(core->epoll);
    free(core);
}

static void push(_Atomic(struct co_task *) *list, struct co_task *task) {
    task->next = atomic_load_explicit(list, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(list, &task->next, task, memory_order_seq_cst,
                                                  memory_order_relaxed))
        ;
}

static void task_release(struct co_task *task) {
    if (atomic_fetch_sub_explicit(&task->references, 1, memory_order_acq_rel) > 1)
        return;
    struct core *core = task->core;
    push(&core->freed, task); // taken as a whole only, so no ABA
    core_drop(core);
}

static struct co_task *task_new(struct core *core) {
    if (core->spare == NULL)
        core->spare = atomic_exchange_explicit(&core->freed, NULL, memory_order_acquire);
    if (core->spare == NULL) {
        struct slab *slab = calloc(1, sizeof *slab);
        if (slab == NULL)
            return NULL;
        slab->next = core->slabs;
        core->slabs = slab;
        for (unsigned i = 0; i < SLAB_TASKS; i++) {
            slab->tasks[i].core = core;
            slab->tasks[i].next = i + 1 < SLAB_TASKS ? &slab->tasks[i + 1] : NULL;
        }
        core->spare = slab->tasks;
    }
    struct co_task *task = core->spare;
    core->spare = task->next;
    atomic_fetch_add_explicit(&core->references, 1, memory_order_relaxed);
    return task;
}

// ---- Waking -------------------------------------------------------------------------------------

static void enqueue(struct co_runtime *runtime, struct co_task *task) {
    task->next = NULL;
    *runtime->last = task;
    runtime->last = &task->next;
}

// Onto the list of other threads; the runtime's reference goes back if there is no runtime any
// more.
static void hand_over(struct core *core, struct co_task *task) {
    struct co_task *head = atomic_load_explicit(&core->woken, memory_order_acquire);
    do {
        if (head == &closed) {
            task_release(task);
            return;
        }
        task->next = head;
    } while (!atomic_compare_exchange_weak(&core->woken, &head, task));
    if (atomic_load(&core->sleeping) && atomic_exchange(&core->sleeping, false)) {
        uint64_t one = 1;
        while (write(core->bell, &one, sizeof one) < 0)
            ; // only a signal can stop it
    }
}

static struct co_waker waker_of(struct co_task *task);

static struct co_waker task_clone(void *data) {
    struct co_task *task = data;
    atomic_fetch_add_explicit(&task->references, 1, memory_order_relaxed);
    return waker_of(task);
}

static void task_wake(void *data) {
    struct co_task *task = data;
    if (atomic_exchange_explicit(&task->scheduled, true, memory_order_acq_rel))
        return;
    if (running != NULL && running->core == task->core)
        enqueue(running, task);
    else
        hand_over(task->core, task);
}

static void task_drop(void *data) {
    task_release(data);
}

static struct co_waker waker_of(struct co_task *task) {
    static const struct co_waker_ops ops = {task_clone, task_wake, task_drop};
    return (struct co_waker){&ops, task};
}

// ---- Running ------------------------------------------------------------------------------------

// Moves what other threads have woken to the ready queue, in the order they did.
static void take_woken(struct co_runtime *runtime) {
    struct core *core = runtime->core;
    if (atomic_load(&core->woken) == NULL)
        return;
    struct co_task *task = atomic_exchange(&core->woken, NULL), *first = NULL;
    while (task != NULL) {
        struct co_task *next = task->next;
        task->next = first;
        first = task;
        task = next;
    }
    while (first != NULL) {
        task = first;
        first = task->next;
        enqueue(runtime, task);
    }
}

// Waits for the kernel: -1 is for ever, 0 only looks.
static void look(struct co_runtime *runtime, int timeout) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(runtime->core->epoll, events, EVENTS, timeout);
    for (int i = 0; i < n; i++) {
        struct co_source *source = events[i].data.ptr;
        if (source == NULL)
            continue; // the bell
        source->ready = true;
        co_waker_wake(&source->waker);
    }
}

static void finish(struct co_runtime *runtime, struct co_task *task, struct co_result answer) {
    task->answer = answer;
    task->alive = false;
    runtime->unfinished--;
    runtime->counts.finished++;
    // If it was woken meanwhile it is in a queue, and released when it is taken out.
    if (!atomic_exchange_explicit(&task->scheduled, true, memory_order_acq_rel))
        task_release(task);
}

// After a pending answer. Whoever keeps no reference cannot wake, and who gave one back woke
// before.
static bool is_stranded(const struct co_task *task) {
    return atomic_load(&task->references) == (task->dropped ? 1 : BEFOREHAND) &&
           !atomic_load(&task->scheduled);
}

static void poll_next(struct co_runtime *runtime) {
    struct co_task *task = runtime->first;
    runtime->first = task->next;
    if (runtime->first == NULL)
        runtime->last = &runtime->first;
    if (!task->alive) {
        task_release(task);
        return;
    }
    // Before the poll: what wakes during it must bring another one.
    atomic_exchange_explicit(&task->scheduled, false, memory_order_acq_rel);
    struct co_waker waker = waker_of(task);
    runtime->counts.polls++;
    struct co_result answer = task->future(task->state, &waker);
    if (answer.st == CO_YIELDED) {
        co_waker_wake(&waker);
    } else if (answer.st != CO_PENDING) {
        finish(runtime, task, answer);
    } else if (is_stranded(task)) {
        task->stranded = true;
        runtime->stranded++;
    }
}

// Nothing is ready. False if nothing will ever be that matters.
static bool wait_for_wakes(struct co_runtime *runtime, struct co_task *target) {
    struct core *core = runtime->core;
    if (target != NULL ? is_stranded(target) : runtime->stranded > 0)
        return false;
    runtime->counts.waits++;
    atomic_store(&core->sleeping, true);
    bool woken = atomic_load(&core->woken) != NULL; // perhaps just before `sleeping` was seen
    look(runtime, woken ? 0 : -1);
    atomic_store(&core->sleeping, false);
    return true;
}

static int run_until(struct co_runtime *runtime, struct co_task *target) {
    struct co_runtime *outer = running;
    running = runtime;
    int status = 0;
    for (unsigned polls = 1; target != NULL ? target->alive : runtime->unfinished > 0; polls++) {
        take_woken(runtime);
        if (runtime->first != NULL) {
            poll_next(runtime);
            if (polls % LOOK_AT == 0)
                look(runtime, 0);
        } else if (!wait_for_wakes(runtime, target)) {
            status = CO_RUNTIME_STUCK;
            break;
        }
    }
    running = outer;
    return status;
}

// ---- The interface ------------------------------------------------------------------------------

struct co_runtime *co_runtime_create(void) {
    struct co_runtime *runtime = calloc(1, sizeof *runtime);
    struct core *core = calloc(1, sizeof *core);
    if (runtime == NULL || core == NULL) {
        free(runtime);
        free(core);
        return NULL;
    }
    atomic_init(&core->references, 1);
    core->epoll = epoll_create1(EPOLL_CLOEXEC);
    core->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    if (core->epoll < 0 || core->bell < 0 ||
        epoll_ctl(core->epoll, EPOLL_CTL_ADD, core->bell, &event) != 0) {
        core_drop(core);
        free(runtime);
        return NULL;
    }
    runtime->core = core;
    runtime->last = &runtime->first;
    return runtime;
}

void co_runtime_destroy(struct co_runtime *runtime) {
    if (runtime == NULL)
        return;
    struct core *core = runtime->core;
    take_woken(runtime);
    for (struct slab *slab = core->slabs; slab != NULL; slab = slab->next)
        for (unsigned i = 0; i < SLAB_TASKS; i++)
            if (slab->tasks[i].alive)
                finish(runtime, &slab->tasks[i], (struct co_result){0, (word)CO_E_FINISHED});
    while (runtime->first != NULL)
        poll_next(runtime); // all have finished: it only releases them
    for (struct co_task *task = atomic_exchange(&core->woken, &closed), *next; task != NULL;
         task = next) {
        next = task->next;
        task_release(task);
    }
    free(runtime);
    core_drop(core);
}

struct co_task *co_runtime_spawn(struct co_runtime *runtime, void *state, co_future poll_state) {
    struct co_task *task = task_new(runtime->core);
    if (task == NULL)
        return NULL;
    *task = (struct co_task){.core = runtime->core,
                             .state = state,
                             .future = poll_state,
                             .answer = {0, CO_PENDING},
                             .alive = true};
    atomic_init(&task->references, BEFOREHAND);
    atomic_init(&task->scheduled, true);
    runtime->unfinished++;
    enqueue(runtime, task);
    return task;
}

int co_runtime_block_on(struct co_runtime *runtime, struct co_task *task, word *out) {
    int status = run_until(runtime, task);
    return status < 0 ? status : co_task_answer(task, out);
}

int co_runtime_run(struct co_runtime *runtime) {
    return run_until(runtime, NULL);
}

struct co_runtime_counts co_runtime_count(const struct co_runtime *runtime) {
    return runtime->counts;
}

int co_task_answer(const struct co_task *task, word *out) {
    *out = task->answer.v;
    return (int)task->answer.st;
}

void co_task_drop(struct co_task *task) {
    if (task == NULL)
        return;
    task->dropped = true;
    task_release(task);
}

// ---- Sources ------------------------------------------------------------------------------------

static struct co_result source_ask(struct co_awaitable *self, const struct co_waker *waker) {
    struct co_source *source = (struct co_source *)self;
    if (source->ready) {
        source->ready = false;
        return (struct co_result){(word)source->fd, CO_RETURNED};
    }
    if (!co_waker_same(&source->waker, waker)) {
        co_waker_drop(&source->waker);
        source->waker = co_waker_clone(waker);
    }
    return (struct co_result){0, CO_PENDING};
}

int co_source_open(struct co_source *source, struct co_runtime *runtime, int fd,
                   enum co_source_for what) {
    *source = (struct co_source){.base = {source_ask}, .runtime = runtime, .fd = fd};
    struct epoll_event event = {.events = (what == CO_WRITABLE ? EPOLLOUT : EPOLLIN) | EPOLLRDHUP |
                                          EPOLLET,
                                .data.ptr = source};
    return epoll_ctl(runtime->core->epoll, EPOLL_CTL_ADD, fd, &event);
}

void co_source_close(struct co_source *source) {
    if (source->runtime != NULL)
        epoll_ctl(source->runtime->core->epoll, EPOLL_CTL_DEL, source->fd, NULL);
    source->runtime = NULL;
    co_waker_drop(&source->waker);
}
