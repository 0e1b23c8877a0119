/* The work that a trace asks for, against its requests timed one by one. */
#include "plan/demand.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "plan/timings.h"

enum { ROWS = 6, MODELS = 2, BATCH = 16, INTERVALS = 3 };

struct world {
    struct hd_catalog *catalog;
    struct hd_engines *engines;
    struct hd_trace_row row[ROWS];
    struct hd_trace trace;
    struct hd_market_model model[MODELS];
    struct hd_question q;
};

static int open_world(void **state) {
    static struct world w = {
        .row = {{.at = 0, .input_tokens = 100, .output_tokens = 50},
                {.at = 5, .model = 1, .input_tokens = 900, .output_tokens = 1},
                {.at = 12, .input_tokens = 0, .output_tokens = 7},
                {.at = 13, .input_tokens = 10, .output_tokens = 0},
                {.at = 14, .input_tokens = 4000, .output_tokens = 97}, /* 4,096 fit */
                {.at = 29, .model = 1, .input_tokens = 2000, .output_tokens = 300}},
    };
    struct hd_err err = {0};
    for (int i = 0; i < ROWS; i++) w.row[i].at *= HD_TICKS_PER_S;
    w.trace = (struct hd_trace){.row = w.row, .rows = ROWS, .models = MODELS};
    w.catalog = hd_catalog_load(&err);
    w.engines = hd_engines_load(&err);
    assert_non_null(w.catalog);
    assert_non_null(w.engines);
    w.model[0] = (struct hd_market_model){
        .spec = hd_catalog_model(w.catalog, "llama-2-7b", &err), .tp = 1};
    w.model[1] = (struct hd_market_model){
        .spec = hd_catalog_model(w.catalog, "llama-2-70b", &err), .tp = 4};
    w.q = (struct hd_question){.catalog = w.catalog,
                               .trace = &w.trace,
                               .models = MODELS,
                               .model = w.model,
                               .parts = 1,
                               .engine =
                                   hd_engines_find(w.engines, HD_ENGINE_DEFAULT, &err)};
    w.q.part[0].gpu = hd_catalog_gpu(w.catalog, "H100", &err);
    *state = &w;
    return 0;
}

static int close_world(void **state) {
    struct world *w = *state;
    hd_engines_free(w->engines);
    hd_catalog_free(w->catalog);
    return 0;
}

static void near(double got, double expected) {
    if (!(fabs(got - expected) <= 1e-12 * fabs(expected)))
        fail_msg("%.17g, expected %.17g", got, expected);
}

static void one_by_one(void **state) {
    struct world *w = *state;
    struct hd_err err = {0};
    struct hd_demand d;
    assert_true(hd_demand(&w->q, BATCH, 10, INTERVALS, &d, &err));
    assert_int_equal(d.counted, 4);
    assert_int_equal(d.too_long, 1);
    assert_int_equal(d.empty, 1);
    struct hd_timings *timings = hd_timings_new(w->q.engine, BATCH);
    assert_true(hd_timings_add_gpu(timings, w->q.part[0].gpu, &err));
    double prefill = 0, decode = 0, model[MODELS] = {0}, interval[INTERVALS] = {0};
    static const int counted[] = {0, 1, 2, 5}, when[] = {0, 0, 1, 2};
    for (int n = 0; n < 4; n++) {
        const struct hd_trace_row *row = &w->row[counted[n]];
        const struct hd_market_model *m = &w->model[row->model];
        int entry;
        const struct hd_timing *t =
            hd_timings_get(timings, w->q.part[0].gpu, m->spec, m->tp, 1, &entry);
        int64_t in = row->input_tokens ? row->input_tokens : 1, until;
        hd_tick slope;
        double prompt = hd_s_from_tick(hd_timing_prefill(t, in, 1, in * in, 0, 0));
        double step = hd_s_from_tick(hd_timing_step(
            t, BATCH, BATCH * (in + row->output_tokens / 2), &slope, &until));
        prefill += m->tp * prompt;
        decode += m->tp * (row->output_tokens - 1) * step / BATCH;
        double both = m->tp * (prompt + (row->output_tokens - 1) * step / BATCH);
        model[row->model] += both;
        interval[when[n]] += both;
    }
    near(d.prefill_gpu_s, prefill);
    near(d.decode_gpu_s, decode);
    for (int m = 0; m < MODELS; m++) near(d.model_gpu_s[m], model[m]);
    for (int i = 0; i < INTERVALS; i++) near(d.interval_gpu_s[i], interval[i]);
    assert_true(d.error_p90 > 0 && d.error_p90 < 1);
    hd_timings_free(timings);
    hd_demand_free(&d);
}

/* Prompts cost the same at any batch; a token's share of a step falls with it. */
static void batches_share(void **state) {
    struct world *w = *state;
    struct hd_err err = {0};
    struct hd_demand alone, many;
    assert_true(hd_demand(&w->q, 1, 10, INTERVALS, &alone, &err));
    assert_true(hd_demand(&w->q, 32, 10, INTERVALS, &many, &err));
    near(many.prefill_gpu_s, alone.prefill_gpu_s);
    assert_true(many.decode_gpu_s < alone.decode_gpu_s / 5);
    assert_true(many.decode_gpu_s > alone.decode_gpu_s / 32);
    hd_demand_free(&alone);
    hd_demand_free(&many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_by_one),
        cmocka_unit_test(batches_share),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
