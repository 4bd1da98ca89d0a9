// Machine facts from hwloc, the kernel and, on x86, cpuid.
#define _GNU_SOURCE
#include "machine.h"

#include <ctype.h>
#include <errno.h>
#include <hwloc.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "message.h"

// ---- Facts

// The hypervisor's name for itself: "none" without one, "unknown" where it cannot be asked.
static void read_hypervisor(char name[static 13]) {
#if defined(__x86_64__) || defined(__i386__)
    unsigned a, b, c, d;
    strcpy(name, "none");
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 31))
        return;
    __cpuid(0x40000000, a, b, c, d);
    memcpy(name, &b, 4);
    memcpy(name + 4, &c, 4);
    memcpy(name + 8, &d, 4);
    name[12] = '\0';
    if (!isalnum((unsigned char)name[0]))
        strcpy(name, "unknown");
#else
    strcpy(name, access("/proc/device-tree/hypervisor", F_OK) == 0 ? "devicetree" : "unknown");
#endif
}

static const char *friendly_hypervisor(const char *signature) {
    static const char *const names[][2] = {
        {"KVMKVMKVM", "kvm"},     {"VMwareVMware", "vmware"}, {"Microsoft Hv", "hyperv"},
        {"XenVMMXenVMM", "xen"},  {"TCGTCGTCGTCG", "qemu"},   {"VBoxVBoxVBox", "virtualbox"},
        {"bhyve bhyve ", "bhyve"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(signature, names[i][0]) == 0)
            return names[i][1];
    return signature;
}

// Whether the processor counts instructions for us: true, false, or null where we may not ask.
static json_t *detect_pmu(void) {
    struct perf_event_attr attributes = {.type = PERF_TYPE_HARDWARE,
                                         .size = sizeof attributes,
                                         .config = PERF_COUNT_HW_INSTRUCTIONS,
                                         .disabled = 1,
                                         .exclude_kernel = 1,
                                         .exclude_hv = 1};
    long fd = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0UL);
    if (fd >= 0) {
        close((int)fd);
        return json_true();
    }
    return errno == EACCES || errno == EPERM || errno == ENOSYS ? json_null() : json_false();
}

static const char *package_info(hwloc_topology_t topology, const char *name) {
    hwloc_obj_t package = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
    const char *info = package ? hwloc_obj_get_info_by_name(package, name) : NULL;
    return info && *info ? info : "unknown";
}

static json_t *cache_size(hwloc_topology_t topology, hwloc_obj_type_t type) {
    hwloc_obj_t cache = hwloc_get_obj_by_type(topology, type, 0);
    return cache ? json_integer((json_int_t)cache->attr->cache.size) : json_null();
}

// Adds `text` to an identifier: lower case, what is no letter or digit as one dash.
static void add_slug(struct cb_text *slug, const char *text) {
    for (; *text != '\0'; text++) {
        bool plain = isalnum((unsigned char)*text) && (unsigned char)*text < 128;
        if (plain)
            cb_text_add(slug, "%c", tolower((unsigned char)*text));
        else if (slug->length > 0 && slug->text[slug->length - 1] != '-')
            cb_text_add(slug, "-");
    }
}

static const char *short_vendor(const char *vendor) {
    if (strcmp(vendor, "AuthenticAMD") == 0)
        return "AMD";
    return strcmp(vendor, "GenuineIntel") == 0 ? "Intel" : vendor;
}

// What says nothing in a processor's name: "Intel(R) Xeon(R) Processor" is intel-xeon.
static void drop_ornaments(char *name) {
    static const char *const ornaments[] = {"(R)", "(TM)", "(r)", "(tm)", "Processor", "CPU"};
    for (size_t i = 0; i < sizeof ornaments / sizeof *ornaments; i++)
        for (char *at; (at = strstr(name, ornaments[i]));)
            memset(at, ' ', strlen(ornaments[i]));
}

// "<vendor>-<model>-<cores>-<hypervisor>"; the vendor is not said twice.
static char *machine_id(const char *vendor, const char *full_model, int cores,
                        const char *hypervisor) {
    struct cb_text slug = {0};
    char *kept = cb_copy(full_model), *model = kept;
    drop_ornaments(model);
    model += strspn(model, " ");
    const char *name = short_vendor(vendor);
    size_t length = strlen(name);
    add_slug(&slug, name);
    add_slug(&slug, "-");
    add_slug(&slug, strncasecmp(model, name, length) == 0 ? model + length : model);
    add_slug(&slug, "-");
    cb_text_add(&slug, "%dc-", cores);
    add_slug(&slug, strcmp(hypervisor, "none") == 0 ? "bare" : hypervisor);
    free(kept);
    return slug.text;
}

static hwloc_topology_t load_topology(void) {
    hwloc_topology_t topology;
    if (hwloc_topology_init(&topology) < 0 ||
        hwloc_topology_set_all_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL) < 0 ||
        hwloc_topology_set_io_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE) < 0 ||
        hwloc_topology_load(topology) < 0) {
        cb_error(stderr,
                 "hwloc cannot read the machine's topology\nnothing is measured: samples "
                 "could not be pinned\ncheck that /sys is mounted (lstopo shows what hwloc sees)");
        exit(CB_EXIT_USAGE);
    }
    return topology;
}

json_t *cb_machine_describe(void) {
    hwloc_topology_t topology = load_topology();
    struct utsname system;
    char signature[13];
    uname(&system);
    read_hypervisor(signature);
    const char *hypervisor = friendly_hypervisor(signature);
    const char *vendor = package_info(topology, "CPUVendor");
    const char *model = package_info(topology, "CPUModel");
    int cores = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE);
    int units = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
    if (cores <= 0)
        cores = units;
    char *id = machine_id(vendor, model, cores, hypervisor);
    json_t *virtualised = strcmp(hypervisor, "unknown") == 0
                              ? json_null()
                              : json_boolean(strcmp(hypervisor, "none") != 0);
    json_t *machine = json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:o, s:o, s:s, s:I, s:i, s:o, s:o, s:o}", "id", id,
        "architecture", system.machine, "vendor", vendor, "model", model, "cores", cores, "units",
        units, "hypervisor", hypervisor, "virtualised", virtualised, "pmu", detect_pmu(), "kernel",
        system.release, "memory_bytes",
        (json_int_t)sysconf(_SC_PHYS_PAGES) * (json_int_t)sysconf(_SC_PAGESIZE), "page_size",
        (int)sysconf(_SC_PAGESIZE), "l1d", cache_size(topology, HWLOC_OBJ_L1CACHE), "l2",
        cache_size(topology, HWLOC_OBJ_L2CACHE), "l3", cache_size(topology, HWLOC_OBJ_L3CACHE));
    free(id);
    hwloc_topology_destroy(topology);
    return machine;
}

char *cb_machine_difference(const json_t *was, const json_t *is) {
    // Memory size and the like vary a little from boot to boot and change no measurement.
    static const char *const keys[] = {"id",  "architecture", "kernel", "units", "page_size",
                                       "pmu", "l1d",          "l2",     "l3"};
    struct cb_text lines = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *a = json_object_get(was, keys[i]), *b = json_object_get(is, keys[i]);
        if (json_equal(a, b))
            continue;
        char *before = a ? json_dumps(a, JSON_ENCODE_ANY) : cb_copy("absent");
        char *after = b ? json_dumps(b, JSON_ENCODE_ANY) : cb_copy("absent");
        cb_text_add(&lines, "%s%s: was %s, is %s", lines.length ? "\n" : "", keys[i], before,
                    after);
        free(before);
        free(after);
    }
    return lines.text;
}

// ---- Processing units

static char *list_set(hwloc_const_cpuset_t set) {
    char *list = NULL;
    if (hwloc_bitmap_list_asprintf(&list, set) < 0)
        return cb_copy("?");
    return list;
}

// How near two units are for a hand-off: larger is better. Another core comes before the same
// one; then the depth of what they share.
static int nearness(hwloc_topology_t topology, hwloc_obj_t a, hwloc_obj_t b) {
    hwloc_obj_t shared = hwloc_get_common_ancestor_obj(topology, a, b);
    hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, a);
    bool same_core = core != NULL && hwloc_bitmap_isset(core->cpuset, b->os_index);
    return (same_core ? 0 : 1000) + shared->depth;
}

static int choose_second(hwloc_topology_t topology, hwloc_const_cpuset_t allowed, int first) {
    hwloc_obj_t a = hwloc_get_pu_obj_by_os_index(topology, (unsigned)first);
    int best = -1, best_nearness = -1, unit;
    hwloc_bitmap_foreach_begin(unit, allowed) {
        hwloc_obj_t b = hwloc_get_pu_obj_by_os_index(topology, (unsigned)unit);
        if (unit != first && a != NULL && b != NULL && nearness(topology, a, b) > best_nearness) {
            best = unit;
            best_nearness = nearness(topology, a, b);
        }
    }
    hwloc_bitmap_foreach_end();
    return best;
}

static int complain_cpu(const char *asked, const char *what, hwloc_const_cpuset_t allowed) {
    char *list = list_set(allowed);
    cb_error(stderr,
             "--cpu %s: %s\nnothing is measured\nunits that this process may run on: %s (the list "
             "can be narrowed by taskset, a container or a cpuset)",
             asked, what, list);
    free(list);
    return CB_EXIT_USAGE;
}

// Reads "N" or "N,M".
static int read_asked(struct cb_cpus *cpus, const char *asked, hwloc_const_cpuset_t allowed) {
    char *end;
    long first = strtol(asked, &end, 10), second = -1;
    bool good = isdigit((unsigned char)*asked);
    if (good && *end == ',') {
        good = isdigit((unsigned char)end[1]);
        second = strtol(end + 1, &end, 10);
    }
    if (!good || *end != '\0' || first > 1 << 20 || second > 1 << 20)
        return complain_cpu(asked, "not a unit's number N, or two of them N,M", allowed);
    if (first == second)
        return complain_cpu(asked, "the two units must differ", allowed);
    if (!hwloc_bitmap_isset(allowed, (unsigned)first) ||
        (second >= 0 && !hwloc_bitmap_isset(allowed, (unsigned)second)))
        return complain_cpu(asked, "this unit may not be used", allowed);
    *cpus = (struct cb_cpus){(int)first, (int)second};
    return CB_EXIT_OK;
}

bool cb_cpus_are_ours(const json_t *command) {
    json_t *option;
    size_t i;
    bool asked = false;
    json_array_foreach(command, i, option) {
        asked = asked || strcmp(json_string_value(option), "--cpu") == 0;
    }
    return json_is_array(command) && !asked;
}

int cb_cpus_choose(struct cb_cpus *cpus, const char *asked) {
    hwloc_topology_t topology = load_topology();
    hwloc_bitmap_t allowed = hwloc_bitmap_alloc();
    int status = CB_EXIT_OK;
    *cpus = (struct cb_cpus){-1, -1};
    if (hwloc_get_cpubind(topology, allowed, HWLOC_CPUBIND_PROCESS) < 0)
        hwloc_bitmap_copy(allowed, hwloc_topology_get_allowed_cpuset(topology));
    hwloc_bitmap_and(allowed, allowed, hwloc_topology_get_allowed_cpuset(topology));
    if (asked != NULL)
        status = read_asked(cpus, asked, allowed);
    else
        cpus->first = hwloc_bitmap_last(allowed);
    if (status == CB_EXIT_OK && cpus->second < 0)
        cpus->second = choose_second(topology, allowed, cpus->first);
    hwloc_bitmap_free(allowed);
    hwloc_topology_destroy(topology);
    return status;
}
