// One round trip on a coroutine that calls a plain C function `k` times, by CO_CCALL, before it
// yields.
//
// The function lives beside the loop: in the opaque and library bindings it is in another
// translation unit than the body, and in all of them the body knows it by a pointer only.
#include <backend.h>
#include "corobench/scenario.h"

#include <string.h>

CORO_DECL(calling, (word(*f)(word); word k;), (word x; word i;), ())

#if CO_PART_BODIES
CORO(calling) {
    CO_BEGIN(calling)
        my->x = 0;
        for (;;) {
            for (my->i = 0; my->i < my->k; my->i++)
                my->x = CO_CCALL(my->f, my->x);
            CO_YIELD(my->x, my->x);
        }
    CO_END
}
#define CO_BODIES(_) _(calling)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
static __attribute__((noinline)) word plain(word x) {
    return cb_mix(x, 1);
}

// Calls the C library: strlen of a text of 0 to 31 characters.
static char texts[64];
static __attribute__((noinline)) word library(word x) {
    return cb_mix(x, strlen(texts + x % 32));
}

// Volatile, so that no compiler finds out what it points to.
static word (*volatile function)(word);
static word calls;

static int prepare(const struct cb_params *params) {
    memset(texts, 'a', 31); // what follows is zero
    function = cb_param_is(params, "f", "libc") ? library : plain;
    calls = (word)cb_param(params, "k", 1);
    return 0;
}

// The coroutine is created anew in each run; its first resume, which starts it, counts.
static struct cb_counts run(uint64_t n) {
    static CO_VAR(calling) v;
    struct cb_counts done = {0, 0, 0};
    word check = 0, i;
    if (CO_INIT(calling, &v, function, calls) < 0)
        return done;
    for (i = 0; i < n; i++) {
        word out;
        if (CO_RESUME(calling, &v, i, &out) != CO_YIELDED)
            break;
        check = cb_mix(check, out);
    }
    CO_FINI(calling, &v);
    done.checksum = check;
    done.creations = 1;
    done.yields = i;
    return done;
}

static struct cb_counts expect(uint64_t n) {
    bool libc = function == library;
    word check = 0;
    for (word i = 0; i < n; i++) {
        word x = i;
        for (word k = 0; k < calls; k++)
            x = cb_mix(x, !libc ? 1 : 31 - (x % 32 < 31 ? x % 32 : 31));
        check = cb_mix(check, x);
    }
    struct cb_counts all = {check, 1, n};
    return all;
}

CB_SCENARIO(.id = "ccall", .unit = "round trip", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("k=1", "k=16"), .full = CB_LIST("k=4", "f=libc;k=1", "f=libc;k=16"),
            .prepare = prepare, .run = run, .expect = expect);
#endif
