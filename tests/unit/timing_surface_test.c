/* Surfaces against the functions they sample, and laws that have such functions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "timing/ranges.h"
#include "timing/surface.h"
#include "timing/table.h"

static double product(const void *context, double x, double y) {
    return *(const double *)context + 3 * x + 5 * y + 2 * x * y;
}

static void what_is_bilinear_is_exact(void **state) {
    (void)state;
    double base = 7;
    struct hd_surface *s =
        hd_surface_new((struct hd_surface_axis){4, 2, 5000},
                       (struct hd_surface_axis){0, 1, 100}, product, &base);
    for (int64_t x = 0; x < 20000; x += 37) /* beyond the last range too */
        for (int64_t y = 0; y < 300; y += 11) {
            double expected = product(&base, (double)x, (double)y);
            assert_true(fabs(hd_surface_at(s, x, y) - expected) <= 1e-12 * expected);
        }
    hd_surface_free(s);
}

static double root(const void *context, double x, double y) {
    (void)context;
    return sqrt(1000 + x * y);
}

static void what_is_bent_is_near(void **state) {
    (void)state;
    struct hd_surface *s =
        hd_surface_new((struct hd_surface_axis){0, 2, 4096},
                       (struct hd_surface_axis){4, 2, 65536}, root, NULL);
    double worst = 0;
    for (int64_t x = 1; x < 4096; x += 1 + x / 7)
        for (int64_t y = 16; y < 65536; y += 1 + y / 5)
            worst = fmax(
                worst,
                fabs(hd_surface_at(s, x, y) / root(NULL, (double)x, (double)y) - 1));
    print_message("worst %.2f %%\n", 100 * worst);
    assert_true(worst < 0.02);
    hd_surface_free(s);
}

static void ranges_and_their_starts_agree(void **state) {
    (void)state;
    for (int64_t x = 0; x < 100000; x++) {
        int n = hd_range_of(x, 3, 2);
        assert_true(hd_range_start(n, 3, 2) <= x && x < hd_range_start(n + 1, 3, 2));
        int64_t within;
        assert_int_equal(hd_range_split(x, 3, 2, &within), n);
        assert_true(hd_range_start(n, 3, 2) + within == x);
    }
}

/* ---- a law of measured parts --------------------------------------------- */

static double step_s(const void *context, int batch, double kv_tokens) {
    (void)context;
    return 1e-3 + 1e-5 * batch + 1e-8 * kv_tokens;
}

static double multiply_s(const void *context, double tokens) {
    (void)context;
    return 1e-3 + 1e-5 * tokens;
}

static double rows_s(const void *context, double rows) {
    (void)context;
    return 5e-4 + 1e-6 * rows;
}

static double attention_s(const void *context, double tokens, double mean) {
    (void)context;
    return 1e-10 * tokens * mean;
}

static double beside_s(const void *context, double decodes, double kv_tokens) {
    (void)context;
    return 2e-6 * decodes + 3e-8 * kv_tokens;
}

static double beside_factor(const void *context, double tokens) {
    (void)context;
    return 1 + tokens / 1024;
}

static void every_part_is_in_the_sum(void **state) {
    (void)state;
    const struct hd_law law = {.step_s = step_s,
                               .multiply_s = multiply_s,
                               .rows_s = rows_s,
                               .attention_s = attention_s,
                               .beside_s = beside_s,
                               .beside_factor = beside_factor,
                               .fixed_s = 3e-4,
                               .context_max = 1 << 20,
                               .tokens_max = 1 << 16};
    struct hd_timing *t = hd_timing_sample(&law, 64);
    static const struct {
        int64_t chunk, prefix;
        int chunks, decodes;
        int64_t context;
    } cases[] = {{512, 0, 1, 0, 0},       {512, 0, 3, 0, 0},
                 {1000, 0, 1, 40, 33000}, {256, 7000, 1, 1, 77},
                 {300, 100, 2, 64, 64},   {2048, 0, 1, 100, 90000}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        int64_t own = cases[n].chunk * cases[n].chunks;
        int64_t square = own * (2 * cases[n].prefix + cases[n].chunk);
        int rows = cases[n].chunks + cases[n].decodes;
        double tokens = (double)(own + cases[n].decodes);
        double expected = 3e-4 + multiply_s(NULL, tokens) + rows_s(NULL, rows) +
                          attention_s(NULL, (double)own, (double)square / (double)own) +
                          (cases[n].decodes ? beside_factor(NULL, tokens) *
                                                  beside_s(NULL, cases[n].decodes,
                                                           (double)cases[n].context)
                                            : 0);
        double got = (double)hd_timing_prefill(t, own + cases[n].decodes, rows, square,
                                               cases[n].decodes, cases[n].context) /
                     (double)HD_TICKS_PER_S;
        assert_true(fabs(got / expected - 1) < 1e-3);
    }
    hd_timing_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_bilinear_is_exact),
        cmocka_unit_test(what_is_bent_is_near),
        cmocka_unit_test(ranges_and_their_starts_agree),
        cmocka_unit_test(every_part_is_in_the_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
