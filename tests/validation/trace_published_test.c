/* Public traces: the figures that their publishers, or other programs, give. */
#include <math.h>

#include "base/home.h"
#include "base/mem.h"
#include "market/servegen.h"
#include "trace/stats.h"
#include "trace/stats_activity.h"
#include "trace/stats_arrivals.h"
#include "trace/stats_popularity.h"
#include "validation/real_traces.h"

/* Equal when rounded to the decimals of what was published. */
static void published(const char *what, double got, const char *text) {
    const char *point = strchr(text, '.');
    int decimals = point ? (int)strlen(point + 1) : 0;
    double unit = pow(10, -decimals);
    print_message("%-24s %.6g, published %s\n", what, got, text);
    if (!(fabs(got - atof(text)) <= 0.5 * unit * (1 + 1e-9))) fail_msg("%s", what);
}

static void tokens(const char *what, const struct hd_token_stats *t,
                   const char *const expected[4]) {
    print_message("%s tokens\n", what);
    published("  mean", t->mean, expected[0]);
    published("  p50", t->p50, expected[1]);
    if (expected[2]) published("  p99", t->p99, expected[2]);
    if (expected[3]) published("  max", t->max, expected[3]);
}

/* Shares of the most popular models in percent, and how uneven they are. */
static void popularity(const struct hd_trace *t, const char *const top[4],
                       const char *gini, const char *slope) {
    struct hd_popularity p;
    hd_popularity(t->model_rows, t->models, &p);
    const double got[] = {p.top1, p.top2, p.top5, p.top10};
    for (int i = 0; i < 4; i++) published("top 1, 2, 5, 10, %", 100 * got[i], top[i]);
    published("Gini", p.gini, gini);
    published("slope of log share", p.slope, slope);
}

/* Models at once by the closed form, at the rates of the published table: the trace's
 * shares, another total rate. */
static void active_at(const struct hd_trace *t, const char *const expected[3],
                      const char *coldest) {
    static const double rate[] = {0.5, 3.7, 20};
    double *per_s = hd_alloc((size_t)t->models * sizeof *per_s);
    for (int r = 0; r < 3; r++) {
        for (int i = 0; i < t->models; i++)
            per_s[i] = rate[r] * (double)t->model_rows[i] / (double)t->rows;
        published("active if independent",
                  hd_active_models_expected(per_s, t->models, HD_SERVICE_S_PUBLISHED),
                  expected[r]);
    }
    free(per_s);
    int *order = hd_trace_by_popularity(t);
    int64_t cold = 0;
    for (int i = t->models - (int)lround(0.941 * t->models); i < t->models; i++)
        cold += t->model_rows[order[i]];
    published("coldest 94.1 % of models, %", 100 * (double)cold / (double)t->rows,
              coldest);
    free(order);
}

/* The least and the most of the hottest models' CV of gaps. */
static void hottest(const struct hd_trace *t, int models, const char *least,
                    const char *most) {
    struct hd_model_stats *m = hd_model_stats(t);
    int *order = hd_trace_by_popularity(t);
    double low = INFINITY, high = 0;
    for (int i = 0; i < models; i++) {
        low = fmin(low, m[order[i]].gap_cv);
        high = fmax(high, m[order[i]].gap_cv);
    }
    published("least CV of the hottest", low, least);
    published("most CV of the hottest", high, most);
    free(m);
    free(order);
}

static void azure_code(void **state) {
    (void)state;
    struct hd_trace *t = load("azure/AzureLLMInferenceTrace_code.csv");
    struct hd_trace_stats s = hd_trace_stats(t, HD_SERVICE_S_PUBLISHED);
    char text[HD_CLOCK_TEXT_BYTES];
    assert_int_equal(s.rows, 8819);
    assert_string_equal(
        t->sha256, "54e9a6d2a4bd06ba1e060304b900abbc74cbea53de96506e60fe5bb4f2277fb6");
    published("span, s", s.span_s, "3435.9");
    published("rate, 1/s", s.rate_per_s, "2.567");
    published("CV", s.gap_cv, "13.15");
    published("IoD 60 s", s.iod_60s, "160.5");
    published("input p90", s.input.p90, "5188");
    published("output p90", s.output.p90, "55");
    published("output p99", s.output.p99, "251");
    published("peak minute over mean", s.peak_minute_over_mean, "4.16");
    tokens("input", &s.input, (const char *const[]){"2047.8", "1469", "7436", "7437"});
    tokens("output", &s.output, (const char *const[]){"27.9", "13", NULL, "1899"});
    assert_string_equal(hd_trace_clock_text(t, 0, text), "2023-11-16 18:17:03.97996");
    assert_int_equal(t->rows_no_output, 0);
    int silent = 0; /* published: six gaps of 123 to 217 s, and next to none between */
    for (int64_t i = 1; i < t->rows; i++) {
        double gap_s = hd_s_from_tick(t->row[i].at - t->row[i - 1].at);
        assert_true(gap_s < 217.5);
        silent += gap_s > 122.5;
    }
    assert_int_equal(silent, 6);
    for (int64_t i = 1; i < t->rows; i++) /* a double of the date would make ties */
        assert_true(t->row[i].at > t->row[i - 1].at);
    hd_trace_free(t);
}

static void azure_conv(void **state) {
    (void)state;
    struct hd_trace *t = load("azure/AzureLLMInferenceTrace_conv.csv");
    struct hd_trace_stats s = hd_trace_stats(t, HD_SERVICE_S_PUBLISHED);
    assert_int_equal(s.rows, 19366);
    assert_string_equal(
        t->sha256, "2f1e5b666d4e3055fdbba98598ce2ec307767b9064e03e2fa46676dbcc7d0bf8");
    published("span, s", s.span_s, "3501.7");
    published("rate, 1/s", s.rate_per_s, "5.530");
    published("CV", s.gap_cv, "1.094");
    published("IoD 60 s", s.iod_60s, "20.6");
    published("peak minute over mean", s.peak_minute_over_mean, "1.54");
    tokens("input", &s.input, (const char *const[]){"1154.7", "1020", "4142", "14050"});
    tokens("output", &s.output, (const char *const[]){"211.1", "129", "601", "1000"});
    published("input p90", s.input.p90, "2734");
    published("output p90", s.output.p90, "424");
    for (int64_t i = 1; i < t->rows; i++) assert_true(t->row[i].at > t->row[i - 1].at);
    hd_trace_free(t);
}

static void arena(void **state) {
    (void)state;
    struct hd_trace *t = load("arena/arena27.csv");
    struct hd_trace_stats s = hd_trace_stats(t, HD_SERVICE_S_PUBLISHED);
    assert_int_equal(s.rows, 1500);
    assert_int_equal(s.models, 27);
    published("rate, 1/s", s.rate_per_s, "2.5");
    published("span, s", s.span_s, "600");
    popularity(t, (const char *const[]){"19.7", "37.2", "62.9", "79.9"}, "0.594",
               "-1.49");
    published("CV", s.gap_cv, "1.104");
    published("IoD 60 s", s.iod_60s, "16.0");
    tokens("input", &s.input, (const char *const[]){"136", "40", "902", "1021"});
    tokens("output", &s.output, (const char *const[]){"256", "211", "785", "977"});
    struct hd_popularity p;
    hd_popularity(t->model_rows, t->models, &p);
    published("coldest 14, %", 100 * p.coldest_half, "12.9");
    active_at(t, (const char *const[]){"5.9", "17.1", "24.0"}, "62.8");
    hottest(t, 6, "1.03", "1.80");
    struct hd_model_stats *m = hd_model_stats(t);
    int *order = hd_trace_by_popularity(t);
    double low = INFINITY, high = 0;
    for (int i = 0; i < 4; i++) {
        low = fmin(low, m[order[i]].output_mean);
        high = fmax(high, m[order[i]].output_mean);
    }
    published("least mean output", low, "175");
    published("most mean output", high, "307");
    free(m);
    free(order);
    hd_trace_free(t);
}

static void aegaeon(void **state) {
    (void)state;
    struct hd_trace *t = load("aegaeon/synth-80-0.1-1.0-1.0.csv");
    struct hd_trace_stats s = hd_trace_stats(t, HD_SERVICE_S_PUBLISHED);
    assert_int_equal(s.rows, 839);
    assert_int_equal(s.models, 80);
    published("rate, 1/s", s.rate_per_s, "7.0");
    tokens("input", &s.input, (const char *const[]){"714", "545", "2162", NULL});
    tokens("output", &s.output, (const char *const[]){"303", "267", "1008", NULL});
    assert_true(s.gini > 0.05 && s.gini < 0.11);
    hd_trace_free(t);
}

static void every_aegaeon_trace(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int models, rows;
    } files[] = {{"16-0.1", 16, 156},  {"24-0.1", 24, 237}, {"32-0.1", 32, 323},
                 {"40-0.1", 40, 181},  {"48-0.1", 48, 504}, {"56-0.1", 56, 588},
                 {"64-0.1", 64, 670},  {"72-0.1", 72, 761}, {"80-0.1", 80, 839},
                 {"40-0.05", 40, 87},  {"40-0.2", 40, 417}, {"40-0.3", 40, 645},
                 {"40-0.5", 40, 1103}, {"40-0.7", 40, 1556}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[64];
        snprintf(name, sizeof name, "aegaeon/synth-%s-1.0-1.0.csv", files[i].name);
        struct hd_trace *t = load(name);
        assert_int_equal(t->rows, files[i].rows);
        assert_true(t->models <= files[i].models && t->models > files[i].models * 0.85);
        hd_trace_free(t);
    }
}

static void burstgpt(void **state) {
    (void)state;
    struct hd_trace *t = load("burstgpt/burstgpt_slice.csv");
    struct hd_trace_stats s = hd_trace_stats(t, HD_SERVICE_S_PUBLISHED);
    assert_int_equal(s.rows, 400);
    assert_int_equal(t->rows_no_output, 17);
    assert_int_equal(t->rows_no_input, 17);
    assert_string_equal(t->model[0], "ChatGPT");
    assert_int_equal(t->model_rows[0], 320);
    assert_int_equal(t->model_rows[1], 80);
    published("span, s", s.span_s, "37269");
    published("rate, 1/s", s.rate_per_s, "0.0107");
    published("CV", s.gap_cv, "4.56");
    tokens("input", &s.input, (const char *const[]){"520", "314", "1958", NULL});
    s.output.mean = floor(s.output.mean); /* 276.53 was cut, not rounded */
    tokens("output", &s.output, (const char *const[]){"276", "230", "1421", NULL});
    hd_trace_free(t);
}

/* Windows of both models together, by their law; idle ones have none. */
static void servegen(void **state) {
    (void)state;
    static const char *const names[] = {"servegen/language/m-small",
                                        "servegen/reason/deepseek-r1"};
    static const int clients[] = {43, 73}, windows[] = {2016, 144};
    int laws[2] = {0, 0}, idle = 0;
    for (int n = 0; n < 2; n++) {
        struct hd_err err = {0};
        char *path = data(names[n]), sha256[65];
        int active;
        struct hd_windows *w = hd_servegen_load(path, &active, sha256, &err);
        if (!w) fail_msg("%s", err.text);
        assert_true(active <= clients[n]);
        idle += (clients[n] - active) * windows[n]; /* left out: never a request */
        for (int c = 0; c < active; c++) {
            assert_int_equal(w[c].windows, windows[n]);
            assert_true(w[c].window_s == 600);
            for (int i = 0; i < w[c].windows; i++)
                if (w[c].window[i].level == 0)
                    idle++;
                else
                    laws[w[c].window[i].law == HD_GAP_WEIBULL]++;
        }
        hd_servegen_free(w, active);
        free(path);
    }
    assert_int_equal(idle, 53994);
    assert_int_equal(laws[0], 30508);
    assert_int_equal(laws[1], 12698);
}

/* Pictures have no tokens: the lengths must be said. 25 rows name no model. */
static void gentd26(void **state) {
    (void)state;
    struct hd_err err = {0};
    char *path = data("gentd26/lora_request_trace.csv");
    assert_null(hd_trace_load(path, &HD_TRACE_OPTIONS, &err));
    assert_says(err.text, "expected --lengths");
    struct hd_trace_options asked = HD_TRACE_OPTIONS;
    asked.lengths = "512,128";
    struct hd_trace *t = hd_trace_load(path, &asked, &err);
    if (!t) fail_msg("%s", err.text);
    assert_int_equal(t->rows, 26823);
    assert_int_equal(t->models, 87);
    assert_int_equal(t->row[100].input_tokens, 512);
    assert_int_equal(t->row[100].output_tokens, 128);
    assert_non_null(strstr(t->parts, "invented"));
    struct hd_trace_stats s = hd_trace_stats(t, HD_SERVICE_S_PUBLISHED);
    assert_true(fabs(s.span_s / 3600 - 552.6) < 0.1);
    assert_true(fabs(s.top_share - 0.307) < 0.0006);
    assert_true(fabs(s.top5_share - 0.704) < 0.0006);
    assert_true(fabs(s.gini - 0.871) < 0.0006);
    hd_trace_free(t);
    free(path);
}

/* 12,031 rows with ceil(input / 512) blocks each. */
static void mooncake(void **state) {
    (void)state;
    struct hd_err err = {0};
    char *path = data("mooncake/conversation_trace.jsonl");
    struct hd_trace *t = hd_trace_load(path, &HD_TRACE_OPTIONS, &err);
    if (!t) fail_msg("%s", err.text);
    assert_string_equal(t->format, "mooncake");
    assert_int_equal(t->rows, 12031);
    assert_int_equal(t->extra->prefix_block_tokens, 512);
    int64_t *first = t->extra->prefix_first;
    for (int64_t i = 0; i < t->rows; i++)
        assert_int_equal(first[i + 1] - first[i], (t->row[i].input_tokens + 511) / 512);
    int64_t ties = 0;
    for (int64_t i = 1; i < t->rows; i++) ties += t->row[i].at == t->row[i - 1].at;
    assert_int_equal(ties, 10851);
    struct hd_trace_stats s = hd_trace_stats(t, HD_SERVICE_S_PUBLISHED);
    assert_true(fabs(s.span_s - 3537) < 0.5 && fabs(s.gap_cv - 3.03) < 0.005);
    assert_true(fabs(s.iod_1s - 7.89) < 0.005 && fabs(s.iod_60s - 2.85) < 0.005);
    assert_true(s.input.p50 == 6909 && s.input.max == 126195);
    assert_true(s.output.p50 == 350 && s.output.max == 2000);
    hd_trace_free(t);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(azure_code),
        cmocka_unit_test(azure_conv),
        cmocka_unit_test(arena),
        cmocka_unit_test(aegaeon),
        cmocka_unit_test(every_aegaeon_trace),
        cmocka_unit_test(burstgpt),
        cmocka_unit_test(servegen),
        cmocka_unit_test(gentd26),
        cmocka_unit_test(mooncake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
