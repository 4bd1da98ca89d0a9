// The list of scenarios in this program, one entry for each scenario and binding. The build
// generates the file that defines it.
#ifndef CB_BENCH_REGISTRY_H
#define CB_BENCH_REGISTRY_H

#include "corobench/scenario.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cb_registry_entry {
    const char *scenario; // the scenario's id
    const char *binding;  // "visible", "opaque" or "library"
    const struct cb_scenario *s;
};

extern const struct cb_registry_entry cb_registry[];
extern const size_t cb_registry_count;

#ifdef __cplusplus
}
#endif

#endif
