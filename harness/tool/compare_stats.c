// Statistics of two independent samples. Rounds of two runs are not pairs: they were measured at
// different times, so only what each run shows by itself can be set against the other.
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

// Beyond as many values the rank test's exact table is large, and the normal curve good enough.
#define EXACT_MOST 60

static const struct cb_effect no_effect = {NAN, NAN, NAN};

struct cb_effect cb_effect_ratio(double a, double a_low, double a_high, double b, double b_low,
                                 double b_high) {
    struct cb_effect effect = no_effect;
    if (!(a > 0) || !(b > 0))
        return effect;
    double d = log(b) - log(a);
    effect.ratio = b / a;
    if (!(a_low > 0) || !(b_low > 0) || isnan(a_high) || isnan(b_high))
        return effect;
    effect.low = exp(d - hypot(log(b / b_low), log(a_high / a)));
    effect.high = exp(d + hypot(log(b_high / b), log(a / a_low)));
    return effect;
}

struct cb_effect cb_effect_range(double a, double a_low, double a_high, double b, double b_low,
                                 double b_high) {
    struct cb_effect effect = no_effect;
    if (!(a > 0) || !(b > 0))
        return effect;
    effect.ratio = b / a;
    if (!(a_low > 0) || !(b_low > 0) || isnan(a_high) || isnan(b_high))
        return effect;
    effect.low = b_low / a_high;
    effect.high = b_high / a_low;
    return effect;
}

// ---- Ranks --------------------------------------------------------------------------------------

// Twice the rank of each value of both samples, a's first; equal values share the middle of theirs.
// Returns the sum of t^3 - t over groups of t equal values.
static double double_ranks(const double *a, size_t na, const double *b, size_t nb, size_t *ranks) {
    size_t n = na + nb;
    double *values = cb_allocate(n, sizeof *values), ties = 0;
    size_t *order = cb_allocate(n, sizeof *order);
    memcpy(values, a, na * sizeof *a);
    memcpy(values + na, b, nb * sizeof *b);
    gsl_sort_index(order, values, 1, n);
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && values[order[end]] == values[order[first]];)
            end++;
        double t = (double)(end - first);
        ties += t * t * t - t;
        for (size_t i = first; i < end; i++)
            ranks[order[i]] = first + 1 + end;
    }
    free(order);
    free(values);
    return ties;
}

// The share of all ways to choose `chosen` of n ranks whose sum is at most, and at least, `sum`.
static void rank_shares(const size_t *ranks, size_t n, size_t chosen, size_t sum, double *at_most,
                        double *at_least) {
    size_t most = n * (n + 1), wide = most + 1;
    double *ways = cb_allocate((chosen + 1) * wide, sizeof *ways);
    ways[0] = 1;
    for (size_t i = 0; i < n; i++)
        for (size_t k = i < chosen ? i + 1 : chosen; k > 0; k--)
            for (size_t s = ranks[i]; s <= most; s++)
                ways[k * wide + s] += ways[(k - 1) * wide + s - ranks[i]];
    double all = 0, below = 0, above = 0;
    for (size_t s = 0; s <= most; s++) {
        double here = ways[chosen * wide + s];
        all += here;
        below += s <= sum ? here : 0;
        above += s >= sum ? here : 0;
    }
    free(ways);
    *at_most = below / all;
    *at_least = above / all;
}

static double smaller(double a, double b) {
    return a < b ? a : b;
}

// The normal curve's answer, corrected for ties and for steps.
static double rank_test_normal(double sum, double ties, double na, double nb) {
    double n = na + nb;
    double variance = na * nb / 12 * (n + 1 - ties / (n * (n - 1)));
    double away = fabs(sum - na * (n + 1) / 2) - 0.5;
    if (variance <= 0 || away <= 0)
        return 1;
    return 2 * gsl_cdf_ugaussian_Q(away / sqrt(variance));
}

double cb_rank_test(const double *a, size_t na, const double *b, size_t nb) {
    if (na == 0 || nb == 0)
        return NAN;
    size_t n = na + nb, sum = 0;
    size_t *ranks = cb_allocate(n, sizeof *ranks);
    double ties = double_ranks(a, na, b, nb, ranks), p;
    for (size_t i = 0; i < na; i++)
        sum += ranks[i];
    if (n <= EXACT_MOST) {
        double at_most, at_least;
        rank_shares(ranks, n, na, sum, &at_most, &at_least);
        p = smaller(1, 2 * smaller(at_most, at_least));
    } else {
        p = rank_test_normal((double)sum / 2, ties, (double)na, (double)nb);
    }
    free(ranks);
    return p;
}

double cb_rank_test_least(size_t na, size_t nb) {
    double log_ways = gsl_sf_lnchoose((unsigned)(na + nb), (unsigned)na);
    return smaller(1, 2 * exp(-log_ways));
}

// ---- Student's curve ----------------------------------------------------------------------------

// Welch's: the square of each side's standard error and its degrees of freedom.
static double t_test(double difference, double square_a, double df_a, double square_b,
                     double df_b) {
    double square = square_a + square_b;
    if (square <= 0)
        return difference == 0 ? 1 : 0;
    double df = square * square / (square_a * square_a / df_a + square_b * square_b / df_b);
    return 2 * gsl_cdf_tdist_Q(fabs(difference) / sqrt(square), df);
}

double cb_welch_test(const double *a, size_t na, const double *b, size_t nb) {
    if (na < 2 || nb < 2)
        return NAN;
    const double *from[2] = {a, b};
    size_t n[2] = {na, nb};
    double mean[2], square[2];
    for (int side = 0; side < 2; side++) {
        double *logs = cb_allocate(n[side], sizeof *logs);
        for (size_t i = 0; i < n[side]; i++)
            logs[i] = log(from[side][i]);
        mean[side] = gsl_stats_mean(logs, 1, n[side]);
        square[side] = gsl_stats_variance(logs, 1, n[side]) / (double)n[side];
        free(logs);
    }
    return t_test(mean[1] - mean[0], square[0], (double)(na - 1), square[1], (double)(nb - 1));
}

double cb_limits_test(const struct cb_rep_estimate *a, size_t na, const struct cb_rep_estimate *b,
                      size_t nb) {
    if (na < 2 || nb < 2 || !(a->low > 0) || !(b->low > 0))
        return NAN;
    double z = gsl_cdf_ugaussian_Pinv(0.975);
    double error_a = log(a->high / a->low) / (2 * z), error_b = log(b->high / b->low) / (2 * z);
    return t_test(log(b->value / a->value), error_a * error_a, (double)(na - 1), error_b * error_b,
                  (double)(nb - 1));
}
