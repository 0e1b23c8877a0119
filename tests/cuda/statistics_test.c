/* Medians, deviations and lines against values worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "statistics.h"

static void medians(void **state) {
    (void)state;
    const double odd[] = {5, 1, 4}, even[] = {8, 2, 4, 1};
    assert_float_equal(median_of(odd, 3), 4, 1e-6F);
    assert_float_equal(median_of(even, 4), 3, 1e-6F);
    assert_float_equal(median_of(even, 1), 8, 1e-6F);
    assert_float_equal(odd[0], 5, 1e-6F); /* left as it was */
}

/* One far outlier moves neither. */
static void deviations(void **state) {
    (void)state;
    const double values[] = {10, 12, 11, 9, 1000};
    assert_float_equal(median_of(values, 5), 11, 1e-6F);
    assert_float_equal(mad_of(values, 5, 11), 1, 1e-6F);
    assert_float_equal(mad_of(values, 1, 10), 0, 1e-6F);
}

static void lines(void **state) {
    (void)state;
    const double exact[] = {1, 3, 5, 7}, flat[] = {2, 2, 2}, bent[] = {0, 1, 0};
    struct line_fit fit = fit_line(exact, 4);
    assert_float_equal(fit.slope, 2, 1e-6F);
    assert_float_equal(fit.intercept, 1, 1e-6F);
    assert_float_equal(fit.r2, 1, 1e-6F);
    fit = fit_line(flat, 3);
    assert_float_equal(fit.slope, 0, 1e-6F);
    assert_float_equal(fit.r2, 1, 1e-6F);
    fit = fit_line(bent, 3);
    assert_float_equal(fit.slope, 0, 1e-6F);
    assert_float_equal(fit.r2, 0, 1e-6F);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians),
        cmocka_unit_test(deviations),
        cmocka_unit_test(lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
