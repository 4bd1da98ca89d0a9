// Handing control from one thread to another by a mutex and a condition variable: whose turn it is
// is the condition.
#ifndef CO_HANDOFF_CONDVAR_H
#define CO_HANDOFF_CONDVAR_H

#include <pthread.h>
#include "corobench/coro.h"

// One condition variable for both: they take turns, so that never more than one of them waits.
struct co_handoff {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t turn;
};

CO_INLINE void co_handoff_init_(struct co_handoff *h, uint32_t turn) {
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    h->turn = turn;
}

CO_INLINE void co_handoff_fini_(struct co_handoff *h) {
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
}

// Waits until it is `mine`.
CO_INLINE void co_handoff_wait_(struct co_handoff *h, uint32_t mine) {
    pthread_mutex_lock(&h->lock);
    while (h->turn != mine)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

// Makes it the turn of `other`, who may be waiting. The signal comes after the lock is given back:
// whom it wakes would else run into the lock and wait once more.
CO_INLINE void co_handoff_pass_(struct co_handoff *h, uint32_t other) {
    pthread_mutex_lock(&h->lock);
    h->turn = other;
    pthread_mutex_unlock(&h->lock);
    pthread_cond_signal(&h->changed);
}

#endif
