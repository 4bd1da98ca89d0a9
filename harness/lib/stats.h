// Statistics for small samples of noisy times: medians, order-statistic intervals, paired ratios,
// Holm's correction, slopes. Built on GSL; nothing here knows where the numbers come from.
//
// Not-a-number means "no value": functions that take rounds skip it, functions that cannot answer
// return it.
#ifndef COROBENCH_STATS_H
#define COROBENCH_STATS_H

#include <stdbool.h>
#include <stddef.h>

// The confidence level of every interval that corobench prints.
#define CB_LEVEL 0.95

// An interval, and the coverage that it really has: order statistics can't hit 95 % exactly.
struct cb_interval {
    double low, high;
    double coverage; // 0 where the sample is too small for the level asked; low, high are then NaN
};

// The p-quantile (0..1), interpolated linearly between order statistics (Hyndman and Fan's type 7).
// `values` need not be sorted and is not changed. NaN for n = 0.
double cb_quantile(const double *values, size_t n, double p);

double cb_median(const double *values, size_t n);

// The 0.25-quantile: what is left of a time when slow phases of the machine are cut off.
double cb_lower_quartile(const double *values, size_t n);

// The interval between two order statistics that covers the p-quantile of the population with at
// least `level`, whatever the distribution (Conover, Practical Nonparametric Statistics): the
// narrowest in ranks; of equally narrow ones the one that covers most. Exact binomial, so at n = 12
// a median's interval is x(3)..x(10) with 96.1 %. A bootstrap of the median covers too little at
// such n.
struct cb_interval cb_order_interval(const double *values, size_t n, double p, double level);

// Puts the p-quantile of each cluster (equal numbers in `cluster`) into `out`, which has room for
// n, in order of first appearance; `ids`, where not NULL, gets each cluster's number. Returns the
// number of clusters. Samples that share a link share its luck: intervals over links, not over
// samples, are honest about it.
size_t cb_clusters(const double *values, const long *cluster, size_t n, double p, double *out,
                   long *ids);

// The mean of what is left when a fraction `trim` of n is cut at either end (0 <= trim < 0.5).
double cb_trimmed_mean(const double *values, size_t n, double trim);

// A statistic of a sample, as the bootstrap needs it. It may reorder `values`.
typedef double cb_statistic(double *values, size_t n);

// The bias-corrected and accelerated bootstrap interval of a statistic (Efron 1987), with the
// expanded percentiles of Hesterberg (2015), which undo the bootstrap's shortness in small samples.
// `seed` fixes the resampling, so that a report is the same each time. n < 3 gives NaN.
struct cb_interval cb_bca(const double *values, size_t n, cb_statistic *statistic, double level,
                          unsigned long seed, size_t resamples);

// Seed and number of resamples of every bootstrap in a report.
#define CB_BOOTSTRAP_SEED 20240229UL
#define CB_BOOTSTRAP_RESAMPLES 2000

struct cb_ratio {
    double ratio;
    double low, high; // of rounds: BCa; of links: order statistics. NaN with fewer than 6 of them
    double p;         // of "the ratio is 1": the interval, inverted
    size_t pairs;     // pairs with both values there and positive (links, where clustered)
};

// The ratio a/b of two cells, paired inside rounds: a[i] and b[i] were measured close together, so
// slow phases of the machine cancel. It is exp of the 20 % trimmed mean of log(a/b). `cluster` may
// be NULL; else pairs are first condensed to one median a cluster, and ratio and interval are those
// of the median over clusters: a BCa interval of six links that are of two kinds, lucky and
// unlucky, covers 87 %.
//
// p agrees with the interval: it is below 1 - level where the interval leaves out 1. Where the data
// are clearer than that method can count (1 lies beyond all resamples, or all links agree), p goes
// on with a t test (Yuen's on the trimmed mean; Student's over links), which supposes a shape: a
// correction for many comparisons needs p that small. Beyond that point only the interval holds for
// every distribution.
struct cb_ratio cb_paired_ratio(const double *a, const double *b, const long *cluster, size_t n,
                                double level);

// The ratio of the p-quantiles of two cells whose values come in pairs as above. No single pair has
// a share in it, so it is whole pairs that are drawn for the bootstrap: what both had in common in
// a round cancels all the same. With clusters, each one's quantiles are divided, and ratio and
// interval are those of the median over clusters. There is no interval where that many values have
// no order-statistic interval of such a quantile: it would pretend to know what they can't tell.
struct cb_ratio cb_quantile_ratio(const double *a, const double *b, const long *cluster, size_t n,
                                  double p, double level);

// Holm's step-down correction (1979): adjusted[i] <= alpha rejects while the chance of any false
// rejection in the family stays below alpha. NaN stays NaN and does not count.
void cb_holm(const double *p, size_t n, double *adjusted);

struct cb_slope {
    double slope, intercept;
    double low, high; // t interval of the slope; NaN where n < 3
    double r2;        // share of the variance of y that the line explains
};

// The least squares line through n >= 2 points with different x.
struct cb_slope cb_slope(const double *x, const double *y, size_t n, double level);

#endif
