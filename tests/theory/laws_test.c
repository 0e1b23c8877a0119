/* Laws that hold for any system whatever its policy (Denning and Buzen, The Operational
 * Analysis of Queueing Network Models, 1978), on a real trace: Little's law and the
 * utilisation law, each with its two sides measured in different places. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bench/conv_world.h"
#include "policy/builtin.h"

struct watch { /* a policy that counts who is there, around one that decides */
    const struct hd_policy *inner;
    int instances;
    int64_t looks, present;
};

static bool start(void *state, struct hd_engine *e, const char **reason) {
    const struct hd_policy *p = ((struct watch *)state)->inner;
    return p->start(p->state, e, reason);
}

static bool arrive(void *state, struct hd_engine *e, struct hd_req request) {
    const struct hd_policy *p = ((struct watch *)state)->inner;
    return p->arrive(p->state, e, request);
}

static bool look(void *state, struct hd_engine *e) {
    struct watch *w = state;
    w->looks++;
    w->present += hd_ask_model_held(e, 0);
    for (int n = 0; n < w->instances; n++) w->present += hd_ask_instance(e, n).requests;
    return true;
}

struct times {
    int64_t requests;
    double sojourn_s, demand_s;
    const struct hd_timing *timing; /* of demand_s, with nobody else in the batch */
};

static void note(void *context, const struct hd_finished *f) {
    struct times *t = context;
    assert_int_equal(f->status, HD_STATUS_DONE);
    t->requests++;
    t->sojourn_s += hd_s_from_tick(f->last_token - f->arrival);
    if (!t->timing) return;
    int64_t input = f->input_tokens, until;
    hd_tick demand = hd_timing_prefill(t->timing, input, 1, input * input, 0, 0), slope;
    for (int64_t n = 0; n < f->output_tokens - 1; n++)
        demand += hd_timing_step(t->timing, 1, input + n, &slope, &until);
    t->demand_s += hd_s_from_tick(demand);
}

/* L = lambda W: the mean number present, seen every 50 ms, against the rate of arrivals
 * times the mean time from arrival to last token. A stay counts as often as a look
 * falls into it: its length within +- 50 ms, evenly, so the sum over n stays has a
 * standard error below 50 ms * sqrt(n / 6). */
static void little(void **state) {
    (void)state;
    struct conv *conv = conv_load(1, 1);
    struct conv_world w;
    conv_world_make(&w, conv, 8);
    struct hd_policy *inner = hd_builtin_new(HD_BUILTIN_DEDICATED, 0, 1);
    struct watch watch = {inner, 8, 0, 0};
    double period = 0.05;
    struct hd_policy policy = {.name = "watch",
                               .state = &watch,
                               .period_s = period,
                               .start = start,
                               .arrive = arrive,
                               .tick = look};
    struct hd_measure *m = conv_world_measure(&w);
    struct times times = {0};
    m->on_finished = note;
    m->on_finished_context = &times;
    struct hd_err err = {0};
    enum hd_run_end end = hd_run(&w.config, &policy, m, NULL, &err);
    if (end != HD_RUN_WHOLE) fail_msg("%s", err.text);
    assert_int_equal(times.requests, conv->rows);
    double span = hd_s_from_tick(m->end), n = (double)times.requests;
    double rate = n / span, seen = (double)watch.present / (double)watch.looks;
    double error = period * sqrt(n / 6) / span;
    printf("Little's law (%s): lambda W = %.4f/s * %.4f s = %.4f, L = %.4f +- %.4f\n",
           conv->real ? "Azure conv" : "no data: generated arrivals", rate,
           times.sojourn_s / n, times.sojourn_s / span, seen, error);
    assert_true(fabs(seen - times.sojourn_s / span) < 4 * error + seen * period / span);
    /* The account of where time went adds up to the same, request by request. */
    double blamed = 0;
    for (int b = 0; b < HD_BLAMES; b++) blamed += m->blame_s[b];
    assert_true(fabs(blamed - times.sojourn_s) < 1e-9 * blamed);
    hd_measure_free(m);
    hd_builtin_free(inner);
    conv_world_free(&w);
    conv_free(conv);
}

/* U = lambda E[S] / c: with one request at a time per instance, GPUs are busy for the
 * sum of what the requests need by themselves, token by token, however they queue. */
static void utilisation(void **state) {
    (void)state;
    struct conv *conv = conv_load(1, 1);
    struct conv_world w;
    int instances = 56;
    conv_world_make(&w, conv, instances);
    w.config.serving.max_batch = 1;
    w.config.to = HD_TICK_SPAN_MAX;
    struct hd_policy *policy = hd_builtin_new(HD_BUILTIN_CENTRAL, 0, 1);
    struct hd_measure *m = conv_world_measure(&w);
    struct times times = {.timing = w.timing};
    m->on_finished = note;
    m->on_finished_context = &times;
    struct hd_err err = {0};
    enum hd_run_end end = hd_run(&w.config, policy, m, NULL, &err);
    if (end != HD_RUN_WHOLE) fail_msg("%s", err.text);
    double span = hd_s_from_tick(m->end), busy = hd_measure_busy_s(m) / 2;
    printf("utilisation law (%s): lambda E[S] / c = %.4f/s * %.4f s / %d = %.6f, "
           "measured %.6f\n",
           conv->real ? "Azure conv" : "no data: generated arrivals",
           (double)conv->rows / span, times.demand_s / (double)conv->rows, instances,
           times.demand_s / span / instances, busy / span / instances);
    assert_true(fabs(busy - times.demand_s) < 1e-6);
    assert_true(busy / span / instances > 0.5);
    hd_measure_free(m);
    hd_builtin_free(policy);
    conv_world_free(&w);
    conv_free(conv);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(little),
        cmocka_unit_test(utilisation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
