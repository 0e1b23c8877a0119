/* Thinned, shifted, split, or each model's own. */
#include "market/replayed.h"

#include <gsl/gsl_rng.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/random_stream.h"

struct stamp {
    double at_s;
    int32_t rank;
};

struct hd_replayed {
    const struct hd_market *market;
    uint64_t seed;
    double rate_per_s;   /* of the market */
    double stream_per_s; /* of the stream */
    int64_t count;
    struct stamp *stamp;
    struct hd_instants *of; /* per model, SPLIT and EACH: they are dealt in one pass */
};

static int by_time(const void *a, const void *b) {
    const struct stamp *x = a, *y = b;
    if (x->at_s != y->at_s) return x->at_s < y->at_s ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static void add(struct hd_instants *all, double at_s) {
    all->at_us =
        hd_grow(all->at_us, &all->capacity, all->count + 1, sizeof *all->at_us);
    all->at_us[all->count++] = (int64_t)(1e6 * at_s);
}

/* Which model a uniform variate means: shares laid end to end. */
static int dealt_to(const struct hd_market *m, double u) {
    int model = 0;
    for (; model + 1 < m->models && u >= m->share[model]; model++) u -= m->share[model];
    return model;
}

/* The whole stream on one clock. */
static void deal(struct hd_replayed *r) {
    const struct hd_market *m = r->market;
    double speed = r->rate_per_s / r->stream_per_s;
    gsl_rng *rng = hd_random_stream(r->seed, "split", 0);
    int64_t dealt = 0;
    for (int64_t cycle = 0;; cycle++)
        for (int64_t i = 0; i < r->count; i++) {
            double at_s =
                (r->stamp[i].at_s + (double)cycle * m->stream.cycle_s) / speed;
            if (at_s >= m->span_s || dealt++ > HD_MARKET_REQUESTS_MAX) {
                gsl_rng_free(rng);
                return;
            }
            int model = m->stream.method == HD_STREAM_EACH
                            ? r->stamp[i].rank
                            : dealt_to(m, gsl_rng_uniform(rng));
            add(&r->of[model], at_s);
        }
}

struct hd_replayed *hd_replayed_begin(const struct hd_market *m, uint64_t seed,
                                      double rate_per_s) {
    const struct hd_stream *s = &m->stream;
    struct hd_replayed *r = hd_alloc(sizeof *r);
    *r = (struct hd_replayed){.market = m,
                              .seed = seed,
                              .rate_per_s = rate_per_s,
                              .stream_per_s = (double)s->count / s->cycle_s,
                              .count = s->count};
    r->stamp = hd_alloc((size_t)s->count * sizeof *r->stamp);
    gsl_rng *rng = hd_random_stream(seed, "jitter", 0);
    for (int64_t i = 0; i < s->count; i++)
        r->stamp[i] = (struct stamp){
            s->at_s[i] + (s->jitter_s > 0 ? s->jitter_s * gsl_rng_uniform(rng) : 0),
            s->rank[i]};
    gsl_rng_free(rng);
    if (s->jitter_s > 0) qsort(r->stamp, (size_t)r->count, sizeof *r->stamp, by_time);
    r->of = hd_alloc((size_t)m->models * sizeof *r->of);
    if (s->method == HD_STREAM_SPLIT || s->method == HD_STREAM_EACH) deal(r);
    return r;
}

/* One model's own run through the stream, from a place of its own. */
static struct hd_instants run_through(const struct hd_replayed *r, int model) {
    const struct hd_market *m = r->market;
    struct hd_instants all = {0};
    double per_s = m->share[model] * r->rate_per_s, chance = 1, speed = 1;
    if (m->stream.method == HD_STREAM_THIN)
        chance = per_s / r->stream_per_s;
    else
        speed = per_s / r->stream_per_s;
    gsl_rng *place = hd_random_stream(r->seed, "place", model);
    gsl_rng *thin = hd_random_stream(r->seed, "thin", model);
    double from_s = m->stream.cycle_s * gsl_rng_uniform(place);
    int64_t i = 0;
    while (i < r->count && r->stamp[i].at_s < from_s) i++;
    for (int64_t cycle = 0; all.count <= HD_MARKET_REQUESTS_MAX; i++) {
        if (i == r->count) {
            i = 0;
            cycle++;
        }
        double at_s =
            (r->stamp[i].at_s + (double)cycle * m->stream.cycle_s - from_s) / speed;
        if (at_s >= m->span_s) break;
        if (chance >= 1 || gsl_rng_uniform(thin) < chance) add(&all, at_s);
    }
    gsl_rng_free(place);
    gsl_rng_free(thin);
    return all;
}

struct hd_instants hd_replayed_of(const struct hd_replayed *r, int model) {
    enum hd_stream_method method = r->market->stream.method;
    if (method == HD_STREAM_THIN || method == HD_STREAM_SHIFT)
        return run_through(r, model);
    struct hd_instants own = r->of[model], copy = own;
    copy.at_us = hd_alloc((size_t)own.count * sizeof *copy.at_us);
    for (int i = 0; i < own.count; i++) copy.at_us[i] = own.at_us[i];
    return copy;
}

void hd_replayed_end(struct hd_replayed *r) {
    if (!r) return;
    for (int i = 0; i < r->market->models; i++) free(r->of[i].at_us);
    free(r->of);
    free(r->stamp);
    free(r);
}
