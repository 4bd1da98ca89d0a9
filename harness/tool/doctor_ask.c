// What no file tells: asks hwloc, the processor and the kernel.
#define _GNU_SOURCE
#include "doctor.h"

#include <errno.h>
#include <hwloc.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "message.h"
#include "run.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 // since Linux 6.13
#endif

// Those that this process is bound to, of those that its cpuset has. -1 where hwloc cannot tell.
static int count_units(void) {
    hwloc_topology_t topology;
    if (hwloc_topology_init(&topology) < 0)
        return -1;
    int units = -1;
    hwloc_bitmap_t usable = hwloc_bitmap_alloc();
    if (usable != NULL && hwloc_topology_load(topology) == 0) {
        hwloc_const_bitmap_t allowed = hwloc_topology_get_allowed_cpuset(topology);
        if (hwloc_get_cpubind(topology, usable, HWLOC_CPUBIND_PROCESS) < 0)
            hwloc_bitmap_copy(usable, allowed);
        hwloc_bitmap_and(usable, usable, allowed);
        units = hwloc_bitmap_weight(usable);
    }
    hwloc_bitmap_free(usable);
    hwloc_topology_destroy(topology);
    return units;
}

static char *ask_hypervisor(void) {
    json_t *machine = cb_machine_describe();
    const char *name = json_string_value(json_object_get(machine, "hypervisor"));
    char *copy = name != NULL && strcmp(name, "unknown") != 0 ? cb_copy(name) : NULL;
    json_decref(machine);
    return copy;
}

// Counts some instructions. Under some hypervisors a counter opens and never moves.
static int try_pmu(void) {
    struct perf_event_attr attributes = {.type = PERF_TYPE_HARDWARE,
                                         .size = sizeof attributes,
                                         .config = PERF_COUNT_HW_INSTRUCTIONS,
                                         .disabled = 1,
                                         .exclude_kernel = 1,
                                         .exclude_hv = 1};
    int fd = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return errno;
    unsigned long long count = 0;
    int result = 0;
    if (ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
        result = errno;
    for (volatile int i = 0; i < 10000; i++)
        ;
    if (result == 0 && read(fd, &count, sizeof count) != (ssize_t)sizeof count)
        result = errno != 0 ? errno : EIO;
    else if (result == 0 && count == 0)
        result = CB_DOCTOR_PMU_STILL;
    close(fd);
    return result;
}

// The kernel is made to read the page: a guard is an error code there, where a touch would be a
// crash. Under emulation the call may succeed and guard nothing.
static enum cb_doctor_state try_guards(void) {
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    if (page == MAP_FAILED)
        return CB_DOCTOR_UNKNOWN;
    if (pipe(ends) < 0) {
        munmap(page, size);
        return CB_DOCTOR_UNKNOWN;
    }
    bool guards = madvise(page, size, MADV_GUARD_INSTALL) == 0 && write(ends[1], page, 1) < 0 &&
                  errno == EFAULT;
    close(ends[0]);
    close(ends[1]);
    munmap(page, size);
    return guards ? CB_DOCTOR_NO : CB_DOCTOR_YES;
}

// Time is only stolen from who wants to run, so this does not sleep. Some ticks (10 ms) long.
static void keep_busy(void *context) {
    (void)context;
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < 200);
}

static long long read_most(void) {
    json_t *plan = cb_load_share("plan.json");
    long long most = json_integer_value(json_object_get(plan, "live_most"));
    json_decref(plan);
    return most;
}

void cb_doctor_ask(struct cb_doctor_facts *facts) {
    // Without a topology hwloc cannot describe the machine either, and the command would end here.
    int units = count_units();
    *facts = (struct cb_doctor_facts){.units = units,
                                      .hypervisor = units >= 0 ? ask_hypervisor() : NULL,
                                      .pmu = try_pmu(),
                                      .no_guards = try_guards(),
                                      .path = getenv("PATH"),
                                      .most = read_most(),
                                      .work = keep_busy};
}

void cb_doctor_facts_free(struct cb_doctor_facts *facts) {
    free(facts->hypervisor);
    *facts = (struct cb_doctor_facts){0};
}
