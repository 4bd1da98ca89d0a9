// run.json: written whole at the start, after the pilots and at the end; read to resume a run.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "file.h"
#include "message.h"
#include "run.h"

// ---- Writing

static bool is_planned(const struct cb_run *run, const struct cb_program *program) {
    for (size_t i = 0; i < run->plan.count; i++)
        if (strcmp(run->plan.cells[i].backend, program->backend) == 0 &&
            strcmp(run->plan.cells[i].compiler, program->compiler) == 0)
            return true;
    return false;
}

static json_t *programs_to_json(const struct cb_run *run) {
    json_t *list = json_array();
    for (size_t i = 0; i < run->programs.count; i++) {
        const struct cb_program *p = &run->programs.list[i];
        if (is_planned(run, p))
            json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:s, s:s, s:s?, s:s?, s:O?}",
                                                  "backend", p->backend, "compiler", p->compiler,
                                                  "link", p->link, "status", p->status, "note",
                                                  p->note, "sha256", p->sha256, "library_sha256",
                                                  p->library_sha256, "describe", p->describe));
    }
    return list;
}

static json_t *compilers_to_json(const struct cb_run *run) {
    json_t *compilers = json_object();
    for (size_t i = 0; i < run->programs.count; i++) {
        const struct cb_program *p = &run->programs.list[i];
        const char *version = cb_program_text(p, "compiler_version");
        if (is_planned(run, p) && *version && json_object_get(compilers, p->compiler) == NULL)
            json_object_set_new(compilers, p->compiler, json_string(version));
    }
    return compilers;
}

static json_t *padding_to_json(const struct cb_order *order) {
    json_t *list = json_array();
    for (unsigned r = 0; r < order->rounds; r++)
        json_array_append_new(list, json_integer(order->padding[r]));
    return list;
}

static void utc_now(char *text, size_t size) {
    time_t now = time(NULL);
    struct tm utc;
    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

static json_t *cpus_to_json(const struct cb_cpus *cpus) {
    return cpus->second >= 0 ? json_pack("[i, i]", cpus->first, cpus->second)
                             : json_pack("[i]", cpus->first);
}

static json_t *retakes_to_json(const struct cb_run *run) {
    json_t *counts = json_object();
    for (int r = CB_RETAKE_NONE + 1; r < CB_RETAKES; r++)
        json_object_set_new(counts, cb_retake_name((enum cb_retake)r),
                            json_integer((json_int_t)run->retakes[r]));
    return counts;
}

int cb_record_write(const struct cb_run *run, bool complete) {
    char finished[32];
    size_t taken, total = cb_measure_total(run, &taken);
    utc_now(finished, sizeof finished);
    json_t *record = json_pack(
        "{s:i, s:s, s:s, s:I, s:O, s:i, s:i, s:s, s:s?, s:b, s:i, s:{s:I, s:I, s:I, s:I}, s:o, "
        "s:o, s:O, s:O?, s:o, s:o, s:o, s:o, s:o}",
        "schema", CB_RUN_SCHEMA, "run", run->name, "mode", run->mode, "seed", (json_int_t)run->seed,
        "command", run->command, "rounds", (int)run->settings.rounds, "repetitions",
        (int)run->settings.repetitions, "started", run->started, "finished",
        complete ? finished : NULL, "complete", complete, "resumed", run->resumed, "samples",
        "planned", (json_int_t)total, "taken", (json_int_t)taken, "taken_again",
        (json_int_t)run->again_count, "disturbed", (json_int_t)run->disturbed, "retakes",
        retakes_to_json(run), "settings", cb_settings_to_json(&run->settings), "machine",
        run->machine, "doctor", run->doctor, "cpus", cpus_to_json(&run->cpus), "padding",
        padding_to_json(&run->order), "compilers", compilers_to_json(run), "programs",
        programs_to_json(run), "plan", cb_plan_to_json(&run->plan));
    char *path = cb_format("%s/run.json", run->folder);
    char *text = record ? json_dumps(record, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(record);
    int status = CB_EXIT_OK;
    if (text == NULL) {
        cb_error(stderr, "%s: a text in it is not UTF-8, or there is no memory\nthe run stops",
                 path);
        status = CB_EXIT_USAGE;
    } else {
        char *line = cb_format("%s\n", text);
        int error = cb_file_write(path, line, strlen(line));
        free(line);
        if (error < 0) {
            cb_error(stderr, "%s: %s\nthe run stops here; what is measured is kept", path,
                     strerror(-error));
            status = CB_EXIT_USAGE;
        }
    }
    free(text);
    free(path);
    return status;
}

// ---- Resuming

static int refuse(const char *folder, const char *why) {
    cb_error(stderr,
             "%s cannot be resumed: %s\nnothing is measured; the run is as it was\nstart a new "
             "run instead",
             folder, why);
    return CB_EXIT_USAGE;
}

static const struct cb_program *find_program(const struct cb_programs *programs,
                                             const char *backend, const char *compiler, int link) {
    for (size_t i = 0; i < programs->count; i++) {
        const struct cb_program *p = &programs->list[i];
        if (strcmp(p->backend, backend) == 0 && strcmp(p->compiler, compiler) == 0 &&
            p->link == link)
            return p;
    }
    return NULL;
}

static bool same_text(const json_t *was, const char *is) {
    const char *text = json_string_value(was);
    return text == NULL || is == NULL ? text == is : strcmp(text, is) == 0;
}

// How the programs of the record differ from those that are there: a line each; NULL if not.
static char *program_differences(const json_t *record, const struct cb_programs *programs) {
    struct cb_text lines = {0};
    json_t *entry;
    size_t i;
    json_array_foreach(json_object_get(record, "programs"), i, entry) {
        const char *backend, *compiler, *what = NULL;
        int link;
        if (json_unpack(entry, "{s:s, s:s, s:i}", "backend", &backend, "compiler", &compiler,
                        "link", &link) < 0)
            return cb_copy("run.json names a program wrongly");
        const struct cb_program *p = find_program(programs, backend, compiler, link);
        if (p == NULL)
            what = "is no longer there";
        else if (!same_text(json_object_get(entry, "status"), p->status))
            what = "was available and is not, or the other way round";
        else if (!same_text(json_object_get(entry, "sha256"), p->sha256) ||
                 !same_text(json_object_get(entry, "library_sha256"), p->library_sha256))
            what = "was built anew and differs";
        if (what != NULL)
            cb_text_add(&lines, "%sbench program %s, %s, link %d %s", lines.length ? "\n" : "",
                        backend, compiler, link, what);
    }
    return lines.text;
}

// Where more or fewer links would take turns than before, which would shift who measures a round.
static char *link_differences(const json_t *links, const struct cb_programs *programs) {
    struct cb_text lines = {0};
    const char *name;
    json_t *number;
    json_object_foreach((json_t *)links, name, number) {
        const char *slash = strchr(name, '/');
        char *backend = cb_format("%.*s", (int)(slash ? slash - name : 0), name);
        long long was = json_integer_value(number);
        size_t is = cb_programs_count_links(programs, backend, slash ? slash + 1 : "");
        if (was < 0 || (size_t)was != is)
            cb_text_add(&lines, "%sbench program %s, %s: %lld links took turns, now %zu would",
                        lines.length ? "\n" : "", backend, slash ? slash + 1 : "", was, is);
        free(backend);
    }
    return lines.text;
}

static int compare_surroundings(const char *folder, const json_t *record, const struct cb_run *run,
                                const struct cb_programs *programs) {
    char *differences[] = {cb_machine_difference(json_object_get(record, "machine"), run->machine),
                           program_differences(record, programs),
                           link_differences(run->settings.links, programs)};
    struct cb_text all = {0};
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++) {
        if (differences[i] != NULL)
            cb_text_add(&all, "\n%s", differences[i]);
        free(differences[i]);
    }
    if (all.length == 0)
        return CB_EXIT_OK;
    char *why = cb_format("its samples could not be compared with new ones:%s", all.text);
    int status = refuse(folder, why);
    free(why);
    cb_text_clear(&all);
    return status;
}

// Reads what the record says of the run itself. NULL, or what is wrong.
static const char *take_record(struct cb_run *run, const json_t *record) {
    const char *name, *mode, *started;
    json_int_t seed;
    json_t *command, *settings, *plan, *cpus;
    int schema;
    if (json_unpack((json_t *)record, "{s:i, s:s, s:s, s:I, s:o, s:s, s:i, s:o, s:o, s:o}",
                    "schema", &schema, "run", &name, "mode", &mode, "seed", &seed, "command",
                    &command, "started", &started, "resumed", &run->resumed, "settings", &settings,
                    "plan", &plan, "cpus", &cpus) < 0)
        return "its run.json lacks what is needed";
    if (schema != CB_RUN_SCHEMA)
        return "its run.json has another schema";
    run->name = cb_copy(name);
    run->mode = cb_copy(mode);
    run->started = cb_copy(started);
    run->seed = (unsigned long)seed;
    run->command = json_incref(command);
    run->doctor = json_incref(json_object_get(record, "doctor"));
    run->resumed++;
    run->cpus.first = (int)json_integer_value(json_array_get(cpus, 0));
    run->cpus.second =
        json_array_size(cpus) > 1 ? (int)json_integer_value(json_array_get(cpus, 1)) : -1;
    if (!cb_settings_from_json(&run->settings, settings))
        return "the settings in its run.json are not whole";
    if (!cb_plan_from_json(&run->plan, plan))
        return "the plan in its run.json is not whole";
    return NULL;
}

static int check_cpus(struct cb_run *run) {
    struct cb_cpus wanted = run->cpus, got;
    char *asked = wanted.second >= 0 ? cb_format("%d,%d", wanted.first, wanted.second)
                                     : cb_format("%d", wanted.first);
    int status = cb_cpus_choose(&got, asked);
    free(asked);
    return status;
}

int cb_record_resume(struct cb_run *run, const char *folder, struct cb_programs *programs) {
    char *path = cb_format("%s/run.json", folder);
    json_error_t where;
    json_t *record = json_load_file(path, 0, &where);
    free(path);
    run->folder = cb_copy(folder);
    if (record == NULL) {
        char *why = cb_format("run.json, line %d: %s", where.line, where.text);
        int status = refuse(folder, why);
        free(why);
        return status;
    }
    const char *problem = take_record(run, record);
    int status = problem ? refuse(folder, problem) : CB_EXIT_OK;
    run->machine = cb_machine_describe();
    if (status == CB_EXIT_OK)
        status = compare_surroundings(folder, record, run, programs);
    if (status == CB_EXIT_OK)
        status = check_cpus(run);
    json_decref(record);
    run->programs = *programs;
    *programs = (struct cb_programs){0};
    return status;
}

void cb_run_free(struct cb_run *run) {
    for (size_t s = 0; run->rows != NULL && s < run->order.count; s++)
        free(run->rows[s]);
    free(run->rows);
    free(run->folder);
    free(run->name);
    free(run->mode);
    free(run->started);
    json_decref(run->command);
    json_decref(run->machine);
    json_decref(run->doctor);
    cb_settings_free(&run->settings);
    cb_programs_free(&run->programs);
    cb_plan_free(&run->plan);
    cb_order_free(&run->order);
    *run = (struct cb_run){0};
}
