// [37/240] eta 04:10
#include "progress.h"

#include <math.h>
#include <unistd.h>

#include "process.h"

void cb_progress_duration(char *text, size_t size, double seconds) {
    long s = lround(fmax(0, fmin(seconds, 1e8)));
    if (s < 3600)
        snprintf(text, size, "%02ld:%02ld", s / 60, s % 60);
    else
        snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

void cb_progress_begin(struct cb_progress *progress, FILE *to, const char *what, size_t total,
                       size_t done) {
    *progress = (struct cb_progress){.to = to,
                                     .what = what,
                                     .total = total,
                                     .done = done,
                                     .first = done,
                                     .begin = cb_seconds(),
                                     .tenth = total ? done * 10 / total : 0,
                                     .terminal = isatty(fileno(to))};
}

// The time left, from the time that the ones before took; "--:--" while there is none.
static void eta(const struct cb_progress *progress, char *text, size_t size) {
    size_t measured = progress->done - progress->first;
    if (measured == 0) {
        snprintf(text, size, "--:--");
        return;
    }
    double each = (cb_seconds() - progress->begin) / (double)measured;
    cb_progress_duration(text, size, each * (double)(progress->total - progress->done));
}

void cb_progress_show(struct cb_progress *progress, const char *name) {
    if (!progress->terminal)
        return;
    char left[32];
    eta(progress, left, sizeof left);
    // Cut so that it stays one line on a narrow terminal.
    fprintf(progress->to, "\r\033[K[%zu/%zu] eta %s  %s %.44s", progress->done, progress->total,
            left, progress->what, name);
    fflush(progress->to);
}

void cb_progress_step(struct cb_progress *progress) {
    progress->done++;
    size_t tenth = progress->total ? progress->done * 10 / progress->total : 0;
    if (progress->terminal || tenth == progress->tenth)
        return;
    progress->tenth = tenth;
    char left[32];
    eta(progress, left, sizeof left);
    fprintf(progress->to, "[%zu/%zu] eta %s  %s\n", progress->done, progress->total, left,
            progress->what);
    fflush(progress->to);
}

void cb_progress_less(struct cb_progress *progress, size_t count) {
    progress->total -= count < progress->total ? count : progress->total;
}

void cb_progress_clear(struct cb_progress *progress) {
    if (progress->terminal)
        fputs("\r\033[K", progress->to);
    fflush(progress->to);
}
