// A bench program that is not there: a backend that only remembers what it was told, and two
// scenarios whose results a test can spoil. Included by the bench_*_test.c files.
#ifndef BENCH_FAKE_H
#define BENCH_FAKE_H

#define _GNU_SOURCE // mremap

#include <fenv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "bench.h"
#include "corobench/coro.h"
#include "corobench/scenario.h"

#define FAKE_BYTES 8192 // touched for each "coroutine" of the space scenario
#define FAKE_UNUSED __attribute__((unused))

// What a test sets before a run and reads after it.
static struct {
    // spoilers
    uint64_t polled; // by all runs, two polls an operation
    uint64_t checksum_off, creations_off, yields_off, hand_off, verify_off;
    int prepare_error, grow_error, configure_error, lib_configure_error;
    unsigned needs;
    size_t limit;
    int stumbles; // the run that takes 100 ms, counted from 1, as if another process came between
    // what happened
    struct co_config config, lib_config;
    int configured, lib_configured, trimmed, lib_trimmed, prepared, finished, runs, hands;
    int flags; // floating-point exception flags that prepare or a run found set
    uint64_t last_n, grown;
    char *memory;
} fake;

static int fake_configure(const struct co_config *config) {
    fake.config = *config;
    fake.configured++;
    return fake.configure_error;
}

static int fake_lib_configure(const struct co_config *config) {
    fake.lib_config = *config;
    fake.lib_configured++;
    return fake.lib_configure_error;
}

static void fake_trim(void) {
    fake.trimmed++;
}

static void fake_lib_trim(void) {
    fake.lib_trimmed++;
}

static struct co_limit fake_limit(void) {
    struct co_limit limit = {fake.limit, "fake.max_live: one slot each"};
    return limit;
}

static const char *fake_reason(void) {
    return "the fake is full";
}

static const char *fake_lib_reason(void) {
    return "the fake library is full";
}

static unsigned fake_needs(const struct cb_params *params) {
    (void)params;
    return fake.needs;
}

// What is set here must not be found by the next run.
static void fake_look_at_flags(void) {
    fake.flags |= fetestexcept(FE_ALL_EXCEPT);
    feraiseexcept(FE_INEXACT);
}

static int fake_prepare(const struct cb_params *params) {
    (void)params;
    fake_look_at_flags();
    fake.prepared++;
    return fake.prepare_error;
}

static void fake_finish(void) {
    fake.finished++;
    if (fake.memory)
        munmap(fake.memory, fake.grown * FAKE_BYTES);
    fake.memory = NULL;
}

static uint64_t fake_work(uint64_t n) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        sum += i;
        __asm__ volatile("" : "+r"(sum));
    }
    return sum;
}

static struct cb_counts fake_run(uint64_t n) {
    if (++fake.runs == fake.stumbles)
        usleep(100000);
    fake.last_n = n;
    fake.polled += 2 * n;
    fake_look_at_flags();
    struct cb_counts counts = {fake_work(n) + fake.checksum_off, 1 + fake.creations_off,
                               n + fake.yields_off};
    return counts;
}

static struct cb_counts fake_hand(uint64_t n) {
    fake.hands++;
    struct cb_counts counts = {fake_work(n) + fake.hand_off, 0, 0};
    return counts;
}

static struct cb_counts fake_expect(uint64_t n) {
    struct cb_counts counts = {n * (n - 1) / 2, 1, n};
    return counts;
}

static uint64_t fake_polls(void) {
    return fake.polled;
}

static int fake_grow(uint64_t n) {
    if (fake.grow_error && n > 100)
        return fake.grow_error;
    // One mapping that grows, so that the figures are not the allocator's.
    char *memory =
        fake.memory ? mremap(fake.memory, fake.grown * FAKE_BYTES, n * FAKE_BYTES, MREMAP_MAYMOVE)
                    : mmap(NULL, n * FAKE_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return CO_E_NOMEM;
    madvise(memory, n * FAKE_BYTES, MADV_NOHUGEPAGE);
    for (uint64_t byte = fake.grown * FAKE_BYTES; byte < n * FAKE_BYTES; byte += 4096)
        memory[byte] = 1;
    fake.memory = memory;
    fake.grown = n;
    return 0;
}

static uint64_t fake_verify(void) {
    return fake.grown - fake.verify_off;
}

static const struct cb_scenario fake_time = {
    .id = "time",
    .unit = "turn",
    .kind = CB_KIND_TIME,
    .quick = CB_LIST("a=1", "storage=fresh", "storage=reused"),
    .normal = CB_LIST("a=1", "a=2", "guard=no", "cpus=2"),
    .full = CB_LIST("a=16", "n=1000"),
    .needs = fake_needs,
    .prepare = fake_prepare,
    .run = fake_run,
    .expect = fake_expect,
    .finish = fake_finish,
};

static const struct cb_scenario fake_ratio = {
    .id = "ratio",
    .unit = "element",
    .kind = CB_KIND_TIME,
    .quick = CB_LIST(""),
    .run = fake_run,
    .hand = fake_hand,
    .expect = fake_expect,
    .polls = fake_polls,
};

static const struct cb_scenario fake_space = {
    .id = "space",
    .unit = "coroutine",
    .kind = CB_KIND_SPACE,
    .quick = CB_LIST("n=1000"),
    .full = CB_LIST("n=5"),
    .prepare = fake_prepare,
    .grow = fake_grow,
    .verify = fake_verify,
    .finish = fake_finish,
};

static const struct cb_registry_entry fake_registry[] = {
    {"time", "opaque", &fake_time},   {"time", "library", &fake_time},
    {"ratio", "opaque", &fake_ratio}, {"ratio", "visible", &fake_ratio},
    {"space", "opaque", &fake_space}, {"space", "library", &fake_space},
};

static const struct cb_env fake_environment[] = {
    {"storage=fresh", "FAKE_CACHE", "0"},
    {"storage=fresh", "FAKE_POOL", "no"},
};

static struct cb_backend_facts fake_facts;
static struct cb_bench fake_bench;

// Everything as it should be; tests then change single things.
FAKE_UNUSED static void fake_reset(void) {
    memset(&fake, 0, sizeof fake);
    fake.limit = SIZE_MAX;
    fake_facts = (struct cb_backend_facts){
        .name = "fake",
        .family = "peer",
        .summary = "remembers",
        .variant_of = "kept",
        .capabilities = CO_CAP_DEEP_YIELD | CO_CAP_GUARD,
        .contract = CO_CONTRACT_VERSION,
        .compiler = "gcc",
        .compiler_version = "1.2.3",
        .flags = "-O2",
        .language = "C17",
        .build_type = "Release",
        .link = 3,
        .checked = false,
        .optimised = true,
        .environment = fake_environment,
        .environment_count = 2,
        .source_lines = 10,
        .source_asm_lines = 0,
        .source_text_bytes = -1,
    };
    fake_bench = (struct cb_bench){
        .facts = &fake_facts,
        .registry = fake_registry,
        .registry_count = sizeof fake_registry / sizeof fake_registry[0],
        .backend = {fake_configure, fake_trim, fake_limit, fake_reason, fake_lib_configure,
                    fake_lib_trim, fake_lib_reason},
    };
}

FAKE_UNUSED static int fake_setup(void **state) {
    (void)state;
    fake_reset();
    return 0;
}

// A new folder for one test, and a file name in it.
struct fake_folder {
    char path[64];
    char out[96];
    char temporary[128];
};

FAKE_UNUSED static void fake_folder_make(struct fake_folder *folder) {
    strcpy(folder->path, "/tmp/corobench-test-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->out, sizeof folder->out, "%s/raw.json", folder->path);
    snprintf(folder->temporary, sizeof folder->temporary, "%s.tmp", folder->out);
}

// Also proves that nothing else is in it: rmdir refuses a folder that is not empty.
FAKE_UNUSED static void fake_folder_remove(struct fake_folder *folder) {
    unlink(folder->out);
    assert_int_equal(rmdir(folder->path), 0);
}

// Runs the program in this process with both streams into files. The texts are to be freed.
struct fake_answer {
    int status;
    char *out, *err;
};

static char *fake_slurp(FILE *file) {
    long size = ftell(file);
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    rewind(file);
    assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    return text;
}

static FILE *fake_divert(FILE *stream, int *saved) {
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stream);
    *saved = dup(fileno(stream));
    dup2(fileno(file), fileno(stream));
    return file;
}

static char *fake_restore(FILE *stream, int saved, FILE *file) {
    fflush(stream);
    dup2(saved, fileno(stream));
    close(saved);
    fseek(file, 0, SEEK_END);
    return fake_slurp(file);
}

FAKE_UNUSED static struct fake_answer fake_main(char **arguments) {
    int argc = 0, saved_out, saved_err;
    while (arguments[argc])
        argc++;
    FILE *out = fake_divert(stdout, &saved_out);
    FILE *err = fake_divert(stderr, &saved_err);
    struct fake_answer answer;
    answer.status = cb_bench_main(&fake_bench, argc, arguments);
    answer.err = fake_restore(stderr, saved_err, err);
    answer.out = fake_restore(stdout, saved_out, out);
    return answer;
}

#define FAKE_CALL(...) fake_main((char *[]){(char *)"bench", __VA_ARGS__, NULL})

FAKE_UNUSED static void fake_answer_free(struct fake_answer *answer) {
    free(answer->out);
    free(answer->err);
}

// Measures one cell of the fake. What the file says of itself is returned, the whole document is
// put into *document; both are to be json_decref'ed. Nothing may be on stdout.
FAKE_UNUSED static json_t *fake_measure(const char *scenario, const char *binding,
                                        const char *params, int *status, json_t **document) {
    struct fake_folder folder;
    fake_folder_make(&folder);
    struct fake_answer answer = FAKE_CALL(
        (char *)"--measure", (char *)"--scenario", (char *)scenario, (char *)"--binding",
        (char *)binding, (char *)"--params", (char *)params, (char *)"--iterations",
        (char *)(strcmp(scenario, "space") == 0 || strcmp(scenario, "bound") == 0 ? "1" : "1000"),
        (char *)"--repetitions", (char *)"4", (char *)"--out", folder.out);
    *status = answer.status;
    assert_string_equal(answer.out, "");
    fake_answer_free(&answer);
    *document = json_load_file(folder.out, 0, NULL);
    assert_non_null(*document);
    fake_folder_remove(&folder);
    json_t *text = json_object_get(json_object_get(*document, "context"), "corobench");
    json_t *context = json_loads(json_string_value(text), 0, NULL);
    assert_non_null(context);
    return context;
}

FAKE_UNUSED static const char *fake_text(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

#endif
