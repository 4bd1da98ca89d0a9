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

// Generators over a generator, which they keep among their locals and resume by name.
#define OVER_DECL(name, inner)                                                                     \
    CORO_DECL(name, (const word *data; word n;), (word x; word out; CO_VAR(inner) source;), ())
OVER_DECL(mapped, level1)
OVER_DECL(filtered, level1)
OVER_DECL(filtered_map, mapped)

#define MAP(x) ((x)*3 + 2) // keeps what is odd odd
#define SAME(x) (x)
#define KEEPS(x) ((x) % 2 != 0)
#define ALWAYS(x) true

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

// Yields VALUE for each element `my->out` of the inner generator for which WHEN holds.
#define OVER(name, inner, WHEN, VALUE)                                                             \
    CORO(name) {                                                                                   \
        CO_BEGIN(name)                                                                             \
            my->source = (CO_VAR(inner)){}; /* the cleanup may come next */                        \
            if (CO_INIT(inner, &my->source, my->data, my->n) < 0)                                  \
                CO_RAISE(CO_NOMEM);                                                                \
            while (CO_RESUME(inner, &my->source, 0, &my->out) == CO_YIELDED)                       \
                if (WHEN(my->out))                                                                 \
                    CO_YIELD(my->x, VALUE(my->out));                                               \
            CO_RETURN(my->out);                                                                    \
            CO_FINALLY                                                                             \
            CO_FINI(inner, &my->source);                                                           \
        CO_END_FINALLY                                                                             \
    }
OVER(mapped, level1, ALWAYS, MAP)
OVER(filtered, level1, KEEPS, SAME)
OVER(filtered_map, mapped, KEEPS, SAME)
#define CO_BODIES(_)                                                                               \
    _(level1)                                                                                      \
    _(level2)                                                                                      \
    _(level3)                                                                                      \
    _(level4) _(level5) _(level6) _(level7) _(level8) _(mapped) _(filtered) _(filtered_map)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
// How one cell's work is done: by a generator, by hand, and what that gives for n elements.
struct way {
    const char *shape, *reduce;
    long levels;
    struct cb_counts (*run)(uint64_t n);
    word (*hand)(uint64_t n);
    struct cb_counts (*expect)(uint64_t n);
};

static word elements[WORDS];
static const struct way *chosen;

// serial: each step needs the one before. vector: a plain sum, which a compiler may reorder.
#define SERIAL(sum, x) cb_mix((sum), (x))
#define VECTOR(sum, x) ((sum) + (x))

// How many of the first `length` elements are kept: the elements are even and odd in turn.
#define ALL(length) (length)
#define KEPT(length) ((length) / 2)

// One generator for each pass over the array, the last pass maybe shorter. It lives in the loop's
// own storage, as a user would have it. The loop takes the number of elements from the generator
// and has no counter of its own, as the hand-written one has none; the sum shows a wrong number.
// What is dropped counts in the checksum as one.
// Out of line, so that each cell's loop is to be found in the program under its name.
#define FOLD(name, level, levels, REDUCE, YIELDS)                                                  \
    static __attribute__((noinline)) struct cb_counts name(uint64_t n) {                           \
        word sum = 0;                                                                              \
        uint64_t creations = 0, taken = 0, yields = 0;                                             \
        while (taken < n) {                                                                        \
            word length = n - taken < WORDS ? (word)(n - taken) : WORDS, out = 0;                  \
            int status;                                                                            \
            CO_VAR(level) g;                                                                       \
            if (CO_INIT(level, &g, elements, length) < 0)                                          \
                break;                                                                             \
            creations++;                                                                           \
            while ((status = CO_RESUME(level, &g, 0, &out)) == CO_YIELDED)                         \
                sum = REDUCE(sum, out);                                                            \
            if (CO_FINI(level, &g) < 0 || status != CO_RETURNED || out != length + (levels)-1)     \
                break;                                                                             \
            taken += length;                                                                       \
            yields += YIELDS(length);                                                              \
        }                                                                                          \
        struct cb_counts done = {sum + taken, creations, yields};                                  \
        return done;                                                                               \
    }
FOLD(fold1_serial, level1, 1, SERIAL, ALL)
FOLD(fold2_serial, level2, 2, SERIAL, ALL)
FOLD(fold8_serial, level8, 8, SERIAL, ALL)
FOLD(fold1_vector, level1, 1, VECTOR, ALL)
FOLD(fold2_vector, level2, 2, VECTOR, ALL)
FOLD(fold8_vector, level8, 8, VECTOR, ALL)
FOLD(fold1_map, mapped, 1, SERIAL, ALL)
FOLD(fold1_filter, filtered, 1, SERIAL, KEPT)
FOLD(fold1_filter_map, filtered_map, 1, SERIAL, KEPT)

// Early exit: the loop goes on until it meets a certain element, and then closes the generator. The
// last pass may end before.
#define EXIT_AFTER 2048
static __attribute__((noinline)) struct cb_counts fold1_exit(uint64_t n) {
    const word last = elements[EXIT_AFTER - 1];
    word sum = 0;
    uint64_t creations = 0, taken = 0;
    while (taken < n) {
        word left = (word)(n - taken), out = 0;
        int status;
        CO_VAR(level1) g;
        if (CO_INIT(level1, &g, elements, left < EXIT_AFTER ? left : WORDS) < 0)
            break;
        creations++;
        while ((status = CO_RESUME(level1, &g, 0, &out)) == CO_YIELDED) {
            sum = SERIAL(sum, out);
            if (out == last)
                break;
        }
        if (CO_FINI(level1, &g) < 0 || status < 0)
            break;
        taken += status == CO_YIELDED ? EXIT_AFTER : out;
    }
    struct cb_counts done = {sum + taken, creations, taken};
    return done;
}

#define HAND(name, REDUCE, WHEN, VALUE)                                                            \
    static __attribute__((noinline)) word name(uint64_t n) {                                       \
        word sum = 0;                                                                              \
        while (n > 0) {                                                                            \
            word length = n < WORDS ? (word)n : WORDS;                                             \
            for (word i = 0; i < length; i++) {                                                    \
                word x = VALUE(elements[i]);                                                       \
                if (WHEN(x))                                                                       \
                    sum = REDUCE(sum, x);                                                          \
            }                                                                                      \
            n -= length;                                                                           \
        }                                                                                          \
        return sum;                                                                                \
    }
HAND(hand_serial, SERIAL, ALWAYS, SAME)
HAND(hand_vector, VECTOR, ALWAYS, SAME)
HAND(hand_map, SERIAL, ALWAYS, MAP)
HAND(hand_filter, SERIAL, KEEPS, SAME)
HAND(hand_filter_map, SERIAL, KEEPS, MAP)

static __attribute__((noinline)) word hand_exit(uint64_t n) {
    const word last = elements[EXIT_AFTER - 1];
    word sum = 0;
    while (n > 0) {
        word length = n < EXIT_AFTER ? (word)n : WORDS;
        for (word i = 0; i < length; i++) {
            sum = SERIAL(sum, elements[i]);
            if (elements[i] == last)
                break;
        }
        n -= n < EXIT_AFTER ? (word)n : EXIT_AFTER;
    }
    return sum;
}

// What must come out, worked out element by element.
#define EXPECT(name, REDUCE, WHEN, VALUE, pass)                                                    \
    static struct cb_counts name(uint64_t n) {                                                     \
        struct cb_counts all = {0, (n + (pass)-1) / (pass), 0};                                    \
        for (uint64_t i = 0; i < n; i++) {                                                         \
            word x = VALUE(elements[i % (pass)]);                                                  \
            if (WHEN(x)) {                                                                         \
                all.checksum = REDUCE((word)all.checksum, x);                                      \
                all.yields++;                                                                      \
            }                                                                                      \
        }                                                                                          \
        all.checksum += n;                                                                         \
        return all;                                                                                \
    }
EXPECT(expect_serial, SERIAL, ALWAYS, SAME, WORDS)
EXPECT(expect_vector, VECTOR, ALWAYS, SAME, WORDS)
EXPECT(expect_map, SERIAL, ALWAYS, MAP, WORDS)
EXPECT(expect_filter, SERIAL, KEEPS, SAME, WORDS)
EXPECT(expect_filter_map, SERIAL, KEEPS, MAP, WORDS)
EXPECT(expect_exit, SERIAL, ALWAYS, SAME, EXIT_AFTER)

static const struct way ways[] = {
    {"", "serial", 1, fold1_serial, hand_serial, expect_serial},
    {"", "serial", 2, fold2_serial, hand_serial, expect_serial},
    {"", "serial", 8, fold8_serial, hand_serial, expect_serial},
    {"", "vector", 1, fold1_vector, hand_vector, expect_vector},
    {"", "vector", 2, fold2_vector, hand_vector, expect_vector},
    {"", "vector", 8, fold8_vector, hand_vector, expect_vector},
    {"exit", "serial", 1, fold1_exit, hand_exit, expect_exit},
    {"map", "serial", 1, fold1_map, hand_map, expect_map},
    {"filter", "serial", 1, fold1_filter, hand_filter, expect_filter},
    {"filter-map", "serial", 1, fold1_filter_map, hand_filter_map, expect_filter_map},
};

static int prepare(const struct cb_params *params) {
    word x = 1;
    for (word i = 0; i < WORDS; i++) {
        x = x * 2862933555777941757u + 3037000493u; // any odd numbers do; even and odd in turn
        elements[i] = x;
    }
    chosen = NULL;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (cb_param(params, "levels", 1) == ways[i].levels &&
            cb_param_is(params, "reduce", ways[i].reduce) &&
            cb_param_is(params, "shape", ways[i].shape))
            chosen = &ways[i];
    return chosen == NULL ? CO_E_INVALID : 0;
}

static struct cb_counts run(uint64_t n) {
    return chosen->run(n);
}

static struct cb_counts hand(uint64_t n) {
    struct cb_counts done = {chosen->hand(n) + n, 0, 0};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    return chosen->expect(n);
}

CB_SCENARIO(.id = "fold", .unit = "element", .kind = CB_KIND_TIME,
            .quick = CB_LIST("levels=1;reduce=serial"),
            .normal = CB_LIST("levels=2;reduce=serial", "levels=8;reduce=serial",
                              "levels=1;reduce=serial;shape=exit",
                              "levels=1;reduce=serial;shape=map",
                              "levels=1;reduce=serial;shape=filter",
                              "levels=1;reduce=serial;shape=filter-map"),
            .full = CB_LIST("levels=1;reduce=vector", "levels=2;reduce=vector",
                            "levels=8;reduce=vector"),
            .prepare = prepare, .run = run, .hand = hand, .expect = expect);
#endif
