/* Residual grids and kernel rooflines against arithmetic done by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "timing/roofline.h"

static void near(double got, double expected) {
    assert_true(fabs(got - expected) <= 1e-9 * fabs(expected) + 1e-15);
}

static double at(const struct hd_grid *g, double a, double b, double c) {
    double x[HD_GRID_AXES_MAX] = {a, b, c};
    return hd_grid_at(g, x);
}

static void one_axis_is_linear_in_the_logarithm(void **state) {
    (void)state;
    struct hd_grid g;
    hd_grid_init(&g, &(struct hd_grid_knots){1, {3}, {{1, 4, 64}}});
    g.value[0] = 0.1, g.value[1] = 0.3, g.value[2] = -0.1;
    near(at(&g, 1, 0, 0), 0.1);
    near(at(&g, 2, 0, 0), 0.2);
    near(at(&g, 4, 0, 0), 0.3);
    near(at(&g, 16, 0, 0), 0.1);
    near(at(&g, 64, 0, 0), -0.1);
    hd_grid_free(&g);
}

static void beyond_the_edge_it_fades_to_the_roofline(void **state) {
    (void)state;
    struct hd_grid g;
    hd_grid_init(&g, &(struct hd_grid_knots){2, {2, 2}, {{1, 2}, {8, 16}}});
    for (int n = 0; n < 4; n++) g.value[n] = 0.4;
    assert_true(hd_grid_inside(&g, (double[]){1, 16, 0}));
    assert_false(hd_grid_inside(&g, (double[]){1, 17, 0}));
    near(at(&g, 2, 16, 0), 0.4);
    near(at(&g, 2, 32, 0), 0.3); /* one octave of four */
    near(at(&g, 4, 32, 0), 0.3); /* the farther axis counts */
    near(at(&g, 2, 64, 0), 0.2);
    near(at(&g, 2, 256, 0), 0);
    near(at(&g, 2, 4, 0), 0.3);
    near(at(&g, 1000, 1, 0), 0);
    hd_grid_free(&g);
}

static void three_axes_weigh_eight_corners(void **state) {
    (void)state;
    struct hd_grid g;
    hd_grid_init(&g,
                 &(struct hd_grid_knots){3, {2, 3, 2}, {{1, 4}, {1, 4, 16}, {1, 4}}});
    assert_int_equal(hd_grid_values(&g), 12);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 2; k++) /* linear in each index */
                g.value[(i * 3 + j) * 2 + k] = 1 + 10 * i + 100 * j + 1000 * k;
    near(at(&g, 2, 8, 2), 1 + 5 + 150 + 500);
    near(at(&g, 4, 16, 4), 1 + 10 + 200 + 1000);
    near(at(&g, 1, 2, 1), 1 + 50);
    int index[HD_GRID_CORNERS_MAX];
    double weight[HD_GRID_CORNERS_MAX], beyond, sum = 0;
    int corners = hd_grid_cell(&g, (double[]){3, 5, 2}, index, weight, &beyond);
    assert_int_equal(corners, 8);
    for (int n = 0; n < corners; n++) sum += weight[n];
    near(sum, 1);
    hd_grid_free(&g);
}

/* A GPU with round figures. */
static const struct hd_gpu_spec plain = {
    .hbm_bytes_per_s = 1e12, .bf16_flops = 1e14, .fp8_flops = 2e14, .sms = 100};

static double roof(enum hd_roof_op op, enum hd_roof_type type, double p,
                   struct hd_roof_shape shape) {
    struct hd_roof_law law = {
        .known = true, .t0_s = 1e-6, .ec = 0.5, .em = 0.5, .p = p};
    if (op == HD_ROOF_DECODE) law.ec = 2e-6;
    return hd_roof_bare_s(&law, op, type, &plain, 1, &shape);
}

static void rooflines_count_work_and_bytes(void **state) {
    (void)state;
    /* far on the compute side: 2 m n k / (ec P) */
    near(roof(HD_ROOF_GEMM, HD_ROOF_BF16, 8,
              (struct hd_roof_shape){.m = 1e5, .n = 1e5, .k = 1e5}),
         1e-6 + 2e15 / 0.5e14);
    /* one row: the weights' bytes; both sides by hand at p = 2 */
    double bytes = 2e4 + 2e8 + 2e4, compute = 2e8 / 0.5e14, memory = bytes / 0.5e12;
    near(roof(HD_ROOF_GEMM, HD_ROOF_BF16, 2,
              (struct hd_roof_shape){.m = 1, .n = 1e4, .k = 1e4}),
         1e-6 + sqrt(compute * compute + memory * memory));
    /* fp8: half the bytes in, 16 bits out, twice the peak */
    bytes = 1e4 + 1e8 + 2e4, compute = 2e8 / 1e14, memory = bytes / 0.5e12;
    near(roof(HD_ROOF_GEMM, HD_ROOF_FP8, 2,
              (struct hd_roof_shape){.m = 1, .n = 1e4, .k = 1e4}),
         1e-6 + sqrt(compute * compute + memory * memory));
    struct hd_roof_shape attention = {.batch = 2,
                                      .chunk = 1000,
                                      .prefix = 500,
                                      .context = 1000,
                                      .heads = 32,
                                      .kv_heads = 8,
                                      .head_dim = 128};
    double work = 4.0 * 32 * 128 * 2 * 1000 * (500 + 500 + 128);
    bytes = 2 * 128 * (2.0 * 32 * 1000 * 2 + 2.0 * 8 * 1500 * 2);
    near(roof(HD_ROOF_PREFILL, HD_ROOF_BF16, 2, attention),
         1e-6 + hypot(work / 0.5e14, bytes / 0.5e12));
    bytes = 2 * 128 * (2.0 * 8 * 1000 * 2 + 2.0 * 32 * 2);
    near(roof(HD_ROOF_DECODE, HD_ROOF_BF16, 2, attention),
         1e-6 + hypot(16 * 2e-6 / 100, bytes / 0.5e12));
    struct hd_roof_shape rows = {.m = 100, .n = 4096};
    near(roof(HD_ROOF_NORM, HD_ROOF_BF16, 2, rows), 1e-6 + 4 * 409600 / 0.5e12);
    near(roof(HD_ROOF_ADD, HD_ROOF_BF16, 2, rows), 1e-6 + 6 * 409600 / 0.5e12);
}

static void a_share_of_the_gpu_is_slower_but_launches_as_fast(void **state) {
    (void)state;
    struct hd_roof_law law = {
        .known = true, .t0_s = 1e-6, .ec = 0.5, .em = 0.5, .p = 2};
    struct hd_roof_shape s = {.m = 512, .n = 4096, .k = 4096};
    double whole = hd_roof_s(&law, HD_ROOF_GEMM, HD_ROOF_BF16, &plain, 1, &s) - 1e-6;
    double half = hd_roof_s(&law, HD_ROOF_GEMM, HD_ROOF_BF16, &plain, 0.5, &s) - 1e-6;
    near(half, 2 * whole);
}

static void names_are_found_again(void **state) {
    (void)state;
    for (int op = 0; op < HD_ROOF_OPS; op++)
        assert_int_equal(hd_roof_op_of(hd_roof_op_name((enum hd_roof_op)op)), op);
    assert_int_equal(hd_roof_op_of("conv"), -1);
    assert_int_equal(hd_roof_type_of("fp8"), HD_ROOF_FP8);
    assert_int_equal(hd_roof_type_of("fp4"), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_axis_is_linear_in_the_logarithm),
        cmocka_unit_test(beyond_the_edge_it_fades_to_the_roofline),
        cmocka_unit_test(three_axes_weigh_eight_corners),
        cmocka_unit_test(rooflines_count_work_and_bytes),
        cmocka_unit_test(a_share_of_the_gpu_is_slower_but_launches_as_fast),
        cmocka_unit_test(names_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
