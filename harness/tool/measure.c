// Pilots, then rounds: one process a sample. What a sample says goes to its raw file first and is
// read back from there, so that a resumed run sees what this one saw.
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "message.h"
#include "process.h"
#include "progress.h"
#include "run.h"
#include "stats.h"

// ---- The command line of a bench program

struct arguments {
    char *list[24];
    size_t count;
};

static void argue(struct arguments *a, const char *text) {
    a->list[a->count++] = cb_copy(text);
    a->list[a->count] = NULL;
}

static void argue_pair(struct arguments *a, const char *option, char *value) {
    argue(a, option);
    argue(a, value);
    free(value);
}

static void free_texts(char **list) {
    for (; *list != NULL; list++)
        free(*list);
}

static bool needs_two_units(const struct cb_cell *cell) {
    return cb_params_number(cell->params, "cpus", 1) > 1;
}

static struct arguments bench_arguments(const struct cb_run *run, const struct cb_program *program,
                                        const struct cb_cell *cell, const char *what) {
    struct arguments a = {.count = 0};
    argue(&a, program->path);
    argue(&a, what);
    argue_pair(&a, "--scenario", cb_copy(cell->scenario));
    argue_pair(&a, "--binding", cb_copy(cell->binding));
    argue_pair(&a, "--params", cb_copy(cb_cell_asked(cell)));
    // A sample may be taken on the second unit where that is calmer.
    bool both = needs_two_units(cell) || (run->cpus.second >= 0 && cb_cpus_are_ours(run->command));
    argue_pair(&a, "--cpu",
               both ? cb_format("%d,%d", run->cpus.first, run->cpus.second)
                    : cb_format("%d", run->cpus.first));
    return a;
}

// The variables that the program wants for this cell; who its parent is, so that it ends with it;
// and one that shifts the stack a little: the size of the environment is known to move timings
// (Mytkowicz et al., ASPLOS 2009), so it differs from round to round and is the same for all cells
// of a round.
static void bench_environment(char **list, size_t most, const struct cb_program *program,
                              const struct cb_cell *cell, unsigned padding) {
    size_t n = cb_program_environment(program, cell->params, list, most - 3);
    // Always as long, whatever the number.
    list[n++] = cb_format("COROBENCH_PARENT=%010ld", (long)getpid());
    list[n++] = cb_format("COROBENCH_PADDING=%*s", (int)padding, "");
    list[n] = NULL;
}

// Builds of one backend and compiler that differ in their layout take turns, a round each.
static const struct cb_program *program_for(const struct cb_run *run, const struct cb_cell *cell,
                                            unsigned round) {
    return cb_programs_link(&run->programs, cell->backend, cell->compiler, round - 1);
}

static bool is_parallel(const struct cb_run *run, const struct cb_cell *cell) {
    const struct cb_program *program = program_for(run, cell, 1);
    return program != NULL && cb_program_claims(program, "parallel");
}

enum {
    ENVIRONMENT_MOST = 16,
    RETAKES_MOST = 16, // of one sample; plan.json's `tries` is less
};

static void run_bench(const struct cb_program *program, const struct cb_cell *cell,
                      struct arguments *arguments, unsigned padding, double limit,
                      struct cb_process *process) {
    char *environment[ENVIRONMENT_MOST];
    bench_environment(environment, ENVIRONMENT_MOST, program, cell, padding);
    cb_process_run(process, arguments->list, environment, limit);
    free_texts(environment);
    free_texts(arguments->list);
}

// ---- What becomes of a cell

static size_t steps_left(const struct cb_run *run, size_t cell) {
    size_t n = 0;
    for (size_t s = 0; s < run->order.count; s++)
        n += run->order.steps[s].cell == cell && run->rows[s] == NULL;
    return n;
}

static void set_cell(struct cb_cell *cell, enum cb_cell_status status, const char *note) {
    cell->status = status;
    free(cell->note);
    cell->note = cb_copy(note);
}

// Ends a cell early, and says so where it is a failure.
static void end_cell(struct cb_progress *progress, struct cb_cell *cell, enum cb_cell_status status,
                     const char *note) {
    set_cell(cell, status, note);
    if (!cb_status_is_bad(status))
        return;
    cb_progress_clear(progress);
    cb_warning(stderr, "%s %s: %s\nit is not tried again in this run; the others go on", cell->id,
               status == CB_CELL_TIMEOUT ? "timed out" : "failed", note);
}

size_t cb_measure_total(const struct cb_run *run, size_t *taken) {
    size_t total = 0;
    *taken = 0;
    for (size_t s = 0; s < run->order.count; s++) {
        bool done = run->rows != NULL && run->rows[s] != NULL;
        *taken += done;
        total += done || run->plan.cells[run->order.steps[s].cell].status == CB_CELL_OK;
    }
    return total;
}

// ---- Pilots

// What a pilot's answer says. NULL, or what is wrong with it.
static const char *read_pilot(struct cb_cell *cell, const struct cb_process *process,
                              double *width) {
    json_t *answer =
        json_loadb(process->out.text ? process->out.text : "", process->out.length, 0, NULL);
    const char *status = json_string_value(json_object_get(answer, "status"));
    const char *note = json_string_value(json_object_get(answer, "note"));
    json_int_t iterations = json_integer_value(json_object_get(answer, "iterations"));
    const char *problem = NULL;
    *width = json_number_value(json_object_get(answer, "width"));
    if (status == NULL)
        problem = "the pilot's answer is not valid JSON with a status";
    else if (strcmp(status, "ok") != 0)
        set_cell(cell, cb_status_from_text(status), note);
    else if (iterations < 1)
        problem = "the pilot's answer has no number of iterations";
    else
        cell->iterations = iterations;
    cb_scrub_paths(cell->note);
    json_decref(answer);
    return problem;
}

// Returns false when a stop was asked for. `width` is what the core did beside it; 0: not known.
static bool take_pilot(struct cb_run *run, struct cb_progress *progress, struct cb_cell *cell,
                       double *width) {
    const struct cb_program *program = program_for(run, cell, 1);
    struct arguments a = bench_arguments(run, program, cell, "--pilot");
    argue_pair(&a, "--target-ms", cb_format("%g", run->settings.batch_ms));
    struct cb_process process;
    run_bench(program, cell, &a, 0, run->settings.pilot_limit, &process);
    bool answered = process.ending == CB_ENDED && process.out.length > 0;
    const char *problem = answered ? read_pilot(cell, &process, width) : NULL;
    if (process.ending == CB_TIMED_OUT || problem != NULL ||
        (process.ending != CB_INTERRUPTED && !answered)) {
        char *reason =
            problem ? cb_copy(problem) : cb_process_reason(&process, run->settings.pilot_limit);
        char *note = cb_format("pilot: %s", reason);
        bool late = process.ending == CB_TIMED_OUT;
        end_cell(progress, cell, late ? CB_CELL_TIMEOUT : CB_CELL_FAILED, note);
        free(note);
        free(reason);
    } else if (cb_status_is_bad(cell->status)) {
        char *note = cb_copy(cell->note);
        end_cell(progress, cell, cell->status, note);
        free(note);
    }
    bool stopped = process.ending == CB_INTERRUPTED;
    cb_process_free(&process);
    return !stopped;
}

// A twin takes over what its original's pilot finds.
static bool needs_pilot(const struct cb_cell *cell) {
    return cell->twin_of == NULL && cell->status == CB_CELL_OK && cell->iterations == 0 &&
           strcmp(cell->kind, "static") != 0;
}

// Iterations like the original's, or the reason why there are none.
static void follow_original(const struct cb_plan *plan, struct cb_cell *twin) {
    for (size_t i = 0; i < plan->count && twin->status == CB_CELL_OK; i++) {
        const struct cb_cell *cell = &plan->cells[i];
        if (strcmp(cell->id, twin->twin_of) != 0)
            continue;
        twin->iterations = cell->iterations;
        if (cell->status != CB_CELL_OK)
            set_cell(twin, cell->status, cell->note);
    }
}

// What the core does in a cycle when it is alone: what three of four pilots saw, or less. The
// pilots of a resumed run may be few; then what the earlier ones saw stands.
static void learn_width(struct cb_run *run, const double *widths, size_t count) {
    if (count > 0)
        run->settings.again.width =
            fmax(run->settings.again.width, cb_quantile(widths, count, 0.75));
}

enum cb_measured cb_measure_pilots(struct cb_run *run) {
    struct cb_progress progress;
    size_t total = 0, known = 0;
    double *widths = cb_allocate(run->plan.count + 1, sizeof *widths);
    for (size_t i = 0; i < run->plan.count; i++) {
        struct cb_cell *cell = &run->plan.cells[i];
        if (needs_pilot(cell) && strcmp(cell->kind, "time") != 0)
            cell->iterations = 1;
        total += needs_pilot(cell);
    }
    cb_progress_begin(&progress, stderr, "pilots", total, 0);
    enum cb_measured measured = CB_MEASURED_ALL;
    for (size_t i = 0; i < run->plan.count && measured == CB_MEASURED_ALL; i++) {
        struct cb_cell *cell = &run->plan.cells[i];
        if (!needs_pilot(cell))
            continue;
        cb_progress_show(&progress, cell->id);
        if (cb_stop_asked() || !take_pilot(run, &progress, cell, &widths[known]))
            measured = CB_MEASURED_STOPPED;
        else
            cb_progress_step(&progress);
        known += widths[known] > 0;
    }
    learn_width(run, widths, known);
    free(widths);
    cb_progress_clear(&progress);
    for (size_t i = 0; i < run->plan.count && measured == CB_MEASURED_ALL; i++) {
        struct cb_cell *cell = &run->plan.cells[i];
        if (cell->twin_of != NULL && cell->status == CB_CELL_OK && cell->iterations == 0)
            follow_original(&run->plan, cell);
    }
    return measured;
}

// ---- Samples

// Keeps the reason of a sample that left no raw file of its own, in the shape of one that did.
static int write_failure(const char *path, const struct cb_cell *cell, enum cb_cell_status status,
                         const char *note, int link) {
    char *plain = cb_copy(note);
    json_t *valid = json_string(note); // NULL where it holds bytes that are not UTF-8
    for (char *c = plain; valid == NULL && *c != '\0'; c++)
        *c = (unsigned char)*c < 128 ? *c : '?';
    json_decref(valid);
    json_t *answer = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "status",
                               cb_status_text(status), "note", plain, "backend", cell->backend,
                               "scenario", cell->scenario, "binding", cell->binding, "params",
                               cb_cell_asked(cell), "compiler", cell->compiler, "link", link);
    char *text = json_dumps(answer, JSON_COMPACT);
    json_t *document =
        json_pack("{s:{s:s}, s:[]}", "context", "corobench", text ? text : "", "benchmarks");
    char *bytes = document ? json_dumps(document, JSON_INDENT(1)) : NULL;
    int error = bytes ? cb_file_write(path, bytes, strlen(bytes)) : -ENOMEM;
    free(text);
    free(bytes);
    free(plain);
    json_decref(answer);
    json_decref(document);
    return error;
}

// One try of a sample. Fills `sample` from the raw file at `path`, which is there afterwards
// whatever happened, except when a stop was asked for or the disk is full.
static enum cb_measured try_sample(const struct cb_run *run, size_t step, const char *path,
                                   struct cb_sample *sample) {
    const struct cb_step *s = &run->order.steps[step];
    const struct cb_cell *cell = &run->plan.cells[s->cell];
    const struct cb_program *program = program_for(run, cell, s->round);
    bool timed = strcmp(cell->kind, "time") == 0;
    double limit = timed ? run->settings.time_limit : run->settings.space_limit;
    struct arguments a = bench_arguments(run, program, cell, "--measure");
    argue_pair(&a, "--iterations", cb_format("%lld", cell->iterations));
    argue_pair(&a, "--repetitions", cb_format("%u", run->settings.repetitions));
    double calm = run->settings.again.crowded * run->settings.again.width;
    if (timed && calm > 0 && run->settings.again.wait_ms > 0 && !needs_two_units(cell))
        argue_pair(&a, "--calm", cb_format("%.3f,%g", calm, run->settings.again.wait_ms));
    argue_pair(&a, "--out", cb_copy(path));
    struct cb_process process;
    run_bench(program, cell, &a, run->order.padding[s->round - 1], limit, &process);

    bool late = process.ending == CB_TIMED_OUT, stopped = process.ending == CB_INTERRUPTED;
    bool ended = process.ending == CB_ENDED && process.code <= 1;
    char *problem = NULL;
    if (ended && access(path, F_OK) == 0)
        problem = cb_sample_read(sample, path, cell, run->settings.repetitions);
    else if (ended && process.code == 0)
        problem = cb_copy("it ended well but wrote no file");
    if (problem == NULL && !stopped &&
        (!ended || (process.code != 0 && sample->status == CB_CELL_OK))) {
        problem = cb_process_reason(&process, limit);
        cb_sample_free(sample);
    }
    cb_process_free(&process);
    enum cb_measured measured = stopped ? CB_MEASURED_STOPPED : CB_MEASURED_ALL;
    if (stopped || problem != NULL) {
        char *temporary = cb_format("%s.tmp", path);
        unlink(temporary);
        unlink(path);
        free(temporary);
    }
    if (problem != NULL && !cb_rundir_has_room(run)) {
        measured = CB_MEASURED_STUCK; // the reason is the disk, not the cell
    } else if (problem != NULL) {
        enum cb_cell_status status = late ? CB_CELL_TIMEOUT : CB_CELL_FAILED;
        int error = write_failure(path, cell, status, problem, program->link);
        if (error < 0) {
            cb_error(stderr, "%s: %s\nthe run stops here; what is measured is kept", path,
                     strerror(-error));
            measured = CB_MEASURED_STUCK;
        }
        // As a resumed run will see it.
        char *unread =
            error < 0 ? NULL : cb_sample_read(sample, path, cell, run->settings.repetitions);
        if (error < 0 || unread != NULL)
            *sample = (struct cb_sample){.status = status, .note = cb_copy(problem)};
        free(unread);
    }
    free(problem);
    return measured;
}

// Puts a sample's rows where they belong, or ends its cell; counts its tries and disturbances.
static void take_over(struct cb_run *run, struct cb_progress *progress, size_t step,
                      const struct cb_sample *sample) {
    const struct cb_step *s = &run->order.steps[step];
    struct cb_cell *cell = &run->plan.cells[s->cell];
    enum cb_retake reasons[RETAKES_MOST];
    size_t count = cb_sample_get_retakes(sample, reasons, RETAKES_MOST);
    for (size_t i = 0; i < count; i++)
        run->retakes[reasons[i]]++;
    run->again_count += count > 0;
    run->disturbed +=
        cb_sample_disturbed(sample, &run->settings.again, is_parallel(run, cell)) != CB_RETAKE_NONE;
    if (sample->status != CB_CELL_OK) {
        cb_progress_less(progress, steps_left(run, s->cell));
        end_cell(progress, cell, sample->status, sample->note);
        return;
    }
    struct cb_text rows = {0};
    if (*sample->note != '\0') // a value may need a word too
        set_cell(cell, sample->status, sample->note);
    cb_sample_rows(&rows, run->name, cell, s, sample, count > 0 ? "remeasured" : "");
    run->rows[step] = rows.text ? rows.text : cb_copy("");
}

// Whether one more sample may be taken again: bad surroundings must not make a run endless.
static bool may_repeat(const struct cb_run *run, size_t samples, int tries) {
    double most = run->settings.again.share * (double)(samples > 5 ? samples : 5);
    return tries < run->settings.again.tries && (double)run->again_count < most;
}

// A sample of which a better one was taken: adds its reason to those before it, and writes them
// into the better one's file, `path`. Returns false after a message when that cannot be written.
static bool hand_on(const struct cb_run *run, size_t step, const struct cb_sample *given_up,
                    struct cb_sample *better, const char *path) {
    const struct cb_cell *cell = &run->plan.cells[run->order.steps[step].cell];
    enum cb_retake reasons[RETAKES_MOST + 1];
    size_t count = cb_sample_get_retakes(given_up, reasons, RETAKES_MOST);
    reasons[count++] = cb_sample_disturbed(given_up, &run->settings.again, is_parallel(run, cell));
    int error = cb_sample_set_retakes(better, path, reasons, count);
    if (error < 0)
        cb_error(stderr, "%s: %s\nthe run stops here; what is measured is kept", path,
                 strerror(-error));
    return error == 0;
}

// A sample and its raw file.
struct taken {
    struct cb_sample sample;
    char *path; // NULL: there is none
};

static void drop(struct taken *taken) {
    cb_sample_free(&taken->sample);
    free(taken->path);
    *taken = (struct taken){.path = NULL};
}

// Takes a sample until it is undisturbed or has had its tries.
static enum cb_measured take_sample(struct cb_run *run, struct cb_progress *progress, size_t step) {
    const struct cb_cell *cell = &run->plan.cells[run->order.steps[step].cell];
    bool parallel = is_parallel(run, cell);
    struct taken kept = {.path = NULL};
    enum cb_measured measured = CB_MEASURED_ALL;
    int tries;
    for (tries = 0; measured == CB_MEASURED_ALL; tries++) {
        struct taken next = {.path = cb_raw_path(run, step, tries)};
        measured = try_sample(run, step, next.path, &next.sample);
        if (measured != CB_MEASURED_ALL) {
            // A sample that was disturbed but whole stands, if its repetition could not be done.
            drop(&next);
            break;
        }
        if (kept.path != NULL) {
            if (!hand_on(run, step, &kept.sample, &next.sample, next.path))
                measured = CB_MEASURED_STUCK;
            unlink(kept.path);
        }
        drop(&kept);
        kept = next;
        bool disturbed = cb_sample_disturbed(&kept.sample, &run->settings.again, parallel);
        if (!disturbed || !may_repeat(run, progress->total, tries))
            break;
    }
    if (kept.path != NULL) {
        take_over(run, progress, step, &kept.sample);
        if (run->rows[step] != NULL && cb_samples_append(run, run->rows[step]) != CB_EXIT_OK)
            measured = CB_MEASURED_STUCK;
    }
    drop(&kept);
    return measured;
}

// ---- Rounds

enum cb_measured cb_measure_rounds(struct cb_run *run) {
    struct cb_progress progress;
    size_t taken, total = cb_measure_total(run, &taken);
    cb_progress_begin(&progress, stderr, "samples", total, taken);
    enum cb_measured measured = CB_MEASURED_ALL;
    for (size_t s = 0; s < run->order.count && measured == CB_MEASURED_ALL; s++) {
        const struct cb_cell *cell = &run->plan.cells[run->order.steps[s].cell];
        if (cell->status != CB_CELL_OK || run->rows[s] != NULL)
            continue;
        cb_progress_show(&progress, cell->id);
        if (cb_stop_asked()) {
            measured = CB_MEASURED_STOPPED;
        } else if (!cb_rundir_has_room(run)) {
            measured = CB_MEASURED_STUCK;
        } else {
            measured = take_sample(run, &progress, s);
            if (measured == CB_MEASURED_ALL && run->rows[s] != NULL)
                cb_progress_step(&progress);
        }
    }
    cb_progress_clear(&progress);
    return measured;
}

// ---- Taking up a run again

// Reads a step's raw file of a try. Where it is not there or corrupt, path is NULL; corrupt ones
// are named and go.
static struct taken read_try(const struct cb_run *run, size_t step, int tries) {
    const struct cb_cell *cell = &run->plan.cells[run->order.steps[step].cell];
    struct taken taken = {.path = cb_raw_path(run, step, tries)};
    if (access(taken.path, F_OK) < 0) {
        drop(&taken);
        return taken;
    }
    char *problem = cb_sample_read(&taken.sample, taken.path, cell, run->settings.repetitions);
    if (problem != NULL) {
        cb_warning(stderr, "%s is corrupt: %s\nits sample is taken anew", taken.path, problem);
        unlink(taken.path);
        drop(&taken);
    }
    free(problem);
    return taken;
}

// The raw file that counts for a step: of the last time it was taken. Earlier ones, left by a run
// that was killed between two steps of its work, hand on their reasons and go. Sets *stuck where
// that cannot be written.
static struct taken find_sample(const struct cb_run *run, size_t step, bool *stuck) {
    struct taken last = {.path = NULL};
    for (int tries = 0; tries <= run->settings.again.tries; tries++) {
        struct taken next = read_try(run, step, tries);
        if (next.path == NULL)
            continue;
        enum cb_retake reasons[RETAKES_MOST];
        if (last.path != NULL) {
            if (cb_sample_get_retakes(&next.sample, reasons, RETAKES_MOST) == 0 &&
                !hand_on(run, step, &last.sample, &next.sample, next.path))
                *stuck = true;
            unlink(last.path);
        }
        drop(&last);
        last = next;
    }
    return last;
}

enum cb_measured cb_measure_load(struct cb_run *run) {
    struct cb_progress quiet;
    bool stuck = false;
    cb_progress_begin(&quiet, stderr, "raw files", 0, 0);
    for (size_t s = 0; s < run->order.count && !stuck; s++) {
        struct taken taken = find_sample(run, s, &stuck);
        if (taken.path != NULL)
            take_over(run, &quiet, s, &taken.sample);
        drop(&taken);
    }
    return stuck ? CB_MEASURED_STUCK : CB_MEASURED_ALL;
}
