// How many can exist: what ends the growth, and what is said of it; and foreseeing that very many
// do not fit.
#include "bench_fake.h"
#include "foresee.h"
#include "limit.h"
#include "memory.h"

#include <sys/resource.h>

static struct {
    uint64_t refused_above, alive, verify_off;
    int error;
    rlim_t address;
    size_t bytes_each; // of a timed scenario's preparation
} bound;

static int bound_grow(uint64_t n) {
    struct rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    bound.address = limit.rlim_cur;
    bound.alive = n < bound.refused_above ? n : bound.refused_above;
    return n <= bound.refused_above ? 0 : bound.error;
}

static uint64_t bound_alive(void) {
    return bound.alive;
}

static uint64_t bound_verify(void) {
    return bound.alive - bound.verify_off;
}

static int prepare_much(const struct cb_params *params) {
    size_t bytes = (size_t)cb_param(params, "n", 1) * bound.bytes_each;
    if (bytes == 0)
        return fake_prepare(params);
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return CO_E_NOMEM;
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    memset(memory, 1, bytes);
    return fake_prepare(params);
}

static const struct cb_scenario bound_scenario = {
    .id = "bound",
    .unit = "coroutine",
    .kind = CB_KIND_LIMIT,
    .quick = CB_LIST("most=2500", "address=100000GiB;most=10", "address=3GB;most=10", "most=40000"),
    .grow = bound_grow,
    .verify = bound_verify,
    .alive = bound_alive,
};

static const struct cb_scenario many_scenario = {
    .id = "time",
    .unit = "turn",
    .kind = CB_KIND_TIME,
    .quick = CB_LIST("n=1000000000", "a=1;n=999999"),
    .prepare = prepare_much,
    .run = fake_run,
    .expect = fake_expect,
};

static const struct cb_registry_entry bound_registry[] = {
    {"bound", "opaque", &bound_scenario},
    {"bound", "library", &bound_scenario},
    {"time", "opaque", &many_scenario},
};

static int setup(void **state) {
    (void)state;
    fake_reset();
    fake_bench.registry = bound_registry;
    fake_bench.registry_count = sizeof bound_registry / sizeof bound_registry[0];
    memset(&bound, 0, sizeof bound);
    bound.refused_above = UINT64_MAX;
    return 0;
}

// -1 where there is no figure.
static double measure(const char *binding, const char *params, const char *wanted,
                      const char *note) {
    int status = -1;
    json_t *document, *context = fake_measure("bound", binding, params, &status, &document);
    assert_string_equal(fake_text(context, "status"), wanted);
    if (!strstr(fake_text(context, "note"), note))
        fail_msg("the note is \"%s\", expected \"%s\"", fake_text(context, "note"), note);
    json_t *run = json_array_get(json_object_get(document, "benchmarks"), 0);
    json_t *value = json_object_get(run, "coroutines");
    double coroutines = value ? json_number_value(value) : -1;
    json_decref(context);
    json_decref(document);
    return coroutines;
}

static void reads_sizes(void **state) {
    (void)state;
    uint64_t bytes = 0;
    assert_true(cb_limit_size("3GiB", &bytes));
    assert_int_equal(bytes, (uint64_t)3 << 30);
    assert_true(cb_limit_size("512MiB", &bytes));
    assert_int_equal(bytes, 512 << 20);
    assert_true(cb_limit_size("64KiB", &bytes));
    assert_int_equal(bytes, 64 << 10);
    const char *const wrong[] = {"", "GiB", "3", "3GB", "-3GiB", "0GiB", "3GiBs", "99999999999GiB"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(cb_limit_size(wrong[i], &bytes));
}

static void stops_in_time(void **state) {
    (void)state;
    assert_false(cb_limit_enough(1000, 1000));
    assert_false(cb_limit_enough(1000, 401));
    assert_true(cb_limit_enough(1000, 399));
}

static void reaches_what_was_asked(void **state) {
    (void)state;
    assert_true(measure("opaque", "most=2500", "ok", "all that this cell asks for") == 2500);
}

static void says_what_refused(void **state) {
    (void)state;
    bound.refused_above = 1234;
    bound.error = CO_E_NOMEM;
    assert_true(measure("opaque", "most=2500", "ok", "refused: the fake is full") == 1234);
    assert_true(measure("library", "most=2500", "ok", "the fake library is full") == 1234);
    bound.error = CB_NO_ROOM;
    assert_true(measure("opaque", "most=2500", "ok", "no memory for the variable") == 1234);
    bound.refused_above = 0;
    assert_true(measure("opaque", "most=2500", "ok", "refused") == 0);
}

static void fails_on_mistakes(void **state) {
    (void)state;
    bound.refused_above = 1234;
    bound.error = CO_E_INVALID;
    assert_true(measure("opaque", "most=2500", "failed", "CO_E_INVALID") < 0);
    bound.refused_above = UINT64_MAX;
    bound.verify_off = 1;
    assert_true(measure("opaque", "most=2500", "failed", "2499 of 2500") < 0);
}

static void narrows_the_address_space_for_a_while(void **state) {
    (void)state;
    struct rlimit before, after;
    getrlimit(RLIMIT_AS, &before);
    assert_true(measure("opaque", "address=100000GiB;most=10", "ok", "") == 10);
    assert_int_equal(bound.address, (rlim_t)100000 << 30);
    getrlimit(RLIMIT_AS, &after);
    assert_int_equal(after.rlim_cur, before.rlim_cur);
    assert_true(measure("opaque", "address=3GB;most=10", "failed", "no size such as") < 0);
}

static void spares_threads(void **state) {
    (void)state;
    fake_facts.capabilities |= CO_CAP_PARALLEL;
    assert_true(measure("opaque", "most=40000", "ok", "need kernel threads too (fake.") == 10000);
    fake.limit = 700;
    assert_true(measure("opaque", "most=40000", "ok", "fake.max_live") == 700);
    assert_true(measure("opaque", "most=2500", "ok", "fake.max_live") == 700);
}

static void expect_many(const char *params, const char *wanted, const char *note, int prepared) {
    int status = -1;
    json_t *document, *context = fake_measure("time", "opaque", params, &status, &document);
    assert_string_equal(fake_text(context, "status"), wanted);
    assert_non_null(strstr(fake_text(context, "note"), note));
    assert_int_equal(fake.prepared, prepared);
    fake.prepared = 0;
    json_decref(context);
    json_decref(document);
}

static void foresees_what_does_not_fit(void **state) {
    (void)state;
    expect_many("n=1000000000", "ok", "", 1);
    bound.bytes_each = 4096;
    expect_many("n=1000000000", "unavailable", "n=1000000000 would need about", 0);
    bound.bytes_each = 1; // fewer than a million are not looked at
    expect_many("a=1;n=999999", "ok", "", 1);
    fake.prepare_error = CO_E_NOMEM;
    bound.bytes_each = 0;
    expect_many("n=1000000000", "unavailable", "prepare: the fake is full", 1);
}

static void knows_what_is_available(void **state) {
    (void)state;
    uint64_t bytes = 0;
    cb_space_open();
    assert_true(cb_space_available(&bytes));
    assert_true(bytes > 0 && bytes < (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)getpagesize());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(stops_in_time),
        cmocka_unit_test(knows_what_is_available),
        cmocka_unit_test_setup(reaches_what_was_asked, setup),
        cmocka_unit_test_setup(says_what_refused, setup),
        cmocka_unit_test_setup(fails_on_mistakes, setup),
        cmocka_unit_test_setup(narrows_the_address_space_for_a_while, setup),
        cmocka_unit_test_setup(spares_threads, setup),
        cmocka_unit_test_setup(foresees_what_does_not_fit, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
