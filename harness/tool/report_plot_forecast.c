// The plot of predictions over what was measured, both logarithmic: a mark for each program on each
// technique, the diagonal, and the errors that were wanted beside it.
#include "report_plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "choose.h"

#define INNER 520.0      // height of the plotting area, in pixels
#define NAME_WIDTH 110.0 // room for a name
#define NAME_HEIGHT 12.0

static const int marks[] = {7, 5, 9, 13, 11, 6, 4, 8, 12, 10};
#define MARKS (sizeof marks / sizeof *marks)

static void write_points(struct cb_rep *rep, struct cb_plot *plot, const struct cb_trials *trials) {
    const struct cb_named_program *last = NULL;
    size_t programs = 0;
    for (size_t i = 0; i < trials->count; i++) {
        const struct cb_trial *trial = &trials->list[i];
        if (isnan(trial->error))
            continue;
        if (trial->program != last) {
            cb_text_add(&plot->dat, "%s# %s: measured predicted low high colour\n",
                        programs ? "\n\n" : "", trial->program->id);
            // A gnuplot mark and the program's name: the legend, one line each, upper left.
            double up = CB_PLOT_LINE_HEIGHT * (double)(programs + 1);
            cb_text_add(&plot->layout,
                        "set label %s at screen %.4f, %.4f left point pt %d ps 0.8 offset 1,0\n",
                        cb_plot_quoted(rep, trial->program->title), cb_plot_across(plot->left + 18),
                        1 - cb_plot_up(plot, plot->top + up), marks[programs % MARKS]);
            last = trial->program;
            programs++;
        }
        cb_text_add(&plot->dat, "%.6g %.6g %.6g %.6g 0x%s\n",
                    cb_rep_shown(rep, trial->measured)->value, trial->forecast.time,
                    trial->forecast.low, trial->forecast.high,
                    cb_plot_colour(rep, trial->forecast.backend->family) + 1);
    }
    cb_text_add(&plot->layout, "programs = %zu\narray marks[%zu]\n", programs, programs);
    for (size_t i = 0; i < programs; i++)
        cb_text_add(&plot->layout, "marks[%zu] = %d\n", i + 1, marks[i % MARKS]);
}

// Where a mark is on an axis of so many pixels.
static double pixel(double value, double low, double high, double length) {
    return length * log(value / low) / log(high / low);
}

// What was missed is named beside its mark, away from the diagonal, where there is room.
static void name_misses(struct cb_rep *rep, struct cb_plot *plot, const struct cb_trials *trials,
                        double low, double high) {
    double(*named)[2] = cb_rep_memory(rep, trials->count + 1, sizeof *named);
    size_t count = 0;
    for (size_t i = 0; i < trials->count; i++) {
        const struct cb_trial *trial = &trials->list[i];
        if (!(fabs(trial->error) > trials->wanted_p90))
            continue;
        double measured = cb_rep_shown(rep, trial->measured)->value;
        bool above = trial->error > 0, room = true;
        double x = pixel(measured, low, high, CB_PLOT_WIDTH - plot->left - plot->right) +
                   (above ? -NAME_WIDTH : 0);
        double y = pixel(trial->forecast.time, low, high, INNER);
        for (size_t k = 0; k < count; k++)
            room &= fabs(named[k][0] - x) > NAME_WIDTH || fabs(named[k][1] - y) > NAME_HEIGHT;
        if (!room)
            continue;
        named[count][0] = x;
        named[count++][1] = y;
        cb_text_add(&plot->layout,
                    "set label %s at first %.6g, first %.6g %s font \",10\" tc rgb \"%s\"\n",
                    cb_plot_quoted(rep, trial->forecast.backend->name), measured,
                    trial->forecast.time, above ? "right offset -0.8,0" : "left offset 0.8,0",
                    cb_plot_colour(rep, trial->forecast.backend->family));
    }
}

bool cb_plot_make_forecast(struct cb_rep *rep, struct cb_plot *plot) {
    if (!rep->model)
        return false;
    struct cb_trials trials = cb_choose_try(rep->model, plot->compiler);
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < trials.count; i++) {
        if (isnan(trials.list[i].error))
            continue;
        double measured = cb_rep_shown(rep, trials.list[i].measured)->value;
        low = fmin(low, fmin(measured, trials.list[i].forecast.time));
        high = fmax(high, fmax(measured, trials.list[i].forecast.time));
    }
    if (!(low > 0 && high > low))
        return false;
    low /= 1.5;
    high *= 1.5;
    cb_plot_open(rep, plot, INNER, 70, 110);
    cb_text_add(&plot->layout,
                "set logscale xy 10\nset xrange [%.6g:%.6g]\nset yrange [%.6g:%.6g]\n"
                "median = %g\np90 = %g\n",
                low, high, low, high, trials.wanted_median, trials.wanted_p90);
    cb_plot_titles(rep, plot);
    cb_plot_log_tics(rep, plot, "x", low, high, true);
    cb_plot_log_tics(rep, plot, "y", low, high, true);
    write_points(rep, plot, &trials);
    name_misses(rep, plot, &trials, low, high);
    return true;
}
