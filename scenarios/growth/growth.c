// Plain C calls below a body that need the next page or segment of the stack: again and again at
// the boundary, beside it, and for the first time.
#include <backend.h>
#include "corobench/scenario.h"

// ---- Calls of a known size ---------------------------------------------------------------------

// Bytes of locals: of a step down, of the call that is one operation, of a call that touches.
#define STEP_BYTES 64
#define LEAF_BYTES 512
#define TOUCH_BYTES 1024

#define STEPS 96         // at most so many down, which takes 2 pages and less than 3
#define NEAR 2048        // neighbouring frames are not further apart
#define PAGE 4096        // the smallest that any Linux has
#define STOP (~(word)0)  // sent in instead of a number of operations
#define WHERE (~(word)1) // likewise; asks for the number of steps that was chosen

enum place { AWAY, BOUNDARY };

CORO_DECL(grower, (enum place place;), (word n; word steps; word sum;), ())
CORO_DECL(toucher, (word seed; word calls;), (), ())

#if CO_PART_BODIES
// Where two neighbouring frames are.
struct trace {
    char *caller, *leaf;
};

static __attribute__((noinline)) word leaf(word a, struct trace *trace) {
    volatile word block[LEAF_BYTES / sizeof(word)];
    block[0] = a;
    block[LEAF_BYTES / sizeof(word) - 1] = a + 1;
    trace->leaf = (char *)(uintptr_t)&block[0];
    return cb_mix(block[0], block[LEAF_BYTES / sizeof(word) - 1]);
}

// n operations below `steps` frames. Each frame is read after its call, so that it stays.
static __attribute__((noinline)) word below(word steps, word n, struct trace *trace) {
    volatile word block[STEP_BYTES / sizeof(word)];
    word check = 0;
    block[0] = 0;
    if (steps > 0)
        return below(steps - 1, n, trace) + block[0];
    for (word i = 0; i < n; i++)
        check = cb_mix(check, leaf(i, trace));
    trace->caller = (char *)(uintptr_t)&block[0];
    return check + block[0];
}

static bool crosses_segment(struct trace t) {
    return t.caller < t.leaf || t.caller - t.leaf > NEAR;
}

static bool crosses_page(struct trace t) {
    return (uintptr_t)t.caller / PAGE != (uintptr_t)t.leaf / PAGE;
}

static struct trace after(word steps) {
    struct trace trace;
    below(steps, 1, &trace);
    return trace;
}

// How many steps down a leaf crosses a boundary: of segments where there are such, else of pages;
// for AWAY, how many steps down it and its neighbours cross neither. STOP if there is no place.
static __attribute__((noinline)) word look_for(enum place place) {
    word found = STOP, quiet = 0;
    for (word steps = 0; steps < STEPS; steps++) {
        struct trace trace = after(steps);
        bool segment = crosses_segment(trace);
        quiet = crosses_page(trace) ? 0 : quiet + 1;
        if (place == AWAY && quiet == 3)
            return steps - 1;
        if (place == BOUNDARY && quiet == 0 && (segment || found == STOP))
            found = steps;
        if (segment)
            break;
    }
    return found;
}

// Looks once, on the stack that it will use; then each resume is as many operations as are sent.
CORO(grower) {
    CO_BEGIN(grower)
        my->steps = look_for(my->place);
        my->n = WHERE;
        while (my->n != STOP) {
            if (my->n == WHERE) {
                my->sum = my->steps;
            } else {
                struct trace trace;
                my->sum = below(my->steps, my->n, &trace);
            }
            CO_YIELD(my->n, my->sum);
        }
        CO_RETURN(0);
    CO_END
}

static __attribute__((noinline)) word touch(word seed, word calls) {
    volatile word block[TOUCH_BYTES / sizeof(word)];
    block[0] = seed;
    block[TOUCH_BYTES / sizeof(word) - 1] = calls;
    word deeper = calls > 1 ? touch(seed * 5 + 1, calls - 1) : 0;
    return cb_mix(deeper, block[0] + block[TOUCH_BYTES / sizeof(word) - 1]);
}

CORO(toucher) {
    CO_BEGIN(toucher)
        CO_RETURN(touch(my->seed, my->calls));
    CO_END
}
#define CO_BODIES(_) _(grower) _(toucher)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#define STACK_BASE 2048 // bytes of stack for the first frame

static CO_VAR(grower) root;
static CO_VAR(toucher) kept;
static word calls;    // that touch; 0: the cell is one of the others
static size_t stated; // bytes of stack; 0 is what a coroutine has that states nothing

static unsigned needs(const struct cb_params *params) {
    return cb_param_is(params, "stated", "no") ? CO_CAP_GROWS : 0;
}

static int prepare(const struct cb_params *params) {
    word out = 0;
    calls = (word)cb_param(params, "bytes", 0) / TOUCH_BYTES;
    // Frames of a build that checks may be twice as large.
    stated = STACK_BASE + 2 * (calls > 0 ? calls * TOUCH_BYTES : STEPS * 2 * STEP_BYTES);
    if (cb_param_is(params, "stated", "no"))
        stated = 0;
    if (calls > 0)
        return 0;
    enum place place = cb_param_is(params, "at", "boundary") ? BOUNDARY : AWAY;
    int error = CO_INIT_STACK(grower, &root, stated, place);
    if (error < 0)
        return error;
    int status = CO_RESUME(grower, &root, 0, &out);
    if (status < 0)
        return status;
    return status == CO_YIELDED && out != STOP ? 0 : CO_E_INVALID;
}

static struct cb_counts run_calls(uint64_t n) {
    struct cb_counts done = {0, 0, 0};
    word out = 0;
    if (CO_RESUME(grower, &root, n, &out) == CO_YIELDED) {
        done.checksum = out;
        done.yields = 1;
    }
    return done;
}

static struct cb_counts run_touch(uint64_t n) {
    word check = 0, i;
    for (i = 0; i < n; i++) {
        word out;
        if (CO_INIT_STACK(toucher, &kept, stated, i, calls) < 0 ||
            CO_RESUME(toucher, &kept, 0, &out) != CO_RETURNED || CO_FINI(toucher, &kept) < 0)
            break;
        check = cb_mix(check, out);
    }
    struct cb_counts done = {check, i, 0};
    return done;
}

static struct cb_counts run(uint64_t n) {
    return calls > 0 ? run_touch(n) : run_calls(n);
}

static word touched(word seed, word left) {
    return cb_mix(left > 1 ? touched(seed * 5 + 1, left - 1) : 0, seed + left);
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, calls > 0 ? touched(i, calls) : cb_mix(i, i + 1));
    struct cb_counts all = {check, 0, 1};
    struct cb_counts lives = {check, n, 0};
    return calls > 0 ? lives : all;
}

static void finish(void) {
    if (calls == 0)
        CO_FINI(grower, &root);
}

CB_SCENARIO(.id = "growth", .unit = "call", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("at=away;stated=no", "at=boundary;stated=no",
                              "bytes=32768;stated=no;storage=fresh;touch=first"),
            .full = CB_LIST("at=away;stated=yes", "at=boundary;stated=yes",
                            "bytes=32768;stated=yes;storage=fresh;touch=first",
                            "bytes=16384;stated=no;storage=fresh;touch=first",
                            "bytes=16384;stated=yes;storage=fresh;touch=first",
                            "bytes=4096;stated=no;storage=fresh;touch=first",
                            "bytes=4096;stated=yes;storage=fresh;touch=first"),
            .needs = needs, .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
