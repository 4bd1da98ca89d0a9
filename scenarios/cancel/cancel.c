// The life of a coroutine that is closed while it is suspended behind `depth` frames, each of which
// has a cleanup to run.
#include <backend.h>
#include "corobench/scenario.h"

CORO_DECL(nest, (word depth; word * cleaned;), (word x;), (REC(nest)))

#if CO_PART_BODIES
CORO(nest) {
    CO_BEGIN(nest)
        if (my->depth > 1) {
            CO_CALLREC(my->x, nest, my->depth - 1, my->cleaned);
        } else {
            CO_YIELD(my->x, my->depth);
        }
        CO_RETURN(my->x + 1);
        CO_FINALLY
        *my->cleaned = cb_mix(*my->cleaned, my->depth);
    CO_END_FINALLY
}
#define CO_BODIES(_) _(nest)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
// Bytes of stack: for the first frame and what it calls, and for each further frame, with what a
// cleanup needs to be found. A build that checks may take half of that.
#define STACK_BASE 2048
#define STACK_FRAME 1024

static word depth, cleaned;
static bool returns;
static CO_VAR(nest) kept;

static unsigned needs(const struct cb_params *params) {
    return cb_param(params, "depth", 1) > 1 ? CO_CAP_RECURSION : 0;
}

static int prepare(const struct cb_params *params) {
    depth = (word)cb_param(params, "depth", 1);
    returns = cb_param_is(params, "end", "return");
    return 0;
}

static struct cb_counts run(uint64_t n) {
    word i;
    cleaned = 0;
    for (i = 0; i < n; i++) {
        word out;
        if (CO_INIT_STACK(nest, &kept, STACK_BASE + STACK_FRAME * depth, depth, &cleaned) < 0)
            break;
        int status = CO_RESUME(nest, &kept, 0, &out);
        cleaned += out;
        if (status == CO_YIELDED && returns)
            status = CO_RESUME(nest, &kept, i, &out) == CO_RETURNED && out == i + depth ? CO_YIELDED
                                                                                        : CO_FAILED;
        if (CO_FINI(nest, &kept) < 0 || status != CO_YIELDED)
            break;
    }
    struct cb_counts done = {cleaned, i, i};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++) {
        check += 1;
        for (word level = 1; level <= depth; level++)
            check = cb_mix(check, level);
    }
    struct cb_counts all = {check, n, n};
    return all;
}

CB_SCENARIO(.id = "cancel", .unit = "life", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("depth=1", "depth=16"),
            .full = CB_LIST("depth=64", "depth=1;end=return", "depth=16;end=return",
                            "depth=64;end=return"),
            .needs = needs, .prepare = prepare, .run = run, .expect = expect);
#endif
