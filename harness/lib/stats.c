// Statistics for small samples; see stats.h for what each function is for and where it comes from.
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_fit.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include "message.h"

// The share cut off at either end of log ratios: one slow phase in a run of 12 rounds has no say.
#define RATIO_TRIM 0.2
// Below this the order statistics can't reach 95 %; a bootstrap would pretend that it can.
#define RATIO_MIN_PAIRS 6

// A sorted copy, to be freed.
static double *sorted_copy(const double *values, size_t n) {
    double *copy = cb_allocate(n, sizeof *copy);
    if (n) {
        memcpy(copy, values, n * sizeof *copy);
        gsl_sort(copy, 1, n);
    }
    return copy;
}

double cb_quantile(const double *values, size_t n, double p) {
    if (n == 0)
        return NAN;
    double *sorted = sorted_copy(values, n);
    double result = gsl_stats_quantile_from_sorted_data(sorted, 1, n, p);
    free(sorted);
    return result;
}

double cb_median(const double *values, size_t n) {
    return cb_quantile(values, n, 0.5);
}

double cb_lower_quartile(const double *values, size_t n) {
    return cb_quantile(values, n, 0.25);
}

// P(x(i) <= quantile < x(j)), ranks from 1: between i and j-1 of n samples fall below the quantile.
static double order_coverage(size_t i, size_t j, size_t n, double p) {
    return gsl_cdf_binomial_P((unsigned)(j - 1), p, (unsigned)n) -
           gsl_cdf_binomial_P((unsigned)(i - 1), p, (unsigned)n);
}

struct cb_interval cb_order_interval(const double *values, size_t n, double p, double level) {
    struct cb_interval best = {.low = NAN, .high = NAN, .coverage = 0};
    size_t low = 0, high = 0;
    for (size_t width = 1; width < n && best.coverage == 0; width++) {
        for (size_t i = 1; i + width <= n; i++) {
            double coverage = order_coverage(i, i + width, n, p);
            // Rounding must not decide between two mirrored intervals: the first one stays.
            if (coverage >= level && coverage > best.coverage + 1e-12) {
                best.coverage = coverage;
                low = i;
                high = i + width;
            }
        }
    }
    if (best.coverage > 0) {
        double *sorted = sorted_copy(values, n);
        best.low = sorted[low - 1];
        best.high = sorted[high - 1];
        free(sorted);
    }
    return best;
}

size_t cb_clusters(const double *values, const long *cluster, size_t n, double p, double *out,
                   long *ids) {
    double *members = cb_allocate(n, sizeof *members);
    size_t count = 0;
    for (size_t first = 0; first < n; first++) {
        bool seen = false;
        for (size_t i = 0; i < first && !seen; i++)
            seen = cluster[i] == cluster[first];
        if (seen)
            continue;
        size_t size = 0;
        for (size_t i = first; i < n; i++)
            if (cluster[i] == cluster[first])
                members[size++] = values[i];
        if (ids)
            ids[count] = cluster[first];
        out[count++] = cb_quantile(members, size, p);
    }
    free(members);
    return count;
}

static double trimmed_mean_sorted(const double *sorted, size_t n, double trim) {
    size_t cut = (size_t)floor(trim * (double)n);
    return gsl_stats_mean(sorted + cut, 1, n - 2 * cut);
}

double cb_trimmed_mean(const double *values, size_t n, double trim) {
    if (n == 0)
        return NAN;
    double *sorted = sorted_copy(values, n);
    double mean = trimmed_mean_sorted(sorted, n, trim);
    free(sorted);
    return mean;
}

// Acceleration by the jackknife: the skewness of the leave-one-out statistics.
static double bca_acceleration(const double *values, size_t n, cb_statistic *statistic,
                               double *scratch) {
    double *left_out = cb_allocate(n, sizeof *left_out);
    for (size_t i = 0; i < n; i++) {
        memcpy(scratch, values, i * sizeof *scratch);
        memcpy(scratch + i, values + i + 1, (n - i - 1) * sizeof *scratch);
        left_out[i] = statistic(scratch, n - 1);
    }
    double mean = gsl_stats_mean(left_out, 1, n), square = 0, cube = 0;
    for (size_t i = 0; i < n; i++) {
        double d = mean - left_out[i];
        square += d * d;
        cube += d * d * d;
    }
    free(left_out);
    return square > 0 ? cube / (6 * pow(square, 1.5)) : 0;
}

// The share of bootstrap values below the statistic; ties count half, or a discrete statistic
// would look biased.
static double share_below(const double *sorted, size_t n, double value) {
    size_t below = 0, ties = 0;
    for (size_t i = 0; i < n; i++) {
        below += sorted[i] < value;
        ties += sorted[i] == value;
    }
    double share = ((double)below + 0.5 * (double)ties) / (double)n;
    double edge = 0.5 / (double)n;
    return share < edge ? edge : share > 1 - edge ? 1 - edge : share;
}

// The bootstrap distribution of a statistic, and how to read it (Efron 1987).
struct bootstrap {
    double *sorted;
    size_t resamples, n;
    double z0, a; // corrections for bias and acceleration
};

static struct bootstrap resample(const double *values, size_t n, cb_statistic *statistic,
                                 unsigned long seed, size_t resamples) {
    struct bootstrap boot = {.resamples = resamples, .n = n};
    double *scratch = cb_allocate(n, sizeof *scratch);
    boot.sorted = cb_allocate(resamples, sizeof *boot.sorted);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    if (!rng) {
        cb_error(stderr, "out of memory for the bootstrap's random numbers\n"
                         "no report can be made\nfree memory and run the command again");
        exit(CB_EXIT_USAGE);
    }
    gsl_rng_set(rng, seed);
    for (size_t b = 0; b < resamples; b++) {
        for (size_t i = 0; i < n; i++)
            scratch[i] = values[gsl_rng_uniform_int(rng, n)];
        boot.sorted[b] = statistic(scratch, n);
    }
    gsl_rng_free(rng);
    gsl_sort(boot.sorted, 1, resamples);
    memcpy(scratch, values, n * sizeof *scratch);
    boot.z0 = gsl_cdf_ugaussian_Pinv(share_below(boot.sorted, resamples, statistic(scratch, n)));
    boot.a = bca_acceleration(values, n, statistic, scratch);
    free(scratch);
    return boot;
}

// Expanded percentiles: the normal quantile that stands for the t quantile of n - 1 degrees.
static double expansion(size_t n) {
    return sqrt((double)n / (double)(n - 1));
}

static struct cb_interval bootstrap_interval(const struct bootstrap *boot, double level) {
    struct cb_interval result = {.coverage = level};
    double z = expansion(boot->n) * gsl_cdf_tdist_Qinv((1 - level) / 2, (double)(boot->n - 1));
    double *end[2] = {&result.low, &result.high};
    for (int side = 0; side < 2; side++) {
        double shifted = boot->z0 + (side ? z : -z);
        double at = gsl_cdf_ugaussian_P(boot->z0 + shifted / (1 - boot->a * shifted));
        *end[side] = gsl_stats_quantile_from_sorted_data(boot->sorted, 1, boot->resamples, at);
    }
    return result;
}

// The p at which the interval's end would just reach `value`: the same interval, inverted. NaN
// where `value` lies beyond all resamples, of which the bootstrap can only say that p is small.
static double bootstrap_p(const struct bootstrap *boot, double value) {
    if (value < boot->sorted[0] || value > boot->sorted[boot->resamples - 1])
        return NAN;
    double share = share_below(boot->sorted, boot->resamples, value);
    double w = gsl_cdf_ugaussian_Pinv(share) - boot->z0;
    if (1 + boot->a * w <= 0) // beyond where the acceleration lets any level reach
        return NAN;
    double z = w / (1 + boot->a * w) - boot->z0;
    double t = fabs(z) / expansion(boot->n);
    return 2 * gsl_cdf_tdist_Q(t, (double)(boot->n - 1));
}

struct cb_interval cb_bca(const double *values, size_t n, cb_statistic *statistic, double level,
                          unsigned long seed, size_t resamples) {
    if (n < 3 || resamples < 2)
        return (struct cb_interval){.low = NAN, .high = NAN, .coverage = 0};
    struct bootstrap boot = resample(values, n, statistic, seed, resamples);
    struct cb_interval result = bootstrap_interval(&boot, level);
    free(boot.sorted);
    return result;
}

// The statistic of paired ratios. Insertion sort: n is small and this runs millions of times.
static double ratio_statistic(double *values, size_t n) {
    for (size_t i = 1; i < n; i++) {
        double value = values[i];
        size_t at = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
    return trimmed_mean_sorted(values, n, RATIO_TRIM);
}

// Yuen's test that the trimmed mean is 0: the standard error comes from the winsorised variance.
static double trimmed_t_test(const double *values, size_t n, double trim) {
    double *sorted = sorted_copy(values, n);
    size_t cut = (size_t)floor(trim * (double)n);
    size_t kept = n - 2 * cut;
    double mean = trimmed_mean_sorted(sorted, n, trim);
    for (size_t i = 0; i < cut; i++) {
        sorted[i] = sorted[cut];
        sorted[n - 1 - i] = sorted[n - 1 - cut];
    }
    double squares = gsl_stats_variance(sorted, 1, n) * (double)(n - 1);
    free(sorted);
    double error = sqrt(squares / ((double)kept * (double)(kept - 1)));
    if (error == 0)
        return mean == 0 ? 1 : 0;
    return 2 * gsl_cdf_tdist_Q(fabs(mean) / error, (double)(kept - 1));
}

// Rounds: a trimmed mean with its BCa interval. Beyond all resamples Yuen's test tells how small p
// is, but says no more than the bootstrap can bear out at the last of them.
static void ratio_over_rounds(struct cb_ratio *result, const double *logs, size_t n, double level) {
    result->ratio = exp(cb_trimmed_mean(logs, n, RATIO_TRIM));
    if (n < RATIO_MIN_PAIRS)
        return;
    struct bootstrap boot =
        resample(logs, n, ratio_statistic, CB_BOOTSTRAP_SEED, CB_BOOTSTRAP_RESAMPLES);
    struct cb_interval interval = bootstrap_interval(&boot, level);
    result->low = exp(interval.low);
    result->high = exp(interval.high);
    result->p = bootstrap_p(&boot, 0);
    if (isnan(result->p)) {
        double last = boot.sorted[0] > 0 ? boot.sorted[0] : boot.sorted[boot.resamples - 1];
        double bound = bootstrap_p(&boot, last);
        result->p = trimmed_t_test(logs, n, RATIO_TRIM);
        if (bound < result->p) // false where it is not a number
            result->p = bound;
    }
    free(boot.sorted);
}

// The sign test that the median is 0, which the order-statistic interval inverts. Where all values
// agree it can't say more than 2^(1-n), however clear they are: then Student's t goes on from
// there.
static double sign_test(const double *values, size_t n) {
    size_t below = 0, above = 0;
    for (size_t i = 0; i < n; i++) {
        below += values[i] <= 0;
        above += values[i] >= 0;
    }
    size_t fewer = below < above ? below : above;
    double p = fmin(2 * gsl_cdf_binomial_P((unsigned)fewer, 0.5, (unsigned)n), 1);
    return fewer == 0 ? fmin(p, trimmed_t_test(values, n, 0)) : p;
}

// Links: few values that may be of two kinds, lucky and unlucky. Only order statistics cover then.
static void ratio_over_links(struct cb_ratio *result, const double *logs, size_t n, double level) {
    result->ratio = exp(cb_median(logs, n));
    if (n < RATIO_MIN_PAIRS)
        return;
    struct cb_interval interval = cb_order_interval(logs, n, 0.5, level);
    result->low = exp(interval.low);
    result->high = exp(interval.high);
    result->p = sign_test(logs, n);
}

struct cb_ratio cb_paired_ratio(const double *a, const double *b, const long *cluster, size_t n,
                                double level) {
    struct cb_ratio result = {.ratio = NAN, .low = NAN, .high = NAN, .p = NAN};
    double *logs = cb_allocate(n, sizeof *logs);
    long *of = cb_allocate(n, sizeof *of);
    size_t pairs = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(a[i] > 0) || !(b[i] > 0)) // also where one is missing
            continue;
        of[pairs] = cluster ? cluster[i] : 0;
        logs[pairs++] = log(a[i] / b[i]);
    }
    if (cluster) {
        double *condensed = cb_allocate(n, sizeof *condensed);
        pairs = cb_clusters(logs, of, pairs, 0.5, condensed, NULL);
        free(logs);
        logs = condensed;
    }
    result.pairs = pairs;
    if (pairs > 0 && cluster)
        ratio_over_links(&result, logs, pairs, level);
    else if (pairs > 0)
        ratio_over_rounds(&result, logs, pairs, level);
    free(of);
    free(logs);
    return result;
}

void cb_holm(const double *p, size_t n, double *adjusted) {
    size_t *order = cb_allocate(n, sizeof *order);
    size_t tests = 0;
    for (size_t i = 0; i < n; i++) {
        adjusted[i] = NAN;
        if (isnan(p[i]))
            continue;
        size_t at = tests++; // insertion keeps the order of equal ones
        for (; at > 0 && p[order[at - 1]] > p[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    double largest = 0;
    for (size_t rank = 0; rank < tests; rank++) {
        double scaled = p[order[rank]] * (double)(tests - rank);
        largest = fmax(largest, fmin(scaled, 1));
        adjusted[order[rank]] = largest;
    }
    free(order);
}

struct cb_slope cb_slope(const double *x, const double *y, size_t n, double level) {
    struct cb_slope result = {NAN, NAN, NAN, NAN, NAN};
    if (n < 2)
        return result;
    double var0, cov, var1, residual;
    gsl_fit_linear(x, 1, y, 1, n, &result.intercept, &result.slope, &var0, &cov, &var1, &residual);
    double total = gsl_stats_tss(y, 1, n);
    result.r2 = total > 0 ? 1 - residual / total : 1;
    if (n >= 3) {
        double reach = gsl_cdf_tdist_Qinv((1 - level) / 2, (double)(n - 2)) * sqrt(var1);
        result.low = result.slope - reach;
        result.high = result.slope + reach;
    }
    return result;
}
