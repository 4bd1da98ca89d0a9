// A generator over an array, next to the hand-written loop that does the same.
//
// The elements come out of memory, so no compiler computes the answer without going through them.
#include <backend.h>
#include "corobench/scenario.h"

#define WORDS 4096

// The generator itself. It returns how many elements it gave.
CORO_DECL(level1, (const word *data; word n;), (word i; word x;), ())

// Passes on what the level below yields. Each level is a body of its own, so that a backend that
// places callees inside the caller's frame has one frame of known size, and nothing is recursive.
#define LEVEL_DECL(level, below)                                                                   \
    CORO_DECL(level, (const word *data; word n;), (word x;), (SUB(below)))
LEVEL_DECL(level2, level1)
LEVEL_DECL(level3, level2)
LEVEL_DECL(level4, level3)
LEVEL_DECL(level5, level4)
LEVEL_DECL(level6, level5)
LEVEL_DECL(level7, level6)
LEVEL_DECL(level8, level7)

#if CO_PART_BODIES
CORO(level1) {
    CO_BEGIN(level1)
        for (my->i = 0; my->i < my->n; my->i++)
            CO_YIELD(my->x, my->data[my->i]);
        CO_RETURN(my->i);
    CO_END
}

#define LEVEL(level, below)                                                                        \
    CORO(level) {                                                                                  \
        CO_BEGIN(level)                                                                            \
            CO_CALL(my->x, below, my->data, my->n);                                                \
            CO_RETURN(my->x + 1); /* not a tail call, so that each frame stays */                  \
        CO_END                                                                                     \
    }
LEVEL(level2, level1)
LEVEL(level3, level2)
LEVEL(level4, level3)
LEVEL(level5, level4)
LEVEL(level6, level5)
LEVEL(level7, level6)
LEVEL(level8, level7)
#define CO_BODIES(_) _(level1) _(level2) _(level3) _(level4) _(level5) _(level6) _(level7) _(level8)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
static word elements[WORDS];
static struct cb_counts (*chosen)(uint64_t n);
static bool vector;

// serial: each step needs the one before. vector: a plain sum, which a compiler may reorder.
#define SERIAL(sum, x) cb_mix((sum), (x))
#define VECTOR(sum, x) ((sum) + (x))

// One generator for each pass over the array, the last pass maybe shorter. It lives in the loop's
// own storage, as a user would have it. The loop takes the number of elements from the generator
// and has no counter of its own, as the hand-written one has none; the sum shows a wrong number.
#define FOLD(name, level, levels, REDUCE)                                                          \
    static struct cb_counts name(uint64_t n) {                                                     \
        word sum = 0;                                                                              \
        uint64_t creations = 0, yields = 0;                                                        \
        while (yields < n) {                                                                       \
            word length = n - yields < WORDS ? (word)(n - yields) : WORDS, out = 0;                \
            int status;                                                                            \
            CO_VAR(level) g;                                                                       \
            if (CO_INIT(level, &g, elements, length) < 0)                                          \
                break;                                                                             \
            creations++;                                                                           \
            while ((status = CO_RESUME(level, &g, 0, &out)) == CO_YIELDED)                         \
                sum = REDUCE(sum, out);                                                            \
            if (CO_FINI(level, &g) < 0 || status != CO_RETURNED || out != length + (levels)-1)     \
                break;                                                                             \
            yields += out - ((levels)-1);                                                          \
        }                                                                                          \
        struct cb_counts done = {sum, creations, yields};                                          \
        return done;                                                                               \
    }
FOLD(fold1_serial, level1, 1, SERIAL)
FOLD(fold2_serial, level2, 2, SERIAL)
FOLD(fold8_serial, level8, 8, SERIAL)
FOLD(fold1_vector, level1, 1, VECTOR)
FOLD(fold2_vector, level2, 2, VECTOR)
FOLD(fold8_vector, level8, 8, VECTOR)

#define HAND(name, REDUCE)                                                                         \
    static word name(uint64_t n) {                                                                 \
        word sum = 0;                                                                              \
        while (n > 0) {                                                                            \
            word length = n < WORDS ? (word)n : WORDS;                                             \
            for (word i = 0; i < length; i++)                                                      \
                sum = REDUCE(sum, elements[i]);                                                    \
            n -= length;                                                                           \
        }                                                                                          \
        return sum;                                                                                \
    }
HAND(hand_serial, SERIAL)
HAND(hand_vector, VECTOR)

static int prepare(const struct cb_params *params) {
    word x = 1;
    for (word i = 0; i < WORDS; i++) {
        x = x * 2862933555777941757u + 3037000493u; // any odd numbers do
        elements[i] = x;
    }
    long levels = cb_param(params, "levels", 1);
    vector = cb_param_is(params, "reduce", "vector");
    if (vector)
        chosen = levels == 1 ? fold1_vector : levels == 2 ? fold2_vector : fold8_vector;
    else
        chosen = levels == 1 ? fold1_serial : levels == 2 ? fold2_serial : fold8_serial;
    return 0;
}

static struct cb_counts run(uint64_t n) {
    return chosen(n);
}

static struct cb_counts hand(uint64_t n) {
    struct cb_counts done = {vector ? hand_vector(n) : hand_serial(n), 0, 0};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum = vector ? VECTOR(sum, elements[i % WORDS]) : SERIAL(sum, elements[i % WORDS]);
    struct cb_counts all = {sum, (n + WORDS - 1) / WORDS, n};
    return all;
}

CB_SCENARIO(.id = "fold", .unit = "element", .kind = CB_KIND_TIME,
            .quick = CB_LIST("levels=1;reduce=serial"),
            .normal = CB_LIST("levels=2;reduce=serial", "levels=8;reduce=serial"),
            .full = CB_LIST("levels=1;reduce=vector", "levels=2;reduce=vector",
                            "levels=8;reduce=vector"),
            .prepare = prepare, .run = run, .hand = hand, .expect = expect);
#endif
