/* How alike two traces are. */
#ifndef HD_TRACE_DISTANCE_H
#define HD_TRACE_DISTANCE_H

#include "trace/trace.h"

enum { HD_DISTANCE_SCALES = 4 };
extern const double hd_distance_scale_s[HD_DISTANCE_SCALES]; /* 1, 10, 60, 600 */

/* Figures of one trace; NAN where it has too little for one. */
struct hd_likeness {
    double span_s, rate_per_s;
    double model_gap_cv; /* of the models' gaps, each over its model's mean */
    double correlation;  /* Spearman's, of input and output tokens where both are */
    double dispersion[HD_DISTANCE_SCALES]; /* hd_dispersion over whole bins */
    double reuse;                          /* hd_reuse: blocks hit; 0 without any */
};
void hd_likeness(const struct hd_trace *, struct hd_likeness *);

/* Between two: 0 alike, 1 nothing in common. */
struct hd_distance {
    /* Kolmogorov-Smirnov distances: of the gaps of all requests, each over the mean of
     * its trace; of the models' own gaps, each over its model's mean; of tokens. */
    double gaps, model_gaps, input, output;
    double popularity; /* total variation of shares, rank by rank */
};
void hd_distance(const struct hd_trace *, const struct hd_trace *,
                 struct hd_distance *);

/* The largest difference of two empirical distribution functions; both arrays are put
 * in order. NAN if one is empty. */
double hd_ks_distance(double *a, int64_t n, double *b, int64_t m);
/* The value that two samples of one law exceed with a chance of 1 in 100 (Smirnov's
 * limit; ties make it cautious). */
double hd_ks_one_percent(int64_t n, int64_t m);

/* Gaps of each model with at least HD_GAPS_MIN of them over their mean, one model after
 * the other; *count may come out 0. The caller frees them. at_s: instants of the rows,
 * in order, or NULL: the trace's own. */
enum { HD_GAPS_MIN = 20 };
double *hd_model_gaps(const struct hd_trace *, const double *at_s, int64_t *count);

#endif
