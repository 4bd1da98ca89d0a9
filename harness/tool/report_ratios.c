// Which cell costs more, and which targets are met: ratios of cells, ratios.csv.
//
// Ratios are in the headline's metric and estimator, whatever A/A data chose. Headline columns are
// compared backend by backend, each column and compiler being one family of Holm's correction.
// Metrics that are a ratio themselves are compared with the value that means no difference, each
// scenario, binding and compiler a family. Targets come from targets.json. A quick run makes none
// of these.
#include "report_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "stats.h"

// A difference is claimed where the corrected chance of a false claim is below this.
#define ALPHA 0.05
// Where the smallest detectable effect is larger, times can't judge a target.
#define LARGEST_MDE 0.05

bool cb_rep_claims(const struct cb_rep *rep) {
    return rep->mode != CB_REP_QUICK;
}

static struct cb_rep_ratio *add_ratio(struct cb_rep *rep) {
    if (rep->ratio_count == rep->ratio_room) {
        rep->ratio_room = rep->ratio_room ? 2 * rep->ratio_room : 256;
        rep->ratios = cb_resize(rep->ratios, rep->ratio_room, sizeof(struct cb_rep_ratio *));
    }
    struct cb_rep_ratio *ratio = cb_rep_memory(rep, 1, sizeof *ratio);
    *ratio = (struct cb_rep_ratio){.ratio = NAN,
                                   .low = NAN,
                                   .high = NAN,
                                   .p = NAN,
                                   .p_holm = NAN,
                                   .verdict = "",
                                   .family = ""};
    return rep->ratios[rep->ratio_count++] = ratio;
}

struct cb_ratio cb_rep_divide(const struct cb_rep *rep, int estimator, const double *a,
                              const double *b) {
    const long *links = rep->clustered ? rep->slot_build : NULL;
    if (estimator == CB_REP_MEDIAN)
        return cb_paired_ratio(a, b, links, rep->slots, CB_LEVEL);
    return cb_quantile_ratio(a, b, links, rep->slots, cb_rep_quantiles[estimator], CB_LEVEL);
}

const char *cb_rep_ratio_words(struct cb_rep *rep) {
    bool median = rep->estimator == CB_REP_MEDIAN;
    const char *how =
        rep->clustered ? median ? "paired inside rounds with order-statistic intervals over links"
                                : "inside each link with order-statistic intervals over links"
        : median       ? "paired inside rounds with BCa intervals"
                       : "with BCa intervals over rounds, which are drawn for both cells at once";
    return cb_rep_text(rep, "ratios of times are of the headline's kind (%s), %s (95 %%)",
                       rep->candidate[rep->chosen].title, how);
}

static void measure(const struct cb_rep *rep, struct cb_rep_ratio *ratio, const double *a,
                    const double *b) {
    struct cb_ratio divided = cb_rep_divide(rep, ratio->estimator, a, b);
    ratio->ratio = divided.ratio;
    ratio->low = divided.low;
    ratio->high = divided.high;
    ratio->p = divided.p;
}

// ---- Headline pairs -----------------------------------------------------------------------------

// Beyond the interval, the corrected test and the MDE: all three, or no difference is claimed.
static const char *pair_verdict(const struct cb_rep_ratio *ratio) {
    if (isnan(ratio->low) || isnan(ratio->p_holm))
        return "undecided";
    bool significant = ratio->p_holm < ALPHA;
    if (significant && ratio->low > 1 && ratio->ratio > 1 + ratio->mde)
        return "larger";
    if (significant && ratio->high < 1 && ratio->ratio < 1 / (1 + ratio->mde))
        return "smaller";
    return "no difference";
}

// Corrects the ratios from `first` on for each other, and says what they allow to say.
static void judge_family(struct cb_rep *rep, size_t first) {
    size_t tests = rep->ratio_count - first;
    double *p = cb_rep_memory(rep, tests, sizeof *p);
    double *adjusted = cb_rep_memory(rep, tests, sizeof *adjusted);
    for (size_t i = 0; i < tests; i++)
        p[i] = rep->ratios[first + i]->p;
    cb_holm(p, tests, adjusted);
    for (size_t i = 0; i < tests; i++) {
        rep->ratios[first + i]->p_holm = adjusted[i];
        rep->ratios[first + i]->verdict = pair_verdict(rep->ratios[first + i]);
    }
}

static void compare_column(struct cb_rep *rep, const json_t *column, const char *compiler) {
    const struct cb_rep_row **rows =
        cb_rep_memory(rep, rep->backend_count, sizeof(struct cb_rep_row *));
    size_t n = 0, first = rep->ratio_count;
    for (size_t i = 0; i < rep->backend_count; i++) {
        const struct cb_rep_row *row = cb_rep_select(rep, column, rep->backends[i].name, compiler);
        if (row && row->values && !row->exact && strcmp(row->cell->compiler, compiler) == 0)
            rows[n++] = row;
    }
    const char *family = cb_rep_text(rep, "%s/%s", cb_rep_string(column, "id", ""), compiler);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            struct cb_rep_ratio *ratio = add_ratio(rep);
            ratio->a = rows[i];
            ratio->b = rows[j];
            ratio->b_name = rows[j]->cell->id;
            ratio->metric = rows[i]->metric;
            ratio->estimator = cb_rep_estimator_of(rep, ratio->metric);
            ratio->mde = cb_rep_mde_of(rep, rows[i]);
            ratio->family = family;
            measure(rep, ratio, rows[i]->values, rows[j]->values);
        }
    judge_family(rep, first);
}

// ---- Metrics that are a ratio themselves --------------------------------------------------------

static double neutral_of(const struct cb_rep *rep, const char *metric) {
    const json_t *entry = json_object_get(json_object_get(rep->derived, "metrics"), metric);
    const json_t *neutral = json_object_get(entry, "neutral");
    return neutral ? json_number_value(neutral) : NAN;
}

static bool same_family(const struct cb_rep_row *a, const struct cb_rep_row *b) {
    return strcmp(a->metric, b->metric) == 0 && strcmp(a->cell->scenario, b->cell->scenario) == 0 &&
           strcmp(a->cell->binding, b->cell->binding) == 0 &&
           strcmp(a->cell->compiler, b->cell->compiler) == 0;
}

// All cells of a scenario, binding and compiler, each with the value that means no difference.
static void compare_with_neutral(struct cb_rep *rep, const struct cb_rep_row *like,
                                 double neutral) {
    const char *family = cb_rep_text(rep, "%s/%s/%s/%s", like->cell->scenario, like->metric,
                                     like->cell->binding, like->cell->compiler);
    double *constant = cb_rep_memory(rep, rep->slots, sizeof *constant);
    size_t first = rep->ratio_count;
    for (size_t slot = 0; slot < rep->slots; slot++)
        constant[slot] = neutral;
    for (size_t i = 0; i < rep->row_count; i++) {
        const struct cb_rep_row *row = rep->rows[i];
        if (!row->values || !same_family(row, like) || cb_rep_hidden(rep, row->cell))
            continue;
        struct cb_rep_ratio *ratio = add_ratio(rep);
        ratio->a = row;
        ratio->b_name = cb_rep_text(rep, "constant:%g", neutral);
        ratio->metric = row->metric;
        ratio->estimator = cb_rep_estimator_of(rep, ratio->metric);
        ratio->mde = cb_rep_mde_of(rep, row);
        ratio->family = family;
        measure(rep, ratio, row->values, constant);
    }
    judge_family(rep, first);
}

static void compare_ratios(struct cb_rep *rep) {
    for (size_t i = 0; i < rep->row_count; i++) {
        const struct cb_rep_row *row = rep->rows[i];
        double neutral = neutral_of(rep, row->metric);
        bool seen = isnan(neutral);
        for (size_t k = 0; k < i && !seen; k++)
            seen = same_family(rep->rows[k], row);
        if (!seen)
            compare_with_neutral(rep, row, neutral);
    }
}

const struct cb_rep_ratio *cb_rep_ratio_of(const struct cb_rep *rep, const struct cb_rep_row *a,
                                           const struct cb_rep_row *b, bool *inverted) {
    for (size_t i = 0; i < rep->ratio_count; i++) {
        const struct cb_rep_ratio *ratio = rep->ratios[i];
        if (!*ratio->family)
            continue;
        *inverted = ratio->a == b && ratio->b == a;
        if (*inverted || (ratio->a == a && ratio->b == b))
            return ratio;
    }
    return NULL;
}

// ---- Targets ------------------------------------------------------------------------------------

// One side of a target: a cell's metric, or a weighted sum of several ("terms").
struct side {
    const struct cb_rep_row *row; // the first one
    double *values;               // NULL: not there
    const char *why;              // then: why not; "" where the run does not plan it
};

static struct side read_side(struct cb_rep *rep, const json_t *selector, const char *backend,
                             const char *compiler) {
    struct side side = {NULL, NULL, ""};
    json_t *terms = json_object_get(selector, "terms");
    size_t n = terms ? json_array_size(terms) : 1;
    double *values = cb_rep_memory(rep, rep->slots, sizeof *values);
    backend = cb_rep_string(selector, "backend", backend);
    for (size_t i = 0; i < n; i++) {
        const json_t *term = terms ? json_array_get(terms, i) : selector;
        const json_t *times = json_object_get(term, "times");
        const struct cb_rep_row *row = cb_rep_select(rep, term, backend, compiler);
        if (!row)
            return (struct side){NULL, NULL, ""};
        if (!side.row)
            side.row = row;
        if (!row->values) {
            side.why = cb_rep_text(rep, "%s is %s: %s", row->cell->id, row->status, row->note);
            return side;
        }
        for (size_t slot = 0; slot < rep->slots; slot++)
            values[slot] += (times ? json_number_value(times) : 1) * row->values[slot];
    }
    side.values = values;
    return side;
}

// A ratio of two cells has none, whatever they are measured in.
static const char *target_unit(const json_t *target) {
    const json_t *bottom = json_object_get(target, "denominator");
    return json_object_get(bottom, "constant") ? cb_rep_string(bottom, "unit", "") : "";
}

static const char *wanted_text(struct cb_rep *rep, const json_t *target, double scale) {
    const json_t *max = json_object_get(target, "max"), *min = json_object_get(target, "min");
    const char *unit = target_unit(target);
    struct cb_text text = {0};
    if (min)
        cb_text_add(&text, "at least %g%s", scale * json_number_value(min), max ? " and " : "");
    if (max)
        cb_text_add(&text, "at most %g", scale * json_number_value(max));
    if (*unit)
        cb_text_add(&text, " %s", unit);
    const char *result = cb_rep_text(rep, "%s", text.text ? text.text : "");
    cb_text_clear(&text);
    return result;
}

// What exact instruction counts say of a target that times can't judge; "" where there are none.
// Cells that are no time, or have no counts, may name others in `counted` that say the same.
static const char *by_instructions(struct cb_rep *rep, const json_t *target, const char *backend,
                                   const char *compiler) {
    const json_t *max = json_object_get(target, "max"), *min = json_object_get(target, "min");
    const json_t *counted = json_object_get(target, "counted");
    double value[2] = {0};
    for (int s = 0; s < 2; s++) {
        const json_t *side =
            json_object_get(counted ? counted : target, s ? "denominator" : "numerator");
        json_t *terms = json_object_get(side, "terms");
        size_t n = terms ? json_array_size(terms) : 1;
        const char *whose = cb_rep_string(side, "backend", backend);
        for (size_t i = 0; i < n; i++) {
            const json_t *term = terms ? json_array_get(terms, i) : side;
            const json_t *times = json_object_get(term, "times");
            const json_t *entry = json_object_get(json_object_get(rep->derived, "metrics"),
                                                  cb_rep_string(term, "metric", ""));
            const char *main = cb_rep_string(entry, "main", "");
            if (strcmp(main, "raw") != 0 && strcmp(main, "cycles") != 0)
                return ""; // no time of any kind
            json_t *counts = json_copy((json_t *)term);
            json_object_set_new(counts, "metric", json_string(CB_REP_INSTRUCTIONS));
            const struct cb_rep_row *row = cb_rep_select(rep, counts, whose, compiler);
            json_decref(counts);
            if (!row || !row->values)
                return "";
            value[s] += (times ? json_number_value(times) : 1) * row->estimate[CB_REP_MEDIAN].value;
        }
    }
    double ratio = value[0] / value[1];
    bool met =
        (!max || ratio <= json_number_value(max)) && (!min || ratio >= json_number_value(min));
    return cb_rep_text(rep, "; its ratio of instructions, %.3g, is %s the target", ratio,
                       met ? "within" : "beyond");
}

// How an interval stands to a target that is widened, or narrowed, by a margin of 1 and more.
static const char *stands(const struct cb_rep_ratio *ratio, double least, double most) {
    if (ratio->high <= most && ratio->low >= least)
        return "met";
    return ratio->low > most || ratio->high < least ? "missed" : "undecided";
}

// Within the limit of 5 %, a target is widened by the smallest detectable effect. Where that is
// larger, times decide only what they decide by more than it: the target is narrowed instead, and
// whoever is beyond the target must be beyond the widened one.
static const char *target_verdict(const struct cb_rep_ratio *ratio, const json_t *target) {
    const json_t *max = json_object_get(target, "max"), *min = json_object_get(target, "min");
    double most = max ? json_number_value(max) : INFINITY;
    double least = min ? json_number_value(min) : 0, margin = 1 + ratio->mde;
    if (isnan(ratio->low))
        return "undecided";
    const char *widened = stands(ratio, least / margin, most * margin);
    if (ratio->mde <= LARGEST_MDE || strcmp(widened, "missed") == 0)
        return widened;
    return strcmp(stands(ratio, least * margin, most / margin), "met") == 0 ? "met" : "undecided";
}

static bool is_counted(const struct side *side) {
    return side->row && side->row->counted;
}

// A tool's counts have no interval: two of them are one exact ratio.
static void divide_counts(struct cb_rep_ratio *ratio, double a, double b) {
    ratio->ratio = ratio->low = ratio->high = a / b;
    ratio->mde = 0;
}

static const char *why_not_planned(const json_t *side) {
    return strcmp(cb_rep_string(side, "metric", ""), CB_REP_INSTRUCTIONS) == 0
               ? "not counted for this run: `corobench count --run` does"
               : "this run does not plan the cells";
}

static void judge(struct cb_rep *rep, const json_t *target, const char *compiler, bool must_exist) {
    json_t *top = json_object_get(target, "numerator"),
           *bottom = json_object_get(target, "denominator");
    const char *backend = cb_rep_string(top, "backend", "");
    const json_t *constant = json_object_get(bottom, "constant");
    struct side a = read_side(rep, top, backend, compiler), b = {NULL, NULL, ""};
    if (!constant)
        b = read_side(rep, bottom, backend, compiler);
    double scale = constant ? json_number_value(constant) : 1;
    bool planned = a.row && (constant || b.row);
    if (!planned && !must_exist)
        return;
    struct cb_rep_target *result = &rep->target[rep->target_count++];
    *result = (struct cb_rep_target){.id = cb_rep_string(target, "id", ""),
                                     .text = cb_rep_string(target, "text", ""),
                                     .compiler = compiler,
                                     .scale = scale,
                                     .unit = target_unit(target),
                                     .wanted = wanted_text(rep, target, scale),
                                     .verdict = "not measured",
                                     .why = ""};
    if (!planned) {
        result->why = why_not_planned(top);
        return;
    }
    result->verdict = "undecided";
    if (!a.values || (!constant && !b.values)) {
        result->why = a.values ? b.why : a.why;
        return;
    }
    struct cb_rep_ratio *ratio = add_ratio(rep);
    ratio->a = a.row;
    ratio->b = b.row;
    ratio->metric = a.row->metric;
    ratio->estimator = cb_rep_estimator_of(rep, ratio->metric);
    ratio->mde = cb_rep_mde_of(rep, a.row);
    if (b.row)
        ratio->mde = fmax(ratio->mde, cb_rep_mde_of(rep, b.row));
    if (constant) {
        ratio->b_name = cb_rep_text(rep, "constant:%g", scale);
        struct cb_rep_estimate estimate =
            cb_rep_estimate_values(rep, a.values, cb_rep_quantiles[ratio->estimator], a.row->exact);
        ratio->ratio = estimate.value / scale;
        ratio->low = estimate.low / scale;
        ratio->high = estimate.high / scale;
    } else {
        ratio->b_name = b.row->cell->id;
        if (is_counted(&a) && is_counted(&b))
            divide_counts(ratio, a.values[0], b.values[0]);
        else
            measure(rep, ratio, a.values, b.values);
    }
    ratio->verdict = target_verdict(ratio, target);
    result->ratio = ratio;
    result->verdict = ratio->verdict;
    if (isnan(ratio->low))
        result->why = "too few rounds for an interval";
    else if (ratio->mde > LARGEST_MDE && strcmp(result->verdict, "undecided") == 0)
        result->why =
            cb_rep_text(rep,
                        "the smallest detectable effect, %.1f %%, is above 5 %%, and the interval "
                        "is not clear of the target by as much%s",
                        100 * ratio->mde, by_instructions(rep, target, backend, compiler));
}

static void judge_targets(struct cb_rep *rep) {
    json_t *targets = json_object_get(rep->targets, "targets"), *target;
    size_t index;
    rep->target = cb_rep_memory(rep, json_array_size(targets) * (rep->compiler_count + 1),
                                sizeof *rep->target);
    json_array_foreach(targets, index, target) {
        json_t *only = json_object_get(target, "compilers");
        bool first = true;
        for (size_t c = 0; c < rep->compiler_count; c++) {
            bool wanted = !only;
            for (size_t i = 0; i < json_array_size(only); i++)
                wanted |=
                    strcmp(json_string_value(json_array_get(only, i)), rep->compilers[c]) == 0;
            if (wanted)
                judge(rep, target, rep->compilers[c], first);
            first &= !wanted;
        }
    }
}

void cb_rep_compare_all(struct cb_rep *rep) {
    if (!cb_rep_claims(rep))
        return;
    size_t index;
    json_t *column;
    json_array_foreach(json_object_get(rep->headline, "columns"), index,
                       column) for (size_t c = 0; c < rep->compiler_count;
                                    c++) if (!json_is_false(json_object_get(column, "compare")))
        compare_column(rep, column, rep->compilers[c]);
    compare_ratios(rep);
    judge_targets(rep);
}

// ---- ratios.csv ---------------------------------------------------------------------------------

static void number(struct cb_csv_row *to, double value) {
    char text[40];
    snprintf(text, sizeof text, "%.6g", value);
    cb_csv_text(to, isnan(value) ? NULL : text);
}

int cb_rep_write_ratios(struct cb_rep *rep) {
    struct cb_text text = {0};
    cb_text_add(&text, "cell_a,cell_b,metric,ratio,ci_low,ci_high,p_holm,mde,verdict,estimator\n");
    struct cb_csv_row to = {.to = &text};
    for (size_t i = 0; i < rep->ratio_count; i++) {
        const struct cb_rep_ratio *ratio = rep->ratios[i];
        cb_csv_text(&to, ratio->a->cell->id);
        cb_csv_text(&to, ratio->b_name);
        cb_csv_text(&to, ratio->metric);
        number(&to, ratio->ratio);
        number(&to, ratio->low);
        number(&to, ratio->high);
        number(&to, ratio->p_holm < 1e-12 ? 0 : ratio->p_holm); // else rounding errors would show
        number(&to, ratio->mde);
        cb_csv_text(&to, ratio->verdict);
        cb_csv_text(&to, cb_rep_estimator_names[ratio->estimator]);
        cb_csv_end(&to);
    }
    int status = cb_rep_write(rep, "ratios.csv", &text);
    cb_text_clear(&text);
    return status;
}
