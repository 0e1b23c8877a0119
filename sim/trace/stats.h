/* What a trace is like: the figures that pooling gains hinge on and that stand beside
 * every result. The rest of what `hotdesk trace info` says is in stats_arrivals.h,
 * stats_lengths.h, stats_popularity.h, stats_activity.h and stats_reuse.h. */
#ifndef HD_TRACE_STATS_H
#define HD_TRACE_STATS_H

#include "trace/trace.h"

/* Quantiles interpolate linearly between order statistics (R's type 7, which GSL
 * and numpy use). */
struct hd_token_stats {
    double mean, p10, p50, p90, p99, max;
};

/* Absent figures are NAN: gaps need two requests, bins a span above 0. */
struct hd_trace_stats {
    int64_t rows;
    int models;
    double span_s;     /* first to last request */
    double rate_per_s; /* rows / span */
    double gap_cv;     /* standard deviation over mean of the gaps between requests */
    /* Index of dispersion of counts: variance over mean of the number of requests
     * per bin, bins laid from the first request on, the last one as far as it
     * goes; 1 for Poisson arrivals (Cox & Lewis 1966). */
    double iod_1s, iod_60s;
    double peak_minute_over_mean; /* of the same 60 s bins */
    double top_share;             /* of requests, by the most popular model */
    double top5_share;            /* by the five most popular */
    /* Gini coefficient of requests over models: 0 when all are alike, (n-1)/n when
     * one has them all. */
    double gini;
    struct hd_token_stats input, output;
    /* Models at work at once if each request takes service_s: expected with
     * independent Poisson arrivals at the models' mean rates, sum of
     * 1 - exp(-rate * service) (M/G/infinity; Theorem 3.1 of Aegaeon, SOSP'25); and
     * as they came, averaged from service_s after the first request to the last. */
    double service_s, active_models_if_independent, active_models;
};

struct hd_trace_stats hd_trace_stats(const struct hd_trace *, double service_s);

/* Service time of the published example (Aegaeon, Fig. 4), in seconds. */
#define HD_SERVICE_S_PUBLISHED 16.79

/* Indices of the models from most to least requests, ties in order of appearance;
 * the caller frees it. */
int *hd_trace_by_popularity(const struct hd_trace *);

#endif
