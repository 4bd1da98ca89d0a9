// Two mistakes that a first design of wakers makes, transcribed, and that each is noticed.
//
// The design is a sketch of a runtime behind a C ABI for a compiler of async functions: a future is
// polled with a `Waker *` of two words, data and wake. Its example future answers pending without
// having given the waker to anybody; and as nothing says how a waker is kept, who does keep it
// keeps the pointer, which is dead when the poll is over.
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "corobench/runtime.h"

// ---- The sketch, as it is written
// ----------------------------------------------------------------

typedef enum { POLL_READY, POLL_PENDING } PollStatus;

typedef struct {
    void *data;
    void (*wake)(void *);
} Waker;

typedef void *FutureState;
typedef PollStatus (*PollFn)(FutureState, Waker *);

// Its example: fetches a url, reads the body of the response. An option is a flag beside a value.
struct fetch_data {
    unsigned state_id;
    bool has_response, has_body;
    word body;
    unsigned polls;
};

static PollStatus fetch_data_poll(FutureState state, Waker *waker) {
    struct fetch_data *s = state;
    (void)waker; // the sketch never mentions it again
    s->polls++;
    switch (s->state_id) {
    case 0: // initial state: start http_get
        s->state_id = 1;
        return POLL_PENDING;
    case 1: // after the first await
        if (s->has_response)
            s->state_id = 2;
        return POLL_PENDING;
    default: // after the second await
        return s->has_body ? POLL_READY : POLL_PENDING;
    }
}

// ---- The first mistake: pending, and nobody has the waker
// ----------------------------------------

static void sketch_wake(void *data) {
    co_waker_wake(data);
}

// On the executor of this project.
static struct co_result sketch_on_runtime(void *state, const struct co_waker *waker) {
    struct fetch_data *s = state;
    Waker theirs = {(void *)waker, sketch_wake};
    PollStatus status = fetch_data_poll(s, &theirs);
    return (struct co_result){s->body, status == POLL_READY ? CO_RETURNED : CO_PENDING};
}

static void pending_without_a_waker(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    struct fetch_data s = {.body = 42};
    struct co_task *task = co_runtime_spawn(rt, &s, sketch_on_runtime);
    word out;
    assert_int_equal(co_runtime_block_on(rt, task, &out), CO_RUNTIME_STUCK);
    assert_int_equal(s.polls, 1);
    s.has_response = s.has_body = true; // all is there, and nobody comes back for it
    assert_int_equal(co_runtime_block_on(rt, task, &out), CO_RUNTIME_STUCK);
    assert_int_equal(s.polls, 1);
    // Its second state would hang too: it has the response, goes on to the next await, and is
    // pending without having asked for the body.
    Waker nobody = {NULL, NULL};
    assert_int_equal(fetch_data_poll(&s, &nobody), POLL_PENDING);
    assert_int_equal(s.state_id, 2);
    assert_int_equal(fetch_data_poll(&s, &nobody), POLL_READY);
    co_task_drop(task);
    co_runtime_destroy(rt);
}

// The same function written for the contract: it asks what it awaits, goes on while that is ready.
struct asking {
    struct co_event response, body;
    unsigned state_id, polls;
};

static struct co_result asking_poll(void *state, const struct co_waker *waker) {
    struct asking *s = state;
    struct co_result r;
    s->polls++;
    if (s->state_id == 0) {
        r = s->response.base.ask(&s->response.base, waker);
        if (r.st == CO_PENDING)
            return r;
        s->state_id = 1;
    }
    return s->body.base.ask(&s->body.base, waker);
}

static struct co_result serving_poll(void *state, const struct co_waker *waker) {
    (void)waker;
    struct asking *s = state;
    co_event_set(&s->response, 1);
    co_event_set(&s->body, 42);
    return (struct co_result){0, CO_RETURNED};
}

static void pending_with_a_waker(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    struct asking s = {.state_id = 0};
    co_event_init(&s.response);
    co_event_init(&s.body);
    struct co_task *task = co_runtime_spawn(rt, &s, asking_poll);
    co_task_drop(co_runtime_spawn(rt, &s, serving_poll));
    word out;
    assert_int_equal(co_runtime_block_on(rt, task, &out), CO_RETURNED);
    assert_int_equal(out, 42);
    assert_int_equal(s.polls, 2);
    co_task_drop(task);
    co_event_fini(&s.response);
    co_event_fini(&s.body);
    co_runtime_destroy(rt);
}

// ---- The second mistake: a pointer to a waker is kept
// --------------------------------------------

// Registers its waker in the only way that the sketch leaves: by its address.
struct keeps_pointer {
    Waker *waker;
    bool happened;
};

static PollStatus keeps_pointer_poll(FutureState state, Waker *waker) {
    struct keeps_pointer *s = state;
    if (s->happened)
        return POLL_READY;
    s->waker = waker;
    return POLL_PENDING;
}

struct sketch_task {
    FutureState state;
    PollFn poll;
    bool ready, finished;
};

static void sketch_task_wake(void *data) {
    ((struct sketch_task *)data)->ready = true;
}

// An executor for the sketch: one waker, set anew for each poll, as one on a stack would be. (It
// lies outside the stack here, so that what is read afterwards is defined.) Runs until nothing is
// ready.
static void sketch_run(struct sketch_task *tasks, int n, Waker *waker) {
    for (bool any = true; any;) {
        any = false;
        for (int i = 0; i < n; i++) {
            if (!tasks[i].ready || tasks[i].finished)
                continue;
            any = true;
            tasks[i].ready = false;
            waker->data = &tasks[i];
            waker->wake = sketch_task_wake;
            tasks[i].finished = tasks[i].poll(tasks[i].state, waker) == POLL_READY;
        }
    }
}

static void kept_pointer_wakes_another(void **unused) {
    (void)unused;
    struct keeps_pointer states[2] = {{NULL, false}};
    struct sketch_task tasks[2] = {{&states[0], keeps_pointer_poll, true, false},
                                   {&states[1], keeps_pointer_poll, true, false}};
    Waker waker;
    sketch_run(tasks, 2, &waker);
    states[0].happened = true;
    states[0].waker->wake(states[0].waker->data);
    assert_false(tasks[0].ready); // it is the other one's by now
    assert_true(tasks[1].ready);
    sketch_run(tasks, 2, &waker);
    assert_false(tasks[0].finished); // pending for ever, though what it waits for has happened
}

#if defined(__SANITIZE_ADDRESS__)
#define SEES_DEAD_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEES_DEAD_MEMORY 1
#endif
#endif
#ifndef SEES_DEAD_MEMORY
#define SEES_DEAD_MEMORY 0
#endif

// The same with a waker that is gone after its poll; in a child, which the sanitizer must stop.
static void wake_through_dead_waker(void) {
    struct keeps_pointer state = {NULL, false};
    struct sketch_task task = {&state, keeps_pointer_poll, true, false};
    Waker *waker = malloc(sizeof *waker);
    sketch_run(&task, 1, waker);
    free(waker);
    Waker *volatile kept = state.waker; // no compiler may see what becomes of it
    kept->wake(kept->data);
}

static void kept_pointer_is_dead(void **unused) {
    (void)unused;
    if (!SEES_DEAD_MEMORY)
        skip(); // only this sanitizer sees it; the wrong wake above is seen everywhere
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        wake_through_dead_waker();
        _exit(0);
    }
    close(fds[1]);
    static char report[1 << 16];
    size_t used = 0;
    for (ssize_t n; (n = read(fds[0], report + used, sizeof report - 1 - used)) > 0;)
        used += (size_t)n;
    close(fds[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    assert_non_null(strstr(report, "heap-use-after-free"));
}

// With a clone each is woken by its own, as late as one likes.
struct keeps_clone {
    struct co_waker waker;
    bool happened;
};

static struct co_result keeps_clone_poll(void *state, const struct co_waker *waker) {
    struct keeps_clone *s = state;
    co_waker_drop(&s->waker);
    if (s->happened)
        return (struct co_result){7, CO_RETURNED};
    s->waker = co_waker_clone(waker);
    return (struct co_result){0, CO_PENDING};
}

static void kept_clone_wakes_its_own(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    struct asking s = {.state_id = 1};
    struct keeps_clone states[2] = {{{NULL, NULL}, false}};
    struct co_task *tasks[2];
    co_event_init(&s.body);
    for (int i = 0; i < 2; i++)
        tasks[i] = co_runtime_spawn(rt, &states[i], keeps_clone_poll);
    struct co_task *last = co_runtime_spawn(rt, &s, asking_poll);
    word out;
    co_event_set(&s.body, 1);
    assert_int_equal(co_runtime_block_on(rt, last, &out), CO_RETURNED);
    states[0].happened = true;
    co_waker_wake(&states[0].waker);
    assert_int_equal(co_runtime_block_on(rt, tasks[0], &out), CO_RETURNED);
    assert_int_equal(out, 7);
    assert_int_equal(co_task_answer(tasks[1], &out), CO_PENDING);
    co_waker_drop(&states[1].waker);
    co_event_fini(&s.body);
    for (int i = 0; i < 2; i++)
        co_task_drop(tasks[i]);
    co_task_drop(last);
    co_runtime_destroy(rt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pending_without_a_waker),    cmocka_unit_test(pending_with_a_waker),
        cmocka_unit_test(kept_pointer_wakes_another), cmocka_unit_test(kept_pointer_is_dead),
        cmocka_unit_test(kept_clone_wakes_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
