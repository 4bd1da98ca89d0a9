// Plots: C decides what is drawn and where every label goes, gnuplot draws it.
//
// For each plot of plots.json two files are made in plots/: <id>.dat, the numbers, and <id>.layout,
// gnuplot commands that set title, ranges, tics and labels. scripts/plot-<kind>.gp reads both. All
// positions are computed here, because gnuplot does not keep labels apart.
#define _GNU_SOURCE
#include "report_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"
#include "stats.h"

#define WIDTH 900.0      // of every plot, in units that gnuplot's svg terminal calls pixels
#define LINE_HEIGHT 16.0 // of a label
#define ROW_HEIGHT 25.0  // of a backend in plots that have one row each
#define FOOT_LINE 14.0   // of the caption
#define FOOT_CHARACTERS 150
#define MOST_RINGS 8   // that a reader can tell apart
#define LEAST_POINTS 3 // on the x axis; a line through fewer says nothing about a shape

extern char **environ;

// One line or row: a backend with its points.
struct series {
    const struct cb_rep_backend *backend;
    size_t within; // place among its family's backends: decides dash and mark
    double *x, *y, *low, *high;
    size_t points;
};

struct plot {
    const json_t *spec;
    const char *id, *compiler;
    struct series *series;
    size_t count;
    double left, right, top, bottom, height; // margins and height, in pixels
    struct cb_text dat, layout;
    struct cb_text absent; // "name (status)" of backends without a point
};

// ---- Small helpers ------------------------------------------------------------------------------

// A text between double quotes for gnuplot.
static const char *quoted(struct cb_rep *rep, const char *text) {
    struct cb_text out = {0};
    cb_text_add(&out, "\"");
    for (; *text; text++)
        cb_text_add(&out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    cb_text_add(&out, "\"");
    const char *result = cb_rep_text(rep, "%s", out.text);
    cb_text_clear(&out);
    return result;
}

static const char *plain_number(struct cb_rep *rep, double value) {
    if (value == floor(value) && fabs(value) < 1e15) {
        const char *text = cb_rep_number(rep, value, 1000, "\u2009");
        return text;
    }
    return cb_rep_text(rep, "%g", value);
}

static const char *colour_of(const struct cb_rep *rep, const char *family) {
    json_t *colours = json_object_get(rep->plots, "colours");
    return cb_rep_string(colours, family, cb_rep_string(colours, "", "#56B4E9"));
}

static const char *dash_of(size_t within) {
    static const char *const dashes[] = {"solid", "(9,4)", "(2,3)", "(9,3,2,3)", "(16,4)"};
    return dashes[within % (sizeof dashes / sizeof *dashes)];
}

static int mark_of(size_t within) {
    static const int marks[] = {7, 5, 9, 13, 11, 6, 4, 8, 12, 10};
    return marks[within % (sizeof marks / sizeof *marks)];
}

// Screen coordinates of a pixel.
static double across(double pixels) {
    return pixels / WIDTH;
}

static double up(const struct plot *plot, double pixels) {
    return pixels / plot->height;
}

// Moves labels apart, as little as possible: neighbours that would touch become a block around the
// mean of what they want (pool adjacent violators). `at` is sorted, in pixels, and is overwritten.
static void spread(double *at, size_t n, double gap, double low, double high) {
    size_t *size = cb_allocate(n, sizeof *size);
    double *centre = cb_allocate(n, sizeof *centre);
    size_t blocks = 0;
    for (size_t i = 0; i < n; i++) {
        centre[blocks] = at[i];
        size[blocks++] = 1;
        for (;;) {
            size_t last = blocks - 1;
            double half = (double)size[last] * gap / 2;
            centre[last] = fmin(fmax(centre[last], low + half), fmax(high - half, low + half));
            if (blocks < 2)
                break;
            double reach = half + (double)size[last - 1] * gap / 2;
            if (centre[last] - centre[last - 1] >= reach)
                break;
            double a = (double)size[last - 1], b = (double)size[last];
            centre[last - 1] = (centre[last - 1] * a + centre[last] * b) / (a + b);
            size[last - 1] += size[last];
            blocks--;
        }
    }
    for (size_t b = 0, i = 0; b < blocks; b++)
        for (size_t k = 0; k < size[b]; k++)
            at[i++] = centre[b] + ((double)k - ((double)size[b] - 1) / 2) * gap;
    free(centre);
    free(size);
}

// ---- Parts of a layout that all kinds share -----------------------------------------------------

static void add_wrapped(struct cb_rep *rep, struct cb_text *lines, const char *text) {
    while (*text) {
        size_t length = strlen(text);
        if (length > FOOT_CHARACTERS)
            for (length = FOOT_CHARACTERS; length > 1 && text[length] != ' ';)
                length--;
        cb_text_add(lines, "%s%.*s", lines->length ? "\n" : "", (int)length, text);
        text += length;
        while (*text == ' ')
            text++;
    }
    (void)rep;
}

// The lines below the plot: machine and mode, and who is missing.
static const char *footer(struct cb_rep *rep, const struct plot *plot, size_t *lines) {
    struct cb_text text = {0};
    add_wrapped(rep, &text, rep->caption);
    if (plot->absent.length)
        add_wrapped(rep, &text, cb_rep_text(rep, "Not shown: %s", plot->absent.text));
    const char *result = cb_rep_text(rep, "%s", text.text);
    cb_text_clear(&text);
    *lines = 1;
    for (const char *at = result; (at = strchr(at, '\n')); at++)
        ++*lines;
    return result;
}

// Title, margins and footer. `inner` is the height of the plotting area in pixels.
static void open_layout(struct cb_rep *rep, struct plot *plot, double inner, double left,
                        double right, double axis) {
    size_t lines;
    const char *foot = footer(rep, plot, &lines);
    plot->left = left;
    plot->right = right;
    plot->top = 58;
    plot->bottom = axis + FOOT_LINE * (double)lines + 8;
    plot->height = inner + plot->top + plot->bottom;
    struct cb_text *to = &plot->layout;
    cb_text_add(to, "width = %.0f\nheight = %.0f\nseries = %zu\n", WIDTH, plot->height,
                plot->count);
    cb_text_add(to, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", across(left),
                1 - across(right));
    cb_text_add(to, "set tmargin at screen %.4f\nset bmargin at screen %.4f\n",
                1 - up(plot, plot->top), up(plot, plot->bottom));
    const char *version = cb_rep_string(json_object_get(rep->run, "compilers"), plot->compiler, "");
    cb_text_add(to, "set label 1 %s at screen %.4f, %.4f left font \",15\" front\n",
                quoted(rep, cb_rep_text(rep, "%s (%s%s%s)", cb_rep_string(plot->spec, "title", ""),
                                        plot->compiler, *version ? " " : "", version)),
                across(14), 1 - up(plot, 22));
    for (size_t i = 0; i < lines; i++) {
        size_t length = strcspn(foot, "\n");
        struct cb_text line = {0};
        cb_text_add_bytes(&line, foot, length);
        cb_text_add(to,
                    "set label %zu %s at screen %.4f, %.4f left font \",10\" tc rgb \"#555555\"\n",
                    10 + i, quoted(rep, line.text ? line.text : ""), across(14),
                    up(plot, 8 + FOOT_LINE * ((double)(lines - i) - 0.5)));
        cb_text_clear(&line);
        foot += length + (foot[length] == '\n');
    }
    for (size_t i = 0; i < plot->count; i++) {
        const struct series *series = &plot->series[i];
        cb_text_add(to, "set linetype %zu lc rgb \"%s\" lw 2 dt %s pt %d ps 0.6\n", i + 1,
                    colour_of(rep, series->backend->family), dash_of(series->within),
                    mark_of(series->within));
    }
}

// Titles of the axes, where they can't collide: x below its tics, y above its axis.
static void axis_titles(struct cb_rep *rep, struct plot *plot) {
    const json_t *x = json_object_get(plot->spec, "x"), *y = json_object_get(plot->spec, "y");
    cb_text_add(&plot->layout, "set label 2 %s at graph 0.5, screen %.4f center\n",
                quoted(rep, cb_rep_string(x, "title", "")), up(plot, plot->bottom - 41));
    if (y)
        cb_text_add(&plot->layout, "set label 3 %s at screen %.4f, %.4f left tc rgb \"#333333\"\n",
                    quoted(rep, cb_rep_string(y, "title", "")), across(14),
                    1 - up(plot, plot->top - 14));
}

// A time as people say it: 10 ns, 1 \u00b5s.
static const char *time_text(struct cb_rep *rep, double ns) {
    static const char *const units[] = {"ns", "\u00b5s", "ms", "s"};
    size_t unit = 0;
    while (ns >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        ns /= 1000;
        unit++;
    }
    return cb_rep_text(rep, "%.4g\u2009%s", ns, units[unit]);
}

// Tics at 1, or 1 2 5, times powers of ten, with thousands kept apart.
static void log_tics(struct cb_rep *rep, struct plot *plot, const char *axis, double low,
                     double high, bool is_time) {
    double decades = log10(high / low);
    static const double steps[] = {1, 2, 5};
    int count = decades < 2.2 ? 3 : 1;
    struct cb_text *to = &plot->layout;
    cb_text_add(to, "set %stics (", axis);
    bool first = true;
    for (double power = pow(10, floor(log10(low))); power <= high; power *= 10)
        for (int i = 0; i < 9; i++) {
            double minor = power * (i + 1);
            bool major = false;
            for (int s = 0; s < count; s++)
                major |= steps[s] == i + 1;
            if (minor < low * 0.9999 || minor > high * 1.0001)
                continue;
            double exact = strtod(cb_rep_text(rep, "%.6g", minor), NULL); // powers round
            const char *label = is_time ? time_text(rep, exact) : plain_number(rep, exact);
            if (major)
                cb_text_add(to, "%s%s %.6g", first ? "" : ", ", quoted(rep, label), minor);
            else
                cb_text_add(to, "%s\"\" %.6g 1", first ? "" : ", ", minor);
            first = false;
        }
    cb_text_add(to, ")\n");
}

// Labels at the right end of lines, kept apart, each with a thin line to its end; dotted where the
// line ends early, so that it is not taken for data.
static void end_labels(struct plot *plot, struct cb_rep *rep, double ymin, double ymax) {
    double inner = plot->height - plot->top - plot->bottom;
    size_t *order = cb_allocate(plot->count, sizeof *order);
    double *at = cb_allocate(plot->count, sizeof *at);
    double *end = cb_allocate(plot->count, sizeof *end);
    for (size_t i = 0; i < plot->count; i++) {
        const struct series *series = &plot->series[i];
        end[i] = inner * log(series->y[series->points - 1] / ymin) / log(ymax / ymin);
        size_t place = i;
        for (; place > 0 && end[order[place - 1]] > end[i]; place--)
            order[place] = order[place - 1];
        order[place] = i;
    }
    for (size_t i = 0; i < plot->count; i++)
        at[i] = end[order[i]];
    spread(at, plot->count, LINE_HEIGHT, -LINE_HEIGHT, inner + LINE_HEIGHT);
    double label = 1 + 22 / (WIDTH - plot->left - plot->right), xmax = 0;
    for (size_t i = 0; i < plot->count; i++)
        xmax = fmax(xmax, plot->series[i].x[plot->series[i].points - 1]);
    for (size_t i = 0; i < plot->count; i++) {
        const struct series *series = &plot->series[order[i]];
        const char *colour = colour_of(rep, series->backend->family);
        cb_text_add(&plot->layout,
                    "set arrow from first %.6g, first %.6g to graph %.4f, graph %.4f nohead "
                    "lw 0.6 dt %s lc rgb \"%s\" back\n",
                    series->x[series->points - 1], series->y[series->points - 1], label - 0.004,
                    at[i] / inner, series->x[series->points - 1] < xmax ? "(2,5)" : "solid",
                    colour);
        cb_text_add(&plot->layout, "set label %s at graph %.4f, graph %.4f left tc rgb \"%s\"\n",
                    quoted(rep, series->backend->name), label + 0.003, at[i] / inner, colour);
    }
    free(end);
    free(at);
    free(order);
}

// ---- Series -------------------------------------------------------------------------------------

static void add_absent(struct plot *plot, const struct cb_rep_backend *backend,
                       const char *status) {
    cb_text_add(&plot->absent, "%s%s (%s)", plot->absent.length ? ", " : "", backend->name, status);
}

// A family's backends are numbered in the order of all tables, absent ones too: a backend keeps its
// dash and mark in every plot of a run.
static size_t place_in_family(const struct cb_rep *rep, size_t backend) {
    size_t within = 0;
    for (size_t i = 0; i < backend; i++)
        within += strcmp(rep->backends[i].family, rep->backends[backend].family) == 0;
    return within;
}

static struct series *new_series(struct cb_rep *rep, struct plot *plot, size_t backend,
                                 size_t room) {
    struct series *series = &plot->series[plot->count];
    *series = (struct series){.backend = &rep->backends[backend],
                              .within = place_in_family(rep, backend)};
    series->x = cb_rep_memory(rep, room, sizeof *series->x);
    series->y = cb_rep_memory(rep, room, sizeof *series->y);
    series->low = cb_rep_memory(rep, room, sizeof *series->low);
    series->high = cb_rep_memory(rep, room, sizeof *series->high);
    return series;
}

// Where there is no interval, the bar has no length.
static void add_point(struct series *series, double x, const struct cb_rep_estimate *estimate) {
    size_t at = series->points++;
    series->x[at] = x;
    series->y[at] = estimate->value;
    series->low[at] = isnan(estimate->low) ? estimate->value : estimate->low;
    series->high[at] = isnan(estimate->high) ? estimate->value : estimate->high;
}

static void sort_points(struct series *s) {
    for (size_t i = 1; i < s->points; i++)
        for (size_t j = i; j > 0 && s->x[j] < s->x[j - 1]; j--) {
            double *columns[] = {s->x, s->y, s->low, s->high};
            for (int c = 0; c < 4; c++) {
                double swap = columns[c][j];
                columns[c][j] = columns[c][j - 1];
                columns[c][j - 1] = swap;
            }
        }
}

static void write_series(struct plot *plot) {
    for (size_t i = 0; i < plot->count; i++) {
        const struct series *s = &plot->series[i];
        cb_text_add(&plot->dat, "%s# %s: x value low high\n", i ? "\n\n" : "", s->backend->name);
        for (size_t k = 0; k < s->points; k++)
            cb_text_add(&plot->dat, "%.6g %.6g %.6g %.6g\n", s->x[k], s->y[k], s->low[k],
                        s->high[k]);
    }
}

// The cells of a scenario whose params, without the key of the x axis, are the wanted ones.
static void collect_lines(struct cb_rep *rep, struct plot *plot) {
    const json_t *cells = json_object_get(plot->spec, "cells");
    const char *key = cb_rep_string(json_object_get(plot->spec, "x"), "key", "");
    const char *scenario = cb_rep_string(cells, "scenario", "");
    const char *binding = cb_rep_string(cells, "binding", "");
    const char *params = cb_rep_string(cells, "params", "");
    const char *metric = cb_rep_string(cells, "metric", "");
    for (size_t b = 0; b < rep->backend_count; b++) {
        struct series *series = new_series(rep, plot, b, rep->row_count);
        const char *reason =
            strcmp(rep->backends[b].status, "ok") ? rep->backends[b].status : "not measured";
        for (size_t i = 0; i < rep->row_count; i++) {
            const struct cb_rep_row *row = rep->rows[i];
            const struct cb_rep_cell *cell = row->cell;
            if (strcmp(cell->backend, series->backend->name) != 0 ||
                strcmp(cell->scenario, scenario) != 0 || strcmp(cell->binding, binding) != 0 ||
                strcmp(cell->compiler, plot->compiler) != 0 || strcmp(row->metric, metric) != 0)
                continue;
            const char *x = cb_rep_param(rep, cell->params, key);
            if (!x || strcmp(cb_rep_param_drop(rep, cell->params, key), params) != 0)
                continue;
            const struct cb_rep_estimate *estimate = cb_rep_shown(rep, row);
            if (row->values && estimate->value > 0)
                add_point(series, strtod(x, NULL), estimate);
            else
                reason = row->status;
        }
        sort_points(series);
        if (series->points)
            plot->count++;
        else
            add_absent(plot, series->backend, reason);
    }
}

static void ranges(const struct plot *plot, double *xmin, double *xmax, double *ymin,
                   double *ymax) {
    *xmin = *ymin = INFINITY;
    *xmax = *ymax = 0;
    for (size_t i = 0; i < plot->count; i++)
        for (size_t k = 0; k < plot->series[i].points; k++) {
            const struct series *s = &plot->series[i];
            *xmin = fmin(*xmin, s->x[k]);
            *xmax = fmax(*xmax, s->x[k]);
            *ymin = fmin(*ymin, s->low[k] > 0 ? s->low[k] : s->y[k]);
            *ymax = fmax(*ymax, s->high[k]);
        }
}

// ---- Kind: lines --------------------------------------------------------------------------------

static void axes(struct cb_rep *rep, struct plot *plot, double xmin, double xmax, double ymin,
                 double ymax) {
    const json_t *x = json_object_get(plot->spec, "x"), *y = json_object_get(plot->spec, "y");
    bool is_time = strcmp(cb_rep_string(y, "tics", ""), "time") == 0;
    struct cb_text *to = &plot->layout;
    cb_text_add(to, "set logscale x %g\nset logscale y 10\n",
                json_number_value(json_object_get(x, "base")));
    cb_text_add(to, "set xrange [%.6g:%.6g]\nset yrange [%.6g:%.6g]\n", xmin, xmax, ymin, ymax);
    axis_titles(rep, plot);
    log_tics(rep, plot, "y", ymin, ymax, is_time);
}

// Tics of the x axis at the values that were measured.
static void measured_tics(struct cb_rep *rep, struct plot *plot, double xmin, double xmax) {
    double *values = cb_rep_memory(rep, 1000, sizeof *values);
    size_t count = 0;
    for (size_t i = 0; i < plot->count; i++)
        for (size_t k = 0; k < plot->series[i].points; k++) {
            double x = plot->series[i].x[k];
            size_t at = 0;
            while (at < count && values[at] != x)
                at++;
            if (at == count && count < 1000)
                values[count++] = x;
        }
    struct cb_text *to = &plot->layout;
    cb_text_add(to, "set xtics (");
    double inner = WIDTH - plot->left - plot->right;
    for (size_t i = 0; i < count; i++) {
        // A label that would touch a smaller value's is left out; its tic stays.
        bool crowded = false;
        for (size_t k = 0; k < count; k++)
            crowded |=
                values[k] < values[i] && inner * log(values[i] / values[k]) / log(xmax / xmin) < 24;
        cb_text_add(to, "%s%s %.6g", i ? ", " : "",
                    crowded ? "\"\"" : quoted(rep, plain_number(rep, values[i])), values[i]);
    }
    cb_text_add(to, ")\n");
}

static size_t distinct_x(const struct plot *plot) {
    size_t most = 0;
    for (size_t i = 0; i < plot->count; i++)
        if (plot->series[i].points > most)
            most = plot->series[i].points;
    return most;
}

static double longest_name(const struct plot *plot) {
    size_t longest = 0;
    for (size_t i = 0; i < plot->count; i++)
        if (strlen(plot->series[i].backend->name) > longest)
            longest = strlen(plot->series[i].backend->name);
    return 7.2 * (double)longest;
}

// Tall enough for its labels: 25 of them need more than five do.
static double lines_height(const struct plot *plot) {
    return fmax(380, LINE_HEIGHT * (double)plot->count + 20);
}

static bool make_lines(struct cb_rep *rep, struct plot *plot) {
    collect_lines(rep, plot);
    if (distinct_x(plot) < LEAST_POINTS)
        return false;
    double xmin, xmax, ymin, ymax;
    ranges(plot, &xmin, &xmax, &ymin, &ymax);
    double pad = pow(ymax / ymin, 0.04);
    ymin /= pad;
    ymax *= pad;
    double side = pow(xmax / xmin, 0.02);
    open_layout(rep, plot, lines_height(plot), 70, longest_name(plot) + 36, 54);
    axes(rep, plot, xmin / side, xmax * side, ymin, ymax);
    measured_tics(rep, plot, xmin / side, xmax * side);
    end_labels(plot, rep, ymin, ymax);
    write_series(plot);
    return true;
}

// ---- Kind: lifetime -----------------------------------------------------------------------------

// Whether two rows differ beyond the interval of their paired ratio.
static bool differ(const struct cb_rep *rep, const struct cb_rep_row *a,
                   const struct cb_rep_row *b) {
    struct cb_ratio ratio = cb_paired_ratio(
        a->values, b->values, rep->clustered ? rep->slot_build : NULL, rep->slots, CB_LEVEL);
    return ratio.low > 1 || ratio.high < 1;
}

// Where two lines cross, if both the fixed and the repeated costs differ beyond their intervals.
struct crossing {
    double n, cost;
    bool cheapest; // below the crossing and after it nothing is cheaper than these two
};

static size_t find_crossings(struct cb_rep *rep, const struct plot *plot,
                             const struct cb_rep_row **fixed, const struct cb_rep_row **each,
                             double to, struct crossing *found) {
    size_t count = 0;
    double from = plot->series[0].x[0];
    for (size_t a = 0; a < plot->count; a++)
        for (size_t b = a + 1; b < plot->count; b++) {
            double fa = cb_rep_shown(rep, fixed[a])->value, fb = cb_rep_shown(rep, fixed[b])->value;
            double ea = cb_rep_shown(rep, each[a])->value, eb = cb_rep_shown(rep, each[b])->value;
            double n = (fb - fa) / (ea - eb);
            if (!(n > from && n < to) || !differ(rep, fixed[a], fixed[b]) ||
                !differ(rep, each[a], each[b]))
                continue;
            bool cheapest = true;
            for (size_t i = 0; i < plot->count; i++)
                cheapest &=
                    i == a || i == b ||
                    cb_rep_shown(rep, fixed[i])->value + n * cb_rep_shown(rep, each[i])->value >=
                        fa + n * ea;
            found[count++] = (struct crossing){n, fa + n * ea, cheapest};
        }
    return count;
}

// Rings on crossings, the advice of this plot: all of them, or where there are many only those
// where the cheapest technique changes. A quick run claims none.
static void crossings(struct cb_rep *rep, struct plot *plot, const struct cb_rep_row **fixed,
                      const struct cb_rep_row **each, double to) {
    struct crossing *found = cb_rep_memory(rep, plot->count * plot->count, sizeof *found);
    size_t count = cb_rep_claims(rep) ? find_crossings(rep, plot, fixed, each, to, found) : 0;
    size_t rings = 0;
    cb_text_add(&plot->dat, "\n\n# crossings: N cost\n");
    for (size_t i = 0; i < count; i++) {
        if (count > MOST_RINGS && !found[i].cheapest)
            continue;
        rings++;
        cb_text_add(&plot->dat, "%.6g %.6g\n", found[i].n, found[i].cost);
        cb_text_add(&plot->layout,
                    "set label %s at first %.6g, first %.6g left offset 0.7,-0.8 font \",10\" "
                    "front\n",
                    quoted(rep, cb_rep_text(rep, "N = %s",
                                            cb_rep_number(rep, ceil(found[i].n), 1000, "\u2009"))),
                    found[i].n, found[i].cost);
    }
    cb_text_add(&plot->layout, "crossings = %zu\n", rings);
}

static bool make_lifetime(struct cb_rep *rep, struct plot *plot) {
    const json_t *x = json_object_get(plot->spec, "x");
    double from = json_number_value(json_object_get(x, "from"));
    double to = json_number_value(json_object_get(x, "to"));
    const struct cb_rep_row **fixed =
        cb_rep_memory(rep, rep->backend_count, sizeof(struct cb_rep_row *));
    const struct cb_rep_row **each =
        cb_rep_memory(rep, rep->backend_count, sizeof(struct cb_rep_row *));
    const int steps = 40;
    for (size_t b = 0; b < rep->backend_count; b++) {
        const char *name = rep->backends[b].name;
        struct series *series = new_series(rep, plot, b, (size_t)steps + 1);
        const struct cb_rep_row *f =
            cb_rep_select(rep, json_object_get(plot->spec, "fixed"), name, plot->compiler);
        const struct cb_rep_row *e =
            cb_rep_select(rep, json_object_get(plot->spec, "each"), name, plot->compiler);
        if (!f || !e || !f->values || !e->values) {
            add_absent(plot, series->backend,
                       strcmp(rep->backends[b].status, "ok") ? rep->backends[b].status
                       : f && !f->values                     ? f->status
                       : e && !e->values                     ? e->status
                                                             : "not measured");
            continue;
        }
        fixed[plot->count] = f;
        each[plot->count++] = e;
        for (int k = 0; k <= steps; k++) {
            double n = from * pow(to / from, (double)k / steps);
            struct cb_rep_estimate cost = {.value = cb_rep_shown(rep, f)->value +
                                                    n * cb_rep_shown(rep, e)->value,
                                           .low = NAN,
                                           .high = NAN};
            if (cost.value > 0)
                add_point(series, n, &cost);
        }
    }
    if (plot->count < 2)
        return false;
    double xmin, xmax, ymin, ymax;
    ranges(plot, &xmin, &xmax, &ymin, &ymax);
    ymin /= 1.5;
    ymax *= 1.5;
    open_layout(rep, plot, lines_height(plot), 70, longest_name(plot) + 36, 54);
    axes(rep, plot, from, to, ymin, ymax);
    log_tics(rep, plot, "x", from, to, false);
    end_labels(plot, rep, ymin, ymax);
    write_series(plot);
    crossings(rep, plot, fixed, each, to);
    return true;
}

// ---- Kinds with a row for each backend ----------------------------------------------------------

// Collects one point a column for each backend: x is the column's number, NaN where missing.
static void collect_rows(struct cb_rep *rep, struct plot *plot, const json_t *columns) {
    size_t n = json_array_size(columns), index;
    json_t *column;
    for (size_t b = 0; b < rep->backend_count; b++) {
        struct series *series = new_series(rep, plot, b, n);
        const char *reason =
            strcmp(rep->backends[b].status, "ok") ? rep->backends[b].status : "not measured";
        bool any = false;
        json_array_foreach(columns, index, column) {
            const struct cb_rep_row *row =
                cb_rep_select(rep, column, series->backend->name, plot->compiler);
            struct cb_rep_estimate none = {NAN, NAN, NAN, 0};
            bool there = row && row->values;
            add_point(series, (double)index, there ? cb_rep_shown(rep, row) : &none);
            any |= there;
            if (row && !there)
                reason = row->status;
        }
        if (any)
            plot->count++;
        else
            add_absent(plot, series->backend, reason);
    }
}

// Names at the left, first backend on top: row i is at y = count - i.
static void row_labels(struct cb_rep *rep, struct plot *plot) {
    struct cb_text *to = &plot->layout;
    cb_text_add(to, "set yrange [0.4:%.1f]\n", (double)plot->count + 0.6);
    cb_text_add(to, "set ytics (");
    for (size_t i = 0; i < plot->count; i++) // a faint line guides the eye along a row
        cb_text_add(to, "%s\"\" %zu", i ? ", " : "", i + 1);
    cb_text_add(to, ")\n");
    for (size_t i = 0; i < plot->count; i++)
        cb_text_add(to, "set label %s at screen %.4f, first %zu right tc rgb \"%s\"\n",
                    quoted(rep, plot->series[i].backend->name), across(plot->left - 10),
                    plot->count - i, colour_of(rep, plot->series[i].backend->family));
}

// A column of texts right of the plot, with its title above.
static void text_column(struct cb_rep *rep, struct plot *plot, const char *title, double at,
                        size_t row, const char *text) {
    if (title)
        cb_text_add(&plot->layout,
                    "set label %s at screen %.4f, %.4f right font \",11\" tc rgb \"#333333\"\n",
                    quoted(rep, title), across(at), 1 - up(plot, plot->top - 9));
    else
        cb_text_add(&plot->layout, "set label %s at screen %.4f, first %zu right\n",
                    quoted(rep, text), across(at), plot->count - row);
}

static bool make_dots(struct cb_rep *rep, struct plot *plot) {
    const json_t *columns = json_object_get(plot->spec, "columns");
    const json_t *x = json_object_get(plot->spec, "x");
    collect_rows(rep, plot, columns);
    size_t width = json_array_size(columns);
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < plot->count; i++)
        for (size_t k = 0; k < width; k++) {
            const struct series *s = &plot->series[i];
            if (s->y[k] > 0) {
                low = fmin(low, s->low[k] > 0 ? s->low[k] : s->y[k]);
                high = fmax(high, s->high[k]);
            }
        }
    if (!(high > 0))
        return false;
    double column_width = 108;
    open_layout(rep, plot, ROW_HEIGHT * (double)plot->count, longest_name(plot) + 28,
                column_width * (double)width + 14, 54);
    low /= 1.4;
    high *= 1.4;
    cb_text_add(&plot->layout, "columns = %zu\nset logscale x 10\nset xrange [%.6g:%.6g]\n", width,
                low, high);
    axis_titles(rep, plot);
    log_tics(rep, plot, "x", low, high, strcmp(cb_rep_string(x, "tics", ""), "time") == 0);
    row_labels(rep, plot);
    for (size_t k = 0; k < width; k++) {
        double at = WIDTH - 14 - column_width * (double)(width - 1 - k);
        const char *title = cb_rep_string(json_array_get(columns, k), "title", "");
        // The mark before the title is the legend.
        text_column(rep, plot, cb_rep_text(rep, "%s %s", k ? "\u25cb" : "\u25cf", title), at, 0,
                    NULL);
        cb_text_add(&plot->dat, "%s# %s: value row low high colour\n", k ? "\n\n" : "", title);
        for (size_t i = 0; i < plot->count; i++) {
            const struct series *s = &plot->series[i];
            if (!(s->y[k] > 0))
                continue;
            text_column(rep, plot, NULL, at, i,
                        cb_rep_text(rep, "%s %s", cb_rep_number(rep, s->y[k], s->y[k], "\u2009"),
                                    cb_rep_string(x, "unit", "")));
            cb_text_add(&plot->dat, "%.6g %zu %.6g %.6g 0x%s\n", s->y[k], plot->count - i,
                        s->low[k], s->high[k], colour_of(rep, s->backend->family) + 1);
        }
    }
    return true;
}

// ---- Kind: stack --------------------------------------------------------------------------------

// A round number at or above value, and into how many round parts it can be cut.
static double round_up(double value, int *parts) {
    double power = pow(10, floor(log10(value)));
    static const struct {
        double step;
        int parts;
    } steps[] = {{1, 5}, {1.5, 3}, {2, 4}, {2.5, 5}, {3, 3}, {4, 4}, {5, 5}, {6, 3}, {8, 4}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (value <= steps[i].step * power * 1.0001) {
            *parts = steps[i].parts;
            return steps[i].step * power;
        }
    *parts = 5;
    return 10 * power;
}

// The largest of the small bars: those below the widest gap, as a factor, between neighbours by
// size. 0 where no gap is wide enough to be worth a scale of their own.
static double small_bars(const double *totals, size_t n) {
    double *sorted = cb_allocate(n, sizeof *sorted), widest = 4, small = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(totals[i] > 0))
            continue;
        size_t at = count++;
        for (; at > 0 && sorted[at - 1] > totals[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = totals[i];
    }
    for (size_t i = 1; i < count; i++)
        if (sorted[i] / sorted[i - 1] > widest) {
            widest = sorted[i] / sorted[i - 1];
            small = sorted[i - 1];
        }
    free(sorted);
    return small;
}

struct panel {
    double left, width; // in units of the x axis
    double scale;       // bytes at its right end
    int parts;          // between tics
};

static void panel_tics(struct cb_rep *rep, struct plot *plot, const struct panel *panel,
                       bool first) {
    for (int i = 0; i <= panel->parts; i++)
        cb_text_add(&plot->layout, "%s%s %.5f", first && i == 0 ? "set xtics (" : ", ",
                    quoted(rep, plain_number(rep, panel->scale * i / panel->parts)),
                    panel->left + panel->width * i / panel->parts);
}

// One bar: its parts one after another, cut at the panel's end.
static void stack_bar(struct cb_rep *rep, struct plot *plot, const struct panel *panel,
                      const json_t *columns, size_t row) {
    const struct series *s = &plot->series[row];
    double at = 0, y = (double)(plot->count - row);
    for (size_t k = 0; k < json_array_size(columns); k++) {
        if (!(s->y[k] > 0))
            continue;
        double next = fmin(at + s->y[k], panel->scale);
        if (next > at)
            cb_text_add(&plot->dat, "%.5f %.3f %.5f %.5f %.3f %.3f 0x%s\n",
                        panel->left + panel->width * (at + next) / 2 / panel->scale, y,
                        panel->left + panel->width * at / panel->scale,
                        panel->left + panel->width * next / panel->scale, y - 0.32, y + 0.32,
                        cb_rep_string(json_array_get(columns, k), "colour", "#000000") + 1);
        at += s->y[k];
    }
    if (at > panel->scale)
        cb_text_add(&plot->layout,
                    "set label \"\u25b6\" at first %.4f, first %.0f center font "
                    "\",10\" front\n",
                    panel->left + panel->width + 0.012, y);
    (void)rep;
}

static bool make_stack(struct cb_rep *rep, struct plot *plot) {
    const json_t *columns = json_object_get(plot->spec, "columns");
    const json_t *x = json_object_get(plot->spec, "x");
    collect_rows(rep, plot, columns);
    if (!plot->count)
        return false;
    double *totals = cb_rep_memory(rep, plot->count, sizeof *totals), most = 0;
    for (size_t i = 0; i < plot->count; i++) {
        for (size_t k = 0; k < json_array_size(columns); k++)
            totals[i] += plot->series[i].y[k] > 0 ? plot->series[i].y[k] : 0;
        most = fmax(most, totals[i]);
    }
    if (!(most > 0))
        return false;
    double small = small_bars(totals, plot->count);
    int count = small > 0 ? 2 : 1;
    struct panel panels[2] = {{.width = count == 2 ? 0.46 : 1}, {.left = 0.54, .width = 0.44}};
    panels[0].scale = round_up(most, &panels[0].parts);
    if (count == 2)
        panels[1].scale = round_up(small, &panels[1].parts);
    open_layout(rep, plot, ROW_HEIGHT * (double)plot->count, longest_name(plot) + 28, 96, 54);
    cb_text_add(&plot->layout, "set xrange [0:1]\n");
    axis_titles(rep, plot);
    for (int p = 0; p < count; p++)
        panel_tics(rep, plot, &panels[p], p == 0);
    cb_text_add(&plot->layout, ")\n");
    row_labels(rep, plot);
    cb_text_add(&plot->dat, "# x y xlow xhigh ylow yhigh colour\n");
    for (int p = 0; p < count; p++) {
        cb_text_add(&plot->layout,
                    "set arrow from first %.4f, graph 0 to first %.4f, graph 1 nohead lw 1 "
                    "lc rgb \"#555555\"\n",
                    panels[p].left, panels[p].left);
        for (size_t i = 0; i < plot->count; i++)
            stack_bar(rep, plot, &panels[p], columns, i);
    }
    for (size_t i = 0; i < plot->count; i++)
        text_column(rep, plot, NULL, WIDTH - 14, i,
                    cb_rep_text(rep, "%s %s", cb_rep_number(rep, totals[i], totals[i], "\u2009"),
                                cb_rep_string(x, "unit", "")));
    // The legend: a coloured square and the name of each part, right-aligned above the plot.
    double at = WIDTH - 14;
    for (size_t k = json_array_size(columns); k-- > 0;) {
        const json_t *column = json_array_get(columns, k);
        const char *title = cb_rep_string(column, "title", "");
        at -= 7.0 * (double)strlen(title);
        cb_text_add(&plot->layout, "set label %s at screen %.4f, %.4f left font \",11\"\n",
                    quoted(rep, title), across(at), 1 - up(plot, plot->top - 9));
        at -= 15;
        cb_text_add(&plot->layout,
                    "set label \"\u25a0\" at screen %.4f, %.4f left font \",14\" tc rgb \"%s\"\n",
                    across(at), 1 - up(plot, plot->top - 9),
                    cb_rep_string(column, "colour", "#000000"));
        at -= 16;
    }
    return true;
}

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
static char *settings(struct cb_rep *rep, const struct plot *plot, const char *terminal,
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
static int draw(struct cb_rep *rep, const struct plot *plot, const char *kind,
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

static int make_plot(struct cb_rep *rep, const json_t *spec, size_t compiler) {
    static const struct {
        const char *kind;
        bool (*make)(struct cb_rep *, struct plot *);
    } kinds[] = {{"lines", make_lines},
                 {"dots", make_dots},
                 {"stack", make_stack},
                 {"lifetime", make_lifetime}};
    const char *kind = cb_rep_string(spec, "kind", ""), *id = cb_rep_string(spec, "id", "");
    struct plot plot = {.spec = spec, .compiler = rep->compilers[compiler]};
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
                cb_rep_text(rep, "%s (%s)", cb_rep_string(spec, "title", ""), plot.compiler);
            rep->plot_notes[rep->plot_count++] = cb_rep_string(spec, "note", "");
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
