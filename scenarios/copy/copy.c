// One round trip on a coroutine that keeps a block of `live` bytes across its yield: on two of them
// in turn, or with same=1 on one of two.
//
// A round trip touches one word of the block, so what depends on `live` is the technique's own
// handling of it.
#include <backend.h>
#include "corobench/scenario.h"

// One body a size, because the size of a frame is part of a body's text.
#define SIZES(_) _(64) _(1024) _(4096) _(16384)
#define WORDS(live) ((live) / sizeof(word))
#define DECL(live) CORO_DECL(keep##live, (word key;), (word x; word i; word data[WORDS(live)];), ())
SIZES(DECL)

#if CO_PART_BODIES
// What is sent in chooses the word: no compiler can keep the block anywhere but in memory.
#define BODY(live)                                                                                 \
    CORO(keep##live) {                                                                             \
        CO_BEGIN(keep##live)                                                                       \
            for (my->i = 0; my->i < WORDS(live); my->i++)                                          \
                my->data[my->i] = my->key + my->i;                                                 \
            my->x = 0;                                                                             \
            for (;;) {                                                                             \
                my->i = my->x % WORDS(live);                                                       \
                my->data[my->i] = cb_mix(my->data[my->i], my->x);                                  \
                CO_YIELD(my->x, my->data[my->i]);                                                  \
            }                                                                                      \
        CO_END                                                                                     \
    }
SIZES(BODY)
#define CO_BODIES(_) _(keep64) _(keep1024) _(keep4096) _(keep16384)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#define KEY ((word)1000003)
#define STACK_BASE 2048 // bytes of stack beside the block
#define MOST WORDS(16384)

static struct cb_counts (*chosen)(uint64_t n);
static size_t words;
static word turn; // 1: from one coroutine to the other after each round trip; 0: always the same

// The coroutines are created anew in each run, so that a run does not depend on earlier ones.
#define RUN(live)                                                                                  \
    static struct cb_counts run##live(uint64_t n) {                                                \
        static CO_VAR(keep##live) v[2];                                                            \
        struct cb_counts done = {0, 0, 0};                                                         \
        word check = 0, which = 0, step = turn, i = 0, out;                                        \
        for (word k = 0; k < 2; k++)                                                               \
            if (CO_INIT_STACK(keep##live, &v[k], STACK_BASE + (live), KEY * k) < 0)                \
                return done;                                                                       \
        if (CO_RESUME(keep##live, &v[1], 0, &out) == CO_YIELDED &&                                 \
            CO_RESUME(keep##live, &v[0], 0, &out) == CO_YIELDED)                                   \
            for (; i < n; i++) {                                                                   \
                if (CO_RESUME(keep##live, &v[which], i, &out) != CO_YIELDED)                       \
                    break;                                                                         \
                check = cb_mix(check, out);                                                        \
                which ^= step;                                                                     \
            }                                                                                      \
        for (word k = 0; k < 2; k++)                                                               \
            CO_FINI(keep##live, &v[k]);                                                            \
        done.checksum = check;                                                                     \
        done.creations = 2;                                                                        \
        done.yields = i;                                                                           \
        return done;                                                                               \
    }
SIZES(RUN)

static int prepare(const struct cb_params *params) {
    long live = cb_param(params, "live", 64);
    words = WORDS((size_t)live);
    turn = cb_param(params, "same", 0) == 0;
    chosen = NULL;
#define CHOOSE(size)                                                                               \
    if (live == (size))                                                                            \
        chosen = run##size;
    SIZES(CHOOSE)
    return chosen == NULL ? CO_E_INVALID : 0;
}

static struct cb_counts run(uint64_t n) {
    return chosen(n);
}

// The first resume of each, which starts it, mixes 0 into its first word.
static struct cb_counts expect(uint64_t n) {
    static word data[2][MOST];
    word check = 0, which = 0;
    for (word k = 0; k < 2; k++) {
        for (word i = 0; i < words; i++)
            data[k][i] = KEY * k + i;
        data[k][0] = cb_mix(data[k][0], 0);
    }
    for (word i = 0; i < n; i++) {
        word *at = &data[which][i % words];
        *at = cb_mix(*at, i);
        check = cb_mix(check, *at);
        which ^= turn;
    }
    struct cb_counts all = {check, 2, n};
    return all;
}

CB_SCENARIO(.id = "copy", .unit = "round trip", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("live=64", "live=4096"),
            .full = CB_LIST("live=1024", "live=16384", "live=64;same=1", "live=16384;same=1"),
            .prepare = prepare, .run = run, .expect = expect);
#endif
