// What a comparison says of each cell. A difference is declared where all three agree: Holm's
// corrected test of all cells, the interval of the ratio, and the minimum detectable effect.
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

// A difference is claimed where the corrected chance of a false claim is below this.
#define ALPHA 0.05
// A limit of --fail-on is exceeded by more than what rounding to six digits does.
#define ROUNDING 1e-5

enum direction { SMALLER, LARGER };

// What is more of a time is slower; what is more of anything else is only larger.
static const char *direction_name(const struct cb_compare_entry *entry, enum direction direction) {
    bool time = strcmp(entry->unit, "ns") == 0 || strcmp(entry->unit, "cycles") == 0;
    if (direction == LARGER)
        return time ? "slower" : "larger";
    return time ? "faster" : "smaller";
}

static bool all_positive(const struct cb_compare_entry *entry) {
    for (size_t i = 0; entry->values && i < entry->count; i++)
        if (!(entry->values[i] > 0))
            return false;
    return entry->estimate.value > 0;
}

// Which test: ranks ask least of the samples, but where there are so few of them that even full
// separation could not pass the correction, Welch's t is asked.
static bool ranks_can_tell(const struct cb_compare_cell *cell, size_t tests) {
    return cb_rank_test_least(cell->a->count, cell->b->count) * (double)tests < ALPHA;
}

static bool is_tested(const struct cb_compare_cell *cell) {
    return !cell->a->exact && all_positive(cell->a) && all_positive(cell->b) &&
           !isnan(cell->effect.low);
}

// The ranks of all rounds tell whether one whole sample is above the other. Lower quartiles are
// chosen where slow phases spread the upper part of a sample over that of the other: what is tested
// must be what is compared, so their intervals are.
static bool tests_intervals(const struct cb_comparison *comparison) {
    return comparison->by_intervals ||
           strcmp(comparison->estimator, cb_rep_estimator_names[CB_REP_LOWER_QUARTILE]) == 0;
}

static void test_cells(struct cb_comparison *comparison) {
    size_t tests = 0, ranks = 0;
    bool intervals = tests_intervals(comparison);
    for (size_t i = 0; i < comparison->count; i++)
        tests += is_tested(&comparison->cells[i]);
    double *p = cb_allocate(comparison->count, sizeof *p);
    double *adjusted = cb_allocate(comparison->count, sizeof *adjusted);
    for (size_t i = 0; i < comparison->count; i++) {
        struct cb_compare_cell *cell = &comparison->cells[i];
        const struct cb_compare_entry *a = cell->a, *b = cell->b;
        p[i] = NAN;
        if (!is_tested(cell))
            continue;
        if (intervals)
            p[i] = cb_limits_test(&a->estimate, a->count, &b->estimate, b->count);
        else if (ranks_can_tell(cell, tests) && ++ranks > 0)
            p[i] = cb_rank_test(a->values, a->count, b->values, b->count);
        else
            p[i] = cb_welch_test(a->values, a->count, b->values, b->count);
    }
    cb_holm(p, comparison->count, adjusted);
    for (size_t i = 0; i < comparison->count; i++) {
        comparison->cells[i].p = p[i];
        comparison->cells[i].p_holm = adjusted[i];
    }
    free(adjusted);
    free(p);
    comparison->test = intervals        ? "Welch's t from the intervals"
                       : ranks == 0     ? "Welch's t on logarithms"
                       : ranks == tests ? "Wilcoxon, Mann and Whitney's rank test"
                                        : "Wilcoxon, Mann and Whitney's rank test, Welch's "
                                          "t on logarithms where a cell has few values";
}

static void measure_effect(const struct cb_comparison *comparison, struct cb_compare_cell *cell) {
    const struct cb_rep_estimate *a = &cell->a->estimate, *b = &cell->b->estimate;
    bool range = !comparison->claims || cell->a->exact || cell->b->exact;
    cell->effect = (range ? cb_effect_range : cb_effect_ratio)(a->value, a->low, a->high, b->value,
                                                               b->low, b->high);
    if (a->value == b->value && isnan(cell->effect.ratio)) // both 0, say: bytes of page tables
        cell->effect.ratio = 1;
}

static bool both_zero(const struct cb_compare_cell *cell) {
    return cell->a->estimate.value == 0 && cell->b->estimate.value == 0;
}

static void set_verdict(const struct cb_comparison *comparison, struct cb_compare_cell *cell) {
    const struct cb_effect *effect = &cell->effect;
    cell->why = "";
    cell->verdict = "no difference";
    if (!comparison->claims) {
        cell->verdict = "no claim";
        return;
    }
    if (both_zero(cell))
        return;
    enum direction direction = effect->ratio > 1 ? LARGER : SMALLER;
    if (cell->a->exact && cell->b->exact) { // facts of a build need no test
        cell->declared = cell->a->estimate.value != cell->b->estimate.value;
        if (cell->declared)
            cell->verdict = direction_name(
                cell->a, cell->b->estimate.value > cell->a->estimate.value ? LARGER : SMALLER);
        return;
    }
    bool positive = all_positive(cell->a) && all_positive(cell->b);
    if (!positive || isnan(effect->low) || isnan(cell->p_holm)) {
        cell->verdict = "undecided";
        cell->why = positive ? "too few rounds for an interval" : "a ratio needs values above 0";
        return;
    }
    bool beyond = direction == LARGER ? effect->low > 1 && effect->ratio > 1 + cell->mde
                                      : effect->high < 1 && effect->ratio < 1 / (1 + cell->mde);
    cell->declared = beyond && cell->p_holm < ALPHA;
    if (cell->declared)
        cell->verdict = direction_name(cell->a, direction);
}

// How much more the larger side is, as a share: a cell that takes 5 % more is slower by 5 %, and
// the run in which it took less is faster by 5 %.
static void hold_limits(struct cb_comparison *comparison, struct cb_compare_cell *cell) {
    if (!cell->declared)
        return;
    double a = cell->a->estimate.value, b = cell->b->estimate.value;
    enum cb_compare_kind kind = b > a ? CB_SLOWER : CB_FASTER;
    double excess = kind == CB_SLOWER ? b / a - 1 : a / b - 1; // of 0 or less: beyond every limit
    const double *limits = comparison->request->fail_on;
    cell->too_much[kind] = !isnan(limits[kind]) && !(excess <= limits[kind] + ROUNDING);
    cell->too_much[CB_ANY] = !isnan(limits[CB_ANY]) && !(excess <= limits[CB_ANY] + ROUNDING);
    comparison->too_much += cell->too_much[kind] || cell->too_much[CB_ANY];
}

static double mde_of(struct cb_comparison *comparison, const struct cb_compare_entry *entry) {
    double a =
        cb_compare_mde(comparison->a, entry->scenario, comparison->metric, comparison->estimator);
    double b =
        cb_compare_mde(comparison->b, entry->scenario, comparison->metric, comparison->estimator);
    double mde = fmax(a, b); // fmax drops a NaN
    if (isnan(mde) && !entry->exact)
        cb_names_add(&comparison->no_mde, entry->scenario);
    return isnan(mde) ? 0 : mde;
}

void cb_comparison_judge(struct cb_comparison *comparison) {
    for (size_t i = 0; i < comparison->count; i++) {
        struct cb_compare_cell *cell = &comparison->cells[i];
        cell->p = cell->p_holm = NAN;
        cell->mde = mde_of(comparison, cell->a);
        measure_effect(comparison, cell);
    }
    comparison->test = "none";
    if (comparison->claims)
        test_cells(comparison);
    for (size_t i = 0; i < comparison->count; i++) {
        struct cb_compare_cell *cell = &comparison->cells[i];
        set_verdict(comparison, cell);
        hold_limits(comparison, cell);
        bool more = cell->b->estimate.value > cell->a->estimate.value;
        comparison->slower += cell->declared && more;
        comparison->faster += cell->declared && !more;
        comparison->same += strcmp(cell->verdict, "no difference") == 0;
        comparison->undecided += strcmp(cell->verdict, "undecided") == 0;
    }
}
