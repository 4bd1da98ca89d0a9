// Measuring a cell: the document, what is checked, which settings reach the backend.
#include "bench_fake.h"

#include <pthread.h>
#include <sched.h>

static json_t *measure_ok(const char *scenario, const char *params, json_t **document) {
    int status = -1;
    json_t *context = fake_measure(scenario, "opaque", params, &status, document);
    assert_string_equal(fake_text(context, "note"), "");
    assert_string_equal(fake_text(context, "status"), "ok");
    assert_int_equal(status, 0);
    return context;
}

static void writes_the_document(void **state) {
    (void)state;
    json_t *document, *context = measure_ok("time", "a=1", &document);
    assert_string_equal(fake_text(context, "backend"), "fake");
    assert_string_equal(fake_text(context, "scenario"), "time");
    assert_string_equal(fake_text(context, "binding"), "opaque");
    assert_string_equal(fake_text(context, "params"), "a=1");
    assert_string_equal(fake_text(context, "compiler"), "gcc");
    assert_int_equal(json_integer_value(json_object_get(context, "link")), 3);
    assert_true(json_is_true(json_object_get(context, "pinned")));
    assert_false(json_is_true(json_object_get(context, "migrated")));
    assert_int_equal(json_array_size(json_object_get(context, "cpus")), 1);
    json_t *runs = json_object_get(document, "benchmarks");
    assert_int_equal(json_array_size(runs), 4);
    bool pmu = json_is_true(json_object_get(context, "pmu"));
    size_t i;
    json_t *run;
    json_array_foreach(runs, i, run) {
        const char *const keys[] = {"real_time", "cpu_time", "cycle_ns", "width",
                                    "faults",    "nvcsw",    "nivcsw"};
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            assert_true(json_is_number(json_object_get(run, keys[k])));
        assert_true(json_number_value(json_object_get(run, "real_time")) > 0);
        assert_string_equal(fake_text(run, "time_unit"), "ns");
        assert_int_equal(json_number_value(json_object_get(run, "operations")), 1000);
        assert_int_equal(json_integer_value(json_object_get(run, "repetition_index")), i);
        assert_null(json_object_get(run, "hand_ns"));
        assert_true(json_is_number(json_object_get(run, "loop_ns")) == (i == 0)); // once is enough
        if (!pmu) {
            assert_null(json_object_get(run, "instructions"));
            assert_null(json_object_get(run, "cycles"));
            assert_null(json_object_get(run, "branch_misses"));
            assert_null(json_object_get(run, "l1_misses"));
        }
    }
    assert_int_equal(fake.runs, 5); // the warm-up and four
    assert_int_equal(fake.last_n, 1000);
    json_decref(context);
    json_decref(document);
}

// Sides of a switch whose control words differ only by what the harness computed would be timed.
static void clears_the_exception_flags(void **state) {
    (void)state;
    feraiseexcept(FE_INEXACT);
    json_t *document;
    json_decref(measure_ok("time", "a=1", &document));
    json_decref(document);
    struct fake_answer answer =
        FAKE_CALL((char *)"--pilot", (char *)"--scenario", (char *)"time", (char *)"--binding",
                  (char *)"opaque", (char *)"--params", (char *)"a=1");
    assert_int_equal(answer.status, 0);
    fake_answer_free(&answer);
    assert_true(fake.runs > 5);
    assert_int_equal(fake.flags, 0);
}

// A timed cell that needs more coroutines than there can be is not even prepared.
static void respects_the_limit(void **state) {
    (void)state;
    int status = -1;
    json_t *document;
    fake.limit = 999;
    json_t *context = fake_measure("time", "opaque", "n=1000", &status, &document);
    assert_string_equal(fake_text(context, "status"), "unavailable");
    assert_string_equal(fake_text(context, "note"),
                        "n=1000 is more than 999 alive: fake.max_live: one slot each");
    assert_int_equal(status, 0);
    assert_int_equal(fake.runs, 0);
    json_decref(context);
    json_decref(document);
    fake.limit = 1000;
    json_decref(measure_ok("time", "n=1000", &document));
    json_decref(document);
}

static void names_neither_host_nor_path(void **state) {
    (void)state;
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    json_t *document, *context = measure_ok("time", "a=1", &document);
    json_t *outer = json_object_get(document, "context");
    assert_null(json_object_get(outer, "host_name"));
    assert_null(json_object_get(outer, "executable"));
    char *text = json_dumps(document, 0);
    assert_null(strstr(text, "/tmp"));
    json_t *value;
    const char *key;
    json_object_foreach(outer, key, value)
        assert_false(json_is_string(value) && strcmp(json_string_value(value), host) == 0);
    free(text);
    json_decref(context);
    json_decref(document);
}

static void times_the_hand_loop_too(void **state) {
    (void)state;
    json_t *document, *context = measure_ok("ratio", "", &document);
    size_t i;
    json_t *run;
    json_array_foreach(json_object_get(document, "benchmarks"), i, run)
        assert_true(json_number_value(json_object_get(run, "hand_ns")) > 0);
    assert_int_equal(fake.hands, 4);
    json_decref(context);
    json_decref(document);
}

static void counts_polls_of_each_repetition(void **state) {
    (void)state;
    json_t *document, *context = measure_ok("ratio", "", &document);
    size_t i;
    json_t *run;
    json_array_foreach(json_object_get(document, "benchmarks"), i, run)
        assert_int_equal(json_number_value(json_object_get(run, "polls")), 2000);
    json_decref(context);
    json_decref(document);
    context = measure_ok("time", "a=1", &document);
    run = json_array_get(json_object_get(document, "benchmarks"), 0);
    assert_non_null(run);
    assert_null(json_object_get(run, "polls"));
    json_decref(context);
    json_decref(document);
}

static void expect_outcome(const char *scenario, const char *binding, const char *params,
                           const char *wanted, const char *note) {
    int status = -1;
    json_t *document, *context = fake_measure(scenario, binding, params, &status, &document);
    assert_string_equal(fake_text(context, "status"), wanted);
    assert_int_equal(status, strcmp(wanted, "failed") == 0 ? 1 : 0);
    if (!strstr(fake_text(context, "note"), note))
        fail_msg("the note is \"%s\", expected \"%s\"", fake_text(context, "note"), note);
    assert_int_equal(json_array_size(json_object_get(document, "benchmarks")), 0);
    json_decref(context);
    json_decref(document);
}

static void fails_on_another_result(void **state) {
    (void)state;
    fake.checksum_off = 5;
    expect_outcome("time", "opaque", "a=1", "failed",
                   "checksum of run(1000) gave 499505, expected 499500");
    fake_reset();
    fake.creations_off = 1;
    expect_outcome("time", "opaque", "a=1", "failed", "creations of run(1000) gave 2, expected 1");
    fake_reset();
    fake.yields_off = 1;
    expect_outcome("time", "opaque", "a=1", "failed",
                   "yields of run(1000) gave 1001, expected 1000");
    fake_reset();
    fake.hand_off = 1;
    expect_outcome("ratio", "opaque", "", "failed", "checksum of hand(1000)");
}

static struct cb_counts fails_later(uint64_t n) {
    struct cb_counts counts = fake_run(n);
    counts.yields += fake.runs == 3;
    return counts;
}

static void fails_in_a_later_repetition(void **state) {
    (void)state;
    struct cb_scenario scenario = fake_time;
    scenario.run = fails_later;
    const struct cb_registry_entry registry[] = {{"time", "opaque", &scenario}};
    fake_bench.registry = registry;
    fake_bench.registry_count = 1;
    expect_outcome("time", "opaque", "a=1", "failed", "yields");
    assert_int_equal(fake.runs, 3);
    assert_int_equal(fake.finished, 1);
}

static void maps_what_prepare_says(void **state) {
    (void)state;
    fake.prepare_error = CO_E_NOMEM;
    expect_outcome("time", "opaque", "a=1", "unavailable", "prepare: the fake is full");
    fake_reset();
    fake.prepare_error = CO_E_NOMEM;
    expect_outcome("time", "library", "a=1", "unavailable", "the fake library is full");
    fake_reset();
    fake.prepare_error = CO_E_INVALID;
    expect_outcome("time", "opaque", "a=1", "failed", "CO_E_INVALID");
    assert_int_equal(fake.runs, 0);
}

static void says_what_is_not_claimed(void **state) {
    (void)state;
    fake.needs = CO_CAP_RECURSION;
    expect_outcome("time", "opaque", "a=1", "not-claimed", "recursion");
    assert_int_equal(fake.prepared, 0);
    assert_int_equal(fake.configured, 0);
    fake.needs = 0;
    expect_outcome("time", "opaque", "cpus=2", "not-claimed", "parallel");
}

static void lets_go_of_the_unit(void **state) {
    (void)state;
    cpu_set_t before, after;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    json_t *document, *context = measure_ok("time", "a=1", &document);
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&before, &after));
    json_decref(context);
    json_decref(document);
}

static void configures_the_backend(void **state) {
    (void)state;
    json_t *document, *context = measure_ok("time", "a=1", &document);
    json_decref(context);
    json_decref(document);
    assert_int_equal(fake.configured, 1);
    assert_false(fake.config.fresh);
    assert_true(fake.config.guard);
    assert_int_equal(fake.config.memory_limit, 0);
    assert_null(fake.config.thread_started);
    assert_int_equal(fake.lib_configured, 0);
    assert_int_equal(fake.trimmed, 1);
    assert_int_equal(fake.lib_trimmed, 0);
    assert_int_equal(fake.finished, 1);

    context = measure_ok("time", "storage=fresh", &document);
    json_decref(context);
    json_decref(document);
    assert_true(fake.config.fresh);
    context = measure_ok("time", "guard=no", &document);
    json_decref(context);
    json_decref(document);
    assert_false(fake.config.guard);
    assert_false(fake.config.fresh);
}

static void configures_the_library(void **state) {
    (void)state;
    int status;
    json_t *document,
        *context = fake_measure("time", "library", "storage=fresh", &status, &document);
    assert_string_equal(fake_text(context, "status"), "ok");
    json_decref(context);
    json_decref(document);
    assert_int_equal(fake.lib_configured, 1);
    assert_true(fake.lib_config.fresh);
    assert_int_equal(fake.lib_trimmed, 1);

    fake_bench.backend.lib_configure = NULL;
    fake_bench.backend.lib_trim = NULL;
    fake_bench.backend.lib_reason = NULL;
    expect_outcome("time", "library", "storage=fresh", "unavailable", "co_lib_backend_configure");
    context = fake_measure("time", "library", "a=1", &status, &document);
    assert_string_equal(fake_text(context, "status"), "ok");
    json_decref(context);
    json_decref(document);
}

static int unit_of_thread;

static void *start_thread(void *unused) {
    fake.config.thread_started();
    unit_of_thread = sched_getcpu();
    return unused;
}

static int prepare_thread(const struct cb_params *params) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, start_thread, NULL) || pthread_join(thread, NULL))
        return CO_E_NOMEM;
    return fake_prepare(params);
}

// On a machine where two units can be had, the main thread and the coroutines' threads have one
// each; else the reason is in the document.
static void uses_two_units(void **state) {
    (void)state;
    int status;
    struct cb_scenario scenario = fake_time;
    scenario.prepare = prepare_thread;
    const struct cb_registry_entry registry[] = {{"time", "opaque", &scenario}};
    fake_bench.registry = registry;
    fake_bench.registry_count = 1;
    fake_facts.capabilities |= CO_CAP_PARALLEL;
    json_t *document, *context = fake_measure("time", "opaque", "cpus=2", &status, &document);
    assert_int_equal(status, 0);
    if (strcmp(fake_text(context, "status"), "ok") == 0) {
        json_t *cpus = json_object_get(context, "cpus");
        assert_int_equal(json_array_size(cpus), 2);
        assert_int_not_equal(json_integer_value(json_array_get(cpus, 0)),
                             json_integer_value(json_array_get(cpus, 1)));
        assert_int_equal(json_integer_value(json_array_get(cpus, 1)), unit_of_thread);
    } else {
        assert_string_equal(fake_text(context, "status"), "unavailable");
        assert_non_null(strstr(fake_text(context, "note"), "2 processing units"));
    }
    assert_false(json_is_true(json_object_get(context, "pmu")));
    json_decref(context);
    json_decref(document);
}

// Google Benchmark takes options from the environment before main. Someone's own must not change
// what is measured, so all these tests run with settings that would spoil every one of them.
static void with_hostile_environment(char **argv) {
    if (getenv("BENCHMARK_OUT"))
        return;
    setenv("BENCHMARK_OUT", "/nowhere/x.json", 1);
    setenv("BENCHMARK_FILTER", "nothing", 1);
    setenv("BENCHMARK_LIST_TESTS", "true", 1);
    setenv("BENCHMARK_REPORT_AGGREGATES_ONLY", "true", 1);
    setenv("BENCHMARK_MIN_WARMUP_TIME", "1000", 1);
    execv("/proc/self/exe", argv);
    perror("/proc/self/exe");
    exit(1);
}

int main(int argc, char **argv) {
    (void)argc;
    with_hostile_environment(argv);
    const struct CMUnitTest tests[] = {
        // First, while this process may still run everywhere.
        cmocka_unit_test_setup(lets_go_of_the_unit, fake_setup),
        cmocka_unit_test_setup(writes_the_document, fake_setup),
        cmocka_unit_test_setup(clears_the_exception_flags, fake_setup),
        cmocka_unit_test_setup(respects_the_limit, fake_setup),
        cmocka_unit_test_setup(names_neither_host_nor_path, fake_setup),
        cmocka_unit_test_setup(times_the_hand_loop_too, fake_setup),
        cmocka_unit_test_setup(counts_polls_of_each_repetition, fake_setup),
        cmocka_unit_test_setup(fails_on_another_result, fake_setup),
        cmocka_unit_test_setup(fails_in_a_later_repetition, fake_setup),
        cmocka_unit_test_setup(maps_what_prepare_says, fake_setup),
        cmocka_unit_test_setup(says_what_is_not_claimed, fake_setup),
        cmocka_unit_test_setup(configures_the_backend, fake_setup),
        cmocka_unit_test_setup(configures_the_library, fake_setup),
        cmocka_unit_test_setup(uses_two_units, fake_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
