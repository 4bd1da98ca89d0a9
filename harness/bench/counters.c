// Page faults, context switches, steal and the PMU, read just outside the timed region.
#define _GNU_SOURCE
#include "counters.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <perfmon/pfmlib.h>
#include <perfmon/pfmlib_perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../lib/message.h"
#include "proc.h"

static const struct {
    const char *name;
    const char *pfm;
} events[CB_PMU_EVENTS] = {
    [CB_PMU_CYCLES] = {"cycles", "perf::CYCLES"},
    [CB_PMU_INSTRUCTIONS] = {"instructions", "perf::INSTRUCTIONS"},
    [CB_PMU_BRANCH_MISSES] = {"branch_misses", "perf::BRANCH-MISSES"},
    [CB_PMU_L1_MISSES] = {"l1_misses", "perf::L1-DCACHE-LOAD-MISSES"},
};

const char *cb_pmu_name(enum cb_pmu_event event) {
    return events[event].name;
}

static int open_counter(struct perf_event_attr *attributes) {
    attributes->size = sizeof *attributes;
    attributes->exclude_kernel = 1;
    attributes->exclude_hv = 1;
    attributes->read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    return (int)syscall(SYS_perf_event_open, attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

// Whether the kernel counts cycles for this process at all.
static bool has_pmu(void) {
    struct perf_event_attr cycles;
    memset(&cycles, 0, sizeof cycles);
    cycles.type = PERF_TYPE_HARDWARE;
    cycles.config = PERF_COUNT_HW_CPU_CYCLES;
    int fd = open_counter(&cycles);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

// libpfm is loaded where there is a PMU only: to relocate its tables of all processors' events
// would take a part of the time of each of tens of thousands of samples.
static struct {
    __typeof__(&pfm_initialize) initialize;
    __typeof__(&pfm_terminate) terminate;
    __typeof__(&pfm_get_os_event_encoding) encode;
} pfm;

static bool load_pfm(void) {
    void *library = dlopen(CB_PFM_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) {
        pfm.initialize = (__typeof__(pfm.initialize))dlsym(library, "pfm_initialize");
        pfm.terminate = (__typeof__(pfm.terminate))dlsym(library, "pfm_terminate");
        pfm.encode = (__typeof__(pfm.encode))dlsym(library, "pfm_get_os_event_encoding");
    }
    if (pfm.initialize == NULL || pfm.terminate == NULL || pfm.encode == NULL) {
        const char *why = dlerror();
        cb_warning(stderr, "the processor's counters are not read: %s", why ? why : CB_PFM_LIBRARY);
        return false;
    }
    return pfm.initialize() == PFM_SUCCESS;
}

// libpfm encodes an event even where the processor has none; only perf_event_open tells.
static int open_event(const char *pfm_name) {
    struct perf_event_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    pfm_perf_encode_arg_t encoding = {.attr = &attributes, .size = sizeof encoding};
    if (pfm.encode(pfm_name, PFM_PLM3, PFM_OS_PERF_EVENT, &encoding) != PFM_SUCCESS)
        return -1;
    return open_counter(&attributes);
}

void cb_counters_open(struct cb_counters *counters, const int *cpus, int cpu_count, bool with_pmu) {
    memset(counters, 0, sizeof *counters);
    counters->cpu_count = cpu_count;
    for (int i = 0; i < cpu_count; i++)
        counters->cpus[i] = cpus[i];
    bool ready = with_pmu && has_pmu() && load_pfm();
    for (int e = 0; e < CB_PMU_EVENTS; e++)
        counters->pmu_fd[e] = ready ? open_event(events[e].pfm) : -1;
    if (ready)
        pfm.terminate();
}

bool cb_counters_have_pmu(const struct cb_counters *counters) {
    for (int e = 0; e < CB_PMU_EVENTS; e++)
        if (counters->pmu_fd[e] >= 0)
            return true;
    return false;
}

bool cb_steal_parse(const char *stat_text, int cpu, uint64_t *ticks) {
    char start[32];
    int length = snprintf(start, sizeof start, "cpu%d ", cpu);
    const char *line = stat_text;
    while (line && strncmp(line, start, (size_t)length) != 0) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    // user nice system idle iowait irq softirq steal
    return line && sscanf(line + length, "%*u %*u %*u %*u %*u %*u %*u %" SCNu64, ticks) == 1;
}

static bool read_steal(const struct cb_counters *counters, uint64_t *steal) {
    static char text[65536];
    if (counters->cpu_count == 0 || cb_proc_read("/proc/stat", text, sizeof text) < 0)
        return false;
    *steal = 0;
    for (int i = 0; i < counters->cpu_count; i++) {
        uint64_t ticks = 0;
        if (!cb_steal_parse(text, counters->cpus[i], &ticks))
            return false;
        *steal += ticks;
    }
    return true;
}

static void read_usage(struct cb_counter_state *state) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    state->faults = (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
    state->nvcsw = (uint64_t)usage.ru_nvcsw;
    state->nivcsw = (uint64_t)usage.ru_nivcsw;
}

static void read_pmu(const struct cb_counters *counters, struct cb_counter_state *state) {
    for (int e = 0; e < CB_PMU_EVENTS; e++)
        state->has_pmu[e] = counters->pmu_fd[e] >= 0 &&
                            read(counters->pmu_fd[e], &state->pmu[e], sizeof state->pmu[e]) ==
                                (ssize_t)sizeof state->pmu[e];
}

// The slowest reading is the farthest from the batch, on both sides.
void cb_counters_begin(struct cb_counters *counters) {
    struct cb_counter_state *before = &counters->before;
    before->has_steal = read_steal(counters, &before->steal);
    read_usage(before);
    read_pmu(counters, before);
}

void cb_counters_end(struct cb_counters *counters, struct cb_counted *counted) {
    struct cb_counter_state after;
    memset(&after, 0, sizeof after);
    memset(counted, 0, sizeof *counted);
    read_pmu(counters, &after);
    read_usage(&after);
    after.has_steal = read_steal(counters, &after.steal);

    const struct cb_counter_state *before = &counters->before;
    counted->faults = after.faults - before->faults;
    counted->nvcsw = after.nvcsw - before->nvcsw;
    counted->nivcsw = after.nivcsw - before->nivcsw;
    counted->has_steal = before->has_steal && after.has_steal;
    // The kernel's steal time is known to step back by a tick on some hypervisors.
    counted->steal = after.steal > before->steal ? after.steal - before->steal : 0;
    for (int e = 0; e < CB_PMU_EVENTS; e++)
        counted->has_pmu[e] = before->has_pmu[e] && after.has_pmu[e] &&
                              cb_pmu_difference(&before->pmu[e], &after.pmu[e], &counted->pmu[e]);
}

bool cb_pmu_difference(const struct cb_pmu_reading *before, const struct cb_pmu_reading *after,
                       uint64_t *count) {
    uint64_t enabled = after->enabled - before->enabled;
    uint64_t running = after->running - before->running;
    *count = after->value - before->value;
    return running > 0 && running == enabled && after->value > before->value;
}

void cb_counters_close(struct cb_counters *counters) {
    for (int e = 0; e < CB_PMU_EVENTS; e++) {
        if (counters->pmu_fd[e] >= 0)
            close(counters->pmu_fd[e]);
        counters->pmu_fd[e] = -1;
    }
}
