// The run's folder: making it, locking it, its room on the disk, and its samples.csv.
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "message.h"
#include "run.h"

enum {
    RAW_BYTES = 3072,        // of a raw file, without its repetitions
    REPETITION_BYTES = 1280, // of a repetition, in raw file and samples.csv
    END_BYTES = 2 << 20,     // run.json, tables and plots
    LOCK_PATIENCE = 5,       // seconds
};

// ---- Room

// Bytes that the file system of `path` has left for this user; -1 where it cannot be asked.
static double room_at(const char *path) {
    struct statvfs status;
    if (statvfs(path, &status) < 0)
        return -1;
    return (double)status.f_bavail * (double)status.f_frsize;
}

static double sample_bytes(const struct cb_run *run) {
    return RAW_BYTES + (double)run->settings.repetitions * REPETITION_BYTES;
}

static bool complain_room(const char *path, double room, double need, const char *follows) {
    cb_error(stderr, "%s: the disk has %.1f MB left, %.1f MB are needed\n%s", path, room / 1e6,
             need / 1e6, follows);
    return false;
}

bool cb_rundir_has_room(const struct cb_run *run) {
    struct stat samples = {0};
    if (run->samples >= 0)
        fstat(run->samples, &samples);
    // At the end samples.csv is written a second time before the first is given up.
    double need = 0.5 * END_BYTES + 4 * sample_bytes(run) + 1.5 * (double)samples.st_size;
    double room = room_at(run->folder);
    if (room < 0 || room >= need)
        return true; // where it cannot be asked, the write itself says so
    return complain_room(run->folder, room, need, "the run stops here; what is measured is kept");
}

static bool has_room_for_all(const struct cb_run *run, const char *root) {
    double need =
        END_BYTES + (double)cb_plan_measured(&run->plan) * run->settings.rounds * sample_bytes(run);
    double room = room_at(root);
    return room < 0 || room >= need ||
           complain_room(root, room, need,
                         "nothing is measured\nfree space, or name another disk with --results "
                         "DIR");
}

// ---- Making

static int complain_folder(const char *path, int error) {
    cb_error(stderr,
             "%s: %s\nnothing is measured: the results could not be kept\nmake it "
             "writable, or name another folder with --results DIR",
             path, strerror(error));
    return CB_EXIT_USAGE;
}

static bool is_run_name(const char *name) {
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("-_.+", *c) == NULL)
            return false;
    return isalnum((unsigned char)*name) && strlen(name) <= 100 && strcmp(name, "latest") != 0;
}

// The time of day as a name; with a number where two runs start in one second.
static char *free_name(const char *root) {
    char stamp[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    for (int n = 1;; n++) {
        char *name = n == 1 ? cb_copy(stamp) : cb_format("%s-%d", stamp, n);
        char *path = cb_format("%s/%s", root, name);
        bool taken = access(path, F_OK) == 0;
        free(path);
        if (!taken)
            return name;
        free(name);
    }
}

static int make_folders(struct cb_run *run) {
    char *raw = cb_format("%s/raw", run->folder);
    int status = CB_EXIT_OK;
    if (mkdir(run->folder, 0777) < 0) {
        status = complain_folder(run->folder, errno);
    } else if (mkdir(raw, 0777) < 0) {
        status = complain_folder(raw, errno);
        rmdir(run->folder);
    }
    free(raw);
    return status;
}

int cb_rundir_make(struct cb_run *run, const char *root, const char *name) {
    if (name != NULL && !is_run_name(name)) {
        cb_error(stderr,
                 "--name %s: not a name of a run\nnothing is measured\nuse letters, "
                 "digits, - _ . and +, at most 100, but not `latest`",
                 name);
        return CB_EXIT_USAGE;
    }
    int error = cb_make_folders(root);
    if (error < 0)
        return complain_folder(root, -error);
    if (access(root, W_OK | X_OK) < 0)
        return complain_folder(root, errno);
    run->name = name ? cb_copy(name) : free_name(root);
    run->folder = cb_format("%s/%s", root, run->name);
    if (access(run->folder, F_OK) == 0) {
        cb_error(stderr,
                 "%s is there already\nnothing is measured\ngo on with it by --resume %s, "
                 "or choose another --name",
                 run->folder, run->folder);
        return CB_EXIT_USAGE;
    }
    return has_room_for_all(run, root) ? make_folders(run) : CB_EXIT_USAGE;
}

// ---- Locking

int cb_rundir_lock(struct cb_run *run) {
    // Bench programs inherit it: as long as one that outlived a killed corobench still writes
    // here, nobody else does.
    run->lock = open(run->folder, O_RDONLY | O_DIRECTORY); // NOLINT(android-cloexec-open)
    if (run->lock < 0)
        return complain_folder(run->folder, errno);
    for (int tenths = 0; flock(run->lock, LOCK_EX | LOCK_NB) < 0; tenths++) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return CB_EXIT_OK; // a file system without locks: go on without
        if (tenths == 10 * LOCK_PATIENCE) {
            cb_error(stderr,
                     "%s is in use\nnothing is measured\nanother corobench measures "
                     "there, or a bench program that it left behind is still running: "
                     "wait for it or end it",
                     run->folder);
            return CB_EXIT_USAGE;
        }
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return CB_EXIT_OK;
}

void cb_rundir_unlock(struct cb_run *run) {
    if (run->lock >= 0)
        close(run->lock);
    run->lock = -1;
}

// ---- Raw files and samples.csv

char *cb_raw_path(const struct cb_run *run, size_t step, int again) {
    const char *id = run->plan.cells[run->order.steps[step].cell].id;
    struct cb_text slug = {0};
    cb_text_add(&slug, "%s/raw/%06zu-", run->folder, step + 1);
    size_t begin = slug.length;
    for (; *id != '\0' && slug.length - begin < 120; id++)
        cb_text_add(&slug, "%c", isalnum((unsigned char)*id) ? *id : '-');
    if (again > 0)
        cb_text_add(&slug, ".again%d", again);
    cb_text_add(&slug, ".json");
    return slug.text;
}

static int complain_samples(const char *path, int error) {
    cb_error(stderr, "%s: %s\nthe run stops here; its raw files are whole", path, strerror(error));
    return CB_EXIT_USAGE;
}

static json_t *description_of(const struct cb_run *run, const struct cb_cell *cell) {
    for (size_t i = 0; i < run->programs.count; i++) {
        const struct cb_program *p = &run->programs.list[i];
        if (strcmp(p->backend, cell->backend) == 0 && strcmp(p->compiler, cell->compiler) == 0)
            return p->describe;
    }
    return NULL;
}

static void add_static(struct cb_text *rows, const struct cb_run *run, const struct cb_cell *cell) {
    json_t *entry;
    size_t i;
    json_array_foreach(run->settings.statics, i, entry) {
        const char *scenario = json_string_value(json_object_get(entry, "scenario"));
        if (cell->status == CB_CELL_OK && strcmp(cell->kind, "static") == 0 && scenario != NULL &&
            strcmp(scenario, cell->scenario) == 0)
            cb_static_rows(rows, run->name, cell, entry, description_of(run, cell));
    }
}

// The steps of each cell, in the order of rounds: `first[c]` to `first[c + 1]` in `steps`.
struct by_cell {
    size_t *first, *steps;
};

static struct by_cell sort_by_cell(const struct cb_run *run) {
    size_t cells = run->plan.count, count = run->order.count;
    struct by_cell by = {cb_allocate(cells + 2, sizeof *by.first),
                         cb_allocate(count, sizeof *by.steps)};
    for (size_t s = 0; s < count; s++)
        by.first[run->order.steps[s].cell + 2]++;
    for (size_t c = 2; c < cells + 2; c++)
        by.first[c] += by.first[c - 1];
    for (size_t s = 0; s < count; s++)
        by.steps[by.first[run->order.steps[s].cell + 1]++] = s;
    return by;
}

int cb_samples_rebuild(struct cb_run *run) {
    struct cb_text rows = {0};
    struct by_cell by = sort_by_cell(run);
    cb_text_add(&rows, "%s", cb_samples_header);
    for (size_t c = 0; c < run->plan.count; c++) {
        add_static(&rows, run, &run->plan.cells[c]);
        for (size_t k = by.first[c]; k < by.first[c + 1]; k++) {
            const char *text = run->rows[by.steps[k]];
            if (text != NULL)
                cb_text_add_bytes(&rows, text, strlen(text));
        }
    }
    free(by.first);
    free(by.steps);
    char *path = cb_format("%s/samples.csv", run->folder);
    int error = cb_file_write(path, rows.text, rows.length);
    cb_text_clear(&rows);
    int status = error < 0 ? complain_samples(path, -error) : CB_EXIT_OK;
    free(path);
    return status;
}

int cb_samples_open(struct cb_run *run) {
    int status = cb_samples_rebuild(run);
    if (status != CB_EXIT_OK)
        return status;
    char *path = cb_format("%s/samples.csv", run->folder);
    run->samples = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (run->samples < 0)
        status = complain_samples(path, errno);
    free(path);
    return status;
}

int cb_samples_append(struct cb_run *run, const char *rows) {
    size_t length = strlen(rows);
    struct stat before;
    if (length == 0)
        return CB_EXIT_OK;
    if (fstat(run->samples, &before) < 0)
        return complain_samples("samples.csv", errno);
    // One write: a killed run leaves whole rows.
    ssize_t written = write(run->samples, rows, length);
    if (written == (ssize_t)length)
        return CB_EXIT_OK;
    int error = written < 0 ? errno : ENOSPC;
    if (ftruncate(run->samples, before.st_size) < 0)
        cb_warning(stderr, "samples.csv has a row that is cut off; --resume makes it anew");
    return complain_samples("samples.csv", error);
}
