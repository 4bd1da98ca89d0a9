// One run of a cell for a tool that counts its instructions from outside.
#ifndef CB_BENCH_COUNT_H
#define CB_BENCH_COUNT_H

#include "session.h"

// Runs n operations of kind time, checks what they did, and closes the session, whose outcome says
// how it went. What this process executes besides the n operations does not depend on n: no clock
// is read, and what the run should have given is computed in a child process.
void cb_count_cell(struct cb_session *session, uint64_t n);

#endif
