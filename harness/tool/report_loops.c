// The table of hot loops: whether a generator folds into its loop, and what is in the way where it
// does not, by what the build saw in the disassembly.
#include "report_internal.h"

#include <math.h>
#include <string.h>

// Up to this ratio to the loop by hand, in the scenario's own measurement, a generator folds.
#define FOLDS 1.05

struct loop {
    const char *backend, *compiler;
    const char *cell; // scenario/binding/params
    const json_t *facts;
};

// The facts of the first link of this backend by this compiler; NULL where it says none.
static json_t *facts_of(const struct cb_rep *rep, const char *backend, const char *compiler) {
    size_t index;
    json_t *program;
    json_array_foreach(json_object_get(rep->run, "programs"), index, program) {
        json_t *loops = json_object_get(json_object_get(program, "describe"), "loops");
        if (json_object_size(loops) > 0 &&
            strcmp(cb_rep_string(program, "backend", ""), backend) == 0 &&
            strcmp(cb_rep_string(program, "compiler", ""), compiler) == 0)
            return loops;
    }
    return NULL;
}

static long count_of(const json_t *loop, const char *what) {
    return (long)json_integer_value(json_object_get(loop, what));
}

// Instructions for each element; NaN where no loop was found.
static double an_element(const json_t *loop) {
    long elements = count_of(loop, "elements");
    return elements > 0 ? (double)count_of(loop, "instructions") / (double)elements : NAN;
}

static struct cb_rep_entry number(double value) {
    return (struct cb_rep_entry){
        .text = isnan(value) ? "-" : NULL, .value = value, .low = NAN, .high = NAN};
}

static void add_reason(struct cb_text *to, long count, const char *one, const char *more) {
    const char *comma = to->length ? ", " : "";
    if (count == 1)
        cb_text_add(to, "%s%s", comma, one);
    else if (count > 1)
        cb_text_add(to, "%s%ld %s", comma, count, more);
}

static const char *reason(struct cb_rep *rep, const json_t *facts) {
    const json_t *loop = json_object_get(facts, "loop"), *hand = json_object_get(facts, "hand");
    struct cb_text text = {0};
    if (isnan(an_element(loop)))
        return "no loop was recognised";
    add_reason(&text, count_of(loop, "indirect"), "an indirect jump or call",
               "indirect jumps or calls");
    add_reason(&text, count_of(loop, "calls"), "a call", "calls");
    add_reason(&text, count_of(loop, "stores"), "a store", "stores");
    if (text.length == 0)
        cb_text_add(&text, "%s",
                    an_element(loop) > an_element(hand) ? "more instructions" : "nothing seen");
    const char *result = cb_rep_text(rep, "%s", text.text);
    cb_text_clear(&text);
    return result;
}

// The cell's ratio to the loop by hand; NULL where this run has none.
static const struct cb_rep_row *ratio_row(struct cb_rep *rep, const struct loop *loop) {
    const char *binding = strchr(loop->cell, '/');
    const char *params = binding ? strchr(binding + 1, '/') : NULL;
    if (!params)
        return NULL;
    const char *scenario = cb_rep_text(rep, "%.*s", (int)(binding - loop->cell), loop->cell);
    const char *name = cb_rep_text(rep, "%.*s", (int)(params - binding - 1), binding + 1);
    const struct cb_rep_row *row =
        cb_rep_find(rep, loop->backend, scenario, name, loop->compiler, params + 1, "ratio");
    return row && row->values ? row : NULL;
}

static void add_loop(struct cb_rep *rep, struct cb_rep_table *table, const struct loop *loop) {
    const struct cb_rep_row *row = ratio_row(rep, loop);
    struct cb_rep_entry *entries = cb_rep_table_row(rep, table, loop->cell);
    entries[0].text = loop->backend;
    entries[1].text = loop->compiler;
    entries[2].text = "not measured";
    entries[3].text = "-";
    entries[4] = number(an_element(json_object_get(loop->facts, "loop")));
    entries[5] = number(an_element(json_object_get(loop->facts, "hand")));
    if (!row)
        return;
    const struct cb_rep_estimate *estimate = cb_rep_shown(rep, row);
    bool folds = estimate->value <= FOLDS;
    entries[2].text = folds ? "yes" : "no";
    entries[3] = (struct cb_rep_entry){
        .value = estimate->value, .low = estimate->low, .high = estimate->high};
    entries[6].text = folds ? "" : reason(rep, loop->facts);
}

static struct cb_rep_table *new_table(struct cb_rep *rep, const char *cell) {
    rep->loops_id = cb_rep_text(rep, "%.*s", (int)strcspn(cell, "/"), cell);
    struct cb_rep_table *table = cb_rep_table_new(
        rep, rep->loops_id, "Hot loops: does a generator fold into its loop, and if not, why",
        cb_rep_text(rep,
                    "Folds: the time is within %g of that of the loop by hand. Instructions an "
                    "element: on the shortest way round the loop of the function that was "
                    "measured, from the disassembly of this very program; those of functions that "
                    "it calls, or switches to, come on top. In the way: what that way round "
                    "contains.",
                    FOLDS));
    table->lead = "cell";
    table->wide = true;
    cb_rep_table_column(rep, table, "backend", "", false);
    cb_rep_table_column(rep, table, "compiler", "", false);
    cb_rep_table_column(rep, table, "folds", "", false);
    cb_rep_table_column(rep, table, "to hand loop", "ratio", true);
    cb_rep_table_column(rep, table, "instructions", "an element", true);
    cb_rep_table_column(rep, table, "by hand", "an element", true);
    cb_rep_table_column(rep, table, "in the way", "", false);
    return table;
}

// The first facts of all name the cells, in the order of plan.json, as all others do.
void cb_rep_loops_table(struct cb_rep *rep) {
    struct cb_rep_table *table = NULL;
    json_t *first = NULL, *unused;
    for (size_t b = 0; b < rep->backend_count && !first; b++)
        for (size_t c = 0; c < rep->compiler_count && !first; c++)
            first = facts_of(rep, rep->backends[b].name, rep->compilers[c]);
    const char *cell;
    json_object_foreach(first, cell, unused) {
        if (!table)
            table = new_table(rep, cell);
        for (size_t b = 0; b < rep->backend_count; b++)
            for (size_t c = 0; c < rep->compiler_count; c++) {
                struct loop loop = {rep->backends[b].name, rep->compilers[c], cell, NULL};
                loop.facts = json_object_get(facts_of(rep, loop.backend, loop.compiler), cell);
                if (loop.facts)
                    add_loop(rep, table, &loop);
            }
    }
}
