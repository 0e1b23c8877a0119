/* When requests come: rate over time, burstiness at several time scales, and the same
 * of each model. */
#ifndef HD_TRACE_STATS_ARRIVALS_H
#define HD_TRACE_STATS_ARRIVALS_H

#include "trace/trace.h"

/* Coefficient of variation of the gaps between requests; NAN below two of them, or when
 * all come at once. */
double hd_gap_cv(const struct hd_trace *);

/* Requests at the same instant as the one before: many, where stamps lie on a grid. */
int64_t hd_ties(const struct hd_trace *);

/* Index of dispersion of counts: variance over mean of the number of requests per bin,
 * bins laid from the first request on; 1 for Poisson arrivals (Cox & Lewis 1966).
 * *peak: the fullest bin over the mean. whole: without the last bin, which the trace
 * cuts short; *bins: how many then are counted. NAN below one bin. */
double hd_dispersion(const struct hd_trace *, hd_tick bin, bool whole, double *peak,
                     int64_t *bins);

/* The same at 1 s, 10 s, 1 min, 10 min and 1 h, over whole bins: what short bursts
 * alone add levels off, what grows with the bin is a rate that drifts. */
struct hd_dispersion {
    double bin_s;
    int64_t bins;
    double iod, peak_over_mean;
};
enum { HD_DISPERSION_SCALES = 5, HD_DISPERSION_BINS_MIN = 5 };
/* Those scales of which the trace has at least HD_DISPERSION_BINS_MIN; returns how
 * many. */
int hd_dispersions(const struct hd_trace *, struct hd_dispersion[HD_DISPERSION_SCALES]);

/* Requests in intervals of a round length from the first request on: as short as
 * makes at most `intervals_max` of them. The last one ends with the trace. */
struct hd_rate_over_time {
    double interval_s, last_s; /* last_s: how long the last one is */
    int intervals;
    int64_t *requests;
    double least_per_s, most_per_s; /* over whole intervals; NAN: there is none */
};
void hd_rate_over_time(const struct hd_trace *, int intervals_max,
                       struct hd_rate_over_time *);
void hd_rate_over_time_free(struct hd_rate_over_time *);

/* Of one model. */
struct hd_model_stats {
    double gap_cv; /* as hd_gap_cv */
    double input_mean, output_mean;
};
/* One for each model, in the order of the trace's ids; the caller frees it. */
struct hd_model_stats *hd_model_stats(const struct hd_trace *);

#endif
