// Runs the checks of one backend, each in a process of its own, and prints TAP.
//
//   conformance-X [--binding B] [--list] [--fresh] [--here] [--limit SECONDS] [--claim CAPABILITY]
//                 [CHECK-GLOB...]
//
// A crash, a hang or a wrong value is a failed check. What the backend does not claim is "not
// claimed", which is neither passed nor failed. Status: 0 none failed, 1 some did, 2 wrong usage.
#define _GNU_SOURCE
#include "kit.h"

#include <errno.h>
#include <fnmatch.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern const struct kit_check *const __start_kit_checks[], *const __stop_kit_checks[];

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOT_CLAIMED = 77 };

static const char *const bindings[] = {[CO_BINDING_VISIBLE] = "visible",
                                       [CO_BINDING_OPAQUE] = "opaque",
                                       [CO_BINDING_LIBRARY] = "library"};

static struct options {
    bool list, fresh, here;
    int limit;        // seconds a check may take
    int binding;      // 0: all
    unsigned claimed; // capabilities to be tested although the backend does not claim them
    char **globs;
} options = {.limit = 20};

// ---- What a check calls -------------------------------------------------------------------------

void kit_fail(const char *file, int line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("# %s:%d: ", file, line);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
    _exit(EXIT_FAILED);
}

void kit_not_claimed(const char *reason) {
    printf("# %s\n", reason);
    fflush(stdout);
    _exit(EXIT_NOT_CLAIMED);
}

void kit_want(const char *file, int line, const char *text, word is, word wanted) {
    if (is != wanted)
        kit_fail(file, line, "%s is %#zx (%zd), not %#zx (%zd)", text, (size_t)is, (ssize_t)is,
                 (size_t)wanted, (ssize_t)wanted);
}

static const char *status_name(int status) {
    switch (status) {
    case CO_RETURNED:
        return "0, which is CO_RETURNED or no error";
    case CO_YIELDED:
        return "CO_YIELDED";
    case CO_FAILED:
        return "CO_FAILED";
    case CO_PENDING:
        return "CO_PENDING";
    case CO_E_INVALID:
        return "CO_E_INVALID";
    case CO_E_FINISHED:
        return "CO_E_FINISHED";
    case CO_E_RUNNING:
        return "CO_E_RUNNING";
    case CO_E_NOMEM:
        return "CO_E_NOMEM";
    case CO_E_CLOSING:
        return "CO_E_CLOSING";
    case CO_E_NOT_CLAIMED:
        return "CO_E_NOT_CLAIMED";
    default:
        return "no status at all";
    }
}

void kit_want_status(const char *file, int line, const char *text, int is, int wanted) {
    if (is != wanted)
        kit_fail(file, line, "%s is %d (%s), not %d (%s)", text, is, status_name(is), wanted,
                 status_name(wanted));
}

void kit_want_answer(const char *file, int line, const char *text, int status, int wanted_status,
                     word value, word wanted_value) {
    kit_want_status(file, line, text, status, wanted_status);
    if (value != wanted_value)
        kit_fail(file, line, "%s gives %#zx (%zd), not %#zx (%zd)", text, (size_t)value,
                 (ssize_t)value, (size_t)wanted_value, (ssize_t)wanted_value);
}

void kit_want_trace(const char *file, int line, const struct trace *is, unsigned n,
                    const word *wanted) {
    for (unsigned i = 0; i < n && i < is->n; i++)
        if (is->event[i] != wanted[i])
            kit_fail(file, line, "event %u of %u is %zd, not %zd", i + 1, n, (ssize_t)is->event[i],
                     (ssize_t)wanted[i]);
    if (is->n != n)
        kit_fail(file, line, "%u events happened, not %u", is->n, n);
}

bool kit_by_name(void) {
    static bool by_name;
    by_name = !by_name;
    return by_name;
}

#ifdef KIT_ASAN
const bool kit_sanitized = true;
#else
const bool kit_sanitized = false;
#endif

// The overflow check must die of its SIGSEGV, not of the sanitizer's report of it.
extern const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "handle_segv=0:allow_user_segv_handler=1";
}

struct kit_memory kit_memory_now(void) {
    struct kit_memory memory = {0};
    FILE *maps = fopen("/proc/self/maps", "r");
    if (maps == NULL)
        FAIL("/proc/self/maps can't be opened: %s", strerror(errno));
    for (int c; (c = getc(maps)) != EOF;)
        memory.mappings += c == '\n';
    fclose(maps);
    unsigned long size, resident;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm == NULL || fscanf(statm, "%lu %lu", &size, &resident) != 2)
        FAIL("/proc/self/statm can't be read: %s", strerror(errno));
    fclose(statm);
    memory.resident = resident * (size_t)sysconf(_SC_PAGESIZE);
    struct mallinfo2 heap = mallinfo2();
    memory.heap = kit_sanitized ? 0 : heap.uordblks + heap.hblkhd;
    return memory;
}

// ---- Callee-saved registers ---------------------------------------------------------------------

#if defined(__x86_64__)
// Six pushes and one more leave rsp aligned at the call.
word kit_probe_asm(word (*f)(void *), void *arg, const word *fill, word *seen);
__asm__(".text\n"
        ".globl kit_probe_asm\n"
        ".type kit_probe_asm, @function\n"
        "kit_probe_asm:\n"
        "    .cfi_startproc\n"
        "    pushq %rbp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    pushq %rbx\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    pushq %r12\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    pushq %r13\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    pushq %r14\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    pushq %r15\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    pushq %rcx\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    movq %rdi, %rax\n"
        "    movq %rsi, %rdi\n"
        "    movq 0(%rdx), %rbx\n"
        "    movq 8(%rdx), %rbp\n"
        "    movq 16(%rdx), %r12\n"
        "    movq 24(%rdx), %r13\n"
        "    movq 32(%rdx), %r14\n"
        "    movq 40(%rdx), %r15\n"
        "    call *%rax\n"
        "    popq %rcx\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    movq %rbx, 0(%rcx)\n"
        "    movq %rbp, 8(%rcx)\n"
        "    movq %r12, 16(%rcx)\n"
        "    movq %r13, 24(%rcx)\n"
        "    movq %r14, 32(%rcx)\n"
        "    movq %r15, 40(%rcx)\n"
        "    popq %r15\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %r14\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %r13\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %r12\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %rbx\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %rbp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size kit_probe_asm, . - kit_probe_asm\n");

bool kit_probe(word (*f)(void *), void *arg, const word *fill, word *seen) {
    kit_probe_asm(f, arg, fill, seen);
    return true;
}

const char *kit_register(unsigned i) {
    static const char *const names[KIT_REGISTERS] = {"rbx", "rbp", "r12", "r13", "r14", "r15"};
    return names[i];
}
#else
bool kit_probe(word (*f)(void *), void *arg, const word *fill, word *seen) {
    memcpy(seen, fill, KIT_REGISTERS * sizeof *seen);
    f(arg);
    return false;
}

const char *kit_register(unsigned i) {
    (void)i;
    return "?";
}
#endif

// ---- Running ------------------------------------------------------------------------------------

static const struct {
    unsigned bit;
    const char *name;
} capabilities[] = {
    {CO_CAP_DEEP_YIELD, "deep-yield"},
    {CO_CAP_RECURSION, "recursion"},
    {CO_CAP_FP_CONTROL, "fp-control"},
    {CO_CAP_MOVABLE, "movable"},
    {CO_CAP_MIGRATES, "migrates"},
    {CO_CAP_GUARD, "guard"},
    {CO_CAP_REUSE, "reuse"},
    {CO_CAP_PARALLEL, "parallel"},
    {CO_CAP_NO_ALLOCATION, "no-allocation"},
    {CO_CAP_FLAT_STACK, "flat-stack"},
    {CO_CAP_STACK_SIZE, "stack-size"},
    {CO_CAP_CALLEE_SAVED, "callee-saved"},
    {CO_CAP_GROWS, "grows"},
    {CO_CAP_GIVES_BACK, "gives-back"},
    {CO_CAP_THREAD_LOCALS, "thread-locals"},
    {CO_CAP_CALLS_IN_PLACE, "calls-in-place"},
    {CO_CAP_EAGER, "eager-start"},
};

// What a check asks for and the backend does not claim, or NULL.
static const char *missing(const struct kit_check *check) {
    unsigned lacking = check->needs & ~(kit_facts.capabilities | options.claimed);
    for (size_t i = 0; lacking != 0 && i < sizeof capabilities / sizeof capabilities[0]; i++)
        if (lacking & capabilities[i].bit)
            return capabilities[i].name;
    return lacking != 0 ? "a capability that the kit can't name" : NULL;
}

static void run_here(const struct kit_check *check) {
    const struct co_config fresh = {.fresh = true, .guard = true};
    if (options.fresh)
        WANT_STATUS((check->binding == CO_BINDING_LIBRARY ? co_lib_backend_configure
                                                          : co_backend_configure)(&fresh),
                    0);
    check->run();
    // exit, not _exit: the leak checker looks for what is lost.
    fflush(stdout);
    exit(0);
}

// Waits for the child, and kills it when it takes too long. The wait status; hung says which.
static int wait_for(pid_t child, bool *hung) {
    int status;
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    struct timespec until, now;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += options.limit;
    *hung = false;
    while (waitpid(child, &status, *hung ? 0 : WNOHANG) == 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > until.tv_sec) {
            *hung = true;
            kill(child, SIGKILL);
            continue;
        }
        const struct timespec second = {.tv_sec = 1};
        sigtimedwait(&ended, NULL, &second);
    }
    return status;
}

// Writes into `why` what is wrong with the way a check ended; returns whether anything is.
static bool is_failure(const struct kit_check *check, int status, bool hung, char why[200]) {
    bool faulted = WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
    if (hung)
        snprintf(why, 200, "still running after %d s", options.limit);
    else if (check->how == KIT_SEGV && !faulted)
        snprintf(why, 200, "did not die by SIGSEGV");
    else if (check->how == KIT_SEGV)
        return false;
    else if (WIFSIGNALED(status))
        snprintf(why, 200, "killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0)
        snprintf(why, 200, "exit status %d", WEXITSTATUS(status));
    else
        return false;
    return true;
}

static struct tally { int number, passed, failed, not_claimed; } tally;

// Names look like opaque/values.order: the binding, the part, the check.
static void full_name(const struct kit_check *check, char name[100]) {
    const char *base = strrchr(check->file, '/');
    base = base != NULL ? base + 1 : check->file;
    snprintf(name, 100, "%s/%.*s.%s", bindings[check->binding], (int)strcspn(base, "."), base,
             check->name);
}

static void run_check(const struct kit_check *check, const char *name) {
    tally.number++;
    const char *lacking = missing(check);
    if (lacking != NULL) {
        printf("ok %d - %s # SKIP not claimed: %s\n", tally.number, name, lacking);
        tally.not_claimed++;
        return;
    }
    fflush(stdout);
    if (options.here)
        run_here(check);
    pid_t child = fork();
    if (child < 0) {
        fprintf(stderr, "conformance: fork failed: %s; no check can run\n", strerror(errno));
        exit(EXIT_FAILED);
    }
    if (child == 0)
        run_here(check);
    bool hung;
    int status = wait_for(child, &hung);
    char why[200];
    if (!hung && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_CLAIMED) {
        printf("ok %d - %s # SKIP not claimed\n", tally.number, name);
        tally.not_claimed++;
    } else if (is_failure(check, status, hung, why)) {
        printf("not ok %d - %s: %s\n# %s\n", tally.number, name, why, check->purpose);
        tally.failed++;
    } else {
        printf("ok %d - %s\n", tally.number, name);
        tally.passed++;
    }
}

// The order of a section is the linker's; people want bindings together, then that of the files.
static int by_place(const void *a, const void *b) {
    const struct kit_check *x = *(const struct kit_check *const *)a;
    const struct kit_check *y = *(const struct kit_check *const *)b;
    int order = x->binding - y->binding;
    if (order == 0)
        order = strcmp(x->file, y->file);
    return order != 0 ? order : x->line - y->line;
}

static bool wanted(const struct kit_check *check, const char *name) {
    if (options.binding != 0 && options.binding != check->binding)
        return false;
    if (check->how == KIT_CHECKED && !kit_facts.checked)
        return false;
    for (char **glob = options.globs; *glob != NULL; glob++)
        if (fnmatch(*glob, name, 0) == 0 || fnmatch(*glob, strchr(name, '/') + 1, 0) == 0)
            return true;
    return *options.globs == NULL;
}

static void usage(const char *problem, const char *what) {
    fprintf(stderr,
            "conformance: %s: %s\nusage: [--binding visible|opaque|library] [--list] [--fresh] "
            "[--here] [--limit SECONDS] [--claim CAPABILITY] "
            "[CHECK-GLOB...]\n--list shows the checks; --here runs one in this process, for a "
            "debugger; --claim also runs what this capability is needed for\n",
            problem, what);
    exit(EXIT_USAGE);
}

static int read_binding(const char *name) {
    for (int i = CO_BINDING_VISIBLE; name != NULL && i <= CO_BINDING_LIBRARY; i++)
        if (strcmp(name, bindings[i]) == 0)
            return i;
    usage("the binding must be visible, opaque or library, and is",
          name == NULL ? "missing" : name);
    return 0;
}

static unsigned read_capability(const char *name) {
    for (size_t i = 0; name != NULL && i < sizeof capabilities / sizeof capabilities[0]; i++)
        if (strcmp(name, capabilities[i].name) == 0)
            return capabilities[i].bit;
    usage("no capability is called", name == NULL ? "nothing" : name);
    return 0;
}

static void read_options(char **args) {
    for (; *args != NULL && (*args)[0] == '-'; args++) {
        if (strcmp(*args, "--list") == 0)
            options.list = true;
        else if (strcmp(*args, "--fresh") == 0)
            options.fresh = true;
        else if (strcmp(*args, "--here") == 0)
            options.here = true;
        else if (strcmp(*args, "--binding") == 0)
            options.binding = read_binding(*++args);
        else if (strcmp(*args, "--limit") == 0 && args[1] != NULL && atoi(args[1]) > 0)
            options.limit = atoi(*++args);
        else if (strcmp(*args, "--claim") == 0)
            options.claimed |= read_capability(*++args);
        else
            usage("this option is not known or lacks its number", *args);
    }
    options.globs = args;
}

// malloc counts what it keeps at hand for a thread as memory in use, and how much that is depends
// on what was freed last. Without it, bytes in use can be compared; it can only be left out from
// the start.
static void start_without_malloc_cache(char **argv) {
    if (getenv("GLIBC_TUNABLES") == NULL &&
        setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1) == 0)
        execv("/proc/self/exe", argv); // if it can't, the checks of memory may be too strict
}

int main(int argc, char **argv) {
    (void)argc;
    start_without_malloc_cache(argv);
    read_options(argv + 1);
    size_t n = (size_t)(__stop_kit_checks - __start_kit_checks);
    const struct kit_check **checks = (const struct kit_check **)malloc(n * sizeof *checks);
    if (checks == NULL)
        usage("no memory for the table of checks", "stop other programs");
    memcpy(checks, __start_kit_checks, n * sizeof *checks);
    qsort(checks, n, sizeof *checks, by_place);
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, NULL);

    int matching = 0;
    if (!options.list)
        printf("# %s, %s binding, %s%s\n", kit_facts.backend,
               options.binding == 0 ? "each" : bindings[options.binding],
               kit_facts.checked ? "checked" : "as timed", options.fresh ? ", fresh storage" : "");
    for (size_t i = 0; i < n; i++) {
        char name[100];
        full_name(checks[i], name);
        if (!wanted(checks[i], name))
            continue;
        matching++;
        if (options.list)
            printf("%s\t%s\n", name, checks[i]->purpose);
        else
            run_check(checks[i], name);
    }
    free(checks);
    if (matching == 0)
        usage("no check has such a name; --list shows them", options.globs[0]);
    if (options.list)
        return 0;
    printf("1..%d\n%d passed, %d failed", tally.number, tally.passed, tally.failed);
    if (tally.not_claimed > 0)
        printf(", %d not claimed", tally.not_claimed);
    printf("\n");
    return tally.failed > 0 ? EXIT_FAILED : 0;
}
