// From the cells of a run to checks: does what a claim predicts hold there?
//
// A claim holds as a whole only if each check holds, and fails only if none does: tests of that
// form (intersection-union, Berger 1982) need no correction for their number.
#include "claims.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_internal.h"

const char *const cb_verdict_names[CB_VERDICTS] = {"supported", "refuted",      "depends",
                                                   "undecided", "not testable", "missing cell"};
const char *const cb_outcome_names[CB_OUTCOMES] = {"holds", "fails", "open", "absent"};

struct cb_check *cb_claim_add_check(struct cb_claim *claim) {
    if (claim->check_count == claim->check_room) {
        claim->check_room = claim->check_room ? 2 * claim->check_room : 16;
        claim->checks = cb_resize(claim->checks, claim->check_room, sizeof *claim->checks);
    }
    struct cb_check *check = &claim->checks[claim->check_count++];
    *check = (struct cb_check){.backend = "",
                               .against = "",
                               .cell = "",
                               .binding = "",
                               .compiler = "",
                               .metric = "",
                               .unit = "",
                               .value = NAN,
                               .low = NAN,
                               .high = NAN,
                               .beside = "",
                               .why = "",
                               .outcome = CB_ABSENT};
    return check;
}

double cb_claim_number(const json_t *json, const char *key, double absent) {
    const json_t *number = json_object_get(json, key);
    return json_is_number(number) ? json_number_value(number) : absent;
}

const char *cb_claim_metric(const struct cb_rep *rep, const char *metric) {
    const json_t *entry = json_object_get(json_object_get(rep->derived, "metrics"), metric);
    return rep->cycles ? cb_rep_string(entry, "in_cycles", metric) : metric;
}

// The index-th backend that a side stands for; the number of them.
size_t cb_claim_backends(const struct cb_claims *claims, const json_t *side, size_t index,
                         const char **name) {
    const char *method = cb_rep_string(side, "method", NULL);
    const json_t *list = json_object_get(side, "backends");
    if (method)
        list = json_object_get(json_object_get(claims->methods, method), "backends");
    *name =
        list ? json_string_value(json_array_get(list, index)) : cb_rep_string(side, "backend", "");
    return list ? json_array_size(list) : json_object_get(side, "backend") != NULL;
}

static bool ready(struct cb_rep *rep, struct cb_check *check, const struct cb_rep_row *row) {
    if (row->values)
        return true;
    check->why = cb_rep_text(rep, "%s is %s%s%s", row->cell->id, row->status,
                             *row->note ? ": " : "", row->note);
    return false;
}

static void set_estimate(struct cb_check *check, double value, double low, double high) {
    check->value = value;
    check->low = low;
    check->high = high;
}

static bool one_value(const struct cb_rep_row *row) {
    return row->exact || row->counted;
}

// ---- Order --------------------------------------------------------------------------------------

static struct cb_rep_row *cell_row(struct cb_rep *rep, const json_t *cell, const char *backend,
                                   const char *compiler) {
    return cb_rep_find(rep, backend, cb_rep_string(cell, "scenario", ""),
                       cb_rep_string(cell, "binding", ""), compiler,
                       cb_rep_string(cell, "params", ""),
                       cb_claim_metric(rep, cb_rep_string(cell, "metric", "")));
}

// Ordered: clear of `equal`, and by more than `least`, below which a difference counts as none.
static void settle(struct cb_check *check, double equal, double least) {
    if (check->high <= least)
        check->outcome = CB_FAILS; // the other way round, or no difference worth the word
    else
        check->outcome = check->low > equal && check->value > least ? CB_HOLDS : CB_OPEN;
}

// Of metrics that may be 0 or less there is no ratio: the difference, round by round, is looked at.
static void compare_differences(struct cb_rep *rep, struct cb_check *check,
                                const struct cb_rep_row *more, const struct cb_rep_row *less,
                                double tolerance) {
    double *values = cb_rep_memory(rep, rep->slots, sizeof *values);
    for (size_t slot = 0; slot < rep->slots; slot++)
        values[slot] = more->values[slot] - less->values[slot];
    struct cb_rep_estimate of = cb_rep_estimate_values(rep, values, 0.5, false);
    set_estimate(check, of.value, of.low, of.high);
    check->unit = more->unit;
    double least = 0;
    const struct cb_rep_row *both[] = {more, less};
    for (int i = 0; i < 2; i++)
        if (both[i]->of)
            least = fmax(least,
                         cb_rep_mde_of(rep, both[i]->of) * cb_rep_shown(rep, both[i]->of)->value);
    double same = (tolerance - 1) *
                  fmax(fabs(cb_rep_shown(rep, more)->value), fabs(cb_rep_shown(rep, less)->value));
    settle(check, 0, fmax(least, same));
}

static void compare_ratio(struct cb_rep *rep, struct cb_check *check, const struct cb_rep_row *more,
                          const struct cb_rep_row *less, double tolerance) {
    double mde = fmax(cb_rep_mde_of(rep, more), cb_rep_mde_of(rep, less));
    check->unit = "x";
    if (one_value(more) && one_value(less)) {
        double ratio = more->estimate[CB_REP_MEDIAN].value / less->estimate[CB_REP_MEDIAN].value;
        set_estimate(check, ratio, ratio, ratio);
    } else {
        struct cb_ratio ratio =
            cb_rep_divide(rep, cb_rep_estimator_of(rep, more->metric), more->values, less->values);
        set_estimate(check, ratio.ratio, ratio.low, ratio.high);
    }
    settle(check, 1, fmax(1 + mde, tolerance));
}

// Flagged by a rule of derived.json.
static bool unresolved(struct cb_rep *rep, const struct cb_rep_row *row) {
    return *row->flags && cb_rep_flag(rep, row->flags, "unresolved") == row->flags;
}

static void judge_pair(struct cb_rep *rep, struct cb_check *check, const struct cb_rep_row *more,
                       const struct cb_rep_row *less, double tolerance, const char *beside) {
    const struct cb_rep_cell *cell = more->cell;
    check->cell =
        cb_rep_text(rep, "%s%s%s", cell->scenario, *cell->params ? " " : "", cell->params);
    check->binding = cell->binding;
    check->metric = more->metric;
    if (!ready(rep, check, more) || !ready(rep, check, less))
        return;
    if (unresolved(rep, more) || unresolved(rep, less)) {
        check->outcome = CB_OPEN;
        check->why = "one of the two is unresolved: its interval is too wide to mean anything";
        return;
    }
    if (cb_rep_is_ratio_scale(rep, more->metric))
        compare_ratio(rep, check, more, less, tolerance);
    else
        compare_differences(rep, check, more, less, tolerance);
    if (check->outcome == CB_OPEN)
        check->why = isnan(check->low) ? "too few rounds for an interval"
                                       : "the interval spans what tells them apart";
    const char *metric = cb_claim_metric(rep, beside);
    const struct cb_rep_row *plain[2];
    const struct cb_rep_row *rows[] = {more, less};
    for (int i = 0; i < 2; i++)
        plain[i] = cb_rep_find(rep, rows[i]->cell->backend, cell->scenario, cell->binding,
                               cell->compiler, cell->params, metric);
    if (*beside && plain[0] && plain[1] && plain[0]->values && plain[1]->values)
        check->beside = cb_rep_text(rep, "%s %s beside %s %s", metric,
                                    cb_rep_number(rep, cb_rep_shown(rep, plain[0])->value,
                                                  cb_rep_shown(rep, plain[0])->value, " "),
                                    cb_rep_number(rep, cb_rep_shown(rep, plain[1])->value,
                                                  cb_rep_shown(rep, plain[1])->value, " "),
                                    plain[0]->unit);
}

// All compilers of one cell and pair of backends. One that the run plans for no compiler is absent
// once; false then.
static bool judge_pairs(struct cb_rep *rep, struct cb_claim *claim, const json_t *column,
                        const json_t *cell, const char *more, const char *less) {
    bool any = false;
    for (size_t c = 0; c < rep->compiler_count; c++) {
        const struct cb_rep_row *a = cell_row(rep, cell, more, rep->compilers[c]);
        const struct cb_rep_row *b = cell_row(rep, cell, less, rep->compilers[c]);
        if (!a || !b)
            continue;
        any = true;
        struct cb_check *check = cb_claim_add_check(claim);
        check->backend = more;
        check->against = less;
        check->compiler = rep->compilers[c];
        judge_pair(rep, check, a, b, cb_claim_number(column, "tolerance", 1),
                   cb_rep_string(column, "beside", ""));
    }
    return any;
}

// Whether a run has a backend in a cell at all; names what is missing in a text for the claim.
static bool has_cell(struct cb_rep *rep, const json_t *cell, const char *backend) {
    for (size_t c = 0; c < rep->compiler_count; c++)
        if (cell_row(rep, cell, backend, rep->compilers[c]))
            return true;
    return false;
}

static void add_absent(struct cb_rep *rep, struct cb_claim *claim, const json_t *cell,
                       const char *backend, const char *binding) {
    const char *why = cb_rep_text(
        rep, "%s/%s/%s/%s/%s: no %s in this run", backend, cb_rep_string(cell, "scenario", ""),
        cb_rep_string(cell, "binding", binding), rep->compiler_count ? rep->compilers[0] : "",
        cb_rep_string(cell, "params", ""), cb_rep_string(cell, "metric", ""));
    for (size_t i = 0; i < claim->check_count; i++)
        if (strcmp(claim->checks[i].why, why) == 0)
            return;
    struct cb_check *check = cb_claim_add_check(claim);
    check->backend = backend;
    check->why = why;
}

static void judge_methods(struct cb_claims *claims, struct cb_rep *rep, struct cb_claim *claim,
                          const json_t *column, const char *more, const char *less) {
    const json_t *a = json_object_get(claims->methods, more);
    const json_t *b = json_object_get(claims->methods, less);
    const char *name[2];
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(column, "cells"), index, cell) {
        for (size_t i = 0; cb_claim_backends(claims, a, i, &name[0]) > i; i++)
            for (size_t j = 0; cb_claim_backends(claims, b, j, &name[1]) > j; j++) {
                if (judge_pairs(rep, claim, column, cell, name[0], name[1]))
                    continue;
                for (int k = 0; k < 2; k++)
                    if (!has_cell(rep, cell, name[k]))
                        add_absent(rep, claim, cell, name[k], "");
            }
    }
}

void cb_claim_judge_order(struct cb_claims *claims, struct cb_rep *rep, struct cb_claim *claim) {
    const json_t *column = cb_claim_column(claim);
    const json_t *words = json_object_get(column, "words");
    const char *only = cb_rep_string(claim->json, "method", NULL);
    bool falling = json_is_true(json_object_get(column, "falling"));
    size_t x, y;
    json_t *a, *b;
    for (size_t high = 1; high < json_array_size(words); high++)
        for (size_t low = 0; low < high; low++) {
            size_t more = falling ? low : high, less = falling ? high : low;
            json_array_foreach(json_object_get(json_array_get(words, more), "methods"), x, a)
                json_array_foreach(json_object_get(json_array_get(words, less), "methods"), y, b) {
                const char *names[] = {json_string_value(a), json_string_value(b)};
                if (!only || strcmp(names[0], only) == 0 || strcmp(names[1], only) == 0)
                    judge_methods(claims, rep, claim, column, names[0], names[1]);
            }
        }
}

// ---- Cut points ---------------------------------------------------------------------------------

// Lowest and highest end of the intervals of a word's backends in one cell; false: none is there.
static bool spread(struct cb_claims *claims, struct cb_rep *rep, const json_t *rank,
                   const json_t *cell, const char *compiler, double ends[2], const char **unit) {
    size_t index;
    json_t *method;
    const char *name;
    ends[0] = INFINITY;
    ends[1] = -INFINITY;
    json_array_foreach(json_object_get(rank, "methods"), index, method) {
        const json_t *side = json_object_get(claims->methods, json_string_value(method));
        for (size_t i = 0; cb_claim_backends(claims, side, i, &name) > i; i++) {
            const struct cb_rep_row *row = cell_row(rep, cell, name, compiler);
            if (!row || !row->values)
                continue;
            const struct cb_rep_estimate *estimate = cb_rep_shown(rep, row);
            ends[0] = fmin(ends[0], isnan(estimate->low) ? estimate->value : estimate->low);
            ends[1] = fmax(ends[1], isnan(estimate->high) ? estimate->value : estimate->high);
            *unit = row->unit;
        }
    }
    return ends[0] <= ends[1];
}

const char *cb_claim_cuts(struct cb_claims *claims, struct cb_rep *rep,
                          const struct cb_claim *claim) {
    const json_t *column = cb_claim_column(claim), *words = json_object_get(column, "words");
    bool falling = json_is_true(json_object_get(column, "falling"));
    struct cb_text text = {0};
    size_t index;
    json_t *cell;
    json_array_foreach(json_object_get(column, "cells"), index,
                       cell) for (size_t c = 0; c < rep->compiler_count; c++) {
        struct cb_text cuts = {0};
        for (size_t i = 1; i < json_array_size(words); i++) {
            const json_t *below = json_array_get(words, falling ? i : i - 1);
            const json_t *above = json_array_get(words, falling ? i - 1 : i);
            double low[2], high[2];
            const char *unit = "";
            if (!spread(claims, rep, below, cell, rep->compilers[c], low, &unit) ||
                !spread(claims, rep, above, cell, rep->compilers[c], high, &unit))
                continue;
            cb_text_add(&cuts, "%s%s|%s ", cuts.length ? ", " : "",
                        cb_rep_string(below, "word", ""), cb_rep_string(above, "word", ""));
            if (low[1] < high[0])
                cb_text_add(&cuts, "%s..%s %s", cb_rep_number(rep, low[1], low[1], " "),
                            cb_rep_number(rep, high[0], high[0], " "), unit);
            else
                cb_text_add(&cuts, "none");
        }
        if (cuts.length)
            cb_text_add(&text, "%s%s %s %s %s: %s", text.length ? "; " : "",
                        cb_rep_string(cell, "scenario", ""), cb_rep_string(cell, "params", ""),
                        cb_rep_string(cell, "binding", ""), rep->compilers[c], cuts.text);
        cb_text_clear(&cuts);
    }
    const char *result = cb_rep_text(rep, "%s", text.text ? text.text : "");
    cb_text_clear(&text);
    return result;
}

// ---- Ratios and ranges --------------------------------------------------------------------------

// One side of a ratio, or a value: a weighted sum of cells of one backend, round by round.
struct side {
    double *values; // NULL: the run has not got it
    double mde;
    bool exact, known; // known: the run plans the cell
    const struct cb_rep_row *row;
};

static struct side read_side(struct cb_rep *rep, struct cb_check *check, const json_t *side,
                             const char *backend, const char *binding, const char *compiler,
                             bool ratio) {
    struct side read = {NULL, 0, true, true, NULL};
    const json_t *terms = json_object_get(side, "terms");
    size_t n = terms ? json_array_size(terms) : 1;
    double *values = cb_rep_memory(rep, rep->slots + 1, sizeof *values);
    for (size_t i = 0; i < n; i++) {
        const json_t *term = terms ? json_array_get(terms, i) : side;
        const char *metric = cb_rep_string(term, "metric", "");
        const struct cb_rep_row *row = cb_rep_find(
            rep, cb_rep_string(term, "backend", backend), cb_rep_string(term, "scenario", ""),
            cb_rep_string(term, "binding", binding), cb_rep_string(term, "compiler", compiler),
            cb_rep_string(term, "params", ""), ratio ? cb_claim_metric(rep, metric) : metric);
        if (!row) {
            read.known = false;
            return read;
        }
        if (!read.row)
            read.row = row;
        if (!ready(rep, check, row))
            return read;
        read.exact &= one_value(row);
        read.mde = fmax(read.mde, cb_rep_mde_of(rep, row));
        for (size_t slot = 0; slot < rep->slots; slot++)
            values[slot] +=
                cb_claim_number(term, "times", 1) *
                (one_value(row) ? row->estimate[CB_REP_MEDIAN].value : row->values[slot]);
    }
    read.values = values;
    return read;
}

// The range, widened by the tolerance; to be beyond it takes the smallest detectable effect too.
static enum cb_outcome stands(const struct cb_check *check, const json_t *json, double mde) {
    double tolerance = cb_claim_number(json, "tolerance", 1);
    double min = cb_claim_number(json, "min", -INFINITY);
    double max = cb_claim_number(json, "max", INFINITY);
    min = min > 0 ? min / tolerance : min * tolerance;
    max = max > 0 ? max * tolerance : max / tolerance;
    if (check->low >= min && check->high <= max)
        return CB_HOLDS;
    min = min > 0 ? min / (1 + mde) : min * (1 + mde);
    max = max > 0 ? max * (1 + mde) : max / (1 + mde);
    return check->high < min || check->low > max ? CB_FAILS : CB_OPEN;
}

static void judge_one(struct cb_rep *rep, const struct cb_claim *claim, struct cb_check *check,
                      const struct side *top, const struct side *bottom, double constant) {
    const struct cb_rep_cell *cell = top->row->cell;
    int estimator = cb_rep_estimator_of(rep, top->row->metric);
    double mde = bottom ? fmax(top->mde, bottom->mde) : top->mde;
    check->cell =
        cb_rep_text(rep, "%s%s%s", cell->scenario, *cell->params ? " " : "", cell->params);
    check->metric = top->row->metric;
    check->unit = "x";
    if (!bottom) {
        struct cb_rep_estimate estimate =
            cb_rep_estimate_values(rep, top->values, cb_rep_quantiles[estimator], top->exact);
        set_estimate(check, estimate.value / constant, estimate.low / constant,
                     estimate.high / constant);
        if (constant == 1) // a share of a constant has no unit
            check->unit = top->row->unit;
    } else if (top->exact && bottom->exact && rep->slots) {
        double ratio = top->values[0] / bottom->values[0];
        set_estimate(check, ratio, ratio, ratio);
    } else {
        struct cb_ratio ratio = cb_rep_divide(rep, estimator, top->values, bottom->values);
        set_estimate(check, ratio.ratio, ratio.low, ratio.high);
    }
    check->outcome = stands(check, claim->json, mde);
    if (check->outcome == CB_OPEN)
        check->why = isnan(check->low) ? "too few rounds with a value above 0 for an interval"
                                       : "the interval reaches over the end of the range";
}

// One pair of backends in one binding, all compilers; false: the run plans it for none.
static bool judge_backends(struct cb_rep *rep, struct cb_claim *claim, const char *binding,
                           const char *a, const char *b) {
    const json_t *ratio = json_object_get(claim->json, "numerator");
    const json_t *top = ratio ? ratio : json_object_get(claim->json, "value");
    const json_t *bottom = json_object_get(claim->json, "denominator");
    const json_t *only = json_object_get(claim->json, "compilers");
    double constant = cb_claim_number(bottom, "constant", NAN);
    bool any = false;
    for (size_t c = 0; c < rep->compiler_count; c++) {
        const char *compiler = rep->compilers[c];
        bool wanted = !only;
        for (size_t i = 0; i < json_array_size(only); i++)
            wanted |= strcmp(json_string_value(json_array_get(only, i)), compiler) == 0;
        struct cb_check check = {.backend = a,
                                 .against = strcmp(a, b) == 0 ? "" : b,
                                 .cell = "",
                                 .binding = binding,
                                 .compiler = compiler,
                                 .metric = "",
                                 .unit = "",
                                 .value = NAN,
                                 .low = NAN,
                                 .high = NAN,
                                 .beside = "",
                                 .why = "",
                                 .outcome = CB_ABSENT};
        struct side x = read_side(rep, &check, top, a, binding, compiler, ratio != NULL);
        struct side y = {NULL, 0, true, true, NULL};
        bool second = bottom && isnan(constant);
        if (second)
            y = read_side(rep, &check, bottom, b, binding, compiler, true);
        if (!wanted || !x.known || !y.known)
            continue;
        any = true;
        if (x.values && (!second || y.values))
            judge_one(rep, claim, &check, &x, second ? &y : NULL, second || !bottom ? 1 : constant);
        *cb_claim_add_check(claim) = check;
    }
    return any;
}

// Names the cells of a side that the run has with no compiler. A cell is named once.
static void name_missing(struct cb_rep *rep, struct cb_claim *claim, const json_t *side,
                         const char *backend, const char *binding) {
    const json_t *terms = json_object_get(side, "terms");
    size_t n = terms ? json_array_size(terms) : 1;
    for (size_t i = 0; i < n && !json_object_get(side, "constant"); i++) {
        const json_t *term = terms ? json_array_get(terms, i) : side;
        struct cb_check nobody;
        bool known = false;
        for (size_t c = 0; c < rep->compiler_count; c++)
            known |= read_side(rep, &nobody, term, backend, binding, rep->compilers[c], true).known;
        if (!known)
            add_absent(rep, claim, term, cb_rep_string(term, "backend", backend), binding);
    }
}

static void judge_binding(struct cb_claims *claims, struct cb_rep *rep, struct cb_claim *claim,
                          const char *binding) {
    const json_t *top = json_object_get(claim->json, "numerator");
    const json_t *bottom = json_object_get(claim->json, "denominator");
    const char *a = "", *b = "";
    if (!top)
        top = json_object_get(claim->json, "value");
    for (size_t i = 0; cb_claim_backends(claims, top, i, &a) > i; i++) {
        size_t others = bottom ? cb_claim_backends(claims, bottom, 0, &b) : 0;
        for (size_t j = 0; j < (others ? others : 1); j++) {
            if (others)
                cb_claim_backends(claims, bottom, j, &b);
            else
                b = a; // the same backend on both sides, or one side only
            if (judge_backends(rep, claim, binding, a, b))
                continue;
            name_missing(rep, claim, top, a, binding);
            if (bottom)
                name_missing(rep, claim, bottom, b, binding);
        }
    }
}

void cb_claim_judge_range(struct cb_claims *claims, struct cb_rep *rep, struct cb_claim *claim) {
    const json_t *bindings = json_object_get(claim->json, "bindings");
    size_t index;
    json_t *binding;
    if (!bindings)
        judge_binding(claims, rep, claim, "opaque");
    json_array_foreach(bindings, index, binding)
        judge_binding(claims, rep, claim, json_string_value(binding));
}

// ---- All ----------------------------------------------------------------------------------------

static enum cb_verdict verdict_named(const char *name) {
    int verdict = 0;
    while (verdict < CB_NOT_TESTABLE && strcmp(cb_verdict_names[verdict], name) != 0)
        verdict++;
    return verdict;
}

static void judge(struct cb_claims *claims, struct cb_rep *rep, struct cb_claim *claim) {
    const char *why = cb_rep_string(claim->json, "why", "");
    if (strcmp(claim->kind, "fact") == 0) {
        claim->verdict = verdict_named(cb_rep_string(claim->json, "verdict", ""));
        claim->why = why;
    } else if (strcmp(claim->kind, "untestable") == 0) {
        claim->verdict = CB_NOT_TESTABLE;
        claim->why = why;
    } else if (!cb_rep_claims(rep)) {
        claim->verdict = CB_UNDECIDED;
        claim->why = "a quick run claims nothing: measure with a default or a full run";
    } else {
        if (strcmp(claim->kind, "order") == 0)
            cb_claim_judge_order(claims, rep, claim);
        else
            cb_claim_judge_range(claims, rep, claim);
        cb_claim_conclude(rep, claim);
        if (strcmp(claim->kind, "order") == 0 && !json_object_get(claim->json, "method")) {
            const char *cuts = cb_claim_cuts(claims, rep, claim);
            claim->why = cb_rep_text(rep, "%s%scut points: %s", claim->why, *claim->why ? "; " : "",
                                     *cuts ? cuts : "none");
        }
    }
}

void cb_claims_judge(struct cb_claims *claims, struct cb_rep *rep) {
    for (size_t i = 0; i < claims->claim_count; i++)
        judge(claims, rep, &claims->claims[i]);
}
