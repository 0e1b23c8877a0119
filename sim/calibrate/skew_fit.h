/* How much a decode step of unequal contexts waits for its longest one. */
#ifndef HD_CALIBRATE_SKEW_FIT_H
#define HD_CALIBRATE_SKEW_FIT_H

#include "calibrate/fit.h"

struct hd_skew_fit {
    double skew; /* t = t(mean) + skew (t(longest) - t(mean)) */
    /* Errors of every second row by a fit to the others, and of t(mean) alone. */
    struct hd_fit_error held_out, ignored;
};

/* Least squares on the pure decode rows of LLMServingSim's skew.csv files below
 * DATA/kernels, NULL after the last, where the two times differ by a tenth or more.
 * Only ratios of a row's own three times are used. False with one line in err. */
bool hd_skew_fit_read(const char *data, const char *const *file, struct hd_skew_fit *,
                      struct hd_err *);

#endif
