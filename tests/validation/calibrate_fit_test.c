/* The shipped coefficients come out of the measurements again, byte for byte, and
 * predict models that they have not seen as well as the project asks (gate G3). */
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

#include "base/home.h"
#include "base/mem.h"
#include "calibrate/calibrate.h"
#include "timing/calibration.h"

struct world {
    char *data;
    struct hd_catalog *catalog;
    struct hd_calibration_report *report;
    int count;
};

/* One fit for all tests: it is most of the time they take. */
static int fit_all(void **state) {
    static struct world w;
    const char *folder = getenv("HOTDESK_DATA");
    w.data = folder ? hd_strdup(folder) : hd_home_path("../shared/data");
    char *probe = hd_format("%s/measured/aegaeon_iterations.csv", w.data);
    bool there = hd_file_exists(probe);
    free(probe);
    *state = &w;
    if (!there) return 0;
    struct hd_err err = {0};
    w.catalog = hd_catalog_load(&err);
    w.report = w.catalog ? hd_calibrate(w.catalog, w.data, &w.count, &err) : NULL;
    if (!w.report) print_error("%s\n", err.text);
    return w.report ? 0 : -1;
}

static int free_all(void **state) {
    struct world *w = *state;
    free(w->data);
    free(w->report);
    hd_catalog_free(w->catalog);
    return 0;
}

static struct world *with_data(void **state) {
    struct world *w = *state;
    if (!w->report) {
        print_message("skipped: no data in %s\n", w->data);
        skip();
    }
    return w;
}

static const struct hd_calibration_report *report_of(const struct world *w,
                                                     const char *gpu) {
    for (int n = 0; n < w->count; n++)
        if (strcmp(w->report[n].gpu->name, gpu) == 0) return &w->report[n];
    return NULL;
}

static void unseen_models_are_predicted(void **state) {
    static const char *const gated[] = {"A100-80-SXM", "H100-SXM", "H800-SXM"};
    const struct world *w = with_data(state);
    for (size_t n = 0; n < sizeof gated / sizeof *gated; n++) {
        const struct hd_calibration_report *r = report_of(w, gated[n]);
        assert_non_null(r);
        print_message("%-11s held out %.1f / %.1f %%, asked 7 / 20\n", gated[n],
                      100 * r->held_out.both.p50, 100 * r->held_out.both.p90);
        assert_true(r->models >= 3 && !r->held_out_elsewhere);
        assert_true(r->held_out.both.p50 <= 0.07);
        assert_true(r->held_out.both.p90 <= 0.20);
        assert_true(r->in_sample.both.p50 <= r->held_out.both.p50);
    }
}

static void the_suspect_is_found_out(void **state) {
    const struct world *w = with_data(state);
    for (int n = 0; n < w->count; n++)
        if (w->report[n].iterations)
            assert_true(w->report[n].suspect ==
                        (strcmp(w->report[n].gpu->name, "H20") == 0));
}

/* Rows that no fit has seen: the H800 did not chunk its prefills, so that its batches
 * of 2049 to 8192 prompt tokens show longer contexts than any clean row. */
static void longer_contexts_are_predicted(void **state) {
    const struct world *w = with_data(state);
    struct hd_measured measured;
    struct hd_err err = {0};
    char *path = hd_format("%s/measured/aegaeon_iterations.csv", w->data);
    assert_true(hd_measured_read(w->catalog, path, &measured, &err));
    free(path);
    const struct hd_calibration_report *r = report_of(w, "H800-SXM");
    double *prefill = hd_alloc((size_t)measured.rows * sizeof *prefill);
    double *decode = hd_alloc((size_t)measured.rows * sizeof *decode);
    int count = 0;
    for (int n = 0; n < measured.rows; n++) {
        const struct hd_measured_row *row = &measured.row[n];
        double tokens = (double)row->input_tokens * row->batch;
        if (row->gpu != r->gpu || tokens <= 2048 || tokens > 8192) continue;
        if (row->decode_s < 1e-3) continue;
        struct hd_iteration law;
        hd_iteration_law(&r->fit, NULL, row->gpu, row->model, 1, 1, &law);
        double p =
            hd_iteration_s(&law, tokens, row->batch, tokens * row->input_tokens, 0);
        double d =
            hd_iteration_s(&law, row->batch, row->batch, 0, hd_measured_context(row));
        prefill[count] = fabs(p / row->prefill_s - 1);
        decode[count++] = fabs(d / row->decode_s - 1);
    }
    struct hd_fit_error p = hd_fit_error_of(prefill, count),
                        d = hd_fit_error_of(decode, count);
    print_message(
        "H800, %d rows of 2049 to 8192 tokens: prefill %.1f / %.1f %%, decode "
        "%.1f / %.1f %%\n",
        count, 100 * p.p50, 100 * p.p90, 100 * d.p50, 100 * d.p90);
    assert_true(count > 100);
    assert_true(p.p50 <= 0.07 && d.p50 <= 0.07);
    free(prefill);
    free(decode);
    hd_measured_free(&measured);
}

static char *read_whole(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    char *text = hd_alloc(1 << 16);
    size_t got = fread(text, 1, (1 << 16) - 1, file);
    text[got] = '\0';
    fclose(file);
    return text;
}

/* 1 if FOLDER/GPU/NAME is as shipped, 0 if neither is there. */
static int same_file(const char *folder, const char *gpu, const char *name) {
    char *made = hd_format("%s/%s/%s", folder, gpu, name);
    char *part = hd_format("results/calibration/%s/%s", gpu, name);
    char *shipped = hd_home_path(part);
    char *a = read_whole(made), *b = read_whole(shipped);
    if ((a || b) && (!a || !b || strcmp(a, b) != 0))
        print_error("%s differs from what the fit gives\n", shipped);
    assert_int_equal(a == NULL, b == NULL);
    if (a) assert_string_equal(a, b);
    int found = a != NULL;
    unlink(made);
    free(made);
    free(part);
    free(shipped);
    free(a);
    free(b);
    return found;
}

static void shipped_files_are_reproduced(void **state) {
    const struct world *w = with_data(state);
    char folder[] = "/tmp/hd_calibration_XXXXXX";
    assert_non_null(mkdtemp(folder));
    int files = 0;
    for (int n = 0; n < w->count; n++) {
        struct hd_err err = {0};
        assert_true(hd_calibration_write(&w->report[n], folder, &err));
        const char *gpu = w->report[n].gpu->name;
        files += same_file(folder, gpu, "iteration.csv");
        files += same_file(folder, gpu, "allreduce.csv");
        files += same_file(folder, gpu, "allreduce_graph.csv");
        char *own = hd_format("%s/%s", folder, gpu);
        rmdir(own);
        free(own);
    }
    rmdir(folder);
    print_message("%d files as shipped\n", files);
    assert_int_equal(files, 14);
}

static void an_unwritable_folder_is_one_line(void **state) {
    const struct world *w = with_data(state);
    struct hd_err err = {0};
    assert_false(hd_calibration_write(&w->report[0], "/nonexistent/folder", &err));
    assert_non_null(strstr(err.text, "/nonexistent/folder"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unseen_models_are_predicted),
        cmocka_unit_test(the_suspect_is_found_out),
        cmocka_unit_test(longer_contexts_are_predicted),
        cmocka_unit_test(shipped_files_are_reproduced),
        cmocka_unit_test(an_unwritable_folder_is_one_line),
    };
    return cmocka_run_group_tests(tests, fit_all, free_all);
}
