// --describe: the backend's facts and the program's cells, as JSON.
#include "about.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "params.h"
#include "session.h"
#include "status.h"

static json_t *capabilities(unsigned bits) {
    json_t *list = json_array();
    for (unsigned bit = 0; bit < 32; bit++)
        if (bits >> bit & 1 && cb_capability_name(bit))
            json_array_append_new(list, json_string(cb_capability_name(bit)));
    return list;
}

static json_t *limit(const struct cb_bench *bench) {
    struct co_limit limit = bench->backend.limit();
    json_t *live = limit.live == SIZE_MAX ? json_null() : json_integer((json_int_t)limit.live);
    return json_pack("{s:o, s:s}", "live", live, "reason", limit.reason ? limit.reason : "");
}

static json_t *environment(const struct cb_backend_facts *facts) {
    json_t *all = json_object();
    for (size_t i = 0; i < facts->environment_count; i++) {
        const struct cb_env *env = &facts->environment[i];
        json_t *variables = json_object_get(all, env->param);
        if (!variables) {
            variables = json_object();
            json_object_set_new(all, env->param, variables);
        }
        json_object_set_new(variables, env->name, json_string(env->value));
    }
    return all;
}

static json_t *count_or_null(long count) {
    return count < 0 ? json_null() : json_integer(count);
}

static json_t *source(const struct cb_backend_facts *facts) {
    return json_pack("{s:o, s:o, s:o}", "lines", count_or_null(facts->source_lines), "asm_lines",
                     count_or_null(facts->source_asm_lines), "text_bytes",
                     count_or_null(facts->source_text_bytes));
}

static json_t *loop(const struct cb_loop *l) {
    return json_pack("{s:i, s:i, s:i, s:i, s:i}", "instructions", l->instructions, "elements",
                     l->elements, "calls", l->calls, "indirect", l->indirect, "stores", l->stores);
}

static json_t *loops(const struct cb_backend_facts *facts) {
    json_t *all = json_object();
    for (size_t i = 0; i < facts->loop_count; i++)
        json_object_set_new(all, facts->loops[i].cell,
                            json_pack("{s:o, s:o}", "loop", loop(&facts->loops[i].loop), "hand",
                                      loop(&facts->loops[i].hand)));
    return all;
}

static const char *const kinds[] = {
    [CB_KIND_TIME] = "time", [CB_KIND_SPACE] = "space", [CB_KIND_LIMIT] = "limit"};

static json_t *metrics(const struct cb_scenario *scenario) {
    if (scenario->kind == CB_KIND_SPACE)
        return json_pack("[s, s, s, s, s]", "rss", "page_tables", "virtual", "kernel", "mappings");
    if (scenario->kind == CB_KIND_LIMIT)
        return json_pack("[s]", "coroutines");
    json_t *timed = json_pack("[s]", "time");
    if (timed && scenario->hand)
        json_array_append_new(timed, json_string("ratio"));
    if (timed && scenario->polls)
        json_array_append_new(timed, json_string("polls"));
    return timed;
}

static bool listed(const json_t *cells, const char *params) {
    size_t i;
    json_t *cell;
    json_array_foreach(cells, i,
                       cell) if (strcmp(json_string_value(json_object_get(cell, "params")),
                                        params) == 0) return true;
    return false;
}

static json_t *cell(const struct cb_scenario *scenario, const struct cb_params *params,
                    const char *size, unsigned capabilities) {
    struct cb_outcome outcome;
    cb_cell_claims(scenario, params, capabilities, &outcome);
    json_t *object = json_pack("{s:s, s:s, s:s}", "params", params->text, "size", size, "status",
                               cb_status_name(outcome.status));
    if (outcome.status != CB_OK)
        json_object_set_new(object, "note", json_string(outcome.note));
    return object;
}

static bool add_cells(json_t *cells, const struct cb_scenario *scenario, const char *const *list,
                      const char *size, unsigned capabilities, char *why, size_t why_size) {
    for (; list && *list; list++) {
        struct cb_params params;
        char problem[256];
        if (!cb_params_parse(&params, *list, problem, sizeof problem)) {
            snprintf(why, why_size, "scenario %s, cell \"%s\": %s", scenario->id, *list, problem);
            return false;
        }
        if (!listed(cells, *list))
            json_array_append_new(cells, cell(scenario, &params, size, capabilities));
    }
    return true;
}

// A program that was built for some cells only may lack a binding; it says which it has.
static json_t *bindings(const struct cb_bench *bench, const char *id) {
    json_t *list = json_array();
    for (size_t i = 0; i < bench->registry_count; i++)
        if (strcmp(bench->registry[i].scenario, id) == 0)
            json_array_append_new(list, json_string(bench->registry[i].binding));
    return list;
}

static json_t *scenario_object(const struct cb_bench *bench, const struct cb_scenario *scenario,
                               char *why, size_t why_size) {
    unsigned bits = bench->facts->capabilities;
    json_t *cells = json_array();
    if (!add_cells(cells, scenario, scenario->quick, "quick", bits, why, why_size) ||
        !add_cells(cells, scenario, scenario->normal, "default", bits, why, why_size) ||
        !add_cells(cells, scenario, scenario->full, "full", bits, why, why_size)) {
        json_decref(cells);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "id", scenario->id, "unit", scenario->unit,
                     "kind", kinds[scenario->kind], "metrics", metrics(scenario), "bindings",
                     bindings(bench, scenario->id), "cells", cells);
}

static bool first_of_its_scenario(const struct cb_bench *bench, size_t entry) {
    for (size_t i = 0; i < entry; i++)
        if (strcmp(bench->registry[i].scenario, bench->registry[entry].scenario) == 0)
            return false;
    return true;
}

static json_t *scenarios(const struct cb_bench *bench, char *why, size_t why_size) {
    json_t *list = json_array();
    for (size_t i = 0; i < bench->registry_count; i++) {
        if (!first_of_its_scenario(bench, i))
            continue;
        json_t *object = scenario_object(bench, bench->registry[i].s, why, why_size);
        if (!object) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, object);
    }
    return list;
}

char *cb_about(const struct cb_bench *bench, char *why, size_t why_size) {
    const struct cb_backend_facts *facts = bench->facts;
    snprintf(why, why_size, "no memory, or a text that is not UTF-8");
    json_t *list = scenarios(bench, why, why_size);
    if (!list)
        return NULL;
    json_t *document = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:s, s:s, s:s, s:o, "
        "s:o, s:o, s:o, "
        "s:o, s:o}",
        "contract", facts->contract, "backend", facts->name, "family", facts->family, "summary",
        facts->summary, "variant_of", facts->variant_of, "compiler", facts->compiler,
        "compiler_version", facts->compiler_version, "flags", facts->flags, "language",
        facts->language, "link", facts->link, "checked", facts->checked, "build_type",
        facts->build_type, "status", "ok", "note", "", "capabilities",
        capabilities(facts->capabilities), "limit", limit(bench), "environment", environment(facts),
        "source", source(facts), "loops", loops(facts), "scenarios", list);
    char *text = document ? json_dumps(document, JSON_INDENT(1)) : NULL;
    json_decref(document);
    return text;
}
