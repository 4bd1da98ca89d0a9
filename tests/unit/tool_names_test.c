// Globs: malformed ones are told from those that match nothing; lists are sorted and unique.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "harness/lib/message.h"
#include "harness/tool/names.h"
#include "harness/tool/process.h"

static void knows_malformed_globs(void **state) {
    (void)state;
    const char *const wrong[] = {"",           "[",   "[abc", "a[!",  "[]",
                                 "[[:alpha:]", "a\\", "x[a-", "a[\\]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (cb_glob_problem(wrong[i]) == NULL)
            fail_msg("'%s' passes for a glob", wrong[i]);
    const char *const right[] = {"*",           "a?b", "[abc]", "[!a]",   "[]]",  "[]a]x",
                                 "[[:alpha:]]", "\\[", "a]",    "[a-c]*", "[\\]]"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        if (cb_glob_problem(right[i]) != NULL)
            fail_msg("'%s' does not pass for a glob: %s", right[i], cb_glob_problem(right[i]));
}

static void splits_at_commas(void **state) {
    (void)state;
    struct cb_globs globs = {0};
    assert_true(cb_globs_match(&globs, "anything"));
    cb_globs_add(&globs, "ab*,c[d,e],f");
    cb_globs_add(&globs, "[g");
    assert_int_equal(globs.count, 4);
    assert_string_equal(globs.list[1], "c[d,e]");
    assert_string_equal(globs.list[3], "[g");
    assert_true(cb_globs_match(&globs, "abc"));
    assert_true(cb_globs_match(&globs, "c,"));
    assert_true(cb_globs_match(&globs, "f"));
    assert_false(cb_globs_match(&globs, "ff"));
    cb_globs_free(&globs);
    cb_globs_add(&globs, "a\\,b,\\[c,d");
    assert_int_equal(globs.count, 3);
    assert_string_equal(globs.list[0], "a\\,b");
    assert_string_equal(globs.list[1], "\\[c");
    cb_globs_free(&globs);
    cb_globs_add(&globs, "a,,b");
    assert_int_equal(globs.count, 3);
    assert_non_null(cb_glob_problem(globs.list[1]));
    cb_globs_free(&globs);
}

static void checks_against_names(void **state) {
    (void)state;
    struct cb_names names = {0};
    cb_names_add(&names, "two");
    cb_names_add(&names, "one");
    cb_names_add(&names, "two");
    char *list = cb_names_join(&names);
    assert_string_equal(list, "one, two");
    free(list);
    struct cb_globs globs = {0};
    assert_true(cb_globs_check(&globs, "thing", &names));
    cb_globs_add(&globs, "t*");
    assert_true(cb_globs_check(&globs, "thing", &names));
    cb_globs_add(&globs, "three");
    assert_false(cb_globs_check(&globs, "thing", &names));
    cb_globs_free(&globs);
    cb_globs_add(&globs, "[one");
    assert_false(cb_globs_check(&globs, "thing", &names));
    cb_globs_free(&globs);
    cb_names_free(&names);
}

static void cuts_paths_short(void **state) {
    (void)state;
    const char *const pairs[][2] = {
        {"cannot open /opt/me/x.c: no", "cannot open x.c: no"},
        {"/a/b/c", "c"},
        {"a/b stays, 1/2 too", "a/b stays, 1/2 too"},
        {"see /proc/sys/vm/max_map_count", "see /proc/sys/vm/max_map_count"},
        {"'/opt/x/y.so'(/lib/z)", "'y.so'(z)"},
        {"a lone / stays", "a lone / stays"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *text = cb_copy(pairs[i][0]);
        cb_scrub_paths(text);
        assert_string_equal(text, pairs[i][1]);
        free(text);
    }
}

static void run_shell(struct cb_process *process, const char *script, double limit) {
    char *argv[] = {cb_copy("/bin/sh"), cb_copy("-c"), cb_copy(script), NULL};
    char *extra[] = {cb_copy("WORD=heard"), NULL};
    cb_process_run(process, argv, extra, limit);
    for (size_t i = 0; i < 3; i++)
        free(argv[i]);
    free(extra[0]);
}

static void keeps_what_a_process_says(void **state) {
    (void)state;
    struct cb_process process;
    run_shell(&process, "echo $WORD; echo why >&2; exit 3", 60);
    assert_int_equal(process.ending, CB_ENDED);
    assert_int_equal(process.code, 3);
    assert_string_equal(process.out.text, "heard\n");
    char *reason = cb_process_reason(&process, 60);
    assert_string_equal(reason, "exit status 3: why");
    free(reason);
    cb_process_free(&process);

    run_shell(&process, "head -c 1000000 /dev/zero | tr '\\0' x", 60);
    assert_int_equal(process.out.length, 1000000);
    cb_process_free(&process);
}

static void tells_a_crash_from_a_hang(void **state) {
    (void)state;
    struct cb_process process;
    run_shell(&process, "kill -SEGV $$", 60);
    assert_int_equal(process.ending, CB_CRASHED);
    assert_int_equal(process.code, 11);
    cb_process_free(&process);

    // The sleeping child holds the pipes open: it must be ended too.
    run_shell(&process, "sleep 600 & sleep 600", 0.2);
    assert_int_equal(process.ending, CB_TIMED_OUT);
    cb_process_free(&process);

    run_shell(&process, "sleep 600 & exit 0", 60);
    assert_int_equal(process.ending, CB_ENDED);
    cb_process_free(&process);

    char *argv[] = {cb_copy("/nonexistent/program"), NULL};
    cb_process_run(&process, argv, NULL, 60);
    assert_int_equal(process.ending, CB_NOT_STARTED);
    free(argv[0]);
    cb_process_free(&process);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_malformed_globs),     cmocka_unit_test(splits_at_commas),
        cmocka_unit_test(checks_against_names),      cmocka_unit_test(cuts_paths_short),
        cmocka_unit_test(keeps_what_a_process_says), cmocka_unit_test(tells_a_crash_from_a_hang),
    };
    return cmocka_run_group_tests_name("tool: names and processes", tests, NULL, NULL);
}
