/* Replicas of models alone against every smaller number tried in a market of that
 * model only, and layouts against the engine's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "plan/once.h"
#include "plan/replicas.h"
#include "plan_market.h"

static struct hd_setup *setup_of(const struct market *m) {
    struct hd_err err = {0};
    struct hd_setup *s = hd_setup_new(&m->question, &err);
    if (!s) fail_msg("%s", err.text);
    return s;
}

/* The same model as the only one of a market: nothing of `alone` is used. */
static double attained_as_only_model(struct market *m, int model, int replicas,
                                     double scale) {
    struct hd_question q = m->question;
    struct hd_trace t = m->trace;
    struct hd_trace_row *row = malloc(sizeof *row * (size_t)t.rows);
    t.row = row;
    t.rows = 0;
    for (int64_t n = 0; n < m->trace.rows; n++) {
        if (m->trace.row[n].model != model) continue;
        t.row[t.rows] = m->trace.row[n];
        t.row[t.rows++].model = 0;
    }
    q.trace = &t;
    q.models = 1;
    q.model = &m->model[model];
    struct hd_err err = {0};
    struct hd_setup *s = hd_setup_new(&q, &err);
    struct hd_scene scene;
    struct hd_outcome o;
    hd_scene_open(s, &(struct hd_case){scale, replicas * q.model[0].tp, -1, &replicas},
                  &scene);
    hd_once(&scene, HD_POLICY_FIXED, &(struct hd_views){0}, &o);
    assert_int_equal(o.end, HD_RUN_WHOLE);
    double attained = hd_attained(o.measure, q.metric, -1, 0);
    hd_outcome_free(&o);
    hd_scene_close(&scene);
    hd_setup_free(s);
    free(row);
    return attained;
}

static void needs_are_the_fewest(void **state) {
    (void)state;
    double target[] = {0.9, 0.99};
    int largest = 0;
    for (int metric = 0; metric < HD_METRICS; metric++) {
        struct market *m = market_new(4, 150, 0.4, 40, 5 + (uint64_t)metric);
        m->question.metric = (enum hd_metric)metric;
        m->model[1].tp = 2;
        struct hd_setup *s = setup_of(m);
        for (int n = 0; n < 4; n++) {
            struct hd_need need[2];
            struct hd_effort effort = {0};
            struct hd_err err = {0};
            double scale = metric == HD_METRIC_RATIO ? 0.3 : 0.4;
            assert_true(hd_needs_of(s, n, scale, target, 2, need, &effort, &err));
            for (int a = 0; a < 2; a++) {
                assert_false(need[a].hopeless);
                double got = attained_as_only_model(m, n, need[a].replicas, scale);
                assert_true(got >= target[a]);
                assert_true(need[a].margin == got - target[a]);
                for (int k = 1; k < need[a].replicas; k++)
                    assert_true(attained_as_only_model(m, n, k, scale) < target[a]);
                if (need[a].replicas > largest) largest = need[a].replicas;
            }
            assert_true(effort.runs >= 1 && effort.cut < effort.runs);
        }
        hd_setup_free(s);
        market_free(m);
    }
    print_message("up to %d replicas\n", largest);
    assert_true(largest > 2); /* the search had something to search */
}

static void a_class_and_a_models_file_have_their_say(void **state) {
    (void)state;
    struct market *m = market_new(2, 60, 0.5, 30, 9);
    m->model[1].min_replicas = 5;
    struct hd_setup *s = setup_of(m);
    struct hd_need loose, strict, own;
    struct hd_effort effort = {0};
    struct hd_err err = {0};
    double low = 0.3, high = 0.999;
    assert_true(hd_needs_of(s, 0, 0.3, &low, 1, &loose, &effort, &err));
    assert_true(hd_needs_of(s, 0, 0.3, &high, 1, &strict, &effort, &err));
    assert_true(loose.replicas < strict.replicas);
    m->slo.attain = high;
    assert_true(hd_needs_of(s, 0, 0.3, &low, 1, &own, &effort, &err));
    assert_int_equal(own.replicas, strict.replicas);
    m->slo.attain = 0;
    assert_true(hd_needs_of(s, 1, 1, &low, 1, &own, &effort, &err));
    assert_int_equal(own.replicas, 5);
    hd_setup_free(s);
    market_free(m);
}

/* A tenth of a model's requests can never be served: it is hopeless at 99 %, and gets
 * what keeps 99 % of the rest. With no limit that can be kept it gets one. */
static void hopeless_models(void **state) {
    (void)state;
    struct market *m = market_new(1, 60, 1, 30, 11);
    struct hd_need plain, some, none;
    struct hd_effort effort = {0};
    struct hd_err err = {0};
    double target = 0.99;
    struct hd_setup *s = setup_of(m);
    assert_true(hd_needs_of(s, 0, 0.3, &target, 1, &plain, &effort, &err));
    hd_setup_free(s);
    assert_false(plain.hopeless);
    for (int64_t n = 0; n < m->trace.rows; n += 10)
        m->trace.row[n].input_tokens = 10000000;
    s = setup_of(m);
    assert_true(hd_setup_load(s).too_long > 0);
    assert_true(hd_needs_of(s, 0, 0.3, &target, 1, &some, &effort, &err));
    assert_true(some.hopeless);
    assert_in_range(some.replicas, 1, plain.replicas);
    assert_true(some.replicas > 1);
    assert_true(hd_needs_of(s, 0, 1e-6, &target, 1, &none, &effort, &err));
    assert_true(none.hopeless);
    assert_int_equal(none.replicas, 1);
    hd_setup_free(s);
    market_free(m);
}

/* Layouts: the computed number of GPUs is the least with which the engine can start. */
static void layouts_fit_where_the_engine_can_start(void **state) {
    (void)state;
    struct market *m = market_new(5, 1, 1, 10, 3);
    int tps[] = {1, 4, 2, 4, 1};
    for (int n = 0; n < 5; n++) m->model[n].tp = tps[n];
    struct hd_setup *s = setup_of(m);
    for (int round = 0; round < 30; round++) {
        int replicas[5];
        for (int n = 0; n < 5; n++) replicas[n] = 1 + (round * 7 + n * 3) % 4;
        int gpus = hd_replicas_gpus(s, replicas);
        for (int g = gpus - 1; g <= gpus; g++) {
            struct hd_scene scene;
            struct hd_outcome o;
            hd_scene_open(s, &(struct hd_case){1, g, -1, replicas}, &scene);
            hd_once(&scene, HD_POLICY_FIXED, &(struct hd_views){0}, &o);
            assert_int_equal(o.end, g < gpus ? HD_RUN_CANNOT : HD_RUN_WHOLE);
            hd_outcome_free(&o);
            hd_scene_close(&scene);
        }
    }
    hd_setup_free(s);
    market_free(m);
}

static void what_is_left_goes_to_the_tightest(void **state) {
    (void)state;
    struct market *m = market_new(3, 1, 1, 10, 3);
    struct hd_setup *s = setup_of(m);
    struct hd_need need[] = {{2, 0.05, false}, {1, 0.01, false}, {1, 1, true}};
    int expected[][3] = {{2, 1, 1}, {2, 1, 1}, {2, 2, 1},
                         {3, 2, 1}, {3, 2, 2}, {3, 3, 2}};
    for (int gpus = 3; gpus < 9; gpus++) {
        int replicas[3];
        hd_replicas_on(s, gpus, need, replicas);
        assert_memory_equal(replicas, expected[gpus - 3], sizeof replicas);
    }
    hd_setup_free(s);
    market_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_are_the_fewest),
        cmocka_unit_test(a_class_and_a_models_file_have_their_say),
        cmocka_unit_test(hopeless_models),
        cmocka_unit_test(layouts_fit_where_the_engine_can_start),
        cmocka_unit_test(what_is_left_goes_to_the_tightest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
