// What a program's coroutines would cost on each technique, predicted from the cells of a run.
//
// The model is data, choose.json: terms, and the cells that feed them. choose_model.c reads it,
// choose_forecast.c predicts, choose_answer.c ranks and puts the answer into words, choose.c is the
// command, choose_report.c the report's tables. All but the command work on a loaded run with its
// estimates made.
#ifndef CB_CHOOSE_H
#define CB_CHOOSE_H

#include <jansson.h>

#include "report_internal.h"

// What describes a program. The last three follow from the others; CB_SPREAD depends on the
// technique too.
enum cb_input {
    CB_SETUPS,
    CB_YIELDS,
    CB_CALLS,
    CB_DEPTH,
    CB_LIVE,
    CB_FRAME,
    CB_PEAK,
    CB_C_CALLS,
    CB_UPDATES,
    CB_CROSSED,
    CB_STATED, // how many a program states
    CB_ALIVE = CB_STATED,
    CB_CONTINUED,
    CB_SPREAD,
    CB_INPUTS
};

struct cb_program {
    double in[CB_INPUTS];
    unsigned switches; // a bit each, numbered as in cb_choose_switches
};

extern const char *const cb_choose_inputs[CB_INPUTS];
extern const char *const cb_choose_switches[]; // ended by NULL

// The life of one coroutine that yields once, without anything else.
struct cb_program cb_program_plain(void);
// Works out what follows from what is stated; without `calls`, each frame below the first is
// called once.
void cb_program_complete(struct cb_program *program, bool calls_stated);

// ---- Model and forecasts ------------------------------------------------------------------------

// How many times the rounds are drawn anew for an interval.
#define CB_CHOOSE_DRAWS 400

struct cb_choose; // the model, the run, and what was drawn; lives as long as the report

// NULL after a message where choose.json is wrong.
struct cb_choose *cb_choose_open(struct cb_rep *rep);

enum cb_forecast_status { CB_FORECAST_OK, CB_FORECAST_OUT, CB_FORECAST_UNMEASURED };

struct cb_forecast {
    const struct cb_rep_backend *backend;
    enum cb_forecast_status status;
    const char *why;        // ruled out or not measured: all reasons; else ""
    const char *beyond;     // what was extrapolated; else ""
    const char *lacking;    // what is not in it, as the run did not measure it; else ""
    double time, low, high; // ns an operation (a life, where setups is 1)
    double *terms;          // the share of each term; cb_choose_term_count of them
    double bytes;           // of one coroutine; NaN where not measured
};

void cb_choose_forecast(struct cb_choose *choose, const struct cb_program *program,
                        const struct cb_rep_backend *backend, const char *compiler,
                        struct cb_forecast *forecast);

struct cb_rep *cb_choose_run(const struct cb_choose *choose);
// choose.json's `within`: what is said to be as good where nothing is known of the model's error.
double cb_choose_margin(const struct cb_choose *choose);
// The errors that choose.json wants the model to keep to.
void cb_choose_wanted(const struct cb_choose *choose, double *median, double *p90);

size_t cb_choose_term_count(const struct cb_choose *choose);
const char *cb_choose_term(const struct cb_choose *choose, size_t term);

// ---- Programs in choose.json --------------------------------------------------------------------

struct cb_named_program {
    const char *id, *title;
    struct cb_program program;
    const json_t *cell; // the selector of what was measured; NULL: nothing was
    bool held_out;      // stated after the model's form was changed last, before it was measured
};

const struct cb_named_program *cb_choose_validation(const struct cb_choose *choose, size_t *count);
const struct cb_named_program *cb_choose_typical(const struct cb_choose *choose, size_t *count);

// A prediction beside what was measured.
struct cb_trial {
    const struct cb_named_program *program;
    struct cb_forecast forecast;
    const struct cb_rep_row *measured; // NULL: the run has no value
    double error;                      // predicted / measured - 1; NaN where either is missing
};

// How much longer a program takes, as a share, with the technique of the smallest prediction than
// with the one that was measured to be the fastest. `trials` are `n` of one program.
double cb_trials_price(const struct cb_rep *rep, const struct cb_trial *trials, size_t n);

// All programs on all backends; the model's errors over them.
struct cb_trials {
    struct cb_trial *list;
    size_t count, known; // known: those with an error
    double median, p90;  // of |error|; NaN where none is known
    double wanted_median, wanted_p90;
};
// "missed", "wrongly ruled out", "not foreseen" or "".
const char *cb_trial_verdict(const struct cb_trials *trials, const struct cb_trial *trial);
struct cb_trials cb_choose_try(struct cb_choose *choose, const char *compiler);

// ---- Answers ------------------------------------------------------------------------------------

struct cb_answer {
    struct cb_forecast *list; // ok by time, then ruled out, then not measured
    size_t count, ok;
    double margin;        // what is within this share of the best is as good
    bool margin_measured; // it is the median error of this run's trials, not choose.json's
    const char *words;    // one sentence
};
struct cb_answer cb_choose_answer(struct cb_choose *choose, const struct cb_program *program,
                                  const char *compiler, const struct cb_trials *trials);
// Whether the forecast at this place may be as good as the first.
bool cb_choose_is_within(const struct cb_answer *answer, size_t place);
// The names of those that may be, or "".
const char *cb_choose_as_good(struct cb_rep *rep, const struct cb_answer *answer);
// The one that takes least memory, of those that can do it; NULL: not measured.
const struct cb_forecast *cb_choose_smallest(const struct cb_answer *answer);

// A time, or bytes, as people say it: "1.25 us", "4.2 KiB".
const char *cb_choose_time(struct cb_rep *rep, double ns);
const char *cb_choose_bytes(struct cb_rep *rep, double bytes);

enum cb_choose_format { CB_CHOOSE_TEXT, CB_CHOOSE_MARKDOWN, CB_CHOOSE_JSON };

// `corobench choose`: prints the answer for a run. Returns an enum cb_exit.
int cb_choose_print(const char *dir, const struct cb_program *program, const char *compiler,
                    enum cb_choose_format format, FILE *out, FILE *messages);

#endif
