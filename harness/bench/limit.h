// How many coroutines can exist.
#ifndef CB_BENCH_LIMIT_H
#define CB_BENCH_LIMIT_H

#include "session.h"

// Measures a scenario of kind limit, which must be prepared: grows until the backend refuses, until
// the parameter `most` is reached, or until going on is not safe for the machine: 60 % of the
// memory that was available are taken, or kernel threads get scarce. `reached` is valid where the
// outcome is ok, and then its note says what ended it. The parameter `address`, such as 3GiB, is
// the size of this process's address space while it grows.
void cb_limit_measure(struct cb_session *session, uint64_t *reached);

// Whether so much of what was available at the start is taken that it is time to stop.
bool cb_limit_enough(uint64_t at_start, uint64_t now);

// Reads "64KiB", "512MiB", "3GiB"; false where it is none of these or too large.
bool cb_limit_size(const char *text, uint64_t *bytes);

#endif
