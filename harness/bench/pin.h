// Pinning to processing units with hwloc, and proof that it held.
#ifndef CB_BENCH_PIN_H
#define CB_BENCH_PIN_H

#include <stdbool.h>
#include <stddef.h>

enum cb_pin_result {
    CB_PIN_OK,
    CB_PIN_USAGE,       // a CPU was asked for that this process may not use, or too few were named
    CB_PIN_UNAVAILABLE, // this machine cannot do it: too few units, or binding is not permitted
};

// The units of a process: cpus[0] for the main thread, cpus[1] for threads of coroutines where a
// cell uses two.
struct cb_pins {
    int cpus[2]; // the system's numbers
    int count;
    bool pinned; // bound strictly, and seen to run there
};

// Pins the calling thread. `wanted` (system numbers) may be empty: then the last `needed` units
// that this process may use are taken. `needed` is 1 or 2; with 1, threads started later inherit
// the unit; with 2, they must call cb_pin_thread_started. Writes the reason to `why` unless
// CB_PIN_OK. One cell at a time: the state that threads look at is global.
enum cb_pin_result cb_pin_start(struct cb_pins *pins, const int *wanted, int wanted_count,
                                int needed, char *why, size_t why_size);

// What the core does beside the calling thread: the more, the calmer. cb_cycle_width for example.
typedef double cb_look(void);

// When a core is calm, and for how long to wait for that.
struct cb_calm {
    double width;   // independent additions in a cycle; 0: nobody asks
    double wait_ms; // at most
};

// Before anything is measured: waits until `look` gives the width that is wanted, that is until no
// other hardware thread uses the core; by turns on the unit of `pins` and on `other` (-1: there is
// none), and stays where it is calm, or else is calmer. False where the thread can't be bound
// again.
bool cb_pin_seek_calm(struct cb_pins *pins, int other, const struct cb_calm *calm, cb_look *look);

// For co_config.thread_started: binds the calling thread to the second unit, and counts a failure.
void cb_pin_thread_started(void);

// Threads that could not be bound to the second unit.
unsigned cb_pin_thread_failures(void);

// Whether the calling thread last ran elsewhere than on its unit.
bool cb_pin_moved(const struct cb_pins *pins);

// Lets the main thread run where it might before, and frees the topology.
void cb_pin_stop(void);

#endif
