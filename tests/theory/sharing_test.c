/* Batches as shared servers: processor sharing, infinitely many servers, and the
 * number of models that have work at the same time.
 *
 * When a step lasts as long as its batch is large, every member gets an equal share of
 * one server (M/G/1-PS); when it does not depend on the batch, nobody feels the others
 * (M/G/infinity). Both depend on the mean length alone, not on its distribution. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>

#include "theory/queue_world.h"

enum { UNLIMITED = 1000000 };

/* ---- processor sharing --------------------------------------------------- */

struct sojourns {
    int32_t boundary; /* requests of more tokens are the long ones */
    long count[2];
    double sum[2];
};

static void note_sojourn(void *context, const struct hd_finished *f) {
    struct sojourns *s = context;
    int longer = f->output_tokens > s->boundary;
    s->count[longer]++;
    s->sum[longer] += hd_s_from_tick(f->last_token - f->arrival);
}

/* E[T] = E[S] / (1 - rho), and E[T | S = x] = x / (1 - rho) for every x (Kleinrock,
 * Queueing Systems, volume 2, section 4.4). The engine shares by whole tokens: a
 * request enters and leaves at the end of a round, which is 1 / (1 - rho) tokens long
 * on average. */
static void processor_sharing(void **state) {
    (void)state;
    for (int size = QW_CONSTANT; size <= QW_TWO_POINT; size++) {
        double load = 0.6, token = 0.5e-3, tokens = 2000;
        struct qw w = {.models = 1,
                       .replicas = 1,
                       .max_batch = UNLIMITED,
                       .per_seq_s = token,
                       .which = HD_BUILTIN_DEDICATED,
                       .size = (enum qw_size)size,
                       .mean_tokens = tokens,
                       .warm_s = 500,
                       .span_s = 24000};
        double service = token * qw_size_mean(w.size, tokens);
        w.rate = load / service;
        struct qw_stat all = {0}, class[2] = {0};
        for (uint64_t seed = 1; seed <= QW_REPLICATIONS; seed++) {
            struct sojourns s = {(int32_t)tokens, {0}, {0}};
            hd_measure_free(qw_run(&w, seed, note_sojourn, &s));
            qw_add(&all, (s.sum[0] + s.sum[1]) / (double)(s.count[0] + s.count[1]));
            for (int n = 0; n < 2 && w.size == QW_TWO_POINT; n++)
                qw_add(&class[n], s.sum[n] / (double)s.count[n]);
        }
        double round = token / (1 - load);
        char name[96];
        snprintf(name, sizeof name, "M/G/1-PS %s, load 0.6, mean sojourn, s",
                 qw_size_name(w.size));
        qw_expect(name, service / (1 - load), &all, round, 0.02);
        if (w.size != QW_TWO_POINT) continue;
        qw_expect("  the short ones", service / 5 / (1 - load), &class[0], round, 0.02);
        qw_expect("  the long ones", service * 5 / (1 - load), &class[1], round, 0.03);
    }
}

/* ---- infinitely many servers --------------------------------------------- */

enum { NUMBERS = 64 };

struct sampler { /* a policy that looks now and then, around one that decides */
    const struct hd_policy *inner;
    hd_tick from, to;
    long samples, seen[NUMBERS];
};

static bool start(void *state, struct hd_engine *e, const char **reason) {
    const struct hd_policy *p = ((struct sampler *)state)->inner;
    return p->start(p->state, e, reason);
}

static bool arrive(void *state, struct hd_engine *e, struct hd_req request) {
    const struct hd_policy *p = ((struct sampler *)state)->inner;
    return p->arrive(p->state, e, request);
}

static bool look(void *state, struct hd_engine *e) {
    struct sampler *s = state;
    hd_tick now = hd_ask_now(e);
    if (now < s->from || now >= s->to) return true;
    int number = hd_ask_instance(e, 0).requests;
    s->seen[number < NUMBERS ? number : NUMBERS - 1]++;
    s->samples++;
    return true;
}

/* The number in system is Poisson with mean lambda * E[S]. Looks are so far apart that
 * they count as independent; chi-square over the numbers seen at least 10 times. */
static void infinite_servers(void **state) {
    (void)state;
    for (int size = QW_CONSTANT; size <= QW_TWO_POINT; size++) {
        double mean = 8, step = 0.5e-3, tokens = 2000;
        struct qw w = {.models = 1,
                       .replicas = 1,
                       .max_batch = UNLIMITED,
                       .step_s = step,
                       .size = (enum qw_size)size,
                       .mean_tokens = tokens,
                       .warm_s = 100,
                       .span_s = 30000};
        double service = step * qw_size_mean(w.size, tokens);
        w.rate = mean / service;
        struct hd_policy *inner = hd_builtin_new(HD_BUILTIN_DEDICATED, 1, 1);
        struct sampler sampler = {.inner = inner,
                                  .from = hd_tick_from_s(w.warm_s),
                                  .to = hd_tick_from_s(w.warm_s + w.span_s)};
        struct hd_policy policy = {.name = "sampler",
                                   .state = &sampler,
                                   .period_s = 8 * service,
                                   .start = start,
                                   .arrive = arrive,
                                   .tick = look};
        w.policy = &policy;
        hd_measure_free(qw_run(&w, 7, NULL, NULL));
        hd_builtin_free(inner);
        double n = (double)sampler.samples, chance = exp(-mean), left = 1, sum = 0,
               square = 0, chi = 0;
        long tail = sampler.samples;
        int bins = 0;
        for (int k = 0; k < NUMBERS; k++) {
            double seen = (double)sampler.seen[k];
            sum += k * seen;
            square += (double)k * k * seen;
            if (n * chance >= 10) {
                chi += (seen - n * chance) * (seen - n * chance) / (n * chance);
                left -= chance;
                tail -= sampler.seen[k];
                bins++;
            }
            chance *= mean / (k + 1);
        }
        chi += ((double)tail - n * left) * ((double)tail - n * left) / (n * left);
        double p = gsl_cdf_chisq_Q(chi, bins);
        double got = sum / n, variance = square / n - got * got;
        printf(
            "M/G/inf %-12s number in system: mean %.3f, variance %.3f, both expected "
            "%.3f; chi-square %.1f over %d, p = %.3f\n",
            qw_size_name(w.size), got, variance, mean, chi, bins + 1, p);
        assert_true(n > 3000);
        assert_true(fabs(got - mean) < 4 * sqrt(mean / n));
        assert_true(fabs(variance / mean - 1) < 4 * sqrt((2 + 1 / mean) / n));
        assert_true(p > 1e-3);
    }
}

/* ---- models with work at the same time ----------------------------------- */

/* M models, each M/G/infinity on an instance of its own: M (1 - e^(-lambda T)) of them
 * have work on average. Aegaeon's example, M = 100, lambda = 0.037/s, T = 16.79 s:
 * 46.27; its authors' simulation gave 46.55. */
static void active_models(void **state) {
    (void)state;
    for (int size = QW_CONSTANT; size <= QW_TWO_POINT; size++) {
        double time = 16.79, step = 1e-3;
        struct qw w = {.models = 100,
                       .replicas = 1,
                       .max_batch = UNLIMITED,
                       .step_s = step,
                       .which = HD_BUILTIN_DEDICATED,
                       .rate = 3.7,
                       .size = (enum qw_size)size,
                       .mean_tokens = time / step,
                       .warm_s = 200,
                       .span_s = 12000};
        struct qw_stat active = {0};
        for (uint64_t seed = 1; seed <= QW_REPLICATIONS; seed++) {
            struct hd_measure *m = qw_run(&w, seed, NULL, NULL);
            qw_add(&active, m->active_models_s / w.span_s);
            hd_measure_free(m);
        }
        char name[96];
        snprintf(name, sizeof name, "active models of 100, %s service",
                 qw_size_name(w.size));
        double slope = 3.7 * exp(-0.037 * time); /* models per second of T */
        qw_expect(name, 100 * (1 - exp(-0.037 * time)), &active, slope * step, 0.003);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processor_sharing),
        cmocka_unit_test(infinite_servers),
        cmocka_unit_test(active_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
