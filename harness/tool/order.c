// The order of a run: blocks of comparable cells side by side, shuffled by a recorded seed, so that
// slow phases of the machine fall on all backends of a comparison alike.
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "message.h"
#include "plan.h"

// Cells that differ in backend and compiler only, and their twins: a run of the sorted plan.
struct block {
    size_t first, count;
};

static bool same_block(const struct cb_cell *a, const struct cb_cell *b) {
    return strcmp(a->scenario, b->scenario) == 0 && strcmp(a->binding, b->binding) == 0 &&
           strcmp(cb_cell_asked(a), cb_cell_asked(b)) == 0;
}

static size_t find_blocks(const struct cb_plan *plan, struct block *blocks) {
    size_t count = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->cells[i].kind, "static") == 0)
            continue;
        struct block *last = count > 0 ? &blocks[count - 1] : NULL;
        if (last != NULL && last->first + last->count == i &&
            same_block(&plan->cells[last->first], &plan->cells[i]))
            last->count++;
        else
            blocks[count++] = (struct block){i, 1};
    }
    return count;
}

// Adds one round's steps.
static void add_round(struct cb_order *order, const struct cb_plan *plan, struct block *blocks,
                      size_t count, size_t *members, unsigned round, unsigned space_rounds,
                      gsl_rng *random) {
    unsigned position = 0;
    if (count == 0)
        return; // all cells are static: GSL does not shuffle nothing
    gsl_ran_shuffle(random, blocks, count, sizeof *blocks);
    for (size_t b = 0; b < count; b++) {
        for (size_t k = 0; k < blocks[b].count; k++)
            members[k] = blocks[b].first + k;
        gsl_ran_shuffle(random, members, blocks[b].count, sizeof *members);
        const char *kind = plan->cells[blocks[b].first].kind;
        if ((strcmp(kind, "space") == 0 && round > space_rounds) ||
            (strcmp(kind, "limit") == 0 && round > 1))
            continue;
        for (size_t k = 0; k < blocks[b].count; k++)
            order->steps[order->count++] = (struct cb_step){members[k], round, ++position};
    }
}

void cb_order_make(struct cb_order *order, const struct cb_plan *plan, unsigned rounds,
                   unsigned space_rounds, unsigned padding_most, unsigned long seed) {
    struct block *blocks = cb_allocate(plan->count, sizeof *blocks);
    size_t *members = cb_allocate(plan->count, sizeof *members);
    size_t count = find_blocks(plan, blocks);
    *order = (struct cb_order){
        .steps = cb_allocate(plan->count * rounds, sizeof *order->steps),
        .padding = cb_allocate(rounds, sizeof *order->padding),
        .rounds = rounds,
    };
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, seed);
    for (unsigned r = 0; r < rounds; r++) {
        order->padding[r] = (unsigned)gsl_rng_uniform_int(random, padding_most + 1UL);
        add_round(order, plan, blocks, count, members, r + 1, space_rounds, random);
    }
    gsl_rng_free(random);
    free(blocks);
    free(members);
}

void cb_order_free(struct cb_order *order) {
    free(order->steps);
    free(order->padding);
    *order = (struct cb_order){0};
}
