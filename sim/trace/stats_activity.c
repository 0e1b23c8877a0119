/* Sweeps over arrivals and over the ends of services; these come in the same order,
 * since all take as long. */
#include "trace/stats_activity.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* ---- as they came -------------------------------------------------------- */

struct sweep {
    hd_tick from, to, now; /* looked at */
    hd_tick *until;        /* of each model; 0: not active */
    hd_tick *active;       /* time for which each was, within from and to */
    hd_tick *at_level;     /* time with so many active */
    int level, most;
};

static void advance(struct sweep *s, hd_tick to) {
    hd_tick begin = s->now > s->from ? s->now : s->from, end = to < s->to ? to : s->to;
    if (end > begin) {
        s->at_level[s->level] += end - begin;
        if (s->level > s->most) s->most = s->level;
    }
    s->now = to;
}

static void credit(struct sweep *s, int32_t model, hd_tick begin, hd_tick end) {
    if (begin < s->from) begin = s->from;
    if (end > s->to) end = s->to;
    if (end > begin) s->active[model] += end - begin;
}

/* A model is active while a request of it is no older than `service`. A request that
 * finds its model active only moves that end. */
static void run(const struct hd_trace *t, hd_tick service, struct sweep *s) {
    int64_t ended = 0;
    for (int64_t i = 0; i <= t->rows; i++) {
        hd_tick at = i < t->rows ? t->row[i].at : HD_TICK_NEVER;
        for (; ended < i && t->row[ended].at + service <= at; ended++) {
            hd_trace_step(t, ended);
            int32_t model = t->row[ended].model;
            hd_tick end = t->row[ended].at + service;
            if (s->until[model] != end) continue;
            advance(s, end);
            s->level--;
            s->until[model] = 0;
        }
        if (i == t->rows) break;
        int32_t model = t->row[i].model;
        advance(s, at);
        hd_tick begin = s->until[model] ? s->until[model] : at;
        s->level += s->until[model] == 0;
        s->until[model] = at + service;
        credit(s, model, begin, at + service);
    }
}

/* False when the trace is too short. */
static bool sweep(const struct hd_trace *t, double service_s, struct sweep *s) {
    hd_tick service = hd_tick_from_s(service_s);
    hd_tick first = t->row[0].at, last = t->row[t->rows - 1].at;
    if (service <= 0 || last - first <= service) return false;
    *s = (struct sweep){.from = first + service, .to = last, .now = first};
    s->until = hd_alloc((size_t)t->models * sizeof *s->until);
    s->active = hd_alloc((size_t)t->models * sizeof *s->active);
    s->at_level = hd_alloc(((size_t)t->models + 1) * sizeof *s->at_level);
    run(t, service, s);
    return true;
}

static void sweep_free(struct sweep *s) {
    free(s->until);
    free(s->active);
    free(s->at_level);
}

static double mean_of(const struct sweep *s) {
    double sum = 0;
    for (int k = 1; k <= s->most; k++) sum += k * (double)s->at_level[k];
    return sum / (double)(s->to - s->from);
}

double hd_active_models(const struct hd_trace *t, double service_s) {
    struct sweep s;
    if (!sweep(t, service_s, &s)) return NAN;
    double mean = mean_of(&s);
    sweep_free(&s);
    return mean;
}

/* ---- as they would be ---------------------------------------------------- */

double hd_active_models_expected(const double *rate_per_s, int models,
                                 double service_s) {
    double sum = 0;
    for (int i = 0; i < models; i++) sum -= expm1(-rate_per_s[i] * service_s);
    return sum;
}

/* Adds models one by one: those before it with k active, and it. Levels beyond the last
 * one have next to no probability and are dropped. */
static void poisson_levels(const struct hd_trace *t, double span_s,
                           struct hd_activity *a) {
    double variance = 0;
    a->poisson_mean = 0;
    for (int i = 0; i < t->models; i++) {
        double p = -expm1(-(double)t->model_rows[i] / span_s * a->service_s);
        a->poisson_mean += p;
        variance += p * (1 - p);
    }
    a->poisson_deviation = sqrt(variance);
    double reach = a->poisson_mean + 12 * a->poisson_deviation + 20;
    int most = reach < t->models ? (int)reach : t->models;
    if (most + 1 > a->levels) a->levels = most + 1;
    a->poisson_share = hd_alloc((size_t)a->levels * sizeof *a->poisson_share);
    a->poisson_share[0] = 1;
    for (int i = 0; i < t->models; i++) {
        double p = -expm1(-(double)t->model_rows[i] / span_s * a->service_s);
        for (int k = i + 1 < most ? i + 1 : most; k > 0; k--)
            a->poisson_share[k] =
                a->poisson_share[k] * (1 - p) + a->poisson_share[k - 1] * p;
        a->poisson_share[0] *= 1 - p;
    }
}

/* The fewest that are not exceeded for 99 % of the time. */
static int p99_of(const double *share, int levels) {
    double sum = 0;
    for (int k = 0; k < levels; k++)
        if ((sum += share[k]) >= 0.99 - 1e-12) return k;
    return levels - 1;
}

static void measured(const struct sweep *s, const struct hd_trace *t,
                     struct hd_activity *a) {
    double time = (double)(s->to - s->from), variance = 0, alone = 0;
    a->mean = mean_of(s);
    a->most = s->most;
    for (int k = 0; k <= s->most; k++) {
        a->share[k] = (double)s->at_level[k] / time;
        variance += a->share[k] * (k - a->mean) * (k - a->mean);
    }
    for (int i = 0; i < t->models; i++) {
        double p = (double)s->active[i] / time;
        alone += p * (1 - p);
    }
    a->deviation = sqrt(variance);
    a->alone_deviation = sqrt(alone);
    a->p99 = p99_of(a->share, s->most + 1);
    if (alone > 0) {
        a->variance_ratio = variance / alone;
        /* Bartlett: a variance seen for a time is off by 2 / time times the integral of
         * the squared correlation, which falls from 1 to 0 within a service: 2/3 of it
         * if in a straight line, and less where models are active most of the time. */
        double services = hd_s_from_tick(s->to - s->from) / a->service_s;
        a->chance = 2 * sqrt(2 * (2.0 / 3) / services);
    }
}

void hd_activity(const struct hd_trace *t, double service_s, struct hd_activity *a) {
    *a = (struct hd_activity){.service_s = service_s,
                              .mean = NAN,
                              .deviation = NAN,
                              .poisson_mean = NAN,
                              .poisson_deviation = NAN,
                              .alone_deviation = NAN,
                              .variance_ratio = NAN,
                              .chance = NAN};
    struct sweep s;
    if (!sweep(t, service_s, &s)) return;
    a->levels = s.most + 1;
    poisson_levels(t, hd_s_from_tick(t->row[t->rows - 1].at - t->row[0].at), a);
    a->poisson_p99 = p99_of(a->poisson_share, a->levels);
    a->share = hd_alloc((size_t)a->levels * sizeof *a->share);
    measured(&s, t, a);
    sweep_free(&s);
}

void hd_activity_free(struct hd_activity *a) {
    free(a->share);
    free(a->poisson_share);
    *a = (struct hd_activity){0};
}
