// Plans: which cells a run has, and in which order it takes its samples.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/lib/message.h"
#include "harness/tool/plan.h"

static const char data_text[] =
    "{'compilers': ['gcc', 'clang'], 'sizes': {"
    " 'quick': {'second_compiler': 'none', 'twins': {'opaque': ['spin/a=1']}, 'bindings': "
    "{'opaque': ['*'], 'visible': ['spin/a=1']}},"
    " 'default': {'second_compiler': 'headline', 'twins': {'opaque': ['heap/*', 'spin/a=[12]'],"
    " 'visible': ['spin/a=1']}, 'bindings': {'opaque': ['*'], 'visible': "
    "['spin/*'], 'library': ['spin/a=[12]']}},"
    " 'full': {'second_compiler': 'all', 'twins': {'opaque': ['*']}, 'bindings': {'opaque': "
    "['*']}}},"
    " 'static': [{'scenario': 'size', 'binding': 'opaque', 'params': '', 'unit': 'count',"
    "             'member': 'text', 'metrics': ['lines']}]}";

static const char headline_text[] = "{'cells': ["
                                    "{'scenario': 'sp*', 'params': 'a=1', 'binding': 'opaque'},"
                                    "{'scenario': 'heap', 'params': 'n=1', 'binding': 'visible'}]}";

static const char scenarios_text[] =
    "[{'id': 'spin', 'unit': 'turn', 'kind': 'time', 'cells': ["
    "  {'params': 'a=1', 'size': 'quick', 'status': 'ok'},"
    "  {'params': 'a=10', 'size': 'quick', 'status': 'ok'},"
    "  {'params': 'a=2', 'size': 'default', 'status': 'ok'},"
    "  {'params': 'a=3', 'size': 'full', 'status': 'not-claimed', 'note': 'cannot'}]},"
    " {'id': 'heap', 'unit': 'byte', 'kind': 'space', 'cells': ["
    "  {'params': 'n=1', 'size': 'quick', 'status': 'ok'}]}]";

static json_t *parse(const char *text) {
    char *copy = cb_copy(text);
    for (char *c = copy; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    json_error_t error;
    json_t *value = json_loads(copy, 0, &error);
    if (value == NULL)
        fail_msg("%s: %s", text, error.text);
    free(copy);
    return value;
}

static json_t *data, *headline;

static int load(void **state) {
    (void)state;
    data = parse(data_text);
    headline = parse(headline_text);
    return 0;
}

static int unload(void **state) {
    (void)state;
    json_decref(data);
    json_decref(headline);
    return 0;
}

static void add_program(struct cb_programs *programs, const char *backend, const char *compiler,
                        int link, const char *status) {
    programs->list = cb_resize(programs->list, programs->count + 1, sizeof *programs->list);
    struct cb_program *p = &programs->list[programs->count++];
    *p = (struct cb_program){.backend = cb_copy(backend),
                             .family = cb_copy("kin"),
                             .compiler = cb_copy(compiler),
                             .link = link,
                             .status = cb_copy(status),
                             .note = cb_copy(strcmp(status, "ok") == 0 ? "" : "no library")};
    if (strcmp(status, "ok") == 0) {
        p->describe = parse("{'text': {'lines': 7}, 'variant_of': ''}");
        if (strcmp(backend, "able") == 0)
            json_object_set_new(p->describe, "variant_of", json_string("baker"));
        json_object_set_new(p->describe, "scenarios", parse(scenarios_text));
    }
}

static struct cb_programs three_programs(void) {
    struct cb_programs programs = {0};
    add_program(&programs, "able", "clang", 0, "ok");
    add_program(&programs, "able", "gcc", 0, "ok");
    add_program(&programs, "able", "gcc", 1, "ok");
    add_program(&programs, "baker", "gcc", 0, "ok");
    add_program(&programs, "charlie", "gcc", 0, "unavailable");
    return programs;
}

static struct cb_plan make_choice(const char *mode, const char *backend, const char *compiler,
                                  bool twins) {
    struct cb_programs programs = three_programs();
    struct cb_choice choice = {.mode = mode, .twins = twins};
    struct cb_plan plan;
    if (backend != NULL)
        cb_globs_add(&choice.backends, backend);
    if (compiler != NULL)
        cb_globs_add(&choice.compilers, compiler);
    assert_int_equal(cb_plan_make(&plan, &programs, data, headline, &choice), CB_EXIT_OK);
    cb_globs_free(&choice.backends);
    cb_globs_free(&choice.compilers);
    cb_programs_free(&programs);
    return plan;
}

static struct cb_plan make(const char *mode, const char *backend, const char *compiler) {
    return make_choice(mode, backend, compiler, false);
}

static void expect_ids(struct cb_plan *plan, const char *ids) {
    struct cb_text text = {0};
    for (size_t i = 0; i < plan->count; i++)
        cb_text_add(&text, "%s\n", plan->cells[i].id);
    assert_string_equal(text.text ? text.text : "", ids);
    cb_text_clear(&text);
    cb_plan_free(plan);
}

static void quick_takes_quick_cells_of_one_compiler(void **state) {
    (void)state;
    struct cb_plan plan = make("quick", "able", NULL);
    expect_ids(&plan, "able/heap/opaque/gcc/n=1\n"
                      "able/size/opaque/gcc/\n"
                      "able/spin/opaque/gcc/a=1\n"
                      "able/spin/opaque/gcc/a=10\n"
                      "able/spin/visible/gcc/a=1\n");
}

static void the_second_compiler_takes_headline_cells(void **state) {
    (void)state;
    struct cb_plan plan = make("default", "able", NULL);
    expect_ids(&plan, "able/heap/opaque/gcc/n=1\n"
                      "able/size/opaque/gcc/\n"
                      "able/spin/library/gcc/a=1\n"
                      "able/spin/library/gcc/a=2\n"
                      "able/spin/opaque/clang/a=1\n"
                      "able/spin/opaque/gcc/a=1\n"
                      "able/spin/opaque/gcc/a=2\n"
                      "able/spin/opaque/gcc/a=10\n"
                      "able/spin/visible/gcc/a=1\n"
                      "able/spin/visible/gcc/a=2\n"
                      "able/spin/visible/gcc/a=10\n");
}

static void a_compiler_alone_is_the_first(void **state) {
    (void)state;
    struct cb_plan plan = make("quick", "able", "clang");
    expect_ids(&plan, "able/heap/opaque/clang/n=1\n"
                      "able/size/opaque/clang/\n"
                      "able/spin/opaque/clang/a=1\n"
                      "able/spin/opaque/clang/a=10\n"
                      "able/spin/visible/clang/a=1\n");
}

static void named_compilers_are_seen_in_quick(void **state) {
    (void)state;
    struct cb_plan plan = make("quick", "able", "gcc,clang");
    expect_ids(&plan, "able/heap/opaque/gcc/n=1\n"
                      "able/size/opaque/gcc/\n"
                      "able/spin/opaque/clang/a=1\n"
                      "able/spin/opaque/gcc/a=1\n"
                      "able/spin/opaque/gcc/a=10\n"
                      "able/spin/visible/gcc/a=1\n");
}

static void what_is_unavailable_is_never_absent(void **state) {
    (void)state;
    struct cb_plan plan = make("full", NULL, NULL);
    size_t unavailable = 0, not_claimed = 0;
    for (size_t i = 0; i < plan.count; i++) {
        const struct cb_cell *c = &plan.cells[i];
        if (strcmp(c->backend, "charlie") == 0) {
            assert_int_equal(c->status, CB_CELL_UNAVAILABLE);
            assert_string_equal(c->note, "no library");
            unavailable++;
        } else if (c->status == CB_CELL_NOT_CLAIMED) {
            assert_string_equal(c->note, "cannot");
            not_claimed++;
        }
    }
    assert_int_equal(unavailable, 6);
    assert_int_equal(not_claimed, 3);
    assert_int_equal(plan.count, 24);
    // able by two compilers, baker: 4 cells each to measure
    assert_int_equal(cb_plan_measured(&plan), 12);
    assert_int_equal(cb_plan_check_budget(&plan, "full", 12), CB_EXIT_OK);
    assert_int_equal(cb_plan_check_budget(&plan, "full", 11), CB_EXIT_USAGE);
    assert_int_equal(cb_plan_check_budget(&plan, "full", 0), CB_EXIT_OK);
    cb_plan_free(&plan);
}

static void a_binding_that_was_not_built_is_unavailable(void **state) {
    (void)state;
    struct cb_programs programs = {0};
    add_program(&programs, "able", "gcc", 0, "ok");
    json_t *spin = json_array_get(json_object_get(programs.list[0].describe, "scenarios"), 0);
    json_object_set_new(spin, "bindings", parse("['opaque']"));
    struct cb_choice choice = {.mode = "quick"};
    struct cb_plan plan;
    assert_int_equal(cb_plan_make(&plan, &programs, data, headline, &choice), CB_EXIT_OK);
    for (size_t i = 0; i < plan.count; i++) {
        bool visible = strcmp(plan.cells[i].binding, "visible") == 0;
        assert_int_equal(plan.cells[i].status, visible ? CB_CELL_UNAVAILABLE : CB_CELL_OK);
    }
    cb_plan_free(&plan);
    cb_programs_free(&programs);
}

static void wrong_names_are_refused(void **state) {
    (void)state;
    struct cb_programs programs = three_programs();
    const char *const wrong[] = {"zulu", "[able"};
    for (size_t i = 0; i < 2; i++) {
        struct cb_choice choice = {.mode = "quick"};
        struct cb_plan plan;
        cb_globs_add(&choice.backends, wrong[i]);
        assert_int_equal(cb_plan_make(&plan, &programs, data, headline, &choice), CB_EXIT_USAGE);
        cb_globs_free(&choice.backends);
    }
    cb_programs_free(&programs);
}

static void a_plan_survives_json(void **state) {
    (void)state;
    struct cb_plan plan = make("full", NULL, NULL), back;
    plan.cells[0].iterations = 123456789012LL;
    json_t *list = cb_plan_to_json(&plan);
    assert_true(cb_plan_from_json(&back, list));
    json_t *again = cb_plan_to_json(&back);
    assert_true(json_equal(list, again));
    json_object_del(json_array_get(list, 1), "note");
    cb_plan_free(&back);
    assert_false(cb_plan_from_json(&back, list));
    json_decref(list);
    json_decref(again);
    cb_plan_free(&plan);
}

// ---- Twins

static void twins_are_of_the_first_compiler(void **state) {
    (void)state;
    struct cb_plan plan = make_choice("default", "able", NULL, true);
    // Beside the original; the key stands where the order of keys wants it. None of clang's.
    expect_ids(&plan, "able/heap/opaque/gcc/n=1\n"
                      "able/heap/opaque/gcc/aa=1;n=1\n"
                      "able/size/opaque/gcc/\n"
                      "able/spin/library/gcc/a=1\n"
                      "able/spin/library/gcc/a=2\n"
                      "able/spin/opaque/clang/a=1\n"
                      "able/spin/opaque/gcc/a=1\n"
                      "able/spin/opaque/gcc/a=1;aa=1\n"
                      "able/spin/opaque/gcc/a=2\n"
                      "able/spin/opaque/gcc/a=2;aa=1\n"
                      "able/spin/opaque/gcc/a=10\n"
                      "able/spin/visible/gcc/a=1\n"
                      "able/spin/visible/gcc/a=1;aa=1\n"
                      "able/spin/visible/gcc/a=2\n"
                      "able/spin/visible/gcc/a=10\n");
    // Not even where it measures all cells.
    plan = make_choice("full", "able", NULL, true);
    size_t twins = 0;
    for (size_t i = 0; i < plan.count; i++) {
        twins += plan.cells[i].twin_of != NULL;
        assert_true(plan.cells[i].twin_of == NULL || strcmp(plan.cells[i].compiler, "gcc") == 0);
    }
    // spin a=1, a=10, a=2, heap; neither what is not claimed nor what is not measured.
    assert_int_equal(twins, 4);
    cb_plan_free(&plan);
}

static void what_is_not_measured_has_no_twin(void **state) {
    (void)state;
    struct cb_plan plan = make_choice("default", "charlie", NULL, true);
    assert_true(plan.count > 0);
    for (size_t i = 0; i < plan.count; i++)
        assert_null(plan.cells[i].twin_of);
    cb_plan_free(&plan);
    struct cb_plan with = make_choice("quick", NULL, NULL, true),
                   without = make("quick", NULL, NULL);
    // able and baker: spin a=1 each
    assert_int_equal(cb_plan_measured(&with), cb_plan_measured(&without) + 2);
    assert_int_equal(cb_plan_check_budget(&with, "quick", cb_plan_measured(&without)),
                     CB_EXIT_USAGE);
    cb_plan_free(&with);
    cb_plan_free(&without);
}

// A size of plan.json with one more member.
static json_t *size_with(const char *mode, const char *key, json_t *value) {
    json_t *changed = json_deep_copy(data);
    json_object_set_new(json_object_get(json_object_get(changed, "sizes"), mode), key, value);
    return changed;
}

static void a_share_of_many_backends_has_twins(void **state) {
    (void)state;
    json_t *kept = data;
    struct cb_plan all = make_choice("full", NULL, "gcc", true);
    data = size_with("full", "twin_backends", json_integer(1));
    struct cb_plan share = make_choice("full", NULL, "gcc", true),
                   alone = make("full", NULL, "gcc");
    json_decref(data);
    data = kept;
    // able and baker: 4 each, or one of the two for each scenario
    assert_int_equal(cb_plan_measured(&all), cb_plan_measured(&alone) + 8);
    assert_int_equal(cb_plan_measured(&share), cb_plan_measured(&alone) + 4);
    cb_plan_free(&all);
    cb_plan_free(&share);
    cb_plan_free(&alone);
}

static void what_is_excepted_is_not_measured(void **state) {
    (void)state;
    json_t *kept = data;
    data = size_with("quick", "except", parse("{'opaque': ['spin/a=[1]']}"));
    struct cb_plan plan = make("quick", "able", NULL);
    json_decref(data);
    data = kept;
    expect_ids(&plan, "able/heap/opaque/gcc/n=1\n"
                      "able/size/opaque/gcc/\n"
                      "able/spin/opaque/gcc/a=10\n"
                      "able/spin/visible/gcc/a=1\n");
}

static void what_is_excepted_of_a_family_is_measured_of_others(void **state) {
    (void)state;
    json_t *kept = data;
    data = size_with("quick", "except_of_family",
                     parse("{'kin': {'opaque': ['spin/a=[1]']}, 'other': {'opaque': ['heap/*']}}"));
    struct cb_plan plan = make("quick", "able", NULL);
    json_decref(data);
    data = kept;
    expect_ids(&plan, "able/heap/opaque/gcc/n=1\n"
                      "able/size/opaque/gcc/\n"
                      "able/spin/opaque/gcc/a=10\n"
                      "able/spin/visible/gcc/a=1\n");
}

static void a_larger_size_lends_what_is_asked_for_by_name(void **state) {
    (void)state;
    json_t *kept = data;
    data = size_with("quick", "also", parse("{'opaque': ['able/spin/a=2', 'baker/spin/*']}"));
    struct cb_plan plan = make("quick", "able", NULL);
    json_decref(data);
    data = kept;
    expect_ids(&plan, "able/heap/opaque/gcc/n=1\n"
                      "able/size/opaque/gcc/\n"
                      "able/spin/opaque/gcc/a=1\n"
                      "able/spin/opaque/gcc/a=2\n"
                      "able/spin/opaque/gcc/a=10\n"
                      "able/spin/visible/gcc/a=1\n");
}

// What a default run measures of `able` where plan.json has such a list.
static struct cb_plan make_with(const char *list, const char *text) {
    json_t *kept = data;
    data = size_with("default", list, parse(text));
    struct cb_plan plan = make("default", "able", NULL);
    json_decref(data);
    data = kept;
    return plan;
}

static void the_second_compiler_also_takes_what_is_asked_for_by_name(void **state) {
    (void)state;
    struct cb_plan plan =
        make_with("second_also", "{'opaque': ['a*/spin/a=10', 'baker/spin/*'], 'visible': []}");
    expect_ids(&plan, "able/heap/opaque/gcc/n=1\n"
                      "able/size/opaque/gcc/\n"
                      "able/spin/library/gcc/a=1\n"
                      "able/spin/library/gcc/a=2\n"
                      "able/spin/opaque/clang/a=1\n"
                      "able/spin/opaque/gcc/a=1\n"
                      "able/spin/opaque/gcc/a=2\n"
                      "able/spin/opaque/clang/a=10\n"
                      "able/spin/opaque/gcc/a=10\n"
                      "able/spin/visible/gcc/a=1\n"
                      "able/spin/visible/gcc/a=2\n"
                      "able/spin/visible/gcc/a=10\n");
}

static void the_second_compiler_does_not_take_what_is_left_out_by_name(void **state) {
    (void)state;
    struct cb_plan plan = make_with("second_except", "{'opaque': ['a*/spin/*']}");
    expect_ids(&plan, "able/heap/opaque/gcc/n=1\n"
                      "able/size/opaque/gcc/\n"
                      "able/spin/library/gcc/a=1\n"
                      "able/spin/library/gcc/a=2\n"
                      "able/spin/opaque/gcc/a=1\n"
                      "able/spin/opaque/gcc/a=2\n"
                      "able/spin/opaque/gcc/a=10\n"
                      "able/spin/visible/gcc/a=1\n"
                      "able/spin/visible/gcc/a=2\n"
                      "able/spin/visible/gcc/a=10\n");
}

static void params_choose_cells(void **state) {
    (void)state;
    struct cb_programs programs = three_programs();
    struct cb_choice choice = {.mode = "quick"};
    struct cb_plan plan;
    cb_globs_add(&choice.backends, "baker");
    cb_globs_add(&choice.params, "a=1,n=*");
    assert_int_equal(cb_plan_make(&plan, &programs, data, headline, &choice), CB_EXIT_OK);
    cb_globs_free(&choice.backends);
    cb_globs_free(&choice.params);
    cb_programs_free(&programs);
    expect_ids(&plan, "baker/heap/opaque/gcc/n=1\n"
                      "baker/spin/opaque/gcc/a=1\n"
                      "baker/spin/visible/gcc/a=1\n");
}

static void of_a_variant_fewer_cells_are_measured(void **state) {
    (void)state;
    json_t *kept = data;
    data = size_with("quick", "variants", parse("{'opaque': ['spin/*'], 'visible': ['heap/*']}"));
    struct cb_plan variant = make("quick", "able", NULL), other = make("quick", "baker", NULL);
    json_decref(data);
    data = kept;
    expect_ids(&variant, "able/size/opaque/gcc/\n"
                         "able/spin/opaque/gcc/a=1\n"
                         "able/spin/opaque/gcc/a=10\n");
    expect_ids(&other, "baker/heap/opaque/gcc/n=1\n"
                       "baker/size/opaque/gcc/\n"
                       "baker/spin/opaque/gcc/a=1\n"
                       "baker/spin/opaque/gcc/a=10\n"
                       "baker/spin/visible/gcc/a=1\n");
}

static void a_twin_knows_its_original(void **state) {
    (void)state;
    struct cb_plan plan = make_choice("quick", "able", NULL, true), back;
    json_t *list = cb_plan_to_json(&plan);
    assert_true(cb_plan_from_json(&back, list));
    struct cb_plan *const both[] = {&plan, &back};
    for (size_t b = 0; b < 2; b++) {
        size_t twins = 0;
        for (size_t i = 0; i < both[b]->count; i++) {
            const struct cb_cell *cell = &both[b]->cells[i];
            if (cell->twin_of == NULL) {
                assert_string_equal(cb_cell_asked(cell), cell->params);
                assert_null(json_object_get(json_array_get(list, i), "twin_of"));
                continue;
            }
            twins++;
            assert_string_equal(cell->twin_of, "able/spin/opaque/gcc/a=1");
            assert_string_equal(cell->params, "a=1;aa=1");
            assert_string_equal(cb_cell_asked(cell), "a=1");
            assert_string_equal(
                json_string_value(json_object_get(json_array_get(list, i), "twin_of")),
                cell->twin_of);
        }
        assert_int_equal(twins, 1);
    }
    json_t *again = cb_plan_to_json(&back);
    assert_true(json_equal(list, again));
    json_decref(list);
    json_decref(again);
    cb_plan_free(&plan);
    cb_plan_free(&back);
}

static json_t *load_data(const char *name) {
    static const char own[] = "tests/unit/data"; // which need not exist
    char *path = cb_format("%.*sharness/data/%s", (int)(sizeof CB_TEST_DATA - sizeof own),
                           CB_TEST_DATA, name);
    json_error_t error;
    json_t *value = json_load_file(path, 0, &error);
    if (value == NULL)
        fail_msg("%s: %s", path, error.text);
    free(path);
    return value;
}

// A program that has the headline's cells and nothing else.
static void add_headline_program(struct cb_programs *programs, const json_t *cells) {
    add_program(programs, "able", "gcc", 0, "ok");
    json_t *scenarios = json_array(), *cell;
    size_t i;
    json_array_foreach(
        cells, i,
        cell) if (strcmp("source", json_string_value(json_object_get(cell, "scenario"))) != 0)
        json_array_append_new(scenarios,
                              json_pack("{s:O, s:s, s:s, s:[{s:O, s:s, s:s}]}", "id",
                                        json_object_get(cell, "scenario"), "unit", "turn", "kind",
                                        "time", "cells", "params", json_object_get(cell, "params"),
                                        "size", "quick", "status", "ok"));
    json_object_set_new(programs->list[0].describe, "scenarios", scenarios);
}

// With the data that is delivered.
static void every_headline_cell_has_a_twin(void **state) {
    (void)state;
    static const char *const modes[] = {"default", "full"};
    json_t *real_data = load_data("plan.json"), *real_headline = load_data("headline.json"), *cell;
    json_t *cells = json_object_get(real_headline, "cells");
    for (size_t m = 0; m < 2; m++) {
        struct cb_programs programs = {0};
        add_headline_program(&programs, cells);
        struct cb_choice choice = {.mode = modes[m], .twins = true};
        struct cb_plan plan;
        assert_int_equal(cb_plan_make(&plan, &programs, real_data, real_headline, &choice),
                         CB_EXIT_OK);
        size_t i, found = 0;
        json_array_foreach(cells, i, cell) {
            const char *scenario = json_string_value(json_object_get(cell, "scenario"));
            char *id = cb_format("able/%s/%s/gcc/%s", scenario,
                                 json_string_value(json_object_get(cell, "binding")),
                                 json_string_value(json_object_get(cell, "params")));
            bool has = strcmp(scenario, "source") == 0; // which is not measured
            for (size_t c = 0; c < plan.count; c++)
                has = has ||
                      (plan.cells[c].twin_of != NULL && strcmp(plan.cells[c].twin_of, id) == 0);
            if (!has)
                fail_msg("%s: %s has no twin", modes[m], id);
            found++;
            free(id);
        }
        assert_true(found >= 8);
        cb_plan_free(&plan);
        cb_programs_free(&programs);
    }
    json_decref(real_data);
    json_decref(real_headline);
}

static void expect_text(char *text, const char *expected) {
    assert_string_equal(text, expected);
    free(text);
}

static void keys_are_put_in_order(void **state) {
    (void)state;
    expect_text(cb_params_with("", "aa", "1"), "aa=1");
    expect_text(cb_params_with("depth=1", "aa", "1"), "aa=1;depth=1");
    expect_text(cb_params_with("a=1;aaa=2", "aa", "1"), "a=1;aa=1;aaa=2");
    expect_text(cb_params_with("a=1", "aa", "1"), "a=1;aa=1");
    expect_text(cb_params_without("a=1;aa=1;aaa=2", "aa"), "a=1;aaa=2");
    expect_text(cb_params_without("aa=1;depth=1", "aa"), "depth=1");
    expect_text(cb_params_without("aa=1", "aa"), "");
    expect_text(cb_params_without("depth=1", "aa"), "depth=1");
}

static void a_link_that_can_be_used_stands_for_the_others(void **state) {
    (void)state;
    struct cb_programs programs = {0};
    add_program(&programs, "able", "gcc", 0, "failed");
    add_program(&programs, "able", "gcc", 1, "ok");
    add_program(&programs, "able", "gcc", 2, "failed");
    add_program(&programs, "able", "gcc", 3, "ok");
    struct cb_choice choice = {.mode = "quick"};
    struct cb_plan plan;
    assert_int_equal(cb_plan_make(&plan, &programs, data, headline, &choice), CB_EXIT_OK);
    for (size_t i = 0; i < plan.count; i++)
        assert_int_equal(plan.cells[i].status, CB_CELL_OK);
    expect_ids(&plan, "able/heap/opaque/gcc/n=1\n"
                      "able/size/opaque/gcc/\n"
                      "able/spin/opaque/gcc/a=1\n"
                      "able/spin/opaque/gcc/a=10\n"
                      "able/spin/visible/gcc/a=1\n");
    // They take turns.
    assert_int_equal(cb_programs_count_links(&programs, "able", "gcc"), 2);
    assert_int_equal(cb_programs_count_links(&programs, "able", "clang"), 0);
    const int turns[] = {1, 3, 1, 3};
    for (size_t n = 0; n < 4; n++)
        assert_int_equal(cb_programs_link(&programs, "able", "gcc", n)->link, turns[n]);
    assert_null(cb_programs_link(&programs, "able", "clang", 0));
    cb_programs_free(&programs);
    // Where none can be used, the cells are there once.
    programs = (struct cb_programs){0};
    add_program(&programs, "able", "gcc", 0, "failed");
    add_program(&programs, "able", "gcc", 1, "failed");
    add_program(&programs, "baker", "gcc", 0, "ok");
    assert_int_equal(cb_plan_make(&plan, &programs, data, headline, &choice), CB_EXIT_OK);
    assert_int_equal(plan.count, 10);
    cb_plan_free(&plan);
    cb_programs_free(&programs);
}

// ---- Order

// Twelve backends, and six scenarios of which the last is of kind space: 72 cells.
static struct cb_plan large_plan(void) {
    struct cb_plan plan = {.cells = cb_allocate(73, sizeof *plan.cells)};
    for (int s = 0; s < 6; s++)
        for (int b = 0; b < 12; b++)
            plan.cells[plan.count++] = (struct cb_cell){
                .id = cb_format("b%02d/s%d/opaque/gcc/", b, s),
                .backend = cb_format("b%02d", b),
                .scenario = cb_format("s%d", s),
                .binding = cb_copy("opaque"),
                .compiler = cb_copy("gcc"),
                .params = cb_copy(""),
                .kind = cb_copy(s == 5 ? "space" : "time"),
            };
    plan.cells[plan.count++] = (struct cb_cell){.scenario = cb_copy("size"),
                                                .binding = cb_copy("opaque"),
                                                .params = cb_copy(""),
                                                .kind = cb_copy("static")};
    return plan;
}

static void limits_are_looked_for_once(void **state) {
    (void)state;
    struct cb_plan plan = large_plan();
    for (size_t i = 0; i < 12; i++) { // all of scenario s0
        free(plan.cells[i].kind);
        plan.cells[i].kind = cb_copy("limit");
    }
    struct cb_order order;
    cb_order_make(&order, &plan, 4, 2, 100, 7);
    assert_int_equal(order.count, 12 + 4 * 48 + 2 * 12);
    for (size_t i = 0; i < order.count; i++)
        if (order.steps[i].cell < 12)
            assert_int_equal(order.steps[i].round, 1);
    cb_order_free(&order);
    cb_plan_free(&plan);
}

static void each_round_has_each_cell_once(void **state) {
    (void)state;
    struct cb_plan plan = large_plan();
    struct cb_order order;
    cb_order_make(&order, &plan, 4, 2, 100, 7);
    assert_int_equal(order.count, 4 * 60 + 2 * 12);
    unsigned seen[4][73] = {{0}};
    unsigned round = 1, position = 0;
    for (size_t i = 0; i < order.count; i++) {
        const struct cb_step *s = &order.steps[i];
        assert_true(s->round == round || s->round == round + 1);
        position = s->round == round ? position + 1 : 1;
        round = s->round;
        assert_int_equal(s->position, position);
        seen[s->round - 1][s->cell]++;
    }
    for (unsigned r = 0; r < 4; r++)
        for (size_t c = 0; c < plan.count; c++) {
            const char *kind = plan.cells[c].kind;
            bool there = strcmp(kind, "time") == 0 || (strcmp(kind, "space") == 0 && r < 2);
            assert_int_equal(seen[r][c], there ? 1 : 0);
        }
    for (unsigned r = 0; r < 4; r++)
        assert_in_range(order.padding[r], 0, 100);
    cb_order_free(&order);
    cb_plan_free(&plan);
}

static void comparable_cells_stand_side_by_side(void **state) {
    (void)state;
    struct cb_plan plan = large_plan();
    struct cb_order order;
    cb_order_make(&order, &plan, 3, 3, 0, 11);
    bool block_moved = false, member_moved = false;
    for (size_t i = 0; i < order.count; i += 12) {
        const char *scenario = plan.cells[order.steps[i].cell].scenario;
        for (size_t k = 0; k < 12; k++) {
            const struct cb_step *s = &order.steps[i + k];
            assert_string_equal(plan.cells[s->cell].scenario, scenario);
            assert_int_equal(s->round, order.steps[i].round);
            member_moved = member_moved || s->cell % 12 != k;
        }
        block_moved = block_moved || order.steps[i].cell / 12 != i % 72 / 12;
    }
    assert_true(block_moved);
    assert_true(member_moved);
    cb_order_free(&order);
    cb_plan_free(&plan);
}

static void twins_stand_in_the_block_at_random(void **state) {
    (void)state;
    struct cb_plan plan = make_choice("default", NULL, NULL, true);
    struct cb_order order;
    enum { ROUNDS = 24 };
    cb_order_make(&order, &plan, ROUNDS, ROUNDS, 0, 5);
    // able and baker by gcc, able by clang; and the twins of the first two
    size_t before = 0, after = 0, apart = 0;
    for (size_t i = 0; i < order.count; i++) {
        const struct cb_cell *cell = &plan.cells[order.steps[i].cell];
        if (cell->twin_of == NULL || strcmp(cell->scenario, "spin") != 0 ||
            strcmp(cell->binding, "opaque") != 0 || strcmp(cb_cell_asked(cell), "a=1") != 0)
            continue;
        for (size_t k = 0; k < order.count; k++) {
            if (order.steps[k].round != order.steps[i].round ||
                strcmp(plan.cells[order.steps[k].cell].id, cell->twin_of) != 0)
                continue;
            before += k < i;
            after += k > i;
            size_t distance = k < i ? i - k : k - i;
            apart += distance > 1;
            // 6 cells of a block: able by two compilers, baker, charlie, two twins
            assert_in_range(distance, 1, 5);
        }
    }
    assert_int_equal(before + after, 2 * ROUNDS);
    assert_true(before > 0 && after > 0 && apart > 0);
    cb_order_free(&order);
    cb_plan_free(&plan);
}

static bool same_order(const struct cb_order *a, const struct cb_order *b) {
    return a->count == b->count && memcmp(a->steps, b->steps, a->count * sizeof *a->steps) == 0 &&
           memcmp(a->padding, b->padding, a->rounds * sizeof *a->padding) == 0;
}

static void the_seed_alone_decides(void **state) {
    (void)state;
    struct cb_plan plan = large_plan();
    struct cb_order a, b, c;
    cb_order_make(&a, &plan, 5, 3, 4096, 42);
    // A cell that failed meanwhile must not change what the others do.
    plan.cells[3].status = CB_CELL_FAILED;
    cb_order_make(&b, &plan, 5, 3, 4096, 42);
    cb_order_make(&c, &plan, 5, 3, 4096, 43);
    assert_true(same_order(&a, &b));
    assert_false(same_order(&a, &c));
    // Rounds differ from each other.
    assert_memory_not_equal(&a.steps[0].cell, &a.steps[72].cell, sizeof a.steps[0].cell);
    cb_order_free(&a);
    cb_order_free(&b);
    cb_order_free(&c);
    cb_plan_free(&plan);
}

static void finds_params(void **state) {
    (void)state;
    assert_int_equal(cb_params_number("cpus=2;depth=16", "depth", 0), 16);
    assert_int_equal(cb_params_number("cpus=2;depth=16", "cpus", 1), 2);
    assert_int_equal(cb_params_number("depth=16", "cpus", 1), 1);
    assert_int_equal(cb_params_number("", "cpus", 1), 1);
    assert_int_equal(cb_params_number("xcpus=2", "cpus", 1), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_takes_quick_cells_of_one_compiler),
        cmocka_unit_test(the_second_compiler_takes_headline_cells),
        cmocka_unit_test(the_second_compiler_also_takes_what_is_asked_for_by_name),
        cmocka_unit_test(the_second_compiler_does_not_take_what_is_left_out_by_name),
        cmocka_unit_test(a_compiler_alone_is_the_first),
        cmocka_unit_test(named_compilers_are_seen_in_quick),
        cmocka_unit_test(what_is_unavailable_is_never_absent),
        cmocka_unit_test(a_binding_that_was_not_built_is_unavailable),
        cmocka_unit_test(wrong_names_are_refused),
        cmocka_unit_test(a_plan_survives_json),
        cmocka_unit_test(twins_are_of_the_first_compiler),
        cmocka_unit_test(what_is_not_measured_has_no_twin),
        cmocka_unit_test(a_share_of_many_backends_has_twins),
        cmocka_unit_test(what_is_excepted_is_not_measured),
        cmocka_unit_test(a_larger_size_lends_what_is_asked_for_by_name),
        cmocka_unit_test(what_is_excepted_of_a_family_is_measured_of_others),
        cmocka_unit_test(params_choose_cells),
        cmocka_unit_test(of_a_variant_fewer_cells_are_measured),
        cmocka_unit_test(a_twin_knows_its_original),
        cmocka_unit_test(every_headline_cell_has_a_twin),
        cmocka_unit_test(keys_are_put_in_order),
        cmocka_unit_test(a_link_that_can_be_used_stands_for_the_others),
        cmocka_unit_test(each_round_has_each_cell_once),
        cmocka_unit_test(limits_are_looked_for_once),
        cmocka_unit_test(comparable_cells_stand_side_by_side),
        cmocka_unit_test(twins_stand_in_the_block_at_random),
        cmocka_unit_test(the_seed_alone_decides),
        cmocka_unit_test(finds_params),
    };
    return cmocka_run_group_tests_name("tool: plan and order", tests, load, unload);
}
