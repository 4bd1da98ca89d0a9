// One round trip through `wrappers` coroutines that pass on what the next one yields: by
// delegation, or by a loop that resumes it and yields its value again.
//
// All are created and suspended before the clock starts.
#include <backend.h>
#include "corobench/scenario.h"

// Sent in, it makes all return. A loop that counts up never sends it.
#define STOP (~(word)0)

CORO_DECL(echo, (word key;), (word x;), ())
CORO_DECL(wrap, (co_handle inner;), (word x;), ())
CORO_DECL(rewrap, (co_handle inner;), (word x; word out;), ())

#if CO_PART_BODIES
CORO(echo) {
    CO_BEGIN(echo)
        my->x = 0;
        while (my->x != STOP)
            CO_YIELD(my->x, my->x + my->key);
        CO_RETURN(my->key);
    CO_END
}

CORO(wrap) {
    CO_BEGIN(wrap)
        CO_DELEGATE(my->x, my->inner);
        CO_RETURN(my->x + 1);
    CO_END
}

CORO(rewrap) {
    CO_BEGIN(rewrap)
        my->x = 0;
        while (co_resume(my->inner, my->x, &my->out) == CO_YIELDED)
            CO_YIELD(my->x, my->out);
        CO_RETURN(my->out + 1);
    CO_END
}
#define CO_BODIES(_) _(echo) _(wrap) _(rewrap)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#define KEY ((word)1000003)
#define MOST 64
// Bytes of stack: a wrapper may resume the next one, and that one the next, on its own stack.
#define STACK_BASE 2048
#define STACK_WRAPPER 512

static CO_VAR(echo) innermost;
static CO_VAR(wrap) wraps[MOST];
static CO_VAR(rewrap) rewraps[MOST];
static co_handle outermost;
static word wrappers;
static bool by_loop;

static int wrap_in(word i) {
    size_t bytes = STACK_BASE + STACK_WRAPPER * (i + 1);
    int error = by_loop ? CO_INIT_STACK(rewrap, &rewraps[i], bytes, outermost)
                        : CO_INIT_STACK(wrap, &wraps[i], bytes, outermost);
    if (error < 0)
        return error;
    outermost = by_loop ? CO_HANDLE(&rewraps[i]) : CO_HANDLE(&wraps[i]);
    return 0;
}

static int prepare(const struct cb_params *params) {
    word out = 0, wanted = (word)cb_param(params, "wrappers", 1);
    by_loop = cb_param_is(params, "form", "loop");
    wrappers = 0;
    int error = wanted > MOST ? CO_E_INVALID : CO_INIT(echo, &innermost, KEY);
    if (error < 0)
        return error;
    outermost = CO_HANDLE(&innermost);
    while (wrappers < wanted) {
        error = wrap_in(wrappers);
        if (error < 0)
            return error;
        wrappers++;
    }
    int status = co_resume(outermost, 0, &out);
    if (status < 0)
        return status;
    if (status == CO_FAILED)
        return (int)out;
    return status == CO_YIELDED && out == KEY ? 0 : CO_E_INVALID;
}

static struct cb_counts run(uint64_t n) {
    word check = 0, i;
    for (i = 0; i < n; i++) {
        word out;
        if (co_resume(outermost, i, &out) != CO_YIELDED)
            break;
        check = cb_mix(check, out);
    }
    struct cb_counts done = {check, 0, i};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, i + KEY);
    struct cb_counts all = {check, 0, n};
    return all;
}

// From the outside in. Who delegates closes the next one too, which then finds nothing to do.
static void finish(void) {
    while (wrappers > 0) {
        wrappers--;
        if (by_loop)
            CO_FINI(rewrap, &rewraps[wrappers]);
        else
            CO_FINI(wrap, &wraps[wrappers]);
    }
    CO_FINI(echo, &innermost);
}

CB_SCENARIO(.id = "delegate", .unit = "round trip", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("wrappers=1", "wrappers=16", "form=loop;wrappers=16"),
            .full = CB_LIST("wrappers=4", "wrappers=64", "form=loop;wrappers=1",
                            "form=loop;wrappers=4", "form=loop;wrappers=64"),
            .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
