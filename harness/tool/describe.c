// corobench describe: what bench programs say of a backend.
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "programs.h"

static const struct cb_option options[] = {
    {"json", NULL, "what the bench programs answer, as it is"},
    {"programs", "DIR", "where bench programs are, instead of bench/; may be repeated"},
    {NULL, NULL, NULL}};

static int run(const struct cb_given *given);

const struct cb_command cb_command_describe = {
    .name = "describe",
    .words = "BACKEND",
    .least = 1,
    .most = 1,
    .summary = "a backend: technique, capabilities, limits, flags",
    .options = options,
    .run = run};

static void print_list(const char *title, const json_t *list) {
    json_t *entry;
    size_t i;
    printf("  %-14s", title);
    json_array_foreach(list, i, entry) printf("%s%s", i ? ", " : "", json_string_value(entry));
    printf("%s\n", json_array_size(list) ? "" : "none");
}

static void print_limit(const json_t *limit) {
    json_t *live = json_object_get(limit, "live");
    const char *reason = json_string_value(json_object_get(limit, "reason"));
    if (json_is_integer(live))
        printf("  %-14s%lld (%s)\n", "live at most", (long long)json_integer_value(live),
               reason ? reason : "no reason given");
    else
        printf("  %-14s%s\n", "live at most", "as many as there is memory for");
}

static void print_number(const char *title, const json_t *number) {
    if (json_is_integer(number))
        printf("  %-14s%lld\n", title, (long long)json_integer_value(number));
    else
        printf("  %-14sunknown\n", title);
}

static void print_scenarios(const json_t *scenarios) {
    json_t *scenario;
    size_t i;
    json_array_foreach(scenarios, i, scenario) {
        json_t *cell;
        size_t k, claimed = 0, cells = json_array_size(json_object_get(scenario, "cells"));
        json_array_foreach(json_object_get(scenario, "cells"), k, cell) {
            const char *status = json_string_value(json_object_get(cell, "status"));
            claimed += status == NULL || strcmp(status, "ok") == 0;
        }
        const char *id = json_string_value(json_object_get(scenario, "id"));
        printf("  %-14s%s: %zu of %zu parameter sets\n", i ? "" : "scenarios", id ? id : "?",
               claimed, cells);
    }
}

static void print_program(const struct cb_program *p) {
    printf("%s, %s%s%s\n", p->backend, p->compiler,
           *cb_program_text(p, "compiler_version") ? " " : "",
           cb_program_text(p, "compiler_version"));
    if (strcmp(p->status, "ok") != 0) {
        printf("  %s: %s\n", p->status, p->note);
        return;
    }
    json_t *source = json_object_get(p->describe, "source");
    printf("  %s\n", cb_program_text(p, "summary"));
    printf("  %-14s%s\n", "family", p->family);
    printf("  %-14s%s\n", "language", cb_program_text(p, "language"));
    printf("  %-14s%s\n", "flags", cb_program_text(p, "flags"));
    printf("  %-14s%s%s\n", "build", cb_program_text(p, "build_type"),
           cb_program_is_measurable(p) ? "" : " (not for measuring)");
    print_list("capabilities", json_object_get(p->describe, "capabilities"));
    print_limit(json_object_get(p->describe, "limit"));
    print_number("source lines", json_object_get(source, "lines"));
    print_number("asm lines", json_object_get(source, "asm_lines"));
    print_number("text bytes", json_object_get(source, "text_bytes"));
    print_scenarios(json_object_get(p->describe, "scenarios"));
}

static int print_backend(const struct cb_programs *programs, const char *name, bool raw) {
    json_t *list = json_array();
    size_t found = 0;
    for (size_t i = 0; i < programs->count; i++) {
        const struct cb_program *p = &programs->list[i];
        if (strcmp(p->backend, name) != 0)
            continue;
        if (!raw)
            print_program(p);
        else if (p->describe != NULL)
            json_array_append(list, p->describe);
        found++;
    }
    if (raw && found > 0) {
        json_dumpf(list, stdout, JSON_INDENT(2));
        printf("\n");
    }
    json_decref(list);
    if (found > 0)
        return CB_EXIT_OK;
    struct cb_names names = {0};
    cb_programs_backends(programs, &names);
    char *valid = cb_names_join(&names);
    cb_error(stderr, "no backend is called '%s'\nnothing is described\nvalid names: %s", name,
             valid);
    free(valid);
    cb_names_free(&names);
    return CB_EXIT_USAGE;
}

static int run(const struct cb_given *given) {
    const char **folders = cb_allocate(given->count, sizeof *folders);
    size_t count = 0;
    for (size_t i = 0; i < given->count; i++)
        if (strcmp(given->typed[i].option->name, "programs") == 0)
            folders[count++] = given->typed[i].value;
    struct cb_programs programs;
    int status = cb_programs_find(&programs, folders, count);
    free(folders);
    if (status != CB_EXIT_OK)
        return status;
    status = print_backend(&programs, given->words[0], cb_given_has(given, "json"));
    cb_programs_free(&programs);
    return status;
}
