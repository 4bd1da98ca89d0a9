// `frames` nested coroutine calls; the innermost one yields once, and then all return.
//
// The arithmetic is that of `baseline op=calls`, which nests as many plain C calls.
#include <backend.h>
#include "corobench/scenario.h"

CORO_DECL(nest, (word depth; word key;), (word x;), (REC(nest)))
CORO_DECL(loop, (word n; word frames;), (word i; word x; word sum;), (REC(nest)))

#if CO_PART_BODIES
CORO(nest) {
    CO_BEGIN(nest)
        if (my->depth > 1)
            CO_CALLREC(my->x, nest, my->depth - 1, my->key + my->depth);
        else
            CO_YIELD(my->x, my->key);
        CO_RETURN(cb_mix(my->x, my->key));
    CO_END
}

CORO(loop) {
    CO_BEGIN(loop)
        my->sum = 0;
        for (my->i = 0; my->i < my->n; my->i++) {
            CO_CALLREC(my->x, nest, my->frames, my->i);
            my->sum = cb_mix(my->sum, my->x);
        }
        CO_RETURN(my->sum);
    CO_END
}
#define CO_BODIES(_) _(nest) _(loop)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
// Bytes of stack: for the first frame and what it calls, and for each nested call. Optimised code
// takes a tenth of that, a build that checks may take half.
#define STACK_BASE 2048
#define STACK_FRAME 512

static word frames;

static unsigned needs(const struct cb_params *params) {
    (void)params;
    return CO_CAP_RECURSION;
}

static int prepare(const struct cb_params *params) {
    frames = (word)cb_param(params, "frames", 1);
    return 0;
}

// What is sent in is the number of yields seen so far.
static struct cb_counts run(uint64_t n) {
    struct cb_counts done = {0, 0, 0};
    CO_VAR(loop) root;
    if (CO_INIT_STACK(loop, &root, STACK_BASE + STACK_FRAME * frames, n, frames) < 0)
        return done;
    word check = 0, seen = 0, out = 0;
    int status;
    while ((status = CO_RESUME(loop, &root, seen, &out)) == CO_YIELDED) {
        check = cb_mix(check, out);
        seen++;
    }
    if (CO_FINI(loop, &root) < 0 || status != CO_RETURNED)
        return done;
    done.checksum = cb_mix(check, out);
    done.creations = 1;
    done.yields = seen;
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0, sum = 0;
    for (word i = 0; i < n; i++) {
        word key = i;
        for (word depth = frames; depth > 1; depth--)
            key += depth;
        check = cb_mix(check, key);
        word x = i + 1; // sent in after this yield
        for (word depth = 1; depth <= frames; depth++) {
            x = cb_mix(x, key);
            key -= depth + 1;
        }
        sum = cb_mix(sum, x);
    }
    struct cb_counts all = {cb_mix(check, sum), 1, n};
    return all;
}

CB_SCENARIO(.id = "unwind", .unit = "nest of calls", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("frames=16"), .full = CB_LIST("frames=4", "frames=64"),
            .needs = needs, .prepare = prepare, .run = run, .expect = expect);
#endif
