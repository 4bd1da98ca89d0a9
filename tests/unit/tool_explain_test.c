// Explanations of a made-up run: each sample finds its raw file by what the file holds, derived
// metrics find their cells, commands are those that were run, and a wrong id finds its neighbours.
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/lib/file.h"
#include "harness/tool/explain.h"

static char root[] = "/tmp/corobench-explain-XXXXXX";

#define LEAF(rest) "leaf/" rest
#define YIELD LEAF("yield/opaque/gcc/depth=1")
#define MEMORY LEAF("memory/opaque/gcc/live=32;n=10")
#define TWIN LEAF("yield/opaque/gcc/aa=1;depth=1")
#define BROKEN LEAF("live/opaque/gcc/n=1")
#define COLD LEAF("cold/opaque/gcc/evict=cache")
#define FRESH LEAF("setup/opaque/gcc/cpus=2;storage=fresh")

enum { ROUNDS = 3 };

// ---- The run ------------------------------------------------------------------------------------

static void put_file(const char *name, const char *text) {
    char *path = cb_format("%s/%s", root, name);
    assert_int_equal(cb_file_write(path, text, strlen(text)), 0);
    free(path);
}

static void plan(json_t *list, const char *id, const char *kind, const char *status) {
    char *copy = cb_copy(id), *part[5] = {copy};
    for (int i = 1; i < 5; i++) {
        part[i] = strchr(part[i - 1], '/');
        *part[i]++ = '\0';
    }
    json_array_append_new(list,
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s}",
                                    "cell_id", id, "backend", part[0], "family", "stackless",
                                    "scenario", part[1], "binding", part[2], "compiler", part[3],
                                    "params", part[4], "kind", kind, "iterations", 4711, "status",
                                    status, "note", *status == 'f' ? "ended by signal 11" : ""));
    if (strcmp(id, TWIN) == 0)
        json_object_set_new(json_array_get(list, json_array_size(list) - 1), "twin_of",
                            json_string(YIELD));
    free(copy);
}

// The raw file of a cell as a bench program writes it; `wall` of the first repetition, or its rss.
static void put_raw(const char *name, const char *id, double wall, double rss, bool migrated) {
    char *copy = cb_copy(id), *part[5] = {copy};
    for (int i = 1; i < 5; i++) {
        part[i] = strchr(part[i - 1], '/');
        *part[i]++ = '\0';
    }
    json_t *answer = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "status", wall > 0 || rss > 0 ? "ok" : "failed",
        "note", wall > 0 || rss > 0 ? "" : "ended by signal 11", "backend", part[0], "scenario",
        part[1], "binding", part[2], "compiler", part[3], "params", part[4], "migrated", migrated);
    char *text = json_dumps(answer, 0);
    json_t *repetition = rss > 0 ? json_pack("{s:f, s:f}", "real_time", 1.0, "rss", rss)
                                 : json_pack("{s:f}", "real_time", wall);
    json_t *document =
        json_pack("{s:{s:s}, s:[o]}", "context", "corobench", text, "benchmarks", repetition);
    char *bytes = json_dumps(document, 0), *path = cb_format("raw/%s", name);
    put_file(path, bytes);
    free(path);
    free(bytes);
    free(text);
    free(copy);
    json_decref(document);
    json_decref(answer);
}

static const char *const others[] = {LEAF("yield/opaque/gcc/depth=2"),
                                     LEAF("yield/opaque/gcc/depth=4"),
                                     LEAF("yield/opaque/gcc/depth=8"),
                                     LEAF("yield/opaque/gcc/depth=16"),
                                     LEAF("call/opaque/gcc/yields=16"),
                                     "chain/yield/opaque/gcc/depth=1",
                                     TWIN,
                                     LEAF("yield/opaque/gcc/depth-1"),
                                     LEAF("yield/opaque/gcc/depth=32"),
                                     LEAF("yield/opaque/gcc/depth=48"),
                                     LEAF("yield/opaque/gcc/depth=64")};
enum { OTHERS = sizeof others / sizeof *others };

static void put_document(void) {
    json_t *list = json_array();
    plan(list, YIELD, "time", "ok");
    plan(list, MEMORY, "space", "ok");
    plan(list, BROKEN, "time", "failed");
    plan(list, FRESH, "time", "ok");
    plan(list, COLD, "time", "ok");
    plan(list, LEAF("source/opaque/gcc/"), "static", "ok");
    for (int i = 0; i < OTHERS; i++)
        plan(list, others[i], "time", "ok");
    json_t *programs = json_array();
    for (int link = 0; link < 2; link++)
        json_array_append_new(
            programs,
            json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s, s:{s:{s:s}}}}",
                      "backend", "leaf", "compiler", "gcc", "link", link, "status", "ok", "note",
                      "", "sha256", link ? "beef" : "cafe", "library_sha256", "f00d", "describe",
                      "compiler", "gcc", "compiler_version", "12.2.0", "flags", "-O2 -g",
                      "language", "C17", "environment", "storage=fresh", "TUNE", "a=0"));
    json_t *document =
        json_pack("{s:i, s:s, s:s, s:i, s:i, s:i, s:[i, i], s:[i, i, i], s:{s:s, s:s}, s:{s:s}, "
                  "s:{s:{s:i, s:f, s:f, s:f, s:f, s:f, s:f}}, s:o, s:o}",
                  "schema", 1, "run", "made", "mode", "default", "seed", 77, "rounds", ROUNDS,
                  "repetitions", 2, "cpus", 5, 3, "padding", 100, 200, 300, "machine", "id", "m1",
                  "kernel", "6.1", "compilers", "gcc", "12.2.0", "settings", "again", "tries", 3,
                  "share", 0.15, "steal", 0.0, "steal_per_s", 4.0, "involuntary", 1.0, "lost", 0.03,
                  "hit", 0.4, "programs", programs, "plan", list);
    char *text = json_dumps(document, 0);
    put_file("run.json", text);
    free(text);
    json_decref(document);
}

static void time_rows(struct cb_text *text, const char *id, double truth, const char *flags) {
    for (int round = 1; round <= ROUNDS; round++)
        for (int rep = 1; rep <= 2; rep++) {
            double value = truth * round + 0.25 * rep;
            cb_text_add(text, "made,%s,%d,%d,%d,%d,time,%.17g,100,%.17g,1,0.25,,0,7,%d,0,%s\n", id,
                        round, round % 2, rep, 10 * round, value, 100 * value, round,
                        round == 2 ? flags : "");
            cb_text_add(text, "made,%s,%d,%d,%d,%d,loop,0.25,100,25,,,,,,,,\n", id, round,
                        round % 2, rep, 10 * round);
        }
}

static void put_samples(void) {
    struct cb_text text = {0};
    cb_text_add(&text,
                "run,cell_id,round,build,rep,position,metric,value,iterations,wall_ns,cpu_ns,"
                "cycle_ns,instructions,faults,nvcsw,nivcsw,steal,flags\n");
    time_rows(&text, YIELD, 2, "remeasured");
    time_rows(&text, FRESH, 30, "");
    time_rows(&text, COLD, 40, "");
    cb_text_add(&text, "made,%s,1,1,1,10,hand,30,100,3000,,,,,,,,\n", COLD);
    for (int i = 0; i < OTHERS; i++)
        time_rows(&text, others[i], 3 + i, "");
    for (int round = 1; round <= 2; round++)
        cb_text_add(&text,
                    "made,%s,%d,0,1,%d,rss,64,10,,,,,,,,,\n"
                    "made,%s,%d,0,1,%d,page_tables,0.5,10,,,,,,,,,\n",
                    MEMORY, round, round, MEMORY, round, round);
    cb_text_add(&text, "made,leaf/source/opaque/gcc/,0,0,0,0,lines,512,,,,,,,,,,\n");
    put_file("samples.csv", text.text);
    cb_text_clear(&text);
}

static int make_root(void **state) {
    (void)state;
    if (!mkdtemp(root))
        return -1;
    char *raw = cb_format("%s/raw", root);
    mkdir(raw, 0777);
    free(raw);
    put_document();
    put_samples();
    // Round 1 took value 2.25, round 2 4.25 at the third try, round 3 6.25: its file is gone.
    put_raw("000009-leaf-yield-opaque-gcc-depth-1.json", YIELD, 999, 0, false); // of no sample
    put_raw("000010-leaf-yield-opaque-gcc-depth-1.json", YIELD, 225, 0, false);
    put_raw("000035-leaf-yield-opaque-gcc-depth-1.again2.json", YIELD, 425, 0, true);
    put_raw("000036-leaf-yield-opaque-gcc-depth-1.json", LEAF("yield/opaque/gcc/depth-1"), 625, 0,
            false); // another cell, of the same letters
    put_raw("000037-leaf-yield-opaque-gcc-depth-16.json", LEAF("yield/opaque/gcc/depth=16"), 625, 0,
            false); // a longer name
    put_raw("000011-leaf-memory-opaque-gcc-live-32-n-10.json", MEMORY, 0, 64, false);
    put_raw("000042-leaf-memory-opaque-gcc-live-32-n-10.json", MEMORY, 0, 64, false);
    put_raw("000012-leaf-live-opaque-gcc-n-1.json", BROKEN, 0, 0, false);
    // A twin's file names the cell that the program was asked for.
    put_raw("000013-leaf-yield-opaque-gcc-aa-1-depth-1.json", YIELD, 925, 0, false);
    put_file("raw/000099-leaf-yield-opaque-gcc-depth-1.json", "{ torn");
    if (!getenv("COROBENCH_SHARE")) {
        char *program = cb_program_folder(), *share = cb_format("%s/../../share", program);
        setenv("COROBENCH_SHARE", share, 1);
        free(share);
        free(program);
    }
    return 0;
}

static int remove_root(void **state) {
    (void)state;
    char *command = cb_format("rm -r '%s'", root);
    int status = system(command); // NOLINT(cert-env33-c)
    free(command);
    return status;
}

// ---- Explaining ---------------------------------------------------------------------------------

static int explain(const char *pattern, bool json, char **text, char **said) {
    char *words = NULL;
    size_t length, word_length;
    FILE *out = open_memstream(text, &length), *messages = open_memstream(&words, &word_length);
    int status = cb_explain(root, pattern, json, out, messages);
    fclose(out);
    fclose(messages);
    if (said)
        *said = words;
    else
        free(words);
    return status;
}

static json_t *explain_json(const char *pattern) {
    char *text;
    assert_int_equal(explain(pattern, true, &text, NULL), CB_EXIT_OK);
    json_t *document = json_loads(text, 0, NULL);
    free(text);
    assert_non_null(document);
    return document;
}

static const json_t *cell_of(const json_t *document, size_t index) {
    return json_array_get(json_object_get(document, "cells"), index);
}

static const json_t *sample_of(const json_t *document, size_t index) {
    return json_array_get(json_object_get(cell_of(document, 0), "samples"), index);
}

static const json_t *metric_of(const json_t *cell, const char *name) {
    size_t i;
    json_t *metric;
    json_array_foreach(json_object_get(cell, "metrics"), i,
                       metric) if (strcmp(cb_rep_string(metric, "metric", ""), name) ==
                                   0) return metric;
    fail_msg("no metric %s", name);
    return NULL;
}

static void assert_integer(const json_t *object, const char *key, int wanted) {
    if (!json_is_number(json_object_get(object, key)) ||
        json_number_value(json_object_get(object, key)) != wanted)
        fail_msg("%s is not %d", key, wanted);
}

static void each_sample_finds_its_raw_file(void **state) {
    (void)state;
    json_t *document = explain_json(YIELD);
    assert_int_equal(json_array_size(json_object_get(document, "cells")), 1);
    assert_int_equal(json_array_size(json_object_get(cell_of(document, 0), "samples")), ROUNDS);
    const json_t *first = sample_of(document, 0), *second = sample_of(document, 1);
    assert_string_equal(cb_rep_string(first, "raw", ""),
                        "raw/000010-leaf-yield-opaque-gcc-depth-1.json");
    assert_integer(first, "taken_again", 0);
    assert_integer(first, "position", 10);
    assert_integer(first, "round", 1);
    assert_integer(first, "build", 1);
    assert_integer(first, "padding", 100);
    assert_integer(first, "nvcsw", 14);
    assert_integer(first, "nivcsw", 2);
    assert_float_equal(json_number_value(json_object_get(json_object_get(first, "values"), "time")),
                       2.375, 1e-9);
    assert_string_equal(cb_rep_string(second, "raw", ""),
                        "raw/000035-leaf-yield-opaque-gcc-depth-1.again2.json");
    assert_integer(second, "taken_again", 2);
    assert_string_equal(cb_rep_string(second, "flags", ""), "remeasured");
    assert_true(json_is_true(json_object_get(second, "migrated")));
    // The files of other cells that hold the same time are not taken for it.
    assert_true(json_is_null(json_object_get(sample_of(document, 2), "raw")));
    const json_t *others_left = json_object_get(cell_of(document, 0), "other_raw");
    assert_int_equal(json_array_size(others_left), 1);
    assert_string_equal(cb_rep_string(json_array_get(others_left, 0), "raw", ""),
                        "raw/000009-leaf-yield-opaque-gcc-depth-1.json");
    json_decref(document);
}

static void equal_values_take_raw_files_in_order(void **state) {
    (void)state;
    json_t *document = explain_json(MEMORY);
    assert_string_equal(cb_rep_string(sample_of(document, 0), "raw", ""),
                        "raw/000011-leaf-memory-opaque-gcc-live-32-n-10.json");
    assert_string_equal(cb_rep_string(sample_of(document, 1), "raw", ""),
                        "raw/000042-leaf-memory-opaque-gcc-live-32-n-10.json");
    json_decref(document);
}

static void the_command_is_the_one_that_was_run(void **state) {
    (void)state;
    json_t *document = explain_json(YIELD);
    assert_string_equal(
        cb_rep_string(sample_of(document, 0), "command", ""),
        "COROBENCH_PADDING=\"$(printf '%100s' '')\" bench/leaf-gcc-link1 --measure --scenario "
        "yield "
        "--binding opaque --params 'depth=1' --cpu 5 --iterations 4711 --repetitions 2 --out "
        "raw/000010-leaf-yield-opaque-gcc-depth-1.json");
    json_decref(document);
    document = explain_json(FRESH);
    assert_string_equal(
        cb_rep_string(sample_of(document, 1), "command", ""),
        "TUNE='a=0' COROBENCH_PADDING=\"$(printf '%200s' '')\" bench/leaf-gcc --measure --scenario "
        "setup --binding opaque --params 'cpus=2;storage=fresh' --cpu 5,3 --iterations 4711 "
        "--repetitions 2 --out FILE");
    json_decref(document);
}

// A twin is measured as its original is: no program knows the key that makes it one.
static void a_twin_is_asked_for_as_its_original(void **state) {
    (void)state;
    json_t *document = explain_json(TWIN);
    const json_t *first = sample_of(document, 0);
    assert_string_equal(cb_rep_string(first, "raw", ""),
                        "raw/000013-leaf-yield-opaque-gcc-aa-1-depth-1.json");
    assert_non_null(strstr(cb_rep_string(first, "command", ""), "--params 'depth=1' --cpu 5"));
    json_decref(document);
}

static void programs_are_named_with_hash_and_flags(void **state) {
    (void)state;
    json_t *document = explain_json(YIELD);
    const json_t *programs = json_object_get(cell_of(document, 0), "programs");
    assert_int_equal(json_array_size(programs), 2);
    const json_t *second = json_array_get(programs, 1);
    assert_string_equal(cb_rep_string(second, "program", ""), "bench/leaf-gcc-link1");
    assert_string_equal(cb_rep_string(second, "sha256", ""), "beef");
    assert_string_equal(cb_rep_string(second, "flags", ""), "-O2 -g");
    assert_integer(document, "seed", 77);
    json_decref(document);
}

static void expect_sources(const json_t *cell, const char *metric, size_t count,
                           const char *last_cell, const char *last_metric) {
    const json_t *from = json_object_get(metric_of(cell, metric), "from");
    assert_int_equal(json_array_size(from), count);
    if (count == 0)
        return;
    const json_t *last = json_array_get(from, count - 1);
    assert_string_equal(cb_rep_string(last, "cell_id", ""), last_cell);
    assert_string_equal(cb_rep_string(last, "metric", ""), last_metric);
}

static void derived_metrics_say_their_cells(void **state) {
    (void)state;
    json_t *document = explain_json(LEAF("yield/opaque/gcc/"));
    const json_t *cell = cell_of(document, 0);
    assert_true(json_is_true(json_object_get(cell, "derived")));
    assert_int_equal(json_array_size(json_object_get(cell, "samples")), 0);
    expect_sources(cell, "per_level", 5, LEAF("yield/opaque/gcc/depth=16"), "time");
    expect_sources(cell, "per_level_cycles", 5, LEAF("yield/opaque/gcc/depth=16"), "cycles");
    json_decref(document);
    document = explain_json(LEAF("yield/opaque/gcc/span=deep"));
    expect_sources(cell_of(document, 0), "per_level", 3, LEAF("yield/opaque/gcc/depth=64"), "time");
    json_decref(document);
    document = explain_json(LEAF("call/opaque/gcc/yields=16"));
    cell = cell_of(document, 0);
    expect_sources(cell, "attributed", 2, YIELD, "time");
    assert_non_null(strstr(cb_rep_string(metric_of(cell, "attributed"), "how", ""), "minus 16"));
    expect_sources(cell, "cycles", 1, LEAF("call/opaque/gcc/yields=16"), "time");
    expect_sources(cell, "time", 0, "", "");
    json_decref(document);
    document = explain_json(COLD);
    expect_sources(cell_of(document, 0), "net", 2, COLD, "hand");
    json_decref(document);
    document = explain_json(MEMORY);
    expect_sources(cell_of(document, 0), "bytes", 2, MEMORY, "page_tables");
    json_decref(document);
}

static void a_failed_cell_names_its_raw_file(void **state) {
    (void)state;
    char *text;
    assert_int_equal(explain(BROKEN, false, &text, NULL), CB_EXIT_OK);
    assert_non_null(strstr(text, "- status: failed: ended by signal 11\n"));
    assert_non_null(strstr(text, "- raw/000012-leaf-live-opaque-gcc-n-1.json (failed: ended by "
                                 "signal 11)\n"));
    free(text);
}

static void people_read_the_same(void **state) {
    (void)state;
    char *text;
    assert_int_equal(explain(YIELD, false, &text, NULL), CB_EXIT_OK);
    static const char *const wanted[] = {
        "## " YIELD "\n",
        "- run: made in `",
        ", default, seed 77\n",
        "| time | median (in the tables) | 4.375 ns | none: too few rounds | 3 | remeasured |",
        "| 2 | 20 | 0 | 0.25 | 4.375 | 17.5 | 4 | 14 | 0 | 200 | 2 times: remeasured migrated |",
        "migrated | raw/000035-leaf-yield-opaque-gcc-depth-1.again2.json |",
        "| no raw file holds it |",
        "- bench/leaf-gcc, link 0: gcc 12.2.0, C17, flags `-O2 -g`\n    - sha256 cafe\n",
        "at most 3 times and for at most 15 % of all samples, after a migration, after more than 0 "
        "steal ticks (4 more for each second), or where more than 40 % of its repetitions were "
        "hit: they had more than 1 involuntary switches beyond the voluntary ones, and lost more "
        "than 3 % of their time. The last try counts.",
        "    COROBENCH_PADDING="};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(text, wanted[i]))
            fail_msg("not said: %s\nin: %s", wanted[i], text);
    free(text);
    assert_int_equal(explain(LEAF("source/opaque/gcc/"), false, &text, NULL), CB_EXIT_OK);
    assert_non_null(strstr(text, "| lines | median (in the tables) | 512 lines | exact"));
    assert_non_null(strstr(text, "From the program's own description."));
    free(text);
}

static void a_glob_explains_all_that_match(void **state) {
    (void)state;
    json_t *document = explain_json("leaf/yield/*/depth=?");
    assert_int_equal(json_array_size(json_object_get(document, "cells")), 4);
    json_decref(document);
    document = explain_json("*");
    assert_int_equal(json_array_size(json_object_get(document, "cells")), 6 + OTHERS + 2);
    json_decref(document);
}

static void a_condensed_run_says_what_it_lacks(void **state) {
    (void)state;
    char *from = cb_format("%s/samples.csv", root), *to = cb_format("%s/hidden", root), *text;
    assert_int_equal(rename(from, to), 0);
    put_file("samples-condensed.csv", "cell_id,metric,flags,values\n,round/build,,1/1 2/0 3/1\n"
                                      "leaf/yield/opaque/gcc/depth=1,time,remeasured,2.3 - 6.3\n");
    int status = explain(YIELD, false, &text, NULL);
    char *path = cb_format("%s/samples-condensed.csv", root);
    unlink(path);
    rename(to, from);
    assert_int_equal(status, CB_EXIT_OK);
    assert_non_null(strstr(text, "This is a condensed run: raw files"));
    assert_non_null(strstr(text, "| 1 | 1 | 2.3 | 100 |\n| 3 | 1 | 6.3 | 300 |\n"));
    assert_non_null(strstr(text, "bench/leaf-gcc-link1 --measure"));
    free(path);
    free(text);
    free(from);
    free(to);
}

// ---- Wrong ids ----------------------------------------------------------------------------------

static void a_wrong_id_lists_the_nearest(void **state) {
    (void)state;
    static const struct {
        const char *typed, *nearest;
    } cases[] = {{"laef/memory/opaque/gcc/live=32;n=10", MEMORY},
                 {"leaf/memory", MEMORY},
                 {"leaf/yield/opaque/clang/depth=16", LEAF("yield/opaque/gcc/depth=16")},
                 {"chain/yeild/opaque/gcc/depth=1", "chain/yield/opaque/gcc/depth=1"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text, *said;
        assert_int_equal(explain(cases[i].typed, false, &text, &said), CB_EXIT_USAGE);
        char *wanted = cb_format("the nearest are:\n  %s\n", cases[i].nearest);
        if (!strstr(said, wanted))
            fail_msg("not nearest to %s: %s, in: %s", cases[i].typed, cases[i].nearest, said);
        assert_string_equal(text, "");
        free(wanted);
        free(text);
        free(said);
    }
    char *text, *said;
    assert_int_equal(explain("leaf/[yield", false, &text, &said), CB_EXIT_USAGE);
    assert_non_null(strstr(said, "as a glob, a [ has no ]"));
    free(text);
    free(said);
}

static void distances_are_cheap_for_beginnings(void **state) {
    (void)state;
    assert_int_equal(cb_explain_distance("abc", "abc"), 0);
    unsigned rest = cb_explain_distance("abc", "abcde"), more = cb_explain_distance("ace", "abce");
    unsigned other = cb_explain_distance("abx", "aby"), less = cb_explain_distance("abcd", "acd");
    assert_true(0 < rest && rest < more && more < other && more < less);
    assert_true(cb_explain_distance("abx", "abyz") > other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_finds_its_raw_file),
        cmocka_unit_test(equal_values_take_raw_files_in_order),
        cmocka_unit_test(the_command_is_the_one_that_was_run),
        cmocka_unit_test(a_twin_is_asked_for_as_its_original),
        cmocka_unit_test(programs_are_named_with_hash_and_flags),
        cmocka_unit_test(derived_metrics_say_their_cells),
        cmocka_unit_test(a_failed_cell_names_its_raw_file),
        cmocka_unit_test(people_read_the_same),
        cmocka_unit_test(a_glob_explains_all_that_match),
        cmocka_unit_test(a_condensed_run_says_what_it_lacks),
        cmocka_unit_test(a_wrong_id_lists_the_nearest),
        cmocka_unit_test(distances_are_cheap_for_beginnings),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
