// Pinning by hwloc: bound to a set of a single processing unit, strictly, and checked with the
// unit that the system last ran the thread on.
#include "pin.h"

#include <errno.h>
#include <hwloc.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "cycle.h"

static hwloc_topology_t topology;
static bool topology_loaded;
static hwloc_bitmap_t mask_before; // of the main thread, until cb_pin_stop
static int thread_cpu = -1;
static atomic_uint thread_failures;

// Only processing units are of interest; the rest of the topology costs milliseconds to discover.
static bool load_topology(void) {
    if (topology_loaded)
        return true;
    if (hwloc_topology_init(&topology) != 0)
        return false;
    // hwloc's own look at the processor visits each unit and asks it by CPUID, which a hypervisor
    // has to answer. The kernel has said it all; where the component is not there, so much better.
    hwloc_topology_set_components(topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
    if (hwloc_topology_set_all_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE) != 0 ||
        hwloc_topology_load(topology) != 0) {
        hwloc_topology_destroy(topology);
        return false;
    }
    topology_loaded = true;
    return true;
}

// What this process may use: the machine's allowed units that its affinity mask leaves.
static hwloc_bitmap_t allowed_units(void) {
    hwloc_bitmap_t set = hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(topology));
    mask_before = hwloc_bitmap_alloc();
    if (set && mask_before && hwloc_get_cpubind(topology, mask_before, HWLOC_CPUBIND_THREAD) == 0)
        hwloc_bitmap_and(set, set, mask_before);
    return set;
}

static bool ran_on(int cpu) {
    hwloc_bitmap_t where = hwloc_bitmap_alloc();
    bool there = where && hwloc_get_last_cpu_location(topology, where, HWLOC_CPUBIND_THREAD) == 0 &&
                 hwloc_bitmap_weight(where) == 1 && hwloc_bitmap_isset(where, (unsigned)cpu);
    hwloc_bitmap_free(where);
    return there;
}

static bool bind_thread(int cpu) {
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    if (!set)
        return false;
    hwloc_bitmap_only(set, (unsigned)cpu);
    hwloc_bitmap_singlify(set);
    int bound = hwloc_set_cpubind(topology, set, HWLOC_CPUBIND_THREAD | HWLOC_CPUBIND_STRICT);
    int error = errno;
    hwloc_bitmap_free(set);
    errno = error;
    return bound == 0 && ran_on(cpu);
}

static enum cb_pin_result choose(struct cb_pins *pins, hwloc_const_bitmap_t allowed,
                                 const int *wanted, int wanted_count, int needed, char *why,
                                 size_t why_size) {
    char list[128];
    hwloc_bitmap_list_snprintf(list, sizeof list, allowed);
    if (wanted_count > 0 && wanted_count < needed) {
        snprintf(why, why_size, "a cell with cpus=%d needs %d CPUs; name them as --cpu A,B", needed,
                 needed);
        return CB_PIN_USAGE;
    }
    for (int i = 0; i < wanted_count; i++) {
        bool twice = i > 0 && wanted[i] == wanted[0];
        if (twice || !hwloc_bitmap_isset(allowed, (unsigned)wanted[i])) {
            snprintf(why, why_size,
                     twice ? "CPU %d is named twice; name two of: %s"
                           : "CPU %d may not be used by this process; it may use: %s",
                     wanted[i], list);
            return CB_PIN_USAGE;
        }
    }
    if (hwloc_bitmap_weight(allowed) < needed) {
        snprintf(why, why_size, "needs %d processing units; this process may use only: %s", needed,
                 list);
        return CB_PIN_UNAVAILABLE;
    }
    pins->count = needed;
    int last = hwloc_bitmap_last(allowed);
    int before_last = -1;
    for (int cpu = hwloc_bitmap_first(allowed); cpu != -1 && cpu < last;
         cpu = hwloc_bitmap_next(allowed, cpu))
        before_last = cpu;
    pins->cpus[0] = wanted_count > 0 ? wanted[0] : last;
    pins->cpus[1] = wanted_count > 1 ? wanted[1] : before_last;
    return CB_PIN_OK;
}

enum cb_pin_result cb_pin_start(struct cb_pins *pins, const int *wanted, int wanted_count,
                                int needed, char *why, size_t why_size) {
    *pins = (struct cb_pins){.count = 0};
    if (!load_topology()) {
        snprintf(why, why_size, "hwloc cannot read this machine's topology: %s", strerror(errno));
        return CB_PIN_UNAVAILABLE;
    }
    hwloc_bitmap_t allowed = allowed_units();
    if (!allowed) {
        snprintf(why, why_size, "no memory for a set of CPUs");
        return CB_PIN_UNAVAILABLE;
    }
    enum cb_pin_result result = choose(pins, allowed, wanted, wanted_count, needed, why, why_size);
    hwloc_bitmap_free(allowed);
    if (result != CB_PIN_OK)
        return result;
    errno = 0;
    if (!bind_thread(pins->cpus[0])) {
        snprintf(why, why_size, "could not be pinned to CPU %d: %s", pins->cpus[0],
                 errno ? strerror(errno) : "it runs elsewhere all the same");
        return CB_PIN_UNAVAILABLE;
    }
    pins->pinned = true;
    thread_cpu = needed == 2 ? pins->cpus[1] : -1;
    return CB_PIN_OK;
}

bool cb_pin_seek_calm(struct cb_pins *pins, int other, const struct cb_calm *calm, cb_look *look) {
    uint64_t end = cb_now_ns() + (uint64_t)(1e6 * calm->wait_ms);
    int here = pins->cpus[0], best = here;
    double width = look(), widest = width;
    while (width < calm->width && cb_now_ns() < end) {
        if (other >= 0) {
            here = here == other ? pins->cpus[0] : other;
            if (!bind_thread(here))
                return false;
        }
        width = look();
        best = width > widest ? here : best;
        widest = fmax(width, widest);
    }
    if (here != best && !bind_thread(best))
        return false;
    pins->cpus[0] = best;
    return true;
}

void cb_pin_thread_started(void) {
    if (thread_cpu >= 0 && !bind_thread(thread_cpu))
        atomic_fetch_add(&thread_failures, 1);
}

unsigned cb_pin_thread_failures(void) {
    return atomic_load(&thread_failures);
}

bool cb_pin_moved(const struct cb_pins *pins) {
    return pins->pinned && !ran_on(pins->cpus[0]);
}

void cb_pin_stop(void) {
    if (!topology_loaded)
        return;
    if (mask_before && !hwloc_bitmap_iszero(mask_before))
        hwloc_set_cpubind(topology, mask_before, HWLOC_CPUBIND_THREAD);
    hwloc_bitmap_free(mask_before);
    mask_before = NULL;
    thread_cpu = -1;
    hwloc_topology_destroy(topology);
    topology_loaded = false;
}
