// Google Benchmark for C: one benchmark, whose every repetition times one batch.
#ifndef CB_BENCH_GBENCH_H
#define CB_BENCH_GBENCH_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

// Where `after` puts its counters; valid until it returns.
struct cb_gbench_sink;

// Each repetition calls, with `user`: before; batch, which alone is timed; after.
struct cb_gbench_job {
    const char *name;
    int repetitions;
    void *user;
    void (*before)(void *user);
    void (*batch)(void *user);
    // False: this repetition is void and is left out of the document.
    bool (*after)(void *user, struct cb_gbench_sink *sink);
};

void cb_gbench_counter(struct cb_gbench_sink *sink, const char *name, double value);

// Runs the job on the calling thread. Returns Google Benchmark's JSON document, without aggregates;
// the caller frees it. NULL where the library failed; then *error is a text, which the caller
// frees.
char *cb_gbench_run(const struct cb_gbench_job *job, char **error);

#ifdef __cplusplus
}
#endif

#endif
