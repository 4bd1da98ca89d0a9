// corobench list: the backends and scenarios there are, or the cells of a run.
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "plan.h"
#include "programs.h"
#include "run.h"

static const struct cb_option options[] = {
    {"cells", NULL, "the ids of the cells that a default run has, with their status"},
    {"quick", NULL, "with --cells: of a quick run"},
    {"full", NULL, "with --cells: of a full run"},
    {"backend", "GLOB", "only these backends; may be repeated, or globs joined by commas"},
    {"scenario", "GLOB", "only these scenarios"},
    {"binding", "GLOB", "with --cells: only these bindings"},
    {"compiler", "GLOB", "only these compilers"},
    {"programs", "DIR", "where bench programs are, instead of bench/; may be repeated"},
    {NULL, NULL, NULL}};

static int run(const struct cb_given *given);

const struct cb_command cb_command_list = {
    .name = "list",
    .summary = "the backends and scenarios there are, or a run's cells",
    .options = options,
    .run = run};

// Everything the command reads.
struct listing {
    struct cb_programs programs;
    struct cb_choice choice;
    json_t *data, *headline;
    struct cb_plan plan;
};

static int read_all(struct listing *l, const struct cb_given *given) {
    static const char *const names[] = {"backend", "scenario", "binding", "compiler"};
    struct cb_globs *globs[] = {&l->choice.backends, &l->choice.scenarios, &l->choice.bindings,
                                &l->choice.compilers};
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
    l->choice.mode = cb_given_has(given, "full")    ? "full"
                     : cb_given_has(given, "quick") ? "quick"
                                                    : "default";
    int status = cb_programs_find(&l->programs, folders, count);
    free(folders);
    if (status != CB_EXIT_OK)
        return status;
    l->data = cb_load_share("plan.json");
    l->headline = l->data ? cb_load_share("headline.json") : NULL;
    if (l->headline == NULL)
        return CB_EXIT_USAGE;
    return cb_plan_make(&l->plan, &l->programs, l->data, l->headline, &l->choice);
}

static void free_all(struct listing *l) {
    cb_plan_free(&l->plan);
    cb_programs_free(&l->programs);
    cb_globs_free(&l->choice.backends);
    cb_globs_free(&l->choice.scenarios);
    cb_globs_free(&l->choice.bindings);
    cb_globs_free(&l->choice.compilers);
    json_decref(l->data);
    json_decref(l->headline);
}

static void print_cells(const struct cb_plan *plan) {
    for (size_t i = 0; i < plan->count; i++) {
        const struct cb_cell *c = &plan->cells[i];
        if (c->status == CB_CELL_OK)
            printf("%s\n", c->id);
        else
            printf("%s  (%s: %s)\n", c->id, cb_status_text(c->status), c->note);
    }
}

static void print_backends(const struct listing *l) {
    printf("%-24s %-10s %-9s %s\n", "BACKEND", "FAMILY", "COMPILER", "");
    for (size_t i = 0; i < l->programs.count; i++) {
        const struct cb_program *p = &l->programs.list[i];
        if (!cb_globs_match(&l->choice.backends, p->backend) ||
            !cb_globs_match(&l->choice.compilers, p->compiler))
            continue;
        printf("%-24s %-10s %-9s ", p->backend, p->family, p->compiler);
        if (strcmp(p->status, "ok") == 0)
            printf("%s\n", cb_program_text(p, "summary"));
        else
            printf("%s: %s\n", p->status, p->note);
    }
}

// The cells of a scenario that are of a size, "quick" and so on.
static size_t count_size(const json_t *scenario, const char *size) {
    json_t *cell;
    size_t i, n = 0;
    json_array_foreach(json_object_get(scenario, "cells"), i, cell) {
        const char *text = json_string_value(json_object_get(cell, "size"));
        n += text != NULL && strcmp(text, size) == 0;
    }
    return n;
}

// The description of a scenario in the first program that has it.
static const json_t *find_scenario(const struct cb_programs *programs, const char *id) {
    for (size_t i = 0; i < programs->count; i++) {
        json_t *scenario;
        size_t k;
        json_array_foreach(json_object_get(programs->list[i].describe, "scenarios"), k, scenario) {
            const char *text = json_string_value(json_object_get(scenario, "id"));
            if (text != NULL && strcmp(text, id) == 0)
                return scenario;
        }
    }
    return NULL;
}

static void print_scenarios(const struct listing *l) {
    struct cb_names names = {0};
    cb_programs_scenarios(&l->programs, &names);
    printf("\n%-24s %-7s %-28s %s\n", "SCENARIO", "KIND", "PARAMETERS: QUICK/DEFAULT/FULL",
           "ONE OPERATION");
    for (size_t i = 0; i < names.count; i++) {
        const json_t *s = find_scenario(&l->programs, names.list[i]);
        if (!cb_globs_match(&l->choice.scenarios, names.list[i]))
            continue;
        const char *kind = json_string_value(json_object_get(s, "kind"));
        const char *unit = json_string_value(json_object_get(s, "unit"));
        size_t quick = count_size(s, "quick"), more = quick + count_size(s, "default");
        char *sizes = cb_format("%zu/%zu/%zu", quick, more, more + count_size(s, "full"));
        printf("%-24s %-7s %-30s %s\n", names.list[i], kind ? kind : "", sizes, unit ? unit : "");
        free(sizes);
    }
    json_t *entry;
    size_t i;
    json_array_foreach(json_object_get(l->data, "static"), i, entry) {
        const char *id = json_string_value(json_object_get(entry, "scenario"));
        if (id != NULL && cb_globs_match(&l->choice.scenarios, id))
            printf("%-24s %-7s %-30s %s\n", id, "static", "", "(a fact of the build)");
    }
    cb_names_free(&names);
}

static int run(const struct cb_given *given) {
    struct listing l = {0};
    int status = read_all(&l, given);
    if (status == CB_EXIT_OK && cb_given_has(given, "cells")) {
        print_cells(&l.plan);
    } else if (status == CB_EXIT_OK) {
        print_backends(&l);
        print_scenarios(&l);
    }
    free_all(&l);
    return status;
}
