// Opening and closing a cell: claims, pins, settings, preparation; checking what runs did.
#include "session.h"

#include <errno.h>
#include <fenv.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cycle.h"
#include "foresee.h"

void cb_cell_claims(const struct cb_scenario *scenario, const struct cb_params *params,
                    unsigned capabilities, struct cb_outcome *outcome) {
    unsigned needed = scenario->needs ? scenario->needs(params) : 0;
    if (cb_param_is(params, "guard", "no"))
        needed |= CO_CAP_GUARD;
    if (cb_param(params, "cpus", 1) > 1)
        needed |= CO_CAP_PARALLEL;
    unsigned missing = needed & ~capabilities;
    char names[256];
    cb_capability_list(missing, names, sizeof names);
    cb_outcome_set(outcome, missing ? CB_NOT_CLAIMED : CB_OK, "%s", names);
}

static bool session_ok(const struct cb_session *session) {
    return session->outcome.status == CB_OK;
}

const char *cb_session_reason(const struct cb_session *session) {
    const struct cb_backend_calls *backend = &session->bench->backend;
    if (session->library && backend->lib_reason)
        return backend->lib_reason();
    return backend->reason();
}

// The runtime in the shared object has settings of its own.
static void configure(struct cb_session *session) {
    const struct cb_backend_calls *backend = &session->bench->backend;
    struct co_config config = {
        .fresh = cb_param_is(session->params, "storage", "fresh"),
        .guard = !cb_param_is(session->params, "guard", "no"),
        .memory_limit = 0,
        .thread_started = session->pins.count > 1 ? cb_pin_thread_started : NULL,
    };
    int error = backend->configure(&config);
    if (error < 0) {
        cb_outcome_from_error(&session->outcome, "co_backend_configure", error, backend->reason());
        return;
    }
    if (!session->library)
        return;
    if (backend->lib_configure) {
        error = backend->lib_configure(&config);
        if (error < 0)
            cb_outcome_from_error(&session->outcome, "co_lib_backend_configure", error,
                                  cb_session_reason(session));
    } else if (config.fresh || !config.guard || config.thread_started) {
        cb_outcome_set(&session->outcome, CB_UNAVAILABLE,
                       "the shared object has no co_lib_backend_configure, which this cell needs");
    }
}

// The key n is how many coroutines live at once, in every scenario that has it. A backend that says
// it can't have so many is believed: trying would take it seconds, or the machine its last thread.
static bool within_limit(struct cb_session *session) {
    long n = cb_param(session->params, "n", 0);
    struct co_limit limit = session->bench->backend.limit();
    if (n > 0 && (uint64_t)n > limit.live)
        cb_outcome_set(&session->outcome, CB_UNAVAILABLE, "n=%ld is more than %zu alive: %s", n,
                       limit.live, limit.reason ? limit.reason : "the backend gives no reason");
    return session_ok(session);
}

static bool prepare(struct cb_session *session) {
    const struct cb_scenario *scenario = session->entry->s;
    feclearexcept(FE_ALL_EXCEPT);
    int error = scenario->prepare ? scenario->prepare(session->params) : 0;
    if (error < 0)
        cb_outcome_from_error(&session->outcome, "prepare", error, cb_session_reason(session));
    return error >= 0;
}

static double width_now(void) {
    return cb_cycle_width(cb_cycle_ns());
}

enum cb_pin_result cb_session_open(struct cb_session *session, const struct cb_bench *bench,
                                   const struct cb_registry_entry *entry,
                                   const struct cb_params *params, const int *cpus, int cpu_count,
                                   const struct cb_calm *calm, char *why, size_t why_size) {
    memset(session, 0, sizeof *session);
    session->bench = bench;
    session->entry = entry;
    session->params = params;
    session->library = strcmp(entry->binding, "library") == 0;
    cb_cell_claims(entry->s, params, bench->facts->capabilities, &session->outcome);
    if (!session_ok(session))
        return CB_PIN_OK;
    int units = cb_param(params, "cpus", 1) > 1 ? 2 : 1;
    switch (cpu_count == CB_UNPINNED
                ? CB_PIN_OK
                : cb_pin_start(&session->pins, cpus, cpu_count, units, why, why_size)) {
    case CB_PIN_USAGE:
        return CB_PIN_USAGE;
    case CB_PIN_UNAVAILABLE:
        cb_outcome_set(&session->outcome, CB_UNAVAILABLE, "%s", why);
        return CB_PIN_OK;
    case CB_PIN_OK:
        break;
    }
    // Before anything starts a thread, which inherits the unit.
    if (calm->width > 0 && session->pins.count == 1 &&
        !cb_pin_seek_calm(&session->pins, cpu_count == 2 ? cpus[1] : -1, calm, width_now)) {
        cb_outcome_set(&session->outcome, CB_UNAVAILABLE, "could not be pinned again: %s",
                       strerror(errno));
        return CB_PIN_OK;
    }
    configure(session);
    if (session_ok(session) && within_limit(session) && cb_foresee(session))
        session->prepared = prepare(session);
    return CB_PIN_OK;
}

void cb_session_close(struct cb_session *session) {
    const struct cb_backend_calls *backend = &session->bench->backend;
    if (session->prepared && session->entry->s->finish)
        session->entry->s->finish();
    if (session->prepared)
        backend->trim();
    if (session->prepared && session->library && backend->lib_trim)
        backend->lib_trim();
    session->prepared = false;
    if (session_ok(session) && cb_pin_thread_failures() > 0)
        cb_outcome_set(&session->outcome, CB_UNAVAILABLE,
                       "%u threads could not be pinned to CPU %d", cb_pin_thread_failures(),
                       session->pins.cpus[1]);
    cb_pin_stop();
}

static void expect(struct cb_session *session, uint64_t n) {
    if (session->expected_n == n)
        return;
    session->expected = session->entry->s->expect(n);
    session->expected_n = n;
}

static bool same(struct cb_session *session, const char *what, uint64_t n, uint64_t got,
                 uint64_t expected) {
    if (got == expected)
        return true;
    cb_outcome_set(&session->outcome, CB_FAILED,
                   "%s(%" PRIu64 ") gave %" PRIu64 ", expected %" PRIu64, what, n, got, expected);
    return false;
}

struct cb_counts cb_session_run(const struct cb_session *session, uint64_t n) {
    feclearexcept(FE_ALL_EXCEPT);
    return session->entry->s->run(n);
}

bool cb_session_check(struct cb_session *session, uint64_t n, struct cb_counts counts) {
    expect(session, n);
    return same(session, "checksum of run", n, counts.checksum, session->expected.checksum) &&
           same(session, "creations of run", n, counts.creations, session->expected.creations) &&
           same(session, "yields of run", n, counts.yields, session->expected.yields);
}

bool cb_session_check_hand(struct cb_session *session, uint64_t n, struct cb_counts counts) {
    expect(session, n);
    return same(session, "checksum of hand", n, counts.checksum, session->expected.checksum);
}
