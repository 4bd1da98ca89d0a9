// The cost model on a made-up run whose coefficients are known: they are found again, what a
// technique can't do rules it out, what was not measured is said, intervals hold what they should,
// and trials count misses.
// Runs in: gcc asan ubsan
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/lib/file.h"
#include "harness/tool/choose.h"

static char root[] = "/tmp/corobench-choose-XXXXXX";

enum { ROUNDS = 12 };
// Their median is 1.
static const double factors[ROUNDS] = {1.02, 0.95, 1.00, 0.98, 1.05, 0.96,
                                       1.01, 1.03, 0.99, 0.97, 1.04, 1.00};

// ---- The run ------------------------------------------------------------------------------------

// What is true of a backend, in ns and bytes.
struct truth {
    const char *name, *family, *capabilities;
    double setup, yield, level, cache, call, ccall, copy; // cache: for each tenfold of live
    double bytes, byte, peak;                             // byte: for each that is alive
    double walk;                                          // a factor on what treewalk takes
    const char *limit;                                    // JSON
    double reached;                                       // of limit most=100000
    bool deep, calls;                                     // whether such cells have values
    double rest, update, hop; // of a return after a yield; a changed word; a nested resume
    const char *variant_of;   // which has the cells that a variant is not measured on
    double jump;              // a level, where the way through the frames is irregular
    double bodies;            // what the many bodies of `yield` add to its cells
};
#define MISS 9              // ns that a misprediction takes
#define HAND 2.5            // ns of a step of `wander` in plain C
#define WANDER_DEPTH 12.772 // as choose.json states it

static const struct truth truths[] = {
    {"walker",
     "stackless",
     "[\"recursion\", \"migrates\", \"no-allocation\"]",
     5,
     2,
     1,
     1,
     6,
     1,
     0,
     64,
     1,
     0,
     1,
     "{\"live\": null, \"reason\": \"memory\"}",
     100000,
     true,
     true,
     .rest = 0.5,
     .update = 0.25,
     .hop = 1.5,
     .variant_of = "",
     .jump = 0.75},
    {"stacker",
     "fiber",
     "[\"recursion\", \"deep-yield\", \"stack-size\", \"migrates\"]",
     10,
     3,
     0,
     4,
     2,
     1,
     0.01,
     4200,
     0,
     1,
     1.1,
     "{\"live\": null, \"reason\": \"memory\"}",
     100000,
     true,
     true,
     .rest = 0.5,
     .update = 0.5,
     .hop = 4,
     .variant_of = "",
     .jump = -0.1}, // no noise of the cell makes a program faster
    {"fixed",
     "fiber",
     "[\"recursion\"]",
     10,
     6,
     0,
     4,
     2,
     1,
     0,
     300,
     0,
     1,
     3,
     "{\"live\": 5000, \"reason\": \"so it is\"}",
     4000,
     true,
     true,
     .rest = 0,
     .update = 1,
     .hop = 7,
     .variant_of = "",
     .bodies = 1.5},
    {"placed",
     "stackless",
     "[\"recursion\", \"no-allocation\", \"calls-in-place\"]",
     20,
     20,
     0,
     1,
     6,
     1,
     0,
     900,
     1,
     0,
     1,
     "{\"live\": null, \"reason\": \"memory\"}",
     100000,
     true,
     true,
     .rest = 0,
     .update = 0.25,
     .hop = 1.5,
     .variant_of = "walker"},
    {"flat",
     "stackless",
     "[\"migrates\"]",
     4,
     1.5,
     0,
     1,
     6,
     1,
     0,
     48,
     1,
     0,
     1,
     "{\"live\": null, \"reason\": \"memory\"}",
     100000,
     false,
     false,
     .rest = 0,
     .update = 0.5,
     .hop = 1,
     .variant_of = ""},
};
#define TRUTHS (sizeof truths / sizeof *truths)

struct writing {
    json_t *plan;
    struct cb_text samples;
    double jitter; // 0: all rounds alike; 1: as `factors` says
    bool links;    // slow rounds are those of a second link
    bool wanders;  // the run has the cell of irregular ways
};

static void put_file(const char *name, const char *text) {
    char *path = cb_format("%s/%s", root, name);
    assert_int_equal(cb_file_write(path, text, strlen(text)), 0);
    free(path);
}

static void put_cell(struct writing *w, const struct truth *t, const char *scenario,
                     const char *binding, const char *params, const char *kind, const char *metric,
                     double value) {
    char *id = cb_format("%s/%s/%s/gcc/%s", t->name, scenario, binding, params);
    const char *status = isnan(value) ? "not-claimed" : "ok";
    json_array_append_new(w->plan, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
                                             "cell_id", id, "backend", t->name, "family", t->family,
                                             "scenario", scenario, "binding", binding, "compiler",
                                             "gcc", "params", params, "kind", kind, "status",
                                             status, "note", isnan(value) ? "recursion" : ""));
    for (int round = 0; round < ROUNDS && !isnan(value); round++) {
        double factor = strcmp(kind, "time") == 0 ? 1 + w->jitter * (factors[round] - 1) : 1;
        cb_text_add(&w->samples, "made,%s,%d,%d,1,1,%s,%.17g,1,,,,,,,,,\n", id, round,
                    w->links && factors[round] > 1, metric, value * factor);
    }
    free(id);
}

static void put_time(struct writing *w, const struct truth *t, const char *scenario,
                     const char *params, double ns) {
    put_cell(w, t, scenario, "opaque", params, "time", "time", ns);
}

static double live_ns(const struct truth *t, double n) {
    return t->yield + t->cache * log10(n);
}

static double jump_ns(const struct truth *t) {
    return *t->variant_of ? truths[0].jump : fmax(0, t->jump);
}

static double depth_ns(const struct truth *t, double depth) {
    return t->yield + t->level * (depth - 1);
}

// A step: a yield, and half a call with its return, whose result is folded into the caller's sum.
static void put_wander(struct writing *w, const struct truth *t) {
    put_time(w, t, "wander", "most=24",
             t->deep ? HAND + depth_ns(t, WANDER_DEPTH) + (t->call + t->rest + t->update) / 2 +
                           t->jump * WANDER_DEPTH
                     : NAN);
    for (int round = 0; round < ROUNDS && t->deep; round++)
        cb_text_add(&w->samples, "made,%s/wander/opaque/gcc/most=24,%d,0,1,1,hand,%g,1,,,,,,,,,\n",
                    t->name, round, HAND);
}

static void put_backend(struct writing *w, const struct truth *t) {
    static const int depths[] = {1, 2, 4, 8, 16, 24, 64};
    static const int lives[] = {1, 16, 1000, 100000};
    put_time(w, t, "setup", "storage=reused", t->setup);
    put_cell(w, t, "setup", "visible", "storage=reused", "time", "time", t->setup / 2);
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        char *params = cb_format("depth=%d", depths[i]);
        put_time(w, t, "yield", params,
                 depths[i] > 2 && !t->deep ? NAN : t->bodies + depth_ns(t, depths[i]));
        free(params);
    }
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        char *params = cb_format("n=%d;order=sequential", lives[i]);
        put_time(w, t, "live", params, live_ns(t, lives[i]));
        free(params);
    }
    if (t->calls) {
        put_time(w, t, "call", "yields=1", t->bodies + t->call + t->rest + depth_ns(t, 2));
        put_time(w, t, "unwind", "frames=16",
                 t->deep ? t->bodies + 16 * t->call + t->rest + depth_ns(t, 16) : NAN);
    }
    if (!*t->variant_of && w->wanders)
        put_wander(w, t);
    if (!*t->variant_of) {
        put_time(w, t, "locals", "k=8", t->yield + 8 * t->update);
        put_time(w, t, "locals", "k=32", t->yield + 32 * t->update);
        put_time(w, t, "delegate", "form=loop;wrappers=16", 17 * t->hop);
    }
    put_time(w, t, "cold", "evict=branches", 34 * MISS + t->yield);
    for (int round = 0; round < ROUNDS; round++)
        cb_text_add(&w->samples,
                    "made,%s/cold/opaque/gcc/evict=branches,%d,0,1,1,hand,%d,1,,,,,,,,,\n", t->name,
                    round, 34 * MISS);
    put_time(w, t, "copy", "live=64", t->yield + 64 * t->copy);
    put_time(w, t, "copy", "live=4096", t->yield + 4096 * t->copy);
    put_time(w, t, "ccall", "k=1", t->yield + t->ccall);
    put_time(w, t, "ccall", "k=16", t->yield + 16 * t->ccall);
    put_time(w, t, "treewalk", "nodes=4095",
             t->deep
                 ? t->walk * (0.0002442 * t->setup + depth_ns(t, 11.003) +
                              0.9997558 * (t->call + t->rest) + 2 * t->update + 11.003 * jump_ns(t))
                 : NAN);
    for (int big = 0; big < 3; big++) {
        double alive = big == 1 ? 1024 : 32, peak = big == 2 ? 4096 : 0;
        char *params = cb_format("live=%g;n=10000;peak=%g", alive, peak);
        // One was not measured with more alive.
        put_cell(w, t, "memory", "opaque", params, "space", "rss",
                 strcmp(t->name, "flat") == 0 && big == 1
                     ? NAN
                     : t->bytes + t->byte * (alive - 32) + t->peak * peak);
        cb_text_add(&w->samples, "made,%s/memory/opaque/gcc/%s,0,0,1,1,page_tables,0,1,,,,,,,,,\n",
                    t->name, params);
        free(params);
    }
    put_cell(w, t, "limit", "opaque", "most=100000", "limit", "coroutines", t->reached);
}

static json_t *program_of(const struct truth *t) {
    json_t *capabilities = json_loads(t->capabilities, 0, NULL);
    json_t *limit = json_loads(t->limit, 0, NULL);
    assert_non_null(capabilities);
    assert_non_null(limit);
    return json_pack("{s:s, s:s, s:i, s:s, s:s, s:{s:s, s:s, s:s, s:o, s:o}}", "backend", t->name,
                     "compiler", "gcc", "link", 0, "status", "ok", "note", "", "describe", "family",
                     t->family, "summary", "", "variant_of", t->variant_of, "capabilities",
                     capabilities, "limit", limit);
}

static void make_run_with(bool wanders, double jitter, const char *mode) {
    struct writing w = {.plan = json_array(),
                        .jitter = jitter,
                        .links = strcmp(mode, "full") == 0,
                        .wanders = wanders};
    json_t *programs = json_array();
    cb_text_add(&w.samples,
                "run,cell_id,round,build,rep,position,metric,value,iterations,wall_ns,cpu_ns,"
                "cycle_ns,instructions,faults,nvcsw,nivcsw,steal,flags\n");
    for (size_t i = 0; i < TRUTHS; i++) {
        put_backend(&w, &truths[i]);
        json_array_append_new(programs, program_of(&truths[i]));
    }
    json_t *document =
        json_pack("{s:i, s:s, s:s, s:i, s:i, s:i, s:{s:s, s:s, s:I}, s:{s:s}, s:o, s:o}", "schema",
                  1, "run", "made", "mode", mode, "seed", 7, "rounds", ROUNDS, "repetitions", 1,
                  "machine", "id", "m1", "kernel", "6.1", "memory_bytes", (json_int_t)1 << 30,
                  "compilers", "gcc", "12.2.0", "programs", programs, "plan", w.plan);
    char *text = json_dumps(document, 0);
    put_file("run.json", text);
    put_file("samples.csv", w.samples.text);
    free(text);
    json_decref(document);
    cb_text_clear(&w.samples);
}

static void make_run(double jitter, const char *mode) {
    make_run_with(true, jitter, mode);
}

// ---- Asking -------------------------------------------------------------------------------------

struct asking {
    struct cb_rep rep;
    struct cb_choose *choose;
};

static void open_run(struct asking *a) {
    assert_int_equal(cb_rep_load(&a->rep, root, stderr), 0);
    cb_rep_estimate_all(&a->rep);
    a->choose = cb_choose_open(&a->rep);
    assert_non_null(a->choose);
}

static struct cb_forecast ask(struct asking *a, const struct cb_program *program,
                              const char *name) {
    struct cb_forecast forecast = {.backend = NULL};
    for (size_t i = 0; i < a->rep.backend_count; i++)
        if (strcmp(a->rep.backends[i].name, name) == 0)
            cb_choose_forecast(a->choose, program, &a->rep.backends[i], "gcc", &forecast);
    assert_non_null(forecast.backend);
    return forecast;
}

static void expect_near(double value, double truth) {
    if (!(fabs(value - truth) <= 1e-5 * fabs(truth)))
        fail_msg("%.9g instead of %.9g", value, truth);
}

static void expect_in(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in: %s", part, text);
}

static struct cb_program program_with(enum cb_input input, double value) {
    struct cb_program program = cb_program_plain();
    program.in[input] = value;
    cb_program_complete(&program, false);
    return program;
}

static unsigned switch_bit(const char *name) {
    for (unsigned i = 0; cb_choose_switches[i]; i++)
        if (strcmp(cb_choose_switches[i], name) == 0)
            return 1U << i;
    fail_msg("no switch %s", name);
    return 0;
}

// ---- Coefficients -------------------------------------------------------------------------------

static void coefficients_are_found(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_program p = cb_program_plain();
    p.in[CB_SETUPS] = 2;
    p.in[CB_YIELDS] = 10;
    p.in[CB_CALLS] = 3;
    p.in[CB_DEPTH] = 6; // between points, where the truth is a line
    p.in[CB_LIVE] = 10000;
    p.in[CB_C_CALLS] = 4;
    cb_program_complete(&p, true);
    const struct truth *t = &truths[0];
    // What a walk touches grows with what its frames keep alive: 6 x 32 bytes for 32.
    double spread = 1 + 9999 * (t->bytes + 160) / t->bytes;
    struct cb_forecast f = ask(&a, &p, "walker");
    assert_int_equal(f.status, CB_FORECAST_OK);
    expect_near(f.terms[0], 2 * t->setup);
    expect_near(f.time, 2 * t->setup + 10 * (live_ns(t, spread) + 5 * t->level) +
                            3 * (t->call + t->rest) + 10 * 4 * t->ccall);
    assert_string_equal(f.beyond, "");
    expect_near(f.bytes, t->bytes + 160);
    double sum = 0;
    for (size_t i = 0; i < cb_choose_term_count(a.choose); i++)
        sum += f.terms[i];
    expect_near(sum, f.time);
    cb_rep_free(&a.rep);
}

static void one_coroutine_is_the_flat_yield(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_program p = cb_program_plain();
    expect_near(ask(&a, &p, "walker").time, truths[0].setup + truths[0].yield);
    expect_near(ask(&a, &p, "flat").time, truths[4].setup + truths[4].yield);
    // The lower one of two cells that measure it.
    expect_near(ask(&a, &p, "fixed").time, truths[2].setup + truths[2].yield);
    cb_rep_free(&a.rep);
}

static void frames_nest_and_returns_follow_yields(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    const struct truth *t = &truths[1];
    struct cb_program p = cb_program_plain();
    p.in[CB_CALLS] = 5; // more than yields: one return alone follows one
    p.in[CB_DEPTH] = 8;
    cb_program_complete(&p, true);
    expect_near(ask(&a, &p, "stacker").time, t->setup + t->yield + 5 * t->call + t->rest);
    p.in[CB_DEPTH] = 60; // no guess: it is the same in any deeper nest
    cb_program_complete(&p, true);
    expect_near(ask(&a, &p, "stacker").time, t->setup + t->yield + 5 * t->call + t->rest);
    assert_string_equal(ask(&a, &p, "stacker").beyond, "alive beyond 1024");
    p.in[CB_DEPTH] = 2; // a call as `call` has it, whose frame is always at one place
    cb_program_complete(&p, true);
    expect_near(ask(&a, &p, "stacker").time, t->setup + t->yield + 5 * (t->call + t->rest));
    cb_rep_free(&a.rep);
}

static void only_stacks_mispredict_crossed_returns(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_program p = program_with(CB_CROSSED, 2);
    expect_near(ask(&a, &p, "stacker").time, truths[1].setup + truths[1].yield + 2 * MISS);
    expect_near(ask(&a, &p, "walker").time, truths[0].setup + truths[0].yield);
    cb_rep_free(&a.rep);
}

static void irregular_ways_cost_what_wander_leaves(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_program p = program_with(CB_DEPTH, 6);
    p.in[CB_YIELDS] = 4;
    p.in[CB_CALLS] = 0;
    cb_program_complete(&p, true);
    double regular = ask(&a, &p, "walker").time, stack = ask(&a, &p, "stacker").time;
    double placed = ask(&a, &p, "placed").time;
    p.switches = switch_bit("irregular");
    expect_near(ask(&a, &p, "walker").time, regular + 4 * 6 * truths[0].jump);
    expect_near(ask(&a, &p, "stacker").time, stack);
    expect_near(ask(&a, &p, "placed").time, placed + 4 * 6 * truths[0].jump);
    assert_string_equal(ask(&a, &p, "walker").lacking, "");
    cb_rep_free(&a.rep);
}

// A run from before there was such a cell answers without it.
static void what_an_old_run_lacks_is_said(void **state) {
    (void)state;
    struct asking a;
    struct cb_program p = program_with(CB_DEPTH, 6);
    make_run_with(false, 1, "default");
    open_run(&a);
    double regular = ask(&a, &p, "walker").time;
    assert_string_equal(ask(&a, &p, "walker").lacking, "");
    p.switches = switch_bit("irregular");
    struct cb_forecast f = ask(&a, &p, "walker");
    assert_int_equal(f.status, CB_FORECAST_OK);
    expect_near(f.time, regular);
    assert_string_equal(f.lacking, "wander most=24");
    p.in[CB_CALLS] = 1; // what is missing besides is still named
    cb_program_complete(&p, true);
    p.in[CB_DEPTH] = 2;
    f = ask(&a, &p, "flat");
    assert_int_equal(f.status, CB_FORECAST_UNMEASURED);
    expect_in(f.why, "call yields=1");
    struct cb_trials trials = cb_choose_try(a.choose, "gcc");
    assert_int_equal(trials.known, 4);
    cb_rep_free(&a.rep);
    make_run(1, "default");
}

static void variants_share_what_they_lack(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_program p = program_with(CB_UPDATES, 3);
    expect_near(ask(&a, &p, "walker").time, truths[0].setup + truths[0].yield + 3 * 0.25);
    expect_near(ask(&a, &p, "placed").time, truths[3].setup + truths[3].yield + 3 * 0.25);
    p = program_with(CB_YIELDS, 4);
    p.switches = switch_bit("nested");
    expect_near(ask(&a, &p, "stacker").time, truths[1].setup + 4 * truths[1].hop);
    expect_near(ask(&a, &p, "placed").time, truths[3].setup + 4 * truths[0].hop);
    cb_rep_free(&a.rep);
}

static void bytes_alive_and_peaks_count(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_program p = program_with(CB_FRAME, 2080);
    // Beyond what memory's cells keep alive, so the bytes are extrapolated, and it is said.
    expect_near(ask(&a, &p, "walker").bytes, 64 + 2048);
    expect_in(ask(&a, &p, "walker").beyond, "alive beyond 1024");
    expect_near(ask(&a, &p, "stacker").time, 10 + 3); // alone, it keeps its place
    p.in[CB_LIVE] = 2;
    cb_program_complete(&p, true);
    expect_near(ask(&a, &p, "stacker").time, 10 + live_ns(&truths[1], 2) + 0.01 * (2080 - 64));
    p = program_with(CB_PEAK, 2048);
    expect_near(ask(&a, &p, "stacker").bytes, 4200 + 2048);
    expect_near(ask(&a, &p, "walker").bytes, 64);
    cb_rep_free(&a.rep);
}

static void beyond_the_cells_is_said(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_program p = program_with(CB_DEPTH, 1000);
    p.in[CB_CALLS] = 0;
    struct cb_forecast f = ask(&a, &p, "walker");
    assert_int_equal(f.status, CB_FORECAST_OK);
    expect_in(f.beyond, "depth beyond 64");
    expect_near(f.terms[2], truths[0].yield + 999 * truths[0].level);
    cb_rep_free(&a.rep);
}

// ---- Intervals ----------------------------------------------------------------------------------

static void intervals_hold_the_rounds(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_program p = cb_program_plain();
    struct cb_forecast f = ask(&a, &p, "walker");
    assert_true(f.low < f.time && f.time < f.high);
    assert_true(f.low > 0.95 * f.time && f.high < 1.05 * f.time);
    cb_rep_free(&a.rep);
    make_run(0, "default");
    open_run(&a);
    f = ask(&a, &p, "walker");
    assert_true(f.low == f.time && f.time == f.high);
    cb_rep_free(&a.rep);
    make_run(1, "default");
}

static void full_runs_draw_links_and_quick_ones_show_ranges(void **state) {
    (void)state;
    struct asking a;
    struct cb_program p = cb_program_plain();
    make_run(1, "full");
    open_run(&a);
    struct cb_forecast full = ask(&a, &p, "walker");
    cb_rep_free(&a.rep);
    make_run(1, "default");
    open_run(&a);
    struct cb_forecast rounds = ask(&a, &p, "walker");
    cb_rep_free(&a.rep);
    // A draw of two links takes one of them twice in a quarter of all: their own medians.
    expect_near(full.low, 0.98 * 7);
    expect_near(full.high, 1.03 * 7);
    make_run(1, "quick");
    open_run(&a);
    struct cb_forecast range = ask(&a, &p, "walker");
    cb_rep_free(&a.rep);
    assert_true(range.low <= rounds.low && rounds.high <= range.high);
    make_run(1, "default");
}

// ---- What rules out -----------------------------------------------------------------------------

static void expect_out(struct asking *a, const struct cb_program *p, const char *name,
                       const char *why) {
    struct cb_forecast f = ask(a, p, name);
    assert_int_equal(f.status, CB_FORECAST_OUT);
    expect_in(f.why, why);
}

static void what_cannot_be_is_ruled_out(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_program p = cb_program_plain();
    p.switches = switch_bit("no-alloc");
    expect_out(&a, &p, "stacker", "needs memory");
    assert_int_equal(ask(&a, &p, "walker").status, CB_FORECAST_OK);
    p.in[CB_CALLS] = 1;
    cb_program_complete(&p, true);
    expect_out(&a, &p, "walker", "a coroutine call needs memory");
    assert_int_equal(ask(&a, &p, "placed").status, CB_FORECAST_OK);
    p.switches |= switch_bit("recursion");
    expect_out(&a, &p, "placed", "nothing goes on without memory");
    p = cb_program_plain();
    p.switches = switch_bit("threads");
    expect_out(&a, &p, "fixed", "another thread");
    p.switches = switch_bit("recursion");
    expect_out(&a, &p, "flat", "may not call itself");
    p.switches = switch_bit("deep-yield");
    expect_out(&a, &p, "walker", "cannot yield");
    p = program_with(CB_LIVE, 5001);
    expect_out(&a, &p, "fixed", "at most 5 000 can be alive: so it is");
    p = program_with(CB_LIVE, 4500);
    expect_out(&a, &p, "fixed", "only 4 000 were reached");
    p = program_with(CB_LIVE, 3999);
    assert_int_equal(ask(&a, &p, "fixed").status, CB_FORECAST_OK);
    p = program_with(CB_LIVE, 1e6);
    expect_out(&a, &p, "stacker", "all need 3.91 GiB, the machine has 1.00 GiB");
    assert_int_equal(ask(&a, &p, "walker").status, CB_FORECAST_OK);
    p = program_with(CB_PEAK, 65536);
    expect_out(&a, &p, "fixed", "cannot be made large enough");
    assert_int_equal(ask(&a, &p, "stacker").status, CB_FORECAST_OK);
    assert_int_equal(ask(&a, &p, "walker").status, CB_FORECAST_OK);
    p = program_with(CB_DEPTH, 16);
    expect_out(&a, &p, "flat", "yield depth=4: not-claimed, recursion");
    cb_rep_free(&a.rep);
}

static void what_was_not_measured_is_named(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_program p = cb_program_plain();
    p.in[CB_CALLS] = 1;
    cb_program_complete(&p, true);
    struct cb_forecast f = ask(&a, &p, "flat");
    assert_int_equal(f.status, CB_FORECAST_UNMEASURED);
    expect_in(f.why, "call yields=1");
    p.in[CB_CALLS] = 0;
    assert_int_equal(ask(&a, &p, "flat").status, CB_FORECAST_OK);
    p.switches = switch_bit("foldable"); // this run has no such cells at all
    f = ask(&a, &p, "walker");
    assert_int_equal(f.status, CB_FORECAST_UNMEASURED);
    expect_in(f.why, "fold levels=1;reduce=serial");
    cb_rep_free(&a.rep);
}

// ---- Trials and answers -------------------------------------------------------------------------

static const struct cb_trial *trial_of(const struct cb_trials *trials, const char *program,
                                       const char *backend) {
    for (size_t i = 0; i < trials->count; i++)
        if (strcmp(trials->list[i].program->id, program) == 0 &&
            strcmp(trials->list[i].forecast.backend->name, backend) == 0)
            return &trials->list[i];
    fail_msg("no trial of %s on %s", program, backend);
    return NULL;
}

static void trials_know_their_errors(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_trials trials = cb_choose_try(a.choose, "gcc");
    assert_int_equal(trials.count, TRUTHS); // the run has one of the programs
    assert_int_equal(trials.known, 4);
    const struct cb_trial *walker = trial_of(&trials, "treewalk", "walker");
    assert_true(fabs(walker->error) < 1e-5);
    assert_string_equal(cb_trial_verdict(&trials, walker), "");
    const struct cb_trial *stacker = trial_of(&trials, "treewalk", "stacker");
    expect_near(stacker->error, 1 / 1.1 - 1);
    assert_string_equal(cb_trial_verdict(&trials, stacker), "");
    const struct cb_trial *fixed = trial_of(&trials, "treewalk", "fixed");
    expect_near(fixed->error, 1 / 3.0 - 1);
    assert_string_equal(cb_trial_verdict(&trials, fixed), "missed");
    // Of four, two are right.
    assert_true(fabs(trials.median - fabs(stacker->error) / 2) < 1e-5);
    // Who takes one that is predicted for nothing pays what it was measured to take.
    double fastest = INFINITY, taken = walker->forecast.time; // its error is 0
    for (size_t i = 0; i < trials.count; i++)
        if (!isnan(trials.list[i].error))
            fastest = fmin(fastest, trials.list[i].forecast.time / (1 + trials.list[i].error));
    for (size_t i = 0; i < trials.count; i++)
        if (&trials.list[i] == walker)
            trials.list[i].forecast.time = 0;
    expect_near(cb_trials_price(&a.rep, trials.list, trials.count), taken / fastest - 1);
    cb_rep_free(&a.rep);
}

static void answers_rank_and_tell(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_trials trials = cb_choose_try(a.choose, "gcc");
    struct cb_program p = program_with(CB_YIELDS, 100);
    struct cb_answer answer = cb_choose_answer(a.choose, &p, "gcc", &trials);
    assert_int_equal(answer.ok, TRUTHS);
    assert_string_equal(answer.list[0].backend->name, "flat");
    assert_string_equal(answer.list[1].backend->name, "walker");
    for (size_t i = 1; i < answer.ok; i++)
        assert_true(answer.list[i - 1].time <= answer.list[i].time);
    assert_false(cb_choose_is_within(&answer, 0));
    assert_false(cb_choose_is_within(&answer, 1)); // a third more: beyond both margins
    expect_in(answer.words, "use flat: about 154 ns and 48.0 B a coroutine");
    p = program_with(CB_YIELDS, 0);
    p.in[CB_LIVE] = 100;
    answer = cb_choose_answer(a.choose, &p, "gcc", &trials);
    expect_in(answer.words, "(for all 100: 400 ns, 4.69 KiB)");
    p.switches = switch_bit("no-alloc") | switch_bit("deep-yield");
    answer = cb_choose_answer(a.choose, &p, "gcc", &trials);
    assert_int_equal(answer.ok, 0);
    expect_in(answer.words, "no technique");
    cb_rep_free(&a.rep);
}

// It may look cheap where it was not measured.
static void who_has_no_bytes_comes_last(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_trials trials = cb_choose_try(a.choose, "gcc");
    struct cb_program p = program_with(CB_FRAME, 512);
    struct cb_answer answer = cb_choose_answer(a.choose, &p, "gcc", &trials);
    const struct cb_forecast *last = &answer.list[answer.ok - 1];
    assert_string_equal(last->backend->name, "flat");
    assert_true(isnan(last->bytes));
    assert_true(last->time < answer.list[answer.ok - 2].time);
    for (size_t i = 0; i + 1 < answer.ok; i++)
        assert_false(isnan(answer.list[i].bytes));
    assert_false(cb_choose_is_within(&answer, answer.ok - 1));
    cb_rep_free(&a.rep);
}

// Those within the margin are named, and a cheaper one in memory.
static void what_is_as_good_is_named(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    struct cb_trials trials = cb_choose_try(a.choose, "gcc");
    struct cb_program p = program_with(CB_DEPTH, 2); // flat has no calls, walker 14.5, stacker 15.5
    struct cb_answer answer = cb_choose_answer(a.choose, &p, "gcc", &trials);
    assert_string_equal(answer.list[0].backend->name, "walker");
    assert_true(cb_choose_is_within(&answer, 1));
    expect_in(answer.words, "as good (within 15 % or its interval): stacker");
    assert_string_equal(cb_choose_smallest(&answer)->backend->name, "walker");
    cb_rep_free(&a.rep);
}

// ---- The report's tables ------------------------------------------------------------------------

static const struct cb_rep_table *table_of(const struct cb_rep *rep, const char *id) {
    for (size_t i = 0; i < rep->table_count; i++)
        if (strcmp(rep->tables[i]->id, id) == 0)
            return rep->tables[i];
    fail_msg("no table %s", id);
    return NULL;
}

static void the_report_shows_misses(void **state) {
    (void)state;
    struct asking a;
    open_run(&a);
    assert_int_equal(cb_rep_choose_tables(&a.rep), 0);
    const struct cb_rep_table *table = table_of(&a.rep, "choose");
    assert_int_equal(table->row_count, TRUTHS);
    expect_in(table->caption, "Of 4 predictions the median |error| is 4.5 %");
    expect_in(table->caption, "(wanted: at most 15 %, met)");
    size_t missed = 0;
    for (size_t i = 0; i < table->row_count; i++) {
        const struct cb_rep_entry *entries = &table->entries[i * table->column_count];
        bool wrong = strcmp(entries[0].text, "fixed") == 0;
        missed += wrong;
        assert_string_equal(entries[4].text, wrong ? "missed" : "");
    }
    assert_int_equal(missed, 1);
    // The typical programs, less the one that this run has no cells for.
    table = table_of(&a.rep, "choose-typical");
    assert_int_equal(table->row_count, 2);
    assert_string_equal(table->entries[1].text, "stacker");
    cb_rep_free(&a.rep);
}

// ---- Printing -----------------------------------------------------------------------------------

static char *print(const struct cb_program *p, const char *compiler, enum cb_choose_format format,
                   int *status, char **said) {
    char *out = NULL;
    size_t length = 0, said_length = 0;
    FILE *to = open_memstream(&out, &length), *messages = open_memstream(said, &said_length);
    *status = cb_choose_print(root, p, compiler, format, to, messages);
    fclose(to);
    fclose(messages);
    return out;
}

static void json_has_its_shape(void **state) {
    (void)state;
    struct cb_program p = program_with(CB_LIVE, 4500);
    int status;
    char *said, *text = print(&p, NULL, CB_CHOOSE_JSON, &status, &said);
    assert_int_equal(status, CB_EXIT_OK);
    assert_string_equal(said, "");
    json_t *document = json_loads(text, 0, NULL), *first;
    assert_non_null(document);
    json_t *ranking = json_object_get(document, "ranking");
    assert_int_equal(json_array_size(ranking), 4);
    first = json_array_get(ranking, 0);
    json_t *time = json_object_get(first, "time_ns");
    double value = json_number_value(json_object_get(time, "value"));
    assert_true(json_number_value(json_object_get(time, "low")) <= value);
    assert_true(json_number_value(json_object_get(time, "high")) >= value);
    expect_near(json_number_value(json_object_get(first, "all_ns")), 4500 * value);
    assert_true(json_is_object(json_object_get(first, "terms_ns")));
    json_t *out = json_object_get(document, "ruled_out");
    assert_int_equal(json_array_size(out), 1);
    assert_string_equal(cb_rep_string(json_array_get(out, 0), "backend", ""), "fixed");
    assert_true(json_number_value(json_object_get(json_object_get(document, "program"), "live")) ==
                4500);
    assert_true(json_is_number(json_object_get(json_object_get(document, "trials"), "count")));
    json_decref(document);
    free(text);
    free(said);
}

static void the_first_line_is_the_answer(void **state) {
    (void)state;
    struct cb_program p = program_with(CB_LIVE, 4500);
    int status;
    char *said, *text = print(&p, NULL, CB_CHOOSE_TEXT, &status, &said);
    assert_int_equal(strncmp(text, "use flat: about ", 16), 0);
    expect_in(text, "ruled out:\n  fixed ");
    free(text);
    free(said);
    text = print(&p, "gcc", CB_CHOOSE_MARKDOWN, &status, &said);
    expect_in(text, "| fixed | ruled out | | | | only 4 000 were reached");
    free(text);
    free(said);
}

static void wrong_questions_are_refused(void **state) {
    (void)state;
    struct cb_program p = cb_program_plain();
    int status;
    char *said, *text = print(&p, "icc", CB_CHOOSE_TEXT, &status, &said);
    assert_int_equal(status, CB_EXIT_USAGE);
    assert_string_equal(text, "");
    expect_in(said, "--compiler icc");
    expect_in(said, "compilers are: gcc");
    free(text);
    free(said);
    p.switches = switch_bit("no-alloc") | switch_bit("deep-yield");
    text = print(&p, NULL, CB_CHOOSE_TEXT, &status, &said);
    assert_int_equal(status, CB_EXIT_FAILED);
    free(text);
    free(said);
}

// ---- The model's file ---------------------------------------------------------------------------

// Opens a model in which `from` is replaced; what is said.
static char *open_wrong(const char *from, const char *to) {
    struct cb_rep rep;
    char *said = NULL, *path = cb_share_path("choose.json"), *bytes = NULL;
    size_t length = 0;
    FILE *messages = open_memstream(&said, &length);
    assert_int_equal(cb_rep_load(&rep, root, messages), 0);
    cb_rep_estimate_all(&rep);
    assert_int_equal(cb_file_read(path, &bytes, NULL), 0);
    char *at = strstr(bytes, from);
    assert_non_null(at);
    char *changed = cb_format("%.*s%s%s", (int)(at - bytes), bytes, to, at + strlen(from));
    json_decref(rep.choose);
    rep.choose = json_loads(changed, 0, NULL);
    assert_non_null(rep.choose);
    assert_null(cb_choose_open(&rep));
    cb_rep_free(&rep);
    fclose(messages);
    free(changed);
    free(bytes);
    free(path);
    return said;
}

static void a_wrong_model_is_refused(void **state) {
    (void)state;
    static const char *const wrongs[][3] = {
        {"\"over\": \"depth\"", "\"over\": \"deepth\"", "no program has a \"deepth\""},
        {"\"unless\": \"foldable\"", "\"unless\": \"folded\"", "no program is \"folded\""},
        {"\"x\": 16,", "\"x\": 1,", "points that do not rise"},
        {"\"scenario\": \"setup\", ", "", "a cell without a scenario"},
        {"\"count\": [\"setups\"]", "\"count\": [\"lives\"]", "no program has a \"lives\""},
        {"\"as\": {", "\"as\": {\"irregular\": true, ", "it would explain itself"},
        {"\"needs\": [\"migrates\"]", "\"needs\": []", "one without needs"}};
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        char *said = open_wrong(wrongs[i][0], wrongs[i][1]);
        expect_in(said, "choose.json: ");
        expect_in(said, wrongs[i][2]);
        free(said);
    }
}

// ---- All ----------------------------------------------------------------------------------------

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
    make_run(1, "default");
    return 0;
}

static int remove_root(void **state) {
    (void)state;
    static const char *const names[] = {"run.json", "samples.csv"};
    for (size_t i = 0; i < 2; i++) {
        char *path = cb_format("%s/%s", root, names[i]);
        unlink(path);
        free(path);
    }
    return rmdir(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coefficients_are_found),
        cmocka_unit_test(one_coroutine_is_the_flat_yield),
        cmocka_unit_test(frames_nest_and_returns_follow_yields),
        cmocka_unit_test(only_stacks_mispredict_crossed_returns),
        cmocka_unit_test(irregular_ways_cost_what_wander_leaves),
        cmocka_unit_test(what_an_old_run_lacks_is_said),
        cmocka_unit_test(variants_share_what_they_lack),
        cmocka_unit_test(bytes_alive_and_peaks_count),
        cmocka_unit_test(beyond_the_cells_is_said),
        cmocka_unit_test(intervals_hold_the_rounds),
        cmocka_unit_test(full_runs_draw_links_and_quick_ones_show_ranges),
        cmocka_unit_test(what_cannot_be_is_ruled_out),
        cmocka_unit_test(what_was_not_measured_is_named),
        cmocka_unit_test(trials_know_their_errors),
        cmocka_unit_test(answers_rank_and_tell),
        cmocka_unit_test(who_has_no_bytes_comes_last),
        cmocka_unit_test(what_is_as_good_is_named),
        cmocka_unit_test(the_report_shows_misses),
        cmocka_unit_test(json_has_its_shape),
        cmocka_unit_test(the_first_line_is_the_answer),
        cmocka_unit_test(wrong_questions_are_refused),
        cmocka_unit_test(a_wrong_model_is_refused),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
