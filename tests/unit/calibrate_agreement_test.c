/* Times are found at shapes and between them, never beyond; two sets are compared where
 * they meet, and what does not meet is counted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "calibrate/agreement.h"

struct world {
    struct hd_catalog *catalog;
    const struct hd_gpu_spec *gpu, *other;
    struct hd_kernels set[2];
    struct hd_agreement is;
    struct hd_lookup lookup;
};

static int open_world(void **state) {
    static struct world w;
    struct hd_err err = {0};
    w.catalog = hd_catalog_load(&err);
    if (!w.catalog) return -1;
    w.gpu = hd_catalog_gpu(w.catalog, "H100-SXM", &err);
    w.other = hd_catalog_gpu(w.catalog, "A10", &err);
    *state = &w;
    return 0;
}

static int empty_world(void **state) {
    struct world *w = *state;
    hd_agreement_free(&w->is);
    hd_lookup_free(&w->lookup);
    hd_kernels_free(&w->set[0]);
    hd_kernels_free(&w->set[1]);
    return 0;
}

static int close_world(void **state) {
    struct world *w = *state;
    hd_catalog_free(w->catalog);
    return 0;
}

static struct hd_kernel_row *add(struct world *w, int set, enum hd_kernel_op op,
                                 const char *dtype, const char *variant, double us) {
    struct hd_kernel_row row = hd_kernel_row_of(w->gpu, op);
    row.dtype = dtype;
    row.variant = variant;
    row.time_us = us;
    row.source = "somebody";
    row.licence = "MIT";
    struct hd_kernels *to = &w->set[set];
    if (to->files == 0) hd_kernels_file(to, set ? "b.csv" : "a.csv");
    row.line = to->rows + 2;
    hd_kernels_add(to, &row);
    return &to->row[to->rows - 1];
}

static void gemm(struct world *w, int set, int64_t m, int64_t n, int64_t k, double us) {
    struct hd_kernel_row *row = add(w, set, HD_OP_GEMM, "bf16", "", us);
    row->shape[HD_DIM_M] = m;
    row->shape[HD_DIM_N] = n;
    row->shape[HD_DIM_K] = k;
}

static void decode(struct world *w, int set, const char *variant, int64_t batch,
                   int64_t context, int64_t heads, double us) {
    struct hd_kernel_row *row =
        add(w, set, HD_OP_ATTENTION_DECODE, "bf16", variant, us);
    row->shape[HD_DIM_BATCH] = batch;
    row->shape[HD_DIM_CONTEXT] = context;
    row->shape[HD_DIM_HEADS] = row->shape[HD_DIM_KV_HEADS] = heads;
    row->shape[HD_DIM_HEAD_DIM] = 128;
}

static struct hd_lookup *lookup_of(struct world *w) {
    const struct hd_kernels *set = &w->set[0];
    const struct hd_kernel_row **row = hd_alloc((size_t)set->rows * sizeof *row);
    for (int n = 0; n < set->rows; n++) row[n] = &set->row[n];
    hd_lookup_init(&w->lookup, row, set->rows);
    return &w->lookup;
}

static enum hd_lookup_found ask(struct hd_lookup *l, int64_t m, int64_t n, int64_t k,
                                double *us) {
    int64_t shape[HD_DIMS];
    enum hd_kernel_dim dim;
    for (int d = 0; d < HD_DIMS; d++) shape[d] = HD_DIM_ABSENT;
    shape[HD_DIM_M] = m;
    shape[HD_DIM_N] = n;
    shape[HD_DIM_K] = k;
    return hd_lookup_us(l, shape, us, &dim);
}

/* A law that is linear in logarithms comes back exactly, on a grid with a hole. */
static void powers_are_met(void **state) {
    struct world *w = *state;
    static const int64_t m[] = {1, 4, 16, 64};
    for (int64_t n = 1024; n <= 4096; n *= 2)
        for (int64_t k = 1024; k <= 4096; k *= 2)
            for (int at = 0; at < 4; at++)
                if (!(n == 4096 && k == 4096))
                    gemm(w, 0, m[at], n, k,
                         0.5 * pow((double)m[at], 0.3) * (double)n * sqrt((double)k));
    struct hd_lookup *l = lookup_of(w);
    double us;
    assert_int_equal(ask(l, 16, 2048, 1024, &us), HD_LOOKUP_SAME);
    assert_true(fabs(us - 0.5 * pow(16, 0.3) * 2048 * 32) < 1e-6 * us);
    assert_int_equal(ask(l, 23, 1500, 3000, &us), HD_LOOKUP_BETWEEN);
    assert_true(fabs(us / (0.5 * pow(23, 0.3) * 1500 * sqrt(3000)) - 1) < 1e-12);
    assert_int_equal(ask(l, 23, 3000, 1024, &us), HD_LOOKUP_BETWEEN);
    int used = 0;
    for (int n = 0; n < l->rows; n++) used += l->used[n];
    /* the row itself; 8 corners; 4 of which m 16 n 2048 k 1024 is one */
    assert_int_equal(used, 8 + 4);
}

static void nothing_comes_from_outside(void **state) {
    struct world *w = *state;
    gemm(w, 0, 1, 1024, 1024, 4);
    gemm(w, 0, 4, 1024, 1024, 5);
    gemm(w, 0, 1, 2048, 1024, 6);
    gemm(w, 0, 64, 2048, 1024, 20);
    gemm(w, 0, 64, 2048, 2048, 30);
    struct hd_lookup *l = lookup_of(w);
    double us;
    assert_int_equal(ask(l, 8, 1024, 1024, &us), HD_LOOKUP_OUTSIDE);
    assert_int_equal(ask(l, 1, 512, 1024, &us), HD_LOOKUP_OUTSIDE);
    /* the line of n 1024 ends at k 1024 */
    assert_int_equal(ask(l, 64, 1500, 1500, &us), HD_LOOKUP_OUTSIDE);
    /* 1 and 64 are too far apart */
    assert_int_equal(ask(l, 8, 2048, 1024, &us), HD_LOOKUP_SPARSE);
    assert_int_equal(ask(l, 1, 1500, 1024, &us), HD_LOOKUP_BETWEEN);
    assert_int_equal(l->used[0] + l->used[1], 1);
}

static void sets_are_compared_where_they_meet(void **state) {
    struct world *w = *state;
    struct hd_err err = {0};
    for (int64_t m = 1; m <= 64; m *= 2) gemm(w, 0, m, 1024, 1024, (double)m);
    gemm(w, 1, 2, 1024, 1024, 2.2);   /* 1.1 */
    gemm(w, 1, 48, 1024, 1024, 36);   /* 0.75 */
    gemm(w, 1, 64, 1024, 1024, 64);   /* 1 */
    gemm(w, 1, 128, 1024, 1024, 128); /* outside */
    assert_true(hd_agreement_of(&w->is, &w->set[0], &w->set[1], &err));
    assert_int_equal(w->is.groups, 1);
    assert_int_equal(w->is.lones, 0);
    const struct hd_agreement_group *g = w->is.group;
    assert_int_equal(g->grid, 0);
    assert_int_equal(g->same, 2);
    assert_int_equal(g->between, 1);
    assert_int_equal(g->outside, 1);
    assert_int_equal(g->unused, 7 - 3); /* 32 and 64 answer 48 */
    assert_true(fabs(g->ratio - 1) < 1e-12);
    assert_int_equal(g->difference.values, 3);
    assert_true(fabs(g->difference.p50 - 0.1) < 1e-12);
    assert_int_equal(g->worst->shape[HD_DIM_M], 48);
    assert_true(fabs(g->worst_ratio - 0.75) < 1e-12);
}

/* The larger set is read at the smaller one's shapes; ratios are B / A all the same. */
static void the_other_way_round(void **state) {
    struct world *w = *state;
    struct hd_err err = {0};
    for (int64_t m = 1; m <= 64; m *= 2) gemm(w, 1, m, 1024, 1024, (double)m);
    gemm(w, 0, 48, 1024, 1024, 36);
    assert_true(hd_agreement_of(&w->is, &w->set[0], &w->set[1], &err));
    assert_int_equal(w->is.group[0].grid, 1);
    assert_int_equal(w->is.group[0].between, 1);
    assert_true(fabs(w->is.group[0].ratio - 48.0 / 36) < 1e-12);
}

static void what_nothing_is_like_is_counted(void **state) {
    struct world *w = *state;
    struct hd_err err = {0};
    decode(w, 0, "kernel:model:tp1", 1, 1024, 32, 10);
    decode(w, 0, "kernel:other:tp1", 1, 1024, 8, 10);
    decode(w, 1, "own", 1, 1024, 32, 12);
    decode(w, 1, "own", 1, 1024, 64, 20); /* no such heads */
    decode(w, 1, "ragged_4", 1, 1024, 32, 12);
    add(w, 0, HD_OP_COPY, "", "h2d_pinned", 9)->shape[HD_DIM_BYTES] = 4096;
    add(w, 1, HD_OP_COPY, "", "d2h_pinned", 9)->shape[HD_DIM_BYTES] = 4096;
    add(w, 1, HD_OP_GEMM, "fp8", "", 9);
    add(w, 0, HD_OP_GEMM, "bf16", "", 9);
    add(w, 1, HD_OP_SYNC, "", "spin", 9);
    assert_true(hd_agreement_of(&w->is, &w->set[0], &w->set[1], &err));
    assert_int_equal(w->is.groups, 1); /* kernels of either set, whoever wrote them */
    const struct hd_agreement_group *g = w->is.group;
    assert_string_equal(g->kind[0], "kernel");
    assert_string_equal(g->kind[1], "own");
    assert_int_equal(g->same, 1);
    assert_int_equal(g->rows[0] + g->rows[1], 4);
    assert_int_equal(g->unlike[HD_DIM_HEADS], 1);
    static const struct {
        int set, op, why;
        const char *kind;
    } lone[] = {{0, HD_OP_GEMM, HD_LONE_TYPE, ""},
                {0, HD_OP_COPY, HD_LONE_KIND, "h2d_pinned"},
                {1, HD_OP_GEMM, HD_LONE_TYPE, ""},
                {1, HD_OP_ATTENTION_DECODE, HD_LONE_KIND, "ragged_4"},
                {1, HD_OP_COPY, HD_LONE_KIND, "d2h_pinned"},
                {1, HD_OP_SYNC, HD_LONE_OP, "spin"}};
    assert_int_equal(w->is.lones, 6);
    for (int n = 0; n < 6; n++) {
        assert_int_equal(w->is.lone[n].set, lone[n].set);
        assert_int_equal(w->is.lone[n].op, lone[n].op);
        assert_int_equal(w->is.lone[n].why, lone[n].why);
        assert_string_equal(w->is.lone[n].kind, lone[n].kind);
        assert_int_equal(w->is.lone[n].rows, 1);
    }
}

static void another_gpu_is_refused(void **state) {
    struct world *w = *state;
    struct hd_err err = {0};
    gemm(w, 0, 1, 1024, 1024, 4);
    gemm(w, 1, 1, 1024, 1024, 4);
    gemm(w, 1, 2, 1024, 1024, 4);
    w->set[1].row[1].gpu = w->other;
    assert_false(hd_agreement_of(&w->is, &w->set[0], &w->set[1], &err));
    assert_string_equal(err.text,
                        "b.csv:3: gpu is A10; expected H100-SXM, as a.csv has");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(powers_are_met, empty_world),
        cmocka_unit_test_teardown(nothing_comes_from_outside, empty_world),
        cmocka_unit_test_teardown(sets_are_compared_where_they_meet, empty_world),
        cmocka_unit_test_teardown(the_other_way_round, empty_world),
        cmocka_unit_test_teardown(what_nothing_is_like_is_counted, empty_world),
        cmocka_unit_test_teardown(another_gpu_is_refused, empty_world),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
