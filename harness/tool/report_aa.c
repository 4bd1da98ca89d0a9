// How far the numbers can be trusted, from comparisons of cells with themselves (A/A data).
//
// Three sources: twins (a cell measured twice in each round under two names), random halves of each
// cell's rounds, and a set of repeated runs. They give the smallest detectable effect of each
// scenario, and choose how a headline figure is made of its rounds. Seeds are fixed.
#define _GNU_SOURCE
#include "report_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>

#include "csv.h"
#include "stats.h"

#define SPLITS 20      // random halves of a cell
#define ENOUGH_RUNS 5  // repeated runs that make random halves superfluous
#define LEAST_VALUES 4 // rounds, or links, of a cell that is split
#define QUANTILE 0.95  // of A/A comparisons stay below the smallest detectable effect
#define RESAMPLES 1000 // of cells, for its upper bound
#define UPPER_LEVEL 0.95
#define TIE 1.1 // spreads within 10 % of the smallest are as good

enum source { TWINS, HALVES, REPEATS, SOURCES };
static const char *const source_names[SOURCES] = {"twins", "halves", "repeats"};

// Comparisons of cells with themselves: |log of the ratio|, and which cell each is of.
struct comparisons {
    double *value;
    size_t *cell;
    size_t count, room, cells;
};

static void add_value(struct comparisons *all, double value) {
    if (all->count == all->room) {
        all->room = all->room ? 2 * all->room : 256;
        all->value = cb_resize(all->value, all->room, sizeof *all->value);
        all->cell = cb_resize(all->cell, all->room, sizeof *all->cell);
    }
    all->value[all->count] = value;
    all->cell[all->count++] = all->cells;
}

// What was added since the last call is of one cell.
static void end_cell(struct comparisons *all) {
    if (all->count && all->cell[all->count - 1] == all->cells)
        all->cells++;
}

static void free_comparisons(struct comparisons *all) {
    free(all->value);
    free(all->cell);
}

static gsl_rng *new_rng(unsigned long seed) {
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    if (!rng) {
        cb_error(stderr, "out of memory for random numbers\nno report can be made\n"
                         "free memory and run the command again");
        exit(CB_EXIT_USAGE);
    }
    gsl_rng_set(rng, seed);
    return rng;
}

// ---- One row against itself ---------------------------------------------------------------------

static const json_t *metric_entry(const struct cb_rep *rep, const char *metric) {
    return json_object_get(json_object_get(rep->derived, "metrics"), metric);
}

bool cb_rep_is_ratio_scale(const struct cb_rep *rep, const char *metric) {
    return !json_is_true(json_object_get(metric_entry(rep, metric), "difference"));
}

// Of values that are next to nothing a share says nothing.
static bool is_large_enough(const struct cb_rep *rep, const struct cb_rep_row *row, double value) {
    double least = json_number_value(json_object_get(metric_entry(rep, row->metric), "least"));
    return value > 0 && value >= least;
}

static bool is_measured(const struct cb_rep *rep, const struct cb_rep_row *row) {
    return row->values && !row->exact && !row->aside && !row->counted &&
           cb_rep_is_ratio_scale(rep, row->metric);
}

// The slots of a row that have a value, or a list of links where intervals are over links.
static size_t units_of(const struct cb_rep *rep, const struct cb_rep_row *row, long *units) {
    size_t n = 0;
    for (size_t slot = 0; slot < rep->slots; slot++) {
        long unit = rep->clustered ? rep->slot_build[slot] : (long)slot;
        bool seen = isnan(row->values[slot]);
        for (size_t i = 0; i < n && !seen; i++)
            seen = units[i] == unit;
        if (!seen)
            units[n++] = unit;
    }
    return n;
}

// The estimate from some of the row's units.
static double estimate_of(const struct cb_rep *rep, const struct cb_rep_row *row, const long *units,
                          size_t n, double p, double *scratch) {
    size_t count = 0;
    if (!rep->clustered) {
        for (size_t i = 0; i < n; i++)
            scratch[count++] = row->values[units[i]];
        return cb_quantile(scratch, count, p);
    }
    double *links = cb_allocate(n, sizeof *links);
    for (size_t i = 0; i < n; i++) {
        count = 0;
        for (size_t slot = 0; slot < rep->slots; slot++)
            if (rep->slot_build[slot] == units[i] && !isnan(row->values[slot]))
                scratch[count++] = row->values[slot];
        links[i] = cb_quantile(scratch, count, p);
    }
    double result = cb_median(links, n);
    free(links);
    return result;
}

static unsigned long seed_of(const char *id) {
    unsigned long hash = 2166136261UL;
    for (; *id; id++)
        hash = ((hash ^ (unsigned char)*id) * 16777619UL) & 0xffffffffUL;
    return hash ^ CB_BOOTSTRAP_SEED;
}

// Random halves. Each has half the rounds, so its estimate varies more than that of all of them:
// the difference is made smaller by what two whole samples would differ less. All metrics and
// estimators of a cell are split alike.
static void compare_halves(const struct cb_rep *rep, const struct cb_rep_row *row, int estimator,
                           struct comparisons *to) {
    long *units = cb_allocate(rep->slots, sizeof *units);
    double *scratch = cb_allocate(rep->slots, sizeof *scratch);
    size_t n = units_of(rep, row, units), half = n / 2;
    if (n >= LEAST_VALUES && is_large_enough(rep, row, row->estimate[estimator].value)) {
        double p = cb_rep_quantiles[estimator];
        double size = (double)n, a = (double)half, b = (double)(n - half);
        double scale = sqrt(2 / size / (1 / a + 1 / b));
        gsl_rng *rng = new_rng(seed_of(row->cell->id));
        for (int split = 0; split < SPLITS; split++) {
            gsl_ran_shuffle(rng, units, n, sizeof *units);
            double one = estimate_of(rep, row, units, half, p, scratch);
            double two = estimate_of(rep, row, units + half, n - half, p, scratch);
            if (one > 0 && two > 0)
                add_value(to, scale * fabs(log(one / two)));
        }
        gsl_rng_free(rng);
        end_cell(to);
    }
    free(scratch);
    free(units);
}

// The original of a twin's row; NULL where the row is of no twin.
static struct cb_rep_row *original_of(struct cb_rep *rep, const struct cb_rep_row *row) {
    if (!*row->cell->twin_of)
        return NULL;
    char *key = cb_format("%s|%s", row->cell->twin_of, row->metric);
    json_t *index = json_object_get(rep->row_index, key);
    free(key);
    return index ? rep->rows[json_integer_value(index)] : NULL;
}

// A twin and its original, divided as all ratios of a report are.
static void compare_twins(struct cb_rep *rep, const struct cb_rep_row *twin, int estimator,
                          struct comparisons *to) {
    const struct cb_rep_row *original = original_of(rep, twin);
    if (!original || !original->values)
        return;
    double a = twin->estimate[estimator].value, b = original->estimate[estimator].value;
    if (!is_large_enough(rep, twin, a) || !is_large_enough(rep, twin, b))
        return;
    double ratio = cb_rep_divide(rep, estimator, twin->values, original->values).ratio;
    if (ratio > 0) {
        add_value(to, fabs(log(ratio)));
        end_cell(to);
    }
}

// One cell in every two of the repeated runs; `row` has its metric.
static void compare_runs(const struct cb_rep *rep, const struct cb_rep_row *row, const json_t *runs,
                         int estimator, struct comparisons *to) {
    for (size_t i = 0; i < json_array_size(runs); i++)
        for (size_t k = 0; k < i; k++) {
            size_t e = (size_t)estimator;
            double a = json_number_value(json_array_get(json_array_get(runs, i), e));
            double b = json_number_value(json_array_get(json_array_get(runs, k), e));
            if (is_large_enough(rep, row, a) && is_large_enough(rep, row, b))
                add_value(to, fabs(log(a / b)));
        }
    end_cell(to);
}

enum { KEY_MOST = 512 };

// What a key of the repeated runs names: "backend/scenario/binding/compiler/params|metric". Its
// parts are in `copy` afterwards. False where it is none.
static bool split_key(const char *key, char copy[KEY_MOST], struct cb_rep_cell *cell,
                      const char **metric) {
    if (strlen(key) >= KEY_MOST)
        return false;
    strcpy(copy, key);
    char *bar = strrchr(copy, '|'), *at = copy;
    const char **const parts[] = {&cell->backend, &cell->scenario, &cell->binding, &cell->compiler};
    *cell = (struct cb_rep_cell){0};
    if (!bar)
        return false;
    *bar = '\0';
    *metric = bar + 1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i] = at;
        if (!(at = strchr(at, '/')))
            return false;
        *at++ = '\0';
    }
    cell->params = at;
    return true;
}

// Every cell of the row's scenario in the repeated runs, whether this run has it or not: how much
// two runs differ belongs to the machine, and what is known of it must not hang on which programs
// a run compares.
static void compare_all_repeats(struct cb_rep *rep, const struct cb_rep_row *row, int estimator,
                                struct comparisons *to) {
    const char *key, *metric;
    char copy[KEY_MOST];
    struct cb_rep_cell cell;
    json_t *runs;
    json_object_foreach(rep->repeats, key, runs) {
        if (split_key(key, copy, &cell, &metric) &&
            strcmp(cell.scenario, row->cell->scenario) == 0 && strcmp(metric, row->metric) == 0 &&
            !cb_rep_hidden(rep, &cell))
            compare_runs(rep, row, runs, estimator, to);
    }
}

// ---- The smallest detectable effect -------------------------------------------------------------

// The quantile where each cell counts as often as `times` says; `order` sorts all values.
static double weighted_quantile(const struct comparisons *all, const size_t *order,
                                const size_t *times) {
    size_t total = 0, passed = 0, at = 0;
    for (size_t i = 0; i < all->count; i++)
        total += times[all->cell[i]];
    if (total == 0)
        return NAN;
    double rank = QUANTILE * (double)(total - 1);
    size_t whole = (size_t)rank;
    while (passed + times[all->cell[order[at]]] <= whole)
        passed += times[all->cell[order[at++]]];
    double low = all->value[order[at]], high = low;
    if (passed + times[all->cell[order[at]]] <= whole + 1 && whole + 1 < total) {
        do
            at++;
        while (times[all->cell[order[at]]] == 0);
        high = all->value[order[at]];
    }
    return low + (rank - (double)whole) * (high - low);
}

// The quantile over all cells, and an upper bound of it: the quantile of as many cells drawn again
// and again. Both as shares.
static void detectable(const struct comparisons *all, double *mde, double *high) {
    *mde = *high = NAN;
    if (!all->cells)
        return;
    size_t *order = cb_allocate(all->count, sizeof *order);
    size_t *times = cb_allocate(all->cells, sizeof *times);
    double *again = cb_allocate(RESAMPLES, sizeof *again);
    gsl_sort_index(order, all->value, 1, all->count);
    for (size_t i = 0; i < all->cells; i++)
        times[i] = 1;
    *mde = expm1(weighted_quantile(all, order, times));
    gsl_rng *rng = new_rng(CB_BOOTSTRAP_SEED);
    for (size_t b = 0; b < RESAMPLES; b++) {
        memset(times, 0, all->cells * sizeof *times);
        for (size_t i = 0; i < all->cells; i++)
            times[gsl_rng_uniform_int(rng, all->cells)]++;
        again[b] = expm1(weighted_quantile(all, order, times));
    }
    gsl_rng_free(rng);
    *high = fmax(cb_quantile(again, RESAMPLES, UPPER_LEVEL), *mde);
    free(again);
    free(times);
    free(order);
}

// The larger of what twins and repeated runs say. Without enough repeated runs of the scenario
// random halves stand in for them: they tell of half the rounds, and what whole samples differ less
// is only known for rounds that are independent and nearly normal. Slow phases are neither. Of a
// run that was disturbed more than any of the set they are counted all the same.
static void make_mde(struct cb_rep *rep, const struct cb_rep_row *like, int estimator) {
    struct comparisons all[SOURCES] = {0};
    for (size_t i = 0; i < rep->row_count; i++) {
        const struct cb_rep_row *row = rep->rows[i];
        if (strcmp(row->metric, like->metric) != 0 ||
            strcmp(row->cell->scenario, like->cell->scenario) != 0 || !is_measured(rep, row))
            continue;
        if (*row->cell->twin_of) {
            compare_twins(rep, row, estimator, &all[TWINS]);
        } else if (!cb_rep_hidden(rep, row->cell)) {
            compare_halves(rep, row, estimator, &all[HALVES]);
        }
    }
    compare_all_repeats(rep, like, estimator, &all[REPEATS]);
    struct cb_rep_mde *mde = &rep->mde[rep->mde_count];
    *mde = (struct cb_rep_mde){.scenario = like->cell->scenario,
                               .metric = like->metric,
                               .estimator = estimator,
                               .twins = all[TWINS].cells,
                               .halves = all[HALVES].cells,
                               .repeats = all[REPEATS].cells,
                               .mde = -1};
    double *const by[] = {&mde->by_twins, &mde->by_halves, &mde->by_repeats};
    bool repeated =
        rep->repeat_runs >= ENOUGH_RUNS && all[REPEATS].cells && !cb_rep_is_disturbed(rep);
    for (int s = 0; s < SOURCES; s++) {
        double high;
        detectable(&all[s], by[s], &high);
        if (!(repeated && s == HALVES)) {
            if (*by[s] > mde->mde) {
                mde->mde = *by[s];
                mde->source = source_names[s];
            }
            mde->high = fmax(mde->high, isnan(high) ? 0 : high);
        }
        free_comparisons(&all[s]);
    }
    rep->mde_count += mde->mde >= 0;
}

static const struct cb_rep_mde *find_mde(const struct cb_rep *rep, const char *scenario,
                                         const char *metric, int estimator) {
    for (size_t i = 0; i < rep->mde_count; i++)
        if (strcmp(rep->mde[i].scenario, scenario) == 0 &&
            strcmp(rep->mde[i].metric, metric) == 0 && rep->mde[i].estimator == estimator)
            return &rep->mde[i];
    return NULL;
}

static void make_all_mdes(struct cb_rep *rep) {
    struct cb_rep_row **rows = cb_rep_sorted_rows(rep);
    rep->mde = cb_rep_memory(rep, CB_REP_ESTIMATORS * rep->row_count, sizeof *rep->mde);
    for (size_t i = 0; i < rep->row_count; i++) {
        const struct cb_rep_row *row = rows[i];
        bool seen = find_mde(rep, row->cell->scenario, row->metric, CB_REP_MEDIAN) != NULL;
        if (!seen && is_measured(rep, row))
            for (int e = 0; e < CB_REP_ESTIMATORS; e++)
                make_mde(rep, row, e);
    }
}

double cb_rep_mde_of(const struct cb_rep *rep, const struct cb_rep_row *row) {
    const struct cb_rep_mde *mde =
        find_mde(rep, row->cell->scenario, row->metric, cb_rep_estimator_of(rep, row->metric));
    return mde ? mde->mde : 0;
}

// Median and 90th percentile over scenarios, each by what its times (or bytes) are compared by.
static void summarize(struct cb_rep *rep) {
    double *worst = cb_allocate(rep->mde_count, sizeof *worst);
    const char **names = cb_rep_memory(rep, rep->mde_count, sizeof *names);
    size_t n = 0;
    const char *other = rep->cycles ? "raw" : "cycles";
    for (size_t i = 0; i < rep->mde_count; i++) {
        const struct cb_rep_mde *mde = &rep->mde[i];
        const char *main = cb_rep_string(metric_entry(rep, mde->metric), "main", "");
        if (mde->estimator != cb_rep_estimator_of(rep, mde->metric) || !*main ||
            strcmp(main, other) == 0)
            continue;
        size_t at = 0;
        while (at < n && strcmp(names[at], mde->scenario) != 0)
            at++;
        if (at == n) {
            names[n] = mde->scenario;
            worst[n++] = 0;
        }
        worst[at] = fmax(worst[at], mde->mde);
    }
    rep->mde_median = cb_median(worst, n);
    rep->mde_90 = cb_quantile(worst, n, 0.9);
    free(worst);
}

// ---- The headline's estimator -------------------------------------------------------------------

static bool is_headline(const struct cb_rep *rep, const struct cb_rep_cell *cell) {
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(rep->headline, "cells"), index, entry) {
        if (strcmp(cb_rep_string(entry, "scenario", ""), cell->scenario) == 0 &&
            strcmp(cb_rep_string(entry, "params", ""), cell->params) == 0 &&
            strcmp(cb_rep_string(entry, "binding", cell->binding), cell->binding) == 0)
            return true;
    }
    return false;
}

// Whether the candidate's times of this cell are among those of the headline.
static bool is_tried(struct cb_rep *rep, const struct cb_rep_candidate *candidate,
                     const struct cb_rep_cell *cell, const char *metric) {
    const char *main = cb_rep_string(metric_entry(rep, metric), "main", "");
    return strcmp(main, candidate->cycles ? "cycles" : "raw") == 0 && is_headline(rep, cell) &&
           !cb_rep_hidden(rep, cell);
}

// Adds what one cell differs from itself on average.
static void add_mean(struct cb_rep_candidate *candidate, double *means, struct comparisons *all) {
    for (size_t k = 0; k < all->count; k++)
        means[candidate->cells] += expm1(all->value[k]) / (double)all->count;
    candidate->cells += all->cells;
    free_comparisons(all);
}

// The median over headline cells of that: of the repeated runs' where there are some, whichever
// this run has; else of this run's.
static void try_candidate(struct cb_rep *rep, struct cb_rep_candidate *candidate) {
    size_t most = rep->row_count + json_object_size(rep->repeats);
    double *means = cb_allocate(most, sizeof *means);
    const char *key, *metric;
    char copy[KEY_MOST];
    struct cb_rep_cell cell;
    json_t *runs;
    json_object_foreach(rep->repeat_runs >= 2 ? rep->repeats : NULL, key, runs) {
        if (!split_key(key, copy, &cell, &metric) || !is_tried(rep, candidate, &cell, metric))
            continue;
        struct comparisons all = {0};
        struct cb_rep_row row = {.cell = &cell, .metric = metric};
        compare_runs(rep, &row, runs, candidate->estimator, &all);
        add_mean(candidate, means, &all);
    }
    for (size_t i = 0; i < rep->row_count && rep->repeat_runs < 2; i++) {
        const struct cb_rep_row *row = rep->rows[i];
        if (!is_tried(rep, candidate, row->cell, row->metric) || !is_measured(rep, row))
            continue;
        struct comparisons all = {0};
        compare_halves(rep, row, candidate->estimator, &all);
        add_mean(candidate, means, &all);
    }
    candidate->spread = cb_median(means, candidate->cells);
    free(means);
}

// A selector in cycles, where its metric has such a form.
static void select_cycles(const struct cb_rep *rep, json_t *selector) {
    const json_t *entry = metric_entry(rep, cb_rep_string(selector, "metric", ""));
    const char *cycles = cb_rep_string(entry, "in_cycles", NULL);
    if (cycles) {
        json_object_set_new(selector, "metric", json_string(cycles));
        json_object_set_new(selector, "unit", json_string("cycles"));
    }
}

// The columns of the headline, and both sides of each target.
static void use_cycles(struct cb_rep *rep) {
    static const char *const sides[] = {"numerator", "denominator"};
    json_t *columns = json_object_get(rep->headline, "columns"), *column, *target, *term;
    json_t *targets = json_object_get(rep->targets, "targets");
    size_t index, i;
    json_array_foreach(columns, index, column) select_cycles(rep, column);
    json_array_foreach(targets, index, target) for (int s = 0; s < 2; s++) {
        json_t *side = json_object_get(target, sides[s]);
        select_cycles(rep, side);
        json_array_foreach(json_object_get(side, "terms"), i, term) select_cycles(rep, term);
    }
}

// headline.json may fix the estimator; else the candidate with the smallest spread is taken, or the
// first of those that are as good.
static void choose(struct cb_rep *rep) {
    static const struct cb_rep_candidate candidates[CB_REP_CANDIDATES] = {
        {"median, ns", CB_REP_MEDIAN, false, 0, NAN},
        {"lower quartile, ns", CB_REP_LOWER_QUARTILE, false, 0, NAN},
        {"median, estimated cycles", CB_REP_MEDIAN, true, 0, NAN},
        {"lower quartile, estimated cycles", CB_REP_LOWER_QUARTILE, true, 0, NAN}};
    const char *fixed = cb_rep_string(rep->headline, "estimator", "median");
    double least = INFINITY;
    for (size_t c = 0; c < CB_REP_CANDIDATES; c++) {
        rep->candidate[c] = candidates[c];
        try_candidate(rep, &rep->candidate[c]);
        least = fmin(least, rep->candidate[c].spread); // fmin drops a NaN
    }
    rep->chosen = strcmp(fixed, cb_rep_estimator_names[CB_REP_LOWER_QUARTILE]) == 0;
    if (!json_is_true(json_object_get(rep->headline, "choose"))) {
        rep->chosen_why = "headline.json fixes it.";
    } else if (rep->mode == CB_REP_QUICK && rep->repeat_runs < 2) {
        rep->chosen_why = "A quick run has too few rounds to choose.";
    } else if (rep->repeat_runs < 2) {
        rep->chosen_why =
            "One run is too little to choose by; headline.json says what is taken until "
            "there are repeated runs.";
    } else if (!isfinite(least)) {
        rep->chosen_why = "There are no headline times to choose by.";
    } else {
        rep->chosen = 0;
        while (!(rep->candidate[rep->chosen].spread <= TIE * least))
            rep->chosen++;
        rep->chosen_why =
            rep->candidate[rep->chosen].spread <= least
                ? "It has the smallest spread."
                : "Its spread is within 10 % of the smallest, which counts as equal; of equal ones "
                  "the first in this order is taken.";
    }
    rep->estimator = rep->candidate[rep->chosen].estimator;
    rep->cycles = rep->candidate[rep->chosen].cycles;
    if (rep->cycles)
        use_cycles(rep);
}

// ---- Caption ------------------------------------------------------------------------------------

static void make_caption(struct cb_rep *rep) {
    json_t *machine = json_object_get(rep->run, "machine");
    json_t *compilers = json_object_get(rep->run, "compilers"), *version;
    struct cb_text text = {0};
    cb_text_add(&text, "%s, %lld cores", cb_rep_string(machine, "model", "unknown processor"),
                (long long)json_integer_value(json_object_get(machine, "cores")));
    if (json_is_true(json_object_get(machine, "virtualised"))) {
        const char *hypervisor = cb_rep_string(machine, "hypervisor", "");
        cb_text_add(&text, ", virtualised%s%s%s", *hypervisor ? " (" : "", hypervisor,
                    *hypervisor ? ")" : "");
    }
    if (!json_is_true(json_object_get(machine, "pmu")))
        cb_text_add(&text, ", no PMU");
    const char *name;
    json_object_foreach(compilers, name, version) cb_text_add(
        &text, ", %s %s", name, json_is_string(version) ? json_string_value(version) : "");
    long long rounds = json_integer_value(json_object_get(rep->run, "rounds"));
    cb_text_add(&text, "; %s run, %lld rounds: %s with %s", rep->mode_name, rounds,
                rep->estimator == CB_REP_MEDIAN ? "medians" : "lower quartiles",
                rep->mode == CB_REP_QUICK ? "ranges" : "95 % intervals");
    rep->caption = cb_rep_text(rep, "%s", text.text);
    cb_text_clear(&text);
}

void cb_rep_use_aa(struct cb_rep *rep) {
    make_all_mdes(rep);
    choose(rep);
    summarize(rep);
    make_caption(rep);
}

// ---- mde.csv ------------------------------------------------------------------------------------

int cb_rep_write_mde(struct cb_rep *rep) {
    struct cb_text text = {0};
    struct cb_csv_row to = {.to = &text};
    cb_text_add(&text, "scenario,metric,estimator,pairs,mde,mde_high,halves,repeats,source,"
                       "by_twins,by_halves,by_repeats\n");
    for (size_t i = 0; i < rep->mde_count; i++) {
        const struct cb_rep_mde *mde = &rep->mde[i];
        cb_csv_text(&to, mde->scenario);
        cb_csv_text(&to, mde->metric);
        cb_csv_text(&to, cb_rep_estimator_names[mde->estimator]);
        cb_csv_integer(&to, (long long)mde->twins);
        cb_csv_text(&to, cb_rep_text(rep, "%.6g", mde->mde));
        cb_csv_text(&to, cb_rep_text(rep, "%.6g", mde->high));
        cb_csv_integer(&to, (long long)mde->halves);
        cb_csv_integer(&to, (long long)mde->repeats);
        cb_csv_text(&to, mde->source);
        const double by[] = {mde->by_twins, mde->by_halves, mde->by_repeats};
        for (int s = 0; s < SOURCES; s++)
            cb_csv_text(&to, isnan(by[s]) ? "" : cb_rep_text(rep, "%.6g", by[s]));
        cb_csv_end(&to);
    }
    int status = cb_rep_write(rep, "mde.csv", &text);
    cb_text_clear(&text);
    return status;
}
