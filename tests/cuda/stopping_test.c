/* Each stopping rule alone, on samples for which it is known when it must hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "stopping.h"

enum { NEVER = -1 };
static const struct stopping_limits wide = {
    .least_s = 0, .most_s = 1e9, .least_samples = 10, .most_samples = 100000};

/* Adds samples of `next` until a rule holds; how many it took. */
static int feed(struct stopping *s, double (*next)(int), int most,
                enum stop_reason *reason) {
    for (int i = 0; i < most; i++) {
        double sample = next(i);
        if (stopping_add(s, sample, sample, i * 0.01, reason)) return i + 1;
    }
    return NEVER;
}

static double steady(int i) {
    return 1 + 0.001 * (i % 2);
}
/* One of 16 values 2 % apart, by chance: the noise stays, the distribution settles. */
static double some_values(int i) {
    uint32_t x = (uint32_t)i * 2654435761u;
    x = (x ^ x >> 16) * 0x85ebca6bu;
    return pow(1.02, (x ^ x >> 13) >> 28);
}
/* Never the same value twice: the entropy goes on growing. */
static double growing(int i) {
    return pow(1.02, i);
}

static void low_noise(void **state) {
    (void)state;
    struct stopping s;
    enum stop_reason reason;
    stopping_start(&s, &wide);
    assert_int_equal(feed(&s, steady, 1000, &reason), 10);
    assert_int_equal(reason, STOP_STDREL);
    assert_true(stopping_noise(&s) > 0.0004 && stopping_noise(&s) < 0.0006);
}

/* The minimum of measured time counts the work, not the clock on the wall. */
static void least_time(void **state) {
    (void)state;
    struct stopping s;
    enum stop_reason reason;
    struct stopping_limits limits = wide;
    limits.least_s = 20.005;
    stopping_start(&s, &limits);
    assert_int_equal(feed(&s, steady, 1000, &reason), 20);
    assert_int_equal(reason, STOP_STDREL);
}

static void noise_by_hand(void **state) {
    (void)state;
    struct stopping s;
    enum stop_reason reason;
    stopping_start(&s, &wide);
    const double samples[] = {2, 4, 4, 4, 5, 5, 7, 9}; /* mean 5, sum of squares 32 */
    assert_float_equal(stopping_noise(&s), 0, 1e-9F);
    for (int i = 0; i < 8; i++) stopping_add(&s, samples[i], 1, 0, &reason);
    assert_float_equal(stopping_noise(&s), sqrt(32 / 7.0) / 5, 1e-6F);
    /* 2, 7 and 9 once, 4 three times, 5 twice */
    double bits = 3 - (3 * log2(3) + 2) / 8;
    assert_float_equal(stopping_entropy(&s), bits, 1e-6F);
}

static void steady_distribution(void **state) {
    (void)state;
    struct stopping s;
    enum stop_reason reason;
    stopping_start(&s, &wide);
    int taken = feed(&s, some_values, 4000, &reason);
    assert_int_equal(reason, STOP_ENTROPY);
    assert_in_range(taken, 256, 2000);
    assert_float_equal(stopping_entropy(&s), 4, 0.1F);
}

static void growing_distribution(void **state) {
    (void)state;
    struct stopping s;
    enum stop_reason reason;
    stopping_start(&s, &wide);
    assert_int_equal(feed(&s, growing, 400, &reason), NEVER);
    assert_float_equal(stopping_entropy(&s), log2(400), 1e-6F);
}

static void budget(void **state) {
    (void)state;
    struct stopping s;
    enum stop_reason reason;
    struct stopping_limits limits = wide;
    limits.most_s = 0.5;
    stopping_start(&s, &limits);
    assert_int_equal(feed(&s, growing, 400, &reason), 51);
    assert_int_equal(reason, STOP_BUDGET);
    limits = wide;
    limits.most_samples = 30;
    stopping_start(&s, &limits);
    assert_int_equal(feed(&s, growing, 400, &reason), 30);
    assert_int_equal(reason, STOP_FIXED);
    /* One sample may be all that there is time for. */
    limits.most_s = 0;
    stopping_start(&s, &limits);
    assert_int_equal(feed(&s, growing, 400, &reason), 1);
    assert_int_equal(reason, STOP_BUDGET);
}

/* More different values than bins: what has none is left out, nothing is overrun. */
static void more_values_than_bins(void **state) {
    (void)state;
    struct stopping s;
    enum stop_reason reason;
    stopping_start(&s, &wide);
    for (int i = 0; i < 2 * STOPPING_BINS; i++)
        stopping_add(&s, pow(1.01, i), 1, 0, &reason);
    assert_int_equal(s.bins, STOPPING_BINS);
    assert_int_equal(s.count, 2 * STOPPING_BINS);
}

static void throttled(void **state) {
    (void)state;
    struct throttle t;
    throttle_start(&t, 2000);
    assert_true(throttle_keeps(&t, 1980));
    assert_true(throttle_keeps(&t, 1500));
    assert_false(throttle_keeps(&t, 1499));
    assert_true(throttle_keeps(&t, 0)); /* not known */
    assert_int_equal(t.dropped, 1);
    assert_false(t.accepted);
}

/* A clock that stays low is what there is to measure, after so many drops in a row. */
static void throttled_for_good(void **state) {
    (void)state;
    struct throttle t;
    throttle_start(&t, 2000);
    for (int i = 0; i < THROTTLE_PATIENCE - 1; i++)
        assert_false(throttle_keeps(&t, 1000));
    assert_true(throttle_keeps(&t, 1900)); /* recovered: counts from the beginning */
    for (int i = 0; i < THROTTLE_PATIENCE; i++) {
        assert_false(t.accepted);
        assert_false(throttle_keeps(&t, 1000));
    }
    assert_true(t.accepted);
    assert_true(throttle_keeps(&t, 1000));
    assert_int_equal(t.dropped, 2 * THROTTLE_PATIENCE - 1);
}

static void clock_not_known(void **state) {
    (void)state;
    struct throttle t;
    throttle_start(&t, 0);
    assert_true(throttle_keeps(&t, 100));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(low_noise),
        cmocka_unit_test(least_time),
        cmocka_unit_test(noise_by_hand),
        cmocka_unit_test(steady_distribution),
        cmocka_unit_test(growing_distribution),
        cmocka_unit_test(budget),
        cmocka_unit_test(more_values_than_bins),
        cmocka_unit_test(throttled),
        cmocka_unit_test(throttled_for_good),
        cmocka_unit_test(clock_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
