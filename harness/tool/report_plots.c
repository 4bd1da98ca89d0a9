// Makes all plots: C decides what is drawn and where, gnuplot draws it.
//
// For each plot of plots.json two files are made in plots/: <id>.dat, the numbers, and <id>.layout,
// gnuplot commands that set title, ranges, tics and labels. scripts/plot-<kind>.gp reads both.
#define _GNU_SOURCE
#include "report_plot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"

extern char **environ;

// ---- Running gnuplot ----------------------------------------------------------------------------

// A text between single quotes for gnuplot, where a quote is doubled.
static void add_single(struct cb_text *to, const char *text) {
    cb_text_add(to, "'");
    for (; *text; text++)
        cb_text_add(to, *text == '\'' ? "''" : "%c", *text);
    cb_text_add(to, "'");
}

// Runs a program and waits; what it says goes to a file. -1: it can't be started; else its exit
// status (128 + a signal).
static int run_program(char *const arguments[], const char *said) {
    pid_t child;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, said, O_WRONLY | O_CREAT | O_TRUNC,
                                     0666);
    int error = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        return -1;
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Cairo writes the time into a PDF; the same input must give the same bytes.
static void fix_date(char *bytes, size_t length) {
    static const char key[] = "/CreationDate (D:", date[] = "20000101000000";
    char *at = memmem(bytes, length, key, sizeof key - 1);
    if (at && at + sizeof key + sizeof date < bytes + length)
        memcpy(at + sizeof key - 1, date, sizeof date - 1);
}

// What the scripts are told: the kind of file, where to write, what to read.
static char *settings(struct cb_rep *rep, const struct cb_plot *plot, const char *terminal,
                      const char *output) {
    char *common = cb_share_path("plot-common.gp");
    char *name = cb_copy(plot->id); // prefixes ids inside the svg, which know no dash
    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    struct cb_text text = {0};
    cb_text_add(&text, "terminal = '%s'; name = '%s'; output = ", terminal, name);
    add_single(&text, output);
    cb_text_add(&text, "; common = ");
    add_single(&text, common);
    cb_text_add(&text, "; data = ");
    add_single(&text, cb_rep_text(rep, "%s/plots/%s.dat", rep->dir, plot->id));
    free(name);
    free(common);
    return text.text;
}

static void say_gnuplot_missing(struct cb_rep *rep) {
    cb_error(rep->messages,
             "gnuplot is not there: no plots can be made\n"
             "tables and report.html are made, without plots\n"
             "install it (Debian: apt-get install gnuplot-nox), then: corobench report %s",
             rep->dir);
}

// gnuplot writes to a temporary name; what it wrote goes to its place whole. 0, CB_EXIT_FAILED, or
// CB_EXIT_USAGE where there is no gnuplot.
static int draw(struct cb_rep *rep, const struct cb_plot *plot, const char *kind,
                const char *terminal) {
    char *temporary = cb_format("%s/plots/%s.%s.gnuplot", rep->dir, plot->id, terminal);
    char *said = cb_format("%s.said", temporary);
    char *script = cb_share_path(cb_rep_text(rep, "plot-%s.gp", kind));
    char *layout = cb_format("%s/plots/%s.layout", rep->dir, plot->id);
    char *setting = settings(rep, plot, terminal, temporary), *bytes = NULL;
    char *arguments[] = {"gnuplot", "--default-settings", "-e", setting, layout, script, NULL};
    int code = run_program(arguments, said), status = CB_EXIT_FAILED;
    size_t length = 0;
    if (code < 0 || code == 127) {
        say_gnuplot_missing(rep);
        status = CB_EXIT_USAGE; // not worth trying again
    } else if (code != 0 || cb_file_read(temporary, &bytes, &length) < 0 || length == 0) {
        char *complaint = NULL;
        cb_file_read(said, &complaint, NULL); // it may have said nothing
        cb_error(rep->messages,
                 "gnuplot could not draw plots/%s.%s (exit status %d)\nthis plot is missing\n"
                 "try it by hand: gnuplot -e \"%s\" %s %s\nit says: %s",
                 plot->id, terminal, code, setting, layout, script, complaint ? complaint : "");
        free(complaint);
    } else {
        fix_date(bytes, length);
        struct cb_text text = {.text = bytes, .length = length};
        const char *name = cb_rep_text(rep, "plots/%s.%s", plot->id, terminal);
        status = cb_rep_write(rep, name, &text) ? CB_EXIT_FAILED : 0;
    }
    unlink(temporary);
    unlink(said);
    free(bytes);
    free(setting);
    free(layout);
    free(script);
    free(said);
    free(temporary);
    return status;
}

// What report.html hides and shows by name; nothing for a plot that is not of backends.
static const char *series_names(struct cb_rep *rep, const struct cb_plot *plot) {
    struct cb_text text = {0};
    for (size_t i = 0; i < plot->count; i++)
        cb_text_add(&text, "%s%s", i ? "," : "", plot->series[i].backend->name);
    const char *names = cb_rep_text(rep, "%s", text.text ? text.text : "");
    cb_text_clear(&text);
    return names;
}

static bool is_rows(const char *kind) {
    return strcmp(kind, "dots") == 0 || strcmp(kind, "stack") == 0;
}

static bool is_lines(const char *kind) {
    return strcmp(kind, "lines") == 0 || strcmp(kind, "lifetime") == 0;
}

// Lines are few enough to be told apart because variants have none; the reader is told.
static const char *without_variants(struct cb_rep *rep) {
    struct cb_text text = {0};
    for (size_t i = 0; i < rep->backend_count; i++)
        if (rep->backends[i].variant)
            cb_text_add(&text, "%s%s", text.length ? ", " : " Variants stand in the tables only: ",
                        rep->backends[i].name);
    const char *words =
        cb_rep_text(rep, "%s%s", text.text ? text.text : "", text.length ? "." : "");
    cb_text_clear(&text);
    return words;
}

static int make_plot(struct cb_rep *rep, const json_t *spec, size_t compiler) {
    static const struct {
        const char *kind;
        bool (*make)(struct cb_rep *, struct cb_plot *);
    } kinds[] = {{"lines", cb_plot_make_lines},         {"dots", cb_plot_make_dots},
                 {"stack", cb_plot_make_stack},         {"lifetime", cb_plot_make_lifetime},
                 {"sequences", cb_plot_make_sequences}, {"forecast", cb_plot_make_forecast}};
    const char *kind = cb_rep_string(spec, "kind", ""), *id = cb_rep_string(spec, "id", "");
    struct cb_plot plot = {.spec = spec, .compiler = rep->compilers[compiler]};
    plot.id = compiler ? cb_rep_text(rep, "%s-%s", id, plot.compiler) : id;
    plot.series = cb_rep_memory(rep, rep->backend_count + 1, sizeof *plot.series);
    bool made = false;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (strcmp(kinds[k].kind, kind) == 0)
            made = kinds[k].make(rep, &plot);
    int status = 0;
    if (made) {
        status = cb_rep_write(rep, cb_rep_text(rep, "plots/%s.dat", plot.id), &plot.dat);
        if (!status)
            status = cb_rep_write(rep, cb_rep_text(rep, "plots/%s.layout", plot.id), &plot.layout);
        if (!status)
            status = draw(rep, &plot, kind, "svg");
        if (!status)
            status = draw(rep, &plot, kind, "pdf");
        if (!status) {
            rep->plot_ids[rep->plot_count] = plot.id;
            rep->plot_titles[rep->plot_count] =
                *plot.compiler
                    ? cb_rep_text(rep, "%s (%s)", cb_rep_string(spec, "title", ""), plot.compiler)
                    : cb_rep_string(spec, "title", "");
            rep->plot_series[rep->plot_count] = series_names(rep, &plot);
            rep->plot_rows[rep->plot_count] = is_rows(kind);
            rep->plot_notes[rep->plot_count++] =
                cb_rep_text(rep, "%s%s", cb_rep_string(spec, "note", ""),
                            is_lines(kind) ? without_variants(rep) : "");
        }
    }
    cb_text_clear(&plot.dat);
    cb_text_clear(&plot.layout);
    cb_text_clear(&plot.absent);
    return status;
}

int cb_rep_make_plots(struct cb_rep *rep) {
    json_t *plots = json_object_get(rep->plots, "plots"), *spec;
    size_t room = json_array_size(plots) * (rep->compiler_count + 1), index;
    rep->plot_ids = cb_rep_memory(rep, room, sizeof *rep->plot_ids);
    rep->plot_titles = cb_rep_memory(rep, room, sizeof *rep->plot_titles);
    rep->plot_notes = cb_rep_memory(rep, room, sizeof *rep->plot_notes);
    rep->plot_series = cb_rep_memory(rep, room, sizeof *rep->plot_series);
    rep->plot_rows = cb_rep_memory(rep, room, sizeof *rep->plot_rows);
    int worst = 0;
    for (size_t c = 0; c < rep->compiler_count; c++)
        json_array_foreach(plots, index, spec) {
            int status = make_plot(rep, spec, c);
            if (status == CB_EXIT_USAGE)
                return CB_EXIT_FAILED;
            worst = status ? status : worst;
        }
    return worst;
}
