// The memory that a suspended coroutine holds: `live` bytes of its own across the yield, after it
// used and dropped `peak` bytes of stack.
//
// Not timed: the harness reads the process's memory after n/10 and after n coroutines.
#include <backend.h>
#include "corobench/scenario.h"

#include <sys/mman.h>

// ---- What the coroutines hold ------------------------------------------------------------------

// Word i of an array. Not seed plus something: what cb_mix gives for 64 words in a row does not
// change when the same is added to each.
#define VALUE(seed, i) (((seed) + (i)) * ((i) + 0x9e3779b1))

// Bodies of `live` bytes: the seed and an array. One body a cell, because the size of a frame and
// of a block on the stack are part of a body's text.
#define HOLD_DECL(name, live)                                                                      \
    CORO_DECL(name, (word seed;), (word data[(live) / sizeof(word) - 1];), ())
HOLD_DECL(hold32, 32)
HOLD_DECL(hold1024, 1024)
HOLD_DECL(hold32_peak4096, 32)

#if CO_PART_BODIES
// Out of line, so that the array has to be in memory: no compiler keeps it in registers or computes
// it a second time after the yield.
static __attribute__((noinline)) void fill(word *data, size_t words, word seed) {
    for (size_t i = 0; i < words; i++)
        data[i] = VALUE(seed, i);
}

static __attribute__((noinline)) word digest(const word *data, size_t words) {
    word sum = 0;
    for (size_t i = 0; i < words; i++)
        sum = cb_mix(sum, data[i]);
    return sum;
}

static __attribute__((noinline)) word use_4096(word seed) {
    word block[4096 / sizeof(word)];
    fill(block, sizeof block / sizeof block[0], seed);
    return digest(block, sizeof block / sizeof block[0]);
}

// Answers x with x + the digest of its array, for ever.
#define HOLD(name, BEFORE)                                                                         \
    CORO(name) {                                                                                   \
        CO_BEGIN(name)                                                                             \
            BEFORE;                                                                                \
            fill(my->data, sizeof my->data / sizeof my->data[0], my->seed);                        \
            my->seed = 0;                                                                          \
            while (my->seed != ~(word)0)                                                           \
                CO_YIELD(my->seed,                                                                 \
                         my->seed + digest(my->data, sizeof my->data / sizeof my->data[0]));       \
            CO_RETURN(0);                                                                          \
        CO_END                                                                                     \
    }
HOLD(hold32, (void)0)
HOLD(hold1024, (void)0)
HOLD(hold32_peak4096, my->seed = CO_CCALL(use_4096, my->seed))
#define CO_BODIES(_) _(hold32) _(hold1024) _(hold32_peak4096)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
// ---- One body behind three functions -----------------------------------------------------------

#define STACK_BASE 2048 // bytes of stack beside the data; a body of 32 bytes takes the default

struct body {
    long live, peak;
    size_t size; // of a coroutine variable
    int (*start)(void *v, word seed, word *out);
    int (*resume)(void *v, word in, word *out);
    int (*close)(void *v);
};

#define BODY(name, INIT)                                                                           \
    static int start_##name(void *v, word seed, word *out) {                                       \
        CO_VAR(name) *co = (CO_VAR(name) *)v;                                                      \
        int status = INIT;                                                                         \
        if (status < 0)                                                                            \
            return status;                                                                         \
        status = CO_RESUME(name, co, 0, out);                                                      \
        if (status < 0)                                                                            \
            CO_FINI(name, co);                                                                     \
        return status;                                                                             \
    }                                                                                              \
    static int resume_##name(void *v, word in, word *out) {                                        \
        return CO_RESUME(name, (CO_VAR(name) *)v, in, out);                                        \
    }                                                                                              \
    static int close_##name(void *v) {                                                             \
        return CO_FINI(name, (CO_VAR(name) *)v);                                                   \
    }
BODY(hold32, CO_INIT(hold32, co, seed))
BODY(hold1024, CO_INIT_STACK(hold1024, co, STACK_BASE + 1024, seed))
BODY(hold32_peak4096, CO_INIT_STACK(hold32_peak4096, co, STACK_BASE + 4096, seed))

#define ROW(name, live, peak)                                                                      \
    { live, peak, sizeof(CO_VAR(name)), start_##name, resume_##name, close_##name }
static const struct body bodies[] = {
    ROW(hold32, 32, 0),
    ROW(hold1024, 1024, 0),
    ROW(hold32_peak4096, 32, 4096),
};

// ---- The scenario ------------------------------------------------------------------------------

// Coroutine variables of one call to grow.
struct segment {
    char *first;
    size_t bytes, count;
};

static const struct body *body;
static struct segment segments[16];
static size_t segment_count, started;

static unsigned needs(const struct cb_params *params) {
    return cb_param_is(params, "guard", "no") ? CO_CAP_GUARD : 0;
}

static void *at(size_t i) {
    const struct segment *s = segments;
    while (i >= s->count)
        i -= s++->count;
    return s->first + i * body->size;
}

// The sum that the body's array gives, computed without the array.
static word digest_of(word seed, size_t bytes) {
    word sum = 0;
    for (size_t i = 0; i < bytes / sizeof(word); i++)
        sum = cb_mix(sum, VALUE(seed, i));
    return sum;
}

static word held_by(size_t i) {
    word seed = (word)i;
    if (body->peak > 0)
        seed = digest_of(seed, (size_t)body->peak);
    return digest_of(seed, (size_t)body->live - sizeof(word));
}

static int prepare(const struct cb_params *params) {
    long live = cb_param(params, "live", 32), peak = cb_param(params, "peak", 0);
    body = NULL;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        if (bodies[i].live == live && bodies[i].peak == peak)
            body = &bodies[i];
    return body == NULL ? CO_E_INVALID : 0;
}

// Room for `count` more variables. Mapped where they are needed, so that address space, pages and
// page tables all grow with the coroutines; without huge pages, where 2 MiB would count for the
// first byte.
static int add_segment(size_t count) {
    if (segment_count == sizeof segments / sizeof segments[0])
        return CO_E_INVALID;
    struct segment s = {NULL, count * body->size, count};
    void *map = mmap(NULL, s.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return CO_E_NOMEM;
    // Fails only where the kernel knows no huge pages, and then there is nothing to switch off.
    (void)madvise(map, s.bytes, MADV_NOHUGEPAGE);
    s.first = (char *)map;
    segments[segment_count++] = s;
    return 0;
}

static int grow(uint64_t n) {
    if (started >= n)
        return 0;
    int error = add_segment((size_t)n - started);
    while (error == 0 && started < n) {
        word out = 0;
        int status = body->start(at(started), started, &out);
        if (status < 0)
            return status;
        if (status != CO_YIELDED || out != held_by(started))
            error = CO_E_INVALID;
        started++;
    }
    return error;
}

static uint64_t verify(void) {
    uint64_t right = 0;
    for (size_t i = 0; i < started; i++) {
        word out = 0, in = (word)(started - i);
        if (body->resume(at(i), in, &out) == CO_YIELDED && out == in + held_by(i))
            right++;
    }
    return right;
}

static void finish(void) {
    for (size_t i = 0; i < started; i++)
        body->close(at(i));
    for (size_t i = 0; i < segment_count; i++)
        munmap(segments[i].first, segments[i].bytes);
    segment_count = started = 0;
}

CB_SCENARIO(.id = "memory", .unit = "coroutine", .kind = CB_KIND_SPACE,
            .quick = CB_LIST("live=32;n=10000;peak=0"),
            .normal = CB_LIST("live=1024;n=10000;peak=0", "live=32;n=10000;peak=4096",
                              "guard=no;live=32;n=10000;peak=0"),
            .full = CB_LIST("live=32;n=100000;peak=0", "live=32;n=1000000;peak=0",
                            "live=32;n=10000000;peak=0", "live=32;n=100000;peak=4096"),
            .needs = needs, .prepare = prepare, .grow = grow, .verify = verify, .finish = finish);
#endif
