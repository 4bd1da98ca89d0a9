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

static bool is_set(const struct co_event *event) {
    return __atomic_load_n(&event->set, __ATOMIC_ACQUIRE);
}

// Only who waits changes the waker that is kept, so it may look without the lock: whoever sets the
// event after that look wakes it, and the next poll sees what was set.
static struct co_result event_ask(struct co_awaitable *self, const struct co_waker *waker) {
    struct co_event *event = (struct co_event *)self;
    struct co_result answer = {0, CO_PENDING};
    if (!is_set(event)) {
        if (co_waker_same(&event->waker, waker))
            return answer;
        struct co_waker mine = co_waker_clone(waker);
        lock(event);
        struct co_waker last = event->waker;
        event->waker = mine;
        unlock(event);
        co_waker_drop(&last);
    }
    lock(event);
    if (is_set(event)) { // perhaps only since the waker is there
        answer = (struct co_result){event->value, CO_RETURNED};
        __atomic_store_n(&event->set, false, __ATOMIC_RELAXED);
    }
    unlock(event);
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
    __atomic_store_n(&event->set, true, __ATOMIC_RELEASE);
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
