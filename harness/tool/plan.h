// What a run measures: the cells, and the order in which it measures them.
#ifndef CB_PLAN_H
#define CB_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "names.h"
#include "programs.h"

enum cb_cell_status {
    CB_CELL_OK,
    CB_CELL_FAILED,
    CB_CELL_TIMEOUT,
    CB_CELL_SKIPPED,
    CB_CELL_UNAVAILABLE,
    CB_CELL_NOT_CLAIMED,
};
const char *cb_status_text(enum cb_cell_status status);
// CB_CELL_FAILED for a text that is no status.
enum cb_cell_status cb_status_from_text(const char *text);
// Whether it makes the run end with status 1.
bool cb_status_is_bad(enum cb_cell_status status);

struct cb_cell {
    char *id; // backend/scenario/binding/compiler/params
    char *backend, *family, *scenario, *binding, *compiler, *params, *unit;
    char *kind;           // "time", "space", "limit" or "static"
    long long iterations; // operations a repetition; 0 until a pilot found it
    enum cb_cell_status status;
    char *note; // why it is not ok
    // A twin is a cell measured a second time under another name, its original's params and the key
    // aa: what differs between the two is chance. NULL for a cell that is no twin.
    char *twin_of; // the original's id
    char *asked;   // the original's params, which the bench program gets
};

// The params that a bench program gets: without the key that makes a twin.
const char *cb_cell_asked(const struct cb_cell *cell);

struct cb_plan {
    struct cb_cell
        *cells; // sorted by scenario, binding, asked params, backend, compiler; twins last
    size_t count;
};

// What the user asked for; globs that are empty take all.
struct cb_choice {
    const char *mode; // "quick", "default" or "full"
    struct cb_globs backends, scenarios, bindings, compilers, params;
    bool twins; // whether twins are wanted, too
};

// Makes the cells from the programs' descriptions, plan.json (`data`) and headline.json. 0, or
// CB_EXIT_USAGE after a message when a glob is malformed or matches nothing.
int cb_plan_make(struct cb_plan *plan, const struct cb_programs *programs, const json_t *data,
                 const json_t *headline, const struct cb_choice *choice);
// How many cells are to be measured: planned ok and not static.
size_t cb_plan_measured(const struct cb_plan *plan);
// 0, or CB_EXIT_USAGE after a message that says what to cut, when there are more measured cells
// than `budget` (0: unlimited).
int cb_plan_check_budget(const struct cb_plan *plan, const char *mode, size_t budget);
void cb_plan_free(struct cb_plan *plan);

// As the member "plan" of run.json, and back; the latter returns false when it is not such a list.
json_t *cb_plan_to_json(const struct cb_plan *plan);
bool cb_plan_from_json(struct cb_plan *plan, const json_t *list);

// The number that a key of params has, or `absent`.
long cb_params_number(const char *params, const char *key, long absent);
// params with one more `key=value`, where the order of keys wants it; without a key. Free them.
char *cb_params_with(const char *params, const char *key, const char *value);
char *cb_params_without(const char *params, const char *key);

// One sample to take.
struct cb_step {
    size_t cell;
    unsigned round;    // from 1
    unsigned position; // in its round, from 1
};

struct cb_order {
    struct cb_step *steps; // all of round 1, then all of round 2, ...
    size_t count;
    unsigned *padding; // bytes of the environment variable that shifts the stack, a round each
    unsigned rounds;
};

// The order of a run, from its seed alone: in each round the cells that differ in backend and
// compiler only stand side by side in random order, twins among them, and these blocks are
// shuffled. Every cell but the static ones has its steps, whatever its status, so that the order of
// a resumed run is the same. Cells of kind space take part in the first `space_rounds` rounds,
// those of kind limit in the first only: they count what is there, and take seconds.
void cb_order_make(struct cb_order *order, const struct cb_plan *plan, unsigned rounds,
                   unsigned space_rounds, unsigned padding_most, unsigned long seed);
void cb_order_free(struct cb_order *order);

#endif
