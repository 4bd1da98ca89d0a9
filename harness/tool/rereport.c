// corobench report: tables, plots and the report of a run that was measured before.
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "file.h"
#include "report.h"

static const struct cb_option options[] = {{NULL, NULL, NULL}};

static int run(const struct cb_given *given) {
    const char *folder = given->words[0];
    static const char *const needed[] = {"run.json", "samples.csv"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        char *path = cb_format("%s/%s", folder, needed[i]);
        int there = access(path, R_OK);
        free(path);
        if (there == 0)
            continue;
        cb_error(stderr,
                 "%s is no run: it has no %s that can be read\nnothing is made\nname the folder "
                 "of a run, such as results/latest",
                 folder, needed[i]);
        return CB_EXIT_USAGE;
    }
    return cb_report_run(folder, stderr);
}

const struct cb_command cb_command_report = {
    .name = "report",
    .words = "DIR",
    .least = 1,
    .most = 1,
    .summary = "make tables, plots and report.html of a run anew",
    .details = "\nReads run.json and samples.csv of that folder only, and never measures.",
    .options = options,
    .run = run};
