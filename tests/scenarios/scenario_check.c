// Every scenario on one backend, in all three bindings: each run gives what `expect` says, however
// long it is and whatever ran before; the cells are spelled as the result files need them.
//
// Timed cells of more than CHECK_LIVE coroutines, and what the backend does not claim, are named
// and left out; what is not timed grows no further than that. Nothing here looks at time.
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corobench/coro.h"
#include "corobench/scenario.h"
#include "harness/bench/params.h"
#include "harness/bench/registry.h"

#define CHECK_LIVE 1000 // a thread each, or 8 MiB of reserved stack, must be possible

extern const unsigned check_caps;

// Not multiples of anything, and on both sides of what a scenario does in one go.
static const uint64_t lengths[] = {0, 1, 2, 7, 4095, 4096, 4097, 10000, 3, 1};
#define LENGTHS (sizeof lengths / sizeof lengths[0])

static void check_counts(const struct cb_scenario *s, const char *cell, uint64_t n,
                         struct cb_counts is, struct cb_counts should) {
    if (is.checksum == should.checksum && is.creations == should.creations &&
        is.yields == should.yields)
        return;
    fail_msg("%s %s: run(%ju) gives checksum %jx, %ju creations, %ju yields; "
             "expected were %jx, %ju, %ju",
             s->id, cell, (uintmax_t)n, (uintmax_t)is.checksum, (uintmax_t)is.creations,
             (uintmax_t)is.yields, (uintmax_t)should.checksum, (uintmax_t)should.creations,
             (uintmax_t)should.yields);
}

// A thread's round trip takes a thousand times as long: of the long runs it does one.
static bool is_left_to_others(uint64_t n) {
    return (check_caps & CO_CAP_PARALLEL) != 0 && n > 10 && n != 4097;
}

static void check_time(const struct cb_scenario *s, const char *cell) {
    uint64_t checksums[LENGTHS];
    for (size_t i = 0; i < LENGTHS; i++) {
        uint64_t n = lengths[i];
        struct cb_counts should = s->expect(n);
        checksums[i] = should.checksum;
        if (is_left_to_others(n))
            continue;
        check_counts(s, cell, n, s->run(n), should);
        if (s->hand == NULL)
            continue;
        struct cb_counts by_hand = {s->hand(n).checksum, should.creations, should.yields};
        check_counts(s, cell, n, by_hand, should);
    }
    // A checksum that does not depend on what came out would pass all of the above.
    for (size_t i = 0; i < LENGTHS; i++)
        for (size_t j = 0; j < i; j++)
            if (lengths[i] > 1 && lengths[i] != lengths[j] && checksums[i] == checksums[j])
                fail_msg("%s %s: %ju and %ju operations have one checksum", s->id, cell,
                         (uintmax_t)lengths[i], (uintmax_t)lengths[j]);
}

// Returns the error of the first grow that failed, else 0.
static int check_space(const struct cb_scenario *s) {
    static const uint64_t steps[] = {CHECK_LIVE / 10, CHECK_LIVE, CHECK_LIVE};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int error = s->grow(steps[i]);
        if (error < 0)
            return error;
        assert_int_equal(s->verify(), steps[i]);
        assert_int_equal(s->verify(), steps[i]);
        if (s->kind == CB_KIND_LIMIT)
            assert_int_equal(s->alive(), steps[i]);
    }
    return 0;
}

static int configure(const struct cb_params *params, bool library) {
    struct co_config config;
    memset(&config, 0, sizeof config);
    config.fresh = cb_param_is(params, "storage", "fresh");
    config.guard = !cb_param_is(params, "guard", "no");
    return library ? co_lib_backend_configure(&config) : co_backend_configure(&config);
}

// NULL, or why this cell is left out.
static const char *left_out(const struct cb_scenario *s, const struct cb_params *params) {
    unsigned needs = s->needs == NULL ? 0 : s->needs(params);
    if ((needs & ~check_caps) != 0)
        return "not claimed";
    if (s->kind == CB_KIND_TIME && cb_param(params, "n", 1) > CHECK_LIVE)
        return "too many coroutines for a quick test";
    return NULL;
}

static void check_cell(const struct cb_registry_entry *entry, const char *cell) {
    const struct cb_scenario *s = entry->s;
    bool library = strcmp(entry->binding, "library") == 0;
    struct cb_params params;
    char why[200];
    if (!cb_params_parse(&params, cell, why, sizeof why))
        fail_msg("%s: the cell \"%s\": %s", s->id, cell, why);
    const char *reason = left_out(s, &params);
    if (reason != NULL) {
        print_message("  left out: %s %s: %s\n", s->id, cell, reason);
        return;
    }
    assert_int_equal(configure(&params, library), 0);
    int error = s->prepare == NULL ? 0 : s->prepare(&params);
    if (error == 0 && s->kind == CB_KIND_TIME)
        check_time(s, cell);
    else if (error == 0)
        error = check_space(s);
    if (s->finish != NULL)
        s->finish();
    (library ? co_lib_backend_trim : co_backend_trim)();
    if (error == CO_E_NOMEM)
        print_message("  left out: %s %s: %s\n", s->id, cell,
                      library ? co_lib_backend_reason() : co_backend_reason());
    else if (error != 0)
        fail_msg("%s %s: error %d", s->id, cell, error);
}

static void check_unique(const struct cb_scenario *s, const char *cell) {
    const char *const *lists[] = {s->quick, s->normal, s->full};
    unsigned found = 0;
    for (size_t i = 0; i < 3; i++)
        for (const char *const *other = lists[i]; *other != NULL; other++)
            found += strcmp(cell, *other) == 0;
    if (found != 1)
        fail_msg("%s: the cell \"%s\" is listed %u times", s->id, cell, found);
}

static void check_scenario(void **state) {
    const struct cb_registry_entry *entry = *state;
    const struct cb_scenario *s = entry->s;
    assert_string_equal(s->id, entry->scenario);
    assert_non_null(s->unit);
    const char *const *lists[] = {s->quick, s->normal, s->full};
    for (size_t i = 0; i < 3; i++)
        for (const char *const *cell = lists[i]; *cell != NULL; cell++) {
            check_unique(s, *cell);
            check_cell(entry, *cell);
        }
}

// What the doctor looks for, plan.json's live_most, is the largest n of a default run.
static void live_most_is_the_largest(void **state) {
    (void)state;
    long most = 0;
    for (size_t i = 0; i < cb_registry_count; i++) {
        const struct cb_scenario *s = cb_registry[i].s;
        const char *const *lists[] = {s->quick, s->normal};
        for (size_t l = 0; l < 2; l++)
            for (const char *const *cell = lists[l]; *cell != NULL; cell++) {
                struct cb_params params;
                char why[200];
                assert_true(cb_params_parse(&params, *cell, why, sizeof why));
                long n = cb_param(&params, "n", 0);
                most = n > most ? n : most;
            }
    }
    assert_true(most <= CB_LIVE_MOST);
    assert_true(most == CB_LIVE_MOST || !CB_ALL_CELLS);
}

// Threads hand over ten times faster on one unit, and what they compute is the same. (The
// conformance kit lets them run on all units.)
static void stay_on_one_unit(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0)
        print_message("  not bound to one unit, so slower\n");
}

int main(void) {
    if (check_caps & CO_CAP_PARALLEL)
        stay_on_one_unit();
    size_t count = cb_registry_count + 1;
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    char(*names)[64] = calloc(cb_registry_count, sizeof *names);
    if (tests == NULL || names == NULL || cb_registry_count == 0) {
        fprintf(stderr, "scenario_check: no memory, or a registry without scenarios\n");
        return 1;
    }
    for (size_t i = 0; i < cb_registry_count; i++) {
        snprintf(names[i], sizeof names[i], "%s/%s", cb_registry[i].scenario,
                 cb_registry[i].binding);
        tests[i].name = names[i];
        tests[i].test_func = check_scenario;
        tests[i].initial_state = (void *)&cb_registry[i];
    }
    tests[cb_registry_count] = (struct CMUnitTest)cmocka_unit_test(live_most_is_the_largest);
    int failed = _cmocka_run_group_tests("scenarios", tests, count, NULL, NULL);
    free(tests);
    free(names);
    return failed != 0;
}
