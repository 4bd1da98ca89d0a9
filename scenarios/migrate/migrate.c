// A coroutine that outgrows what was stated: it says that it needs `from` bytes of stack, is
// suspended, and then uses `to` bytes.
#include <backend.h>
#include "corobench/scenario.h"

#define LINE 64

// One word of each cache line of a block of so many bytes, written and then read. Out of line and
// with its address given away: the block has to be in the frame.
#define USE(bytes)                                                                                 \
    static __attribute__((noinline)) word use_##bytes(word seed) {                                 \
        char block[bytes];                                                                         \
        word sum = 0;                                                                              \
        for (size_t i = 0; i < sizeof block; i += LINE)                                            \
            *(volatile char *)&block[i] = (char)(seed + i / LINE);                                 \
        __asm__ volatile("" : : "r"(block) : "memory");                                            \
        for (size_t i = 0; i < sizeof block; i += LINE)                                            \
            sum = cb_mix(sum, (unsigned char)block[i]);                                            \
        return sum;                                                                                \
    }
USE(2048)
USE(16384)
USE(49152)

CORO_DECL(grow_2048, (word seed;), (), ())
CORO_DECL(grow_16384, (word seed;), (), ())
CORO_DECL(grow_49152, (word seed;), (), ())

#if CO_PART_BODIES
#define GROW(bytes)                                                                                \
    CORO(grow_##bytes) {                                                                           \
        CO_BEGIN(grow_##bytes)                                                                     \
            CO_YIELD(my->seed, my->seed);                                                          \
            my->seed = CO_CCALL(use_##bytes, my->seed);                                            \
            CO_RETURN(my->seed);                                                                   \
        CO_END                                                                                     \
    }
GROW(2048)
GROW(16384)
GROW(49152)
#define CO_BODIES(_) _(grow_2048) _(grow_16384) _(grow_49152)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
static size_t from;

#define LIVES(bytes)                                                                               \
    static CO_VAR(grow_##bytes) kept_##bytes;                                                      \
    static struct cb_counts run_##bytes(uint64_t n) {                                              \
        word check = 0, i, out;                                                                    \
        for (i = 0; i < n; i++) {                                                                  \
            if (CO_INIT_STACK(grow_##bytes, &kept_##bytes, from, i) < 0 ||                         \
                CO_RESUME(grow_##bytes, &kept_##bytes, 0, &out) != CO_YIELDED ||                   \
                CO_RESUME(grow_##bytes, &kept_##bytes, out + 1, &out) != CO_RETURNED ||            \
                CO_FINI(grow_##bytes, &kept_##bytes) < 0)                                          \
                break;                                                                             \
            check = cb_mix(check, out);                                                            \
        }                                                                                          \
        struct cb_counts done = {check, i, i};                                                     \
        return done;                                                                               \
    }
LIVES(2048)
LIVES(16384)
LIVES(49152)

static const struct size {
    long to;
    struct cb_counts (*run)(uint64_t n);
    word (*use)(word seed);
} sizes[] = {
    {2048, run_2048, use_2048},
    {16384, run_16384, use_16384},
    {49152, run_49152, use_49152},
};
static const struct size *size;

// Where the stack was stated large enough nothing has to grow.
static unsigned needs(const struct cb_params *params) {
    bool grows = cb_param(params, "from", 0) < cb_param(params, "to", 0);
    return CO_CAP_STACK_SIZE | (grows ? CO_CAP_GROWS : 0);
}

static int prepare(const struct cb_params *params) {
    from = (size_t)cb_param(params, "from", 0);
    size = NULL;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i].to == cb_param(params, "to", 0))
            size = &sizes[i];
    return size == NULL ? CO_E_INVALID : 0;
}

static struct cb_counts run(uint64_t n) {
    return size->run(n);
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, size->use(i + 1));
    struct cb_counts sum = {check, n, n};
    return sum;
}

CB_SCENARIO(.id = "migrate", .unit = "life that grows", .kind = CB_KIND_TIME,
            .quick = CB_LIST(NULL), .normal = CB_LIST("from=256;to=2048", "from=4096;to=2048"),
            .full = CB_LIST("from=2048;to=16384", "from=32768;to=16384", "from=256;to=49152",
                            "from=131072;to=49152", "from=256;storage=fresh;to=2048",
                            "from=4096;storage=fresh;to=2048"),
            .needs = needs, .prepare = prepare, .run = run, .expect = expect);
#endif
