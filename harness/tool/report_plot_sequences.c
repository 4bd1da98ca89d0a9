// Small multiples: the values of flagged cells against their rounds, the largest effect first.
#include "report_plot.h"

#include <math.h>
#include <string.h>

#include "stats.h"

#define MOST 12          // panels
#define ACROSS 3         // in a row
#define PANEL_HEIGHT 132 // in pixels
// Inside a panel, which is one unit wide and high.
#define LEFT 0.17
#define RIGHT 0.97
#define LOW 0.14
#define HIGH 0.66

struct panel {
    const struct cb_rep_row *row;
    double x, y;        // of its lower left corner
    double least, most; // of its values
    long first, last;   // rounds
};

static double across(const struct panel *panel, long round) {
    double span = panel->last > panel->first ? (double)(panel->last - panel->first) : 1;
    return panel->x + LEFT + (RIGHT - LEFT) * (double)(round - panel->first) / span;
}

static double up(const struct panel *panel, double value) {
    double span = panel->most > panel->least ? panel->most - panel->least : 1;
    return panel->y + LOW + 0.03 + (HIGH - LOW - 0.06) * (value - panel->least) / span;
}

static void label(struct cb_rep *rep, struct cb_plot *plot, const char *text, double x, double y,
                  const char *how) {
    cb_text_add(&plot->layout, "set label %s at first %.4f, first %.4f %s\n",
                cb_plot_quoted(rep, text), x, y, how);
}

// Title in two lines, what was found, ends of both axes, the shown estimate.
static void frame(struct cb_rep *rep, struct cb_plot *plot, const struct panel *panel) {
    const struct cb_rep_cell *cell = panel->row->cell;
    double left = panel->x + LEFT;
    label(rep, plot, cb_rep_text(rep, "%s, %s (%s)", cell->backend, cell->scenario, cell->compiler),
          left, panel->y + 0.93, "left font \",11\"");
    label(rep, plot,
          cb_rep_text(rep, "%s%s%s%s%s", cell->params, *cell->params ? ", " : "", cell->binding,
                      strcmp(panel->row->metric, "time") == 0 ? "" : ", ",
                      strcmp(panel->row->metric, "time") == 0 ? "" : panel->row->metric),
          left, panel->y + 0.83, "left font \",10\" tc rgb \"#555555\"");
    label(rep, plot, cb_rep_sequence_words(rep, panel->row), left, panel->y + 0.73,
          "left font \",10\" tc rgb \"#B00020\"");
    double ends[] = {panel->least, panel->most};
    const char *unit = panel->row->unit;
    bool plain = strcmp(unit, "ratio") == 0 || strcmp(unit, "count") == 0;
    for (int i = 0; i < 2; i++)
        label(rep, plot,
              cb_rep_text(rep, "%s%s%s", cb_rep_number(rep, ends[i], ends[0], "\u2009"),
                          plain ? "" : " ", plain ? "" : unit),
              left - 0.02, up(panel, ends[i]), "right font \",10\"");
    long rounds[] = {panel->first, panel->last};
    for (int i = 0; i < 2; i++)
        label(rep, plot, cb_rep_text(rep, "%ld", rounds[i]), across(panel, rounds[i]),
              panel->y + LOW - 0.07, "center font \",10\"");
    cb_text_add(&plot->layout,
                "set object rectangle from first %.4f, first %.4f to first %.4f, first %.4f "
                "fs empty border lc rgb \"#cccccc\" lw 0.8 back\n",
                left - 0.01, panel->y + LOW, panel->x + RIGHT + 0.01, panel->y + HIGH);
    double shown = cb_rep_shown(rep, panel->row)->value;
    if (shown >= panel->least && shown <= panel->most)
        cb_text_add(&plot->layout,
                    "set arrow from first %.4f, first %.4f to first %.4f, first %.4f nohead "
                    "lw 0.8 dt (4,4) lc rgb \"#777777\" back\n",
                    left - 0.01, up(panel, shown), panel->x + RIGHT + 0.01, up(panel, shown));
}

static struct panel panel_of(const struct cb_rep *rep, const struct cb_rep_row *row, size_t place,
                             size_t rows) {
    size_t from_top = place / ACROSS;
    struct panel panel = {.row = row,
                          .x = (double)(place % ACROSS),
                          .y = (double)(rows - 1 - from_top),
                          .least = INFINITY,
                          .most = -INFINITY,
                          .first = -1};
    for (size_t slot = 0; slot < rep->slots; slot++)
        if (!isnan(row->values[slot])) {
            panel.least = fmin(panel.least, row->values[slot]);
            panel.most = fmax(panel.most, row->values[slot]);
            panel.first = panel.first < 0 ? rep->slot_round[slot] : panel.first;
            panel.last = rep->slot_round[slot];
        }
    return panel;
}

// A mark for each link, so that groups which are links can be seen.
static int mark_of(long build) {
    static const int marks[] = {7, 5, 9, 13, 6, 4, 8, 12};
    return marks[(size_t)build % (sizeof marks / sizeof *marks)];
}

// Keeps the first row of each cell: its other metrics show the same.
static size_t once_a_cell(struct cb_rep_row **rows, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool seen = false;
        for (size_t k = 0; k < kept && !seen; k++)
            seen = rows[k]->cell == rows[i]->cell;
        if (!seen)
            rows[kept++] = rows[i];
    }
    return kept;
}

bool cb_plot_make_sequences(struct cb_rep *rep, struct cb_plot *plot) {
    struct cb_rep_row **flagged;
    size_t looked_at, n = cb_rep_flagged(rep, &flagged, &looked_at);
    n = once_a_cell(flagged, n);
    if (!n || strcmp(plot->compiler, rep->compilers[0]) != 0)
        return false;
    size_t shown = n < MOST ? n : MOST, rows = (shown + ACROSS - 1) / ACROSS;
    plot->compiler = ""; // cells of all of them
    plot->id = cb_rep_string(plot->spec, "id", "");
    if (n > shown)
        cb_text_add(&plot->absent, "%zu more flagged cells, with smaller effects", n - shown);
    cb_plot_open(rep, plot, PANEL_HEIGHT * (double)rows, 14, 14);
    cb_text_add(&plot->layout, "set xrange [0:%d]\nset yrange [0:%zu]\n", ACROSS, rows);
    cb_plot_titles(rep, plot);
    cb_text_add(&plot->dat, "# points: x y mark colour\n");
    struct cb_text lines = {0};
    for (size_t i = 0; i < shown; i++) {
        struct panel panel = panel_of(rep, flagged[i], i, rows);
        frame(rep, plot, &panel);
        cb_text_add(&lines, "%s# %s %s\n", i ? "\n" : "", flagged[i]->cell->id, flagged[i]->metric);
        for (size_t slot = 0; slot < rep->slots; slot++) {
            if (isnan(flagged[i]->values[slot]))
                continue;
            double x = across(&panel, rep->slot_round[slot]);
            double y = up(&panel, flagged[i]->values[slot]);
            cb_text_add(&plot->dat, "%.5f %.5f %d 0x%s\n", x, y, mark_of(rep->slot_build[slot]),
                        cb_plot_colour(rep, flagged[i]->cell->family) + 1);
            cb_text_add(&lines, "%.5f %.5f\n", x, y);
        }
    }
    cb_text_add(&plot->dat, "\n\n# lines: x y\n%s", lines.text);
    cb_text_clear(&lines);
    return true;
}
