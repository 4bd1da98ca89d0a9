// A short life in a pool that others hold: create one, start it, close another one.
//
// The pool has had `n` alive and then lost some at random, so that `occupancy` percent are left and
// the holes lie anywhere. Each operation fills a hole and makes one.
#include <backend.h>
#include "corobench/scenario.h"

#include <stdlib.h>

CORO_DECL(tenant, (word key;), (word x;), ())

#if CO_PART_BODIES
CORO(tenant) {
    CO_BEGIN(tenant)
        CO_YIELD(my->x, my->key + 1);
        CO_RETURN(my->x);
    CO_END
}
#define CO_BODIES(_) _(tenant)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
static CO_VAR(tenant) * all;
static uint32_t *order; // the first `held` of these variables hold a coroutine
static size_t total, held, next;
static uint32_t hole; // a variable that holds none
static size_t stated; // bytes of stack, or 0: nothing is stated

static unsigned needs(const struct cb_params *params) {
    return CO_CAP_REUSE | (cb_param(params, "stack", 0) > 0 ? CO_CAP_STACK_SIZE : 0);
}

static inline int create(CO_VAR(tenant) * v, word key) {
    return stated == 0 ? CO_INIT(tenant, v, key) : CO_INIT_STACK(tenant, v, stated, key);
}

static void finish(void) {
    for (size_t i = 0; all != NULL && i < total; i++)
        CO_FINI(tenant, &all[i]);
    free(all);
    free(order);
    all = NULL;
    order = NULL;
    total = held = next = 0;
}

static int start(uint32_t which, word key) {
    word out = 0;
    int error = create(&all[which], key);
    if (error < 0)
        return error;
    int status = CO_RESUME(tenant, &all[which], 0, &out);
    if (status < 0)
        return status;
    return status == CO_YIELDED && out == key + 1 ? 0 : CO_E_INVALID;
}

// Fisher and Yates, with the generator of Steele, Lea and Flood, "Fast splittable pseudorandom
// number generators" (2014); a fixed seed, so that the holes are the same in every process.
static void shuffle(void) {
    uint64_t state = 3;
    for (size_t i = total; i > 1; i--) {
        uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        size_t j = (size_t)((z ^ z >> 31) % i);
        uint32_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

static int prepare(const struct cb_params *params) {
    total = (size_t)cb_param(params, "n", 1000);
    held = total * (size_t)cb_param(params, "occupancy", 50) / 100;
    stated = (size_t)cb_param(params, "stack", 0);
    next = 0;
    all = (CO_VAR(tenant) *)calloc(total, sizeof *all);
    order = (uint32_t *)malloc(total * sizeof *order);
    int error = all == NULL || order == NULL    ? CO_E_NOMEM
                : held == 0 || total - held < 1 ? CO_E_INVALID
                                                : 0;
    for (size_t i = 0; i < total && error == 0; i++) {
        order[i] = (uint32_t)i;
        error = start((uint32_t)i, i);
    }
    if (error < 0) {
        finish();
        return error;
    }
    shuffle();
    for (size_t i = held; i < total; i++)
        CO_FINI(tenant, &all[order[i]]);
    hole = order[held];
    return 0;
}

static struct cb_counts run(uint64_t n) {
    CO_VAR(tenant) *const tenants = all;
    word check = 0, i;
    for (i = 0; i < n; i++) {
        word out;
        if (create(&tenants[hole], i) < 0 ||
            CO_RESUME(tenant, &tenants[hole], 0, &out) != CO_YIELDED)
            break;
        check = cb_mix(check, out);
        uint32_t leaves = order[next];
        if (CO_FINI(tenant, &tenants[leaves]) < 0)
            break;
        order[next] = hole;
        hole = leaves;
        if (++next == held)
            next = 0;
    }
    struct cb_counts done = {check, i, i};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, i + 1);
    struct cb_counts sum = {check, n, n};
    return sum;
}

CB_SCENARIO(.id = "alloc", .unit = "coroutine created and one closed", .kind = CB_KIND_TIME,
            .quick = CB_LIST(NULL),
            .normal = CB_LIST("n=10000;occupancy=50", "n=10000;occupancy=99"),
            .full = CB_LIST("n=10000;occupancy=10", "n=10000;occupancy=90", "n=1000;occupancy=50",
                            "n=1000;occupancy=50;stack=1024", "n=1000;occupancy=50;stack=8192",
                            "n=1000;occupancy=50;stack=100000"),
            .needs = needs, .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
