// One round trip on a coroutine that has `depth` live frames, of which only the innermost yields.
//
// The coroutine is suspended before the clock starts: nothing is created inside the timed loop.
#include <backend.h>
#include "corobench/scenario.h"

// Sent in, it makes every frame return. A loop that counts up never sends it.
#define STOP (~(word)0)

// All frames have one body. The last one answers x with x + key; the others only pass through.
CORO_DECL(nest, (word depth; word key;), (word x;), (REC(nest)))

// The same body 37 times, each calling the one before, the first one the last: so the frames of one
// coroutine do not all return to one place. A prime number, so that what a processor's stack of
// 16, 32 or 64 return addresses still holds, when more are nested, is not right by chance.
// clang-format off
#define DISTINCT(_) \
    _(0, 36) _(1, 0) _(2, 1) _(3, 2) _(4, 3) _(5, 4) _(6, 5) _(7, 6) _(8, 7) _(9, 8) \
    _(10, 9) _(11, 10) _(12, 11) _(13, 12) _(14, 13) _(15, 14) _(16, 15) _(17, 16) _(18, 17) \
    _(19, 18) _(20, 19) _(21, 20) _(22, 21) _(23, 22) _(24, 23) _(25, 24) _(26, 25) \
    _(27, 26) _(28, 27) _(29, 28) _(30, 29) _(31, 30) _(32, 31) _(33, 32) _(34, 33) \
    _(35, 34) _(36, 35)
// clang-format on
#define DISTINCT_DECL(k, next)                                                                     \
    CORO_DECL(nest##k, (word depth; word key;), (word x;), (REC(nest##next)))
DISTINCT(DISTINCT_DECL)

#if CO_PART_BODIES
#define NEST(name, next)                                                                           \
    CORO(name) {                                                                                   \
        CO_BEGIN(name)                                                                             \
            if (my->depth > 1) {                                                                   \
                CO_CALLREC(my->x, next, my->depth - 1, my->key);                                   \
            } else {                                                                               \
                my->x = 0;                                                                         \
                while (my->x != STOP)                                                              \
                    CO_YIELD(my->x, my->x + my->key);                                              \
            }                                                                                      \
            CO_RETURN(cb_mix(my->x, my->key)); /* not a tail call, so that each frame stays */     \
        CO_END                                                                                     \
    }
NEST(nest, nest)
#define DISTINCT_NEST(k, next) NEST(nest##k, nest##next)
DISTINCT(DISTINCT_NEST)
// clang-format off
#define CO_BODIES(_) _(nest) \
    _(nest0) _(nest1) _(nest2) _(nest3) _(nest4) _(nest5) _(nest6) _(nest7) _(nest8) \
    _(nest9) _(nest10) _(nest11) _(nest12) _(nest13) _(nest14) _(nest15) _(nest16) _(nest17) \
    _(nest18) _(nest19) _(nest20) _(nest21) _(nest22) _(nest23) _(nest24) _(nest25) \
    _(nest26) _(nest27) _(nest28) _(nest29) _(nest30) _(nest31) _(nest32) _(nest33) \
    _(nest34) _(nest35) _(nest36)
// clang-format on
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#define KEY ((word)1000003)
// Bytes of stack: for the first frame and what it calls, and for each further frame. Optimised code
// takes a tenth of that, a build that checks may take half.
#define STACK_BASE 2048
#define STACK_FRAME 512

static CO_VAR(nest) root;
static CO_VAR(nest0) distinct_root;
static bool distinct;

static unsigned needs(const struct cb_params *params) {
    unsigned caps = 0;
    if (cb_param(params, "depth", 1) > 1)
        caps |= CO_CAP_RECURSION;
    if (cb_param(params, "cpus", 1) > 1)
        caps |= CO_CAP_PARALLEL;
    return caps;
}

static int start(word depth, word *out) {
    size_t bytes = STACK_BASE + STACK_FRAME * depth;
    int error = distinct ? CO_INIT_STACK(nest0, &distinct_root, bytes, depth, KEY)
                         : CO_INIT_STACK(nest, &root, bytes, depth, KEY);
    if (error < 0)
        return error;
    return distinct ? CO_RESUME(nest0, &distinct_root, 0, out) : CO_RESUME(nest, &root, 0, out);
}

static int prepare(const struct cb_params *params) {
    word out = 0;
    distinct = cb_param_is(params, "frames", "distinct");
    int status = start((word)cb_param(params, "depth", 1), &out);
    if (status < 0)
        return status;
    if (status == CO_FAILED)
        return (int)out;
    return status == CO_YIELDED && out == KEY ? 0 : CO_E_INVALID;
}

#define RUN(run, name, root)                                                                       \
    static struct cb_counts run(uint64_t n) {                                                      \
        word check = 0, i;                                                                         \
        for (i = 0; i < n; i++) {                                                                  \
            word out;                                                                              \
            if (CO_RESUME(name, &(root), i, &out) != CO_YIELDED)                                   \
                break;                                                                             \
            check = cb_mix(check, out);                                                            \
        }                                                                                          \
        struct cb_counts done = {check, 0, i};                                                     \
        return done;                                                                               \
    }
RUN(run_alike, nest, root)
RUN(run_distinct, nest0, distinct_root)

static struct cb_counts run(uint64_t n) {
    return distinct ? run_distinct(n) : run_alike(n);
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, i + KEY);
    struct cb_counts all = {check, 0, n};
    return all;
}

static void finish(void) {
    if (distinct)
        CO_FINI(nest0, &distinct_root);
    else
        CO_FINI(nest, &root);
}

CB_SCENARIO(.id = "yield", .unit = "round trip", .kind = CB_KIND_TIME,
            .quick = CB_LIST("depth=1", "depth=16"),
            .normal = CB_LIST("depth=2", "depth=4", "depth=8", "depth=24", "depth=64",
                              "cpus=2;depth=1", "depth=16;frames=distinct"),
            .full = CB_LIST("depth=32", "depth=48", "depth=256", "depth=1024", "cpus=2;depth=16",
                            "depth=24;frames=distinct", "depth=32;frames=distinct",
                            "depth=48;frames=distinct", "depth=64;frames=distinct",
                            "depth=256;frames=distinct", "depth=1024;frames=distinct"),
            .needs = needs, .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
