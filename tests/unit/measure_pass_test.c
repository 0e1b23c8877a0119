/* The pass rule, and that `cannot pass` is neither early nor late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "measure/pass.h"

static uint64_t seed;

static uint64_t draw(uint64_t below) { /* splitmix64 */
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

static void finish(struct hd_measure *m, int model, int output, int on_time) {
    struct hd_finished f = {.model = model,
                            .measured = true,
                            .status = HD_STATUS_DONE,
                            .output_tokens = output,
                            .tokens_on_time = on_time,
                            .ratio = (double)on_time / output,
                            .request_ok = on_time == output,
                            .gap_longest = -1};
    hd_measure_finish(m, &f);
}

static void judges_by_number(void **state) {
    (void)state;
    assert_int_equal(hd_judged_from(0.9), 100);
    assert_int_equal(hd_judged_from(0.99), 1000);
    assert_int_equal(hd_judged_from(0.999), 10000);
    assert_int_equal(hd_judged_from(0.85), 67);
    assert_int_equal(hd_judged_from(1), 1);
    int64_t requests[] = {100, 99, 0}, tokens[] = {100, 99, 0};
    struct hd_measure *m =
        hd_measure_new(&(struct hd_expected){3, requests, tokens}, 0, HD_TICK_NEVER);
    assert_true(hd_judged(m, 0, 0.9));
    assert_false(hd_judged(m, 1, 0.9));
    assert_false(hd_judged(m, 2, 0.9));
    assert_true(hd_judged(m, 1, 1));
    assert_false(hd_judged(m, 2, 1));
    hd_measure_free(m);
}

/* A policy that serves the hot model and nobody else must not pass. */
static void rare_models_count_together(void **state) {
    (void)state;
    int64_t requests[] = {1000, 20, 20}, tokens[] = {10000, 200, 200};
    struct hd_measure *m =
        hd_measure_new(&(struct hd_expected){3, requests, tokens}, 0, HD_TICK_NEVER);
    struct hd_criterion model = {HD_METRIC_TOKEN, HD_PASS_MODEL, 0.9};
    struct hd_criterion pooled = {HD_METRIC_TOKEN, HD_PASS_POOLED, 0.9};
    for (int n = 0; n < 1000; n++) finish(m, 0, 10, 10);
    assert_false(hd_cannot_pass(m, &model));
    for (int n = 0; n < 20; n++) finish(m, 1, 10, 0);
    assert_true(hd_cannot_pass(m, &model)); /* 200 of 400 rare tokens at best */
    assert_false(hd_cannot_pass(m, &pooled));
    for (int n = 0; n < 20; n++) finish(m, 2, 10, 0);
    assert_false(hd_passes(m, &model));
    assert_true(hd_passes(m, &pooled));
    assert_true(hd_attained(m, HD_METRIC_TOKEN, -2, 0.9) == 0);
    assert_true(hd_attained(m, HD_METRIC_TOKEN, 0, 0.9) == 1);
    assert_true(hd_attained(m, HD_METRIC_TOKEN, -1, 0.9) == 10000.0 / 10400.0);
    hd_measure_free(m);
}

static void exactly_at_the_target(void **state) {
    (void)state;
    int64_t requests[] = {100}, tokens[] = {1000};
    for (int metric = 0; metric < HD_METRICS; metric++) {
        for (int bad = 10; bad <= 11; bad++) {
            struct hd_measure *m = hd_measure_new(
                &(struct hd_expected){1, requests, tokens}, 0, HD_TICK_NEVER);
            struct hd_criterion c = {(enum hd_metric)metric, HD_PASS_MODEL, 0.9};
            for (int n = 0; n < bad; n++) finish(m, 0, 10, 0);
            assert_int_equal(hd_cannot_pass(m, &c), bad == 11);
            for (int n = bad; n < 100; n++) finish(m, 0, 10, 10);
            assert_int_equal(hd_passes(m, &c), bad == 10);
            hd_measure_free(m);
        }
    }
    /* nothing asked, nothing missed */
    int64_t none[] = {0};
    struct hd_measure *m =
        hd_measure_new(&(struct hd_expected){1, none, none}, 0, HD_TICK_NEVER);
    assert_true(
        hd_passes(m, &(struct hd_criterion){HD_METRIC_TOKEN, HD_PASS_MODEL, 1}));
    assert_true(hd_attained(m, HD_METRIC_RATIO, 0, 1) == 1);
    hd_measure_free(m);
}

static void all_of_them(void **state) {
    (void)state;
    int64_t requests[] = {2, 1}, tokens[] = {20, 10};
    struct hd_criterion c = {HD_METRIC_RATIO, HD_PASS_MODEL, 1};
    struct hd_measure *m =
        hd_measure_new(&(struct hd_expected){2, requests, tokens}, 0, HD_TICK_NEVER);
    finish(m, 0, 10, 10);
    finish(m, 0, 10, 10);
    assert_false(hd_cannot_pass(m, &c));
    finish(m, 1, 10, 10);
    assert_true(hd_passes(m, &c));
    hd_measure_free(m);
    m = hd_measure_new(&(struct hd_expected){2, requests, tokens}, 0, HD_TICK_NEVER);
    finish(m, 1, 10, 9);
    assert_true(hd_cannot_pass(m, &c));
    hd_measure_free(m);
}

/* Two classes, one stricter: each is judged by its own target, and so are its rare
 * models. */
static void targets_of_their_own(void **state) {
    (void)state;
    int64_t requests[] = {10, 10, 10}, tokens[] = {100, 100, 100};
    struct hd_criterion model = {HD_METRIC_TOKEN, HD_PASS_MODEL, 0.5};
    struct hd_criterion pooled = {HD_METRIC_TOKEN, HD_PASS_POOLED, 0.5};
    struct hd_measure *m =
        hd_measure_new(&(struct hd_expected){3, requests, tokens}, 0, HD_TICK_NEVER);
    m->model[0].attain = 0.9; /* rare at 0.9, which takes 100 requests */
    assert_true(hd_target(m, 0, 0.5) == 0.9 && hd_target(m, 1, 0.5) == 0.5);
    assert_false(hd_judged(m, 0, 0.5));
    for (int n = 0; n < 10; n++) {
        finish(m, 0, 10, 9);
        finish(m, 1, 10, 5);
        finish(m, 2, 10, 5);
    }
    assert_true(hd_attained(m, HD_METRIC_TOKEN, -2, 0.5) == 0.5);
    assert_true(hd_passes(m, &model) && hd_passes(m, &pooled));
    m->model[1].attain = 0.9;
    assert_false(hd_passes(m, &model));
    assert_false(hd_passes(m, &pooled)); /* 140 of 200, although 0.63 of all */
    m->model[1].attain = 0.6;
    assert_false(hd_passes(m, &pooled)); /* though the pool of all would */
    hd_measure_free(m);
}

enum { MODELS = 4, MOST = 200 };

struct run { /* requests in the order in which they end */
    int64_t requests[MODELS], tokens[MODELS];
    int total, model[MOST], output[MOST], on_time[MOST];
    double own[MODELS]; /* targets of their own, mostly 0: none */
    struct hd_criterion criterion;
};

static struct hd_measure *measure_of(const struct run *r) {
    struct hd_measure *m = hd_measure_new(
        &(struct hd_expected){MODELS, r->requests, r->tokens}, 0, HD_TICK_NEVER);
    for (int n = 0; n < MODELS; n++) m->model[n].attain = r->own[n];
    return m;
}

static struct run random_run(void) {
    static const double attain[] = {0.5, 0.7, 0.75, 0.8, 0.9};
    struct run r = {.criterion = {(enum hd_metric)draw(HD_METRICS),
                                  (enum hd_pass_rule)draw(HD_PASS_RULES),
                                  attain[draw(5)]}};
    uint64_t bad_share = draw(50);
    for (int m = 0; m < MODELS; m++) {
        r.requests[m] = (int64_t)draw(m ? 30 : 80);
        if (draw(3) == 0) r.own[m] = attain[draw(5)];
        for (int64_t n = 0; n < r.requests[m]; n++) r.model[r.total++] = m;
    }
    for (int n = r.total - 1; n > 0; n--) {
        int with = (int)draw((uint64_t)n + 1), swap = r.model[n];
        r.model[n] = r.model[with];
        r.model[with] = swap;
    }
    for (int n = 0; n < r.total; n++) {
        int output = 1 + (int)draw(9);
        r.output[n] = output;
        r.on_time[n] = draw(100) < bad_share ? (int)draw((uint64_t)output + 1) : output;
        r.tokens[r.model[n]] += output;
    }
    return r;
}

/* What comes out if the first `known` end as they do and the others perfectly. */
static bool passes_if(const struct run *r, int known) {
    struct hd_measure *m = measure_of(r);
    for (int n = 0; n < r->total; n++)
        finish(m, r->model[n], r->output[n], n < known ? r->on_time[n] : r->output[n]);
    bool passes = hd_passes(m, &r->criterion);
    hd_measure_free(m);
    return passes;
}

/* Random runs: until it cannot pass the perfect future does, and from then on it
 * does not. */
static void cannot_pass_is_exact(void **state) {
    (void)state;
    int turned = 0, passed = 0;
    for (int n = 0; n < 600; n++) {
        seed = (uint64_t)n;
        struct run r = random_run();
        struct hd_measure *m = measure_of(&r);
        int turn = hd_cannot_pass(m, &r.criterion) ? 0 : -1;
        for (int known = 1; known <= r.total; known++) {
            finish(m, r.model[known - 1], r.output[known - 1], r.on_time[known - 1]);
            bool cannot = hd_cannot_pass(m, &r.criterion);
            assert_true(cannot || turn < 0); /* never taken back */
            if (cannot && turn < 0) turn = known;
        }
        assert_int_equal(hd_passes(m, &r.criterion), turn < 0);
        hd_measure_free(m);
        assert_int_not_equal(turn, 0);
        if (turn > 0) {
            assert_true(passes_if(&r, turn - 1));
            assert_false(passes_if(&r, turn));
            turned++;
        } else {
            passed++;
        }
    }
    assert_true(turned > 150 && passed > 150);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_number),
        cmocka_unit_test(rare_models_count_together),
        cmocka_unit_test(exactly_at_the_target),
        cmocka_unit_test(all_of_them),
        cmocka_unit_test(targets_of_their_own),
        cmocka_unit_test(cannot_pass_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
