// Lack of memory: each allocation of the runtime fails once, and nothing else goes wrong.
#include <backend.h>
#include "../kit.h"

CORO_DECL(flat, (word n;), (word x; word a;), ())
CORO_DECL(dig, (word depth;), (word x; word wide[3];), (REC(dig)))
CORO_DECL(huge, (word depth;), (word x; word i; word table[300];), (REC(huge)))
CORO_DECL(calls, (struct trace * t; word depth;), (word x; word e;), (REC(dig) REC(huge)))

#define CO_BODIES(_) _(flat) _(dig) _(huge) _(calls)

#if CO_PART_BODIES
CORO(flat) {
    CO_BEGIN(flat)
        my->a = my->n * 3;
        CO_YIELD(my->x, my->a);
        CO_RETURN(my->a + my->x);
    CO_END
}

CORO(dig) {
    CO_BEGIN(dig)
        my->wide[2] = my->depth;
        if (my->depth > 1) {
            CO_CALLREC(my->x, dig, my->depth - 1);
        } else {
            CO_YIELD(my->x, 1);
        }
        CO_RETURN(my->x + my->wide[2]);
    CO_END
}

// Frames larger than what an arena holds.
CORO(huge) {
    CO_BEGIN(huge)
        for (my->i = 0; my->i < 300; my->i++)
            my->table[my->i] = my->depth;
        my->x = 0;
        if (my->depth > 1) {
            CO_CALLREC(my->x, huge, my->depth - 1);
        }
        for (my->i = 0; my->i < 300; my->i++)
            my->x += my->table[my->i];
        CO_RETURN(my->x);
    CO_END
}

// Marks what came of each of its calls, result or error, and goes on.
CORO(calls) {
    CO_BEGIN(calls)
        CO_TRY
            CO_CALLREC(my->x, dig, my->depth);
            mark(my->t, my->x);
            CO_CATCH(my->e)
            mark(my->t, my->e);
        CO_END_TRY
        CO_TRY
            CO_CALLREC(my->x, huge, my->depth);
            mark(my->t, my->x);
            CO_CATCH(my->e)
            mark(my->t, my->e);
        CO_END_TRY
        CO_YIELD(my->x, 2);
        CO_RETURN(my->x);
    CO_END
}
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#include <malloc.h>
#include <string.h>

KIT_DRIVERS(CO_BODIES)

enum { DEPTH = 12, DUG = 5 + DEPTH * (DEPTH + 1) / 2, HUGE_SUM = 300 * DEPTH * (DEPTH + 1) / 2 };

// What this program is told before anything has failed.
static char before_any[200];
static unsigned refusals;

static void note_refusal(void) {
    const char *reason = CO_RT(backend_reason)();
    refusals++;
    if (reason == NULL || reason[0] == '\0' || strcmp(reason, before_any) == 0)
        FAIL("lack of memory without a reason: \"%s\"", reason == NULL ? "NULL" : reason);
}

// Whether a creation or first resume has worked; what has not must have been refused.
static bool works(int status, word out, int wanted) {
    if (status == wanted)
        return true;
    if (status == CO_FAILED)
        WANT(out, CO_NOMEM);
    else
        WANT_STATUS(status, CO_E_NOMEM);
    note_refusal();
    return false;
}

static void try_flat(CO_VAR(flat) * v, size_t stack, word n) {
    word out = 0;
    int status = stack == 0 ? CO_INIT(flat, v, n) : CO_INIT_STACK(flat, v, stack, n);
    if (works(status, 0, 0) && works(GO(flat, v, 0, &out), out, CO_YIELDED))
        WANT(out, n * 3);
}

static void want_result(word is, word wanted) {
    if (is == CO_NOMEM)
        note_refusal();
    else
        WANT(is, wanted);
}

static void try_calls(void) {
    CO_VAR(calls) v = {};
    struct trace t = {};
    word out = 0;
    if (works(CO_INIT_STACK(calls, &v, 100000, &t, DEPTH), 0, 0)) {
        int status = GO(calls, &v, 0, &out);
        if (status == CO_YIELDED && out == 1)
            status = GO(calls, &v, 5, &out);
        if (works(status, out, CO_YIELDED)) {
            WANT(out, 2);
            WANT(t.n, 2);
            want_result(t.event[0], DUG);
            want_result(t.event[1], HUGE_SUM);
            WANT_GO(calls, &v, 6, CO_RETURNED, 6);
        }
    }
    WANT_FINI(calls, &v);
}

// Something of everything, some of it alive at once; trimmed, so that the next time allocates all
// of it again.
static void use_memory(void) {
    CO_VAR(flat) v[4] = {};
    try_flat(&v[0], 0, 1);
    try_flat(&v[1], 200000, 2);
    try_flat(&v[2], 0, 3);
    try_calls();
    try_flat(&v[3], 60000, 4);
    for (int i = 0; i < 4; i++)
        WANT_FINI(flat, &v[i]);
    CO_RT(backend_trim)();
}

// Lets every allocation fail, one each time, until there is none left. Some can be done without.
static void fail_each(bool and_all_later) {
    for (unsigned n = 1;; n++) {
        refusals = 0;
        kit_fail_allocation(n, and_all_later);
        use_memory();
        unsigned failed = kit_allocations_failed();
        kit_fail_allocation(0, false);
        if (refusals > 0 && failed == 0)
            FAIL("refused although no allocation has failed");
        refusals = 0;
        use_memory();
        if (refusals > 0)
            FAIL("refused once more after allocation %u had failed before: %s", n,
                 CO_RT(backend_reason)());
        if (failed == 0)
            return;
    }
}

static void fail_each_and_look_for_leaks(bool fresh) {
    kit_configure(fresh, true, 0);
    use_memory(); // what is needed once only
    fail_each(false);
    fail_each(true);
    malloc_trim(0);
    struct kit_memory first = kit_memory_now();
    for (int i = 0; i < 3; i++) {
        fail_each(false);
        fail_each(true);
    }
    malloc_trim(0);
    struct kit_memory last = kit_memory_now();
    // The C library keeps ended threads' stacks, more or fewer, with some memory for each.
    bool threads = ((unsigned)(CO_BACKEND_CAPS)&CO_CAP_PARALLEL) != 0;
    if (last.heap > first.heap + (threads ? 4096 : 0))
        FAIL("malloc'ed bytes: %zu, then %zu", first.heap, last.heap);
    if (last.mappings > first.mappings + (threads ? 16 : 0))
        FAIL("mappings: %zu, then %zu", first.mappings, last.mappings);
}

KIT_CHECK(each_allocation, CO_CAP_RECURSION, KIT_ALWAYS,
          "the n-th allocation fails, alone or with all later ones, for every n: CO_E_NOMEM or "
          "CO_NOMEM with a reason, no leak, and the next try works") {
    if (!kit_can_fail_allocations())
        kit_not_claimed("a sanitizer owns malloc");
    strncpy(before_any, CO_RT(backend_reason)(), sizeof before_any - 1);
    fail_each_and_look_for_leaks(false);
    fail_each_and_look_for_leaks(true);
}
#endif
