// The report of a made-up run whose truth is known: exact rows, statuses, ratios, targets, tables,
// plots; the same bytes each time; the condensed reference; the README; missing tools and bad
// input.
// Runs in: gcc asan ubsan
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <unistd.h>

#include "harness/lib/csv.h"
#include "harness/lib/file.h"
#include "harness/tool/report.h"
#include "tests/data/make_run.c"

static char root[] = "/tmp/corobench-report-XXXXXX";

static char *in_root(const char *name) {
    return cb_format("%s/%s", root, name);
}

// Makes a run called `name` and its report; the status of cb_report_run, its messages in *said.
static int report(const char *name, const char *mode, size_t crowd, char **said) {
    char *folder = in_root(name), *text = NULL;
    size_t length = 0;
    FILE *messages = open_memstream(&text, &length);
    assert_int_equal(make_run(folder, mode, 0, crowd), 0);
    int status = cb_report_run(folder, messages);
    fclose(messages);
    if (said)
        *said = text;
    else
        free(text);
    free(folder);
    return status;
}

static char *read_text(const char *run, const char *name) {
    char *path = cb_format("%s/%s/%s", root, run, name), *bytes = NULL;
    if (cb_file_read(path, &bytes, NULL) != 0)
        fail_msg("%s is not there", path);
    free(path);
    return bytes;
}

static void expect_in(const char *run, const char *name, const char *text) {
    char *bytes = read_text(run, name);
    if (!strstr(bytes, text))
        fail_msg("%s/%s has no: %s", run, name, text);
    free(bytes);
}

static void expect_not_in(const char *run, const char *name, const char *text) {
    char *bytes = read_text(run, name);
    if (strstr(bytes, text))
        fail_msg("%s/%s has: %s", run, name, text);
    free(bytes);
}

// A whole line of a CSV file; that it is there once.
static void expect_line(const char *run, const char *name, const char *line) {
    char *bytes = read_text(run, name), *wanted = cb_format("\n%s\n", line);
    char *found = strstr(bytes, wanted);
    if (!found)
        fail_msg("%s/%s has no line: %s", run, name, line);
    if (strstr(found + 1, wanted))
        fail_msg("%s/%s has twice: %s", run, name, line);
    free(wanted);
    free(bytes);
}

// A gnuplot that draws nothing, and at once: drawing is most of what a report takes, and most tests
// do not look at it.
static const char stub[] = "#!/bin/sh\n"
                           "output=${3#*output = \\'}\n"
                           "echo '<svg></svg>' >\"${output%%\\'*}\"\n";
static char *real_path, *stub_path;

static int with_plots(void **state) {
    (void)state;
    return setenv("PATH", real_path, 1);
}

static int without_plots(void **state) {
    (void)state;
    return setenv("PATH", stub_path, 1);
}

static int make_stub(void) {
    char *folder = in_root("bin"), *file = in_root("bin/gnuplot");
    real_path = cb_copy(getenv("PATH"));
    stub_path = cb_format("%s:%s", folder, real_path);
    int error = cb_make_folders(folder);
    error = error ? error : cb_file_write(file, stub, sizeof stub - 1);
    error = error ? error : chmod(file, 0755);
    free(file);
    free(folder);
    return error ? error : without_plots(NULL);
}

static int make_root(void **state) {
    (void)state;
    if (!mkdtemp(root) || make_stub() != 0)
        return -1;
    if (!getenv("COROBENCH_SHARE")) {
        char *program = cb_program_folder(), *share = cb_format("%s/../../share", program);
        setenv("COROBENCH_SHARE", share, 1);
        free(share);
        free(program);
    }
    return 0;
}

static void remove_tree(const char *path) {
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *name = cb_format("%s/%s", path, entry->d_name);
        if (unlink(name) < 0)
            remove_tree(name);
        free(name);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

static int remove_root(void **state) {
    (void)state;
    remove_tree(root);
    free(real_path);
    free(stub_path);
    return 0;
}

static int make_default(void **state) {
    with_plots(state);
    int status = report("default", "default", 0, NULL);
    without_plots(state);
    return status;
}

// ---- cells.csv ----------------------------------------------------------------------------------

static void cells_have_the_published_columns(void **state) {
    (void)state;
    char *bytes = read_text("default", "cells.csv");
    static const char header[] =
        "backend,family,scenario,binding,compiler,params,metric,unit,estimate,ci_low,ci_high,"
        "rounds,status,note,cell_id,estimator,flags\n";
    assert_memory_equal(bytes, header, sizeof header - 1);
    free(bytes);
}

#define CELL(line) expect_line("default", "cells.csv", line)

static void times_have_median_quartile_and_cycles(void **state) {
    (void)state;
    CELL("fiber-small,fiber,setup,opaque,gcc,storage=reused,time,ns,3.1,3.007,3.193,12,ok,,"
         "fiber-small/setup/opaque/gcc/storage=reused,median,");
    CELL("fiber-small,fiber,setup,opaque,gcc,storage=reused,time,ns,3.03025,2.945,3.1,12,ok,,"
         "fiber-small/setup/opaque/gcc/storage=reused,lower-quartile,");
    CELL("fiber-small,fiber,setup,opaque,gcc,storage=reused,cycles,cycles,12.4,12.028,12.772,12,"
         "ok,,fiber-small/setup/opaque/gcc/storage=reused,median,");
    CELL("fiber-small,fiber,setup,opaque,clang,storage=reused,time,ns,3.875,3.75875,3.99125,12,ok,"
         ",fiber-small/setup/opaque/clang/storage=reused,median,");
}

// Of the repetitions that a process had, and of both loops: 0.9, 1.3 and 1 times the truth.
static void the_fastest_repetition_counts_where_the_run_says_so(void **state) {
    (void)state;
    made_special.fastest = true;
    assert_int_equal(report("fastest", "default", 0, NULL), 0);
    expect_line("fastest", "cells.csv",
                "fiber-small,fiber,setup,opaque,gcc,storage=reused,time,ns,2.79,2.7063,2.8737,12,ok"
                ",,fiber-small/setup/opaque/gcc/storage=reused,median,");
    expect_line("fastest", "cells.csv",
                "fiber-small,fiber,setup,opaque,gcc,storage=reused,cycles,cycles,11.16,10.8252,"
                "11.4948,12,ok,,fiber-small/setup/opaque/gcc/storage=reused,median,");
    expect_line(
        "fastest", "cells.csv",
        "stackless-leaf,stackless,fold,visible,gcc,levels=1;reduce=serial,ratio,ratio,7.9,"
        "7.89999,7.90001,12,ok,,stackless-leaf/fold/visible/gcc/levels=1;reduce=serial,median,");
    expect_in("fastest", "report.html", "the fastest of its repetitions");
    expect_in("default", "report.html", "the median of its repetitions");
}

static void slopes_are_made_from_depths(void **state) {
    (void)state;
    CELL("stackless-chain,stackless,yield,opaque,gcc,,per_level,ns,1.1,1.067,1.133,12,ok,,"
         "stackless-chain/yield/opaque/gcc/,median,remeasured");
    // Beyond 28 levels a level costs 3.5 times as much.
    CELL("stackless-chain,stackless,yield,opaque,gcc,span=deep,per_level,ns,3.85,3.7345,3.9655,12,"
         "ok,,stackless-chain/yield/opaque/gcc/span=deep,median,");
    CELL("stackless-chain,stackless,yield,opaque,gcc,,per_level_cycles,cycles,4.4,4.268,4.532,12,"
         "ok,,stackless-chain/yield/opaque/gcc/,median,remeasured");
    expect_not_in("default", "cells.csv", "yield/opaque/clang/,"); // depths 1 and 16 only
}

static void calls_are_charged_without_their_yields(void **state) {
    (void)state;
    CELL("stackless-leaf,stackless,call,opaque,gcc,yields=1,attributed,ns,3,2.91,3.09,12,ok,,"
         "stackless-leaf/call/opaque/gcc/yields=1,median,");
    CELL("stackless-leaf,stackless,call,opaque,gcc,yields=16,attributed,ns,3,2.91,3.09,12,ok,,"
         "stackless-leaf/call/opaque/gcc/yields=16,median,");
}

static void a_hand_loop_is_taken_off(void **state) {
    (void)state;
    CELL("stackless-leaf,stackless,cold,opaque,gcc,evict=cache,net,ns,40,38.8,41.2,12,ok,,"
         "stackless-leaf/cold/opaque/gcc/evict=cache,median,");
}

static void bytes_are_summed_where_known(void **state) {
    (void)state;
    CELL("stackless-chain,stackless,memory,opaque,gcc,live=32;n=10000;peak=0,bytes,B,64.5,64.5,"
         "65.5,6,ok,,stackless-chain/memory/opaque/gcc/live=32;n=10000;peak=0,median,");
    CELL("thread-futex,thread,memory,opaque,gcc,live=32;n=10000;peak=0,bytes,B,22396,22396,22397,6,"
         "ok,,thread-futex/memory/opaque/gcc/live=32;n=10000;peak=0,median,");
}

static void facts_of_the_build_are_exact(void **state) {
    (void)state;
    CELL("fiber-full,fiber,source,opaque,gcc,,lines,lines,310,310,310,1,ok,,"
         "fiber-full/source/opaque/gcc/,median,");
    expect_not_in("default", "cells.csv", "fiber-full/source/opaque/gcc/,lower-quartile");
}

static void every_loss_is_a_row_without_estimate(void **state) {
    (void)state;
    CELL("stackless-leaf,stackless,fold,opaque,gcc,levels=8;reduce=serial,time,ns,,,,0,failed,"
         "ended by signal 11 in round 7 | <stack> overflow,"
         "stackless-leaf/fold/opaque/gcc/levels=8;reduce=serial,median,");
    CELL("fiber-full,fiber,fold,opaque,gcc,levels=8;reduce=serial,time,ns,,,,0,failed,"
         "no sample was recorded,fiber-full/fold/opaque/gcc/levels=8;reduce=serial,median,");
    CELL("thread-futex,thread,live,opaque,gcc,n=100000;order=random,time,ns,,,,0,timeout,"
         "no answer within 60 s,thread-futex/live/opaque/gcc/n=100000;order=random,median,");
    CELL("fiber-small,fiber,fold,opaque,gcc,levels=8;reduce=serial,time,ns,,,,0,skipped,"
         "not asked for,fiber-small/fold/opaque/gcc/levels=8;reduce=serial,median,");
    CELL("fiber-full,fiber,memory,opaque,gcc,live=32;n=100000;peak=0,rss,B,,,,0,unavailable,"
         "vm.max_map_count=65530: one mapping a guard,"
         "fiber-full/memory/opaque/gcc/live=32;n=100000;peak=0,median,");
    CELL("fiber-small,fiber,yield,opaque,gcc,cpus=2;depth=1,time,ns,,,,0,not-claimed,parallel,"
         "fiber-small/yield/opaque/gcc/cpus=2;depth=1,median,");
    CELL("copied-stack,fiber,call,opaque,gcc,yields=1,attributed,ns,,,,0,unavailable,needs libfoo "
         "2,copied-stack/call/opaque/gcc/yields=1,median,");
}

static void a_loop_at_the_floor_is_folded(void **state) {
    (void)state;
    CELL("stackless-chain,stackless,fold,visible,gcc,levels=1;reduce=serial,ratio,ratio,1,1,1,12,"
         "ok,,stackless-chain/fold/visible/gcc/levels=1;reduce=serial,median,folded");
    CELL("stackless-leaf,stackless,fold,visible,gcc,levels=1;reduce=serial,ratio,ratio,7.9,7.9,7.9,"
         "12,ok,,stackless-leaf/fold/visible/gcc/levels=1;reduce=serial,median,");
    // 1.25 times the floor with the other compiler
    CELL("stackless-chain,stackless,fold,visible,clang,levels=1;reduce=serial,ratio,ratio,1.25,"
         "1.25,1.25,12,ok,,stackless-chain/fold/visible/clang/levels=1;reduce=serial,median,");
}

static void what_does_not_fold_says_why(void **state) {
    (void)state;
    expect_in("default", "tables/fold.md", "| **fold/visible/levels=1;reduce=serial** |");
    expect_in("default", "tables/fold.md",
              "| stackless-chain | gcc | yes | 1.00 | 7.00 | 4.50 |  |");
    expect_in("default", "tables/fold.md",
              "| stackless-chain | clang | no | 1.25 | 7.00 | 4.50 | more instructions |");
    expect_in("default", "tables/fold.md",
              "| stackless-leaf | gcc | no | 7.90 | 21.0 | 4.50 | 2 indirect jumps or calls, a "
              "call, 3 stores |");
    expect_in("default", "tables/fold.md", "| - | 4.50 | no loop was recognised |");
    expect_not_in("default", "tables/fold.md", "fiber-small");
    expect_in("default", "report.html", "does a generator fold");
}

static void a_wide_difference_is_unresolved(void **state) {
    (void)state;
    // Noise of 1 % on two times of 3400 ns leaves nothing of a difference of 2 ns.
    char *folder = in_root("noisy");
    assert_int_equal(make_run(folder, "default", 0.01, 0), 0);
    assert_int_equal(cb_report_run(folder, stderr), 0);
    free(folder);
    char *bytes = read_text("noisy", "cells.csv");
    char *row = strstr(bytes, "\nthread-futex,thread,call,opaque,gcc,yields=1,attributed,ns,");
    assert_non_null(row);
    *strchr(row + 1, '\n') = '\0';
    assert_non_null(strstr(row + 1, ",ok,"));
    assert_string_equal(strrchr(row + 1, ','), ",unresolved");
    free(bytes);
    expect_in("noisy", "tables/headline.md", "| unresolved (");
    expect_not_in("default", "cells.csv", "unresolved");
}

static void twins_stay_out_of_tables(void **state) {
    (void)state;
    CELL("fiber-small,fiber,yield,opaque,gcc,aa=1;depth=1,time,ns,2.5,2.425,2.575,12,ok,,"
         "fiber-small/yield/opaque/gcc/aa=1;depth=1,median,");
    expect_not_in("default", "tables/scenario-yield.md", "aa=1");
    expect_not_in("default", "plots/yield-depth.dat", "aa");
}

// ---- Modes --------------------------------------------------------------------------------------

static void quick_claims_nothing(void **state) {
    (void)state;
    assert_int_equal(report("quick", "quick", 0, NULL), 0);
    // Five rounds: 1.02 0.95 1.00 0.98 1.05
    expect_line("quick", "cells.csv",
                "fiber-small,fiber,setup,opaque,gcc,storage=reused,time,ns,3.1,,,5,ok,,"
                "fiber-small/setup/opaque/gcc/storage=reused,median,");
    char *ratios = read_text("quick", "ratios.csv");
    assert_string_equal(ratios,
                        "cell_a,cell_b,metric,ratio,ci_low,ci_high,p_holm,mde,verdict,estimator\n");
    free(ratios);
    expect_in("quick", "tables/headline.md", "| fiber-small | 3.10 [2.94, 3.25] |");
    expect_in("quick", "tables/headline.md", "claims no interval and no difference");
    expect_in("quick", "tables/targets.md", "A quick run makes no ratio claim");
    expect_in("quick", "plots/lifetime.layout", "crossings = 0");
}

static void full_is_clustered_by_link(void **state) {
    (void)state;
    assert_int_equal(report("full", "full", 0, NULL), 0);
    // Medians of the six links: 0.975 0.98 0.99 0.995 1.015 1.045 times the truth.
    expect_line("full", "cells.csv",
                "fiber-full,fiber,yield,opaque,gcc,depth=1,time,ns,2.5805,2.535,2.717,36,ok,,"
                "fiber-full/yield/opaque/gcc/depth=1,median,");
}

// ---- Ratios and targets -------------------------------------------------------------------------

static void pairs_of_a_column_are_compared(void **state) {
    (void)state;
    expect_line(
        "default", "ratios.csv",
        "fiber-full/setup/opaque/gcc/storage=reused,"
        "stackless-chain/setup/opaque/gcc/storage=reused,time,2,2,2,0,0.0285471,larger,median");
    expect_line("default", "ratios.csv",
                "stackless-chain/setup/opaque/gcc/storage=reused,"
                "stackless-leaf/setup/opaque/gcc/storage=reused,time,0.566667,0.566667,0.566667,0,"
                "0.0285471,smaller,median");
    char *bytes = read_text("default", "ratios.csv");
    assert_null(strstr(bytes, "copied-stack")); // what has no value has no ratio
    assert_null(strstr(bytes, ",lines,"));
    free(bytes);
}

static void expect_verdict(const char *run, const char *pair, const char *verdict) {
    char *bytes = read_text(run, "ratios.csv"), *row = strstr(bytes, pair);
    if (!row)
        fail_msg("%s/ratios.csv has no %s", run, pair);
    *strchr(row, '\n') = '\0';
    *strrchr(row, ',') = '\0'; // the estimator
    assert_string_equal(strrchr(row, ',') + 1, verdict);
    free(bytes);
}

static void no_difference_is_said(void **state) {
    (void)state;
    static const char pair[] = "fiber-full/setup/opaque/gcc/storage=reused,fiber-small/setup";
    expect_verdict("noisy", pair, "larger"); // 3.4 over 3.1 is beyond noise of 1 %
    char *folder = in_root("loud");
    assert_int_equal(make_run(folder, "default", 0.2, 0), 0);
    assert_int_equal(cb_report_run(folder, stderr), 0);
    free(folder);
    expect_verdict("loud", pair, "no difference"); // and inside noise of 20 %
    expect_in("loud", "tables/compare-headline.md", "| no difference |");
    // 3.1 over 1.4 is within 2.5, its interval is not.
    expect_verdict("loud",
                   "fiber-small/setup/opaque/gcc/storage=reused,fiber-small/baseline/opaque/gcc/"
                   "op=indirect-call",
                   "undecided");
}

// A figure that is a comparison itself, the ratio to a loop by hand, is judged as pairs are.
static void a_ratio_to_another_loop_is_judged(void **state) {
    (void)state;
    static const char hand[] = "fold/visible/gcc/levels=1;reduce=serial,constant:1,ratio,";
    char *same = cb_format("stackless-chain/%s", hand), *more = cb_format("fiber-full/%s", hand);
    expect_verdict("default", same, "no difference");
    expect_verdict("default", more, "larger");
    expect_in("default", "tables/headline.md", "| 1.00 no difference, folded |");
    expect_in("default", "tables/headline.md", "| 8.10 |");
    // What is left of a call is less than can be told apart of it.
    expect_in("default", "tables/headline.md", "| 2.00 [1.94, 2.06] no difference |");
    expect_in("default", "tables/headline.md", "| 2.60 [2.52, 2.68] |");
    free(same);
    free(more);
    assert_int_equal(report("unclaimed", "quick", 0, NULL), 0);
    expect_in("unclaimed", "tables/headline.md", "| 1.00 folded |");
}

static void targets_are_judged(void **state) {
    (void)state;
    static const char *const rows[] = {
        "fiber-small: a yield through 64 levels costs what one through 1 costs,gcc,at most "
        "1.3,1,1,1,,2.85471,,,,met",
        "stackless-leaf: a yield through 64 levels costs what one through 1 costs,gcc,at most "
        "1.3,1.765,1.765,1.765,,2.85471,,,,missed",
        "stackless-chain: a yield climbs with depth (16 levels over 1),gcc,at least "
        "2,11.3125,11.3125,11.3125,,2.85471,,,,met",
        "stackless-chain: a flat generator with four words of data is at most 80 B,gcc,at most 80 "
        "B,64.5,64.5,65.5,B,0,,,,met",
        "stackless-chain: gcc folds a visible generator into its loop,gcc,at most "
        "1.1,1,1,1,,0,,,,met"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_line("default", "tables/targets.csv", rows[i]);
    expect_not_in("default", "tables/targets.csv", "into its loop,clang");
    expect_line("default", "ratios.csv",
                "stackless-chain/memory/opaque/gcc/live=32;n=10000;peak=0,constant:80,bytes,"
                "0.80625,0.80625,0.81875,,0,met,median");
}

// ---- A/A data
// ------------------------------------------------------------------------------------

// A field of the row of a CSV file that starts with `row`.
static double field_of(const char *run, const char *name, const char *row, int field) {
    char *bytes = read_text(run, name), *start = cb_format("\n%s,", row);
    char *at = strstr(bytes, start);
    if (!at)
        fail_msg("%s/%s has no row: %s", run, name, row);
    for (at++; field > 0; field--)
        at = strchr(at, ',') + 1;
    double value = strtod(at, NULL);
    free(start);
    free(bytes);
    return value;
}

static void close_to(double value, double least, double most) {
    if (!(value >= least && value <= most))
        fail_msg("%g is not %g to %g", value, least, most);
}

static void halves_give_the_smallest_effect(void **state) {
    (void)state;
    char *bytes = read_text("default", "mde.csv");
    static const char header[] =
        "scenario,metric,estimator,pairs,mde,mde_high,halves,repeats,source,"
        "by_twins,by_halves,by_repeats\n";
    assert_memory_equal(bytes, header, sizeof header - 1);
    assert_null(strstr(bytes, ",lines,")); // facts, differences and floors have none
    assert_null(strstr(bytes, ",attributed,"));
    assert_null(strstr(bytes, ",loop,"));
    free(bytes);
    // Rounds of 0.95 to 1.05: medians of six differ by up to 5.5 %, of twelve by 1/sqrt(2) of it.
    close_to(field_of("default", "mde.csv", "yield,time,median", 4), 0.02, 0.039);
    close_to(field_of("default", "mde.csv", "memory,rss,median", 4), 0, 0);
    close_to(field_of("default", "mde.csv", "yield,time,median", 3), 1, 1);
    expect_in("default", "mde.csv", ",halves,");
    // Four times the noise, some four times the effect; its bound is not below it.
    double loud = field_of("loud", "mde.csv", "setup,time,median", 4);
    close_to(loud, 0.06, 0.3);
    close_to(field_of("loud", "mde.csv", "setup,time,median", 5), loud, 0.4);
    expect_in("default", "tables/mde.md", "| **setup** |");
    expect_in("default", "tables/mde.md", "median 2.9 %, 90th percentile 2.9 %");
}

static void twins_that_differ_raise_it(void **state) {
    (void)state;
    made_special.twin_off = 0.08;
    assert_int_equal(report("twins", "default", 0, NULL), 0);
    close_to(field_of("twins", "mde.csv", "yield,time,median", 4), 0.0799, 0.0801);
    expect_in("twins", "mde.csv", ",twins,");
    close_to(field_of("twins", "mde.csv", "setup,time,median", 4), 0.02, 0.039);
    // Above 5 % a target is met only by intervals that are clear of it by as much.
    static const char *const rows[] = {
        "fiber-small: a yield through 64 levels costs what one through 1 costs,gcc,at most "
        "1.3,1,1,1,,8,,,,met",
        "stackless-chain: a yield climbs with depth (16 levels over 1),gcc,at least "
        "2,11.3125,11.3125,11.3125,,8,,,,met"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_line("twins", "tables/targets.csv", rows[i]);
    expect_in("twins", "tables/targets.csv", ",8,,,,missed");
    // 2.6 over 2.5 is less than twins differ.
    expect_verdict("twins", "fiber-full/yield/opaque/gcc/depth=1,fiber-small/yield",
                   "no difference");
    expect_verdict("twins", "fiber-full/yield/opaque/gcc/depth=1,stackless-chain/yield", "larger");
    made_special.twin_off = 0.5;
    assert_int_equal(report("twins", "default", 0, NULL), 0);
    expect_in(
        "twins", "tables/targets.md",
        "effect, 50.0 %, is above 5 %, and the interval is not clear of the target by as much");
    expect_in("twins", "tables/targets.csv", "1.3,1,1,1,,50,,,,undecided");
    expect_in("twins", "tables/targets.csv", "2,11.3125,11.3125,11.3125,,50,,,,met");
}

// Makes a run and puts it into the set of repeated runs below root/<set>.
static void repeat(const char *set, const char *name, int status) {
    char *folder = in_root(name), *references = in_root(set);
    made_special.run = name;
    assert_int_equal(make_run(folder, "default", 0, 0), 0);
    assert_int_equal(cb_report_repeat(folder, references, stderr), status);
    free(references);
    free(folder);
}

// The report of a run whose reference folder has that set; its estimator and table.
static void report_with(const char *set, const char *name) {
    char *folder = cb_format("%s/%s/reference/../%s", root, set, name);
    char *references = cb_format("%s/%s/reference", root, set);
    cb_make_folders(references);
    assert_int_equal(make_run(folder, "default", 0, 0), 0);
    assert_int_equal(cb_report_run(folder, stderr), 0);
    free(references);
    free(folder);
}

static void repeated_runs_choose_the_quartile(void **state) {
    (void)state;
    for (int run = 0; run < 5; run++) { // the upper half of the rounds differs from run to run
        made_special.upper = 0.02 * run;
        char *name = cb_format("upper-%d", run);
        repeat("upper/reference", name, 0);
        free(name);
    }
    made_special.late = 0.04;
    report_with("upper", "this");
    expect_in("upper/this", "tables/estimator.md", "| lower quartile, ns | 0 | 60 | yes |");
    expect_in("upper/this", "tables/estimator.md", "every two of 5 repeated runs");
    expect_in("upper/this", "tables/estimator.md", "It has the smallest spread.");
    expect_in("upper/this", "tables/headline.md", "medians) with 95 %");
    expect_in("upper/this", "tables/headline.md", "| fiber-small | 3.03 [2.94, 3.10] |");
    // Ratios and targets too: 3.4 over 3.1, whatever the upper half of fiber-full's rounds is.
    static const char pair[] = "fiber-full/setup/opaque/gcc/storage=reused,fiber-small/setup/"
                               "opaque/gcc/storage=reused,time,1.09677,1.09677,";
    expect_in("upper/this", "ratios.csv", pair);
    expect_verdict("upper/this", pair, "larger");
    expect_in("upper/this", "ratios.csv", ",larger,lower-quartile\n");
    expect_in("upper/this", "tables/compare-headline.md", "headline's kind (lower quartile, ns)");
    expect_in("upper/this", "tables/targets.md", "headline's kind (lower quartile, ns)");
    expect_in("upper/this", "ratios.csv", "op=indirect-call,time,2.21429,2.21429,2.21429,");
    // Bytes and ratios to another loop stay medians.
    expect_in("upper/this", "ratios.csv", ",bytes,0.80625,0.80625,0.81875,,0,met,median");
    expect_in("upper/this", "ratios.csv", "constant:1,ratio,1,1,1,");
    expect_verdict("upper/this",
                   "stackless-chain/fold/visible/gcc/levels=1;reduce=serial,constant:1,",
                   "no difference");
    // Medians of two runs are up to 8 % apart, 95 % of pairs less.
    close_to(field_of("upper/this", "mde.csv", "call,time,median", 4), 0.06, 0.0801);
    close_to(field_of("upper/this", "mde.csv", "call,time,median", 7), 20, 20);
    expect_in("upper/this", "mde.csv", ",repeats,");
    // With five runs random halves are only told.
    close_to(field_of("upper/this", "mde.csv", "call,time,lower-quartile", 4), 0, 0.001);
    close_to(field_of("upper/this", "mde.csv", "call,time,lower-quartile", 10), 0.01, 0.1);
    close_to(field_of("upper/this", "mde.csv", "call,time,lower-quartile", 11), 0, 0.001);
    // But not where this run was disturbed more than any of them.
    made_special.disturbed = 101;
    report_with("upper", "those");
    close_to(field_of("upper/those", "mde.csv", "call,time,lower-quartile", 4), 0.01, 0.1);
    expect_in("upper/those", "mde.csv", ",halves,");
    // Repeated cells that this run lacks tell of the scenario all the same.
    char *rename = cb_format(
        "sed -i 's,^\\([a-z-]*/call/\\),other-\\1,' '%s'/upper/reference/*/aa/*.csv", root);
    assert_int_equal(system(rename), 0);
    free(rename);
    report_with("upper", "that");
    close_to(field_of("upper/that", "mde.csv", "call,time,median", 4), 0.06, 0.0801);
    expect_in("upper/that", "mde.csv", ",repeats,");
}

static void repeated_runs_choose_cycles(void **state) {
    (void)state;
    for (int run = 0; run < 3; run++) { // the clock does
        made_special.clock = 0.05 * run;
        char *name = cb_format("clock-%d", run);
        repeat("clock/reference", name, 0);
        free(name);
    }
    report_with("clock", "this");
    expect_in("clock/this", "tables/estimator.md", "| median, estimated cycles | 0 | 60 | yes |");
    expect_in("clock/this", "tables/headline.md", "set-up (cycles)");
    expect_in("clock/this", "tables/headline.md", "| fiber-small | 12.4 [12.0, 12.8] |");
    expect_in("clock/this", "tables/headline.md", "memory (B)");
    expect_in("clock/this", "ratios.csv", "fiber-small/setup/opaque/gcc/storage=reused,cycles,");
    expect_in("clock/this", "ratios.csv", "op=indirect-call,cycles,2.21429,2.21429,2.21429,");
    expect_not_in("clock/this", "ratios.csv", ",time,");
    expect_in("clock/this", "tables/targets.md", "| at most 1.3 |"); // a ratio has no unit
    expect_in("clock/this", "tables/targets.md", "| at most 80 B |");
    expect_in("clock/this", "tables/compare-headline.md", "(median, estimated cycles)");
    expect_in("clock/this", "report.html", "Headline figures: median, estimated cycles");
}

static void spreads_that_are_as_good_are_a_tie(void **state) {
    (void)state;
    expect_in("default", "tables/estimator.md", "| median, ns | 1.28 | 60 | yes |");
    expect_in("default", "tables/estimator.md", "| median, estimated cycles | 1.28 | 60 |  |");
    assert_int_equal(report("few", "quick", 0, NULL), 0);
    expect_in("few", "tables/estimator.md", "A quick run has too few rounds to choose");
}

static void only_like_runs_are_repeats(void **state) {
    (void)state;
    char *quick = in_root("few"), *references = in_root("other"), *said = NULL;
    size_t length;
    FILE *messages = open_memstream(&said, &length);
    assert_int_equal(cb_report_repeat(quick, references, messages), CB_EXIT_USAGE);
    fflush(messages);
    assert_non_null(strstr(said, "it is no default run"));
    // Of 500 samples 100 may stand disturbed, no more.
    made_special.disturbed = 100;
    repeat("calm/reference", "calm", 0);
    made_special.disturbed = 101;
    repeat("calm/reference", "crowded", CB_EXIT_USAGE);
    char *crowded = in_root("calm/reference/made-up-processor-2c-kvm/aa/crowded.csv");
    assert_int_not_equal(access(crowded, F_OK), 0);
    free(crowded);
    // A file of other programs is left out, a broken one refused.
    char *folder = in_root("clock/this");
    char *strange = in_root("clock/reference/made-up-processor-2c-kvm/aa/z.csv");
    static const char other[] = "cell_id,metric,median,lower-quartile\n,programs,0123,\n";
    assert_int_equal(cb_file_write(strange, other, sizeof other - 1), 0);
    assert_int_equal(cb_report_run(folder, messages), 0);
    fflush(messages);
    assert_non_null(strstr(said, "z.csv is of other programs"));
    expect_in("clock/this", "tables/estimator.md", "every two of 3 repeated runs");
    assert_int_equal(cb_file_write(strange, "cell_id,metric\n", 15), 0);
    assert_int_equal(cb_report_run(folder, messages), CB_EXIT_USAGE);
    fclose(messages);
    assert_non_null(strstr(said, "z.csv: its columns are not"));
    // A new reference keeps the set, and what was planted.
    unlink(strange);
    char *planted = in_root("clock/reference/made-up-processor-2c-kvm/planted.csv");
    assert_int_equal(cb_file_write(planted, "cell\n", 5), 0);
    char *run = in_root("default");
    char *set = in_root("clock/reference");
    assert_int_equal(cb_report_reference(run, set, stderr), 0);
    char *kept = cb_format("%s/made-up-processor-2c-kvm/aa/clock-1.csv", set);
    assert_int_equal(access(kept, F_OK), 0);
    assert_int_equal(access(planted, F_OK), 0);
    free(planted);
    expect_in("clock/reference/made-up-processor-2c-kvm", "tables/estimator.md",
              "every two of 3 repeated runs");
    free(kept);
    free(set);
    free(run);
    free(strange);
    free(folder);
    free(said);
    free(references);
    free(quick);
}

// ---- Flags, counts, surroundings
// -----------------------------------------------------------------

static void drift_and_two_groups_are_flagged(void **state) {
    (void)state;
    made_special.climb = 0.3;
    made_special.apart = 0.5;
    assert_int_equal(report("flags", "default", 0, NULL), 0);
    char *bytes = read_text("flags", "cells.csv");
    static const char *const marked[] = {
        ",fiber-full/unwind/opaque/gcc/frames=16,median,drift\n",
        ",fiber-full/live/opaque/gcc/n=1000;order=random,median,bimodal\n",
        ",fiber-full/live/opaque/gcc/n=1000;order=random,lower-quartile,bimodal\n"};
    for (size_t i = 0; i < sizeof marked / sizeof *marked; i++)
        if (!strstr(bytes, marked[i]))
            fail_msg("cells.csv has no %s", marked[i]);
    free(bytes);
    expect_in("flags", "tables/scenario-unwind.md", "] drift |");
    expect_in("flags", "tables/scenario-live.md", "] bimodal |");
    expect_in("flags", "tables/flagged.md",
              "| fiber-full | live | n=1000;order=random | opaque | gcc | time | two groups ");
    expect_in("flags", "tables/flagged.md", "6 of 12 high: links 1, 3 |"); // odd rounds
    expect_in("flags", "tables/flagged.md", "| drift +2");
    expect_in("flags", "plots/sequences.layout", "fiber-full, live (gcc)");
    expect_in("flags", "plots/sequences.dat", "# fiber-full/unwind/opaque/gcc/frames=16 time\n");
    expect_in("flags", "report.html", "sequences");
    // Without any, neither a flag nor a plot.
    expect_not_in("default", "cells.csv", ",drift");
    expect_not_in("default", "cells.csv", ",bimodal");
    expect_in("default", "tables/flagged.md", "No cell is flagged.");
    char *none = in_root("default/plots/sequences.svg");
    assert_int_equal(access(none, F_OK), -1);
    free(none);
}

static void the_empty_loop_stands_beside(void **state) {
    (void)state;
    expect_in("default", "tables/scenario-unwind.md",
              "| backend | time, opaque, gcc (ns) | empty loop, opaque, gcc (ns) |");
    expect_in("default", "tables/scenario-unwind.md", "| fiber-full | 24.0 [23.3, 24.7] | 0.25 |");
}

// Two counts are one exact ratio, whatever times say; also where a target is of something else.
static void counts_are_targets(void **state) {
    (void)state;
    char *folder = in_root("by-hand"), *path = cb_format("%s/counts.csv", folder);
    made_special.twin_off = 0.5;
    made_special.by_hand = true;
    assert_int_equal(make_run(folder, "default", 0, 0), 0);
    static const char counts[] =
        "cell_id,instructions,n1,n2,tool\n"
        "stackless-chain/yield/opaque/gcc/depth=1,21,100,900,valgrind-3.19.0\n"
        "stackless-chain/twin/opaque/gcc/of=yield;way=machine,20,100,900,valgrind-3.19.0\n"
        "stackless-chain/twin/opaque/gcc/of=yield;way=callback,16,100,900,valgrind-3.19.0\n"
        "stackless-chain/fold/visible/gcc/levels=1;reduce=serial,6,100,900,valgrind-3.19.0\n"
        "stackless-chain/twin/visible/gcc/of=fold;way=loop,5,100,900,valgrind-3.19.0\n";
    assert_int_equal(cb_file_write(path, counts, sizeof counts - 1), 0);
    assert_int_equal(cb_report_run(folder, stderr), 0);
    expect_in("by-hand", "tables/targets.csv", "by hand,gcc,at most 1.05,1.05,1.05,1.05,,0,,,,met");
    expect_in("by-hand", "tables/targets.csv",
              "callback,gcc,at most 1.05,1.3125,1.3125,1.3125,,0,,,,missed");
    expect_in("by-hand", "tables/targets.md",
              "not counted for this run: `corobench count --run` does");
    expect_in("by-hand", "tables/targets.md",
              "its ratio of instructions, 1.2, is beyond the target");
    free(path);
    free(folder);
}

static void counts_are_a_metric(void **state) {
    (void)state;
    char *folder = in_root("counted"), *path = cb_format("%s/counts.csv", folder);
    made_special.twin_off = 0.5;
    assert_int_equal(make_run(folder, "default", 0, 0), 0);
    static const char counts[] =
        "cell_id,instructions,n1,n2,tool\n"
        "fiber-small/yield/opaque/gcc/depth=1,17.25,100,900,valgrind-3.19.0\n"
        "fiber-small/yield/opaque/gcc/depth=64,17.25,100,900,valgrind-3.19.0\n"
        "of-another/run/opaque/gcc/,5,100,900,valgrind-3.19.0\n"
        "fiber-full/yield/opaque/gcc/depth=1,,,,valgrind-3.19.0\n";
    assert_int_equal(cb_file_write(path, counts, sizeof counts - 1), 0);
    assert_int_equal(cb_report_run(folder, stderr), 0);
    expect_line("counted", "cells.csv",
                "fiber-small,fiber,yield,opaque,gcc,depth=1,instructions,count,17.25,,,1,ok,"
                "valgrind-3.19.0,fiber-small/yield/opaque/gcc/depth=1,median,");
    expect_not_in("counted", "cells.csv", "depth=1,instructions,count,,");
    expect_in("counted", "tables/scenario-yield.md", "instructions, opaque, gcc (count)");
    expect_in("counted", "tables/scenario-yield.md", "| 17.2 (");
    // What times can't judge, counts can.
    expect_in("counted", "tables/targets.md", "its ratio of instructions, 1, is within the target");
    char *references = in_root("counted-reference");
    assert_int_equal(cb_report_reference(folder, references, stderr), 0);
    char *one = read_text("counted", "cells.csv");
    char *two = read_text("counted-reference", "made-up-processor-2c-kvm/cells.csv");
    assert_string_equal(one, two);
    assert_int_equal(cb_file_write(path, "cell_id\nx\n", 10), 0);
    assert_int_equal(cb_report_run(folder, stderr), CB_EXIT_USAGE);
    free(two);
    free(one);
    free(references);
    free(path);
    free(folder);
}

static void surroundings_are_told(void **state) {
    (void)state;
    expect_in("default", "tables/environment.md",
              "| taken again | 7; tries by reason: steal 5, involuntary 3 |");
    expect_in("default", "tables/environment.md", "| disturbed all the same | 2 |");
    expect_in("default", "tables/environment.md",
              "| May the clock's frequency change? | yes: powersave; slow first samples |");
    expect_in("default", "tables/environment.md", "| questions answered by no | 1 of 2 |");
    expect_in("default", "report.html", "slow first samples");
}

// ---- Tables, plots, HTML ------------------------------------------------------------------------

static void tables_show_what_is_and_why_not(void **state) {
    (void)state;
    expect_in(
        "default", "tables/headline.md",
        "| fiber-small | 3.10 [3.01, 3.19] | 2.50 [2.42, 2.58] | 2.50 [2.42, 2.58] | "
        "3.50 [3.40, 3.60] | 1.00 [0.97, 1.03] | 4\u00a0112 [4\u00a0112, 4\u00a0113] | 8.20 | "
        "340 |");
    expect_in("default", "tables/headline.md", "| 1.00 no difference, folded |");
    expect_in("default", "tables/headline.md", "(of 12 rounds: 96.1 %)");
    expect_in("default", "tables/headline.md", "virtualised (kvm), no PMU");
    expect_in("default", "tables/headline.md", "| peer-gone | unavailable (2) |");
    expect_in("default", "tables/headline.md", "(2) libbar is not installed");
    expect_in("default", "tables/headline.tex", "$15\\,000$ {\\scriptsize $[14\\,550, 15\\,450]$}");
    expect_in("default", "tables/scenario-yield.md", "| fiber-small | n/c (1) |");
    expect_in("default", "tables/failures.md", "in round 7 \\| \\<stack> overflow");
    expect_in("default", "tables/failures.tex", "$\\vert$ $<$stack$>$ overflow");
    expect_in("default", "tables/compare-headline.md", "| fiber-full | 2.00 |");
    expect_in("default", "report.html", "| &lt;stack&gt; overflow");
}

static void the_second_compiler_has_tables_of_its_own(void **state) {
    (void)state;
    expect_in("default", "tables/headline-clang.md", "| fiber-small | 3.88 [3.76, 3.99] |");
    expect_in("default", "tables/headline.md", "What coroutines cost (gcc 12.2.0)");
}

static void the_page_needs_no_network(void **state) {
    (void)state;
    char *page = read_text("default", "report.html");
    assert_null(strstr(page, "src="));
    assert_null(strstr(page, "<link"));
    assert_null(strstr(page, "@import"));
    assert_non_null(strstr(page, "<svg"));
    free(page);
}

// Labels at the ends of 25 lines must not touch: 16 units of a plot apart.
static void labels_are_kept_apart(void **state) {
    (void)state;
    assert_int_equal(report("crowd", "quick", 20, NULL), 0);
    char *layout = read_text("crowd", "plots/yield-depth.layout"), *at;
    double height, top, bottom, y[64], x;
    size_t labels = 0;
    assert_non_null(at = strstr(layout, "height = "));
    height = strtod(at + 9, NULL);
    assert_non_null(at = strstr(layout, "tmargin at screen "));
    top = strtod(at + 18, NULL);
    assert_non_null(at = strstr(layout, "bmargin at screen "));
    bottom = strtod(at + 18, NULL);
    for (at = layout; (at = strstr(at, "\" at graph 1.")); at++)
        if (sscanf(at, "\" at graph %lf, graph %lf", &x, &y[labels]) == 2)
            labels++;
    assert_int_equal(labels, 25);
    for (size_t i = 0; i < labels; i++)
        for (size_t k = 0; k < i; k++)
            if (fabs(y[i] - y[k]) * (top - bottom) * height < 15.8)
                fail_msg("labels %zu and %zu touch", i, k);
    free(layout);
}

static void lines_cross_where_they_should(void **state) {
    (void)state;
    // Fresh storage, 16 deep: chain 8 + 18.1 N, fiber-full 7700 + 2.6 N.
    expect_in("default", "plots/lifetime-deep.dat", "\n496.258 8990.27\n");
    expect_in("default", "plots/lifetime-deep.layout", "\"N = 497\"");
}

// ---- The same bytes -----------------------------------------------------------------------------

// Compares the files of two runs, folders included.
static void same_tree(const char *a, const char *b, const char *below) {
    char *path = cb_format("%s/%s/%s", root, a, below);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (*entry->d_name == '.')
            continue;
        char *name = cb_format("%s%s%s", below, *below ? "/" : "", entry->d_name);
        char *file_a = cb_format("%s/%s/%s", root, a, name);
        char *file_b = cb_format("%s/%s/%s", root, b, name), *one = NULL, *two = NULL;
        size_t length_one = 0, length_two = 0;
        if (cb_is_folder(file_a)) {
            same_tree(a, b, name);
        } else {
            assert_int_equal(cb_file_read(file_a, &one, &length_one), 0);
            if (cb_file_read(file_b, &two, &length_two) != 0)
                fail_msg("%s is in one of two reports only", name);
            if (length_one != length_two || memcmp(one, two, length_one) != 0)
                fail_msg("%s differs between two reports of the same run", name);
        }
        free(one);
        free(two);
        free(file_a);
        free(file_b);
        free(name);
    }
    closedir(folder);
    free(path);
}

static void the_same_input_gives_the_same_bytes(void **state) {
    (void)state;
    assert_int_equal(report("again", "default", 0, NULL), 0);
    char *folder = in_root("again");
    sleep(1); // a time in a file would show
    assert_int_equal(cb_report_run(folder, stderr), 0);
    free(folder);
    same_tree("default", "again", "");
    same_tree("again", "default", "");
}

static void what_an_earlier_report_left_goes(void **state) {
    (void)state;
    char *stale = in_root("again/plots/of-an-older-version.svg"), *folder = in_root("again");
    assert_int_equal(cb_file_write(stale, "x", 1), 0);
    assert_int_equal(cb_report_run(folder, stderr), 0);
    assert_int_equal(access(stale, F_OK), -1);
    free(stale);
    free(folder);
}

// ---- Reference and README -----------------------------------------------------------------------

static void a_reference_gives_the_same_results(void **state) {
    (void)state;
    char *run = in_root("default"), *references = in_root("reference");
    assert_int_equal(cb_report_reference(run, references, stderr), 0);
    static const char *const same[] = {"cells.csv", "ratios.csv", "tables/headline.md",
                                       "plots/yield-depth.svg"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char *name = cb_format("made-up-processor-2c-kvm/%s", same[i]);
        char *one = read_text("default", same[i]), *two = read_text("reference", name);
        if (strcmp(one, two) != 0)
            fail_msg("%s of the reference differs from the run's", same[i]);
        free(one);
        free(two);
        free(name);
    }
    char *large = cb_format("%s/made-up-processor-2c-kvm/samples.csv", references);
    assert_int_equal(access(large, F_OK), -1);
    // A reference is no run to make a reference of.
    char *there = cb_format("%s/made-up-processor-2c-kvm", references), *said = NULL;
    size_t length;
    FILE *messages = open_memstream(&said, &length);
    assert_int_equal(cb_report_reference(there, references, messages), CB_EXIT_USAGE);
    fclose(messages);
    assert_non_null(strstr(said, "is that reference already"));
    char *kept = cb_format("%s/samples-condensed.csv", there);
    assert_int_equal(access(kept, F_OK), 0);
    free(kept);
    free(said);
    free(there);
    free(large);
    free(run);
    free(references);
}

static void the_readme_is_regenerated(void **state) {
    (void)state;
    char *run = in_root("default"), *readme = in_root("README.md");
    static const char before[] =
        "# Top\n<!-- headline:begin -->\nold\n<!-- headline:end -->\nend\n";
    assert_int_equal(cb_file_write(readme, before, sizeof before - 1), 0);
    for (int i = 0; i < 2; i++) // the second time changes nothing
        assert_int_equal(cb_report_readme(run, readme, stderr), 0);
    char *text = NULL, *block = NULL;
    assert_int_equal(cb_file_read(readme, &text, NULL), 0);
    assert_memory_equal(text, "# Top\n<!-- headline:begin -->\n", 30);
    assert_null(strstr(text, "old\n"));
    assert_non_null(strstr(text, "| fiber-small | 3.10 [3.01, 3.19] |"));
    assert_non_null(strstr(text, "](default/plots/yield-depth.svg)"));
    static const char end[] = "\n<!-- headline:end -->\nend\n";
    assert_string_equal(text + strlen(text) - strlen(end), end);
    assert_int_equal(cb_report_readme_block(run, readme, &block, stderr), 0);
    assert_non_null(strstr(text, block));
    free(block);
    free(text);
    free(run);
    free(readme);
}

static void a_readme_without_marks_stays(void **state) {
    (void)state;
    char *run = in_root("default"), *readme = in_root("OTHER.md"), *said = NULL, *text = NULL;
    size_t length;
    assert_int_equal(cb_file_write(readme, "# Top\n", 6), 0);
    FILE *messages = open_memstream(&said, &length);
    assert_int_equal(cb_report_readme(run, readme, messages), CB_EXIT_USAGE);
    fclose(messages);
    assert_non_null(strstr(said, "<!-- headline:begin -->"));
    assert_int_equal(cb_file_read(readme, &text, NULL), 0);
    assert_string_equal(text, "# Top\n");
    free(text);
    free(said);
    free(run);
    free(readme);
}

// ---- What is missing or broken ------------------------------------------------------------------

static void without_gnuplot_tables_are_made(void **state) {
    (void)state;
    char *path = cb_copy(getenv("PATH")), *said = NULL;
    setenv("PATH", "/nonexistent", 1);
    int status = report("bare", "default", 0, &said);
    setenv("PATH", path, 1);
    assert_int_equal(status, CB_EXIT_FAILED);
    assert_non_null(strstr(said, "gnuplot is not there"));
    assert_non_null(strstr(said, "apt-get install gnuplot"));
    assert_null(strstr(strstr(said, "gnuplot is not there") + 1, "gnuplot is not there")); // once
    expect_in("bare", "tables/headline.md", "fiber-small");
    expect_in("bare", "report.html", "gnuplot was missing");
    free(said);
    free(path);
}

// Breaks a file of a run and expects that the report refuses, naming `what`.
static void expect_refusal(const char *file, const char *bytes, const char *what) {
    char *folder = in_root("broken"), *path = cb_format("%s/%s", folder, file), *said = NULL;
    size_t length;
    remove_tree(folder);
    assert_int_equal(make_run(folder, "quick", 0, 0), 0);
    if (bytes)
        assert_int_equal(cb_file_write(path, bytes, strlen(bytes)), 0);
    else
        unlink(path);
    FILE *messages = open_memstream(&said, &length);
    assert_int_equal(cb_report_run(folder, messages), CB_EXIT_USAGE);
    fclose(messages);
    if (!strstr(said, what) || !strstr(said, "no report can be made"))
        fail_msg("%s: %s", file, said);
    char *made = cb_format("%s/cells.csv", folder);
    assert_int_equal(access(made, F_OK), -1);
    free(made);
    free(said);
    free(path);
    free(folder);
}

static void broken_runs_are_refused(void **state) {
    (void)state;
    expect_refusal("run.json", NULL, "run.json");
    expect_refusal("run.json", "{\"schema\": 1,", "line");
    expect_refusal("run.json", "{\"schema\": 2, \"mode\": \"quick\", \"plan\": []}", "schema");
    expect_refusal("run.json", "{\"schema\": 1, \"mode\": \"quick\"}", "no plan");
    expect_refusal("run.json", "{\"schema\": 1, \"mode\": \"slow\", \"plan\": []}", "its mode");
    expect_refusal("samples.csv", NULL, "samples.csv");
    expect_refusal("samples.csv", "cell_id,round\n", "no column build");
    expect_refusal("samples.csv", "cell_id,round\na", "samples.csv"); // cut off
}

static int prepare(void **state) {
    return make_root(state) || make_default(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_have_the_published_columns),
        cmocka_unit_test(times_have_median_quartile_and_cycles),
        cmocka_unit_test(the_fastest_repetition_counts_where_the_run_says_so),
        cmocka_unit_test(slopes_are_made_from_depths),
        cmocka_unit_test(calls_are_charged_without_their_yields),
        cmocka_unit_test(a_hand_loop_is_taken_off),
        cmocka_unit_test(bytes_are_summed_where_known),
        cmocka_unit_test(facts_of_the_build_are_exact),
        cmocka_unit_test(every_loss_is_a_row_without_estimate),
        cmocka_unit_test(a_loop_at_the_floor_is_folded),
        cmocka_unit_test(what_does_not_fold_says_why),
        cmocka_unit_test(a_wide_difference_is_unresolved),
        cmocka_unit_test(twins_stay_out_of_tables),
        cmocka_unit_test(quick_claims_nothing),
        cmocka_unit_test(full_is_clustered_by_link),
        cmocka_unit_test(pairs_of_a_column_are_compared),
        cmocka_unit_test(no_difference_is_said),
        cmocka_unit_test(a_ratio_to_another_loop_is_judged),
        cmocka_unit_test(targets_are_judged),
        cmocka_unit_test(halves_give_the_smallest_effect),
        cmocka_unit_test(twins_that_differ_raise_it),
        cmocka_unit_test(repeated_runs_choose_the_quartile),
        cmocka_unit_test(repeated_runs_choose_cycles),
        cmocka_unit_test(spreads_that_are_as_good_are_a_tie),
        cmocka_unit_test(only_like_runs_are_repeats),
        cmocka_unit_test_setup_teardown(drift_and_two_groups_are_flagged, with_plots,
                                        without_plots),
        cmocka_unit_test(the_empty_loop_stands_beside),
        cmocka_unit_test(counts_are_targets),
        cmocka_unit_test(counts_are_a_metric),
        cmocka_unit_test(surroundings_are_told),
        cmocka_unit_test(tables_show_what_is_and_why_not),
        cmocka_unit_test(the_second_compiler_has_tables_of_its_own),
        cmocka_unit_test(the_page_needs_no_network),
        cmocka_unit_test_setup_teardown(labels_are_kept_apart, with_plots, without_plots),
        cmocka_unit_test(lines_cross_where_they_should),
        cmocka_unit_test_setup_teardown(the_same_input_gives_the_same_bytes, with_plots,
                                        without_plots),
        cmocka_unit_test_setup_teardown(what_an_earlier_report_left_goes, with_plots,
                                        without_plots),
        cmocka_unit_test_setup_teardown(a_reference_gives_the_same_results, with_plots,
                                        without_plots),
        cmocka_unit_test(the_readme_is_regenerated),
        cmocka_unit_test(a_readme_without_marks_stays),
        cmocka_unit_test(without_gnuplot_tables_are_made),
        cmocka_unit_test(broken_runs_are_refused),
    };
    return cmocka_run_group_tests(tests, prepare, remove_root);
}
