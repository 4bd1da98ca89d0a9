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
    " 'quick': {'second_compiler': 'none', 'bindings': {'opaque': ['*'], 'visible': ['spin/a=1']}},"
    " 'default': {'second_compiler': 'headline', 'bindings': {'opaque': ['*'], 'visible': "
    "['spin/*'], 'library': ['spin/a=[12]']}},"
    " 'full': {'second_compiler': 'all', 'bindings': {'opaque': ['*']}}},"
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
        p->describe = parse("{'text': {'lines': 7}}");
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

static struct cb_plan make(const char *mode, const char *backend, const char *compiler) {
    struct cb_programs programs = three_programs();
    struct cb_choice choice = {.mode = mode};
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
        cmocka_unit_test(a_compiler_alone_is_the_first),
        cmocka_unit_test(named_compilers_are_seen_in_quick),
        cmocka_unit_test(what_is_unavailable_is_never_absent),
        cmocka_unit_test(a_binding_that_was_not_built_is_unavailable),
        cmocka_unit_test(wrong_names_are_refused),
        cmocka_unit_test(a_plan_survives_json),
        cmocka_unit_test(each_round_has_each_cell_once),
        cmocka_unit_test(comparable_cells_stand_side_by_side),
        cmocka_unit_test(the_seed_alone_decides),
        cmocka_unit_test(finds_params),
    };
    return cmocka_run_group_tests_name("tool: plan and order", tests, load, unload);
}
