// A bench program's --count: one run, checked, with nothing around it that depends on its length.
#include "bench_fake.h"

#include <sched.h>

static struct fake_answer count(const char *scenario, const char *params, const char *iterations) {
    return FAKE_CALL((char *)"--count", (char *)"--scenario", (char *)scenario, (char *)"--binding",
                     (char *)"opaque", (char *)"--params", (char *)params, (char *)"--iterations",
                     (char *)iterations);
}

static void expect_answer(struct fake_answer answer, int status, const char *says,
                          const char *note) {
    assert_int_equal(answer.status, status);
    json_t *object = json_loads(answer.out, 0, NULL);
    assert_non_null(object);
    assert_string_equal(fake_text(object, "status"), says);
    if (!strstr(fake_text(object, "note"), note))
        fail_msg("the note is \"%s\", expected \"%s\"", fake_text(object, "note"), note);
    json_decref(object);
    fake_answer_free(&answer);
}

static void runs_once_and_checks(void **state) {
    (void)state;
    expect_answer(count("time", "a=1", "12345"), 0, "ok", "");
    assert_int_equal(fake.runs, 1);
    assert_int_equal(fake.last_n, 12345);
    assert_int_equal(fake.configured, 1);
    assert_int_equal(fake.prepared, 1);
    assert_int_equal(fake.finished, 1);
    assert_int_equal(fake.trimmed, 1);
    // The same number with leading zeros, so that reading it takes as long as reading any other.
    expect_answer(count("time", "a=1", "000000012345"), 0, "ok", "");
    assert_int_equal(fake.last_n, 12345);
}

static void says_what_is_wrong(void **state) {
    (void)state;
    fake.checksum_off = 1;
    expect_answer(count("time", "a=1", "100"), 1, "failed",
                  "checksum of run(100) gave 4951, expected 4950");
    assert_int_equal(fake.finished, 1);
    fake_reset();
    fake.yields_off = 1;
    expect_answer(count("time", "a=1", "100"), 1, "failed", "yields of run");
    fake_reset();
    fake.needs = CO_CAP_RECURSION;
    expect_answer(count("time", "a=1", "100"), 0, "not-claimed", "recursion");
    assert_int_equal(fake.runs, 0);
    fake_reset();
    fake.prepare_error = CO_E_NOMEM;
    expect_answer(count("time", "a=1", "100"), 0, "unavailable", "the fake is full");
    assert_int_equal(fake.runs, 0);
}

static struct cb_counts breaks_off(uint64_t n) {
    if (n > 0)
        _exit(3);
    return fake_expect(n);
}

// The check is made in a child: a check that ends without a word is noticed.
static void notices_a_check_that_dies(void **state) {
    (void)state;
    struct cb_scenario scenario = fake_time;
    scenario.expect = breaks_off;
    const struct cb_registry_entry registry[] = {{"time", "opaque", &scenario}};
    fake_bench.registry = registry;
    fake_bench.registry_count = 1;
    expect_answer(count("time", "a=1", "100"), 1, "failed", "broke off");
}

static int expects;
static cpu_set_t units;

static struct cb_counts expect_counted(uint64_t n) {
    expects++;
    return fake_expect(n);
}

static struct cb_counts run_looks(uint64_t n) {
    sched_getaffinity(0, sizeof units, &units);
    return fake_run(n);
}

// Neither belongs to the operations: working out what they should give, and reading the topology.
static void does_nothing_else(void **state) {
    (void)state;
    struct cb_scenario scenario = fake_time;
    scenario.expect = expect_counted;
    scenario.run = run_looks;
    const struct cb_registry_entry registry[] = {{"time", "opaque", &scenario}};
    fake_bench.registry = registry;
    fake_bench.registry_count = 1;
    cpu_set_t before;
    sched_getaffinity(0, sizeof before, &before);
    expect_answer(count("time", "a=1", "100"), 0, "ok", "");
    assert_int_equal(expects, 0); // not in this process
    assert_true(CPU_EQUAL(&before, &units));
}

static void expect_usage(struct fake_answer answer, const char *message) {
    assert_int_equal(answer.status, 2);
    assert_string_equal(answer.out, "");
    if (!strstr(answer.err, message))
        fail_msg("the message is \"%s\", expected \"%s\"", answer.err, message);
    fake_answer_free(&answer);
    assert_int_equal(fake.runs, 0);
}

static void knows_its_options(void **state) {
    (void)state;
    expect_usage(FAKE_CALL((char *)"--count", (char *)"--scenario", (char *)"time",
                           (char *)"--binding", (char *)"opaque", (char *)"--params",
                           (char *)"a=1"),
                 "--iterations is missing");
    expect_usage(FAKE_CALL((char *)"--count", (char *)"--scenario", (char *)"time",
                           (char *)"--binding", (char *)"opaque", (char *)"--params", (char *)"a=1",
                           (char *)"--iterations", (char *)"5", (char *)"--repetitions",
                           (char *)"2"),
                 "--repetitions does not go with --count");
    expect_usage(count("space", "n=1000", "1"), "no operations to count");
    fake_facts.build_type = "Debug";
    expect_usage(count("time", "a=1", "100"), "not a Release build");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(runs_once_and_checks, fake_setup),
        cmocka_unit_test_setup(says_what_is_wrong, fake_setup),
        cmocka_unit_test_setup(notices_a_check_that_dies, fake_setup),
        cmocka_unit_test_setup(does_nothing_else, fake_setup),
        cmocka_unit_test_setup(knows_its_options, fake_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
