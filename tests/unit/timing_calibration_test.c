/* Shipped calibrations load for every GPU, say what they rest on, and compile into
 * tables that follow the law. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "timing/calibration.h"

static struct hd_engines *engines;

static const struct hd_engine_profile *engine(const char *name) {
    struct hd_err err = {0};
    const struct hd_engine_profile *p = hd_engines_find(engines, name, &err);
    assert_non_null(p);
    return p;
}

static int load(void **state) {
    struct hd_err err = {0};
    *state = hd_catalog_load(&err);
    engines = hd_engines_load(&err);
    assert_non_null(engines);
    if (!*state) print_error("%s\n", err.text);
    return *state ? 0 : -1;
}

static int unload(void **state) {
    hd_catalog_free(*state);
    hd_engines_free(engines);
    return 0;
}

static const struct hd_gpu_spec *gpu_of(void **state, const char *name) {
    struct hd_err err = {0};
    const struct hd_gpu_spec *gpu = hd_catalog_gpu(*state, name, &err);
    assert_non_null(gpu);
    return gpu;
}

static const struct hd_model_spec *model_of(void **state, const char *name) {
    struct hd_err err = {0};
    const struct hd_model_spec *model = hd_catalog_model(*state, name, &err);
    assert_non_null(model);
    return model;
}

static struct hd_calibration *calibration_of(const struct hd_gpu_spec *gpu) {
    struct hd_err err = {0};
    struct hd_calibration *c = hd_calibration_load(gpu, NULL, &err);
    if (!c) print_error("%s\n", err.text);
    assert_non_null(c);
    return c;
}

static void every_gpu_has_timing(void **state) {
    int count;
    const struct hd_gpu_spec *gpu = hd_catalog_gpus(*state, &count);
    for (int n = 0; n < count; n++) {
        struct hd_calibration *c = calibration_of(&gpu[n]);
        assert_string_equal(c->gpu, gpu[n].name);
        assert_int_equal(strlen(c->revision), 12);
        assert_true(c->basis == HD_CALIBRATION_SCALED ||
                    strcmp(c->gpu, c->fitted) == 0);
        assert_true(c->held_out.p50 > 0 && c->held_out.p50 < c->held_out.p90);
        assert_true(c->held_out.p90 < 0.4);
        assert_true(c->fit.ec > 0.3 && c->fit.ec < 1.05);
        assert_true(c->reduce.groups >= 1);
        hd_calibration_free(c);
    }
}

static void what_timing_rests_on_is_said(void **state) {
    struct hd_timing_source s;
    const struct hd_model_spec *model = model_of(state, "qwen2.5-7b");
    struct hd_calibration *c = calibration_of(gpu_of(state, "H100"));
    assert_int_equal(c->basis, HD_CALIBRATION_FITTED);
    assert_int_equal(c->models, 3);
    hd_timing_source_of(c, model, 1, &s);
    assert_string_equal(s.gpu, "H100-SXM");
    assert_string_equal(s.model, "Qwen/Qwen2.5-7B");
    assert_string_equal(s.revision, c->revision);
    assert_true(strncmp(s.source, "fitted to iterations", 20) == 0);
    assert_null(strstr(s.source, "all-reduce"));
    assert_true(s.error_p50 == c->held_out.p50 && s.error_p90 == c->held_out.p90);
    hd_calibration_free(c);
    c = calibration_of(gpu_of(state, "H200"));
    assert_int_equal(c->basis, HD_CALIBRATION_SCALED);
    hd_timing_source_of(c, model, 4, &s);
    assert_true(strncmp(s.source, "scaled from specification", 25) == 0);
    assert_non_null(strstr(s.source, "on H100-SXM"));
    assert_non_null(strstr(s.source, "all-reduce kernels of H200-SXM"));
    hd_calibration_free(c);
    c = calibration_of(gpu_of(state, "H20"));
    assert_int_equal(c->basis, HD_CALIBRATION_SUSPECT);
    hd_timing_source_of(c, model, 1, &s);
    assert_non_null(strstr(s.source, "suspect"));
    hd_calibration_free(c);
}

/* A transfer to a GPU that was not measured is expected to be worse. */
static void scaled_timing_is_less_certain(void **state) {
    struct hd_calibration *own = calibration_of(gpu_of(state, "H100"));
    struct hd_calibration *scaled = calibration_of(gpu_of(state, "H200"));
    assert_true(scaled->held_out.p50 > own->held_out.p50);
    assert_true(scaled->held_out.p90 > own->held_out.p90);
    assert_string_not_equal(scaled->revision, own->revision);
    free(own);
    free(scaled);
}

static void slower_links_reduce_slower(void **state) {
    struct hd_calibration *h100 = calibration_of(gpu_of(state, "H100"));
    struct hd_calibration *h800 = calibration_of(gpu_of(state, "H800"));
    double small = 256, large = 1 << 28;
    assert_true(hd_reduce_s(&h800->reduce, 8, small) ==
                hd_reduce_s(&h100->reduce, 8, small));
    double ratio =
        hd_reduce_s(&h800->reduce, 8, large) / hd_reduce_s(&h100->reduce, 8, large);
    assert_true(ratio > 2.1 && ratio < 2.26); /* 450 / 200, less the latency */
    free(h100);
    free(h800);
}

/* ---- compiled ------------------------------------------------------------ */

static uint64_t next_random(uint64_t *seed) { /* splitmix64 */
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double random_size(uint64_t *seed, double most) {
    double u = (double)(next_random(seed) >> 11) / 9007199254740992.0;
    return floor(exp(u * log(most)));
}

static double error(hd_tick got, double seconds) {
    return fabs(hd_s_from_tick(got) / seconds - 1);
}

static void tables_follow_the_law(void **state) {
    static const struct {
        const char *gpu, *model;
        int tp;
        double share;
    } cases[] = {
        {"H100", "qwen2.5-7b", 1, 1},    {"A10", "qwen2.5-0.5b", 1, 1},
        {"H100", "llama-2-70b", 4, 1},   {"H200", "qwen3-30b-a3b", 1, 1},
        {"B200", "deepseek-v3", 8, 1},   {"L40S", "llama-2-13b", 2, 1},
        {"A100", "llama-2-13b", 1, 0.5}, {"H800", "mixtral-8x7b", 2, 1},
    };
    double worst_step = 0, worst_prefill = 0;
    uint64_t seed = 3;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        const struct hd_gpu_spec *gpu = gpu_of(state, cases[n].gpu);
        const struct hd_model_spec *model = model_of(state, cases[n].model);
        struct hd_calibration *c = calibration_of(gpu);
        struct hd_timing *t = hd_timing_compile(
            c, gpu, model, cases[n].tp, cases[n].share, engine(HD_ENGINE_DEFAULT), 128);
        struct hd_iteration law;
        hd_iteration_law(&c->fit, &c->reduce, gpu, model, cases[n].tp, cases[n].share,
                         &law);
        /* what 128 sequences can have, or the GPUs can hold */
        double most =
            fmin(128.0 * model->max_context_tokens,
                 (double)gpu->vram_bytes * cases[n].tp / (double)model->kv_token_bytes);
        for (int k = 0; k < 4000; k++) {
            double batch = random_size(&seed, 129), context = random_size(&seed, most);
            hd_tick slope;
            int64_t until;
            hd_tick step =
                hd_timing_step(t, (int)batch, (int64_t)context, &slope, &until);
            worst_step =
                fmax(worst_step,
                     error(step, hd_iteration_s(&law, batch, batch, 0, context)));
            double tokens = random_size(&seed, 32768);
            double rows = random_size(&seed, tokens < 256 ? tokens + 1 : 256);
            double square = tokens * random_size(&seed, tokens + 1);
            hd_tick prefill = hd_timing_prefill(t, (int64_t)tokens, (int)rows,
                                                (int64_t)square, 0, (int64_t)context);
            double want = hd_iteration_s(&law, tokens, rows, square, context);
            worst_prefill = fmax(worst_prefill, error(prefill, want));
        }
        hd_timing_free(t);
        hd_calibration_free(c);
    }
    print_message("worst error of a table: step %.3f %%, prefill %.3f %%\n",
                  100 * worst_step, 100 * worst_prefill);
    assert_true(worst_step < 0.005);
    assert_true(worst_prefill < 0.005);
}

/* Milliseconds that Aegaeon's authors measured, through the whole chain. */
static void measured_iterations_come_out(void **state) {
    static const struct {
        const char *gpu, *model;
        double prefill_1024_ms, step_128_16_ms;
    } facts[] = {
        {"A10", "qwen2.5-7b", 237.3, 36.95}, {"A100", "qwen2.5-7b", 65.3, 14.95},
        {"H100", "qwen2.5-7b", 25.0, 10.55}, {"H100", "yi-1.5-9b", 31.5, 14.87},
        {"H800", "yi-1.5-9b", 32.8, 13.22},  {"H100", "llama-2-13b", 44.7, 14.71},
    };
    for (size_t n = 0; n < sizeof facts / sizeof *facts; n++) {
        const struct hd_gpu_spec *gpu = gpu_of(state, facts[n].gpu);
        struct hd_calibration *c = calibration_of(gpu);
        struct hd_timing *t = hd_timing_compile(c, gpu, model_of(state, facts[n].model),
                                                1, 1, engine(HD_ENGINE_DEFAULT), 64);
        hd_tick slope;
        int64_t until;
        double prefill =
            1e3 * hd_s_from_tick(hd_timing_prefill(t, 1024, 1, 1024 * 1024, 0, 0));
        double step =
            1e3 * hd_s_from_tick(hd_timing_step(t, 16, 16 * 133, &slope, &until));
        print_message("%-5s %-12s prefill %6.1f ms, measured %6.1f; step %5.2f ms, "
                      "measured %5.2f\n",
                      facts[n].gpu, facts[n].model, prefill, facts[n].prefill_1024_ms,
                      step, facts[n].step_128_16_ms);
        assert_true(fabs(prefill / facts[n].prefill_1024_ms - 1) < 0.15);
        assert_true(fabs(step / facts[n].step_128_16_ms - 1) < 0.15);
        hd_timing_free(t);
        hd_calibration_free(c);
    }
}

static void more_gpus_and_shares_order_as_expected(void **state) {
    const struct hd_gpu_spec *gpu = gpu_of(state, "H100");
    const struct hd_model_spec *model = model_of(state, "llama-2-70b");
    struct hd_calibration *c = calibration_of(gpu);
    double last = INFINITY;
    for (int tp = 2; tp <= 8; tp *= 2) {
        struct hd_timing *t =
            hd_timing_compile(c, gpu, model, tp, 1, engine(HD_ENGINE_DEFAULT), 8);
        double s = hd_s_from_tick(hd_timing_prefill(t, 2048, 1, 2048 * 2048, 0, 0));
        print_message("llama-2-70b, prefill of 2048 on %d H100: %.1f ms\n", tp,
                      1e3 * s);
        assert_true(s < last);
        assert_true(isinf(last) || s > last / 2); /* never better than in half */
        last = s;
        hd_timing_free(t);
    }
    struct hd_timing *whole =
        hd_timing_compile(c, gpu, model, 4, 1, engine(HD_ENGINE_DEFAULT), 8);
    struct hd_timing *half =
        hd_timing_compile(c, gpu, model, 4, 0.5, engine(HD_ENGINE_DEFAULT), 8);
    hd_tick slope;
    int64_t until;
    assert_true(hd_timing_step(half, 4, 1000, &slope, &until) >
                hd_timing_step(whole, 4, 1000, &slope, &until));
    hd_timing_free(whole);
    hd_timing_free(half);
    hd_calibration_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_gpu_has_timing),
        cmocka_unit_test(what_timing_rests_on_is_said),
        cmocka_unit_test(scaled_timing_is_less_certain),
        cmocka_unit_test(slower_links_reduce_slower),
        cmocka_unit_test(tables_follow_the_law),
        cmocka_unit_test(measured_iterations_come_out),
        cmocka_unit_test(more_gpus_and_shares_order_as_expected),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
