/* From a question to a run: windows, denominators, rows that cannot be served, nodes,
 * limits; and the account of what decided a verdict. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan/late.h"
#include "plan/once.h"
#include "plan_market.h"

static struct hd_setup *setup_of(const struct market *m) {
    struct hd_err err = {0};
    struct hd_setup *s = hd_setup_new(&m->question, &err);
    if (!s) fail_msg("%s", err.text);
    return s;
}

struct seen { /* every request that ended, against the trace's rows */
    const struct hd_trace *trace;
    int64_t count, measured;
    bool wrong;
};

static void see(void *context, const struct hd_finished *f) {
    struct seen *s = context;
    s->count++;
    s->measured += f->measured;
    s->wrong |= f->id < 0 || f->id >= s->trace->rows ||
                s->trace->row[f->id].at != f->arrival ||
                s->trace->row[f->id].model != f->model;
}

static void conserve(struct market *m, struct hd_load *load) {
    struct hd_setup *s = setup_of(m);
    struct hd_scene scene;
    struct hd_outcome o;
    struct seen seen = {.trace = &m->trace};
    hd_scene_open(s, &(struct hd_case){1, 0, -1, NULL}, &scene);
    hd_once(&scene, HD_POLICY_FIXED,
            &(struct hd_views){.on_finished = see, .on_finished_context = &seen}, &o);
    assert_int_equal(o.end, HD_RUN_WHOLE);
    int64_t ended = 0, tokens = 0;
    for (int i = 0; i < HD_STATUSES; i++) ended += o.measure->finished[i];
    *load = hd_setup_load(s);
    assert_int_equal(ended, load->measured);
    assert_int_equal(o.measure->measured, load->measured);
    assert_int_equal(seen.measured, load->measured);
    assert_int_equal(seen.count, load->sent);
    assert_false(seen.wrong);
    assert_int_equal(o.measure->tokens_on_time + o.measure->tokens_late,
                     o.measure->tokens);
    for (int n = 0; n < m->question.models; n++) tokens += o.measure->model[n].tokens;
    assert_int_equal(tokens, o.measure->tokens);
    hd_outcome_free(&o);
    hd_scene_close(&scene);
    hd_setup_free(s);
}

static void windows_count_whole_requests(void **state) {
    (void)state;
    struct market *m = market_new(4, 3, 0.7, 60, 2);
    for (int from = 0; from < 60; from += 13) {
        for (int to = from + 9; to <= 70; to += 20) {
            m->question.from = from * HD_TICKS_PER_S;
            m->question.to = to * HD_TICKS_PER_S;
            int64_t inside = 0;
            for (int64_t n = 0; n < m->trace.rows; n++)
                inside += m->trace.row[n].at >= m->question.from &&
                          m->trace.row[n].at < m->question.to;
            struct hd_load load;
            conserve(m, &load);
            assert_int_equal(load.measured, inside);
            assert_int_equal(load.sent, m->trace.rows);
        }
    }
    market_free(m);
}

static void what_cannot_be_served_is_counted(void **state) {
    (void)state;
    for (int too_long = HD_FAIL; too_long <= HD_CLIP; too_long++) {
        for (int empty = HD_FAIL; empty <= HD_DROP; empty++) {
            struct market *m = market_new(3, 3, 0.7, 60, 4);
            struct hd_trace *t = &m->trace;
            int64_t longs = 0, empties = 0; /* a row that is both is empty */
            for (int64_t n = 0; n < t->rows; n++) {
                if (n % 5 == 0) t->row[n].output_tokens = 0, empties++;
                if (n % 7 == 0) t->row[n].input_tokens = 1000000; /* some of both */
                if (n % 7 == 0 && n % 5 != 0) longs++;
                if (n % 11 == 1 && n % 7 != 0) t->row[n].input_tokens = 0;
            }
            m->question.too_long = (enum hd_unservable)too_long;
            m->question.zero_output = (enum hd_unservable)empty;
            m->question.from = 10 * HD_TICKS_PER_S;
            struct hd_load load;
            conserve(m, &load);
            assert_int_equal(load.rows, t->rows);
            assert_int_equal(load.empty, empties);
            assert_int_equal(load.too_long, longs);
            int64_t sent = t->rows - (too_long == HD_DROP ? longs : 0) -
                           (empty == HD_DROP ? empties : 0);
            assert_int_equal(load.sent, sent);
            assert_true(load.no_input > 0);

            struct hd_setup *s = setup_of(m);
            struct hd_measure *perfect = hd_setup_perfect(s);
            assert_int_equal(perfect->finished[HD_STATUS_TOO_LONG],
                             too_long == HD_FAIL ? load.too_long_measured : 0);
            assert_int_equal(perfect->finished[HD_STATUS_EMPTY],
                             empty == HD_FAIL ? load.empty_measured : 0);
            hd_measure_free(perfect);

            /* the row behind each request sent */
            int64_t id = 0;
            for (int64_t n = 0; n < t->rows; n++) {
                bool is_empty = n % 5 == 0, is_long = n % 7 == 0 && !is_empty;
                if (is_empty && empty == HD_DROP) continue;
                if (is_long && too_long == HD_DROP) continue;
                assert_int_equal(hd_setup_row(s, id++), n);
            }
            assert_int_equal(id, load.sent);
            hd_setup_free(s);
            market_free(m);
        }
    }
}

static void clipped_requests_fill_the_context(void **state) {
    (void)state;
    struct market *m = market_new(1, 1, 1, 20, 4);
    int context = m->model[0].spec->max_context_tokens;
    struct hd_trace_row *row = m->trace.row;
    assert_true(m->trace.rows > 3);
    row[0].input_tokens = context - 5, row[0].output_tokens = 5;  /* just fits */
    row[1].input_tokens = context - 5, row[1].output_tokens = 90; /* output yields */
    row[2].input_tokens = 5 * context, row[2].output_tokens = 90;
    m->trace.rows = 3;
    m->question.too_long = HD_CLIP;
    struct hd_setup *s = setup_of(m);
    struct hd_scene scene;
    hd_scene_open(s, &(struct hd_case){1, 0, -1, NULL}, &scene);
    int expected[][2] = {{context - 5, 5}, {context - 5, 5}, {context - 1, 1}};
    struct hd_arrival a;
    for (int n = 0; n < 3; n++) {
        assert_int_equal(scene.config.next(scene.config.next_context, &a), 1);
        assert_int_equal(a.input_tokens, expected[n][0]);
        assert_int_equal(a.output_tokens, expected[n][1]);
        assert_false(a.too_long);
    }
    assert_int_equal(scene.config.next(scene.config.next_context, &a), 0);
    assert_int_equal(hd_setup_load(s).too_long, 2);
    hd_scene_close(&scene);
    hd_setup_free(s);
    market_free(m);
}

static void fleets_come_in_nodes(void **state) {
    (void)state;
    struct market *m = market_new(2, 1, 1, 20, 4);
    struct hd_question *q = &m->question;
    q->parts = 2;
    q->part[1] = q->part[0];
    struct hd_err err = {0};
    q->part[1].gpu = hd_catalog_gpu(m->catalog, "A100", &err);
    q->part[1].node.gpus = 4;
    q->part[0].gpus = 19;
    q->part[1].gpus = 6;
    m->slo.tbt_s = INFINITY;
    struct hd_setup *s = setup_of(m);
    struct hd_scene scene;
    hd_scene_open(s, &(struct hd_case){0.5, 0, -1, NULL}, &scene);
    int gpus[] = {8, 8, 3, 4, 2}, kinds[] = {0, 0, 0, 1, 1};
    assert_int_equal(scene.config.nodes, 5);
    assert_int_equal(scene.config.kinds, 2);
    assert_int_equal(hd_scene_gpus(&scene), 25);
    for (int n = 0; n < 5; n++) {
        assert_int_equal(scene.node[n].gpus, gpus[n]);
        assert_int_equal(scene.node[n].kind, kinds[n]);
    }
    assert_int_equal(scene.model[0].ttft, 5 * HD_TICKS_PER_S);
    assert_true(scene.model[0].tbt == HD_TICK_NEVER);
    hd_scene_close(&scene);
    hd_setup_free(s);
    market_free(m);
}

static void refuse(struct market *m, const char *expected) {
    struct hd_err err = {0};
    struct hd_setup *s = hd_setup_new(&m->question, &err);
    assert_null(s);
    if (!strstr(err.text, expected)) fail_msg("%s: not '%s'", err.text, expected);
}

static void questions_that_make_no_sense(void **state) {
    (void)state;
    struct market *m = market_new(2, 1, 1, 20, 4);
    m->question.from = 1000 * HD_TICKS_PER_S;
    m->question.to = 2000 * HD_TICKS_PER_S;
    refuse(m, "no request arrives in the window of 1000 to 2000 s");
    m->question.from = 0;
    m->slo.tbt_s = 61;
    refuse(m, "TBT limit of 61 s");
    m->slo.tbt_s = 0.1;
    m->model[1].tp = 16;
    refuse(m, "model m01 needs 16 GPUs in one node (tp); the largest has 8");
    m->model[1].tp = 1;
    m->model[1].gpu = "B200-SXM";
    refuse(m, "model m01 asks for GPU B200-SXM; the fleet has none");
    market_free(m);
}

/* ---- what decided -------------------------------------------------------- */

static void end_one(struct hd_late *l, struct hd_measure *m, int model, double at_s,
                    int late, enum hd_blame on, int preempted) {
    struct hd_finished f = {.model = model,
                            .measured = true,
                            .status = HD_STATUS_DONE,
                            .output_tokens = 100,
                            .emitted_tokens = 100,
                            .tokens_on_time = 100 - late,
                            .ratio = 1,
                            .arrival = hd_tick_from_s(at_s),
                            .first_token = hd_tick_from_s(at_s + 1),
                            .last_token = hd_tick_from_s(at_s + 40),
                            .gap_longest = 1,
                            .preempted = preempted};
    f.blame[on] = 30 * HD_TICKS_PER_S;
    f.blame[HD_BLAME_DECODE] += 9 * HD_TICKS_PER_S; /* less than 99 gaps of 0.1 s */
    hd_late_add(l, &f);
    hd_measure_finish(m, &f);
}

static void names_window_models_and_resource(void **state) {
    (void)state;
    int64_t requests[] = {200, 200, 2, 200}, tokens[] = {20000, 20000, 200, 20000};
    struct hd_measure *m = hd_measure_new(&(struct hd_expected){4, requests, tokens}, 0,
                                          3600 * HD_TICKS_PER_S);
    hd_tick tbt = HD_TICKS_PER_S / 10;
    struct hd_run_model model[] = {{.name = "a", .tbt = tbt},
                                   {.name = "b", .tbt = tbt},
                                   {.name = "c", .tbt = tbt},
                                   {.name = "d", .tbt = tbt}};
    struct hd_late *l = hd_late_new(m, model);
    assert_false(hd_late_limit(l, m, NULL).known);
    for (int n = 0; n < 199; n++) end_one(l, m, 0, 10, 0, HD_BLAME_WAIT, 0);
    for (int n = 0; n < 200; n++)
        end_one(l, m, 1, 700, n < 100 ? 90 : 0, HD_BLAME_QUEUE, 0);
    for (int n = 0; n < 2; n++) end_one(l, m, 2, 800, 95, HD_BLAME_SWITCH, 0);
    for (int n = 0; n < 200; n++)
        end_one(l, m, 3, 2000, n < 19 ? 95 : 0, HD_BLAME_WAIT, 1);
    end_one(l, m, 0, 820, 100, HD_BLAME_KV, 0);

    struct hd_limit all = hd_late_limit(l, m, NULL);
    assert_true(all.known && all.from == hd_tick_from_s(600) &&
                all.to == hd_tick_from_s(900));
    assert_string_equal(all.models, "b c a");
    assert_string_equal(all.resource, "prefill queue");
    free(all.models);
    /* Of what fails at 95 %: b is judged, c is rare. d passes, with 91 %, at 90 %. */
    struct hd_criterion c = {HD_METRIC_TOKEN, HD_PASS_MODEL, 0.9};
    struct hd_limit failing = hd_late_limit(l, m, &c);
    assert_string_equal(failing.models, "b c");
    free(failing.models);
    hd_late_free(l);

    l = hd_late_new(m, model);
    for (int n = 0; n < 3; n++) end_one(l, m, 3, 3599, 95, HD_BLAME_WAIT, n);
    struct hd_limit memory = hd_late_limit(l, m, NULL);
    assert_string_equal(memory.resource, "KV memory"); /* two of three preempted */
    assert_true(memory.to == hd_tick_from_s(3600));
    free(memory.models);
    hd_late_free(l);

    /* Decoding is blamed for what exceeds the pace that was asked for alone. */
    l = hd_late_new(m, model);
    struct hd_finished slow = {
        .measured = true,
        .status = HD_STATUS_DONE,
        .output_tokens = 101,
        .emitted_tokens = 101,
        .blame = {5 * HD_TICKS_PER_S, 0, 0, 0, 14 * HD_TICKS_PER_S, 0}};
    hd_late_add(l, &slow);
    struct hd_limit pace = hd_late_limit(l, m, NULL);
    assert_string_equal(pace.resource, "prefill queue");
    free(pace.models);
    slow.blame[HD_BLAME_DECODE] = 21 * HD_TICKS_PER_S;
    hd_late_add(l, &slow);
    pace = hd_late_limit(l, m, NULL);
    assert_string_equal(pace.resource, "decode compute");
    free(pace.models);
    slow.status = HD_STATUS_REJECTED;
    hd_late_add(l, &slow);
    hd_late_add(l, &slow);
    hd_late_add(l, &slow);
    pace = hd_late_limit(l, m, NULL);
    assert_string_equal(pace.resource, "rejections");
    free(pace.models);
    hd_late_free(l);
    hd_measure_free(m);
}

/* The stretch that a late token at that time falls into, in a window. */
static void check_bin(hd_tick from, hd_tick to, hd_tick at, hd_tick bin_from,
                      hd_tick bin_to) {
    int64_t one = 1;
    struct hd_measure *m =
        hd_measure_new(&(struct hd_expected){1, &one, &one}, from, to);
    struct hd_run_model model = {.name = "a", .tbt = HD_TICKS_PER_S};
    struct hd_late *l = hd_late_new(m, &model);
    struct hd_finished f = {.measured = true, .output_tokens = 1, .arrival = at};
    hd_late_add(l, &f);
    struct hd_limit limit = hd_late_limit(l, m, NULL);
    assert_true(limit.known && limit.from == bin_from && limit.to == bin_to);
    free(limit.models);
    hd_late_free(l);
    hd_measure_free(m);
}

static void bins_by_arrival(void **state) {
    (void)state;
    const hd_tick s = HD_TICKS_PER_S, most = HD_TICK_SPAN_MAX;
    check_bin(1000 * s, 4601 * s, 1000 * s, 1000 * s, 1300 * s);
    check_bin(1000 * s, 4601 * s, 1300 * s - 1, 1000 * s, 1300 * s);
    check_bin(1000 * s, 4601 * s, 1300 * s, 1300 * s, 1600 * s);
    check_bin(1000 * s, 4601 * s, 4600 * s, 4600 * s, 4601 * s);
    /* short: tenths that cover all of it */
    check_bin(0, 100 * s + 1, 100 * s, 9 * (10 * s + 1), 100 * s + 1);
    /* without an end: any arrival that a trace may hold */
    check_bin(0, HD_TICK_NEVER, most - 1, most - 300 * s, most);
    check_bin(7, 8, 7, 7, 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_count_whole_requests),
        cmocka_unit_test(what_cannot_be_served_is_counted),
        cmocka_unit_test(clipped_requests_fill_the_context),
        cmocka_unit_test(fleets_come_in_nodes),
        cmocka_unit_test(questions_that_make_no_sense),
        cmocka_unit_test(names_window_models_and_resource),
        cmocka_unit_test(bins_by_arrival),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
