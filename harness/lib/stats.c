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

struct cb_interval cb_order_interval(const double *values, size_t n, double p, double level) {
    struct cb_interval best = {.low = NAN, .high = NAN, .coverage = 0};
    size_t low = 0, high = 0;
    double *at_most = cb_allocate(n, sizeof *at_most); // k of the samples fall below the quantile
    for (size_t k = 0; k < n; k++)
        at_most[k] = gsl_cdf_binomial_P((unsigned)k, p, (unsigned)n);
    for (size_t width = 1; width < n && best.coverage == 0; width++) {
        for (size_t i = 1; i + width <= n; i++) {
            // P(x(i) <= quantile < x(j)), ranks from 1: between i and j-1 fall below the quantile.
            double coverage = at_most[i + width - 1] - at_most[i - 1];
            // Rounding must not decide between two mirrored intervals: the first one stays.
            if (coverage >= level && coverage > best.coverage + 1e-12) {
                best.coverage = coverage;
                low = i;
                high = i + width;
            }
        }
    }
    free(at_most);
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

// A statistic of a resample, in which the sample's value i stands times[i] times.
typedef double weighted_statistic(const void *sample, const unsigned *times, size_t n);

// Acceleration by the jackknife: the skewness of the leave-one-out statistics.
static double bca_acceleration(const void *sample, size_t n, weighted_statistic *statistic) {
    double *left_out = cb_allocate(n, sizeof *left_out);
    unsigned *times = cb_allocate(n, sizeof *times);
    for (size_t i = 0; i < n; i++)
        times[i] = 1;
    for (size_t i = 0; i < n; i++) {
        times[i] = 0;
        left_out[i] = statistic(sample, times, n);
        times[i] = 1;
    }
    double mean = gsl_stats_mean(left_out, 1, n), square = 0, cube = 0;
    for (size_t i = 0; i < n; i++) {
        double d = mean - left_out[i];
        square += d * d;
        cube += d * d * d;
    }
    free(times);
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

// How often each of n values is drawn, n numbers for each resample. The same seed gives the same
// draws, and the cells of a report have the same number of rounds: the last draws are kept.
static const unsigned *draw(size_t n, unsigned long seed, size_t resamples) {
    static struct {
        unsigned *times;
        size_t n, resamples;
        unsigned long seed;
    } last;
    if (last.n == n && last.seed == seed && last.resamples == resamples)
        return last.times;
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    if (!rng) {
        cb_error(stderr, "out of memory for the bootstrap's random numbers\n"
                         "no report can be made\nfree memory and run the command again");
        exit(CB_EXIT_USAGE);
    }
    gsl_rng_set(rng, seed);
    free(last.times);
    last.times = cb_allocate(resamples * n, sizeof *last.times);
    last.n = n;
    last.seed = seed;
    last.resamples = resamples;
    for (size_t b = 0; b < resamples; b++)
        for (size_t i = 0; i < n; i++)
            last.times[b * n + gsl_rng_uniform_int(rng, n)]++;
    gsl_rng_free(rng);
    return last.times;
}

static struct bootstrap resample(const void *sample, size_t n, weighted_statistic *statistic,
                                 unsigned long seed, size_t resamples) {
    struct bootstrap boot = {.resamples = resamples, .n = n};
    const unsigned *times = draw(n, seed, resamples);
    boot.sorted = cb_allocate(resamples, sizeof *boot.sorted);
    for (size_t b = 0; b < resamples; b++)
        boot.sorted[b] = statistic(sample, times + b * n, n);
    gsl_sort(boot.sorted, 1, resamples);
    unsigned *once = cb_allocate(n, sizeof *once);
    for (size_t i = 0; i < n; i++)
        once[i] = 1;
    double all = statistic(sample, once, n);
    boot.z0 = gsl_cdf_ugaussian_Pinv(share_below(boot.sorted, resamples, all));
    boot.a = bca_acceleration(sample, n, statistic);
    free(once);
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

// A sample for a statistic of plain values.
struct plain {
    const double *values;
    cb_statistic *statistic;
    double *scratch;
};

static double plain_statistic(const void *sample, const unsigned *times, size_t n) {
    const struct plain *plain = sample;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        for (unsigned k = 0; k < times[i]; k++)
            plain->scratch[count++] = plain->values[i];
    return plain->statistic(plain->scratch, count);
}

struct cb_interval cb_bca(const double *values, size_t n, cb_statistic *statistic, double level,
                          unsigned long seed, size_t resamples) {
    if (n < 3 || resamples < 2)
        return (struct cb_interval){.low = NAN, .high = NAN, .coverage = 0};
    struct plain plain = {values, statistic, cb_allocate(n, sizeof *plain.scratch)};
    struct bootstrap boot = resample(&plain, n, plain_statistic, seed, resamples);
    struct cb_interval result = bootstrap_interval(&boot, level);
    free(boot.sorted);
    free(plain.scratch);
    return result;
}

// ---- Ratios -------------------------------------------------------------------------------------

// A sample, and the order that sorts it: resamples are sorted by it too.
struct ordered {
    const double *values;
    size_t *order;
};

static struct ordered put_in_order(const double *values, size_t n) {
    struct ordered sample = {values, cb_allocate(n, sizeof *sample.order)};
    gsl_sort_index(sample.order, values, 1, n);
    return sample;
}

// The trimmed mean of a resample: the statistic of ratios that are paired inside rounds.
static double trimmed_statistic(const void *sample, const unsigned *times, size_t n) {
    const struct ordered *logs = sample;
    size_t total = 0, passed = 0;
    for (size_t i = 0; i < n; i++)
        total += times[i];
    size_t cut = (size_t)floor(RATIO_TRIM * (double)total), end = total - cut;
    double sum = 0, origin = logs->values[logs->order[0]]; // equal values have that very mean
    for (size_t i = 0; i < n && passed < end; i++) {
        size_t at = logs->order[i], first = passed;
        passed += times[at];
        size_t from = first > cut ? first : cut, to = passed < end ? passed : end;
        if (to > from)
            sum += (double)(to - from) * (logs->values[at] - origin);
    }
    return origin + sum / (double)(end - cut);
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

// Interval and p of the logarithm of a ratio. Beyond all resamples a t test tells how small p is,
// but says no more than the bootstrap can bear out at the last of them.
static void read_bootstrap(struct cb_ratio *result, const struct bootstrap *boot, double level,
                           double t_test) {
    struct cb_interval interval = bootstrap_interval(boot, level);
    result->low = exp(interval.low);
    result->high = exp(interval.high);
    result->p = bootstrap_p(boot, 0);
    if (isnan(result->p)) {
        double last = boot->sorted[0] > 0 ? boot->sorted[0] : boot->sorted[boot->resamples - 1];
        double bound = bootstrap_p(boot, last);
        result->p = bound < t_test ? bound : t_test; // false where it is not a number
    }
}

// Rounds: a trimmed mean with its BCa interval.
static void ratio_over_rounds(struct cb_ratio *result, const double *logs, size_t n, double level) {
    result->ratio = exp(cb_trimmed_mean(logs, n, RATIO_TRIM));
    if (n < RATIO_MIN_PAIRS)
        return;
    struct ordered sample = put_in_order(logs, n);
    struct bootstrap boot =
        resample(&sample, n, trimmed_statistic, CB_BOOTSTRAP_SEED, CB_BOOTSTRAP_RESAMPLES);
    read_bootstrap(result, &boot, level, trimmed_t_test(logs, n, RATIO_TRIM));
    free(boot.sorted);
    free(sample.order);
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

// Two samples whose values i were measured together.
struct pairs {
    struct ordered a, b;
    double p;
};

// The p-quantile of a resample.
static double quantile_of(const struct ordered *sample, const unsigned *times, size_t n, double p) {
    size_t total = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        total += times[i];
    double rank = p * (double)(total - 1);
    size_t whole = (size_t)rank, passed = times[sample->order[0]];
    while (passed <= whole)
        passed += times[sample->order[++at]];
    double low = sample->values[sample->order[at]], high = low;
    if (passed == whole + 1 && passed < total) {
        do
            at++;
        while (times[sample->order[at]] == 0);
        high = sample->values[sample->order[at]];
    }
    return low + (rank - (double)whole) * (high - low);
}

static double quantile_ratio_statistic(const void *sample, const unsigned *times, size_t n) {
    const struct pairs *pairs = sample;
    return log(quantile_of(&pairs->a, times, n, pairs->p) /
               quantile_of(&pairs->b, times, n, pairs->p));
}

// What is left of t where the standard error is that of the bootstrap.
static double bootstrap_t_test(const struct bootstrap *boot, double value) {
    double error = gsl_stats_sd(boot->sorted, 1, boot->resamples) * expansion(boot->n);
    if (error == 0)
        return value == 0 ? 1 : 0;
    return 2 * gsl_cdf_tdist_Q(fabs(value) / error, (double)(boot->n - 1));
}

static void quantile_ratio_over_rounds(struct cb_ratio *result, const double *a, const double *b,
                                       size_t n, double p, double level) {
    double value = log(cb_quantile(a, n, p) / cb_quantile(b, n, p));
    result->ratio = exp(value);
    if (n < RATIO_MIN_PAIRS || cb_order_interval(a, n, p, level).coverage == 0)
        return;
    struct pairs pairs = {put_in_order(a, n), put_in_order(b, n), p};
    struct bootstrap boot =
        resample(&pairs, n, quantile_ratio_statistic, CB_BOOTSTRAP_SEED, CB_BOOTSTRAP_RESAMPLES);
    read_bootstrap(result, &boot, level, bootstrap_t_test(&boot, value));
    free(boot.sorted);
    free(pairs.a.order);
    free(pairs.b.order);
}

struct cb_ratio cb_quantile_ratio(const double *a, const double *b, const long *cluster, size_t n,
                                  double p, double level) {
    struct cb_ratio result = {.ratio = NAN, .low = NAN, .high = NAN, .p = NAN};
    double *of_a = cb_allocate(n, sizeof *of_a), *of_b = cb_allocate(n, sizeof *of_b);
    long *of = cb_allocate(n, sizeof *of);
    size_t pairs = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(a[i] > 0) || !(b[i] > 0)) // also where one is missing
            continue;
        of[pairs] = cluster ? cluster[i] : 0;
        of_a[pairs] = a[i];
        of_b[pairs++] = b[i];
    }
    if (pairs > 0 && cluster) {
        double *links = cb_allocate(2 * n, sizeof *links);
        size_t count = cb_clusters(of_a, of, pairs, p, links, NULL);
        cb_clusters(of_b, of, pairs, p, links + n, NULL);
        for (size_t i = 0; i < count; i++)
            links[i] = log(links[i] / links[n + i]);
        ratio_over_links(&result, links, pairs = count, level);
        free(links);
    } else if (pairs > 0) {
        quantile_ratio_over_rounds(&result, of_a, of_b, pairs, p, level);
    }
    result.pairs = pairs;
    free(of);
    free(of_b);
    free(of_a);
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
