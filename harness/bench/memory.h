// Bytes and mappings a live coroutine, from two looks at this process.
#ifndef CB_BENCH_MEMORY_H
#define CB_BENCH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "corobench/coro.h"
#include "corobench/scenario.h"
#include "status.h"

// What this process holds, in bytes; `mappings` is a count.
struct cb_space {
    uint64_t rss;         // exact: smaps_rollup walks the page tables, while VmRSS lags behind
    uint64_t page_tables; // VmPTE
    uint64_t virtual_size;
    uint64_t mappings;
    bool has_kernel;
    uint64_t kernel; // of this process's cgroup, without its page tables
};

struct cb_slopes {
    double rss, page_tables, virtual_size, mappings; // a coroutine
    bool has_kernel;
    double kernel;
};

// Finds this process's cgroup (version 2); once, before the first look. `kernel` stays absent where
// there is none, and in the root group, which counts the whole machine.
void cb_space_open(void);

// Looks. 0 or a negative errno, and then `what` is the file that could not be read.
int cb_space_look(struct cb_space *space, const char **what);

// What a coroutine adds between `few` and `many` of them; many > few.
void cb_space_slopes(const struct cb_space *at_few, const struct cb_space *at_many, uint64_t few,
                     uint64_t many, struct cb_slopes *slopes);

// Kernel memory from the text of a cgroup's memory.stat: `kernel` without `pagetables`, or on
// kernels without `kernel`: `slab` + `kernel_stack`. Page tables are a metric of their own.
bool cb_space_kernel(const char *memory_stat, uint64_t *bytes);

// Whether going from `few` to `many` would need more than 80 % of `available` bytes, judged by what
// going from 0 to `few` took. `need` is the estimate.
bool cb_space_exceeds(const struct cb_space *at_none, const struct cb_space *at_few, uint64_t few,
                      uint64_t many, uint64_t available, uint64_t *need);

// The memory that this process may still take: MemAvailable, or less where a cgroup (version 2)
// that it is in has less left. False where /proc/meminfo can't be read.
bool cb_space_available(uint64_t *bytes);

// Whether the machine has room for going from `few` to `many`, judged as cb_space_exceeds does;
// else the outcome is unavailable and says what is missing.
bool cb_space_room(const struct cb_space *at_none, const struct cb_space *at_few, uint64_t few,
                   uint64_t many, struct cb_outcome *outcome);

// Measures a scenario of kind space: grows to n/10 and to n, n being the parameter `n`, looks after
// each, and has the coroutines verified. `reason` is the backend's. The scenario must
// be prepared. `slopes` is valid where the outcome is ok.
void cb_space_measure(const struct cb_scenario *scenario, uint64_t n, const char *(*reason)(void),
                      struct cb_slopes *slopes, struct cb_outcome *outcome);

#endif
