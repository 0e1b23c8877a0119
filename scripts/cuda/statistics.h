/* What is said of a handful of samples. */
#ifndef HOTDESK_CUDA_STATISTICS_H
#define HOTDESK_CUDA_STATISTICS_H

#ifdef __cplusplus
extern "C" {
#endif

/* The middle of the values, or the mean of the two in the middle; count >= 1. */
double median_of(const double *values, int count);

/* The median of the distances from `middle` (the median absolute deviation). */
double mad_of(const double *values, int count, double middle);

/* Least squares y = intercept + slope x, x = 0, 1, ... count - 1. r2 is the share of
 * the variance that the line explains, 1 where there is none to explain. */
struct line_fit {
    double slope, intercept, r2;
};
struct line_fit fit_line(const double *y, int count);

#ifdef __cplusplus
}
#endif
#endif
