/* Fitting the iteration law to measured iterations, and finding out how far off it is
 * on a model that it has not seen. */
#ifndef HD_CALIBRATE_FIT_H
#define HD_CALIBRATE_FIT_H

#include "calibrate/measured.h"
#include "timing/iteration.h"

struct hd_fit_error { /* absolute relative error: median and 90th percentile */
    double p50, p90;
    int values; /* compared; 0: none, and the errors are NAN */
};

/* Median and 90th percentile; sorts the array. */
struct hd_fit_error hd_fit_error_of(double *error, int count);

/* To four digits: more are not known, and would depend on the mathematics library. */
double hd_fit_rounded(double x);

struct hd_fit_errors {
    struct hd_fit_error prefill, decode, both;
};

/* Which clean rows to fit or judge with; NULL: any. */
struct hd_fit_rows {
    const struct hd_gpu_spec *gpu;
    const struct hd_model_spec *model, *not_model;
};

/* Coefficients that minimise the mean of |log(predicted / measured)| over prefill and
 * decode of the rows: Nelder-Mead on their logarithms from several fixed starts, with
 * a penalty on efficiencies above 1.05 and a slight pull towards usual values. The
 * same rows give the same result. There must be at least one row. */
struct hd_iteration_fit hd_fit_iteration(const struct hd_measured *,
                                         const struct hd_fit_rows *);

/* Absolute relative errors collected from any number of fits. */
struct hd_fit_tally {
    double *prefill, *decode;
    int count, prefill_capacity, decode_capacity;
};
void hd_fit_judge(const struct hd_iteration_fit *, const struct hd_measured *,
                  const struct hd_fit_rows *, struct hd_fit_tally *);

/* Of all that was collected; empties and frees the tally. */
struct hd_fit_errors hd_fit_summary(struct hd_fit_tally *);

#endif
