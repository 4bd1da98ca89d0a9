// What a sub-command states about itself; main.c finds commands by name and reads their options.
//
// A new command is a file that defines a `const struct cb_command` and one line in main.c's table.
#ifndef CB_COMMAND_H
#define CB_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "message.h"

struct cb_option {
    const char *name;     // without the dashes. Required
    const char *argument; // what follows it, e.g. "GLOB"; NULL: nothing follows. Not required
    const char *help;     // one line. Required
};

// What the user typed after the command's name.
struct cb_given {
    const struct cb_option *options;
    struct cb_typed {
        const struct cb_option *option;
        const char *value; // NULL for an option without an argument
    } * typed;             // in the order typed
    size_t count;
    char **words; // what is no option
    size_t word_count;
};

struct cb_command {
    const char *name;
    const char *words;   // its arguments beside options, as the usage line shows them. Not required
    size_t least, most;  // how many such words it takes
    const char *summary; // one line. Required
    const char *details; // further lines of its help. Not required
    const struct cb_option *options;          // ended by one without a name. Required
    int (*run)(const struct cb_given *given); // returns an enum cb_exit. Required
};

extern const struct cb_command cb_command_list;
extern const struct cb_command cb_command_run;
extern const struct cb_command cb_command_report;
extern const struct cb_command cb_command_describe;
extern const struct cb_command cb_command_doctor;
extern const struct cb_command cb_command_count;
extern const struct cb_command cb_command_compare;
extern const struct cb_command cb_command_explain;
extern const struct cb_command cb_command_claims;
extern const struct cb_command cb_command_choose;

// Whether an option was typed; its last value, or NULL.
bool cb_given_has(const struct cb_given *given, const char *name);
const char *cb_given_value(const struct cb_given *given, const char *name);
// Reads the last value as a whole number from least to most into *value, which keeps its old value
// where the option was not typed. Returns 0, or CB_EXIT_USAGE after a message.
int cb_given_number(const struct cb_given *given, const char *name, long long least, long long most,
                    long long *value);

#endif
