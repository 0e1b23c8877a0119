/* The iteration law against numbers worked by hand, and against the formula written
 * out once more. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "timing/iteration.h"

/* 2 layers of 4*(2+2*1)*2 + 2*2*4 + 3*4*10 = 168 weights, a head of 4*50 = 200. */
static const struct hd_model_spec tiny = {.layers = 2,
                                          .hidden = 4,
                                          .heads = 2,
                                          .kv_heads = 1,
                                          .head_dim = 2,
                                          .ffn = 10,
                                          .vocab = 50};
enum { TINY_W = 336, TINY_E = 200 };
#define NEVER 1e30
static const struct hd_iteration_fit ideal = {0, 0, 0, 1, 1, 1, 1};

static void close_to(double got, double want) {
    if (fabs(got / want - 1) > 1e-9) print_error("got %.12g, want %.12g\n", got, want);
    assert_true(fabs(got / want - 1) < 1e-9);
}

static void a_decode_reads_weights_and_kv(void **state) {
    (void)state;
    struct hd_gpu_spec gpu = {.bf16_flops = NEVER, .hbm_bytes_per_s = 1000};
    struct hd_iteration law;
    hd_iteration_law(&ideal, NULL, &gpu, &tiny, 1, 1, &law);
    /* one token's activations: (2*4*4 + (2*2*10 + 2*(2+2)*2) * 2) * 2 bytes = 288:
     * residual 32, both inner widths of both layers 40 + 16, twice */
    double bytes = 2 * (TINY_W + TINY_E) + 3 * 288;
    /* 100 tokens of context and 3 new ones, 2 * 2 layers * 2 * 2 bytes each */
    close_to(hd_iteration_s(&law, 3, 3, 0, 100), (bytes + 103 * 16) / 1000);
}

static void a_prefill_multiplies(void **state) {
    (void)state;
    struct hd_gpu_spec gpu = {.bf16_flops = 1000, .hbm_bytes_per_s = NEVER};
    struct hd_iteration law;
    hd_iteration_law(&ideal, NULL, &gpu, &tiny, 1, 1, &law);
    /* prompts of 5 and 7: two rows of logits; attention 2 * L * H * d * n^2 */
    double flops = 2.0 * TINY_W * 12 + 2.0 * TINY_E * 2 + 2 * 2 * 2 * 2 * (25 + 49);
    close_to(hd_iteration_s(&law, 12, 2, 25 + 49, 0), flops / 1000);
}

static void times_meet_in_soft_maxima(void **state) {
    (void)state;
    /* compute and memory of the GEMMs take 1 s each: 2^(1/2.5) together */
    struct hd_gpu_spec gpu = {.bf16_flops = 2.0 * (TINY_W + TINY_E),
                              .hbm_bytes_per_s = 2.0 * (TINY_W + TINY_E) + 288};
    struct hd_iteration_fit fit = ideal;
    struct hd_iteration law;
    hd_iteration_law(&fit, NULL, &gpu, &tiny, 1, 1, &law);
    close_to(hd_iteration_gemm_s(&law, 1, 1), pow(2, 0.4));
    /* launches of as much again: 2^(1/4), and host times on top */
    fit.ea = fit.ek = NEVER;
    fit.tl_s = pow(2, 0.4) / 2;
    fit.t0_s = 10;
    fit.ts_s = 3;
    hd_iteration_law(&fit, NULL, &gpu, &tiny, 1, 1, &law);
    close_to(hd_iteration_s(&law, 1, 1, 1, 0), 13 + pow(2, 0.4 + 0.25));
}

static void shares_and_efficiencies_slow_down(void **state) {
    (void)state;
    struct hd_gpu_spec gpu = {.bf16_flops = 1e5, .hbm_bytes_per_s = 1e3};
    struct hd_iteration_fit half = {0, 0, 0, 0.5, 0.5, 0.5, 0.5};
    struct hd_iteration whole, slow, shared;
    hd_iteration_law(&ideal, NULL, &gpu, &tiny, 1, 1, &whole);
    hd_iteration_law(&half, NULL, &gpu, &tiny, 1, 1, &slow);
    hd_iteration_law(&ideal, NULL, &gpu, &tiny, 1, 0.5, &shared);
    double want = 2 * hd_iteration_s(&whole, 4, 4, 0, 50);
    close_to(hd_iteration_s(&slow, 4, 4, 0, 50), want);
    close_to(hd_iteration_s(&shared, 4, 4, 0, 50), want);
}

/* ---- tensor parallelism -------------------------------------------------- */

static const struct hd_reduce_fit reduce = {
    .groups = 2,
    .group = {{2, 2, {100, 10000}, {1e-3, 9e-3}},
              {4, 3, {100, 1000, 10000}, {2e-3, 2e-3, 8e-3}}}};

static void an_all_reduce_is_linear_in_logarithms(void **state) {
    (void)state;
    assert_true(hd_reduce_s(&reduce, 1, 1e6) == 0);
    close_to(hd_reduce_s(&reduce, 2, 10), 1e-3); /* below the table: its latency */
    close_to(hd_reduce_s(&reduce, 2, 100), 1e-3);
    close_to(hd_reduce_s(&reduce, 2, 1000), 3e-3);    /* half way: the geometric mean */
    close_to(hd_reduce_s(&reduce, 2, 100000), 27e-3); /* beyond: the last slope */
    close_to(hd_reduce_s(&reduce, 4, 500), 2e-3);
    close_to(hd_reduce_s(&reduce, 3, 10000), 8e-3); /* not measured: as 4 */
    close_to(hd_reduce_s(&reduce, 8, 10000), 8e-3); /* more than measured: as 4 */
}

static void tp_splits_work_and_adds_reduces(void **state) {
    (void)state;
    struct hd_gpu_spec gpu = {.bf16_flops = 1000, .hbm_bytes_per_s = NEVER};
    struct hd_iteration law;
    hd_iteration_law(&ideal, &reduce, &gpu, &tiny, 2, 1, &law);
    double flops = 2.0 * TINY_W * 125 + 2.0 * TINY_E + 2 * 2 * 2 * 2 * 125.0 * 125;
    /* 125 tokens * 4 wide * 2 bytes = 1000 bytes: 3 ms, two in each of 2 layers */
    close_to(hd_iteration_s(&law, 125, 1, 125 * 125, 0), flops / 2000 + 4 * 3e-3);
    /* the single KV head is on both GPUs: a decode's KV reads do not halve */
    gpu = (struct hd_gpu_spec){.bf16_flops = NEVER, .hbm_bytes_per_s = 1000};
    hd_iteration_law(&ideal, &reduce, &gpu, &tiny, 2, 1, &law);
    double bytes = (TINY_W + TINY_E) + (32 + (2 * 2 * 10 + 2 * 4 * 2)) * 2.0;
    close_to(hd_iteration_s(&law, 1, 1, 0, 99), (bytes + 100 * 16) / 1000 + 4 * 1e-3);
}

/* ---- mixtures of experts ------------------------------------------------- */

static void experts_are_read_as_tokens_choose_them(void **state) {
    (void)state;
    struct hd_model_spec m = tiny;
    m.experts = 8;
    m.topk = 2;
    m.moe_ffn = 5;
    /* per layer: attention 48, router 32; an expert has 3*4*5 = 60 weights */
    double common = 2 * (48 + 32), expert = 60;
    struct hd_gpu_spec gpu = {.bf16_flops = NEVER, .hbm_bytes_per_s = 1};
    struct hd_iteration law;
    hd_iteration_law(&ideal, NULL, &gpu, &m, 1, 1, &law);
    double activations = (32 + (2 * 2 * 10 + 2 * 4 * 2) * 2) * 2.0;
    /* one token: exactly its 2 of 8 experts in each of 2 layers */
    double weights = common + TINY_E + 2 * 2 * expert;
    close_to(hd_iteration_gemm_s(&law, 1, 1), 2 * weights + activations);
    /* two tokens: 8 * (1 - (6/8)^2) = 3.5 on average */
    weights = common + TINY_E + 2 * 3.5 * expert;
    close_to(hd_iteration_gemm_s(&law, 2, 2), 2 * weights + 2 * activations);
    /* compute: each token passes two */
    gpu = (struct hd_gpu_spec){.bf16_flops = 1, .hbm_bytes_per_s = NEVER};
    hd_iteration_law(&ideal, NULL, &gpu, &m, 1, 1, &law);
    close_to(hd_iteration_gemm_s(&law, 10, 1),
             2 * (common + 2 * 2 * expert) * 10 + 2 * TINY_E);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decode_reads_weights_and_kv),
        cmocka_unit_test(a_prefill_multiplies),
        cmocka_unit_test(times_meet_in_soft_maxima),
        cmocka_unit_test(shares_and_efficiencies_slow_down),
        cmocka_unit_test(an_all_reduce_is_linear_in_logarithms),
        cmocka_unit_test(tp_splits_work_and_adds_reduces),
        cmocka_unit_test(experts_are_read_as_tokens_choose_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
