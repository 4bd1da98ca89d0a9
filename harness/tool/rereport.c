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
    {"aa", "ROOT", "condense DIR, a default run, to ROOT/<machine>/aa/<run>.csv, and stop"},
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
    const char *repeats = cb_given_value(given, "aa");
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
    if ((readme != NULL) + (reference != NULL) + (repeats != NULL) > 1) {
        cb_error(stderr, "report: --readme, --reference and --aa do not go together\n"
                         "nothing is done\nask for one after the other");
        return CB_EXIT_USAGE;
    }
    if (readme)
        return cb_report_readme(folder, readme, stderr);
    if (reference)
        return cb_report_reference(folder, reference, stderr);
    if (repeats)
        return cb_report_repeat(folder, repeats, stderr);
    return cb_report_run(folder, stderr);
}

const struct cb_command cb_command_report = {
    .name = "report",
    .words = "DIR",
    .least = 1,
    .most = 1,
    .summary = "make tables, plots and report.html of a run anew",
    .details =
        "\nReads run.json, samples.csv and counts.csv of that folder and the machine's set of "
        "repeated\n"
        "runs, and never measures. DIR may be a reference too, which has samples-condensed.csv: "
        "one\n"
        "value a process, instead of every repetition. The same input gives the same files to the\n"
        "last byte.\n\n"
        "The set of repeated runs is in results/reference/<machine>/aa: at least 5 default runs "
        "of\n"
        "the same programs. It says how much runs differ by chance, and chooses the headline's\n"
        "estimator. So the order is:\n"
        "  corobench report results/RUN --aa results/reference            for each of the runs\n"
        "  corobench report results/RUN --reference results/reference     for one of them\n"
        "  corobench report results/reference/<machine> --readme README.md\n",
    .options = options,
    .run = run};
