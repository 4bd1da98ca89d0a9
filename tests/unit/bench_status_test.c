// Statuses: error codes, capabilities and claims by their names in the files.
#include "bench_fake.h"
#include "params.h"
#include "session.h"
#include "status.h"

static void names_statuses(void **state) {
    (void)state;
    assert_string_equal(cb_status_name(CB_OK), "ok");
    assert_string_equal(cb_status_name(CB_FAILED), "failed");
    assert_string_equal(cb_status_name(CB_SKIPPED), "skipped");
    assert_string_equal(cb_status_name(CB_UNAVAILABLE), "unavailable");
    assert_string_equal(cb_status_name(CB_NOT_CLAIMED), "not-claimed");
}

static void names_errors(void **state) {
    (void)state;
    assert_string_equal(cb_error_name(CO_E_INVALID), "CO_E_INVALID");
    assert_string_equal(cb_error_name(CO_E_FINISHED), "CO_E_FINISHED");
    assert_string_equal(cb_error_name(CO_E_RUNNING), "CO_E_RUNNING");
    assert_string_equal(cb_error_name(CO_E_NOMEM), "CO_E_NOMEM");
    assert_string_equal(cb_error_name(CO_E_CLOSING), "CO_E_CLOSING");
    assert_string_equal(cb_error_name(CO_E_NOT_CLAIMED), "CO_E_NOT_CLAIMED");
    assert_string_equal(cb_error_name(-7), "unknown error");
    assert_string_equal(cb_error_name(0), "unknown error");
}

static void maps_errors(void **state) {
    (void)state;
    struct cb_outcome outcome;
    cb_outcome_from_error(&outcome, "prepare", CO_E_NOMEM, "full");
    assert_int_equal(outcome.status, CB_UNAVAILABLE);
    assert_string_equal(outcome.note, "prepare: full");
    cb_outcome_from_error(&outcome, "prepare", CO_E_NOT_CLAIMED, "");
    assert_int_equal(outcome.status, CB_NOT_CLAIMED);
    cb_outcome_from_error(&outcome, "prepare", CO_E_RUNNING, "");
    assert_int_equal(outcome.status, CB_FAILED);
    assert_non_null(strstr(outcome.note, "CO_E_RUNNING"));
}

static void names_capabilities(void **state) {
    (void)state;
    char text[256];
    cb_capability_list(CO_CAP_DEEP_YIELD | CO_CAP_FP_CONTROL | CO_CAP_NO_ALLOCATION, text,
                       sizeof text);
    assert_string_equal(text, "deep-yield, fp-control, no-allocation");
    cb_capability_list(0, text, sizeof text);
    assert_string_equal(text, "");
    cb_capability_list(1u << 31, text, sizeof text);
    assert_string_equal(text, "bit 31");
    // Every capability of the contract has a name.
    for (unsigned bit = 0; 1u << bit <= CO_CAP_EAGER; bit++)
        assert_non_null(cb_capability_name(bit));
    assert_null(cb_capability_name(40));
}

static enum cb_status claims(const char *text, unsigned needs, unsigned capabilities, char *note) {
    struct cb_params params;
    struct cb_outcome outcome;
    char why[256];
    fake.needs = needs;
    assert_true(cb_params_parse(&params, text, why, sizeof why));
    cb_cell_claims(&fake_time, &params, capabilities, &outcome);
    strcpy(note, outcome.note);
    return outcome.status;
}

static void compares_claims(void **state) {
    (void)state;
    char note[512];
    assert_int_equal(claims("", 0, 0, note), CB_OK);
    assert_string_equal(note, "");
    assert_int_equal(claims("storage=fresh", 0, 0, note), CB_OK);
    assert_int_equal(claims("", CO_CAP_RECURSION, 0, note), CB_NOT_CLAIMED);
    assert_string_equal(note, "recursion");
    assert_int_equal(claims("", CO_CAP_RECURSION, CO_CAP_RECURSION, note), CB_OK);
    assert_int_equal(claims("guard=no", 0, 0, note), CB_NOT_CLAIMED);
    assert_string_equal(note, "guard");
    assert_int_equal(claims("guard=no", 0, CO_CAP_GUARD, note), CB_OK);
    assert_int_equal(claims("cpus=2", 0, CO_CAP_GUARD, note), CB_NOT_CLAIMED);
    assert_string_equal(note, "parallel");
    assert_int_equal(claims("cpus=1", 0, 0, note), CB_OK);
    assert_int_equal(claims("cpus=2;guard=no", CO_CAP_DEEP_YIELD, 0, note), CB_NOT_CLAIMED);
    assert_string_equal(note, "deep-yield, guard, parallel");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_statuses),
        cmocka_unit_test(names_errors),
        cmocka_unit_test(maps_errors),
        cmocka_unit_test(names_capabilities),
        cmocka_unit_test_setup(compares_claims, fake_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
