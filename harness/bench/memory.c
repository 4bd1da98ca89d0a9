// Memory of live coroutines: the slope between n/10 and n, so that what the program holds anyway
// cancels out.
#define _GNU_SOURCE
#include "memory.h"

#include <errno.h>
#include <inttypes.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"

static char group_path[1808]; // the folder of this process's cgroup; empty: there is none
static char stat_path[2048];

// "0::/some/group" in /proc/self/cgroup; the path is relative to the mount of type cgroup2.
static bool own_group(char *group, size_t size) {
    char text[4096];
    if (cb_proc_read("/proc/self/cgroup", text, sizeof text) < 0)
        return false;
    const char *line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (!line)
        return false;
    line = strstr(line, "::") + 2;
    snprintf(group, size, "%.*s", (int)strcspn(line, "\n"), line);
    return true;
}

static bool group_mount(char *folder, size_t size) {
    FILE *mounts = setmntent("/proc/self/mounts", "r");
    if (!mounts)
        return false;
    bool found = false;
    for (struct mntent *mount; !found && (mount = getmntent(mounts));) {
        found = strcmp(mount->mnt_type, "cgroup2") == 0;
        if (found)
            snprintf(folder, size, "%s", mount->mnt_dir);
    }
    endmntent(mounts);
    return found;
}

// memory.max is missing in the machine's root group, and only there.
void cb_space_open(void) {
    char group[900], folder[900], maximum[2048];
    stat_path[0] = group_path[0] = '\0';
    if (!own_group(group, sizeof group) || !group_mount(folder, sizeof folder))
        return;
    snprintf(group_path, sizeof group_path, "%s%s", folder, group);
    snprintf(maximum, sizeof maximum, "%s/memory.max", group_path);
    if (access(maximum, F_OK) == 0)
        snprintf(stat_path, sizeof stat_path, "%s/memory.stat", group_path);
}

bool cb_space_kernel(const char *memory_stat, uint64_t *bytes) {
    uint64_t all = 0, tables = 0, slab = 0, stacks = 0;
    if (cb_proc_field(memory_stat, "kernel", &all) &&
        cb_proc_field(memory_stat, "pagetables", &tables)) {
        *bytes = all > tables ? all - tables : 0;
        return true;
    }
    if (cb_proc_field(memory_stat, "slab", &slab) &&
        cb_proc_field(memory_stat, "kernel_stack", &stacks)) {
        *bytes = slab + stacks;
        return true;
    }
    return false;
}

int cb_space_look(struct cb_space *space, const char **what) {
    static char text[16384];
    memset(space, 0, sizeof *space);

    *what = "/proc/self/smaps_rollup (Linux 4.14 and later)";
    long got = cb_proc_read("/proc/self/smaps_rollup", text, sizeof text);
    if (got < 0 || !cb_proc_field(text, "Rss:", &space->rss))
        return got < 0 ? (int)got : -ENODATA;
    *what = "/proc/self/status";
    got = cb_proc_read("/proc/self/status", text, sizeof text);
    if (got < 0 || !cb_proc_field(text, "VmPTE:", &space->page_tables) ||
        !cb_proc_field(text, "VmSize:", &space->virtual_size))
        return got < 0 ? (int)got : -ENODATA;
    *what = "/proc/self/maps";
    got = cb_proc_lines("/proc/self/maps");
    if (got < 0)
        return (int)got;
    space->mappings = (uint64_t)got;
    space->rss *= 1024;
    space->page_tables *= 1024;
    space->virtual_size *= 1024;
    if (stat_path[0] && cb_proc_read(stat_path, text, sizeof text) > 0)
        space->has_kernel = cb_space_kernel(text, &space->kernel);
    return 0;
}

static double slope(uint64_t at_few, uint64_t at_many, double coroutines) {
    return ((double)at_many - (double)at_few) / coroutines;
}

void cb_space_slopes(const struct cb_space *at_few, const struct cb_space *at_many, uint64_t few,
                     uint64_t many, struct cb_slopes *slopes) {
    double added = (double)(many - few);
    memset(slopes, 0, sizeof *slopes);
    slopes->rss = slope(at_few->rss, at_many->rss, added);
    slopes->page_tables = slope(at_few->page_tables, at_many->page_tables, added);
    slopes->virtual_size = slope(at_few->virtual_size, at_many->virtual_size, added);
    slopes->mappings = slope(at_few->mappings, at_many->mappings, added);
    slopes->has_kernel = at_few->has_kernel && at_many->has_kernel;
    if (slopes->has_kernel)
        slopes->kernel = slope(at_few->kernel, at_many->kernel, added);
}

bool cb_space_exceeds(const struct cb_space *at_none, const struct cb_space *at_few, uint64_t few,
                      uint64_t many, uint64_t available, uint64_t *need) {
    struct cb_slopes each;
    *need = 0;
    if (few == 0)
        return false;
    cb_space_slopes(at_none, at_few, 0, few, &each);
    double bytes = each.rss + each.page_tables + (each.has_kernel ? each.kernel : 0);
    double total = bytes * (double)(many - few);
    *need = total > 0 ? (uint64_t)total : 0;
    return (double)*need > 0.8 * (double)available;
}

static bool look(struct cb_space *space, struct cb_outcome *outcome) {
    const char *what = "";
    int error = cb_space_look(space, &what);
    if (error < 0)
        cb_outcome_set(outcome, CB_UNAVAILABLE, "cannot read %s: %s", what,
                       error == -ENODATA ? "a field is missing" : strerror(-error));
    return error == 0;
}

static bool grow(const struct cb_scenario *scenario, uint64_t n, const char *(*reason)(void),
                 struct cb_outcome *outcome) {
    int error = scenario->grow(n);
    char doing[64];
    snprintf(doing, sizeof doing, "growing to %" PRIu64 " coroutines", n);
    if (error < 0)
        cb_outcome_from_error(outcome, doing, error, reason());
    return error >= 0;
}

// What this process's cgroup and those around it have left; UINT64_MAX where none has a limit. The
// machine's own group, the root, has no such files.
static uint64_t left_in_groups(void) {
    char folder[sizeof group_path], path[sizeof group_path + 32], text[64];
    uint64_t least = UINT64_MAX;
    strcpy(folder, group_path);
    for (char *slash; (slash = strrchr(folder, '/')) && slash != folder; *slash = '\0') {
        uint64_t most = 0, taken = 0;
        snprintf(path, sizeof path, "%s/memory.max", folder);
        if (cb_proc_read(path, text, sizeof text) <= 0)
            break;
        if (sscanf(text, "%" SCNu64, &most) != 1) // "max"
            continue;
        snprintf(path, sizeof path, "%s/memory.current", folder);
        if (cb_proc_read(path, text, sizeof text) > 0)
            sscanf(text, "%" SCNu64, &taken);
        uint64_t left = most > taken ? most - taken : 0;
        least = left < least ? left : least;
    }
    return least;
}

bool cb_space_available(uint64_t *bytes) {
    static char text[8192];
    if (cb_proc_read("/proc/meminfo", text, sizeof text) < 0 ||
        !cb_proc_field(text, "MemAvailable:", bytes))
        return false;
    *bytes *= 1024;
    uint64_t left = left_in_groups();
    *bytes = left < *bytes ? left : *bytes;
    return true;
}

bool cb_space_room(const struct cb_space *at_none, const struct cb_space *at_few, uint64_t few,
                   uint64_t many, struct cb_outcome *outcome) {
    uint64_t available = 0, need = 0;
    if (!cb_space_available(&available)) {
        cb_outcome_set(outcome, CB_UNAVAILABLE, "cannot read MemAvailable in /proc/meminfo");
        return false;
    }
    if (!cb_space_exceeds(at_none, at_few, few, many, available, &need))
        return true;
    cb_outcome_set(outcome, CB_UNAVAILABLE,
                   "MemAvailable: n=%" PRIu64 " would need about %" PRIu64
                   " MB more, over 80 %% of the %" PRIu64 " MB available",
                   many, need / 1000000, available / 1000000);
    return false;
}

// Very many: others use the memory too, so it is looked at again after each tenth; and what cannot
// be is found out with fewer than a tenth.
enum { VERY_MANY = 1000000, FIRST = 10000 };

static bool grow_by_tenths(const struct cb_scenario *scenario, const struct cb_space *at_none,
                           const struct cb_space *at_few, uint64_t n, const char *(*reason)(void),
                           struct cb_outcome *outcome) {
    uint64_t few = n / 10;
    for (uint64_t i = 2; i < 10; i++)
        if (!grow(scenario, i * few, reason, outcome) ||
            !cb_space_room(at_none, at_few, few, few + (n - i * few), outcome))
            return false;
    return true;
}

static bool grow_to_first(const struct cb_scenario *scenario, const struct cb_space *at_none,
                          uint64_t n, const char *(*reason)(void), struct cb_outcome *outcome) {
    struct cb_space at_first;
    return grow(scenario, FIRST, reason, outcome) && look(&at_first, outcome) &&
           cb_space_room(at_none, &at_first, FIRST, n, outcome);
}

void cb_space_measure(const struct cb_scenario *scenario, uint64_t n, const char *(*reason)(void),
                      struct cb_slopes *slopes, struct cb_outcome *outcome) {
    struct cb_space at_none, at_few, at_many;
    uint64_t few = n / 10;
    bool very_many = n >= VERY_MANY;
    // The first look is thrown away: it touches the buffers that the others read into.
    if (!look(&at_none, outcome) || !look(&at_none, outcome) ||
        (very_many && !grow_to_first(scenario, &at_none, n, reason, outcome)) ||
        (few > 0 && !grow(scenario, few, reason, outcome)) || !look(&at_few, outcome) ||
        !cb_space_room(&at_none, &at_few, few, n, outcome) ||
        (very_many && !grow_by_tenths(scenario, &at_none, &at_few, n, reason, outcome)) ||
        !grow(scenario, n, reason, outcome) || !look(&at_many, outcome))
        return;
    uint64_t right = scenario->verify();
    if (right != n) {
        cb_outcome_set(outcome, CB_FAILED, "%" PRIu64 " of %" PRIu64 " coroutines answered rightly",
                       right, n);
        return;
    }
    cb_space_slopes(&at_few, &at_many, few, n, slopes);
}
