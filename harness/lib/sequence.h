// Whether the values of a cell, in the order they were measured, are what a median stands for: do
// they drift, do they fall into two groups? Nothing here knows where the numbers come from.
#ifndef COROBENCH_SEQUENCE_H
#define COROBENCH_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>

// Fewer values say nothing about either question.
#define CB_SEQUENCE_LEAST 8
// The chance of a false alarm of either, at most.
#define CB_SEQUENCE_ALPHA 0.05

struct cb_drift {
    bool found;    // p < CB_SEQUENCE_ALPHA
    double p;      // that values in random order look as ordered as these; NaN: too few values
    double change; // median of the last third over that of the first, less 1
};

// Looks for a trend or a step in n values. The statistic is the larger of two that are standard
// normal for values in random order: Mann and Kendall's count of rising less falling pairs (1945),
// and the largest rank sum difference over all places of one change (Pettitt 1979), with at least
// two values on either side. Its p comes from up to 1999 random orders with a fixed seed, so it
// holds for any distribution of independent values. A linear drift, or a step, by five standard
// deviations is found in more than 95 % of samples of 12. No NaN in `values`.
struct cb_drift cb_drift(const double *values, size_t n);

struct cb_modes {
    bool found;       // distance > limit
    double low, high; // means of the two groups; NaN: too few values
    size_t above;     // values in the higher one
    double distance;  // between them, in standard deviations within
    double limit;     // for so many values
};

// Splits n values where the distance of the two groups' means, over their pooled standard
// deviation, is largest, with at least a quarter of the values (and three) in either. It counts as
// two groups beyond a limit that samples of one group exceed in at most 5 % of cases, whether
// uniform, exponential, lognormal (sigma 1), Laplace, Student's t (1.5 degrees of freedom) or its
// absolute value; normal ones in about 1 %. No NaN in `values`.
struct cb_modes cb_modes(const double *values, size_t n);

#endif
