// Parameters of a cell: what is read, what is refused, and how a scenario looks values up.
#include "bench_fake.h"
#include "params.h"

static void reads_pairs(void **state) {
    (void)state;
    struct cb_params params;
    char why[256];
    assert_true(cb_params_parse(&params, "depth=16;span=deep;storage=fresh", why, sizeof why));
    assert_int_equal(params.count, 3);
    assert_string_equal(params.text, "depth=16;span=deep;storage=fresh");
    assert_int_equal(cb_param(&params, "depth", 1), 16);
    assert_int_equal(cb_param(&params, "cpus", 1), 1);
    assert_true(cb_param_is(&params, "storage", "fresh"));
    assert_false(cb_param_is(&params, "storage", "fres"));
    assert_false(cb_param_is(&params, "storage", ""));
    assert_true(cb_param_is(&params, "guard", ""));
    assert_false(cb_param_is(&params, "guard", "no"));
}

static void reads_nothing(void **state) {
    (void)state;
    struct cb_params params;
    char why[256];
    assert_true(cb_params_parse(&params, "", why, sizeof why));
    assert_int_equal(params.count, 0);
    assert_int_equal(cb_param(&params, "n", -7), -7);
}

static void refuses(const char *text, const char *because) {
    struct cb_params params;
    char why[256] = "";
    if (cb_params_parse(&params, text, why, sizeof why))
        fail_msg("\"%s\" was taken", text);
    if (!strstr(why, because))
        fail_msg("\"%s\" was refused because \"%s\", expected \"%s\"", text, why, because);
}

static void refuses_malformed(void **state) {
    (void)state;
    refuses("depth", "not key=value");
    refuses(";", "not key=value");
    refuses("a=1;", "not key=value");
    refuses("a=1;;b=2", "not key=value");
    refuses("=1", "key");
    refuses("Depth=1", "key");
    refuses("1a=1", "key");
    refuses(" a=1", "key");
    refuses("a=", "value");
    refuses("a=b=c", "value");
    refuses("a=1 ", "value");
    refuses("a=\"", "value");
    refuses("b=1;a=1", "not sorted");
    refuses("a=1;a=2", "twice");
    char many[512] = "";
    for (int i = 0; i < 17; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%sk%c=1", i ? ";" : "", 'a' + i);
    refuses(many, "more than");
    char longer[300];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    refuses(longer, "longer");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pairs),
        cmocka_unit_test(reads_nothing),
        cmocka_unit_test(refuses_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
