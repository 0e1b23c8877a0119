/* The logarithmic histogram: buckets, ramps, quantiles. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "measure/hist.h"
#include "unit/scenario_policy.h"

static uint64_t seed = 7;

static int64_t any_size(void) { /* every magnitude alike */
    return (int64_t)(draw_next(&seed) >> (1 + draw_below(&seed, 62)));
}

static void buckets_tile_the_line(void **state) {
    (void)state;
    for (int n = 0; n < 100000; n++) {
        int64_t v = any_size() >> 1;
        int bucket = hd_hist_bucket(v);
        assert_in_range(bucket, 0, HD_HIST_BUCKETS - 1);
        int64_t low = bucket ? hd_hist_limit(bucket - 1) : 0;
        assert_true(v >= low);
        if (bucket < HD_HIST_BUCKETS - 1) assert_true(v < hd_hist_limit(bucket));
        if (bucket < HD_HIST_BUCKETS - 1)
            assert_true(hd_hist_limit(bucket) - low <= 1 + low / 256);
    }
}

static void ramps_are_their_terms(void **state) {
    (void)state;
    struct hd_hist *by_ramp = hd_alloc(sizeof *by_ramp);
    struct hd_hist *by_hand = hd_alloc(sizeof *by_hand);
    for (int n = 0; n < 20000; n++) {
        int64_t first = any_size() >> 16, delta = any_size() >> 30;
        int64_t steps = (int64_t)draw_below(&seed, 60);
        uint64_t weight = draw_below(&seed, 5);
        hd_hist_add_ramp(by_ramp, first, delta, steps, weight);
        for (int64_t k = 0; k < steps; k++)
            hd_hist_add(by_hand, first + k * delta, weight);
        if (n % 100 == 0) assert_memory_equal(by_ramp, by_hand, sizeof *by_ramp);
    }
    assert_memory_equal(by_ramp, by_hand, sizeof *by_ramp);
    free(by_ramp);
    free(by_hand);
}

static int by_value(const void *a, const void *b) {
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void quantiles_are_near(void **state) {
    (void)state;
    enum { MOST = 300 };
    struct hd_hist *h = hd_alloc(sizeof *h);
    assert_int_equal(hd_hist_quantile(h, 0.5), -1);
    assert_true(isnan(hd_hist_mean(h)));
    for (int n = 0; n < 300; n++) {
        memset(h, 0, sizeof *h);
        int64_t value[MOST];
        int count = 1 + (int)draw_below(&seed, MOST);
        double sum = 0;
        for (int k = 0; k < count; k++) {
            value[k] = any_size() >> 8;
            sum += (double)value[k];
            hd_hist_add(h, value[k], 1);
        }
        qsort(value, (size_t)count, sizeof *value, by_value);
        for (double q = 0.01; q <= 1; q += 0.03) {
            int rank = (int)ceil(q * count);
            double exact = (double)value[(rank < 1 ? 1 : rank) - 1];
            double got = (double)hd_hist_quantile(h, q);
            assert_true(fabs(got - exact) <= exact / 512 + 0.5);
        }
        assert_true(hd_hist_quantile(h, 1) <= h->max);
        assert_true(fabs(hd_hist_mean(h) - sum / count) <= 1e-9 * sum / count);
    }
    free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_tile_the_line),
        cmocka_unit_test(ramps_are_their_terms),
        cmocka_unit_test(quantiles_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
