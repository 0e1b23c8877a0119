/* Fits get back what the points were made from. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "calibrate/grid_fit.h"
#include "calibrate/roof_fit.h"

static const struct hd_gpu_spec plain = {
    .hbm_bytes_per_s = 2e12, .bf16_flops = 5e14, .fp8_flops = 1e15, .sms = 100};

/* Spread evenly without a random number: halves, thirds, fifths of the index. */
static double spread(int n, int base) {
    double x = 0, part = 1;
    for (; n > 0; n /= base) x += (part /= base) * (n % base);
    return x;
}

static double smooth(double a, double b) {
    return 0.1 * sin(a) + 0.05 * b;
}

enum { POINTS = 3000 };

static void a_grid_follows_scattered_points(void **state) {
    (void)state;
    struct hd_grid g;
    struct hd_grid_knots k = {.axes = 2, .knots = {12, 6}};
    for (int n = 0; n < 12; n++) k.at[0][n] = pow(2, n);
    for (int n = 0; n < 6; n++) k.at[1][n] = pow(4, n);
    hd_grid_init(&g, &k);
    static struct hd_grid_point point[POINTS];
    for (int n = 0; n < POINTS; n++) {
        double a = 11 * spread(n + 1, 2), b = 10 * spread(n + 1, 3);
        point[n] =
            (struct hd_grid_point){{pow(2, a), pow(2, b), 0}, smooth(a / 4, b / 4), 1};
        /* a stray measurement in fifty must not bend the rest */
        if (n % 50 == 0) point[n].residual += 2;
    }
    hd_grid_fit(&g, point, POINTS);
    for (int n = 1; n < POINTS; n += 7) {
        double a = 11 * spread(n, 5), b = 10 * spread(n, 7);
        double got = hd_grid_at(&g, (double[]){pow(2, a), pow(2, b), 0});
        assert_true(fabs(got - smooth(a / 4, b / 4)) < 0.02);
    }
    hd_grid_free(&g);
}

static void knots_without_points_follow_their_neighbours(void **state) {
    (void)state;
    struct hd_grid g;
    hd_grid_init(&g, &(struct hd_grid_knots){1, {4}, {{1, 2, 4, 8}}});
    struct hd_grid_point point[40];
    for (int n = 0; n < 40; n++)
        point[n] = (struct hd_grid_point){{1 + (double)n / 40, 0, 0}, 0.2, 1};
    hd_grid_fit(&g, point, 40);
    assert_true(fabs(g.value[0] - 0.2) < 0.01);
    assert_true(g.value[3] > 0.1 && g.value[3] < 0.2);
    hd_grid_free(&g);
}

/* A GEMM's roofline with a known residual: both are found, also between knots. */
static void a_law_is_found_again(void **state) {
    (void)state;
    struct hd_roof_law made = {
        .known = true, .t0_s = 4e-6, .ec = 0.7, .em = 0.8, .p = 3};
    struct hd_roof_points p = {.op = HD_ROOF_GEMM, .type = HD_ROOF_BF16, .gpu = &plain};
    for (int n = 0; n < POINTS; n++) {
        struct hd_roof_shape s = {.m = floor(exp2(13 * spread(n + 1, 2))),
                                  .n = floor(1024 * exp2(4 * spread(n + 1, 3))),
                                  .k = floor(1024 * exp2(4 * spread(n + 1, 5)))};
        double t = hd_roof_bare_s(&made, p.op, p.type, &plain, 1, &s);
        hd_roof_points_add(&p, &s, t * exp(0.05 * sin(log(s.m))), 1);
    }
    struct hd_grid_knots none = {0}, shipped;
    struct hd_roof_law roof, law;
    hd_roof_fit(&p, &none, &roof);
    assert_true(fabs(roof.ec / 0.7 - 1) < 0.08 && fabs(roof.em / 0.8 - 1) < 0.08);
    hd_roof_knots_for(&p, &shipped);
    hd_roof_fit(&p, &shipped, &law);
    struct hd_fit_error with = hd_roof_errors(&law, &p, NULL),
                        without = hd_roof_errors(&roof, &p, NULL);
    print_message("roofline %.2f %%, with its grid %.2f %%\n", 100 * without.p50,
                  100 * with.p50);
    assert_int_equal(with.values, POINTS);
    assert_true(with.p50 < 0.01 && with.p50 < without.p50 / 3);
    hd_grid_free(&law.grid);
    hd_roof_points_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_follows_scattered_points),
        cmocka_unit_test(knots_without_points_follow_their_neighbours),
        cmocka_unit_test(a_law_is_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
