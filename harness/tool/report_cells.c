// From the values of each process to rows of results: status, derived metrics, estimates,
// cells.csv.
//
// derived.json says which metrics are made from which others; here are only the kinds of making:
// a slope over a key of params, a difference of two metrics, a sum of metrics.
#define _GNU_SOURCE
#include "report_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "stats.h"

const char *const cb_rep_estimator_names[CB_REP_ESTIMATORS] = {"median", "lower-quartile"};

const double cb_rep_quantiles[CB_REP_ESTIMATORS] = {0.5, 0.25};

// A drift, or a distance between two groups, of less than this share of the value is not flagged:
// it is there, but changes no figure that is printed.
#define LEAST_SEQUENCE_EFFECT 0.01

// ---- Rows ---------------------------------------------------------------------------------------

struct cb_rep_row *cb_rep_add_row(struct cb_rep *rep, const struct cb_rep_cell *cell,
                                  const char *metric, const char *unit) {
    if (rep->row_count == rep->row_room) {
        rep->row_room = rep->row_room ? 2 * rep->row_room : 1024;
        rep->rows = cb_resize(rep->rows, rep->row_room, sizeof(struct cb_rep_row *));
    }
    struct cb_rep_row *row = cb_rep_memory(rep, 1, sizeof *row);
    *row = (struct cb_rep_row){.cell = cell,
                               .metric = metric,
                               .unit = unit,
                               .status = cell->status,
                               .note = cell->note,
                               .flags = ""};
    json_t *entry = json_object_get(json_object_get(rep->derived, "metrics"), metric);
    row->exact = json_is_true(json_object_get(entry, "exact"));
    row->aside = json_is_true(json_object_get(entry, "aside"));
    const char *key = cb_rep_text(rep, "%s|%s", cell->id, metric);
    json_object_set_new(rep->row_index, key, json_integer((json_int_t)rep->row_count));
    rep->rows[rep->row_count++] = row;
    return row;
}

struct cb_rep_row *cb_rep_find(struct cb_rep *rep, const char *backend, const char *scenario,
                               const char *binding, const char *compiler, const char *params,
                               const char *metric) {
    char *key =
        cb_format("%s/%s/%s/%s/%s|%s", backend, scenario, binding, compiler, params, metric);
    json_t *index = json_object_get(rep->row_index, key);
    free(key);
    return index ? rep->rows[json_integer_value(index)] : NULL;
}

struct cb_rep_row *cb_rep_select(struct cb_rep *rep, const json_t *selector, const char *backend,
                                 const char *compiler) {
    const char *scenario = cb_rep_string(selector, "scenario", "");
    const char *binding = cb_rep_string(selector, "binding", NULL);
    const char *params = cb_rep_string(selector, "params", "");
    const char *metric = cb_rep_string(selector, "metric", "");
    if (binding)
        return cb_rep_find(rep, backend, scenario, binding, compiler, params, metric);
    struct cb_rep_row *best = NULL;
    for (size_t i = 0; i < rep->row_count; i++) {
        const struct cb_rep_cell *cell = rep->rows[i]->cell;
        if (strcmp(cell->backend, backend) != 0 || strcmp(cell->scenario, scenario) != 0 ||
            strcmp(cell->params, params) != 0 || strcmp(rep->rows[i]->metric, metric) != 0)
            continue;
        if (strcmp(cell->compiler, compiler) == 0)
            return rep->rows[i];
        if (!best)
            best = rep->rows[i];
    }
    return best;
}

int cb_rep_estimator_of(const struct cb_rep *rep, const char *metric) {
    const json_t *entry = json_object_get(json_object_get(rep->derived, "metrics"), metric);
    const char *fixed = cb_rep_string(entry, "estimator", "");
    return strcmp(fixed, cb_rep_estimator_names[CB_REP_MEDIAN]) == 0 ? CB_REP_MEDIAN
                                                                     : rep->estimator;
}

const struct cb_rep_estimate *cb_rep_shown(const struct cb_rep *rep, const struct cb_rep_row *row) {
    bool one = row->aside || row->exact || row->counted;
    return &row->estimate[one ? CB_REP_MEDIAN : cb_rep_estimator_of(rep, row->metric)];
}

bool cb_rep_hidden(struct cb_rep *rep, const struct cb_rep_cell *cell) {
    size_t index;
    json_t *key;
    json_array_foreach(
        json_object_get(rep->derived, "hidden_keys"), index,
        key) if (cb_rep_param(rep, cell->params, json_string_value(key))) return true;
    return false;
}

// A cell without a value still has its rows: one for each metric that its kind would have had.
static void add_missing_rows(struct cb_rep *rep) {
    json_t *kinds = json_object_get(rep->derived, "kinds"), *metric;
    size_t index;
    for (size_t i = 0; i < rep->cell_count; i++) {
        struct cb_rep_cell *cell = rep->cells[i];
        bool any = false;
        json_array_foreach(json_object_get(kinds, cell->kind), index, metric) {
            const char *name = json_string_value(metric);
            struct cb_rep_row *row = cb_rep_find(rep, cell->backend, cell->scenario, cell->binding,
                                                 cell->compiler, cell->params, name);
            any |= row != NULL;
        }
        if (strcmp(cell->status, "ok") == 0 && any)
            continue;
        if (strcmp(cell->status, "ok") == 0) {
            cell->status = "failed";
            cell->note = "no sample was recorded";
        }
        json_array_foreach(json_object_get(kinds, cell->kind), index, metric) {
            const char *name = json_string_value(metric);
            json_t *entry = json_object_get(json_object_get(rep->derived, "metrics"), name);
            if (!cb_rep_find(rep, cell->backend, cell->scenario, cell->binding, cell->compiler,
                             cell->params, name))
                cb_rep_add_row(rep, cell, name, cb_rep_string(entry, "unit", ""));
        }
    }
    // Values of a cell that failed later are not results.
    for (size_t i = 0; i < rep->row_count; i++) {
        struct cb_rep_row *row = rep->rows[i];
        row->status = row->cell->status;
        if (!row->counted || strcmp(row->status, "ok") != 0)
            row->note = row->cell->note;
        if (strcmp(row->status, "ok") != 0)
            row->values = NULL;
        row->flags = row->cell->sample_flags;
    }
}

// ---- Derived metrics ----------------------------------------------------------------------------

static struct cb_rep_row *derive_row(struct cb_rep *rep, const struct cb_rep_cell *cell,
                                     const json_t *rule) {
    struct cb_rep_row *row = cb_rep_add_row(rep, cell, cb_rep_string(rule, "metric", ""),
                                            cb_rep_string(rule, "unit", ""));
    row->status = "ok";
    row->note = cb_rep_string(rule, "note", "");
    row->drift = cb_drift(NULL, 0);
    row->modes = cb_modes(NULL, 0);
    row->values = cb_rep_memory(rep, rep->slots, sizeof *row->values);
    return row;
}

// What a derived metric can't be made without; the first one that is missing gives the reason.
static bool needs(struct cb_rep *rep, struct cb_rep_row *row, const struct cb_rep_row *input) {
    if (strcmp(row->status, "ok") != 0)
        return false;
    if (input->values) {
        for (const char *flag = input->flags; *flag;) {
            size_t length = strcspn(flag, ";");
            row->flags = cb_rep_flag(rep, row->flags, cb_rep_text(rep, "%.*s", (int)length, flag));
            flag += length + (flag[length] == ';');
        }
        return true;
    }
    row->status = input->status;
    row->values = NULL;
    row->note = input->cell == row->cell
                    ? input->note
                    : cb_rep_text(rep, "needs %s: %s", input->cell->id, input->note);
    return false;
}

static bool rule_applies(const json_t *rule, const struct cb_rep_row *row) {
    return row->metric && strcmp(row->metric, cb_rep_string(rule, "of", "")) == 0 &&
           strcmp(row->cell->scenario, cb_rep_string(rule, "scenario", "")) == 0;
}

// The least squares slope over a key of params, in each round by itself.
static void derive_slope(struct cb_rep *rep, const json_t *rule, const struct cb_rep_row *first) {
    const char *key = cb_rep_string(rule, "over", "");
    const char *at = cb_rep_param(rep, first->cell->params, key);
    json_t *points = json_object_get(rule, "at");
    size_t n = json_array_size(points), index;
    json_t *point = json_array_get(points, 0);
    if (!at || strtod(at, NULL) != json_number_value(point))
        return; // each group of cells is met once: at its first point
    const struct cb_rep_cell *cell = first->cell;
    const char *rest = cb_rep_param_drop(rep, cell->params, key);
    const struct cb_rep_row **inputs = cb_rep_memory(rep, n, sizeof(struct cb_rep_row *));
    double *x = cb_rep_memory(rep, n, sizeof *x), *y = cb_rep_memory(rep, n, sizeof *y);
    json_array_foreach(points, index, point) {
        x[index] = json_number_value(point);
        const char *value = cb_rep_text(rep, "%.0f", x[index]);
        inputs[index] =
            cb_rep_find(rep, cell->backend, cell->scenario, cell->binding, cell->compiler,
                        cb_rep_param_add(rep, rest, key, value), first->metric);
        if (!inputs[index])
            return; // not planned in this run
    }
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(rule, "adds"), name, value) rest =
        cb_rep_param_add(rep, rest, name, json_string_value(value));
    struct cb_rep_cell *own = cb_rep_memory(rep, 1, sizeof *own);
    *own = *cell;
    own->params = rest;
    own->id = cb_rep_text(rep, "%s/%s/%s/%s/%s", cell->backend, cell->scenario, cell->binding,
                          cell->compiler, rest);
    struct cb_rep_row *row = derive_row(rep, own, rule);
    for (size_t i = 0; i < n; i++)
        needs(rep, row, inputs[i]);
    for (size_t slot = 0; row->values && slot < rep->slots; slot++) {
        bool whole = true;
        for (size_t i = 0; i < n; i++) {
            y[i] = inputs[i]->values[slot];
            whole &= !isnan(y[i]);
        }
        row->values[slot] = whole ? cb_slope(x, y, n, CB_LEVEL).slope : NAN;
    }
}

// A metric minus another one of the same round: of another scenario's cell or, where the rule names
// none, of the same cell. With `times` it is that often the other: the number that the cell's
// params give for that key.
static void derive_difference(struct cb_rep *rep, const json_t *rule, const struct cb_rep_row *of) {
    const struct cb_rep_cell *cell = of->cell;
    const char *key = cb_rep_string(rule, "times", NULL);
    const char *times_text = key ? cb_rep_param(rep, cell->params, key) : "1";
    if (!times_text)
        return;
    double times = strtod(times_text, NULL);
    const json_t *minus = json_object_get(rule, "minus");
    const struct cb_rep_row *other =
        cb_rep_find(rep, cell->backend, cb_rep_string(minus, "scenario", cell->scenario),
                    cell->binding, cell->compiler, cb_rep_string(minus, "params", cell->params),
                    cb_rep_string(minus, "metric", ""));
    if (!other)
        return;
    struct cb_rep_row *row = derive_row(rep, cell, rule);
    row->of = of;
    if (!needs(rep, row, of) || !needs(rep, row, other))
        return;
    for (size_t slot = 0; slot < rep->slots; slot++)
        row->values[slot] = of->values[slot] - times * other->values[slot];
}

// The sum of metrics of one cell; those named in "if_known" count where the machine tells them.
static void derive_sum(struct cb_rep *rep, const json_t *rule, const struct cb_rep_row *first) {
    struct cb_rep_row *row = derive_row(rep, first->cell, rule);
    if (!needs(rep, row, first))
        return;
    memcpy(row->values, first->values, rep->slots * sizeof *row->values);
    const char *lists[] = {"plus", "if_known"};
    for (int l = 0; l < 2; l++) {
        size_t index;
        json_t *name;
        json_array_foreach(json_object_get(rule, lists[l]), index, name) {
            const struct cb_rep_cell *cell = first->cell;
            const struct cb_rep_row *part =
                cb_rep_find(rep, cell->backend, cell->scenario, cell->binding, cell->compiler,
                            cell->params, json_string_value(name));
            if (part && part->values) {
                for (size_t slot = 0; slot < rep->slots; slot++)
                    row->values[slot] += part->values[slot];
            } else if (l == 0) {
                row->status = "unavailable";
                row->note = cb_rep_text(rep, "%s could not be read", json_string_value(name));
                row->values = NULL;
                return;
            } else {
                row->note =
                    cb_rep_text(rep, "without %s: could not be read", json_string_value(name));
            }
        }
    }
}

static void derive_all(struct cb_rep *rep) {
    static const struct {
        const char *kind;
        void (*derive)(struct cb_rep *, const json_t *, const struct cb_rep_row *);
    } kinds[] = {{"slope", derive_slope}, {"difference", derive_difference}, {"sum", derive_sum}};
    size_t index;
    json_t *rule;
    json_array_foreach(json_object_get(rep->derived, "derived"), index, rule) {
        size_t before = rep->row_count; // rules may build on rows of rules before them
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            for (size_t i = 0;
                 strcmp(kinds[k].kind, cb_rep_string(rule, "kind", "")) == 0 && i < before; i++)
                if (rule_applies(rule, rep->rows[i]))
                    kinds[k].derive(rep, rule, rep->rows[i]);
    }
}

// ---- Estimates ----------------------------------------------------------------------------------

struct cb_rep_estimate cb_rep_estimate_values(const struct cb_rep *rep, const double *values,
                                              double p, bool exact) {
    struct cb_rep_estimate estimate = {NAN, NAN, NAN, 0};
    double *there = cb_allocate(rep->slots, sizeof *there);
    long *builds = cb_allocate(rep->slots, sizeof *builds);
    size_t n = 0;
    for (size_t slot = 0; values && slot < rep->slots; slot++)
        if (!isnan(values[slot])) {
            builds[n] = rep->slot_build[slot];
            there[n++] = values[slot];
        }
    if (n > 0 && rep->clustered && !exact) {
        // One value a link, then the median over links: luck with a link's layout is between them.
        double *links = cb_allocate(n, sizeof *links);
        size_t count = cb_clusters(there, builds, n, p, links, NULL);
        memcpy(there, links, count * sizeof *links);
        free(links);
        n = count;
        p = 0.5;
    }
    if (n > 0) {
        estimate.value = cb_quantile(there, n, p);
        if (exact) {
            estimate.low = cb_quantile(there, n, 0);
            estimate.high = cb_quantile(there, n, 1);
            estimate.coverage = 1;
        } else if (rep->mode == CB_REP_QUICK) {
            estimate.low = cb_quantile(there, n, 0);
            estimate.high = cb_quantile(there, n, 1);
        } else {
            struct cb_interval interval = cb_order_interval(there, n, p, CB_LEVEL);
            estimate.low = interval.low;
            estimate.high = interval.high;
            estimate.coverage = interval.coverage;
        }
    }
    free(builds);
    free(there);
    return estimate;
}

double cb_rep_sequence_effect(const struct cb_rep_row *row) {
    double effect = 0;
    if (row->drift.found)
        effect = fmax(effect, fabs(row->drift.change));
    if (row->modes.found && row->modes.low > 0)
        effect = fmax(effect, row->modes.high / row->modes.low - 1);
    return effect >= LEAST_SEQUENCE_EFFECT ? effect : 0;
}

// Whether the rounds of what was measured drift or fall into two groups; derived metrics take over
// the flags of what they are made of.
static void flag_sequences(struct cb_rep *rep) {
    double *values = cb_allocate(rep->slots, sizeof *values);
    for (size_t i = 0; i < rep->row_count; i++) {
        struct cb_rep_row *row = rep->rows[i];
        size_t n = 0;
        row->drift = cb_drift(NULL, 0);
        row->modes = cb_modes(NULL, 0);
        if (!row->values || row->exact || row->aside || row->counted)
            continue;
        for (size_t slot = 0; slot < rep->slots; slot++)
            if (!isnan(row->values[slot]))
                values[n++] = row->values[slot];
        row->drift = cb_drift(values, n);
        row->modes = cb_modes(values, n);
        if (row->drift.found && fabs(row->drift.change) >= LEAST_SEQUENCE_EFFECT)
            row->flags = cb_rep_flag(rep, row->flags, "drift");
        if (row->modes.found &&
            row->modes.high - row->modes.low >= LEAST_SEQUENCE_EFFECT * fabs(row->modes.low))
            row->flags = cb_rep_flag(rep, row->flags, "bimodal");
    }
    free(values);
}

// Rules of derived.json: a flag for a metric at the floor of another, or too wide to mean anything.
static void flag_row(struct cb_rep *rep, struct cb_rep_row *row) {
    size_t index;
    json_t *rule;
    const struct cb_rep_cell *cell = row->cell;
    const struct cb_rep_estimate *estimate = cb_rep_shown(rep, row);
    json_array_foreach(json_object_get(rep->derived, "flags"), index, rule) {
        if (strcmp(cb_rep_string(rule, "metric", ""), row->metric) != 0 ||
            strcmp(cb_rep_string(rule, "scenario", cell->scenario), cell->scenario) != 0)
            continue;
        const char *floor_name = cb_rep_string(rule, "floor", NULL);
        double widest = json_number_value(json_object_get(rule, "wider_than"));
        bool hit = false;
        if (floor_name) {
            const struct cb_rep_row *floor_row =
                cb_rep_find(rep, cell->backend, cell->scenario, cell->binding, cell->compiler,
                            cell->params, floor_name);
            double within = json_number_value(json_object_get(rule, "within"));
            hit = floor_row && floor_row->values &&
                  estimate->value <= within * floor_row->estimate[CB_REP_MEDIAN].value;
        } else if (widest > 0) {
            hit = estimate->high - estimate->low > widest && estimate->low <= 0 &&
                  estimate->high >= 0;
        }
        const char *flag = cb_rep_string(rule, "flag", "");
        for (size_t i = 0; hit && i < rep->row_count; i++)
            if (rep->rows[i] == row || (floor_name && rep->rows[i]->cell == cell))
                rep->rows[i]->flags = cb_rep_flag(rep, rep->rows[i]->flags, flag);
    }
}

void cb_rep_estimate_all(struct cb_rep *rep) {
    add_missing_rows(rep);
    flag_sequences(rep);
    derive_all(rep);
    for (size_t i = 0; i < rep->row_count; i++) {
        struct cb_rep_row *row = rep->rows[i];
        for (size_t slot = 0; row->values && slot < rep->slots; slot++)
            row->rounds += !isnan(row->values[slot]);
        for (int e = 0; e < CB_REP_ESTIMATORS; e++)
            row->estimate[e] =
                cb_rep_estimate_values(rep, row->values, cb_rep_quantiles[e], row->exact);
        if (row->counted) // once: there is no range either
            row->estimate[CB_REP_MEDIAN].low = row->estimate[CB_REP_MEDIAN].high = NAN;
    }
    cb_rep_use_aa(rep);
    for (size_t i = 0; i < rep->row_count; i++)
        if (rep->rows[i]->values)
            flag_row(rep, rep->rows[i]);
}

// ---- cells.csv ----------------------------------------------------------------------------------

static void write_row(struct cb_csv_row *to, const struct cb_rep *rep, const struct cb_rep_row *row,
                      int e) {
    const struct cb_rep_cell *cell = row->cell;
    const struct cb_rep_estimate *estimate = &row->estimate[e];
    const char *texts[] = {cell->backend,  cell->family, cell->scenario, cell->binding,
                           cell->compiler, cell->params, row->metric,    row->unit};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cb_csv_text(to, texts[i]);
    bool interval = estimate->coverage > 0; // a range is no interval
    double numbers[] = {estimate->value, interval ? estimate->low : NAN,
                        interval ? estimate->high : NAN};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[40];
        snprintf(text, sizeof text, "%.6g", numbers[i]);
        cb_csv_text(to, isnan(numbers[i]) ? NULL : text);
    }
    cb_csv_integer(to, (long long)row->rounds);
    const char *note = row->note;
    if (row->values && !interval && rep->mode != CB_REP_QUICK && !*note)
        note = "too few rounds for an interval";
    cb_csv_text(to, row->status);
    cb_csv_text(to, note);
    cb_csv_text(to, cell->id);
    cb_csv_text(to, cb_rep_estimator_names[e]);
    cb_csv_text(to, row->flags);
    cb_csv_end(to);
}

struct row_order {
    struct cb_rep_row *row;
    size_t made;
};

static int compare_orders(const void *left, const void *right, void *context) {
    const struct row_order *a = left, *b = right;
    int order = cb_rep_compare_cells(context, a->row->cell, b->row->cell);
    return order ? order : (a->made > b->made) - (a->made < b->made);
}

struct cb_rep_row **cb_rep_sorted_rows(struct cb_rep *rep) {
    struct row_order *order = cb_allocate(rep->row_count, sizeof *order);
    for (size_t i = 0; i < rep->row_count; i++)
        order[i] = (struct row_order){rep->rows[i], i};
    qsort_r(order, rep->row_count, sizeof *order, compare_orders, rep);
    struct cb_rep_row **sorted = cb_rep_memory(rep, rep->row_count, sizeof(struct cb_rep_row *));
    for (size_t i = 0; i < rep->row_count; i++)
        sorted[i] = order[i].row;
    free(order);
    return sorted;
}

int cb_rep_write_cells(struct cb_rep *rep) {
    struct cb_text text = {0};
    cb_text_add(&text,
                "backend,family,scenario,binding,compiler,params,metric,unit,estimate,ci_low,"
                "ci_high,rounds,status,note,cell_id,estimator,flags\n");
    struct cb_csv_row to = {.to = &text};
    struct cb_rep_row **rows = cb_rep_sorted_rows(rep);
    for (size_t i = 0; i < rep->row_count; i++) {
        const struct cb_rep_row *row = rows[i];
        write_row(&to, rep, row, CB_REP_MEDIAN);
        if (row->values && !row->exact && !row->aside && !row->counted)
            write_row(&to, rep, row, CB_REP_LOWER_QUARTILE);
    }
    int status = cb_rep_write(rep, "cells.csv", &text);
    cb_text_clear(&text);
    return status;
}
