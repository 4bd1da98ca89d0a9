// Which cells are counted: those of a full run that match, of kind time.
#define _GNU_SOURCE
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"
#include "message.h"
#include "run.h"

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool is_headline(const json_t *headline, const struct cb_cell *cell) {
    json_t *entry;
    size_t i;
    json_array_foreach(json_object_get(headline, "cells"), i, entry) {
        if (fnmatch(text_of(entry, "scenario"), cell->scenario, 0) == 0 &&
            strcmp(text_of(entry, "binding"), cell->binding) == 0 &&
            strcmp(text_of(entry, "params"), cell->params) == 0)
            return true;
    }
    return false;
}

static bool in_record(const json_t *record, const struct cb_cell *cell) {
    json_t *entry;
    size_t i;
    json_array_foreach(json_object_get(record, "plan"), i, entry) {
        if (strcmp(text_of(entry, "cell_id"), cell->id) == 0)
            return true;
    }
    return false;
}

// Moves what is kept to the front; the rest is freed.
static void keep(struct cb_plan *plan, bool (*wanted)(const void *user, const struct cb_cell *),
                 const void *user) {
    struct cb_plan rest = {cb_allocate(plan->count + 1, sizeof *rest.cells), 0};
    size_t kept = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (wanted(user, &plan->cells[i]))
            plan->cells[kept++] = plan->cells[i];
        else
            rest.cells[rest.count++] = plan->cells[i];
    }
    plan->count = kept;
    cb_plan_free(&rest);
}

static bool is_timed(const void *user, const struct cb_cell *cell) {
    (void)user;
    return strcmp(cell->kind, "time") == 0;
}

static bool is_headline_cell(const void *user, const struct cb_cell *cell) {
    return is_headline(user, cell);
}

static bool has_params(const void *user, const struct cb_cell *cell) {
    return cb_globs_match(user, cell->params);
}

static bool in_run(const void *user, const struct cb_cell *cell) {
    return in_record(user, cell);
}

static bool check_params(const struct cb_plan *plan, const struct cb_globs *params) {
    struct cb_names names = {0};
    for (size_t i = 0; i < plan->count; i++)
        cb_names_add(&names, plan->cells[i].params);
    bool good = cb_globs_check(params, "params", &names);
    cb_names_free(&names);
    return good;
}

int cb_tally_plan(struct cb_plan *plan, const struct cb_programs *programs,
                  const struct cb_tally_choice *choice) {
    struct cb_choice all = {.mode = "full",
                            .backends = choice->backends,
                            .scenarios = choice->scenarios,
                            .bindings = choice->bindings,
                            .compilers = choice->compilers};
    json_t *data = cb_load_share("plan.json");
    json_t *headline = data ? cb_load_share("headline.json") : NULL;
    int status = headline ? cb_plan_make(plan, programs, data, headline, &all) : (int)CB_EXIT_USAGE;
    if (status == CB_EXIT_OK) {
        keep(plan, is_timed, NULL);
        if (choice->scenarios.count + choice->bindings.count + choice->params.count == 0)
            keep(plan, is_headline_cell, headline);
        else if (plan->count > 0 && !check_params(plan, &choice->params))
            status = CB_EXIT_USAGE;
        keep(plan, has_params, &choice->params);
    }
    json_decref(data);
    json_decref(headline);
    return status;
}

void cb_tally_plan_of_run(struct cb_plan *plan, const json_t *record) {
    keep(plan, in_run, record);
}

const struct cb_program *cb_tally_program(const struct cb_programs *programs,
                                          const struct cb_cell *cell) {
    for (size_t i = 0; i < programs->count; i++) {
        const struct cb_program *p = &programs->list[i];
        if (strcmp(p->backend, cell->backend) == 0 && strcmp(p->compiler, cell->compiler) == 0 &&
            strcmp(p->status, "ok") == 0)
            return p; // builds that differ in their layout execute the same instructions
    }
    return NULL;
}

static bool claims(const struct cb_program *program, const char *capability) {
    json_t *name;
    size_t i;
    json_array_foreach(json_object_get(program->describe, "capabilities"), i, name) {
        const char *text = json_string_value(name);
        if (text != NULL && strcmp(text, capability) == 0)
            return true;
    }
    return false;
}

static void set(struct cb_tally *tally, enum cb_cell_status status, const char *note) {
    tally->status = status;
    snprintf(tally->note, sizeof tally->note, "%s", note ? note : "");
}

void cb_tally_begin(struct cb_tally *tally, const struct cb_cell *cell,
                    const struct cb_program *program) {
    *tally = (struct cb_tally){.status = CB_CELL_OK};
    if (cell->status != CB_CELL_OK)
        set(tally, cell->status, cell->note);
    else if (program == NULL)
        set(tally, CB_CELL_UNAVAILABLE, "its bench program is not there");
    else if (!cb_program_is_measurable(program))
        set(tally, CB_CELL_UNAVAILABLE,
            "its bench program is a build that is not measured (checked, or not optimised)");
    else if (claims(program, "parallel"))
        set(tally, CB_CELL_UNAVAILABLE,
            "Valgrind runs threads one at a time and its counts of waiting are not the program's");
}
