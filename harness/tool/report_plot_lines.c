// Plots with one line a backend: a value over a parameter, and the cost of whole lifetimes.
#include "report_plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

// On the x axis: two make a line; of the second compiler only a shape is worth a plot of its own.
#define LEAST_POINTS 2
#define LEAST_POINTS_OF_OTHERS 3
#define MOST_RINGS 8 // that a reader can tell apart

// The cells of a scenario whose params, without the key of the x axis, are the wanted ones.
static void collect_lines(struct cb_rep *rep, struct cb_plot *plot) {
    const json_t *cells = json_object_get(plot->spec, "cells");
    const char *key = cb_rep_string(json_object_get(plot->spec, "x"), "key", "");
    const char *scenario = cb_rep_string(cells, "scenario", "");
    const char *binding = cb_rep_string(cells, "binding", "");
    const char *params = cb_rep_string(cells, "params", "");
    const char *metric = cb_rep_string(cells, "metric", "");
    for (size_t b = 0; b < rep->backend_count; b++) {
        if (rep->backends[b].variant)
            continue;
        struct cb_series *series = cb_plot_series_new(rep, plot, b, rep->row_count);
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
                cb_plot_point(series, strtod(x, NULL), estimate);
            else
                reason = row->status;
        }
        cb_plot_sort(series);
        if (series->points)
            plot->count++;
        else
            cb_plot_absent(plot, series->backend, reason);
    }
}

static void ranges(const struct cb_plot *plot, double *xmin, double *xmax, double *ymin,
                   double *ymax) {
    *xmin = *ymin = INFINITY;
    *xmax = *ymax = 0;
    for (size_t i = 0; i < plot->count; i++)
        for (size_t k = 0; k < plot->series[i].points; k++) {
            const struct cb_series *s = &plot->series[i];
            *xmin = fmin(*xmin, s->x[k]);
            *xmax = fmax(*xmax, s->x[k]);
            *ymin = fmin(*ymin, s->low[k] > 0 ? s->low[k] : s->y[k]);
            *ymax = fmax(*ymax, s->high[k]);
        }
}

// ---- Kind: lines --------------------------------------------------------------------------------

static void axes(struct cb_rep *rep, struct cb_plot *plot, double xmin, double xmax, double ymin,
                 double ymax) {
    const json_t *x = json_object_get(plot->spec, "x"), *y = json_object_get(plot->spec, "y");
    bool is_time = strcmp(cb_rep_string(y, "tics", ""), "time") == 0;
    struct cb_text *to = &plot->layout;
    cb_text_add(to, "set logscale x %g\nset logscale y 10\n",
                json_number_value(json_object_get(x, "base")));
    cb_text_add(to, "set xrange [%.6g:%.6g]\nset yrange [%.6g:%.6g]\n", xmin, xmax, ymin, ymax);
    cb_plot_titles(rep, plot);
    cb_plot_log_tics(rep, plot, "y", ymin, ymax, is_time);
}

// Tics of the x axis at the values that were measured.
static void measured_tics(struct cb_rep *rep, struct cb_plot *plot, double xmin, double xmax) {
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
    double inner = CB_PLOT_WIDTH - plot->left - plot->right;
    for (size_t i = 0; i < count; i++) {
        // A label that would touch a smaller value's is left out; its tic stays.
        bool crowded = false;
        for (size_t k = 0; k < count; k++)
            crowded |=
                values[k] < values[i] && inner * log(values[i] / values[k]) / log(xmax / xmin) < 24;
        cb_text_add(to, "%s%s %.6g", i ? ", " : "",
                    crowded ? "\"\"" : cb_plot_quoted(rep, cb_plot_number(rep, values[i])),
                    values[i]);
    }
    cb_text_add(to, ")\n");
}

static size_t distinct_x(const struct cb_plot *plot) {
    size_t most = 0;
    for (size_t i = 0; i < plot->count; i++)
        if (plot->series[i].points > most)
            most = plot->series[i].points;
    return most;
}

// Tall enough for its labels: 25 of them need more than five do.
static double lines_height(const struct cb_plot *plot) {
    return fmax(380, CB_PLOT_LINE_HEIGHT * (double)plot->count + 20);
}

bool cb_plot_make_lines(struct cb_rep *rep, struct cb_plot *plot) {
    collect_lines(rep, plot);
    bool first = strcmp(plot->compiler, rep->compilers[0]) == 0;
    if (distinct_x(plot) < (first ? LEAST_POINTS : LEAST_POINTS_OF_OTHERS))
        return false;
    double xmin, xmax, ymin, ymax;
    ranges(plot, &xmin, &xmax, &ymin, &ymax);
    double pad = pow(ymax / ymin, 0.04);
    ymin /= pad;
    ymax *= pad;
    double side = pow(xmax / xmin, 0.02);
    cb_plot_open(rep, plot, lines_height(plot), 70, cb_plot_longest_name(plot) + 36);
    axes(rep, plot, xmin / side, xmax * side, ymin, ymax);
    measured_tics(rep, plot, xmin / side, xmax * side);
    cb_plot_end_labels(rep, plot, ymin, ymax);
    cb_plot_write_series(plot);
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

static size_t find_crossings(struct cb_rep *rep, const struct cb_plot *plot,
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
static void crossings(struct cb_rep *rep, struct cb_plot *plot, const struct cb_rep_row **fixed,
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
        cb_text_add(
            &plot->layout,
            "set label %s at first %.6g, first %.6g left offset 0.7,-0.8 font \",10\" "
            "front\n",
            cb_plot_quoted(rep, cb_rep_text(rep, "N = %s",
                                            cb_rep_number(rep, ceil(found[i].n), 1000, "\u2009"))),
            found[i].n, found[i].cost);
    }
    cb_text_add(&plot->layout, "crossings = %zu\n", rings);
}

bool cb_plot_make_lifetime(struct cb_rep *rep, struct cb_plot *plot) {
    const json_t *x = json_object_get(plot->spec, "x");
    double from = json_number_value(json_object_get(x, "from"));
    double to = json_number_value(json_object_get(x, "to"));
    const struct cb_rep_row **fixed =
        cb_rep_memory(rep, rep->backend_count, sizeof(struct cb_rep_row *));
    const struct cb_rep_row **each =
        cb_rep_memory(rep, rep->backend_count, sizeof(struct cb_rep_row *));
    const int steps = 40;
    for (size_t b = 0; b < rep->backend_count; b++) {
        if (rep->backends[b].variant)
            continue;
        const char *name = rep->backends[b].name;
        struct cb_series *series = cb_plot_series_new(rep, plot, b, (size_t)steps + 1);
        const struct cb_rep_row *f =
            cb_rep_select(rep, json_object_get(plot->spec, "fixed"), name, plot->compiler);
        const struct cb_rep_row *e =
            cb_rep_select(rep, json_object_get(plot->spec, "each"), name, plot->compiler);
        if (!f || !e || !f->values || !e->values) {
            cb_plot_absent(plot, series->backend,
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
                cb_plot_point(series, n, &cost);
        }
    }
    if (plot->count < 2)
        return false;
    double xmin, xmax, ymin, ymax;
    ranges(plot, &xmin, &xmax, &ymin, &ymax);
    ymin /= 1.5;
    ymax *= 1.5;
    cb_plot_open(rep, plot, lines_height(plot), 70, cb_plot_longest_name(plot) + 36);
    axes(rep, plot, from, to, ymin, ymax);
    cb_plot_log_tics(rep, plot, "x", from, to, false);
    cb_plot_end_labels(rep, plot, ymin, ymax);
    cb_plot_write_series(plot);
    crossings(rep, plot, fixed, each, to);
    return true;
}
