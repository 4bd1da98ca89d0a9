// corobench count: totals from logs, lines through them, periods, which cells, counts.csv.
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/lib/csv.h"
#include "harness/lib/file.h"
#include "harness/tool/count.h"

static void reads_totals(void **state) {
    (void)state;
    static const struct {
        const char *log;
        bool there;
        uint64_t total;
    } logs[] = {
        {"==12== I   refs:      8,522,411\n", true, 8522411}, // 3.19
        {"==12== I refs:        8,522,411\n", true, 8522411}, // 3.21 and later
        {"--1-- warning: L3 cache found\n==1== \n==1== I   refs:      12\n==1==\n", true, 12},
        {"==1== D   refs:      5\n==1== I   refs:      7\n", true, 7},
        {"==1== LLI refs:      5\n", false, 0},
        {"==1== I   refs:      18,446,744,073,709,551,616\n", false, 0},
        {"==1== I   refs:      \n", false, 0},
        {"==1== I   refs:", false, 0},
        {"refs: 5", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        uint64_t total = 0;
        if (cb_tally_read_total(logs[i].log, &total) != logs[i].there)
            fail_msg("\"%s\" is read wrongly", logs[i].log);
        if (logs[i].there)
            assert_int_equal(total, logs[i].total);
    }
}

static void knows_periods(void **state) {
    (void)state;
    assert_int_equal(cb_tally_period(""), 4096);
    assert_int_equal(cb_tally_period("op=loop"), 4096);
    assert_int_equal(cb_tally_period("depth=16"), 4096);
    assert_int_equal(cb_tally_period("depth=48"), 3 * 4096);
    assert_int_equal(cb_tally_period("n=1000;order=random"), 512000);
    assert_int_equal(cb_tally_period("frames=3;op=calls;x=5"), 15 * 4096);
    assert_int_equal(cb_tally_period("yields=0"), 4096);
    assert_int_equal(cb_tally_period("x=3a"), 4096);
    assert_int_equal(cb_tally_period("n=10000000"), 0);
    assert_int_equal(cb_tally_period("n=100000"), 0);
    assert_int_equal(cb_tally_period("n=99999999999999999999999"), 0);
}

static struct cb_tally tally(uint64_t a, uint64_t b, uint64_t c) {
    struct cb_tally t = {CB_CELL_OK, {10, 20, 30}, {a, b, c}, 0, ""};
    cb_tally_finish(&t);
    return t;
}

static void finds_lines(void **state) {
    (void)state;
    struct cb_tally t = tally(1000, 1480, 1960);
    assert_int_equal(t.status, CB_CELL_OK);
    assert_float_equal(t.instructions, 48, 0);
    t = tally(1000, 1005, 1010);
    assert_float_equal(t.instructions, 0.5, 0);
    t = tally(1000, 1480, 1961); // one instruction too many
    assert_int_equal(t.status, CB_CELL_FAILED);
    assert_string_equal(t.note, "not linear: 10, 20 and 30 operations took 1000, 1480 and 1961 "
                                "instructions, the program's start included");
    t = tally(1000, 48001000, 96003000); // the second half took 1/48000 more
    assert_int_equal(t.status, CB_CELL_OK);
    assert_float_equal(t.instructions, 4.8e6, 0); // not 4800100
    t = tally(1000, 48001000, 96006000);          // 1/9600 more
    assert_int_equal(t.status, CB_CELL_FAILED);
    t = tally(1000, 1000, 1000); // nothing was done
    assert_int_equal(t.status, CB_CELL_FAILED);
    t = tally(1000, 900, 800);
    assert_int_equal(t.status, CB_CELL_FAILED);
}

// ---- counts.csv

static char folder[] = "/tmp/corobench-test-XXXXXX";
static char path[64];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/corobench-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/counts.csv", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder); // also proves that nothing else was left
}

static struct cb_cell cells[] = {{.id = (char *)"a/s/opaque/gcc/depth=1"},
                                 {.id = (char *)"b/s/opaque/gcc/x=1;y=2"},
                                 {.id = (char *)"c/s/opaque/gcc/depth=1"}};
static const struct cb_plan plan = {cells, 3};
static const struct cb_counter counter = {(char *)"/usr/bin/valgrind", (char *)"cachegrind-3.19.0"};

static void expect_file(const char *text) {
    char *bytes;
    assert_int_equal(cb_file_read(path, &bytes, NULL), 0);
    assert_string_equal(bytes, text);
    free(bytes);
}

static void writes_counts(void **state) {
    (void)state;
    struct cb_tally tallies[3] = {
        {.status = CB_CELL_OK, .n = {1, 2, 3}, .instructions = 48},
        {.status = CB_CELL_OK, .n = {1, 2, 3}, .instructions = 47.0234375},
        {.status = CB_CELL_UNAVAILABLE, .note = "threads"}};
    assert_int_equal(cb_tally_write_csv(folder, tallies, &counter, &plan), 0);
    expect_file("cell_id,instructions,n1,n2,tool\n"
                "a/s/opaque/gcc/depth=1,48,1,2,cachegrind-3.19.0\n"
                "b/s/opaque/gcc/x=1;y=2,47.0234375,1,2,cachegrind-3.19.0\n");
    // Other cells' rows stay; those of a cell that is counted again do not, whatever became of it.
    struct cb_plan last = {cells + 1, 2};
    struct cb_tally again[2] = {{.status = CB_CELL_FAILED, .note = "not linear"},
                                {.status = CB_CELL_OK, .n = {4, 8, 12}, .instructions = 3}};
    assert_int_equal(cb_tally_write_csv(folder, again, &counter, &last), 0);
    expect_file("cell_id,instructions,n1,n2,tool\n"
                "a/s/opaque/gcc/depth=1,48,1,2,cachegrind-3.19.0\n"
                "c/s/opaque/gcc/depth=1,3,4,8,cachegrind-3.19.0\n");
}

static void keeps_what_it_does_not_know(void **state) {
    (void)state;
    static const char other[] = "cell_id,something\na,1\n";
    struct cb_tally tallies[3] = {{.status = CB_CELL_OK, .instructions = 48}};
    assert_int_equal(cb_file_write(path, other, strlen(other)), 0);
    assert_int_equal(cb_tally_write_csv(folder, tallies, &counter, &plan), 2);
    expect_file(other);
    static const char cut[] = "cell_id,instructions,n1,n2,tool\na,48,1";
    assert_int_equal(cb_file_write(path, cut, strlen(cut)), 0);
    assert_int_equal(cb_tally_write_csv(folder, tallies, &counter, &plan), 2);
    expect_file(cut);
}

// ---- Which cells

static void leaves_out_what_cannot_be_counted(void **state) {
    (void)state;
    struct cb_program program = {.status = (char *)"ok",
                                 .describe =
                                     json_pack("{s:s, s:b, s:[s, s]}", "build_type", "Release",
                                               "checked", 0, "capabilities", "guard", "reuse")};
    struct cb_cell cell = {.status = CB_CELL_OK};
    struct cb_tally t;
    cb_tally_begin(&t, &cell, &program);
    assert_int_equal(t.status, CB_CELL_OK);
    json_array_append_new(json_object_get(program.describe, "capabilities"),
                          json_string("parallel"));
    cb_tally_begin(&t, &cell, &program);
    assert_int_equal(t.status, CB_CELL_UNAVAILABLE);
    assert_string_equal(t.note, "Valgrind runs threads one at a time and its counts of waiting are "
                                "not the program's");
    json_object_set_new(program.describe, "capabilities", json_array());
    json_object_set_new(program.describe, "build_type", json_string("Debug"));
    cb_tally_begin(&t, &cell, &program);
    assert_int_equal(t.status, CB_CELL_UNAVAILABLE);
    cb_tally_begin(&t, &cell, NULL);
    assert_int_equal(t.status, CB_CELL_UNAVAILABLE);
    cell.status = CB_CELL_NOT_CLAIMED;
    cell.note = (char *)"recursion";
    cb_tally_begin(&t, &cell, &program);
    assert_int_equal(t.status, CB_CELL_NOT_CLAIMED);
    assert_string_equal(t.note, "recursion");
    json_decref(program.describe);
}

static void says_where_valgrind_should_be(void **state) {
    (void)state;
    struct cb_counter found;
    char *before = strdup(getenv("PATH"));
    setenv("PATH", folder, 1);
    assert_int_equal(cb_counter_find(&found), 2);
    cb_counter_free(&found);
    // One that is there and broken.
    char *broken = NULL;
    assert_true(asprintf(&broken, "%s/valgrind", folder) > 0);
    static const char script[] = "#!/bin/sh\necho no >&2\nexit 1\n";
    assert_int_equal(cb_file_write(broken, script, strlen(script)), 0);
    chmod(broken, 0755);
    assert_int_equal(cb_counter_find(&found), 2);
    cb_counter_free(&found);
    // One that answers.
    static const char good[] = "#!/bin/sh\necho valgrind-3.99.1\n";
    assert_int_equal(cb_file_write(broken, good, strlen(good)), 0);
    chmod(broken, 0755);
    assert_int_equal(cb_counter_find(&found), 0);
    assert_string_equal(found.tool, "cachegrind-3.99.1");
    assert_string_equal(found.path, broken);
    cb_counter_free(&found);
    setenv("PATH", before, 1);
    unlink(broken);
    free(broken);
    free(before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_totals),
        cmocka_unit_test(knows_periods),
        cmocka_unit_test(finds_lines),
        cmocka_unit_test_setup_teardown(writes_counts, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(keeps_what_it_does_not_know, make_folder, remove_folder),
        cmocka_unit_test(leaves_out_what_cannot_be_counted),
        cmocka_unit_test_setup_teardown(says_where_valgrind_should_be, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
