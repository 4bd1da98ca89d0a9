// What guard pages cost to make: lives of coroutines on stacks that are mapped anew, with and
// without guards.
//
// With storage=fresh each stack is mapped and unmapped by itself. With n, so many live at once:
// they are created, ended, and then the backend gives its pool back, so that the next ones need
// new stacks too.
#include <backend.h>
#include "corobench/scenario.h"

#include <stdlib.h>

CORO_DECL(life, (word a;), (), ())

#if CO_PART_BODIES
CORO(life) {
    CO_BEGIN(life)
        CO_RETURN(my->a + 1);
    CO_END
}
#define CO_BODIES(_) _(life)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
static CO_VAR(life) * all;
static size_t most; // alive at once
static bool fresh;

static unsigned needs(const struct cb_params *params) {
    (void)params;
    return CO_CAP_GUARD;
}

static void finish(void) {
    free(all);
    all = NULL;
}

static int prepare(const struct cb_params *params) {
    most = (size_t)cb_param(params, "n", 1);
    fresh = cb_param_is(params, "storage", "fresh");
    all = (CO_VAR(life) *)calloc(most, sizeof *all);
    return all == NULL ? CO_E_NOMEM : 0;
}

// Up to `count` lives side by side, each step for all of them. Returns how many were lived.
static size_t live_at_once(size_t count, word first, word *check) {
    size_t made = 0, right = 0;
    while (made < count && CO_INIT(life, &all[made], first + made) == 0)
        made++;
    for (size_t i = 0; i < made; i++) {
        word out;
        if (CO_RESUME(life, &all[i], 0, &out) == CO_RETURNED) {
            *check = cb_mix(*check, out);
            right++;
        }
    }
    for (size_t i = 0; i < made; i++)
        CO_FINI(life, &all[i]);
    if (!fresh)
        CO_RT(backend_trim)();
    return right;
}

static struct cb_counts run(uint64_t n) {
    word check = 0, done = 0;
    while (done < n) {
        size_t count = n - done < most ? (size_t)(n - done) : most;
        size_t lived = live_at_once(count, done, &check);
        done += lived;
        if (lived < count)
            break;
    }
    struct cb_counts counts = {check, done, 0};
    return counts;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, i + 1);
    struct cb_counts counts = {check, n, 0};
    return counts;
}

CB_SCENARIO(.id = "guard", .unit = "life of a coroutine", .kind = CB_KIND_TIME,
            .quick = CB_LIST(NULL), .normal = CB_LIST("n=1000", "guard=no;n=1000"),
            .full = CB_LIST("storage=fresh", "guard=no;storage=fresh", "n=1000;storage=fresh",
                            "guard=no;n=1000;storage=fresh"),
            .needs = needs, .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
