/* Two traces beside each other. */
#include "trace/distance.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "trace/stats.h"
#include "trace/stats_arrivals.h"
#include "trace/stats_lengths.h"
#include "trace/stats_reuse.h"

const double hd_distance_scale_s[HD_DISTANCE_SCALES] = {1, 10, 60, 600};

/* ---- Kolmogorov-Smirnov -------------------------------------------------- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double hd_ks_distance(double *a, int64_t n, double *b, int64_t m) {
    if (!n || !m) return NAN;
    qsort(a, (size_t)n, sizeof *a, by_value);
    qsort(b, (size_t)m, sizeof *b, by_value);
    double worst = 0;
    for (int64_t i = 0, j = 0; i < n && j < m;) {
        double at = fmin(a[i], b[j]);
        while (i < n && a[i] == at) i++;
        while (j < m && b[j] == at) j++;
        worst = fmax(worst, fabs((double)i / (double)n - (double)j / (double)m));
    }
    return worst;
}

double hd_ks_one_percent(int64_t n, int64_t m) {
    return sqrt(-log(0.01 / 2) / 2 * (1 / (double)n + 1 / (double)m));
}

/* ---- gaps ---------------------------------------------------------------- */

static double *instants(const struct hd_trace *t) {
    double *at_s = hd_alloc((size_t)t->rows * sizeof *at_s);
    for (int64_t i = 0; i < t->rows; i++)
        at_s[i] = hd_s_from_tick(t->row[i].at - t->row[0].at);
    return at_s;
}

/* Of all requests, over their mean. */
static double *all_gaps(const struct hd_trace *t, int64_t *count) {
    double *at_s = instants(t), mean = at_s[t->rows - 1] / (double)(t->rows - 1);
    *count = mean > 0 ? t->rows - 1 : 0;
    for (int64_t i = 0; i < *count; i++) at_s[i] = (at_s[i + 1] - at_s[i]) / mean;
    return at_s;
}

double *hd_model_gaps(const struct hd_trace *t, const double *at_s, int64_t *count) {
    double *own = at_s ? NULL : instants(t);
    size_t models = (size_t)t->models;
    double *first = hd_alloc(models * sizeof *first);
    double *last = hd_alloc(models * sizeof *last);
    double *gaps = hd_alloc((size_t)t->rows * sizeof *gaps);
    if (own) at_s = own;
    for (int m = 0; m < t->models; m++) first[m] = -1;
    for (int64_t i = 0; i < t->rows; i++) {
        int m = t->row[i].model;
        if (first[m] < 0) first[m] = at_s[i];
        last[m] = at_s[i];
    }
    *count = 0;
    double *before = hd_alloc(models * sizeof *before);
    for (int m = 0; m < t->models; m++) before[m] = -1;
    for (int64_t i = 0; i < t->rows; i++) {
        int m = t->row[i].model;
        double n = (double)t->model_rows[m] - 1, mean = (last[m] - first[m]) / n;
        if (before[m] >= 0 && n >= HD_GAPS_MIN && mean > 0)
            gaps[(*count)++] = (at_s[i] - before[m]) / mean;
        before[m] = at_s[i];
    }
    free(before);
    free(first);
    free(last);
    free(own);
    return gaps;
}

/* ---- one trace ----------------------------------------------------------- */

static double dispersion(const struct hd_trace *t, double bin_s) {
    double peak;
    int64_t bins;
    double iod = hd_dispersion(t, hd_tick_from_s(bin_s), true, &peak, &bins);
    return bins < HD_DISPERSION_BINS_MIN ? NAN : iod;
}

static double *tokens_of(const struct hd_trace *t, bool output) {
    double *value = hd_alloc((size_t)t->rows * sizeof *value);
    for (int64_t i = 0; i < t->rows; i++)
        value[i] = output ? t->row[i].output_tokens : t->row[i].input_tokens;
    return value;
}

static double reuse(const struct hd_trace *t) {
    struct hd_reuse r;
    hd_reuse(t, &r);
    double share = r.blocks ? (double)r.blocks_hit / (double)r.blocks : 0;
    hd_reuse_free(&r);
    return share;
}

void hd_likeness(const struct hd_trace *t, struct hd_likeness *x) {
    int64_t gaps;
    x->span_s = hd_s_from_tick(t->row[t->rows - 1].at - t->row[0].at);
    x->rate_per_s = x->span_s > 0 ? (double)t->rows / x->span_s : NAN;
    double *own = hd_model_gaps(t, NULL, &gaps);
    x->model_gap_cv = gaps ? gsl_stats_sd_m(own, 1, (size_t)gaps, 1) : NAN;
    free(own);
    x->correlation = hd_token_correlation(t).spearman;
    for (int s = 0; s < HD_DISTANCE_SCALES; s++)
        x->dispersion[s] = dispersion(t, hd_distance_scale_s[s]);
    x->reuse = reuse(t);
}

/* ---- two ----------------------------------------------------------------- */

static double popularity(const struct hd_trace *a, const struct hd_trace *b) {
    int *x = hd_trace_by_popularity(a), *y = hd_trace_by_popularity(b);
    int ranks = a->models > b->models ? a->models : b->models;
    double off = 0;
    for (int i = 0; i < ranks; i++) {
        double p = i < a->models ? (double)a->model_rows[x[i]] / (double)a->rows : 0;
        double q = i < b->models ? (double)b->model_rows[y[i]] / (double)b->rows : 0;
        off += fabs(p - q);
    }
    free(x);
    free(y);
    return off / 2;
}

void hd_distance(const struct hd_trace *a, const struct hd_trace *b,
                 struct hd_distance *d) {
    int64_t n, m;
    double *x = all_gaps(a, &n), *y = all_gaps(b, &m);
    d->gaps = hd_ks_distance(x, n, y, m);
    free(x);
    free(y);
    x = hd_model_gaps(a, NULL, &n);
    y = hd_model_gaps(b, NULL, &m);
    d->model_gaps = hd_ks_distance(x, n, y, m);
    free(x);
    free(y);
    for (int side = 0; side < 2; side++) {
        x = tokens_of(a, side);
        y = tokens_of(b, side);
        *(side ? &d->output : &d->input) = hd_ks_distance(x, a->rows, y, b->rows);
        free(x);
        free(y);
    }
    d->popularity = popularity(a, b);
}
