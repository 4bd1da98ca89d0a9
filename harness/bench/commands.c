// The four commands of a bench program.
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../lib/file.h"
#include "../lib/message.h"
#include "about.h"
#include "bench.h"
#include "count.h"
#include "options.h"
#include "pilot.h"
#include "run.h"

static int print_line(char *text) {
    bool bad = puts(text) == EOF || fflush(stdout) != 0;
    free(text);
    if (bad)
        cb_error(stderr, "cannot write to standard output: %s", strerror(errno));
    return bad ? CB_EXIT_USAGE : CB_EXIT_OK;
}

static int describe(const struct cb_bench *bench) {
    char why[600];
    char *text = cb_about(bench, why, sizeof why);
    if (text)
        return print_line(text);
    cb_error(stderr, "this program cannot describe itself: %s\ncorrect it and build again", why);
    return CB_EXIT_USAGE;
}

// True where the session is open; else the message has been given.
static bool open_session(struct cb_session *session, const struct cb_bench *bench,
                         const struct cb_options *options) {
    char why[512];
    if (cb_session_open(session, bench, options->entry, &options->params, options->cpus,
                        options->cpu_count, &options->calm, why, sizeof why) == CB_PIN_OK)
        return true;
    cb_session_close(session);
    cb_error(stderr, "--cpu: %s\nnothing was measured", why);
    return false;
}

static int exit_of(const struct cb_session *session) {
    return session->outcome.status == CB_FAILED ? CB_EXIT_FAILED : CB_EXIT_OK;
}

static int pilot(const struct cb_bench *bench, const struct cb_options *options) {
    struct cb_session session;
    struct cb_pilot result;
    if (!open_session(&session, bench, options))
        return CB_EXIT_USAGE;
    cb_pilot_run(&session, options->target_ms * 1e6, &result);
    cb_session_close(&session);
    json_t *object =
        json_pack("{s:I, s:o, s:o, s:s, s:s}", "iterations", (json_int_t)result.iterations, "ns",
                  result.ns > 0 ? json_real(result.ns) : json_null(), "width",
                  result.width > 0 ? json_real(result.width) : json_null(), "status",
                  cb_status_name(session.outcome.status), "note", session.outcome.note);
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    json_decref(object);
    if (!text) {
        cb_error(stderr, "no memory for the pilot's answer");
        return CB_EXIT_USAGE;
    }
    int printed = print_line(text);
    return printed != CB_EXIT_OK ? printed : exit_of(&session);
}

// Figures from such a build would be taken for the backend's.
static bool fit_to_measure(const struct cb_backend_facts *facts) {
    const char *why = NULL;
    if (facts->checked)
        why = "is the checked build (CO_CHECKED), which looks for misuse at every step";
    else if (strcmp(facts->build_type, "Release") != 0)
        why = "is not a Release build";
    else if (!facts->optimised)
        why = "was compiled without optimisation";
    if (why)
        cb_error(stderr,
                 "this program %s (build type \"%s\")\nits times would say nothing of the backend, "
                 "so it does not measure\nbuild the preset release and use the program there",
                 why, facts->build_type);
    return !why;
}

// Told before minutes are spent on a file that cannot be written.
static bool folder_takes_file(const char *path) {
    char *folder = cb_copy(path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    const char *name = slash ? folder : ".";
    bool there = cb_is_folder(name);
    bool good = there && access(name, W_OK | X_OK) == 0;
    if (!good)
        cb_error(stderr,
                 "--out %s: the folder %s %s\nnothing was measured\n"
                 "create it, or name another folder",
                 path, name, there ? "cannot be written" : "does not exist");
    free(folder);
    return good;
}

static int measure(const struct cb_bench *bench, const struct cb_options *options) {
    struct cb_session session;
    if (!fit_to_measure(bench->facts) || !folder_takes_file(options->out) ||
        !open_session(&session, bench, options))
        return CB_EXIT_USAGE;
    struct cb_run_options run = {.iterations = options->iterations,
                                 .repetitions = options->repetitions};
    char *text = cb_run_cell(&session, &run);
    if (!text)
        return CB_EXIT_USAGE;
    char *lines = cb_format("%s\n", text);
    free(text);
    int error = cb_file_write_soon(options->out, lines, strlen(lines));
    free(lines);
    if (error < 0) {
        cb_error(stderr,
                 "cannot write %s: %s\nthe measurement is lost, no file is left behind\n"
                 "make room or name another folder, and measure again",
                 options->out, strerror(-error));
        return CB_EXIT_USAGE;
    }
    return exit_of(&session);
}

static int count(const struct cb_bench *bench, struct cb_options *options) {
    struct cb_session session;
    // Reading the topology takes more instructions than most cells, and never the same number.
    if (options->cpu_count == 0)
        options->cpu_count = CB_UNPINNED;
    if (!fit_to_measure(bench->facts) || !open_session(&session, bench, options))
        return CB_EXIT_USAGE;
    cb_count_cell(&session, options->iterations);
    // The usual answer is a text that was there before: JSON's hash seed would vary the count.
    char *answer =
        session.outcome.status == CB_OK ? cb_copy("{\"status\": \"ok\", \"note\": \"\"}") : NULL;
    if (!answer) {
        json_t *object = json_pack("{s:s, s:s}", "status", cb_status_name(session.outcome.status),
                                   "note", session.outcome.note);
        answer = object ? json_dumps(object, 0) : NULL;
        json_decref(object);
    }
    if (!answer) {
        cb_error(stderr, "no memory for the answer");
        return CB_EXIT_USAGE;
    }
    int printed = print_line(answer);
    return printed != CB_EXIT_OK ? printed : exit_of(&session);
}

// Ends this process when the corobench that started it ends, be it by SIGKILL: nobody would stop
// it, and it would keep the run's folder locked. Who starts it by hand gives no COROBENCH_PARENT.
// False where that corobench ended already, before the kernel was told.
static bool end_with_parent(void) {
    const char *parent = getenv("COROBENCH_PARENT");
    if (!parent)
        return true;
    // Can only fail for a number that is no signal.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return getppid() == (pid_t)strtol(parent, NULL, 10);
}

int cb_bench_main(const struct cb_bench *bench, int argc, char **argv) {
    struct cb_options options;
    if (!end_with_parent()) {
        cb_error(stderr, "the corobench that started this program (COROBENCH_PARENT) is not its "
                         "parent\nnothing is measured\nunset COROBENCH_PARENT to run it by hand");
        return CB_EXIT_USAGE;
    }
    if (!cb_options_read(&options, bench, argc, argv))
        return CB_EXIT_USAGE;
    switch (options.command) {
    case CB_COMMAND_DESCRIBE:
        return describe(bench);
    case CB_COMMAND_PILOT:
        return pilot(bench, &options);
    case CB_COMMAND_COUNT:
        return count(bench, &options);
    default:
        return measure(bench, &options);
    }
}
