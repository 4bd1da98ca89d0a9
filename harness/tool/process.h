// Runs one program with a time limit and keeps what it prints.
#ifndef CB_PROCESS_H
#define CB_PROCESS_H

#include <stddef.h>

#include "message.h"

enum cb_ending {
    CB_ENDED,       // by exit; code is its status
    CB_CRASHED,     // by a signal of its own; code is the signal
    CB_TIMED_OUT,   // killed with its process group when the limit was reached
    CB_INTERRUPTED, // killed because corobench was asked to stop; code is the signal
    CB_NOT_STARTED, // code is the errno
};

struct cb_process {
    enum cb_ending ending;
    int code;
    double seconds;
    struct cb_text out; // standard output, up to 16 MiB
    struct cb_text err; // standard error, up to 64 KiB
};

// Starts argv[0] (a path) in a process group of its own, with `extra` ("NAME=value" texts, NULL-
// ended, may be NULL) added to the environment; waits for its end at most `limit` seconds. Free
// the result by cb_process_free.
void cb_process_run(struct cb_process *process, char *const argv[], char *const extra[],
                    double limit);
void cb_process_free(struct cb_process *process);

// Why it did not end well, in a few words ("killed by signal 11 (Segmentation fault): ..."), with
// the last line of its standard error; paths of this machine are cut down to file names. Free it.
char *cb_process_reason(const struct cb_process *process, double limit);

// The monotonic clock.
double cb_seconds(void);

// From now on SIGINT, SIGTERM and SIGHUP do not end corobench; they end the program being run, and
// cb_stop_asked returns the signal from then on (0 before).
void cb_stop_watch(void);
int cb_stop_asked(void);
// Signals end corobench again.
void cb_stop_unwatch(void);

// Cuts absolute paths in a text down to their last part, except those of the kernel's own files
// (/proc, /sys, /dev), which mean the same everywhere. Works in place.
void cb_scrub_paths(char *text);

#endif
