/* What is covered is grouped, ranged and mapped, and holes are holes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "calibrate/coverage.h"

struct world {
    struct hd_catalog *catalog;
    const struct hd_gpu_spec *gpu, *other;
    struct hd_kernels set;
    struct hd_coverage coverage;
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
    hd_coverage_free(&w->coverage);
    hd_kernels_free(&w->set);
    return 0;
}

static int close_world(void **state) {
    struct world *w = *state;
    hd_catalog_free(w->catalog);
    return 0;
}

static void add_gemm(struct world *w, int64_t m, int64_t n, int64_t k, double us,
                     double mad_us) {
    struct hd_kernel_row row = hd_kernel_row_of(w->gpu, HD_OP_GEMM);
    row.dtype = "bf16";
    row.source = "someone/something: more";
    row.licence = "MIT";
    row.shape[HD_DIM_M] = m;
    row.shape[HD_DIM_N] = n;
    row.shape[HD_DIM_K] = k;
    row.time_us = us;
    row.mad_us = mad_us;
    hd_kernels_add(&w->set, &row);
}

static void add_decode(struct world *w, const char *variant, int64_t batch,
                       int64_t context, int64_t heads, int64_t longest) {
    struct hd_kernel_row row = hd_kernel_row_of(w->gpu, HD_OP_ATTENTION_DECODE);
    row.dtype = "bf16";
    row.variant = variant;
    row.source = "someone";
    row.licence = "MIT";
    row.shape[HD_DIM_BATCH] = batch;
    row.shape[HD_DIM_CONTEXT] = context;
    row.shape[HD_DIM_HEADS] = row.shape[HD_DIM_KV_HEADS] = heads;
    row.shape[HD_DIM_HEAD_DIM] = 128;
    row.shape[HD_DIM_COUNT] = longest;
    row.time_us = 10;
    hd_kernels_add(&w->set, &row);
}

static void ranges_count_what_differs(void **state) {
    struct world *w = *state;
    add_gemm(w, 1, 512, 4096, 4, 0.4);
    add_gemm(w, 64, 512, 4096, 20, 0.2);
    add_gemm(w, 64, 2048, 4096, 9, NAN);
    hd_coverage_of(&w->coverage, &w->set, w->gpu);
    assert_int_equal(w->coverage.rows, 3);
    assert_int_equal(w->coverage.groups, 1);
    const struct hd_coverage_group *g = w->coverage.group;
    assert_int_equal(g->rows, 3);
    assert_string_equal(g->project, "someone/something");
    assert_string_equal(g->kind, "");
    assert_int_equal(g->range[HD_DIM_M].least, 1);
    assert_int_equal(g->range[HD_DIM_M].most, 64);
    assert_int_equal(g->range[HD_DIM_M].values, 2);
    assert_int_equal(g->range[HD_DIM_K].values, 1);
    assert_int_equal(g->range[HD_DIM_BATCH].values, 0);
    assert_true(g->least_us == 4 && g->most_us == 20);
    assert_true(fabs(g->spread - 0.055) < 1e-12); /* of 0.1 and 0.01 */
}

static void holes_are_seen(void **state) {
    struct world *w = *state;
    add_gemm(w, 1, 512, 4096, 4, NAN);
    add_gemm(w, 8, 512, 4096, 4, NAN);
    add_gemm(w, 1, 3000, 4096, 4, NAN); /* in the octave of 2048 */
    add_gemm(w, 8, 512, 8192, 4, NAN);
    add_gemm(w, 8, 600, 8192, 4, NAN); /* the same octaves, the same m */
    hd_coverage_of(&w->coverage, &w->set, w->gpu);
    assert_int_equal(w->coverage.grids, 1);
    const struct hd_coverage_grid *g = w->coverage.grid;
    assert_int_equal(g->down, HD_DIM_N);
    assert_int_equal(g->across, HD_DIM_K);
    assert_int_equal(g->from_down, 512);
    assert_int_equal(g->from_across, 4096);
    assert_int_equal(g->downs, 3);
    assert_int_equal(g->acrosses, 2);
    assert_int_equal(g->depth, 2); /* m 1 and m 8 */
    static const int cell[] = {2, 1, 0, 0, 1, 0};
    for (int n = 0; n < 6; n++) assert_int_equal(g->cell[n], cell[n]);
    assert_int_equal(g->holes, 3);
    assert_int_equal(hd_coverage_octave(512, 2), 2048);
    assert_int_equal(hd_coverage_octave(0, 0), 0);
    assert_int_equal(hd_coverage_octave(0, 1), 1);
    assert_int_equal(hd_coverage_octave(0, 3), 4);
}

static void kinds_and_other_gpus_stand_apart(void **state) {
    struct world *w = *state;
    add_decode(w, "attention:m:tp1", 1, 16, 32, HD_DIM_ABSENT);
    add_decode(w, "attention:m:tp2", 4, 64, 16, HD_DIM_ABSENT);
    add_decode(w, "ragged:m:tp1", 4, 100, 32, 900);
    add_decode(w, "", 4, 64, 32, HD_DIM_ABSENT);
    w->set.row[3].gpu = w->other;
    hd_coverage_of(&w->coverage, &w->set, w->gpu);
    assert_int_equal(w->coverage.rows, 3);
    assert_int_equal(w->coverage.groups, 2);
    assert_string_equal(w->coverage.group[0].kind, "attention");
    assert_int_equal(w->coverage.group[0].rows, 2);
    assert_string_equal(w->coverage.group[1].kind, "ragged");
    assert_int_equal(w->coverage.group[1].range[HD_DIM_COUNT].most, 900);
    assert_int_equal(w->coverage.grids, 1);
    const struct hd_coverage_grid *g = w->coverage.grid;
    assert_int_equal(g->downs * g->acrosses, 3 * 3);
    assert_int_equal(g->depth, 2); /* the ragged one is no third */
    assert_int_equal(g->cell[0], 1);
    assert_int_equal(g->cell[8], 1);
    assert_int_equal(g->holes, 7);
}

static void nothing_is_covered_by_nothing(void **state) {
    struct world *w = *state;
    hd_coverage_of(&w->coverage, &w->set, w->gpu);
    assert_int_equal(w->coverage.rows + w->coverage.groups + w->coverage.grids, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(ranges_count_what_differs, empty_world),
        cmocka_unit_test_teardown(holes_are_seen, empty_world),
        cmocka_unit_test_teardown(kinds_and_other_gpus_stand_apart, empty_world),
        cmocka_unit_test_teardown(nothing_is_covered_by_nothing, empty_world),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
