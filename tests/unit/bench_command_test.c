// The command line of a bench program: usage errors, --describe, --pilot, files that cannot be
// written, builds that may not measure.
#include "bench_fake.h"
#include "pilot.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define CELL                                                                                       \
    (char *)"--scenario", (char *)"time", (char *)"--binding", (char *)"opaque",                   \
        (char *)"--params", (char *)"a=1"
#define COUNTS (char *)"--iterations", (char *)"10", (char *)"--repetitions", (char *)"2"

static void expect_usage(struct fake_answer answer, const char *message) {
    assert_int_equal(answer.status, 2);
    assert_string_equal(answer.out, "");
    if (!strstr(answer.err, message))
        fail_msg("the message is \"%s\", expected \"%s\"", answer.err, message);
    fake_answer_free(&answer);
    assert_int_equal(fake.runs, 0);
}

static void tells_what_is_wrong(void **state) {
    (void)state;
    char *nothing[] = {(char *)"bench", NULL};
    expect_usage(fake_main(nothing), "usage:");
    expect_usage(FAKE_CALL((char *)"--frobnicate"), "--frobnicate: no such option");
    expect_usage(FAKE_CALL((char *)"--pilot", (char *)"--measure"), "one command at a time");
    expect_usage(FAKE_CALL((char *)"--describe", (char *)"--cpu", (char *)"0"), "takes no options");
    expect_usage(FAKE_CALL((char *)"--pilot", (char *)"--scenario"), "--scenario needs a value");
    expect_usage(FAKE_CALL((char *)"--pilot"), "--scenario is missing");
    expect_usage(FAKE_CALL((char *)"--measure", CELL, COUNTS), "--out is missing");
    expect_usage(FAKE_CALL((char *)"--pilot", CELL, COUNTS), "does not go with --pilot");
    expect_usage(FAKE_CALL((char *)"--measure", CELL, COUNTS, (char *)"--out", (char *)"/tmp/x",
                           (char *)"--target-ms", (char *)"1"),
                 "does not go with --measure");
}

static void lists_valid_names(void **state) {
    (void)state;
    expect_usage(FAKE_CALL((char *)"--pilot", (char *)"--scenario", (char *)"tim",
                           (char *)"--binding", (char *)"opaque", (char *)"--params",
                           (char *)"a=1"),
                 "there are: time ratio space\n");
    expect_usage(FAKE_CALL((char *)"--pilot", (char *)"--scenario", (char *)"time",
                           (char *)"--binding", (char *)"visible", (char *)"--params",
                           (char *)"a=1"),
                 "it has: opaque library\n");
    expect_usage(FAKE_CALL((char *)"--pilot", (char *)"--scenario", (char *)"time",
                           (char *)"--binding", (char *)"opaque", (char *)"--params",
                           (char *)"a=3"),
                 "no such cell\n  scenario time has: \"a=1\" \"storage=fresh\"");
    expect_usage(FAKE_CALL((char *)"--pilot", (char *)"--scenario", (char *)"time",
                           (char *)"--binding", (char *)"opaque", (char *)"--params",
                           (char *)"b;a"),
                 "not key=value");
}

static void refuses_wrong_values(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"--cpu", "x"},
        {"--cpu", ""},
        {"--cpu", "0,"},
        {"--cpu", "0,1,2"},
        {"--cpu", "-1"},
        {"--calm", "3"},
        {"--calm", "3,"},
        {"--calm", "x,1"},
        {"--calm", "0,1"},
        {"--calm", "3,-1"},
        {"--target-ms", "0"},
        {"--target-ms", "nan"},
        {"--target-ms", "5ms"},
        {"--iterations", "0"},
        {"--iterations", "1e6"},
        {"--iterations", "-1"},
        {"--iterations", "99999999999999999999"},
        {"--repetitions", "0"},
        {"--repetitions", "2x"},
        {"--repetitions", "1000000"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_usage(FAKE_CALL((char *)"--pilot", CELL, (char *)wrong[i][0], (char *)wrong[i][1]),
                     ": not ");
}

static void refuses_cpus_it_may_not_use(void **state) {
    (void)state;
    expect_usage(FAKE_CALL((char *)"--pilot", CELL, (char *)"--cpu", (char *)"99999"),
                 "CPU 99999 may not be used by this process; it may use: ");
    fake_facts.capabilities |= CO_CAP_PARALLEL;
    expect_usage(FAKE_CALL((char *)"--pilot", (char *)"--scenario", (char *)"time",
                           (char *)"--binding", (char *)"opaque", (char *)"--params",
                           (char *)"cpus=2", (char *)"--cpu", (char *)"0"),
                 "--cpu A,B");
    expect_usage(FAKE_CALL((char *)"--pilot", (char *)"--scenario", (char *)"time",
                           (char *)"--binding", (char *)"opaque", (char *)"--params",
                           (char *)"cpus=2", (char *)"--cpu", (char *)"99999,99999"),
                 "CPU 99999");
}

static void measures_memory_once(void **state) {
    (void)state;
    expect_usage(FAKE_CALL((char *)"--measure", (char *)"--scenario", (char *)"space",
                           (char *)"--binding", (char *)"opaque", (char *)"--params",
                           (char *)"n=1000", COUNTS, (char *)"--out", (char *)"/tmp/x"),
                 "measures memory, not time");
}

static void refuses_builds_that_mislead(void **state) {
    (void)state;
    struct fake_folder folder;
    fake_folder_make(&folder);
    fake_facts.checked = true;
    expect_usage(FAKE_CALL((char *)"--measure", CELL, COUNTS, (char *)"--out", folder.out),
                 "CO_CHECKED");
    fake_reset();
    fake_facts.build_type = "Debug";
    expect_usage(FAKE_CALL((char *)"--measure", CELL, COUNTS, (char *)"--out", folder.out),
                 "not a Release build (build type \"Debug\")");
    fake_reset();
    fake_facts.optimised = false;
    expect_usage(FAKE_CALL((char *)"--measure", CELL, COUNTS, (char *)"--out", folder.out),
                 "without optimisation");
    assert_int_not_equal(access(folder.out, F_OK), 0);
    fake_folder_remove(&folder);
}

static void refuses_folders_it_cannot_write(void **state) {
    (void)state;
    struct fake_folder folder;
    fake_folder_make(&folder);
    char missing[160];
    snprintf(missing, sizeof missing, "%s/none/raw.json", folder.path);
    expect_usage(FAKE_CALL((char *)"--measure", CELL, COUNTS, (char *)"--out", missing),
                 "does not exist");
    if (geteuid() != 0) { // root may write everywhere
        chmod(folder.path, 0555);
        expect_usage(FAKE_CALL((char *)"--measure", CELL, COUNTS, (char *)"--out", folder.out),
                     "cannot be written");
        chmod(folder.path, 0755);
    }
    fake_folder_remove(&folder);
}

// The name is taken by a folder that is not empty: the rename fails at the very end.
static void leaves_nothing_half_written(void **state) {
    (void)state;
    struct fake_folder folder;
    fake_folder_make(&folder);
    char inner[128];
    snprintf(inner, sizeof inner, "%s/inner", folder.out);
    assert_int_equal(mkdir(folder.out, 0755), 0);
    assert_int_equal(mkdir(inner, 0755), 0);
    struct fake_answer answer =
        FAKE_CALL((char *)"--measure", CELL, COUNTS, (char *)"--out", folder.out);
    assert_int_equal(answer.status, 2);
    assert_non_null(strstr(answer.err, "no file is left behind"));
    fake_answer_free(&answer);
    assert_int_not_equal(access(folder.temporary, F_OK), 0);
    rmdir(inner);
    rmdir(folder.out);
    fake_folder_remove(&folder);
}

static void describes_itself(void **state) {
    (void)state;
    fake.limit = 32000;
    struct fake_answer answer = FAKE_CALL((char *)"--describe");
    assert_int_equal(answer.status, 0);
    json_t *about = json_loads(answer.out, 0, NULL);
    assert_non_null(about);
    assert_int_equal(json_integer_value(json_object_get(about, "contract")), CO_CONTRACT_VERSION);
    assert_string_equal(fake_text(about, "backend"), "fake");
    assert_string_equal(fake_text(about, "family"), "peer");
    assert_string_equal(fake_text(about, "variant_of"), "kept");
    assert_string_equal(fake_text(about, "compiler_version"), "1.2.3");
    assert_string_equal(fake_text(about, "language"), "C17");
    json_t *capabilities = json_object_get(about, "capabilities");
    assert_int_equal(json_array_size(capabilities), 2);
    assert_string_equal(json_string_value(json_array_get(capabilities, 0)), "deep-yield");
    assert_string_equal(json_string_value(json_array_get(capabilities, 1)), "guard");
    json_t *limit = json_object_get(about, "limit");
    assert_int_equal(json_integer_value(json_object_get(limit, "live")), 32000);
    json_t *fresh = json_object_get(json_object_get(about, "environment"), "storage=fresh");
    assert_string_equal(fake_text(fresh, "FAKE_CACHE"), "0");
    assert_string_equal(fake_text(fresh, "FAKE_POOL"), "no");
    json_t *source = json_object_get(about, "source");
    assert_int_equal(json_integer_value(json_object_get(source, "lines")), 10);
    assert_true(json_is_integer(json_object_get(source, "asm_lines")));
    assert_true(json_is_null(json_object_get(source, "text_bytes")));
    json_decref(about);
    fake_answer_free(&answer);
}

static void expect_cell(json_t *cells, size_t i, const char *params, const char *size,
                        const char *status) {
    json_t *cell = json_array_get(cells, i);
    assert_string_equal(fake_text(cell, "params"), params);
    assert_string_equal(fake_text(cell, "size"), size);
    assert_string_equal(fake_text(cell, "status"), status);
}

static void describes_its_cells(void **state) {
    (void)state;
    struct fake_answer answer = FAKE_CALL((char *)"--describe");
    json_t *about = json_loads(answer.out, 0, NULL);
    json_t *limit = json_object_get(about, "limit");
    assert_true(json_is_null(json_object_get(limit, "live")));
    json_t *scenarios = json_object_get(about, "scenarios");
    assert_int_equal(json_array_size(scenarios), 3);
    json_t *time = json_array_get(scenarios, 0);
    assert_string_equal(fake_text(time, "id"), "time");
    assert_string_equal(fake_text(time, "unit"), "turn");
    assert_string_equal(fake_text(time, "kind"), "time");
    json_t *cells = json_object_get(time, "cells");
    assert_int_equal(json_array_size(cells), 8); // a=1 stands in two lists
    expect_cell(cells, 0, "a=1", "quick", "ok");
    expect_cell(cells, 3, "a=2", "default", "ok");
    expect_cell(cells, 4, "guard=no", "default", "ok");
    expect_cell(cells, 5, "cpus=2", "default", "not-claimed");
    assert_string_equal(fake_text(json_array_get(cells, 5), "note"), "parallel");
    expect_cell(cells, 6, "a=16", "full", "ok");
    expect_cell(cells, 7, "n=1000", "full", "ok");
    json_t *metrics = json_object_get(json_array_get(scenarios, 1), "metrics");
    assert_string_equal(json_string_value(json_array_get(metrics, 1)), "ratio");
    assert_string_equal(json_string_value(json_array_get(metrics, 2)), "polls");
    json_t *space = json_array_get(scenarios, 2);
    assert_string_equal(fake_text(space, "kind"), "space");
    assert_int_equal(json_array_size(json_object_get(space, "metrics")), 5);
    json_decref(about);
    fake_answer_free(&answer);
}

static void refuses_to_describe_malformed_cells(void **state) {
    (void)state;
    struct cb_scenario scenario = fake_time;
    scenario.normal = CB_LIST("b=1;a=1");
    const struct cb_registry_entry registry[] = {{"time", "opaque", &scenario}};
    fake_bench.registry = registry;
    fake_bench.registry_count = 1;
    expect_usage(FAKE_CALL((char *)"--describe"), "cell \"b=1;a=1\": the keys are not sorted");
}

static void scales(void **state) {
    (void)state;
    assert_int_equal(cb_pilot_scale(1024, 1000, 5000), 5120);
    assert_int_equal(cb_pilot_scale(1, 100e6, 5e6), 1);
    assert_int_equal(cb_pilot_scale(1, 0, 5e6), 5000000);
    assert_int_equal(cb_pilot_scale(1u << 25, 5e6, 5e6), 1u << 25);
    assert_int_equal(cb_pilot_scale(CB_LIMIT_ITERATIONS, 1, 1e9), CB_LIMIT_ITERATIONS);
}

static void pilots(void **state) {
    (void)state;
    struct fake_answer answer =
        FAKE_CALL((char *)"--pilot", CELL, (char *)"--target-ms", (char *)"0.5");
    assert_int_equal(answer.status, 0);
    json_t *pilot = json_loads(answer.out, 0, NULL);
    assert_string_equal(fake_text(pilot, "status"), "ok");
    assert_true(json_integer_value(json_object_get(pilot, "iterations")) >= 1);
    assert_true(json_real_value(json_object_get(pilot, "ns")) > 0);
    assert_true(json_real_value(json_object_get(pilot, "width")) > 0);
    assert_true(fake.runs > 1);
    assert_int_equal(fake.finished, 1);
    json_decref(pilot);
    fake_answer_free(&answer);
}

static void pilots_again_what_was_interrupted(void **state) {
    (void)state;
    fake.stumbles = 1; // with one operation, which takes some ns
    struct fake_answer answer = FAKE_CALL((char *)"--pilot", CELL);
    assert_int_equal(answer.status, 0);
    json_t *pilot = json_loads(answer.out, 0, NULL);
    assert_true(json_integer_value(json_object_get(pilot, "iterations")) > 100);
    assert_true(json_real_value(json_object_get(pilot, "ns")) < 1e6);
    json_decref(pilot);
    fake_answer_free(&answer);
}

static void pilots_what_is_wrong(void **state) {
    (void)state;
    fake.yields_off = 1;
    struct fake_answer answer = FAKE_CALL((char *)"--pilot", CELL);
    assert_int_equal(answer.status, 1);
    assert_non_null(strstr(answer.out, "\"failed\""));
    assert_non_null(strstr(answer.out, "\"ns\":null"));
    fake_answer_free(&answer);
    fake_reset();
    fake.needs = CO_CAP_RECURSION;
    answer = FAKE_CALL((char *)"--pilot", CELL);
    assert_int_equal(answer.status, 0);
    assert_non_null(strstr(answer.out, "\"not-claimed\""));
    fake_answer_free(&answer);
}

static void pilots_memory_as_one(void **state) {
    (void)state;
    struct fake_answer answer =
        FAKE_CALL((char *)"--pilot", (char *)"--scenario", (char *)"space", (char *)"--binding",
                  (char *)"opaque", (char *)"--params", (char *)"n=1000");
    assert_int_equal(answer.status, 0);
    assert_non_null(strstr(answer.out, "\"iterations\":1,"));
    assert_int_equal(fake.grown, 0);
    fake_answer_free(&answer);
}

static void set_parent(pid_t pid) {
    char text[32];
    snprintf(text, sizeof text, "%010ld", (long)pid);
    setenv("COROBENCH_PARENT", text, 1);
}

static void knows_its_parent(void **state) {
    (void)state;
    set_parent(getpid()); // nobody is his own parent
    expect_usage(FAKE_CALL((char *)"--describe"), "is not its parent");
    set_parent(getppid());
    struct fake_answer answer = FAKE_CALL((char *)"--describe");
    assert_int_equal(answer.status, 0);
    fake_answer_free(&answer);
    unsetenv("COROBENCH_PARENT");
    prctl(PR_SET_PDEATHSIG, 0);
}

// A bench program, started by a process that is no more than its parent: says its id when it has
// begun, then goes on for ever.
static void bear_bench(int to) {
    pid_t parent = getpid();
    if (fork() == 0) {
        set_parent(parent);
        struct fake_answer answer = FAKE_CALL((char *)"--describe");
        pid_t own = answer.status == 0 ? getpid() : 0;
        fake_answer_free(&answer);
        if (write(to, &own, sizeof own) != sizeof own)
            _exit(1);
    }
    for (;;)
        pause();
}

static void ends_with_its_parent(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t parent = fork(), bench = 0;
    if (parent == 0)
        bear_bench(ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &bench, sizeof bench), sizeof bench);
    assert_true(bench > 0);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    // The pipe ends when nobody holds it any more.
    struct pollfd end = {.fd = ends[0]};
    bool ended = poll(&end, 1, 30000) == 1 && (end.revents & POLLHUP) != 0;
    if (!ended)
        kill(bench, SIGKILL);
    close(ends[0]);
    assert_true(ended);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tells_what_is_wrong, fake_setup),
        cmocka_unit_test_setup(lists_valid_names, fake_setup),
        cmocka_unit_test_setup(refuses_wrong_values, fake_setup),
        cmocka_unit_test_setup(refuses_cpus_it_may_not_use, fake_setup),
        cmocka_unit_test_setup(measures_memory_once, fake_setup),
        cmocka_unit_test_setup(refuses_builds_that_mislead, fake_setup),
        cmocka_unit_test_setup(refuses_folders_it_cannot_write, fake_setup),
        cmocka_unit_test_setup(leaves_nothing_half_written, fake_setup),
        cmocka_unit_test_setup(describes_itself, fake_setup),
        cmocka_unit_test_setup(describes_its_cells, fake_setup),
        cmocka_unit_test_setup(refuses_to_describe_malformed_cells, fake_setup),
        cmocka_unit_test(scales),
        cmocka_unit_test_setup(pilots, fake_setup),
        cmocka_unit_test_setup(pilots_again_what_was_interrupted, fake_setup),
        cmocka_unit_test_setup(pilots_what_is_wrong, fake_setup),
        cmocka_unit_test_setup(pilots_memory_as_one, fake_setup),
        cmocka_unit_test_setup(knows_its_parent, fake_setup),
        cmocka_unit_test_setup(ends_with_its_parent, fake_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
