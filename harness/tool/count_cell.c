// One cell under Valgrind: three runs of different length, and the line through them.
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "count.h"
#include "file.h"
#include "message.h"
#include "process.h"

enum {
    SHORT = 4096,           // operations of the shortest run, where nothing asks for more
    LIMIT = 300,            // seconds for one run
    PERIOD_MOST = 4 << 20,  // operations
    MANY = 1 << 20,         // operations, where the period is more than that
    ENVIRONMENT_MOST = 16,  // variables
    ARGUMENTS_MOST = 24,    // texts
    VERSION_LIMIT_S = 60,   // for valgrind --version
    TOTAL_MOST_DIGITS = 19, // so that it fits into 64 bits
    SURE_DIGITS = 4,        // of a count whose halves differ ...
    OFF_MOST = 10000,       // ... by less than this part of them
};
// Instructions that a second, longer count of a cell may take in all: some ten seconds.
#define LONG_MOST 6e9

// ---- Valgrind

static char *search_path(const char *name) {
    const char *path = getenv("PATH");
    for (const char *at = path ? path : "/usr/local/bin:/usr/bin:/bin"; at != NULL;) {
        const char *end = strchrnul(at, ':');
        char *file = cb_format("%.*s/%s", (int)(end - at), at, name);
        if (end > at && access(file, X_OK) == 0)
            return file;
        free(file);
        at = *end ? end + 1 : NULL;
    }
    return NULL;
}

static int complain_counter(const char *what) {
    cb_error(stderr,
             "valgrind %s\nno instructions are counted\ninstall it (apt-get install valgrind), or "
             "put it into PATH",
             what);
    return CB_EXIT_USAGE;
}

int cb_counter_find(struct cb_counter *counter) {
    *counter = (struct cb_counter){.path = search_path("valgrind")};
    if (counter->path == NULL)
        return complain_counter("is not there: no folder of PATH has it");
    char *arguments[] = {counter->path, (char *)"--version", NULL};
    struct cb_process process;
    int status = CB_EXIT_OK;
    cb_process_run(&process, arguments, NULL, VERSION_LIMIT_S);
    const char *prefix = "valgrind-", *text = process.out.text ? process.out.text : "";
    if (process.ending == CB_ENDED && process.code == 0 &&
        strncmp(text, prefix, strlen(prefix)) == 0) {
        const char *version = text + strlen(prefix);
        counter->tool = cb_format("cachegrind-%.*s", (int)strcspn(version, "\r\n, "), version);
    } else {
        char *reason = cb_process_reason(&process, VERSION_LIMIT_S);
        char *what = cb_format("does not say its version: %s", reason);
        status = complain_counter(what);
        free(what);
        free(reason);
    }
    cb_process_free(&process);
    return status;
}

void cb_counter_free(struct cb_counter *counter) {
    free(counter->path);
    free(counter->tool);
    *counter = (struct cb_counter){0};
}

// Finds "I refs:", however it is spaced, and reads the number after it, whose digits are grouped.
bool cb_tally_read_total(const char *log, uint64_t *total) {
    for (const char *at = log; (at = strstr(at, "refs:")) != NULL; at += strlen("refs:")) {
        const char *before = at;
        while (before > log && before[-1] == ' ')
            before--;
        if (before == at || before == log || before[-1] != 'I' ||
            (before - 1 > log && !isspace((unsigned char)before[-2])))
            continue;
        const char *c = at + strlen("refs:");
        c += strspn(c, " ");
        int digits = 0;
        for (*total = 0; isdigit((unsigned char)*c) || (*c == ',' && digits > 0); c++)
            if (*c != ',' && ++digits <= TOTAL_MOST_DIGITS)
                *total = *total * 10 + (uint64_t)(*c - '0');
        return digits > 0 && digits <= TOTAL_MOST_DIGITS;
    }
    return false;
}

// ---- Runs

static uint64_t lcm(uint64_t a, uint64_t b) {
    uint64_t x = a, y = b;
    while (y != 0) {
        uint64_t rest = x % y;
        x = y;
        y = rest;
    }
    return a / x * b;
}

uint64_t cb_tally_period(const char *params) {
    uint64_t period = SHORT;
    for (const char *c = params; (c = strchr(c, '=')) != NULL;) {
        char *end;
        errno = 0;
        unsigned long number = isdigit((unsigned char)*++c) ? strtoul(c, &end, 10) : 0;
        if (number == 0 || (*end != '\0' && *end != ';'))
            continue;
        if (errno != 0 || number > PERIOD_MOST)
            return 0;
        period = lcm(period, number);
        if (period > PERIOD_MOST)
            return 0;
    }
    return period;
}

static void set_note(struct cb_tally *tally, enum cb_cell_status status, const char *note) {
    tally->status = status;
    snprintf(tally->note, sizeof tally->note, "%s", note);
}

// To the digits that are sure where the operations are not all alike.
static double round_to_sure(double value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%.*e", SURE_DIGITS - 1, value);
    return strtod(digits, NULL);
}

void cb_tally_finish(struct cb_tally *tally) {
    const uint64_t *n = tally->n, *total = tally->total;
    bool grows = n[1] - n[0] == n[2] - n[1] && total[1] > total[0] && total[2] > total[1];
    uint64_t first = total[1] - total[0], second = total[2] - total[1];
    uint64_t off = first > second ? first - second : second - first;
    double mean = (double)(total[2] - total[0]) / (double)(n[2] - n[0]);
    if (grows && off == 0) {
        tally->instructions = mean;
        return;
    }
    if (grows && off < first / OFF_MOST) {
        tally->instructions = round_to_sure(mean);
        return;
    }
    char *note =
        cb_format("not linear: %" PRIu64 ", %" PRIu64 " and %" PRIu64 " operations took %" PRIu64
                  ", %" PRIu64 " and %" PRIu64 " instructions, the program's start included",
                  n[0], n[1], n[2], total[0], total[1], total[2]);
    set_note(tally, CB_CELL_FAILED, note);
    free(note);
}

// A % in a log file's name means something to Valgrind, unless it is doubled.
static char *log_option(const char *log) {
    struct cb_text text = {0};
    cb_text_add(&text, "--log-file=");
    for (const char *c = log; *c != '\0'; c++)
        cb_text_add(&text, *c == '%' ? "%%%%" : "%c", *c);
    return text.text;
}

static void free_texts(char **list) {
    for (; *list != NULL; list++)
        free(*list);
}

static bool log_says(const char *log, const char *words) {
    char *text = NULL;
    bool says = cb_file_read(log, &text, NULL) == 0 && strstr(text, words) != NULL;
    free(text);
    return says;
}

// Why there is no answer.
static void blame(struct cb_tally *tally, const struct cb_process *process, const char *log) {
    char *reason = cb_process_reason(process, LIMIT);
    char *note =
        process->ending == CB_ENDED && process->code == 0
            ? cb_copy("it did not answer as --count does: build it anew")
        : log_says(log, "debuginfo reader: ")
            ? cb_copy("valgrind cannot read the debug information of the program: build it with "
                      "-gdwarf-4, or use a newer valgrind")
            : cb_format("under valgrind: %s", reason);
    set_note(tally, process->ending == CB_TIMED_OUT ? CB_CELL_TIMEOUT : CB_CELL_FAILED, note);
    free(note);
    free(reason);
}

// What a bench program's --count answered, as the tally's status.
static void read_answer(struct cb_tally *tally, const struct cb_process *process, const char *log) {
    json_t *answer = json_loads(process->out.text ? process->out.text : "", 0, NULL);
    const char *status = NULL, *note = NULL;
    if (process->ending == CB_ENDED && process->code <= 1 &&
        json_unpack(answer, "{s:s, s:s}", "status", &status, "note", &note) == 0 &&
        (process->code == 0) == (strcmp(status, "failed") != 0))
        set_note(tally, cb_status_from_text(status), note);
    else
        blame(tally, process, log);
    json_decref(answer);
}

// Takes the total from the log of a run that went well.
static void read_log(struct cb_tally *tally, int run, const char *log) {
    char *text = NULL;
    int error = cb_file_read(log, &text, NULL);
    if (error < 0 || !cb_tally_read_total(text, &tally->total[run])) {
        char *note = cb_format("valgrind's log has no total: %s",
                               error < 0 ? strerror(-error) : "there is no line \"I refs\" in it");
        set_note(tally, CB_CELL_FAILED, note);
        free(note);
    }
    free(text);
}

// What stays the same in the runs of a cell.
struct counting {
    const struct cb_counter *counter;
    const struct cb_program *program;
    const struct cb_cell *cell;
    char *log;
};

// Cachegrind without its caches adds up instructions and does nothing else. It needs no call graph,
// which a switch of stacks would confuse, and no settings but those given here. The child that
// checks the results counts for itself and says nothing.
static void run_once(struct cb_tally *tally, const struct counting *c, int run) {
    char *list[ARGUMENTS_MOST] = {
        cb_copy(c->counter->path),
        cb_copy("--command-line-only=yes"),
        cb_copy("--tool=cachegrind"),
        cb_copy("--cache-sim=no"),
        cb_copy("--branch-sim=no"),
        cb_copy("--cachegrind-out-file=/dev/null"),
        cb_copy("--child-silent-after-fork=yes"),
        log_option(c->log),
        cb_copy(c->program->path),
        cb_copy("--count"),
        cb_copy("--scenario"),
        cb_copy(c->cell->scenario),
        cb_copy("--binding"),
        cb_copy(c->cell->binding),
        cb_copy("--params"),
        cb_copy(c->cell->params),
        cb_copy("--iterations"),
        // Always as many digits, so that reading them takes always as many instructions.
        cb_format("%012" PRIu64, tally->n[run]),
    };
    char *environment[ENVIRONMENT_MOST];
    struct cb_process process;
    environment[cb_program_environment(c->program, c->cell->params, environment,
                                       ENVIRONMENT_MOST - 1)] = NULL;
    cb_process_run(&process, list, environment, LIMIT);
    read_answer(tally, &process, c->log);
    if (tally->status == CB_CELL_OK)
        read_log(tally, run, c->log);
    unlink(c->log);
    cb_process_free(&process);
    free_texts(environment);
    free_texts(list);
}

static void run_all(struct cb_tally *tally, const struct counting *c, uint64_t step) {
    *tally = (struct cb_tally){.status = CB_CELL_OK};
    for (int run = 0; run < CB_TALLY_RUNS && tally->status == CB_CELL_OK; run++) {
        tally->n[run] = step * (uint64_t)(run + 1);
        run_once(tally, c, run);
    }
    if (tally->status == CB_CELL_OK)
        cb_tally_finish(tally);
}

void cb_tally_cell(struct cb_tally *tally, const struct cb_counter *counter,
                   const struct cb_program *program, const struct cb_cell *cell, const char *folder,
                   unsigned number) {
    struct counting c = {counter, program, cell, cb_format("%s/%u.log", folder, number)};
    run_all(tally, &c, SHORT);
    // A cell that goes round and round in more operations than that is counted over whole rounds,
    // where that does not take too long: how long depends on instructions only, never on the clock.
    // One that goes round in too many is counted over many: what differs evens out.
    uint64_t period = cb_tally_period(cell->params);
    if (period == 0 && tally->status == CB_CELL_FAILED)
        period = MANY;
    bool counted = tally->total[CB_TALLY_RUNS - 1] > tally->total[0];
    double each = counted ? (double)(tally->total[CB_TALLY_RUNS - 1] - tally->total[0]) /
                                (double)(tally->n[CB_TALLY_RUNS - 1] - tally->n[0])
                          : 0;
    if (counted && period > SHORT && 6 * each * (double)period <= LONG_MOST)
        run_all(tally, &c, period);
    free(c.log);
}
