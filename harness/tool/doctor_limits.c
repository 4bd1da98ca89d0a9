// What caps how many coroutines can be alive, and which tools and counters are not there.
#include "doctor_internal.h"

#include <errno.h>
#include <hwloc.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Beside the coroutines of the largest cell, the machine has other threads, a program other
// mappings.
enum { BESIDE = 1000 };
// A generous guess of what a thread needs, the dearest coroutine: its stack and the kernel's part.
#define EACH_BYTES (40LL << 10)

static long long threads_wanted(const struct cb_doctor_place *place) {
    return place->facts->most + BESIDE;
}

static long long bytes_wanted(const struct cb_doctor_place *place) {
    return place->facts->most * EACH_BYTES;
}

// ---- Counts

// A limit in a file, which is too low below `least`.
static void look_count(const struct cb_doctor_place *place, struct cb_finding *f, const char *path,
                       long long least, const char *remedy) {
    long long number;
    if (!cb_doctor_number(place, path, &number))
        cb_doctor_say_unread(f, path, "mount /proc");
    else
        cb_doctor_say(f, number < least ? CB_DOCTOR_YES : CB_DOCTOR_NO, remedy,
                      "%lld; %lld are wanted", number, least);
}

// Two mappings each: the stack and its guard. Some are the program's own.
static void look_maps(const struct cb_doctor_place *place, struct cb_finding *f) {
    look_count(place, f, "/proc/sys/vm/max_map_count", 2 * place->facts->most + BESIDE,
               "scripts/tune --limits -- COMMAND, or sysctl -w vm.max_map_count=2200000 (as root)");
}

static void look_pid_max(const struct cb_doctor_place *place, struct cb_finding *f) {
    look_count(place, f, "/proc/sys/kernel/pid_max", threads_wanted(place),
               "scripts/tune --limits -- COMMAND, or sysctl -w kernel.pid_max=4194304 (as root)");
}

static void look_threads_max(const struct cb_doctor_place *place, struct cb_finding *f) {
    look_count(place, f, "/proc/sys/kernel/threads-max", threads_wanted(place),
               "scripts/tune --limits -- COMMAND, or sysctl -w kernel.threads-max=1100000 (as "
               "root)");
}

// ---- Control groups

// "max", or under v1 a number near 2^63, is no limit.
static double read_limit(const char *text) {
    char *end;
    double limit = strtod(text, &end);
    return end == text || limit >= 4e18 ? -1 : limit;
}

static void look_group(const struct cb_doctor_place *place, struct cb_finding *f,
                       const char *controller, const char *v1, const char *v2, long long enough,
                       const char *remedy) {
    double least;
    enum cb_doctor_state state = cb_doctor_cgroup(place, controller, v1, v2, read_limit, &least);
    if (state == CB_DOCTOR_UNKNOWN)
        cb_doctor_say(f, state, CB_DOCTOR_NOTHING, "the control groups cannot be read");
    else if (state == CB_DOCTOR_NO)
        cb_doctor_say(f, state, NULL, "no limit");
    else
        cb_doctor_say(f, least < (double)enough ? CB_DOCTOR_YES : CB_DOCTOR_NO, remedy,
                      "%.0f; %lld are wanted", least, enough);
}

static void look_group_pids(const struct cb_doctor_place *place, struct cb_finding *f) {
    look_group(place, f, "pids", "pids.max", "pids.max", threads_wanted(place),
               "run outside of the container, or raise its limit (docker run --pids-limit -1)");
}

static void look_group_memory(const struct cb_doctor_place *place, struct cb_finding *f) {
    look_group(place, f, "memory", "memory.limit_in_bytes", "memory.max", bytes_wanted(place),
               "run outside of the container, or raise its limit (docker run --memory)");
}

// ---- Resource limits

enum limit { LIMIT_UNREAD = -2, LIMIT_NONE = -1 };

// The soft limit of a row of /proc/self/limits.
static long long read_rlimit(const struct cb_doctor_place *place, const char *row) {
    char *text = cb_doctor_field(place, "/proc/self/limits", row), *end = text;
    if (text == NULL)
        return LIMIT_UNREAD;
    long long value = strncmp(text, "unlimited", 9) == 0 ? LIMIT_NONE : strtoll(text, &end, 10);
    if (value >= 0 && end == text) {
        value = LIMIT_UNREAD;
        errno = EINVAL;
    }
    free(text);
    return value;
}

#define SYS_ADMIN (1ULL << 21)
#define SYS_RESOURCE (1ULL << 24)

// The kernel does not hold the machine's root to RLIMIT_NPROC; a container's root may be another.
static bool is_above_limits(const struct cb_doctor_place *place) {
    unsigned long long inside, outside, count;
    char *capabilities = cb_doctor_field(place, "/proc/self/status", "CapEff:");
    char *users = cb_doctor_read(place, "/proc/self/uid_map");
    bool above = capabilities != NULL && users != NULL &&
                 (strtoull(capabilities, NULL, 16) & (SYS_RESOURCE | SYS_ADMIN)) &&
                 sscanf(users, "%llu %llu %llu", &inside, &outside, &count) == 3 &&
                 count == 4294967295ULL;
    free(users);
    free(capabilities);
    return above;
}

static void look_nproc(const struct cb_doctor_place *place, struct cb_finding *f) {
    long long limit = read_rlimit(place, "Max processes");
    if (limit == LIMIT_UNREAD)
        cb_doctor_say_unread(f, "/proc/self/limits", "mount /proc");
    else if (limit == LIMIT_NONE)
        cb_doctor_say(f, CB_DOCTOR_NO, NULL, "unlimited");
    else if (limit < threads_wanted(place) && is_above_limits(place))
        cb_doctor_say(f, CB_DOCTOR_NO, NULL, "%lld, which does not hold for root", limit);
    else
        cb_doctor_say(f, limit < threads_wanted(place) ? CB_DOCTOR_YES : CB_DOCTOR_NO,
                      "ulimit -u unlimited, or nproc in /etc/security/limits.conf",
                      "%lld; %lld are wanted", limit, threads_wanted(place));
}

static void look_address_space(const struct cb_doctor_place *place, struct cb_finding *f) {
    long long limit = read_rlimit(place, "Max address space");
    if (limit == LIMIT_UNREAD)
        cb_doctor_say_unread(f, "/proc/self/limits", "mount /proc");
    else if (limit == LIMIT_NONE)
        cb_doctor_say(f, CB_DOCTOR_NO, NULL, "unlimited");
    else
        cb_doctor_say(f, CB_DOCTOR_YES, "ulimit -v unlimited", "%lld", limit);
}

static void look_stack(const struct cb_doctor_place *place, struct cb_finding *f) {
    static const char *const remedy = "ulimit -s 8192";
    long long limit = read_rlimit(place, "Max stack size");
    if (limit == LIMIT_UNREAD)
        cb_doctor_say_unread(f, "/proc/self/limits", "mount /proc");
    else if (limit == LIMIT_NONE)
        cb_doctor_say(f, CB_DOCTOR_YES, remedy, "unlimited");
    else
        cb_doctor_say(f, limit < 1 << 20 ? CB_DOCTOR_YES : CB_DOCTOR_NO, remedy, "%lld", limit);
}

// ---- Memory

static void look_overcommit(const struct cb_doctor_place *place, struct cb_finding *f) {
    static const char *const path = "/proc/sys/vm/overcommit_memory";
    long long mode;
    if (!cb_doctor_number(place, path, &mode))
        cb_doctor_say_unread(f, path, "mount /proc");
    else if (mode < 0 || mode > 2)
        cb_doctor_say(f, CB_DOCTOR_UNKNOWN, CB_DOCTOR_NOTHING, "mode %lld is not known", mode);
    else
        cb_doctor_say(f, mode == 2 ? CB_DOCTOR_YES : CB_DOCTOR_NO,
                      "sysctl -w vm.overcommit_memory=0 (as root)", "mode %lld", mode);
}

static void look_guards(const struct cb_doctor_place *place, struct cb_finding *f) {
    static const char *const answers[] = {
        [CB_DOCTOR_NO] = "guards", [CB_DOCTOR_YES] = "does not guard", [CB_DOCTOR_UNKNOWN] = "?"};
    enum cb_doctor_state state = place->facts->no_guards;
    char *release = cb_doctor_read(place, "/proc/sys/kernel/osrelease");
    cb_doctor_say(f, state, "a kernel from 6.13 on; until then scripts/tune --limits -- COMMAND",
                  "%s, Linux %s",
                  state == CB_DOCTOR_UNKNOWN ? "could not be tried" : answers[state],
                  release != NULL ? release : "of unknown release");
    free(release);
}

static void look_available(const struct cb_doctor_place *place, struct cb_finding *f) {
    char *text = cb_doctor_field(place, "/proc/meminfo", "MemAvailable:"), *end = text;
    long long kib = text != NULL ? strtoll(text, &end, 10) : 0;
    if (text == NULL || end == text) {
        errno = text == NULL ? errno : EINVAL;
        cb_doctor_say_unread(f, "/proc/meminfo", "mount /proc");
    } else {
        cb_doctor_say(f, kib * 1024 < bytes_wanted(place) ? CB_DOCTOR_YES : CB_DOCTOR_NO,
                      "stop what holds memory (top, sorted by M, shows it)",
                      "%lld MiB; %lld are wanted", kib / 1024, bytes_wanted(place) >> 20);
    }
    free(text);
}

// ---- Units

static void look_units(const struct cb_doctor_place *place, struct cb_finding *f) {
    int units = place->facts->units;
    if (units < 0)
        cb_doctor_say(f, CB_DOCTOR_UNKNOWN, "mount /sys (lstopo shows what hwloc sees)",
                      "hwloc cannot tell");
    else
        cb_doctor_say(f, units < 2 ? CB_DOCTOR_YES : CB_DOCTOR_NO,
                      "give the process or the virtual machine a second unit", "%d", units);
}

static void look_cpuset(const struct cb_doctor_place *place, struct cb_finding *f) {
    char *allowed = cb_doctor_field(place, "/proc/self/status", "Cpus_allowed_list:");
    char *online = allowed != NULL ? cb_doctor_read(place, "/sys/devices/system/cpu/online") : NULL;
    int error = errno;
    hwloc_bitmap_t mine = hwloc_bitmap_alloc(), all = hwloc_bitmap_alloc();
    bool good = allowed != NULL && online != NULL;
    if (good && (hwloc_bitmap_list_sscanf(mine, allowed) < 0 ||
                 hwloc_bitmap_list_sscanf(all, online) < 0)) {
        good = false;
        error = EINVAL;
    }
    errno = error;
    if (!good)
        cb_doctor_say_unread(f, allowed == NULL ? "/proc/self/status" : "cpu/online",
                             "mount /proc and /sys");
    else
        cb_doctor_say(f, hwloc_bitmap_isincluded(all, mine) ? CB_DOCTOR_NO : CB_DOCTOR_YES,
                      "none needed if that is meant; else start it without taskset, or outside of "
                      "the container's cpuset",
                      "%s of %s", allowed, online);
    hwloc_bitmap_free(mine);
    hwloc_bitmap_free(all);
    free(online);
    free(allowed);
}

// ---- Counters

static void look_pmu(const struct cb_doctor_place *place, struct cb_finding *f) {
    static const char *const remedy =
        CB_DOCTOR_NOTHING ": the firmware or the hypervisor would have to pass the counters on. "
                          "corobench count counts instructions with valgrind";
    static const char *const allow = "scripts/tune -- COMMAND, or sysctl -w "
                                     "kernel.perf_event_paranoid=2 (as root); in a container, "
                                     "--cap-add PERFMON";
    int error = place->facts->pmu;
    if (error == 0)
        cb_doctor_say(f, CB_DOCTOR_NO, NULL, "instructions are counted");
    else if (error == CB_DOCTOR_PMU_STILL)
        cb_doctor_say(f, CB_DOCTOR_YES, remedy, "an instruction counter opens, but stays at 0");
    else if (error == EACCES || error == EPERM)
        cb_doctor_say(f, CB_DOCTOR_YES, allow, "an instruction counter may not be opened");
    else if (error == ENOENT || error == ENODEV || error == EOPNOTSUPP || error == ENOSYS)
        cb_doctor_say(f, CB_DOCTOR_YES, remedy, "no instruction counter: %s", strerror(error));
    else
        cb_doctor_say(f, CB_DOCTOR_UNKNOWN, CB_DOCTOR_NOTHING, "opening a counter fails: %s",
                      strerror(error));
}

static void look_paranoid(const struct cb_doctor_place *place, struct cb_finding *f) {
    static const char *const path = "/proc/sys/kernel/perf_event_paranoid";
    long long level;
    if (!cb_doctor_number(place, path, &level))
        cb_doctor_say_unread(f, path, CB_DOCTOR_NOTHING);
    else
        cb_doctor_say(
            f, level > 2 ? CB_DOCTOR_YES : CB_DOCTOR_NO,
            "scripts/tune -- COMMAND, or sysctl -w kernel.perf_event_paranoid=2 (as root)", "%lld",
            level);
}

// ---- Programs

static void look_program(const struct cb_doctor_place *place, struct cb_finding *f,
                         const char *program, const char *remedy) {
    const char *folders = place->facts->path;
    if (folders == NULL) {
        cb_doctor_say(f, CB_DOCTOR_UNKNOWN, "set PATH", "PATH is not set");
        return;
    }
    for (;;) {
        int length = (int)strcspn(folders, ":");
        char *inside = cb_format("%.*s/%s", length, folders, program);
        char *path = cb_doctor_path(place, inside);
        bool there = access(path, X_OK) == 0;
        if (there)
            cb_doctor_say(f, CB_DOCTOR_NO, NULL, "%s", inside);
        free(path);
        free(inside);
        if (there)
            return;
        if (folders[length] == '\0')
            break;
        folders += length + 1;
    }
    cb_doctor_say(f, CB_DOCTOR_YES, remedy, "not in PATH");
}

static void look_valgrind(const struct cb_doctor_place *place, struct cb_finding *f) {
    look_program(place, f, "valgrind", "scripts/setup --tests, or apt-get install valgrind");
}

static void look_gnuplot(const struct cb_doctor_place *place, struct cb_finding *f) {
    look_program(place, f, "gnuplot", "scripts/setup, or apt-get install gnuplot-nox");
}

static void look_latexmk(const struct cb_doctor_place *place, struct cb_finding *f) {
    look_program(place, f, "latexmk", "scripts/setup --paper, or apt-get install latexmk");
}

const struct cb_doctor_check cb_doctor_limits[] = {
    {"units", CB_DOCTOR_LIMITS, "Is there only one usable processing unit?",
     "cells with cpus=2 are unavailable, and all else on the machine runs on the measured unit",
     look_units},
    {"cpuset", CB_DOCTOR_LIMITS, "Is this process kept off some of the machine's units?",
     "only the others can be measured on", look_cpuset},
    {"memory-available", CB_DOCTOR_LIMITS,
     "Is there less memory than the largest cell of threads may need?",
     "cells with many live coroutines that do not fit are unavailable", look_available},
    {"cgroup-memory", CB_DOCTOR_LIMITS, "Does the control group limit memory to less than that?",
     "cells with many live coroutines may be killed: they are failed", look_group_memory},
    {"overcommit", CB_DOCTOR_LIMITS, "Does address space count as used memory?",
     "stacks count with their whole size: cells with many of them are unavailable",
     look_overcommit},
    {"guard-install", CB_DOCTOR_LIMITS, "Is there no guard page without a mapping of its own?",
     "each guarded stack takes two mappings, so max-map-count caps them; `mappings` grows by as "
     "much",
     look_guards},
    {"max-map-count", CB_DOCTOR_LIMITS,
     "Are fewer than two mappings allowed for each stack of the largest cell?",
     "threads, and stacks guarded by mprotect, are capped at half of this number: larger cells are "
     "unavailable",
     look_maps},
    {"pid-max", CB_DOCTOR_LIMITS, "Are there too few thread numbers for the largest cell?",
     "cells of threads above this are unavailable", look_pid_max},
    {"threads-max", CB_DOCTOR_LIMITS, "Are fewer threads allowed at all than the largest cell has?",
     "cells of threads above this are unavailable", look_threads_max},
    {"cgroup-pids", CB_DOCTOR_LIMITS,
     "Does the control group allow fewer threads than the largest cell has?",
     "cells of threads above this are unavailable", look_group_pids},
    {"rlimit-nproc", CB_DOCTOR_LIMITS,
     "Is this user allowed fewer threads than the largest cell has?",
     "cells of threads above this are unavailable", look_nproc},
    {"rlimit-as", CB_DOCTOR_LIMITS, "Is the address space limited?",
     "cells with many stacks are unavailable, however little memory they touch",
     look_address_space},
    {"rlimit-stack", CB_DOCTOR_LIMITS, "Is the stack's limit an unusual one?",
     "unlimited: mappings are laid out in another way, and threads get 2 MiB; below 1 MiB: threads "
     "get so little that deep cells may fail",
     look_stack},
};
const size_t cb_doctor_limits_count = sizeof cb_doctor_limits / sizeof *cb_doctor_limits;

const struct cb_doctor_check cb_doctor_tools[] = {
    {"pmu", CB_DOCTOR_LACKS, "Are the processor's counters out of reach?",
     "cycles are estimated, instructions and branch misses are null", look_pmu},
    {"perf-event-paranoid", CB_DOCTOR_LACKS, "Is counting kept for root?",
     "without root, cycles are estimated, instructions and branch misses are null", look_paranoid},
    {"valgrind", CB_DOCTOR_LACKS, "Is valgrind missing?",
     "corobench count cannot count instructions", look_valgrind},
    {"gnuplot", CB_DOCTOR_LACKS, "Is gnuplot missing?", "no plots are drawn", look_gnuplot},
    {"latexmk", CB_DOCTOR_LACKS, "Is latexmk missing?", "the paper is not built", look_latexmk},
};
const size_t cb_doctor_tools_count = sizeof cb_doctor_tools / sizeof *cb_doctor_tools;
