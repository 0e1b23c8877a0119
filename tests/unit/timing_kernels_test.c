/* Kernel tables through their files, and iterations composed from them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "timing/calibration.h"
#include "timing/kernels_law.h"
#include "timing/predict.h"

/* ---- files --------------------------------------------------------------- */

static const char good[] = "op,type,field,values\n"
                           "gemm,bf16,t0_s,3e-06\n"
                           "gemm,bf16,ec,0.8\n"
                           "gemm,bf16,em,0.9\n"
                           "gemm,bf16,p,3\n"
                           "gemm,bf16,in_sample,0.0200 0.0900 300\n"
                           "gemm,bf16,roof_only,0.0500 0.1500 100\n"
                           "gemm,bf16,held_out,0.0300 0.1000 100\n"
                           "gemm,bf16,source,fitted to 300 rows: somewhere\n"
                           "gemm,bf16,licence,MIT\n"
                           "gemm,bf16,axis,1 64\n"
                           "gemm,bf16,axis,1024 4096\n"
                           "gemm,bf16,axis,512 1024 2048\n"
                           "gemm,bf16,residual,1 -2 3 4 5 -600\n"
                           "gemm,bf16,residual,7 8 9 10 11 12\n";

static char *write_file(const char *text) {
    char *path = hd_strdup("/tmp/hd_tables_XXXXXX");
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    assert_true(write(handle, text, strlen(text)) == (ssize_t)strlen(text));
    close(handle);
    return path;
}

static bool read_text(const char *text, struct hd_kernel_tables *t,
                      struct hd_err *err) {
    char *path = write_file(text);
    bool fine = hd_kernel_tables_read(t, path, err);
    unlink(path);
    free(path);
    return fine;
}

static void a_file_comes_back_as_it_was(void **state) {
    (void)state;
    struct hd_kernel_tables t = {0};
    struct hd_err err = {0};
    assert_true(read_text(good, &t, &err));
    const struct hd_kernel_table *k = &t.of[HD_ROOF_GEMM][HD_ROOF_BF16];
    assert_true(k->law.known && !k->superseded && k->held_out.values == 100);
    assert_true(fabs(hd_grid_at(&k->law.grid, (double[]){1, 4096, 2048, 0}) + 0.6) <
                1e-12);
    char *text;
    size_t bytes;
    FILE *out = hd_text_stream(&text, &bytes);
    hd_kernel_tables_print(&t, hd_kernel_file_of(HD_ROOF_GEMM), out);
    hd_text_stream_end(out, &text);
    assert_string_equal(text, good);
    free(text);
    hd_kernel_tables_free(&t);
}

/* The good file with the first `from` replaced by `to`. */
static void refuses(const char *from, const char *to, const char *why) {
    const char *at = strstr(good, from);
    assert_non_null(at);
    char *text = hd_format("%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    struct hd_kernel_tables t = {0};
    struct hd_err err = {0};
    assert_false(read_text(text, &t, &err));
    if (!strstr(err.text, why)) fail_msg("'%s' lacks '%s'", err.text, why);
    free(text);
    hd_kernel_tables_free(&t);
}

static void wrong_files_are_refused_with_their_line(void **state) {
    (void)state;
    refuses("op,type", "type,op", ":1: expected the header");
    refuses("gemm,bf16,t0_s", "conv,bf16,t0_s", ":2: unknown op 'conv'");
    refuses("gemm,bf16,ec", "gemm,fp4,ec", ":3: unknown type 'fp4'");
    refuses("ec,0.8", "ec,-0.8", ":3: -0.8; expected a number above 0");
    refuses("ec,0.8", "ec,fast", ":3: ");
    refuses("em,0.9", "ec,0.9", ":4: ec for the second time");
    refuses("0.0200 0.0900 300", "0.0900 0.0200 300", ":6: expected median");
    refuses("axis,1 64", "axis,64 1", ":11: knots are not positive and ascending");
    refuses("1 -2 3 4 5 -600", "1 -2 3 4 5", ":14: 5 residuals; expected 6");
    refuses("1 -2 3 4 5 -600", "1 -2 3 4 5 -6 7", ":14: more than 6 numbers");
    refuses("1 -2 3 4 5 -600", "1 -2 3 4 5 nan", ":14: ");
    refuses("gemm,bf16,residual,7 8 9 10 11 12\n", "", "6 residuals; expected 12");
    refuses("gemm,bf16,licence,MIT\n", "", "no licence of gemm bf16");
    refuses("licence,MIT", "license,MIT", ":10: unknown field 'license'");
}

/* ---- composition --------------------------------------------------------- */

struct world {
    struct hd_catalog *catalog;
};

static int load(void **state) {
    static struct world w;
    struct hd_err err = {0};
    w.catalog = hd_catalog_load(&err);
    *state = &w;
    return w.catalog ? 0 : -1;
}

static int unload(void **state) {
    hd_catalog_free(((struct world *)*state)->catalog);
    return 0;
}

struct composed {
    struct hd_kernel_set *set;
    struct hd_calibration *calibration;
    struct hd_composition c;
};

static void compose(const struct world *w, const char *gpu, const char *model, int tp,
                    struct composed *to) {
    struct hd_err err = {0};
    const struct hd_gpu_spec *g = hd_catalog_gpu(w->catalog, gpu, &err);
    const struct hd_model_spec *m = hd_catalog_model(w->catalog, model, &err);
    to->set = hd_kernel_set_load(g, false, &err);
    if (!to->set || !m) fail_msg("%s", err.text);
    to->calibration = hd_calibration_load(g, NULL, &err);
    assert_non_null(to->calibration);
    hd_compose(&to->c, to->set, &to->calibration->reduce, g, m, tp, 1);
}

static void done(struct composed *c) {
    hd_kernel_set_free(c->set);
    hd_calibration_free(c->calibration);
}

static void every_gpu_has_kernels_to_compose_from(void **state) {
    int gpus;
    struct hd_catalog *catalog = ((struct world *)*state)->catalog;
    const struct hd_gpu_spec *gpu = hd_catalog_gpus(catalog, &gpus);
    for (int n = 0; n < gpus; n++) {
        struct hd_err err = {0};
        struct hd_kernel_set *set = hd_kernel_set_load(&gpu[n], false, &err);
        if (!set) fail_msg("%s: %s", gpu[n].name, err.text);
        const struct hd_kernel_origin *origin;
        assert_non_null(hd_kernel_set_find(set, HD_ROOF_GEMM, HD_ROOF_BF16, &origin));
        assert_string_equal(origin->gpu, gpu[n].tabled->name);
        assert_true(origin->own == (gpu[n].tabled == &gpu[n]));
        hd_kernel_set_free(set);
    }
}

/* The weights' bytes cannot be read faster than the memory is, nor the work done faster
 * than the peak; and not more than 4 times slower where there is enough of it: rows
 * that go to experts and residuals that every GPU has whole are not split. */
static void iterations_keep_within_the_data_sheet(void **state) {
    static const struct {
        const char *gpu, *model;
        int tp;
    } cases[] = {{"H100-SXM", "llama-3.1-8b", 1},   {"H100-SXM", "llama-2-70b", 4},
                 {"A100-80-SXM", "llama-2-13b", 1}, {"B200-SXM", "qwen3-32b", 1},
                 {"H200-SXM", "mixtral-8x7b", 2},   {"H200-SXM", "deepseek-v3", 8},
                 {"L40S", "qwen2.5-7b", 1},         {"A10", "llama-2-7b", 1}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct composed at;
        compose(*state, cases[n].gpu, cases[n].model, cases[n].tp, &at);
        const struct hd_composition *c = &at.c;
        double bytes = (double)c->model->weights_bytes / c->tp;
        double many = hd_compose_tokens_s(c, 1e4) + hd_compose_rows_s(c, 1);
        double read = bytes / c->gpu->hbm_bytes_per_s;
        double flops = 2 * (double)c->model->active_params * 1e4 / c->tp;
        double work = flops / c->gpu->bf16_flops;
        /* all experts are touched by 256 tokens, or nearly */
        double some = hd_compose_tokens_s(c, 256) + hd_compose_rows_s(c, 256);
        print_message("%-11s %-14s tp%-2d 256 tokens %.1f ms of %.1f, 10^4 %.0f of "
                      "%.0f\n",
                      cases[n].gpu, cases[n].model, cases[n].tp, some * 1e3, read * 1e3,
                      many * 1e3, work * 1e3);
        assert_true(some > read && some < 4 * read);
        assert_true(many > work && many < 4 * work);
        done(&at);
    }
}

static void the_parts_are_the_whole(void **state) {
    struct composed at;
    compose(*state, "RTX-PRO-6000-Server", "llama-3.1-8b", 2, &at);
    struct hd_batch_shape b = {
        .tokens = 700, .rows = 101, .decodes = 100, .context = 9e4};
    hd_batch_prefills(&b, 600, 600 * 300.0);
    assert_true(b.prefills == 2 && b.chunk == 300 && b.prefix == 0);
    struct hd_part part[HD_PARTS_MAX];
    int parts = hd_compose_parts(&at.c, &b, part);
    double sum = 0, expected = hd_compose_tokens_s(&at.c, 700) +
                               hd_compose_rows_s(&at.c, 101) +
                               hd_compose_prefill_s(&at.c, &b) +
                               hd_compose_beside_s(&at.c, 100, 9e4, 600) +
                               hd_compose_reduce_s(&at.c, 700);
    for (int n = 0; n < parts; n++) {
        assert_true(part[n].seconds > 0 && part[n].p50 > 0 &&
                    part[n].p90 > part[n].p50);
        sum += part[n].seconds;
    }
    assert_true(fabs(sum / expected - 1) < 1e-12);
    /* decodes beside a prefill take more than alone: measured on this GPU */
    assert_true(hd_compose_beside_s(&at.c, 100, 9e4, 600) >
                1.2 * hd_compose_decode_s(&at.c, 100, 9e4));
    done(&at);
}

static void a_prefix_is_told_from_many_prompts(void **state) {
    (void)state;
    struct hd_batch_shape b = {0};
    hd_batch_prefills(&b, 512, 512 * (2 * 1000.0 + 512));
    assert_true(b.prefills == 1 && b.chunk == 512 && b.prefix == 1000);
}

/* Compiled, the law is off itself by less than a per cent. */
static void compiled_it_is_the_same(void **state) {
    struct composed at;
    compose(*state, "H100-SXM", "llama-3.1-8b", 1, &at);
    struct hd_kernels_law l;
    enum { BATCHES = 256 };
    hd_kernels_law_init(&l, &at.c, 1e-3, BATCHES);
    struct hd_timing *t = hd_timing_sample(&l.law, BATCHES);
    double worst_step = 0, worst_prefill = 0;
    for (int b = 1; b <= BATCHES; b += 1 + b / 5)
        for (int64_t mean = 10; mean < 8000; mean = mean * 3 / 2) {
            hd_tick slope;
            int64_t until;
            double got = (double)hd_timing_step(t, b, b * mean, &slope, &until) /
                         (double)HD_TICKS_PER_S;
            double gpu = hd_compose_tokens_s(&at.c, b) + hd_compose_rows_s(&at.c, b) +
                         hd_compose_decode_s(&at.c, b, (double)(b * mean));
            double law = pow(pow(gpu, 4) + 1e-12, 0.25);
            worst_step = fmax(worst_step, fabs(got / law - 1));
        }
    for (int64_t n = 1; n < 16000; n += 1 + n / 40) {
        double got =
            (double)hd_timing_prefill(t, n, 1, n * n, 0, 0) / (double)HD_TICKS_PER_S;
        struct hd_batch_shape b = {0};
        hd_batch_prefills(&b, (double)n, (double)(n * n));
        double gpu = hd_compose_tokens_s(&at.c, (double)n) +
                     hd_compose_rows_s(&at.c, 1) + hd_compose_prefill_s(&at.c, &b);
        double law = pow(pow(gpu, 4) + 1e-12, 0.25);
        worst_prefill = fmax(worst_prefill, fabs(got / law - 1));
    }
    print_message("compiled: steps within %.2f %%, prefills within %.2f %%\n",
                  100 * worst_step, 100 * worst_prefill);
    assert_true(worst_step < 0.01 && worst_prefill < 0.005);
    hd_timing_free(t);
    hd_kernels_law_free(&l);
    done(&at);
}

/* An engine with tables rests on kernels, its own or a relative's; one without on what
 * it always did. */
static void an_engine_with_tables_rests_on_kernels(void **state) {
    const struct world *w = *state;
    struct hd_err err = {0};
    struct hd_engine_profile engine = {.tables = true, .graph = true, .chunked = true};
    static const struct {
        const char *gpu, *on;
        enum hd_calibration_basis basis;
    } cases[] = {{"H100-SXM", "H100-SXM", HD_CALIBRATION_TABLES},
                 {"H800-SXM", "H100-SXM", HD_CALIBRATION_SCALED}};
    for (size_t n = 0; n < 2; n++) {
        const struct hd_gpu_spec *gpu = hd_catalog_gpu(w->catalog, cases[n].gpu, &err);
        struct hd_calibration *c = hd_calibration_load(gpu, &engine, &err),
                              *without = hd_calibration_load(gpu, NULL, &err);
        if (!c || !without) fail_msg("%s", err.text);
        assert_int_equal(c->basis, cases[n].basis);
        assert_string_equal(c->fitted, cases[n].on);
        assert_non_null(c->kernels);
        assert_null(without->kernels);
        assert_string_not_equal(c->revision, without->revision);
        /* all-reduces of graphs wait for no launch */
        assert_true(hd_reduce_s(&c->reduce, 2, 1e4) <
                    hd_reduce_s(&without->reduce, 2, 1e4) / 2);
        char *part[HD_CALIBRATION_FILES_MAX];
        int files = hd_calibration_files(gpu, &engine, part);
        assert_int_equal(files, 2 + 3 * 4);
        for (int i = 0; i < files; i++) free(part[i]);
        hd_calibration_free(c);
        hd_calibration_free(without);
    }
}

/* What `hotdesk timing` shows is what a run is timed by. */
static void a_prediction_is_what_runs_are_timed_by(void **state) {
    const struct world *w = *state;
    struct hd_err err = {0};
    struct hd_engines *engines = hd_engines_load(&err);
    if (!engines) fail_msg("%s", err.text);
    static const char *const engine[] = {"eager-2024", "vllm-0.6-sync",
                                         "vllm-0.14-async", "vllm-0.14-eager"};
    static const struct {
        const char *gpu, *model;
        int tp;
    } cases[] = {{"A100-80-SXM", "llama-2-7b", 1},
                 {"H100-SXM", "mixtral-8x7b", 4},
                 {"H200-SXM", "llama-3.1-8b/fp8/kv-fp8", 1}};
    enum { BATCH = 48, CONTEXT = 640, CHUNK = 512 };
    for (size_t e = 0; e < 4; e++)
        for (size_t n = 0; n < 3; n++) {
            if (e == 0 && n == 2) continue; /* iterations were measured at 16 bits */
            const struct hd_engine_profile *profile =
                hd_engines_find(engines, engine[e], &err);
            const struct hd_gpu_spec *gpu =
                hd_catalog_gpu(w->catalog, cases[n].gpu, &err);
            const struct hd_model_spec *model =
                hd_catalog_model(w->catalog, cases[n].model, &err);
            struct hd_calibration *c = hd_calibration_load(gpu, profile, &err);
            if (!c || !model) fail_msg("%s", err.text);
            struct hd_timing *t =
                hd_timing_compile(c, gpu, model, cases[n].tp, 1, profile, 64);
            struct hd_batch_shape decode = {.tokens = BATCH,
                                            .rows = BATCH,
                                            .decodes = BATCH,
                                            .context = BATCH * CONTEXT},
                                  mixed = decode;
            mixed.tokens += CHUNK, mixed.rows++;
            mixed.prefills = 1, mixed.chunk = CHUNK;
            struct hd_step_prediction p;
            hd_tick slope;
            int64_t until;
            hd_predict_step(c, gpu, model, cases[n].tp, profile, &decode, &p);
            double step =
                (double)hd_timing_step(t, BATCH, BATCH * CONTEXT, &slope, &until) /
                (double)HD_TICKS_PER_S;
            assert_true(fabs(p.step_s / step - 1) < 0.01);
            assert_true(p.p50 > 0.01 && p.p90 > p.p50 && p.p90 < 0.4);
            hd_predict_step(c, gpu, model, cases[n].tp, profile, &mixed, &p);
            step = (double)hd_timing_prefill(t, BATCH + CHUNK, BATCH + 1,
                                             (int64_t)CHUNK * CHUNK, BATCH,
                                             BATCH * CONTEXT) /
                   (double)HD_TICKS_PER_S;
            if (fabs(p.step_s / step - 1) > 0.01)
                fail_msg("%s on %s: %g, compiled %g", engine[e], cases[n].gpu, p.step_s,
                         step);
            hd_timing_free(t);
            hd_calibration_free(c);
        }
    hd_engines_free(engines);
}

/* Of fp8 weights every GEMM but head and router is the fp8 table's, of fp8 KV both
 * attentions are; all else is as at 16 bits. */
static void each_kernel_has_the_type_of_its_numbers(void **state) {
    struct composed plain, small;
    compose(*state, "H100", "mixtral-8x7b", 1, &plain);
    compose(*state, "H100", "mixtral-8x7b/fp8/kv-fp8", 1, &small);
    struct hd_batch_shape b = {.tokens = 96,
                               .rows = 33,
                               .prefills = 1,
                               .chunk = 64,
                               .decodes = 32,
                               .context = 32 * 700};
    struct hd_part wide[HD_PARTS_MAX], narrow[HD_PARTS_MAX];
    int parts = hd_compose_parts(&plain.c, &b, wide);
    assert_int_equal(hd_compose_parts(&small.c, &b, narrow), parts);
    int changed = 0;
    for (int n = 0; n < parts; n++) {
        enum hd_roof_op op = HD_ROOF_OPS;
        bool eight = false;
        for (int k = 0; k < HD_ROOF_OPS * HD_ROOF_TYPES; k++) {
            op = (enum hd_roof_op)(k / HD_ROOF_TYPES);
            eight = k % HD_ROOF_TYPES == HD_ROOF_FP8;
            if (narrow[n].table == &narrow[n].origin->tables.of[op][eight]) break;
        }
        bool stays = strcmp(narrow[n].name, "router") == 0 ||
                     strcmp(narrow[n].name, "output head") == 0 || op > HD_ROOF_DECODE;
        assert_int_equal(eight, !stays);
        assert_int_equal(narrow[n].seconds == wide[n].seconds, stays);

        changed += !stays;
    }
    assert_int_equal(changed, 6); /* two projections, two of experts, two attentions */
    done(&plain);
    done(&small);
}

/* What nobody measured says so and has a wider band; where it was measured it does
 * not. */
static void what_was_not_measured_is_marked(void **state) {
    static const struct {
        const char *gpu, *model;
        int experts, mixed;
    } cases[] = {{"H100", "mixtral-8x7b", 2, 2},
                 {"H100", "llama-3.1-8b", 0, 2},
                 {"RTX-PRO-6000", "llama-3.1-8b", 0, 0}};
    for (size_t n = 0; n < 3; n++)
        for (int chunk = 0; chunk <= 64; chunk += 64) {
            struct composed at;
            struct hd_part part[HD_PARTS_MAX];
            compose(*state, cases[n].gpu, cases[n].model, 1, &at);
            struct hd_batch_shape b = {.tokens = 32 + chunk,
                                       .rows = 32 + (chunk > 0),
                                       .prefills = chunk > 0,
                                       .chunk = chunk,
                                       .decodes = 32,
                                       .context = 32 * 700};
            int parts = hd_compose_parts(&at.c, &b, part), experts = 0, mixed = 0;
            for (int i = 0; i < parts; i++) {
                if (!part[i].note) continue;
                assert_false(part[i].inside);
                if (strstr(part[i].name, "attention")) {
                    mixed++;
                    assert_true(part[i].p50 >= HD_SUMMED_P50);
                    assert_true(part[i].p90 >= HD_SUMMED_P90);
                } else {
                    experts++;
                    assert_true(part[i].p50 >= HD_UNSEEN_GPU_P50);
                    assert_true(part[i].p90 >= HD_UNSEEN_GPU_P90);
                }
            }
            assert_int_equal(experts, cases[n].experts);
            assert_int_equal(mixed, chunk ? cases[n].mixed : 0);
            done(&at);
        }
}

static void fp8_needs_somebody_who_measured_it(void **state) {
    const struct world *w = *state;
    static const struct {
        const char *gpu, *model, *why;
    } cases[] = {
        {"H100", "llama-3.1-8b/fp8", ""},
        {"L4", "llama-3.1-8b/fp8/kv-fp8", ""},
        {"A100", "llama-3.1-8b", ""},
        {"A100", "llama-3.1-8b/fp8", "A100-80-SXM has no fp8"},
        {"A100", "llama-3.1-8b/kv-fp8", "A100-80-SXM has no fp8"},
        {"4090", "llama-3.1-8b/fp8", "nobody measured gemm in fp8"},
        {"4090", "llama-3.1-8b/kv-fp8", "nobody measured attention_prefill in fp8"}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct hd_err err = {0};
        const struct hd_gpu_spec *gpu = hd_catalog_gpu(w->catalog, cases[n].gpu, &err);
        struct hd_kernel_set *set = hd_kernel_set_load(gpu, false, &err);
        const struct hd_model_spec *m =
            hd_catalog_model(w->catalog, cases[n].model, &err);
        assert_int_equal(hd_kernel_set_serves(set, m, &err), !*cases[n].why);
        assert_non_null(strstr(err.text, cases[n].why));
        hd_kernel_set_free(set);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_comes_back_as_it_was),
        cmocka_unit_test(wrong_files_are_refused_with_their_line),
        cmocka_unit_test(every_gpu_has_kernels_to_compose_from),
        cmocka_unit_test(iterations_keep_within_the_data_sheet),
        cmocka_unit_test(the_parts_are_the_whole),
        cmocka_unit_test(a_prefix_is_told_from_many_prompts),
        cmocka_unit_test(compiled_it_is_the_same),
        cmocka_unit_test(an_engine_with_tables_rests_on_kernels),
        cmocka_unit_test(each_kernel_has_the_type_of_its_numbers),
        cmocka_unit_test(what_was_not_measured_is_marked),
        cmocka_unit_test(fp8_needs_somebody_who_measured_it),
        cmocka_unit_test(a_prediction_is_what_runs_are_timed_by),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
