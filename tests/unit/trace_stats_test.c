/* The figures of a trace, against values worked by hand and slow twins. */
#include "trace/stats.h"

#include <math.h>

#include "base/mem.h"
#include "unit/trace_files.h"

#define HEADER "arrival_s,model,input_tokens,output_tokens\n"

static struct hd_trace *load(const char *text) {
    struct hd_err err = {0};
    struct hd_trace *trace = hd_trace_load(file_of(text), &HD_TRACE_OPTIONS, &err);
    if (!trace) fail_msg("%s", err.text);
    return trace;
}

static struct hd_trace_stats stats_of(const char *text, double service_s) {
    struct hd_trace *trace = load(text);
    struct hd_trace_stats s = hd_trace_stats(trace, service_s);
    hd_trace_free(trace);
    return s;
}

static void near(double got, double expected) {
    if (!(fabs(got - expected) <= 1e-12 * fabs(expected)))
        fail_msg("%.17g, expected %.17g", got, expected);
}

static void by_hand(void **state) {
    (void)state;
    /* gaps 1, 1, 4: mean 2, variance 2; bins of 1 s 1 1 1 0 0 0 1: mean 4/7 */
    struct hd_trace_stats s =
        stats_of(HEADER "10,a,1,9\n11,a,2,8\n12,b,3,7\n16,a,4,6\n", 2);
    near(s.span_s, 6);
    near(s.rate_per_s, 4.0 / 6);
    near(s.gap_cv, sqrt(2) / 2);
    near(s.iod_1s, 1 - 4.0 / 7);
    near(s.iod_60s, 0);
    near(s.peak_minute_over_mean, 1);
    near(s.top_share, 0.75);
    near(s.top5_share, 1);
    near(s.gini, 0.25); /* shares 1/4, 3/4: half of the mean difference 1/2 */
    near(s.input.mean, 2.5);
    near(s.input.p50, 2.5);
    near(s.input.p90, 3.7);
    near(s.input.max, 4);
    near(s.output.p99, 8.97);
    near(s.active_models_if_independent, 2 - exp(-3.0 / 6 * 2) - exp(-1.0 / 6 * 2));
    /* from 12 to 16: a until 13, b from 12 to 14 */
    near(s.active_models, (1 + 2) / 4.0);
}

static void what_cannot_be_said(void **state) {
    (void)state;
    struct hd_trace_stats s = stats_of(HEADER "7,a,1,2\n", 16.79);
    assert_int_equal(s.rows, 1);
    assert_true(s.span_s == 0);
    assert_true(isnan(s.rate_per_s) && isnan(s.gap_cv) && isnan(s.iod_60s));
    assert_true(isnan(s.active_models) && isnan(s.active_models_if_independent));
    near(s.top_share, 1);
    assert_true(s.gini == 0);
    s = stats_of(HEADER "7,a,1,2\n7,b,1,2\n", 16.79);
    assert_true(isnan(s.gap_cv) && isnan(s.iod_1s) && isnan(s.rate_per_s));
}

static void popularity_order(void **state) {
    (void)state;
    struct hd_trace *t = load(HEADER "1,a,1,1\n2,b,1,1\n3,c,1,1\n4,c,1,1\n5,b,1,1\n");
    int *order = hd_trace_by_popularity(t);
    assert_string_equal(t->model[order[0]], "b");
    assert_string_equal(t->model[order[1]], "c");
    assert_string_equal(t->model[order[2]], "a");
    free(order);
    hd_trace_free(t);
}

/* The same definitions with a loop over every bin, every pair of models, and every
 * instant at which a model may start or stop. */
static void against_slow_twins(void **state) {
    (void)state;
    enum { ROWS = 200, MODELS = 9 };
    char *text = hd_alloc(ROWS * 32), *end = text + sprintf(text, HEADER);
    double at[ROWS];
    int model[ROWS];
    unsigned random = 7;
    for (int i = 0, ms = 0; i < ROWS; i++) { /* times are multiples of 10 ms */
        random = random * 1103515245u + 12345u;
        ms += (int)(random >> 16) % (i % 50 == 0 ? 3000 : 70) * 10;
        model[i] = (int)((random >> 8) % MODELS * ((random >> 20) % 2));
        at[i] = ms / 1000.0;
        end += sprintf(end, "%d.%03d,m%d,1,1\n", ms / 1000, ms % 1000, model[i]);
    }
    struct hd_trace_stats s = stats_of(text, 5);
    double span = at[ROWS - 1] - at[0];
    near(s.rate_per_s, ROWS / span);
    for (int which = 0; which < 2; which++) {
        double width = which ? 60 : 1, squares = 0, peak = 0;
        int bins = (int)floor(span / width) + 1;
        for (int b = 0; b < bins; b++) {
            int count = 0;
            for (int i = 0; i < ROWS; i++)
                count += (int)floor((at[i] - at[0]) / width + 1e-9) == b;
            double off = count - ROWS / (double)bins;
            squares += off * off;
            if (count > peak) peak = count;
        }
        double mean = ROWS / (double)bins, iod = squares / bins / mean;
        assert_true(fabs((which ? s.iod_60s : s.iod_1s) - iod) < 1e-9);
        if (which) near(s.peak_minute_over_mean, peak / mean);
    }
    double rows[MODELS] = {0}, pairs = 0, independent = 0;
    for (int i = 0; i < ROWS; i++) rows[model[i]]++;
    for (int i = 0; i < MODELS; i++) {
        independent += 1 - exp(-rows[i] / span * 5);
        for (int j = 0; j < MODELS; j++) pairs += fabs(rows[i] - rows[j]);
    }
    assert_true(fabs(s.gini - pairs / (2 * MODELS * (double)ROWS)) < 1e-12);
    assert_true(fabs(s.active_models_if_independent - independent) < 1e-9);
    double active = 0; /* by steps of 10 ms */
    int first_ms = (int)lround(at[0] * 1000) + 5000;
    int last_ms = (int)lround(at[ROWS - 1] * 1000);
    for (int m = 0; m < MODELS; m++) {
        for (int ms = first_ms; ms < last_ms; ms += 10) {
            bool busy = false;
            for (int i = 0; i < ROWS && !busy; i++) {
                int begin = (int)lround(at[i] * 1000);
                busy = model[i] == m && begin <= ms && ms < begin + 5000;
            }
            active += 10 * busy;
        }
    }
    assert_true(fabs(s.active_models - active / (last_ms - first_ms)) < 1e-9);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(what_cannot_be_said),
        cmocka_unit_test(popularity_order),
        cmocka_unit_test(against_slow_twins),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
