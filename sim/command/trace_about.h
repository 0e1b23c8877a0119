/* All that `hotdesk trace info` knows of a trace, however it is shown. Internal to this
 * room. */
#ifndef HD_COMMAND_TRACE_ABOUT_H
#define HD_COMMAND_TRACE_ABOUT_H

#include <stdio.h>

#include "output/quantity.h"
#include "plan/demand.h"
#include "trace/stats.h"
#include "trace/stats_activity.h"
#include "trace/stats_arrivals.h"
#include "trace/stats_lengths.h"
#include "trace/stats_popularity.h"
#include "trace/stats_reuse.h"

struct hd_trace_demand { /* --gpu */
    struct hd_demand demand;
    char *gpu, *models, *engine; /* as asked */
};

struct hd_trace_about {
    const struct hd_trace *trace;
    struct hd_trace_stats stats;
    struct hd_rate_over_time rate;
    int64_t ties;
    int dispersions;
    struct hd_dispersion dispersion[HD_DISPERSION_SCALES];
    struct hd_token_counts tokens[2]; /* by enum hd_side */
    struct hd_token_correlation correlation;
    struct hd_popularity popularity;
    struct hd_model_stats *model; /* by the trace's ids */
    int *order;                   /* these, from the most popular on */
    struct hd_activity activity;
    struct hd_reuse reuse;
    struct hd_trace_demand *demand; /* NULL: not asked for */
};

enum { HD_ABOUT_INTERVALS_MAX = 60 };

void hd_trace_about(const struct hd_trace *, double service_s, struct hd_trace_about *);
void hd_trace_about_free(struct hd_trace_about *);

/* A round length of time as a person says it: "500 ms", "10 s", "1 min", "6 h", "2 d".
 */
struct hd_said hd_about_length(double seconds);

/* What times and rates of a trace are best told in, in seconds: the longest unit of
 * time of which the span is at least four; the shortest by which the mean rate is at
 * least 1. */
struct hd_about_units {
    double time, rate;
    const char *time_name, *rate_name; /* "minutes"; "second" */
};
struct hd_about_units hd_about_units(const struct hd_trace_stats *);

/* For people. */
void hd_trace_about_text(const struct hd_trace_about *, FILE *);
/* One JSON value, schema hotdesk.trace/1. False on a write error. */
bool hd_trace_about_json(const struct hd_trace_about *, FILE *);
/* For people: names, units and meanings of that. */
void hd_trace_about_schema(FILE *);

#endif
