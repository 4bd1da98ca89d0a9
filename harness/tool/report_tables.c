// Which tables there are: headline, comparisons, targets, one a scenario, failures; and those of
// report_trust.c.
#define _GNU_SOURCE
#include "report_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

// ---- Entries ------------------------------------------------------------------------------------

static bool is(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

// What stands where there is no value: n/c for what is not claimed, else the status, with why.
static struct cb_rep_entry status_entry(const char *status, const char *note) {
    struct cb_rep_entry entry = {.text = status, .value = NAN, .low = NAN, .high = NAN};
    if (is(status, "not-claimed"))
        entry.text = "n/c";
    if (*note)
        entry.footnote = note;
    return entry;
}

static bool has_flag(struct cb_rep *rep, const struct cb_rep_row *row, const char *flag) {
    return cb_rep_flag(rep, row->flags, flag) == row->flags && *row->flags;
}

// The flags that a reader must see; the others stand in cells.csv.
static const char *shown_flags(struct cb_rep *rep, const struct cb_rep_row *row) {
    struct cb_text text = {0};
    size_t index;
    json_t *flag;
    json_array_foreach(json_object_get(rep->derived, "table_flags"), index,
                       flag) if (has_flag(rep, row, json_string_value(flag)))
        cb_text_add(&text, "%s%s", text.length ? ", " : "", json_string_value(flag));
    const char *result = cb_rep_text(rep, "%s", text.text ? text.text : "");
    cb_text_clear(&text);
    return result;
}

// Whether a figure that compares, a ratio to another loop or what is left of a time, is none: its
// interval holds the value that says so, or the smallest detectable effect is larger.
static bool is_no_difference(struct cb_rep *rep, const struct cb_rep_row *row,
                             const struct cb_rep_estimate *estimate) {
    bool inverted;
    const struct cb_rep_ratio *ratio = cb_rep_ratio_of(rep, row, NULL, &inverted);
    if (ratio)
        return is(ratio->verdict, "no difference");
    if (!row->of || !cb_rep_claims(rep) || isnan(estimate->low))
        return false;
    double least = cb_rep_mde_of(rep, row->of) * cb_rep_shown(rep, row->of)->value;
    return (estimate->low <= 0 && estimate->high >= 0) || fabs(estimate->value) <= least;
}

static struct cb_rep_entry value_entry(struct cb_rep *rep, const struct cb_rep_row *row) {
    if (!row->values)
        return status_entry(row->status, row->note);
    const struct cb_rep_estimate *estimate = cb_rep_shown(rep, row);
    struct cb_rep_entry entry = {
        .value = estimate->value, .low = estimate->low, .high = estimate->high, .cell = row->cell};
    if (has_flag(rep, row, "unresolved")) {
        // The interval stays in CSV; a person would read a number that means nothing.
        entry.text = "unresolved";
        entry.footnote = rep->mode == CB_REP_QUICK
                             ? "a difference of two times whose range spans 0 and is too wide"
                             : "a difference of two times whose interval spans 0 and is too wide";
    } else {
        const char *flags = shown_flags(rep, row);
        bool none = is_no_difference(rep, row, estimate);
        entry.mark = !none    ? flags
                     : *flags ? cb_rep_text(rep, "no difference, %s", flags)
                              : "no difference";
    }
    if (*row->note)
        entry.footnote = row->note;
    else if (isnan(estimate->low))
        entry.footnote = "too few rounds for an interval";
    return entry;
}

static const char *interval_words(struct cb_rep *rep) {
    const char *what =
        rep->estimator == CB_REP_MEDIAN
            ? "Medians"
            : "Lower quartiles (of bytes, differences and ratios to another loop: medians)";
    double p = cb_rep_quantiles[rep->estimator];
    if (rep->mode == CB_REP_QUICK)
        return cb_rep_text(rep,
                           "%s with the range of all rounds in brackets: a quick run claims "
                           "no interval and no difference.",
                           what);
    if (rep->clustered)
        return cb_rep_text(rep, "%s with 95 %% intervals over links in brackets.", what);
    double zeros[64] = {0};
    json_int_t planned = json_integer_value(json_object_get(rep->run, "rounds"));
    size_t rounds = planned > 0 && planned < 64 ? (size_t)planned : 64;
    double coverage = cb_order_interval(zeros, rounds, p, CB_LEVEL).coverage;
    return cb_rep_text(rep,
                       "%s with 95 %% order-statistic intervals in brackets (of %zu rounds: "
                       "%.1f %%).",
                       what, rounds, 100 * coverage);
}

static const char *suffix(struct cb_rep *rep, size_t compiler) {
    return compiler ? cb_rep_text(rep, "-%s", rep->compilers[compiler]) : "";
}

// ---- Headline -----------------------------------------------------------------------------------

// A backend that has no cell in a column: the reason it gives for itself, or a dash.
static struct cb_rep_entry absent_entry(const struct cb_rep_backend *backend) {
    if (!is(backend->status, "ok"))
        return status_entry(backend->status, backend->note);
    return (struct cb_rep_entry){.text = "-", .value = NAN, .low = NAN, .high = NAN};
}

static const char no_difference[] =
    " `no difference`: the call's rest of a time can't be told from 0, or the ratio to another "
    "loop "
    "from 1. It could if it lay outside its interval (for ratios, one that is corrected by Holm "
    "over the scenario) and beyond the smallest detectable effect.";

static const char in_cycles[] =
    " Cycles are core cycles, estimated by a chain of dependent additions timed beside each "
    "sample: "
    "so made, the figures differ least from themselves (table estimator).";

static void headline(struct cb_rep *rep, size_t compiler) {
    const char *name = rep->compilers[compiler];
    json_t *columns = json_object_get(rep->headline, "columns"), *column;
    size_t index;
    const char *version = cb_rep_string(json_object_get(rep->run, "compilers"), name, "");
    struct cb_rep_table *table = cb_rep_table_new(
        rep, cb_rep_text(rep, "headline%s", suffix(rep, compiler)),
        cb_rep_text(rep, "What coroutines cost (%s%s%s)", name, *version ? " " : "", version),
        cb_rep_text(rep, "%s %s%s%s %s.", cb_rep_string(rep->headline, "caption", ""),
                    interval_words(rep), cb_rep_claims(rep) ? no_difference : "",
                    rep->cycles ? in_cycles : "", rep->caption));
    table->lead = "family";
    cb_rep_table_column(rep, table, "backend", "", false);
    json_array_foreach(columns, index, column) cb_rep_table_column(
        rep, table, cb_rep_string(column, "title", ""), cb_rep_string(column, "unit", ""), true);
    for (size_t b = 0; b < rep->backend_count; b++) {
        const struct cb_rep_backend *backend = &rep->backends[b];
        struct cb_rep_entry *entries =
            cb_rep_table_row(rep, table, cb_rep_family_title(rep, backend->family));
        entries[0].text = backend->name;
        json_array_foreach(columns, index, column) {
            const struct cb_rep_row *row = cb_rep_select(rep, column, backend->name, name);
            entries[1 + index] = row ? value_entry(rep, row) : absent_entry(backend);
        }
    }
}

// ---- Comparisons: how many times the cheapest of the column -------------------------------------

static const struct cb_rep_row *cheapest(struct cb_rep *rep, const json_t *column,
                                         const char *compiler) {
    const struct cb_rep_row *best = NULL;
    for (size_t b = 0; b < rep->backend_count; b++) {
        const struct cb_rep_row *row = cb_rep_select(rep, column, rep->backends[b].name, compiler);
        if (row && row->values &&
            (!best || cb_rep_shown(rep, row)->value < cb_rep_shown(rep, best)->value))
            best = row;
    }
    return best;
}

static struct cb_rep_entry ratio_entry(const struct cb_rep *rep, const struct cb_rep_row *row,
                                       const struct cb_rep_row *best) {
    if (row == best)
        return (struct cb_rep_entry){.text = "cheapest", .value = NAN, .low = NAN, .high = NAN};
    bool inverted;
    const struct cb_rep_ratio *ratio = cb_rep_ratio_of(rep, row, best, &inverted);
    if (!ratio)
        return (struct cb_rep_entry){.text = "-", .value = NAN, .low = NAN, .high = NAN};
    if (is(ratio->verdict, "no difference") || is(ratio->verdict, "undecided"))
        return (struct cb_rep_entry){.text = ratio->verdict,
                                     .value = inverted ? 1 / ratio->ratio : ratio->ratio,
                                     .low = inverted ? 1 / ratio->high : ratio->low,
                                     .high = inverted ? 1 / ratio->low : ratio->high};
    return (struct cb_rep_entry){.value = inverted ? 1 / ratio->ratio : ratio->ratio,
                                 .low = inverted ? 1 / ratio->high : ratio->low,
                                 .high = inverted ? 1 / ratio->low : ratio->high};
}

static void comparisons(struct cb_rep *rep, size_t compiler) {
    const char *name = rep->compilers[compiler];
    struct cb_rep_table *table = cb_rep_table_new(
        rep, cb_rep_text(rep, "compare-headline%s", suffix(rep, compiler)),
        cb_rep_text(rep, "How many times the cheapest (%s)", name),
        cb_rep_text(rep,
                    "Each column's cheapest, and how many times its cost the others have; %s. `no "
                    "difference`: the interval, Holm's correction over all pairs of the column, or "
                    "the smallest detectable effect of the scenario (table mde) does not allow to "
                    "tell. All pairs stand in ratios.csv.",
                    cb_rep_ratio_words(rep)));
    table->lead = "family";
    cb_rep_table_column(rep, table, "backend", "", false);
    json_t *columns = json_object_get(rep->headline, "columns"), *column;
    size_t index, n = 0;
    const json_t **shown = cb_rep_memory(rep, json_array_size(columns), sizeof(json_t *));
    const struct cb_rep_row **best =
        cb_rep_memory(rep, json_array_size(columns), sizeof(struct cb_rep_row *));
    json_array_foreach(columns, index, column) {
        if (json_is_false(json_object_get(column, "compare")))
            continue;
        best[n] = cheapest(rep, column, name);
        shown[n++] = column;
        cb_rep_table_column(rep, table, cb_rep_string(column, "title", ""), "", true);
    }
    for (size_t b = 0; b < rep->backend_count; b++) {
        const struct cb_rep_backend *backend = &rep->backends[b];
        struct cb_rep_entry *entries =
            cb_rep_table_row(rep, table, cb_rep_family_title(rep, backend->family));
        entries[0].text = backend->name;
        for (size_t c = 0; c < n; c++) {
            const struct cb_rep_row *row = cb_rep_select(rep, shown[c], backend->name, name);
            entries[1 + c] = !row           ? absent_entry(backend)
                             : !row->values ? status_entry(row->status, row->note)
                                            : ratio_entry(rep, row, best[c]);
        }
    }
}

// ---- Targets ------------------------------------------------------------------------------------

static void targets(struct cb_rep *rep) {
    struct cb_rep_table *table = cb_rep_table_new(
        rep, "targets", "What the project set out to reach",
        cb_rep_text(rep,
                    "Met: the upper end of the interval is within the target, widened by the "
                    "smallest detectable effect (MDE). Missed: all of the interval is beyond it. "
                    "Undecided: neither. Where the MDE is above 5 %%, a target is met only if the "
                    "interval is clear of it by the MDE; else the footnote has the ratio of "
                    "instructions, which is exact, but tells how much work it is, not how long it "
                    "takes. Each target is judged by itself; %s.",
                    cb_rep_ratio_words(rep)));
    cb_rep_table_column(rep, table, "target", "", false);
    cb_rep_table_column(rep, table, "compiler", "", false);
    cb_rep_table_column(rep, table, "wanted", "", false);
    cb_rep_table_column(rep, table, "measured", "", true);
    cb_rep_table_column(rep, table, "MDE", "%", true);
    cb_rep_table_column(rep, table, "verdict", "", false);
    for (size_t i = 0; i < rep->target_count; i++) {
        const struct cb_rep_target *target = &rep->target[i];
        struct cb_rep_entry *entries = cb_rep_table_row(rep, table, "");
        entries[0].text = target->text;
        entries[1].text = target->compiler;
        entries[2].text = target->wanted;
        if (target->ratio)
            entries[3] = (struct cb_rep_entry){.value = target->scale * target->ratio->ratio,
                                               .low = target->scale * target->ratio->low,
                                               .high = target->scale * target->ratio->high,
                                               .mark = target->unit};
        if (target->ratio)
            entries[4] =
                (struct cb_rep_entry){.value = 100 * target->ratio->mde, .low = NAN, .high = NAN};
        entries[5].text = target->verdict;
        if (*target->why)
            entries[5].footnote = target->why;
    }
    if (!cb_rep_claims(rep))
        table->empty = "A quick run makes no ratio claim: measure with a default or a full run.";
}

// ---- Scenarios ----------------------------------------------------------------------------------

// A column of a scenario's table: a metric in a binding by a compiler.
struct view {
    const char *metric, *unit, *binding, *compiler;
};

static bool metric_shown(const struct cb_rep *rep, const char *metric) {
    json_t *entry = json_object_get(json_object_get(rep->derived, "metrics"), metric);
    return !json_is_false(json_object_get(entry, "table"));
}

static const char *view_title(struct cb_rep *rep, const struct view *view, bool one_metric) {
    json_t *entry = json_object_get(json_object_get(rep->derived, "metrics"), view->metric);
    const char *metric = cb_rep_string(entry, "title", view->metric);
    return cb_rep_text(rep, "%s%s%s, %s", one_metric ? "" : metric, one_metric ? "" : ", ",
                       view->binding, view->compiler);
}

static size_t metric_place(const struct cb_rep *rep, const char *metric) {
    size_t at = 0;
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(rep->derived, "metrics"), name, value) {
        if (is(name, metric))
            break;
        at++;
    }
    return at;
}

// The metric that a metric stands beside, or itself.
static const char *stands_by(const struct cb_rep *rep, const char *metric) {
    json_t *entry = json_object_get(json_object_get(rep->derived, "metrics"), metric);
    return cb_rep_string(entry, "beside", metric);
}

static size_t compiler_place(const struct cb_rep *rep, const char *compiler) {
    size_t at = 0;
    while (at < rep->compiler_count && !is(rep->compilers[at], compiler))
        at++;
    return at;
}

static int compare_views(const void *left, const void *right, void *context) {
    static const char *const bindings[] = {"opaque", "visible", "library"};
    const struct cb_rep *rep = context;
    const struct view *a = left, *b = right;
    size_t x = metric_place(rep, stands_by(rep, a->metric));
    size_t y = metric_place(rep, stands_by(rep, b->metric));
    for (size_t i = 0; x == y && i < 3; i++) {
        if (is(a->binding, bindings[i]) != is(b->binding, bindings[i]))
            return is(a->binding, bindings[i]) ? -1 : 1;
    }
    if (x == y) {
        x = compiler_place(rep, a->compiler);
        y = compiler_place(rep, b->compiler);
    }
    if (x == y) { // what stands beside comes after
        x = metric_place(rep, a->metric);
        y = metric_place(rep, b->metric);
    }
    return (x > y) - (x < y);
}

static size_t find_views(struct cb_rep *rep, struct cb_rep_row **rows, size_t n,
                         struct view *views) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const struct cb_rep_cell *cell = rows[i]->cell;
        size_t at = 0;
        while (at < count &&
               !(is(views[at].metric, rows[i]->metric) && is(views[at].binding, cell->binding) &&
                 is(views[at].compiler, cell->compiler)))
            at++;
        if (at == count)
            views[count++] =
                (struct view){rows[i]->metric, rows[i]->unit, cell->binding, cell->compiler};
    }
    qsort_r(views, count, sizeof *views, compare_views, rep);
    return count;
}

// One table: params are the sections, backends the rows, metrics by binding and compiler the
// columns. `rows` are of one scenario and sorted.
static void scenario(struct cb_rep *rep, struct cb_rep_row **rows, size_t n) {
    struct view *views = cb_rep_memory(rep, n, sizeof *views);
    size_t width = find_views(rep, rows, n, views);
    bool one_metric = true;
    for (size_t v = 1; v < width; v++)
        one_metric &= is(views[v].metric, views[0].metric);
    const char *name = rows[0]->cell->scenario;
    struct cb_rep_table *table =
        cb_rep_table_new(rep, cb_rep_text(rep, "scenario-%s", name),
                         cb_rep_scenario_title(rep, name), interval_words(rep));
    table->lead = "params";
    table->wide = true;
    cb_rep_table_column(rep, table, "backend", "", false);
    for (size_t v = 0; v < width; v++)
        cb_rep_table_column(rep, table, view_title(rep, &views[v], one_metric), views[v].unit,
                            true);
    struct cb_rep_entry *entries = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct cb_rep_cell *cell = rows[i]->cell;
        if (i == 0 || !is(cell->params, rows[i - 1]->cell->params) ||
            !is(cell->backend, rows[i - 1]->cell->backend)) {
            entries = cb_rep_table_row(rep, table, *cell->params ? cell->params : "all");
            entries[0].text = cell->backend;
            for (size_t v = 0; v < width; v++)
                entries[1 + v].text = "-";
        }
        for (size_t v = 0; v < width; v++)
            if (is(views[v].metric, rows[i]->metric) && is(views[v].binding, cell->binding) &&
                is(views[v].compiler, cell->compiler))
                entries[1 + v] = value_entry(rep, rows[i]);
    }
}

static void scenarios(struct cb_rep *rep) {
    struct cb_rep_row **sorted = cb_rep_sorted_rows(rep);
    size_t n = 0;
    for (size_t i = 0; i < rep->row_count; i++)
        if (metric_shown(rep, sorted[i]->metric) && !cb_rep_hidden(rep, sorted[i]->cell))
            sorted[n++] = sorted[i];
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && is(sorted[end]->cell->scenario, sorted[i]->cell->scenario);)
            end++;
        scenario(rep, sorted + i, end - i);
    }
}

// ---- Failures -----------------------------------------------------------------------------------

static void failures(struct cb_rep *rep) {
    struct cb_rep_table *table =
        cb_rep_table_new(rep, "failures", "Cells without a value",
                         "Failed and timeout end a run with status 1. Not claimed: the technique "
                         "does not offer it. Unavailable: this machine or build lacks something.");
    table->lead = "status";
    table->wide = true;
    const char *titles[] = {"backend", "scenario", "params", "binding", "compiler", "reason"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        cb_rep_table_column(rep, table, titles[i], "", false);
    static const char *const order[] = {"failed", "timeout", "skipped", "unavailable",
                                        "not-claimed"};
    for (size_t s = 0; s < sizeof order / sizeof *order; s++) {
        for (size_t b = 0; b < rep->backend_count; b++) {
            const struct cb_rep_backend *backend = &rep->backends[b];
            bool cells = false;
            for (size_t i = 0; i < rep->cell_count; i++)
                cells |= is(rep->cells[i]->backend, backend->name);
            if (cells || !is(backend->status, order[s]))
                continue;
            struct cb_rep_entry *entries = cb_rep_table_row(rep, table, order[s]);
            entries[0].text = backend->name;
            entries[1].text = "all";
            entries[5].text = backend->note;
        }
        for (size_t i = 0; i < rep->cell_count; i++) {
            const struct cb_rep_cell *cell = rep->cells[i];
            if (!is(cell->status, order[s]))
                continue;
            struct cb_rep_entry *entries = cb_rep_table_row(rep, table, order[s]);
            const char *texts[] = {cell->backend, cell->scenario, cell->params,
                                   cell->binding, cell->compiler, cell->note};
            for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
                entries[t].text = texts[t];
        }
    }
}

// ---- All ----------------------------------------------------------------------------------------

// Whether a compiler measured any cell of the headline table.
static bool in_headline(struct cb_rep *rep, const char *compiler) {
    size_t index;
    json_t *column;
    json_array_foreach(json_object_get(rep->headline, "columns"), index,
                       column) for (size_t b = 0; b < rep->backend_count; b++) {
        const struct cb_rep_row *row = cb_rep_select(rep, column, rep->backends[b].name, compiler);
        if (row && is(row->cell->compiler, compiler))
            return true;
    }
    return false;
}

int cb_rep_make_tables(struct cb_rep *rep) {
    for (size_t c = 0; c < rep->compiler_count; c++)
        if (in_headline(rep, rep->compilers[c]))
            headline(rep, c);
    for (size_t c = 0; cb_rep_claims(rep) && c < rep->compiler_count; c++)
        if (in_headline(rep, rep->compilers[c]))
            comparisons(rep, c);
    targets(rep);
    int status = cb_rep_choose_tables(rep);
    if (!status)
        status = cb_rep_claims_table(rep);
    if (status)
        return status;
    cb_rep_estimator_table(rep);
    cb_rep_mde_table(rep);
    cb_rep_flagged_table(rep);
    failures(rep);
    scenarios(rep);
    cb_rep_loops_table(rep);
    cb_rep_environment_table(rep);
    for (size_t i = 0; i < rep->table_count; i++) {
        status = cb_rep_table_write(rep, rep->tables[i]);
        if (status)
            return status;
    }
    return 0;
}
