// A timed scenario makes its coroutines in one go, and does not know the machine. So few are made
// first, where they are gone afterwards without a trace: in a child.
#define _GNU_SOURCE
#include "foresee.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

#define MANY 1000000
#define FEW 10000

struct looked {
    bool good; // the looks succeeded
    int error; // of prepare
    struct cb_space at_none, at_few;
};

// The same cell with another n.
static bool with_few(const struct cb_params *params, struct cb_params *few) {
    char text[CB_PARAMS_TEXT], why[256], number[24];
    size_t used = 0;
    snprintf(number, sizeof number, "%d", FEW);
    for (size_t i = 0; i < params->count && used < sizeof text; i++) {
        bool is_n = strcmp(params->key[i], "n") == 0;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s=%s", i ? ";" : "",
                                 params->key[i], is_n ? number : params->value[i]);
    }
    return used < sizeof text && cb_params_parse(few, text, why, sizeof why);
}

static void look_in_child(const struct cb_session *session, struct looked *looked) {
    struct cb_params few;
    const char *what;
    cb_space_open();
    // The first look is thrown away: it touches the buffers that the others read into.
    if (!with_few(session->params, &few) || cb_space_look(&looked->at_none, &what) < 0 ||
        cb_space_look(&looked->at_none, &what) < 0)
        return;
    looked->error = session->entry->s->prepare(&few);
    looked->good = cb_space_look(&looked->at_few, &what) == 0;
}

static bool ask_child(const struct cb_session *session, struct looked *looked) {
    int ends[2];
    pid_t child = pipe(ends) == 0 ? fork() : -1;
    if (child < 0)
        return false;
    if (child == 0) {
        look_in_child(session, looked);
        _exit(write(ends[1], looked, sizeof *looked) == sizeof *looked ? 0 : 1);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], looked, sizeof *looked);
    close(ends[0]);
    int status = 0;
    return waitpid(child, &status, 0) == child && got == sizeof *looked && looked->good;
}

bool cb_foresee(struct cb_session *session) {
    long n = cb_param(session->params, "n", 0);
    if (session->entry->s->kind != CB_KIND_TIME || !session->entry->s->prepare || n < MANY)
        return true;
    struct looked looked = {.good = false};
    cb_space_open();
    if (ask_child(session, &looked)) // where not even few could be made, prepare will say why
        return looked.error < 0 ||
               cb_space_room(&looked.at_none, &looked.at_few, FEW, (uint64_t)n, &session->outcome);
    cb_outcome_set(&session->outcome, CB_UNAVAILABLE,
                   "n=%ld: a child process to make %d of them first did not answer", n, FEW);
    return false;
}
