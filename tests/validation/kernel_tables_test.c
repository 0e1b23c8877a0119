/* The shipped kernel tables come out of the published measurements again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/home.h"
#include "base/mem.h"
#include "calibrate/tables.h"

/* Sizes between and beyond knots, for every operator. */
static struct hd_roof_shape shape(int n) {
    double m = 1 + (double)(n * 37 % 3000), wide = 1024 + (double)(n * 911 % 20000);
    return (struct hd_roof_shape){.m = m,
                                  .n = wide,
                                  .k = 512 + (double)(n * 577 % 9000),
                                  .batch = 1 + n % 64,
                                  .chunk = m,
                                  .prefix = n % 3 * 700,
                                  .context = 16 + n * 131 % 9000,
                                  .heads = 32,
                                  .kv_heads = n % 2 ? 8 : 4,
                                  .head_dim = 128};
}

/* The same predictions to half a per cent: knots hold three digits after the point, and
 * the last may depend on the mathematics library. Compared: how many laws. */
static int compare(const struct hd_gpu_spec *gpu, const struct hd_kernel_tables *made,
                   const struct hd_kernel_tables *shipped) {
    int laws = 0;
    for (int op = 0; op < HD_ROOF_OPS; op++)
        for (int type = 0; type < HD_ROOF_TYPES; type++) {
            const struct hd_kernel_table *a = &made->of[op][type],
                                         *b = &shipped->of[op][type];
            const char *name = hd_roof_op_name((enum hd_roof_op)op);
            if (a->law.known != b->law.known) fail_msg("%s of %s", name, gpu->name);
            if (!a->law.known) continue;
            laws++;
            assert_string_equal(a->source, b->source);
            assert_true(fabs(a->held_out.p50 - b->held_out.p50) < 0.002);
            assert_true(fabs(a->skew - b->skew) < 1e-4);
            for (int n = 0; n < 200; n++) {
                struct hd_roof_shape s = shape(n);
                double x = hd_roof_s(&a->law, (enum hd_roof_op)op,
                                     (enum hd_roof_type)type, gpu, 1, &s);
                double y = hd_roof_s(&b->law, (enum hd_roof_op)op,
                                     (enum hd_roof_type)type, gpu, 1, &s);
                if (fabs(x / y - 1) > 0.005)
                    fail_msg("%s of %s: %g fitted, %g shipped", name, gpu->name, x, y);
            }
        }
    return laws;
}

static void the_fit_gives_what_ships(void **state) {
    (void)state;
    static const char *const gpus[] = {"A100-80-SXM", "H100-SXM", "RTX-4090",
                                       "RTX-PRO-6000-Server"};
    const char *folder = getenv("HOTDESK_DATA");
    char *data = folder ? hd_strdup(folder) : hd_home_path("../shared/data");
    char *probe = hd_format("%s/kernels/aiconfigurator/LICENSE", data);
    bool there = hd_file_exists(probe);
    free(probe);
    if (!there) {
        print_message("skipped: no data in %s\n", data);
        free(data);
        skip();
    }
    struct hd_err err = {0};
    struct hd_catalog *catalog = hd_catalog_load(&err);
    if (!catalog) fail_msg("%s", err.text);
    for (size_t n = 0; n < sizeof gpus / sizeof *gpus; n++) {
        const struct hd_gpu_spec *gpu = hd_catalog_gpu(catalog, gpus[n], &err);
        struct hd_kernels rows = {0};
        struct hd_kernel_tables *made = hd_alloc(sizeof *made),
                                *shipped = hd_alloc(sizeof *shipped);
        if (!hd_tables_rows(catalog, data, gpu, &rows, &err)) fail_msg("%s", err.text);
        hd_tables_fit(&rows, gpu, made);
        if (!hd_tables_fit_skew(data, gpu, made, &err)) fail_msg("%s", err.text);
        for (int f = 0; f < HD_KERNEL_FILES; f++) {
            char *part =
                hd_format("results/calibration/%s/%s", gpu->name, hd_kernel_files[f]);
            char *path = hd_home_path(part);
            if (!hd_kernel_tables_read(shipped, path, &err)) fail_msg("%s", err.text);
            free(path);
            free(part);
        }
        int laws = compare(gpu, made, shipped);
        print_message("%s: %d laws as shipped\n", gpu->name, laws);
        assert_true(laws >= 8);
        hd_kernel_tables_free(made);
        hd_kernel_tables_free(shipped);
        free(made);
        free(shipped);
        hd_kernels_free(&rows);
    }
    hd_catalog_free(catalog);
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_fit_gives_what_ships)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
