// Follows a cell from its estimates to its samples, their raw files and the programs that were
// measured.
#include "explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

// ---- Metrics ------------------------------------------------------------------------------------

static json_t *estimates_json(const struct cb_rep *rep, const struct cb_rep_row *row) {
    json_t *list = json_array();
    for (int e = 0; row->values && e < CB_REP_ESTIMATORS; e++) {
        if (e != CB_REP_MEDIAN && (row->exact || row->aside))
            continue;
        const struct cb_rep_estimate *estimate = &row->estimate[e];
        const char *what = row->exact                ? "exact"
                           : isnan(estimate->low)    ? "none"
                           : estimate->coverage <= 0 ? "range"
                                                     : "interval";
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o, s:s, s:o, s:b}", "estimator",
                                              cb_rep_estimator_names[e], "value",
                                              number(estimate->value), "low", number(estimate->low),
                                              "high", number(estimate->high), "limits", what,
                                              "coverage", number(estimate->coverage), "shown",
                                              &row->estimate[e] == cb_rep_shown(rep, row)));
    }
    return list;
}

static void add_source(json_t *from, const char *cell_id, const char *metric) {
    json_array_append_new(from, json_pack("{s:s, s:s}", "cell_id", cell_id, "metric", metric));
}

// The cells along the key of a slope; nothing where this rule made another cell's metric.
static void slope_sources(struct cb_rep *rep, const json_t *rule, const struct cb_rep_cell *cell,
                          json_t *from) {
    const char *params = cell->params, *name, *key = cb_rep_string(rule, "over", "");
    json_t *value, *points = json_object_get(rule, "at");
    size_t i;
    json_object_foreach(json_object_get(rule, "adds"), name, value) {
        const char *has = cb_rep_param(rep, params, name);
        if (has == NULL || strcmp(has, json_string_value(value)) != 0)
            return;
        params = cb_rep_param_drop(rep, params, name);
    }
    json_array_foreach(points, i, value) {
        const char *at = cb_rep_text(rep, "%.0f", json_number_value(value));
        const struct cb_rep_row *row =
            cb_rep_find(rep, cell->backend, cell->scenario, cell->binding, cell->compiler,
                        cb_rep_param_add(rep, params, key, at), cb_rep_string(rule, "of", ""));
        if (row == NULL) {
            json_array_clear(from);
            return;
        }
        add_source(from, row->cell->id, row->metric);
    }
}

static void sum_sources(struct cb_rep *rep, const json_t *rule, const struct cb_rep_cell *cell,
                        json_t *from) {
    static const char *const lists[] = {"plus", "if_known"};
    add_source(from, cell->id, cb_rep_string(rule, "of", ""));
    for (int l = 0; l < 2; l++) {
        size_t i;
        json_t *name;
        json_array_foreach(json_object_get(rule, lists[l]), i, name) {
            const struct cb_rep_row *row =
                cb_rep_find(rep, cell->backend, cell->scenario, cell->binding, cell->compiler,
                            cell->params, json_string_value(name));
            if (l == 0 || (row && row->values))
                add_source(from, cell->id, json_string_value(name));
        }
    }
}

static void difference_sources(struct cb_rep *rep, const json_t *rule,
                               const struct cb_rep_cell *cell, json_t *from) {
    const json_t *minus = json_object_get(rule, "minus");
    add_source(from, cell->id, cb_rep_string(rule, "of", ""));
    add_source(from,
               cb_rep_text(rep, "%s/%s/%s/%s/%s", cell->backend,
                           cb_rep_string(minus, "scenario", cell->scenario), cell->binding,
                           cell->compiler, cb_rep_string(minus, "params", cell->params)),
               cb_rep_string(minus, "metric", ""));
}

// What a metric is made from: [] for what was measured itself. *how says it in words.
static json_t *sources(struct cb_rep *rep, const struct cb_rep_row *row, const char **how) {
    const struct cb_rep_cell *cell = row->cell;
    json_t *from = json_array(), *rule, *about;
    const char *name;
    size_t i;
    *how = "";
    json_array_foreach(json_object_get(rep->derived, "derived"), i, rule) {
        const char *kind = cb_rep_string(rule, "kind", "");
        if (json_array_size(from) || strcmp(cb_rep_string(rule, "metric", ""), row->metric) != 0 ||
            strcmp(cb_rep_string(rule, "scenario", ""), cell->scenario) != 0)
            continue;
        if (strcmp(kind, "slope") == 0) {
            slope_sources(rep, rule, cell, from);
            *how = cb_rep_text(rep, "least squares slope over %s, round by round",
                               cb_rep_string(rule, "over", ""));
        } else if (strcmp(kind, "difference") == 0) {
            difference_sources(rep, rule, cell, from);
            const char *times = cb_rep_string(rule, "times", NULL);
            const char *value = times ? cb_rep_param(rep, cell->params, times) : NULL;
            *how = "the first minus the second, round by round";
            if (times)
                *how = cb_rep_text(rep, "the first minus %s times (%s) the second, round by round",
                                   value ? value : "?", times);
        } else if (strcmp(kind, "sum") == 0) {
            sum_sources(rep, rule, cell, from);
            *how = "sum, round by round";
        }
    }
    json_object_foreach(json_object_get(rep->derived, "metrics"), name, about) {
        const struct cb_rep_row *of = cb_rep_find(rep, cell->backend, cell->scenario, cell->binding,
                                                  cell->compiler, cell->params, name);
        if (of && strcmp(cb_rep_string(about, "cycles", ""), row->metric) == 0) {
            add_source(from, cell->id, name);
            *how = "counted where a counter was there, else over the time of one cycle, measured "
                   "beside it";
        }
    }
    return from;
}

static json_t *metrics_json(struct cb_rep *rep, const struct cb_rep_cell *cell) {
    json_t *list = json_array();
    for (size_t i = 0; i < rep->row_count; i++) {
        const struct cb_rep_row *row = rep->rows[i];
        if (strcmp(row->cell->id, cell->id) != 0)
            continue;
        const char *how;
        json_t *from = sources(rep, row, &how);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:o, s:s}",
                                              "metric", row->metric, "unit", row->unit, "status",
                                              row->status, "note", row->note, "flags", row->flags,
                                              "rounds", (int)row->rounds, "estimates",
                                              estimates_json(rep, row), "from", from, "how", how));
    }
    return list;
}

// ---- Programs and commands ----------------------------------------------------------------------

static const json_t *plan_entry(const struct cb_rep *rep, const struct cb_rep_cell *cell) {
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(rep->run, "plan"), i,
                       entry) if (strcmp(cb_rep_string(entry, "cell_id", ""), cell->id) ==
                                  0) return entry;
    return NULL;
}

// The name that the build gives to that link of a bench program. Free it.
static char *program_name(const struct cb_rep_cell *cell, long long link) {
    return link ? cb_format("bench/%s-%s-link%lld", cell->backend, cell->compiler, link)
                : cb_format("bench/%s-%s", cell->backend, cell->compiler);
}

static json_t *programs_json(const struct cb_rep *rep, const struct cb_rep_cell *cell) {
    json_t *list = json_array(), *entry;
    size_t i;
    json_array_foreach(json_object_get(rep->run, "programs"), i, entry) {
        if (strcmp(cb_rep_string(entry, "backend", ""), cell->backend) != 0 ||
            strcmp(cb_rep_string(entry, "compiler", ""), cell->compiler) != 0)
            continue;
        static const char *const keys[] = {"compiler", "compiler_version", "flags",
                                           "language", "build_type",       "environment"};
        json_t *describe = json_object_get(entry, "describe");
        json_t *program =
            json_pack("{s:s, s:O, s:s, s:s}", "backend", cell->backend, "link",
                      json_object_get(entry, "link"), "status", cb_rep_string(entry, "status", ""),
                      "note", cb_rep_string(entry, "note", ""));
        char *name = program_name(cell, json_integer_value(json_object_get(entry, "link")));
        json_object_set_new(program, "program", json_string(name));
        free(name);
        json_object_set(program, "sha256", json_object_get(entry, "sha256"));
        json_object_set(program, "library_sha256", json_object_get(entry, "library_sha256"));
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            json_object_set(program, keys[k], json_object_get(describe, keys[k]));
        json_array_append_new(list, program);
    }
    return list;
}

// {"NAME": "value"} that the program wants for these params.
static json_t *environment_json(const json_t *programs, const char *params) {
    json_t *environment = json_object(), *variables;
    const char *pair;
    char *all = cb_format(";%s;", params);
    json_object_foreach(json_object_get(json_array_get(programs, 0), "environment"), pair,
                        variables) {
        char *token = cb_format(";%s;", pair);
        if (strstr(all, token) != NULL)
            json_object_update(environment, variables);
        free(token);
    }
    free(all);
    return environment;
}

static json_t *padding_of(const struct cb_rep *rep, long round) {
    json_t *padding = json_array_get(json_object_get(rep->run, "padding"), (size_t)(round - 1));
    return round > 0 && padding ? json_incref(padding) : json_null();
}

// The params that the bench program got: a twin is measured as its original is.
static const char *asked_params(const struct cb_rep_cell *cell) {
    const char *params = cell->twin_of; // backend/scenario/binding/compiler/params
    for (int slashes = 0; slashes < 4; slashes++) {
        params = strchr(params, '/');
        if (!params++)
            return cell->params;
    }
    return params;
}

// How many additions in a cycle a sample waits for before it begins; 0: not known.
static double calm_of(const json_t *settings) {
    const json_t *again = json_object_get(settings, "again");
    return json_number_value(json_object_get(again, "crowded")) *
           json_number_value(json_object_get(again, "width"));
}

// For how long, in milliseconds; 0: not at all, and on no other unit.
static double wait_of(const json_t *settings) {
    return json_number_value(json_object_get(json_object_get(settings, "again"), "wait_ms"));
}

// What a shell would have to run, from the folder of corobench, to take the sample of that round
// and link again into `out`; null for a cell that no process measures.
static json_t *command_json(const struct cb_explain_run *run, const struct cb_rep_cell *cell,
                            long round, long link, const char *out) {
    const json_t *document = run->rep.run, *settings = json_object_get(document, "settings");
    const json_t *entry = plan_entry(&run->rep, cell), *cpus = json_object_get(document, "cpus");
    if (entry == NULL || strcmp(cell->kind, "static") == 0 || json_array_size(cpus) == 0)
        return json_null();
    json_t *programs = programs_json(&run->rep, cell), *padding = padding_of(&run->rep, round);
    json_t *environment = environment_json(programs, cell->params), *value;
    const json_t *repetitions = json_object_get(document, "repetitions");
    bool two = cb_params_number(cell->params, "cpus", 1) > 1;
    char *program = program_name(cell, link);
    const char *name;
    struct cb_text text = {0};
    json_object_foreach(environment, name, value)
        cb_text_add(&text, "%s='%s' ", name, cb_rep_string(environment, name, ""));
    if (json_is_integer(padding))
        cb_text_add(&text, "COROBENCH_PADDING=\"$(printf '%%%llds' '')\" ",
                    (long long)json_integer_value(padding));
    cb_text_add(&text, "%s --measure --scenario %s --binding %s --params '%s' --cpu %lld", program,
                cell->scenario, cell->binding, asked_params(cell),
                (long long)json_integer_value(json_array_get(cpus, 0)));
    if (json_array_size(cpus) > 1 &&
        (two || (cb_cpus_are_ours(json_object_get(document, "command")) && wait_of(settings) > 0)))
        cb_text_add(&text, ",%lld", (long long)json_integer_value(json_array_get(cpus, 1)));
    double calm = two || strcmp(cell->kind, "time") != 0 ? 0 : calm_of(settings);
    if (calm > 0 && wait_of(settings) > 0)
        cb_text_add(&text, " --calm %.3f,%g", calm, wait_of(settings));
    cb_text_add(&text, " --iterations %lld --repetitions %lld --out %s",
                (long long)json_integer_value(json_object_get(entry, "iterations")),
                (long long)json_integer_value(
                    repetitions ? repetitions : json_object_get(settings, "repetitions")),
                out);
    json_t *command = json_string(text.text);
    cb_text_clear(&text);
    free(program);
    json_decref(environment);
    json_decref(padding);
    json_decref(programs);
    return command;
}

// ---- Raw files ----------------------------------------------------------------------------------

// What stands between number and ending in the names of a cell's raw files. Free it.
static char *raw_slug(const struct cb_rep_cell *cell) {
    char folder[] = "", *id = cb_copy(cell->id);
    struct cb_cell planned = {.id = id};
    struct cb_step step = {.cell = 0};
    struct cb_run run = {.folder = folder,
                         .plan = {.cells = &planned, .count = 1},
                         .order = {.steps = &step, .count = 1}};
    char *path = cb_raw_path(&run, 0, 0); // "/raw/000001-SLUG.json"
    const char *slug = strchr(path, '-');
    char *result = cb_format("%.*s", (int)(strlen(slug) - strlen(".json")), slug);
    free(path);
    free(id);
    return result;
}

// How often a sample was taken before this file: N in ".againN.json"; -1 where the name is another
// cell's.
static int raw_again(const char *name, const char *slug) {
    const char *rest = name + strspn(name, "0123456789");
    size_t length = strlen(slug);
    if (rest == name || strncmp(rest, slug, length) != 0)
        return -1;
    rest += length;
    if (strcmp(rest, ".json") == 0)
        return 0;
    static const char again[] = ".again";
    if (strncmp(rest, again, sizeof again - 1) != 0)
        return -1;
    char *end;
    long times = strtol(rest + sizeof again - 1, &end, 10);
    return strcmp(end, ".json") == 0 && times > 0 ? (int)times : -1;
}

static bool same_cell(const json_t *answer, const struct cb_rep_cell *cell) {
    const char *const names[][2] = {{"backend", cell->backend},
                                    {"scenario", cell->scenario},
                                    {"binding", cell->binding},
                                    {"params", asked_params(cell)},
                                    {"compiler", cell->compiler}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(cb_rep_string(answer, names[i][0], ""), names[i][1]) != 0)
            return false;
    return true;
}

// The raw files of a cell in the order in which they were written.
struct raw_file {
    const char *name;
    int again;
    json_t *document, *answer;
    bool used;
};

static size_t read_raw(const struct cb_explain_run *run, const struct cb_rep_cell *cell,
                       struct raw_file *files) {
    size_t count = 0;
    char *slug = raw_slug(cell);
    for (size_t i = 0; i < run->raw.count; i++) {
        struct raw_file file = {.name = run->raw.list[i]};
        if ((file.again = raw_again(file.name, slug)) < 0)
            continue;
        char *path = cb_format("%s/raw/%s", run->rep.dir, file.name);
        file.document = json_load_file(path, 0, NULL);
        free(path);
        json_t *context = json_object_get(file.document, "context");
        const char *text = json_string_value(json_object_get(context, "corobench"));
        file.answer = text ? json_loads(text, 0, NULL) : NULL;
        if (file.answer && same_cell(file.answer, cell)) {
            files[count++] = file;
            continue;
        }
        json_decref(file.answer); // a cell of the same letters and digits
        json_decref(file.document);
    }
    free(slug);
    return count;
}

static double member(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

// Whether the file's first repetition is what this row of samples.csv was made from.
static bool holds_row(const struct raw_file *file, const struct cb_csv *csv, size_t row) {
    const json_t *first = json_array_get(json_object_get(file->document, "benchmarks"), 0);
    double wall = cb_csv_value(csv, row, cb_csv_column(csv, "wall_ns"));
    if (!isnan(wall))
        return member(first, "real_time") == wall;
    return member(first, cb_csv_field(csv, row, cb_csv_column(csv, "metric"))) ==
           cb_csv_value(csv, row, cb_csv_column(csv, "value"));
}

// ---- Samples ------------------------------------------------------------------------------------

// What the counters of a sample's repetitions add up to, from the rows of its first metric.
static void add_disturbances(json_t *sample, const struct cb_csv *csv, const size_t *rows,
                             size_t count) {
    static const char *const names[] = {"nvcsw", "nivcsw", "steal", "faults"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        int column = cb_csv_column(csv, names[k]);
        double sum = 0;
        bool any = false;
        for (size_t i = 0; column >= 0 && i < count; i++) {
            double value = cb_csv_value(csv, rows[i], column);
            any |= !isnan(value);
            sum += isnan(value) ? 0 : value;
        }
        json_object_set_new(sample, names[k], any ? number(sum) : json_null());
    }
}

// The values that the report took: one a metric, of this round and link.
static json_t *values_json(const struct cb_rep *rep, const struct cb_rep_cell *cell, long round,
                           long build) {
    json_t *values = json_object();
    for (size_t i = 0; i < rep->row_count; i++) {
        const struct cb_rep_row *row = rep->rows[i];
        if (strcmp(row->cell->id, cell->id) != 0 || !row->values)
            continue;
        for (size_t slot = 0; slot < rep->slots; slot++)
            if (rep->slot_round[slot] == round && rep->slot_build[slot] == build &&
                !isnan(row->values[slot]))
                json_object_set_new(values, row->metric, number(row->values[slot]));
    }
    return values;
}

static long whole(const struct cb_csv *csv, size_t row, const char *column) {
    double value = cb_csv_value(csv, row, cb_csv_column(csv, column));
    return isnan(value) ? 0 : (long)value;
}

static json_t *sample_json(const struct cb_explain_run *run, const struct cb_rep_cell *cell,
                           const size_t *rows, size_t count, struct raw_file *files,
                           size_t file_count) {
    const struct cb_csv *csv = &run->samples;
    long round = whole(csv, rows[0], "round"), build = whole(csv, rows[0], "build");
    json_t *sample = json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:s}", "round", (json_int_t)round,
                               "position", (json_int_t)whole(csv, rows[0], "position"), "build",
                               (json_int_t)build, "repetitions", (json_int_t)count, "values",
                               values_json(&run->rep, cell, round, build), "padding",
                               padding_of(&run->rep, round), "flags",
                               cb_csv_field(csv, rows[0], cb_csv_column(csv, "flags")));
    add_disturbances(sample, csv, rows, count);
    size_t f = 0;
    while (f < file_count && (files[f].used || !holds_row(&files[f], csv, rows[0])))
        f++;
    if (f < file_count) {
        files[f].used = true;
        char *name = cb_format("raw/%s", files[f].name);
        json_object_set_new(sample, "raw", json_string(name));
        json_object_set_new(sample, "taken_again", json_integer(files[f].again));
        json_object_set_new(
            sample, "migrated",
            json_boolean(json_is_true(json_object_get(files[f].answer, "migrated"))));
        free(name);
    } else {
        json_object_set_new(sample, "raw", json_null());
    }
    const char *raw = cb_rep_string(sample, "raw", "FILE");
    json_object_set_new(sample, "command", command_json(run, cell, round, build, raw));
    return sample;
}

// The samples of a run that keeps all: the rows of one round and link, each first metric only, are
// its repetitions.
static json_t *samples_json(const struct cb_explain_run *run, const struct cb_rep_cell *cell,
                            struct raw_file *files, size_t file_count) {
    const struct cb_csv *csv = &run->samples;
    json_t *samples = json_array();
    int id = cb_csv_column(csv, "cell_id"), metric = cb_csv_column(csv, "metric");
    size_t *rows = cb_allocate(csv->rows, sizeof *rows), count = 0;
    const char *first = NULL;
    for (size_t r = 0; r <= csv->rows; r++) {
        bool own = r < csv->rows && strcmp(cb_csv_field(csv, r, id), cell->id) == 0;
        bool same = own && count > 0 && whole(csv, r, "round") == whole(csv, rows[0], "round") &&
                    whole(csv, r, "build") == whole(csv, rows[0], "build");
        if (count > 0 && !same && (own || r == csv->rows)) {
            json_array_append_new(samples, sample_json(run, cell, rows, count, files, file_count));
            count = 0;
        }
        if (!own)
            continue;
        if (count == 0)
            first = cb_csv_field(csv, r, metric);
        if (strcmp(cb_csv_field(csv, r, metric), first) == 0)
            rows[count++] = r;
    }
    free(rows);
    return samples;
}

static json_t *condensed_json(const struct cb_explain_run *run, const struct cb_rep_cell *cell) {
    const struct cb_rep *rep = &run->rep;
    json_t *samples = json_array();
    for (size_t slot = 0; slot < rep->slots; slot++) {
        json_t *values = values_json(rep, cell, rep->slot_round[slot], rep->slot_build[slot]);
        long round = rep->slot_round[slot], build = rep->slot_build[slot];
        if (json_object_size(values))
            json_array_append_new(samples,
                                  json_pack("{s:I, s:n, s:I, s:O, s:o, s:s, s:n, s:o}", "round",
                                            (json_int_t)round, "position", "build",
                                            (json_int_t)build, "values", values, "padding",
                                            padding_of(rep, round), "flags", "", "raw", "command",
                                            command_json(run, cell, round, build, "FILE")));
        json_decref(values);
    }
    return samples;
}

// ---- The whole ----------------------------------------------------------------------------------

// Raw files that no sample of the run stands on: of a cell that failed, say.
static json_t *other_raw_json(struct raw_file *files, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        if (!files[i].used) {
            char *name = cb_format("raw/%s", files[i].name);
            json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:s}", "raw", name, "status",
                                            cb_rep_string(files[i].answer, "status", ""), "note",
                                            cb_rep_string(files[i].answer, "note", "")));
            free(name);
        }
        json_decref(files[i].document);
        json_decref(files[i].answer);
    }
    return list;
}

json_t *cb_explain_trace(struct cb_explain_run *run, const struct cb_rep_cell *cell) {
    struct cb_rep *rep = &run->rep;
    const json_t *entry = plan_entry(rep, cell);
    struct raw_file *files = cb_allocate(run->raw.count, sizeof *files);
    size_t file_count = entry ? read_raw(run, cell, files) : 0;
    json_t *programs = programs_json(rep, cell);
    json_t *samples = entry == NULL      ? json_array() // derived: it has no process of its own
                      : run->has_samples ? samples_json(run, cell, files, file_count)
                                         : condensed_json(run, cell);
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:o, s:o, s:o, s:o}", "cell_id",
        cell->id, "backend", cell->backend, "family", cell->family, "scenario", cell->scenario,
        "binding", cell->binding, "compiler", cell->compiler, "params", cell->params, "status",
        cell->status, "note", cell->note, "derived", entry == NULL, "kind", cell->kind, "metrics",
        metrics_json(rep, cell), "samples", samples, "environment",
        environment_json(programs, cell->params), "other_raw", other_raw_json(files, file_count));
    json_object_set(object, "iterations", json_object_get(entry, "iterations"));
    json_object_set_new(object, "programs", programs);
    free(files);
    return object;
}

json_t *cb_explain_about(const struct cb_explain_run *run) {
    static const char *const keys[] = {"mode",    "seed",    "rounds",    "repetitions",
                                       "started", "command", "compilers", "machine",
                                       "cpus",    "complete"};
    const json_t *document = run->rep.run;
    json_t *about = json_pack("{s:i, s:s, s:s, s:b}", "schema", 1, "run", run->rep.run_id, "folder",
                              run->rep.dir, "condensed", !run->has_samples);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        json_object_set(about, keys[i], json_object_get(document, keys[i]));
    json_object_set(about, "again",
                    json_object_get(json_object_get(document, "settings"), "again"));
    return about;
}
