/* Drawing a market's requests: each model by itself, then all in order of time. */
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/random_stream.h"
#include "market/arrivals.h"
#include "market/lengths.h"

struct drawing {
    const struct hd_market *market;
    uint64_t seed;
    struct hd_market_requests *all;
    int capacity;
    int32_t sessions;
};

/* The generators of one model. */
struct model {
    int number;
    struct hd_lengths_source lengths;
    gsl_rng *turns, *think, *class_, *prompt;
    const int32_t *system_tokens;
    int32_t requests;
};

static void model_begin(struct model *x, const struct drawing *d, int number) {
    *x = (struct model){.number = number};
    hd_lengths_begin(&x->lengths, d->market, d->seed, number);
    if (d->market->sessions.turns > 0) {
        x->turns = hd_random_stream(d->seed, "turns", number);
        x->think = hd_random_stream(d->seed, "think", number);
    }
    if (d->market->classes) x->class_ = hd_random_stream(d->seed, "class", number);
    if (d->all->system_tokens) x->prompt = hd_random_stream(d->seed, "prompt", number);
    if (d->all->system_tokens)
        x->system_tokens = &d->all->system_tokens[number * d->market->prefixes.prompts];
}

static void model_end(struct model *x) {
    hd_lengths_end(&x->lengths);
    gsl_rng *const all[] = {x->turns, x->think, x->class_, x->prompt};
    for (int i = 0; i < 4; i++)
        if (all[i]) gsl_rng_free(all[i]);
}

/* The system prompts of every model. */
static void draw_prompts(struct drawing *d) {
    const struct hd_prefix_law *law = &d->market->prefixes;
    if (!law->block_tokens) return;
    int32_t *tokens =
        hd_alloc((size_t)d->market->models * (size_t)law->prompts * sizeof *tokens);
    for (int i = 0; i < d->market->models; i++) {
        gsl_rng *rng = hd_random_stream(d->seed, "system", i);
        for (int p = 0; p < law->prompts; p++)
            tokens[i * law->prompts + p] = hd_length_draw(&law->system, rng);
        gsl_rng_free(rng);
    }
    d->all->system_tokens = tokens;
}

static int32_t draw_class(const struct hd_market *m, gsl_rng *rng) {
    if (!m->classes) return -1;
    double u = gsl_rng_uniform(rng);
    int c = 0;
    for (; c + 1 < m->classes && u >= m->class_[c].share; c++) u -= m->class_[c].share;
    return c;
}

static void emit(struct drawing *d, const struct hd_market_request *r) {
    struct hd_market_requests *all = d->all;
    all->of = hd_grow(all->of, &d->capacity, (int)all->count + 1, sizeof *all->of);
    all->of[all->count++] = *r;
}

static double think_s(const struct hd_session_law *law, gsl_rng *rng) {
    double sigma = sqrt(2 * log(law->think_mean_s / law->think_p50_s));
    return gsl_ran_lognormal(rng, log(law->think_p50_s), sigma);
}

/* A request, or a session's requests: those that fall into the span are kept. */
static void draw_session(struct drawing *d, struct model *x, int64_t at_us) {
    const struct hd_market *m = d->market;
    const struct hd_session_law *law = &m->sessions;
    struct hd_market_request r = {.at_us = at_us, .model = x->number, .session = -1};
    int turns = 1;
    if (law->turns > 0) {
        r.session = d->sessions++;
        turns = (int)gsl_ran_geometric(x->turns, 1 / law->turns);
    }
    r.class_ = draw_class(m, x->class_);
    int64_t said = 0;
    if (x->system_tokens) {
        r.prompt =
            (int32_t)gsl_rng_uniform_int(x->prompt, (unsigned long)m->prefixes.prompts);
        said = x->system_tokens[r.prompt];
    }
    for (; r.turn < turns; r.turn++) {
        int32_t input, output;
        hd_lengths_next(&x->lengths, &input, &output);
        if (law->turns > 0 && said + input + output > law->context_max) {
            d->all->sessions_cut++;
            return;
        }
        r.number = x->requests++;
        r.input_tokens = (int32_t)(said + input);
        r.output_tokens = output;
        if (r.at_us >= 0 && (double)r.at_us < 1e6 * m->span_s) emit(d, &r);
        said += input + output;
        if (r.turn + 1 < turns)
            r.at_us +=
                (int64_t)(1e6 * (output * law->token_s + think_s(law, x->think)));
    }
}

/* Sessions that are under way when the trace begins: as many as a mean rate gives over
 * seven times the mean length of one, Poisson, the latest first. */
static void draw_before(struct drawing *d, struct model *x, double per_s) {
    const struct hd_session_law *law = &d->market->sessions;
    if (!(law->turns > 1)) return;
    double back_s =
        7 * law->turns *
        (law->think_mean_s + law->token_s * hd_lengths_mean_output(d->market));
    gsl_rng *rng = hd_random_stream(d->seed, "before", x->number);
    for (double at = gsl_ran_exponential(rng, 1 / per_s);
         at < back_s && d->all->count <= HD_MARKET_REQUESTS_MAX;
         at += gsl_ran_exponential(rng, 1 / per_s))
        draw_session(d, x, -(int64_t)ceil(1e6 * at));
    gsl_rng_free(rng);
}

static void draw_model(struct drawing *d, const struct hd_arrival_source *arrivals,
                       int number, double rate_per_s) {
    struct hd_instants at = hd_arrivals_of(arrivals, number);
    struct model x;
    model_begin(&x, d, number);
    for (int i = 0; i < at.count && d->all->count <= HD_MARKET_REQUESTS_MAX; i++)
        draw_session(d, &x, at.at_us[i]);
    draw_before(d, &x, d->market->share[number] * rate_per_s);
    model_end(&x);
    free(at.at_us);
}

static int by_time_then_model(const void *a, const void *b) {
    const struct hd_market_request *x = a, *y = b;
    if (x->at_us != y->at_us) return x->at_us < y->at_us ? -1 : 1;
    if (x->model != y->model) return x->model < y->model ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* By first appearance, so that no gaps betray those that never appeared. */
static void number_sessions(struct drawing *d) {
    struct hd_market_requests *all = d->all;
    if (!d->sessions) return;
    int32_t *number = hd_alloc((size_t)d->sessions * sizeof *number), next = 0;
    for (int64_t i = 0; i < all->count; i++) {
        int32_t *n = &number[all->of[i].session];
        if (!*n) *n = ++next;
        all->of[i].session = *n - 1;
    }
    free(number);
}

bool hd_market_draw(const struct hd_market *m, uint64_t seed,
                    struct hd_market_requests *all, struct hd_err *err) {
    *all = (struct hd_market_requests){0};
    struct drawing d = {.market = m, .seed = seed, .all = all};
    double rate_per_s = m->rate_per_s / (m->sessions.turns > 0 ? m->sessions.turns : 1);
    struct hd_arrival_source *arrivals = hd_arrivals_begin(m, seed, rate_per_s);
    draw_prompts(&d);
    for (int i = 0; i < m->models && all->count <= HD_MARKET_REQUESTS_MAX; i++)
        draw_model(&d, arrivals, i, rate_per_s);
    hd_arrivals_end(arrivals);
    if (all->count > HD_MARKET_REQUESTS_MAX) {
        hd_fail(err, "more than %d requests: lower the rate or the span",
                HD_MARKET_REQUESTS_MAX);
    } else if (all->count == 0) {
        hd_fail(err, "no request came in %g s at %g a second", m->span_s,
                m->rate_per_s);
    } else {
        qsort(all->of, (size_t)all->count, sizeof *all->of, by_time_then_model);
        number_sessions(&d);
        return true;
    }
    hd_market_requests_free(all);
    return false;
}

void hd_market_requests_free(struct hd_market_requests *all) {
    free(all->of);
    free(all->system_tokens);
    *all = (struct hd_market_requests){0};
}
