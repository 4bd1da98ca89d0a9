// How many coroutines can exist: grown until one is refused, or until `most` are there.
//
// Not timed: the harness asks for more and more, watches the machine's memory, and counts. The key
// `address` is the harness's: an address space of that size, as on a 32-bit machine.
#include <backend.h>
#include "corobench/scenario.h"

#include <stdlib.h>

CORO_DECL(waiting, (word seed;), (word x;), ())

#if CO_PART_BODIES
CORO(waiting) {
    CO_BEGIN(waiting)
        my->x = 0;
        while (my->x != ~(word)0)
            CO_YIELD(my->x, my->x + my->seed);
        CO_RETURN(0);
    CO_END
}
#define CO_BODIES(_) _(waiting)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
// Variables in blocks, so that the first coroutine does not need memory for the last.
enum { BLOCK = 4096, BLOCKS = 4096 };
static CO_VAR(waiting) * blocks[BLOCKS];
static size_t started;

static CO_VAR(waiting) * at(size_t i) {
    return &blocks[i / BLOCK][i % BLOCK];
}

static int start_next(void) {
    size_t block = started / BLOCK;
    if (block == BLOCKS)
        return CO_E_INVALID;
    if (blocks[block] == NULL)
        blocks[block] = (CO_VAR(waiting) *)calloc(BLOCK, sizeof **blocks);
    if (blocks[block] == NULL)
        return CB_NO_ROOM;
    word out = 0;
    CO_VAR(waiting) *v = at(started);
    int status = CO_INIT(waiting, v, started);
    if (status < 0)
        return status;
    status = CO_RESUME(waiting, v, 0, &out);
    if (status < 0) {
        CO_FINI(waiting, v);
        return status;
    }
    if (status != CO_YIELDED || out != started)
        return CO_E_INVALID;
    started++;
    return 0;
}

static int grow(uint64_t n) {
    int error = 0;
    while (started < n && error == 0)
        error = start_next();
    return error;
}

static uint64_t alive(void) {
    return started;
}

static uint64_t verify(void) {
    uint64_t right = 0;
    for (size_t i = 0; i < started; i++) {
        word out = 0, in = (word)(started - i);
        if (CO_RESUME(waiting, at(i), in, &out) == CO_YIELDED && out == in + i)
            right++;
    }
    return right;
}

static void finish(void) {
    for (size_t i = 0; i < started; i++)
        CO_FINI(waiting, at(i));
    for (size_t block = 0; block < BLOCKS; block++) {
        free(blocks[block]);
        blocks[block] = NULL;
    }
    started = 0;
}

CB_SCENARIO(.id = "limit", .unit = "coroutine", .kind = CB_KIND_LIMIT, .quick = CB_LIST(NULL),
            .normal = CB_LIST("most=100000", "address=3GiB;most=1000000"),
            .full = CB_LIST("most=1000000"), .grow = grow, .verify = verify, .alive = alive,
            .finish = finish);
#endif
