// The pilot: doubling, then scaling.
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
    struct cb_counts counts = session->entry->s->run(n);
    *took_ns = (double)(cb_now_ns() - start);
    return cb_session_check(session, n, counts);
}

void cb_pilot_run(struct cb_session *session, double target_ns, struct cb_pilot *pilot) {
    *pilot = (struct cb_pilot){.iterations = 1};
    if (session->outcome.status != CB_OK || session->entry->s->kind == CB_KIND_SPACE)
        return;
    uint64_t n = 1;
    double took_ns = 0;
    while (true) {
        if (!timed_run(session, n, &took_ns))
            return;
        if (took_ns >= target_ns || n >= CB_LIMIT_ITERATIONS)
            break;
        n *= 2;
    }
    pilot->ns = took_ns / (double)n;
    pilot->iterations = cb_pilot_scale(n, took_ns, target_ns);
}
