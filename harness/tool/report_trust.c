// Tables that say how far the others can be trusted: smallest detectable effects, the headline's
// estimator, flagged cells, the machine's state and what was measured again.
#define _GNU_SOURCE
#include "report_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *percent(struct cb_rep *rep, double share) {
    return isfinite(share) ? cb_rep_text(rep, "%.1f %%", 100 * share) : "unknown";
}

static struct cb_rep_entry number_of(double value) {
    return (struct cb_rep_entry){.value = value, .low = NAN, .high = NAN};
}

static const char *count_of(struct cb_rep *rep, size_t count) {
    return cb_rep_text(rep, "%zu", count);
}

// ---- Smallest detectable effects ----------------------------------------------------------------

void cb_rep_mde_table(struct cb_rep *rep) {
    const char *set = rep->repeat_runs >= 2
                          ? cb_rep_text(rep, "%zu repeated runs", rep->repeat_runs)
                          : "no repeated runs: measure some, see corobench report --help";
    struct cb_rep_table *table = cb_rep_table_new(
        rep, "mde", "Smallest detectable effects",
        cb_rep_text(
            rep,
            "95 %% of comparisons of a cell with itself stay below; `at most` is the upper 95 %% "
            "confidence bound of that (1000 bootstrap samples of cells). It is the larger of what "
            "twins (measured twice in each round) and repeats (%s) say. Where fewer than five "
            "runs were repeated, and where more than a fifth of this run's samples stand though "
            "they were disturbed, random halves of a cell's rounds count too, scaled by what whole "
            "samples differ less; that is too much where the rounds have slow phases. "
            "A difference inside it is no difference. Over scenarios, by what each is compared by "
            "(%s, bytes): "
            "median %s, 90th percentile %s; wanted: at most 5 %% and 15 %%.",
            set, rep->candidate[rep->chosen].title, percent(rep, rep->mde_median),
            percent(rep, rep->mde_90)));
    table->lead = "scenario";
    table->wide = true;
    const char *texts[] = {"metric", "estimator"};
    const char *sources[] = {"by twins", "by halves", "by repeats"};
    const char *numbers[] = {"twins", "cells split", "cells repeated"};
    for (size_t i = 0; i < 2; i++)
        cb_rep_table_column(rep, table, texts[i], "", false);
    cb_rep_table_column(rep, table, "effect", "%", true);
    cb_rep_table_column(rep, table, "at most", "%", true);
    for (size_t i = 0; i < 3; i++)
        cb_rep_table_column(rep, table, sources[i], "%", true);
    for (size_t i = 0; i < 3; i++)
        cb_rep_table_column(rep, table, numbers[i], "", false);
    for (size_t i = 0; i < rep->mde_count; i++) {
        const struct cb_rep_mde *mde = &rep->mde[i];
        struct cb_rep_entry *entries = cb_rep_table_row(rep, table, mde->scenario);
        entries[0].text = mde->metric;
        entries[1].text = cb_rep_estimator_names[mde->estimator];
        entries[2] = number_of(100 * mde->mde);
        entries[3] = number_of(100 * mde->high);
        entries[4] = number_of(100 * mde->by_twins);
        entries[5] = number_of(100 * mde->by_halves);
        entries[6] = number_of(100 * mde->by_repeats);
        entries[7].text = count_of(rep, mde->twins);
        entries[8].text = count_of(rep, mde->halves);
        entries[9].text = count_of(rep, mde->repeats);
    }
}

// ---- The headline's estimator -------------------------------------------------------------------

void cb_rep_estimator_table(struct cb_rep *rep) {
    const char *from =
        rep->repeat_runs >= 2
            ? cb_rep_text(rep, "every two of %zu repeated runs", rep->repeat_runs)
            : cb_rep_text(rep, "random halves of each cell's %lld rounds",
                          (long long)json_integer_value(json_object_get(rep->run, "rounds")));
    struct cb_rep_table *table = cb_rep_table_new(
        rep, "estimator", "How a headline figure is made of its rounds",
        cb_rep_text(rep,
                    "The spread is what a headline cell differs from itself on average, the median "
                    "over cells, between %s. Chosen: %s. %s",
                    from, rep->candidate[rep->chosen].title, rep->chosen_why));
    cb_rep_table_column(rep, table, "estimator", "", false);
    cb_rep_table_column(rep, table, "spread", "%", true);
    cb_rep_table_column(rep, table, "cells", "", false);
    cb_rep_table_column(rep, table, "chosen", "", false);
    for (size_t c = 0; c < CB_REP_CANDIDATES; c++) {
        const struct cb_rep_candidate *candidate = &rep->candidate[c];
        struct cb_rep_entry *entries = cb_rep_table_row(rep, table, "");
        entries[0].text = candidate->title;
        entries[1] = number_of(100 * candidate->spread);
        if (isnan(candidate->spread))
            entries[1].text = "-";
        entries[2].text = count_of(rep, candidate->cells);
        entries[3].text = c == rep->chosen ? "yes" : "";
    }
}

// ---- Flagged cells ------------------------------------------------------------------------------

struct flagged {
    struct cb_rep_row *row;
    double effect;
    size_t place;
};

static int compare_flagged(const void *left, const void *right) {
    const struct flagged *a = left, *b = right;
    if (a->effect != b->effect)
        return a->effect > b->effect ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

size_t cb_rep_flagged(struct cb_rep *rep, struct cb_rep_row ***rows, size_t *looked_at) {
    struct cb_rep_row **sorted = cb_rep_sorted_rows(rep);
    struct flagged *found = cb_allocate(rep->row_count, sizeof *found);
    size_t n = 0;
    *looked_at = 0;
    for (size_t i = 0; i < rep->row_count; i++) {
        const json_t *metrics = json_object_get(rep->derived, "metrics");
        const json_t *entry = json_object_get(metrics, sorted[i]->metric);
        if (isnan(sorted[i]->drift.p) || cb_rep_hidden(rep, sorted[i]->cell) ||
            json_is_false(json_object_get(entry, "table")))
            continue; // cycles are times too: a cell is listed once
        ++*looked_at;
        double effect = cb_rep_sequence_effect(sorted[i]);
        if (effect > 0)
            found[n++] = (struct flagged){sorted[i], effect, i};
    }
    qsort(found, n, sizeof *found, compare_flagged);
    *rows = cb_rep_memory(rep, n, sizeof **rows);
    for (size_t i = 0; i < n; i++)
        (*rows)[i] = found[i].row;
    free(found);
    return n;
}

// ": link 0", or several, where links tell the two groups apart: then it is the layout
// that makes them. "" where they do not.
static const char *links_above(struct cb_rep *rep, const struct cb_rep_row *row) {
    double middle = (row->modes.low + row->modes.high) / 2;
    const char *links = "";
    size_t count = 0;
    for (size_t slot = 0; slot < rep->slots; slot++) {
        bool above = row->values[slot] > middle, first = true;
        for (size_t other = 0; other < rep->slots; other++) {
            if (rep->slot_build[other] != rep->slot_build[slot] || isnan(row->values[other]) ||
                isnan(row->values[slot]))
                continue;
            if ((row->values[other] > middle) != above)
                return "";
            first = first && other >= slot;
        }
        if (above && first)
            links = cb_rep_text(rep, "%s%s%ld", links, count++ ? ", " : "", rep->slot_build[slot]);
    }
    return count ? cb_rep_text(rep, ": link%s %s", count > 1 ? "s" : "", links) : "";
}

const char *cb_rep_sequence_words(struct cb_rep *rep, const struct cb_rep_row *row) {
    const char *drift = "", *modes = "";
    if (row->drift.found)
        drift = cb_rep_text(rep, "drift %+.*f %%", fabs(row->drift.change) < 0.1,
                            100 * row->drift.change);
    if (row->modes.found) {
        double apart = row->modes.high / row->modes.low - 1;
        modes = cb_rep_text(rep, "two groups %.*f %% apart, %zu of %zu high%s", apart < 0.1,
                            100 * apart, row->modes.above, row->rounds, links_above(rep, row));
    }
    return cb_rep_text(rep, "%s%s%s", drift, *drift && *modes ? "; " : "", modes);
}

void cb_rep_flagged_table(struct cb_rep *rep) {
    struct cb_rep_row **rows;
    size_t looked_at, n = cb_rep_flagged(rep, &rows, &looked_at);
    struct cb_rep_table *table = cb_rep_table_new(
        rep, "flagged", "Cells whose rounds drift or fall into two groups",
        cb_rep_text(
            rep,
            "%zu of %zu rows are flagged, the largest effect first; 5 %% of rows whose "
            "rounds are in random order are flagged as drifting by chance, and at most 5 %% "
            "of rows with one group as bimodal. Drift: the last third of the rounds over "
            "the first. Effects below 1 %% are not flagged. A link that is named has all of its "
            "rounds in the higher group, and no other link has one: its layout is slower.",
            n, looked_at));
    table->wide = true;
    table->empty = looked_at ? "No cell is flagged."
                             : "This run has too few rounds to look for drift or for two groups.";
    const char *titles[] = {"backend",  "scenario", "params", "binding",
                            "compiler", "metric",   "what"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        cb_rep_table_column(rep, table, titles[i], "", false);
    for (size_t i = 0; i < n; i++) {
        const struct cb_rep_cell *cell = rows[i]->cell;
        struct cb_rep_entry *entries = cb_rep_table_row(rep, table, "");
        const char *texts[] = {cell->backend,
                               cell->scenario,
                               cell->params,
                               cell->binding,
                               cell->compiler,
                               rows[i]->metric,
                               cb_rep_sequence_words(rep, rows[i])};
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            entries[t].text = texts[t];
    }
}

// ---- Environment --------------------------------------------------------------------------------

static void fact(struct cb_rep *rep, struct cb_rep_table *table, const char *group,
                 const char *name, const json_t *value) {
    struct cb_rep_entry *entries = cb_rep_table_row(rep, table, group);
    entries[0].text = name;
    if (json_is_string(value)) {
        entries[1].text = json_string_value(value);
    } else if (json_is_null(value)) {
        entries[1].text = "unknown";
    } else if (json_is_boolean(value)) {
        entries[1].text = json_is_true(value) ? "yes" : "no";
    } else if (json_is_array(value)) {
        struct cb_text words = {0}; // a command line
        size_t index;
        json_t *word;
        json_array_foreach(value, index, word) {
            char *text = json_is_string(word) ? cb_copy(json_string_value(word))
                                              : json_dumps(word, JSON_ENCODE_ANY);
            cb_text_add(&words, "%s%s", index ? " " : "", text);
            free(text);
        }
        entries[1].text = cb_rep_text(rep, "%s", words.text ? words.text : "");
        cb_text_clear(&words);
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS);
        entries[1].text = cb_rep_text(rep, "%s", text);
        free(text);
    }
}

static long long count_in(const json_t *object, const char *key) {
    return (long long)json_integer_value(json_object_get(object, key));
}

// How many samples were taken again, and why.
static void retakes(struct cb_rep *rep, struct cb_rep_table *table) {
    const json_t *samples = json_object_get(rep->run, "samples");
    json_t *reasons = json_object_get(samples, "retakes"), *count;
    const char *reason;
    if (!samples)
        return;
    struct cb_rep_entry *entries = cb_rep_table_row(rep, table, "samples");
    entries[0].text = "taken";
    entries[1].text = cb_rep_text(rep, "%lld of %lld planned", count_in(samples, "taken"),
                                  count_in(samples, "planned"));
    struct cb_text text = {0};
    json_object_foreach(reasons, reason, count) if (json_integer_value(count) > 0) cb_text_add(
        &text, "%s%s %lld", text.length ? ", " : "", reason, (long long)json_integer_value(count));
    entries = cb_rep_table_row(rep, table, "samples");
    entries[0].text = "taken again";
    entries[1].text =
        cb_rep_text(rep, "%lld%s%s", count_in(samples, "taken_again"),
                    text.length ? "; tries by reason: " : "", text.length ? text.text : "");
    cb_text_clear(&text);
    if (json_object_get(samples, "disturbed")) {
        entries = cb_rep_table_row(rep, table, "samples");
        entries[0].text = "disturbed all the same";
        entries[1].text = cb_rep_text(rep, "%lld", count_in(samples, "disturbed"));
    }
}

// What `corobench doctor` found when the run began: what is bad, or unknown.
static void doctor(struct cb_rep *rep, struct cb_rep_table *table) {
    static const struct {
        const char *kind, *group;
    } kinds[] = {{"disturbs", "doctor: disturbs the numbers"},
                 {"limits", "doctor: limits cells"},
                 {"lacks", "doctor: is missing"}};
    json_t *findings = json_object_get(json_object_get(rep->run, "doctor"), "findings"), *finding;
    size_t index, fine = 0;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        json_array_foreach(findings, index, finding) {
            const char *state = cb_rep_string(finding, "state", "");
            const char *value = cb_rep_string(finding, "value", "");
            const char *consequence = cb_rep_string(finding, "consequence", "");
            if (strcmp(cb_rep_string(finding, "kind", ""), kinds[k].kind) != 0)
                continue;
            if (strcmp(state, "no") == 0) {
                fine++;
                continue;
            }
            struct cb_rep_entry *entries = cb_rep_table_row(rep, table, kinds[k].group);
            entries[0].text = cb_rep_string(finding, "question", "");
            entries[1].text = cb_rep_text(rep, "%s%s%s%s%s", state, *value ? ": " : "", value,
                                          strcmp(state, "yes") == 0 && *consequence ? "; " : "",
                                          strcmp(state, "yes") == 0 ? consequence : "");
        }
    if (!findings)
        return;
    struct cb_rep_entry *entries = cb_rep_table_row(rep, table, "doctor: all others");
    entries[0].text = "questions answered by no";
    entries[1].text = cb_rep_text(rep, "%zu of %zu", fine, json_array_size(findings));
}

void cb_rep_environment_table(struct cb_rep *rep) {
    struct cb_rep_table *table =
        cb_rep_table_new(rep, "environment", "Machine, run and programs",
                         "Everything else, such as flags and options, stands in run.json.");
    cb_rep_table_column(rep, table, "what", "", false);
    cb_rep_table_column(rep, table, "value", "", false);
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(rep->run, "machine"), name, value)
        fact(rep, table, "machine", name, value);
    const char *facts[] = {"run", "command", "mode", "rounds", "repetitions", "seed"};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if ((value = json_object_get(rep->run, facts[i])))
            fact(rep, table, "run", facts[i], value);
    retakes(rep, table);
    doctor(rep, table);
    json_object_foreach(json_object_get(rep->run, "compilers"), name, value)
        fact(rep, table, "compilers", name, value);
    size_t index;
    json_array_foreach(json_object_get(rep->run, "programs"), index, value) {
        const char *link = "";
        if (json_integer_value(json_object_get(value, "link")))
            link = cb_rep_text(rep, ", link %lld",
                               (long long)json_integer_value(json_object_get(value, "link")));
        const char *hash = cb_rep_string(value, "sha256", "");
        struct cb_rep_entry *entries = cb_rep_table_row(rep, table, "programs");
        entries[0].text = cb_rep_text(rep, "%s, %s%s", cb_rep_string(value, "backend", ""),
                                      cb_rep_string(value, "compiler", ""), link);
        entries[1].text =
            *hash ? cb_rep_text(rep, "sha256 %.16s", hash) : cb_rep_string(value, "note", "");
    }
}
