// Each new chunk is bound to the NUMA node of the unit that its thread runs on, where a machine has
// more than one. Included by classes.h into the runtime; everything here is called under its lock.
//
// The usual machine has one node: it pays one look at a folder, at its first chunk. Binding is a
// preference of the kernel's (hwloc's HWLOC_MEMBIND_BIND, not strict): a full node is no failure.
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#if CO_CLASSES_HWLOC
#include <hwloc.h>
#endif

struct co_numa CO_RT(classes_numa);

CO_EXPORT const char *CO_RT(classes_numa_says)(void) {
    const char *says = CO_RT(classes_numa).says;
    return says == NULL ? "no chunk is mapped yet" : says;
}

// How many nodes the kernel shows; 1 where it knows none.
static unsigned co_numa_nodes_(void) {
    DIR *dir = opendir("/sys/devices/system/node");
    unsigned n = 0;
    if (dir == NULL)
        return 1;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += strncmp(entry->d_name, "node", 4) == 0 && entry->d_name[4] >= '0' &&
             entry->d_name[4] <= '9';
    closedir(dir);
    return n == 0 ? 1 : n;
}

#if CO_CLASSES_HWLOC
// Once a process: the nodes and units of this machine, nothing else of it.
static hwloc_topology_t co_numa_topology_(void) {
    static hwloc_topology_t topology;
    static bool tried;
    if (tried)
        return topology;
    tried = true;
    if (hwloc_topology_init(&topology) != 0)
        return topology = NULL;
    if (hwloc_topology_set_all_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE) != 0 ||
        hwloc_topology_load(topology) != 0) {
        hwloc_topology_destroy(topology);
        topology = NULL;
    }
    return topology;
}

static const char *co_numa_try_(void *at, size_t bytes) {
    hwloc_topology_t topology = co_numa_topology_();
    if (topology == NULL)
        return "hwloc can't read this machine's topology: chunks are not bound";
    const char *says = "chunks are bound to the node of the thread that maps them";
    hwloc_bitmap_t unit = hwloc_bitmap_alloc();
    if (unit == NULL || hwloc_get_last_cpu_location(topology, unit, HWLOC_CPUBIND_THREAD) != 0)
        says = "where a thread runs can't be read: its chunk was not bound";
    else if (hwloc_set_area_membind(topology, at, bytes, unit, HWLOC_MEMBIND_BIND, 0) != 0)
        says = "the kernel refused to bind a chunk to a node";
    else
        CO_RT(classes_numa).bound++;
    hwloc_bitmap_free(unit);
    return says;
}
#else
static const char *co_numa_try_(void *at, size_t bytes) {
    (void)at, (void)bytes;
    return "built without hwloc: chunks are not bound";
}
#endif

// Before a chunk is touched. Where it cannot be bound, the kernel's first touch decides.
static void co_numa_bind_(void *at, size_t bytes) {
    struct co_numa *numa = &CO_RT(classes_numa);
    if (numa->nodes == 0)
        numa->nodes = co_numa_nodes_();
    if (numa->nodes == 1) {
        numa->says = "one NUMA node: nothing to bind";
        return;
    }
    numa->at = at;
    numa->bytes = bytes;
    numa->says = co_numa_try_(at, bytes);
}
