// Reads one side of a comparison: from the values of its rounds where the run keeps them, else from
// the intervals of cells.csv; and what smallest effects the run says that it can detect.
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv.h"
#include "run.h"
#include "stats.h"

_Static_assert(CB_REP_ESTIMATORS == 2, "say here which quantile a new estimator is");
static const double quantiles[CB_REP_ESTIMATORS] = {0.5, 0.25};

static const struct cb_rep_estimate no_estimate = {NAN, NAN, NAN, 0};

static const char *keep(struct cb_compare_run *run, char *text) {
    if (run->text_count == run->room[0]) {
        run->room[0] = run->room[0] ? 2 * run->room[0] : 1024;
        run->texts = cb_resize(run->texts, run->room[0], sizeof *run->texts);
    }
    return run->texts[run->text_count++] = text;
}

static struct cb_compare_entry *add_entry(struct cb_compare_run *run) {
    if (run->count == run->room[1]) {
        run->room[1] = run->room[1] ? 2 * run->room[1] : 256;
        run->entries = cb_resize(run->entries, run->room[1], sizeof *run->entries);
    }
    struct cb_compare_entry *entry = &run->entries[run->count++];
    *entry = (struct cb_compare_entry){.estimate = no_estimate};
    return entry;
}

static bool has_file(const char *dir, const char *name) {
    char *path = cb_format("%s/%s", dir, name);
    bool there = access(path, R_OK) == 0;
    free(path);
    return there;
}

static int refuse(FILE *messages, const char *dir, const char *what, const char *remedy) {
    cb_error(messages, "%s: %s\nnothing is compared\n%s", dir, what, remedy);
    return CB_EXIT_USAGE;
}

// ---- From the values of rounds ------------------------------------------------------------------

// The values that a row's estimate rests on: of its rounds, or of its links where intervals are
// over links.
static void take_values(struct cb_compare_entry *entry, const struct cb_rep *rep,
                        const struct cb_rep_row *row, int estimator) {
    double *values = cb_allocate(rep->slots, sizeof *values);
    long *builds = cb_allocate(rep->slots, sizeof *builds);
    size_t n = 0;
    for (size_t slot = 0; slot < rep->slots; slot++)
        if (!isnan(row->values[slot])) {
            builds[n] = rep->slot_build[slot];
            values[n++] = row->values[slot];
        }
    if (rep->clustered && !row->exact) {
        double *links = cb_allocate(n, sizeof *links);
        n = cb_clusters(values, builds, n, quantiles[estimator], links, NULL);
        memcpy(values, links, n * sizeof *links);
        free(links);
    }
    free(builds);
    entry->values = values;
    entry->count = n;
}

static void take_row(struct cb_compare_run *run, const struct cb_rep_row *row) {
    const struct cb_rep_cell *cell = row->cell;
    int estimator = row->exact || row->aside || row->counted ? CB_REP_MEDIAN : run->estimator;
    struct cb_compare_entry *entry = add_entry(run);
    *entry = (struct cb_compare_entry){.id = cell->id,
                                       .backend = cell->backend,
                                       .scenario = cell->scenario,
                                       .binding = cell->binding,
                                       .compiler = cell->compiler,
                                       .unit = row->unit,
                                       .status = row->status,
                                       .note = row->note,
                                       .flags = row->flags,
                                       .estimate = no_estimate,
                                       .exact = row->exact || row->counted};
    if (row->values) {
        entry->estimate = row->estimate[estimator];
        take_values(entry, &run->rep, row, estimator);
    }
}

static int name_estimator(struct cb_compare_run *run, const char *name, FILE *messages) {
    for (int e = 0; name != NULL && e < CB_REP_ESTIMATORS; e++)
        if (strcmp(cb_rep_estimator_names[e], name) == 0) {
            run->estimator = e;
            return CB_EXIT_OK;
        }
    cb_error(messages, "no estimator %s\nnothing is compared\ntake one of: median, lower-quartile",
             name ? name : "(none)");
    return CB_EXIT_USAGE;
}

static int load_values(struct cb_compare_run *run, const char *metric, const char *estimator,
                       FILE *messages) {
    if (cb_rep_load(&run->rep, run->dir, messages) != 0)
        return CB_EXIT_USAGE;
    cb_rep_estimate_all(&run->rep);
    run->document = json_incref(run->rep.run);
    run->estimator = cb_rep_estimator_of(&run->rep, metric);
    if (estimator != NULL && name_estimator(run, estimator, messages) != CB_EXIT_OK)
        return CB_EXIT_USAGE;
    struct cb_rep_row **rows = cb_rep_sorted_rows(&run->rep);
    for (size_t i = 0; i < run->rep.row_count; i++) {
        cb_names_add(&run->metrics, rows[i]->metric);
        if (strcmp(rows[i]->metric, metric) == 0 && !cb_rep_hidden(&run->rep, rows[i]->cell))
            take_row(run, rows[i]);
    }
    return CB_EXIT_OK;
}

// ---- From cells.csv -----------------------------------------------------------------------------

enum {
    BACKEND,
    SCENARIO,
    BINDING,
    COMPILER,
    PARAMS,
    METRIC,
    UNIT,
    ESTIMATE,
    LOW,
    HIGH,
    ROUNDS,
    STATUS,
    NOTE,
    ID,
    ESTIMATOR,
    FLAGS,
    COLUMNS
};
static const char *const column_names[COLUMNS] = {
    "backend", "scenario", "binding", "compiler", "params", "metric",  "unit",      "estimate",
    "ci_low",  "ci_high",  "rounds",  "status",   "note",   "cell_id", "estimator", "flags"};

static bool is_hidden(const json_t *derived, const char *params) {
    struct cb_rep texts = {0};
    size_t i;
    json_t *key;
    bool hidden = false;
    json_array_foreach(json_object_get(derived, "hidden_keys"), i, key) hidden |=
        cb_rep_param(&texts, params, json_string_value(key)) != NULL;
    cb_rep_free(&texts);
    return hidden;
}

static const char *field(struct cb_compare_run *run, const struct cb_csv *csv, size_t row,
                         int column) {
    return keep(run, cb_copy(cb_csv_field(csv, row, column)));
}

static void take_line(struct cb_compare_run *run, const struct cb_csv *csv, size_t row,
                      const int *at, bool exact) {
    struct cb_compare_entry *entry = add_entry(run);
    entry->id = field(run, csv, row, at[ID]);
    entry->backend = field(run, csv, row, at[BACKEND]);
    entry->scenario = field(run, csv, row, at[SCENARIO]);
    entry->binding = field(run, csv, row, at[BINDING]);
    entry->compiler = field(run, csv, row, at[COMPILER]);
    entry->unit = field(run, csv, row, at[UNIT]);
    entry->status = field(run, csv, row, at[STATUS]);
    entry->note = field(run, csv, row, at[NOTE]);
    entry->flags = field(run, csv, row, at[FLAGS]);
    entry->estimate = (struct cb_rep_estimate){
        cb_csv_value(csv, row, at[ESTIMATE]), cb_csv_value(csv, row, at[LOW]),
        cb_csv_value(csv, row, at[HIGH]), isnan(cb_csv_value(csv, row, at[LOW])) ? 0 : CB_LEVEL};
    double rounds = cb_csv_value(csv, row, at[ROUNDS]);
    entry->count = rounds > 0 ? (size_t)rounds : 0;
    entry->exact = exact;
}

static int take_cells(struct cb_compare_run *run, const struct cb_csv *csv, const char *metric,
                      const json_t *derived, FILE *messages) {
    int at[COLUMNS];
    for (int c = 0; c < COLUMNS; c++)
        if ((at[c] = cb_csv_column(csv, column_names[c])) < 0) {
            char *what = cb_format("cells.csv has no column %s", column_names[c]);
            int status = refuse(messages, run->dir, what, "make the run's report anew");
            free(what);
            return status;
        }
    const json_t *about = json_object_get(json_object_get(derived, "metrics"), metric);
    bool exact = json_is_true(json_object_get(about, "exact"));
    bool median = exact || json_is_true(json_object_get(about, "aside"));
    const char *estimator = cb_rep_estimator_names[median ? CB_REP_MEDIAN : run->estimator];
    for (size_t r = 0; r < csv->rows; r++) {
        cb_names_add(&run->metrics, cb_csv_field(csv, r, at[METRIC]));
        // A cell without a value has one row only, that of the median.
        bool ok = strcmp(cb_csv_field(csv, r, at[STATUS]), "ok") == 0;
        const char *wanted = ok ? estimator : cb_rep_estimator_names[CB_REP_MEDIAN];
        if (strcmp(cb_csv_field(csv, r, at[METRIC]), metric) == 0 &&
            strcmp(cb_csv_field(csv, r, at[ESTIMATOR]), wanted) == 0 &&
            !is_hidden(derived, cb_csv_field(csv, r, at[PARAMS])))
            take_line(run, csv, r, at, exact);
    }
    return CB_EXIT_OK;
}

static int load_intervals(struct cb_compare_run *run, const char *metric, const char *estimator,
                          FILE *messages) {
    json_t *derived = cb_load_share("derived.json"), *headline = cb_load_share("headline.json");
    if (estimator == NULL)
        estimator = cb_rep_string(headline, "estimator", "median");
    int status = derived && headline ? name_estimator(run, estimator, messages) : CB_EXIT_USAGE;
    json_error_t error;
    char *path = cb_format("%s/run.json", run->dir);
    if (status == CB_EXIT_OK && (run->document = json_load_file(path, 0, &error)) == NULL)
        status = refuse(messages, path, error.text, "name the folder of a run");
    free(path);
    struct cb_csv csv;
    char *problem = NULL;
    path = cb_format("%s/cells.csv", run->dir);
    if (status == CB_EXIT_OK && cb_csv_read(&csv, path, &problem) < 0) {
        status = refuse(messages, path, problem, "make the run's report anew");
    } else if (status == CB_EXIT_OK) {
        status = take_cells(run, &csv, metric, derived, messages);
        cb_csv_free(&csv);
    }
    free(problem);
    free(path);
    json_decref(derived);
    json_decref(headline);
    return status;
}

// ---- Minimum detectable effects -----------------------------------------------------------------

// The larger of two statements stays.
static void note_mde(struct cb_compare_run *run, const char *scenario, int length,
                     const char *metric, const char *estimator, double mde) {
    if (!(mde > 0))
        return; // 0 in ratios.csv: not known
    char *key = cb_format("%.*s|%s|%s", length, scenario, metric, estimator);
    if (!(json_number_value(json_object_get(run->mde, key)) >= mde))
        json_object_set_new(run->mde, key, json_real(mde));
    free(key);
}

// A table with the columns mde, metric, perhaps estimator, and scenario or cell_a.
static int read_mde(struct cb_compare_run *run, const char *name, const char *of, FILE *messages) {
    if (!has_file(run->dir, name))
        return CB_EXIT_OK;
    struct cb_csv csv;
    char *path = cb_format("%s/%s", run->dir, name), *problem = NULL;
    int status = CB_EXIT_OK;
    if (cb_csv_read(&csv, path, &problem) < 0) {
        status = refuse(messages, path, problem, "make the run's report anew");
    } else {
        int of_at = cb_csv_column(&csv, of), metric_at = cb_csv_column(&csv, "metric");
        int mde_at = cb_csv_column(&csv, "mde"), estimator_at = cb_csv_column(&csv, "estimator");
        if (of_at < 0 || metric_at < 0 || mde_at < 0)
            status = refuse(messages, path,
                            "a column is missing: it needs metric, mde and the "
                            "scenario",
                            "make the run's report anew");
        for (size_t r = 0; status == CB_EXIT_OK && r < csv.rows; r++) {
            const char *scenario = cb_csv_field(&csv, r, of_at);
            int length = (int)strlen(scenario);
            if (strcmp(of, "cell_a") == 0) { // backend/scenario/...
                scenario += strcspn(scenario, "/");
                scenario += *scenario == '/';
                length = (int)strcspn(scenario, "/");
            }
            note_mde(run, scenario, length, cb_csv_field(&csv, r, metric_at),
                     estimator_at < 0 ? "" : cb_csv_field(&csv, r, estimator_at),
                     cb_csv_value(&csv, r, mde_at));
        }
        cb_csv_free(&csv);
    }
    free(problem);
    free(path);
    return status;
}

double cb_compare_mde(const struct cb_compare_run *run, const char *scenario, const char *metric,
                      const char *estimator) {
    double largest = NAN;
    const char *const estimators[2] = {estimator, ""};
    for (int i = 0; i < 2; i++) {
        char *key = cb_format("%s|%s|%s", scenario, metric, estimators[i]);
        const json_t *value = json_object_get(run->mde, key);
        free(key);
        if (value && !(largest >= json_number_value(value)))
            largest = json_number_value(value);
    }
    return largest;
}

// ---- The run ------------------------------------------------------------------------------------

int cb_compare_load(struct cb_compare_run *run, const char *dir, const char *metric,
                    const char *estimator, FILE *messages) {
    *run = (struct cb_compare_run){.dir = dir, .mde = json_object()};
    run->intervals_only = !has_file(dir, "samples.csv") && !has_file(dir, "samples-condensed.csv");
    if (!has_file(dir, "run.json") || (run->intervals_only && !has_file(dir, "cells.csv")))
        return refuse(messages, dir,
                      has_file(dir, "run.json")
                          ? "it has neither samples.csv nor samples-condensed.csv nor cells.csv"
                          : "it is no run: it has no run.json that can be read",
                      "name the folders of two runs, such as results/reference/MACHINE and "
                      "results/latest");
    int status = run->intervals_only ? load_intervals(run, metric, estimator, messages)
                                     : load_values(run, metric, estimator, messages);
    if (status == CB_EXIT_OK)
        status = read_mde(run, "mde.csv", "scenario", messages);
    if (status == CB_EXIT_OK)
        status = read_mde(run, "ratios.csv", "cell_a", messages);
    run->mode = cb_rep_string(run->document, "mode", "");
    run->quick = strcmp(run->mode, "quick") == 0;
    return status;
}

void cb_compare_free(struct cb_compare_run *run) {
    for (size_t i = 0; i < run->count; i++)
        free(run->entries[i].values);
    for (size_t i = 0; i < run->text_count; i++)
        free(run->texts[i]);
    free(run->entries);
    free(run->texts);
    cb_names_free(&run->metrics);
    json_decref(run->mde);
    json_decref(run->document);
    cb_rep_free(&run->rep);
    *run = (struct cb_compare_run){0};
}
