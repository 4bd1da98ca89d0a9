// posix_spawn, a pidfd to wait with a limit, and a signalfd so that a stop is never missed.
#define _GNU_SOURCE
#include "process.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OUT_MOST = 16 << 20, ERR_MOST = 64 << 10 };

extern char **environ;

static int stop_fd = -1; // readable when a stop was asked for
static int stop_signal;

// Those of the three that are not ignored: nohup and background jobs of scripts stay what they are.
static sigset_t stop_set(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action;
        if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, signals[i]);
    }
    return set;
}

void cb_stop_watch(void) {
    sigset_t set = stop_set();
    sigprocmask(SIG_BLOCK, &set, NULL);
    stop_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (stop_fd >= 0)
        return;
    cb_warning(stderr,
               "signalfd: %s\na signal ends corobench at once\nwhat is measured until then "
               "is kept; go on by --resume",
               strerror(errno));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void cb_stop_unwatch(void) {
    sigset_t set = stop_set();
    if (stop_fd >= 0)
        close(stop_fd);
    stop_fd = -1;
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int cb_stop_asked(void) {
    struct signalfd_siginfo info;
    if (stop_signal == 0 && stop_fd >= 0 && read(stop_fd, &info, sizeof info) == sizeof info)
        stop_signal = (int)info.ssi_signo;
    return stop_signal;
}

double cb_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// What changes the allocator or the loader of a program, and no result file would tell of it.
static bool is_hidden_setting(const char *variable) {
    static const char *const names[] = {"MALLOC_", "GLIBC_TUNABLES=", "LD_PRELOAD=", "LD_AUDIT="};
    bool hidden = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        hidden = hidden || strncmp(variable, names[i], strlen(names[i])) == 0;
    return hidden;
}

// The environment, without such settings, with more variables; the array is new, the texts are
// shared.
static char **environment_with(char *const extra[]) {
    size_t own = 0, more = 0;
    while (environ[own] != NULL)
        own++;
    while (extra != NULL && extra[more] != NULL)
        more++;
    char **all = cb_allocate(own + more + 1, sizeof *all);
    if (more > 0)
        memcpy(all, extra, more * sizeof *all);
    // Where a name occurs twice, getenv finds the first: the added ones win.
    for (size_t i = 0, at = more; i < own; i++)
        if (!is_hidden_setting(environ[i]))
            all[at++] = environ[i];
    return all;
}

// Starts the program with its outputs on the two pipes' write ends. 0 or an errno.
static int start(pid_t *pid, char *const argv[], char **environment, int out, int err) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawn(pid, argv[0], &files, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return error;
}

// Takes what a pipe holds now. Returns false at its end. What is above `most` is read and dropped,
// so that the program never waits for a reader.
static bool drain(int fd, struct cb_text *text, size_t most) {
    char block[16384];
    for (;;) {
        ssize_t got = read(fd, block, sizeof block);
        if (got == 0)
            return false;
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        size_t room = most > text->length ? most - text->length : 0;
        cb_text_add_bytes(text, block, (size_t)got < room ? (size_t)got : room);
    }
}

// Waits until the process ended, the limit passed or a stop was asked; reads both pipes meanwhile.
// Returns how it is to end: CB_ENDED means by itself.
static enum cb_ending watch(struct cb_process *process, int pidfd, int out, int err,
                            double deadline) {
    struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN},
                           {.fd = out, .events = POLLIN},
                           {.fd = err, .events = POLLIN},
                           {.fd = stop_fd, .events = POLLIN}};
    for (;;) {
        double left = deadline - cb_seconds();
        if (left <= 0)
            return CB_TIMED_OUT;
        int wait = left > 3600 ? 3600000 : (int)(left * 1000) + 1;
        if (poll(fds, 4, wait) < 0 && errno != EINTR)
            return CB_TIMED_OUT; // cannot happen with these arguments; then do not wait for ever
        if (fds[1].revents && !drain(out, &process->out, OUT_MOST))
            fds[1].fd = -1;
        if (fds[2].revents && !drain(err, &process->err, ERR_MOST))
            fds[2].fd = -1;
        if (fds[0].revents)
            return CB_ENDED;
        if (cb_stop_asked())
            return CB_INTERRUPTED;
    }
}

static void finish(struct cb_process *process, pid_t pid, enum cb_ending ending) {
    if (ending != CB_ENDED)
        kill(-pid, SIGKILL);
    siginfo_t info;
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        continue;
    // Children that it left behind would disturb the next sample. Before the reaping, so that the
    // number cannot belong to a new group yet.
    kill(-pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    process->ending = ending;
    if (ending == CB_INTERRUPTED)
        process->code = cb_stop_asked();
    else if (ending == CB_ENDED && WIFSIGNALED(status))
        process->ending = CB_CRASHED, process->code = WTERMSIG(status);
    else if (ending == CB_ENDED)
        process->code = WEXITSTATUS(status);
}

static void close_pair(int pair[2]) {
    close(pair[0]);
    close(pair[1]);
}

void cb_process_run(struct cb_process *process, char *const argv[], char *const extra[],
                    double limit) {
    *process = (struct cb_process){.ending = CB_NOT_STARTED};
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) < 0) {
        process->code = errno;
        return;
    }
    if (pipe2(err, O_CLOEXEC) < 0) {
        process->code = errno;
        close_pair(out);
        return;
    }
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    double begin = cb_seconds();
    pid_t pid = 0;
    char **environment = environment_with(extra);
    process->code = start(&pid, argv, environment, out[1], err[1]);
    free(environment);
    close(out[1]);
    close(err[1]);
    if (process->code == 0) {
        // glibc older than 2.36 has no wrapper
        int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        int error = errno;
        enum cb_ending ending =
            pidfd >= 0 ? watch(process, pidfd, out[0], err[0], begin + limit) : CB_TIMED_OUT;
        finish(process, pid, ending);
        drain(out[0], &process->out, OUT_MOST);
        drain(err[0], &process->err, ERR_MOST);
        if (pidfd < 0)
            process->ending = CB_NOT_STARTED, process->code = error;
        else
            close(pidfd);
    }
    close(out[0]);
    close(err[0]);
    process->seconds = cb_seconds() - begin;
}

void cb_process_free(struct cb_process *process) {
    cb_text_clear(&process->out);
    cb_text_clear(&process->err);
}

void cb_scrub_paths(char *text) {
    char *to = text;
    for (char *c = text; *c != '\0';) {
        bool begins = *c == '/' && (c == text || strchr(" \t\n\"'`=:,;(<[", c[-1]) != NULL);
        size_t length = begins ? strcspn(c, " \t\n\"'`:,;)>]") : 0;
        if (length < 2 || strncmp(c, "/proc/", 6) == 0 || strncmp(c, "/sys/", 5) == 0 ||
            strncmp(c, "/dev/", 5) == 0) {
            *to++ = *c++;
            continue;
        }
        char *last = memrchr(c, '/', length);
        char *end = c + length;
        for (c = last + 1; c < end; c++)
            *to++ = *c;
    }
    *to = '\0';
}

// The last line of a text that is not blank, at most 200 bytes, free of control characters.
static char *last_line(const struct cb_text *text) {
    if (text->length == 0)
        return cb_copy("");
    const char *end = text->text + text->length;
    while (end > text->text && isspace((unsigned char)end[-1]))
        end--;
    const char *begin = end;
    while (begin > text->text && begin[-1] != '\n')
        begin--;
    char *line = cb_format("%.*s", (int)(end - begin > 200 ? 200 : end - begin), begin);
    for (char *c = line; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c))
            *c = ' ';
    cb_scrub_paths(line);
    return line;
}

char *cb_process_reason(const struct cb_process *process, double limit) {
    char *line = last_line(&process->err);
    const char *colon = *line ? ": " : "";
    char *reason = NULL;
    switch (process->ending) {
    case CB_ENDED:
        reason = cb_format("exit status %d%s%s", process->code, colon, line);
        break;
    case CB_CRASHED:
        reason = cb_format("killed by signal %d (%s)%s%s", process->code, strsignal(process->code),
                           colon, line);
        break;
    case CB_TIMED_OUT:
        reason = cb_format("no end within %g s%s%s", limit, colon, line);
        break;
    case CB_INTERRUPTED:
        reason = cb_format("stopped by signal %d", process->code);
        break;
    case CB_NOT_STARTED:
        reason = cb_format("could not be started: %s", strerror(process->code));
        break;
    }
    free(line);
    return reason;
}
