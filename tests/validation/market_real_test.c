/* Recipes that ship and fits against the real traces that they rest on. */
#include <math.h>

#include "base/csv.h"
#include "base/home.h"
#include "base/mem.h"
#include "market/fit.h"
#include "market/recipe.h"
#include "trace/stats.h"
#include "validation/real_traces.h"

static struct hd_market *recipe(const char *name) {
    struct hd_err err = {0};
    char *path = hd_home_path(name);
    struct hd_market *m = hd_recipe_load(path, &err);
    if (!m) fail_msg("%s", err.text);
    free(path);
    return m;
}

static void below(const char *what, double got, double limit) {
    print_message("%-44s %.4f, to be below %.4f\n", what, got, limit);
    assert_true(got < limit);
}

static int most_first(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Total variation of the recipe's shares from counts. */
static double off(const struct hd_market *m, double *count, int models) {
    double sum = 0, far = 0;
    assert_int_equal(models, m->models);
    qsort(count, (size_t)models, sizeof *count, most_first);
    for (int i = 0; i < models; i++) sum += count[i];
    for (int i = 0; i < models; i++) far += fabs(count[i] / sum - m->share[i]);
    return far / 2;
}

static void arena27(void **state) {
    (void)state;
    struct hd_trace *t = load("arena/arena27.csv");
    struct hd_market *m = recipe("traces/arena27.lua");
    struct hd_fit_check c;
    struct hd_err err = {0};
    double count[27];
    for (int i = 0; i < t->models; i++) count[i] = (double)t->model_rows[i];
    below("arena27: popularity", off(m, count, t->models), 0.05);
    assert_true(hd_fit_check_whole(t, m, &c, &err));
    below("arena27: KS of input", c.distance.input, 0.03);
    below("arena27: KS of output", c.distance.output, 0.03);
    below("arena27: KS of a model's gaps", c.distance.model_gaps, 0.05);
    below("arena27: rank correlation off by",
          fabs(c.of_held.correlation - c.of_twin.correlation), 0.03);
    hd_market_free(m);
    hd_trace_free(t);
}

static void code12(void **state) {
    (void)state;
    struct hd_trace *t = load("azure/AzureLLMInferenceTrace_code.csv");
    struct hd_market *m = recipe("traces/code12.lua");
    struct hd_fit_check c;
    struct hd_err err = {0};
    assert_true(hd_fit_check_whole(t, m, &c, &err));
    below("code12: KS of input", c.distance.input, 0.03);
    below("code12: KS of output", c.distance.output, 0.03);
    hd_market_free(m);
    hd_trace_free(t);
}

/* The base models of GenTD26, one a request; 25 requests name none, which counts as the
 * 87th. */
static void gentd87(void **state) {
    (void)state;
    struct hd_err err = {0};
    struct hd_csv_row row;
    char *path = data("gentd26/lora_request_trace.csv");
    struct hd_csv *csv = hd_csv_open(path, &err);
    assert_true(csv && hd_csv_next(csv, &row, &err) == 1);
    int column = hd_csv_column(&row, "checkpoint_model_version_id"), models = 0;
    static double count[10000];
    double unnamed = 0;
    while (hd_csv_next(csv, &row, &err) == 1) {
        if (!*row.field[column]) {
            unnamed++;
            continue;
        }
        int model = atoi(row.field[column] + 1);
        assert_in_range(model, 0, 9999);
        if (model >= models) models = model + 1;
        count[model]++;
    }
    count[models++] = unnamed;
    hd_csv_close(csv);
    free(path);
    struct hd_market *m = recipe("traces/gentd87.lua");
    below("gentd87: popularity", off(m, count, models), 0.04);
    hd_market_free(m);
}

/* Fits to real traces: in sample, and the second half beside a twin of the first. The
 * limits are a little above what came out; a wrong law fails by far (unit tests). */
static void fits(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double gaps, lengths, held_gaps, held_lengths;
    } rows[] = {{"arena/arena27.csv", 0.04, 0.05, 0.10, 0.16},
                {"azure/AzureLLMInferenceTrace_conv.csv", 0.03, 0.02, 0.03, 0.10},
                {"azure/AzureLLMInferenceTrace_code.csv", 0.15, 0.02, 0.15, 0.04}};
    for (int i = 0; i < 3; i++) {
        struct hd_trace *t = load(rows[i].name);
        struct hd_err err = {0};
        struct hd_fit_check whole, halves;
        struct hd_market *m = hd_fit(t, &err);
        assert_true(m && hd_fit_check_whole(t, m, &whole, &err));
        assert_true(hd_fit_check_halves(t, &halves, &err));
        print_message("%s\n", rows[i].name);
        below("  a model's gaps", whole.distance.model_gaps, rows[i].gaps);
        below("  input", whole.distance.input, rows[i].lengths);
        below("  output", whole.distance.output, rows[i].lengths);
        below("  a model's gaps, held out", halves.distance.model_gaps,
              rows[i].held_gaps);
        below("  input, held out", halves.distance.input, rows[i].held_lengths);
        below("  output, held out", halves.distance.output, rows[i].held_lengths);
        double real = whole.of_held.dispersion[2], twin = whole.of_twin.dispersion[2];
        below("  dispersion at 60 s, log ratio", fabs(log(twin / real)), 0.6);
        hd_market_free(m);
        hd_trace_free(t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena27),
        cmocka_unit_test(code12),
        cmocka_unit_test(gentd87),
        cmocka_unit_test(fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
