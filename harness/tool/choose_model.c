// Reads the cost model, choose.json, and refuses what it does not understand.
#define _GNU_SOURCE
#include "choose_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const cb_choose_inputs[CB_INPUTS] = {
    "setups",  "yields",  "calls",   "depth", "live",      "frame", "peak",
    "c_calls", "updates", "crossed", "alive", "continued", "spread"};
const char *const cb_choose_switches[] = {"foldable",  "random",     "nested",
                                          "irregular", "no-alloc",   "threads",
                                          "recursion", "deep-yield", NULL};

struct cb_program cb_program_plain(void) {
    struct cb_program program = {
        .in = {[CB_SETUPS] = 1, [CB_YIELDS] = 1, [CB_DEPTH] = 1, [CB_LIVE] = 1, [CB_FRAME] = 32}};
    cb_program_complete(&program, true);
    return program;
}

void cb_program_complete(struct cb_program *program, bool calls_stated) {
    if (!calls_stated)
        program->in[CB_CALLS] = program->in[CB_SETUPS] * (program->in[CB_DEPTH] - 1);
    program->in[CB_ALIVE] = program->in[CB_DEPTH] * program->in[CB_FRAME];
    program->in[CB_CONTINUED] = fmin(program->in[CB_CALLS], program->in[CB_YIELDS]);
    program->in[CB_SPREAD] = program->in[CB_LIVE];
}

// ---- Reading ------------------------------------------------------------------------------------

// What is wrong is remembered, the first of it; reading goes on with something harmless.
static void wrong(struct cb_choose *choose, const char *where, const char *what) {
    if (!choose->problem)
        choose->problem = cb_rep_text(choose->rep, "%s: %s", where, what);
}

static int find_input(struct cb_choose *choose, const char *where, const char *name) {
    for (int i = 0; i < CB_INPUTS; i++)
        if (name && strcmp(cb_choose_inputs[i], name) == 0)
            return i;
    wrong(choose, where, cb_rep_text(choose->rep, "no program has a \"%s\"", name ? name : ""));
    return CB_SETUPS;
}

static unsigned find_switch(struct cb_choose *choose, const char *where, const char *name) {
    for (unsigned i = 0; cb_choose_switches[i]; i++)
        if (strcmp(cb_choose_switches[i], name) == 0)
            return 1U << i;
    wrong(choose, where, cb_rep_text(choose->rep, "no program is \"%s\"", name));
    return 0;
}

// One switch, or a list of them.
static unsigned read_switches(struct cb_choose *choose, const char *where, const json_t *names) {
    unsigned switches = 0;
    if (json_is_string(names))
        return find_switch(choose, where, json_string_value(names));
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        switches |= find_switch(choose, where, name ? name : "");
    }
    return switches;
}

static struct cb_choose_when read_when(struct cb_choose *choose, const char *where,
                                       const json_t *object) {
    return (struct cb_choose_when){
        .yes = read_switches(choose, where, json_object_get(object, "if")),
        .no = read_switches(choose, where, json_object_get(object, "unless"))};
}

bool cb_choose_holds(const struct cb_choose_when *when, const struct cb_program *program) {
    return (program->switches & when->yes) == when->yes && !(program->switches & when->no);
}

static double read_number(const json_t *object, const char *key, double absent) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : absent;
}

// A selector with the defaults written in, so that it names one cell. NULL where there is none.
static const json_t *read_selector(struct cb_choose *choose, const char *where, json_t *cell) {
    if (!cell)
        return NULL;
    if (!json_is_string(json_object_get(cell, "scenario")))
        wrong(choose, where, "a cell without a scenario");
    if (!json_object_get(cell, "params"))
        wrong(choose, where, "a cell without params");
    if (json_is_object(cell) && !json_object_get(cell, "binding"))
        json_object_set_new(cell, "binding", json_string("opaque"));
    if (json_is_object(cell) && !json_object_get(cell, "metric"))
        json_object_set_new(cell, "metric", json_string("time"));
    return cell;
}

static struct cb_choose_cell read_cell(struct cb_choose *choose, const char *where, json_t *cell) {
    return (struct cb_choose_cell){.selector = read_selector(choose, where, cell),
                                   .times = read_number(cell, "times", 1)};
}

static struct cb_program read_program(struct cb_choose *choose, const char *where, json_t *object) {
    struct cb_program program = cb_program_plain();
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        if (json_is_number(value))
            program.in[find_input(choose, where, key)] = json_number_value(value);
        else if (json_is_true(value))
            program.switches |= find_switch(choose, where, key);
        else
            wrong(choose, where, "neither a number nor true");
    }
    cb_program_complete(&program, json_object_get(object, "calls") != NULL);
    return program;
}

static void read_point(struct cb_choose *choose, const char *where, const json_t *object,
                       struct cb_choose_point *point) {
    json_t *cells = json_object_get(object, "cells"), *cell;
    json_t *less = json_object_get(object, "less"), *as = json_object_get(object, "as");
    size_t index;
    *point = (struct cb_choose_point){
        .x = read_number(object, "x", 0),
        .per = read_number(object, "per", 1),
        .optional = json_is_true(json_object_get(object, "optional")),
        .lowest = json_is_true(json_object_get(object, "lowest")),
        .cells = cb_rep_memory(choose->rep, json_array_size(cells), sizeof *point->cells)};
    json_array_foreach(cells, index, cell) point->cells[point->count++] =
        read_cell(choose, where, cell);
    if (json_array_size(less) > CB_CHOOSE_LESS)
        wrong(choose, where, "too many cells to take off");
    else if (json_is_object(less))
        point->less[point->less_count++] = read_cell(choose, where, less);
    else
        json_array_foreach(less, index, cell) point->less[point->less_count++] =
            read_cell(choose, where, cell);
    if (!(point->per > 0))
        wrong(choose, where, "per is not above 0");
    if (as) {
        struct cb_program *program = cb_rep_memory(choose->rep, 1, sizeof *program);
        *program = read_program(choose, where, as);
        point->as = program;
    }
}

static void read_part(struct cb_choose *choose, const char *where, const json_t *object,
                      struct cb_choose_part *part) {
    json_t *points = json_object_get(object, "at"), *entry;
    const char *over = cb_rep_string(object, "over", NULL);
    size_t index;
    *part =
        (struct cb_choose_part){.over = over ? find_input(choose, where, over) : -1,
                                .log = strcmp(cb_rep_string(object, "scale", "linear"), "log") == 0,
                                .flat = json_is_true(json_object_get(object, "flat")),
                                .least = read_number(object, "least", -INFINITY),
                                .when = read_when(choose, where, object),
                                .several = json_is_true(json_object_get(object, "several")),
                                .shared = json_is_true(json_object_get(object, "shared")),
                                .optional = json_is_true(json_object_get(object, "optional")),
                                .has = cb_rep_string(object, "has", NULL),
                                .less = read_cell(choose, where, json_object_get(object, "less")),
                                .points = cb_rep_memory(choose->rep, json_array_size(points),
                                                        sizeof(struct cb_choose_point)),
                                .count = json_array_size(points)};
    if (part->count == 0)
        wrong(choose, where, "a part without points");
    if (!over && part->count > 1)
        wrong(choose, where, "several points, over nothing");
    json_array_foreach(points, index, entry) {
        read_point(choose, where, entry, &part->points[index]);
        if (index && part->points[index].x <= part->points[index - 1].x)
            wrong(choose, where, "points that do not rise");
        if (part->log && !(part->points[index].x > 0))
            wrong(choose, where, "a logarithm of what is not above 0");
    }
}

static void read_parts(struct cb_choose *choose, const char *where, json_t *parts,
                       struct cb_choose_term *term) {
    json_t *part;
    size_t index;
    term->part_count = json_array_size(parts);
    term->parts = cb_rep_memory(choose->rep, term->part_count, sizeof *term->parts);
    if (term->part_count == 0)
        wrong(choose, where, "no parts");
    json_array_foreach(parts, index, part) read_part(choose, where, part, &term->parts[index]);
}

static void read_terms(struct cb_choose *choose, const json_t *terms) {
    json_t *object, *name;
    size_t index, i;
    choose->term_count = json_array_size(terms);
    choose->terms = cb_rep_memory(choose->rep, choose->term_count, sizeof *choose->terms);
    if (choose->term_count == 0)
        wrong(choose, "terms", "there are none");
    json_array_foreach(terms, index, object) {
        struct cb_choose_term *term = &choose->terms[index];
        json_t *counts = json_object_get(object, "count");
        term->id = cb_rep_string(object, "id", "?");
        term->when = read_when(choose, term->id, object);
        term->counts = cb_rep_memory(choose->rep, json_array_size(counts), sizeof *term->counts);
        json_array_foreach(counts, i, name) term->counts[term->count_count++] =
            find_input(choose, term->id, json_string_value(name));
        read_parts(choose, term->id, json_object_get(object, "parts"), term);
    }
}

static bool is_measured_as(const struct cb_choose_term *term) {
    for (size_t p = 0; p < term->part_count; p++)
        for (size_t i = 0; i < term->parts[p].count; i++)
            if (term->parts[p].points[i].as)
                return true;
    return false;
}

// What the other terms say of a program must not ask this term again, nor another such.
static void check_as(struct cb_choose *choose, const struct cb_program *as) {
    for (size_t t = 0; t < choose->term_count; t++)
        if (is_measured_as(&choose->terms[t]) && cb_choose_holds(&choose->terms[t].when, as))
            wrong(choose, choose->terms[t].id, "it would explain itself");
}

static void check_terms(struct cb_choose *choose) {
    for (size_t t = 0; t < choose->term_count; t++)
        for (size_t p = 0; p < choose->terms[t].part_count; p++)
            for (size_t i = 0; i < choose->terms[t].parts[p].count; i++)
                if (choose->terms[t].parts[p].points[i].as)
                    check_as(choose, choose->terms[t].parts[p].points[i].as);
}

static void read_rules(struct cb_choose *choose, const json_t *rules) {
    json_t *object;
    size_t index;
    choose->rule_count = json_array_size(rules);
    choose->rules = cb_rep_memory(choose->rep, choose->rule_count, sizeof *choose->rules);
    json_array_foreach(rules, index, object) {
        const char *over = cb_rep_string(object, "over", NULL);
        choose->rules[index] =
            (struct cb_choose_rule){.when = read_when(choose, "rules", object),
                                    .over = over ? find_input(choose, "rules", over) : -1,
                                    .above = read_number(object, "above", 0),
                                    .needs = json_object_get(object, "needs"),
                                    .families = json_object_get(object, "families"),
                                    .why = cb_rep_string(object, "why", "")};
        bool never = json_is_true(json_object_get(object, "never"));
        if ((json_array_size(choose->rules[index].needs) == 0) != never ||
            !*choose->rules[index].why)
            wrong(choose, "rules", "one without needs, or without why");
    }
}

static struct cb_named_program *read_programs(struct cb_choose *choose, const json_t *list,
                                              size_t *count) {
    json_t *object;
    size_t index;
    *count = json_array_size(list);
    struct cb_named_program *programs = cb_rep_memory(choose->rep, *count, sizeof *programs);
    json_array_foreach(list, index, object) {
        const char *id = cb_rep_string(object, "id", "?");
        programs[index] = (struct cb_named_program){
            .id = id,
            .title = cb_rep_string(object, "title", id),
            .program = read_program(choose, id, json_object_get(object, "program")),
            .cell = read_selector(choose, id, json_object_get(object, "cell")),
            .held_out = json_is_true(json_object_get(object, "held_out"))};
    }
    return programs;
}

// ---- Opening ------------------------------------------------------------------------------------

struct cb_choose *cb_choose_open(struct cb_rep *rep) {
    struct cb_choose *choose = cb_rep_memory(rep, 1, sizeof *choose);
    json_t *model = rep->choose, *validation = json_object_get(model, "validation"), *cell;
    size_t index;
    choose->rep = rep;
    read_terms(choose, json_object_get(model, "terms"));
    check_terms(choose);
    read_parts(choose, "bytes", json_object_get(model, "bytes"), &choose->bytes);
    read_rules(choose, json_object_get(model, "rules"));
    choose->most_live = json_object_get(model, "most_live");
    json_array_foreach(choose->most_live, index, cell) read_selector(choose, "most_live", cell);
    choose->within = read_number(model, "within", 0);
    choose->typical =
        read_programs(choose, json_object_get(model, "typical"), &choose->typical_count);
    choose->validation =
        read_programs(choose, json_object_get(validation, "programs"), &choose->validation_count);
    choose->wanted_median = read_number(validation, "median", NAN);
    choose->wanted_p90 = read_number(validation, "p90", NAN);
    for (size_t i = 0; i < choose->validation_count; i++)
        if (!choose->validation[i].cell)
            wrong(choose, choose->validation[i].id, "no cell to compare with");
    if (!choose->problem) {
        cb_choose_draw(choose);
        return choose;
    }
    cb_error(rep->messages,
             "choose.json: %s\nnothing can be predicted\n"
             "it belongs to the program: build it again with cmake --build",
             choose->problem);
    return NULL;
}

struct cb_rep *cb_choose_run(const struct cb_choose *choose) {
    return choose->rep;
}

double cb_choose_margin(const struct cb_choose *choose) {
    return choose->within;
}

void cb_choose_wanted(const struct cb_choose *choose, double *median, double *p90) {
    *median = choose->wanted_median;
    *p90 = choose->wanted_p90;
}

size_t cb_choose_term_count(const struct cb_choose *choose) {
    return choose->term_count;
}

const char *cb_choose_term(const struct cb_choose *choose, size_t term) {
    return choose->terms[term].id;
}

const struct cb_named_program *cb_choose_validation(const struct cb_choose *choose, size_t *count) {
    *count = choose->validation_count;
    return choose->validation;
}

const struct cb_named_program *cb_choose_typical(const struct cb_choose *choose, size_t *count) {
    *count = choose->typical_count;
    return choose->typical;
}
