// Counts cells in a few worker processes. A worker takes the next cell that no one has, and sends
// its tally through a pipe that all share: a record is smaller than what a pipe takes at once.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "count.h"
#include "message.h"
#include "process.h"
#include "progress.h"

enum { LOOK_MS = 200 }; // how often the parent looks whether it is to stop

struct record {
    size_t cell;
    struct cb_tally tally;
};
_Static_assert(sizeof(struct record) <= PIPE_BUF, "a record must be written at once");

struct jobs {
    struct cb_tally *tallies;
    const struct cb_counter *counter;
    const struct cb_program *const *programs;
    const struct cb_plan *plan;
    char *folder;        // of logs
    atomic_size_t *next; // shared by the workers: the cell that none has taken
    int pipe[2];
};

// A worker's life. It ends early where its parent did, or where it is asked to stop.
static void work(const struct jobs *jobs, unsigned number) {
    size_t i;
    while ((i = atomic_fetch_add(jobs->next, 1)) < jobs->plan->count && !cb_stop_asked()) {
        struct record record = {.cell = i};
        if (jobs->tallies[i].status != CB_CELL_OK)
            continue;
        cb_tally_cell(&record.tally, jobs->counter, jobs->programs[i], &jobs->plan->cells[i],
                      jobs->folder, number);
        if (cb_stop_asked() || write(jobs->pipe[1], &record, sizeof record) != sizeof record)
            break;
    }
}

static pid_t start_worker(const struct jobs *jobs, unsigned number) {
    pid_t parent = getpid();
    fflush(NULL);
    pid_t worker = fork();
    if (worker != 0)
        return worker;
    // A signal that it watches for, so that it also ends the program under Valgrind.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == parent)
        work(jobs, number);
    _exit(0);
}

// Takes records until all workers closed the pipe. Returns the signal that asked to stop, or 0.
static int collect(const struct jobs *jobs, const pid_t *workers, unsigned count, size_t total) {
    struct cb_progress progress;
    struct pollfd end = {.fd = jobs->pipe[0], .events = POLLIN};
    bool told = false;
    cb_progress_begin(&progress, stderr, "cells counted", total, 0);
    for (;;) {
        if (cb_stop_asked() && !told) {
            told = true;
            for (unsigned w = 0; w < count; w++)
                kill(workers[w], cb_stop_asked());
        }
        if (poll(&end, 1, LOOK_MS) <= 0)
            continue;
        struct record record;
        if (read(jobs->pipe[0], &record, sizeof record) != sizeof record)
            break;
        jobs->tallies[record.cell] = record.tally;
        cb_progress_step(&progress);
        cb_progress_show(&progress, jobs->plan->cells[record.cell].id);
    }
    cb_progress_clear(&progress);
    return cb_stop_asked();
}

static int run_workers(struct jobs *jobs, unsigned count, size_t total) {
    pid_t *workers = cb_allocate(count, sizeof *workers);
    unsigned started = 0;
    while (started < count && (workers[started] = start_worker(jobs, started)) > 0)
        started++;
    close(jobs->pipe[1]);
    int stop = collect(jobs, workers, started, total);
    for (unsigned w = 0; w < started; w++)
        while (waitpid(workers[w], NULL, 0) < 0 && errno == EINTR)
            continue;
    free(workers);
    return stop;
}

static void fail_all(struct cb_tally *tallies, size_t count, const char *why) {
    for (size_t i = 0; i < count; i++) {
        // What was counted has totals.
        if (tallies[i].status != CB_CELL_OK || tallies[i].total[0] != 0)
            continue;
        tallies[i].status = CB_CELL_FAILED;
        snprintf(tallies[i].note, sizeof tallies[i].note, "it was not counted: %s", why);
    }
}

int cb_tally_all(struct cb_tally *tallies, const struct cb_counter *counter,
                 const struct cb_program *const *programs, const struct cb_plan *plan,
                 unsigned jobs_count) {
    struct jobs jobs = {.tallies = tallies, .counter = counter, .programs = programs, .plan = plan};
    const char *temporary = getenv("TMPDIR");
    size_t total = 0;
    for (size_t i = 0; i < plan->count; i++)
        total += tallies[i].status == CB_CELL_OK;
    if (total == 0)
        return 0;
    jobs.next =
        mmap(NULL, sizeof *jobs.next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    jobs.folder = cb_format("%s/corobench-count-XXXXXX",
                            temporary != NULL && *temporary == '/' ? temporary : "/tmp");
    if (jobs.next == MAP_FAILED || pipe2(jobs.pipe, O_CLOEXEC) < 0 ||
        mkdtemp(jobs.folder) == NULL) {
        char *why = cb_format("no folder for logs, or no memory: %s", strerror(errno));
        fail_all(tallies, plan->count, why);
        free(why);
        free(jobs.folder);
        return 0;
    }
    int stop = run_workers(&jobs, jobs_count, total);
    fail_all(tallies, plan->count, "the process that counted it broke off");
    close(jobs.pipe[0]);
    munmap(jobs.next, sizeof *jobs.next);
    rmdir(jobs.folder);
    free(jobs.folder);
    return stop;
}
