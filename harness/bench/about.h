// What a bench program says of itself: the document of --describe.
#ifndef CB_BENCH_ABOUT_H
#define CB_BENCH_ABOUT_H

#include "bench.h"

// The JSON text, to be freed; NULL with the reason in `why` where a scenario's list of cells is
// malformed. The scenarios keep the registry's order; a cell stands under the smallest run that
// measures it.
char *cb_about(const struct cb_bench *bench, char *why, size_t why_size);

#endif
