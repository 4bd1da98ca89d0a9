// Drift and two groups in small samples; see sequence.h for the methods.
#include "sequence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include "message.h"
#include "stats.h"

#define ORDERS 1999
// After so many orders that are as good, p is known well enough (Besag and Clifford 1991): most
// cells do not drift and are done soon. It is what 5 % of all orders are.
#define ORDERS_ENOUGH 100
#define LEAST_BESIDE_STEP 2

// ---- Drift --------------------------------------------------------------------------------------

// Ranks from 0, twice: equal values share the middle of theirs.
static void rank(const double *values, size_t n, int *ranks) {
    for (size_t i = 0; i < n; i++) {
        ranks[i] = 0;
        for (size_t k = 0; k < n; k++)
            ranks[i] += 2 * (values[k] < values[i]) + (k != i && values[k] == values[i]);
    }
}

static double order_statistic(const int *ranks, size_t n) {
    double size = (double)n, largest = 0;
    long pairs = 0, left = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            pairs += (ranks[k] > ranks[i]) - (ranks[k] < ranks[i]);
    for (size_t k = 1; k < n; k++) {
        left += ranks[k - 1] - (long)(n - 1); // rank sum of the first k less its mean, twice
        if (k < LEAST_BESIDE_STEP || n - k < LEAST_BESIDE_STEP)
            continue;
        double spread = sqrt((double)k * (double)(n - k) * (size + 1) / 12);
        largest = fmax(largest, fabs((double)left) / 2 / spread);
    }
    return fmax(largest, fabs((double)pairs) / sqrt(size * (size - 1) * (2 * size + 5) / 18));
}

struct cb_drift cb_drift(const double *values, size_t n) {
    struct cb_drift result = {.found = false, .p = NAN, .change = NAN};
    if (n < CB_SEQUENCE_LEAST)
        return result;
    size_t third = n / 3, reached = 0, tried = 0;
    double first = cb_median(values, third);
    result.change = first != 0 ? cb_median(values + n - third, third) / first - 1 : NAN;
    int *ranks = cb_allocate(n, sizeof *ranks);
    rank(values, n, ranks);
    double observed = order_statistic(ranks, n);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    if (!rng) {
        cb_error(stderr, "out of memory for random numbers\nno report can be made\n"
                         "free memory and run the command again");
        exit(CB_EXIT_USAGE);
    }
    gsl_rng_set(rng, CB_BOOTSTRAP_SEED);
    while (tried < ORDERS && reached < ORDERS_ENOUGH) {
        gsl_ran_shuffle(rng, ranks, n, sizeof *ranks);
        reached += order_statistic(ranks, n) >= observed - 1e-9;
        tried++;
    }
    gsl_rng_free(rng);
    free(ranks);
    // Where all were tried, the order that was measured is one more.
    result.p = reached < ORDERS_ENOUGH ? (double)(reached + 1) / (ORDERS + 1)
                                       : (double)reached / (double)tried;
    result.found = result.p < CB_SEQUENCE_ALPHA;
    return result;
}

// ---- Two groups ---------------------------------------------------------------------------------

// What the least favourable of the shapes named in sequence.h exceeds in 5 % of 100 000 samples.
static const struct {
    double n, limit;
} limits[] = {{8, 6.04},  {9, 5.91},  {10, 5.69}, {11, 5.57}, {12, 5.45}, {14, 5.59}, {16, 5.01},
              {18, 5.00}, {20, 4.78}, {24, 4.61}, {30, 4.47}, {36, 4.36}, {48, 4.21}, {60, 4.12}};
enum { LIMITS = sizeof limits / sizeof *limits };

// Between sizes in the table the smaller one's limit holds, which is the larger.
static double limit_for(size_t n) {
    double limit = limits[0].limit;
    for (size_t i = 0; i < LIMITS && limits[i].n <= (double)n; i++)
        limit = limits[i].limit;
    return limit;
}

struct cb_modes cb_modes(const double *values, size_t n) {
    struct cb_modes result = {.low = NAN, .high = NAN, .limit = limit_for(n)};
    if (n < CB_SEQUENCE_LEAST)
        return result;
    double *sorted = cb_allocate(n, sizeof *sorted);
    memcpy(sorted, values, n * sizeof *sorted);
    gsl_sort(sorted, 1, n);
    size_t least = n / 4 < 3 ? 3 : n / 4;
    for (size_t k = least; k + least <= n; k++) {
        double low = gsl_stats_mean(sorted, 1, k), high = gsl_stats_mean(sorted + k, 1, n - k);
        double squares =
            gsl_stats_tss_m(sorted, 1, k, low) + gsl_stats_tss_m(sorted + k, 1, n - k, high);
        if (high <= low)
            continue;
        double distance = (high - low) / sqrt(squares / (double)(n - 2)); // infinite: two numbers
        if (distance > result.distance) {
            result.distance = distance;
            result.low = low;
            result.high = high;
            result.above = n - k;
        }
    }
    free(sorted);
    result.found = result.distance > result.limit;
    return result;
}
