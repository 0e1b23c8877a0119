/* Renewal processes whose clock runs as fast as the rate, and real streams. */
#include "market/arrivals.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/random_stream.h"
#include "market/rates.h"
#include "market/replayed.h"
#include "trace/gaps.h"

struct hd_arrival_source {
    const struct hd_market *market;
    uint64_t seed;
    double rate_per_s;
    struct hd_rate_path *group; /* one each, and last: in no group */
    struct hd_replayed *replayed;
};

struct hd_arrival_source *hd_arrivals_begin(const struct hd_market *m, uint64_t seed,
                                            double rate_per_s) {
    struct hd_arrival_source *a = hd_alloc(sizeof *a);
    *a =
        (struct hd_arrival_source){.market = m, .seed = seed, .rate_per_s = rate_per_s};
    if (m->arrivals == HD_ARRIVALS_STREAM) {
        a->replayed = hd_replayed_begin(m, seed, rate_per_s);
        return a;
    }
    a->group = hd_alloc((size_t)(m->groups + 1) * sizeof *a->group);
    for (int g = 0; g < m->groups; g++) {
        gsl_rng *rng = hd_random_stream(seed, "groups", g);
        hd_rate_draw(&a->group[g], &m->group_activity, m->span_s, rng);
        gsl_rng_free(rng);
    }
    hd_rate_draw(&a->group[m->groups], &(struct hd_on_off){0}, m->span_s, NULL);
    return a;
}

static const struct hd_windows *windows_of(const struct hd_market *m, int model) {
    return m->own_windows ? &m->own_windows[model] : &m->windows;
}

/* Everything that moves a model's rate, multiplied. */
static struct hd_rate_path rate_of(const struct hd_arrival_source *a, int model,
                                   int window) {
    const struct hd_market *m = a->market;
    struct hd_rate_path own, path;
    gsl_rng *rng = hd_random_stream(a->seed, "bursts", model);
    hd_rate_draw(&own, &m->bursts, m->span_s, rng);
    gsl_rng_free(rng);
    int first = m->models - m->groups * m->group_size;
    int g = model < first ? m->groups : (model - first) % m->groups;
    hd_rate_product(&path, &own, &a->group[g]);
    hd_rate_free(&own);
    if (m->rhythm.levels) {
        rng = hd_random_stream(a->seed, "rhythm", model);
        double shift_s = m->rhythm.spread_s * (2 * gsl_rng_uniform(rng) - 1);
        gsl_rng_free(rng);
        hd_rate_rhythm(&own, &m->rhythm, shift_s, m->span_s);
        hd_rate_multiply(&path, &own);
    }
    if (m->arrivals == HD_ARRIVALS_MMPP) {
        rng = hd_random_stream(a->seed, "states", model);
        hd_rate_draw_mmpp(&own, &m->mmpp, m->span_s, rng);
        gsl_rng_free(rng);
        hd_rate_multiply(&path, &own);
    } else if (m->arrivals == HD_ARRIVALS_WINDOWS) {
        hd_rate_windows(&own, windows_of(m, model), window, m->span_s);
        hd_rate_multiply(&path, &own);
    }
    return path;
}

/* The gap laws in force: one, or one per window. */
static struct hd_gaps *laws_of(const struct hd_market *m, int model) {
    const struct hd_windows *w =
        m->arrivals == HD_ARRIVALS_WINDOWS ? windows_of(m, model) : NULL;
    int count = w ? w->windows : 1;
    struct hd_gaps *gaps = hd_alloc((size_t)count * sizeof *gaps);
    for (int i = 0; i < count; i++)
        gaps[i] = w ? hd_gaps_of(w->window[i].law, w->window[i].cv)
                    : hd_gaps_of(m->gaps, m->gap_cv);
    return gaps;
}

/* Where a model's windows begin. */
static int first_window(const struct hd_arrival_source *a, int model) {
    const struct hd_market *m = a->market;
    if (m->arrivals != HD_ARRIVALS_WINDOWS) return 0;
    const struct hd_windows *w = windows_of(m, model);
    if (!w->shifted) return (int)(m->windows_begin_s / w->window_s) % w->windows;
    gsl_rng *rng = hd_random_stream(a->seed, "windows", model);
    int first = (int)gsl_rng_uniform_int(rng, (unsigned long)w->windows);
    gsl_rng_free(rng);
    return first;
}

static int window_at(const struct hd_market *m, int model, int first, double at_s) {
    if (m->arrivals != HD_ARRIVALS_WINDOWS) return 0;
    const struct hd_windows *w = windows_of(m, model);
    return (first + (int)(at_s / w->window_s)) % w->windows;
}

static void add(struct hd_instants *all, int64_t at_us) {
    all->at_us =
        hd_grow(all->at_us, &all->capacity, all->count + 1, sizeof *all->at_us);
    all->at_us[all->count++] = at_us;
}

/* Gaps are drawn in requests, not in seconds: a model's clock runs as fast as its
 * rate, so a changed rate stretches the same arrivals. */
static struct hd_instants renewals(const struct hd_arrival_source *a, int model) {
    const struct hd_market *m = a->market;
    int first = first_window(a, model);
    struct hd_rate_path rate = rate_of(a, model, first);
    struct hd_gaps *law = laws_of(m, model);
    gsl_rng *rng = hd_random_stream(a->seed, "gaps", model);
    struct hd_instants all = {0};
    double per_s = m->share[model] * a->rate_per_s;
    double due = hd_gap_draw_first(&law[first], rng);
    double passed = 0; /* expected requests up to the piece's begin */
    for (int i = 0; i < rate.pieces && all.count <= HD_MARKET_REQUESTS_MAX; i++) {
        double begin = rate.at_s[i], height = per_s * rate.level[i];
        double end = i + 1 < rate.pieces ? rate.at_s[i + 1] : m->span_s;
        double at_end = passed + height * (end - begin);
        const struct hd_gaps *gaps =
            &law[window_at(m, model, first, (begin + end) / 2)];
        for (; due < at_end && all.count <= HD_MARKET_REQUESTS_MAX;
             due += hd_gap_draw(gaps, rng))
            add(&all, (int64_t)(1e6 * (begin + (due - passed) / height)));
        passed = at_end;
    }
    gsl_rng_free(rng);
    free(law);
    hd_rate_free(&rate);
    return all;
}

struct hd_instants hd_arrivals_of(const struct hd_arrival_source *a, int model) {
    return a->replayed ? hd_replayed_of(a->replayed, model) : renewals(a, model);
}

void hd_arrivals_end(struct hd_arrival_source *a) {
    hd_replayed_end(a->replayed);
    for (int g = 0; a->group && g <= a->market->groups; g++) hd_rate_free(&a->group[g]);
    free(a->group);
    free(a);
}
