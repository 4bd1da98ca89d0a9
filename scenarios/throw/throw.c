// An error thrown into a coroutine at the innermost of `depth` frames goes up through the cleanups
// of all others to the root, which catches it and calls down again.
//
// The coroutine is suspended at its leaf before the clock starts, and after each operation.
#include <backend.h>
#include "corobench/scenario.h"

// Sent in, it makes every frame return. A loop that counts up never throws it.
#define STOP (~(word)0)

CORO_DECL(nest, (word depth; word answer; word * cleaned;), (word x;), (REC(nest)))
CORO_DECL(root, (word depth; word * cleaned;), (word x; word error;), (REC(nest)))

#if CO_PART_BODIES
CORO(nest) {
    CO_BEGIN(nest)
        if (my->depth > 1) {
            CO_CALLREC(my->x, nest, my->depth - 1, my->answer, my->cleaned);
        } else {
            CO_YIELD(my->x, my->answer);
        }
        CO_RETURN(my->x);
        CO_FINALLY
        *my->cleaned = cb_mix(*my->cleaned, my->depth);
    CO_END_FINALLY
}

// Answers an error e with e + depth, from the leaf.
CORO(root) {
    CO_BEGIN(root)
        my->x = my->error = 0;
        while (my->x != STOP) {
            CO_TRY
                if (my->depth > 1) {
                    CO_CALLREC(my->x, nest, my->depth - 1, my->error + my->depth, my->cleaned);
                } else {
                    CO_YIELD(my->x, my->error + my->depth);
                }
                CO_CATCH(my->error)
            CO_END_TRY
        }
        CO_RETURN(0);
    CO_END
}
#define CO_BODIES(_) _(nest) _(root)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
// Bytes of stack: for the first frame and what it calls, and for each further frame, with what a
// cleanup needs to be found. A build that checks may take half of that.
#define STACK_BASE 2048
#define STACK_FRAME 1024

static word depth, cleaned;
static CO_VAR(root) kept;

static unsigned needs(const struct cb_params *params) {
    return cb_param(params, "depth", 1) > 1 ? CO_CAP_RECURSION : 0;
}

static int prepare(const struct cb_params *params) {
    word out = 0;
    depth = (word)cb_param(params, "depth", 1);
    int error = CO_INIT_STACK(root, &kept, STACK_BASE + STACK_FRAME * depth, depth, &cleaned);
    if (error < 0)
        return error;
    int status = CO_RESUME(root, &kept, 0, &out);
    if (status < 0)
        return status;
    if (status == CO_FAILED)
        return (int)out;
    return status == CO_YIELDED && out == depth ? 0 : CO_E_INVALID;
}

static struct cb_counts run(uint64_t n) {
    word check = 0, i;
    cleaned = 0;
    for (i = 0; i < n; i++) {
        word out;
        if (CO_THROW(root, &kept, i, &out) != CO_YIELDED)
            break;
        check = cb_mix(check, out);
    }
    struct cb_counts done = {cb_mix(check, cleaned), 0, i};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word check = 0, cleanups = 0;
    for (word i = 0; i < n; i++) {
        for (word level = 1; level < depth; level++)
            cleanups = cb_mix(cleanups, level);
        check = cb_mix(check, i + depth);
    }
    struct cb_counts all = {cb_mix(check, cleanups), 0, n};
    return all;
}

static void finish(void) {
    CO_FINI(root, &kept);
}

CB_SCENARIO(.id = "throw", .unit = "throw", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("depth=1", "depth=16"), .full = CB_LIST("depth=64"), .needs = needs,
            .prepare = prepare, .run = run, .expect = expect, .finish = finish);
#endif
