// Frames that point at their step: what the resumes at the leaf share that enter a frame so.
#ifndef CO_LEAF_STEP_H
#define CO_LEAF_STEP_H

#include "corobench/coro.h"

#include <assert.h>

struct co_frame;
struct co_leaf;
typedef struct co_result (*co_step)(struct co_frame *frame, word in, struct co_leaf *co);

struct co_frame {
    co_step step;            // entered when this frame runs again
    struct co_frame *caller; // NULL: nobody is to be entered when it ends
    uint32_t state;          // resume point, and what to do there
};
static_assert(sizeof(struct co_frame) <= 3 * sizeof(void *), "step, caller and state only");

#define CO_STEP_REST __attribute__((unused)) struct co_leaf *co_co_
// Who drives otherwise may want the leaf's step in the coroutine, where it can be replaced, and has
// it moved at each call and return.
#ifndef CO_LEAF_REST_
#define CO_LEAF_REST_
#define CO_LEAF_STEP_(co) ((co)->leaf->step)
#define CO_MOVED_TO_(frame) ((void)0)
#endif
#define CO_CREATED_(co, step) ((void)0)
#define CO_STEP_OF_(name) CO_SYM(name)
#define CO_MADE_(frame, name) ((frame)->step = CO_SYM(name))

// Entered by its address only: the body is the step. A copy of its answer on the way out of a step
// that it is inlined into would keep gcc from sibling calls.
#define CORO(name)                                                                                 \
    CO_STEP_LINKAGE_ struct co_result CO_SYM(name)(                                                \
        struct co_frame * co_f_, __attribute__((unused)) word co_in_, CO_STEP_REST)

#endif
