// Checks raw files and turns them into rows.
#include "samples.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "file.h"
#include "process.h"

const char cb_samples_header[] =
    "run,cell_id,round,build,rep,position,metric,value,iterations,wall_ns,cpu_ns,cycle_ns,"
    "instructions,faults,nvcsw,nivcsw,steal,flags\n";

// What cells that are not timed may have.
static const char *const untimed_metrics[] = {"rss",    "page_tables", "virtual",
                                              "kernel", "mappings",    "coroutines"};
#define UNTIMED_METRICS (sizeof untimed_metrics / sizeof *untimed_metrics)

// A number of a repetition; NAN where it is absent or null.
static double number(const json_t *repetition, const char *key) {
    json_t *value = json_object_get(repetition, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static bool is_timed(const struct cb_cell *cell) {
    return strcmp(cell->kind, "time") == 0;
}

// ---- Checking

// What the answer's own names say differently from the cell, or NULL.
static const char *wrong_name(const json_t *answer, const struct cb_cell *cell) {
    const char *const names[][2] = {{"backend", cell->backend},
                                    {"scenario", cell->scenario},
                                    {"binding", cell->binding},
                                    {"params", cb_cell_asked(cell)},
                                    {"compiler", cell->compiler}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *said = json_string_value(json_object_get(answer, names[i][0]));
        if (said == NULL || strcmp(said, names[i][1]) != 0)
            return names[i][0];
    }
    return NULL;
}

static char *check_time(const json_t *repetition, size_t index) {
    static const char *const needed[] = {"real_time", "cpu_time", "operations"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        double value = number(repetition, needed[i]);
        // The CPU clock may be too coarse to see a short batch.
        if (!isfinite(value) || value < 0 || (value <= 0 && strcmp(needed[i], "cpu_time") != 0))
            return cb_format("repetition %zu has no valid %s", index + 1, needed[i]);
    }
    return NULL;
}

static char *check_untimed(const json_t *repetition, size_t index) {
    for (size_t i = 0; i < UNTIMED_METRICS; i++)
        if (isfinite(number(repetition, untimed_metrics[i])))
            return NULL;
    return cb_format("repetition %zu has no size at all", index + 1);
}

static char *check_repetitions(const json_t *list, const struct cb_cell *cell,
                               unsigned repetitions) {
    size_t count = json_array_size(list);
    bool right = is_timed(cell) ? count == repetitions : count >= 1 && count <= repetitions;
    if (!right)
        return cb_format("it has %zu repetitions instead of %u", count, repetitions);
    for (size_t i = 0; i < count; i++) {
        json_t *repetition = json_array_get(list, i);
        char *problem = is_timed(cell) ? check_time(repetition, i) : check_untimed(repetition, i);
        if (problem != NULL)
            return problem;
    }
    return NULL;
}

// The answer that the document's context carries as a text; NULL where it has none.
static json_t *find_answer(const json_t *document) {
    json_t *context = json_object_get(document, "context");
    const char *text = json_string_value(json_object_get(context, "corobench"));
    return text ? json_loads(text, 0, NULL) : NULL;
}

static char *check_answer(struct cb_sample *sample, const json_t *answer,
                          const struct cb_cell *cell, unsigned repetitions) {
    if (answer == NULL)
        return cb_copy("its context has no answer of a bench program");
    const char *name = wrong_name(answer, cell);
    if (name != NULL)
        return cb_format("it is about another %s", name);
    const char *status = json_string_value(json_object_get(answer, "status"));
    if (status == NULL)
        return cb_copy("it has no status");
    sample->status = cb_status_from_text(status);
    sample->note = cb_copy(json_string_value(json_object_get(answer, "note")));
    cb_scrub_paths(sample->note);
    sample->link = (int)json_integer_value(json_object_get(answer, "link"));
    sample->migrated = json_is_true(json_object_get(answer, "migrated"));
    if (sample->status != CB_CELL_OK)
        return NULL;
    if (!json_is_true(json_object_get(answer, "pinned")))
        return cb_copy("it ran without being pinned");
    return check_repetitions(json_object_get(sample->document, "benchmarks"), cell, repetitions);
}

char *cb_sample_read(struct cb_sample *sample, const char *path, const struct cb_cell *cell,
                     unsigned repetitions) {
    *sample = (struct cb_sample){0};
    char *bytes = NULL;
    size_t length = 0;
    int error = cb_file_read(path, &bytes, &length);
    if (error < 0)
        return cb_copy(strerror(-error));
    json_error_t where;
    sample->document = json_loadb(bytes, length, 0, &where);
    free(bytes);
    if (sample->document == NULL)
        return cb_format("not valid JSON, line %d: %s", where.line, where.text);
    json_t *answer = find_answer(sample->document);
    char *problem = check_answer(sample, answer, cell, repetitions);
    json_decref(answer);
    if (problem != NULL)
        cb_sample_free(sample);
    return problem;
}

void cb_sample_free(struct cb_sample *sample) {
    free(sample->note);
    json_decref(sample->document);
    *sample = (struct cb_sample){0};
}

// ---- Taking again

static const char *const retake_names[CB_RETAKES] = {"", "migration", "steal", "involuntary",
                                                     "crowded"};

const char *cb_retake_name(enum cb_retake reason) {
    return retake_names[reason];
}

// Whether other processes took a part of a repetition's time that matters.
static bool is_hit(const json_t *repetition, const struct cb_again *again) {
    double wall = number(repetition, "real_time"), cpu = number(repetition, "cpu_time");
    double involuntary = fmax(0, number(repetition, "nivcsw")); // fmax drops a NAN
    double voluntary = fmax(0, number(repetition, "nvcsw"));
    return involuntary > again->involuntary + voluntary && wall - cpu > again->lost * wall;
}

// Whether another hardware thread of the core took a part of it. Neither wall time nor CPU time of
// ours tells, and steal time does not count it.
static bool is_crowded(const json_t *repetition, const struct cb_again *again) {
    return number(repetition, "width") < again->crowded * again->width; // false for a NAN
}

enum cb_retake cb_sample_disturbed(const struct cb_sample *sample, const struct cb_again *again,
                                   bool parallel) {
    double steal = 0, seconds = 0;
    size_t i, hits = 0, crowded = 0;
    json_t *list = json_object_get(sample->document, "benchmarks"), *repetition;
    json_array_foreach(list, i, repetition) {
        steal += fmax(0, number(repetition, "steal"));
        seconds += 1e-9 * fmax(0, number(repetition, "real_time"));
        bool hit = !parallel && is_hit(repetition, again);
        hits += hit;
        crowded += hit || is_crowded(repetition, again);
    }
    if (sample->status != CB_CELL_OK)
        return CB_RETAKE_NONE;
    if (sample->migrated)
        return CB_RETAKE_MIGRATION;
    if (steal > again->steal + again->steal_per_s * seconds)
        return CB_RETAKE_STEAL;
    double most = again->hit * (double)json_array_size(list);
    return (double)hits > most      ? CB_RETAKE_INVOLUNTARY
           : (double)crowded > most ? CB_RETAKE_CROWDED
                                    : CB_RETAKE_NONE;
}

size_t cb_sample_get_retakes(const struct cb_sample *sample, enum cb_retake *reasons, size_t most) {
    json_t *context = json_object_get(sample->document, "context"), *name;
    size_t i, count = 0;
    json_array_foreach(json_object_get(context, "retakes"), i, name) {
        const char *text = json_string_value(name);
        for (int r = CB_RETAKE_NONE + 1; text != NULL && r < CB_RETAKES && count < most; r++)
            if (strcmp(text, retake_names[r]) == 0)
                reasons[count++] = (enum cb_retake)r;
    }
    return count;
}

int cb_sample_set_retakes(struct cb_sample *sample, const char *path, const enum cb_retake *reasons,
                          size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(retake_names[reasons[i]]));
    char *text = NULL;
    if (json_object_set_new(json_object_get(sample->document, "context"), "retakes", list) == 0)
        text = json_dumps(sample->document, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    int error = text ? cb_file_write(path, text, strlen(text)) : -ENOMEM;
    free(text);
    return error;
}

// ---- Rows

// The fields that all rows of one repetition share.
struct row {
    struct cb_csv_row csv;
    const char *run, *cell_id, *flags;
    long long round, build, rep, position;
};

static void begin_row(struct row *row, const char *metric, double value, double iterations) {
    cb_csv_text(&row->csv, row->run);
    cb_csv_text(&row->csv, row->cell_id);
    cb_csv_integer(&row->csv, row->round);
    cb_csv_integer(&row->csv, row->build);
    cb_csv_integer(&row->csv, row->rep);
    cb_csv_integer(&row->csv, row->position);
    cb_csv_text(&row->csv, metric);
    cb_csv_number(&row->csv, value);
    cb_csv_number(&row->csv, iterations);
}

// Totals of the repetition; those that `from` lacks stay empty. `wall` belongs to the loop that the
// row is about, the others only to the coroutines' own loop.
static void end_row(struct row *row, double wall, const json_t *from) {
    static const char *const keys[] = {"cpu_time", "cycle_ns", "instructions", "faults",
                                       "nvcsw",    "nivcsw",   "steal"};
    cb_csv_number(&row->csv, wall);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        cb_csv_number(&row->csv, number(from, keys[i]));
    cb_csv_text(&row->csv, row->flags);
    cb_csv_end(&row->csv);
}

// A metric without totals of its own.
static void plain_row(struct row *row, const char *metric, double value, double iterations) {
    if (!isfinite(value))
        return;
    begin_row(row, metric, value, iterations);
    end_row(row, (double)NAN, NULL);
}

// Another loop timed beside the coroutines'.
static void beside_row(struct row *row, const char *metric, double wall, double iterations) {
    if (!isfinite(wall))
        return;
    begin_row(row, metric, wall / iterations, iterations);
    end_row(row, wall, NULL);
}

static void time_rows(struct row *row, const json_t *repetition) {
    static const char *const counters[] = {"cycles", "instructions", "branch_misses", "l1_misses",
                                           "polls"};
    double n = number(repetition, "operations"), wall = number(repetition, "real_time");
    double hand = number(repetition, "hand_ns");
    begin_row(row, "time", wall / n, n);
    end_row(row, wall, repetition);
    beside_row(row, "loop", number(repetition, "loop_ns"), n);
    beside_row(row, "hand", hand, n);
    if (hand > 0)
        plain_row(row, "ratio", wall / hand, n);
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        plain_row(row, counters[i], number(repetition, counters[i]) / n, n);
}

static void untimed_rows(struct row *row, const json_t *repetition) {
    for (size_t i = 0; i < UNTIMED_METRICS; i++)
        plain_row(row, untimed_metrics[i], number(repetition, untimed_metrics[i]),
                  number(repetition, "operations"));
}

void cb_sample_rows(struct cb_text *rows, const char *run, const struct cb_cell *cell,
                    const struct cb_step *step, const struct cb_sample *sample, const char *flags) {
    if (sample->status != CB_CELL_OK)
        return;
    struct row row = {.csv = {.to = rows},
                      .run = run,
                      .cell_id = cell->id,
                      .flags = flags,
                      .round = step->round,
                      .build = sample->link,
                      .position = step->position};
    size_t i;
    json_t *repetition;
    json_array_foreach(json_object_get(sample->document, "benchmarks"), i, repetition) {
        row.rep = (long long)i + 1;
        if (is_timed(cell))
            time_rows(&row, repetition);
        else
            untimed_rows(&row, repetition);
    }
}

void cb_static_rows(struct cb_text *rows, const char *run, const struct cb_cell *cell,
                    const json_t *entry, const json_t *describe) {
    struct row row = {.csv = {.to = rows},
                      .run = run,
                      .cell_id = cell->id,
                      .flags = "",
                      .build = json_integer_value(json_object_get(describe, "link"))};
    const char *member = json_string_value(json_object_get(entry, "member"));
    json_t *facts = json_object_get(describe, member ? member : ""), *name;
    size_t i;
    json_array_foreach(json_object_get(entry, "metrics"), i, name) {
        const char *metric = json_string_value(name);
        double value = metric ? number(facts, metric) : (double)NAN;
        if (value >= 0) // a description says -1 for what the build could not count
            plain_row(&row, metric, value, (double)NAN);
    }
}
