// Makes the report of a run; see report.h. Each part is a file of its own, report_*.c.
#define _GNU_SOURCE
#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "report_internal.h"

// Plots and tables of an earlier report go first: what this run does not have must not look made.
static int clear_folder(struct cb_rep *rep, const char *name) {
    char *path = cb_format("%s/%s", rep->dir, name);
    int error = cb_make_folders(path);
    DIR *folder = error ? NULL : opendir(path);
    if (!error && !folder)
        error = -errno;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (*entry->d_name == '.')
            continue;
        char *file = cb_format("%s/%s", path, entry->d_name);
        if (unlink(file) < 0 && errno != ENOENT && !error)
            error = -errno;
        free(file);
    }
    if (folder)
        closedir(folder);
    if (error)
        cb_error(rep->messages,
                 "cannot write in %s: %s\nno report can be made\n"
                 "allow writing there, or copy the run elsewhere: cp -r %s .",
                 path, strerror(-error), rep->dir);
    free(path);
    return error ? CB_EXIT_USAGE : 0;
}

int cb_report_run(const char *run_dir, FILE *messages) {
    struct cb_rep rep;
    int status = cb_rep_load(&rep, run_dir, messages), plots = 0;
    if (!status)
        status = clear_folder(&rep, "tables");
    if (!status)
        status = clear_folder(&rep, "plots");
    if (!status) {
        cb_rep_estimate_all(&rep);
        cb_rep_compare_all(&rep);
        status = cb_rep_write_cells(&rep);
    }
    if (!status)
        status = cb_rep_write_ratios(&rep);
    if (!status)
        status = cb_rep_write_mde(&rep);
    if (!status)
        status = cb_rep_make_tables(&rep);
    if (!status)
        plots = cb_rep_make_plots(&rep);
    if (!status)
        status = cb_rep_make_html(&rep);
    cb_rep_free(&rep);
    return status ? status : plots;
}
