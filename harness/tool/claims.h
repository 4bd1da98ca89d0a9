// Claims of other people, tried on a run: what they predict is data (claims/*.json), and here are
// only the kinds of verdict.
//
// The order of work: load (claims_load.c) -> judge (claims_judge.c, claims_words.c) -> a table of
// the report (claims_table.c) or the command's output (claims.c). No backend or scenario is known
// by name.
#ifndef CB_CLAIMS_H
#define CB_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

struct cb_rep;
struct cb_rep_row;

enum cb_verdict {
    CB_SUPPORTED,    // every check holds
    CB_REFUTED,      // none holds, and some fail
    CB_DEPENDS,      // some hold and some fail: the words say on what
    CB_UNDECIDED,    // none fails, but some intervals do not tell
    CB_NOT_TESTABLE, // nothing here can try it: the words say why
    CB_MISSING,      // the run has none of the cells
    CB_VERDICTS
};
extern const char *const cb_verdict_names[CB_VERDICTS];

enum cb_outcome { CB_HOLDS, CB_FAILS, CB_OPEN, CB_ABSENT, CB_OUTCOMES };
extern const char *const cb_outcome_names[CB_OUTCOMES];

// One comparison that a claim stands for: a figure of a cell, or of two, with its interval.
struct cb_check {
    const char *backend, *against;         // against: "" where there is no second one
    const char *cell, *binding, *compiler; // cell: scenario and params
    const char *metric, *unit;             // unit: "x" of ratios
    double value, low, high;
    const char *beside; // another metric that is to be read with it; ""
    enum cb_outcome outcome;
    const char *why; // of what is open or absent; ""
};

struct cb_claim {
    const json_t *json;
    const struct cb_claim_file *file;
    const char *id, *section, *quote, *says, *kind;
    // What the judge found; texts live as long as the report.
    enum cb_verdict verdict;
    const char *figures, *why, *predicted;
    struct cb_check *checks;
    size_t check_count, check_room;
    size_t outcomes[CB_OUTCOMES];
};

struct cb_claim_file {
    const char *name;   // without folder and ending
    const char *source; // the document's title
    json_t *json;
};

struct cb_claims {
    struct cb_claim_file *files;
    size_t file_count;
    struct cb_claim *claims;
    size_t claim_count;
    json_t *methods; // owned: {"name": {"title", "backends"}}
    FILE *messages;
};

// Reads methods.json and all other *.json of a folder, by name. Returns 0, or CB_EXIT_USAGE after a
// message that names file and claim. cb_claims_free either way.
int cb_claims_load(struct cb_claims *claims, const char *folder, FILE *messages);
void cb_claims_free(struct cb_claims *claims);
// The folder that came with the program. Free it.
char *cb_claims_folder(void);

// Judges all claims on a run whose estimates are made.
void cb_claims_judge(struct cb_claims *claims, struct cb_rep *rep);

// ---- Parts of the judge -------------------------------------------------------------------------

// The ranks of a column's words, from low to high cost; words[i] has the methods rated so.
const json_t *cb_claim_column(const struct cb_claim *claim);
void cb_claim_judge_order(struct cb_claims *claims, struct cb_rep *rep, struct cb_claim *claim);
void cb_claim_judge_range(struct cb_claims *claims, struct cb_rep *rep, struct cb_claim *claim);
// The cut points that keep the words of a column apart; text of the report.
const char *cb_claim_cuts(struct cb_claims *claims, struct cb_rep *rep,
                          const struct cb_claim *claim);
// Verdict, figures and reason from the checks.
void cb_claim_conclude(struct cb_rep *rep, struct cb_claim *claim);

struct cb_check *cb_claim_add_check(struct cb_claim *claim);
size_t cb_claim_backends(const struct cb_claims *claims, const json_t *side, size_t index,
                         const char **name);
const char *cb_claim_metric(const struct cb_rep *rep, const char *metric);
double cb_claim_number(const json_t *json, const char *key, double absent);
const char *cb_claim_figure(struct cb_rep *rep, double value, double low, double high,
                            const char *unit);

#endif
