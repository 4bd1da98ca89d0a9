// What the files that make plots share: a plot being laid out, and what all kinds of plots need.
//
// report_plots.c runs gnuplot; report_plot_layout.c places titles, tics and labels;
// report_plot_lines.c, report_plot_rows.c and report_plot_sequences.c are the kinds of plots.
#ifndef CB_REPORT_PLOT_H
#define CB_REPORT_PLOT_H

#include "report_internal.h"

#define CB_PLOT_WIDTH 900.0      // of every plot, in units that gnuplot's svg terminal calls pixels
#define CB_PLOT_LINE_HEIGHT 16.0 // of a label
#define CB_PLOT_AXIS 54.0        // room below the plotting area for tics and title

// One line or row: a backend with its points.
struct cb_series {
    const struct cb_rep_backend *backend;
    size_t within; // place among its family's backends: decides dash and mark
    double *x, *y, *low, *high;
    size_t points;
};

struct cb_plot {
    const json_t *spec; // its entry in plots.json
    const char *id, *compiler;
    struct cb_series *series; // room for one a backend
    size_t count;
    double left, right, top, bottom, height; // margins and height, in pixels
    struct cb_text dat, layout;              // the two files
    struct cb_text absent;                   // "name (status)" of backends without a point
};

// ---- The kinds: fill dat and layout; false where this run has too little for such a plot --------

bool cb_plot_make_lines(struct cb_rep *rep, struct cb_plot *plot);
bool cb_plot_make_lifetime(struct cb_rep *rep, struct cb_plot *plot);
bool cb_plot_make_dots(struct cb_rep *rep, struct cb_plot *plot);
bool cb_plot_make_stack(struct cb_rep *rep, struct cb_plot *plot);
bool cb_plot_make_forecast(struct cb_rep *rep, struct cb_plot *plot);
bool cb_plot_make_sequences(struct cb_rep *rep, struct cb_plot *plot); // of all compilers, once

// ---- Texts and places ---------------------------------------------------------------------------

// A text between double quotes for gnuplot.
const char *cb_plot_quoted(struct cb_rep *rep, const char *text);
// A number as a tic says it: thousands kept apart, no needless decimals.
const char *cb_plot_number(struct cb_rep *rep, double value);
const char *cb_plot_colour(const struct cb_rep *rep, const char *family);
// Screen coordinates (0..1) of pixels from the left, and from the bottom.
double cb_plot_across(double pixels);
double cb_plot_up(const struct cb_plot *plot, double pixels);
// The width of the longest backend's name, in pixels, about.
double cb_plot_longest_name(const struct cb_plot *plot);

// Title, margins, footer and line types. `inner` is the height of the plotting area in pixels. All
// series must be there.
void cb_plot_open(struct cb_rep *rep, struct cb_plot *plot, double inner, double left,
                  double right);
// Titles of the axes, where they can't collide: x below its tics, y above its axis.
void cb_plot_titles(struct cb_rep *rep, struct cb_plot *plot);
// Tics at 1, or 1 2 5, times powers of ten; as times with a unit, or as numbers.
void cb_plot_log_tics(struct cb_rep *rep, struct cb_plot *plot, const char *axis, double low,
                      double high, bool is_time);
// Labels at the right end of lines, kept apart, each with a thin line to its end; dotted where the
// line ends early, so that it is not taken for data. y is logarithmic.
void cb_plot_end_labels(struct cb_rep *rep, struct cb_plot *plot, double ymin, double ymax);

// ---- Series -------------------------------------------------------------------------------------

// The next series, of rep->backends[backend]; it counts once the caller raises plot->count.
struct cb_series *cb_plot_series_new(struct cb_rep *rep, struct cb_plot *plot, size_t backend,
                                     size_t room);
void cb_plot_absent(struct cb_plot *plot, const struct cb_rep_backend *backend, const char *status);
// Where there is no interval, the bar has no length.
void cb_plot_point(struct cb_series *series, double x, const struct cb_rep_estimate *estimate);
void cb_plot_sort(struct cb_series *series); // by x
void cb_plot_write_series(struct cb_plot *plot);

#endif
