// Reads a run: run.json, samples.csv (or its condensed form) and the data files that came with the
// program, and condenses the samples of each process to one value.
#define _GNU_SOURCE
#include "report_internal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv.h"
#include "file.h"
#include "stats.h"

#define SCHEMA 1

// One repetition, as a row of samples.csv says it.
struct sample {
    size_t cell, slot, order;
    const char *metric;
    double value, cycle_ns, instructions; // the last one per operation
};

// ---- Documents ----------------------------------------------------------------------------------

static int load_json(struct cb_rep *rep, const char *path, json_t **to, const char *remedy) {
    json_error_t error;
    *to = json_load_file(path, 0, &error);
    if (*to)
        return 0;
    cb_error(rep->messages, "cannot read %s: %s (line %d)\nno report can be made\n%s", path,
             error.text, error.line, remedy);
    return CB_EXIT_USAGE;
}

static int load_data(struct cb_rep *rep) {
    struct {
        const char *name;
        json_t **to;
    } files[] = {{"headline.json", &rep->headline},
                 {"derived.json", &rep->derived},
                 {"targets.json", &rep->targets},
                 {"plots.json", &rep->plots},
                 {"choose.json", &rep->choose}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = cb_share_path(files[i].name);
        int status = load_json(rep, path, files[i].to,
                               "it belongs to the program: build it again with cmake --build");
        free(path);
        if (status)
            return status;
    }
    return 0;
}

static int refuse(struct cb_rep *rep, const char *what) {
    cb_error(rep->messages,
             "%s/run.json: %s\nno report can be made\n"
             "name the folder of a run made by this version of corobench",
             rep->dir, what);
    return CB_EXIT_USAGE;
}

static int load_run(struct cb_rep *rep) {
    char *path = cb_format("%s/run.json", rep->dir);
    int status = load_json(rep, path, &rep->run,
                           "name the folder of a run, such as results/latest, that holds run.json");
    free(path);
    if (status)
        return status;
    if (json_integer_value(json_object_get(rep->run, "schema")) != SCHEMA)
        return refuse(rep, "its schema is not 1");
    if (!json_is_array(json_object_get(rep->run, "plan")))
        return refuse(rep, "it has no plan");
    rep->run_id = cb_rep_string(rep->run, "run", "");
    rep->mode_name = cb_rep_string(rep->run, "mode", "");
    const json_t *settings = json_object_get(rep->run, "settings");
    rep->fastest = strcmp(cb_rep_string(settings, "process", "median"), "fastest") == 0;
    const char *names[] = {"quick", "default", "full"};
    for (int mode = CB_REP_QUICK; mode <= CB_REP_FULL; mode++)
        if (strcmp(rep->mode_name, names[mode]) == 0) {
            rep->mode = mode;
            return 0;
        }
    return refuse(rep, "its mode is none of quick, default, full");
}

// ---- Plan ---------------------------------------------------------------------------------------

static void load_plan(struct cb_rep *rep) {
    json_t *plan = json_object_get(rep->run, "plan"), *entry;
    size_t index;
    rep->cells = cb_rep_memory(rep, json_array_size(plan), sizeof(struct cb_rep_cell *));
    json_array_foreach(plan, index, entry) {
        struct cb_rep_cell *cell = cb_rep_memory(rep, 1, sizeof *cell);
        cell->id = cb_rep_string(entry, "cell_id", "");
        cell->backend = cb_rep_string(entry, "backend", "");
        cell->family = cb_rep_string(entry, "family", "");
        cell->scenario = cb_rep_string(entry, "scenario", "");
        cell->binding = cb_rep_string(entry, "binding", "");
        cell->compiler = cb_rep_string(entry, "compiler", "");
        cell->params = cb_rep_string(entry, "params", "");
        cell->kind = cb_rep_string(entry, "kind", "time");
        cell->status = cb_rep_string(entry, "status", "ok");
        cell->note = cb_rep_string(entry, "note", "");
        cell->twin_of = cb_rep_string(entry, "twin_of", "");
        cell->sample_flags = "";
        rep->cells[rep->cell_count++] = cell;
    }
}

// The place of a text in a list of objects with "id"; the list's length where it is not there.
static size_t place(const json_t *list, const char *id) {
    size_t index;
    json_t *entry;
    json_array_foreach(list, index,
                       entry) if (strcmp(cb_rep_string(entry, "id", ""), id) == 0) return index;
    return json_array_size(list);
}

int cb_rep_compare_families(const struct cb_rep *rep, const char *a, const char *b) {
    const json_t *families = json_object_get(rep->headline, "families");
    size_t place_a = place(families, a), place_b = place(families, b);
    return place_a != place_b ? (place_a > place_b) - (place_a < place_b) : strcmp(a, b);
}

static const char *title_in(const json_t *list, const char *id) {
    const json_t *entry = json_array_get(list, place(list, id));
    return entry ? cb_rep_string(entry, "title", id) : id;
}

const char *cb_rep_family_title(const struct cb_rep *rep, const char *family) {
    return title_in(json_object_get(rep->headline, "families"), family);
}

const char *cb_rep_scenario_title(const struct cb_rep *rep, const char *scenario) {
    return title_in(json_object_get(rep->headline, "scenarios"), scenario);
}

// Numbers inside params by their value: depth=2 before depth=16.
int cb_rep_compare_params(const char *a, const char *b) {
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            char *end_a, *end_b;
            unsigned long long x = strtoull(a, &end_a, 10), y = strtoull(b, &end_b, 10);
            if (x != y)
                return x < y ? -1 : 1;
            a = end_a;
            b = end_b;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    return (*a != 0) - (*b != 0);
}

static int binding_place(const char *binding) {
    const char *order[] = {"opaque", "visible", "library"};
    for (int i = 0; i < 3; i++)
        if (strcmp(order[i], binding) == 0)
            return i;
    return 3;
}

int cb_rep_compare_cells(const struct cb_rep *rep, const struct cb_rep_cell *a,
                         const struct cb_rep_cell *b) {
    const json_t *scenarios = json_object_get(rep->headline, "scenarios");
    size_t place_a = place(scenarios, a->scenario), place_b = place(scenarios, b->scenario);
    int order = (place_a > place_b) - (place_a < place_b);
    if (!order)
        order = strcmp(a->scenario, b->scenario);
    if (!order)
        order = cb_rep_compare_params(a->params, b->params);
    if (!order)
        order = cb_rep_compare_families(rep, a->family, b->family);
    if (!order)
        order = strcmp(a->backend, b->backend);
    if (!order)
        order = binding_place(a->binding) - binding_place(b->binding);
    if (!order)
        order = strcmp(a->compiler, b->compiler) * -1; // gcc before clang
    return order ? order : strcmp(a->id, b->id);
}

static int compare_cells(const void *left, const void *right, void *context) {
    return cb_rep_compare_cells(context, *(struct cb_rep_cell *const *)left,
                                *(struct cb_rep_cell *const *)right);
}

static void add_backend(struct cb_rep *rep, const char *name, const char *family,
                        const char *summary, const char *status, const char *note, bool variant) {
    for (size_t i = 0; i < rep->backend_count; i++)
        if (strcmp(rep->backends[i].name, name) == 0)
            return;
    rep->backends[rep->backend_count++] =
        (struct cb_rep_backend){name, family, summary, status, note, variant};
}

static int compare_backends(const void *left, const void *right, void *context) {
    const struct cb_rep_backend *a = left, *b = right;
    int order = cb_rep_compare_families(context, a->family, b->family);
    return order ? order : strcmp(a->name, b->name);
}

// All backends, also those without one cell: a missing dependency must not hide a row.
static void list_backends(struct cb_rep *rep) {
    json_t *programs = json_object_get(rep->run, "programs"), *entry;
    size_t index;
    rep->backends =
        cb_rep_memory(rep, json_array_size(programs) + rep->cell_count, sizeof *rep->backends);
    for (int unavailable = 0; unavailable < 2; unavailable++)
        json_array_foreach(programs, index, entry) {
            json_t *describe = json_object_get(entry, "describe");
            const char *status =
                cb_rep_string(entry, "status", cb_rep_string(describe, "status", "ok"));
            const char *note = cb_rep_string(entry, "note", "");
            if ((strcmp(status, "ok") != 0) == unavailable)
                add_backend(rep, cb_rep_string(entry, "backend", ""),
                            cb_rep_string(describe, "family", ""),
                            cb_rep_string(describe, "summary", ""), status,
                            *note ? note : cb_rep_string(describe, "note", ""),
                            *cb_rep_string(describe, "variant_of", ""));
        }
    for (size_t i = 0; i < rep->cell_count; i++)
        add_backend(rep, rep->cells[i]->backend, rep->cells[i]->family, "", "ok", "", false);
    qsort_r(rep->backends, rep->backend_count, sizeof *rep->backends, compare_backends, rep);
}

// The compiler with most cells comes first: a default run measures the other for a part only.
static void list_compilers(struct cb_rep *rep) {
    rep->compilers = cb_rep_memory(rep, rep->cell_count, sizeof *rep->compilers);
    size_t *cells = cb_rep_memory(rep, rep->cell_count, sizeof *cells);
    for (size_t i = 0; i < rep->cell_count; i++) {
        size_t c = 0;
        while (c < rep->compiler_count && strcmp(rep->compilers[c], rep->cells[i]->compiler) != 0)
            c++;
        if (c == rep->compiler_count)
            rep->compilers[rep->compiler_count++] = rep->cells[i]->compiler;
        cells[c]++;
    }
    for (size_t i = 1; i < rep->compiler_count; i++)
        for (size_t j = i; j > 0 && cells[j] > cells[j - 1]; j--) {
            const char *name = rep->compilers[j];
            size_t count = cells[j];
            rep->compilers[j] = rep->compilers[j - 1];
            cells[j] = cells[j - 1];
            rep->compilers[j - 1] = name;
            cells[j - 1] = count;
        }
}

// ---- Samples ------------------------------------------------------------------------------------

// The report rounds to six digits before it computes, so that a condensed run, which stores as
// many, gives the same results to the last byte.
static double six_digits(double value) {
    char text[40];
    snprintf(text, sizeof text, "%.6g", value);
    return isfinite(value) ? strtod(text, NULL) : NAN;
}

static int compare_slots(const void *left, const void *right) {
    const long *a = left, *b = right;
    return a[0] != b[0] ? (a[0] > b[0]) - (a[0] < b[0]) : (a[1] > b[1]) - (a[1] < b[1]);
}

// A slot is a process of one cell: a round and the link that it was measured with.
static void set_slots(struct cb_rep *rep, long (*pairs)[2], size_t count) {
    qsort(pairs, count, sizeof *pairs, compare_slots);
    rep->slot_round = cb_rep_memory(rep, count, sizeof *rep->slot_round);
    rep->slot_build = cb_rep_memory(rep, count, sizeof *rep->slot_build);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && compare_slots(pairs[i], pairs[i - 1]) == 0)
            continue;
        rep->slot_round[rep->slots] = pairs[i][0];
        rep->slot_build[rep->slots++] = pairs[i][1];
    }
}

static size_t find_slot(const struct cb_rep *rep, long round, long build) {
    size_t low = 0, high = rep->slots;
    while (low < high) {
        size_t middle = (low + high) / 2;
        long here[2] = {rep->slot_round[middle], rep->slot_build[middle]};
        if (compare_slots(here, (long[]){round, build}) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int compare_samples(const void *left, const void *right) {
    const struct sample *a = left, *b = right;
    if (a->cell != b->cell)
        return a->cell < b->cell ? -1 : 1;
    int order = strcmp(a->metric, b->metric);
    if (order)
        return order;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static double median_of(const double *values, size_t n) {
    size_t there = 0;
    double *kept = cb_allocate(n, sizeof *kept);
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i]))
            kept[there++] = values[i];
    double median = cb_median(kept, there);
    free(kept);
    return median;
}

static const char *unit_of(const struct cb_rep *rep, const char *metric) {
    json_t *entry = json_object_get(json_object_get(rep->derived, "metrics"), metric);
    return cb_rep_string(entry, "unit", "");
}

static struct cb_rep_row *row_of(struct cb_rep *rep, struct cb_rep_cell *cell, const char *metric) {
    struct cb_rep_row *row = cb_rep_find(rep, cell->backend, cell->scenario, cell->binding,
                                         cell->compiler, cell->params, metric);
    return row ? row : cb_rep_add_row(rep, cell, metric, unit_of(rep, metric));
}

// A value that is there already stays: what counters counted is better than what is computed.
static void put(struct cb_rep *rep, struct cb_rep_cell *cell, const char *metric, size_t slot,
                double value) {
    if (isnan(value))
        return;
    struct cb_rep_row *row = row_of(rep, cell, metric);
    if (!row->values) {
        row->values = cb_rep_memory(rep, rep->slots, sizeof *row->values);
        for (size_t i = 0; i < rep->slots; i++)
            row->values[i] = NAN;
    }
    if (isnan(row->values[slot]))
        row->values[slot] = value;
}

static double least_of(const double *values, size_t n) {
    double least = NAN;
    for (size_t i = 0; i < n; i++)
        least = fmin(least, values[i]);
    return least;
}

// The repetitions of one process become one value: their median, or of what is elapsed time the
// fastest, as the run says. Its cycles are that time divided by the median of what a cycle took
// beside it.
static void put_process(struct cb_rep *rep, const struct sample *samples, size_t n) {
    struct cb_rep_cell *cell = rep->cells[samples->cell];
    const char *metric = samples->metric;
    double *column = cb_allocate(n, sizeof *column);
    for (size_t i = 0; i < n; i++)
        column[i] = samples[i].value;
    const json_t *entry = json_object_get(json_object_get(rep->derived, "metrics"), metric);
    bool fastest = rep->fastest && json_is_true(json_object_get(entry, "elapsed"));
    double value = six_digits(fastest ? least_of(column, n) : median_of(column, n));
    put(rep, cell, metric, samples->slot, value);
    const char *cycles = cb_rep_string(entry, "cycles", NULL);
    const char *instructions = cb_rep_string(entry, "instructions", NULL);
    if (cycles) {
        for (size_t i = 0; i < n; i++)
            column[i] = samples[i].cycle_ns;
        double cycle_ns = six_digits(median_of(column, n));
        if (cycle_ns > 0)
            put(rep, cell, cycles, samples->slot, six_digits(value / cycle_ns));
    }
    if (instructions) {
        for (size_t i = 0; i < n; i++)
            column[i] = samples[i].instructions;
        put(rep, cell, instructions, samples->slot, six_digits(median_of(column, n)));
    }
    free(column);
}

// Of each process whose fastest repetitions count: metrics that are one time divided by another.
static void put_quotients(struct cb_rep *rep) {
    const char *metric;
    json_t *entry;
    json_object_foreach(json_object_get(rep->derived, "metrics"), metric, entry) {
        const json_t *of = json_object_get(entry, "quotient");
        for (size_t i = 0; i < rep->cell_count && of && rep->fastest; i++) {
            struct cb_rep_cell *cell = rep->cells[i];
            const struct cb_rep_row *rows[2];
            for (size_t k = 0; k < 2; k++)
                rows[k] =
                    cb_rep_find(rep, cell->backend, cell->scenario, cell->binding, cell->compiler,
                                cell->params, json_string_value(json_array_get(of, k)));
            if (!rows[0] || !rows[1])
                continue;
            for (size_t slot = 0; slot < rep->slots; slot++)
                if (rows[1]->values[slot] > 0)
                    put(rep, cell, metric, slot,
                        six_digits(rows[0]->values[slot] / rows[1]->values[slot]));
        }
    }
}

static json_t *index_cells(const struct cb_rep *rep) {
    json_t *index = json_object();
    for (size_t i = 0; i < rep->cell_count; i++)
        json_object_set_new(index, rep->cells[i]->id, json_integer((json_int_t)i));
    return index;
}

static int bad_samples(struct cb_rep *rep, const char *name, const char *what) {
    cb_error(rep->messages,
             "%s/%s: %s\nno report can be made\n"
             "take the file from the run again, or measure again",
             rep->dir, name, what);
    return CB_EXIT_USAGE;
}

static void note_flags(struct cb_rep *rep, struct cb_rep_cell *cell, const char *flags) {
    while (*flags) {
        size_t length = strcspn(flags, "; ");
        if (length) {
            const char *flag = cb_rep_text(rep, "%.*s", (int)length, flags);
            cell->sample_flags = cb_rep_flag(rep, cell->sample_flags, flag);
        }
        flags += length + (flags[length] != '\0');
    }
}

static int take_samples(struct cb_rep *rep, const struct cb_csv *csv) {
    const char *names[] = {"cell_id",  "round",        "build",      "metric", "value",
                           "cycle_ns", "instructions", "iterations", "flags"};
    enum { CELL, ROUND, BUILD, METRIC, VALUE, CYCLE, INSTRUCTIONS, ITERATIONS, FLAGS, COLUMNS };
    int at[COLUMNS];
    for (int i = 0; i < COLUMNS; i++)
        if ((at[i] = cb_csv_column(csv, names[i])) < 0)
            return bad_samples(rep, "samples.csv",
                               cb_rep_text(rep, "it has no column %s", names[i]));
    struct sample *samples = cb_allocate(csv->rows, sizeof *samples);
    long(*slots)[2] = cb_allocate(csv->rows, sizeof *slots);
    for (size_t r = 0; r < csv->rows; r++) {
        slots[r][0] = (long)cb_csv_value(csv, r, at[ROUND]);
        slots[r][1] = (long)cb_csv_value(csv, r, at[BUILD]);
    }
    set_slots(rep, slots, csv->rows);
    json_t *index = index_cells(rep);
    size_t count = 0, strangers = 0;
    for (size_t r = 0; r < csv->rows; r++) {
        json_t *cell = json_object_get(index, cb_csv_field(csv, r, at[CELL]));
        if (!cell) {
            strangers++;
            continue;
        }
        struct sample *sample = &samples[count];
        sample->cell = (size_t)json_integer_value(cell);
        sample->slot = find_slot(rep, (long)cb_csv_value(csv, r, at[ROUND]),
                                 (long)cb_csv_value(csv, r, at[BUILD]));
        sample->order = count++;
        sample->metric = cb_rep_text(rep, "%s", cb_csv_field(csv, r, at[METRIC]));
        sample->value = cb_csv_value(csv, r, at[VALUE]);
        sample->cycle_ns = cb_csv_value(csv, r, at[CYCLE]);
        sample->instructions =
            cb_csv_value(csv, r, at[INSTRUCTIONS]) / cb_csv_value(csv, r, at[ITERATIONS]);
        note_flags(rep, rep->cells[sample->cell], cb_csv_field(csv, r, at[FLAGS]));
    }
    json_decref(index);
    free(slots);
    if (strangers)
        cb_warning(rep->messages,
                   "%s/samples.csv: %zu rows are of cells that run.json does not plan\n"
                   "they are left out\ncheck that both files are of the same run",
                   rep->dir, strangers);
    qsort(samples, count, sizeof *samples, compare_samples);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && samples[end].cell == samples[i].cell &&
                          samples[end].slot == samples[i].slot &&
                          strcmp(samples[end].metric, samples[i].metric) == 0;)
            end++;
        const json_t *entry =
            json_object_get(json_object_get(rep->derived, "metrics"), samples[i].metric);
        if (!rep->fastest || !json_object_get(entry, "quotient"))
            put_process(rep, samples + i, end - i);
    }
    free(samples);
    put_quotients(rep);
    return 0;
}

// ---- Condensed samples --------------------------------------------------------------------------

// Lines of cell_id,metric,flags,values: values of all slots with spaces between, "-" for none. The
// first line's metric is "round/build" and its values name the slots.
static int take_condensed(struct cb_rep *rep, const struct cb_csv *csv) {
    static const char name[] = "samples-condensed.csv";
    int cell_at = cb_csv_column(csv, "cell_id"), metric_at = cb_csv_column(csv, "metric");
    int flags_at = cb_csv_column(csv, "flags"), values_at = cb_csv_column(csv, "values");
    if (cell_at < 0 || metric_at < 0 || flags_at < 0 || values_at < 0 || csv->rows == 0)
        return bad_samples(rep, name, "its columns are not cell_id,metric,flags,values");
    const char *list = cb_csv_field(csv, 0, values_at);
    long(*slots)[2] = cb_allocate(strlen(list) + 1, sizeof *slots);
    size_t count = 0;
    for (int used; sscanf(list, "%ld/%ld%n", &slots[count][0], &slots[count][1], &used) == 2;
         list += used)
        count++;
    set_slots(rep, slots, count);
    free(slots);
    json_t *index = index_cells(rep);
    for (size_t r = 1; r < csv->rows; r++) {
        json_t *found = json_object_get(index, cb_csv_field(csv, r, cell_at));
        if (!found)
            continue;
        struct cb_rep_cell *cell = rep->cells[json_integer_value(found)];
        const char *metric = cb_rep_text(rep, "%s", cb_csv_field(csv, r, metric_at));
        note_flags(rep, cell, cb_csv_field(csv, r, flags_at));
        const char *values = cb_csv_field(csv, r, values_at);
        for (size_t slot = 0; slot < rep->slots && *values; slot++) {
            size_t length = strcspn(values, " ");
            if (strncmp(values, "-", length) != 0 || length != 1)
                put(rep, cell, metric, slot, strtod(values, NULL));
            values += length + (values[length] == ' ');
        }
    }
    json_decref(index);
    return 0;
}

static int load_samples(struct cb_rep *rep) {
    struct cb_csv csv;
    char *path = cb_format("%s/samples.csv", rep->dir), *problem = NULL;
    char *condensed = cb_format("%s/samples-condensed.csv", rep->dir);
    FILE *there = fopen(path, "r"), *other = there ? NULL : fopen(condensed, "r");
    bool use_condensed = !there && other;
    if (there)
        fclose(there);
    if (other)
        fclose(other);
    int status = 0;
    if (cb_csv_read(&csv, use_condensed ? condensed : path, &problem) < 0) {
        status = bad_samples(rep, use_condensed ? "samples-condensed.csv" : "samples.csv", problem);
        free(problem);
    } else {
        status = use_condensed ? take_condensed(rep, &csv) : take_samples(rep, &csv);
        cb_csv_free(&csv);
    }
    free(path);
    free(condensed);
    return status;
}

// ---- Counts -------------------------------------------------------------------------------------

// counts.csv, where `corobench count` put one: exact instructions an operation. A counter's values
// of the run itself stay.
static int load_counts(struct cb_rep *rep) {
    static const char name[] = "counts.csv";
    struct cb_csv csv;
    char *path = cb_format("%s/%s", rep->dir, name), *problem = NULL;
    int status = 0;
    if (access(path, F_OK) != 0) {
        free(path);
        return 0;
    }
    if (cb_csv_read(&csv, path, &problem) < 0) {
        status = bad_samples(rep, name, problem);
        free(problem);
        free(path);
        return status;
    }
    free(path);
    int cell_at = cb_csv_column(&csv, "cell_id"), tool_at = cb_csv_column(&csv, "tool");
    int value_at = cb_csv_column(&csv, "instructions");
    json_t *index = index_cells(rep);
    if (cell_at < 0 || value_at < 0 || tool_at < 0)
        status = bad_samples(rep, name, "its columns are not cell_id,instructions,n1,n2,tool");
    for (size_t r = 0; !status && rep->slots && r < csv.rows; r++) {
        json_t *found = json_object_get(index, cb_csv_field(&csv, r, cell_at));
        double value = six_digits(cb_csv_value(&csv, r, value_at));
        if (!found || isnan(value)) // counted, but not part of this run
            continue;
        struct cb_rep_row *row =
            row_of(rep, rep->cells[json_integer_value(found)], CB_REP_INSTRUCTIONS);
        if (row->values)
            continue;
        put(rep, rep->cells[json_integer_value(found)], CB_REP_INSTRUCTIONS, 0, value);
        row->counted = true;
        row->note = cb_rep_text(rep, "%s", cb_csv_field(&csv, r, tool_at));
    }
    json_decref(index);
    cb_csv_free(&csv);
    return status;
}

int cb_rep_load(struct cb_rep *rep, const char *dir, FILE *messages) {
    memset(rep, 0, sizeof *rep);
    rep->messages = messages;
    rep->dir = cb_rep_text(rep, "%s", dir);
    rep->row_index = json_object();
    int status = load_run(rep);
    if (!status)
        status = load_data(rep);
    if (status)
        return status;
    rep->clustered = rep->mode == CB_REP_FULL;
    load_plan(rep);
    qsort_r(rep->cells, rep->cell_count, sizeof *rep->cells, compare_cells, rep);
    list_backends(rep);
    list_compilers(rep);
    status = load_samples(rep);
    if (!status)
        status = load_counts(rep);
    if (!status)
        status = cb_rep_load_repeats(rep);
    return status;
}
