// The life of a coroutine that does nothing: create, first resume, return, destroy.
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
static CO_VAR(life) kept;
static bool fresh;

static int prepare(const struct cb_params *params) {
    fresh = cb_param_is(params, "storage", "fresh");
    return 0;
}

static struct cb_counts run_reused(uint64_t n) {
    word check = 0, i;
    for (i = 0; i < n; i++) {
        word out;
        if (CO_INIT(life, &kept, i) < 0 || CO_RESUME(life, &kept, 0, &out) != CO_RETURNED ||
            CO_FINI(life, &kept) < 0)
            break;
        check = cb_mix(check, out);
    }
    struct cb_counts done = {check, i, 0};
    return done;
}

// The control block is new each time too. A compiler that sees a whole life may leave malloc and
// free out; the empty asm statement hides that they belong together, and costs nothing.
static struct cb_counts run_fresh(uint64_t n) {
    word check = 0, i;
    for (i = 0; i < n; i++) {
        word out;
        CO_VAR(life) *v = (CO_VAR(life) *)malloc(sizeof *v);
        __asm__("" : "+r"(v));
        if (v == NULL || CO_INIT(life, v, i) < 0 || CO_RESUME(life, v, 0, &out) != CO_RETURNED ||
            CO_FINI(life, v) < 0)
            break;
        free(v);
        check = cb_mix(check, out);
    }
    struct cb_counts done = {check, i, 0};
    return done;
}

static struct cb_counts run(uint64_t n) {
    return fresh ? run_fresh(n) : run_reused(n);
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, i + 1);
    struct cb_counts all = {check, n, 0};
    return all;
}

CB_SCENARIO(.id = "setup", .unit = "life of a coroutine", .kind = CB_KIND_TIME,
            .quick = CB_LIST("storage=reused"), .normal = CB_LIST("storage=fresh"),
            .full = CB_LIST(NULL), .prepare = prepare, .run = run, .expect = expect);
#endif
