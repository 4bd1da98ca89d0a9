// Counters: what is unknown stays absent, and never becomes 0.
#include "bench_fake.h"
#include "counters.h"
#include "cycle.h"

static void takes_a_whole_count(void **state) {
    (void)state;
    struct cb_pmu_reading before = {100, 1000, 1000}, after = {350, 5000, 5000};
    uint64_t count = 0;
    assert_true(cb_pmu_difference(&before, &after, &count));
    assert_int_equal(count, 250);
}

static void refuses_multiplexed(void **state) {
    (void)state;
    struct cb_pmu_reading before = {100, 1000, 1000}, after = {350, 5000, 4999};
    uint64_t count = 0;
    assert_false(cb_pmu_difference(&before, &after, &count));
    // The share before the batch does not matter.
    before.running = 400;
    after.running = 4400;
    assert_true(cb_pmu_difference(&before, &after, &count));
}

static void refuses_never_ran_and_never_counted(void **state) {
    (void)state;
    struct cb_pmu_reading before = {100, 1000, 1000}, after = {350, 1000, 1000};
    uint64_t count = 0;
    assert_false(cb_pmu_difference(&before, &after, &count));
    after = (struct cb_pmu_reading){100, 5000, 5000};
    assert_false(cb_pmu_difference(&before, &after, &count));
}

static void is_absent_without_pmu(void **state) {
    (void)state;
    struct cb_counters counters;
    struct cb_counted counted;
    int cpus[] = {0};
    cb_counters_open(&counters, cpus, 1, false);
    assert_false(cb_counters_have_pmu(&counters));
    cb_counters_begin(&counters);
    cb_counters_end(&counters, &counted);
    for (int e = 0; e < CB_PMU_EVENTS; e++)
        assert_false(counted.has_pmu[e]);
    cb_counters_close(&counters);
}

// Where the machine has a PMU the counts are positive, where it has none they are absent.
static void counts_or_is_absent(void **state) {
    (void)state;
    struct cb_counters counters;
    struct cb_counted counted;
    int cpus[] = {0};
    cb_counters_open(&counters, cpus, 1, true);
    bool pmu = cb_counters_have_pmu(&counters);
    cb_counters_begin(&counters);
    fake_work(100000);
    cb_counters_end(&counters, &counted);
    for (int e = 0; e < CB_PMU_EVENTS; e++)
        assert_true(counted.has_pmu[e] ? pmu && counted.pmu[e] > 0 : true);
    cb_counters_close(&counters);
}

static void counts_faults(void **state) {
    (void)state;
    struct cb_counters counters;
    struct cb_counted counted;
    fake_reset();
    cb_counters_open(&counters, NULL, 0, false);
    cb_counters_begin(&counters);
    assert_int_equal(fake_grow(50), 0);
    cb_counters_end(&counters, &counted);
    fake_finish();
    assert_true(counted.faults >= 50 * FAKE_BYTES / 4096);
    assert_false(counted.has_steal);
    cb_counters_close(&counters);
}

static void reads_steal(void **state) {
    (void)state;
    const char *text = "cpu  1 2 3 4 5 6 7 80 0 0\n"
                       "cpu0 10 20 30 40 50 60 70 8 0 0\n"
                       "cpu1 11 21 31 41 51 61 71 9 0 0\n"
                       "cpu11 1 1 1 1 1 1 1 123 0 0\n"
                       "intr 1\n";
    uint64_t ticks = 0;
    assert_true(cb_steal_parse(text, 0, &ticks));
    assert_int_equal(ticks, 8);
    assert_true(cb_steal_parse(text, 1, &ticks));
    assert_int_equal(ticks, 9);
    assert_true(cb_steal_parse(text, 11, &ticks));
    assert_int_equal(ticks, 123);
    assert_false(cb_steal_parse(text, 2, &ticks));
    assert_false(cb_steal_parse("cpu0 1 2 3 4\n", 0, &ticks)); // a kernel without steal
    assert_false(cb_steal_parse("", 0, &ticks));
}

// No limits of time: only that the figures are figures, and that the loop is not optimised away.
static void estimates_cycles(void **state) {
    (void)state;
    assert_true(cb_cycle_ns() > 0);
    assert_true(cb_loop_ns(1000) > 0);
    assert_true(strlen(cb_cycle_chain()) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_whole_count),
        cmocka_unit_test(refuses_multiplexed),
        cmocka_unit_test(refuses_never_ran_and_never_counted),
        cmocka_unit_test(is_absent_without_pmu),
        cmocka_unit_test(counts_or_is_absent),
        cmocka_unit_test(counts_faults),
        cmocka_unit_test(reads_steal),
        cmocka_unit_test(estimates_cycles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
