// Handing control from one thread to another through one futex word that says whose turn it is.
#ifndef CO_HANDOFF_FUTEX_H
#define CO_HANDOFF_FUTEX_H

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "corobench/coro.h"
#include "common/mutant.h"

struct co_handoff {
    uint32_t turn;
};

CO_INLINE void co_handoff_init_(struct co_handoff *h, uint32_t turn) {
    h->turn = turn;
}

CO_INLINE void co_handoff_fini_(struct co_handoff *h) {
    (void)h;
}

// Waits until it is `mine`. A futex may wake early, by a signal or by the other side's last
// wake-up, and the turn may come before the wait.
CO_INLINE void co_handoff_wait_(struct co_handoff *h, uint32_t mine) {
    uint32_t turn;
    while ((turn = __atomic_load_n(&h->turn, __ATOMIC_ACQUIRE)) != mine) {
        syscall(SYS_futex, &h->turn, FUTEX_WAIT_PRIVATE, turn, NULL, NULL, 0);
        if (CO_MUTATE(wakes_once, false, true))
            break;
    }
}

// Makes it the turn of `other`, who may be waiting.
CO_INLINE void co_handoff_pass_(struct co_handoff *h, uint32_t other) {
    __atomic_store_n(&h->turn, other, __ATOMIC_RELEASE);
    syscall(SYS_futex, &h->turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

#endif
