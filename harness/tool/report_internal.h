// What the parts of the report share: a run in memory, its rows of results, tables to render.
//
// The order of work: load (report_load.c) -> rows and estimates (report_cells.c), what A/A data say
// (report_aa.c) -> ratios and targets (report_ratios.c) -> tables (report_tables.c, rendered by
// report_table.c), plots (report_plots.c), report.html (report_html.c). Backends and scenarios are
// only ever names read from run.json or from the data files headline.json, derived.json,
// targets.json and plots.json.
#ifndef CB_REPORT_INTERNAL_H
#define CB_REPORT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "message.h"
#include "sequence.h"
#include "stats.h"

enum cb_rep_mode { CB_REP_QUICK, CB_REP_DEFAULT, CB_REP_FULL };
enum { CB_REP_MEDIAN, CB_REP_LOWER_QUARTILE, CB_REP_ESTIMATORS };
extern const char *const cb_rep_estimator_names[CB_REP_ESTIMATORS];

struct cb_rep_estimate {
    double value;     // NaN: there is none
    double low, high; // the 95 % interval, or the range of the rounds in a quick run; NaN: neither
    double coverage;  // of the interval; 0 where low and high are a range
};

// A planned cell, or the cell that a derived metric belongs to. Texts are never NULL.
struct cb_rep_cell {
    const char *id, *backend, *family, *scenario, *binding, *compiler, *params, *kind;
    const char *status, *note;
    const char *twin_of;      // of an A/A twin: the original's id; "" for all others
    const char *sample_flags; // what its samples were flagged with, joined by ';'
};

// One metric of one cell: its values by round, and what is estimated from them.
struct cb_rep_row {
    const struct cb_rep_cell *cell;
    const char *metric, *unit;
    const char *status, *note;   // as the cell's, or why this metric has no value
    const char *flags;           // joined by ';'
    double *values;              // one a slot, NaN where missing; NULL unless status is ok
    size_t rounds;               // slots with a value
    bool exact;                  // a fact of the build, not a measurement: no interval needed
    bool aside;                  // stands beside another metric: median only
    bool counted;                // by a tool that counts exactly: one value, no interval
    const struct cb_rep_row *of; // of a difference: what something was taken off; else NULL
    struct cb_drift drift;       // of its rounds in order; p is NaN where that was not looked at
    struct cb_modes modes;       // of its rounds; low is NaN where that was not looked at
    struct cb_rep_estimate estimate[CB_REP_ESTIMATORS];
};

struct cb_rep_backend {
    const char *name, *family, *summary;
    const char *status, *note; // of the backend as a whole: ok, or unavailable and why
    bool variant;              // of another backend: in tables, and in plots with a row each
};

struct cb_rep_ratio {
    const struct cb_rep_row *a, *b; // b is NULL where a target names a constant
    const char *b_name;             // the cell's id, or "constant:80"
    const char *metric;
    int estimator;
    double ratio, low, high, p, p_holm, mde;
    const char *verdict;
    const char *family; // what was corrected together: a column, a metric; "" for targets
};

// The smallest detectable effect: 95 % of comparisons of a cell with itself stay below it.
struct cb_rep_mde {
    const char *scenario, *metric;
    int estimator;
    size_t twins, halves, repeats;          // cells that each source had
    double mde, high;                       // shares; high: an upper 95 % confidence bound of mde
    double by_twins, by_halves, by_repeats; // what each source alone says; NaN: nothing
    const char *source;                     // which one decided: twins, halves or repeats
};

// One way to make a headline figure of a cell's rounds.
struct cb_rep_candidate {
    const char *title;
    int estimator;
    bool cycles;   // of times in estimated core cycles, else in ns
    size_t cells;  // headline cells that it was tried on
    double spread; // median over them of the mean relative A/A difference; NaN: none
};
#define CB_REP_CANDIDATES 4
// The metric of counted instructions, by a counter or a tool.
#define CB_REP_INSTRUCTIONS "instructions"

struct cb_rep_target {
    const char *id, *text, *compiler;
    const char *wanted; // e.g. "at most 1.3", "at most 80 B"
    double scale;       // of the ratio, to read it in that unit: 80; 1 where two cells are compared
    const char *unit;
    struct cb_rep_ratio *ratio; // NULL: not measured in this run
    const char *verdict, *why;
};

struct cb_rep {
    FILE *messages;
    const char *dir;
    json_t *run, *headline, *derived, *targets, *plots, *choose; // owned
    enum cb_rep_mode mode;
    const char *run_id, *mode_name;
    bool fastest;        // a process's value is its fastest repetition, not their median
    const char *caption; // machine, compilers, mode: one line that goes below every plot
    int estimator;       // which one tables and plots show
    bool cycles;         // times of the headline are in estimated core cycles
    struct cb_rep_candidate candidate[CB_REP_CANDIDATES];
    size_t chosen;          // of the candidates
    const char *chosen_why; // a sentence

    struct cb_rep_mde *mde;
    size_t mde_count;
    double mde_median, mde_90; // over scenarios, each by its worst metric that is measured; NaN
    json_t *repeats;           // the repeated-run set: {"cell|metric": [[median, quartile], ...]}
    size_t repeat_runs;        // runs in it

    size_t slots;     // processes of one cell, in the order of rounds
    long *slot_round; // slot -> round
    long *slot_build; // slot -> link that it was measured with
    bool clustered;   // intervals are over links

    struct cb_rep_cell **cells;
    size_t cell_count;
    struct cb_rep_row **rows;
    size_t row_count, row_room;
    json_t *row_index; // "cell id|metric" -> index in rows

    struct cb_rep_backend *backends; // by family, then name
    size_t backend_count;
    const char **compilers; // the first one measured most; tables without a suffix show it
    size_t compiler_count;

    struct cb_rep_ratio **ratios;
    size_t ratio_count, ratio_room;
    struct cb_rep_target *target;
    size_t target_count;

    struct cb_choose *model;      // of the table "choose"; NULL: not made
    struct cb_claims *claims;     // of the table "claims"; NULL: not made
    struct cb_rep_table **tables; // all that were made, in the order of the report
    size_t table_count, table_room;
    const char *loops_id;  // the table of hot loops; NULL: not made
    const char **plot_ids; // all plots that were made, in the order of the report
    const char **plot_titles, **plot_notes;
    const char **plot_series; // backends in the order they are drawn, joined by commas
    bool *plot_rows;          // whether each backend is a row, else a line
    size_t plot_count;

    const struct cb_rep_row **history; // of each cell the row whose rounds report.html shows
    size_t history_count;
    json_t *history_index; // "cell id" -> place in history; owned

    void **memory; // everything that lives as long as the report
    size_t memory_count, memory_room;
};

// ---- Memory and texts (report_text.c) -----------------------------------------------------------

// Zeroed memory, or a text, that is freed with the report.
void *cb_rep_memory(struct cb_rep *rep, size_t count, size_t size);
const char *cb_rep_text(struct cb_rep *rep, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cb_rep_free(struct cb_rep *rep);

// A member that is a text, or `absent`; never NULL where absent is not.
const char *cb_rep_string(const json_t *object, const char *key, const char *absent);

// The value of a key in "key=value;key=value", or NULL. The text is kept by the report.
const char *cb_rep_param(struct cb_rep *rep, const char *params, const char *key);
// params without a key / with one more, keys sorted.
const char *cb_rep_param_drop(struct cb_rep *rep, const char *params, const char *key);
const char *cb_rep_param_add(struct cb_rep *rep, const char *params, const char *key,
                             const char *value);

// Adds a flag to a list joined by ';', once.
const char *cb_rep_flag(struct cb_rep *rep, const char *flags, const char *flag);

// Writes a file of the run folder whole or not at all; 0 or CB_EXIT_USAGE with a message.
int cb_rep_write(struct cb_rep *rep, const char *name, const struct cb_text *text);

// How a number is read: three digits, thousands kept apart by `space`; `like` decides the decimals,
// so that an interval has those of its estimate.
const char *cb_rep_number(struct cb_rep *rep, double value, double like, const char *space);

// ---- Loading and estimating ---------------------------------------------------------------------

// 0, or CB_EXIT_USAGE with a message. cb_rep_free either way.
int cb_rep_load(struct cb_rep *rep, const char *dir, FILE *messages);
void cb_rep_estimate_all(struct cb_rep *rep);

// A row for a metric; what it is (exact, aside) stands in derived.json.
struct cb_rep_row *cb_rep_add_row(struct cb_rep *rep, const struct cb_rep_cell *cell,
                                  const char *metric, const char *unit);
// NULL where the run has no such row.
struct cb_rep_row *cb_rep_find(struct cb_rep *rep, const char *backend, const char *scenario,
                               const char *binding, const char *compiler, const char *params,
                               const char *metric);
// The row that a selector of a data file ({"scenario","binding","params","metric"}) means for this
// backend and compiler; a selector without a binding takes any, and then any compiler.
struct cb_rep_row *cb_rep_select(struct cb_rep *rep, const json_t *selector, const char *backend,
                                 const char *compiler);
const struct cb_rep_estimate *cb_rep_shown(const struct cb_rep *rep, const struct cb_rep_row *row);

// Which estimator a metric's figures are made by: the headline's, but the median where derived.json
// says so. Of differences and of ratios to another loop a lower quartile would be the luckiest
// quarter, and of bytes there are few rounds, which hardly differ.
int cb_rep_estimator_of(const struct cb_rep *rep, const char *metric);
// The quantile of the population that an estimator estimates.
extern const double cb_rep_quantiles[CB_REP_ESTIMATORS];
// Median or quartile of a row's values with interval or range, as the mode wants.
struct cb_rep_estimate cb_rep_estimate_values(const struct cb_rep *rep, const double *values,
                                              double p, bool exact);

int cb_rep_compare_families(const struct cb_rep *rep, const char *a, const char *b);
const char *cb_rep_family_title(const struct cb_rep *rep, const char *family);
const char *cb_rep_scenario_title(const struct cb_rep *rep, const char *scenario);
int cb_rep_compare_params(const char *a, const char *b);
// By scenario, params, family, backend, binding, compiler: the order of cells.csv and of tables.
int cb_rep_compare_cells(const struct cb_rep *rep, const struct cb_rep_cell *a,
                         const struct cb_rep_cell *b);
// All rows in that order, kept by the report; metrics of one cell in the order they were made.
struct cb_rep_row **cb_rep_sorted_rows(struct cb_rep *rep);
// Whether a metric may be compared as a ratio: not where it is a difference, which may be 0.
bool cb_rep_is_ratio_scale(const struct cb_rep *rep, const char *metric);
// How much of a cell a drift or two groups may be of: a share of its value; 0: it is not flagged.
double cb_rep_sequence_effect(const struct cb_rep_row *row);
// Whether a cell only serves the statistics (an A/A twin): kept out of tables for people.
bool cb_rep_hidden(struct cb_rep *rep, const struct cb_rep_cell *cell);

// ---- A/A data (report_aa.c, report_repeats.c) ---------------------------------------------------

// Reads the repeated-run set of this machine, where there is one: DIR/aa, or that of the reference
// beside the run. 0, or CB_EXIT_USAGE with a message.
int cb_rep_load_repeats(struct cb_rep *rep);
// All smallest detectable effects; the headline's estimator. Estimates must be there.
void cb_rep_use_aa(struct cb_rep *rep);
// The smallest detectable effect of a row's metric in its scenario, by the metric's estimator; 0
// where it is exact.
double cb_rep_mde_of(const struct cb_rep *rep, const struct cb_rep_row *row);
int cb_rep_write_mde(struct cb_rep *rep);
// Whether so many of the run's samples stand though they were disturbed that it tells of its
// neighbours rather than of chance.
bool cb_rep_is_disturbed(const struct cb_rep *rep);
// Writes this run's estimates as one more of the repeated-run set. 0, or CB_EXIT_USAGE with a
// message: it was disturbed, or the file cannot be written.
int cb_rep_write_repeat(struct cb_rep *rep, const char *folder);

// ---- Ratios and targets -------------------------------------------------------------------------

void cb_rep_compare_all(struct cb_rep *rep);
// The ratio of two lists of values, one a slot, in terms of an estimator: paired inside rounds for
// medians, of the two quartiles with rounds drawn in pairs for these; over links in a full run.
struct cb_ratio cb_rep_divide(const struct cb_rep *rep, int estimator, const double *a,
                              const double *b);
// How ratios of this report are made, for captions.
const char *cb_rep_ratio_words(struct cb_rep *rep);
// The ratio that was made of two rows within a headline column, or NULL; *inverted where it is b/a.
// Without a second row: that to the value which means no difference.
const struct cb_rep_ratio *cb_rep_ratio_of(const struct cb_rep *rep, const struct cb_rep_row *a,
                                           const struct cb_rep_row *b, bool *inverted);
// Whether a run of this kind may say that one thing costs more than another.
bool cb_rep_claims(const struct cb_rep *rep);

// ---- Tables -------------------------------------------------------------------------------------

struct cb_rep_column {
    const char *title, *unit; // unit may be ""
    bool number;              // right-aligned, with an interval; three columns in CSV
    double share;             // of the line's width, in LaTeX, of texts that wrap; 0: one line each
};

struct cb_rep_entry {
    const char *text; // a text or a status; NULL where value counts
    double value, low, high;
    const char *mark;               // a short text after the number: "folded"
    const struct cb_rep_cell *cell; // whose rounds report.html shows; NULL: of no one cell
    const char *footnote;           // NULL: none
};

struct cb_rep_table {
    const char *id, *title, *caption;
    const char *lead;  // CSV name of the group column, where rows are grouped
    bool wide;         // many rows: a longtable in LaTeX, folded in report.html
    const char *empty; // what is said where there are no rows
    struct cb_rep_column *columns;
    size_t column_count;
    // rows x columns entries; a row whose group differs from the one before opens a section.
    struct cb_rep_entry *entries;
    const char **groups; // one a row, "" for none
    size_t row_count, row_room;
};

struct cb_rep_table *cb_rep_table_new(struct cb_rep *rep, const char *id, const char *title,
                                      const char *caption);
void cb_rep_table_column(struct cb_rep *rep, struct cb_rep_table *table, const char *title,
                         const char *unit, bool number);
// Columns first, then rows. Returns the row's entries, empty texts.
struct cb_rep_entry *cb_rep_table_row(struct cb_rep *rep, struct cb_rep_table *table,
                                      const char *group);
// Tables of report_trust.c.
void cb_rep_mde_table(struct cb_rep *rep);
void cb_rep_estimator_table(struct cb_rep *rep);
void cb_rep_flagged_table(struct cb_rep *rep);
void cb_rep_environment_table(struct cb_rep *rep);
// Of report_loops.c; none where no program says anything of its loops.
void cb_rep_loops_table(struct cb_rep *rep);
// Of claims_table.c; 0 or an exit status, with a message.
int cb_rep_claims_table(struct cb_rep *rep);
// Of choose_report.c; the same.
int cb_rep_choose_tables(struct cb_rep *rep);
// The rows whose rounds drift or fall into two groups, the largest effect first, kept by the
// report; *looked_at: how many rows were looked at. And what is said of one.
size_t cb_rep_flagged(struct cb_rep *rep, struct cb_rep_row ***rows, size_t *looked_at);
const char *cb_rep_sequence_words(struct cb_rep *rep, const struct cb_rep_row *row);
int cb_rep_table_write(struct cb_rep *rep, const struct cb_rep_table *table);
void cb_rep_table_html(struct cb_rep *rep, const struct cb_rep_table *table, struct cb_text *to);
void cb_rep_html(struct cb_text *to, const char *text); // with < > & " escaped
// A cell's place among those whose rounds report.html shows; -1: it is not one of them.
long cb_rep_history_place(const struct cb_rep *rep, const struct cb_rep_cell *cell);

// ---- Outputs: 0 or an exit status, with a message -----------------------------------------------

int cb_rep_write_cells(struct cb_rep *rep);
int cb_rep_write_ratios(struct cb_rep *rep);
int cb_rep_make_tables(struct cb_rep *rep);
int cb_rep_make_plots(struct cb_rep *rep);
int cb_rep_make_html(struct cb_rep *rep);

#endif
