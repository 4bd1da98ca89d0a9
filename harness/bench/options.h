// The command line of a bench program.
#ifndef CB_BENCH_OPTIONS_H
#define CB_BENCH_OPTIONS_H

#include "bench.h"
#include "params.h"
#include "pin.h"

enum cb_command {
    CB_COMMAND_NONE,
    CB_COMMAND_DESCRIBE,
    CB_COMMAND_PILOT,
    CB_COMMAND_MEASURE,
    CB_COMMAND_COUNT
};

struct cb_options {
    enum cb_command command;
    const char *scenario;
    const char *binding;
    const char *params_text;
    const struct cb_registry_entry *entry; // of scenario and binding
    struct cb_params params;
    int cpus[2];
    int cpu_count; // 0: not given
    struct cb_calm calm;
    double target_ms;
    uint64_t iterations; // 0: not given
    int repetitions;     // 0: not given
    const char *out;
};

// Reads and checks the whole command line, names included. False after a message on stderr that
// says what is wrong and which names are valid; the exit status is then 2.
bool cb_options_read(struct cb_options *options, const struct cb_bench *bench, int argc,
                     char **argv);

#endif
