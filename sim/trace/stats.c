/* Figures of a trace; sums run in row order, so they are the same everywhere. */
#include "trace/stats.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static double gap_cv(const struct hd_trace *t) {
    int64_t gaps = t->rows - 1;
    if (gaps < 1) return NAN;
    double mean = (double)(t->row[gaps].at - t->row[0].at) / (double)gaps, sum = 0;
    if (mean == 0) return NAN;
    for (int64_t i = 0; i < gaps; i++) {
        double off = (double)(t->row[i + 1].at - t->row[i].at) - mean;
        sum += off * off;
    }
    return sqrt(sum / (double)gaps) / mean;
}

/* Index of dispersion, and the fullest bin over the mean. Empty bins count; they
 * are not visited: a long trace in short bins has many. */
static double dispersion(const struct hd_trace *t, hd_tick bin, double *peak) {
    *peak = NAN;
    hd_tick first = t->row[0].at, span = t->row[t->rows - 1].at - first;
    if (span == 0) return NAN;
    double bins = (double)(span / bin + 1), mean = (double)t->rows / bins;
    double squares = 0, most = 0;
    for (int64_t i = 0; i < t->rows;) {
        hd_tick number = (t->row[i].at - first) / bin;
        int64_t begin = i;
        while (i < t->rows && (t->row[i].at - first) / bin == number) i++;
        double count = (double)(i - begin);
        squares += count * count;
        if (count > most) most = count;
    }
    *peak = most / mean;
    return (squares / bins - mean * mean) / mean;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct hd_token_stats tokens(double *value, size_t n) {
    qsort(value, n, sizeof *value, by_value);
    return (struct hd_token_stats){
        .mean = gsl_stats_mean(value, 1, n),
        .p50 = gsl_stats_quantile_from_sorted_data(value, 1, n, 0.5),
        .p90 = gsl_stats_quantile_from_sorted_data(value, 1, n, 0.9),
        .p99 = gsl_stats_quantile_from_sorted_data(value, 1, n, 0.99),
        .max = value[n - 1],
    };
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

static void popularity(const struct hd_trace *t, struct hd_trace_stats *s) {
    int *order = hd_trace_by_popularity(t);
    double weighted = 0, top5 = 0, n = t->models, rows = (double)t->rows;
    for (int i = 0; i < t->models; i++) {
        double count = (double)t->model_rows[order[i]];
        weighted += (n - i) * count; /* rank 1 is the least popular */
        if (i < 5) top5 += count;
    }
    s->top_share = (double)t->model_rows[order[0]] / rows;
    s->top5_share = top5 / rows;
    s->gini = 2 * weighted / (n * rows) - (n + 1) / n;
    free(order);
}

/* Time for which a model had a request no older than `service`, summed over models
 * and divided by the time looked at. */
static double active_models(const struct hd_trace *t, double service_s) {
    hd_tick service = hd_tick_from_s(service_s);
    hd_tick from = t->row[0].at, to = t->row[t->rows - 1].at;
    if (service <= 0 || to - from <= service) return NAN;
    from += service;
    hd_tick *busy_until = hd_alloc((size_t)t->models * sizeof *busy_until);
    double sum = 0;
    for (int64_t i = 0; i < t->rows; i++) {
        hd_tick begin = t->row[i].at, end = begin + service;
        hd_tick *busy = &busy_until[t->row[i].model];
        if (begin < *busy) begin = *busy;
        *busy = end;
        if (begin < from) begin = from;
        if (end > to) end = to;
        if (end > begin) sum += (double)(end - begin);
    }
    free(busy_until);
    return sum / (double)(to - from);
}

struct hd_trace_stats hd_trace_stats(const struct hd_trace *t, double service_s) {
    struct hd_trace_stats s = {
        .rows = t->rows,
        .models = t->models,
        .span_s = hd_s_from_tick(t->row[t->rows - 1].at - t->row[0].at),
        .gap_cv = gap_cv(t),
        .service_s = service_s,
        .active_models = active_models(t, service_s),
        .active_models_if_independent = NAN,
    };
    double peak_second;
    s.rate_per_s = s.span_s > 0 ? (double)t->rows / s.span_s : NAN;
    s.iod_1s = dispersion(t, HD_TICKS_PER_S, &peak_second);
    s.iod_60s = dispersion(t, 60 * HD_TICKS_PER_S, &s.peak_minute_over_mean);
    popularity(t, &s);
    if (s.span_s > 0) {
        s.active_models_if_independent = 0;
        for (int i = 0; i < t->models; i++)
            s.active_models_if_independent -=
                expm1(-(double)t->model_rows[i] / s.span_s * service_s);
    }
    double *value = hd_alloc((size_t)t->rows * sizeof *value);
    for (int64_t i = 0; i < t->rows; i++) value[i] = t->row[i].input_tokens;
    s.input = tokens(value, (size_t)t->rows);
    for (int64_t i = 0; i < t->rows; i++) value[i] = t->row[i].output_tokens;
    s.output = tokens(value, (size_t)t->rows);
    free(value);
    return s;
}
