// What became of a cell, and the names of capabilities and error codes in files and messages.
#ifndef CB_BENCH_STATUS_H
#define CB_BENCH_STATUS_H

#include <stddef.h>

enum cb_status { CB_OK, CB_FAILED, CB_SKIPPED, CB_UNAVAILABLE, CB_NOT_CLAIMED };

struct cb_outcome {
    enum cb_status status;
    char note[512]; // why, where the status is not ok; else empty
};

// "ok", "failed", "skipped", "unavailable", "not-claimed".
const char *cb_status_name(enum cb_status status);

// Sets status and note; printf format.
void cb_outcome_set(struct cb_outcome *outcome, enum cb_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Translates a negative enum co_error that `doing` (e.g. "prepare") returned: no memory is
// unavailable, with the backend's `reason`; not claimed is not-claimed; the rest failed.
void cb_outcome_from_error(struct cb_outcome *outcome, const char *doing, int error,
                           const char *reason);

// The capability with bit number `bit`, e.g. "deep-yield"; NULL past the last one.
const char *cb_capability_name(unsigned bit);

// The names of all bits in `capabilities`, joined by ", ". A bit without a name is "bit N".
void cb_capability_list(unsigned capabilities, char *text, size_t size);

// "CO_E_NOMEM" and so on; "unknown error" for what is none.
const char *cb_error_name(int error);

#endif
