// corobench count: exact instructions per operation, by Valgrind.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "count.h"
#include "process.h"

static const struct cb_option options[] = {
    {"backend", "GLOB", "only these backends; may be repeated, or globs joined by commas"},
    {"scenario", "GLOB", "only these scenarios"},
    {"binding", "GLOB", "only these bindings: opaque, visible, library"},
    {"compiler", "LIST", "only these compilers"},
    {"params", "GLOB", "only cells with these parameters, such as 'depth=*'"},
    {"run", "DIR", "of the cells of this run; also writes its counts.csv"},
    {"json", NULL, "print JSON, with the totals of each run"},
    {"jobs", "N", "count N cells at a time, 1 or 2 (default 2, where there are two units)"},
    {"programs", "DIR", "where bench programs are, instead of bench/; may be repeated"},
    {NULL, NULL, NULL}};

static int run(const struct cb_given *given);

const struct cb_command cb_command_count = {
    .name = "count",
    .summary = "exact instructions per operation, by Valgrind",
    .details =
        "\nCounts cells of kind time: those of the headline where no scenario, binding or "
        "params are\nnamed, else all that a full run would measure. Nothing is timed: other "
        "work on the machine\ndoes not change a count. Threads cannot be counted. Exit status "
        "1 where a cell failed or\nits counts are not on a line.",
    .options = options,
    .run = run};

struct counting {
    struct cb_programs programs;
    struct cb_tally_choice choice;
    struct cb_counter counter;
    struct cb_plan plan;
    json_t *record; // of the run, or NULL
    struct cb_tally *tallies;
    const struct cb_program **with; // the program of each cell
};

static int read_choice(struct counting *c, const struct cb_given *given) {
    static const char *const names[] = {"backend", "scenario", "binding", "compiler", "params"};
    struct cb_globs *globs[] = {&c->choice.backends, &c->choice.scenarios, &c->choice.bindings,
                                &c->choice.compilers, &c->choice.params};
    const char **folders = cb_allocate(given->count, sizeof *folders);
    size_t count = 0;
    for (size_t i = 0; i < given->count; i++) {
        const struct cb_typed *t = &given->typed[i];
        if (strcmp(t->option->name, "programs") == 0)
            folders[count++] = t->value;
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (strcmp(t->option->name, names[k]) == 0)
                cb_globs_add(globs[k], t->value);
    }
    int status = cb_programs_find(&c->programs, folders, count);
    free(folders);
    return status;
}

static int read_record(struct counting *c, const char *folder) {
    if (folder == NULL)
        return CB_EXIT_OK;
    char *path = cb_format("%s/run.json", folder);
    json_error_t where;
    c->record = json_load_file(path, 0, &where);
    if (c->record == NULL)
        cb_error(stderr,
                 "--run %s: %s, line %d: %s\nnothing is counted\nname the folder of a run, such as "
                 "results/latest",
                 folder, path, where.line, where.text);
    free(path);
    return c->record ? CB_EXIT_OK : CB_EXIT_USAGE;
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool is_as_recorded(const json_t *record, const struct cb_program *p) {
    json_t *entry;
    size_t i;
    json_array_foreach(json_object_get(record, "programs"), i, entry) {
        if (strcmp(text_of(entry, "backend"), p->backend) == 0 &&
            strcmp(text_of(entry, "compiler"), p->compiler) == 0 &&
            json_integer_value(json_object_get(entry, "link")) == p->link)
            return strcmp(text_of(entry, "sha256"), p->sha256 ? p->sha256 : "") == 0 &&
                   strcmp(text_of(entry, "library_sha256"),
                          p->library_sha256 ? p->library_sha256 : "") == 0;
    }
    return false;
}

// Counts of one program must not stand beside times of another.
static int check_programs(struct counting *c, const char *folder) {
    if (c->record == NULL)
        return CB_EXIT_OK;
    if (cb_programs_hash(&c->programs) != CB_EXIT_OK)
        return CB_EXIT_USAGE;
    struct cb_names changed = {0};
    for (size_t i = 0; i < c->plan.count; i++)
        if (c->tallies[i].status == CB_CELL_OK && !is_as_recorded(c->record, c->with[i])) {
            char *name = cb_format("%s-%s", c->with[i]->backend, c->with[i]->compiler);
            cb_names_add(&changed, name);
            free(name);
        }
    char *list = cb_names_join(&changed);
    int status = changed.count > 0 ? CB_EXIT_USAGE : CB_EXIT_OK;
    if (status != CB_EXIT_OK)
        cb_error(
            stderr,
            "--run %s: these bench programs are not those that it measured: %s\nnothing is "
            "counted: the counts would stand beside times of other programs\nmeasure a new run, "
            "or name the programs of that run by --programs",
            folder, list);
    free(list);
    cb_names_free(&changed);
    return status;
}

static int complain_none(const struct cb_given *given) {
    cb_error(stderr,
             "no cell of kind time matches%s\nnothing is counted\n`corobench list --full --cells` "
             "shows all cells that there are",
             cb_given_has(given, "run") ? " and is in that run" : "");
    return CB_EXIT_USAGE;
}

static int prepare(struct counting *c, const struct cb_given *given) {
    const char *folder = cb_given_value(given, "run");
    int status = read_choice(c, given);
    if (status == CB_EXIT_OK)
        status = read_record(c, folder);
    if (status == CB_EXIT_OK)
        status = cb_tally_plan(&c->plan, &c->programs, &c->choice);
    if (status != CB_EXIT_OK)
        return status;
    if (c->record != NULL)
        cb_tally_plan_of_run(&c->plan, c->record);
    if (c->plan.count == 0)
        return complain_none(given);
    c->tallies = cb_allocate(c->plan.count, sizeof *c->tallies);
    c->with = cb_allocate(c->plan.count, sizeof *c->with);
    for (size_t i = 0; i < c->plan.count; i++) {
        c->with[i] = cb_tally_program(&c->programs, &c->plan.cells[i]);
        cb_tally_begin(&c->tallies[i], &c->plan.cells[i], c->with[i]);
    }
    status = check_programs(c, folder);
    return status == CB_EXIT_OK ? cb_counter_find(&c->counter) : status;
}

static int count_all(struct counting *c, const struct cb_given *given, unsigned jobs) {
    const char *folder = cb_given_value(given, "run");
    cb_stop_watch();
    int stop = cb_tally_all(c->tallies, &c->counter, c->with, &c->plan, jobs);
    cb_stop_unwatch();
    if (stop != 0) {
        cb_error(stderr, "stopped by signal %d\nno count is kept\ncount again, fewer cells maybe",
                 stop);
        return 128 + stop;
    }
    int status = CB_EXIT_OK;
    if (cb_given_has(given, "json"))
        status = cb_tally_print_json(c->tallies, &c->counter, &c->plan);
    else
        cb_tally_print(c->tallies, &c->counter, &c->plan);
    if (status == CB_EXIT_OK && folder != NULL)
        status = cb_tally_write_csv(folder, c->tallies, &c->counter, &c->plan);
    for (size_t i = 0; i < c->plan.count && status == CB_EXIT_OK; i++)
        if (cb_status_is_bad(c->tallies[i].status))
            status = CB_EXIT_FAILED;
    return status;
}

static void free_all(struct counting *c) {
    struct cb_globs *globs[] = {&c->choice.backends, &c->choice.scenarios, &c->choice.bindings,
                                &c->choice.compilers, &c->choice.params};
    for (size_t i = 0; i < sizeof globs / sizeof *globs; i++)
        cb_globs_free(globs[i]);
    cb_plan_free(&c->plan);
    cb_programs_free(&c->programs);
    cb_counter_free(&c->counter);
    json_decref(c->record);
    free(c->tallies);
    free(c->with);
}

static int run(const struct cb_given *given) {
    struct counting c = {.counter = {0}};
    long long jobs = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1;
    int status = cb_given_number(given, "jobs", 1, 2, &jobs);
    if (status == CB_EXIT_OK)
        status = prepare(&c, given);
    if (status == CB_EXIT_OK)
        status = count_all(&c, given, (unsigned)jobs);
    free_all(&c);
    return status;
}
