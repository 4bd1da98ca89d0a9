// Prints what is known of a cell as Markdown.
#include "explain.h"

#include <stdlib.h>
#include <string.h>

// ---- Small parts --------------------------------------------------------------------------------

static const char *text_of(const json_t *object, const char *key) {
    return cb_rep_string(object, key, "");
}

// A text in a table: a bar would open a column.
static void put_text(FILE *out, const char *text) {
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void put_number(FILE *out, const json_t *value) {
    if (json_is_number(value))
        fprintf(out, "%.6g", json_number_value(value));
}

static void put_status(FILE *out, const json_t *of) {
    put_text(out, text_of(of, "status"));
    if (*text_of(of, "note")) {
        fputs(": ", out);
        put_text(out, text_of(of, "note"));
    }
}

// ---- Metrics ------------------------------------------------------------------------------------

static void put_estimate(FILE *out, const json_t *metric, const json_t *estimate) {
    fputs("| ", out);
    put_text(out, text_of(metric, "metric"));
    fprintf(out, " | %s%s | ", text_of(estimate, "estimator"),
            json_is_true(json_object_get(estimate, "shown")) ? " (in the tables)" : "");
    put_number(out, json_object_get(estimate, "value"));
    fprintf(out, " %s | ", text_of(metric, "unit"));
    const char *limits = text_of(estimate, "limits");
    if (strcmp(limits, "exact") == 0) {
        fputs("exact, a fact of the build", out);
    } else if (strcmp(limits, "none") == 0) {
        fputs("none: too few rounds", out);
    } else {
        put_number(out, json_object_get(estimate, "low"));
        fputs(" to ", out);
        put_number(out, json_object_get(estimate, "high"));
        if (strcmp(limits, "range") == 0)
            fputs(" (range)", out);
        else
            fprintf(out, " (covers %.1f %%)",
                    100 * json_number_value(json_object_get(estimate, "coverage")));
    }
    fprintf(out, " | %lld | ", (long long)json_integer_value(json_object_get(metric, "rounds")));
    put_text(out, text_of(metric, "flags"));
    fputs(" |\n", out);
}

static void put_metrics(FILE *out, const json_t *cell) {
    size_t i, k;
    json_t *metric, *estimate;
    fputs("\n### Estimates\n\n| metric | estimator | value | interval (95 %) or range | rounds | "
          "flags |\n"
          "|---|---|--:|---|--:|---|\n",
          out);
    json_array_foreach(json_object_get(cell, "metrics"), i, metric) {
        const json_t *estimates = json_object_get(metric, "estimates");
        json_array_foreach(estimates, k, estimate) put_estimate(out, metric, estimate);
        if (json_array_size(estimates))
            continue;
        fprintf(out, "| %s | | ", text_of(metric, "metric"));
        put_status(out, metric);
        fputs(" | | 0 | |\n", out);
    }
}

static void put_sources(FILE *out, const json_t *cell) {
    size_t i, k;
    json_t *metric, *source;
    bool any = false;
    json_array_foreach(json_object_get(cell, "metrics"), i, metric) {
        const json_t *from = json_object_get(metric, "from");
        if (json_array_size(from) == 0)
            continue;
        if (!any)
            fputs("\n### Derived metrics\n\n", out);
        any = true;
        fprintf(out, "- %s is made from others (%s):\n", text_of(metric, "metric"),
                text_of(metric, "how"));
        json_array_foreach(from, k, source)
            fprintf(out, "    - %s of %s\n", text_of(source, "metric"), text_of(source, "cell_id"));
    }
    if (any && json_is_true(json_object_get(cell, "derived")))
        fputs("\nThis cell has no samples of its own: explain the cells above.\n", out);
}

// ---- Samples ------------------------------------------------------------------------------------

// The metrics that the samples have, in the order of the cell's rows, without what is made of them
// in another cell.
static void list_metrics(const json_t *cell, const char **names, size_t most, size_t *count) {
    size_t i, k;
    json_t *metric, *sample;
    *count = 0;
    json_array_foreach(json_object_get(cell, "metrics"), i, metric) {
        const char *name = text_of(metric, "metric");
        bool has = false;
        json_array_foreach(json_object_get(cell, "samples"), k, sample) has |=
            json_object_get(json_object_get(sample, "values"), name) != NULL;
        if (has && *count < most)
            names[(*count)++] = name;
    }
}

static void put_again(FILE *out, const json_t *sample) {
    const json_t *again = json_object_get(sample, "taken_again");
    if (json_integer_value(again) > 0)
        fprintf(out, "%lld times: ", (long long)json_integer_value(again));
    put_text(out, text_of(sample, "flags"));
    if (json_is_true(json_object_get(sample, "migrated")))
        fputs(" migrated", out);
}

static void put_sample(FILE *out, const json_t *sample, const char *const *names, size_t count,
                       bool condensed) {
    static const char *const before[] = {"round", "position", "build"};
    static const char *const after[] = {"nivcsw", "nvcsw", "steal"};
    fputs("|", out);
    for (int i = 0; i < 3; i++) {
        if (condensed && i == 1)
            continue;
        fputc(' ', out);
        put_number(out, json_object_get(sample, before[i]));
        fputs(" |", out);
    }
    for (size_t i = 0; i < count; i++) {
        fputc(' ', out);
        put_number(out, json_object_get(json_object_get(sample, "values"), names[i]));
        fputs(" |", out);
    }
    for (int i = 0; i < 3 && !condensed; i++) {
        fputc(' ', out);
        put_number(out, json_object_get(sample, after[i]));
        fputs(" |", out);
    }
    fputc(' ', out);
    put_number(out, json_object_get(sample, "padding"));
    fputs(" |", out);
    if (!condensed) {
        fputc(' ', out);
        put_again(out, sample);
        const char *raw = cb_rep_string(sample, "raw", NULL);
        fputs(" | ", out);
        put_text(out, raw ? raw : "no raw file holds it");
        fputs(" |", out);
    }
    fputc('\n', out);
}

// When this run took a sample again, by the settings that it recorded.
static void put_rule(FILE *out, const json_t *again) {
    if (!json_is_object(again))
        return;
    double involuntary = json_number_value(json_object_get(again, "involuntary"));
    double lost = json_number_value(json_object_get(again, "lost"));
    double hit = json_number_value(json_object_get(again, "hit"));
    double crowded = json_number_value(json_object_get(again, "crowded"));
    double width = json_number_value(json_object_get(again, "width"));
    char *or_crowded =
        width > 0 ? cb_format(", or found the core, shared by another hardware thread, making less "
                              "than %g %% of the %.3g independent additions a cycle that it makes "
                              "alone",
                              100 * crowded, width)
                  : cb_copy("");
    fprintf(out,
            "\nThis run took a sample again, at most %lld times and for at most %g %% of all "
            "samples, after a migration, after more than %g steal ticks (%g more for each second), "
            "or where more than %g %% of its repetitions were hit: they had more than %g "
            "involuntary switches beyond the voluntary ones, and lost more than %g %% of their "
            "time%s. The last try counts.\n",
            (long long)json_integer_value(json_object_get(again, "tries")),
            100 * json_number_value(json_object_get(again, "share")),
            json_number_value(json_object_get(again, "steal")),
            json_number_value(json_object_get(again, "steal_per_s")), 100 * hit, involuntary,
            100 * lost, or_crowded);
    free(or_crowded);
}

static void put_samples(FILE *out, const json_t *about, const json_t *cell) {
    const char *names[16];
    size_t count, i;
    json_t *sample;
    const json_t *samples = json_object_get(cell, "samples");
    bool condensed = json_is_true(json_object_get(about, "condensed"));
    if (json_array_size(samples) == 0)
        return;
    bool is_static = strcmp(text_of(cell, "kind"), "static") == 0;
    fputs(is_static ? "\n### Where it was read\n\nFrom the program's own description.\n"
                    : "\n### Samples\n\nOne process each, in the order in which they were taken; "
                      "position is that in the round.\n",
          out);
    if (is_static)
        return;
    if (condensed)
        fputs("This is a condensed run: raw files, positions, and what was taken again are not "
              "kept there.\n",
              out);
    list_metrics(cell, names, sizeof names / sizeof *names, &count);
    fputs(condensed ? "\n| round | build |" : "\n| round | position | build |", out);
    for (i = 0; i < count; i++)
        fprintf(out, " %s |", names[i]);
    fputs(condensed ? " padding |\n"
                    : " involuntary | voluntary | steal | padding | taken again | raw file |\n",
          out);
    fputs(condensed ? "|--:|--:|" : "|--:|--:|--:|", out);
    for (i = 0; i < count; i++)
        fputs("--:|", out);
    fputs(condensed ? "--:|\n" : "--:|--:|--:|--:|---|---|\n", out);
    json_array_foreach(samples, i, sample) put_sample(out, sample, names, count, condensed);
    if (!condensed)
        put_rule(out, json_object_get(about, "again"));
}

static void put_other_raw(FILE *out, const json_t *cell) {
    size_t i;
    json_t *file;
    const json_t *list = json_object_get(cell, "other_raw");
    if (json_array_size(list))
        fputs("\nRaw files that are no sample above:\n\n", out);
    json_array_foreach(list, i, file) {
        fprintf(out, "- %s (", text_of(file, "raw"));
        put_status(out, file);
        fputs(")\n", out);
    }
}

// ---- Program ------------------------------------------------------------------------------------

static void put_programs(FILE *out, const json_t *cell) {
    size_t i;
    json_t *program;
    fputs("\n### Program\n\n", out);
    json_array_foreach(json_object_get(cell, "programs"), i, program) {
        fprintf(out, "- %s, link %lld: %s %s, %s, flags `%s`\n", text_of(program, "program"),
                (long long)json_integer_value(json_object_get(program, "link")),
                text_of(program, "compiler"), text_of(program, "compiler_version"),
                text_of(program, "language"), text_of(program, "flags"));
        if (*text_of(program, "note"))
            fprintf(out, "    - %s: %s\n", text_of(program, "status"), text_of(program, "note"));
        if (*text_of(program, "sha256"))
            fprintf(out, "    - sha256 %s\n", text_of(program, "sha256"));
        if (*text_of(program, "library_sha256"))
            fprintf(out, "    - sha256 of its library %s\n", text_of(program, "library_sha256"));
    }
    const json_t *first = json_array_get(json_object_get(cell, "samples"), 0);
    const char *command = cb_rep_string(first, "command", NULL);
    if (command != NULL)
        fprintf(
            out,
            "\nThe command that took the first sample, from the folder of corobench. The others "
            "differ in the link, the padding and the raw file, as the table says; --json has "
            "them all.\n\n    %s\n",
            command);
}

void cb_explain_print(const json_t *about, const json_t *cell, FILE *out) {
    fprintf(out, "## %s\n\n", text_of(cell, "cell_id"));
    fprintf(out, "- run: %s in `%s`, %s, seed %lld\n", text_of(about, "run"),
            text_of(about, "folder"), text_of(about, "mode"),
            (long long)json_integer_value(json_object_get(about, "seed")));
    const json_t *machine = json_object_get(about, "machine");
    fprintf(out, "- machine: %s, kernel %s\n", cb_rep_string(machine, "id", "unknown"),
            cb_rep_string(machine, "kernel", "unknown"));
    fputs("- status: ", out);
    put_status(out, cell);
    fprintf(out, "\n- backend %s (%s), scenario %s, binding %s, compiler %s, params %s\n",
            text_of(cell, "backend"), text_of(cell, "family"), text_of(cell, "scenario"),
            text_of(cell, "binding"), text_of(cell, "compiler"),
            *text_of(cell, "params") ? text_of(cell, "params") : "(none)");
    put_metrics(out, cell);
    put_sources(out, cell);
    put_samples(out, about, cell);
    put_other_raw(out, cell);
    put_programs(out, cell);
}
