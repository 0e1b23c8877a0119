/* Derived figures against numbers worked out by hand, and against the pass rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "plan/report_figures.h"
#include "unit/report_world.h"

static const struct hd_criterion model_rule = {HD_METRIC_TOKEN, HD_PASS_MODEL, 0.9};

static void near(double value, double expected) {
    if (fabs(value - expected) > 1e-12 * fabs(expected))
        fail_msg("%.17g is not %.17g", value, expected);
}

/* A histogram's quantile is off by 1/512 at most. */
static void quantile_near(double value, double expected) {
    if (fabs(value - expected) > expected / 512)
        fail_msg("%.17g is not near %.17g", value, expected);
}

static void spreads(void **state) {
    (void)state;
    double ten[] = {0.9, 0.1, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 1.0}, eleven[11];
    struct hd_spread s = hd_spread_of(ten, 10);
    near(s.worst, 0.1);
    assert_int_equal(s.worst_entry, 1);
    near(s.mean, 0.55);
    near(s.p10, 0.1); /* rank 1 of 10 */
    near(s.jain, 5.5 * 5.5 / (10 * 3.85));
    for (int i = 0; i < 11; i++) eleven[i] = (11 - i) / 11.0;
    near(hd_spread_of(eleven, 11).p10, 2 / 11.0); /* rank ceil(1.1) = 2 */
    near(hd_spread_of((double[]){0.25, 0.25, 0.25}, 3).jain, 1);
    near(hd_spread_of((double[]){1, 0, 0, 0}, 4).jain, 0.25);
    assert_true(isnan(hd_spread_of((double[]){0, 0}, 2).jain));
    assert_true(isnan(hd_spread_of(NULL, 0).mean));
}

static void figures_by_hand(void **state) {
    (void)state;
    struct report_world w;
    struct hd_run_figures f;
    report_world_make(&w);
    hd_run_figures(&w.question, &w.record, &model_rule, &f);
    assert_int_equal(f.counts.measured, 310);
    assert_int_equal(f.counts.done, 305);
    assert_int_equal(f.counts.rejected, 5);
    near(f.attain.token, 2305.0 / 2420);
    near(f.attain.ratio, 292.5 / 310);
    near(f.attain.request, 280.0 / 310);
    near(f.pooled, 2305.0 / 2420);
    assert_int_equal(f.pass.judged_from, 100);
    assert_int_equal(f.pass.judged_models, 2);
    assert_int_equal(f.pass.rare_models, 1);
    assert_int_equal(f.models, 3);
    near(f.spread.worst, 0.25); /* 5 of 20 */
    assert_string_equal(f.worst_model, "(rare)");
    near(f.spread.mean, (0.95 + 1 + 0.25) / 3);
    near(f.spread.p10, 0.25);
    near(f.spread.jain, 2.2 * 2.2 / (3 * (0.95 * 0.95 + 1 + 0.0625)));
    assert_int_equal(f.pass.ok, 0);
    assert_int_equal(f.pass.failing_models.count, 1);
    assert_string_equal(f.pass.failing_models.item[0], "(rare)");
    quantile_near(f.ttft.p50_s, 0.5);
    quantile_near(f.ttft.p99_s, 0.5);
    near(f.ttft.mean_s, 0.5);
    quantile_near(f.tbt.p90_s, 0.125);
    quantile_near(f.e2e.p50_s, 2);
    /* 1.5 s over 9, 3 and 1 gaps: 200, 100 and 5 requests */
    quantile_near(f.tpot.p50_s, 1.5 / 9);
    quantile_near(f.tpot.p90_s, 0.5);
    quantile_near(f.tpot.p99_s, 1.5);
    if (fabs(f.tpot.mean_s - (200 * 1.5 / 9 + 100 * 0.5 + 5 * 1.5) / 305) > 1e-9)
        fail();
    near(f.goodput.requests_per_s, 2.8);
    near(f.goodput.tokens_per_s, 23.05);
    assert_int_equal(f.output_tokens, 2410);
    near(f.output_tokens_per_s, 24.1);
    near(f.gpu_hours, 800 / 3600.0);
    near(f.models_per_gpu, 0.375);
    near(f.gpu[HD_SHARE_BUSY], 0.25);
    near(f.gpu[HD_SHARE_SWITCHING], 0.125);
    near(f.gpu[HD_SHARE_IDLE_FREE], 0.625);
    double sum = 0, blame = 0;
    for (int u = 0; u < HD_GPU_SHARES; u++) sum += f.gpu[u];
    near(sum, 1);
    for (int b = 0; b < HD_BLAMES; b++) blame += f.blame_s[b];
    near(blame, 610);
    near(f.latency_s, 610);
    near(f.load.active_models, 1.5);
    near(f.load.active_models_if_independent, 3 - exp(-4) - exp(-2) - exp(-0.1));
    near(f.stage_s[HD_STAGE_LOAD], 12.5);
    near(f.timing_error_p50, 0.05);
    hd_run_figures_free(&f);
    report_world_free(&w);
}

/* At 99 % a model needs 1,000 requests: all three are judged together. */
static void all_rare(void **state) {
    (void)state;
    struct report_world w;
    struct hd_run_figures f;
    report_world_make(&w);
    hd_run_figures(&w.question, &w.record,
                   &(struct hd_criterion){HD_METRIC_REQUEST, HD_PASS_MODEL, 0.99}, &f);
    assert_int_equal(f.pass.judged_models, 0);
    assert_int_equal(f.pass.rare_models, 3);
    near(f.pooled, 280.0 / 310);
    near(f.spread.worst, 280.0 / 310);
    near(f.spread.jain, 1);
    hd_run_figures_free(&f);
    report_world_free(&w);
}

static void models_and_classes(void **state) {
    (void)state;
    struct report_world w;
    struct hd_model_figures m;
    struct hd_class_figures c;
    report_world_make(&w);
    hd_model_figures(&w.question, &w.record, 0.9, 2, &m);
    assert_string_equal(m.name, "cold");
    assert_int_equal(m.requests, 10);
    assert_int_equal(m.done, 5);
    assert_int_equal(m.rejected, 5);
    assert_int_equal(m.judged, 0);
    near(m.attain.token, 0.25);
    near(m.attain.ratio, 0.25);
    near(m.attain.request, 0);
    near(m.blame_s[HD_BLAME_DECODE], 7.5);
    hd_class_figures(&w.question, &w.record, 0.9, 0, &c); /* one class: everything */
    assert_int_equal(c.models, 3);
    assert_int_equal(c.requests, 310);
    near(c.attain.token, 2305.0 / 2420);
    near(c.attain.ratio, 292.5 / 310);
    near(c.attain.request, 280.0 / 310);
    near(c.worst_model_attain, 0.95);
    assert_string_equal(c.worst_model, "hot");
    quantile_near(c.ttft.p50_s, 0.5);
    near(c.e2e.mean_s, 2);
    near(c.ttft_limit_s, 10);
    report_world_free(&w);
}

/* A run that was stopped early tells nothing but what it was judged by. */
static void absent_unless_whole(void **state) {
    (void)state;
    struct report_world w;
    struct hd_run_figures f;
    report_world_make(&w);
    w.record.end = HD_RUN_DECIDED;
    hd_run_figures(&w.question, &w.record, &model_rule, &f);
    assert_int_equal(f.pass.ok, -1);
    assert_int_equal(f.counts.measured, HD_INT_ABSENT);
    assert_true(isnan(f.ttft.p99_s) && isnan(f.pooled) && isnan(f.gpu[0]));
    assert_null(f.worst_model);
    near(f.window.to_s, 100);
    report_world_free(&w);
}

static uint64_t seed = 7;

static int draw(int below) { /* splitmix64 */
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (int)((z ^ (z >> 31)) % (uint64_t)below);
}

/* No model is named as failing exactly when the rule `model` passes, and with one
 * target that is when the worst entry reaches it. Random results, also with targets
 * of the models' own. */
static void agrees_with_the_rule(void **state) {
    (void)state;
    struct report_world w;
    report_world_make(&w);
    int passed = 0, own = 0;
    for (int turn = 0; turn < 4000; turn++) {
        int64_t requests[3], tokens[3];
        for (int n = 0; n < 3; n++) {
            requests[n] = draw(3) ? draw(40) : 0;
            tokens[n] = 10 * requests[n];
        }
        struct hd_measure *m =
            hd_measure_new(&(struct hd_expected){3, requests, tokens}, 0, 1000);
        struct hd_criterion c = {(enum hd_metric)draw(HD_METRICS), HD_PASS_MODEL, 0.5};
        bool targets = draw(2);
        for (int n = 0; n < 3; n++) {
            if (targets && draw(2)) m->model[n].attain = draw(2) ? 0.6 : 0.4;
            int late = draw(8); /* of 10 tokens, about */
            for (int64_t i = 0; i < requests[n]; i++) {
                int on_time = 10 - late - draw(3);
                hd_measure_finish(m, &(struct hd_finished){.model = n,
                                                           .measured = true,
                                                           .status = HD_STATUS_DONE,
                                                           .output_tokens = 10,
                                                           .tokens_on_time = on_time,
                                                           .ratio = on_time / 10.0,
                                                           .request_ok = on_time > 5,
                                                           .gap_longest = -1});
            }
        }
        struct hd_run_record r = w.record;
        struct hd_run_figures f;
        r.measure = m;
        hd_run_figures(&w.question, &r, &c, &f);
        bool passes = hd_passes(m, &c);
        assert_int_equal(f.pass.failing_models.count == 0, passes);
        assert_int_equal(f.pass.ok, passes);
        if (!targets && f.models) assert_int_equal(f.spread.worst >= 0.5, passes);
        passed += passes;
        own += targets && !passes;
        hd_run_figures_free(&f);
        hd_measure_free(m);
    }
    assert_in_range(passed, 400, 3600); /* both happen, so the test tells something */
    assert_in_range(own, 100, 3600);
    report_world_free(&w);
}

static void names_runs(void **state) {
    (void)state;
    struct report_world w;
    report_world_make(&w);
    report_world_compare(&w, 2);
    struct hd_answer *a = &w.comparison.answer[2];
    char *folder = hd_run_folder(&w.question, a);
    assert_string_equal(folder, "runs/aegaeon-x1-model-0.9-8");
    free(folder);
    w.question.scales = 1;
    w.question.pass[HD_PASS_POOLED] = false;
    folder = hd_run_folder(&w.question, a);
    assert_string_equal(folder, "runs/aegaeon-0.9-8");
    free(folder);
    report_world_free(&w);
}

static void rows_of_answers(void **state) {
    (void)state;
    struct report_world w;
    struct hd_row_figures row;
    report_world_make(&w);
    report_world_compare(&w, 5);
    hd_row_figures(&w.question, &w.comparison.answer[2], &row);
    assert_string_equal(row.policy, "aegaeon");
    assert_int_equal(row.reached, 1);
    assert_int_equal(row.gpus, 18);
    assert_int_equal(row.baseline_gpus, 52);
    near(row.saved, 1 - 18 / 52.0);
    assert_int_equal(row.fails_above.count, 2);
    near(row.limit.window_s.to, 100);
    near(row.f.pooled, 2305.0 / 2420);
    hd_row_figures_free(&row);
    struct hd_answer *last = &w.comparison.answer[w.comparison.answers - 1];
    hd_row_figures(&w.question, last, &row); /* reached nothing: nothing is shown */
    assert_int_equal(row.reached, 0);
    assert_int_equal(row.gpus, HD_INT_ABSENT);
    assert_true(isnan(row.saved) && isnan(row.f.ttft.p50_s));
    near(row.best, 0.8125);
    assert_null(row.run);
    hd_row_figures_free(&row);
    last->whole = false; /* interrupted: not even that is known */
    hd_row_figures(&w.question, last, &row);
    assert_int_equal(row.reached, -1);
    assert_true(isnan(row.best));
    hd_row_figures_free(&row);
    report_world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spreads),
        cmocka_unit_test(figures_by_hand),
        cmocka_unit_test(all_rare),
        cmocka_unit_test(models_and_classes),
        cmocka_unit_test(absent_unless_whole),
        cmocka_unit_test(agrees_with_the_rule),
        cmocka_unit_test(names_runs),
        cmocka_unit_test(rows_of_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
