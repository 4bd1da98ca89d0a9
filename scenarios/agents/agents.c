// A tick of a game: each of `n` agents is a coroutine that yields a move, one after the other.
//
// An agent's script is a patrol written as it reads: so many steps out, a look, as many back, a
// look.
#include <backend.h>
#include "corobench/scenario.h"

#include <stdlib.h>

// Moves of a patrol. An agent adds them to what it perceives.
#define STEPS 3
#define PERIOD (2 * STEPS + 2)
#define FORTH ((word)1)
#define BACK ((word)0 - 1)
#define LOOK ((word)0)

CORO_DECL(agent, (word key;), (word seen; word step;), ())

#if CO_PART_BODIES
CORO(agent) {
    CO_BEGIN(agent)
        my->seen = 0;
        for (;;) {
            for (my->step = 0; my->step < STEPS; my->step++)
                CO_YIELD(my->seen, my->seen + my->key + FORTH);
            CO_YIELD(my->seen, my->seen + my->key + LOOK);
            for (my->step = 0; my->step < STEPS; my->step++)
                CO_YIELD(my->seen, my->seen + my->key + BACK);
            CO_YIELD(my->seen, my->seen + my->key + LOOK);
        }
    CO_END
}
#define CO_BODIES(_) _(agent)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
static const word script[PERIOD] = {FORTH, FORTH, FORTH, LOOK, BACK, BACK, BACK, LOOK};
static CO_VAR(agent) * all; // the agent at `which` has that key
static size_t living, next;
static size_t tick; // where in the patrol an agent is that has not moved yet in this tick

static void finish(void) {
    for (size_t i = 0; all != NULL && i < living; i++)
        CO_FINI(agent, &all[i]);
    free(all);
    all = NULL;
    living = next = tick = 0;
}

static int start(size_t which) {
    word out = 0;
    int error = CO_INIT(agent, &all[which], which);
    if (error < 0)
        return error;
    int status = CO_RESUME(agent, &all[which], 0, &out);
    if (status < 0)
        return status;
    return status == CO_YIELDED && out == which + FORTH ? 0 : CO_E_INVALID;
}

static int prepare(const struct cb_params *params) {
    living = (size_t)cb_param(params, "n", 1);
    next = 0;
    tick = 1;
    all = (CO_VAR(agent) *)calloc(living, sizeof *all);
    int error = all == NULL ? CO_E_NOMEM : 0;
    for (size_t i = 0; i < living && error == 0; i++)
        error = start(i);
    if (error < 0)
        finish();
    return error;
}

// A run goes on where the last one stopped. What is known of a move is taken off, so that the rest
// does not depend on where that was.
static struct cb_counts run(uint64_t n) {
    CO_VAR(agent) *const agents = all;
    word check = 0, i, known = script[tick];
    size_t which = next;
    for (i = 0; i < n; i++) {
        word out;
        if (CO_RESUME(agent, &agents[which], i, &out) != CO_YIELDED)
            break;
        check = cb_mix(check, out - which - known);
        if (++which == living) {
            which = 0;
            tick = (tick + 1) % PERIOD;
            known = script[tick];
        }
    }
    next = which;
    struct cb_counts done = {check, 0, i};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0;
    for (word i = 0; i < n; i++)
        check = cb_mix(check, i);
    struct cb_counts all_moves = {check, 0, n};
    return all_moves;
}

CB_SCENARIO(.id = "agents", .unit = "move", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("n=100000"), .full = CB_LIST("n=1000", "n=1000000"),
            .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
