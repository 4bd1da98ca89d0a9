// From a bench program's raw file to rows of samples.csv.
#ifndef CB_SAMPLES_H
#define CB_SAMPLES_H

#include <jansson.h>
#include <stdbool.h>

#include "message.h"
#include "plan.h"

// One raw file, read and checked.
struct cb_sample {
    enum cb_cell_status status;
    char *note;
    int link;         // the build that was measured
    bool migrated;    // it ran on another unit than asked for
    json_t *document; // Google Benchmark's
};

// When a sample is taken again (plan.json's `again`).
struct cb_again {
    int tries;
    double share; // of all samples
    double involuntary, steal;
};

// Reads a raw file and checks that it is a whole answer for this cell. NULL, or what is wrong with
// it (free it). Free the sample in the first case.
char *cb_sample_read(struct cb_sample *sample, const char *path, const struct cb_cell *cell,
                     unsigned repetitions);
void cb_sample_free(struct cb_sample *sample);

// Whether something beside the cell's own work disturbed it: steal ticks, a migration, or
// involuntary context switches beyond the limit and beyond the voluntary ones (a coroutine that
// blocks a thread on each yield is switched away on its own account).
bool cb_sample_disturbed(const struct cb_sample *sample, const struct cb_again *again);

// The header of samples.csv.
extern const char cb_samples_header[];

// Adds a sample's rows: one for each repetition and metric. Metrics of kind time: `time`, `loop`,
// `hand` and `ratio` where measured, `cycles`, `instructions` and `branch_misses` (per operation)
// where a counter counted them. Of kind space: rss, page_tables, virtual, kernel, mappings, as far
// as known.
void cb_sample_rows(struct cb_text *rows, const char *run, const struct cb_cell *cell,
                    const struct cb_step *step, const struct cb_sample *sample, const char *flags);

// Adds the rows of a static cell, in round 0: the metrics that `entry` (of plan.json's `static`)
// names, read from the description of the program that was planned.
void cb_static_rows(struct cb_text *rows, const char *run, const struct cb_cell *cell,
                    const json_t *entry, const json_t *describe);

#endif
