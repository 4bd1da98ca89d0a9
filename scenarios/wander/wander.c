// A recursion goes down and up irregularly, and yields at every step: at each yield other frames
// are alive, and they wait at other places.
//
// Where to go next is what the loop sends in, from a fixed sequence that is short enough for a
// processor to learn; so what differs is the way from the root to the frame that yields.
#include <backend.h>
#include "corobench/scenario.h"

// What is sent in: return, or call from one of two places.
#define BACK ((word)0)
#define LEFT ((word)1)
#define RIGHT ((word)2)

CORO_DECL(wander, (word key;), (word sum; word x;), (REC(wander)))

#if CO_PART_BODIES
// The two places go on differently, so that no compiler makes one of them.
CORO(wander) {
    CO_BEGIN(wander)
        my->sum = my->key;
        for (;;) {
            CO_YIELD(my->x, my->sum);
            if (my->x == BACK)
                CO_RETURN(my->sum);
            if (my->x == LEFT) {
                CO_CALLREC(my->x, wander, my->sum + LEFT);
                my->sum = cb_mix(my->sum, my->x);
            } else {
                CO_CALLREC(my->x, wander, my->sum + RIGHT);
                my->sum = cb_mix(my->x, my->sum);
            }
        }
    CO_END
}
#define CO_BODIES(_) _(wander)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#define KEY ((word)1000003)
#define DEEPEST 64
#define STEPS 4096 // that plain C is still predicted at: `hand` grows beyond
// Bytes of stack: for the first frame and what it calls, and for each further frame. Optimised code
// takes a tenth of that, a build that checks may take half.
#define STACK_BASE 2048
#define STACK_FRAME 512

static word steps[STEPS]; // they end where they began: with the root alone
static size_t most;
static CO_VAR(wander) root;

static unsigned needs(const struct cb_params *params) {
    (void)params;
    return CO_CAP_RECURSION;
}

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014); fixed seed, so
// that every process goes the same way.
static uint64_t random_word(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// From depth to depth, each as likely as the others, step by step.
static int prepare(const struct cb_params *params) {
    uint64_t state = 7;
    size_t depth = 1, wanted = 1;
    most = (size_t)cb_param(params, "most", 2);
    if (most < 2 || most > DEEPEST)
        return CO_E_INVALID;
    for (size_t i = 0; i < STEPS; i++) {
        while (depth == wanted)
            wanted = 1 + (size_t)(random_word(&state) % most);
        bool down = depth < wanted && depth < STEPS - i; // or there is no time left to return
        steps[i] = !down ? BACK : random_word(&state) % 2 == 0 ? LEFT : RIGHT;
        depth = down ? depth + 1 : depth - 1;
    }
    return 0;
}

// A run is the life of one coroutine; the resume that starts it comes on top of `n`.
static struct cb_counts run(uint64_t n) {
    struct cb_counts done = {0, 0, 0};
    const word *at = steps, *const end = steps + STEPS;
    word check = 0, seen = 0, in = BACK, out = 0;
    if (CO_INIT_STACK(wander, &root, STACK_BASE + STACK_FRAME * most, KEY) < 0)
        return done;
    while (CO_RESUME(wander, &root, in, &out) == CO_YIELDED) {
        check = cb_mix(check, out);
        if (seen++ == n)
            break;
        in = *at;
        if (++at == end)
            at = steps;
    }
    if (CO_FINI(wander, &root) < 0)
        return done;
    done.checksum = check;
    done.creations = 1;
    done.yields = seen;
    return done;
}

struct walk {
    const word *at;
    word check, left;
    bool ended;
};

// The same recursion in plain C: what the loop does with a yielded value is done in its place.
static word go(word key, struct walk *w) {
    word sum = key;
    for (;;) {
        w->check = cb_mix(w->check, sum);
        if (w->left-- == 0) {
            w->ended = true;
            return 0;
        }
        word x = *w->at;
        if (++w->at == steps + STEPS)
            w->at = steps;
        if (x == BACK)
            return sum;
        if (x == LEFT) {
            x = go(sum + LEFT, w);
            sum = cb_mix(sum, x);
        } else {
            x = go(sum + RIGHT, w);
            sum = cb_mix(x, sum);
        }
        if (w->ended)
            return 0;
    }
}

static struct cb_counts hand(uint64_t n) {
    struct walk w = {steps, 0, n, false};
    go(KEY, &w);
    struct cb_counts done = {w.check, 0, 0};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    struct cb_counts all = hand(n);
    all.creations = 1;
    all.yields = n + 1;
    return all;
}

CB_SCENARIO(.id = "wander", .unit = "turn", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("most=24"), .full = CB_LIST("most=8"), .needs = needs,
            .prepare = prepare, .run = run, .hand = hand, .expect = expect);
#endif
