// Plots with one row a backend: dots on a logarithmic scale, and parts of a whole.
#include "report_plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROW_HEIGHT 25.0 // in pixels

// ---- Kinds with a row for each backend ----------------------------------------------------------

// Collects one point a column for each backend: x is the column's number, NaN where missing.
static void collect_rows(struct cb_rep *rep, struct cb_plot *plot, const json_t *columns) {
    size_t n = json_array_size(columns), index;
    json_t *column;
    for (size_t b = 0; b < rep->backend_count; b++) {
        struct cb_series *series = cb_plot_series_new(rep, plot, b, n);
        const char *reason =
            strcmp(rep->backends[b].status, "ok") ? rep->backends[b].status : "not measured";
        bool any = false;
        json_array_foreach(columns, index, column) {
            const struct cb_rep_row *row =
                cb_rep_select(rep, column, series->backend->name, plot->compiler);
            struct cb_rep_estimate none = {NAN, NAN, NAN, 0};
            bool there = row && row->values;
            cb_plot_point(series, (double)index, there ? cb_rep_shown(rep, row) : &none);
            any |= there;
            if (row && !there)
                reason = row->status;
        }
        if (any)
            plot->count++;
        else
            cb_plot_absent(plot, series->backend, reason);
    }
}

// Names at the left, first backend on top: row i is at y = count - i.
static void row_labels(struct cb_rep *rep, struct cb_plot *plot) {
    struct cb_text *to = &plot->layout;
    cb_text_add(to, "set yrange [0.4:%.1f]\n", (double)plot->count + 0.6);
    cb_text_add(to, "set ytics (");
    for (size_t i = 0; i < plot->count; i++) // a faint line guides the eye along a row
        cb_text_add(to, "%s\"\" %zu", i ? ", " : "", i + 1);
    cb_text_add(to, ")\n");
    for (size_t i = 0; i < plot->count; i++)
        cb_text_add(to, "set label %s at screen %.4f, first %zu right tc rgb \"%s\"\n",
                    cb_plot_quoted(rep, plot->series[i].backend->name),
                    cb_plot_across(plot->left - 10), plot->count - i,
                    cb_plot_colour(rep, plot->series[i].backend->family));
}

// A column of texts right of the plot, with its title above.
static void text_column(struct cb_rep *rep, struct cb_plot *plot, const char *title, double at,
                        size_t row, const char *text) {
    if (title)
        cb_text_add(&plot->layout,
                    "set label %s at screen %.4f, %.4f right font \",11\" tc rgb \"#333333\"\n",
                    cb_plot_quoted(rep, title), cb_plot_across(at),
                    1 - cb_plot_up(plot, plot->top - 9));
    else
        cb_text_add(&plot->layout, "set label %s at screen %.4f, first %zu right\n",
                    cb_plot_quoted(rep, text), cb_plot_across(at), plot->count - row);
}

bool cb_plot_make_dots(struct cb_rep *rep, struct cb_plot *plot) {
    const json_t *columns = json_object_get(plot->spec, "columns");
    const json_t *x = json_object_get(plot->spec, "x");
    collect_rows(rep, plot, columns);
    size_t width = json_array_size(columns);
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < plot->count; i++)
        for (size_t k = 0; k < width; k++) {
            const struct cb_series *s = &plot->series[i];
            if (s->y[k] > 0) {
                low = fmin(low, s->low[k] > 0 ? s->low[k] : s->y[k]);
                high = fmax(high, s->high[k]);
            }
        }
    if (!(high > 0))
        return false;
    double column_width = 108;
    cb_plot_open(rep, plot, ROW_HEIGHT * (double)plot->count, cb_plot_longest_name(plot) + 28,
                 column_width * (double)width + 14);
    low /= 1.4;
    high *= 1.4;
    cb_text_add(&plot->layout, "columns = %zu\nset logscale x 10\nset xrange [%.6g:%.6g]\n", width,
                low, high);
    cb_plot_titles(rep, plot);
    cb_plot_log_tics(rep, plot, "x", low, high, strcmp(cb_rep_string(x, "tics", ""), "time") == 0);
    row_labels(rep, plot);
    for (size_t k = 0; k < width; k++) {
        double at = CB_PLOT_WIDTH - 14 - column_width * (double)(width - 1 - k);
        const char *title = cb_rep_string(json_array_get(columns, k), "title", "");
        // The mark before the title is the legend.
        text_column(rep, plot, cb_rep_text(rep, "%s %s", k ? "\u25cb" : "\u25cf", title), at, 0,
                    NULL);
        cb_text_add(&plot->dat, "%s# %s: value row low high colour\n", k ? "\n\n" : "", title);
        for (size_t i = 0; i < plot->count; i++) {
            const struct cb_series *s = &plot->series[i];
            if (!(s->y[k] > 0))
                continue;
            text_column(rep, plot, NULL, at, i,
                        cb_rep_text(rep, "%s %s", cb_rep_number(rep, s->y[k], s->y[k], "\u2009"),
                                    cb_rep_string(x, "unit", "")));
            cb_text_add(&plot->dat, "%.6g %zu %.6g %.6g 0x%s\n", s->y[k], plot->count - i,
                        s->low[k], s->high[k], cb_plot_colour(rep, s->backend->family) + 1);
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

static void panel_tics(struct cb_rep *rep, struct cb_plot *plot, const struct panel *panel,
                       bool first) {
    for (int i = 0; i <= panel->parts; i++)
        cb_text_add(&plot->layout, "%s%s %.5f", first && i == 0 ? "set xtics (" : ", ",
                    cb_plot_quoted(rep, cb_plot_number(rep, panel->scale * i / panel->parts)),
                    panel->left + panel->width * i / panel->parts);
}

// One bar: its parts one after another, cut at the panel's end.
static void stack_bar(struct cb_plot *plot, const struct panel *panel, const json_t *columns,
                      size_t row) {
    const struct cb_series *s = &plot->series[row];
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
}

// A coloured square and the name of each part, right-aligned above the plot.
static void legend(struct cb_rep *rep, struct cb_plot *plot, const json_t *columns) {
    double at = CB_PLOT_WIDTH - 14;
    for (size_t k = json_array_size(columns); k-- > 0;) {
        const json_t *column = json_array_get(columns, k);
        const char *title = cb_rep_string(column, "title", "");
        at -= 7.0 * (double)strlen(title);
        cb_text_add(&plot->layout, "set label %s at screen %.4f, %.4f left font \",11\"\n",
                    cb_plot_quoted(rep, title), cb_plot_across(at),
                    1 - cb_plot_up(plot, plot->top - 9));
        at -= 15;
        cb_text_add(&plot->layout,
                    "set label \"\u25a0\" at screen %.4f, %.4f left font \",14\" tc rgb \"%s\"\n",
                    cb_plot_across(at), 1 - cb_plot_up(plot, plot->top - 9),
                    cb_rep_string(column, "colour", "#000000"));
        at -= 16;
    }
}

bool cb_plot_make_stack(struct cb_rep *rep, struct cb_plot *plot) {
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
    cb_plot_open(rep, plot, ROW_HEIGHT * (double)plot->count, cb_plot_longest_name(plot) + 28, 96);
    cb_text_add(&plot->layout, "set xrange [0:1]\n");
    cb_plot_titles(rep, plot);
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
            stack_bar(plot, &panels[p], columns, i);
    }
    for (size_t i = 0; i < plot->count; i++)
        text_column(rep, plot, NULL, CB_PLOT_WIDTH - 14, i,
                    cb_rep_text(rep, "%s %s", cb_rep_number(rep, totals[i], totals[i], "\u2009"),
                                cb_rep_string(x, "unit", "")));
    legend(rep, plot, columns);
    return true;
}
