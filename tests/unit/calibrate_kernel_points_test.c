/* Rows of measurements as points: which become what, and what a fit may not see. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "calibrate/kernel_points.h"

static const struct hd_gpu_spec gpu = {.name = "G",
                                       .hbm_bytes_per_s = 1e12,
                                       .bf16_flops = 1e14,
                                       .fp8_flops = 2e14,
                                       .sms = 100};
static const struct hd_gpu_spec other = {.name = "H", .hbm_bytes_per_s = 1e12};

static struct hd_kernel_row row(enum hd_kernel_op op, const char *variant,
                                const char *dtype, double time_us) {
    struct hd_kernel_row r = {
        .gpu = &gpu, .op = op, .variant = variant, .dtype = dtype, .time_us = time_us};
    for (int n = 0; n < HD_DIMS; n++) r.shape[n] = HD_DIM_ABSENT;
    return r;
}

static void add_gemm(struct hd_kernels *all, enum hd_kernel_op op, const char *dtype,
                     int64_t m, int64_t n, int64_t k) {
    struct hd_kernel_row r = row(op, "", dtype, (double)(m + n + k));
    r.shape[HD_DIM_M] = m, r.shape[HD_DIM_N] = n, r.shape[HD_DIM_K] = k;
    hd_kernels_add(all, &r);
}

static void add_attention(struct hd_kernels *all, enum hd_kernel_op op,
                          const char *variant, int64_t chunk, int64_t batch,
                          int64_t context, double time_us) {
    struct hd_kernel_row r = row(op, variant, "bf16", time_us);
    r.shape[HD_DIM_CHUNK] = chunk, r.shape[HD_DIM_PREFIX] = 0;
    r.shape[HD_DIM_BATCH] = batch, r.shape[HD_DIM_CONTEXT] = context;
    r.shape[HD_DIM_HEADS] = 32, r.shape[HD_DIM_KV_HEADS] = 8;
    r.shape[HD_DIM_HEAD_DIM] = 128;
    hd_kernels_add(all, &r);
}

static void rows_find_their_operator_type_and_gpu(void **state) {
    (void)state;
    struct hd_kernels all = {0};
    add_gemm(&all, HD_OP_GEMM, "bf16", 1, 2048, 1024);
    add_gemm(&all, HD_OP_GEMM, "fp16", 2, 2048, 1024);
    add_gemm(&all, HD_OP_GEMM, "fp8", 3, 2048, 1024);
    add_gemm(&all, HD_OP_LM_HEAD, "bf16", 4, 128256, 4096);
    add_attention(&all, HD_OP_ATTENTION_DECODE, "even", 0, 8, 512, 20);
    add_attention(&all, HD_OP_ATTENTION_DECODE, "ragged_x", 0, 8, 512, 30);
    add_attention(&all, HD_OP_ATTENTION_DECODE, "even", 0, 8, 0, 10);
    struct hd_kernel_row foreign = all.row[0];
    foreign.gpu = &other;
    hd_kernels_add(&all, &foreign);
    struct hd_roof_points p = {.op = HD_ROOF_GEMM, .type = HD_ROOF_BF16, .gpu = &gpu};
    assert_int_equal(hd_kernel_points_of(&all, &p, NULL, NULL), 0);
    assert_int_equal(p.points, 3);
    assert_true(p.point[2].shape.n == 128256 && p.point[2].shape.m == 4);
    assert_true(fabs(p.point[0].seconds - (1 + 2048 + 1024) * 1e-6) < 1e-12);
    hd_roof_points_free(&p);
    p = (struct hd_roof_points){.op = HD_ROOF_GEMM, .type = HD_ROOF_FP8, .gpu = &gpu};
    hd_kernel_points_of(&all, &p, NULL, NULL);
    assert_int_equal(p.points, 1);
    hd_roof_points_free(&p);
    /* ragged rows are another matter; an empty cache is left out, and counted */
    p = (struct hd_roof_points){
        .op = HD_ROOF_DECODE, .type = HD_ROOF_BF16, .gpu = &gpu};
    assert_int_equal(hd_kernel_points_of(&all, &p, NULL, NULL), 1);
    assert_int_equal(p.points, 1);
    hd_roof_points_free(&p);
    hd_kernels_free(&all);
}

/* Of a mixed row: what the decodes add, over what they take alone, and its share. */
static void mixed_rows_become_ratios(void **state) {
    (void)state;
    struct hd_roof_law decode = {
        .known = true, .t0_s = 0, .ec = 1e-12, .em = 1, .p = 2};
    struct hd_roof_shape s = {
        .batch = 8, .context = 1000, .heads = 32, .kv_heads = 8, .head_dim = 128};
    double alone_us =
        1e6 * hd_roof_s(&decode, HD_ROOF_DECODE, HD_ROOF_BF16, &gpu, 1, &s);
    struct hd_kernels all = {0};
    add_attention(&all, HD_OP_ATTENTION_PREFILL, "", 256, 1, HD_DIM_ABSENT, 40);
    add_attention(&all, HD_OP_ATTENTION_MIXED, "", 256, 8, 1000, 40 + 1.5 * alone_us);
    add_attention(&all, HD_OP_ATTENTION_MIXED, "", 256, 4, 1000, 30); /* all hidden */
    add_attention(&all, HD_OP_ATTENTION_MIXED, "", 512, 8, 1000, 99); /* no prefill */
    struct hd_roof_points p = {.op = HD_ROOF_MIXED, .type = HD_ROOF_BF16, .gpu = &gpu};
    assert_int_equal(hd_kernel_points_of(&all, &p, &decode, NULL), 1);
    assert_int_equal(p.points, 2);
    assert_true(fabs(p.point[0].seconds - 1.5) < 1e-9);
    assert_true(fabs(p.point[0].share - 1.5 * alone_us / (40 + 1.5 * alone_us)) < 1e-9);
    assert_true(fabs(p.point[1].seconds - 0.1) < 1e-9);
    hd_roof_points_free(&p);
    hd_kernels_free(&all);
}

static void a_full_grid_is_split_by_every_second_line(void **state) {
    (void)state;
    static const int64_t at[] = {512, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 20000};
    enum { SIZES = sizeof at / sizeof *at };
    struct hd_kernels all = {0};
    for (int m = 1; m <= 2; m++)
        for (int n = 0; n < SIZES; n++)
            for (int k = 0; k < SIZES; k++)
                add_gemm(&all, HD_OP_GEMM, "bf16", m, at[n], at[k]);
    struct hd_roof_points p = {.op = HD_ROOF_GEMM, .type = HD_ROOF_BF16, .gpu = &gpu};
    struct hd_roof_points train, test;
    hd_kernel_points_of(&all, &p, NULL, NULL);
    hd_kernel_points_split(&p, &train, &test);
    /* seven sizes lie within 1024 to 16384: four are seen, three lie between */
    assert_int_equal(train.points, 2 * 4 * 4);
    assert_int_equal(test.points, 2 * (7 * 7 - 4 * 4));
    for (int n = 0; n < test.points; n++)
        for (int i = 0; i < train.points; i++)
            assert_false(test.point[n].shape.n == train.point[i].shape.n &&
                         test.point[n].shape.k == train.point[i].shape.k);
    hd_roof_points_free(&p);
    hd_roof_points_free(&train);
    hd_roof_points_free(&test);
    hd_kernels_free(&all);
}

static void a_few_shapes_are_split_by_points(void **state) {
    (void)state;
    struct hd_kernels all = {0};
    for (int m = 1; m <= 20; m++) add_gemm(&all, HD_OP_GEMM, "bf16", m, 4096, 4096);
    struct hd_roof_points p = {.op = HD_ROOF_GEMM, .type = HD_ROOF_BF16, .gpu = &gpu};
    struct hd_roof_points train, test;
    hd_kernel_points_of(&all, &p, NULL, NULL);
    hd_kernel_points_split(&p, &train, &test);
    assert_int_equal(train.points, 10);
    assert_int_equal(test.points, 10);
    hd_roof_points_free(&p);
    hd_roof_points_free(&train);
    hd_roof_points_free(&test);
    hd_kernels_free(&all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_find_their_operator_type_and_gpu),
        cmocka_unit_test(mixed_rows_become_ratios),
        cmocka_unit_test(a_full_grid_is_split_by_every_second_line),
        cmocka_unit_test(a_few_shapes_are_split_by_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
