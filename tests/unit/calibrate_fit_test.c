/* The fit recovers a law from its own noise: rows come from a formula written here
 * from the reference, not from the room's code. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "calibrate/fit.h"

static const struct hd_gpu_spec gpu = {
    .name = "G", .bf16_flops = 4e14, .hbm_bytes_per_s = 2e12};
static const struct hd_model_spec models[] = {
    {.layers = 24,
     .hidden = 2048,
     .heads = 16,
     .kv_heads = 16,
     .head_dim = 128,
     .ffn = 8192,
     .vocab = 32000},
    {.layers = 28,
     .hidden = 3584,
     .heads = 28,
     .kv_heads = 4,
     .head_dim = 128,
     .ffn = 18944,
     .vocab = 152064},
    {.layers = 48,
     .hidden = 4096,
     .heads = 32,
     .kv_heads = 8,
     .head_dim = 128,
     .ffn = 11008,
     .vocab = 64000},
    {.layers = 40,
     .hidden = 5120,
     .heads = 40,
     .kv_heads = 40,
     .head_dim = 128,
     .ffn = 13824,
     .vocab = 32000},
};
enum { MODELS = 4, ROWS_MAX = 400 };

static const struct hd_iteration_fit truth = {1.5e-3, 180e-6, 70e-6, 0.62,
                                              0.8,    0.5,    0.7};

static double formula(const struct hd_model_spec *m, double T, double N, double Q,
                      double C) {
    double L = m->layers, h = m->hidden, H = m->heads, K = m->kv_heads, d = m->head_dim,
           f = m->ffn, V = m->vocab;
    double W = L * (h * (H + 2 * K) * d + H * d * h + 3 * h * f), E = V * h;
    double Fg = 2 * W * T + 2 * E * N;
    double Bg = (W + E) * 2 + T * L * (4 * h + (2 * f + (H + 2 * K) * d) * 2) * 2;
    double Fa = L * 2 * H * d * Q, Ba = (C + T) * L * 2 * K * d * 2;
    double P = gpu.bf16_flops, BW = gpu.hbm_bytes_per_s;
    double g = pow(pow(Fg / (truth.ec * P), 2.5) + pow(Bg / (truth.em * BW), 2.5), 0.4);
    double total = g + fmax(Fa / (truth.ea * P), Ba / (truth.ek * BW));
    return truth.t0_s + truth.ts_s * N +
           pow(pow(total, 4) + pow(L * truth.tl_s, 4), 0.25);
}

/* Within 2 % up and down, the same each time. */
static double noise(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return 1 + 0.02 * ((double)(*seed >> 8) / (1 << 23) - 1);
}

static int make_rows(struct hd_measured_row *row) {
    static const int input[] = {16, 64, 128, 512, 2048},
                     batch[] = {1, 2, 8, 30, 60, 120};
    uint32_t seed = 7;
    int rows = 0;
    for (int m = 0; m < MODELS; m++)
        for (size_t i = 0; i < 5; i++)
            for (size_t b = 0; b < 6; b++) {
                if (input[i] * batch[b] > 2048) continue;
                double T = (double)input[i] * batch[b];
                row[rows++] = (struct hd_measured_row){
                    &gpu,
                    &models[m],
                    input[i],
                    batch[b],
                    formula(&models[m], T, batch[b], T * input[i], 0) * noise(&seed),
                    formula(&models[m], batch[b], batch[b], 0,
                            batch[b] * (input[i] + 5.0)) *
                        noise(&seed)};
            }
    return rows;
}

static void a_known_law_is_recovered(void **state) {
    (void)state;
    struct hd_measured_row row[ROWS_MAX];
    struct hd_measured measured = {row, make_rows(row)};
    /* the last model stays unseen */
    struct hd_fit_rows seen = {.not_model = &models[3]}, unseen = {.model = &models[3]};
    struct hd_iteration_fit fit = hd_fit_iteration(&measured, &seen);
    print_message("t0 %.3f ms, tl %.0f us, ts %.1f us, ec %.3f, em %.3f, ea %.2f, "
                  "ek %.2f\n",
                  fit.t0_s * 1e3, fit.tl_s * 1e6, fit.ts_s * 1e6, fit.ec, fit.em,
                  fit.ea, fit.ek);
    assert_true(fabs(fit.ts_s / truth.ts_s - 1) < 0.1);
    assert_true(fabs(fit.tl_s / truth.tl_s - 1) < 0.1);
    assert_true(fabs(fit.ec / truth.ec - 1) < 0.05);
    assert_true(fabs(fit.em / truth.em - 1) < 0.05);
    struct hd_fit_tally tally = {0};
    hd_fit_judge(&fit, &measured, &unseen, &tally);
    assert_true(tally.count > 10);
    struct hd_fit_errors e = hd_fit_summary(&tally);
    print_message("unseen model: prefill %.2f / %.2f %%, decode %.2f / %.2f %%\n",
                  100 * e.prefill.p50, 100 * e.prefill.p90, 100 * e.decode.p50,
                  100 * e.decode.p90);
    /* the noise alone is 1 / 1.8 % */
    assert_true(e.both.p50 < 0.02 && e.both.p90 < 0.04);
    struct hd_iteration_fit again = hd_fit_iteration(&measured, &seen);
    assert_memory_equal(&fit, &again, sizeof fit);
}

static void rows_that_are_not_clean_do_not_count(void **state) {
    (void)state;
    struct hd_measured_row row[ROWS_MAX];
    int rows = make_rows(row);
    struct hd_measured clean = {row, rows};
    struct hd_fit_rows all = {0};
    struct hd_iteration_fit fit = hd_fit_iteration(&clean, &all);
    row[rows++] = (struct hd_measured_row){&gpu, &models[0], 512, 8, 99, 99};
    row[rows++] = (struct hd_measured_row){&gpu, &models[0], 16, 1, 99, 4e-4};
    struct hd_measured soiled = {row, rows};
    struct hd_iteration_fit same = hd_fit_iteration(&soiled, &all);
    assert_memory_equal(&fit, &same, sizeof fit);
}

static void errors_are_quantiles(void **state) {
    (void)state;
    double error[] = {0.5, 0.1, 0.3, 0.2, 0.4, 0.0, 0.6, 0.7, 0.9, 0.8, 1.0};
    struct hd_fit_error e = hd_fit_error_of(error, 11);
    assert_true(fabs(e.p50 - 0.5) < 1e-12 && fabs(e.p90 - 0.9) < 1e-12);
    assert_int_equal(e.values, 11);
    struct hd_fit_tally none = {0};
    assert_true(isnan(hd_fit_summary(&none).both.p50));
    assert_true(hd_fit_rounded(0.00123456) == 0.001235);
    assert_true(hd_fit_rounded(98765) == 98770);
}

/* ---- reading ------------------------------------------------------------- */

static void refuses(const struct hd_catalog *catalog, const char *text,
                    const char *why) {
    char path[] = "/tmp/hd_measured_XXXXXX";
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    assert_true(write(handle, text, strlen(text)) == (ssize_t)strlen(text));
    close(handle);
    struct hd_measured measured;
    struct hd_err err = {0};
    bool fine = hd_measured_read(catalog, path, &measured, &err);
    unlink(path);
    if (fine || !strstr(err.text, why)) print_error("want %s, got %s\n", why, err.text);
    assert_false(fine);
    assert_non_null(strstr(err.text, why));
    assert_null(measured.row);
}

static void wrong_measurements_are_refused(void **state) {
    (void)state;
    struct hd_err err = {0};
    struct hd_catalog *catalog = hd_catalog_load(&err);
    assert_non_null(catalog);
    refuses(catalog, "", "no rows");
    refuses(catalog, "model,gpu,i,b,pre\n", "no column 'dec'");
    refuses(catalog, "model,gpu,i,b,pre,dec\n", "no rows");
    refuses(catalog, "model,gpu,i,b,pre,dec\nqwen2.5-7b,A10,1,1,0.1\n", ":2: 5 fields");
    refuses(catalog, "model,gpu,i,b,pre,dec\nqwen2.5-7b,A11,1,1,0.1,0.1\n",
            "nearest is A10");
    refuses(catalog, "model,gpu,i,b,pre,dec\nqwen2.5-7b,A10,1,-1,0.1,0.1\n", "-1");
    refuses(catalog, "model,gpu,i,b,pre,dec\nqwen2.5-7b,A10,1,1,nan,0.1\n", "nan");
    hd_catalog_free(catalog);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_law_is_recovered),
        cmocka_unit_test(rows_that_are_not_clean_do_not_count),
        cmocka_unit_test(errors_are_quantiles),
        cmocka_unit_test(wrong_measurements_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
