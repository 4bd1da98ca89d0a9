// A comparison as Markdown, for people and for a comment in a code review, and as JSON.
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[CB_COMPARE_KINDS] = {"slower", "faster", "any"};

// ---- Markdown -----------------------------------------------------------------------------------

// A text in a table: a bar would open a column.
static void put_text(FILE *out, const char *text) {
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void put_limits(FILE *out, const char *format, double low, double high) {
    if (isnan(low) || isnan(high))
        return;
    fputs(" [", out);
    fprintf(out, format, low);
    fputs(", ", out);
    fprintf(out, format, high);
    fputs("]", out);
}

static void put_side(FILE *out, const struct cb_compare_entry *entry) {
    fprintf(out, " %.4g", entry->estimate.value);
    put_limits(out, "%.4g", entry->estimate.low, entry->estimate.high);
    fprintf(out, " %s |", entry->unit);
}

static void put_cell(FILE *out, const struct cb_comparison *comparison,
                     const struct cb_compare_cell *cell) {
    fputs("| ", out);
    put_text(out, cell->a->id);
    fputs(" |", out);
    put_side(out, cell->a);
    put_side(out, cell->b);
    if (isnan(cell->effect.ratio))
        fputs(" |", out);
    else
        fprintf(out, " %.3f", cell->effect.ratio);
    if (!isnan(cell->effect.ratio)) {
        put_limits(out, "%.3f", cell->effect.low, cell->effect.high);
        fputs(" |", out);
    }
    if (comparison->claims) {
        if (isnan(cell->p_holm))
            fputs(" |", out);
        else
            fprintf(out, " %.2g |", cell->p_holm);
        fprintf(out, " %.1f %% |", 100 * cell->mde);
    }
    fprintf(out, " %s", cell->verdict);
    if (*cell->why)
        fprintf(out, ": %s", cell->why);
    if (cell->too_much[CB_SLOWER] || cell->too_much[CB_FASTER] || cell->too_much[CB_ANY])
        fputs(" (beyond --fail-on)", out);
    fputs(" | ", out);
    put_text(out, cell->a->flags);
    if (strcmp(cell->a->flags, cell->b->flags) != 0) {
        fputs(" / ", out);
        put_text(out, cell->b->flags);
    }
    fputs(" |\n", out);
}

static void put_cells(FILE *out, const struct cb_comparison *comparison, const char *title,
                      bool declared) {
    size_t there = 0;
    for (size_t i = 0; i < comparison->count; i++)
        there += comparison->cells[i].declared == declared;
    if (there == 0)
        return;
    fprintf(out, "\n## %s\n\n", title);
    if (comparison->claims)
        fputs("| cell | A | B | B/A | p (Holm) | MDE | verdict | flags |\n"
              "|---|--:|--:|--:|--:|--:|---|---|\n",
              out);
    else
        fputs("| cell | A | B | B/A | verdict | flags |\n|---|--:|--:|--:|---|---|\n", out);
    for (size_t i = 0; i < comparison->count; i++)
        if (comparison->cells[i].declared == declared)
            put_cell(out, comparison, &comparison->cells[i]);
}

static void put_run(FILE *out, const char *name, const struct cb_compare_run *run) {
    const json_t *document = run->document;
    fprintf(out, "- %s: `%s`, run %s, %s", name, run->dir, cb_rep_string(document, "run", "?"),
            run->mode);
    const json_t *rounds = json_object_get(document, "rounds");
    if (rounds)
        fprintf(out, ", %lld rounds", (long long)json_integer_value(rounds));
    const char *machine = cb_rep_string(json_object_get(document, "machine"), "id", NULL);
    if (machine)
        fprintf(out, ", on %s", machine);
    fprintf(out, "%s\n", run->intervals_only ? ", only its intervals are kept" : "");
}

static void put_method(FILE *out, const struct cb_comparison *comparison) {
    if (!comparison->claims) {
        fputs("\nA quick run carries no claim: effects stand here with the range of their rounds, "
              "and no cell is called faster or slower. Compare default or full runs for that.\n",
              out);
        return;
    }
    fprintf(out,
            "\nB/A is the ratio of the estimates (%s of %s), with an interval of at least 95 %%: "
            "above 1, B has more. A difference is declared where the interval leaves out 1, the "
            "effect is beyond the minimum detectable effect (MDE), and the test (%s), corrected "
            "over all cells by Holm, gives less than 0.05.\n",
            comparison->estimator, comparison->metric, comparison->test);
    if (comparison->by_intervals)
        fputs("\nOne of the runs keeps no values of its rounds, so that intervals and tests come "
              "from the published intervals alone.\n",
              out);
}

static void put_differences(FILE *out, const struct cb_comparison *comparison) {
    size_t i;
    json_t *entry;
    if (json_array_size(comparison->differences) == 0)
        return;
    fputs("\n## How the runs differ beside their numbers\n\n"
          "What follows may explain a difference as well as a change of the code does.\n\n"
          "| what | A | B |\n|---|---|---|\n",
          out);
    json_array_foreach(comparison->differences, i, entry) {
        static const char *const keys[] = {"what", "a", "b"};
        for (int k = 0; k < 3; k++) {
            fputs("| ", out);
            const char *text = cb_rep_string(entry, keys[k], "");
            bool hash = strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
            char *shown = hash ? cb_format("%.12s...", text) : cb_copy(text);
            put_text(out, shown);
            free(shown);
            fputc(' ', out);
        }
        fputs("|\n", out);
    }
}

static void put_one_sided(FILE *out, const char *name, const struct cb_compare_run *run) {
    bool any = false;
    for (size_t i = 0; i < run->count; i++) {
        const struct cb_compare_entry *entry = &run->entries[i];
        if (entry->paired)
            continue;
        if (!any)
            fprintf(out, "\n## Cells only in %s\n\n", name);
        any = true;
        fputs("- ", out);
        put_text(out, entry->id);
        fprintf(out, " (%s)\n", entry->status);
    }
}

static void put_status(FILE *out, const struct cb_compare_entry *entry) {
    fprintf(out, " %s%s", entry->status, *entry->note ? ": " : "");
    put_text(out, entry->note);
    fputs(" |", out);
}

static void put_broken(FILE *out, const struct cb_comparison *comparison) {
    if (comparison->broken_count == 0)
        return;
    fputs("\n## Cells with a value in one run only\n\n| cell | A | B |\n|---|---|---|\n", out);
    for (size_t i = 0; i < comparison->broken_count; i++) {
        fputs("| ", out);
        put_text(out, comparison->broken[i].a->id);
        fputs(" |", out);
        put_status(out, comparison->broken[i].a);
        put_status(out, comparison->broken[i].b);
        fputc('\n', out);
    }
}

static size_t count_one_sided(const struct cb_compare_run *run) {
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++)
        count += !run->entries[i].paired;
    return count;
}

static void put_summary(FILE *out, const struct cb_comparison *comparison) {
    fprintf(out, "\n%zu cells compared: ", comparison->count);
    if (comparison->claims)
        fprintf(out,
                "%zu more (slower or larger), %zu less (faster or smaller), %zu no difference, "
                "%zu undecided",
                comparison->slower, comparison->faster, comparison->same, comparison->undecided);
    else
        fputs("no claim on any", out);
    fprintf(out, "; %zu only in A, %zu only in B, %zu with a value in one run only.\n",
            count_one_sided(comparison->a), count_one_sided(comparison->b),
            comparison->broken_count);
}

void cb_comparison_markdown(const struct cb_comparison *comparison, FILE *out) {
    fprintf(out, "# Comparison of two runs: %s, %s\n\n", comparison->metric, comparison->estimator);
    put_run(out, "A", comparison->a);
    put_run(out, "B", comparison->b);
    put_method(out, comparison);
    if (comparison->claims && comparison->no_mde.count) {
        char *names = cb_names_join(&comparison->no_mde);
        fprintf(out, "\nNo MDE is known for: %s. It is taken as 0 there.\n", names);
        free(names);
    }
    put_differences(out, comparison);
    put_cells(out, comparison, "Differences", true);
    put_cells(out, comparison, comparison->claims ? "No difference declared" : "Cells", false);
    put_broken(out, comparison);
    put_one_sided(out, "A", comparison->a);
    put_one_sided(out, "B", comparison->b);
    put_summary(out, comparison);
}

// ---- JSON ---------------------------------------------------------------------------------------

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *side_json(const struct cb_compare_entry *entry) {
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:i, s:s}", "status", entry->status, "note",
                     entry->note, "estimate", number(entry->estimate.value), "low",
                     number(entry->estimate.low), "high", number(entry->estimate.high), "count",
                     (int)entry->count, "flags", entry->flags);
}

static json_t *cell_json(const struct cb_compare_cell *cell) {
    bool valued = cell->verdict != NULL;
    json_t *too_much = json_array();
    for (int kind = 0; kind < CB_COMPARE_KINDS; kind++)
        if (cell->too_much[kind])
            json_array_append_new(too_much, json_string(kind_names[kind]));
    json_t *object =
        json_pack("{s:s, s:s, s:o, s:o, s:o}", "cell_id", cell->a->id, "unit", cell->a->unit, "a",
                  side_json(cell->a), "b", side_json(cell->b), "beyond_fail_on", too_much);
    if (valued) {
        json_t *rest = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:s, s:s}", "ratio",
                                 number(cell->effect.ratio), "low", number(cell->effect.low),
                                 "high", number(cell->effect.high), "p", number(cell->p), "p_holm",
                                 number(cell->p_holm), "mde", number(cell->mde), "declared",
                                 cell->declared, "verdict", cell->verdict, "why", cell->why);
        json_object_update(object, rest);
        json_decref(rest);
    }
    return object;
}

static json_t *run_json(const struct cb_compare_run *run) {
    json_t *object = json_pack("{s:s, s:s, s:s, s:b}", "folder", run->dir, "run",
                               cb_rep_string(run->document, "run", ""), "mode", run->mode,
                               "intervals_only", run->intervals_only);
    json_t *only = json_array();
    for (size_t i = 0; i < run->count; i++)
        if (!run->entries[i].paired)
            json_array_append_new(only, json_string(run->entries[i].id));
    json_object_set(object, "rounds", json_object_get(run->document, "rounds"));
    json_object_set(object, "seed", json_object_get(run->document, "seed"));
    json_object_set_new(object, "cells_only_here", only);
    return object;
}

static json_t *cells_json(const struct cb_compare_cell *cells, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, cell_json(&cells[i]));
    return list;
}

void cb_comparison_json(const struct cb_comparison *comparison, FILE *out) {
    json_t *no_mde = json_array();
    for (size_t i = 0; i < comparison->no_mde.count; i++)
        json_array_append_new(no_mde, json_string(comparison->no_mde.list[i]));
    json_t *summary = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "compared", (json_int_t)comparison->count,
        "more", (json_int_t)comparison->slower, "less", (json_int_t)comparison->faster,
        "no_difference", (json_int_t)comparison->same, "undecided",
        (json_int_t)comparison->undecided, "only_in_a", (json_int_t)count_one_sided(comparison->a),
        "only_in_b", (json_int_t)count_one_sided(comparison->b), "beyond_fail_on",
        (json_int_t)comparison->too_much);
    json_t *document = json_pack(
        "{s:i, s:s, s:s, s:b, s:s, s:b, s:o, s:o, s:O, s:o, s:o, s:o, s:o}", "schema", 1, "metric",
        comparison->metric, "estimator", comparison->estimator, "claims", comparison->claims,
        "test", comparison->test, "by_intervals", comparison->by_intervals, "a",
        run_json(comparison->a), "b", run_json(comparison->b), "differences",
        comparison->differences, "no_mde", no_mde, "cells",
        cells_json(comparison->cells, comparison->count), "value_in_one_run_only",
        cells_json(comparison->broken, comparison->broken_count), "summary", summary);
    json_dumpf(document, out, JSON_INDENT(1) | JSON_REAL_PRECISION(8));
    fputc('\n', out);
    json_decref(document);
}
