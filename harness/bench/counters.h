// What the system and the processor count around one batch.
#ifndef CB_BENCH_COUNTERS_H
#define CB_BENCH_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

enum cb_pmu_event {
    CB_PMU_CYCLES,
    CB_PMU_INSTRUCTIONS,
    CB_PMU_BRANCH_MISSES,
    CB_PMU_L1_MISSES, // of loads, in the data cache
    CB_PMU_EVENTS
};

// One reading of a perf event: PERF_FORMAT_TOTAL_TIME_ENABLED and _RUNNING, in the kernel's order.
struct cb_pmu_reading {
    uint64_t value;
    uint64_t enabled;
    uint64_t running;
};

struct cb_counter_state {
    uint64_t faults, nvcsw, nivcsw;
    bool has_steal;
    uint64_t steal; // clock ticks stolen from the pinned units together
    bool has_pmu[CB_PMU_EVENTS];
    struct cb_pmu_reading pmu[CB_PMU_EVENTS];
};

struct cb_counters {
    int cpus[2];
    int cpu_count;
    int pmu_fd[CB_PMU_EVENTS]; // -1: this event cannot be counted
    struct cb_counter_state before;
};

// What happened between begin and end; a value whose `has_` is false is unknown, which is not 0.
struct cb_counted {
    uint64_t faults, nvcsw, nivcsw;
    bool has_steal;
    uint64_t steal;
    bool has_pmu[CB_PMU_EVENTS];
    uint64_t pmu[CB_PMU_EVENTS]; // user mode, the thread that opened
};

// Opens the PMU's counters through libpfm4 and perf_event_open; where it does not open, these
// values stay absent. `with_pmu` is false for backends with kernel threads of their own: counting
// only this thread would tell half, and counters that follow new threads slow down the very
// creation and hand-off that are measured. rdpmc is never used: without a PMU it faults.
void cb_counters_open(struct cb_counters *counters, const int *cpus, int cpu_count, bool with_pmu);
bool cb_counters_have_pmu(const struct cb_counters *counters);
void cb_counters_begin(struct cb_counters *counters);
void cb_counters_end(struct cb_counters *counters, struct cb_counted *counted);
void cb_counters_close(struct cb_counters *counters);

// "cycles", "instructions", "branch_misses", "l1_misses".
const char *cb_pmu_name(enum cb_pmu_event event);

// The count between two readings; false where the event did not run all the time (multiplexed),
// did not run at all, or counted nothing, as some hypervisors' half-made PMUs do.
bool cb_pmu_difference(const struct cb_pmu_reading *before, const struct cb_pmu_reading *after,
                       uint64_t *count);

// The steal ticks of one CPU in the text of /proc/stat.
bool cb_steal_parse(const char *stat_text, int cpu, uint64_t *ticks);

#endif
