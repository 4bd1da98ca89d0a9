// One round trip at a time over `n` live coroutines, in the order of creation or a random one.
//
// The round trip is that of `yield depth=1`; what it adds is the memory that n coroutines touch.
#include <backend.h>
#include "corobench/scenario.h"

#include <stdlib.h>

// Sent in, it makes the coroutine return. A loop that counts up never sends it.
#define STOP (~(word)0)

CORO_DECL(echo, (word key;), (word x;), ())

#if CO_PART_BODIES
CORO(echo) {
    CO_BEGIN(echo)
        my->x = 0;
        while (my->x != STOP)
            CO_YIELD(my->x, my->x + my->key);
        CO_RETURN(my->key);
    CO_END
}
#define CO_BODIES(_) _(echo)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
static CO_VAR(echo) * all; // the coroutine at `which` answers x with x + which
static uint32_t *order;    // a permutation: who is resumed after whom, round and round
static size_t live, next;

static void finish(void) {
    for (size_t i = 0; all != NULL && i < live; i++)
        CO_FINI(echo, &all[i]);
    free(all);
    free(order);
    all = NULL;
    order = NULL;
    live = next = 0;
}

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014); fixed seed, so
// that every process visits in the same order.
static uint64_t random_word(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// Fisher and Yates. The bias of the remainder is below n in 2 to the power of 64.
static void shuffle(void) {
    uint64_t state = 2;
    for (size_t i = live; i > 1; i--) {
        size_t j = (size_t)(random_word(&state) % i);
        uint32_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

static int start(size_t which) {
    word out = 0;
    int error = CO_INIT(echo, &all[which], which);
    if (error < 0)
        return error;
    int status = CO_RESUME(echo, &all[which], 0, &out);
    if (status < 0)
        return status;
    return status == CO_YIELDED && out == which ? 0 : CO_E_INVALID;
}

static int prepare(const struct cb_params *params) {
    live = (size_t)cb_param(params, "n", 1);
    all = (CO_VAR(echo) *)calloc(live, sizeof *all);
    order = (uint32_t *)malloc(live * sizeof *order);
    int error = all == NULL || order == NULL ? CO_E_NOMEM : 0;
    for (size_t i = 0; i < live && error == 0; i++) {
        order[i] = (uint32_t)i;
        error = start(i);
    }
    if (error < 0)
        finish();
    else if (cb_param_is(params, "order", "random"))
        shuffle();
    return error;
}

// A run goes on where the last one stopped, so that short runs reach all coroutines too.
static struct cb_counts run(uint64_t n) {
    CO_VAR(echo) *const coroutines = all;
    const uint32_t *const first = order, *const end = order + live;
    const uint32_t *at = order + next;
    word check = 0, i;
    for (i = 0; i < n; i++) {
        word which = *at, out;
        if (CO_RESUME(echo, &coroutines[which], i, &out) != CO_YIELDED)
            break;
        check = cb_mix(check, out - which);
        if (++at == end)
            at = first;
    }
    next = (size_t)(at - first);
    struct cb_counts done = {check, 0, i};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, i);
    struct cb_counts sum = {check, 0, n};
    return sum;
}

CB_SCENARIO(.id = "live", .unit = "round trip", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("n=1;order=sequential", "n=16;order=sequential",
                              "n=1000;order=sequential", "n=100000;order=sequential",
                              "n=1000;order=random", "n=100000;order=random"),
            .full = CB_LIST("n=10000;order=sequential", "n=16;order=random", "n=10000;order=random",
                            "n=1000000;order=sequential", "n=1000000;order=random",
                            "n=10000000;order=sequential", "n=10000000;order=random"),
            .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
