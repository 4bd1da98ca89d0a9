// A coroutine calls another one in a loop; the callee yields a number of times through its caller.
#include <backend.h>
#include "corobench/scenario.h"

CORO_DECL(callee, (word a; word yields;), (word x;), ())
CORO_DECL(caller, (word n; word yields;), (word i; word x; word sum;), (SUB(callee)))

#if CO_PART_BODIES
CORO(callee) {
    CO_BEGIN(callee)
        for (; my->yields > 0; my->yields--) {
            CO_YIELD(my->x, my->a);
            my->a = cb_mix(my->a, my->x);
        }
        CO_RETURN(my->a);
    CO_END
}

CORO(caller) {
    CO_BEGIN(caller)
        my->sum = 0;
        for (my->i = 0; my->i < my->n; my->i++) {
            CO_CALL(my->x, callee, my->i, my->yields);
            my->sum = cb_mix(my->sum, my->x);
        }
        CO_RETURN(my->sum);
    CO_END
}
#define CO_BODIES(_) _(callee) _(caller)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
static word yields;

static int prepare(const struct cb_params *params) {
    yields = (word)cb_param(params, "yields", 0);
    return 0;
}

// What is sent in is the number of yields seen so far.
static struct cb_counts run(uint64_t n) {
    struct cb_counts done = {0, 0, 0};
    CO_VAR(caller) root;
    if (CO_INIT(caller, &root, n, yields) < 0)
        return done;
    word check = 0, seen = 0, out = 0;
    int status;
    while ((status = CO_RESUME(caller, &root, seen, &out)) == CO_YIELDED) {
        check = cb_mix(check, out);
        seen++;
    }
    if (CO_FINI(caller, &root) < 0 || status != CO_RETURNED)
        return done;
    done.checksum = cb_mix(check, out);
    done.creations = 1;
    done.yields = seen;
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0, seen = 0, sum = 0;
    for (word i = 0; i < n; i++) {
        word a = i;
        for (word left = yields; left > 0; left--) {
            check = cb_mix(check, a);
            a = cb_mix(a, ++seen);
        }
        sum = cb_mix(sum, a);
    }
    struct cb_counts all = {cb_mix(check, sum), 1, seen};
    return all;
}

CB_SCENARIO(.id = "call", .unit = "coroutine call", .kind = CB_KIND_TIME,
            .quick = CB_LIST("yields=1"), .normal = CB_LIST("yields=16"),
            .full = CB_LIST("yields=0"), .prepare = prepare, .run = run, .expect = expect);
#endif
