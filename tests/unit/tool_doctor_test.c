// The doctor looks at made-up trees of /proc and /sys: every finding in all its states, and nothing
// else changed by what changes one of them.
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/lib/file.h"
#include "harness/lib/message.h"
#include "harness/tool/doctor.h"

// ---- A machine on which nothing is wrong

static char root[] = "/tmp/corobench-doctor-XXXXXX";

struct edit {
    const char *path, *text; // no text: the file is not there
};

#define CPU "/sys/devices/system/cpu"
#define GROUP "/sys/fs/cgroup/a/b"
#define CLOCK "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define THP "/sys/kernel/mm/transparent_hugepage/enabled"
#define LIMITS(as, nproc, stack)                                                                   \
    "Limit                     Soft Limit           Hard Limit           Units     \n"             \
    "Max stack size            " stack "              unlimited            bytes     \n"           \
    "Max processes             " nproc "                96365                processes \n"         \
    "Max address space         " as "            unlimited            bytes     \n"
#define STATUS(units, capabilities)                                                                \
    "Name:\tcorobench\nCapInh:\t0000000000000000\nCapEff:\t" capabilities                          \
    "\nCpus_allowed:\tf\nCpus_allowed_list:\t" units "\n"
#define NO_CAPABILITIES "0000000000000000"

static const struct edit quiet[] = {
    {CPU "/cpu0/cpufreq/scaling_governor", "performance\n"},
    {CPU "/cpu1/cpufreq/scaling_governor", "performance\n"},
    {CPU "/intel_pstate/no_turbo", "1\n"},
    {CPU "/cpufreq/boost", NULL},
    {CPU "/cpu0/topology/thread_siblings_list", "0\n"},
    {CPU "/cpu1/topology/thread_siblings_list", "1\n"},
    {CPU "/smt/active", NULL},
    {CPU "/isolated", "1\n"},
    {CPU "/nohz_full", "1\n"},
    {CPU "/online", "0-1\n"},
    {"/sys/fs/cgroup/cpuset.cpus.isolated", NULL},
    {"/proc/self/status", STATUS("0-1", NO_CAPABILITIES)},
    {"/proc/self/uid_map", "         0          0 4294967295\n"},
    {"/proc/self/personality", "00000000\n"},
    {"/proc/self/limits", LIMITS("unlimited", "200000", "8388608")},
    {"/proc/self/cgroup", "0::/a/b\n"},
    {GROUP "/cgroup.procs", "1\n"},
    {GROUP "/cpu.max", "max 100000\n"},
    {GROUP "/pids.max", "max\n"},
    {GROUP "/memory.max", "max\n"},
    {"/sys/fs/cgroup/a/cpu.max", NULL},
    {"/sys/fs/cgroup/a/pids.max", NULL},
    {"/sys/fs/cgroup/pids.max", NULL},
    {"/sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", NULL},
    {"/sys/fs/cgroup/cpu/c/cgroup.procs", NULL},
    {"/sys/fs/cgroup/memory/c/memory.limit_in_bytes", NULL},
    {"/sys/fs/cgroup/memory/c/cgroup.procs", NULL},
    {"/proc/loadavg", "0.10 3.00 5.00 1/100 4242\n"},
    {"/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme sse2\n\nprocessor\t: 1\n"},
    {"/sys/hypervisor/type", NULL},
    {"/sys/class/dmi/id/product_name", NULL},
    {"/proc/stat", "cpu  1000 0 1000 7999 0 0 0 1 0 0\ncpu0 1 1 1 1 1 1 1 9 1 1\n"},
    {THP, "always [madvise] never\n"},
    {"/proc/sys/kernel/randomize_va_space", "2\n"},
    {CLOCK, "tsc\n"},
    {"/proc/sys/vm/max_map_count", "1048576\n"},
    {"/proc/sys/vm/overcommit_memory", "0\n"},
    {"/proc/sys/kernel/pid_max", "4194304\n"},
    {"/proc/sys/kernel/threads-max", "500000\n"},
    {"/proc/sys/kernel/osrelease", "6.13.0\n"},
    {"/proc/sys/kernel/perf_event_paranoid", "2\n"},
    {"/proc/meminfo", "MemTotal: 16000000 kB\nMemFree: 5 kB\nMemAvailable: 8000000 kB\n"},
    {"/tools/valgrind", "#!\n"},
    {"/tools/gnuplot", "#!\n"},
    {"/more/tools/latexmk", "#!\n"},
};
#define QUIET (sizeof quiet / sizeof *quiet)

static void put(const char *path, const char *text) {
    char *whole = cb_format("%s%s", root, path);
    if (text == NULL) {
        assert_true(unlink(whole) == 0 || errno == ENOENT || errno == ENOTDIR);
    } else {
        char *slash = strrchr(whole, '/');
        *slash = '\0';
        assert_int_equal(cb_make_folders(whole), 0);
        *slash = '/';
        FILE *file = fopen(whole, "w");
        assert_non_null(file);
        fputs(text, file);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(whole, 0755), 0);
    }
    free(whole);
}

static void put_back(const char *path) {
    for (size_t i = 0; i < QUIET; i++) {
        if (strcmp(path, quiet[i].path) == 0) {
            put(path, quiet[i].text);
            return;
        }
    }
    fail_msg("%s is not in the quiet tree: the next trial would see it", path);
}

static int make_tree(void **state) {
    (void)state;
    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < QUIET; i++)
        put(quiet[i].path, quiet[i].text);
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static int remove_tree(void **state) {
    (void)state;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void rest(void *context) {
    (void)context;
}

static struct cb_doctor_facts quiet_facts(void) {
    return (struct cb_doctor_facts){.units = 2,
                                    .pmu = 0,
                                    .no_guards = CB_DOCTOR_NO,
                                    .path = "/nowhere:/tools:/more/tools",
                                    .most = 100000,
                                    .work = rest};
}

// ---- Trials: what is changed, what then must be found

// What no file tells, other than quiet: one of these a trial.
enum other {
    AS_IS,
    ONE_UNIT,
    NO_UNITS,
    ON_KVM,
    ON_METAL,
    PMU_ERROR, // from here on with a number
    GUARDS,
    WITH_PATH,
    STOLEN,
    MOST,
};

struct trial {
    const char *id;
    enum cb_doctor_state state;
    const char *value; // a part of it
    struct edit edits[4];
    enum other other;
    int number;
    const char *path;
    const char *also; // ids that the same edits may change
};

// What the quiet machine has too little of for a million.
#define MANY "max-map-count threads-max rlimit-nproc memory-available"
#define NO CB_DOCTOR_NO
#define YES CB_DOCTOR_YES
#define UNKNOWN CB_DOCTOR_UNKNOWN
// clang-format off
static const struct trial trials[] = {
    {"governor", NO, "performance", .edits = {{0}}},
    {"governor", YES, "performance, powersave", .edits = {{CPU "/cpu1/cpufreq/scaling_governor", "powersave\n"}}},
    {"governor", YES, "schedutil", .edits = {{CPU "/cpu0/cpufreq/scaling_governor", "schedutil\n"},
                                    {CPU "/cpu1/cpufreq/scaling_governor", "schedutil\n"}}},
    {"governor", UNKNOWN, "no cpufreq", .edits = {{CPU "/cpu0/cpufreq/scaling_governor", NULL},
                                         {CPU "/cpu1/cpufreq/scaling_governor", NULL}}},
    {"governor", UNKNOWN, "no cpufreq", .edits = {{CPU "/cpu0/cpufreq/scaling_governor", ""},
                                         {CPU "/cpu1/cpufreq/scaling_governor", "\n"}}},

    {"turbo", NO, "no_turbo is 1", .edits = {{0}}},
    {"turbo", YES, "no_turbo is 0", .edits = {{CPU "/intel_pstate/no_turbo", "0\n"}}},
    {"turbo", YES, "boost is 1", .edits = {{CPU "/intel_pstate/no_turbo", NULL}, {CPU "/cpufreq/boost", "1\n"}}},
    {"turbo", NO, "boost is 0", .edits = {{CPU "/intel_pstate/no_turbo", NULL}, {CPU "/cpufreq/boost", "0\n"}}},
    {"turbo", UNKNOWN, "neither", .edits = {{CPU "/intel_pstate/no_turbo", NULL}}},
    {"turbo", UNKNOWN, "neither", .edits = {{CPU "/intel_pstate/no_turbo", "on\n"}}},

    {"smt", NO, "one a core", .edits = {{0}}},
    {"smt", YES, "several a core", .edits = {{CPU "/cpu1/topology/thread_siblings_list", "1,3\n"}}},
    {"smt", YES, "several a core", .edits = {{CPU "/cpu0/topology/thread_siblings_list", "0-1\n"}}},
    {"smt", YES, "active is 1", .edits = {{CPU "/cpu0/topology/thread_siblings_list", NULL},
        {CPU "/cpu1/topology/thread_siblings_list", NULL}, {CPU "/smt/active", "1\n"}}},
    {"smt", NO, "active is 0", .edits = {{CPU "/cpu0/topology/thread_siblings_list", NULL},
        {CPU "/cpu1/topology/thread_siblings_list", NULL}, {CPU "/smt/active", "0\n"}}},
    {"smt", UNKNOWN, "no topology", .edits = {{CPU "/cpu0/topology/thread_siblings_list", NULL},
                                     {CPU "/cpu1/topology/thread_siblings_list", NULL}}},

    {"isolated-units", NO, "1", .edits = {{0}}},
    {"isolated-units", NO, "0", .edits = {{CPU "/isolated", "\n"}, {"/sys/fs/cgroup/cpuset.cpus.isolated", "0\n"}}},
    {"isolated-units", NO, "3,0", .edits = {{CPU "/isolated", "3\n"}, {"/sys/fs/cgroup/cpuset.cpus.isolated", "0\n"}}},
    {"isolated-units", YES, "none", .edits = {{CPU "/isolated", "\n"}}},
    {"isolated-units", YES, "2-3, but this process may run on 0-1 only", .edits = {{CPU "/isolated", "2-3\n"}}},
    {"isolated-units", UNKNOWN, "not there", .edits = {{CPU "/isolated", NULL}}},
    {"isolated-units", UNKNOWN, "not there", .edits = {{"/proc/self/status", NULL}}, .also = "tick cpuset"},

    {"tick", NO, "1", .edits = {{0}}},
    {"tick", YES, "none", .edits = {{CPU "/nohz_full", "(null)\n"}}},
    {"tick", YES, "cannot stop it", .edits = {{CPU "/nohz_full", NULL}}},
    {"tick", UNKNOWN, "not there", .edits = {{CPU "/nohz_full", NULL}, {CPU "/online", NULL}}, .also = "cpuset"},

    {"load", NO, "0.10 over one minute, on 2 units", .edits = {{0}}},
    {"load", NO, "0.50", .edits = {{"/proc/loadavg", "0.50 9.00 9.00 1/1 1\n"}}},
    {"load", YES, "0.51", .edits = {{"/proc/loadavg", "0.51 0.00 0.00 1/1 1\n"}}},
    {"load", YES, "0.30 over one minute, on 1 unit", .edits = {{"/proc/loadavg", "0.30 0 0 1/1 1\n"}}, ONE_UNIT, .also = "units"},
    {"load", UNKNOWN, "not there", .edits = {{"/proc/loadavg", NULL}}},
    {"load", UNKNOWN, "unexpected", .edits = {{"/proc/loadavg", "much\n"}}},

    {"cpu-quota", NO, "no limit", .edits = {{0}}},
    {"cpu-quota", YES, "0.50 units", .edits = {{GROUP "/cpu.max", "50000 100000\n"}}},
    {"cpu-quota", YES, "1.50 units", .edits = {{"/sys/fs/cgroup/a/cpu.max", "75000 50000\n"}}},
    {"cpu-quota", YES, "0.25 units", .edits = {{"/proc/self/cgroup", "4:cpuacct,cpu:/c\n0::/a/b\n"},
        {"/sys/fs/cgroup/cpu/c/cgroup.procs", "1\n"}, {"/sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "25000\n"}}},
    {"cpu-quota", NO, "no limit", .edits = {{"/proc/self/cgroup", "4:cpuacct,cpu:/c\n0::/a/b\n"},
        {"/sys/fs/cgroup/cpu/c/cgroup.procs", "1\n"}, {"/sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "-1\n"}}},
    {"cpu-quota", UNKNOWN, "cannot be read", .edits = {{"/proc/self/cgroup", NULL}}, .also = "cgroup-pids cgroup-memory"},
    {"cpu-quota", UNKNOWN, "cannot be read", .edits = {{GROUP "/cgroup.procs", NULL}}, .also = "cgroup-pids cgroup-memory"},
    {"cpu-quota", UNKNOWN, "cannot be read", .edits = {{"/proc/self/cgroup", "nonsense\n1:cpuset:/x"}}, .also = "cgroup-pids cgroup-memory"},

    {"virtualisation", NO, "none", .edits = {{0}}},
    {"virtualisation", NO, "none", .edits = {{"/proc/cpuinfo", NULL}}, ON_METAL},
    {"virtualisation", YES, "kvm", .edits = {{0}}, ON_KVM},
    {"virtualisation", YES, "not known", .edits = {{"/proc/cpuinfo", "flags : fpu hypervisor\n"}}},
    {"virtualisation", YES, "Standard PC", .edits = {{"/proc/cpuinfo", "flags : fpu hypervisor\n"},
                                            {"/sys/class/dmi/id/product_name", "Standard PC\n"}}},
    {"virtualisation", NO, "none", .edits = {{"/sys/class/dmi/id/product_name", "Some Server\n"}}},
    {"virtualisation", YES, "xen", .edits = {{"/sys/hypervisor/type", "xen\n"}}, ON_METAL},
    {"virtualisation", UNKNOWN, "does not tell", .edits = {{"/proc/cpuinfo", "Features : fp asimd\n"}}},

    {"steal", NO, "0.0 % just now, 0.01 %", .edits = {{0}}},
    {"steal", YES, "5.0 % just now, 0.06 %", .edits = {{0}}, STOLEN, 5},
    {"steal", YES, "0.50 % since the start", .edits = {{"/proc/stat", "cpu 0 0 0 995 0 0 0 5\n"}}},
    {"steal", UNKNOWN, "not there", .edits = {{"/proc/stat", NULL}}},
    {"steal", UNKNOWN, "unexpected", .edits = {{"/proc/stat", "cpu 1 2 3 4 5 6 7\n"}}},
    {"steal", UNKNOWN, "unexpected", .edits = {{"/proc/stat", "intr 1\n"}}},

    {"thp", NO, "madvise", .edits = {{0}}},
    {"thp", NO, "never", .edits = {{THP, "always madvise [never]\n"}}},
    {"thp", YES, "always", .edits = {{THP, "[always] madvise never\n"}}},
    {"thp", UNKNOWN, "not there", .edits = {{THP, NULL}}},

    {"aslr", NO, "is 2", .edits = {{0}}},
    {"aslr", YES, "is 1", .edits = {{"/proc/sys/kernel/randomize_va_space", "1\n"}}},
    {"aslr", YES, "is 0", .edits = {{"/proc/sys/kernel/randomize_va_space", "0\n"}}},
    {"aslr", YES, "off for this process", .edits = {{"/proc/self/personality", "00040000\n"}}},
    {"aslr", UNKNOWN, "not there", .edits = {{"/proc/sys/kernel/randomize_va_space", NULL}}},

    {"clock-source", NO, "tsc", .edits = {{0}}},
    {"clock-source", NO, "kvm-clock", .edits = {{CLOCK, "kvm-clock\n"}}},
    {"clock-source", YES, "hpet", .edits = {{CLOCK, "hpet\n"}}},
    {"clock-source", UNKNOWN, "sundial", .edits = {{CLOCK, "sundial\n"}}},
    {"clock-source", UNKNOWN, "not there", .edits = {{CLOCK, NULL}}},

    {"units", NO, "2", .edits = {{0}}},
    {"units", YES, "1", .edits = {{0}}, ONE_UNIT},
    {"units", UNKNOWN, "hwloc", .edits = {{0}}, NO_UNITS},

    {"cpuset", NO, "0-1 of 0-1", .edits = {{0}}},
    {"cpuset", YES, "0-1 of 0-3", .edits = {{CPU "/online", "0-3\n"}}},
    {"cpuset", YES, "1 of 0-1", .edits = {{"/proc/self/status", STATUS("1", NO_CAPABILITIES)}}},
    {"cpuset", UNKNOWN, "online is not there", .edits = {{CPU "/online", NULL}}},
    {"cpuset", UNKNOWN, "unexpected", .edits = {{"/proc/self/status", "Name: x\n"}}, .also = "isolated-units tick"},

    {"memory-available", NO, "7812 MiB", .edits = {{0}}},
    {"memory-available", YES, "3906 MiB; 3906 are wanted", .edits = {{"/proc/meminfo", "MemAvailable: 3999999 kB\n"}}},
    {"memory-available", NO, "3906 MiB; 3906 are wanted", .edits = {{"/proc/meminfo", "MemAvailable: 4000000 kB\n"}}},
    {"memory-available", YES, "7812 MiB; 39062 are wanted", .edits = {{0}}, MOST, 1000000, .also = MANY},
    {"memory-available", UNKNOWN, "unexpected", .edits = {{"/proc/meminfo", "MemFree: 1 kB\n"}}},
    {"memory-available", UNKNOWN, "not there", .edits = {{"/proc/meminfo", NULL}}},

    {"cgroup-memory", NO, "no limit", .edits = {{0}}},
    {"cgroup-memory", NO, "8000000000", .edits = {{GROUP "/memory.max", "8000000000\n"}}},
    {"cgroup-memory", YES, "1000000000", .edits = {{GROUP "/memory.max", "1000000000\n"}}},
    {"cgroup-memory", NO, "no limit", .edits = {{"/proc/self/cgroup", "2:memory:/c\n0::/a/b\n"},
        {"/sys/fs/cgroup/memory/c/cgroup.procs", "1\n"},
        {"/sys/fs/cgroup/memory/c/memory.limit_in_bytes", "9223372036854771712\n"}}},
    {"cgroup-memory", UNKNOWN, "cannot be read", .edits = {{"/proc/self/cgroup", "2:memory:/c\n0::/a/b\n"}}},

    {"overcommit", NO, "mode 0", .edits = {{0}}},
    {"overcommit", NO, "mode 1", .edits = {{"/proc/sys/vm/overcommit_memory", "1\n"}}},
    {"overcommit", YES, "mode 2", .edits = {{"/proc/sys/vm/overcommit_memory", "2\n"}}},
    {"overcommit", UNKNOWN, "mode 3", .edits = {{"/proc/sys/vm/overcommit_memory", "3\n"}}},
    {"overcommit", UNKNOWN, "not there", .edits = {{"/proc/sys/vm/overcommit_memory", NULL}}},

    {"guard-install", NO, "guards, Linux 6.13.0", .edits = {{0}}},
    {"guard-install", YES, "does not guard, Linux 6.1.0", .edits = {{"/proc/sys/kernel/osrelease", "6.1.0\n"}}, GUARDS, YES},
    {"guard-install", UNKNOWN, "could not be tried", .edits = {{0}}, GUARDS, UNKNOWN},

    {"max-map-count", NO, "1048576", .edits = {{0}}},
    {"max-map-count", YES, "1048576; 2001000 are wanted", .edits = {{0}}, MOST, 1000000, .also = MANY},
    {"max-map-count", NO, "65530; 65000 are wanted", .edits = {{"/proc/sys/vm/max_map_count", "65530\n"}}, MOST, 32000},
    {"max-map-count", YES, "65530", .edits = {{"/proc/sys/vm/max_map_count", "65530\n"}}},
    {"max-map-count", YES, "150000", .edits = {{"/proc/sys/vm/max_map_count", "150000\n"}}},
    {"max-map-count", UNKNOWN, "not there", .edits = {{"/proc/sys/vm/max_map_count", NULL}}},
    {"pid-max", NO, "4194304", .edits = {{0}}},
    {"pid-max", NO, "4194304; 1001000 are wanted", .edits = {{0}}, MOST, 1000000, .also = MANY},
    {"pid-max", YES, "32768", .edits = {{"/proc/sys/kernel/pid_max", "32768\n"}}},
    {"pid-max", UNKNOWN, "unexpected", .edits = {{"/proc/sys/kernel/pid_max", "?\n"}}},
    {"threads-max", NO, "500000", .edits = {{0}}},
    {"threads-max", YES, "30000", .edits = {{"/proc/sys/kernel/threads-max", "30000\n"}}},
    {"threads-max", UNKNOWN, "not there", .edits = {{"/proc/sys/kernel/threads-max", NULL}}},

    {"cgroup-pids", NO, "no limit", .edits = {{0}}},
    {"cgroup-pids", NO, "no limit", .edits = {{GROUP "/pids.max", NULL}}},
    {"cgroup-pids", YES, "19000", .edits = {{GROUP "/pids.max", "19000\n"}}},
    {"cgroup-pids", YES, "500", .edits = {{GROUP "/pids.max", "200000\n"}, {"/sys/fs/cgroup/a/pids.max", "500\n"}}},
    {"cgroup-pids", YES, "700", .edits = {{"/sys/fs/cgroup/pids.max", "700\n"}}},
    {"cgroup-pids", NO, "200000", .edits = {{GROUP "/pids.max", "200000\n"}}},
    {"cgroup-pids", UNKNOWN, "cannot be read", .edits = {{GROUP "/cgroup.procs", NULL}}, .also = "cpu-quota cgroup-memory"},

    {"rlimit-nproc", NO, "200000", .edits = {{0}}},
    {"rlimit-nproc", NO, "unlimited", .edits = {{"/proc/self/limits", LIMITS("unlimited", "unlimited", "8388608")}}},
    {"rlimit-nproc", YES, "4096", .edits = {{"/proc/self/limits", LIMITS("unlimited", "4096", "8388608")}}},
    {"rlimit-nproc", NO, "not hold for root", .edits = {{"/proc/self/limits", LIMITS("unlimited", "4096", "8388608")},
        {"/proc/self/status", STATUS("0-1", "000001fffeffffff")}}},
    {"rlimit-nproc", NO, "not hold for root", .edits = {{"/proc/self/limits", LIMITS("unlimited", "4096", "8388608")},
        {"/proc/self/status", STATUS("0-1", "0000000001000000")}}},
    {"rlimit-nproc", YES, "4096", .edits = {{"/proc/self/limits", LIMITS("unlimited", "4096", "8388608")},
        {"/proc/self/status", STATUS("0-1", "000001ffffffffff")}, {"/proc/self/uid_map", "0 1000 1\n"}}},
    {"rlimit-nproc", UNKNOWN, "not there", .edits = {{"/proc/self/limits", NULL}}, .also = "rlimit-as rlimit-stack"},
    {"rlimit-nproc", UNKNOWN, "unexpected", .edits = {{"/proc/self/limits", LIMITS("unlimited", "some", "8388608")}}},
    {"rlimit-as", NO, "unlimited", .edits = {{0}}},
    {"rlimit-as", YES, "1073741824", .edits = {{"/proc/self/limits", LIMITS("1073741824", "200000", "8388608")}}},
    {"rlimit-as", UNKNOWN, "unexpected", .edits = {{"/proc/self/limits", "nothing\n"}}, .also = "rlimit-nproc rlimit-stack"},
    {"rlimit-stack", NO, "8388608", .edits = {{0}}},
    {"rlimit-stack", YES, "unlimited", .edits = {{"/proc/self/limits", LIMITS("unlimited", "200000", "unlimited")}}},
    {"rlimit-stack", YES, "65536", .edits = {{"/proc/self/limits", LIMITS("unlimited", "200000", "65536")}}},
    {"rlimit-stack", UNKNOWN, "unexpected", .edits = {{"/proc/self/limits", LIMITS("unlimited", "200000", "big")}}},

    {"pmu", NO, "are counted", .edits = {{0}}},
    {"pmu", YES, "No such file", .edits = {{0}}, PMU_ERROR, ENOENT},
    {"pmu", YES, "may not be opened", .edits = {{0}}, PMU_ERROR, EACCES},
    {"pmu", YES, "stays at 0", .edits = {{0}}, PMU_ERROR, CB_DOCTOR_PMU_STILL},
    {"pmu", UNKNOWN, "Too many open files", .edits = {{0}}, PMU_ERROR, EMFILE},
    {"perf-event-paranoid", NO, "2", .edits = {{0}}},
    {"perf-event-paranoid", NO, "-1", .edits = {{"/proc/sys/kernel/perf_event_paranoid", "-1\n"}}},
    {"perf-event-paranoid", YES, "3", .edits = {{"/proc/sys/kernel/perf_event_paranoid", "3\n"}}},
    {"perf-event-paranoid", UNKNOWN, "not there", .edits = {{"/proc/sys/kernel/perf_event_paranoid", NULL}}},

    {"valgrind", NO, "/tools/valgrind", .edits = {{0}}},
    {"valgrind", YES, "not in PATH", .edits = {{"/tools/valgrind", NULL}}},
    {"valgrind", UNKNOWN, "not set", .edits = {{0}}, WITH_PATH, .path = NULL, .also = "gnuplot latexmk"},
    {"gnuplot", NO, "/tools/gnuplot", .edits = {{0}}},
    {"gnuplot", YES, "not in PATH", .edits = {{0}}, WITH_PATH, .path = "/more/tools", .also = "valgrind"},
    {"gnuplot", UNKNOWN, "not set", .edits = {{0}}, WITH_PATH, .path = NULL, .also = "valgrind latexmk"},
    {"latexmk", NO, "/more/tools/latexmk", .edits = {{0}}},
    {"latexmk", YES, "not in PATH", .edits = {{0}}, WITH_PATH, .path = "/tools:", .also = ""},
    {"latexmk", UNKNOWN, "not set", .edits = {{0}}, WITH_PATH, .path = NULL, .also = "valgrind gnuplot"},
};
// clang-format on
#define TRIALS (sizeof trials / sizeof *trials)

static void steal_ticks(void *context) {
    int stolen = *(int *)context;
    char *text = cb_format("cpu  1000 0 1000 %d 0 0 0 %d 0 0\n", 8099 - stolen, 1 + stolen);
    put("/proc/stat", text); // 100 ticks later
    free(text);
}

static void look(const struct trial *t, struct cb_findings *findings) {
    static char kvm[] = "kvm", none[] = "none";
    struct cb_doctor_facts facts = quiet_facts();
    int number = t->number;
    switch (t->other) {
    case AS_IS:
        break;
    case ONE_UNIT:
    case NO_UNITS:
        facts.units = t->other == ONE_UNIT ? 1 : -1;
        break;
    case ON_KVM:
    case ON_METAL:
        facts.hypervisor = t->other == ON_KVM ? kvm : none;
        break;
    case PMU_ERROR:
        facts.pmu = number;
        break;
    case GUARDS:
        facts.no_guards = (enum cb_doctor_state)number;
        break;
    case WITH_PATH:
        facts.path = t->path;
        break;
    case MOST:
        facts.most = number;
        break;
    case STOLEN:
        facts.work = steal_ticks;
        facts.context = &number;
    }
    for (size_t i = 0; i < 4 && t->edits[i].path != NULL; i++)
        put(t->edits[i].path, t->edits[i].text);
    cb_doctor_look(findings, root, &facts);
    for (size_t i = 0; i < 4 && t->edits[i].path != NULL; i++)
        put_back(t->edits[i].path);
    if (t->other == STOLEN)
        put_back("/proc/stat");
}

static const struct cb_finding *find(const struct cb_findings *findings, const char *id) {
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->list[i].id, id) == 0)
            return &findings->list[i];
    fail_msg("no finding is called %s", id);
    return NULL;
}

// "no" has no remedy, all else has one; what is said ends in no white space and is one line.
static void check_words(const struct cb_finding *f) {
    assert_non_null(f->value);
    assert_true(f->value[0] != '\0' && strchr(f->value, '\n') == NULL);
    assert_true(f->question[strlen(f->question) - 1] == '?');
    assert_true(strlen(f->consequence) > 10);
    if ((f->state == NO) != (f->remedy == NULL))
        fail_msg("%s: state %s, remedy %s", f->id, cb_doctor_state_name(f->state), f->remedy);
}

static void finds_each_state(void **state) {
    (void)state;
    for (size_t i = 0; i < TRIALS; i++) {
        const struct trial *t = &trials[i];
        struct cb_findings findings;
        look(t, &findings);
        const struct cb_finding *f = find(&findings, t->id);
        if (f->state != t->state || strstr(f->value, t->value) == NULL)
            fail_msg("trial %zu, %s: state %s, value '%s' instead of %s, '%s'", i, t->id,
                     cb_doctor_state_name(f->state), f->value, cb_doctor_state_name(t->state),
                     t->value);
        for (size_t k = 0; k < findings.count; k++) {
            const struct cb_finding *other = &findings.list[k];
            check_words(other);
            if (other != f && other->state != NO &&
                (t->also == NULL || strstr(t->also, other->id) == NULL))
                fail_msg("trial %zu, %s: also changes %s to '%s'", i, t->id, other->id,
                         other->value);
        }
        cb_findings_free(&findings);
    }
}

// Every finding there is has a trial for each state.
static void tries_every_finding(void **state) {
    (void)state;
    struct cb_findings findings;
    look(&(struct trial){.id = ""}, &findings);
    for (size_t i = 0; i < findings.count; i++) {
        bool tried[3] = {false};
        for (size_t k = 0; k < TRIALS; k++)
            if (strcmp(trials[k].id, findings.list[i].id) == 0)
                tried[trials[k].state] = true;
        if (!tried[NO] || !tried[YES] || !tried[UNKNOWN])
            fail_msg("%s is not tried in all three states", findings.list[i].id);
    }
    cb_findings_free(&findings);
}

// A tree without any file: nothing is known but what the facts say, and nothing crashes.
static void knows_nothing_of_an_empty_tree(void **state) {
    (void)state;
    struct cb_doctor_facts facts = {.units = -1, .pmu = EMFILE, .no_guards = UNKNOWN, .work = rest};
    struct cb_findings findings;
    cb_doctor_look(&findings, "/dev/null/none", &facts);
    for (size_t i = 0; i < findings.count; i++) {
        check_words(&findings.list[i]);
        if (findings.list[i].state != UNKNOWN)
            fail_msg("%s is %s without a file", findings.list[i].id, findings.list[i].value);
    }
    cb_findings_free(&findings);
}

// ---- What is said of the findings

static void is_strict_about_what_disturbs(void **state) {
    (void)state;
    static const struct {
        struct cb_finding finding;
        int strict;
    } cases[] = {{{.kind = CB_DOCTOR_DISTURBS, .state = CB_DOCTOR_YES}, 1},
                 {{.kind = CB_DOCTOR_DISTURBS, .state = CB_DOCTOR_NO}, 0},
                 {{.kind = CB_DOCTOR_DISTURBS, .state = CB_DOCTOR_UNKNOWN}, 0},
                 {{.kind = CB_DOCTOR_LIMITS, .state = CB_DOCTOR_YES}, 0},
                 {{.kind = CB_DOCTOR_LACKS, .state = CB_DOCTOR_YES}, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cb_finding list[] = {{.kind = CB_DOCTOR_DISTURBS, .state = NO}, cases[i].finding};
        struct cb_findings findings = {list, 2};
        assert_int_equal(cb_findings_status(&findings, true), cases[i].strict);
        assert_int_equal(cb_findings_status(&findings, false), 0);
    }
}

static void writes_json(void **state) {
    (void)state;
    char value[] = "a \"b\"";
    struct cb_finding list[] = {
        {"x", CB_DOCTOR_LIMITS, "Is it?", "then so", CB_DOCTOR_YES, value, "do this"},
        {"y", CB_DOCTOR_LACKS, "And?", "then not", CB_DOCTOR_NO, value, NULL}};
    json_t *json = cb_findings_json(&(struct cb_findings){list, 2});
    json_t *expected = json_pack(
        "{s:i, s:[{s:s, s:s, s:s, s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:s, s:s, s:s, s:n}]}",
        "schema", 1, "findings", "id", "x", "kind", "limits", "question", "Is it?", "state", "yes",
        "value", "a \"b\"", "consequence", "then so", "remedy", "do this", "id", "y", "kind",
        "lacks", "question", "And?", "state", "no", "value", "a \"b\"", "consequence", "then not",
        "remedy");
    assert_non_null(expected);
    assert_true(json_equal(json, expected));
    json_decref(expected);
    json_decref(json);
}

static void prints_for_people(void **state) {
    (void)state;
    char value[] = "17", long_text[400] = "";
    for (int i = 0; i < 40; i++)
        strcat(long_text, i ? " eight888" : "eight888");
    struct cb_finding list[] = {
        {"first", CB_DOCTOR_DISTURBS, "Is it?", long_text, CB_DOCTOR_YES, value, "do this"},
        {"second", CB_DOCTOR_DISTURBS, "Or so?", "hidden", CB_DOCTOR_NO, value, NULL},
        {"third", CB_DOCTOR_LACKS, "And?", "perhaps", CB_DOCTOR_UNKNOWN, value, "find out"}};
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    cb_findings_print(&(struct cb_findings){list, 3}, to);
    fclose(to);
    static const char *const parts[] = {"What disturbs the numbers\n  yes      first",
                                        "then: eight888 eight888",
                                        "remedy: do this\n  no       second               17\n\n"
                                        "What is missing\n  unknown  third",
                                        "if yes: perhaps\n",
                                        "1 of 2 disturb (0 unknown), 0 limit (0 unknown), 0 lack "
                                        "(1 unknown)\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(text, parts[i]) == NULL)
            fail_msg("'%s' is missing in:\n%s", parts[i], text);
    assert_null(strstr(text, "hidden"));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_true(strcspn(line, "\n") <= 96);
        assert_true(line[strcspn(line, "\n") - (*line != '\n')] != ' ');
    }
    free(text);
}

// This machine, whatever it is: all is asked and nothing is left out.
static void looks_at_this_machine(void **state) {
    (void)state;
    struct cb_findings quiet_ones;
    look(&(struct trial){.id = ""}, &quiet_ones);
    json_t *json = cb_doctor_json(), *list = json_object_get(json, "findings"), *entry;
    assert_int_equal(json_array_size(list), quiet_ones.count);
    size_t i;
    json_array_foreach(list, i, entry) {
        const char *id = json_string_value(json_object_get(entry, "id"));
        assert_string_equal(id, quiet_ones.list[i].id);
        // hwloc works wherever tests run.
        if (strcmp(id, "units") == 0)
            assert_string_not_equal(json_string_value(json_object_get(entry, "state")), "unknown");
    }
    json_decref(json);
    cb_findings_free(&quiet_ones);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_each_state),
        cmocka_unit_test(tries_every_finding),
        cmocka_unit_test(knows_nothing_of_an_empty_tree),
        cmocka_unit_test(is_strict_about_what_disturbs),
        cmocka_unit_test(writes_json),
        cmocka_unit_test(prints_for_people),
        cmocka_unit_test(looks_at_this_machine),
    };
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
