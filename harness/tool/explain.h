// Explains a cell of a run: from its numbers to raw files, program, flags, seed and rounds.
//
// explain.c finds the cells, explain_trace.c follows each to its samples and raw files as one JSON
// object, explain_write.c prints that for people.
#ifndef CB_EXPLAIN_H
#define CB_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "csv.h"
#include "names.h"
#include "report_internal.h"

// Explains all cells of the run in `dir` whose id is `pattern` or matches it as a glob. Returns
// CB_EXIT_OK, or CB_EXIT_USAGE after a message that lists the nearest ids.
int cb_explain(const char *dir, const char *pattern, bool json, FILE *out, FILE *messages);

// How far a typed text is from a name. What the name has more costs less than what it lacks or has
// otherwise, and its end costs next to nothing: who types the beginning of an id means its rest.
unsigned cb_explain_distance(const char *typed, const char *name);

// ---- Between the parts --------------------------------------------------------------------------

struct cb_explain_run {
    struct cb_rep rep;
    struct cb_csv samples; // samples.csv
    bool has_samples;      // false: a condensed run
    struct cb_names raw;   // the names of all raw files
};

// All that is known of a cell: {"cell_id", "status", "note", "metrics": [{"metric", "unit",
// "status", "note", "flags", "rounds", "estimates", "from"}], "samples": [{"round", "position",
// "build", "values", "flags", "raw", "retaken", ...}], "programs": [...], ...}. A new reference.
json_t *cb_explain_trace(struct cb_explain_run *run, const struct cb_rep_cell *cell);
// What is the same for all cells: {"run", "folder", "mode", "seed", "condensed", ...}.
json_t *cb_explain_about(const struct cb_explain_run *run);

void cb_explain_print(const json_t *about, const json_t *cell, FILE *out);

#endif
