/* Waiting times of queues with textbook answers: Erlang's formula for M/M/c, Pollaczek
 * and Khinchine's for M/G/1, and the root of GI/M/1. (Kleinrock, Queueing Systems,
 * volume 1, chapters 3, 5 and 6.)
 *
 * With one running member per instance and a prefill that lasts a step, a request of
 * n tokens occupies its instance for exactly n steps: instances are servers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "theory/queue_world.h"


struct waits {
    double service_s; /* of the prefill: from the start of service to the first token */
    double waited_s;  /* a wait counts as one when it is longer than this */
    long requests, waited;
    double sum;
};

static void note_wait(void *context, const struct hd_finished *f) {
    struct waits *w = context;
    double wait = hd_s_from_tick(f->first_token - f->arrival) - w->service_s;
    w->requests++;
    w->sum += wait;
    w->waited += wait > w->waited_s;
}

struct waiting {
    struct qw_stat wait, waited;
};

static struct waiting simulate(const struct qw *w, double waited_s) {
    struct waiting all = {0};
    for (uint64_t seed = 1; seed <= QW_REPLICATIONS; seed++) {
        struct waits waits = {w->prefill_s, waited_s, 0, 0, 0};
        hd_measure_free(qw_run(w, seed, note_wait, &waits));
        qw_add(&all.wait, waits.sum / (double)waits.requests);
        qw_add(&all.waited, (double)waits.waited / (double)waits.requests);
    }
    return all;
}

/* Servers that hold one request each. */
static struct qw servers(int count, double load, enum qw_size size) {
    double step = 1e-3, tokens = 1000;
    double service = step * qw_size_mean(size, tokens);
    return (struct qw){.models = 1,
                       .replicas = count,
                       .max_batch = 1,
                       .step_s = step,
                       .prefill_s = step,
                       .which = HD_BUILTIN_CENTRAL,
                       .slots = 1,
                       .rate = load * count / service,
                       .size = size,
                       .mean_tokens = tokens,
                       .warm_s = 1000,
                       .span_s = 24000.0 / count / load};
}

/* Erlang's C: the probability of waiting with c servers and offered load a. */
static double erlang_c(int c, double a) {
    double blocked = 1; /* Erlang's B, by its recurrence */
    for (int n = 1; n <= c; n++) blocked = a * blocked / (n + a * blocked);
    return c * blocked / (c - a * (1 - blocked));
}

static void expect_mmc(const char *what, const struct qw *w, int c, double bias) {
    double service = w->step_s * qw_size_mean(w->size, w->mean_tokens);
    double wait_p = erlang_c(c, w->rate * service);
    struct waiting got = simulate(w, bias);
    char name[96];
    snprintf(name, sizeof name, "%s, probability of waiting", what);
    qw_expect(name, wait_p, &got.waited, 2 * bias / service, 0.03);
    snprintf(name, sizeof name, "%s, mean wait, s", what);
    qw_expect(name, wait_p / (c / service - w->rate), &got.wait, bias, 0.05);
}

/* c instances behind one queue. */
static void mmc_of_instances(void **state) {
    (void)state;
    struct qw one = servers(1, 0.6, QW_EXPONENTIAL);
    struct qw four = servers(4, 0.8, QW_EXPONENTIAL);
    struct qw many = servers(16, 0.9, QW_EXPONENTIAL);
    many.span_s *= 2;
    expect_mmc("M/M/1 load 0.6", &one, 1, 0);
    expect_mmc("M/M/4 load 0.8", &four, 4, 0);
    expect_mmc("M/M/16 load 0.9", &many, 16, 0);
}

/* One instance whose batch has c places and whose step does not depend on the batch:
 * the places are the servers. Requests enter at the end of a step. */
static void mmc_of_places_in_a_batch(void **state) {
    (void)state;
    struct qw w = servers(1, 0.8, QW_EXPONENTIAL);
    w.which = HD_BUILTIN_DEDICATED;
    w.max_batch = 8;
    w.rate *= 8;
    w.span_s = 4000;
    w.prefill_s = 0;
    expect_mmc("M/M/8 within one batch, load 0.8", &w, 8, w.step_s);
}

/* Mean wait lambda E[S^2] / (2 (1 - rho)); a request waits with probability rho. */
static void mg1(void **state) {
    (void)state;
    struct {
        enum qw_size size;
        double load;
    } is[] = {{QW_CONSTANT, 0.5},
              {QW_CONSTANT, 0.8},
              {QW_EXPONENTIAL, 0.7},
              {QW_TWO_POINT, 0.6}};
    for (size_t n = 0; n < sizeof is / sizeof *is; n++) {
        struct qw w = servers(1, is[n].load, is[n].size);
        w.which = HD_BUILTIN_DEDICATED;
        double square = w.step_s * w.step_s * qw_size_square(w.size, w.mean_tokens);
        struct waiting got = simulate(&w, 0);
        char name[96];
        snprintf(name, sizeof name, "M/G/1 %s, load %.1f, probability of waiting",
                 qw_size_name(w.size), is[n].load);
        qw_expect(name, is[n].load, &got.waited, 0, 0.02);
        snprintf(name, sizeof name, "M/G/1 %s, load %.1f, mean wait, s",
                 qw_size_name(w.size), is[n].load);
        qw_expect(name, w.rate * square / 2 / (1 - is[n].load), &got.wait, 0, 0.05);
    }
}

/* c instances in turn: each sees every c-th arrival, an Erlang-c renewal process.
 * GI/M/1: with sigma = A*(mu (1 - sigma)), a request waits with probability sigma,
 * and on average sigma / (mu (1 - sigma)). */
static void round_robin(void **state) {
    (void)state;
    struct qw w = servers(4, 0.8, QW_EXPONENTIAL);
    w.which = HD_BUILTIN_ROUND_ROBIN;
    double mu = 1 / (w.step_s * qw_size_mean(w.size, w.mean_tokens)), sigma = 0.5;
    for (int n = 0; n < 1000; n++) sigma = pow(w.rate / (w.rate + mu * (1 - sigma)), 4);
    struct waiting got = simulate(&w, 0);
    qw_expect("E4/M/1 by turns, load 0.8, probability of waiting", sigma, &got.waited,
              0, 0.02);
    qw_expect("E4/M/1 by turns, load 0.8, mean wait, s", sigma / mu / (1 - sigma),
              &got.wait, 0, 0.05);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mmc_of_instances),
        cmocka_unit_test(mmc_of_places_in_a_batch),
        cmocka_unit_test(mg1),
        cmocka_unit_test(round_robin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
