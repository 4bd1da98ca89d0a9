// One run: what it is about, where it is kept, and how far it has come.
//
// A run is a folder. Everything that was measured stands in its raw files; run.json says what the
// run is about and samples.csv is made from both. So a run that was killed can go on: the order of
// samples follows from the seed, and a sample is done when its raw file is there.
#ifndef CB_RUN_H
#define CB_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "machine.h"
#include "plan.h"
#include "programs.h"
#include "samples.h"

enum { CB_RUN_SCHEMA = 1 };

// Numbers from plan.json, some changed by options; kept in run.json as "settings".
struct cb_settings {
    unsigned rounds, space_rounds, repetitions;
    double batch_ms; // what a repetition should take
    bool fastest;    // a process's value is its fastest repetition, not their median
    double pilot_limit, time_limit, space_limit; // seconds that a process may take
    unsigned padding_bytes;                      // at most, of the layout variable
    struct cb_again again;
    json_t *statics; // the list "static"
    json_t *links;   // how many links each program has that take turns: {"backend/compiler": n}
    size_t budget;   // 0: unlimited
};

// Reads plan.json (`data`) for a size. 0, or CB_EXIT_USAGE after a message.
int cb_settings_read(struct cb_settings *settings, const json_t *data, const char *mode);
json_t *cb_settings_to_json(const struct cb_settings *settings);
bool cb_settings_from_json(struct cb_settings *settings, const json_t *object);
void cb_settings_free(struct cb_settings *settings);

// Loads a JSON data file that came with the program. A new object, or NULL after a message.
json_t *cb_load_share(const char *name);

struct cb_run {
    char *folder; // results/<name>
    char *name;
    char *mode; // "quick", "default" or "full"
    unsigned long seed;
    json_t *command; // the options as typed, without those that name a path
    char *started;
    int resumed; // how often it was taken up again
    struct cb_settings settings;
    json_t *machine;
    json_t *doctor; // what the machine was like when the run began
    struct cb_cpus cpus;
    struct cb_programs programs;
    struct cb_plan plan;
    struct cb_order order;
    char **rows;        // for each step, its rows of samples.csv; NULL until the sample is taken
    size_t again_count; // samples that were taken again
    size_t retakes[CB_RETAKES]; // how often, by reason
    size_t disturbed;           // samples that are disturbed and stand all the same
    int lock;    // the folder, locked as long as this process or a bench program runs
    int samples; // samples.csv, open for appending; -1 before
};

// ---- The folder (rundir.c)

// Makes a new folder for the run below `root`, and its raw/. Refuses one that exists, a folder that
// cannot be written and a disk without room, leaving nothing behind. 0, or CB_EXIT_USAGE.
int cb_rundir_make(struct cb_run *run, const char *root, const char *name);
// Locks the folder against a second corobench. 0, or CB_EXIT_USAGE after a message.
int cb_rundir_lock(struct cb_run *run);
void cb_rundir_unlock(struct cb_run *run);
// Whether the disk has room for another sample and for the end of the run; if not, a message.
bool cb_rundir_has_room(const struct cb_run *run);
// Opens samples.csv for appending, after putting into it what was measured so far; appends a
// step's rows; replaces it by all rows in the plan's order. 0, or CB_EXIT_USAGE after a message.
int cb_samples_open(struct cb_run *run);
int cb_samples_append(struct cb_run *run, const char *rows);
int cb_samples_rebuild(struct cb_run *run);
// The raw file of a step, taken for the nth time (from 0). Free it.
char *cb_raw_path(const struct cb_run *run, size_t step, int again);

// ---- run.json (record.c)

// Writes run.json. 0, or CB_EXIT_USAGE after a message.
int cb_record_write(const struct cb_run *run, bool complete);
// Reads the run of a folder, whose programs must be in `programs` (taken over) unchanged, on this
// machine. 0, or CB_EXIT_USAGE after a message that lists the differences.
int cb_record_resume(struct cb_run *run, const char *folder, struct cb_programs *programs);
void cb_run_free(struct cb_run *run);

// ---- Measuring (measure.c)

// The end of measuring: all was tried, a signal asked to stop, or nothing more can be written.
enum cb_measured { CB_MEASURED_ALL, CB_MEASURED_STOPPED, CB_MEASURED_STUCK };

// Takes over what a resumed run's raw files hold; names the corrupt ones, which are measured again.
// CB_MEASURED_ALL or CB_MEASURED_STUCK.
enum cb_measured cb_measure_load(struct cb_run *run);
// Finds iterations for the cells that have none.
enum cb_measured cb_measure_pilots(struct cb_run *run);
// Takes all samples that are missing.
enum cb_measured cb_measure_rounds(struct cb_run *run);
// How many samples the run has in all, without cells that are not ok, and how many are taken.
size_t cb_measure_total(const struct cb_run *run, size_t *taken);

#endif
