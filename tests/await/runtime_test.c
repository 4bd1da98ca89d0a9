// The executor with futures written by hand: who is woken, how often it is polled, what is kept.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "corobench/runtime.h"

static struct co_result answer(word v, int status) {
    return (struct co_result){v, (word)status};
}

// Waits for its event `times` times, and answers the sum of what it was given.
struct summing {
    struct co_event event;
    unsigned times, polls;
    word sum;
};

static struct co_result summing_poll(void *state, const struct co_waker *waker) {
    struct summing *s = state;
    s->polls++;
    while (s->times > 0) {
        struct co_result r = s->event.base.ask(&s->event.base, waker);
        if (r.st == CO_PENDING)
            return r;
        s->sum += r.v;
        s->times--;
    }
    return answer(s->sum, CO_RETURNED);
}

static struct summing summing_of(unsigned times) {
    struct summing s = {.times = times};
    co_event_init(&s.event);
    return s;
}

static void ready_at_once(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    struct summing s = summing_of(0);
    struct co_task *task = co_runtime_spawn(rt, &s, summing_poll);
    word out = 9;
    assert_int_equal(co_task_answer(task, &out), CO_PENDING);
    assert_int_equal(s.polls, 0); // spawning polls nothing
    assert_int_equal(co_runtime_block_on(rt, task, &out), CO_RETURNED);
    assert_int_equal(out, 0);
    assert_int_equal(s.polls, 1);
    assert_int_equal(co_runtime_run(rt), 0); // nothing is left
    co_task_drop(task);
    co_runtime_destroy(rt);
}

static struct co_result failing_poll(void *state, const struct co_waker *waker) {
    (void)waker;
    return answer(*(word *)state, CO_FAILED);
}

static void answers_errors(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    word error = 77, out = 0;
    struct co_task *task = co_runtime_spawn(rt, &error, failing_poll);
    assert_int_equal(co_runtime_block_on(rt, task, &out), CO_FAILED);
    assert_int_equal(out, 77);
    co_task_drop(task);
    co_runtime_destroy(rt);
}

// Sets the event of another task; gives way in between.
struct setting {
    struct co_event *event;
    unsigned times;
};

static struct co_result setting_poll(void *state, const struct co_waker *waker) {
    (void)waker;
    struct setting *s = state;
    if (s->times == 0)
        return answer(0, CO_RETURNED);
    co_event_set(s->event, s->times--);
    return answer(0, CO_YIELDED);
}

static void woken_by_another_task(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    struct summing s = summing_of(10);
    struct setting other = {&s.event, 10};
    struct co_task *task = co_runtime_spawn(rt, &s, summing_poll);
    co_task_drop(co_runtime_spawn(rt, &other, setting_poll));
    word out = 0;
    assert_int_equal(co_runtime_block_on(rt, task, &out), CO_RETURNED);
    assert_int_equal(out, 55);
    assert_int_equal(s.polls, 11); // once to begin with, once a wake
    assert_int_equal(co_runtime_run(rt), 0);
    assert_int_equal(co_runtime_count(rt).polls, 22);
    assert_int_equal(co_runtime_count(rt).finished, 2);
    assert_int_equal(co_runtime_count(rt).waits, 0);
    co_task_drop(task);
    co_event_fini(&s.event);
    co_runtime_destroy(rt);
}

static void set_before_the_first_poll(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    struct summing s = summing_of(1);
    struct co_task *task = co_runtime_spawn(rt, &s, summing_poll);
    co_event_set(&s.event, 5);
    word out = 0;
    assert_int_equal(co_runtime_block_on(rt, task, &out), CO_RETURNED);
    assert_int_equal(out, 5);
    assert_int_equal(s.polls, 1);
    co_task_drop(task);
    co_event_fini(&s.event);
    co_runtime_destroy(rt);
}

// Keeps its waker where the test finds it, and is pending until it is told otherwise.
struct keeping {
    struct co_waker waker;
    unsigned polls;
    bool done, wakes_itself, gives_way;
};

static struct co_result keeping_poll(void *state, const struct co_waker *waker) {
    struct keeping *k = state;
    k->polls++;
    if (k->waker.ops == NULL)
        k->waker = co_waker_clone(waker);
    if (k->wakes_itself) {
        k->wakes_itself = false;
        co_waker_wake(waker);
        co_waker_wake(&k->waker);
    }
    if (k->gives_way) {
        k->gives_way = false;
        co_waker_wake(waker);
        return answer(0, CO_YIELDED);
    }
    return k->done ? answer(1, CO_RETURNED) : answer(0, CO_PENDING);
}

static struct co_result going_round_poll(void *state, const struct co_waker *waker) {
    (void)waker;
    unsigned *times = state;
    return *times > 0 ? answer((*times)--, CO_YIELDED) : answer(0, CO_RETURNED);
}

// Polls what is ready, without sleeping: a task that goes round with the others ends the run.
static void run_rounds(struct co_runtime *rt, unsigned rounds) {
    struct co_task *task = co_runtime_spawn(rt, &rounds, going_round_poll);
    word out;
    assert_int_equal(co_runtime_block_on(rt, task, &out), CO_RETURNED);
    co_task_drop(task);
}

static void run_what_is_ready(struct co_runtime *rt) {
    run_rounds(rt, 2);
}

static void waking_twice_polls_once(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    struct keeping k = {.waker = {NULL, NULL}};
    struct co_task *task = co_runtime_spawn(rt, &k, keeping_poll);
    run_what_is_ready(rt);
    assert_int_equal(k.polls, 1);
    run_what_is_ready(rt);
    assert_int_equal(k.polls, 1); // nobody woke it
    co_waker_wake(&k.waker);
    co_waker_wake(&k.waker);
    run_what_is_ready(rt);
    assert_int_equal(k.polls, 2);
    k.wakes_itself = true; // while it is polled: not lost, and one poll for two wakes
    co_waker_wake(&k.waker);
    run_what_is_ready(rt);
    run_what_is_ready(rt);
    assert_int_equal(k.polls, 4);
    k.gives_way = true; // woken and giving way: one poll
    co_waker_wake(&k.waker);
    run_what_is_ready(rt);
    run_what_is_ready(rt);
    assert_int_equal(k.polls, 6);
    k.done = k.wakes_itself = true; // woken in its last poll
    co_waker_wake(&k.waker);
    word out = 0;
    assert_int_equal(co_runtime_block_on(rt, task, &out), CO_RETURNED);
    assert_int_equal(k.polls, 7);
    run_what_is_ready(rt);
    co_waker_wake(&k.waker); // after completion
    run_what_is_ready(rt);
    assert_int_equal(k.polls, 7);
    co_task_drop(task);
    co_waker_wake(&k.waker); // without a handle; the waker keeps the memory
    co_waker_drop(&k.waker);
    co_waker_drop(&k.waker); // wakes nobody any more
    co_waker_wake(&k.waker);
    co_runtime_destroy(rt);
}

static void waker_outlives_the_runtime(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    struct keeping k[3] = {{.waker = {NULL, NULL}}};
    struct co_task *tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = co_runtime_spawn(rt, &k[i], keeping_poll);
    run_what_is_ready(rt);
    co_waker_wake(&k[1].waker); // is in a queue as the runtime goes
    co_task_drop(tasks[2]);
    co_runtime_destroy(rt);
    word out;
    assert_int_equal(co_task_answer(tasks[0], &out), CO_E_FINISHED);
    for (int i = 0; i < 3; i++) {
        struct co_waker clone = co_waker_clone(&k[i].waker);
        co_waker_wake(&clone);
        co_waker_drop(&clone);
        co_waker_wake(&k[i].waker);
        co_waker_drop(&k[i].waker);
        assert_int_equal(k[i].polls, 1);
    }
    co_task_drop(tasks[0]);
    co_task_drop(tasks[1]); // the last one gives the memory back: the leak checker looks
}

static void places_are_used_again(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    struct co_task *seen[64]; // as many as a slab holds
    unsigned known = 0;
    for (int i = 0; i < 1000; i++) {
        struct summing s = summing_of(0);
        struct co_task *task = co_runtime_spawn(rt, &s, summing_poll);
        unsigned at = 0;
        while (at < known && seen[at] != task)
            at++;
        assert_true(at < 64);
        if (at == known)
            seen[known++] = task;
        co_task_drop(task);
        assert_int_equal(co_runtime_run(rt), 0);
    }
    co_runtime_destroy(rt);
}

// ---- Wakers of one's own: what an event does with them
// -------------------------------------------

static int alive, woken;
static struct co_waker counted_clone(void *data);
static void counted_wake(void *data) {
    (void)data;
    woken++;
}
static void counted_drop(void *data) {
    (void)data;
    alive--;
}
static const struct co_waker_ops counted = {counted_clone, counted_wake, counted_drop};
static struct co_waker counted_clone(void *data) {
    alive++;
    return (struct co_waker){&counted, data};
}

static void clones_are_given_back(void **unused) {
    (void)unused;
    int a, b;
    struct co_waker first = {&counted, &a}, second = {&counted, &b};
    struct co_event event;
    co_event_init(&event);
    alive = woken = 0;
    co_event_set(&event, 1); // nobody waits
    assert_int_equal(event.base.ask(&event.base, &first).st, CO_RETURNED);
    assert_int_equal(alive, 0);
    assert_int_equal(event.base.ask(&event.base, &first).st, CO_PENDING);
    assert_int_equal(event.base.ask(&event.base, &first).st, CO_PENDING);
    assert_int_equal(alive, 1); // the same waker is cloned once
    assert_int_equal(event.base.ask(&event.base, &second).st, CO_PENDING);
    assert_int_equal(alive, 1); // instead of the first one
    assert_ptr_equal(event.waker.data, &b);
    co_event_set(&event, 2);
    co_event_set(&event, 3);
    assert_int_equal(woken, 2);
    assert_int_equal(event.base.ask(&event.base, &second).v, 3); // seen once, the last value
    assert_int_equal(event.base.ask(&event.base, &second).st, CO_PENDING);
    co_event_fini(&event);
    assert_int_equal(alive, 0);
}

// ---- Nobody will wake it
// -------------------------------------------------------------------------

static struct co_result forgetful_poll(void *state, const struct co_waker *waker) {
    (void)waker;
    ++*(unsigned *)state;
    return answer(0, CO_PENDING);
}

static void stuck_is_said(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    unsigned polls = 0;
    struct keeping k = {.waker = {NULL, NULL}};
    struct co_task *waits = co_runtime_spawn(rt, &k, keeping_poll);
    struct co_task *task = co_runtime_spawn(rt, &polls, forgetful_poll);
    word out;
    assert_int_equal(co_runtime_block_on(rt, task, &out), CO_RUNTIME_STUCK);
    assert_int_equal(co_runtime_run(rt), CO_RUNTIME_STUCK);
    assert_int_equal(polls, 1);
    co_waker_drop(&k.waker); // what could have woken the other one is gone as well
    assert_int_equal(co_runtime_block_on(rt, waits, &out), CO_RUNTIME_STUCK);
    co_task_drop(task);
    co_task_drop(waits);
    co_runtime_destroy(rt);
}

// ---- Other threads
// -------------------------------------------------------------------------------

enum { ROUNDS = 2000 };

// Wakes meet an executor that polls this task, another one, or sleeps.
static void *set_often(void *argument) {
    struct summing *s = argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        co_event_set(&s->event, 1);
        if (i % 64 == 0)
            usleep(50); // lets the executor fall asleep
    }
    co_event_set(&s->event, (word)1 << 32);
    return NULL;
}

// Ends with the last value; in between some may be seen together.
static struct co_result until_last_poll(void *state, const struct co_waker *waker) {
    struct summing *s = state;
    for (;;) {
        struct co_result r = s->event.base.ask(&s->event.base, waker);
        if (r.st == CO_PENDING)
            return r;
        s->polls++;
        if (r.v >> 32)
            return r;
    }
}

static void woken_by_threads(void **unused) {
    (void)unused;
    enum { THREADS = 3 };
    struct co_runtime *rt = co_runtime_create();
    struct summing s[THREADS];
    struct co_task *tasks[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        s[i] = summing_of(0);
        tasks[i] = co_runtime_spawn(rt, &s[i], until_last_poll);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, set_often, &s[i]), 0);
    assert_int_equal(co_runtime_run(rt), 0);
    for (int i = 0; i < THREADS; i++) {
        word out = 0;
        assert_int_equal(co_task_answer(tasks[i], &out), CO_RETURNED);
        assert_true(out == (word)1 << 32);
        assert_in_range(s[i].polls, 1, ROUNDS + 1);
        pthread_join(threads[i], NULL);
        co_task_drop(tasks[i]);
        co_event_fini(&s[i].event);
    }
    co_runtime_destroy(rt);
}

static void *wake_and_drop(void *argument) {
    struct co_waker *wakers = argument;
    for (int i = 0; i < 100; i++) {
        co_waker_wake(&wakers[i]);
        co_waker_drop(&wakers[i]);
    }
    return NULL;
}

static void runtime_goes_while_others_wake(void **unused) {
    (void)unused;
    for (int round = 0; round < 20; round++) {
        struct co_runtime *rt = co_runtime_create();
        struct keeping k[100] = {{.waker = {NULL, NULL}}};
        struct co_waker wakers[100];
        for (int i = 0; i < 100; i++)
            co_task_drop(co_runtime_spawn(rt, &k[i], keeping_poll));
        run_what_is_ready(rt);
        for (int i = 0; i < 100; i++)
            wakers[i] = k[i].waker; // moved
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, wake_and_drop, wakers), 0);
        if (round % 2 == 0)
            usleep(20);
        co_runtime_destroy(rt);
        pthread_join(thread, NULL);
    }
}

// ---- The reactor
// ---------------------------------------------------------------------------------

// Reads bytes until the end of the file, waiting in between; answers their sum.
struct reading {
    struct co_source source;
    word sum;
    unsigned polls;
};

static struct co_result reading_poll(void *state, const struct co_waker *waker) {
    struct reading *r = state;
    r->polls++;
    for (;;) {
        unsigned char byte;
        ssize_t n = read(r->source.fd, &byte, 1);
        if (n == 0)
            return answer(r->sum, CO_RETURNED);
        if (n == 1) {
            r->sum += byte;
            continue;
        }
        assert_int_equal(errno, EAGAIN);
        struct co_result ready = r->source.base.ask(&r->source.base, waker);
        if (ready.st == CO_PENDING)
            return ready;
        assert_int_equal(ready.v, r->source.fd);
    }
}

static void *write_slowly(void *argument) {
    int fd = *(int *)argument;
    for (unsigned char i = 1; i <= 10; i++) {
        usleep(200);
        assert_int_equal(write(fd, &i, 1), 1);
    }
    close(fd);
    return NULL;
}

static void reads_pipes(void **unused) {
    (void)unused;
    enum { PIPES = 4 };
    struct co_runtime *rt = co_runtime_create();
    struct reading r[PIPES] = {{.sum = 0}};
    struct co_task *tasks[PIPES];
    pthread_t threads[PIPES];
    int fds[PIPES][2];
    for (int i = 0; i < PIPES; i++) {
        assert_int_equal(pipe2(fds[i], O_CLOEXEC), 0);
        assert_int_equal(fcntl(fds[i][0], F_SETFL, O_NONBLOCK), 0);
        assert_int_equal(co_source_open(&r[i].source, rt, fds[i][0], CO_READABLE), 0);
        tasks[i] = co_runtime_spawn(rt, &r[i], reading_poll);
        assert_int_equal(pthread_create(&threads[i], NULL, write_slowly, &fds[i][1]), 0);
    }
    assert_int_equal(co_runtime_run(rt), 0);
    assert_true(co_runtime_count(rt).waits > 0);
    for (int i = 0; i < PIPES; i++) {
        word out = 0;
        pthread_join(threads[i], NULL);
        assert_int_equal(co_task_answer(tasks[i], &out), CO_RETURNED);
        assert_int_equal(out, 55);
        co_task_drop(tasks[i]);
        co_source_close(&r[i].source);
        co_source_close(&r[i].source); // again: nothing
        close(fds[i][0]);
    }
    co_runtime_destroy(rt);
}

static void source_that_is_none(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    struct co_source source;
    assert_int_equal(co_source_open(&source, rt, -1, CO_READABLE), -1);
    assert_int_equal(errno, EBADF);
    co_source_close(&source);
    co_runtime_destroy(rt);
}

static void writable(void **unused) {
    (void)unused;
    struct co_runtime *rt = co_runtime_create();
    struct co_source source;
    struct co_waker nobody = {NULL, NULL};
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(co_source_open(&source, rt, fds[1], CO_WRITABLE), 0);
    run_rounds(rt, 200); // it looks at the kernel now and then, also while there is work
    assert_int_equal(source.base.ask(&source.base, &nobody).st, CO_RETURNED);
    assert_int_equal(source.base.ask(&source.base, &nobody).st, CO_PENDING);
    co_source_close(&source);
    close(fds[0]);
    close(fds[1]);
    co_runtime_destroy(rt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_at_once),
        cmocka_unit_test(answers_errors),
        cmocka_unit_test(woken_by_another_task),
        cmocka_unit_test(set_before_the_first_poll),
        cmocka_unit_test(waking_twice_polls_once),
        cmocka_unit_test(waker_outlives_the_runtime),
        cmocka_unit_test(places_are_used_again),
        cmocka_unit_test(clones_are_given_back),
        cmocka_unit_test(stuck_is_said),
        cmocka_unit_test(woken_by_threads),
        cmocka_unit_test(runtime_goes_while_others_wake),
        cmocka_unit_test(reads_pipes),
        cmocka_unit_test(source_that_is_none),
        cmocka_unit_test(writable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
