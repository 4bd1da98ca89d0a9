// Raw files: what is whole becomes rows of samples.csv, what is not is refused with its reason.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/lib/file.h"
#include "harness/lib/message.h"
#include "harness/tool/samples.h"

static char folder[] = "/tmp/corobench-raw-XXXXXX";
static char *file;

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    file = cb_format("%s/raw.json", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(file);
    free(file);
    return rmdir(folder);
}

static struct cb_cell cell_of(char *kind) {
    static char backend[] = "b", scenario[] = "s", binding[] = "opaque", compiler[] = "gcc";
    static char params[] = "d=1", id[] = "b/s/opaque/gcc/d=1";
    return (struct cb_cell){.id = id,
                            .backend = backend,
                            .scenario = scenario,
                            .binding = binding,
                            .compiler = compiler,
                            .params = params,
                            .kind = kind};
}

static char time_kind[] = "time", space_kind[] = "space", limit_kind[] = "limit";

#define ANSWER                                                                                     \
    "{'status': 'ok', 'note': '', 'backend': 'b', 'scenario': 's', 'binding': 'opaque', "          \
    "'params': 'd=1', 'compiler': 'gcc', 'link': 3, 'pinned': true, 'migrated': false}"

// Writes a document with this answer and these repetitions; ' stands for a quote.
static void write_raw(const char *answer, const char *repetitions) {
    char *inner = cb_copy(answer), *list = cb_copy(repetitions);
    for (char *c = inner; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    for (char *c = list; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *document = json_pack("{s:{s:s}, s:o}", "context", "corobench", inner, "benchmarks",
                                 json_loads(list, 0, NULL));
    assert_non_null(document);
    assert_int_equal(json_dump_file(document, file, 0), 0);
    json_decref(document);
    free(inner);
    free(list);
}

static char *rows_of(const struct cb_cell *cell, unsigned repetitions, const char *flags) {
    struct cb_sample sample;
    char *problem = cb_sample_read(&sample, file, cell, repetitions);
    if (problem != NULL)
        fail_msg("%s", problem);
    const struct cb_step step = {.round = 2, .position = 9};
    struct cb_text rows = {0};
    cb_sample_rows(&rows, "run", cell, &step, &sample, flags);
    cb_sample_free(&sample);
    return rows.text;
}

static void time_becomes_rows(void **state) {
    (void)state;
    struct cb_cell cell = cell_of(time_kind);
    write_raw(ANSWER, "[{'real_time': 1000, 'cpu_time': 900, 'operations': 100, 'cycle_ns': 0.25, "
                      "'faults': 1, 'nvcsw': 2, 'nivcsw': 3, 'steal': 4, 'loop_ns': 50, "
                      "'hand_ns': 500, 'polls': 300},"
                      "{'real_time': 2000, 'cpu_time': 0, 'operations': 100, 'instructions': 700, "
                      "'branch_misses': 5, 'l1_misses': 25, 'cycles': null}]");
    char *rows = rows_of(&cell, 2, "remeasured");
    assert_string_equal(
        rows, "run,b/s/opaque/gcc/d=1,2,3,1,9,time,10,100,1000,900,0.25,,1,2,3,4,remeasured\n"
              "run,b/s/opaque/gcc/d=1,2,3,1,9,loop,0.5,100,50,,,,,,,,remeasured\n"
              "run,b/s/opaque/gcc/d=1,2,3,1,9,hand,5,100,500,,,,,,,,remeasured\n"
              "run,b/s/opaque/gcc/d=1,2,3,1,9,ratio,2,100,,,,,,,,,remeasured\n"
              "run,b/s/opaque/gcc/d=1,2,3,1,9,polls,3,100,,,,,,,,,remeasured\n"
              "run,b/s/opaque/gcc/d=1,2,3,2,9,time,20,100,2000,0,,700,,,,,remeasured\n"
              "run,b/s/opaque/gcc/d=1,2,3,2,9,instructions,7,100,,,,,,,,,remeasured\n"
              "run,b/s/opaque/gcc/d=1,2,3,2,9,branch_misses,0.05,100,,,,,,,,,remeasured\n"
              "run,b/s/opaque/gcc/d=1,2,3,2,9,l1_misses,0.25,100,,,,,,,,,remeasured\n");
    free(rows);
}

static void space_becomes_rows(void **state) {
    (void)state;
    struct cb_cell cell = cell_of(space_kind);
    write_raw(ANSWER, "[{'real_time': 1, 'operations': 1000, 'rss': 64.5, 'virtual': 128, "
                      "'mappings': 0}]");
    char *rows = rows_of(&cell, 5, "");
    assert_string_equal(rows, "run,b/s/opaque/gcc/d=1,2,3,1,9,rss,64.5,1000,,,,,,,,,\n"
                              "run,b/s/opaque/gcc/d=1,2,3,1,9,virtual,128,1000,,,,,,,,,\n"
                              "run,b/s/opaque/gcc/d=1,2,3,1,9,mappings,0,1000,,,,,,,,,\n");
    free(rows);
}

static void limit_becomes_a_row(void **state) {
    (void)state;
    struct cb_cell cell = cell_of(limit_kind);
    write_raw(ANSWER, "[{'real_time': 1, 'coroutines': 49000}]");
    char *rows = rows_of(&cell, 5, "");
    assert_string_equal(rows, "run,b/s/opaque/gcc/d=1,2,3,1,9,coroutines,49000,,,,,,,,,,\n");
    free(rows);
}

static void rows_have_the_headers_columns(void **state) {
    (void)state;
    size_t header = 0, row = 0;
    struct cb_cell cell = cell_of(time_kind);
    write_raw(ANSWER, "[{'real_time': 1, 'cpu_time': 1, 'operations': 1}]");
    char *rows = rows_of(&cell, 1, "");
    for (const char *c = cb_samples_header; *c != '\0'; c++)
        header += *c == ',';
    for (const char *c = rows; *c != '\0'; c++)
        row += *c == ',';
    assert_int_equal(header, 17);
    assert_int_equal(row, header);
    free(rows);
}

static void expect_problem(const struct cb_cell *cell, const char *answer, const char *repetitions,
                           const char *reason) {
    struct cb_sample sample;
    write_raw(answer, repetitions);
    char *problem = cb_sample_read(&sample, file, cell, 1);
    if (problem == NULL || strstr(problem, reason) == NULL)
        fail_msg("'%s' instead of '%s'", problem ? problem : "nothing", reason);
    free(problem);
}

static void what_is_not_whole_is_refused(void **state) {
    (void)state;
    struct cb_cell time = cell_of(time_kind), space = cell_of(space_kind);
    const char good[] = "[{'real_time': 1, 'cpu_time': 1, 'operations': 1}]";
    expect_problem(&time, "no json", good, "no answer");
    expect_problem(&time, "{'backend': 'x'}", good, "another backend");
    expect_problem(&time,
                   "{'backend': 'b', 'scenario': 's', 'binding': 'opaque', 'params': 'd=2', "
                   "'compiler': 'gcc', 'status': 'ok'}",
                   good, "another params");
    expect_problem(&time,
                   "{'backend': 'b', 'scenario': 's', 'binding': 'opaque', 'params': 'd=1', "
                   "'compiler': 'gcc', 'status': 'ok', 'pinned': false}",
                   good, "pinned");
    expect_problem(&time,
                   "{'backend': 'b', 'scenario': 's', 'binding': 'opaque', 'params': 'd=1', "
                   "'compiler': 'gcc'}",
                   good, "no status");
    expect_problem(&time, ANSWER, "[]", "0 repetitions instead of 1");
    expect_problem(&time, ANSWER, "[{'real_time': 0, 'cpu_time': 1, 'operations': 1}]",
                   "real_time");
    expect_problem(&time, ANSWER, "[{'real_time': 1, 'cpu_time': 1, 'operations': 0}]",
                   "operations");
    expect_problem(&time, ANSWER, "[{'real_time': 1, 'cpu_time': 'x', 'operations': 1}]",
                   "cpu_time");
    expect_problem(&space, ANSWER, "[{'real_time': 1, 'cpu_time': 1, 'operations': 1}]", "no size");

    struct cb_sample sample;
    assert_int_equal(cb_file_write(file, "{\"context\": ", 12), 0);
    char *problem = cb_sample_read(&sample, file, &time, 1);
    assert_non_null(strstr(problem, "not valid JSON"));
    free(problem);
}

static void a_reason_needs_no_repetitions(void **state) {
    (void)state;
    struct cb_cell cell = cell_of(time_kind);
    struct cb_sample sample;
    write_raw("{'status': 'unavailable', 'note': 'no room in /some/where', 'backend': 'b', "
              "'scenario': 's', 'binding': 'opaque', 'params': 'd=1', 'compiler': 'gcc'}",
              "[]");
    assert_null(cb_sample_read(&sample, file, &cell, 4));
    assert_int_equal(sample.status, CB_CELL_UNAVAILABLE);
    assert_string_equal(sample.note, "no room in where");
    struct cb_text rows = {0};
    cb_sample_rows(&rows, "run", &cell, &(struct cb_step){0}, &sample, "");
    assert_int_equal(rows.length, 0);
    cb_sample_free(&sample);
}

// Reads a sample of four repetitions of 25 ms each, of which as many as `hits` say `counters` and
// took so much CPU time, and the others nothing; free it.
static struct cb_sample sample_of(int hits, const char *cpu_ms, const char *counters) {
    struct cb_cell cell = cell_of(time_kind);
    struct cb_sample sample;
    struct cb_text list = {0};
    for (int i = 0; i < 4; i++)
        cb_text_add(&list, "%s{'real_time': 25e6, 'cpu_time': %se6, 'operations': 1%s}",
                    i ? ", " : "[", i < hits ? cpu_ms : "25", i < hits ? counters : "");
    cb_text_add(&list, "]");
    write_raw(ANSWER, list.text);
    cb_text_clear(&list);
    assert_null(cb_sample_read(&sample, file, &cell, 4));
    return sample;
}

// A switch is allowed in a repetition, and 4 % lost by more; one such repetition of four. Of steal
// ticks one, and 20 for each second.
static enum cb_retake disturbed_if(int hits, const char *cpu_ms, const char *counters,
                                   bool migrated, bool parallel) {
    const struct cb_again again = {.tries = 2,
                                   .share = 1,
                                   .involuntary = 1,
                                   .lost = 0.04,
                                   .hit = 0.25,
                                   .steal = 1,
                                   .steal_per_s = 20,
                                   .crowded = 0.9,
                                   .width = 2.95};
    struct cb_sample sample = sample_of(hits, cpu_ms, counters);
    sample.migrated = migrated;
    enum cb_retake answer = cb_sample_disturbed(&sample, &again, parallel);
    cb_sample_free(&sample);
    return answer;
}

static enum cb_retake disturbed(int hits, const char *cpu_ms, const char *counters) {
    return disturbed_if(hits, cpu_ms, counters, false, false);
}

static void switches_that_cost_time_disturb(void **state) {
    (void)state;
    assert_int_equal(disturbed(0, "25", ""), CB_RETAKE_NONE);
    assert_int_equal(disturbed(2, "23", ", 'nivcsw': 2"), CB_RETAKE_INVOLUNTARY);
    // One repetition does not move the median.
    assert_int_equal(disturbed(1, "5", ", 'nivcsw': 2"), CB_RETAKE_NONE);
    // Many switches that took no time; time that was lost otherwise.
    assert_int_equal(disturbed(4, "24.5", ", 'nivcsw': 99"), CB_RETAKE_NONE);
    assert_int_equal(disturbed(4, "5", ", 'nivcsw': 1"), CB_RETAKE_NONE);
    assert_int_equal(disturbed(4, "5", ""), CB_RETAKE_NONE);
    // What blocks is switched away on its own account.
    assert_int_equal(disturbed(2, "5", ", 'nvcsw': 50, 'nivcsw': 51"), CB_RETAKE_NONE);
    assert_int_equal(disturbed(2, "5", ", 'nvcsw': 50, 'nivcsw': 52"), CB_RETAKE_INVOLUNTARY);
    // Threads that wake each other on one unit are switched in any way.
    assert_int_equal(disturbed_if(4, "5", ", 'nvcsw': 50, 'nivcsw': 5000", false, true),
                     CB_RETAKE_NONE);
}

static void a_shared_core_disturbs(void **state) {
    (void)state;
    assert_int_equal(disturbed(2, "25", ", 'width': 2.7"), CB_RETAKE_NONE);
    assert_int_equal(disturbed(2, "25", ", 'width': 2.6"), CB_RETAKE_CROWDED);
    assert_int_equal(disturbed(1, "25", ", 'width': 2.6"), CB_RETAKE_NONE);
    assert_int_equal(disturbed(2, "23", ", 'nivcsw': 2, 'width': 1.5"), CB_RETAKE_INVOLUNTARY);
    // Threads share a core as well as others.
    assert_int_equal(disturbed_if(2, "25", ", 'width': 2.6", false, true), CB_RETAKE_CROWDED);
}

static void the_gravest_reason_counts(void **state) {
    (void)state;
    // 1 + 20/s in 0.1 s
    assert_int_equal(disturbed(1, "25", ", 'steal': 3"), CB_RETAKE_NONE);
    assert_int_equal(disturbed(1, "25", ", 'steal': 4"), CB_RETAKE_STEAL);
    assert_int_equal(disturbed(4, "25", ", 'steal': 1"), CB_RETAKE_STEAL);
    assert_int_equal(disturbed_if(0, "25", "", true, false), CB_RETAKE_MIGRATION);
    assert_int_equal(disturbed_if(4, "5", ", 'nivcsw': 9, 'steal': 9", true, false),
                     CB_RETAKE_MIGRATION);
    assert_int_equal(disturbed(4, "5", ", 'nivcsw': 9, 'steal': 9"), CB_RETAKE_STEAL);
    assert_int_equal(disturbed_if(4, "5", ", 'nivcsw': 5000, 'steal': 4", false, true),
                     CB_RETAKE_STEAL);
}

static void reasons_of_retakes_stay_in_the_file(void **state) {
    (void)state;
    struct cb_cell cell = cell_of(time_kind);
    struct cb_sample sample = sample_of(4, "24", ", 'cycle_ns': 0.1");
    enum cb_retake reasons[4] = {CB_RETAKE_STEAL, CB_RETAKE_INVOLUNTARY}, read[4];
    assert_int_equal(cb_sample_get_retakes(&sample, read, 4), 0);
    char *before = rows_of(&cell, 4, "");
    assert_int_equal(cb_sample_set_retakes(&sample, file, reasons, 2), 0);
    cb_sample_free(&sample);
    assert_null(cb_sample_read(&sample, file, &cell, 4));
    assert_int_equal(cb_sample_get_retakes(&sample, read, 4), 2);
    assert_memory_equal(read, reasons, 2 * sizeof *reasons);
    assert_int_equal(cb_sample_get_retakes(&sample, read, 1), 1);
    // It says all else as before.
    char *after = rows_of(&cell, 4, "");
    assert_string_equal(before, after);
    cb_sample_free(&sample);
    free(before);
    free(after);
}

static void a_twin_answers_for_its_original(void **state) {
    (void)state;
    struct cb_cell twin = cell_of(time_kind);
    char params[] = "aa=1;d=1", asked[] = "d=1", id[] = "b/s/opaque/gcc/aa=1;d=1";
    twin.params = params;
    twin.id = id;
    write_raw(ANSWER, "[{'real_time': 10, 'cpu_time': 1, 'operations': 1}]");
    struct cb_sample sample;
    char *problem = cb_sample_read(&sample, file, &twin, 1);
    assert_string_equal(problem, "it is about another params");
    free(problem);
    twin.asked = asked;
    char *rows = rows_of(&twin, 1, "");
    assert_string_equal(rows, "run,b/s/opaque/gcc/aa=1;d=1,2,3,1,9,time,10,1,10,1,,,,,,,\n");
    free(rows);
}

static void facts_become_rows(void **state) {
    (void)state;
    struct cb_cell cell = cell_of(time_kind);
    json_t *entry = json_pack("{s:s, s:[s, s, s, s]}", "member", "text", "metrics", "lines", "asm",
                              "bytes", "absent");
    json_t *describe =
        json_pack("{s:i, s:{s:i, s:i, s:n}}", "link", 2, "text", "lines", 120, "asm", -1, "bytes");
    struct cb_text rows = {0};
    cb_static_rows(&rows, "run", &cell, entry, describe);
    assert_string_equal(rows.text, "run,b/s/opaque/gcc/d=1,0,2,0,0,lines,120,,,,,,,,,,\n");
    cb_text_clear(&rows);
    json_decref(entry);
    json_decref(describe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_becomes_rows),
        cmocka_unit_test(space_becomes_rows),
        cmocka_unit_test(limit_becomes_a_row),
        cmocka_unit_test(rows_have_the_headers_columns),
        cmocka_unit_test(what_is_not_whole_is_refused),
        cmocka_unit_test(a_reason_needs_no_repetitions),
        cmocka_unit_test(switches_that_cost_time_disturb),
        cmocka_unit_test(the_gravest_reason_counts),
        cmocka_unit_test(a_shared_core_disturbs),
        cmocka_unit_test(reasons_of_retakes_stay_in_the_file),
        cmocka_unit_test(a_twin_answers_for_its_original),
        cmocka_unit_test(facts_become_rows),
    };
    return cmocka_run_group_tests_name("tool: samples", tests, make_folder, remove_folder);
}
