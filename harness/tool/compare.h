// Compares two runs, cell by cell: what became slower, what faster, what can't be told apart.
//
// The order of work: load (compare_load.c) -> how the runs' fingerprints differ
// (compare_fingerprint.c) -> effects, intervals, verdicts (compare_judge.c, with the statistics of
// compare_stats.c) -> Markdown or JSON (compare_write.c).
#ifndef CB_COMPARE_H
#define CB_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "message.h"
#include "names.h"
#include "report_internal.h"

// ---- What is asked for --------------------------------------------------------------------------

enum cb_compare_kind { CB_SLOWER, CB_FASTER, CB_ANY, CB_COMPARE_KINDS };

struct cb_compare_request {
    const char *dir_a, *dir_b; // two folders of runs; B is judged against A. Required
    const char *metric;        // NULL: time
    const char *estimator;     // NULL: the one of headline.json
    struct cb_globs backends, scenarios, bindings, compilers;
    double fail_on[CB_COMPARE_KINDS]; // as a share: 0.05 is 5 %; NaN: not asked for
    bool json;
};

// Reads "slower=5%", several joined by commas, into limits. NULL, or what is wrong (free it).
char *cb_compare_read_limits(const char *text, double limits[CB_COMPARE_KINDS]);

// Prints the comparison on `out`, warnings and errors on `messages`. Returns CB_EXIT_OK;
// CB_EXIT_FAILED where a declared difference is beyond request->fail_on; CB_EXIT_USAGE where a run
// can't be read or nothing is in both.
int cb_compare(const struct cb_compare_request *request, FILE *out, FILE *messages);

// ---- Statistics (compare_stats.c) ---------------------------------------------------------------

struct cb_effect {
    double ratio, low, high; // b/a; NaN where there is none
};

// The ratio b/a of two estimates from independent samples, with limits from those of each: Zou and
// Donner's method of variance estimates recovery (2008) on logarithms. With order-statistic limits
// of 95 % it covers 97 to 99 %, also for bimodal samples, where standard errors of a median fail.
// Limits are NaN where one of the four is; everything is where a value is not above 0.
struct cb_effect cb_effect_ratio(double a, double a_low, double a_high, double b, double b_low,
                                 double b_high);
// The smallest and largest ratio of what lies between both ends: for ranges, which claim nothing.
struct cb_effect cb_effect_range(double a, double a_low, double a_high, double b, double b_low,
                                 double b_high);

// The chance that two samples of one distribution differ in ranks as much: Wilcoxon, Mann and
// Whitney's two-sided test, exact with ties up to 60 values in all. NaN where one is empty.
double cb_rank_test(const double *a, size_t na, const double *b, size_t nb);
// The smallest chance that it can give for samples of these sizes without ties.
double cb_rank_test_least(size_t na, size_t nb);
// Welch's two-sided t test that the means of the logarithms are equal. NaN below two values each.
double cb_welch_test(const double *a, size_t na, const double *b, size_t nb);
// The same chance from two estimates with 95 % limits only, `na` and `nb` rounds behind them.
double cb_limits_test(const struct cb_rep_estimate *a, size_t na, const struct cb_rep_estimate *b,
                      size_t nb);

// ---- Fingerprints (compare_fingerprint.c) -------------------------------------------------------

// How two run.json differ in what can move numbers: mode, machine, kernel, compilers, options,
// programs with their hashes and flags. A new array of {"what", "a", "b"}, texts; empty if equal.
// Seeds, names and times of day are not part of it.
json_t *cb_fingerprint_differences(const json_t *a, const json_t *b);

// ---- Between the parts --------------------------------------------------------------------------

// One metric of one cell, as one of the runs has it. Texts are kept by the run.
struct cb_compare_entry {
    const char *id, *backend, *scenario, *binding, *compiler, *unit, *status, *note, *flags;
    struct cb_rep_estimate estimate; // NaN unless status is ok
    double *values;                  // one a round, or a link in full runs; NULL: not kept
    size_t count;                    // of values, or of rounds where these are not kept
    bool exact;                      // a fact of the build, not a measurement
    bool paired;                     // the other run has it too
};

struct cb_compare_run {
    const char *dir;
    json_t *document; // run.json
    const char *mode;
    bool quick;
    bool intervals_only; // no values of rounds are kept: only cells.csv
    struct cb_rep rep;   // all of it, unless intervals_only
    int estimator;
    struct cb_compare_entry *entries; // in the order of tables
    size_t count;
    struct cb_names metrics;    // all that the run has
    json_t *mde;                // "scenario|metric|estimator" (or "scenario|metric|") -> share
    char **texts;               // kept for entries
    size_t text_count, room[2]; // room for texts and entries
};

// Reads a run, its cells of that metric, and its MDEs. 0, or CB_EXIT_USAGE after a message.
// cb_compare_free either way.
int cb_compare_load(struct cb_compare_run *run, const char *dir, const char *metric,
                    const char *estimator, FILE *messages);
void cb_compare_free(struct cb_compare_run *run);
// The MDE of a scenario as a share; NaN where the run does not know it.
double cb_compare_mde(const struct cb_compare_run *run, const char *scenario, const char *metric,
                      const char *estimator);

struct cb_compare_cell {
    const struct cb_compare_entry *a, *b;
    struct cb_effect effect;
    double p, p_holm; // NaN: not tested
    double mde;       // 0 where unknown
    bool declared;    // a difference
    const char *verdict, *why;
    bool too_much[CB_COMPARE_KINDS]; // beyond that limit of --fail-on
};

struct cb_comparison {
    const struct cb_compare_request *request;
    struct cb_compare_run *a, *b;
    const char *metric, *estimator;
    bool claims;                   // no run is quick
    bool by_intervals;             // a run keeps no values of rounds
    const char *test;              // which was used, in words
    json_t *differences;           // of the fingerprints
    struct cb_names no_mde;        // scenarios without one
    struct cb_compare_cell *cells; // with a value in both runs
    size_t count;
    struct cb_compare_cell *broken; // in both, with a value in one at most
    size_t broken_count;
    size_t slower, faster, same, undecided, too_much;
};

void cb_comparison_judge(struct cb_comparison *comparison);
void cb_comparison_markdown(const struct cb_comparison *comparison, FILE *out);
void cb_comparison_json(const struct cb_comparison *comparison, FILE *out);

#endif
