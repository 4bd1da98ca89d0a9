// What makes the same measurement give different numbers: clock, neighbours, kernel, layout.
#include "doctor_internal.h"

#include <errno.h>
#include <hwloc.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TUNE "scripts/tune -- COMMAND (as root)"
#define CPU "/sys/devices/system/cpu"
#define ISOLATE                                                                                    \
    "boot with isolcpus=N nohz_full=N rcu_nocbs=N, then run under taskset -c "                     \
    "N; " CB_DOCTOR_NOTHING " without a reboot"

// ---- The processor's clock

static void look_governor(const struct cb_doctor_place *place, struct cb_finding *f) {
    char *governors = cb_doctor_values(place, CPU "/cpu[0-9]*/cpufreq/scaling_governor");
    if (governors == NULL)
        cb_doctor_say(f, CB_DOCTOR_UNKNOWN,
                      CB_DOCTOR_NOTHING ": the host or the firmware sets the frequency",
                      "no cpufreq below " CPU);
    else if (strcmp(governors, "performance") == 0)
        cb_doctor_say(f, CB_DOCTOR_NO, NULL, "%s", governors);
    else
        cb_doctor_say(f, CB_DOCTOR_YES, TUNE, "%s", governors);
    free(governors);
}

static void look_turbo(const struct cb_doctor_place *place, struct cb_finding *f) {
    static const char *const off = CPU "/intel_pstate/no_turbo", *const on = CPU "/cpufreq/boost";
    long long number;
    if (cb_doctor_number(place, off, &number))
        cb_doctor_say(f, number != 0 ? CB_DOCTOR_NO : CB_DOCTOR_YES, TUNE,
                      "intel_pstate/no_turbo is %lld", number);
    else if (cb_doctor_number(place, on, &number))
        cb_doctor_say(f, number == 0 ? CB_DOCTOR_NO : CB_DOCTOR_YES, TUNE, "cpufreq/boost is %lld",
                      number);
    else
        cb_doctor_say(f, CB_DOCTOR_UNKNOWN,
                      CB_DOCTOR_NOTHING ": look in the firmware's settings, if they can be reached",
                      "neither intel_pstate/no_turbo nor cpufreq/boost");
}

// ---- Who else runs on the unit

static void look_smt(const struct cb_doctor_place *place, struct cb_finding *f) {
    static const char *const remedy =
        "leave the sibling idle: offline it (echo 0 >" CPU "/cpuN/online), or switch SMT off (echo "
        "off >" CPU "/smt/control)";
    long long active;
    char *siblings = cb_doctor_values(place, CPU "/cpu[0-9]*/topology/thread_siblings_list");
    if (siblings != NULL) {
        // "0-1" or "0,4" are two on a core; the lists themselves are joined by ", ".
        bool shared = strchr(siblings, '-') != NULL;
        for (const char *c = siblings; (c = strchr(c, ',')) != NULL; c++)
            shared |= c[1] != ' ';
        cb_doctor_say(f, shared ? CB_DOCTOR_YES : CB_DOCTOR_NO, remedy, "%s",
                      shared ? "several a core" : "one a core");
    } else if (cb_doctor_number(place, CPU "/smt/active", &active)) {
        cb_doctor_say(f, active ? CB_DOCTOR_YES : CB_DOCTOR_NO, remedy, "smt/active is %lld",
                      active);
    } else {
        cb_doctor_say(f, CB_DOCTOR_UNKNOWN, CB_DOCTOR_NOTHING, "no topology below " CPU);
    }
    free(siblings);
}

// A list of units like "0-3,7" as hwloc's bitmap: empty where there is none ("(null)", "").
static hwloc_bitmap_t units_in(const char *list) {
    hwloc_bitmap_t units = hwloc_bitmap_alloc();
    if (units != NULL && list != NULL && *list != '\0' && hwloc_bitmap_list_sscanf(units, list) < 0)
        hwloc_bitmap_zero(units);
    return units;
}

// Of the units that `list` names and that this process may run on, whether there is one.
static void say_units(const struct cb_doctor_place *place, struct cb_finding *f, const char *list) {
    char *allowed = cb_doctor_field(place, "/proc/self/status", "Cpus_allowed_list:");
    hwloc_bitmap_t listed = units_in(list), mine = units_in(allowed);
    if (hwloc_bitmap_iszero(listed))
        cb_doctor_say(f, CB_DOCTOR_YES, ISOLATE, "none");
    else if (allowed == NULL)
        cb_doctor_say_unread(f, "/proc/self/status", "mount /proc");
    else if (hwloc_bitmap_intersects(listed, mine))
        cb_doctor_say(f, CB_DOCTOR_NO, NULL, "%s", list);
    else
        cb_doctor_say(f, CB_DOCTOR_YES, "taskset -c N corobench run, with N one of these units",
                      "%s, but this process may run on %s only", list, allowed);
    hwloc_bitmap_free(listed);
    hwloc_bitmap_free(mine);
    free(allowed);
}

static void look_isolated(const struct cb_doctor_place *place, struct cb_finding *f) {
    // The kernel's command line, and what cpuset partitions isolate while it runs.
    char *boot = cb_doctor_read(place, CPU "/isolated");
    char *partition = cb_doctor_read(place, "/sys/fs/cgroup/cpuset.cpus.isolated");
    bool both = boot != NULL && partition != NULL && *boot != '\0' && *partition != '\0';
    char *list = cb_format("%s%s%s", boot ? boot : "", both ? "," : "", partition ? partition : "");
    if (boot == NULL && partition == NULL)
        cb_doctor_say(f, CB_DOCTOR_UNKNOWN, "mount /sys", CPU "/isolated is not there");
    else
        say_units(place, f, list);
    free(list);
    free(partition);
    free(boot);
}

static void look_tick(const struct cb_doctor_place *place, struct cb_finding *f) {
    char *list = cb_doctor_read(place, CPU "/nohz_full");
    char *online = cb_doctor_read(place, CPU "/online");
    if (list != NULL)
        say_units(place, f, list);
    else if (online != NULL)
        cb_doctor_say(f, CB_DOCTOR_YES,
                      CB_DOCTOR_NOTHING ", short of a kernel built with CONFIG_NO_HZ_FULL",
                      "the kernel cannot stop it");
    else
        cb_doctor_say(f, CB_DOCTOR_UNKNOWN, "mount /sys", CPU "/nohz_full is not there");
    free(online);
    free(list);
}

static void look_load(const struct cb_doctor_place *place, struct cb_finding *f) {
    char *text = cb_doctor_read(place, "/proc/loadavg"), *end = text;
    double load = text != NULL ? strtod(text, &end) : 0;
    int units = place->facts->units > 0 ? place->facts->units : 1;
    if (text == NULL || end == text) {
        errno = text == NULL ? errno : EINVAL;
        cb_doctor_say_unread(f, "/proc/loadavg", "mount /proc");
    } else {
        cb_doctor_say(f, load > 0.25 * units ? CB_DOCTOR_YES : CB_DOCTOR_NO,
                      "stop other work (top shows it), or wait until it is done",
                      "%.2f over one minute, on %d unit%s", load, units, units == 1 ? "" : "s");
    }
    free(text);
}

// v2: "max 100000" or "50000 100000"; v1 has the quota and the period in files of their own, and
// its period is 100000 unless someone changed it. Units of processor time.
static double read_quota(const char *text) {
    char *end;
    double quota = strtod(text, &end);
    if (end == text)
        return -1; // "max"; under v1 it is the quota that is -1
    double period = strtod(end, NULL);
    return quota / (period > 0 ? period : 100000);
}

static void look_quota(const struct cb_doctor_place *place, struct cb_finding *f) {
    double quota;
    enum cb_doctor_state state =
        cb_doctor_cgroup(place, "cpu", "cpu.cfs_quota_us", "cpu.max", read_quota, &quota);
    if (state == CB_DOCTOR_UNKNOWN)
        cb_doctor_say(f, state, CB_DOCTOR_NOTHING, "the control groups cannot be read");
    else if (state == CB_DOCTOR_NO)
        cb_doctor_say(f, state, NULL, "no limit");
    else
        cb_doctor_say(f, state, "run outside of the container, or without its CPU limit",
                      "%.2f units' time", quota);
}

// ---- The hypervisor

static void look_virtual(const struct cb_doctor_place *place, struct cb_finding *f) {
    static const char *const remedy =
        CB_DOCTOR_NOTHING ": measure on a machine of its own to be sure of absolute numbers";
    const char *told = place->facts->hypervisor;
    char *flags = cb_doctor_field(place, "/proc/cpuinfo", "flags");
    char *type = cb_doctor_read(place, "/sys/hypervisor/type");
    char *product = cb_doctor_read(place, "/sys/class/dmi/id/product_name");
    const char *name = type != NULL ? type : product != NULL ? product : "its name is not known";
    if (told != NULL && strcmp(told, "none") != 0)
        cb_doctor_say(f, CB_DOCTOR_YES, remedy, "%s", told);
    else if (type != NULL || (flags != NULL && strstr(flags, " hypervisor") != NULL))
        cb_doctor_say(f, CB_DOCTOR_YES, remedy, "%s", name);
    else if (told != NULL || flags != NULL)
        cb_doctor_say(f, CB_DOCTOR_NO, NULL, "none");
    else
        cb_doctor_say(f, CB_DOCTOR_UNKNOWN, "systemd-detect-virt may know more",
                      "the processor does not tell");
    free(product);
    free(type);
    free(flags);
}

struct ticks {
    uint64_t all, stolen;
};

// Column 8 of the first line: user nice system idle iowait irq softirq steal. Guest time, after
// it, is part of user time.
static bool read_ticks(const struct cb_doctor_place *place, struct ticks *ticks) {
    char *line = cb_doctor_field(place, "/proc/stat", "cpu ");
    uint64_t t[8] = {0};
    bool good = line != NULL && sscanf(line,
                                       "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                                       " %" SCNu64 " %" SCNu64 " %" SCNu64,
                                       &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) == 8;
    *ticks = (struct ticks){0, t[7]};
    for (int i = 0; i < 8; i++)
        ticks->all += t[i];
    if (line != NULL && !good)
        errno = EINVAL;
    free(line);
    return good;
}

static double percent(uint64_t part, uint64_t whole) {
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static void look_steal(const struct cb_doctor_place *place, struct cb_finding *f) {
    struct ticks before, after;
    bool good = read_ticks(place, &before);
    if (good)
        place->facts->work(place->facts->context);
    if (!good || !read_ticks(place, &after)) {
        cb_doctor_say_unread(f, "/proc/stat", CB_DOCTOR_NOTHING);
        return;
    }
    // It is known to step back by a tick on some hypervisors.
    uint64_t stolen = after.stolen > before.stolen ? after.stolen - before.stolen : 0;
    double now = percent(stolen, after.all - before.all), ever = percent(after.stolen, after.all);
    cb_doctor_say(f, stolen > 0 || ever >= 0.1 ? CB_DOCTOR_YES : CB_DOCTOR_NO,
                  "measure when the host has less to do; the samples with steal are taken again",
                  "%.1f %% just now, %.2f %% since the start", now, ever);
}

// ---- Memory layout and time

static void look_thp(const struct cb_doctor_place *place, struct cb_finding *f) {
    static const char *const path = "/sys/kernel/mm/transparent_hugepage/enabled";
    char *text = cb_doctor_read(place, path);
    const char *open = text != NULL ? strchr(text, '[') : NULL;
    if (text == NULL) {
        cb_doctor_say_unread(f, path, CB_DOCTOR_NOTHING);
    } else {
        // "always [madvise] never": the chosen one is in brackets.
        const char *start = open != NULL ? open + 1 : text;
        int length = (int)strcspn(start, "]");
        bool always = length == 6 && strncmp(start, "always", 6) == 0;
        cb_doctor_say(f, always ? CB_DOCTOR_YES : CB_DOCTOR_NO,
                      "scripts/tune --thp madvise -- COMMAND (as root)", "%.*s", length, start);
    }
    free(text);
}

#define NO_RANDOM 0x0040000UL // ADDR_NO_RANDOMIZE of personality(2)

static void look_aslr(const struct cb_doctor_place *place, struct cb_finding *f) {
    static const char *const path = "/proc/sys/kernel/randomize_va_space";
    long long level;
    char *persona = cb_doctor_read(place, "/proc/self/personality");
    if (persona != NULL && (strtoul(persona, NULL, 16) & NO_RANDOM))
        cb_doctor_say(f, CB_DOCTOR_YES, "start it without setarch -R, outside of a debugger",
                      "off for this process");
    else if (!cb_doctor_number(place, path, &level))
        cb_doctor_say_unread(f, path, "mount /proc");
    else
        cb_doctor_say(f, level >= 2 ? CB_DOCTOR_NO : CB_DOCTOR_YES,
                      "scripts/tune --aslr on -- COMMAND (as root)", "randomize_va_space is %lld",
                      level);
    free(persona);
}

static bool is_one_of(const char *name, const char *const *list) {
    for (; *list != NULL; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

static void look_clock(const struct cb_doctor_place *place, struct cb_finding *f) {
    static const char *const path =
        "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    // Those that the C library reads without a system call.
    static const char *const fast[] = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page",
                                       "arch_sys_counter", NULL};
    static const char *const slow[] = {"hpet", "acpi_pm", "jiffies", "refined-jiffies",
                                       "pit",  "xen",     NULL};
    static const char *const remedy =
        "echo tsc >/sys/devices/system/clocksource/clocksource0/current_clocksource (as root); "
        "where the kernel gave the TSC up, `dmesg | grep -i tsc` says why";
    char *name = cb_doctor_read(place, path);
    if (name == NULL)
        cb_doctor_say_unread(f, path, "mount /sys");
    else if (is_one_of(name, fast))
        cb_doctor_say(f, CB_DOCTOR_NO, NULL, "%s", name);
    else if (is_one_of(name, slow))
        cb_doctor_say(f, CB_DOCTOR_YES, remedy, "%s", name);
    else
        cb_doctor_say(f, CB_DOCTOR_UNKNOWN, CB_DOCTOR_NOTHING,
                      "%s: whether it is fast is not known", name);
    free(name);
}

const struct cb_doctor_check cb_doctor_noise[] = {
    {"governor", CB_DOCTOR_DISTURBS, "May the clock's frequency change with the load?",
     "the same work takes more ns while the clock is low: times spread, and follow what ran "
     "before. "
     "Cycles and instructions suffer less",
     look_governor},
    {"turbo", CB_DOCTOR_DISTURBS, "May the clock rise above its nominal frequency?",
     "times depend on temperature and on how many cores are busy; they drift during a run",
     look_turbo},
    {"smt", CB_DOCTOR_DISTURBS, "Do several units share a core?",
     "work on the sibling takes up to half of the core's speed from what is measured", look_smt},
    {"isolated-units", CB_DOCTOR_DISTURBS, "May other programs run on every unit we may use?",
     "involuntary switches and cold caches inside of samples: slow outliers, which are taken again",
     look_isolated},
    {"tick", CB_DOCTOR_DISTURBS, "Does the timer's tick interrupt what is measured?",
     "some us of each tick (every 1 to 10 ms) are in the times: well below 1 %, for all alike",
     look_tick},
    {"load", CB_DOCTOR_DISTURBS, "Do other programs want the processor?",
     "shared caches, memory and power: slower and wider times", look_load},
    {"cpu-quota", CB_DOCTOR_DISTURBS, "Is the processor time of this control group limited?",
     "when it is used up, the process stands still for up to 100 ms, perhaps within a batch",
     look_quota},
    {"virtualisation", CB_DOCTOR_DISTURBS, "Does a hypervisor run below this system?",
     "page faults and interrupts cost more, neighbours cannot be seen, and counters may be "
     "missing: "
     "trust ratios more than absolute numbers",
     look_virtual},
    {"steal", CB_DOCTOR_DISTURBS, "Does the hypervisor take processor time away?",
     "a batch during which time was stolen is too long; such samples are taken again", look_steal},
    {"thp", CB_DOCTOR_DISTURBS, "Does the kernel use huge pages unasked?",
     "resident memory of stacks and frames is rounded up to 2 MiB, and times depend on whether a "
     "huge page could be had",
     look_thp},
    {"aslr", CB_DOCTOR_DISTURBS, "Are addresses less than fully random from process to process?",
     "one lucky or unlucky layout decides: intervals are too narrow, as all samples share it",
     look_aslr},
    {"clock-source", CB_DOCTOR_DISTURBS, "Is reading the time a system call?",
     "each reading takes about a us more, and may have a coarse step; whole batches hide most of "
     "it",
     look_clock},
};
const size_t cb_doctor_noise_count = sizeof cb_doctor_noise / sizeof *cb_doctor_noise;
