// Simulations of samples whose truth is known: do 95 % intervals cover 92 to 98 %, are drifting
// samples flagged and others not? Seeds are fixed, so the same numbers come out each time. With an
// argument it prints what it found: stats_coverage_test TRIALS (default: 1000).
// Runs in: gcc
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>

#include "harness/lib/sequence.h"
#include "harness/lib/stats.h"

enum { ROUNDS = 12, LINKS = 6, FULL = LINKS * 5, POPULATION = 100001 };
// Of what resamples; what only sorts has more of them.
static int trials = 1000;
#define CHEAP (10 * trials)
static bool verbose;
static gsl_rng *rng;

// ---- Shapes -------------------------------------------------------------------------------------

// A time whose smallest possible or usual value is about 1.
static double lognormal(void) {
    return exp(gsl_ran_gaussian(rng, 0.05));
}
static double wide_lognormal(void) {
    return exp(gsl_ran_gaussian(rng, 0.5));
}
static double heavy_tail(void) { // to one side: what interrupts do
    return exp(0.02 * fabs(gsl_ran_tdist(rng, 1.5)));
}
static double heavy_tails(void) {
    return exp(0.03 * gsl_ran_tdist(rng, 1.5));
}
static double bimodal(double share) {
    return exp(gsl_ran_gaussian(rng, 0.03)) * (gsl_rng_uniform(rng) < share ? 1.4 : 1);
}
static double bimodal_half(void) {
    return bimodal(0.5);
}
static double bimodal_skewed(void) {
    return bimodal(0.3);
}
static double bimodal_rare(void) {
    return bimodal(0.1);
}

static const struct shape {
    const char *name;
    double (*draw)(void);
} shapes[] = {{"lognormal", lognormal},        {"wide lognormal", wide_lognormal},
              {"heavy tail", heavy_tail},      {"heavy tails", heavy_tails},
              {"bimodal 50/50", bimodal_half}, {"bimodal 70/30", bimodal_skewed},
              {"bimodal 90/10", bimodal_rare}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

// ---- Counting -----------------------------------------------------------------------------------

static void share_within(const char *what, const char *shape, int hits, int of, double least,
                         double most) {
    double share = (double)hits / of;
    if (verbose)
        print_message("%-44s %-15s %5.1f %%\n", what, shape, 100 * share);
    if (share < least || share > most)
        fail_msg("%s of %s: %.1f %%, not %.0f to %.0f %%", what, shape, 100 * share, 100 * least,
                 100 * most);
}

static bool covers(double low, double high, double truth) {
    return low <= truth && truth <= high;
}

// A large sample of log(a/b), sorted: its quantiles and trimmed means stand for the truth.
static double *population(const struct shape *a, const struct shape *b) {
    static double values[POPULATION];
    for (int i = 0; i < POPULATION; i++)
        values[i] = log(a->draw() / (b ? b->draw() : 1));
    gsl_sort(values, 1, POPULATION);
    return values;
}

static int start(void **state) {
    (void)state;
    rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, 20240229);
    return 0;
}

static int stop(void **state) {
    (void)state;
    gsl_rng_free(rng);
    return 0;
}

// ---- Intervals ----------------------------------------------------------------------------------

static void medians_and_quartiles_cover(void **state) {
    (void)state;
    long links[FULL];
    for (int i = 0; i < FULL; i++)
        links[i] = i % LINKS;
    for (int s = 0; s < SHAPES; s++) {
        double *all = population(&shapes[s], NULL);
        double median = cb_median(all, POPULATION), quartile = cb_quantile(all, POPULATION, 0.25);
        int hits[4] = {0};
        for (int t = 0; t < CHEAP; t++) {
            double values[FULL], condensed[FULL];
            for (int i = 0; i < FULL; i++)
                values[i] = log(shapes[s].draw());
            struct cb_interval interval = cb_order_interval(values, ROUNDS, 0.5, 0.95);
            hits[0] += covers(interval.low, interval.high, median);
            interval = cb_order_interval(values, ROUNDS, 0.25, 0.95);
            hits[1] += covers(interval.low, interval.high, quartile);
            size_t n = cb_clusters(values, links, FULL, 0.5, condensed, NULL);
            interval = cb_order_interval(condensed, n, 0.5, 0.95);
            hits[2] += covers(interval.low, interval.high, median);
            n = cb_clusters(values, links, FULL, 0.25, condensed, NULL);
            interval = cb_order_interval(condensed, n, 0.5, 0.95);
            hits[3] += covers(interval.low, interval.high, quartile);
        }
        share_within("median of 12 rounds", shapes[s].name, hits[0], CHEAP, 0.92, 0.98);
        share_within("lower quartile of 12 rounds", shapes[s].name, hits[1], CHEAP, 0.92, 0.98);
        share_within("median over 6 links of 5 rounds", shapes[s].name, hits[2], CHEAP, 0.92, 0.98);
        share_within("lower quartile over 6 links of 5 rounds", shapes[s].name, hits[3], CHEAP,
                     0.92, 0.98);
    }
}

// A ratio of two cells of the given shapes, over rounds: interval, and p where it is shifted to 1.
static void ratio_over_rounds_covers(const struct shape *a, const struct shape *b) {
    double truth = cb_trimmed_mean(population(a, b), POPULATION, 0.2);
    int hits = 0, rejected = 0;
    for (int t = 0; t < trials; t++) {
        double x[ROUNDS], y[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            x[i] = a->draw() / exp(truth);
            y[i] = b ? b->draw() : 1;
        }
        struct cb_ratio ratio = cb_paired_ratio(x, y, NULL, ROUNDS, 0.95);
        hits += covers(ratio.low, ratio.high, 1);
        rejected += ratio.p < 0.05;
    }
    share_within(b ? "ratio over 12 rounds, both so" : "ratio over 12 rounds", a->name, hits,
                 trials, 0.92, 0.98);
    share_within("its p below 5 % by chance", a->name, rejected, trials, 0.02, 0.08);
}

static void ratios_over_rounds_cover(void **state) {
    (void)state;
    for (int s = 0; s < SHAPES; s++) {
        ratio_over_rounds_covers(&shapes[s], NULL);
        ratio_over_rounds_covers(&shapes[s], &shapes[s]);
    }
}

// The ratio of the lower quartiles of two cells whose rounds come in pairs: alone, and where both
// share what the machine did in a round.
static void quartile_ratio_covers(const struct shape *shape, bool both) {
    double truth = both ? 0 : cb_quantile(population(shape, NULL), POPULATION, 0.25);
    int hits = 0, rejected = 0;
    for (int t = 0; t < trials; t++) {
        double x[ROUNDS], y[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            double phase = gsl_rng_uniform(rng) < 0.3 ? 1.4 : 1;
            x[i] = shape->draw() / exp(truth);
            y[i] = both ? shape->draw() * phase : 1;
            x[i] *= both ? phase : 1;
        }
        struct cb_ratio ratio = cb_quantile_ratio(x, y, NULL, ROUNDS, 0.25, 0.95);
        hits += covers(ratio.low, ratio.high, 1);
        rejected += ratio.p < 0.05;
    }
    // p is small less often than the interval leaves out 1: it goes by steps where few values
    // differ.
    share_within(both ? "ratio of quartiles, both so" : "ratio of quartiles", shape->name, hits,
                 trials, 0.92, 0.98);
    share_within("its p below 5 % by chance", shape->name, rejected, trials, 0.005, 0.08);
}

static void ratios_of_quartiles_cover(void **state) {
    (void)state;
    for (int s = 0; s < SHAPES; s++) {
        quartile_ratio_covers(&shapes[s], false);
        quartile_ratio_covers(&shapes[s], true);
    }
}

// Rounds differ, or links do: then six values are all there is.
static void ratios_over_links_cover(void **state) {
    (void)state;
    long links[FULL];
    for (int i = 0; i < FULL; i++)
        links[i] = i % LINKS;
    for (int s = 0; s < SHAPES; s++)
        for (int by_link = 0; by_link < 2; by_link++) {
            double truth = cb_median(population(&shapes[s], NULL), POPULATION);
            int hits = 0, rejected = 0;
            for (int t = 0; t < CHEAP; t++) {
                double x[FULL], y[FULL], luck[LINKS];
                for (int i = 0; i < LINKS; i++)
                    luck[i] = shapes[s].draw();
                for (int i = 0; i < FULL; i++) {
                    x[i] = (by_link ? luck[links[i]] * exp(gsl_ran_gaussian(rng, 0.001))
                                    : shapes[s].draw()) /
                           exp(truth);
                    y[i] = 1;
                }
                struct cb_ratio ratio = cb_paired_ratio(x, y, links, FULL, 0.95);
                hits += covers(ratio.low, ratio.high, 1);
                rejected += ratio.p < 0.05;
            }
            share_within(by_link ? "ratio over 6 links that differ" : "ratio over 6 links of 5",
                         shapes[s].name, hits, CHEAP, 0.92, 0.98);
            share_within("its p below 5 % by chance", shapes[s].name, rejected, CHEAP, 0.02, 0.08);
        }
}

// ---- Flags --------------------------------------------------------------------------------------

enum course { STEADY, CLIMBS, STEPS };

static void fill(double *values, int n, enum course course, double size) {
    for (int i = 0; i < n; i++) {
        double noise = gsl_ran_gaussian(rng, 0.02);
        if (course == CLIMBS)
            noise += size * 0.02 * i / (n - 1);
        if (course == STEPS)
            noise += size * 0.02 * (i >= n / 3);
        values[i] = exp(noise);
    }
}

static void drifting_samples_are_flagged(void **state) {
    (void)state;
    static const int sizes[] = {ROUNDS, FULL};
    for (int k = 0; k < 2; k++) {
        int n = sizes[k], climbing = 0, stepping = 0;
        for (int t = 0; t < trials; t++) {
            double values[FULL];
            fill(values, n, CLIMBS, 5);
            climbing += cb_drift(values, (size_t)n).found;
            fill(values, n, STEPS, 5);
            stepping += cb_drift(values, (size_t)n).found;
        }
        const char *what = n == ROUNDS ? "drift found in 12 rounds" : "drift found in 30 rounds";
        share_within(what, "climbs by 5 sd", climbing, trials, 0.95, 1);
        share_within(what, "steps by 5 sd", stepping, trials, 0.95, 1);
    }
}

static void steady_samples_are_not_flagged(void **state) {
    (void)state;
    static const int sizes[] = {8, ROUNDS, FULL};
    for (int k = 0; k < 3; k++)
        for (int s = 0; s < SHAPES; s++) {
            int n = sizes[k], drifts = 0, modes = 0;
            bool look_for_drift = s % 2 == 0; // ranks do not know the shape: a few will do
            for (int t = 0; t < CHEAP; t++) {
                double values[FULL];
                for (int i = 0; i < n; i++)
                    values[i] = shapes[s].draw();
                if (look_for_drift && t < trials)
                    drifts += cb_drift(values, (size_t)n).found;
                modes += cb_modes(values, (size_t)n).found;
            }
            if (look_for_drift)
                share_within("drift by chance", shapes[s].name, drifts, trials, 0, 0.06);
            if (!strstr(shapes[s].name, "bimodal"))
                share_within("two groups by chance", shapes[s].name, modes, CHEAP, 0, 0.055);
        }
}

static void two_groups_are_found(void **state) {
    (void)state;
    static const int sizes[] = {ROUNDS, FULL};
    for (int k = 0; k < 2; k++) {
        int found = 0;
        for (int t = 0; t < trials; t++) {
            double values[FULL];
            for (int i = 0; i < sizes[k]; i++) // every second link is unlucky
                values[i] = exp(gsl_ran_gaussian(rng, 0.02)) * (i % 2 ? 1.25 : 1);
            found += cb_modes(values, (size_t)sizes[k]).found;
        }
        share_within(k ? "two groups found in 30 rounds" : "two groups found in 12 rounds",
                     "10 sd apart", found, trials, 0.95, 1);
    }
}

int main(int count, char **words) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(medians_and_quartiles_cover, start, stop),
        cmocka_unit_test_setup_teardown(ratios_over_rounds_cover, start, stop),
        cmocka_unit_test_setup_teardown(ratios_of_quartiles_cover, start, stop),
        cmocka_unit_test_setup_teardown(ratios_over_links_cover, start, stop),
        cmocka_unit_test_setup_teardown(drifting_samples_are_flagged, start, stop),
        cmocka_unit_test_setup_teardown(steady_samples_are_not_flagged, start, stop),
        cmocka_unit_test_setup_teardown(two_groups_are_found, start, stop),
    };
    if (count > 1) {
        trials = atoi(words[1]) > 0 ? atoi(words[1]) : trials;
        verbose = true;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
