// Comparisons of made-up runs whose truth is known: what was planted is found and nothing else,
// limits of --fail-on to the digit, quick and condensed runs, fingerprints, and the statistics
// against known values.
// Runs in: gcc asan ubsan
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

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "harness/lib/file.h"
#include "harness/lib/stats.h"
#include "harness/tool/compare.h"

static char root[] = "/tmp/corobench-compare-XXXXXX";

// ---- Made-up runs -------------------------------------------------------------------------------

// 2 scenarios x `backends` cells. All times are 10 ns times a lognormal noise; those of backend b0
// in scenario `plant_in` times `plant`.
struct made {
    const char *mode;
    size_t backends, rounds, links;
    double noise, plant;
    const char *plant_in; // a scenario, "spin" or "turn"
    unsigned long seed;
    const char *sha, *flags, *kernel;
    const char *lost;  // backend whose spin cell failed
    const char *extra; // backend that only this run has
    bool condensed, only_cells;
    double mde;        // in mde.csv; 0: no such file
    double ratios_mde; // in ratios.csv; 0: no such file
    double skew;       // every second pass over the links takes that much longer
};

static const struct made plain = {.mode = "default",
                                  .backends = 20,
                                  .rounds = 12,
                                  .links = 4,
                                  .noise = 0.03,
                                  .plant = 1,
                                  .plant_in = "spin",
                                  .seed = 1,
                                  .sha = "aa",
                                  .flags = "-O2",
                                  .kernel = "6.1"};

static FILE *open_in(const char *dir, const char *name) {
    char *path = cb_format("%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    free(path);
    return file;
}

static void write_document(const char *dir, const struct made *made, json_t *plan) {
    json_t *programs = json_array();
    for (size_t b = 0; b < made->backends; b++) {
        char *name = cb_format("b%zu", b);
        json_array_append_new(
            programs, json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:{s:s, s:s, s:s}}", "backend",
                                name, "compiler", "gcc", "link", 0, "status", "ok", "note", "",
                                "sha256", made->sha, "describe", "family", "fiber",
                                "compiler_version", "12.2.0", "flags", made->flags));
        free(name);
    }
    json_t *document = json_pack(
        "{s:i, s:s, s:s, s:I, s:[s, s], s:i, s:i, s:{s:s, s:s, s:i}, s:{s:s}, s:o, s:o}", "schema",
        1, "run", "made", "mode", made->mode, "seed", (json_int_t)made->seed, "command", "--name",
        dir, "rounds", (int)made->rounds, "repetitions", 1, "machine", "id", "m1", "kernel",
        made->kernel, "cores", 2, "compilers", "gcc", "12.2.0", "programs", programs, "plan", plan);
    char *path = cb_format("%s/run.json", dir);
    assert_int_equal(json_dump_file(document, path, 0), 0);
    free(path);
    json_decref(document);
}

static char *make(const char *name, struct made made) {
    static const char *const scenarios[] = {"spin", "turn"};
    char *dir = cb_format("%s/%s", root, name);
    mkdir(dir, 0777);
    const char *stale[] = {"samples.csv", "samples-condensed.csv", "cells.csv", "mde.csv",
                           "ratios.csv"};
    for (int i = 0; i < 5; i++) {
        char *path = cb_format("%s/%s", dir, stale[i]);
        unlink(path);
        free(path);
    }
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, made.seed);
    FILE *samples = open_in(dir, made.only_cells  ? "cells.csv"
                                 : made.condensed ? "samples-condensed.csv"
                                                  : "samples.csv");
    if (made.only_cells) {
        fputs("backend,family,scenario,binding,compiler,params,metric,unit,estimate,ci_low,ci_high,"
              "rounds,status,note,cell_id,estimator,flags\n",
              samples);
    } else if (made.condensed) {
        fputs("cell_id,metric,flags,values\n,round/build,,", samples);
        for (size_t r = 0; r < made.rounds; r++)
            fprintf(samples, "%s%zu/%zu", r ? " " : "", r + 1, r % made.links);
        fputs("\n", samples);
    } else {
        fputs(
            "run,cell_id,round,build,rep,position,metric,value,iterations,wall_ns,cpu_ns,cycle_ns,"
            "instructions,faults,nvcsw,nivcsw,steal,flags\n",
            samples);
    }
    json_t *plan = json_array();
    size_t backends = made.backends + (made.extra != NULL);
    for (size_t b = 0; b < backends; b++)
        for (int s = 0; s < 2; s++) {
            char *backend = b == made.backends ? cb_copy(made.extra) : cb_format("b%zu", b);
            char *id = cb_format("%s/%s/opaque/gcc/depth=1", backend, scenarios[s]);
            bool lost = made.lost && strcmp(made.lost, backend) == 0 && s == 0;
            json_array_append_new(
                plan, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "cell_id", id,
                                "backend", backend, "family", "fiber", "scenario", scenarios[s],
                                "binding", "opaque", "compiler", "gcc", "params", "depth=1", "kind",
                                "time", "status", lost ? "failed" : "ok", "note",
                                lost ? "ended by signal 11" : ""));
            double truth =
                10 * (b == 0 && strcmp(made.plant_in, scenarios[s]) == 0 ? made.plant : 1);
            double values[64];
            for (size_t r = 0; r < made.rounds; r++)
                values[r] = truth * exp(gsl_ran_gaussian(rng, made.noise)) *
                            (r / made.links % 2 == 0 && made.skew > 0 ? made.skew : 1);
            if (made.only_cells && !lost) {
                struct cb_interval interval = cb_order_interval(values, made.rounds, 0.5, CB_LEVEL);
                fprintf(samples,
                        "%s,fiber,%s,opaque,gcc,depth=1,time,ns,%.6g,%.6g,%.6g,%zu,ok,,%s,"
                        "median,\n",
                        backend, scenarios[s], cb_median(values, made.rounds), interval.low,
                        interval.high, made.rounds, id);
            } else if (made.only_cells) {
                fprintf(samples,
                        "%s,fiber,%s,opaque,gcc,depth=1,time,ns,,,,0,failed,gone,%s,median,"
                        "\n",
                        backend, scenarios[s], id);
            } else if (!lost && made.condensed) {
                fprintf(samples, "%s,time,,", id);
                for (size_t r = 0; r < made.rounds; r++)
                    fprintf(samples, "%s%.6g", r ? " " : "", values[r]);
                fputs("\n", samples);
            } else if (!lost) {
                for (size_t r = 0; r < made.rounds; r++)
                    fprintf(samples, "made,%s,%zu,%zu,1,1,time,%.10g,1000,%.10g,,,,,,,,\n", id,
                            r + 1, r % made.links, values[r], 1000 * values[r]);
            }
            free(id);
            free(backend);
        }
    fclose(samples);
    gsl_rng_free(rng);
    write_document(dir, &made, plan);
    if (made.mde > 0) {
        FILE *mde = open_in(dir, "mde.csv");
        fprintf(mde,
                "scenario,metric,estimator,mde\nspin,time,median,%g\nturn,time,median,%g\n"
                "spin,time,lower-quartile,0.9\n",
                made.mde, made.mde);
        fclose(mde);
    }
    if (made.ratios_mde > 0) {
        FILE *ratios = open_in(dir, "ratios.csv");
        fprintf(ratios,
                "cell_a,cell_b,metric,ratio,ci_low,ci_high,p_holm,mde,verdict\n"
                "b0/spin/opaque/gcc/depth=1,b1/spin/opaque/gcc/depth=1,time,1,1,1,1,%g,x\n"
                "b0/turn/opaque/gcc/depth=1,b1/turn/opaque/gcc/depth=1,time,1,1,1,1,0,x\n",
                made.ratios_mde);
        fclose(ratios);
    }
    return dir;
}

// ---- Comparing them -----------------------------------------------------------------------------

static struct cb_compare_request request_of(char *a, char *b) {
    return (struct cb_compare_request){
        .dir_a = a, .dir_b = b, .fail_on = {NAN, NAN, NAN}, .json = true};
}

// The result as JSON in *result (NULL where there is none), messages in *said; the exit status.
static int compare(struct cb_compare_request *request, json_t **result, char **said) {
    char *text = NULL, *words = NULL;
    size_t length, word_length;
    FILE *out = open_memstream(&text, &length), *messages = open_memstream(&words, &word_length);
    int status = cb_compare(request, out, messages);
    fclose(out);
    fclose(messages);
    if (result)
        *result = json_loads(text, 0, NULL);
    free(text);
    if (said)
        *said = words;
    else
        free(words);
    return status;
}

static json_t *compare_made(struct made a, struct made b, struct cb_compare_request *with) {
    char *dir_a = make("a", a), *dir_b = make("b", b);
    struct cb_compare_request request = with ? *with : request_of(NULL, NULL);
    request.dir_a = dir_a;
    request.dir_b = dir_b;
    json_t *result;
    assert_int_equal(compare(&request, &result, NULL), CB_EXIT_OK);
    assert_non_null(result);
    free(dir_a);
    free(dir_b);
    return result;
}

static const json_t *find(const json_t *list, const char *id) {
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) if (strcmp(cb_rep_string(entry, "cell_id", ""), id) ==
                                           0) return entry;
    return NULL;
}

static const char *verdict_of(const json_t *result, const char *id) {
    const json_t *cell = find(json_object_get(result, "cells"), id);
    if (!cell)
        fail_msg("%s was not compared", id);
    return cb_rep_string(cell, "verdict", "");
}

static double number_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("%s is no number", key);
    return json_number_value(value);
}

static int summary(const json_t *result, const char *key) {
    return (int)number_of(json_object_get(result, "summary"), key);
}

#define PLANTED "b0/spin/opaque/gcc/depth=1"

static struct made with_seed(unsigned long seed) {
    struct made made = plain;
    made.seed = seed;
    return made;
}

// ---- What was planted ---------------------------------------------------------------------------

static void a_planted_slowdown_is_found_and_nothing_else(void **state) {
    (void)state;
    for (unsigned long seed = 1; seed <= 20; seed++) {
        struct made b = with_seed(1000 + seed);
        b.plant = 1.25;
        json_t *result = compare_made(with_seed(seed), b, NULL);
        assert_string_equal(verdict_of(result, PLANTED), "slower");
        const json_t *cell = find(json_object_get(result, "cells"), PLANTED);
        assert_float_equal(number_of(cell, "ratio"), 1.25, 0.1);
        assert_true(number_of(cell, "low") > 1 &&
                    number_of(cell, "low") < number_of(cell, "ratio"));
        assert_true(number_of(cell, "high") > number_of(cell, "ratio"));
        assert_int_equal(summary(result, "more"), 1);
        assert_int_equal(summary(result, "less"), 0);
        assert_int_equal(summary(result, "no_difference"), 39);
        assert_int_equal(summary(result, "undecided"), 0);
        json_decref(result);
    }
}

static void a_planted_speedup_is_found(void **state) {
    (void)state;
    struct made b = with_seed(2);
    b.plant = 0.8;
    json_t *result = compare_made(plain, b, NULL);
    assert_string_equal(verdict_of(result, PLANTED), "faster");
    assert_int_equal(summary(result, "less"), 1);
    assert_int_equal(summary(result, "more"), 0);
    json_decref(result);
}

// Runs of the same truth: with the MDE of such a noise no difference ever; with none, Holm's
// promise is that one run in twenty has any.
static void nothing_planted_is_never_found(void **state) {
    (void)state;
    int with_mde = 0, without = 0;
    for (unsigned long seed = 1; seed <= 100; seed++) {
        struct made a = with_seed(seed), b = with_seed(5000 + seed);
        json_t *result = compare_made(a, b, NULL);
        without += summary(result, "more") + summary(result, "less") > 0;
        json_decref(result);
        a.mde = 0.05;
        result = compare_made(a, b, NULL);
        with_mde += summary(result, "more") + summary(result, "less") > 0;
        json_decref(result);
    }
    assert_int_equal(with_mde, 0);
    if (without < 1 || without > 10) // 5 are promised; none would mean that nothing was tested
        fail_msg("%d of 100 runs of the same truth differ", without);
}

static void full_runs_are_judged_by_links(void **state) {
    (void)state;
    struct made a = plain;
    a.mode = "full";
    a.rounds = 30;
    a.links = 6;
    struct made b = a;
    b.seed = 2;
    b.plant = 1.25;
    json_t *result = compare_made(a, b, NULL);
    assert_string_equal(verdict_of(result, PLANTED), "slower");
    assert_int_equal(summary(result, "no_difference"), 39);
    const json_t *cell = find(json_object_get(result, "cells"), PLANTED);
    assert_int_equal((int)number_of(json_object_get(cell, "a"), "count"), 6);
    // Six links against six can't pass a rank test of 40 cells.
    assert_non_null(strstr(cb_rep_string(result, "test", ""), "Welch"));
    json_decref(result);
}

static void a_condensed_run_gives_the_same(void **state) {
    (void)state;
    struct made a = plain, b = with_seed(2);
    b.plant = 1.25;
    json_t *first = compare_made(a, b, NULL);
    a.condensed = true;
    json_t *second = compare_made(a, b, NULL);
    assert_true(json_equal(json_object_get(first, "cells"), json_object_get(second, "cells")));
    assert_true(json_is_false(json_object_get(second, "by_intervals")));
    json_decref(first);
    json_decref(second);
}

static void intervals_alone_are_compared_and_said_to_be(void **state) {
    (void)state;
    struct made a = plain, b = with_seed(2);
    a.only_cells = true;
    b.plant = 1.25;
    char *dir_a = make("a", a), *dir_b = make("b", b), *said;
    struct cb_compare_request request = request_of(dir_a, dir_b);
    json_t *result;
    assert_int_equal(compare(&request, &result, &said), CB_EXIT_OK);
    assert_non_null(strstr(said, "keeps no values of its rounds"));
    assert_true(json_is_true(json_object_get(result, "by_intervals")));
    assert_string_equal(verdict_of(result, PLANTED), "slower");
    assert_int_equal(summary(result, "no_difference"), 39);
    json_decref(result);
    free(said);
    free(dir_a);
    free(dir_b);
}

static void the_estimator_decides_what_is_compared(void **state) {
    (void)state;
    // Two thirds of the rounds of B take 1.5 times as long: its lower quartile stays.
    struct made a = plain, b = with_seed(2);
    a.noise = b.noise = 0.001;
    b.skew = 1.5;
    struct cb_compare_request request = request_of(NULL, NULL);
    request.estimator = "lower-quartile";
    json_t *result = compare_made(a, b, &request);
    assert_string_equal(cb_rep_string(result, "estimator", ""), "lower-quartile");
    assert_float_equal(number_of(find(json_object_get(result, "cells"), PLANTED), "ratio"), 1,
                       0.01);
    json_decref(result);
    request.estimator = "median";
    result = compare_made(a, b, &request);
    assert_float_equal(number_of(find(json_object_get(result, "cells"), PLANTED), "ratio"), 1.5,
                       0.01);
    json_decref(result);
}

// The ranks of all rounds differ, but the quartile hardly does: what is tested is its interval.
static void quartiles_are_tested_by_their_intervals(void **state) {
    (void)state;
    struct made a = plain, b = plain;
    a.noise = b.noise = 0.001;
    b.skew = 1.5;
    struct cb_compare_request request = request_of(NULL, NULL);
    request.estimator = "lower-quartile";
    cb_globs_add(&request.backends, "b0");
    int held_back = 0;
    for (unsigned long seed = 2; seed <= 12; seed++) {
        b.seed = seed;
        json_t *result = compare_made(a, b, &request);
        const json_t *cell = find(json_object_get(result, "cells"), PLANTED);
        bool inside = number_of(cell, "low") <= 1;
        assert_true(!inside || number_of(cell, "p_holm") >= 0.05);
        held_back += inside && number_of(cell, "ratio") > 1;
        bool told = !inside && number_of(cell, "p_holm") < 0.05;
        assert_string_equal(verdict_of(result, PLANTED), told ? "slower" : "no difference");
        json_decref(result);
    }
    assert_true(held_back > 0);
    cb_globs_free(&request.backends);
}

static void links_are_condensed_by_the_estimator(void **state) {
    (void)state;
    struct made a = plain;
    a.mode = "full";
    a.rounds = 30;
    a.links = 6;
    a.noise = 0.001;
    struct made b = a;
    b.seed = 2;
    b.skew = 1.5; // three of five rounds of a link
    struct cb_compare_request request = request_of(NULL, NULL);
    request.estimator = "lower-quartile";
    json_t *result = compare_made(a, b, &request);
    assert_true(number_of(find(json_object_get(result, "cells"), PLANTED), "p") > 0.001);
    json_decref(result);
    request.estimator = "median";
    result = compare_made(a, b, &request);
    assert_true(number_of(find(json_object_get(result, "cells"), PLANTED), "p") < 1e-9);
    json_decref(result);
}

// ---- Minimum detectable effects -----------------------------------------------------------------

static const char *verdict_with_mde(double a_mde, double b_mde, double ratios_mde, double *mde) {
    struct made a = plain, b = with_seed(2);
    a.noise = b.noise = 0.002;
    b.plant = 1.04;
    a.mde = a_mde;
    b.mde = b_mde;
    b.ratios_mde = ratios_mde;
    static char verdict[40];
    json_t *result = compare_made(a, b, NULL);
    snprintf(verdict, sizeof verdict, "%s", verdict_of(result, PLANTED));
    *mde = number_of(find(json_object_get(result, "cells"), PLANTED), "mde");
    json_decref(result);
    return verdict;
}

static void a_difference_within_the_mde_is_none(void **state) {
    (void)state;
    double mde;
    assert_string_equal(verdict_with_mde(0, 0, 0, &mde), "slower");
    assert_float_equal(mde, 0, 0);
    assert_string_equal(verdict_with_mde(0.03, 0.02, 0, &mde), "slower");
    assert_float_equal(mde, 0.03, 1e-9);
    assert_string_equal(verdict_with_mde(0.06, 0.01, 0, &mde), "no difference");
    assert_string_equal(verdict_with_mde(0.01, 0.06, 0, &mde), "no difference");
    assert_float_equal(mde, 0.06, 1e-9);
    assert_string_equal(verdict_with_mde(0.01, 0, 0.07, &mde), "no difference");
    assert_float_equal(mde, 0.07, 1e-9);
}

static void a_missing_mde_is_warned_of(void **state) {
    (void)state;
    struct made a = plain;
    a.ratios_mde = 0.02; // knows spin; says 0 of turn, which is not knowing
    char *dir_a = make("a", a), *dir_b = make("b", with_seed(2)), *said;
    struct cb_compare_request request = request_of(dir_a, dir_b);
    json_t *result;
    assert_int_equal(compare(&request, &result, &said), CB_EXIT_OK);
    assert_non_null(strstr(said, "minimum detectable effect (MDE) of time, median: turn\n"));
    assert_int_equal(json_array_size(json_object_get(result, "no_mde")), 1);
    json_decref(result);
    free(said);
    free(dir_a);
    free(dir_b);
}

// ---- --fail-on ----------------------------------------------------------------------------------

// B takes exactly `plant` times as long as A, or A as B.
static int status_with(const char *limits, double plant, bool swapped) {
    struct made a = plain, b = plain;
    b.noise = a.noise = 0.01; // the same seed: the same noise in both
    b.plant = plant;
    char *dir_a = make("a", swapped ? b : a), *dir_b = make("b", swapped ? a : b);
    struct cb_compare_request request = request_of(dir_a, dir_b);
    assert_null(cb_compare_read_limits(limits, request.fail_on));
    int status = compare(&request, NULL, NULL);
    free(dir_a);
    free(dir_b);
    return status;
}

static void limits_are_kept_to_the_digit(void **state) {
    (void)state;
    assert_int_equal(status_with("slower=25%", 1.25, false), CB_EXIT_OK);
    assert_int_equal(status_with("slower=24.9%", 1.25, false), CB_EXIT_FAILED);
    assert_int_equal(status_with("slower=25%", 1.251, false), CB_EXIT_FAILED);
    assert_int_equal(status_with("slower=0%", 1.25, false), CB_EXIT_FAILED);
    assert_int_equal(status_with("slower=0%", 1, false), CB_EXIT_OK);
    assert_int_equal(status_with("faster=0%", 1.25, false), CB_EXIT_OK);
    assert_int_equal(status_with("any=25%", 1.25, false), CB_EXIT_OK);
    assert_int_equal(status_with("any=24.9%", 1.25, false), CB_EXIT_FAILED);
    assert_int_equal(status_with("faster=25%", 1.25, true), CB_EXIT_OK);
    assert_int_equal(status_with("faster=24.9%", 1.25, true), CB_EXIT_FAILED);
    assert_int_equal(status_with("slower=0%", 1.25, true), CB_EXIT_OK);
    assert_int_equal(status_with("any=24.9%", 1.25, true), CB_EXIT_FAILED);
    assert_int_equal(status_with("slower=90%,faster=24.9%", 1.25, true), CB_EXIT_FAILED);
}

static void limits_are_read_strictly(void **state) {
    (void)state;
    double limits[CB_COMPARE_KINDS] = {NAN, NAN, NAN};
    assert_null(cb_compare_read_limits("slower=5%,any=12.5%", limits));
    assert_float_equal(limits[CB_SLOWER], 0.05, 1e-12);
    assert_float_equal(limits[CB_ANY], 0.125, 1e-12);
    assert_true(isnan(limits[CB_FASTER]));
    static const char *const wrong[] = {"",           "slower",      "slower=",     "slower=5",
                                        "slower=%",   "slower=-5%",  "slow=5%",     "slower=5%x",
                                        "slower=5%,", "slower=nan%", "slower=0x5%", "5%"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *problem = cb_compare_read_limits(wrong[i], limits);
        if (!problem)
            fail_msg("'%s' was taken as a limit", wrong[i]);
        free(problem);
    }
}

// ---- Quick runs, losses, globs, wrong input -----------------------------------------------------

static void a_quick_run_claims_nothing(void **state) {
    (void)state;
    struct made a = plain, b = with_seed(2);
    a.mode = "quick";
    a.rounds = 5;
    b.plant = 3;
    char *dir_a = make("a", a), *dir_b = make("b", b), *said;
    struct cb_compare_request request = request_of(dir_a, dir_b);
    request.fail_on[CB_SLOWER] = 0.05;
    json_t *result;
    assert_int_equal(compare(&request, &result, &said), CB_EXIT_OK);
    assert_string_equal(verdict_of(result, PLANTED), "no claim");
    assert_true(json_is_false(json_object_get(result, "claims")));
    const json_t *cell = find(json_object_get(result, "cells"), PLANTED);
    assert_float_equal(number_of(cell, "ratio"), 3, 0.4);
    assert_true(number_of(cell, "low") < number_of(cell, "ratio"));
    assert_true(json_is_null(json_object_get(cell, "p")));
    assert_non_null(strstr(said, "--fail-on can't fail here: a quick run carries no claim"));
    json_decref(result);
    free(said);
    free(dir_a);
    free(dir_b);
}

static void losses_are_listed(void **state) {
    (void)state;
    struct made a = plain, b = with_seed(2);
    a.extra = "old";
    b.extra = "new";
    b.lost = "b3";
    json_t *result = compare_made(a, b, NULL);
    assert_int_equal(summary(result, "compared"), 39);
    assert_int_equal(summary(result, "only_in_a"), 2);
    assert_int_equal(summary(result, "only_in_b"), 2);
    const json_t *only = json_object_get(json_object_get(result, "b"), "cells_only_here");
    assert_string_equal(json_string_value(json_array_get(only, 0)), "new/spin/opaque/gcc/depth=1");
    const json_t *broken =
        find(json_object_get(result, "value_in_one_run_only"), "b3/spin/opaque/gcc/depth=1");
    assert_non_null(broken);
    assert_string_equal(cb_rep_string(json_object_get(broken, "b"), "note", ""),
                        "ended by signal 11");
    json_decref(result);
}

static void a_cell_that_fails_now_is_worse_than_slower(void **state) {
    (void)state;
    struct made broken = with_seed(2);
    broken.lost = "b3";
    char *whole = make("a", plain), *lost = make("b", broken), *said;
    struct cb_compare_request request = request_of(whole, lost);
    json_t *result;
    assert_int_equal(compare(&request, &result, NULL), CB_EXIT_OK); // nobody asked
    json_decref(result);
    request.fail_on[CB_SLOWER] = 9;
    assert_int_equal(compare(&request, &result, &said), CB_EXIT_FAILED);
    assert_non_null(strstr(said, "1 cells have a value in A and none in B"));
    assert_non_null(strstr(said, "b3/spin/opaque/gcc/depth=1: failed: ended by signal 11"));
    json_decref(result);
    free(said);
    request = request_of(lost, whole); // what failed before, and no longer does, is no loss
    request.fail_on[CB_SLOWER] = 9;
    assert_int_equal(compare(&request, &result, NULL), CB_EXIT_OK);
    json_decref(result);
    free(whole);
    free(lost);
}

static void too_few_rounds_decide_nothing(void **state) {
    (void)state;
    struct made a = plain, b = with_seed(2);
    a.rounds = 5;
    b.plant = 3;
    json_t *result = compare_made(a, b, NULL);
    assert_string_equal(verdict_of(result, PLANTED), "undecided");
    assert_int_equal(summary(result, "undecided"), 40);
    json_decref(result);
}

static void globs_choose_cells(void **state) {
    (void)state;
    struct cb_compare_request request = request_of(NULL, NULL);
    cb_globs_add(&request.backends, "b0,b1?");
    cb_globs_add(&request.scenarios, "spin");
    json_t *result = compare_made(plain, with_seed(2), &request);
    assert_int_equal(summary(result, "compared"), 11);
    json_decref(result);
    cb_globs_free(&request.backends);
    cb_globs_free(&request.scenarios);
}

static void expect_refusal(struct cb_compare_request *request, const char *text) {
    char *said;
    assert_int_equal(compare(request, NULL, &said), CB_EXIT_USAGE);
    if (!strstr(said, text))
        fail_msg("'%s' was not said in: %s", text, said);
    free(said);
}

static void what_cannot_be_compared_is_refused(void **state) {
    (void)state;
    struct made other = plain;
    other.backends = 0;
    other.extra = "c";
    char *a = make("a", plain), *b = make("b", other), *none = cb_format("%s/none", root);
    struct cb_compare_request request = request_of(a, none);
    expect_refusal(&request, "it has no run.json");
    request = request_of(a, b);
    expect_refusal(&request, "no cell has a value of time");
    request.metric = "tiem";
    expect_refusal(&request, "their metrics: time");
    request.metric = NULL;
    request.estimator = "mean";
    expect_refusal(&request, "median, lower-quartile");
    free(a);
    free(b);
    free(none);
}

// ---- Fingerprints -------------------------------------------------------------------------------

static bool differs_in(const json_t *list, const char *what, const char *a, const char *b) {
    size_t i;
    json_t *entry;
    json_array_foreach(list, i,
                       entry) if (strcmp(cb_rep_string(entry, "what", ""), what) == 0 &&
                                  strcmp(cb_rep_string(entry, "a", ""), a) == 0 &&
                                  strcmp(cb_rep_string(entry, "b", ""), b) == 0) return true;
    return false;
}

static void differences_of_fingerprints_are_listed(void **state) {
    (void)state;
    struct made b = with_seed(2);
    b.backends = 1;
    struct made a = b;
    a.seed = 1;
    json_t *result = compare_made(a, b, NULL);
    assert_int_equal(json_array_size(json_object_get(result, "differences")), 0);
    json_decref(result);
    b.sha = "bb";
    b.flags = "-O3";
    b.kernel = "6.2";
    char *dir_a = make("a", a), *dir_b = make("b", b), *said;
    struct cb_compare_request request = request_of(dir_a, dir_b);
    compare(&request, &result, &said);
    const json_t *list = json_object_get(result, "differences");
    assert_int_equal(json_array_size(list), 3);
    assert_true(differs_in(list, "machine.kernel", "6.1", "6.2"));
    assert_true(differs_in(list, "program b0, gcc.sha256", "aa", "bb"));
    assert_true(differs_in(list, "program b0, gcc.flags", "-O2", "-O3"));
    assert_non_null(strstr(said, "the runs differ in 3 things"));
    assert_non_null(strstr(said, "machine.kernel: 6.1 -> 6.2"));
    json_decref(result);
    free(said);
    free(dir_a);
    free(dir_b);
}

static json_t *options_run(const char *list) {
    char *text = cb_format("{\"mode\": \"default\", \"command\": %s}", list);
    json_t *run = json_loads(text, 0, NULL);
    free(text);
    assert_non_null(run);
    return run;
}

static void names_and_seeds_are_no_options(void **state) {
    (void)state;
    json_t *a = options_run("[\"--name\", \"x\", \"--seed=4\", \"--rounds\", \"12\"]");
    json_t *b = options_run("[\"--rounds\", \"12\", \"--name=y\"]");
    json_t *c = options_run("[\"--rounds\", \"24\"]");
    json_t *same = cb_fingerprint_differences(a, b), *other = cb_fingerprint_differences(b, c);
    assert_int_equal(json_array_size(same), 0);
    assert_int_equal(json_array_size(other), 1);
    assert_true(differs_in(other, "options", "[\"--rounds\",\"12\"]", "[\"--rounds\",\"24\"]"));
    json_decref(a);
    json_decref(b);
    json_decref(c);
    json_decref(same);
    json_decref(other);
}

// ---- Statistics ---------------------------------------------------------------------------------

static void the_rank_test_gives_known_values(void **state) {
    (void)state;
    double low[] = {1, 2, 3, 4, 5}, high[] = {6, 7, 8, 9, 10};
    assert_float_equal(cb_rank_test(low, 5, high, 5), 2.0 / 252, 1e-12);
    assert_float_equal(cb_rank_test(high, 5, low, 5), 2.0 / 252, 1e-12);
    assert_float_equal(cb_rank_test(low, 5, low, 5), 1, 1e-12);
    assert_float_equal(cb_rank_test_least(5, 5), 2.0 / 252, 1e-12);
    assert_float_equal(cb_rank_test_least(12, 12), 2.0 / 2704156, 1e-15);
    assert_true(isnan(cb_rank_test(low, 0, high, 5)));
}

// All ways to choose 4 of 9, counted one by one.
static void the_rank_test_is_exact_with_ties(void **state) {
    (void)state;
    static const double values[9] = {2, 2, 2, 1, 2, 2, 3, 4, 5}; // the first four are a
    static const double ranks[9] = {4, 4, 4, 1, 4, 4, 7, 8, 9};
    double sum = ranks[0] + ranks[1] + ranks[2] + ranks[3], below = 0, above = 0, all = 0;
    for (unsigned set = 0; set < 512; set++) {
        if (__builtin_popcount(set) != 4)
            continue;
        double here = 0;
        for (int i = 0; i < 9; i++)
            here += set >> i & 1 ? ranks[i] : 0;
        all++;
        below += here <= sum;
        above += here >= sum;
    }
    double wanted = 2 * fmin(below, above) / all;
    assert_float_equal(cb_rank_test(values, 4, values + 4, 5), wanted, 1e-12);
}

static void large_samples_take_the_normal_curve(void **state) {
    (void)state;
    double a[40], b[40];
    for (int i = 0; i < 40; i++) {
        a[i] = i;
        b[i] = i + 8.5;
    }
    // 253 of 961 pairs, of which 480.5 are awaited, with a deviation of 71.03
    assert_float_equal(cb_rank_test(a, 31, b, 31), 0.00139426, 1e-8);
    double exact = cb_rank_test(a, 30, b, 30); // by the curve it would be 0.00123
    assert_float_equal(exact, 0.000975, 1e-6);
}

static void welchs_test_gives_known_values(void **state) {
    (void)state;
    double a[] = {exp(0), exp(1), exp(2)}, b[] = {exp(1), exp(2), exp(3)}, c[] = {5, 5},
           d[] = {6, 6};
    assert_float_equal(cb_welch_test(a, 3, b, 3), 0.287864, 1e-6);
    assert_float_equal(cb_welch_test(c, 2, c, 2), 1, 0);
    assert_float_equal(cb_welch_test(c, 2, d, 2), 0, 0);
    assert_true(isnan(cb_welch_test(a, 1, b, 3)));
}

static void the_ratio_has_the_limits_of_its_parts(void **state) {
    (void)state;
    struct cb_effect effect = cb_effect_ratio(10, 9, 11, 12, 11, 13);
    assert_float_equal(effect.ratio, 1.2, 1e-12);
    assert_float_equal(effect.low, exp(log(1.2) - hypot(log(12.0 / 11), log(1.1))), 1e-12);
    assert_float_equal(effect.high, exp(log(1.2) + hypot(log(13.0 / 12), log(10.0 / 9))), 1e-12);
    struct cb_effect back = cb_effect_ratio(12, 11, 13, 10, 9, 11);
    assert_float_equal(back.low, 1 / effect.high, 1e-12);
    assert_float_equal(back.high, 1 / effect.low, 1e-12);
    effect = cb_effect_range(10, 9, 11, 12, 11, 13);
    assert_float_equal(effect.low, 1, 1e-12);
    assert_float_equal(effect.high, 13.0 / 9, 1e-12);
    assert_true(isnan(cb_effect_ratio(0, 0, 0, 1, 1, 1).ratio));
    assert_true(isnan(cb_effect_ratio(1, NAN, NAN, 1, 1, 1).low));
}

enum shape { LOGNORMAL, HEAVY, BIMODAL };

static double draw(gsl_rng *rng, enum shape shape) {
    if (shape == HEAVY)
        return exp(0.02 * gsl_ran_tdist(rng, 2));
    double mode = shape == BIMODAL && gsl_rng_uniform(rng) < 0.3 ? 0.1 : 0;
    return exp(mode + gsl_ran_gaussian(rng, shape == BIMODAL ? 0.01 : 0.03));
}

// Two samples of one distribution: how often the interval holds 1. At least what is promised, and
// not all of the time, or it would say nothing.
static void the_interval_covers_what_it_says(void **state) {
    (void)state;
    enum { TRIALS = 2000, N = 12 };
    static const double quantiles[] = {0.5, 0.25};
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    for (enum shape shape = LOGNORMAL; shape <= BIMODAL; shape++)
        for (int q = 0; q < 2; q++) {
            int covered = 0;
            gsl_rng_set(rng, 7);
            for (int trial = 0; trial < TRIALS; trial++) {
                double values[2][N], at[2];
                struct cb_interval interval[2];
                for (int side = 0; side < 2; side++) {
                    for (int i = 0; i < N; i++)
                        values[side][i] = draw(rng, shape);
                    at[side] = cb_quantile(values[side], N, quantiles[q]);
                    interval[side] = cb_order_interval(values[side], N, quantiles[q], CB_LEVEL);
                }
                struct cb_effect effect = cb_effect_ratio(at[0], interval[0].low, interval[0].high,
                                                          at[1], interval[1].low, interval[1].high);
                covered += effect.low <= 1 && effect.high >= 1;
            }
            if (covered < 0.95 * TRIALS || covered > 0.995 * TRIALS)
                fail_msg("shape %d, quantile %g: covered %d of %d", (int)shape, quantiles[q],
                         covered, TRIALS);
        }
    gsl_rng_free(rng);
}

// ---- Markdown -----------------------------------------------------------------------------------

static void markdown_says_it_all(void **state) {
    (void)state;
    struct made a = plain, b = with_seed(2);
    b.plant = 1.25;
    b.kernel = "6.2|x";
    b.lost = "b3";
    b.extra = "new";
    char *dir_a = make("a", a), *dir_b = make("b", b), *text = NULL;
    size_t length;
    struct cb_compare_request request = request_of(dir_a, dir_b);
    request.json = false;
    request.fail_on[CB_SLOWER] = 0.05;
    FILE *out = open_memstream(&text, &length), *messages = fopen("/dev/null", "w");
    assert_int_equal(cb_compare(&request, out, messages), CB_EXIT_FAILED);
    fclose(out);
    fclose(messages);
    static const char *const wanted[] = {
        "## Differences\n",
        "| " PLANTED " |",
        "| slower (beyond --fail-on) |",
        "| machine.kernel | 6.1 | 6.2\\|x |",
        "No MDE is known for: spin, turn. It is taken as 0 there.",
        "| b3/spin/opaque/gcc/depth=1 | ok | failed: ended by signal 11 |",
        "## Cells only in B\n\n- new/spin/opaque/gcc/depth=1 (ok)",
        "39 cells compared: 1 more (slower or larger), 0 less (faster or smaller), 38 no diff",
        "0 undecided; 0 only in A, 2 only in B, 1 with a value in one run only."};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(text, wanted[i]))
            fail_msg("not said: %s", wanted[i]);
    free(text);
    free(dir_a);
    free(dir_b);
}

static int make_root(void **state) {
    (void)state;
    if (!mkdtemp(root))
        return -1;
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
    static const char *const files[] = {"a/run.json",
                                        "a/samples.csv",
                                        "a/samples-condensed.csv",
                                        "a/cells.csv",
                                        "a/mde.csv",
                                        "a/ratios.csv",
                                        "b/run.json",
                                        "b/samples.csv",
                                        "b/samples-condensed.csv",
                                        "b/cells.csv",
                                        "b/mde.csv",
                                        "b/ratios.csv",
                                        "a",
                                        "b",
                                        ""};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = cb_format("%s/%s", root, files[i]);
        if (unlink(path) < 0)
            rmdir(path);
        free(path);
    }
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_slowdown_is_found_and_nothing_else),
        cmocka_unit_test(a_planted_speedup_is_found),
        cmocka_unit_test(nothing_planted_is_never_found),
        cmocka_unit_test(full_runs_are_judged_by_links),
        cmocka_unit_test(a_condensed_run_gives_the_same),
        cmocka_unit_test(intervals_alone_are_compared_and_said_to_be),
        cmocka_unit_test(the_estimator_decides_what_is_compared),
        cmocka_unit_test(quartiles_are_tested_by_their_intervals),
        cmocka_unit_test(links_are_condensed_by_the_estimator),
        cmocka_unit_test(a_difference_within_the_mde_is_none),
        cmocka_unit_test(a_missing_mde_is_warned_of),
        cmocka_unit_test(limits_are_kept_to_the_digit),
        cmocka_unit_test(limits_are_read_strictly),
        cmocka_unit_test(a_quick_run_claims_nothing),
        cmocka_unit_test(losses_are_listed),
        cmocka_unit_test(a_cell_that_fails_now_is_worse_than_slower),
        cmocka_unit_test(too_few_rounds_decide_nothing),
        cmocka_unit_test(globs_choose_cells),
        cmocka_unit_test(what_cannot_be_compared_is_refused),
        cmocka_unit_test(differences_of_fingerprints_are_listed),
        cmocka_unit_test(names_and_seeds_are_no_options),
        cmocka_unit_test(the_rank_test_gives_known_values),
        cmocka_unit_test(the_rank_test_is_exact_with_ties),
        cmocka_unit_test(large_samples_take_the_normal_curve),
        cmocka_unit_test(welchs_test_gives_known_values),
        cmocka_unit_test(the_ratio_has_the_limits_of_its_parts),
        cmocka_unit_test(the_interval_covers_what_it_says),
        cmocka_unit_test(markdown_says_it_all),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
