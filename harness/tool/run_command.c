// corobench run: plans, measures, and hands over to the report.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "command.h"
#include "doctor.h"
#include "file.h"
#include "process.h"
#include "progress.h"
#include "report.h"
#include "run.h"

static const struct cb_option options[] = {
    {"quick", NULL, "few cells and rounds: a range, no claims; 2 minutes"},
    {"full", NULL, "all cells, many rounds: hours"},
    {"backend", "GLOB", "only these backends; may be repeated, or globs joined by commas"},
    {"scenario", "GLOB", "only these scenarios"},
    {"binding", "GLOB", "only these bindings: opaque, visible, library"},
    {"params", "GLOB", "only cells with these parameters, e.g. 'depth=1'"},
    {"compiler", "GLOB", "only these compilers; the first measures all cells"},
    {"rounds", "N", "instead of what the size says"},
    {"repetitions", "N", "in each process, instead of what the size says"},
    {"seed", "N", "of the order, 0 to 4294967295; a random one by default"},
    {"cpu", "N[,M]", "the processing unit to measure on, and the second for cpus=2"},
    {"time-limit", "SECONDS", "a process may take, instead of what the plan says"},
    {"name", "NAME", "of the run, instead of the time of day (UTC)"},
    {"results", "DIR", "where runs are kept; results/ by default"},
    {"programs", "DIR", "where bench programs are, instead of bench/; may be repeated"},
    {"resume", "RUN", "go on with a run (its folder or name) that was stopped or killed"},
    {NULL, NULL, NULL}};

static int run(const struct cb_given *given);

const struct cb_command cb_command_run = {
    .name = "run",
    .summary = "measure, then make tables, plots and the report",
    .details = "\nEach sample is a process of its own, pinned to one unit. A cell that crashes, "
               "hangs or\nfails is a row with its reason; the others go on and the exit status is "
               "1. A run that\nwas stopped loses nothing: go on with it by --resume.",
    .options = options,
    .run = run};

// ---- Reading the options

static bool names_path(const char *option) {
    return strcmp(option, "results") == 0 || strcmp(option, "programs") == 0 ||
           strcmp(option, "resume") == 0;
}

// The options as typed, for run.json; what names a path says nothing about the measurement.
static json_t *typed_options(const struct cb_given *given) {
    json_t *list = json_array();
    for (size_t i = 0; i < given->count; i++) {
        const struct cb_typed *t = &given->typed[i];
        if (names_path(t->option->name))
            continue;
        char *option = cb_format("--%s", t->option->name);
        json_array_append_new(list, json_string(option));
        free(option);
        if (t->value != NULL)
            json_array_append_new(list, json_string(t->value));
    }
    return list;
}

static void read_globs(struct cb_globs *globs, const struct cb_given *given, const char *name) {
    for (size_t i = 0; i < given->count; i++)
        if (strcmp(given->typed[i].option->name, name) == 0)
            cb_globs_add(globs, given->typed[i].value);
}

static int find_programs(struct cb_programs *programs, const struct cb_given *given) {
    const char **folders = cb_allocate(given->count, sizeof *folders);
    size_t count = 0;
    for (size_t i = 0; i < given->count; i++)
        if (strcmp(given->typed[i].option->name, "programs") == 0)
            folders[count++] = given->typed[i].value;
    int status = cb_programs_find(programs, folders, count);
    free(folders);
    return status;
}

// Puts options in place of the plan's numbers.
static int change_settings(struct cb_settings *settings, const struct cb_given *given) {
    long long rounds = settings->rounds, repetitions = settings->repetitions, limit = 0;
    int status = cb_given_number(given, "rounds", 1, 10000, &rounds);
    if (status == CB_EXIT_OK)
        status = cb_given_number(given, "repetitions", 1, 1000, &repetitions);
    if (status == CB_EXIT_OK)
        status = cb_given_number(given, "time-limit", 1, 86400, &limit);
    settings->rounds = (unsigned)rounds;
    settings->repetitions = (unsigned)repetitions;
    if (settings->space_rounds > settings->rounds)
        settings->space_rounds = settings->rounds;
    if (limit > 0)
        settings->pilot_limit = settings->time_limit = settings->space_limit = (double)limit;
    return status;
}

static int choose_seed(unsigned long *seed, const struct cb_given *given) {
    unsigned random;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = (unsigned)time(NULL);
    long long value = random;
    int status = cb_given_number(given, "seed", 0, 4294967295LL, &value);
    *seed = (unsigned long)value;
    return status;
}

// ---- A new run

// Programs that are checked or not optimised must not be timed.
static int refuse_debug(const struct cb_run *run) {
    struct cb_names names = {0};
    for (size_t i = 0; i < run->plan.count; i++) {
        const struct cb_cell *cell = &run->plan.cells[i];
        for (size_t k = 0; k < run->programs.count; k++) {
            const struct cb_program *p = &run->programs.list[k];
            if (strcmp(p->backend, cell->backend) == 0 &&
                strcmp(p->compiler, cell->compiler) == 0 && strcmp(p->status, "ok") == 0 &&
                !cb_program_is_measurable(p))
                cb_names_add(&names, p->backend);
        }
    }
    if (names.count == 0)
        return CB_EXIT_OK;
    char *list = cb_names_join(&names);
    cb_error(stderr,
             "built for debugging: %s\nnothing is measured: times of checked or unoptimised "
             "programs mean nothing\nbuild the preset release, and use its corobench",
             list);
    free(list);
    cb_names_free(&names);
    return CB_EXIT_USAGE;
}

static void refuse_units(struct cb_run *run) {
    for (size_t i = 0; i < run->plan.count; i++) {
        struct cb_cell *cell = &run->plan.cells[i];
        long needed = cb_params_number(cell->params, "cpus", 1);
        if (cell->status != CB_CELL_OK || needed <= (run->cpus.second >= 0 ? 2 : 1))
            continue;
        cell->status = CB_CELL_UNAVAILABLE;
        free(cell->note);
        cell->note = cb_copy(needed > 2 ? "needs more than two processing units"
                                        : "needs two processing units");
    }
}

static int make_plan(struct cb_run *run, const struct cb_given *given) {
    json_t *data = cb_load_share("plan.json");
    json_t *headline = data ? cb_load_share("headline.json") : NULL;
    struct cb_choice choice = {.mode = run->mode, .twins = true};
    read_globs(&choice.backends, given, "backend");
    read_globs(&choice.scenarios, given, "scenario");
    read_globs(&choice.bindings, given, "binding");
    read_globs(&choice.params, given, "params");
    read_globs(&choice.compilers, given, "compiler");
    int status = headline ? cb_settings_read(&run->settings, data, run->mode) : CB_EXIT_USAGE;
    if (status == CB_EXIT_OK)
        status = change_settings(&run->settings, given);
    if (status == CB_EXIT_OK)
        status = cb_plan_make(&run->plan, &run->programs, data, headline, &choice);
    if (status == CB_EXIT_OK && run->plan.count == 0) {
        cb_error(stderr,
                 "a %s run has no cell with these backends, scenarios, bindings, parameters "
                 "and compilers\nnothing is measured\nask for fewer at once, or a larger size; "
                 "corobench list --cells shows what there is",
                 run->mode);
        status = CB_EXIT_USAGE;
    }
    cb_globs_free(&choice.backends);
    cb_globs_free(&choice.scenarios);
    cb_globs_free(&choice.bindings);
    cb_globs_free(&choice.params);
    cb_globs_free(&choice.compilers);
    json_decref(data);
    json_decref(headline);
    return status;
}

// How many links of each program take turns.
static json_t *count_links(const struct cb_run *run) {
    json_t *links = json_object();
    for (size_t i = 0; i < run->plan.count; i++) {
        const struct cb_cell *cell = &run->plan.cells[i];
        char *name = cb_format("%s/%s", cell->backend, cell->compiler);
        size_t count = cb_programs_count_links(&run->programs, cell->backend, cell->compiler);
        json_object_set_new(links, name, json_integer((json_int_t)count));
        free(name);
    }
    return links;
}

// A link that cannot be used leaves its turns to the others. Where none can be used, the cells say
// so.
static void warn_of_links(const struct cb_run *run) {
    for (size_t i = 0; i < run->programs.count; i++) {
        const struct cb_program *p = &run->programs.list[i];
        char *name = cb_format("%s/%s", p->backend, p->compiler);
        if (strcmp(p->status, "ok") != 0 &&
            json_integer_value(json_object_get(run->settings.links, name)) > 0)
            cb_warning(stderr,
                       "bench program %s, %s, link %d is %s: %s\nits rounds are measured on the "
                       "other links, so layouts differ less\nbuild it again",
                       p->backend, p->compiler, p->link, p->status, p->note);
        free(name);
    }
}

// A run of one layout looks like any other, but one lucky alignment may decide its rows.
static void warn_of_layouts(const struct cb_run *run) {
    size_t wanted = strcmp(run->mode, "full") == 0 ? 6 : strcmp(run->mode, "default") == 0 ? 4 : 1;
    size_t least = wanted;
    const char *name, *of = "";
    json_t *count;
    json_object_foreach(run->settings.links, name, count) {
        size_t links = (size_t)json_integer_value(count);
        if (links >= least)
            continue;
        least = links;
        of = name;
    }
    if (least < wanted)
        cb_warning(stderr,
                   "%s has %zu link(s), a %s run wants %zu\nits rounds differ less in layout than "
                   "they should\nbuild with -DCB_LINKS=%zu, as run-all.sh does",
                   of, least, run->mode, wanted, wanted);
}

// What the doctor finds now. Remedies are advice about this machine and may name its files.
static json_t *ask_doctor(void) {
    json_t *answer = cb_doctor_json(), *finding;
    size_t i;
    json_array_foreach(json_object_get(answer, "findings"), i, finding) {
        const char *value = json_string_value(json_object_get(finding, "value"));
        char *text = cb_copy(value);
        cb_scrub_paths(text);
        if (value != NULL)
            json_object_set_new(finding, "value", json_string(text));
        json_object_del(finding, "remedy");
        free(text);
    }
    return answer;
}

static int begin_new(struct cb_run *run, const struct cb_given *given) {
    bool quick = cb_given_has(given, "quick"), full = cb_given_has(given, "full");
    if (quick && full) {
        cb_error(stderr, "--quick and --full exclude each other\nnothing is measured");
        return CB_EXIT_USAGE;
    }
    run->mode = cb_copy(quick ? "quick" : full ? "full" : "default");
    run->command = typed_options(given);
    char started[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    run->started = cb_copy(started);

    int status = choose_seed(&run->seed, given);
    if (status == CB_EXIT_OK)
        status = find_programs(&run->programs, given);
    if (status == CB_EXIT_OK)
        status = make_plan(run, given);
    if (status == CB_EXIT_OK)
        status = cb_plan_check_budget(&run->plan, run->mode, run->settings.budget);
    if (status == CB_EXIT_OK)
        status = refuse_debug(run);
    if (status == CB_EXIT_OK)
        status = cb_cpus_choose(&run->cpus, cb_given_value(given, "cpu"));
    if (status == CB_EXIT_OK)
        status = cb_programs_hash(&run->programs);
    if (status != CB_EXIT_OK)
        return status;
    refuse_units(run);
    run->settings.links = count_links(run);
    warn_of_links(run);
    warn_of_layouts(run);
    run->machine = cb_machine_describe();
    run->doctor = ask_doctor();
    const char *root = cb_given_value(given, "results");
    status = cb_rundir_make(run, root ? root : "results", cb_given_value(given, "name"));
    return status == CB_EXIT_OK ? cb_rundir_lock(run) : status;
}

// ---- A run taken up again

static int begin_resumed(struct cb_run *run, const struct cb_given *given) {
    for (size_t i = 0; i < given->count; i++) {
        const char *name = given->typed[i].option->name;
        if (names_path(name))
            continue;
        cb_error(stderr,
                 "--%s cannot be combined with --resume\nnothing is measured\na resumed run keeps "
                 "the options that it was started with",
                 name);
        return CB_EXIT_USAGE;
    }
    const char *asked = cb_given_value(given, "resume"), *root = cb_given_value(given, "results");
    char *folder = cb_copy(asked);
    if (!cb_is_folder(folder)) {
        free(folder);
        folder = cb_format("%s/%s", root ? root : "results", asked);
    }
    for (size_t n = strlen(folder); n > 1 && folder[n - 1] == '/'; n--)
        folder[n - 1] = '\0';
    int status = CB_EXIT_OK;
    if (!cb_is_folder(folder)) {
        cb_error(stderr, "--resume %s: no such run\nnothing is measured\nname the folder of a run",
                 asked);
        status = CB_EXIT_USAGE;
    }
    if (status == CB_EXIT_OK) {
        run->folder = cb_copy(folder);
        status = cb_rundir_lock(run);
        free(run->folder);
        run->folder = NULL;
    }
    struct cb_programs programs = {0};
    if (status == CB_EXIT_OK)
        status = find_programs(&programs, given);
    if (status == CB_EXIT_OK)
        status = cb_programs_hash(&programs);
    if (status == CB_EXIT_OK)
        status = cb_record_resume(run, folder, &programs);
    cb_programs_free(&programs);
    free(folder);
    return status;
}

// ---- The end

static int say_stopped(const struct cb_run *run, int signal) {
    size_t taken, total = cb_measure_total(run, &taken);
    cb_error(stderr,
             "stopped by signal %d after %zu of %zu samples\nwhat is measured is kept in %s\n"
             "go on with: corobench run --resume %s (and the same --programs, if any)",
             signal, taken, total, run->folder, run->folder);
    return 128 + signal;
}

static int say_done(const struct cb_run *run) {
    size_t counts[CB_CELL_NOT_CLAIMED + 1] = {0}, taken;
    cb_measure_total(run, &taken);
    for (size_t i = 0; i < run->plan.count; i++)
        counts[run->plan.cells[i].status]++;
    printf("%s: %zu samples (%zu taken again, %zu disturbed all the same), %zu cells ok",
           run->folder, taken, run->again_count, run->disturbed, counts[CB_CELL_OK]);
    for (int s = CB_CELL_OK + 1; s <= CB_CELL_NOT_CLAIMED; s++)
        if (counts[s] > 0)
            printf(", %zu %s", counts[s], cb_status_text((enum cb_cell_status)s));
    printf("\n");
    for (size_t i = 0; i < run->plan.count; i++)
        if (cb_status_is_bad(run->plan.cells[i].status))
            printf("  %s: %s: %s\n", run->plan.cells[i].id,
                   cb_status_text(run->plan.cells[i].status), run->plan.cells[i].note);
    return counts[CB_CELL_FAILED] + counts[CB_CELL_TIMEOUT] > 0 ? CB_EXIT_FAILED : CB_EXIT_OK;
}

static void link_latest(const struct cb_run *run) {
    const char *slash = strrchr(run->folder, '/');
    char *path = slash ? cb_format("%.*s/latest", (int)(slash - run->folder), run->folder)
                       : cb_copy("latest");
    int error = cb_link_replace(path, slash ? slash + 1 : run->folder);
    if (error < 0)
        cb_warning(stderr, "%s: %s\nit does not point to this run; the run itself is whole", path,
                   strerror(-error));
    free(path);
}

// Measures what is missing. Sets *measured; returns CB_EXIT_USAGE where files cannot be written.
static int measure(struct cb_run *run, enum cb_measured *measured) {
    *measured = CB_MEASURED_STUCK;
    run->samples = -1;
    cb_order_make(&run->order, &run->plan, run->settings.rounds, run->settings.space_rounds,
                  run->settings.padding_bytes, run->seed);
    run->rows = cb_allocate(run->order.count, sizeof *run->rows);
    if (run->resumed > 0 && cb_measure_load(run) != CB_MEASURED_ALL)
        return CB_EXIT_USAGE;
    if (cb_record_write(run, false) != CB_EXIT_OK || cb_samples_open(run) != CB_EXIT_OK)
        return CB_EXIT_USAGE;
    *measured = cb_measure_pilots(run);
    if (cb_record_write(run, false) != CB_EXIT_OK)
        return CB_EXIT_USAGE;
    if (*measured == CB_MEASURED_ALL)
        *measured = cb_measure_rounds(run);
    int status = cb_samples_rebuild(run);
    if (status == CB_EXIT_OK)
        status = cb_record_write(run, *measured == CB_MEASURED_ALL);
    return status;
}

static int measure_and_report(struct cb_run *run) {
    enum cb_measured measured;
    cb_stop_watch();
    int status = measure(run, &measured), stop = cb_stop_asked();
    cb_rundir_unlock(run);
    cb_stop_unwatch();
    if (measured == CB_MEASURED_STOPPED)
        return say_stopped(run, stop);
    if (status == CB_EXIT_OK && measured == CB_MEASURED_STUCK)
        status = CB_EXIT_USAGE;
    if (status != CB_EXIT_OK) {
        cb_error(stderr,
                 "the run is not complete\nwhen the reason is removed, go on with: corobench "
                 "run --resume %s",
                 run->folder);
        return status;
    }
    link_latest(run);
    int bad = say_done(run);
    int reported = cb_report_run(run->folder, stderr);
    return reported != CB_EXIT_OK ? reported : bad;
}

static int run(const struct cb_given *given) {
    struct cb_run state = {.lock = -1, .samples = -1};
    int status =
        cb_given_has(given, "resume") ? begin_resumed(&state, given) : begin_new(&state, given);
    if (status == CB_EXIT_OK)
        status = measure_and_report(&state);
    cb_rundir_unlock(&state);
    cb_run_free(&state);
    return status;
}
