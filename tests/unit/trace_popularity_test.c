/* How requests spread over models, against values worked by hand, markets that obey a
 * law exactly, and a search of every parameter. */
#include "trace/stats_popularity.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>

#include "base/mem.h"
#include "market/market.h"
#include "unit/trace_files.h"

static void near(double got, double expected, double within) {
    if (!(fabs(got - expected) <= within))
        fail_msg("%.17g, expected %.17g", got, expected);
}

static void by_hand(void **state) {
    (void)state;
    static const int64_t rows[] = {10, 60, 20, 5, 5};
    struct hd_popularity p;
    hd_popularity(rows, 5, &p);
    near(p.top1, 0.6, 1e-15);
    near(p.top2, 0.8, 1e-15);
    near(p.top5, 1, 1e-15);
    near(p.top10, 1, 1e-15);
    near(p.coldest_half, 0.2, 1e-15); /* three of five */
    assert_int_equal(p.hold_half, 1);
    assert_int_equal(p.hold_90, 3);
    assert_int_equal(p.hold_99, 5);
    /* mean difference of the shares 2 (60-20 + 60-10 + 2 (60-5) + ...) */
    near(p.gini, (40 + 50 + 55 + 55 + 10 + 15 + 15 + 5 + 5) / 500.0, 1e-15);
}

static void one_model_or_all_alike(void **state) {
    (void)state;
    static const int64_t rows[] = {7, 7, 7, 7};
    struct hd_popularity p;
    hd_popularity(rows, 1, &p);
    assert_true(isnan(p.zipf) && isnan(p.slope) && isnan(p.classes_off));
    assert_int_equal(p.hot, 0);
    near(p.gini, 0, 0);
    hd_popularity(rows, 4, &p);
    near(p.zipf, 0, 1e-9);
    near(p.zipf_off, 0, 1e-9);
    near(p.slope, 0, 1e-12);
    near(p.gini, 0, 1e-15);
    assert_int_equal(p.hot, 0);
}

/* Counts that are a law's shares times a large number give its exponent back. */
static void zipf_is_found_again(void **state) {
    (void)state;
    enum { MODELS = 300 };
    static const double exponent[] = {0.3, 1, 1.7, 3};
    double share[MODELS];
    int64_t rows[MODELS];
    for (int e = 0; e < 4; e++) {
        hd_share_zipf(share, MODELS, exponent[e], 0);
        for (int i = 0; i < MODELS; i++)
            rows[MODELS - 1 - i] = llround(share[i] * 1e15);
        struct hd_popularity p;
        hd_popularity(rows, MODELS, &p);
        near(p.zipf, exponent[e], 1e-6);
        near(p.slope, -exponent[e], 1e-6);
        near(p.zipf_off, 0, 1e-7);
    }
}

static double zipf_likelihood(const int64_t *rows, int models, double s) {
    double sum = 0, l = 0;
    for (int i = 0; i < models; i++) sum += pow(i + 1.0, -s);
    for (int i = 0; i < models; i++)
        l += (double)rows[i] * (-s * log(i + 1.0) - log(sum));
    return l;
}

/* No exponent beside it is likelier, and the error is the likelihood's curvature. */
static void zipf_is_the_likeliest(void **state) {
    (void)state;
    static const int64_t rows[] = {300, 262, 199, 120, 67, 66, 56, 20, 9, 3, 3, 1};
    struct hd_popularity p;
    hd_popularity(rows, 12, &p);
    double best = zipf_likelihood(rows, 12, p.zipf), h = 1e-3;
    double above = zipf_likelihood(rows, 12, p.zipf + h),
           below = zipf_likelihood(rows, 12, p.zipf - h);
    assert_true(best > above && best > below);
    near(above, below, 1e-3);
    near(p.zipf_error, 1 / sqrt((2 * best - above - below) / (h * h)),
         1e-4 * p.zipf_error);
    double off = 0, sum = 0;
    for (int i = 0; i < 12; i++) sum += pow(i + 1.0, -p.zipf);
    for (int i = 0; i < 12; i++) {
        double less = pow(i + 1.0, -p.zipf) / sum - (double)rows[i] / 1106;
        if (less > 0) off += less;
    }
    near(p.zipf_off, off, 1e-12);
}

/* Draws from a law: the exponents found spread as the standard error says. Ranks must
 * stay as they are for that, so the classes of the law lie far apart. */
static void zipf_error_is_the_spread(void **state) {
    (void)state;
    enum { MODELS = 12, DRAWS = 200 };
    double share[MODELS], sum = 0, squares = 0, error = 0;
    hd_share_zipf(share, MODELS, 1.2, 0);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    for (int n = 0; n < DRAWS; n++) {
        unsigned drawn[MODELS];
        int64_t rows[MODELS];
        gsl_ran_multinomial(rng, MODELS, 200000, share, drawn);
        for (int i = 0; i < MODELS; i++) rows[i] = drawn[i];
        struct hd_popularity p;
        hd_popularity(rows, MODELS, &p);
        sum += p.zipf - 1.2;
        squares += (p.zipf - 1.2) * (p.zipf - 1.2);
        error += p.zipf_error / DRAWS;
    }
    gsl_rng_free(rng);
    assert_true(fabs(sum / DRAWS) < 4 * error / sqrt(DRAWS));
    near(sqrt(squares / DRAWS) / error, 1, 0.2); /* four times its own spread */
}

/* The published two-class market: 5.9 % of the models have 98.65 % of the requests. */
static void two_classes_are_found_again(void **state) {
    (void)state;
    enum { MODELS = 779 };
    static const int models[] = {46, 733};
    static const double share[] = {0.9865, 0.0135};
    double of[MODELS];
    int64_t rows[MODELS];
    hd_share_classes(of, models, share, 2);
    for (int i = 0; i < MODELS; i++) rows[i] = llround(of[i] * 1e12);
    struct hd_popularity p;
    hd_popularity(rows, MODELS, &p);
    assert_int_equal(p.hot, 46);
    near(p.hot_share, 0.9865, 1e-9);
    near(p.classes_off, 0, 1e-9);
    near(p.top1, 0.9865 / 46, 1e-9);
    assert_int_equal(p.hold_half, 24); /* 23.3 */
    assert_true(p.zipf_off > 0.1);
    static const int64_t three[] = {90, 50, 2, 1}; /* every split by hand: 2 is best */
    hd_popularity(three, 4, &p);
    assert_int_equal(p.hot, 2);
    near(p.hot_share, 140.0 / 143, 1e-15);
    near(p.classes_off, (20 + 0.5) / 143, 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(one_model_or_all_alike),
        cmocka_unit_test(zipf_is_found_again),
        cmocka_unit_test(zipf_is_the_likeliest),
        cmocka_unit_test(zipf_error_is_the_spread),
        cmocka_unit_test(two_classes_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
