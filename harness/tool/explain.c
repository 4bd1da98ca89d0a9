// corobench explain: where a number comes from.
#include "explain.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

enum { NEAREST = 5 };

// ---- Finding cells ------------------------------------------------------------------------------

unsigned cb_explain_distance(const char *typed, const char *name) {
    enum { REST = 1, MORE = 100, OTHER = 300 };
    size_t n = strlen(name);
    unsigned *row = cb_allocate(n + 1, sizeof *row);
    for (size_t i = 0; i <= n; i++)
        row[i] = (unsigned)i * MORE;
    for (; *typed; typed++) {
        unsigned corner = row[0];
        row[0] += OTHER;
        for (size_t i = 1; i <= n; i++) {
            unsigned best = corner + (*typed == name[i - 1] ? 0 : OTHER);
            corner = row[i];
            if (row[i] + OTHER < best)
                best = row[i] + OTHER;
            if (row[i - 1] + MORE < best)
                best = row[i - 1] + MORE;
            row[i] = best;
        }
    }
    unsigned distance = row[n];
    for (size_t i = 0; i < n; i++)
        if (row[i] + REST * (unsigned)(n - i) < distance)
            distance = row[i] + REST * (unsigned)(n - i);
    free(row);
    return distance;
}

// The cells that were planned, and those that derived metrics have for themselves. Keep `list` by
// the report.
static const struct cb_rep_cell **all_cells(struct cb_rep *rep, size_t *count) {
    struct cb_rep_row **rows = cb_rep_sorted_rows(rep);
    const struct cb_rep_cell **list =
        cb_rep_memory(rep, rep->row_count + rep->cell_count, sizeof *list);
    json_t *seen = json_object();
    size_t n = 0;
    for (size_t i = 0; i < rep->row_count + rep->cell_count; i++) {
        const struct cb_rep_cell *cell =
            i < rep->row_count ? rows[i]->cell : rep->cells[i - rep->row_count];
        if (json_object_get(seen, cell->id) != NULL)
            continue;
        json_object_set_new(seen, cell->id, json_true());
        list[n++] = cell;
    }
    json_decref(seen);
    *count = n;
    return list;
}

// Moves what the pattern matches to the front; how many these are. An id without the signs of a
// glob matches itself only.
static size_t choose_cells(const struct cb_rep_cell **cells, size_t count, const char *pattern) {
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++)
        if (fnmatch(pattern, cells[i]->id, 0) == 0)
            cells[chosen++] = cells[i];
    return chosen;
}

static int complain(const char *dir, const char *pattern, const struct cb_rep_cell *const *cells,
                    size_t count, FILE *messages) {
    unsigned *distance = cb_allocate(count, sizeof *distance);
    struct cb_text list = {0};
    for (size_t i = 0; i < count; i++)
        distance[i] = cb_explain_distance(pattern, cells[i]->id);
    for (size_t shown = 0; shown < NEAREST && shown < count; shown++) {
        size_t best = 0;
        for (size_t i = 1; i < count; i++)
            if (distance[i] < distance[best])
                best = i;
        cb_text_add(&list, "\n%s", cells[best]->id);
        distance[best] = ~0U;
    }
    const char *problem = cb_glob_problem(pattern);
    cb_error(messages,
             "%s has no cell %s%s%s\nnothing is explained\n"
             "a cell is backend/scenario/binding/compiler/params, or a glob of that; the nearest "
             "are:%s",
             dir, pattern, problem ? ": as a glob, " : "", problem ? problem : "", list.text);
    cb_text_clear(&list);
    free(distance);
    return CB_EXIT_USAGE;
}

// ---- The run ------------------------------------------------------------------------------------

static void list_raw(struct cb_explain_run *run) {
    char *path = cb_format("%s/raw", run->rep.dir);
    DIR *folder = opendir(path); // without it, each sample says that its file is gone
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        size_t length = strlen(entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0)
            cb_names_add(&run->raw, entry->d_name);
    }
    if (folder)
        closedir(folder);
    free(path);
}

static int load(struct cb_explain_run *run, const char *dir, FILE *messages) {
    if (cb_rep_load(&run->rep, dir, messages) != 0)
        return CB_EXIT_USAGE;
    cb_rep_estimate_all(&run->rep);
    char *path = cb_format("%s/samples.csv", dir), *problem = NULL;
    run->has_samples = access(path, R_OK) == 0;
    int status = CB_EXIT_OK;
    if (run->has_samples && cb_csv_read(&run->samples, path, &problem) < 0) {
        cb_error(messages, "%s: %s\nnothing is explained\nmake it anew with corobench run --resume",
                 path, problem);
        run->has_samples = false;
        status = CB_EXIT_USAGE;
    }
    free(problem);
    free(path);
    list_raw(run);
    return status;
}

static void explain_cells(struct cb_explain_run *run, const struct cb_rep_cell *const *cells,
                          size_t count, bool json, FILE *out) {
    json_t *about = cb_explain_about(run), *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *cell = cb_explain_trace(run, cells[i]);
        if (json) {
            json_array_append(list, cell);
        } else {
            cb_explain_print(about, cell, out);
            if (i + 1 < count)
                fputs("\n", out);
        }
        json_decref(cell);
    }
    if (json) {
        json_object_set(about, "cells", list);
        json_dumpf(about, out, JSON_INDENT(1) | JSON_REAL_PRECISION(10));
        fputc('\n', out);
    }
    json_decref(list);
    json_decref(about);
}

int cb_explain(const char *dir, const char *pattern, bool json, FILE *out, FILE *messages) {
    struct cb_explain_run run = {0};
    int status = load(&run, dir, messages);
    if (status == CB_EXIT_OK) {
        size_t count;
        const struct cb_rep_cell **cells = all_cells(&run.rep, &count);
        size_t chosen = choose_cells(cells, count, pattern);
        if (chosen == 0)
            status = complain(dir, pattern, cells, count, messages);
        else
            explain_cells(&run, cells, chosen, json, out);
    }
    if (run.has_samples)
        cb_csv_free(&run.samples);
    cb_names_free(&run.raw);
    cb_rep_free(&run.rep);
    return status;
}

static const struct cb_option options[] = {
    {"run", "DIR", "the run's folder; results/latest without it"},
    {"json", NULL, "print JSON instead of Markdown"},
    {NULL, NULL, NULL}};

static int run(const struct cb_given *given) {
    const char *dir = cb_given_value(given, "run");
    return cb_explain(dir ? dir : "results/latest", given->words[0], cb_given_has(given, "json"),
                      stdout, stderr);
}

const struct cb_command cb_command_explain = {
    .name = "explain",
    .words = "CELL",
    .least = 1,
    .most = 1,
    .summary = "say where the numbers of a cell come from",
    .details =
        "\nCELL is an id as cells.csv has it, backend/scenario/binding/compiler/params, or a glob\n"
        "that may match several: '*/opaque/gcc/depth=1' (in quotes, for the shell).\n"
        "\nSays the cell's estimates, the samples behind them round by round with their raw "
        "files,\n"
        "the program with its hash and flags, and the command that measured it; of a derived\n"
        "metric, the cells that it is made from.",
    .options = options,
    .run = run};
