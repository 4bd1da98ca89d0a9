// A suspended coroutine is copied to another place, byte by byte, and resumed there.
//
// Two places are used in turn. It is created and suspended before the clock starts.
#include <backend.h>
#include "corobench/scenario.h"

#include <string.h>

// Sent in, it makes the coroutine return. A loop that counts up never sends it.
#define STOP (~(word)0)

// The one keeps 32 bytes, the other 1 KiB. Both answer x with x + what they keep.
CORO_DECL(light, (word key;), (word x; word data[2];), ())
CORO_DECL(heavy, (word key;), (word x; word data[126];), ())

#if CO_PART_BODIES
// Out of line, so that the array has to be in memory.
static __attribute__((noinline)) void fill(word *data, size_t words, word seed) {
    for (size_t i = 0; i < words; i++)
        data[i] = seed + i;
}

#define ANSWER(name)                                                                               \
    CORO(name) {                                                                                   \
        CO_BEGIN(name)                                                                             \
            fill(my->data, sizeof my->data / sizeof my->data[0], my->key);                         \
            my->x = 0;                                                                             \
            while (my->x != STOP)                                                                  \
                CO_YIELD(my->x, my->x + my->data[0] +                                              \
                                    my->data[sizeof my->data / sizeof my->data[0] - 1]);           \
            CO_RETURN(0);                                                                          \
        CO_END                                                                                     \
    }
ANSWER(light)
ANSWER(heavy)
#define CO_BODIES(_) _(light) _(heavy)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#define KEY ((word)1000003)

static CO_VAR(light) lights[2];
static CO_VAR(heavy) heavies[2];
static unsigned here; // which of the two places holds the coroutine
static word kept;     // the answer to x, less x
static bool is_heavy;

static unsigned needs(const struct cb_params *params) {
    (void)params;
    return CO_CAP_MOVABLE;
}

static int prepare(const struct cb_params *params) {
    word out = 0;
    is_heavy = cb_param(params, "live", 32) > 32;
    kept = KEY + KEY + (is_heavy ? 125 : 1);
    here = 0;
    int error = is_heavy ? CO_INIT_STACK(heavy, &heavies[0], 1024 + 1024, KEY)
                         : CO_INIT(light, &lights[0], KEY);
    if (error < 0)
        return error;
    int status =
        is_heavy ? CO_RESUME(heavy, &heavies[0], 0, &out) : CO_RESUME(light, &lights[0], 0, &out);
    if (status < 0)
        return status;
    return status == CO_YIELDED && out == kept ? 0 : CO_E_INVALID;
}

#define RUN(name, places)                                                                          \
    static struct cb_counts run_##name(uint64_t n) {                                               \
        word check = 0, i;                                                                         \
        unsigned at = here;                                                                        \
        for (i = 0; i < n; i++) {                                                                  \
            word out;                                                                              \
            memcpy((void *)&(places)[at ^ 1], (const void *)&(places)[at], sizeof(places)[0]);     \
            at ^= 1;                                                                               \
            if (CO_RESUME(name, &(places)[at], i, &out) != CO_YIELDED)                             \
                break;                                                                             \
            check = cb_mix(check, out - kept);                                                     \
        }                                                                                          \
        here = at;                                                                                 \
        struct cb_counts done = {check, 0, i};                                                     \
        return done;                                                                               \
    }
RUN(light, lights)
RUN(heavy, heavies)

static struct cb_counts run(uint64_t n) {
    return is_heavy ? run_heavy(n) : run_light(n);
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, i);
    struct cb_counts all = {check, 0, n};
    return all;
}

static void finish(void) {
    if (is_heavy)
        CO_FINI(heavy, &heavies[here]);
    else
        CO_FINI(light, &lights[here]);
}

CB_SCENARIO(.id = "move", .unit = "move and round trip", .kind = CB_KIND_TIME,
            .quick = CB_LIST(NULL), .normal = CB_LIST("live=32"), .full = CB_LIST("live=1024"),
            .needs = needs, .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
