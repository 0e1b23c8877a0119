/* The account of a run: sums, window, blame, when `hopeless` is asked. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "measure/measure.h"

#define S HD_TICKS_PER_S

static const int64_t requests[] = {3, 2}, tokens[] = {30, 11};

static struct hd_measure *fresh(hd_tick from, hd_tick to) {
    return hd_measure_new(&(struct hd_expected){2, requests, tokens}, from, to);
}

static struct hd_finished done(int model, hd_tick arrival, int output, int on_time) {
    return (struct hd_finished){.model = model,
                                .measured = true,
                                .status = HD_STATUS_DONE,
                                .output_tokens = output,
                                .emitted_tokens = output,
                                .tokens_on_time = on_time,
                                .ratio = (double)on_time / output,
                                .request_ok = on_time == output,
                                .arrival = arrival,
                                .first_token = arrival + 2 * S,
                                .last_token = arrival + 2 * S + (output - 1) * S,
                                .gap_longest = output > 1 ? S : -1,
                                .ended = arrival + (output + 1) * S,
                                .blame = {S, S, 0, 0, (output - 1) * S, 0}};
}

static void counts_what_ended(void **state) {
    (void)state;
    struct hd_measure *m = fresh(0, 1000 * S);
    assert_int_equal(m->measured, 5);
    assert_int_equal(m->tokens, 41);
    struct hd_finished f = done(0, 5 * S, 10, 10);
    assert_false(hd_measure_finish(m, &f));
    f = done(0, 6 * S, 10, 4);
    hd_measure_finish(m, &f);
    f = done(1, 7 * S, 1, 1);
    hd_measure_finish(m, &f);
    f = (struct hd_finished){.model = 1,
                             .measured = true,
                             .status = HD_STATUS_REJECTED,
                             .output_tokens = 10,
                             .emitted_tokens = 2,
                             .tokens_on_time = 2, /* of no use: it failed */
                             .arrival = 0,
                             .first_token = 8 * S,
                             .last_token = 9 * S,
                             .gap_longest = S};
    hd_measure_finish(m, &f);
    f = (struct hd_finished){.model = 0,
                             .measured = true,
                             .status = HD_STATUS_EMPTY,
                             .first_token = -1,
                             .last_token = -1,
                             .gap_longest = -1};
    hd_measure_finish(m, &f);
    f = done(0, 0, 1000, 1000);
    f.measured = false;
    hd_measure_finish(m, &f);

    int64_t sum = 0;
    for (int s = 0; s < HD_STATUSES; s++) sum += m->finished[s];
    assert_int_equal(sum, m->measured);
    assert_int_equal(m->finished[HD_STATUS_DONE], 3);
    assert_int_equal(m->tokens_on_time, 15);
    assert_int_equal(m->tokens_late, 6 + 10 + 1);
    assert_int_equal(m->requests_ok, 2);
    assert_true(fabs((double)m->ratio_units / (double)HD_RATIO_ONE - 2.4) < 1e-15);
    assert_int_equal(m->model[0].tokens_on_time, 14);
    assert_int_equal(m->model[0].tokens_late, 7);
    assert_int_equal(m->model[1].finished[HD_STATUS_REJECTED], 1);
    assert_int_equal(m->ttft.total, 4);
    assert_int_equal(m->ttft.max, 8 * S);
    assert_int_equal(m->e2e.total, 3);
    assert_int_equal(m->tpot.total, 2);
    assert_int_equal(m->gap_longest.total, 3);
    assert_int_equal(m->model[0].ttft->total, 2);
    assert_int_equal(m->model[1].e2e->total, 1);
    hd_measure_close(m, 1000 * S);
    assert_true(m->blame_s[HD_BLAME_QUEUE] == 3);
    assert_true(m->blame_s[HD_BLAME_DECODE] == 18);
    assert_true(m->model[1].blame_s[HD_BLAME_SWITCH] == 1);
    hd_measure_free(m);
}

static void clips_to_the_window(void **state) {
    (void)state;
    struct hd_measure *m = fresh(10 * S, 20 * S);
    hd_measure_gpu(m, HD_GPU_DECODE, 4, 0, 10 * S);
    assert_true(m->gpu_ticks[HD_GPU_DECODE] == 0);
    hd_measure_gpu(m, HD_GPU_DECODE, 4, 5 * S, 12 * S);
    hd_measure_gpu(m, HD_GPU_PREFILL, 1, 12 * S, 13 * S);
    hd_measure_gpu(m, (enum hd_gpu_use)(HD_GPU_STAGE + HD_STAGE_GC), 2, 0, 100 * S);
    hd_measure_gpu(m, HD_GPU_START, 2, 0, 11 * S);
    hd_measure_gpu(m, HD_GPU_DECODE, 1, 20 * S, 30 * S);
    hd_measure_active(m, 3, 19 * S, 21 * S);
    hd_measure_active(m, 1, 0, 11 * S);
    hd_measure_stage(m, HD_STAGE_LOAD, 3 * S / 2);
    hd_measure_stage(m, HD_STAGE_LOAD, S);
    assert_true(hd_measure_gpus(m, 3, 15 * S) == 15 * S);
    assert_true(hd_measure_gpus(m, 3, 150 * S) == 30 * S);
    hd_measure_close(m, 150 * S);
    assert_true(m->gpu_s[HD_GPU_DECODE] == 8);
    assert_true(hd_measure_busy_s(m) == 9);
    assert_true(hd_measure_switching_s(m) == 22);
    assert_true(m->gpus_s == 31);
    assert_true(m->active_models_s == 4);
    assert_true(m->stage_s[HD_STAGE_LOAD] == 2.5);
    assert_string_equal(hd_gpu_use_name(HD_GPU_STAGE), "kv_out");
    assert_string_equal(hd_gpu_use_name(HD_GPU_IDLE_WAITING - 1), "kv_in");
    assert_string_equal(hd_gpu_use_name(HD_GPU_START), "start");
    assert_string_equal(hd_gpu_use_name(HD_GPU_IDLE_FREE), "idle_free");
    hd_measure_free(m);

    /* The same stretch cut into pieces of any length gives the same bits. */
    struct hd_measure *whole = fresh(0, HD_TICK_NEVER), *cut = fresh(0, HD_TICK_NEVER);
    hd_measure_gpu(whole, HD_GPU_DECODE, 3, 0, 1234567891011);
    for (hd_tick t = 0; t < 1234567891011; t += 1000003333)
        hd_measure_gpu(cut, HD_GPU_DECODE, 3, t,
                       t + 1000003333 < 1234567891011 ? t + 1000003333 : 1234567891011);
    assert_true(whole->gpu_ticks[HD_GPU_DECODE] == cut->gpu_ticks[HD_GPU_DECODE]);
    hd_measure_free(whole);
    hd_measure_free(cut);
}

static bool count_and_stop(void *context, const struct hd_measure *m) {
    (void)m;
    return ++*(int *)context == 2;
}

static void asks_when_something_missed(void **state) {
    (void)state;
    int asked = 0;
    struct hd_measure *m = fresh(0, 1000 * S);
    m->hopeless = count_and_stop;
    m->hopeless_context = &asked;
    struct hd_finished f = done(0, 0, 10, 10);
    assert_false(hd_measure_finish(m, &f));
    assert_int_equal(asked, 0);
    f.request_ok = false; /* the mean gap may miss though no token is late */
    assert_false(hd_measure_finish(m, &f));
    assert_int_equal(asked, 1);
    f = done(0, 0, 10, 9);
    f.measured = false;
    assert_false(hd_measure_finish(m, &f));
    assert_int_equal(asked, 1);
    f.measured = true;
    assert_true(hd_measure_finish(m, &f));
    hd_measure_free(m);

    int64_t many[200] = {0};
    m = hd_measure_new(&(struct hd_expected){200, many, many}, 0, 1000 * S);
    asked = -1000;
    m->hopeless = count_and_stop;
    m->hopeless_context = &asked;
    for (int n = 0; n < 400; n++) hd_measure_finish(m, &f);
    assert_int_equal(asked, -1000 + 400 / (1 + 200 / 64));
    hd_measure_free(m);
}

static void names(void **state) {
    (void)state;
    assert_string_equal(hd_status_name(HD_STATUS_TOO_LONG), "too_long");
    assert_string_equal(hd_metric_name(HD_METRIC_REQUEST), "request");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_ended),
        cmocka_unit_test(clips_to_the_window),
        cmocka_unit_test(asks_when_something_missed),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
