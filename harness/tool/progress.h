// How far long work has come: one line that changes on a terminal, a line each tenth elsewhere.
#ifndef CB_PROGRESS_H
#define CB_PROGRESS_H

#include <stddef.h>
#include <stdio.h>

struct cb_progress {
    FILE *to;
    const char *what; // "pilots", "samples"
    size_t total, done, first;
    double begin;
    size_t tenth; // the last one that was printed
    int terminal; // whether `to` is one
};

// `done` of `total` are there already.
void cb_progress_begin(struct cb_progress *progress, FILE *to, const char *what, size_t total,
                       size_t done);
// Says that the next one begins; `name` is shown on a terminal.
void cb_progress_show(struct cb_progress *progress, const char *name);
void cb_progress_step(struct cb_progress *progress);
// Fewer are left than thought: a cell failed and its later samples are not taken.
void cb_progress_less(struct cb_progress *progress, size_t count);
// Clears the line, so that a message can be printed, or at the end.
void cb_progress_clear(struct cb_progress *progress);

// "mm:ss", or "h:mm:ss" from an hour on.
void cb_progress_duration(char *text, size_t size, double seconds);

#endif
