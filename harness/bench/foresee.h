// Whether a timed cell of very many coroutines fits into memory.
#ifndef CB_BENCH_FORESEE_H
#define CB_BENCH_FORESEE_H

#include "session.h"

// Where the cell has n coroutines, n a million or more, a child process prepares 10 000 of them and
// says what they took. True where all of them fit (as cb_space_exceeds judges); else the outcome is
// unavailable and says what is missing. The backend must be configured, the scenario not prepared.
bool cb_foresee(struct cb_session *session);

#endif
