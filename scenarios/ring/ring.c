// A token goes round a ring of `n` coroutines; a loop, as of a scheduler, passes it on.
//
// Each hop needs what the one before gave: round trips cannot overlap, as they can in `live`.
#include <backend.h>
#include "corobench/scenario.h"

#include <stdlib.h>

CORO_DECL(node, (word key;), (word token;), ())

#if CO_PART_BODIES
CORO(node) {
    CO_BEGIN(node)
        my->token = 0;
        for (;;)
            CO_YIELD(my->token, cb_mix(my->token, my->key));
    CO_END
}
#define CO_BODIES(_) _(node)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
struct member {
    CO_VAR(node) v;
    struct member *next;
};

static struct member *ring;
static size_t members;

static void finish(void) {
    for (size_t i = 0; ring != NULL && i < members; i++)
        CO_FINI(node, &ring[i].v);
    free(ring);
    ring = NULL;
    members = 0;
}

static int start(size_t which) {
    word out = 0, key = which + 1;
    int error = CO_INIT(node, &ring[which].v, key);
    if (error < 0)
        return error;
    int status = CO_RESUME(node, &ring[which].v, 0, &out);
    if (status < 0)
        return status;
    ring[which].next = &ring[which + 1 == members ? 0 : which + 1];
    return status == CO_YIELDED && out == key ? 0 : CO_E_INVALID;
}

static int prepare(const struct cb_params *params) {
    members = (size_t)cb_param(params, "n", 1);
    ring = (struct member *)calloc(members, sizeof *ring);
    int error = ring == NULL ? CO_E_NOMEM : 0;
    for (size_t i = 0; i < members && error == 0; i++)
        error = start(i);
    if (error < 0)
        finish();
    return error;
}

// A new token each time, which starts at the first member: runs do not depend on earlier ones.
static struct cb_counts run(uint64_t n) {
    struct member *at = ring;
    word token = 0, i;
    for (i = 0; i < n; i++) {
        if (CO_RESUME(node, &at->v, token, &token) != CO_YIELDED)
            break;
        at = at->next;
    }
    struct cb_counts done = {token, 0, i};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word token = 0;
    for (word i = 0; i < n; i++)
        token = cb_mix(token, i % members + 1);
    struct cb_counts all = {token, 0, n};
    return all;
}

CB_SCENARIO(.id = "ring", .unit = "hop", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("n=503"), .full = CB_LIST("n=7"), .prepare = prepare, .run = run,
            .expect = expect, .finish = finish);
#endif
