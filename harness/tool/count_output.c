// What was counted: for people, as JSON, and as a file of a run.
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "count.h"
#include "csv.h"
#include "file.h"
#include "message.h"

static int widest_id(const struct cb_plan *plan) {
    size_t widest = strlen("CELL");
    for (size_t i = 0; i < plan->count; i++)
        widest = strlen(plan->cells[i].id) > widest ? strlen(plan->cells[i].id) : widest;
    return (int)widest;
}

// The number of each cell's reason, 0 where it was counted: many cells share one, so each is said
// once. Free it.
static size_t *number_reasons(const struct cb_tally *tallies, size_t count) {
    size_t *numbers = cb_allocate(count + 1, sizeof *numbers), last = 0;
    for (size_t i = 0; i < count; i++) {
        if (tallies[i].status == CB_CELL_OK)
            continue;
        for (size_t k = 0; k < i && numbers[i] == 0; k++)
            if (tallies[k].status == tallies[i].status &&
                strcmp(tallies[k].note, tallies[i].note) == 0)
                numbers[i] = numbers[k];
        if (numbers[i] == 0)
            numbers[i] = ++last;
    }
    return numbers;
}

static void print_reasons(const struct cb_tally *tallies, const size_t *numbers, size_t count) {
    size_t said = 0;
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] <= said)
            continue;
        said = numbers[i];
        printf("[%zu] %s: %s\n", said, cb_status_text(tallies[i].status), tallies[i].note);
    }
}

void cb_tally_print(const struct cb_tally *tallies, const struct cb_counter *counter,
                    const struct cb_plan *plan) {
    size_t *numbers = number_reasons(tallies, plan->count), counted = 0;
    int width = widest_id(plan);
    printf("%-*s %16s\n", width, "CELL", "INSTRUCTIONS");
    for (size_t i = 0; i < plan->count; i++) {
        const struct cb_tally *t = &tallies[i];
        counted += t->status == CB_CELL_OK;
        if (t->status == CB_CELL_OK)
            printf("%-*s %16.10g\n", width, plan->cells[i].id, t->instructions);
        else
            printf("%-*s %12s [%zu]\n", width, plan->cells[i].id, cb_status_text(t->status),
                   numbers[i]);
    }
    print_reasons(tallies, numbers, plan->count);
    printf("%zu of %zu cells counted, in instructions an operation, by %s: the difference of runs\n"
           "that differ in nothing but the number of operations; exact, or four digits where the\n"
           "operations are not all alike\n",
           counted, plan->count, counter->tool);
    free(numbers);
}

static json_t *tally_to_json(const struct cb_tally *t, const struct cb_counter *counter,
                             const struct cb_cell *cell) {
    json_t *n = json_array(), *totals = json_array();
    for (int run = 0; run < CB_TALLY_RUNS && t->total[run] != 0; run++) {
        json_array_append_new(n, json_integer((json_int_t)t->n[run]));
        json_array_append_new(totals, json_integer((json_int_t)t->total[run]));
    }
    json_t *instructions = t->status == CB_CELL_OK ? json_real(t->instructions) : json_null();
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:s}", "cell_id", cell->id, "status",
                     cb_status_text(t->status), "note", t->note, "instructions", instructions, "n",
                     n, "totals", totals, "tool", counter->tool);
}

int cb_tally_print_json(const struct cb_tally *tallies, const struct cb_counter *counter,
                        const struct cb_plan *plan) {
    json_t *list = json_array();
    bool good = true;
    for (size_t i = 0; i < plan->count; i++)
        good = json_array_append_new(list, tally_to_json(&tallies[i], counter, &plan->cells[i])) ==
                   0 &&
               good;
    good = good && json_dumpf(list, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) == 0;
    json_decref(list);
    printf("\n");
    if (good)
        return CB_EXIT_OK;
    cb_error(stderr,
             "the JSON could not be made: no memory, a note that is not UTF-8, or a standard "
             "output that takes no more\nwhat was counted is lost");
    return CB_EXIT_USAGE;
}

// ---- counts.csv

static const char header[] = "cell_id,instructions,n1,n2,tool\n";

static bool tried_now(const struct cb_plan *plan, const char *id) {
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->cells[i].id, id) == 0)
            return true;
    return false;
}

static int complain_old(const char *path, const char *problem) {
    cb_error(stderr,
             "%s: %s\nthe counts are not put into it\nremove it, and count the run's cells again",
             path, problem);
    return CB_EXIT_USAGE;
}

// Adds the rows that stay, from the file that is there.
static int add_old(struct cb_text *rows, const char *path, const struct cb_plan *plan) {
    struct cb_csv old;
    char *problem;
    if (access(path, F_OK) != 0)
        return CB_EXIT_OK;
    if (cb_csv_read(&old, path, &problem) < 0) {
        int status = complain_old(path, problem);
        free(problem);
        return status;
    }
    struct cb_text names = {0};
    for (size_t c = 0; c < old.columns; c++)
        cb_text_add(&names, "%s%s", old.header[c], c + 1 < old.columns ? "," : "\n");
    int status = CB_EXIT_OK;
    if (names.text == NULL || strcmp(names.text, header) != 0)
        status = complain_old(path, "its columns are not those of counts");
    struct cb_csv_row row = {.to = rows};
    for (size_t r = 0; r < old.rows && status == CB_EXIT_OK; r++) {
        if (tried_now(plan, cb_csv_field(&old, r, 0)))
            continue;
        for (size_t c = 0; c < old.columns; c++)
            cb_csv_text(&row, cb_csv_field(&old, r, (int)c));
        cb_csv_end(&row);
    }
    cb_text_clear(&names);
    cb_csv_free(&old);
    return status;
}

int cb_tally_write_csv(const char *folder, const struct cb_tally *tallies,
                       const struct cb_counter *counter, const struct cb_plan *plan) {
    struct cb_text rows = {0};
    struct cb_csv_row row = {.to = &rows};
    char *path = cb_format("%s/counts.csv", folder);
    cb_text_add(&rows, "%s", header);
    int status = add_old(&rows, path, plan);
    for (size_t i = 0; i < plan->count; i++) {
        if (tallies[i].status != CB_CELL_OK)
            continue;
        cb_csv_text(&row, plan->cells[i].id);
        cb_csv_number(&row, tallies[i].instructions);
        cb_csv_integer(&row, (long long)tallies[i].n[0]);
        cb_csv_integer(&row, (long long)tallies[i].n[1]);
        cb_csv_text(&row, counter->tool);
        cb_csv_end(&row);
    }
    int error = status == CB_EXIT_OK ? cb_file_write(path, rows.text, rows.length) : 0;
    if (error < 0) {
        cb_error(stderr,
                 "%s: %s\nthe counts are not kept; an older file is as it was\nmake room, and "
                 "count again",
                 path, strerror(-error));
        status = CB_EXIT_USAGE;
    }
    cb_text_clear(&rows);
    free(path);
    return status;
}
