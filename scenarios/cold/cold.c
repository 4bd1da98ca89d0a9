// A round trip of each of 256 coroutines with 64 bodies, after the caches, the branch predictor,
// both or nothing was filled with other things.
//
// A block is one eviction and then one round trip of each coroutine, always in the same random
// order. The hand loop does the same without coroutines, so the difference is what they cost.
#include <backend.h>
#include "corobench/scenario.h"

#include <stdlib.h>
#include <string.h>

// Sent in, it makes the coroutine return. A loop that counts up never sends it.
#define STOP (~(word)0)

#define BODIES 64
#define COPIES 4 // coroutines of each body
#define COROUTINES (BODIES * COPIES)
// All pairs of octal digits, and the names made of them.
#define EIGHT(_, a) _(a##0) _(a##1) _(a##2) _(a##3) _(a##4) _(a##5) _(a##6) _(a##7)
#define ALL(_)                                                                                     \
    EIGHT(_, 0) EIGHT(_, 1) EIGHT(_, 2) EIGHT(_, 3) EIGHT(_, 4) EIGHT(_, 5) EIGHT(_, 6) EIGHT(_, 7)

#define DECL(number) CORO_DECL(body##number, (word key;), (word x;), ())
ALL(DECL)

#if CO_PART_BODIES
// The number makes the code of each body differ, so that no compiler makes one of two.
#define BODY(number)                                                                               \
    CORO(body##number) {                                                                           \
        CO_BEGIN(body##number)                                                                     \
            my->x = 0;                                                                             \
            while (my->x != STOP)                                                                  \
                CO_YIELD(my->x, (my->x ^ 0##number) + my->key);                                    \
            CO_RETURN(my->key);                                                                    \
        CO_END                                                                                     \
    }
ALL(BODY)
#define EIGHT_BODIES(_, a)                                                                         \
    _(body##a##0)                                                                                  \
    _(body##a##1)                                                                                  \
    _(body##a##2) _(body##a##3) _(body##a##4) _(body##a##5) _(body##a##6) _(body##a##7)
#define CO_BODIES(_)                                                                               \
    EIGHT_BODIES(_, 0)                                                                             \
    EIGHT_BODIES(_, 1)                                                                             \
    EIGHT_BODIES(_, 2)                                                                             \
    EIGHT_BODIES(_, 3)                                                                             \
    EIGHT_BODIES(_, 4) EIGHT_BODIES(_, 5) EIGHT_BODIES(_, 6) EIGHT_BODIES(_, 7)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#define KEY ((word)1000003)

static co_handle coroutines[COROUTINES];
static uint16_t order[COROUTINES]; // a permutation: who is resumed after whom

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014); fixed seed, so
// that every process does the same.
static uint64_t random_word(void) {
    static uint64_t state = 2;
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// ---- Evicting -----------------------------------------------------------------------------------

#define LINE 64
#define WALKED ((size_t)4 << 20) // larger than a second-level cache
#define CALLS 512                // of functions with 32 branches each

static bool caches, branches;
static unsigned char *walked;
static volatile unsigned char sink;

// Each branch depends on a bit that was never seen before. What it guards is a volatile store, of
// which no compiler makes a conditional move.
#define BRANCH(bit)                                                                                \
    if (bits >> (bit)&1)                                                                           \
        sink = bit;
#define FOUR_BRANCHES(first) BRANCH(first) BRANCH(first + 1) BRANCH(first + 2) BRANCH(first + 3)
#define BRANCHING(number)                                                                          \
    static void branch##number(uint64_t bits) {                                                    \
        sink = 0##number;                                                                          \
        FOUR_BRANCHES(0)                                                                           \
        FOUR_BRANCHES(4)                                                                           \
        FOUR_BRANCHES(8)                                                                           \
        FOUR_BRANCHES(12)                                                                          \
        FOUR_BRANCHES(16) FOUR_BRANCHES(20) FOUR_BRANCHES(24) FOUR_BRANCHES(28)                    \
    }
ALL(BRANCHING)
#define ADDRESS(number) branch##number,
static void (*const branching[BODIES])(uint64_t bits) = {ALL(ADDRESS)};

static __attribute__((noinline)) void evict(void) {
    unsigned sum = 0;
    for (size_t i = 0; caches && i < WALKED; i += LINE)
        sum += walked[i];
    sink = (unsigned char)sum;
    for (int i = 0; branches && i < CALLS; i++) {
        uint64_t bits = random_word();
        branching[bits >> 32 & (BODIES - 1)](bits);
    }
}

// ---- Running ------------------------------------------------------------------------------------

#define VARIABLE(number) static CO_VAR(body##number) v##number[COPIES];
ALL(VARIABLE)

// The coroutine at `which` has the body of that number, counted in turns.
static int start(word which, int error, co_handle coroutine) {
    word out = 0;
    coroutines[which] = coroutine;
    if (error < 0)
        return error;
    int status = co_resume(coroutine, 0, &out);
    if (status < 0)
        return status;
    return status == CO_YIELDED && out == which % BODIES + KEY ? 0 : CO_E_INVALID;
}

static int prepare(const struct cb_params *params) {
    caches = cb_param_is(params, "evict", "cache") || cb_param_is(params, "evict", "both");
    branches = cb_param_is(params, "evict", "branches") || cb_param_is(params, "evict", "both");
    walked = (unsigned char *)malloc(WALKED);
    if (walked == NULL)
        return CO_E_NOMEM;
    memset(walked, 1, WALKED); // or all its pages would be one, the kernel's page of zeros
    for (size_t i = 0; i < COROUTINES; i++)
        order[i] = (uint16_t)i;
    for (size_t i = COROUTINES; i > 1; i--) { // Fisher and Yates
        size_t j = (size_t)(random_word() % i);
        uint16_t last = order[i - 1];
        order[i - 1] = order[j];
        order[j] = last;
    }
    int error = 0;
#define START(number)                                                                              \
    for (word i = 0; i < COPIES && error == 0; i++)                                                \
        error = start(i * BODIES + 0##number, CO_INIT(body##number, &v##number[i], KEY),           \
                      CO_HANDLE(&v##number[i]));
    ALL(START)
    return error;
}

// A run begins with an eviction, so that run and hand loop have the same number of them.
static struct cb_counts run(uint64_t n) {
    word check = 0, i;
    for (i = 0; i < n; i++) {
        word out;
        if (i % COROUTINES == 0)
            evict();
        if (co_resume(coroutines[order[i % COROUTINES]], i, &out) != CO_YIELDED)
            break;
        check = cb_mix(check, out);
    }
    struct cb_counts done = {check, 0, i};
    return done;
}

static struct cb_counts hand(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++) {
        if (i % COROUTINES == 0)
            evict();
        check = cb_mix(check, (i ^ order[i % COROUTINES] % BODIES) + KEY);
    }
    struct cb_counts done = {check, 0, 0};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, (i ^ order[i % COROUTINES] % BODIES) + KEY);
    struct cb_counts all = {check, 0, n};
    return all;
}

static void finish(void) {
#define FINISH(number)                                                                             \
    for (int i = 0; i < COPIES; i++)                                                               \
        CO_FINI(body##number, &v##number[i]);
    ALL(FINISH)
    free(walked);
    walked = NULL;
}

CB_SCENARIO(.id = "cold", .unit = "round trip", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("evict=branches", "evict=cache"),
            .full = CB_LIST("evict=none", "evict=both"), .prepare = prepare, .run = run,
            .hand = hand, .expect = expect, .finish = finish);
#endif
