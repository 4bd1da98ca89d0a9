// Ranks forecasts, tries the model on programs that were measured, and prints the answer.
#define _GNU_SOURCE
#include "choose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

#define TRIALS_FOR_MARGIN 10 // fewer errors than that say little about the model

// ---- Trials -------------------------------------------------------------------------------------

struct cb_trials cb_choose_try(struct cb_choose *choose, const char *compiler) {
    struct cb_rep *rep = cb_choose_run(choose);
    struct cb_trials trials = {.median = NAN, .p90 = NAN};
    size_t count;
    const struct cb_named_program *programs = cb_choose_validation(choose, &count);
    trials.list = cb_rep_memory(rep, count * rep->backend_count + 1, sizeof *trials.list);
    double *errors = cb_allocate(count * rep->backend_count + 1, sizeof *errors);
    for (size_t p = 0; p < count; p++)
        for (size_t b = 0; b < rep->backend_count; b++) {
            const struct cb_rep_row *row =
                cb_rep_select(rep, programs[p].cell, rep->backends[b].name, compiler);
            if (!row)
                continue;
            struct cb_trial *trial = &trials.list[trials.count++];
            *trial = (struct cb_trial){
                .program = &programs[p], .measured = row->values ? row : NULL, .error = NAN};
            cb_choose_forecast(choose, &programs[p].program, &rep->backends[b], compiler,
                               &trial->forecast);
            if (trial->forecast.status == CB_FORECAST_OK && row->values) {
                trial->error = trial->forecast.time / cb_rep_shown(rep, row)->value - 1;
                errors[trials.known++] = fabs(trial->error);
            }
        }
    if (trials.known) {
        trials.median = cb_median(errors, trials.known);
        trials.p90 = cb_quantile(errors, trials.known, 0.9);
    }
    cb_choose_wanted(choose, &trials.wanted_median, &trials.wanted_p90);
    free(errors);
    return trials;
}

// ---- Ranking ------------------------------------------------------------------------------------

// What was measured with fewer cells than others, so that nothing is known of its memory, comes
// after them: its time looks low where only others were measured with as many or as large ones.
static int compare_forecasts(const void *left, const void *right) {
    const struct cb_forecast *a = left, *b = right;
    if (a->status != b->status)
        return a->status < b->status ? -1 : 1;
    if (a->status == CB_FORECAST_OK && isnan(a->bytes) != isnan(b->bytes))
        return isnan(b->bytes) ? -1 : 1;
    if (a->status == CB_FORECAST_OK && a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return strcmp(a->backend->name, b->backend->name);
}

bool cb_choose_is_within(const struct cb_answer *answer, size_t place) {
    const struct cb_forecast *best = &answer->list[0], *other = &answer->list[place];
    return place > 0 && place < answer->ok && isnan(other->bytes) == isnan(best->bytes) &&
           (other->low <= best->high || other->time <= best->time * (1 + answer->margin));
}

const char *cb_choose_time(struct cb_rep *rep, double ns) {
    static const char *const units[] = {"ns", "us", "ms", "s"};
    size_t unit = 0;
    for (; ns >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        ns /= 1000;
    return cb_rep_text(rep, "%s %s", cb_rep_number(rep, ns, ns, " "), units[unit]);
}

const char *cb_choose_bytes(struct cb_rep *rep, double bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    if (isnan(bytes))
        return "?";
    for (; bytes >= 1023.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1024;
    return cb_rep_text(rep, "%s %s", cb_rep_number(rep, bytes, bytes, " "), units[unit]);
}

const char *cb_choose_as_good(struct cb_rep *rep, const struct cb_answer *answer) {
    struct cb_text names = {0};
    for (size_t i = 1; i < answer->ok; i++)
        if (cb_choose_is_within(answer, i))
            cb_text_add(&names, "%s%s", names.length ? ", " : "", answer->list[i].backend->name);
    const char *text = cb_rep_text(rep, "%s", names.text ? names.text : "");
    cb_text_clear(&names);
    return text;
}

const struct cb_forecast *cb_choose_smallest(const struct cb_answer *answer) {
    const struct cb_forecast *best = NULL;
    for (size_t i = 0; i < answer->ok; i++)
        if (!isnan(answer->list[i].bytes) && (!best || answer->list[i].bytes < best->bytes))
            best = &answer->list[i];
    return best;
}

static const char *in_words(struct cb_rep *rep, const struct cb_answer *answer,
                            const struct cb_program *program) {
    if (answer->ok == 0)
        return "no technique that was measured is known to do this; the reasons follow";
    const struct cb_forecast *best = &answer->list[0], *small = cb_choose_smallest(answer);
    double live = program->in[CB_LIVE];
    const char *all = "";
    if (live > 1)
        all = cb_rep_text(rep, " (for all %s: %s, %s)", cb_rep_number(rep, live, 1000, " "),
                          cb_choose_time(rep, live * best->time),
                          cb_choose_bytes(rep, live * best->bytes));
    const char *least = "";
    if (small && small != best && small->bytes < best->bytes)
        least = cb_rep_text(rep, "; least memory: %s, %s", small->backend->name,
                            cb_choose_bytes(rep, small->bytes));
    const char *names = cb_choose_as_good(rep, answer), *others = "";
    if (*names)
        others = cb_rep_text(rep, "; as good (within %.0f %% or its interval): %s",
                             100 * answer->margin, names);
    return cb_rep_text(rep, "use %s: about %s and %s a coroutine%s%s%s", best->backend->name,
                       cb_choose_time(rep, best->time), cb_choose_bytes(rep, best->bytes), all,
                       others, least);
}

struct cb_answer cb_choose_answer(struct cb_choose *choose, const struct cb_program *program,
                                  const char *compiler, const struct cb_trials *trials) {
    struct cb_rep *rep = cb_choose_run(choose);
    struct cb_answer answer = {.count = rep->backend_count, .margin = cb_choose_margin(choose)};
    answer.list = cb_rep_memory(rep, answer.count + 1, sizeof *answer.list);
    for (size_t b = 0; b < rep->backend_count; b++) {
        cb_choose_forecast(choose, program, &rep->backends[b], compiler, &answer.list[b]);
        answer.ok += answer.list[b].status == CB_FORECAST_OK;
    }
    qsort(answer.list, answer.count, sizeof *answer.list, compare_forecasts);
    answer.margin_measured = trials->known >= TRIALS_FOR_MARGIN;
    if (answer.margin_measured)
        answer.margin = trials->median;
    answer.words = in_words(rep, &answer, program);
    return answer;
}

// ---- Printing -----------------------------------------------------------------------------------

struct printing {
    struct cb_rep *rep;
    struct cb_choose *choose;
    const struct cb_program *program;
    const struct cb_answer *answer;
    const struct cb_trials *trials;
    const char *compiler;
    FILE *out;
};

static const char *note_of(const struct printing *p, size_t place) {
    const struct cb_forecast *f = &p->answer->list[place];
    const char *note = cb_choose_is_within(p->answer, place) ? "as good" : "";
    if (*f->beyond)
        note = cb_rep_text(p->rep, "%s%sextrapolated: %s", note, *note ? "; " : "", f->beyond);
    if (*f->lacking)
        note = cb_rep_text(p->rep, "%s%snot in it, as not measured: %s", note, *note ? "; " : "",
                           f->lacking);
    return note;
}

static const char *interval_text(struct cb_rep *rep, const struct cb_forecast *f) {
    return cb_rep_text(rep, "[%s, %s]", cb_choose_time(rep, f->low), cb_choose_time(rep, f->high));
}

static const char *trials_text(const struct printing *p) {
    const struct cb_trials *t = p->trials;
    if (!t->known)
        return "This run has none of the programs that the model is tried on: how far it is off "
               "is not known here.";
    return cb_rep_text(p->rep,
                       "On %zu programs and techniques of this run the model was off by %.0f %% in "
                       "the median, by less than %.0f %% nine times of ten.",
                       t->known, 100 * t->median, 100 * t->p90);
}

static const char *brackets_text(const struct printing *p) {
    return cb_rep_claims(p->rep)
               ? "Brackets: 95 % intervals over rounds; they do not hold the model's own error."
               : "Brackets: the range over a quick run's rounds.";
}

static const char *title_of(enum cb_forecast_status status) {
    return status == CB_FORECAST_OUT ? "ruled out" : "not measured in this run";
}

static void print_text(const struct printing *p) {
    struct cb_rep *rep = p->rep;
    fprintf(p->out, "%s.\n\n", p->answer->words);
    fprintf(p->out, "%-24s %-10s %12s  %-24s %12s  %12s %12s  %s\n", "TECHNIQUE", "FAMILY",
            "A LIFE", cb_rep_claims(rep) ? "95 %" : "RANGE", "ALL LIVES", "BYTES EACH",
            "BYTES, ALL", "NOTE");
    double live = p->program->in[CB_LIVE];
    for (size_t i = 0; i < p->answer->ok; i++) {
        const struct cb_forecast *f = &p->answer->list[i];
        fprintf(p->out, "%-24s %-10s %12s  %-24s %12s  %12s %12s  %s\n", f->backend->name,
                f->backend->family, cb_choose_time(rep, f->time), interval_text(rep, f),
                cb_choose_time(rep, live * f->time), cb_choose_bytes(rep, f->bytes),
                cb_choose_bytes(rep, live * f->bytes), note_of(p, i));
    }
    for (size_t i = p->answer->ok; i < p->answer->count; i++) {
        const struct cb_forecast *f = &p->answer->list[i];
        if (i == p->answer->ok || f->status != f[-1].status)
            fprintf(p->out, "\n%s:\n", title_of(f->status));
        fprintf(p->out, "  %-22s %s\n", f->backend->name, f->why);
    }
    fprintf(p->out, "\n%s %s\n%s\n", brackets_text(p), trials_text(p), rep->caption);
}

// A bar would end the cell.
static const char *cell_text(struct cb_rep *rep, const char *text) {
    struct cb_text escaped = {0};
    for (; *text; text++)
        cb_text_add(&escaped, "%s%c", *text == '|' ? "\\" : "", *text);
    const char *kept = cb_rep_text(rep, "%s", escaped.text ? escaped.text : "");
    cb_text_clear(&escaped);
    return kept;
}

static void print_markdown(const struct printing *p) {
    struct cb_rep *rep = p->rep;
    double live = p->program->in[CB_LIVE];
    fprintf(p->out, "%s.\n\n", p->answer->words);
    fprintf(p->out, "| technique | a life | all lives | bytes each | bytes, all | note |\n"
                    "|---|---:|---:|---:|---:|---|\n");
    for (size_t i = 0; i < p->answer->ok; i++) {
        const struct cb_forecast *f = &p->answer->list[i];
        fprintf(p->out, "| %s | %s %s | %s | %s | %s | %s |\n", f->backend->name,
                cb_choose_time(rep, f->time), interval_text(rep, f),
                cb_choose_time(rep, live * f->time), cb_choose_bytes(rep, f->bytes),
                cb_choose_bytes(rep, live * f->bytes), cell_text(rep, note_of(p, i)));
    }
    for (size_t i = p->answer->ok; i < p->answer->count; i++) {
        const struct cb_forecast *f = &p->answer->list[i];
        fprintf(p->out, "| %s | %s | | | | %s |\n", f->backend->name, title_of(f->status),
                cell_text(rep, f->why));
    }
    fprintf(p->out, "\n%s %s\n\n%s\n", brackets_text(p), trials_text(p), rep->caption);
}

// Jansson refuses what is not finite.
static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *forecast_json(const struct printing *p, size_t place) {
    const struct cb_forecast *f = &p->answer->list[place];
    double live = p->program->in[CB_LIVE];
    json_t *terms = json_object();
    for (size_t i = 0; i < cb_choose_term_count(p->choose); i++)
        if (f->terms[i] != 0)
            json_object_set_new(terms, cb_choose_term(p->choose, i), number(f->terms[i]));
    return json_pack(
        "{s:s, s:s, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:b, s:s, s:s}", "backend",
        f->backend->name, "family", f->backend->family, "time_ns", "value", number(f->time), "low",
        number(f->low), "high", number(f->high), "all_ns", number(live * f->time), "bytes",
        number(f->bytes), "all_bytes", number(live * f->bytes), "terms_ns", terms, "as_good",
        cb_choose_is_within(p->answer, place), "extrapolated", f->beyond, "lacking", f->lacking);
}

static void print_json(const struct printing *p) {
    json_t *ranking = json_array(), *out = json_array(), *unmeasured = json_array();
    json_t *program = json_object();
    for (int i = 0; i < CB_STATED; i++)
        json_object_set_new(program, cb_choose_inputs[i], json_real(p->program->in[i]));
    for (unsigned i = 0; cb_choose_switches[i]; i++)
        json_object_set_new(program, cb_choose_switches[i],
                            json_boolean(p->program->switches & 1U << i));
    for (size_t i = 0; i < p->answer->count; i++) {
        const struct cb_forecast *f = &p->answer->list[i];
        if (i < p->answer->ok)
            json_array_append_new(ranking, forecast_json(p, i));
        else
            json_array_append_new(
                f->status == CB_FORECAST_OUT ? out : unmeasured,
                json_pack("{s:s, s:s}", "backend", f->backend->name, "why", f->why));
    }
    json_t *document =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:{s:I, s:o, s:o}, s:{s:f, s:b}}", "answer",
                  p->answer->words, "run", p->rep->run_id, "compiler", p->compiler, "program",
                  program, "ranking", ranking, "ruled_out", out, "not_measured", unmeasured,
                  "trials", "count", (json_int_t)p->trials->known, "median_error",
                  number(p->trials->median), "p90_error", number(p->trials->p90), "margin", "share",
                  p->answer->margin, "measured", p->answer->margin_measured);
    json_dumpf(document, p->out, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    fputc('\n', p->out);
    json_decref(document);
}

static int check_compiler(const struct cb_rep *rep, const char *compiler) {
    struct cb_text names = {0};
    for (size_t i = 0; i < rep->compiler_count; i++) {
        if (strcmp(rep->compilers[i], compiler) == 0) {
            cb_text_clear(&names);
            return 0;
        }
        cb_text_add(&names, "%s%s", i ? ", " : "", rep->compilers[i]);
    }
    cb_error(rep->messages,
             "--compiler %s: %s was not measured with it\nnothing is predicted\n"
             "the run's compilers are: %s",
             compiler, rep->dir, names.text ? names.text : "none");
    cb_text_clear(&names);
    return CB_EXIT_USAGE;
}

int cb_choose_print(const char *dir, const struct cb_program *program, const char *compiler,
                    enum cb_choose_format format, FILE *out, FILE *messages) {
    struct cb_rep rep;
    int status = cb_rep_load(&rep, dir, messages);
    if (status == 0)
        cb_rep_estimate_all(&rep);
    if (status == 0 && rep.compiler_count == 0) {
        cb_error(messages,
                 "%s: the run has no cells\nnothing is predicted\nmeasure first: "
                 "./run-all.sh",
                 dir);
        status = CB_EXIT_USAGE;
    }
    if (status == 0 && compiler)
        status = check_compiler(&rep, compiler);
    struct cb_choose *choose = status == 0 ? cb_choose_open(&rep) : NULL;
    if (choose) {
        compiler = compiler ? compiler : rep.compilers[0];
        struct cb_trials trials = cb_choose_try(choose, compiler);
        struct cb_answer answer = cb_choose_answer(choose, program, compiler, &trials);
        struct printing printing = {&rep, choose, program, &answer, &trials, compiler, out};
        (format == CB_CHOOSE_JSON       ? print_json
         : format == CB_CHOOSE_MARKDOWN ? print_markdown
                                        : print_text)(&printing);
        status = answer.ok ? CB_EXIT_OK : CB_EXIT_FAILED;
    } else if (status == 0) {
        status = CB_EXIT_USAGE;
    }
    cb_rep_free(&rep);
    return status;
}
