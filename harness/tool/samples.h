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

// Why a sample is taken again.
enum cb_retake {
    CB_RETAKE_NONE,
    CB_RETAKE_MIGRATION,
    CB_RETAKE_STEAL,
    CB_RETAKE_INVOLUNTARY,
    CB_RETAKE_CROWDED
};
enum { CB_RETAKES = CB_RETAKE_CROWDED + 1 };
// "migration", "steal", "involuntary" or "crowded".
const char *cb_retake_name(enum cb_retake reason);

// When a sample is taken again (plan.json's `again`).
struct cb_again {
    int tries;
    double share; // of all samples
    // A repetition is hit when it had more involuntary switches than this, beyond the voluntary
    // ones, and lost more than this share of its time by them; a sample is disturbed when more than
    // the share `hit` of its repetitions is: of half of them the fastest is still one that was not.
    double involuntary, lost, hit;
    double steal, steal_per_s; // ticks that a sample may have, and more for a longer one
    // A repetition is crowded when the core made less than this share of the independent additions
    // that it makes in a cycle when alone (`width`, by the pilots; 0: not known).
    double crowded, width;
    double wait_ms; // at most, for a core that is not crowded, before a sample begins
};

// Reads a raw file and checks that it is a whole answer for this cell. NULL, or what is wrong with
// it (free it). Free the sample in the first case.
char *cb_sample_read(struct cb_sample *sample, const char *path, const struct cb_cell *cell,
                     unsigned repetitions);
void cb_sample_free(struct cb_sample *sample);

// What beside the cell's own work disturbed it, the gravest first: a migration, steal ticks,
// involuntary context switches, or another user of the same core. Switches alone say little: the
// kernel's own threads come often and stay for microseconds. What was lost shows in the wall time
// beyond the CPU time. A coroutine that blocks its thread is switched away on its own account; the
// switches of a `parallel` backend are its work whatever their kind: waking a thread may put it in
// one's place.
enum cb_retake cb_sample_disturbed(const struct cb_sample *sample, const struct cb_again *again,
                                   bool parallel);

// Why the tries before this one were given up; kept in the raw file, so that a resumed run knows.
// cb_sample_get_retakes returns how many reasons it has put into `reasons` (at most `most`);
// cb_sample_set_retakes writes the raw file anew and returns 0 or -errno.
size_t cb_sample_get_retakes(const struct cb_sample *sample, enum cb_retake *reasons, size_t most);
int cb_sample_set_retakes(struct cb_sample *sample, const char *path, const enum cb_retake *reasons,
                          size_t count);

// The header of samples.csv.
extern const char cb_samples_header[];

// Adds a sample's rows: one for each repetition and metric. Metrics of kind time: `time`, `loop`,
// `hand` and `ratio` where measured, `cycles`, `instructions`, `branch_misses` and `l1_misses` (per
// operation) where a counter counted them. Of kind space: rss, page_tables, virtual, kernel,
// mappings, as far as known.
void cb_sample_rows(struct cb_text *rows, const char *run, const struct cb_cell *cell,
                    const struct cb_step *step, const struct cb_sample *sample, const char *flags);

// Adds the rows of a static cell, in round 0: the metrics that `entry` (of plan.json's `static`)
// names, read from the description of the program that was planned.
void cb_static_rows(struct cb_text *rows, const char *run, const struct cb_cell *cell,
                    const json_t *entry, const json_t *describe);

#endif
