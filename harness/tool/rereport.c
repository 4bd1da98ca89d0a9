// corobench report: tables, plots and the report of a run that was measured before; the README's
// headline; the condensed run that is committed as a machine's reference.
#include <stdlib.h>
#include <unistd.h>

#include "command.h"
#include "file.h"
#include "report.h"

static const struct cb_option options[] = {
    {"readme", "FILE", "put DIR's headline into FILE, between its two headline marks, and stop"},
    {"reference", "ROOT", "write DIR in condensed form to ROOT/<machine>, and stop"},
    {NULL, NULL, NULL}};

static bool readable(const char *folder, const char *name) {
    char *path = cb_format("%s/%s", folder, name);
    bool there = access(path, R_OK) == 0;
    free(path);
    return there;
}

static int run(const struct cb_given *given) {
    const char *folder = given->words[0], *missing = NULL;
    const char *readme = cb_given_value(given, "readme");
    const char *reference = cb_given_value(given, "reference");
    if (!readable(folder, "run.json"))
        missing = "run.json";
    else if (!readable(folder, "samples.csv") && !readable(folder, "samples-condensed.csv"))
        missing = "samples.csv or samples-condensed.csv";
    if (missing) {
        cb_error(stderr,
                 "%s is no run: it has no %s that can be read\nnothing is made\nname the folder "
                 "of a run, such as results/latest",
                 folder, missing);
        return CB_EXIT_USAGE;
    }
    if (readme && reference) {
        cb_error(stderr, "report: --readme and --reference do not go together\nnothing is done\n"
                         "make the reference first, then name its folder as DIR of --readme");
        return CB_EXIT_USAGE;
    }
    if (readme)
        return cb_report_readme(folder, readme, stderr);
    if (reference)
        return cb_report_reference(folder, reference, stderr);
    return cb_report_run(folder, stderr);
}

const struct cb_command cb_command_report = {
    .name = "report",
    .words = "DIR",
    .least = 1,
    .most = 1,
    .summary = "make tables, plots and report.html of a run anew",
    .details =
        "\nReads run.json and samples.csv of that folder only, and never measures. DIR may be a\n"
        "reference too, which has samples-condensed.csv: one value a process, instead of every\n"
        "repetition. The same input gives the same files to the last byte.\n\n"
        "A README shows a run that is committed: first --reference results/reference, then\n"
        "  corobench report results/reference/<machine> --readme README.md",
    .options = options,
    .run = run};
