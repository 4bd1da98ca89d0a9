// One round trip on a coroutine that has `depth` live frames, of which only the innermost yields.
//
// The coroutine is suspended before the clock starts: nothing is created inside the timed loop.
#include <backend.h>
#include "corobench/scenario.h"

// Sent in, it makes every frame return. A loop that counts up never sends it.
#define STOP (~(word)0)

// All frames have one body. The last one answers x with x + key; the others only pass through.
CORO_DECL(nest, (word depth; word key;), (word x;), (REC(nest)))

#if CO_PART_BODIES
CORO(nest) {
    CO_BEGIN(nest)
        if (my->depth > 1) {
            CO_CALLREC(my->x, nest, my->depth - 1, my->key);
        } else {
            my->x = 0;
            while (my->x != STOP)
                CO_YIELD(my->x, my->x + my->key);
        }
        CO_RETURN(cb_mix(my->x, my->key)); // not a tail call, so that each frame stays
    CO_END
}
#define CO_BODIES(_) _(nest)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#define KEY ((word)1000003)
// Bytes of stack: for the first frame and what it calls, and for each further frame. Optimised code
// takes a tenth of that, a build that checks may take half.
#define STACK_BASE 2048
#define STACK_FRAME 512

static CO_VAR(nest) root;

static unsigned needs(const struct cb_params *params) {
    unsigned caps = 0;
    if (cb_param(params, "depth", 1) > 1)
        caps |= CO_CAP_RECURSION;
    if (cb_param(params, "cpus", 1) > 1)
        caps |= CO_CAP_PARALLEL;
    return caps;
}

static int prepare(const struct cb_params *params) {
    word depth = (word)cb_param(params, "depth", 1);
    word out = 0;
    int error = CO_INIT_STACK(nest, &root, STACK_BASE + STACK_FRAME * depth, depth, KEY);
    if (error < 0)
        return error;
    int status = CO_RESUME(nest, &root, 0, &out);
    if (status < 0)
        return status;
    if (status == CO_FAILED)
        return (int)out;
    return status == CO_YIELDED && out == KEY ? 0 : CO_E_INVALID;
}

static struct cb_counts run(uint64_t n) {
    word check = 0, i;
    for (i = 0; i < n; i++) {
        word out;
        if (CO_RESUME(nest, &root, i, &out) != CO_YIELDED)
            break;
        check = cb_mix(check, out);
    }
    struct cb_counts done = {check, 0, i};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, i + KEY);
    struct cb_counts all = {check, 0, n};
    return all;
}

static void finish(void) {
    CO_FINI(nest, &root);
}

CB_SCENARIO(.id = "yield", .unit = "round trip", .kind = CB_KIND_TIME,
            .quick = CB_LIST("depth=1", "depth=16"),
            .normal = CB_LIST("depth=2", "depth=4", "depth=8", "depth=24", "depth=64",
                              "cpus=2;depth=1"),
            .full = CB_LIST("depth=32", "depth=48", "depth=256", "depth=1024", "cpus=2;depth=16"),
            .needs = needs, .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
