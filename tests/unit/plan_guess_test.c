/* Where a search begins, by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "plan/guess.h"

enum { MARKET = 100 };

/* 0.037 requests/s of 0.2 + 1.59 + 1000 x 0.015 = 16.79 s each, as in the figure on
 * active models of Aegaeon. */
static struct hd_guess_model figure_4(void) {
    return (struct hd_guess_model){.tp = 1,
                                   .rate_per_s = 0.037,
                                   .prefill_s = 0.2,
                                   .output_tokens = 1000,
                                   .step_s = 0.015,
                                   .token_s = 0.0025,
                                   .switch_s = 1.59,
                                   .ttft_s = 10,
                                   .tbt_s = 0.1};
}

/* Published: 46.27 models have a request (1 - exp(-0.037 x 16.79) = 0.4627 each), with
 * a variance of 100 x 0.4627 x 0.5373 = 24.86: 46.27 + 4.99 = 51.3. */
static void a_model_keeps_its_gpu_while_it_has_a_request(void **state) {
    (void)state;
    struct hd_guess_model m[MARKET];
    for (int n = 0; n < MARKET; n++) m[n] = figure_4();
    assert_int_equal(hd_guess_by_models(m, MARKET), 51);
    /* Four GPUs each: 4 x 46.27 + 4 x 4.99 = 205.0. */
    for (int n = 0; n < MARKET; n++) m[n].tp = 4;
    assert_int_equal(hd_guess_by_models(m, MARKET), 205);
}

/* One model at 20 requests/s never rests; its work of 20 x (0.2 + 1000 x 0.0025) = 54
 * GPU-seconds a second wants more than the one GPU. */
static void a_hot_model_wants_what_its_work_takes(void **state) {
    (void)state;
    struct hd_guess_model m = figure_4();
    m.rate_per_s = 20;
    assert_int_equal(hd_guess_by_models(&m, 1), 54);
    /* Taking turns, the decode's 50 and the prefill's 4, and a switch each 5.05 s. */
    assert_int_equal(hd_guess_by_tokens(&m, 1), (int)round(50 + 4 + 1.59 / 5.05));
}

/* At 100 ms a token a request stays 100 s: all but exp(-3.7) = 0.0247 of the models
 * have one, and each of them wants 0.15 x (1 + 1.59 / 4) = 0.2096 of a GPU: 20.44, with
 * a deviation of 0.2096 x sqrt(100 x 0.0247 x 0.9753) = 0.325. Prefill: 3.7 x 0.2 =
 * 0.74, and a switch for every 1 / 0.037 + 5 s of a model: 100 x 1.59 / 32.03 = 4.964.
 * In all 26.47. */
static void models_that_take_turns_share_a_gpu(void **state) {
    (void)state;
    struct hd_guess_model m[MARKET];
    for (int n = 0; n < MARKET; n++) m[n] = figure_4();
    assert_int_equal(hd_guess_by_tokens(m, MARKET), 26);
    /* At 15 ms a token there is nothing to share: each active model has a GPU, 0.4259
     * of them are (exp(-0.555) = 0.5741), with a deviation of 4.945; 42.59 + 4.94
     * + 5.70. */
    for (int n = 0; n < MARKET; n++) m[n].tbt_s = 0.015;
    assert_int_equal(hd_guess_by_tokens(m, MARKET), 53);
}

static void no_limits_and_no_requests_are_guesses_too(void **state) {
    (void)state;
    struct hd_guess_model m = figure_4();
    m.ttft_s = m.tbt_s = INFINITY;
    assert_int_equal(hd_guess_by_tokens(&m, 1), 1);
    m.rate_per_s = 0;
    assert_int_equal(hd_guess_by_tokens(&m, 1), 1);
    assert_int_equal(hd_guess_by_models(&m, 1), 1);
    assert_int_equal(hd_guess_by_models(&m, 0), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_keeps_its_gpu_while_it_has_a_request),
        cmocka_unit_test(a_hot_model_wants_what_its_work_takes),
        cmocka_unit_test(models_that_take_turns_share_a_gpu),
        cmocka_unit_test(no_limits_and_no_requests_are_guesses_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
