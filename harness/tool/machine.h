// The machine that measures: what it is, and which processing units may be used.
#ifndef CB_MACHINE_H
#define CB_MACHINE_H

#include <jansson.h>
#include <stdbool.h>

// The processing units (as the system numbers them) that a run uses: the first for all cells, the
// second for cells that need two. second is -1 where there is only one.
struct cb_cpus {
    int first, second;
};

// Describes the machine, without its host name: {"id", "vendor", "model", "cores", ...}. What is
// not known is null. A new object.
json_t *cb_machine_describe(void);

// Chooses processing units among those this process may run on. `asked` is what the user typed
// ("1" or "1,0"), or NULL: then the last one, as the first serves most interrupts. The second one
// is, as far as there is a choice, on another core that shares the largest cache with the first.
// 0, or CB_EXIT_USAGE after a message that lists the allowed ones.
int cb_cpus_choose(struct cb_cpus *cpus, const char *asked);

// Whether a run with this `command` (the list in run.json) chose its units itself; then a sample
// that needs one of them may be taken on either.
bool cb_cpus_are_ours(const json_t *command);

// How two descriptions differ in what changes measurements, one "key: was A, is B" a line; NULL
// where they do not. Free it.
char *cb_machine_difference(const json_t *was, const json_t *is);

#endif
