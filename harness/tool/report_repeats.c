// The repeated-run set: runs of the same programs on the same machine, each condensed to one small
// file of estimates. What differs between them is what a run-to-run comparison can't tell.
//
// aa/<run>.csv has lines of cell_id,metric,median,lower-quartile. The first line's metric is
// "programs": its median is a hash of all programs, as only runs of the same ones are A/A data.
#define _GNU_SOURCE
#include "report_internal.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "file.h"

#define COLUMNS "cell_id,metric,median,lower-quartile"
#define PROGRAMS "programs"
// The share of samples that may stand disturbed in a run of the set. A fifth of a cell's rounds
// moves neither its median nor its lower quartile far; of more, the run tells of its neighbours.
#define MOST_DISTURBED 0.2

static int compare_names(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

// The names of all .csv files of a folder, sorted; 0 where there is no folder.
static size_t list_files(struct cb_rep *rep, const char *path, const char ***names) {
    size_t count = 0, room = 64;
    DIR *folder = opendir(path);
    *names = cb_rep_memory(rep, room, sizeof **names);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        size_t length = strlen(entry->d_name);
        if (*entry->d_name == '.' || length < 5 || strcmp(entry->d_name + length - 4, ".csv") != 0)
            continue;
        if (count < room)
            (*names)[count++] = cb_rep_text(rep, "%s", entry->d_name);
    }
    if (folder)
        closedir(folder);
    qsort(*names, count, sizeof **names, compare_names);
    return count;
}

static int refuse(struct cb_rep *rep, const char *path, const char *what) {
    cb_error(rep->messages,
             "%s: %s\nno report can be made\nremove the file, or make it again from its run: "
             "corobench report RUN --aa ROOT",
             path, what);
    return CB_EXIT_USAGE;
}

static void take(struct cb_rep *rep, const struct cb_csv *csv) {
    int cell = cb_csv_column(csv, "cell_id"), metric = cb_csv_column(csv, "metric");
    int median = cb_csv_column(csv, "median"), quartile = cb_csv_column(csv, "lower-quartile");
    for (size_t r = 1; r < csv->rows; r++) {
        char *key = cb_format("%s|%s", cb_csv_field(csv, r, cell), cb_csv_field(csv, r, metric));
        json_t *runs = json_object_get(rep->repeats, key);
        if (!runs)
            json_object_set_new(rep->repeats, key, runs = json_array());
        double values[] = {cb_csv_value(csv, r, median), cb_csv_value(csv, r, quartile)};
        json_array_append_new(runs, json_pack("[f, f]", isnan(values[0]) ? 0 : values[0],
                                              isnan(values[1]) ? 0 : values[1]));
        free(key);
    }
}

static int load_files(struct cb_rep *rep, const char *folder, const char *const *names,
                      size_t count) {
    const char *programs = NULL;
    int status = 0;
    for (size_t i = 0; i < count && !status; i++) {
        const char *path = cb_rep_text(rep, "%s/%s", folder, names[i]);
        struct cb_csv csv;
        char *problem = NULL;
        if (cb_csv_read(&csv, path, &problem) < 0) {
            status = refuse(rep, path, problem);
            free(problem);
            continue;
        }
        int metric = cb_csv_column(&csv, "metric"), median = cb_csv_column(&csv, "median");
        if (metric < 0 || median < 0 || cb_csv_column(&csv, "cell_id") < 0 ||
            cb_csv_column(&csv, "lower-quartile") < 0 || csv.rows == 0 ||
            strcmp(cb_csv_field(&csv, 0, metric), PROGRAMS) != 0) {
            status = refuse(rep, path, "its columns are not " COLUMNS ", or it names no programs");
        } else if (programs && strcmp(programs, cb_csv_field(&csv, 0, median)) != 0) {
            cb_warning(rep->messages,
                       "%s is of other programs than %s/%s\nit is left out: what differs between "
                       "them is more than chance\nmeasure all runs of the set with one build",
                       path, folder, names[0]);
        } else {
            programs = cb_rep_text(rep, "%s", cb_csv_field(&csv, 0, median));
            rep->repeat_runs++;
            take(rep, &csv);
        }
        cb_csv_free(&csv);
    }
    return status;
}

int cb_rep_load_repeats(struct cb_rep *rep) {
    const char *machine = cb_rep_string(json_object_get(rep->run, "machine"), "id", "");
    const char *folders[] = {cb_rep_text(rep, "%s/aa", rep->dir),
                             cb_rep_text(rep, "%s/../reference/%s/aa", rep->dir, machine)};
    rep->repeats = json_object();
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char **names;
        size_t count = list_files(rep, folders[i], &names);
        if (count && (i == 0 || *machine))
            return load_files(rep, folders[i], names, count);
    }
    return 0;
}

// ---- Writing ------------------------------------------------------------------------------------

static const char *programs_hash(struct cb_rep *rep) {
    unsigned long long hash = 14695981039346656037ULL;
    json_t *program;
    size_t index;
    json_array_foreach(json_object_get(rep->run, "programs"), index, program) {
        const char *texts[] = {cb_rep_string(program, "backend", ""),
                               cb_rep_string(program, "compiler", ""),
                               cb_rep_string(program, "sha256", "")};
        for (size_t t = 0; t < 3; t++)
            for (const char *c = texts[t]; c == texts[t] || c[-1]; c++)
                hash = (hash ^ (unsigned char)*c) * 1099511628211ULL;
    }
    return cb_rep_text(rep, "%016llx", hash);
}

static long long samples_of(const struct cb_rep *rep, const char *what) {
    return json_integer_value(json_object_get(json_object_get(rep->run, "samples"), what));
}

bool cb_rep_is_disturbed(const struct cb_rep *rep) {
    double taken = (double)samples_of(rep, "taken");
    return (double)samples_of(rep, "disturbed") > MOST_DISTURBED * taken;
}

int cb_rep_write_repeat(struct cb_rep *rep, const char *folder) {
    if (cb_rep_is_disturbed(rep)) {
        cb_error(rep->messages,
                 "run %s: %lld of its %lld samples stand though they were disturbed, more than "
                 "%.0f %%\nit is not put into the set: it tells of its neighbours, not of chance\n"
                 "measure another one when the machine is calmer; corobench doctor says what "
                 "disturbs",
                 rep->run_id, samples_of(rep, "disturbed"), samples_of(rep, "taken"),
                 100 * MOST_DISTURBED);
        return CB_EXIT_USAGE;
    }
    struct cb_text text = {0};
    struct cb_csv_row to = {.to = &text};
    cb_text_add(&text, COLUMNS "\n,%s,%s,\n", PROGRAMS, programs_hash(rep));
    struct cb_rep_row **rows = cb_rep_sorted_rows(rep);
    for (size_t i = 0; i < rep->row_count; i++) {
        const struct cb_rep_row *row = rows[i];
        if (!row->values || row->exact || row->aside || row->counted ||
            !cb_rep_is_ratio_scale(rep, row->metric) || cb_rep_hidden(rep, row->cell))
            continue;
        cb_csv_text(&to, row->cell->id);
        cb_csv_text(&to, row->metric);
        for (int e = 0; e < CB_REP_ESTIMATORS; e++)
            cb_csv_text(&to, cb_rep_text(rep, "%.6g", row->estimate[e].value));
        cb_csv_end(&to);
    }
    char *path = cb_format("%s/%s.csv", folder, rep->run_id);
    int error = cb_make_folders(folder);
    error = error ? error : cb_file_write(path, text.text, text.length);
    if (error)
        cb_error(rep->messages,
                 "cannot write %s: %s\nthe run is not part of the set\n"
                 "make room or allow writing there, and run the command again",
                 path, strerror(-error));
    free(path);
    cb_text_clear(&text);
    return error ? CB_EXIT_USAGE : 0;
}
