// Where titles, tics and labels go: gnuplot does not keep labels apart, so it is computed here.
#include "report_plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FOOT_LINE 14.0 // of the caption, in pixels
#define FOOT_CHARACTERS 150

// ---- Small helpers ------------------------------------------------------------------------------

// A text between double quotes for gnuplot.
const char *cb_plot_quoted(struct cb_rep *rep, const char *text) {
    struct cb_text out = {0};
    cb_text_add(&out, "\"");
    for (; *text; text++)
        cb_text_add(&out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    cb_text_add(&out, "\"");
    const char *result = cb_rep_text(rep, "%s", out.text);
    cb_text_clear(&out);
    return result;
}

const char *cb_plot_number(struct cb_rep *rep, double value) {
    if (value == floor(value) && fabs(value) < 1e15) {
        const char *text = cb_rep_number(rep, value, 1000, "\u2009");
        return text;
    }
    return cb_rep_text(rep, "%g", value);
}

const char *cb_plot_colour(const struct cb_rep *rep, const char *family) {
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
double cb_plot_across(double pixels) {
    return pixels / CB_PLOT_WIDTH;
}

double cb_plot_up(const struct cb_plot *plot, double pixels) {
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

static void add_wrapped(struct cb_text *lines, const char *text) {
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
}

// The lines below the plot: machine and mode, and who is missing.
static const char *footer(struct cb_rep *rep, const struct cb_plot *plot, size_t *lines) {
    struct cb_text text = {0};
    add_wrapped(&text, rep->caption);
    if (plot->absent.length)
        add_wrapped(&text, cb_rep_text(rep, "Not shown: %s", plot->absent.text));
    const char *result = cb_rep_text(rep, "%s", text.text);
    cb_text_clear(&text);
    *lines = 1;
    for (const char *at = result; (at = strchr(at, '\n')); at++)
        ++*lines;
    return result;
}

// Title, margins and footer. `inner` is the height of the plotting area in pixels.
void cb_plot_open(struct cb_rep *rep, struct cb_plot *plot, double inner, double left,
                  double right) {
    size_t lines;
    const char *foot = footer(rep, plot, &lines);
    plot->left = left;
    plot->right = right;
    plot->top = 58;
    plot->bottom = CB_PLOT_AXIS + FOOT_LINE * (double)lines + 8;
    plot->height = inner + plot->top + plot->bottom;
    struct cb_text *to = &plot->layout;
    cb_text_add(to, "width = %.0f\nheight = %.0f\nseries = %zu\n", CB_PLOT_WIDTH, plot->height,
                plot->count);
    cb_text_add(to, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n",
                cb_plot_across(left), 1 - cb_plot_across(right));
    cb_text_add(to, "set tmargin at screen %.4f\nset bmargin at screen %.4f\n",
                1 - cb_plot_up(plot, plot->top), cb_plot_up(plot, plot->bottom));
    const char *version = cb_rep_string(json_object_get(rep->run, "compilers"), plot->compiler, "");
    const char *title = cb_rep_string(plot->spec, "title", "");
    if (*plot->compiler)
        title =
            cb_rep_text(rep, "%s (%s%s%s)", title, plot->compiler, *version ? " " : "", version);
    cb_text_add(to, "set label 1 %s at screen %.4f, %.4f left font \",15\" front\n",
                cb_plot_quoted(rep, title), cb_plot_across(14), 1 - cb_plot_up(plot, 22));
    for (size_t i = 0; i < lines; i++) {
        size_t length = strcspn(foot, "\n");
        struct cb_text line = {0};
        cb_text_add_bytes(&line, foot, length);
        cb_text_add(to,
                    "set label %zu %s at screen %.4f, %.4f left font \",10\" tc rgb \"#555555\"\n",
                    10 + i, cb_plot_quoted(rep, line.text ? line.text : ""), cb_plot_across(14),
                    cb_plot_up(plot, 8 + FOOT_LINE * ((double)(lines - i) - 0.5)));
        cb_text_clear(&line);
        foot += length + (foot[length] == '\n');
    }
    for (size_t i = 0; i < plot->count; i++) {
        const struct cb_series *series = &plot->series[i];
        cb_text_add(to, "set linetype %zu lc rgb \"%s\" lw 2 dt %s pt %d ps 0.6\n", i + 1,
                    cb_plot_colour(rep, series->backend->family), dash_of(series->within),
                    mark_of(series->within));
    }
}

// Titles of the axes, where they can't collide: x below its tics, y above its axis.
void cb_plot_titles(struct cb_rep *rep, struct cb_plot *plot) {
    const json_t *x = json_object_get(plot->spec, "x"), *y = json_object_get(plot->spec, "y");
    cb_text_add(&plot->layout, "set label 2 %s at graph 0.5, screen %.4f center\n",
                cb_plot_quoted(rep, cb_rep_string(x, "title", "")),
                cb_plot_up(plot, plot->bottom - 41));
    if (y)
        cb_text_add(&plot->layout, "set label 3 %s at screen %.4f, %.4f left tc rgb \"#333333\"\n",
                    cb_plot_quoted(rep, cb_rep_string(y, "title", "")), cb_plot_across(14),
                    1 - cb_plot_up(plot, plot->top - 14));
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
void cb_plot_log_tics(struct cb_rep *rep, struct cb_plot *plot, const char *axis, double low,
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
            const char *label = is_time ? time_text(rep, exact) : cb_plot_number(rep, exact);
            if (major)
                cb_text_add(to, "%s%s %.6g", first ? "" : ", ", cb_plot_quoted(rep, label), minor);
            else
                cb_text_add(to, "%s\"\" %.6g 1", first ? "" : ", ", minor);
            first = false;
        }
    cb_text_add(to, ")\n");
}

// Labels at the right end of lines, kept apart, each with a thin line to its end; dotted where the
// line ends early, so that it is not taken for data.
void cb_plot_end_labels(struct cb_rep *rep, struct cb_plot *plot, double ymin, double ymax) {
    double inner = plot->height - plot->top - plot->bottom;
    size_t *order = cb_allocate(plot->count, sizeof *order);
    double *at = cb_allocate(plot->count, sizeof *at);
    double *end = cb_allocate(plot->count, sizeof *end);
    for (size_t i = 0; i < plot->count; i++) {
        const struct cb_series *series = &plot->series[i];
        end[i] = inner * log(series->y[series->points - 1] / ymin) / log(ymax / ymin);
        size_t place = i;
        for (; place > 0 && end[order[place - 1]] > end[i]; place--)
            order[place] = order[place - 1];
        order[place] = i;
    }
    for (size_t i = 0; i < plot->count; i++)
        at[i] = end[order[i]];
    spread(at, plot->count, CB_PLOT_LINE_HEIGHT, -CB_PLOT_LINE_HEIGHT, inner + CB_PLOT_LINE_HEIGHT);
    double label = 1 + 22 / (CB_PLOT_WIDTH - plot->left - plot->right), xmax = 0;
    for (size_t i = 0; i < plot->count; i++)
        xmax = fmax(xmax, plot->series[i].x[plot->series[i].points - 1]);
    for (size_t i = 0; i < plot->count; i++) {
        const struct cb_series *series = &plot->series[order[i]];
        const char *colour = cb_plot_colour(rep, series->backend->family);
        cb_text_add(&plot->layout,
                    "set arrow from first %.6g, first %.6g to graph %.4f, graph %.4f nohead "
                    "lw 0.6 dt %s lc rgb \"%s\" back\n",
                    series->x[series->points - 1], series->y[series->points - 1], label - 0.004,
                    at[i] / inner, series->x[series->points - 1] < xmax ? "(2,5)" : "solid",
                    colour);
        cb_text_add(&plot->layout, "set label %s at graph %.4f, graph %.4f left tc rgb \"%s\"\n",
                    cb_plot_quoted(rep, series->backend->name), label + 0.003, at[i] / inner,
                    colour);
    }
    free(end);
    free(at);
    free(order);
}

// ---- Series -------------------------------------------------------------------------------------

void cb_plot_absent(struct cb_plot *plot, const struct cb_rep_backend *backend,
                    const char *status) {
    cb_text_add(&plot->absent, "%s%s (%s)", plot->absent.length ? ", " : "", backend->name, status);
}

// A family's backends are numbered in the order of all tables, absent ones too: a backend keeps its
// dash and mark in every plot of a run.
static size_t place_in_family(const struct cb_rep *rep, size_t backend) {
    size_t within = 0;
    for (size_t i = 0; i < backend; i++)
        within += strcmp(rep->backends[i].family, rep->backends[backend].family) == 0 &&
                  rep->backends[i].variant == rep->backends[backend].variant;
    return within;
}

struct cb_series *cb_plot_series_new(struct cb_rep *rep, struct cb_plot *plot, size_t backend,
                                     size_t room) {
    struct cb_series *series = &plot->series[plot->count];
    *series = (struct cb_series){.backend = &rep->backends[backend],
                                 .within = place_in_family(rep, backend)};
    series->x = cb_rep_memory(rep, room, sizeof *series->x);
    series->y = cb_rep_memory(rep, room, sizeof *series->y);
    series->low = cb_rep_memory(rep, room, sizeof *series->low);
    series->high = cb_rep_memory(rep, room, sizeof *series->high);
    return series;
}

// Where there is no interval, the bar has no length.
void cb_plot_point(struct cb_series *series, double x, const struct cb_rep_estimate *estimate) {
    size_t at = series->points++;
    series->x[at] = x;
    series->y[at] = estimate->value;
    series->low[at] = isnan(estimate->low) ? estimate->value : estimate->low;
    series->high[at] = isnan(estimate->high) ? estimate->value : estimate->high;
}

void cb_plot_sort(struct cb_series *s) {
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

void cb_plot_write_series(struct cb_plot *plot) {
    for (size_t i = 0; i < plot->count; i++) {
        const struct cb_series *s = &plot->series[i];
        cb_text_add(&plot->dat, "%s# %s: x value low high\n", i ? "\n\n" : "", s->backend->name);
        for (size_t k = 0; k < s->points; k++)
            cb_text_add(&plot->dat, "%.6g %.6g %.6g %.6g\n", s->x[k], s->y[k], s->low[k],
                        s->high[k]);
    }
}

double cb_plot_longest_name(const struct cb_plot *plot) {
    size_t longest = 0;
    for (size_t i = 0; i < plot->count; i++)
        if (strlen(plot->series[i].backend->name) > longest)
            longest = strlen(plot->series[i].backend->name);
    return 7.2 * (double)longest;
}
