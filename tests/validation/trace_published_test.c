/* Public traces: the figures that their publishers, or other programs, give. */
#include <math.h>

#include "base/home.h"
#include "base/mem.h"
#include "trace/stats.h"
#include "trace/stats_activity.h"
#include "trace/stats_arrivals.h"
#include "trace/stats_popularity.h"
#include "trace/stats_reuse.h"
#include "validation/real_traces.h"

static void tokens(const char *what, const struct hd_token_stats *t,
                   const char *const expected[4]) {
    print_message("%s tokens\n", what);
    published("  mean", t->mean, expected[0]);
    published("  p50", t->p50, expected[1]);
    if (expected[2]) published("  p99", t->p99, expected[2]);
    if (expected[3]) published("  max", t->max, expected[3]);
}

static void is_file(const struct hd_trace *t, const char *sha256) {
    assert_string_equal(t->sha256, sha256);
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
    is_file(t, "54e9a6d2a4bd06ba1e060304b900abbc74cbea53de96506e60fe5bb4f2277fb6");
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
    is_file(t, "2f1e5b666d4e3055fdbba98598ce2ec307767b9064e03e2fa46676dbcc7d0bf8");
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
    is_file(t, "1b5c5273b74bbad5fdbf89bf2718a59eff2f6f5c5511d3caed9711e63c4b53cd");
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
    is_file(t, "2780bbb927fc132ab0d5038ec12e218fa6392bc8ceb21e6f800bf2a824b5d3a9");
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
        /* Published: the generator stops short of its rate times two minutes. */
        double nominal = files[i].models * 0.1 * 120;
        if (strcmp(files[i].name, "80-0.1") == 0)
            published("below the nominal rate, %",
                      100 - 100 * (double)t->rows / nominal, "13");
        if (strcmp(files[i].name, "16-0.1") == 0)
            published("below the nominal rate, %",
                      100 - 100 * (double)t->rows / nominal, "19");
        if (strcmp(files[i].name, "40-0.7") == 0)
            is_file(t,
                    "88781a730f745208be96ed0c4356749626c6e97477a56380d2666901939fb746");
        hd_trace_free(t);
    }
}

static void burstgpt(void **state) {
    (void)state;
    struct hd_trace *t = load("burstgpt/burstgpt_slice.csv");
    struct hd_trace_stats s = hd_trace_stats(t, HD_SERVICE_S_PUBLISHED);
    assert_int_equal(s.rows, 400);
    is_file(t, "7865fda5dac50938a84dfccb06c405e2f5202969ecfbd671c8399de00f4335f0");
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
    is_file(t, "263fb88f1095f62d360cf89ded8cfc24fa2c5d111c1b16e7aaa9ccbfc4b37d78");
    published("span, h", s.span_s / 3600, "552.6");
    published("rate, 1/s", s.rate_per_s, "0.0135");
    published("CV", s.gap_cv, "12.0");
    published("IoD 60 s", s.iod_60s, "3.75");
    assert_int_equal(hd_ties(t), 876);
    popularity(t, (const char *const[]){"30.7", "45.7", "70.4", "86.6"}, "0.871",
               "-2.17");
    struct hd_popularity p;
    hd_popularity(t->model_rows, t->models, &p);
    published("coldest half, %", 100 * p.coldest_half, "1.7");
    active_at(t, (const char *const[]){"5.4", "16.2", "34.2"}, "29.6");
    hottest(t, 5, "5.4", "9.8");
    int *order = hd_trace_by_popularity(t), most = 0;
    for (int64_t first = 0; (double)first < 0.9865 * (double)t->rows; most++)
        first += t->model_rows[order[most]];
    published("models with 98.65 %", most, "47");
    free(order);
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
    is_file(t, "b8cbb061a85206d729d91cdc2981f43c9e0d99209dce588d3af5f7934408b9df");
    assert_int_equal(hd_ties(t), 10851);
    struct hd_trace_stats s = hd_trace_stats(t, HD_SERVICE_S_PUBLISHED);
    published("span, s", s.span_s, "3537");
    published("rate, 1/s", s.rate_per_s, "3.401");
    published("CV", s.gap_cv, "3.03");
    published("IoD 1 s", s.iod_1s, "7.89");
    published("IoD 60 s", s.iod_60s, "2.85");
    tokens("input", &s.input,
           (const char *const[]){"12035", "6909", "85400", "126195"});
    published("input p90", s.input.p90, "27367");
    tokens("output", &s.output, (const char *const[]){"342.6", "350", "1119", "2000"});
    published("output p90", s.output.p90, "597");
    struct hd_reuse reuse;
    hd_reuse(t, &reuse);
    published("blocks that are there, %",
              100 * (double)reuse.blocks_hit / (double)reuse.blocks, "36.6");
    hd_reuse_free(&reuse);
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
        cmocka_unit_test(gentd26),
        cmocka_unit_test(mooncake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
