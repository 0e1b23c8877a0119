/* The published profiles are read whole: as many rows as the files have, each accounted
 * for, and a few figures that can be looked up in them. Skipped where they are not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/home.h"
#include "base/mem.h"
#include "calibrate/import.h"

struct world {
    char *data;
    struct hd_catalog *catalog;
    struct hd_kernels set;
    struct hd_import_report report;
};

static int open_world(void **state) {
    static struct world w;
    const char *folder = getenv("HOTDESK_DATA");
    struct hd_err err = {0};
    w.data = folder ? hd_strdup(folder) : hd_home_path("../shared/data");
    w.catalog = hd_catalog_load(&err);
    *state = &w;
    return w.catalog ? 0 : -1;
}

static int close_world(void **state) {
    struct world *w = *state;
    hd_kernels_free(&w->set);
    hd_catalog_free(w->catalog);
    free(w->data);
    return 0;
}

/* Imports files of the data folder; skips the test where the first is not there. */
static struct world *import_all(void **state, const char *from, const char *const *name,
                                int names) {
    struct world *w = *state;
    struct hd_err err = {0};
    char *path[16];
    for (int n = 0; n < names; n++) path[n] = hd_format("%s/%s", w->data, name[n]);
    bool there = hd_file_exists(path[0]);
    hd_kernels_free(&w->set);
    int source = hd_import_source(from, &err);
    bool fine =
        there && hd_import(&w->set, w->catalog, source, (const char *const *)path,
                           names, NULL, &w->report, &err);
    for (int n = 0; n < names; n++) free(path[n]);
    if (!there) {
        print_message("skipped: no data in %s\n", w->data);
        skip();
    }
    if (!fine) print_error("%s\n", err.text);
    assert_true(fine);
    /* What was made was kept or counted. */
    assert_int_equal(w->set.rows,
                     w->report.made - w->report.identical - w->report.merged);
    for (int n = 0; n < w->set.rows; n++)
        assert_true(hd_kernel_row_check(&w->set.row[n], &err));
    return w;
}

static int count_of(const struct world *w, enum hd_kernel_op op) {
    int count = 0;
    for (int n = 0; n < w->set.rows; n++) count += w->set.row[n].op == op;
    return count;
}

static int64_t noted(const struct world *w, const char *what) {
    for (int n = 0; n < w->report.notes; n++)
        if (strstr(w->report.note[n].what, what)) return w->report.note[n].count;
    return 0;
}

/* The one row of that key, most of it. */
static const struct hd_kernel_row *find(const struct world *w, enum hd_kernel_op op,
                                        const char *variant, const char *dtype,
                                        const int64_t *shape) {
    const struct hd_kernel_row *found = NULL;
    for (int n = 0; n < w->set.rows; n++) {
        const struct hd_kernel_row *row = &w->set.row[n];
        if (row->op != op || strcmp(row->dtype, dtype) != 0) continue;
        if (strcmp(row->variant, variant) != 0) continue;
        if (memcmp(row->shape, shape, sizeof row->shape) != 0) continue;
        assert_null(found);
        found = row;
    }
    assert_non_null(found);
    return found;
}

#define K "kernels/aiconfigurator/"

static void tables_of_aiconfigurator(void **state) {
    static const char *const name[] = {
        K "gemm_h100_sxm.csv.gz",
        K "context_attention_h100_sxm.csv.gz",
        K "generation_attention_h100_sxm.csv.gz",
        K "comm_h100_sxm_nccl_2.29.2_nccl.csv",
        K "comm_h100_sxm_vllm_0.24.0_custom_allreduce.csv",
    };
    const struct world *w = import_all(state, "aiconfigurator", name, 5);
    assert_int_equal(w->report.rows, 47804 + 10098 + 10870 + 504 + 138);
    assert_int_equal(w->report.identical + w->report.merged, 0);
    assert_int_equal(count_of(w, HD_OP_GEMM), 47804);
    assert_int_equal(count_of(w, HD_OP_ATTENTION_PREFILL), 10098);
    assert_int_equal(count_of(w, HD_OP_ATTENTION_DECODE), 10870);
    assert_int_equal(count_of(w, HD_OP_ALL_REDUCE), 126 + 138);
    assert_int_equal(count_of(w, HD_OP_ALL_TO_ALL), 126);
    assert_int_equal(noted(w, "128 assumed"), 10098 + 10870);
    assert_int_equal(noted(w, "in elements"), 504 + 138);
    const int64_t gemm[HD_DIMS] = {1, 512, 768, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    assert_true(find(w, HD_OP_GEMM, "", "bf16", gemm)->time_us == 3.788);
    const int64_t reduce[HD_DIMS] = {-1, -1, -1, -1, -1,  -1, -1,
                                     -1, -1, -1, 2,  256, -1};
    const struct hd_kernel_row *r = find(w, HD_OP_ALL_REDUCE, "vllm_custom_graph",
                                         "bf16", reduce); /* 128 elements */
    assert_true(fabs(r->time_us - 4.2915) < 1e-4);
}

static void tables_of_every_gpu(void **state) {
    static const struct {
        const char *name, *gpu;
        int rows;
    } file[] = {
        {K "gemm_a100_sxm.csv.gz", "A100-80-SXM", 6048},
        {K "gemm_h200_sxm.csv.gz", "H200-SXM", 47804},
        {K "gemm_b200_sxm.csv.gz", "B200-SXM", 47804},
        {K "gemm_l40s.csv.gz", "L40S", 47710},
        {K "context_attention_a100_sxm.csv.gz", "A100-80-SXM", 5049},
        {K "generation_attention_l40s.csv.gz", "L40S", 13185},
        {K "comm_l40s_nccl_2.27.3_nccl.csv", "L40S", 504},
        {K "comm_rtx_pro_6000_server_vllm_0.19.0_custom_allreduce.csv",
         "RTX-PRO-6000-Server", 46},
    };
    for (size_t n = 0; n < sizeof file / sizeof *file; n++) {
        const struct world *w = import_all(state, "aiconfigurator", &file[n].name, 1);
        assert_int_equal(w->set.rows, file[n].rows);
        assert_string_equal(w->set.row[0].gpu->name, file[n].gpu);
    }
}

static void layers_and_all_reduces_of_vidur(void **state) {
    static const char *const layers[] = {"kernels/vidur/h100/Llama-2-7b-hf/mlp.csv",
                                         "kernels/vidur/h100/Llama-2-70b-hf/mlp.csv"};
    static const char *const llama3[] = {"kernels/vidur/a100/Meta-Llama-3-8B/mlp.csv"};
    static const char *const reduce[] = {
        "kernels/vidur/network/a100_dgx/all_reduce.csv"};
    const struct world *w = import_all(state, "vidur", layers, 2);
    assert_int_equal(w->report.rows, 2 * 1044);
    assert_int_equal(w->report.made, 2 * 10440);
    assert_int_equal(w->set.rows, 2 * 1036 * 10); /* 8 rows of each are there twice */
    for (int n = 0; n < w->set.rows; n++) assert_true(w->set.row[n].mad_us >= 0.5);
    const int64_t up[HD_DIMS] = {4096, 2 * 11008, 4096, -1, -1, -1, -1,
                                 -1,   -1,        -1,   -1, -1, -1};
    const struct hd_kernel_row *r =
        find(w, HD_OP_GEMM, "mlp_up_proj:meta-llama/Llama-2-7b:tp1", "fp16", up);
    assert_true(r->time_us == 993); /* of 987 and 999 */
    w = import_all(state, "vidur", llama3, 1);
    assert_int_equal(w->set.rows, 1804 * 10);
    w = import_all(state, "vidur", reduce, 1);
    assert_int_equal(w->report.rows, 6958);
    assert_int_equal(noted(w, "several nodes"), 4 * 994);
    assert_int_equal(w->set.rows, 2979);
}

#define L "kernels/llmservingsim/RTXPRO6000/meta-llama/Llama-3.1-8B/bf16/"

static void profiles_of_llmservingsim(void **state) {
    static const char *const name[] = {
        L "tp1/dense.csv", L "tp1/per_sequence.csv", L "tp1/attention.csv",
        L "tp1/skew.csv",  L "tp2/dense.csv",        L "tp2/per_sequence.csv",
    };
    const struct world *w = import_all(state, "llmservingsim", name, 6);
    assert_int_equal(w->report.rows, 2 * 1368 + 2 * 80 + 19364 + 13009);
    /* layernorm, final_layernorm and sampler of tp 2 are copies of tp 1. */
    assert_int_equal(w->report.identical, 152 + 152 + 40);
    assert_int_equal(w->report.merged, 0);
    assert_int_equal(count_of(w, HD_OP_ATTENTION_MIXED), 17312 + 1648 + 12682);
    assert_int_equal(count_of(w, HD_OP_ATTENTION_DECODE), 171 + 327);
    assert_int_equal(count_of(w, HD_OP_ATTENTION_PREFILL), 214 + 19);
    assert_int_equal(noted(w, "ragged"), 13009);
    for (int n = 0; n < w->set.rows; n++) assert_int_equal(w->set.row[n].samples, 3);
}

static void iterations_of_aegaeon(void **state) {
    static const char *const name[] = {"measured/aegaeon_iterations.csv"};
    const struct world *w = import_all(state, "aegaeon", name, 1);
    assert_int_equal(w->report.rows, 1337);
    assert_int_equal(w->set.rows, 2 * 1337);
    int chunked = 0, below = 0;
    for (int n = 0; n < w->set.rows; n += 2) {
        const struct hd_kernel_row *row = &w->set.row[n];
        int64_t tokens = row->shape[HD_DIM_BATCH] * row->shape[HD_DIM_CHUNK];
        bool h800 = strcmp(row->gpu->name, "H800-SXM") == 0;
        bool slow = row[1].time_us <= 1000;
        below += slow;
        chunked += tokens > (h800 ? 8192 : 2048) || slow;
    }
    assert_int_equal(below, 13);
    assert_int_equal(noted(w, "chunked prefills"), chunked);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_aiconfigurator),
        cmocka_unit_test(tables_of_every_gpu),
        cmocka_unit_test(layers_and_all_reduces_of_vidur),
        cmocka_unit_test(profiles_of_llmservingsim),
        cmocka_unit_test(iterations_of_aegaeon),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
