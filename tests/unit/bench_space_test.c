// Memory: reading /proc and cgroup files, slopes, the check of what is available.
#include "bench_fake.h"
#include "memory.h"
#include "proc.h"

static void finds_fields(void **state) {
    (void)state;
    const char *text = "VmPeak:\t  10 kB\nVmPTE:\t     44 kB\nRss:  7 kB\nslab_reclaimable 5\n"
                       "slab 9\nempty \n";
    uint64_t value = 0;
    assert_true(cb_proc_field(text, "VmPTE:", &value));
    assert_int_equal(value, 44);
    assert_true(cb_proc_field(text, "Rss:", &value));
    assert_int_equal(value, 7);
    assert_true(cb_proc_field(text, "slab", &value));
    assert_int_equal(value, 9);
    assert_true(cb_proc_field(text, "VmPeak:", &value));
    assert_int_equal(value, 10);
    assert_false(cb_proc_field(text, "PTE:", &value));
    assert_false(cb_proc_field("", "Rss:", &value));
}

static void counts_kernel_memory_once(void **state) {
    (void)state;
    uint64_t bytes = 0;
    assert_true(cb_space_kernel("anon 5\nkernel 1000\nkernel_stack 300\npagetables 200\n"
                                "slab 400\n",
                                &bytes));
    assert_int_equal(bytes, 800);
    assert_true(cb_space_kernel("kernel_stack 300\npagetables 200\nslab 400\n", &bytes));
    assert_int_equal(bytes, 700);
    assert_false(cb_space_kernel("anon 5\n", &bytes));
}

static void computes_slopes(void **state) {
    (void)state;
    struct cb_space few = {
        .rss = 10000, .page_tables = 4096, .virtual_size = 50000, .mappings = 30};
    struct cb_space many = {
        .rss = 100000, .page_tables = 8596, .virtual_size = 950000, .mappings = 930};
    struct cb_slopes slopes;
    cb_space_slopes(&few, &many, 100, 1000, &slopes);
    assert_true(slopes.rss == 100);
    assert_true(slopes.page_tables == 5);
    assert_true(slopes.virtual_size == 1000);
    assert_true(slopes.mappings == 1);
    assert_false(slopes.has_kernel);
    few.has_kernel = many.has_kernel = true;
    few.kernel = 9000;
    many.kernel = 0; // it shrank
    cb_space_slopes(&few, &many, 100, 1000, &slopes);
    assert_true(slopes.has_kernel);
    assert_true(slopes.kernel == -10);
    many.has_kernel = false;
    cb_space_slopes(&few, &many, 100, 1000, &slopes);
    assert_false(slopes.has_kernel);
}

static void foresees_what_does_not_fit(void **state) {
    (void)state;
    struct cb_space none = {.rss = 1000}, few = {.rss = 11000, .page_tables = 1000};
    uint64_t need = 0;
    // 110 bytes each, 900 to come: 99 000.
    assert_false(cb_space_exceeds(&none, &few, 100, 1000, 124000, &need));
    assert_int_equal(need, 99000);
    assert_true(cb_space_exceeds(&none, &few, 100, 1000, 123000, &need));
    few.has_kernel = none.has_kernel = true;
    few.kernel = 1000;
    assert_true(cb_space_exceeds(&none, &few, 100, 1000, 124000, &need));
    assert_int_equal(need, 108000);
    assert_false(cb_space_exceeds(&none, &few, 0, 5, 0, &need));
}

static void measures(void **state) {
    (void)state;
    int status = -1;
    json_t *document, *context = fake_measure("space", "opaque", "n=1000", &status, &document);
    assert_int_equal(status, 0);
    assert_string_equal(fake_text(context, "status"), "ok");
    json_t *runs = json_object_get(document, "benchmarks");
    assert_int_equal(json_array_size(runs), 1);
    json_t *run = json_array_get(runs, 0);
    double rss = json_number_value(json_object_get(run, "rss"));
    // Exact: a page or two of the reader's own at most.
    assert_true(rss >= FAKE_BYTES && rss < FAKE_BYTES + 64);
    double size = json_number_value(json_object_get(run, "virtual"));
    assert_true(size >= FAKE_BYTES && size < FAKE_BYTES + 512);
    assert_non_null(json_object_get(run, "page_tables"));
    assert_non_null(json_object_get(run, "mappings"));
    assert_int_equal(json_number_value(json_object_get(run, "operations")), 1000);
    assert_null(json_object_get(run, "cycle_ns"));
    assert_int_equal(fake.finished, 1);
    json_decref(context);
    json_decref(document);
}

static void measures_few(void **state) {
    (void)state;
    int status = -1;
    json_t *document, *context = fake_measure("space", "opaque", "n=5", &status, &document);
    assert_string_equal(fake_text(context, "status"), "ok");
    json_decref(context);
    json_decref(document);
}

static void expect_note(const char *binding, const char *wanted, int exit_status,
                        const char *note) {
    int status = -1;
    json_t *document, *context = fake_measure("space", binding, "n=1000", &status, &document);
    assert_int_equal(status, exit_status);
    assert_string_equal(fake_text(context, "status"), wanted);
    if (!strstr(fake_text(context, "note"), note))
        fail_msg("the note is \"%s\", expected \"%s\"", fake_text(context, "note"), note);
    assert_int_equal(json_array_size(json_object_get(document, "benchmarks")), 0);
    json_decref(context);
    json_decref(document);
}

static void respects_the_limit(void **state) {
    (void)state;
    fake.limit = 999;
    expect_note("opaque", "unavailable", 0, "n=1000 is more than 999 alive: fake.max_live");
    assert_int_equal(fake.grown, 0);
}

static void says_what_ran_out(void **state) {
    (void)state;
    fake.grow_error = CO_E_NOMEM;
    expect_note("opaque", "unavailable", 0, "growing to 1000 coroutines: the fake is full");
    fake_reset();
    fake.grow_error = CO_E_NOMEM;
    expect_note("library", "unavailable", 0, "the fake library is full");
    fake_reset();
    fake.grow_error = CO_E_RUNNING;
    expect_note("opaque", "failed", 1, "CO_E_RUNNING");
}

static void requires_all_to_answer(void **state) {
    (void)state;
    fake.verify_off = 1;
    expect_note("opaque", "failed", 1, "999 of 1000");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_fields),
        cmocka_unit_test(counts_kernel_memory_once),
        cmocka_unit_test(computes_slopes),
        cmocka_unit_test(foresees_what_does_not_fit),
        cmocka_unit_test_setup(measures, fake_setup),
        cmocka_unit_test_setup(measures_few, fake_setup),
        cmocka_unit_test_setup(respects_the_limit, fake_setup),
        cmocka_unit_test_setup(says_what_ran_out, fake_setup),
        cmocka_unit_test_setup(requires_all_to_answer, fake_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
