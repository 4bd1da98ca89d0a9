// The pilot: doubling, then scaling. A run that reached the target may have been interrupted; the
// iterations would be too few for the whole measurement. So it is repeated, and the shortest
// counts.
#include "pilot.h"

#include "cycle.h"

uint64_t cb_pilot_scale(uint64_t n, double took_ns, double target_ns) {
    if (!(took_ns > 0))
        took_ns = 1;
    double scaled = (double)n * (target_ns / took_ns) + 0.5;
    if (scaled >= (double)CB_LIMIT_ITERATIONS)
        return CB_LIMIT_ITERATIONS;
    return scaled >= 1 ? (uint64_t)scaled : 1;
}

static bool timed_run(struct cb_session *session, uint64_t n, double *took_ns) {
    uint64_t start = cb_now_ns();
    struct cb_counts counts = cb_session_run(session, n);
    *took_ns = (double)(cb_now_ns() - start);
    return cb_session_check(session, n, counts);
}

// Repeats a run as long as it takes `enough`, at most RUNS times in all.
static bool shortest_run(struct cb_session *session, uint64_t n, double enough, double *took_ns) {
    enum { RUNS = 3 };
    for (int i = 0; i < RUNS; i++) {
        double once;
        if (!timed_run(session, n, &once))
            return false;
        *took_ns = i == 0 || once < *took_ns ? once : *took_ns;
        if (*took_ns < enough)
            break;
    }
    return true;
}

void cb_pilot_run(struct cb_session *session, double target_ns, struct cb_pilot *pilot) {
    *pilot = (struct cb_pilot){.iterations = 1};
    if (session->outcome.status != CB_OK || session->entry->s->kind != CB_KIND_TIME)
        return;
    uint64_t n = 1;
    double took_ns = 0;
    while (true) {
        if (!shortest_run(session, n, target_ns, &took_ns))
            return;
        if (took_ns >= target_ns || n >= CB_LIMIT_ITERATIONS)
            break;
        n *= 2;
    }
    pilot->ns = took_ns / (double)n;
    pilot->width = cb_cycle_width(cb_cycle_ns());
    pilot->iterations = cb_pilot_scale(n, took_ns, target_ns);
}
