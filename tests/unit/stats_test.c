// Statistics against values known from theory, textbooks and R, and against samples of known truth.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "harness/lib/stats.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NONE ((double)NAN)

static void near(double value, double expected, double within) {
    if (!(fabs(value - expected) <= within))
        fail_msg("%.10g is not within %g of %.10g", value, within, expected);
}

static void quantiles_interpolate(void **state) {
    (void)state;
    const double values[] = {4, 1, 3, 2}, one[] = {7};
    near(cb_median(values, 4), 2.5, 1e-12);
    near(cb_lower_quartile(values, 4), 1.75, 1e-12); // R: quantile(1:4, 0.25)
    near(cb_quantile(values, 4, 1), 4, 1e-12);
    near(cb_median(one, 1), 7, 0);
    assert_true(isnan(cb_median(values, 0)));
    assert_true(values[0] == 4); // not sorted in place
}

static void order_intervals_are_exact(void **state) {
    (void)state;
    double values[20];
    for (int i = 0; i < 20; i++)
        values[i] = 20 - i;
    // From tables of the binomial: ranks and coverage of the 95 % interval of a median.
    static const struct {
        size_t n, low, high;
        double coverage;
    } known[] = {{6, 1, 6, 0.96875},
                 {9, 2, 8, 0.9609375},
                 {11, 2, 9, 0.96142578125},
                 {12, 3, 10, 0.96142578125},
                 {20, 6, 15, 0.95861053}};
    for (size_t i = 0; i < COUNT(known); i++) {
        size_t n = known[i].n;
        struct cb_interval interval = cb_order_interval(values + 20 - n, n, 0.5, 0.95);
        near(interval.low, (double)known[i].low, 0);
        near(interval.high, (double)known[i].high, 0);
        near(interval.coverage, known[i].coverage, 1e-7);
    }
    // 1 - 0.75^12 - P(more than 6 of 12 below the quartile)
    struct cb_interval quartile = cb_order_interval(values + 8, 12, 0.25, 0.95);
    near(quartile.low, 1, 0);
    near(quartile.high, 7, 0);
    near(quartile.coverage, 0.95407, 1e-5);
}

static void too_few_samples_give_no_interval(void **state) {
    (void)state;
    const double values[] = {1, 2, 3, 4, 5};
    struct cb_interval interval = cb_order_interval(values, 5, 0.5, 0.95); // covers 93.75 % at most
    assert_true(isnan(interval.low) && isnan(interval.high));
    near(interval.coverage, 0, 0);
}

static void clusters_are_condensed_in_order(void **state) {
    (void)state;
    const double values[] = {1, 10, 2, 20, 9, 30};
    const long links[] = {7, 3, 7, 3, 7, 3};
    double out[6];
    long ids[6];
    assert_int_equal(cb_clusters(values, links, 6, 0.5, out, ids), 2);
    near(out[0], 2, 0);
    near(out[1], 20, 0);
    assert_int_equal(ids[0], 7);
    assert_int_equal(ids[1], 3);
}

static void trimmed_means_drop_both_ends(void **state) {
    (void)state;
    const double values[] = {1000, 1, 2, 3, 4, 5, 6, 7, 8, -1000};
    near(cb_trimmed_mean(values, 10, 0.1), 4.5, 1e-12);
    near(cb_trimmed_mean(values, 10, 0.2), 4.5, 1e-12);
    near(cb_trimmed_mean(values, 10, 0), 3.6, 1e-12);
}

static void holm_is_as_in_r(void **state) {
    (void)state;
    const double p[] = {0.01, NONE, 0.04, 0.03, 0.005}; // p.adjust(c(.01,.04,.03,.005), "holm")
    const double expected[] = {0.03, NONE, 0.06, 0.06, 0.02};
    double adjusted[5];
    cb_holm(p, 5, adjusted);
    for (int i = 0; i < 5; i++)
        if (isnan(expected[i]))
            assert_true(isnan(adjusted[i]));
        else
            near(adjusted[i], expected[i], 1e-12);
    const double large[] = {0.6, 0.7};
    cb_holm(large, 2, adjusted);
    near(adjusted[0], 1, 0);
    near(adjusted[1], 1, 0);
}

static void slope_is_anscombes(void **state) {
    (void)state;
    const double x[] = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
    const double y[] = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
    struct cb_slope slope = cb_slope(x, y, 11, 0.95);
    near(slope.slope, 0.50009, 1e-5);
    near(slope.intercept, 3.00009, 1e-5);
    near(slope.r2, 0.66654, 1e-5);
    near(slope.low, 0.23337, 1e-4); // 0.50009 -+ 2.26216 x 0.11791
    near(slope.high, 0.76681, 1e-4);
    assert_true(isnan(cb_slope(x, y, 1, 0.95).slope));
    assert_true(isnan(cb_slope(x, y, 2, 0.95).low));
}

static void exact_ratios_are_exact(void **state) {
    (void)state;
    double a[12], b[12];
    for (int i = 0; i < 12; i++) {
        b[i] = 1 + 0.1 * i;
        a[i] = 2 * b[i];
    }
    struct cb_ratio ratio = cb_paired_ratio(a, b, NULL, 12, 0.95);
    near(ratio.ratio, 2, 1e-12);
    near(ratio.low, 2, 1e-12);
    near(ratio.high, 2, 1e-12);
    near(ratio.p, 0, 1e-12);
    struct cb_ratio same = cb_paired_ratio(a, a, NULL, 12, 0.95);
    near(same.ratio, 1, 0);
    near(same.p, 1, 0);
}

static void pairs_without_a_partner_do_not_count(void **state) {
    (void)state;
    const double a[] = {2, NONE, 2, -1, 2, 2, 2, 2}, b[] = {1, 1, NONE, 1, 1, 1, 1, 0};
    struct cb_ratio ratio = cb_paired_ratio(a, b, NULL, 8, 0.95);
    assert_int_equal(ratio.pairs, 4);
    near(ratio.ratio, 2, 1e-12);
    assert_true(isnan(ratio.low) && isnan(ratio.p)); // fewer than 6 claim nothing
}

static void one_slow_round_has_no_say(void **state) {
    (void)state;
    double a[12], b[12];
    for (int i = 0; i < 12; i++) {
        a[i] = 1.1 + 0.001 * i;
        b[i] = 1;
    }
    double before = cb_paired_ratio(a, b, NULL, 12, 0.95).ratio;
    a[11] = 50;
    struct cb_ratio after = cb_paired_ratio(a, b, NULL, 12, 0.95);
    near(after.ratio, before, 0.001);
    assert_true(after.low > 1.09);
    assert_true(after.p < 0.001);
}

static void ratios_over_links_count_links(void **state) {
    (void)state;
    double a[30], b[30];
    long links[30];
    for (int i = 0; i < 30; i++) {
        links[i] = i % 6;
        a[i] = 1 + 0.02 * (double)links[i];
        b[i] = 1;
    }
    struct cb_ratio clustered = cb_paired_ratio(a, b, links, 30, 0.95);
    struct cb_ratio naive = cb_paired_ratio(a, b, NULL, 30, 0.95);
    assert_int_equal(clustered.pairs, 6);
    assert_int_equal(naive.pairs, 30);
    // Thirty samples of six links know no more than the links do.
    assert_true(clustered.high - clustered.low > 1.5 * (naive.high - naive.low));
}

// Links of two kinds: five agree that a costs more, or all six do.
static void links_of_two_kinds_decide_together(void **state) {
    (void)state;
    double a[30], b[30];
    long links[30];
    for (int i = 0; i < 30; i++) {
        links[i] = i % 6;
        a[i] = (links[i] == 5 ? 0.9 : 1.2) + 0.001 * i;
        b[i] = 1;
    }
    struct cb_ratio ratio = cb_paired_ratio(a, b, links, 30, 0.95);
    assert_true(ratio.low < 1 && ratio.high > 1.2);
    near(ratio.ratio, 1.2 + 0.0145, 0.002);
    near(ratio.p, 14.0 / 64, 1e-12); // sign test: one of six, two-sided
    for (int i = 5; i < 30; i += 6)
        a[i] = 1.25;
    ratio = cb_paired_ratio(a, b, links, 30, 0.95);
    assert_true(ratio.low > 1);
    assert_true(ratio.p < 1e-4); // clearer than signs can count
    for (int i = 5; i < 30; i += 6)
        a[i] = 50; // all agree, but by how much is unclear: signs say how sure one can be
    near(cb_paired_ratio(a, b, links, 30, 0.95).p, 2.0 / 64, 1e-12);
}

// The quotient of both quartiles, whatever the upper rounds do, and each round's luck cancels.
static void quantile_ratios_divide_quantiles(void **state) {
    (void)state;
    static const double luck[12] = {1, 3, 1, 2, 1, 1, 4, 1, 2, 1, 1, 5};
    double a[13], b[13], alone[12];
    for (int i = 0; i < 12; i++) {
        b[i] = luck[i] * (1 + 0.001 * (i * 7 % 12));
        alone[i] = 1 + 0.001 * (i * 7 % 12);
        a[i] = 1.1 * b[i];
    }
    struct cb_ratio ratio = cb_quantile_ratio(a, b, NULL, 12, 0.25, 0.95);
    assert_int_equal(ratio.pairs, 12);
    near(ratio.ratio, 1.1, 1e-12);
    near(ratio.low, 1.1, 1e-9);
    near(ratio.high, 1.1, 1e-9);
    near(ratio.p, 0, 1e-9);
    // Without its partner a lucky round counts: the interval is that of one quartile.
    struct cb_ratio single = cb_quantile_ratio(a, alone, NULL, 12, 0.25, 0.95);
    assert_true(single.high - single.low > 0.001);
    near(single.ratio, cb_lower_quartile(a, 12) / cb_lower_quartile(alone, 12), 1e-12);
    for (int i = 0; i < 12; i++)
        if (luck[i] > 1)
            a[i] *= 9; // rounds above the quartile have no say in it
    near(cb_quantile_ratio(a, b, NULL, 12, 0.25, 0.95).ratio, 1.1, 1e-12);
    near(cb_quantile_ratio(b, b, NULL, 12, 0.25, 0.95).p, 1, 0);
    // What has no partner counts on neither side.
    a[12] = 0.001;
    b[12] = NONE;
    near(cb_quantile_ratio(a, b, NULL, 13, 0.25, 0.95).ratio, 1.1, 1e-12);
    // The lower quartile of eight rounds has no interval that covers 95 %.
    ratio = cb_quantile_ratio(a, b, NULL, 8, 0.25, 0.95);
    near(ratio.ratio, 1.1, 1e-12);
    assert_true(isnan(ratio.low) && isnan(ratio.high) && isnan(ratio.p));
    assert_true(isnan(cb_quantile_ratio(a, b, NULL, 0, 0.25, 0.95).ratio));
}

static void quantile_ratios_over_links_count_links(void **state) {
    (void)state;
    double a[30], b[30];
    long links[30];
    for (int i = 0; i < 30; i++) {
        links[i] = i % 6;
        b[i] = 1 + 0.5 * (i / 6); // the quartile of a link's five rounds is 1.5
        a[i] = b[i] * (1.2 + 0.01 * (double)links[i]);
        if (i / 6 > 1)
            a[i] *= 3;
    }
    struct cb_ratio ratio = cb_quantile_ratio(a, b, links, 30, 0.25, 0.95);
    assert_int_equal(ratio.pairs, 6);
    near(ratio.ratio, sqrt(1.22 * 1.23), 1e-9);
    near(ratio.low, 1.2, 1e-9);
    near(ratio.high, 1.25, 1e-9);
    assert_true(ratio.p < 0.05);
}

// Where p falls below 5 %, the interval leaves out 1, and only there.
static void p_agrees_with_the_interval(void **state) {
    (void)state;
    int below = 0, above = 0;
    for (int step = -40; step <= 40; step++)
        for (int kind = 0; kind < 4; kind++) {
            static const double noise[12] = {0.3, -0.9, 1.1, -0.2, 2.5,  -1.3,
                                             0.6, 0.1,  0.9, -0.5, -0.1, 0.4};
            static const long of[12] = {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5};
            double a[12], b[12];
            for (int i = 0; i < 12; i++) {
                a[i] = exp(0.05 * step + noise[i]);
                b[i] = 1;
            }
            const long *links = kind % 2 ? of : NULL;
            struct cb_ratio ratio = kind < 2 ? cb_paired_ratio(a, b, links, 12, 0.95)
                                             : cb_quantile_ratio(a, b, links, 12, 0.25, 0.95);
            bool outside = ratio.low > 1 || ratio.high < 1;
            if (fabs(ratio.p - 0.05) > 0.002 && outside != (ratio.p < 0.05))
                fail_msg("p = %g, but the interval is %g to %g", ratio.p, ratio.low, ratio.high);
            below += ratio.p < 0.05;
            above += ratio.p >= 0.05;
        }
    assert_true(below > 20 && above > 20);
}

static double mean(double *values, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum / (double)n;
}

static void bootstrap_is_the_same_each_time(void **state) {
    (void)state;
    const double values[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
    struct cb_interval a = cb_bca(values, 10, mean, 0.95, 5, 2000);
    struct cb_interval b = cb_bca(values, 10, mean, 0.95, 5, 2000);
    struct cb_interval other = cb_bca(values, 10, mean, 0.95, 6, 2000);
    near(a.low, b.low, 0);
    near(a.high, b.high, 0);
    assert_true(a.low != other.low || a.high != other.high);
    assert_true(a.low < 3.9 && 3.9 < a.high);
    // Skewed to the right: the interval reaches further up than down.
    assert_true(a.high - 3.9 > 3.9 - a.low);
    assert_true(isnan(cb_bca(values, 2, mean, 0.95, 5, 2000).low));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_interpolate),
        cmocka_unit_test(order_intervals_are_exact),
        cmocka_unit_test(too_few_samples_give_no_interval),
        cmocka_unit_test(clusters_are_condensed_in_order),
        cmocka_unit_test(trimmed_means_drop_both_ends),
        cmocka_unit_test(holm_is_as_in_r),
        cmocka_unit_test(slope_is_anscombes),
        cmocka_unit_test(exact_ratios_are_exact),
        cmocka_unit_test(pairs_without_a_partner_do_not_count),
        cmocka_unit_test(one_slow_round_has_no_say),
        cmocka_unit_test(ratios_over_links_count_links),
        cmocka_unit_test(links_of_two_kinds_decide_together),
        cmocka_unit_test(quantile_ratios_divide_quantiles),
        cmocka_unit_test(quantile_ratios_over_links_count_links),
        cmocka_unit_test(p_agrees_with_the_interval),
        cmocka_unit_test(bootstrap_is_the_same_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
