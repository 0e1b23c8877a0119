/* Compiled timing against the laws it was made from, asked the slow way. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "timing/table.h"

/* ---- the plain law, by hand ---------------------------------------------- */

static void plain_step_is_the_sum_of_its_stretches(void **state) {
    (void)state;
    struct hd_plain_law law = {.step = 1000,
                               .sequence = 7,
                               .stretches = 3,
                               .from = {0, 100, 250},
                               .slope = {3, 5, 2}};
    struct hd_timing *t = hd_timing_plain(&law);
    hd_tick slope;
    int64_t until;
    assert_int_equal(hd_timing_step(t, 4, 0, &slope, &until), 1028);
    assert_int_equal(slope, 3);
    assert_int_equal(until, 100);
    assert_int_equal(hd_timing_step(t, 4, 99, &slope, &until), 1028 + 297);
    assert_int_equal(hd_timing_step(t, 4, 100, &slope, &until), 1028 + 300);
    assert_int_equal(slope, 5);
    assert_int_equal(until, 250);
    assert_int_equal(hd_timing_step(t, 1000, 1250, &slope, &until),
                     1000 + 7000 + 300 + 750 + 2000);
    assert_int_equal(slope, 2);
    assert_true(until == INT64_MAX);
    hd_timing_free(t);
}

static void plain_prefill_counts_tokens_rows_and_squares(void **state) {
    (void)state;
    struct hd_plain_law law = {.prefill = 500,
                               .sequence = 7,
                               .token = 11,
                               .square_1024 = 3,
                               .stretches = 1,
                               .slope = {2}};
    struct hd_timing *t = hd_timing_plain(&law);
    assert_int_equal(hd_timing_prefill(t, 30, 2, 900, 0, 0), 500 + 330 + 14 + 2);
    assert_int_equal(hd_timing_prefill(t, 30, 2, 900, 1, 50), 500 + 330 + 14 + 2 + 100);
    /* a square of 2^40 tokens^2 times its coefficient does not fit 64 bits */
    law = (struct hd_plain_law){.square_1024 = INT64_C(1) << 30, .stretches = 1};
    hd_timing_free(t);
    t = hd_timing_plain(&law);
    assert_true(hd_timing_prefill(t, 0, 0, INT64_C(1) << 40, 0, 0) == INT64_C(1) << 60);
    hd_timing_free(t);
}

static void no_iteration_takes_no_time(void **state) {
    (void)state;
    struct hd_plain_law law = {.stretches = 1};
    struct hd_timing *t = hd_timing_plain(&law);
    hd_tick slope;
    int64_t until;
    assert_int_equal(hd_timing_step(t, 1, 5, &slope, &until), 1);
    assert_int_equal(hd_timing_prefill(t, 1, 1, 1, 0, 0), 1);
    hd_timing_free(t);
}

/* Of 10 us and 2 us a sequence; kernels of 30 ticks and 3 a token of context. */
static void host_time_adds_or_hides(void **state) {
    (void)state;
    struct hd_plain_law law = {
        .step = 30, .prefill = 30, .token = 5, .stretches = 1, .slope = {3}};
    law.host = (struct hd_host_time){.step = 100, .sequence = 20};
    struct hd_timing *t = hd_timing_plain(&law);
    hd_tick slope;
    int64_t until;
    assert_int_equal(hd_timing_step(t, 2, 10, &slope, &until), 30 + 30 + 140);
    assert_int_equal(slope, 3);
    assert_true(until == INT64_MAX);
    assert_int_equal(hd_timing_prefill(t, 4, 2, 16, 0, 0), 30 + 20 + 140);
    assert_int_equal(hd_timing_fill(t, 2), 0); /* it is in every step */
    hd_timing_free(t);
    law.host.overlapped = true;
    t = hd_timing_plain(&law);
    assert_int_equal(hd_timing_fill(t, 2), 140);
    assert_int_equal(hd_timing_prefill(t, 4, 2, 16, 0, 0), 140);
    assert_int_equal(hd_timing_prefill(t, 40, 2, 1600, 0, 0), 230);
    /* the kernels are the longer from a context of 37 on: 30 + 3 * 37 = 141 */
    assert_int_equal(hd_timing_step(t, 2, 10, &slope, &until), 140);
    assert_int_equal(slope, 0);
    assert_int_equal(until, 37);
    assert_int_equal(hd_timing_step(t, 2, 36, &slope, &until), 140);
    assert_int_equal(slope, 0);
    assert_int_equal(hd_timing_step(t, 2, 37, &slope, &until), 141);
    assert_int_equal(slope, 3);
    assert_true(until == INT64_MAX);
    hd_timing_free(t);
}

static void the_longest_sequence_counts_besides(void **state) {
    (void)state;
    struct hd_plain_law law = {
        .step = 1000, .skewed = 2, .stretches = 2, .from = {0, 300}, .slope = {1, 5}};
    struct hd_timing *t = hd_timing_plain(&law);
    hd_tick slope;
    int64_t until;
    assert_true(hd_timing_ragged(t));
    /* 100 tokens in all; were all four as long as the longest, 280 */
    assert_int_equal(hd_timing_ragged_step(t, 4, 100, 70, &slope, &until),
                     1000 + 100 + 2 * 280);
    assert_int_equal(slope, 1 + 2 * 1);
    assert_int_equal(until, 120); /* 20 tokens on, 280 have become 300 */
    assert_int_equal(hd_timing_ragged_step(t, 4, 120, 75, &slope, &until),
                     1000 + 120 + 2 * 300);
    assert_int_equal(slope, 1 + 2 * 5);
    assert_int_equal(until, 300);
    hd_timing_free(t);
}

/* ---- a law with every kind of bend --------------------------------------- */

struct bends {
    double read_s, multiply_s, floor_s, kv_s;
};

static double norm(double a, double b, double p) {
    return pow(pow(a, p) + pow(b, p), 1 / p);
}

static double bent_multiply(const void *context, double tokens) {
    const struct bends *x = context;
    return x->multiply_s * tokens;
}

/* Weights, and experts that the first tokens bring in one after another. */
static double bent_read(const void *context, double tokens) {
    const struct bends *x = context;
    return x->read_s * (1 + 3 * (1 - pow(0.94, tokens))) + x->multiply_s / 20 * tokens;
}

static double bent_gemm(const struct bends *x, double tokens, double rows) {
    return norm(bent_multiply(x, tokens) + 0.08 * x->multiply_s * rows,
                bent_read(x, tokens), 2.5);
}

static double bent_step(const void *context, int batch, double kv) {
    const struct bends *x = context;
    return 1e-3 + 5e-5 * batch +
           norm(bent_gemm(x, batch, batch) + x->kv_s * kv, x->floor_s, 4);
}

static double bent_reduce(const void *context, double tokens) {
    (void)context;
    return tokens < 100 ? 2e-4 : 2e-4 + 1e-6 * (tokens - 100);
}

/* A large model on a fast GPU; a small model whose launches bound it, so that the
 * context bends its law as sharply as it ever does. */
static const struct bends worlds[] = {
    {5e-3, 2.5e-5, 7e-3, 4e-8}, {3e-4, 1e-6, 6e-3, 4e-9}, {4e-2, 3e-4, 1e-4, 3e-7}};

static struct hd_law bent_law(const struct bends *x) {
    return (struct hd_law){.context = x,
                           .step_s = bent_step,
                           .multiply_s = bent_multiply,
                           .read_s = bent_read,
                           .reduce_s = bent_reduce,
                           .fixed_s = 1e-3,
                           .sequence_s = 5e-5,
                           .floor_s = x->floor_s,
                           .logits_s = 0.08 * x->multiply_s,
                           .square_s = 3e-11,
                           .token_kv_s = x->kv_s,
                           .kv_s = x->kv_s,
                           .context_max = 4e6,
                           .tokens_max = 65536};
}

static uint64_t next_random(uint64_t *seed) { /* splitmix64 */
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Spread evenly over the orders of magnitude of [1, most]. */
static int64_t random_size(uint64_t *seed, double most) {
    double u = (double)(next_random(seed) >> 11) / 9007199254740992.0;
    return (int64_t)exp(u * log(most));
}

static double error(hd_tick got, double seconds) {
    return fabs((double)got / (seconds * (double)HD_TICKS_PER_S) - 1);
}

static void sampled_step_follows_the_law(void **state) {
    (void)state;
    uint64_t seed = 1;
    double worst = 0;
    for (size_t w = 0; w < sizeof worlds / sizeof *worlds; w++) {
        struct hd_law law = bent_law(&worlds[w]);
        struct hd_timing *t = hd_timing_sample(&law, 256);
        for (int n = 0; n < 20000; n++) {
            int batch = (int)random_size(&seed, 257);
            int64_t context = random_size(&seed, 4e6);
            hd_tick slope;
            int64_t until;
            hd_tick got = hd_timing_step(t, batch, context, &slope, &until);
            double e = error(got, bent_step(&worlds[w], batch, (double)context));
            if (e > worst) worst = e;
        }
        hd_timing_free(t);
    }
    print_message("worst error of a sampled step: %.3f %%\n", 100 * worst);
    assert_true(worst < 0.005);
}

static void sampled_prefill_follows_the_law(void **state) {
    (void)state;
    uint64_t seed = 2;
    double worst = 0;
    for (size_t w = 0; w < sizeof worlds / sizeof *worlds; w++) {
        const struct bends *x = &worlds[w];
        struct hd_law law = bent_law(x);
        struct hd_timing *t = hd_timing_sample(&law, 8);
        for (int n = 0; n < 20000; n++) {
            int64_t tokens = random_size(&seed, 65536), kv = random_size(&seed, 1e6);
            int rows = (int)random_size(&seed, (double)tokens + 1);
            int64_t square = tokens * random_size(&seed, (double)tokens + 1);
            double attention = fmax(3e-11 * (double)square, x->kv_s * (double)tokens);
            double gpu =
                bent_gemm(x, (double)tokens, rows) + attention + x->kv_s * (double)kv;
            double want = 1e-3 + 5e-5 * rows + norm(gpu, x->floor_s, 4) +
                          bent_reduce(x, (double)tokens);
            hd_tick got = hd_timing_prefill(t, tokens, rows, square, rows - 1, kv);
            if (error(got, want) > worst) worst = error(got, want);
        }
        hd_timing_free(t);
    }
    print_message("worst error of a sampled prefill: %.3f %%\n", 100 * worst);
    assert_true(worst < 0.005);
}

/* What fast-forward rests on: within a stretch the answer is exactly linear, and the
 * next one begins where this one ends. */
static void stretches_are_linear_and_join(void **state) {
    (void)state;
    struct hd_law law = bent_law(&worlds[1]);
    struct hd_timing *t = hd_timing_sample(&law, 64);
    for (int batch = 1; batch <= 80; batch += 13) {
        int64_t context = 0, until;
        int stretches = 0;
        for (;;) {
            hd_tick slope, ignored;
            int64_t end;
            hd_tick at = hd_timing_step(t, batch, context, &slope, &until);
            assert_true(slope >= 0);
            assert_true(until > context);
            stretches++;
            if (until == INT64_MAX) break;
            int64_t middle = context + (until - context) / 3;
            assert_true(hd_timing_step(t, batch, middle, &ignored, &end) ==
                        at + slope * (middle - context));
            assert_true(end == until);
            assert_true(hd_timing_step(t, batch, until - 1, &ignored, &end) ==
                        at + slope * (until - 1 - context));
            assert_true(hd_timing_step(t, batch, until, &ignored, &end) ==
                        at + slope * (until - context));
            context = until;
        }
        assert_true(stretches > 40);
        hd_tick slope, ignored;
        hd_tick at = hd_timing_step(t, batch, context, &slope, &until);
        assert_true(hd_timing_step(t, batch, context + 1000000007, &ignored, &until) ==
                    at + slope * 1000000007);
    }
    hd_timing_free(t);
}

/* (1 - skew) step(b, C) + skew step(b, b longest); alike sequences take step(b, C). */
static void a_share_of_a_ragged_step_waits_for_the_longest(void **state) {
    (void)state;
    struct hd_law law = bent_law(&worlds[0]);
    struct hd_timing *even = hd_timing_sample(&law, 16);
    law.skew = 0.25;
    struct hd_timing *ragged = hd_timing_sample(&law, 16);
    assert_false(hd_timing_ragged(even));
    assert_true(hd_timing_ragged(ragged));
    for (int64_t context = 100; context < 200000; context = context * 3 + 1) {
        hd_tick slope;
        int64_t until, longest = context / 4;
        hd_tick low = hd_timing_step(even, 8, context, &slope, &until);
        hd_tick high = hd_timing_step(even, 8, 8 * longest, &slope, &until);
        hd_tick want = low + (high - low) / 4;
        hd_tick got =
            hd_timing_ragged_step(ragged, 8, context, longest, &slope, &until);
        hd_tick whole = 2 * context; /* slopes are whole ticks */
        assert_true(llabs(got - want) < whole);
        assert_true(llabs(hd_timing_step(ragged, 8, context, &slope, &until) - low) <
                    whole);
        /* linear up to its end */
        hd_tick first =
            hd_timing_ragged_step(ragged, 8, context, longest, &slope, &until);
        int64_t steps = until == INT64_MAX ? 1000 : (until - 1 - context) / 8;
        hd_tick ignored;
        int64_t end;
        assert_true(hd_timing_ragged_step(ragged, 8, context + 8 * steps,
                                          longest + steps, &ignored,
                                          &end) == first + slope * 8 * steps);
    }
    hd_timing_free(even);
    hd_timing_free(ragged);
}

static void batches_beyond_the_table_go_on_linearly(void **state) {
    (void)state;
    struct hd_law law = bent_law(&worlds[0]);
    struct hd_timing *t = hd_timing_sample(&law, 32);
    hd_tick slope, same;
    int64_t until;
    hd_tick last = hd_timing_step(t, 32, 5000, &slope, &until);
    hd_tick one = hd_timing_step(t, 33, 5000, &same, &until) - last;
    assert_true(same == slope);
    assert_true(one == hd_tick_from_s(bent_step(&worlds[0], 33, 0)) -
                           hd_tick_from_s(bent_step(&worlds[0], 32, 0)));
    assert_true(hd_timing_step(t, 132, 5000, &same, &until) == last + 100 * one);
    hd_timing_free(t);
}

static double shrinking_step(const void *context, int batch, double kv) {
    (void)context;
    return 0.01 + 1e-4 * batch - 1e-9 * kv;
}

static void a_falling_law_is_flat(void **state) {
    (void)state;
    struct hd_law law = bent_law(&worlds[0]);
    law.step_s = shrinking_step;
    struct hd_timing *t = hd_timing_sample(&law, 4);
    hd_tick slope;
    int64_t until;
    assert_true(hd_timing_step(t, 2, 1000000, &slope, &until) ==
                hd_tick_from_s(0.0102));
    assert_int_equal(slope, 0);
    hd_timing_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_step_is_the_sum_of_its_stretches),
        cmocka_unit_test(plain_prefill_counts_tokens_rows_and_squares),
        cmocka_unit_test(no_iteration_takes_no_time),
        cmocka_unit_test(host_time_adds_or_hides),
        cmocka_unit_test(the_longest_sequence_counts_besides),
        cmocka_unit_test(a_share_of_a_ragged_step_waits_for_the_longest),
        cmocka_unit_test(sampled_step_follows_the_law),
        cmocka_unit_test(sampled_prefill_follows_the_law),
        cmocka_unit_test(stretches_are_linear_and_join),
        cmocka_unit_test(batches_beyond_the_table_go_on_linearly),
        cmocka_unit_test(a_falling_law_is_flat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
