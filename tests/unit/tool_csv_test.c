// Comma-separated values: what is written reads back the same, what is broken is refused by line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/lib/csv.h"
#include "harness/lib/file.h"

static char folder[] = "/tmp/corobench-csv-XXXXXX";
static char *file;

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    file = cb_format("%s/a.csv", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(file);
    free(file);
    return rmdir(folder);
}

static void write_text(const char *text) {
    assert_int_equal(cb_file_write(file, text, strlen(text)), 0);
}

static void expect_problem(const char *text, const char *place, const char *reason) {
    struct cb_csv csv;
    char *problem = NULL;
    write_text(text);
    assert_int_equal(cb_csv_read(&csv, file, &problem), -1);
    assert_non_null(strstr(problem, place));
    assert_non_null(strstr(problem, reason));
    free(problem);
}

static void writes_by_the_rules(void **state) {
    (void)state;
    struct cb_text text = {0};
    struct cb_csv_row row = {.to = &text};
    cb_csv_text(&row, "plain");
    cb_csv_text(&row, "a,b");
    cb_csv_text(&row, "say \"hi\"");
    cb_csv_text(&row, "two\nlines");
    cb_csv_text(&row, NULL);
    cb_csv_text(&row, "");
    cb_csv_integer(&row, -7);
    cb_csv_number(&row, 0.1);
    cb_csv_number(&row, (double)NAN);
    cb_csv_end(&row);
    cb_csv_text(&row, "next");
    cb_csv_end(&row);
    assert_string_equal(text.text,
                        "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",,,-7,0.1,\nnext\n");
    cb_text_clear(&text);
}

static void reads_back_the_same(void **state) {
    (void)state;
    const char *hard[] = {"", ",", "\"", "\"\"", "a\"b,c\nd\r\ne", "\n", " spaces ", "ä"};
    const size_t n = sizeof hard / sizeof *hard;
    struct cb_text text = {0};
    struct cb_csv_row row = {.to = &text};
    cb_csv_text(&row, "x");
    cb_csv_text(&row, "y");
    cb_csv_end(&row);
    for (size_t i = 0; i < n; i++) {
        cb_csv_text(&row, hard[i]);
        cb_csv_text(&row, hard[n - 1 - i]);
        cb_csv_end(&row);
    }
    write_text(text.text);
    cb_text_clear(&text);

    struct cb_csv csv;
    char *problem = NULL;
    assert_int_equal(cb_csv_read(&csv, file, &problem), 0);
    assert_int_equal(csv.rows, n);
    int x = cb_csv_column(&csv, "x"), y = cb_csv_column(&csv, "y");
    assert_int_equal(cb_csv_column(&csv, "z"), -1);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(cb_csv_field(&csv, i, x), hard[i]);
        assert_string_equal(cb_csv_field(&csv, i, y), hard[n - 1 - i]);
    }
    cb_csv_free(&csv);
}

static void numbers_survive(void **state) {
    (void)state;
    const double values[] = {0.1, 1.0 / 3.0, 1e300, -2.5e-9, 123456789.123456789, 0, 4294967296.0};
    struct cb_text text = {0};
    struct cb_csv_row row = {.to = &text};
    cb_csv_text(&row, "v");
    cb_csv_end(&row);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        cb_csv_number(&row, values[i]);
        cb_csv_end(&row);
    }
    cb_csv_text(&row, "12x");
    cb_csv_end(&row);
    write_text(text.text);
    cb_text_clear(&text);

    struct cb_csv csv;
    char *problem = NULL;
    assert_int_equal(cb_csv_read(&csv, file, &problem), 0);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_true(cb_csv_value(&csv, i, 0) == values[i]);
    assert_true(isnan(cb_csv_value(&csv, csv.rows - 1, 0)));
    cb_csv_free(&csv);
}

static void accepts_both_line_ends(void **state) {
    (void)state;
    write_text("a,b\r\n1,\"2\"\r\n");
    struct cb_csv csv;
    char *problem = NULL;
    assert_int_equal(cb_csv_read(&csv, file, &problem), 0);
    assert_int_equal(csv.rows, 1);
    assert_string_equal(cb_csv_field(&csv, 0, 1), "2");
    cb_csv_free(&csv);
}

static void refuses_what_is_broken(void **state) {
    (void)state;
    expect_problem("", "line 1", "no header");
    expect_problem("a,b\n1,2\n3\n", "line 3", "more or fewer fields");
    expect_problem("a,b\n1,2,3\n", "line 2", "more or fewer fields");
    expect_problem("a,b\n1,2", "line 2", "cut off");
    expect_problem("a,b\n1,\"2", "line 2", "no end");
    expect_problem("a,b\n1,\"2\"", "line 2", "cut off");
    expect_problem("a,b\n1,\"2\"3\n", "line 2", "closing quote");
    expect_problem("a,b\n1,2\"3\n", "line 2", "inside a plain field");
    expect_problem("a,b\n\"x\ny\",2\n1\n", "line 4", "more or fewer fields");
}

static void an_abandoned_file_leaves_the_old_one(void **state) {
    (void)state;
    write_text("old\n");
    struct cb_file next;
    assert_int_equal(cb_file_begin(&next, file), 0);
    fputs("new\n", next.stream);
    char *temporary = cb_copy(next.temporary);
    cb_file_abandon(&next);
    assert_int_equal(access(temporary, F_OK), -1);
    free(temporary);
    char *bytes;
    assert_int_equal(cb_file_read(file, &bytes, NULL), 0);
    assert_string_equal(bytes, "old\n");
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_by_the_rules),
        cmocka_unit_test(reads_back_the_same),
        cmocka_unit_test(numbers_survive),
        cmocka_unit_test(accepts_both_line_ends),
        cmocka_unit_test(refuses_what_is_broken),
        cmocka_unit_test(an_abandoned_file_leaves_the_old_one),
    };
    return cmocka_run_group_tests_name("tool: csv and files", tests, make_folder, remove_folder);
}
