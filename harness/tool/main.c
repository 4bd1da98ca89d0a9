// corobench: measures and compares ways of implementing coroutines. This file reads the command
// line; each sub-command is a file of its own.
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const struct cb_command *const commands[] = {
    &cb_command_list,   &cb_command_run,    &cb_command_report,  &cb_command_describe,
    &cb_command_doctor, &cb_command_count,  &cb_command_compare, &cb_command_explain,
    &cb_command_claims, &cb_command_choose,
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void print_usage(FILE *to) {
    fputs("usage: corobench COMMAND [OPTION...] [--help]\n\n"
          "Measures what coroutines cost, one technique beside the other.\n\n"
          "commands:\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++) {
        char *name =
            cb_format("%s %s", commands[i]->name, commands[i]->words ? commands[i]->words : "");
        fprintf(to, "  %-20s %s\n", name, commands[i]->summary);
        free(name);
    }
    fputs("\n`corobench COMMAND --help` says more. Exit status: 0 done, 1 something measured "
          "failed,\n2 it could not be done as asked, 128 + N ended by signal N.\n",
          to);
}

static void print_help(const struct cb_command *command) {
    printf("usage: corobench %s%s%s [OPTION...]\n\n%s\n", command->name, command->words ? " " : "",
           command->words ? command->words : "", command->summary);
    if (command->details != NULL)
        printf("%s\n", command->details);
    printf("\noptions:\n");
    for (const struct cb_option *o = command->options; o->name != NULL; o++) {
        char *name =
            cb_format("--%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        printf("  %-24s %s\n", name, o->help);
        free(name);
    }
    printf("  %-24s %s\n", "--help", "print this");
}

static char *option_names(const struct cb_command *command) {
    struct cb_text names = {0};
    for (const struct cb_option *o = command->options; o->name != NULL; o++)
        cb_text_add(&names, "--%s%s%s, ", o->name, o->argument ? " " : "",
                    o->argument ? o->argument : "");
    cb_text_add(&names, "--help");
    return names.text;
}

static int complain_option(const struct cb_command *command, const char *what, const char *typed) {
    char *names = option_names(command);
    cb_error(stderr, "%s %s: %s\nnothing is done\noptions of %s: %s", command->name, typed, what,
             command->name, names);
    free(names);
    return CB_EXIT_USAGE;
}

// Options for getopt_long: those of the command, then --help.
static struct option *long_options(const struct cb_command *command, size_t *count) {
    size_t n = 0;
    while (command->options[n].name != NULL)
        n++;
    struct option *options = cb_allocate(n + 2, sizeof *options);
    for (size_t i = 0; i < n; i++)
        options[i] = (struct option){command->options[i].name,
                                     command->options[i].argument ? required_argument : no_argument,
                                     NULL, 0};
    options[n] = (struct option){"help", no_argument, NULL, 0};
    *count = n;
    return options;
}

enum parsed { PARSED_RUN, PARSED_HELP, PARSED_WRONG };

static enum parsed parse(const struct cb_command *command, int argc, char **argv,
                         struct cb_given *given) {
    size_t count;
    struct option *options = long_options(command, &count);
    enum parsed parsed = PARSED_RUN;
    int c, index = 0;
    opterr = 0;
    given->options = command->options;
    given->typed = cb_allocate((size_t)argc, sizeof *given->typed);
    while (parsed == PARSED_RUN && (c = getopt_long(argc, argv, ":", options, &index)) != -1) {
        if (c == ':')
            parsed = PARSED_WRONG, complain_option(command, "a value is missing", argv[optind - 1]);
        else if (c != 0)
            parsed = PARSED_WRONG,
            complain_option(command, "no such option, or a value too many", argv[optind - 1]);
        else if ((size_t)index == count)
            parsed = PARSED_HELP;
        else
            given->typed[given->count++] = (struct cb_typed){&command->options[index], optarg};
    }
    free(options);
    given->words = argv + optind;
    given->word_count = (size_t)(argc - optind);
    return parsed;
}

static int run_command(const struct cb_command *command, int argc, char **argv) {
    struct cb_given given = {0};
    enum parsed parsed = parse(command, argc, argv, &given);
    int status = CB_EXIT_USAGE;
    if (parsed == PARSED_HELP) {
        print_help(command);
        status = CB_EXIT_OK;
    } else if (parsed == PARSED_RUN && given.word_count < command->least) {
        cb_error(stderr,
                 "%s: an argument is missing\nnothing is done\n"
                 "usage: corobench %s %s [OPTION...]",
                 command->name, command->name, command->words);
    } else if (parsed == PARSED_RUN && given.word_count > command->most) {
        complain_option(command, "an argument too many", given.words[command->most]);
    } else if (parsed == PARSED_RUN) {
        status = command->run(&given);
    }
    free(given.typed);
    return status;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_usage(stderr);
        return CB_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return CB_EXIT_OK;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i]->name) == 0)
            return run_command(commands[i], argc - 1, argv + 1);
    struct cb_text names = {0};
    for (size_t i = 0; i < COMMANDS; i++)
        cb_text_add(&names, "%s%s", i ? ", " : "", commands[i]->name);
    cb_error(stderr, "no command %s\nnothing is done\nthe commands are: %s (see corobench --help)",
             argv[1], names.text);
    cb_text_clear(&names);
    return CB_EXIT_USAGE;
}
