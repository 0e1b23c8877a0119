/* Drawing a market's requests and writing them as a native trace. */
#include "trace/market.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "trace/rates.h"

#define REQUESTS_MAX 20000000.0

struct drawing {
    const struct hd_market *market;
    uint64_t seed;
    struct hd_market_request *request;
    int count, capacity;
    double shape, scale; /* of a gap at unit mean */
};

/* A generator for one part of one model or group: FNV-1a over the three, then the
 * finaliser of splitmix64 (Steele et al., OOPSLA 2014), so that neighbouring
 * numbers start far apart. */
static gsl_rng *stream(uint64_t seed, const char *part, int number) {
    char name[64];
    snprintf(name, sizeof name, "%llu/%s/%d", (unsigned long long)seed, part, number);
    uint64_t h = 14695981039346656037u;
    for (char *c = name; *c; c++) h = (h ^ (unsigned char)*c) * 1099511628211u;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    h ^= h >> 31;
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(rng, (unsigned long)(h >> 32));
    return rng;
}

void hd_share_classes(double *out, const int *models, const double *share,
                      int classes) {
    for (int c = 0; c < classes; c++)
        for (int i = 0; i < models[c]; i++) *out++ = share[c] / models[c];
}

void hd_share_zipf(double *out, int n, double s, double shift) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += out[i] = pow(i + 1 + shift, -s);
    for (int i = 0; i < n; i++) out[i] /= sum;
}

/* cv^2 = G(1 + 2/k) / G(1 + 1/k)^2 - 1 falls with k: bisection. */
double hd_weibull_shape(double cv) {
    double low = 0.1, high = 60;
    for (int i = 0; i < 200; i++) {
        double k = (low + high) / 2;
        double ratio = exp(lgamma(1 + 2 / k) - 2 * lgamma(1 + 1 / k)) - 1;
        if (ratio > cv * cv)
            low = k;
        else
            high = k;
    }
    return (low + high) / 2;
}

static double draw_gap(const struct drawing *d, gsl_rng *rng) {
    switch (d->market->gaps) {
    case HD_GAP_GAMMA:
        return gsl_ran_gamma(rng, d->shape, d->scale);
    case HD_GAP_WEIBULL:
        return gsl_ran_weibull(rng, d->scale, d->shape);
    default:
        return gsl_ran_exponential(rng, 1);
    }
}

/* Time to the first request of a renewal process that has run for ever: a uniform
 * part of a gap drawn in proportion to its length (Cox, Renewal Theory, 1962). Such
 * a gap is gamma with the shape one larger, or, for Weibull, has gap^k gamma with
 * shape 1 + 1/k. */
static double draw_first_gap(const struct drawing *d, gsl_rng *rng) {
    double part = gsl_rng_uniform_pos(rng);
    switch (d->market->gaps) {
    case HD_GAP_GAMMA:
        return part * gsl_ran_gamma(rng, d->shape + 1, d->scale);
    case HD_GAP_WEIBULL:
        return part * d->scale *
               pow(gsl_ran_gamma(rng, 1 + 1 / d->shape, 1), 1 / d->shape);
    default:
        return gsl_ran_exponential(rng, 1);
    }
}

static void find_gap_law(struct drawing *d) {
    double cv = d->market->gap_cv;
    if (d->market->gaps == HD_GAP_GAMMA) {
        d->shape = 1 / (cv * cv);
        d->scale = cv * cv;
    } else if (d->market->gaps == HD_GAP_WEIBULL) {
        d->shape = hd_weibull_shape(cv);
        d->scale = 1 / tgamma(1 + 1 / d->shape);
    }
}

static int32_t draw_length(const struct hd_length_law *law, gsl_rng *rng) {
    double sigma = sqrt(2 * log(law->mean / law->p50));
    for (;;) {
        double tokens = round(gsl_ran_lognormal(rng, log(law->p50), sigma));
        if (tokens >= law->min && tokens <= law->max) return (int32_t)tokens;
    }
}

/* Gaps are drawn in requests, not in seconds: a model's clock runs as fast as its
 * rate, so a changed rate stretches the same arrivals. */
static bool draw_model(struct drawing *d, int model, const struct hd_rate_path *rate) {
    const struct hd_market *m = d->market;
    gsl_rng *gaps = stream(d->seed, "gaps", model);
    gsl_rng *input = stream(d->seed, "input", model);
    gsl_rng *output = stream(d->seed, "output", model);
    double per_s = m->share[model] * m->rate_per_s, due = draw_first_gap(d, gaps);
    double passed = 0; /* expected requests up to the piece's begin */
    int32_t number = 0;
    for (int i = 0; i < rate->pieces && d->count < REQUESTS_MAX; i++) {
        double begin = rate->at_s[i], height = per_s * rate->level[i];
        double end = i + 1 < rate->pieces ? rate->at_s[i + 1] : m->span_s;
        double at_end = passed + height * (end - begin);
        for (; due < at_end && d->count < REQUESTS_MAX; due += draw_gap(d, gaps)) {
            d->request =
                hd_grow(d->request, &d->capacity, d->count + 1, sizeof *d->request);
            d->request[d->count++] = (struct hd_market_request){
                .at_us = (int64_t)(1e6 * (begin + (due - passed) / height)),
                .model = model,
                .number = number++,
                .input_tokens = draw_length(&m->input, input),
                .output_tokens = draw_length(&m->output, output)};
        }
        passed = at_end;
    }
    gsl_rng_free(gaps);
    gsl_rng_free(input);
    gsl_rng_free(output);
    return d->count < REQUESTS_MAX;
}

static int by_time_then_model(const void *a, const void *b) {
    const struct hd_market_request *x = a, *y = b;
    if (x->at_us != y->at_us) return x->at_us < y->at_us ? -1 : 1;
    if (x->model != y->model) return x->model < y->model ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static bool draw_all(struct drawing *d) {
    const struct hd_market *m = d->market;
    struct hd_rate_path *group =
        hd_alloc((size_t)(m->groups + 1) * sizeof *group); /* last: in no group */
    for (int g = 0; g < m->groups; g++) {
        gsl_rng *rng = stream(d->seed, "groups", g);
        hd_rate_draw(&group[g], &m->group_activity, m->span_s, rng);
        gsl_rng_free(rng);
    }
    hd_rate_draw(&group[m->groups], &(struct hd_on_off){0}, m->span_s, NULL);
    bool fits = true;
    int first = m->models - m->groups * m->group_size;
    for (int i = 0; i < m->models && fits; i++) {
        struct hd_rate_path own, both;
        gsl_rng *rng = stream(d->seed, "bursts", i);
        hd_rate_draw(&own, &m->bursts, m->span_s, rng);
        gsl_rng_free(rng);
        int g = i < first ? m->groups : (i - first) % m->groups;
        hd_rate_multiply(&both, &own, &group[g]);
        fits = draw_model(d, i, &both);
        hd_rate_free(&own);
        hd_rate_free(&both);
    }
    for (int g = 0; g <= m->groups; g++) hd_rate_free(&group[g]);
    free(group);
    return fits;
}

struct hd_market_request *hd_market_draw(const struct hd_market *m, uint64_t seed,
                                         int64_t *count, struct hd_err *err) {
    struct drawing d = {.market = m, .seed = seed};
    find_gap_law(&d);
    if (!draw_all(&d)) {
        hd_fail(err, "more than %.0f requests: lower the rate or the span",
                REQUESTS_MAX);
    } else if (d.count == 0) {
        hd_fail(err, "no request came in %g s at %g a second", m->span_s,
                m->rate_per_s);
    } else {
        qsort(d.request, (size_t)d.count, sizeof *d.request, by_time_then_model);
        *count = d.count;
        return d.request;
    }
    free(d.request);
    return NULL;
}

bool hd_market_write(const struct hd_market *m, const char *made,
                     const struct hd_market_request *request, int64_t count,
                     FILE *out) {
    int width = snprintf(NULL, 0, "%d", m->models);
    fprintf(out, "# parts: %s\n# made: %s\n", m->parts, made);
    fprintf(out, "arrival_s,model,input_tokens,output_tokens\n");
    for (int64_t i = 0; i < count; i++) {
        const struct hd_market_request *r = &request[i];
        fprintf(out, "%lld.%06lld,m%0*d,%d,%d\n", (long long)(r->at_us / 1000000),
                (long long)(r->at_us % 1000000), width, r->model + 1, r->input_tokens,
                r->output_tokens);
    }
    return fflush(out) == 0 && !ferror(out);
}
