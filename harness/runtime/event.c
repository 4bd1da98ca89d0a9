// Events: set on any thread, waited for by one task at a time.
//
// A lock of one byte, held for a few instructions and never while somebody is woken: that may
// lead anywhere, back to this event as well.
#define _GNU_SOURCE
#include "corobench/runtime.h"

#include <sched.h>

static void lock(struct co_event *event) {
    while (__atomic_test_and_set(&event->locked, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void unlock(struct co_event *event) {
    __atomic_clear(&event->locked, __ATOMIC_RELEASE);
}

static struct co_result event_ask(struct co_awaitable *self, const struct co_waker *waker) {
    struct co_event *event = (struct co_event *)self;
    struct co_waker unused = {NULL, NULL};
    struct co_result answer = {0, CO_PENDING};
    lock(event);
    if (!event->set && !co_waker_same(&event->waker, waker)) {
        unlock(event);
        struct co_waker mine = co_waker_clone(waker);
        lock(event);
        unused = event->waker;
        event->waker = mine;
    }
    if (event->set) {
        answer = (struct co_result){event->value, CO_RETURNED};
        event->set = false;
    }
    unlock(event);
    co_waker_drop(&unused);
    return answer;
}

void co_event_init(struct co_event *event) {
    *event = (struct co_event){.base = {event_ask}};
}

// The waker is cloned before the lock is left: the waiting task may put another one in its place
// and drop this one at any time after.
void co_event_set(struct co_event *event, word value) {
    lock(event);
    event->value = value;
    event->set = true;
    struct co_waker waker = co_waker_clone(&event->waker);
    unlock(event);
    co_waker_wake(&waker);
    co_waker_drop(&waker);
}

void co_event_fini(struct co_event *event) {
    lock(event);
    struct co_waker waker = event->waker;
    event->waker.ops = NULL;
    unlock(event);
    co_waker_drop(&waker);
}
