// Measuring one cell: the repetitions, and the document about them.
#ifndef CB_BENCH_RUN_H
#define CB_BENCH_RUN_H

#include "session.h"

struct cb_run_options {
    uint64_t iterations;
    int repetitions;
};

// Measures and closes the session. Returns the raw JSON document, to be freed; NULL where it could
// not be made, with the reason on stderr. session->outcome is what the document says.
// A cell of kind space has one repetition, whatever was asked: coroutines that were grown stay.
char *cb_run_cell(struct cb_session *session, const struct cb_run_options *options);

#endif
