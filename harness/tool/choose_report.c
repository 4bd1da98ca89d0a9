// The cost model in the report: predictions beside measurements, and answers for typical programs.
#define _GNU_SOURCE
#include "choose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

static struct cb_rep_entry text_entry(const char *text) {
    return (struct cb_rep_entry){.text = text, .value = NAN, .low = NAN, .high = NAN};
}

// ---- Predicted beside measured ------------------------------------------------------------------

const char *cb_trial_verdict(const struct cb_trials *trials, const struct cb_trial *trial) {
    if (trial->measured && trial->forecast.status == CB_FORECAST_OUT)
        return "wrongly ruled out";
    if (!trial->measured && trial->forecast.status == CB_FORECAST_OK)
        return "not foreseen";
    if (isnan(trial->error))
        return "";
    return fabs(trial->error) > trials->wanted_p90 ? "missed" : "";
}

static const char *met(double value, double wanted) {
    return value <= wanted ? "met" : "missed";
}

double cb_trials_price(const struct cb_rep *rep, const struct cb_trial *trials, size_t n) {
    double least = INFINITY, fastest = INFINITY, chosen = NAN;
    for (size_t i = 0; i < n; i++) {
        if (isnan(trials[i].error))
            continue;
        double measured = cb_rep_shown(rep, trials[i].measured)->value;
        fastest = fmin(fastest, measured);
        if (trials[i].forecast.time >= least)
            continue;
        least = trials[i].forecast.time;
        chosen = measured;
    }
    return chosen / fastest - 1;
}

// The median error of each program and what it costs to follow the prediction; what was wanted of
// them all.
static const char *trials_caption(struct cb_rep *rep, const struct cb_trials *trials) {
    struct cb_text text = {0};
    double *errors = cb_allocate(trials->count + 1, sizeof *errors);
    cb_text_add(&text,
                "Predicted by `corobench choose` from other scenarios of this run. Brackets of "
                "predictions hold the rounds' noise, not the model's error. The model's form was "
                "changed after errors of these programs were seen, but for those that are held "
                "out; choose.json says how.");
    if (trials->known)
        cb_text_add(
            &text,
            " Of %zu predictions the median |error| is %.1f %% (wanted: at most %.0f %%, "
            "%s), the 90th percentile %.1f %% (at most %.0f %%, %s). Missed: off by more "
            "than %.0f %%. Median |error| by program, and how much more than the fastest one "
            "measured the one predicted to be the fastest takes:",
            trials->known, 100 * trials->median, 100 * trials->wanted_median,
            met(trials->median, trials->wanted_median), 100 * trials->p90, 100 * trials->wanted_p90,
            met(trials->p90, trials->wanted_p90), 100 * trials->wanted_p90);
    bool first = true;
    for (size_t i = 0, end; i < trials->count; i = end) {
        size_t n = 0;
        for (end = i; end < trials->count && trials->list[end].program == trials->list[i].program;
             end++)
            if (!isnan(trials->list[end].error))
                errors[n++] = fabs(trials->list[end].error);
        if (n)
            cb_text_add(
                &text, "%s %s%s %.1f %%, %.1f %%", first ? "" : ";", trials->list[i].program->id,
                trials->list[i].program->held_out ? " (held out)" : "", 100 * cb_median(errors, n),
                100 * cb_trials_price(rep, &trials->list[i], end - i));
        first &= n == 0;
    }
    cb_text_add(&text, first ? "" : ".");
    const char *caption = cb_rep_text(rep, "%s", text.text);
    cb_text_clear(&text);
    free(errors);
    return caption;
}

static struct cb_rep_entry predicted_entry(struct cb_rep *rep, const struct cb_forecast *forecast) {
    if (forecast->status == CB_FORECAST_OK)
        return (struct cb_rep_entry){
            .value = forecast->time,
            .low = forecast->low,
            .high = forecast->high,
            .footnote = *forecast->lacking ? cb_rep_text(rep, "without %s, which this run lacks",
                                                         forecast->lacking)
                                           : NULL};
    struct cb_rep_entry entry =
        text_entry(forecast->status == CB_FORECAST_OUT ? "ruled out" : "not predicted");
    entry.footnote = forecast->why;
    return entry;
}

static struct cb_rep_entry measured_entry(struct cb_rep *rep, const struct cb_trial *trial) {
    if (!trial->measured)
        return text_entry("no value");
    const struct cb_rep_estimate *shown = cb_rep_shown(rep, trial->measured);
    return (struct cb_rep_entry){.value = shown->value, .low = shown->low, .high = shown->high};
}

static void trials_table(struct cb_rep *rep, const struct cb_trials *trials, const char *compiler,
                         const char *suffix) {
    struct cb_rep_table *table = cb_rep_table_new(
        rep, cb_rep_text(rep, "choose%s", suffix),
        cb_rep_text(rep, "What the cost model predicts, and what was measured (%s)", compiler),
        trials_caption(rep, trials));
    table->lead = "program";
    table->wide = true;
    table->empty = "This run has none of the programs that the model is tried on.";
    cb_rep_table_column(rep, table, "backend", "", false);
    cb_rep_table_column(rep, table, "predicted", "ns", true);
    cb_rep_table_column(rep, table, "measured", "ns", true);
    cb_rep_table_column(rep, table, "error", "%", true);
    cb_rep_table_column(rep, table, "verdict", "", false);
    for (size_t i = 0; i < trials->count; i++) {
        const struct cb_trial *trial = &trials->list[i];
        struct cb_rep_entry *entries = cb_rep_table_row(rep, table, trial->program->title);
        entries[0].text = trial->forecast.backend->name;
        entries[1] = predicted_entry(rep, &trial->forecast);
        entries[2] = measured_entry(rep, trial);
        entries[3] =
            isnan(trial->error)
                ? text_entry("-")
                : (struct cb_rep_entry){.value = 100 * trial->error, .low = NAN, .high = NAN};
        entries[4].text = cb_trial_verdict(trials, trial);
    }
}

// ---- Typical programs ---------------------------------------------------------------------------

static void typical_table(struct cb_rep *rep, struct cb_choose *choose,
                          const struct cb_trials *trials, const char *compiler) {
    size_t count;
    const struct cb_named_program *programs = cb_choose_typical(choose, &count);
    struct cb_rep_table *table = cb_rep_table_new(
        rep, "choose-typical",
        cb_rep_text(rep, "Which implementation should I use? (%s)", compiler),
        cb_rep_text(
            rep,
            "Predicted from this run's cells by `corobench choose`, which answers for other "
            "programs too. A life: one coroutine from set-up to end, without the program's "
            "own work. %s",
            trials->known ? cb_rep_text(rep,
                                        "As good: within %.0f %%, what the model was off by in the "
                                        "median on programs that were measured (table choose).",
                                        100 * trials->median)
                          : "This run measured none of the programs that the model is tried on."));
    static const char *const titles[] = {"a program",  "use",     "a life",
                                         "bytes each", "as good", "least memory"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        cb_rep_table_column(rep, table, titles[i], "", false);
    for (size_t i = 0; i < count; i++) {
        struct cb_answer answer = cb_choose_answer(choose, &programs[i].program, compiler, trials);
        if (answer.ok == 0)
            continue;
        const struct cb_forecast *best = &answer.list[0], *least = cb_choose_smallest(&answer);
        const char *good = cb_choose_as_good(rep, &answer);
        struct cb_rep_entry *entries = cb_rep_table_row(rep, table, "");
        const char *texts[] = {programs[i].title,
                               best->backend->name,
                               cb_rep_text(rep, "%s%s", cb_choose_time(rep, best->time),
                                           *best->beyond    ? " (extrapolated)"
                                           : *best->lacking ? " (incomplete)"
                                                            : ""),
                               cb_choose_bytes(rep, best->bytes),
                               *good ? good : "-",
                               least ? cb_rep_text(rep, "%s, %s", least->backend->name,
                                                   cb_choose_bytes(rep, least->bytes))
                                     : "-"};
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            entries[t].text = texts[t];
    }
    table->empty = "This run has too few cells for an answer.";
}

int cb_rep_choose_tables(struct cb_rep *rep) {
    if (rep->compiler_count == 0)
        return 0;
    rep->model = cb_choose_open(rep);
    if (!rep->model)
        return CB_EXIT_USAGE;
    for (size_t c = 0; c < rep->compiler_count; c++) {
        struct cb_trials trials = cb_choose_try(rep->model, rep->compilers[c]);
        if (c == 0)
            typical_table(rep, rep->model, &trials, rep->compilers[c]);
        if (c == 0 || trials.known)
            trials_table(rep, &trials, rep->compilers[c],
                         c ? cb_rep_text(rep, "-%s", rep->compilers[c]) : "");
    }
    return 0;
}
