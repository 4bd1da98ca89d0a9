// Stacks that grow: pointers into frames at all depths, beyond what was stated, and back.
// Needs one of: CO_CAP_GROWS
#include <backend.h>
#include "../kit.h"

#include <string.h>

// A frame's link in the chain of all live frames: where it is, and words that only it knows.
struct link {
    const struct link *up, *self;
    word depth, key, words[6];
};

CORO_DECL(rung, (const struct link *up; word depth; word key;),
          (struct link mine; word x; word y; word faults;), (REC(rung)))
CORO_DECL(ladder, (word depth; word key;), (struct link mine; word x; word faults;), ())
CORO_DECL(digger, (word calls; word key; word rounds;), (word i; word x; word faults;), ())
CORO_DECL(one_frame, (word key;), (word x; word faults;), ())
CORO_DECL(falls, (word calls; word key; word rounds;), (word i; word x; word e; word faults;), ())
CORO_DECL(cleans, (const struct link *up; word depth; word key; word * faults;),
          (struct link mine; word x;), (REC(cleans)))

#define CO_BODIES(_) _(rung) _(ladder) _(digger) _(one_frame) _(falls) _(cleans)

#if CO_PART_BODIES
// ---- Frames that know each other ----------------------------------------------------------------

static inline void forge(struct link *l, const struct link *up, word depth, word key) {
    l->up = up;
    l->self = l;
    l->depth = depth;
    l->key = key;
    for (word i = 0; i < 6; i++)
        l->words[i] = key * 1000003 + depth * 64 + i;
}

// How many of the links from here to the outermost one are not as they were made.
static __attribute__((noinline)) word broken(const struct link *l, word key) {
    word faults = 0;
    word depth = l->depth;
    for (; l != NULL; l = l->up, depth++) {
        faults += l->self != l || l->depth != depth || l->key != key;
        if (l->self != l)
            break;
        for (word i = 0; i < 6; i++)
            faults += l->words[i] != key * 1000003 + depth * 64 + i;
    }
    return faults;
}

// Yields at each depth on the way down and on the way up; the links are looked at after each yield.
CORO(rung) {
    CO_BEGIN(rung)
        forge(&my->mine, my->up, my->depth, my->key);
        my->faults = broken(&my->mine, my->key);
        CO_YIELD(my->x, my->depth);
        my->faults += my->x != my->depth + my->key;
        my->faults += broken(&my->mine, my->key);
        if (my->depth > 1) {
            CO_CALLREC(my->y, rung, &my->mine, my->depth - 1, my->key);
            my->faults += my->y;
        }
        CO_YIELD(my->x, my->depth);
        my->faults += my->x != my->depth + my->key;
        my->faults += broken(&my->mine, my->key);
        CO_RETURN(my->faults);
    CO_END
}

// The same in C functions.
static __attribute__((noinline)) word climb(co_handle self, const struct link *up, word depth,
                                            word key) {
    struct link mine;
    word faults = 0;
    forge(&mine, up, depth, key);
    faults += CO_DEEP_YIELD(self, depth) != depth + key;
    faults += broken(&mine, key);
    if (depth > 1)
        faults += climb(self, &mine, depth - 1, key);
    faults += CO_DEEP_YIELD(self, depth) != depth + key;
    return faults + broken(&mine, key);
}

CORO(ladder) {
    CO_BEGIN(ladder)
        forge(&my->mine, NULL, my->depth, my->key);
        my->faults = climb(CO_SELF, &my->mine, my->depth - 1, my->key);
        CO_RETURN(my->faults + broken(&my->mine, my->key));
    CO_END
}

// ---- Much stack ---------------------------------------------------------------------------------

enum { SPADE = 1024 }; // bytes of locals of a call that digs

// Writes `calls` frames of a pattern, all of them, and reads them on the way back.
static __attribute__((noinline)) word dig_down(word calls, word key) {
    volatile unsigned char earth[SPADE];
    word faults = 0;
    for (unsigned i = 0; i < SPADE; i++)
        earth[i] = (unsigned char)(key * 31 + calls * 7 + i);
    if (calls > 1)
        faults = dig_down(calls - 1, key);
    for (unsigned i = 0; i < SPADE; i++)
        faults += earth[i] != (unsigned char)(key * 31 + calls * 7 + i);
    return faults;
}

CORO(digger) {
    CO_BEGIN(digger)
        my->faults = 0;
        for (my->i = 0; my->i < my->rounds; my->i++) {
            my->faults += dig_down(my->calls, my->key);
            CO_YIELD(my->x, my->i);
            my->faults += my->x != my->key;
        }
        CO_RETURN(my->faults);
    CO_END
}

// One frame larger than any first page or segment.
static __attribute__((noinline)) word dig_at_once(word key) {
    volatile unsigned char earth[40000];
    word faults = 0;
    for (unsigned i = 0; i < sizeof earth; i++)
        earth[sizeof earth - 1 - i] = (unsigned char)(key + i * 5);
    faults += dig_down(2, key);
    for (unsigned i = 0; i < sizeof earth; i++)
        faults += earth[sizeof earth - 1 - i] != (unsigned char)(key + i * 5);
    return faults;
}

CORO(one_frame) {
    CO_BEGIN(one_frame)
        my->faults = dig_at_once(my->key);
        CO_YIELD(my->x, 1);
        my->faults += dig_at_once(my->key);
        CO_RETURN(my->faults);
    CO_END
}

// ---- Errors and cleanups far down ---------------------------------------------------------------

// Where deep yields are not claimed they trap, and then nothing ends the recursion but that.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Winfinite-recursion"
#endif
// Digs, and yields at the bottom: where the error comes.
static __attribute__((noinline)) word yield_far_down(co_handle self, word calls, word key) {
    volatile unsigned char earth[SPADE];
    for (unsigned i = 0; i < SPADE; i++)
        earth[i] = (unsigned char)(key + i);
    word x = calls > 1 ? yield_far_down(self, calls - 1, key) : CO_DEEP_YIELD(self, key);
    return x + earth[key % SPADE];
}

// After each error that came from far down the stack has to be in order near its top: it digs
// again.
CORO(falls) {
    CO_BEGIN(falls)
        my->faults = 0;
        for (my->i = 0; my->i < my->rounds; my->i++) {
            CO_TRY
                my->x = yield_far_down(CO_SELF, my->calls, my->key);
                my->faults++; // it was to be an error
                CO_CATCH(my->e)
                my->faults += my->e != my->key + my->i;
            CO_END_TRY
            my->faults += dig_down(1 + my->i % my->calls, my->key);
        }
        CO_YIELD(my->x, my->faults);
        CO_RETURN(dig_down(my->calls, my->key));
    CO_END
}

// Each level's cleanup looks at the chain above it, and digs.
CORO(cleans) {
    CO_BEGIN(cleans)
        forge(&my->mine, my->up, my->depth, my->key);
        if (my->depth > 1) {
            CO_CALLREC(my->x, cleans, &my->mine, my->depth - 1, my->key, my->faults);
        } else {
            CO_YIELD(my->x, my->key);
        }
        CO_RETURN(my->x);
        CO_FINALLY
        *my->faults += broken(&my->mine, my->key) + dig_down(8, my->key);
        *my->faults += 1000;
    CO_END_FINALLY
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
KIT_DRIVERS(CO_BODIES)

enum {
    STATED = 4096, // bytes of stack, where one is stated
    TOGETHER = 6,  // coroutines that grow in turns, so that each one's stack has neighbours
};

// Calls of 1 KiB; frames that yield, 120 to 360 bytes each: 50 KiB either. A sanitizer pads frames.
static word calls_beyond(void) {
    return kit_sanitized ? 30 : 50;
}

static word frames_beyond(void) {
    return kit_sanitized ? 40 : 140;
}

KIT_CHECK(every_depth, CO_CAP_GROWS | CO_CAP_RECURSION, KIT_ALWAYS,
          "yields at every depth down and up, pointers into all frames: none moves or is lost") {
    const word levels = frames_beyond();
    CO_VAR(rung) v[TOGETHER] = {};
    for (word k = 0; k < TOGETHER; k++)
        WANT_STATUS(CO_INIT_STACK(rung, &v[k], k % 2 * STATED, NULL, levels, k), 0);
    for (word step = 0; step < 2 * levels; step++)
        for (word k = 0; k < TOGETHER; k++) {
            word depth = step < levels ? levels - step : step - levels + 1;
            word before = step <= levels ? (step == levels ? 1 : depth + 1) : depth - 1;
            WANT_GO(rung, &v[k], before + k, CO_YIELDED, depth);
        }
    for (word k = 0; k < TOGETHER; k++) {
        WANT_GO(rung, &v[k], levels + k, CO_RETURNED, 0);
        WANT_FINI(rung, &v[k]);
    }
}

KIT_CHECK(every_depth_in_c, CO_CAP_GROWS | CO_CAP_DEEP_YIELD, KIT_ALWAYS,
          "so it is with C functions that yield at every depth") {
    const word levels = frames_beyond();
    CO_VAR(ladder) v[TOGETHER] = {};
    for (word k = 0; k < TOGETHER; k++)
        WANT_STATUS(CO_INIT_STACK(ladder, &v[k], k % 2 * STATED, levels + 1, k), 0);
    for (word step = 0; step < 2 * levels; step++)
        for (word k = 0; k < TOGETHER; k++) {
            word depth = step < levels ? levels - step : step - levels + 1;
            word before = step <= levels ? (step == levels ? 1 : depth + 1) : depth - 1;
            WANT_GO(ladder, &v[k], before + k, CO_YIELDED, depth);
        }
    for (word k = 0; k < TOGETHER; k++) {
        WANT_GO(ladder, &v[k], levels + k, CO_RETURNED, 0);
        WANT_FINI(ladder, &v[k]);
    }
}

static void dig_together(size_t stated) {
    CO_VAR(digger) v[TOGETHER] = {};
    for (word k = 0; k < TOGETHER; k++)
        WANT_STATUS(CO_INIT_STACK(digger, &v[k], stated, calls_beyond() + k, k, 3), 0);
    for (word round = 0; round < 3; round++)
        for (word k = 0; k < TOGETHER; k++)
            WANT_GO(digger, &v[k], k, CO_YIELDED, round);
    for (word k = 0; k < TOGETHER; k++) {
        WANT_GO(digger, &v[k], k, CO_RETURNED, 0);
        WANT_FINI(digger, &v[k]);
    }
}

KIT_CHECK(beyond_stated, CO_CAP_GROWS, KIT_ALWAYS,
          "50 KiB more than was stated are there, in several coroutines at once, again and again") {
    dig_together(STATED);
    dig_together(0);
}

KIT_CHECK(beyond_fresh, CO_CAP_GROWS, KIT_ALWAYS,
          "so they are where nothing is kept, and after what was kept has been given back") {
    kit_configure(true, true, 0);
    dig_together(STATED);
    kit_configure(false, true, 0);
    dig_together(0);
    CO_RT(backend_trim)();
    dig_together(0);
}

KIT_CHECK(large_frame, CO_CAP_GROWS, KIT_ALWAYS, "one frame of 40 000 bytes is there") {
    for (word k = 0; k < TOGETHER; k++) {
        CO_VAR(one_frame) v = {};
        WANT_STATUS(CO_INIT_STACK(one_frame, &v, k % 2 * STATED, k), 0);
        WANT_GO(one_frame, &v, 0, CO_YIELDED, 1);
        WANT_GO(one_frame, &v, 0, CO_RETURNED, 0);
        WANT_FINI(one_frame, &v);
    }
}

KIT_CHECK(caught_from_below, CO_CAP_GROWS | CO_CAP_DEEP_YIELD, KIT_ALWAYS,
          "an error thrown far down is caught near the top, and the stack grows again after it") {
    enum { ROUNDS = 60 };
    CO_VAR(falls) v[TOGETHER] = {};
    for (word k = 0; k < TOGETHER; k++) {
        WANT_INIT(falls, &v[k], calls_beyond(), 7 + k, ROUNDS);
        WANT_GO(falls, &v[k], 0, CO_YIELDED, 7 + k);
    }
    for (word round = 0; round < ROUNDS; round++)
        for (word k = 0; k < TOGETHER; k++)
            WANT_HURL(falls, &v[k], 7 + k + round, CO_YIELDED, round + 1 < ROUNDS ? 7 + k : 0);
    for (word k = 0; k < TOGETHER; k++) {
        WANT_GO(falls, &v[k], 0, CO_RETURNED, 0);
        WANT_FINI(falls, &v[k]);
    }
}

KIT_CHECK(closed_far_down, CO_CAP_GROWS | CO_CAP_RECURSION, KIT_ALWAYS,
          "cleanups of a coroutine closed far down find their frames, and grow the stack again") {
    enum { LEVELS = 40 };
    CO_VAR(cleans) v[TOGETHER] = {};
    word faults[TOGETHER] = {};
    for (word k = 0; k < TOGETHER; k++) {
        WANT_INIT(cleans, &v[k], NULL, LEVELS, k, &faults[k]);
        WANT_GO(cleans, &v[k], 0, CO_YIELDED, k);
    }
    for (word k = 0; k < TOGETHER; k++) {
        WANT_FINI(cleans, &v[k]);
        WANT(faults[k], 1000 * LEVELS);
    }
    WANT_INIT(cleans, &v[0], NULL, LEVELS, 5, &faults[0]);
    WANT_GO(cleans, &v[0], 0, CO_YIELDED, 5);
    WANT_HURL(cleans, &v[0], 77, CO_FAILED, 77);
    WANT(faults[0], 2 * 1000 * LEVELS);
    WANT_FINI(cleans, &v[0]);
}

KIT_CHECK(growth_is_kept_once, CO_CAP_GROWS, KIT_ALWAYS,
          "what one coroutine grew serves the next: 400 after one another take no more memory") {
    struct kit_memory first = {};
    for (word i = 0; i < 400; i++) {
        CO_VAR(digger) v = {};
        if (i == 8)
            first = kit_memory_now();
        WANT_INIT(digger, &v, calls_beyond(), i, 1);
        WANT_GO(digger, &v, 0, CO_YIELDED, 0);
        if (i % 2 == 0)
            WANT_GO(digger, &v, i, CO_RETURNED, 0);
        WANT_FINI(digger, &v);
    }
    struct kit_memory last = kit_memory_now();
    if (kit_sanitized)
        return;
    if (last.mappings > first.mappings + 4)
        FAIL("mappings: %zu after 8, %zu after 400", first.mappings, last.mappings);
    if (last.resident > first.resident + (512 << 10))
        FAIL("resident bytes: %zu after 8, %zu after 400", first.resident, last.resident);
}
#endif
