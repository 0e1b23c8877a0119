/* Measured rows meet the table of their operator, and are grouped with their errors. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "calibrate/kernel_points.h"
#include "calibrate/plot.h"

struct world {
    struct hd_catalog *catalog;
    const struct hd_gpu_spec *gpu;
    struct hd_row_predictor predictor;
    struct hd_kernels set;
    struct hd_plot plot;
};

static int open_world(void **state) {
    static struct world w;
    struct hd_err err = {0};
    w.catalog = hd_catalog_load(&err);
    w.gpu = w.catalog ? hd_catalog_gpu(w.catalog, "H100-SXM", &err) : NULL;
    *state = &w;
    return w.gpu && hd_row_predictor_init(&w.predictor, w.catalog, w.gpu, &err) ? 0
                                                                                : -1;
}

static int empty_world(void **state) {
    struct world *w = *state;
    hd_plot_free(&w->plot);
    hd_kernels_free(&w->set);
    return 0;
}

static int close_world(void **state) {
    struct world *w = *state;
    hd_row_predictor_free(&w->predictor);
    hd_catalog_free(w->catalog);
    return 0;
}

static struct hd_kernel_row row_of(struct world *w, enum hd_kernel_op op,
                                   const char *dtype, const char *variant) {
    struct hd_kernel_row row = hd_kernel_row_of(w->gpu, op);
    row.dtype = dtype;
    row.variant = variant;
    row.time_us = 10;
    return row;
}

static struct hd_kernel_row gemm(struct world *w, const char *dtype, int64_t m) {
    struct hd_kernel_row row = row_of(w, HD_OP_GEMM, dtype, "");
    row.shape[HD_DIM_M] = m;
    row.shape[HD_DIM_N] = row.shape[HD_DIM_K] = 4096;
    return row;
}

static struct hd_kernel_row attention(struct world *w, enum hd_kernel_op op,
                                      int64_t chunk, int64_t batch, int64_t context) {
    struct hd_kernel_row row = row_of(w, op, "bf16", "");
    row.shape[HD_DIM_CHUNK] = chunk;
    row.shape[HD_DIM_PREFIX] = chunk == HD_DIM_ABSENT ? HD_DIM_ABSENT : 0;
    row.shape[HD_DIM_BATCH] = batch;
    row.shape[HD_DIM_CONTEXT] = context;
    row.shape[HD_DIM_HEADS] = 32;
    row.shape[HD_DIM_KV_HEADS] = 8;
    row.shape[HD_DIM_HEAD_DIM] = 128;
    return row;
}

static double says(struct world *w, const struct hd_kernel_row *row) {
    return hd_row_predict(&w->predictor, row).us;
}

static void kernels_meet_their_tables(void **state) {
    struct world *w = *state;
    struct hd_kernel_row wide = gemm(w, "bf16", 512), half = gemm(w, "fp16", 512),
                         narrow = gemm(w, "fp8", 512);
    struct hd_roof_shape shape = hd_kernel_shape_of(&wide);
    const struct hd_kernel_origin *origin;
    const struct hd_kernel_table *table =
        hd_kernel_set_find(w->predictor.set, HD_ROOF_GEMM, HD_ROOF_BF16, &origin);
    double seconds =
        hd_roof_s(&table->law, HD_ROOF_GEMM, HD_ROOF_BF16, w->gpu, 1, &shape);
    assert_true(fabs(says(w, &wide) - 1e6 * seconds) < 1e-9);
    assert_true(says(w, &half) == says(w, &wide));
    assert_true(says(w, &narrow) > 0 && says(w, &narrow) != says(w, &wide));
    struct hd_row_prediction is = hd_row_predict(&w->predictor, &wide);
    assert_true(is.p50 == table->held_out.p50 && is.p90 == table->held_out.p90);
    struct hd_kernel_row far = gemm(w, "bf16", 1 << 24); /* the roofline alone */
    is = hd_row_predict(&w->predictor, &far);
    assert_true(is.p50 == table->roof_only.p50 && is.p90 == table->roof_only.p90);
    struct hd_kernel_row norm = row_of(w, HD_OP_NORM, "bf16", ""); /* a relative's */
    norm.shape[HD_DIM_M] = 64;
    norm.shape[HD_DIM_N] = 4096;
    assert_true(hd_row_predict(&w->predictor, &norm).p90 >= HD_UNSEEN_GPU_P90);
}

/* A prefill and what the decodes add: more than the prefill, and not much more than
 * both alone twice over. Where it was not measured nothing is known. */
static void mixed_attention_is_both(void **state) {
    struct world *w = *state;
    struct hd_kernel_row mixed = attention(w, HD_OP_ATTENTION_MIXED, 512, 32, 1024),
                         prefill = attention(w, HD_OP_ATTENTION_PREFILL, 512, 1,
                                             HD_DIM_ABSENT),
                         decode = attention(w, HD_OP_ATTENTION_DECODE, HD_DIM_ABSENT,
                                            32, 1024);
    assert_true(says(w, &mixed) == 0);
    struct hd_row_predictor other;
    struct hd_err err = {0};
    const struct hd_gpu_spec *gpu =
        hd_catalog_gpu(w->catalog, "RTX-PRO-6000-Server", &err);
    assert_true(hd_row_predictor_init(&other, w->catalog, gpu, &err));
    mixed.gpu = prefill.gpu = decode.gpu = gpu;
    double alone = hd_row_predict(&other, &prefill).us,
           decodes = hd_row_predict(&other, &decode).us,
           both = hd_row_predict(&other, &mixed).us;
    assert_true(alone > 0 && decodes > 0);
    assert_true(both > alone && both < 2 * (alone + decodes));
    hd_row_predictor_free(&other);
}

static void iterations_meet_the_law(void **state) {
    struct world *w = *state;
    struct hd_kernel_row step = row_of(w, HD_OP_STEP, "fp16", "decode:qwen2.5-7b");
    step.shape[HD_DIM_BATCH] = 8;
    step.shape[HD_DIM_CONTEXT] = 512;
    double few = says(w, &step);
    assert_true(few > 1e3 && few < 1e5);
    step.shape[HD_DIM_BATCH] = 64;
    assert_true(says(w, &step) > few);
    step.variant = "decode:nobodys-model";
    assert_true(says(w, &step) == 0);
}

static void nothing_is_said_of_the_rest(void **state) {
    struct world *w = *state;
    struct hd_kernel_row spin = row_of(w, HD_OP_SYNC, "", "spin"),
                         single = row_of(w, HD_OP_SAMPLING, "fp32", "argmax"),
                         empty =
                             attention(w, HD_OP_ATTENTION_DECODE, HD_DIM_ABSENT, 4, 0);
    assert_true(says(w, &spin) == 0 && says(w, &single) == 0 && says(w, &empty) == 0);
    assert_true(isnan(hd_row_predict(&w->predictor, &spin).p90));
}

static void groups_have_their_errors(void **state) {
    struct world *w = *state;
    for (int n = 0; n < 3; n++) { /* measured 1, 2 and 4 times as long as predicted */
        struct hd_kernel_row row = gemm(w, "bf16", 512 << n);
        row.time_us = says(w, &row) * (1 << n);
        row.variant = n == 2 ? "op:some" : "op:model";
        hd_kernels_add(&w->set, &row);
    }
    struct hd_kernel_row read = row_of(w, HD_OP_HBM, "", "read"),
                         warm = row_of(w, HD_OP_HBM, "", "read_warm"),
                         spin = row_of(w, HD_OP_SYNC, "", "spin");
    read.shape[HD_DIM_BYTES] = warm.shape[HD_DIM_BYTES] = 1 << 30;
    hd_kernels_add(&w->set, &read);
    hd_kernels_add(&w->set, &warm);
    hd_kernels_add(&w->set, &spin);
    hd_plot_of(&w->plot, &w->set, &w->predictor);
    assert_int_equal(w->plot.groups, 2);
    assert_int_equal(w->plot.not_shown, 2);
    assert_int_equal(w->plot.points, 4);
    assert_int_equal(w->plot.predicted, 3);
    const struct hd_plot_group *g = &w->plot.group[0];
    assert_string_equal(g->kind, "op");
    assert_int_equal(g->predicted, 3);
    assert_true(fabs(g->ratio[2] - 0.5) < 1e-9);
    assert_true(fabs(g->error.p50 - 0.5) < 1e-9);
    assert_true(fabs(w->plot.error.p50 - 0.5) < 1e-9);
    assert_true(g->claim_p90 > 0 && fabs(w->plot.claim_p90 - g->claim_p90) < 1e-9);
    assert_true(g->point[0].flops == 2.0 * 512 * 4096 * 4096);
    assert_true(w->plot.group[1].point[0].bytes == 1 << 30);
    assert_true(isnan(w->plot.group[1].claim_p90));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_meet_their_tables),
        cmocka_unit_test(mixed_attention_is_both),
        cmocka_unit_test(iterations_meet_the_law),
        cmocka_unit_test(nothing_is_said_of_the_rest),
        cmocka_unit_test_teardown(groups_have_their_errors, empty_world),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
