// The command line: every mistake is told with what would be right.
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/message.h"
#include "session.h"

#define USAGE                                                                                      \
    "usage: --describe\n"                                                                          \
    "   or  --pilot --scenario S --binding B --params P [--cpu N[,N]] [--target-ms T]\n"           \
    "   or  --measure --scenario S --binding B --params P [--cpu N[,N]] [--calm W,MS] "            \
    "--iterations N --repetitions R --out FILE\n"                                                  \
    "   or  --count --scenario S --binding B --params P [--cpu N[,N]] --iterations N"

#define LIMIT_REPETITIONS 10000
#define LIMIT_TARGET_MS 60000.0

static bool read_count(const char *text, uint64_t limit, uint64_t *count) {
    char *end = NULL;
    errno = 0;
    unsigned long long value = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
    *count = value;
    return end && !*end && !errno && value <= limit;
}

static bool wrong(const char *option, const char *value, const char *right) {
    cb_error(stderr, "%s %s: not %s", option, value, right);
    return false;
}

static bool set_cpus(struct cb_options *options, const char *text) {
    char copy[64];
    const char *right = "one or two numbers of CPUs, such as 1 or 0,1";
    if (strlen(text) >= sizeof copy)
        return wrong("--cpu", text, right);
    strcpy(copy, text);
    char *second = strchr(copy, ',');
    if (second)
        *second++ = '\0';
    const char *numbers[2] = {copy, second};
    options->cpu_count = second ? 2 : 1;
    for (int i = 0; i < options->cpu_count; i++) {
        uint64_t number = 0;
        if (!read_count(numbers[i], 1u << 20, &number))
            return wrong("--cpu", text, right);
        options->cpus[i] = (int)number;
    }
    return true;
}

static bool set_calm(struct cb_options *options, const char *text) {
    struct cb_calm *calm = &options->calm;
    char *comma = NULL, *end = NULL;
    calm->width = strtod(text, &comma);
    if (comma != text && *comma == ',')
        calm->wait_ms = strtod(comma + 1, &end);
    if (!end || end == comma + 1 || *end || !isfinite(calm->width) || calm->width <= 0 ||
        !(calm->wait_ms >= 0) || calm->wait_ms > LIMIT_TARGET_MS)
        return wrong("--calm", text, "additions in a cycle and milliseconds, such as 3.1,20");
    return true;
}

static bool set_target(struct cb_options *options, const char *text) {
    char *end = NULL;
    options->target_ms = strtod(text, &end);
    if (end == text || *end || !isfinite(options->target_ms) || options->target_ms <= 0 ||
        options->target_ms > LIMIT_TARGET_MS)
        return wrong("--target-ms", text, "a number of milliseconds, above 0 and at most 60000");
    return true;
}

static bool set_iterations(struct cb_options *options, const char *text) {
    if (!read_count(text, CB_LIMIT_ITERATIONS, &options->iterations) || options->iterations == 0)
        return wrong("--iterations", text, "a whole number from 1 to 2^40");
    return true;
}

static bool set_repetitions(struct cb_options *options, const char *text) {
    uint64_t count = 0;
    if (!read_count(text, LIMIT_REPETITIONS, &count) || count == 0)
        return wrong("--repetitions", text, "a whole number from 1 to 10000");
    options->repetitions = (int)count;
    return true;
}

static bool set_value(struct cb_options *options, const char *name, const char *value) {
    if (strcmp(name, "--scenario") == 0)
        options->scenario = value;
    else if (strcmp(name, "--binding") == 0)
        options->binding = value;
    else if (strcmp(name, "--params") == 0)
        options->params_text = value;
    else if (strcmp(name, "--out") == 0)
        options->out = value;
    else if (strcmp(name, "--cpu") == 0)
        return set_cpus(options, value);
    else if (strcmp(name, "--calm") == 0)
        return set_calm(options, value);
    else if (strcmp(name, "--target-ms") == 0)
        return set_target(options, value);
    else if (strcmp(name, "--iterations") == 0)
        return set_iterations(options, value);
    else if (strcmp(name, "--repetitions") == 0)
        return set_repetitions(options, value);
    return true;
}

static bool takes_value(const char *name) {
    static const char *const names[] = {"--scenario",    "--binding",   "--params",
                                        "--cpu",         "--out",       "--iterations",
                                        "--repetitions", "--target-ms", "--calm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static enum cb_command command_of(const char *name) {
    if (strcmp(name, "--describe") == 0)
        return CB_COMMAND_DESCRIBE;
    if (strcmp(name, "--pilot") == 0)
        return CB_COMMAND_PILOT;
    if (strcmp(name, "--count") == 0)
        return CB_COMMAND_COUNT;
    return strcmp(name, "--measure") == 0 ? CB_COMMAND_MEASURE : CB_COMMAND_NONE;
}

static bool read_words(struct cb_options *options, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        enum cb_command command = command_of(argv[i]);
        if (command != CB_COMMAND_NONE) {
            if (options->command != CB_COMMAND_NONE) {
                cb_error(stderr, "%s: one command at a time\n" USAGE, argv[i]);
                return false;
            }
            options->command = command;
        } else if (!takes_value(argv[i])) {
            cb_error(stderr, "%s: no such option\n" USAGE, argv[i]);
            return false;
        } else if (i + 1 == argc) {
            cb_error(stderr, "%s needs a value\n" USAGE, argv[i]);
            return false;
        } else if (!set_value(options, argv[i], argv[i + 1])) {
            return false;
        } else {
            i++;
        }
    }
    if (options->command == CB_COMMAND_NONE)
        cb_error(stderr, "no command\n" USAGE);
    return options->command != CB_COMMAND_NONE;
}

static bool given(bool there, const char *option) {
    if (!there)
        cb_error(stderr, "%s is missing\n" USAGE, option);
    return there;
}

static bool not_given(bool there, const char *option, const char *command) {
    if (there)
        cb_error(stderr, "%s does not go with %s\n" USAGE, option, command);
    return !there;
}

static bool all_there(const struct cb_options *options) {
    bool measure = options->command == CB_COMMAND_MEASURE;
    bool count = options->command == CB_COMMAND_COUNT;
    const char *command = measure ? "--measure" : count ? "--count" : "--pilot";
    if (!given(options->scenario, "--scenario") || !given(options->binding, "--binding") ||
        !given(options->params_text, "--params"))
        return false;
    if (measure)
        return given(options->iterations, "--iterations") &&
               given(options->repetitions, "--repetitions") && given(options->out, "--out") &&
               not_given(options->target_ms > 0, "--target-ms", command);
    if (!not_given(options->calm.width > 0, "--calm", command))
        return false;
    if (count && (!given(options->iterations, "--iterations") ||
                  !not_given(options->target_ms > 0, "--target-ms", command)))
        return false;
    return (count || not_given(options->iterations, "--iterations", command)) &&
           not_given(options->repetitions, "--repetitions", command) &&
           not_given(options->out, "--out", command);
}

static bool nothing_else(const struct cb_options *options) {
    bool more = options->scenario || options->binding || options->params_text || options->out ||
                options->cpu_count || options->target_ms > 0 || options->iterations ||
                options->repetitions || options->calm.width > 0;
    if (more)
        cb_error(stderr, "--describe takes no options\n" USAGE);
    return !more;
}

// The names that are there, each once, in the registry's order.
static char *names(const struct cb_bench *bench, const char *scenario) {
    struct cb_text text = {0};
    for (size_t i = 0; i < bench->registry_count; i++) {
        const struct cb_registry_entry *entry = &bench->registry[i];
        bool new_name = true;
        for (size_t j = 0; j < i && !scenario; j++)
            new_name = new_name && strcmp(bench->registry[j].scenario, entry->scenario) != 0;
        if (scenario && strcmp(entry->scenario, scenario) == 0)
            cb_text_add(&text, " %s", entry->binding);
        else if (!scenario && new_name)
            cb_text_add(&text, " %s", entry->scenario);
    }
    return text.text ? text.text : cb_copy(" none");
}

static bool find_entry(struct cb_options *options, const struct cb_bench *bench) {
    bool known = false;
    for (size_t i = 0; i < bench->registry_count; i++) {
        if (strcmp(bench->registry[i].scenario, options->scenario) != 0)
            continue;
        known = true;
        if (strcmp(bench->registry[i].binding, options->binding) == 0) {
            options->entry = &bench->registry[i];
            return true;
        }
    }
    char *valid = names(bench, known ? options->scenario : NULL);
    if (known)
        cb_error(stderr, "--binding %s: scenario %s has no such binding here\nit has:%s",
                 options->binding, options->scenario, valid);
    else
        cb_error(stderr, "--scenario %s: no such scenario here\nthere are:%s", options->scenario,
                 valid);
    free(valid);
    return false;
}

static bool cell_in(const char *const *list, const char *params, struct cb_text *all) {
    bool found = false;
    for (; list && *list; list++) {
        found = found || strcmp(*list, params) == 0;
        cb_text_add(all, " \"%s\"", *list);
    }
    return found;
}

static bool find_cell(struct cb_options *options) {
    char why[256];
    const struct cb_scenario *scenario = options->entry->s;
    struct cb_text all = {0};
    bool well_formed = cb_params_parse(&options->params, options->params_text, why, sizeof why);
    bool quick = cell_in(scenario->quick, options->params_text, &all);
    bool normal = cell_in(scenario->normal, options->params_text, &all);
    bool full = cell_in(scenario->full, options->params_text, &all);
    bool found = well_formed && (quick || normal || full);
    if (!found)
        cb_error(stderr, "--params \"%s\": %s\nscenario %s has:%s", options->params_text,
                 well_formed ? "no such cell" : why, scenario->id, all.text ? all.text : " none");
    cb_text_clear(&all);
    return found;
}

static bool fits_kind(const struct cb_options *options) {
    if (options->entry->s->kind == CB_KIND_TIME)
        return true;
    const char *what = options->entry->s->kind == CB_KIND_SPACE ? "memory" : "a limit";
    if (options->command == CB_COMMAND_COUNT) {
        cb_error(stderr, "--count: scenario %s measures %s, it has no operations to count",
                 options->scenario, what);
        return false;
    }
    if (options->iterations <= 1)
        return true;
    cb_error(stderr, "--iterations %llu: scenario %s measures %s, not time\nuse 1",
             (unsigned long long)options->iterations, options->scenario, what);
    return false;
}

bool cb_options_read(struct cb_options *options, const struct cb_bench *bench, int argc,
                     char **argv) {
    memset(options, 0, sizeof *options);
    if (!read_words(options, argc, argv))
        return false;
    if (options->command == CB_COMMAND_DESCRIBE)
        return nothing_else(options);
    if (!all_there(options) || !find_entry(options, bench) || !find_cell(options) ||
        !fits_kind(options))
        return false;
    if (!(options->target_ms > 0))
        options->target_ms = 5;
    return true;
}
