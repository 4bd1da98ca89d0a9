// One cell in one process, from its claims to its clean-up; what pilot and measure share.
#ifndef CB_BENCH_SESSION_H
#define CB_BENCH_SESSION_H

#include "bench.h"
#include "params.h"
#include "pin.h"
#include "status.h"

#define CB_UNPINNED (-1) // as cpu_count: the cell may run anywhere
#define CB_LIMIT_ITERATIONS ((uint64_t)1 << 40)

struct cb_session {
    const struct cb_bench *bench;
    const struct cb_registry_entry *entry;
    const struct cb_params *params;
    bool library; // the binding is "library"
    struct cb_pins pins;
    struct cb_outcome outcome;
    bool prepared;
    uint64_t expected_n; // `expected` is of a run of so many operations; 0: none yet
    struct cb_counts expected;
};

// Whether a backend with these capabilities can run the cell: ok, or not-claimed with the names of
// what is missing. Considers what the scenario needs and what the parameters guard=no and cpus=2
// mean to every scenario.
void cb_cell_claims(const struct cb_scenario *scenario, const struct cb_params *params,
                    unsigned capabilities, struct cb_outcome *outcome);

// Pins, configures the backend and prepares the scenario. Returns CB_PIN_USAGE, with the reason in
// `why`, where the CPUs asked for cannot be; else CB_PIN_OK, and then session->outcome says whether
// the cell can be run. Call cb_session_close in either case. Where cpu_count is CB_UNPINNED,
// nothing is pinned and the machine's topology is not read. A cell that needs one unit waits for a
// calm core where `calm` says so, on the first or on the second of `cpus`.
enum cb_pin_result cb_session_open(struct cb_session *session, const struct cb_bench *bench,
                                   const struct cb_registry_entry *entry,
                                   const struct cb_params *params, const int *cpus, int cpu_count,
                                   const struct cb_calm *calm, char *why, size_t why_size);

// Finishes the scenario if it was prepared, and trims the backend.
void cb_session_close(struct cb_session *session);

// Why the backend of this session's binding last had no memory.
const char *cb_session_reason(const struct cb_session *session);

// Runs n operations, as every timed or counted run of a cell does: the sticky floating-point
// exception flags are cleared first, and before the scenario prepares. The harness's own arithmetic
// sets them, and where a switch keeps control words for each coroutine, sides whose flags differ
// can cost more than everything else.
struct cb_counts cb_session_run(const struct cb_session *session, uint64_t n);

// Compares what a run of n operations did with what the scenario expects; sets the outcome to
// failed, naming both values, where they differ. True where all is as expected.
bool cb_session_check(struct cb_session *session, uint64_t n, struct cb_counts counts);

// The same for the hand loop: only its checksum has to agree, because it creates no coroutine.
bool cb_session_check_hand(struct cb_session *session, uint64_t n, struct cb_counts counts);

#endif
