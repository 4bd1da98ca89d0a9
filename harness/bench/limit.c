// Growing until something says no. What says no must be the backend or the kernel by an error code,
// never the kernel by killing: hence small steps, and a look at the memory after each.
#define _GNU_SOURCE
#include "limit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "memory.h"

#define STEP 1000          // coroutines between two looks at the memory
#define SHARE 0.6          // of the available memory that may be taken
#define MOST_THREADS 10000 // kernel threads are shared by all processes of the machine

bool cb_limit_size(const char *text, uint64_t *bytes) {
    static const struct {
        const char *name;
        int shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    char *end = NULL;
    errno = 0;
    unsigned long long number = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    for (size_t i = 0; number > 0 && errno == 0 && i < sizeof units / sizeof units[0]; i++)
        if (strcmp(end, units[i].name) == 0 && number <= UINT64_MAX >> units[i].shift) {
            *bytes = (uint64_t)number << units[i].shift;
            return true;
        }
    return false;
}

bool cb_limit_enough(uint64_t at_start, uint64_t now) {
    return (double)now < (1 - SHARE) * (double)at_start;
}

// Limits the address space where the cell asks for it; the soft limit, so that it can be taken
// back.
static bool narrow(struct cb_session *session, struct rlimit *before) {
    const char *text = cb_param_text(session->params, "address", NULL);
    uint64_t bytes = 0;
    if (getrlimit(RLIMIT_AS, before) != 0 || (text && !cb_limit_size(text, &bytes))) {
        cb_outcome_set(&session->outcome, CB_FAILED, "address=%s is no size such as 3GiB", text);
        return false;
    }
    struct rlimit limit = {bytes, before->rlim_max};
    if (!text || setrlimit(RLIMIT_AS, &limit) == 0)
        return true;
    cb_outcome_set(&session->outcome, CB_UNAVAILABLE, "RLIMIT_AS of %s: %s", text, strerror(errno));
    return false;
}

// How far to go, and what is said on arrival.
static uint64_t goal(const struct cb_session *session, uint64_t most, char *why, size_t size) {
    struct co_limit limit = session->bench->backend.limit();
    uint64_t safe = limit.live < MOST_THREADS ? limit.live : MOST_THREADS;
    bool scarce = session->bench->facts->capabilities & CO_CAP_PARALLEL && safe < most;
    if (scarce)
        snprintf(why, size, "stopped there: other processes need kernel threads too (%s)",
                 limit.reason ? limit.reason : "the backend names no limit");
    else
        snprintf(why, size, "all that this cell asks for");
    return scarce ? safe : most;
}

static bool available(struct cb_session *session, uint64_t *bytes) {
    if (cb_space_available(bytes))
        return true;
    cb_outcome_set(&session->outcome, CB_UNAVAILABLE, "cannot read MemAvailable in /proc/meminfo");
    return false;
}

// Grows to n, a step further. False where that was the end; the outcome says why.
static bool grow_on(struct cb_session *session, uint64_t n, uint64_t at_start) {
    struct cb_outcome *outcome = &session->outcome;
    int error = session->entry->s->grow(n);
    if (error == CO_E_NOMEM)
        cb_outcome_set(outcome, CB_OK, "refused: %s", cb_session_reason(session));
    else if (error == CB_NO_ROOM)
        cb_outcome_set(outcome, CB_OK, "refused: no memory for the variable of one more");
    else if (error < 0)
        cb_outcome_from_error(outcome, "growing", error, cb_session_reason(session));
    uint64_t now = 0;
    if (error < 0 || !available(session, &now))
        return false;
    if (!cb_limit_enough(at_start, now))
        return true;
    cb_outcome_set(outcome, CB_OK, "stopped there: %.0f %% of the %.1f GiB available are taken",
                   100 * SHARE, (double)at_start / (1 << 30));
    return false;
}

void cb_limit_measure(struct cb_session *session, uint64_t *reached) {
    const struct cb_scenario *scenario = session->entry->s;
    struct cb_outcome *outcome = &session->outcome;
    long most = cb_param(session->params, "most", 0);
    char why[256];
    uint64_t at_start = 0, n = 0;
    struct rlimit before;
    cb_space_open();
    if (most < 1) {
        cb_outcome_set(outcome, CB_FAILED,
                       "a cell of kind limit must have the parameter most, 1 or more");
        return;
    }
    if (!available(session, &at_start) || !narrow(session, &before))
        return;
    uint64_t end = goal(session, (uint64_t)most, why, sizeof why);
    bool going = true;
    while (going && n < end) {
        n = end - n < STEP ? end : n + STEP;
        going = grow_on(session, n, at_start);
    }
    setrlimit(RLIMIT_AS, &before); // what comes now is not the backend's
    if (going)
        cb_outcome_set(outcome, CB_OK, "%s", why);
    if (outcome->status != CB_OK)
        return;
    *reached = scenario->alive();
    uint64_t right = scenario->verify();
    if (right != *reached)
        cb_outcome_set(outcome, CB_FAILED, "%" PRIu64 " of %" PRIu64 " coroutines answered rightly",
                       right, *reached);
}
