// How many operations make a batch of a given length.
#ifndef CB_BENCH_PILOT_H
#define CB_BENCH_PILOT_H

#include "session.h"

struct cb_pilot {
    uint64_t iterations;
    double ns;    // an operation; 0 where it was not run
    double width; // cb_cycle_width, after it
};

// Times run(n) for n = 1, 2, 4, ... until a batch takes `target_ns`, then scales to the target.
// A scenario of kind space is not run: its N is 1. Where the outcome is not ok, N is 1 too.
void cb_pilot_run(struct cb_session *session, double target_ns, struct cb_pilot *pilot);

// The number of operations that take target_ns when n took took_ns: at least 1, and at most
// CB_LIMIT_ITERATIONS.
uint64_t cb_pilot_scale(uint64_t n, double took_ns, double target_ns);

#endif
