/* The figures that every result carries, gathered from what each is of. */
#include "trace/stats.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "trace/stats_activity.h"
#include "trace/stats_arrivals.h"
#include "trace/stats_lengths.h"
#include "trace/stats_popularity.h"

static struct hd_token_stats tokens(const struct hd_trace *t, enum hd_side side) {
    struct hd_token_counts c;
    hd_token_counts(t, side, false, &c);
    struct hd_token_stats s = {
        .mean = hd_token_mean(&c),
        .p10 = hd_token_quantile(&c, 0.1),
        .p50 = hd_token_quantile(&c, 0.5),
        .p90 = hd_token_quantile(&c, 0.9),
        .p99 = hd_token_quantile(&c, 0.99),
        .max = c.tokens[c.distinct - 1],
    };
    hd_token_counts_free(&c);
    return s;
}

struct ranked {
    int64_t rows;
    int model;
};

static int most_rows_first(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->rows != y->rows) return x->rows > y->rows ? -1 : 1;
    return (x->model > y->model) - (x->model < y->model);
}

int *hd_trace_by_popularity(const struct hd_trace *t) {
    struct ranked *rank = hd_alloc((size_t)t->models * sizeof *rank);
    for (int i = 0; i < t->models; i++) rank[i] = (struct ranked){t->model_rows[i], i};
    qsort(rank, (size_t)t->models, sizeof *rank, most_rows_first);
    int *order = hd_alloc((size_t)t->models * sizeof *order);
    for (int i = 0; i < t->models; i++) order[i] = rank[i].model;
    free(rank);
    return order;
}

struct hd_trace_stats hd_trace_stats(const struct hd_trace *t, double service_s) {
    struct hd_trace_stats s = {
        .rows = t->rows,
        .models = t->models,
        .span_s = hd_s_from_tick(t->row[t->rows - 1].at - t->row[0].at),
        .gap_cv = hd_gap_cv(t),
        .service_s = service_s,
        .active_models = hd_active_models(t, service_s),
        .active_models_if_independent = NAN,
        .input = tokens(t, HD_INPUT),
        .output = tokens(t, HD_OUTPUT),
    };
    double peak_second;
    int64_t bins;
    struct hd_popularity p;
    s.rate_per_s = s.span_s > 0 ? (double)t->rows / s.span_s : NAN;
    s.iod_1s = hd_dispersion(t, HD_TICKS_PER_S, false, &peak_second, &bins);
    s.iod_60s =
        hd_dispersion(t, 60 * HD_TICKS_PER_S, false, &s.peak_minute_over_mean, &bins);
    hd_popularity(t->model_rows, t->models, &p);
    s.top_share = p.top1;
    s.top5_share = p.top5;
    s.gini = p.gini;
    if (s.span_s > 0) {
        double *rate = hd_alloc((size_t)t->models * sizeof *rate);
        for (int i = 0; i < t->models; i++)
            rate[i] = (double)t->model_rows[i] / s.span_s;
        s.active_models_if_independent =
            hd_active_models_expected(rate, t->models, service_s);
        free(rate);
    }
    return s;
}
