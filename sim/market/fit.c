/* Fitting a market to a trace. */
#include "market/fit.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "trace/gaps.h"
#include "trace/stats.h"
#include "trace/stats_lengths.h"

enum {
    REQUESTS_MIN = 50,
    STRETCHES_MAX = 96,
    STRETCH_REQUESTS = 40,
    CVS = 61,
    GAPS_MAX = 10000
};

/* ---- rate ---------------------------------------------------------------- */

/* As many stretches as leave each enough requests on average to tell its rate from
 * chance. */
static void fit_rhythm(struct hd_market *m, const struct hd_trace *t) {
    int stretches = (int)fmin(STRETCHES_MAX, (double)t->rows / STRETCH_REQUESTS);
    if (stretches < 2) return;
    struct hd_rhythm *r = &m->rhythm;
    r->period_s = m->span_s;
    r->levels = stretches;
    r->level = hd_alloc((size_t)stretches * sizeof *r->level);
    for (int64_t i = 0; i < t->rows; i++) {
        double at_s = hd_s_from_tick(t->row[i].at - t->row[0].at);
        int k = (int)(at_s / m->span_s * stretches);
        r->level[k < stretches ? k : stretches - 1] += stretches / (double)t->rows;
    }
}

/* ---- gaps ---------------------------------------------------------------- */

/* Instants on a clock that runs as fast as the market's rate. */
static double *at_own_pace(const struct hd_market *m, const struct hd_trace *t) {
    const struct hd_rhythm *r = &m->rhythm;
    double *at = hd_alloc((size_t)t->rows * sizeof *at);
    double length_s = r->levels ? m->span_s / r->levels : m->span_s, passed = 0;
    int k = 0;
    for (int64_t i = 0; i < t->rows; i++) {
        double at_s = hd_s_from_tick(t->row[i].at - t->row[0].at);
        for (; k + 1 < r->levels && at_s >= (k + 1) * length_s; k++)
            passed += r->level[k] * length_s;
        at[i] = passed + (r->levels ? r->level[k] : 1) * (at_s - k * length_s);
    }
    return at;
}

static double below(const struct hd_gaps *law, double gap) {
    switch (law->law) {
    case HD_GAP_GAMMA:
        return gsl_cdf_gamma_P(gap, law->shape, law->scale);
    case HD_GAP_WEIBULL:
        return gsl_cdf_weibull_P(gap, law->scale, law->shape);
    default:
        return gsl_cdf_exponential_P(gap, 1);
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double off(const struct hd_gaps *law, const double *sorted, int64_t n) {
    double worst = 0;
    for (int64_t i = 0; i < n; i++) {
        double p = below(law, sorted[i]);
        worst = fmax(worst,
                     fmax(p - (double)i / (double)n, (double)(i + 1) / (double)n - p));
    }
    return worst;
}

/* Of many gaps in order, as many at even ranks: distances stay as they are to within
 * one part in GAPS_MAX. */
static int64_t thin_out(double *gaps, int64_t n) {
    if (n <= GAPS_MAX) return n;
    for (int64_t i = 0; i < GAPS_MAX; i++) gaps[i] = gaps[i * n / GAPS_MAX];
    return GAPS_MAX;
}

/* Without any model that has enough gaps they are taken to be exponential. The law is
 * the one that comes nearest, not the one of the gaps' own variation: a few long
 * silences make that as large as they like, and these are in the rate over time. */
static void fit_gaps(struct hd_market *m, const struct hd_trace *t) {
    double *at = at_own_pace(m, t);
    int64_t n;
    double *gaps = hd_model_gaps(t, at, &n);
    m->gap_cv = 1;
    if (n) {
        qsort(gaps, (size_t)n, sizeof *gaps, by_value);
        n = thin_out(gaps, n);
        struct hd_gaps poisson = hd_gaps_of(HD_GAP_POISSON, 1);
        double least = off(&poisson, gaps, n);
        for (int law = HD_GAP_GAMMA; law <= HD_GAP_WEIBULL; law++)
            for (int i = 0; i < CVS; i++) {
                double cv = 0.25 * pow(32, (double)i / (CVS - 1));
                struct hd_gaps g = hd_gaps_of((enum hd_gap_law)law, cv);
                double distance = off(&g, gaps, n);
                if (distance >= least) continue;
                least = distance;
                m->gaps = (enum hd_gap_law)law;
                m->gap_cv = cv;
            }
    }
    free(gaps);
    free(at);
}

/* ---- lengths ------------------------------------------------------------- */

static void fit_quantiles(struct hd_length_law *law, double *value, size_t n) {
    qsort(value, n, sizeof *value, by_value);
    law->quantiles = n >= 1000 ? 101 : 21;
    law->quantile = hd_alloc((size_t)law->quantiles * sizeof *law->quantile);
    for (int i = 0; i < law->quantiles; i++)
        law->quantile[i] = round(gsl_stats_quantile_from_sorted_data(
            value, 1, n, (double)i / (law->quantiles - 1)));
    law->min = (int)law->quantile[0];
    law->max = (int)law->quantile[law->quantiles - 1];
}

static bool fit_lengths(struct hd_market *m, const struct hd_trace *t) {
    size_t n = 0, rows = (size_t)t->rows;
    double *input = hd_alloc(rows * sizeof *input);
    double *output = hd_alloc(rows * sizeof *output);
    for (int64_t i = 0; i < t->rows; i++) {
        const struct hd_trace_row *row = &t->row[i];
        if (!row->input_tokens || !row->output_tokens) continue;
        input[n] = row->input_tokens;
        output[n++] = row->output_tokens;
    }
    if (n >= REQUESTS_MIN) {
        double r = hd_token_correlation(t).spearman;
        m->lengths = HD_LENGTHS_JOINT;
        m->correlation = isfinite(r) ? 2 * sin(M_PI / 6 * r) : 0;
        m->correlation = round(m->correlation * 1e4) / 1e4;
        fit_quantiles(&m->input, input, n);
        fit_quantiles(&m->output, output, n);
    }
    free(input);
    free(output);
    return n >= REQUESTS_MIN;
}

/* ---- all ----------------------------------------------------------------- */

struct hd_market *hd_fit(const struct hd_trace *t, struct hd_err *err) {
    double span_s = hd_s_from_tick(t->row[t->rows - 1].at - t->row[0].at);
    if (t->rows < REQUESTS_MIN || !(span_s > 0)) {
        hd_fail(err, "%lld requests in %g s: too few to fit to; expected at least %d",
                (long long)t->rows, span_s, REQUESTS_MIN);
        return NULL;
    }
    struct hd_market *m = hd_alloc(sizeof *m);
    m->models = t->models;
    m->span_s =
        span_s * (1 + 1 / (double)(t->rows - 1)); /* a mean gap behind the last */
    m->rate_per_s = (double)t->rows / m->span_s;
    m->share = hd_alloc((size_t)t->models * sizeof *m->share);
    int *order = hd_trace_by_popularity(t);
    for (int i = 0; i < t->models; i++)
        m->share[i] = (double)t->model_rows[order[i]] / (double)t->rows;
    free(order);
    fit_rhythm(m, t);
    fit_gaps(m, t);
    if (fit_lengths(m, t)) return m;
    hd_fail(err,
            "fewer than %d requests with input and output tokens: no lengths to "
            "fit",
            REQUESTS_MIN);
    hd_market_free(m);
    return NULL;
}
