// The life of a coroutine that has its answer at once, and of one that must wait `yields` times
// for it: create, run to the end, take the result, destroy.
#include <backend.h>
#include "corobench/scenario.h"

#define WORDS 256

CORO_DECL(lookup, (const word *table; word key; word yields;), (word x;), ())

#if CO_PART_BODIES
CORO(lookup) {
    CO_BEGIN(lookup)
        my->x = 0;
        for (; my->yields > 0; my->yields--)
            CO_YIELD(my->x, my->key);
        CO_RETURN(my->table[my->key % WORDS] + my->x);
    CO_END
}
#define CO_BODIES(_) _(lookup)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
static word table[WORDS];
static word yields;
static CO_VAR(lookup) kept;

static int prepare(const struct cb_params *params) {
    word x = 1;
    for (word i = 0; i < WORDS; i++) {
        x = x * 2862933555777941757u + 3037000493u; // any odd numbers do
        table[i] = x;
    }
    yields = (word)cb_param(params, "yields", 0);
    return 0;
}

// What is sent in is the number of yields seen so far.
static struct cb_counts run(uint64_t n) {
    word check = 0, seen = 0, i;
    for (i = 0; i < n; i++) {
        word out;
        int status;
        if (CO_INIT(lookup, &kept, table, i, yields) < 0)
            break;
        while ((status = CO_RESUME(lookup, &kept, seen, &out)) == CO_YIELDED) {
            check = cb_mix(check, out);
            seen++;
        }
        if (status != CO_RETURNED || CO_FINI(lookup, &kept) < 0)
            break;
        check = cb_mix(check, out);
    }
    struct cb_counts done = {check, i, seen};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0, seen = 0;
    for (word i = 0; i < n; i++) {
        word x = 0;
        for (word left = yields; left > 0; left--) {
            check = cb_mix(check, i);
            x = ++seen;
        }
        check = cb_mix(check, table[i % WORDS] + x);
    }
    struct cb_counts all = {check, n, seen};
    return all;
}

CB_SCENARIO(.id = "complete", .unit = "life", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("yields=0", "yields=1"), .full = CB_LIST(NULL), .prepare = prepare,
            .run = run, .expect = expect);
#endif
