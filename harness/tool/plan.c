// Cells from descriptions and plan.json; nothing here knows a backend or a scenario by name.
#define _GNU_SOURCE
#include "plan.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

static const char *const status_texts[] = {"ok",      "failed",      "timeout",
                                           "skipped", "unavailable", "not-claimed"};
static const char *const bindings[] = {"opaque", "visible", "library"};
enum { BINDINGS = 3 };
static const char twin_key[] = "aa"; // aa=1 in the params of a twin

const char *cb_status_text(enum cb_cell_status status) {
    return status_texts[status];
}

enum cb_cell_status cb_status_from_text(const char *text) {
    for (size_t i = 0; text != NULL && i < sizeof status_texts / sizeof *status_texts; i++)
        if (strcmp(text, status_texts[i]) == 0)
            return (enum cb_cell_status)i;
    return CB_CELL_FAILED;
}

bool cb_status_is_bad(enum cb_cell_status status) {
    return status == CB_CELL_FAILED || status == CB_CELL_TIMEOUT;
}

long cb_params_number(const char *params, const char *key, long absent) {
    size_t length = strlen(key);
    for (const char *c = params; c != NULL && *c != '\0';) {
        if (strncmp(c, key, length) == 0 && c[length] == '=')
            return strtol(c + length + 1, NULL, 10);
        c = strchr(c, ';');
        c = c ? c + 1 : NULL;
    }
    return absent;
}

// The length of "key" in "key=value;...".
static size_t key_length(const char *pair) {
    return strcspn(pair, "=;");
}

static int compare_keys(const char *a, size_t a_length, const char *b, size_t b_length) {
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static void add_pair(struct cb_text *to, const char *pair, size_t length) {
    cb_text_add(to, "%s%.*s", to->length > 0 ? ";" : "", (int)length, pair);
}

char *cb_params_with(const char *params, const char *key, const char *value) {
    struct cb_text text = {0};
    char *added = cb_format("%s=%s", key, value);
    bool done = false;
    for (const char *c = params; *c != '\0'; c += c[0] == ';') {
        if (!done && compare_keys(key, strlen(key), c, key_length(c)) < 0) {
            add_pair(&text, added, strlen(added));
            done = true;
        }
        add_pair(&text, c, strcspn(c, ";"));
        c += strcspn(c, ";");
    }
    if (!done)
        add_pair(&text, added, strlen(added));
    free(added);
    return text.text;
}

char *cb_params_without(const char *params, const char *key) {
    struct cb_text text = {0};
    for (const char *c = params; *c != '\0'; c += c[0] == ';') {
        if (compare_keys(key, strlen(key), c, key_length(c)) != 0)
            add_pair(&text, c, strcspn(c, ";"));
        c += strcspn(c, ";");
    }
    return text.text ? text.text : cb_copy("");
}

const char *cb_cell_asked(const struct cb_cell *cell) {
    return cell->asked ? cell->asked : cell->params;
}

// ---- Making cells

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static struct cb_cell *add_cell(struct cb_plan *plan, const char *backend, const char *family,
                                const char *compiler) {
    plan->cells = cb_resize(plan->cells, plan->count + 1, sizeof *plan->cells);
    struct cb_cell *cell = &plan->cells[plan->count++];
    *cell = (struct cb_cell){
        .backend = cb_copy(backend), .family = cb_copy(family), .compiler = cb_copy(compiler)};
    return cell;
}

static void name_cell(struct cb_cell *cell, const char *scenario, const char *binding,
                      const char *params, const char *unit, const char *kind) {
    cell->scenario = cb_copy(scenario);
    cell->binding = cb_copy(binding);
    cell->params = cb_copy(params);
    cell->unit = cb_copy(unit);
    cell->kind = cb_copy(kind);
    cell->id =
        cb_format("%s/%s/%s/%s/%s", cell->backend, scenario, binding, cell->compiler, params);
}

static void set_status(struct cb_cell *cell, enum cb_cell_status status, const char *note) {
    cell->status = status;
    cell->note = cb_copy(note);
}

static int size_rank(const char *size) {
    return strcmp(size, "quick") == 0 ? 0 : strcmp(size, "default") == 0 ? 1 : 2;
}

// Whether a list of plan.json ("bindings", "except", a family of "except_of_family", "variants",
// "also", "second_also" and "second_except" with the backend before the scenario, "twins") has
// scenario/params in this binding.
static bool is_listed(const json_t *size, const char *list, const char *binding,
                      const char *scenario, const char *params) {
    char *name = cb_format("%s/%s", scenario, params);
    json_t *globs = json_object_get(json_object_get(size, list), binding), *glob;
    bool wanted = false;
    size_t i;
    json_array_foreach(globs, i, glob) {
        const char *text = json_string_value(glob);
        wanted = wanted || (text != NULL && fnmatch(text, name, 0) == 0);
    }
    free(name);
    return wanted;
}

static bool is_headline(const json_t *headline, const char *scenario, const char *binding,
                        const char *params) {
    json_t *cell;
    size_t i;
    json_array_foreach(json_object_get(headline, "cells"), i, cell) {
        if (fnmatch(text_of(cell, "scenario"), scenario, 0) == 0 &&
            strcmp(text_of(cell, "binding"), binding) == 0 &&
            strcmp(text_of(cell, "params"), params) == 0)
            return true;
    }
    return false;
}

// What one program is asked for while its cells are made.
struct making {
    struct cb_plan *plan;
    const struct cb_choice *choice;
    const json_t *data, *size, *headline;
    const struct cb_program *program;
    const char *reach;  // "all", "headline" or "none" of the cells
    size_t rank, ranks; // the number of the backend among those of the primary compiler
};

// Whether one of a list's globs is for this backend by name.
static bool is_named(const struct making *m, const char *list, const char *binding,
                     const char *scenario, const char *params) {
    char *name = cb_format("%s/%s", m->program->backend, scenario);
    bool named = is_listed(m->size, list, binding, name, params);
    free(name);
    return named;
}

static bool is_reached(const struct making *m, const char *scenario, const char *binding,
                       const char *params) {
    bool headline = is_headline(m->headline, scenario, binding, params) &&
                    !is_named(m, "second_except", binding, scenario, params);
    return strcmp(m->reach, "all") == 0 || headline ||
           is_named(m, "second_also", binding, scenario, params);
}

static bool wanted(const struct making *m, const char *scenario, const char *binding,
                   const char *params) {
    return cb_globs_match(&m->choice->scenarios, scenario) &&
           cb_globs_match(&m->choice->bindings, binding) &&
           cb_globs_match(&m->choice->params, params) && is_reached(m, scenario, binding, params);
}

// Whether the program holds the scenario in this binding; a program built for a quick run may not.
static bool is_built(const json_t *scenario, const char *binding) {
    json_t *built = json_object_get(scenario, "bindings"), *name;
    size_t i;
    json_array_foreach(built, i,
                       name) if (strcmp(json_string_value(name), binding) == 0) return true;
    return !json_is_array(built);
}

static void make_cell(const struct making *m, const json_t *scenario, const json_t *described,
                      const char *binding) {
    const struct cb_program *p = m->program;
    struct cb_cell *cell = add_cell(m->plan, p->backend, p->family, p->compiler);
    name_cell(cell, text_of(scenario, "id"), binding, text_of(described, "params"),
              text_of(scenario, "unit"), text_of(scenario, "kind"));
    const char *status = text_of(described, "status");
    if (strcmp(p->status, "ok") != 0)
        set_status(cell, cb_status_from_text(p->status), p->note);
    else if (!is_built(scenario, binding))
        set_status(cell, CB_CELL_UNAVAILABLE,
                   "this binding was not built: configure with -DCB_BINDINGS= and the size that is "
                   "measured");
    else
        set_status(cell, *status ? cb_status_from_text(status) : CB_CELL_OK,
                   text_of(described, "note"));
}

// Whether this size has the cell: it is listed, not excepted for all or for this family, and, of a
// variant of another backend, one that its one choice can change. Or it is asked for by name.
static bool is_planned(const struct making *m, const json_t *cell, const char *binding,
                       const char *scenario) {
    const char *params = text_of(cell, "params");
    const json_t *family = json_object_get(m->size, "except_of_family");
    bool fewer = *text_of(m->program->describe, "variant_of") &&
                 json_object_get(m->size, "variants") != NULL;
    if (size_rank(text_of(cell, "size")) <= size_rank(m->choice->mode) &&
        is_listed(m->size, "bindings", binding, scenario, params) &&
        !is_listed(m->size, "except", binding, scenario, params) &&
        !is_listed(family, m->program->family, binding, scenario, params) &&
        (!fewer || is_listed(m->size, "variants", binding, scenario, params)))
        return true;
    return is_named(m, "also", binding, scenario, params);
}

// Adds the cells that `describe` lists, in the name of m->program.
static void make_described(const struct making *m, const json_t *describe) {
    json_t *scenario, *cell;
    size_t i, k;
    json_array_foreach(json_object_get(describe, "scenarios"), i, scenario) {
        const char *id = text_of(scenario, "id");
        json_array_foreach(json_object_get(scenario, "cells"), k,
                           cell) for (size_t b = 0; b < BINDINGS;
                                      b++) if (is_planned(m, cell, bindings[b], id) &&
                                               wanted(m, id, bindings[b], text_of(cell, "params")))
            make_cell(m, scenario, cell, bindings[b]);
    }
}

// Adds the cells whose metrics stand in the description and need no measuring.
static void make_static(const struct making *m) {
    const struct cb_program *p = m->program;
    json_t *entry;
    size_t i;
    json_array_foreach(json_object_get(m->data, "static"), i, entry) {
        const char *scenario = text_of(entry, "scenario"), *binding = text_of(entry, "binding");
        const char *params = text_of(entry, "params");
        if (!wanted(m, scenario, binding, params))
            continue;
        struct cb_cell *cell = add_cell(m->plan, p->backend, p->family, p->compiler);
        name_cell(cell, scenario, binding, params, text_of(entry, "unit"), "static");
        bool known = json_is_object(json_object_get(p->describe, text_of(entry, "member")));
        if (strcmp(p->status, "ok") != 0)
            set_status(cell, cb_status_from_text(p->status), p->note);
        else
            set_status(cell, known ? CB_CELL_OK : CB_CELL_UNAVAILABLE,
                       known ? "" : "the bench program does not say it");
    }
}

// With many backends a share of them has twins, each scenario those of other backends: what
// matters is how many twins a scenario has.
static bool has_twin(const struct making *m, const struct cb_cell *cell) {
    json_int_t enough = json_integer_value(json_object_get(m->size, "twin_backends"));
    size_t every = enough > 0 ? m->ranks / (size_t)enough : 1, offset = m->rank;
    for (const char *c = cell->scenario; *c; c++)
        offset += (unsigned char)*c;
    return every <= 1 || offset % every == 0;
}

// Gives the cells from `first` on, of one program, the twins that plan.json wants. What is not
// measured has none.
static void make_twins(const struct making *m, size_t first) {
    struct cb_plan *plan = m->plan;
    for (size_t i = first, end = plan->count; i < end; i++) {
        if (plan->cells[i].status != CB_CELL_OK || !has_twin(m, &plan->cells[i]) ||
            !is_listed(m->size, "twins", plan->cells[i].binding, plan->cells[i].scenario,
                       plan->cells[i].params))
            continue;
        const struct cb_program *p = m->program;
        struct cb_cell *twin = add_cell(plan, p->backend, p->family, p->compiler);
        const struct cb_cell *cell = &plan->cells[i]; // add_cell may have moved it
        char *params = cb_params_with(cell->params, twin_key, "1");
        name_cell(twin, cell->scenario, cell->binding, params, cell->unit, cell->kind);
        set_status(twin, CB_CELL_OK, "");
        twin->twin_of = cb_copy(cell->id);
        twin->asked = cb_copy(cell->params);
        free(params);
    }
}

static bool is_usable(const struct cb_program *program) {
    return strcmp(program->status, "ok") == 0;
}

static bool same_cells(const struct cb_program *p, const struct cb_program *q) {
    return strcmp(p->backend, q->backend) == 0 && strcmp(p->compiler, q->compiler) == 0;
}

// A cell is not per link: whether a program stands for all that differ from it in the link only. It
// is the first that can be used, or the first of all where none can.
static bool stands_for_links(const struct cb_programs *programs, size_t i) {
    const struct cb_program *list = programs->list;
    size_t first = i, k;
    while (first > 0 && same_cells(&list[first - 1], &list[i]))
        first--;
    for (k = first; k < programs->count && same_cells(&list[k], &list[i]); k++)
        if (is_usable(&list[k]))
            return k == i;
    return first == i;
}

// A program that is not there gets the cells that a program that is there has, so that its rows
// say why they are empty. The one with most scenarios lends them.
static const json_t *lender(const struct cb_programs *programs) {
    const json_t *best = NULL;
    for (size_t i = 0; i < programs->count; i++) {
        const struct cb_program *p = &programs->list[i];
        json_t *scenarios = json_object_get(p->describe, "scenarios");
        if (is_usable(p) &&
            (best == NULL ||
             json_array_size(scenarios) > json_array_size(json_object_get(best, "scenarios"))))
            best = p->describe;
    }
    return best;
}

// The compiler that measures all cells: the first of plan.json's list that is chosen and there.
static const char *primary_compiler(const struct cb_names *chosen, const json_t *data) {
    json_t *name;
    size_t i;
    json_array_foreach(json_object_get(data, "compilers"), i, name) {
        const char *text = json_string_value(name);
        if (text != NULL && cb_names_have(chosen, text))
            return text;
    }
    return chosen->count > 0 ? chosen->list[0] : "";
}

static int compare_cells(const void *a, const void *b) {
    const struct cb_cell *p = a, *q = b;
    const char *p_params = cb_cell_asked(p), *q_params = cb_cell_asked(q);
    int order = strcmp(p->scenario, q->scenario);
    order = order ? order : strcmp(p->binding, q->binding);
    order = order ? order : strverscmp(p_params, q_params); // depth=2 before depth=16
    order = order ? order : strcmp(p_params, q_params);
    order = order ? order : strcmp(p->backend, q->backend);
    order = order ? order : strcmp(p->compiler, q->compiler);
    return order ? order : (p->twin_of != NULL) - (q->twin_of != NULL);
}

static bool check_choice(const struct cb_programs *programs, const json_t *data,
                         const struct cb_choice *choice) {
    struct cb_names backends = {0}, scenarios = {0}, compilers = {0}, binding_names = {0};
    cb_programs_backends(programs, &backends);
    cb_programs_scenarios(programs, &scenarios);
    cb_programs_compilers(programs, &compilers);
    json_t *entry;
    size_t i;
    json_array_foreach(json_object_get(data, "static"), i, entry)
        cb_names_add(&scenarios, text_of(entry, "scenario"));
    for (size_t b = 0; b < BINDINGS; b++)
        cb_names_add(&binding_names, bindings[b]);
    bool good = cb_globs_check(&choice->backends, "backend", &backends) &&
                cb_globs_check(&choice->scenarios, "scenario", &scenarios) &&
                cb_globs_check(&choice->compilers, "compiler", &compilers) &&
                cb_globs_check(&choice->bindings, "binding", &binding_names);
    cb_names_free(&backends);
    cb_names_free(&scenarios);
    cb_names_free(&compilers);
    cb_names_free(&binding_names);
    return good;
}

// Whether program `i` is measured in full: chosen, there, and made by the first compiler.
static bool is_primary(const struct cb_programs *programs, size_t i, const struct cb_choice *choice,
                       const char *primary) {
    const struct cb_program *p = &programs->list[i];
    return is_usable(p) && strcmp(p->compiler, primary) == 0 &&
           cb_globs_match(&choice->backends, p->backend) && stands_for_links(programs, i);
}

int cb_plan_make(struct cb_plan *plan, const struct cb_programs *programs, const json_t *data,
                 const json_t *headline, const struct cb_choice *choice) {
    *plan = (struct cb_plan){0};
    if (!check_choice(programs, data, choice))
        return CB_EXIT_USAGE;
    struct cb_names compilers = {0};
    for (size_t i = 0; i < programs->count; i++)
        if (cb_globs_match(&choice->compilers, programs->list[i].compiler))
            cb_names_add(&compilers, programs->list[i].compiler);
    const char *primary = primary_compiler(&compilers, data);
    json_t *size = json_object_get(json_object_get(data, "sizes"), choice->mode);
    const char *second = text_of(size, "second_compiler");
    size_t rank = 0, ranks = 0;
    for (size_t i = 0; i < programs->count; i++)
        ranks += is_primary(programs, i, choice, primary);
    // Who names compilers wants to see them.
    if (choice->compilers.count > 0 && strcmp(second, "none") == 0)
        second = "headline";
    for (size_t i = 0; i < programs->count; i++) {
        const struct cb_program *p = &programs->list[i];
        if (!stands_for_links(programs, i) || !cb_globs_match(&choice->backends, p->backend) ||
            !cb_globs_match(&choice->compilers, p->compiler))
            continue;
        struct making m = {.plan = plan,
                           .choice = choice,
                           .data = data,
                           .size = size,
                           .headline = headline,
                           .program = p,
                           .rank = rank,
                           .ranks = ranks,
                           .reach = strcmp(p->compiler, primary) == 0 ? "all" : second};
        if (strcmp(m.reach, "none") == 0)
            continue;
        rank += is_primary(programs, i, choice, primary);
        size_t first = plan->count;
        make_described(&m, is_usable(p) ? p->describe : lender(programs));
        if (choice->twins && strcmp(p->compiler, primary) == 0)
            make_twins(&m, first);
        make_static(&m);
    }
    cb_names_free(&compilers);
    if (plan->count > 0)
        qsort(plan->cells, plan->count, sizeof *plan->cells, compare_cells);
    return CB_EXIT_OK;
}

// ---- Budget

static bool is_measured(const struct cb_cell *cell) {
    return cell->status == CB_CELL_OK && strcmp(cell->kind, "static") != 0;
}

size_t cb_plan_measured(const struct cb_plan *plan) {
    size_t n = 0;
    for (size_t i = 0; i < plan->count; i++)
        n += is_measured(&plan->cells[i]);
    return n;
}

// "scenario live 300, yield 250, ...": how the measured cells spread over one of their names.
static char *spread(const struct cb_plan *plan, size_t offset) {
    struct cb_names names = {0};
    struct cb_text text = {0};
    for (size_t i = 0; i < plan->count; i++)
        cb_names_add(&names, *(char **)((char *)&plan->cells[i] + offset));
    for (size_t n = 0; n < names.count; n++) {
        size_t count = 0;
        for (size_t i = 0; i < plan->count; i++)
            count += is_measured(&plan->cells[i]) &&
                     strcmp(*(char **)((char *)&plan->cells[i] + offset), names.list[n]) == 0;
        cb_text_add(&text, "%s%s %zu", n ? ", " : "", names.list[n], count);
    }
    cb_names_free(&names);
    return text.text ? text.text : cb_copy("none");
}

int cb_plan_check_budget(const struct cb_plan *plan, const char *mode, size_t budget) {
    size_t cells = cb_plan_measured(plan);
    if (budget == 0 || cells <= budget)
        return CB_EXIT_OK;
    char *scenarios = spread(plan, offsetof(struct cb_cell, scenario));
    char *backends = spread(plan, offsetof(struct cb_cell, backend));
    cb_error(stderr,
             "a %s run measures at most %zu cells, and these are %zu\nnothing is measured\ncut %zu "
             "cells with --backend, --scenario, --binding or --compiler, or use a larger size\n"
             "cells a scenario: %s\ncells a backend: %s",
             mode, budget, cells, cells - budget, scenarios, backends);
    free(scenarios);
    free(backends);
    return CB_EXIT_USAGE;
}

// ---- JSON

json_t *cb_plan_to_json(const struct cb_plan *plan) {
    json_t *list = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        const struct cb_cell *c = &plan->cells[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s*}",
                            "cell_id", c->id, "backend", c->backend, "family", c->family,
                            "scenario", c->scenario, "binding", c->binding, "compiler", c->compiler,
                            "params", c->params, "unit", c->unit, "kind", c->kind, "iterations",
                            (json_int_t)c->iterations, "status", cb_status_text(c->status), "note",
                            c->note, "twin_of", c->twin_of));
    }
    return list;
}

bool cb_plan_from_json(struct cb_plan *plan, const json_t *list) {
    *plan = (struct cb_plan){0};
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) {
        const char *backend, *family, *scenario, *binding, *compiler, *params, *unit, *kind,
            *status, *note, *twin_of = NULL;
        json_int_t iterations;
        if (json_unpack(entry, "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s?s}",
                        "backend", &backend, "family", &family, "scenario", &scenario, "binding",
                        &binding, "compiler", &compiler, "params", &params, "unit", &unit, "kind",
                        &kind, "iterations", &iterations, "status", &status, "note", &note,
                        "twin_of", &twin_of) < 0) {
            cb_plan_free(plan);
            return false;
        }
        struct cb_cell *cell = add_cell(plan, backend, family, compiler);
        name_cell(cell, scenario, binding, params, unit, kind);
        set_status(cell, cb_status_from_text(status), note);
        cell->iterations = iterations;
        if (twin_of != NULL) {
            cell->twin_of = cb_copy(twin_of);
            cell->asked = cb_params_without(params, twin_key);
        }
    }
    return json_is_array(list);
}

void cb_plan_free(struct cb_plan *plan) {
    for (size_t i = 0; i < plan->count; i++) {
        struct cb_cell *c = &plan->cells[i];
        char *texts[] = {c->id,     c->backend, c->family, c->scenario, c->binding, c->compiler,
                         c->params, c->unit,    c->kind,   c->note,     c->twin_of, c->asked};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            free(texts[k]);
    }
    free(plan->cells);
    *plan = (struct cb_plan){0};
}
