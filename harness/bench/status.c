// Statuses, capabilities and error codes by name.
#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "corobench/coro.h"

const char *cb_status_name(enum cb_status status) {
    static const char *const names[] = {"ok", "failed", "skipped", "unavailable", "not-claimed"};
    return names[status];
}

void cb_outcome_set(struct cb_outcome *outcome, enum cb_status status, const char *format, ...) {
    outcome->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(outcome->note, sizeof outcome->note, format, arguments);
    va_end(arguments);
}

void cb_outcome_from_error(struct cb_outcome *outcome, const char *doing, int error,
                           const char *reason) {
    if (error == CO_E_NOMEM)
        cb_outcome_set(outcome, CB_UNAVAILABLE, "%s: %s", doing,
                       reason && *reason ? reason : "no memory");
    else if (error == CO_E_NOT_CLAIMED)
        cb_outcome_set(outcome, CB_NOT_CLAIMED, "%s: the backend does not claim it", doing);
    else
        cb_outcome_set(outcome, CB_FAILED, "%s returned %d (%s)", doing, error,
                       cb_error_name(error));
}

const char *cb_capability_name(unsigned bit) {
    static const struct {
        unsigned mask;
        const char *name;
    } names[] = {
        {CO_CAP_DEEP_YIELD, "deep-yield"},
        {CO_CAP_RECURSION, "recursion"},
        {CO_CAP_FP_CONTROL, "fp-control"},
        {CO_CAP_MOVABLE, "movable"},
        {CO_CAP_MIGRATES, "migrates"},
        {CO_CAP_GUARD, "guard"},
        {CO_CAP_REUSE, "reuse"},
        {CO_CAP_PARALLEL, "parallel"},
        {CO_CAP_NO_ALLOCATION, "no-allocation"},
        {CO_CAP_FLAT_STACK, "flat-stack"},
        {CO_CAP_STACK_SIZE, "stack-size"},
        {CO_CAP_CALLEE_SAVED, "callee-saved"},
        {CO_CAP_GROWS, "grows"},
        {CO_CAP_GIVES_BACK, "gives-back"},
        {CO_CAP_THREAD_LOCALS, "thread-locals"},
        {CO_CAP_CALLS_IN_PLACE, "calls-in-place"},
        {CO_CAP_EAGER, "eager-start"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (bit < 32 && names[i].mask == 1u << bit)
            return names[i].name;
    return NULL;
}

void cb_capability_list(unsigned capabilities, char *text, size_t size) {
    size_t used = 0;
    if (size)
        text[0] = '\0';
    for (unsigned bit = 0; bit < 32; bit++) {
        if (!(capabilities >> bit & 1) || used >= size)
            continue;
        const char *name = cb_capability_name(bit);
        const char *comma = used ? ", " : "";
        int n = name ? snprintf(text + used, size - used, "%s%s", comma, name)
                     : snprintf(text + used, size - used, "%sbit %u", comma, bit);
        used += n > 0 ? (size_t)n : 0;
    }
}

const char *cb_error_name(int error) {
    static const char *const names[] = {"CO_E_INVALID", "CO_E_FINISHED", "CO_E_RUNNING",
                                        "CO_E_NOMEM",   "CO_E_CLOSING",  "CO_E_NOT_CLAIMED"};
    if (error > -1 || error < -(int)(sizeof names / sizeof names[0]))
        return "unknown error";
    return names[-error - 1];
}
