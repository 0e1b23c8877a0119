/* How many models are at work at once if each request takes a fixed time: as they came,
 * and as they would be if nothing tied requests to each other. Pooling gains hinge on
 * it.
 *
 * Two things move it, and they show in different places. Requests of one model that
 * cluster make it active for less time, whatever the others do: the mean falls below
 * that of Poisson arrivals. Models that wake together leave the mean as it is (a mean
 * of a sum is the sum of the means), but there are more times with many and more with
 * few: the variance grows beyond the sum of the models' own. */
#ifndef HD_TRACE_STATS_ACTIVITY_H
#define HD_TRACE_STATS_ACTIVITY_H

#include "trace/trace.h"

/* All is NAN or 0 where the trace is not longer than a service time. */
struct hd_activity {
    double service_s;
    /* As they came, over the time from service_s after the first request to the last.
     */
    double mean, deviation;
    int p99, most;
    /* Independent Poisson arrivals at the models' mean rates (M/G/infinity; Theorem 3.1
     * of Aegaeon, SOSP'25): each model is active with probability
     * 1 - exp(-rate * service). */
    double poisson_mean, poisson_deviation;
    int poisson_p99;
    /* Independent models, each active as much of the time as it really was. */
    double alone_deviation;
    /* deviation^2 / alone_deviation^2: 1 for models that do not know of each other.
     * chance: how far from 1 it comes by itself, two standard deviations at most. NAN:
     * no model ever changes. */
    double variance_ratio, chance;
    /* Share of the time with k models active, k from 0 to levels - 1. */
    int levels;
    double *share, *poisson_share;
};

void hd_activity(const struct hd_trace *, double service_s, struct hd_activity *);
void hd_activity_free(struct hd_activity *);

/* The mean as they came alone, without the rest. */
double hd_active_models(const struct hd_trace *, double service_s);
/* The mean by the closed form. rate: of each model, in 1/s. */
double hd_active_models_expected(const double *rate_per_s, int models,
                                 double service_s);

#endif
