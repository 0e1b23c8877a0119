/* A whole trace: order, zero, cuts, counts. */
#include "trace/trace.h"

#include "base/mem.h"
#include "unit/trace_files.h"

#define HEADER "arrival_s,model,input_tokens,output_tokens\n"
#define DATES "arrival,model,input_tokens,output_tokens\n"
#define S(n) ((hd_tick)(n)*HD_TICKS_PER_S)

static struct hd_trace *load_path(const char *path, struct hd_trace_options asked) {
    struct hd_err err = {0};
    struct hd_trace *trace = hd_trace_load(path, &asked, &err);
    if (!trace) fail_msg("%s", err.text);
    return trace;
}

static struct hd_trace *load(const char *text, struct hd_trace_options asked) {
    return load_path(file_of(text), asked);
}

static void assert_fails(const char *text, struct hd_trace_options asked,
                         const char *says) {
    struct hd_err err = {0};
    struct hd_trace *trace = hd_trace_load(file_of(text), &asked, &err);
    if (trace) fail_msg("was loaded; expected: %s", says);
    assert_says(err.text, says);
}

/* "at model" of each row, at in seconds. */
static void assert_rows(const struct hd_trace *t, const char *expected) {
    char got[512] = "";
    for (int64_t i = 0; i < t->rows; i++)
        sprintf(got + strlen(got), "%s%g %s", i ? ", " : "",
                hd_s_from_tick(t->row[i].at), t->model[t->row[i].model]);
    assert_string_equal(got, expected);
    assert_int_equal(t->rows + t->rows_before + t->rows_after, t->rows_read);
    int64_t sum = 0;
    for (int i = 0; i < t->models; i++) sum += t->model_rows[i];
    assert_int_equal(sum, t->rows);
}

static void whole(void **state) {
    (void)state;
    const char *text = "# parts: all invented\n# made: by hand\n" HEADER
                       "5,b,1,2\n6,a,0,3\n6,b,4,0\n9,b,0,0\n";
    struct hd_trace *t = load(text, HD_TRACE_OPTIONS);
    assert_rows(t, "5 b, 6 a, 6 b, 9 b"); /* seconds count from the file's zero */
    assert_int_equal(t->rows_no_output, 2);
    assert_int_equal(t->rows_no_input, 2);
    assert_int_equal(t->row[2].line, 6);
    assert_int_equal(t->model_rows[0], 3);
    assert_string_equal(t->format, "native");
    assert_string_equal(t->parts, "all invented");
    assert_string_equal(t->made, "by hand");
    assert_int_equal(t->from, -1);
    assert_int_equal(t->to, -1);
    assert_null(strchr(t->name, '/'));
    hd_trace_free(t);
}

static void sha256_of_the_bytes(void **state) {
    (void)state;
    /* printf 'arrival_s,model,input_tokens,output_tokens\n1,m,2,3\n' | sha256sum */
    struct hd_trace *t = load(HEADER "1,m,2,3\n", HD_TRACE_OPTIONS);
    assert_string_equal(
        t->sha256, "ae34ad63880b8347f2a700c202c1384cfdd6610146b66862b5b3552feb40fbba");
    hd_trace_free(t);
}

static void dates_count_from_the_first(void **state) {
    (void)state;
    struct hd_trace *t = load(DATES "2026-11-17 23:59:59.5,a,1,1\n"
                                    "2026-11-18 00:00:01,a,1,1\n",
                              HD_TRACE_OPTIONS);
    char text[HD_CLOCK_TEXT_BYTES];
    assert_rows(t, "0 a, 1.5 a");
    assert_string_equal(hd_trace_clock_text(t, t->row[1].at, text),
                        "2026-11-18 00:00:01.000");
    hd_trace_free(t);
}

static void sorting_is_stable_and_counted(void **state) {
    (void)state;
    struct hd_trace_options sort = HD_TRACE_OPTIONS;
    sort.sort = true;
    struct hd_trace *t =
        load(HEADER "3,c,1,1\n1,a,1,1\n3,b,1,1\n2,d,1,1\n1,b,1,1\n4,a,1,1\n", sort);
    assert_rows(t, "1 a, 1 b, 2 d, 3 c, 3 b, 4 a");
    assert_int_equal(t->rows_out_of_order, 3);
    hd_trace_free(t);
    /* of dates the earliest is zero, wherever it stands in the file */
    t = load(DATES "2026-11-17 12:00:03,a,1,1\n2026-11-17 12:00:01,b,1,1\n", sort);
    assert_rows(t, "0 b, 2 a");
    hd_trace_free(t);
    assert_fails(HEADER "3,c,1,1\n1,a,1,1\n", HD_TRACE_OPTIONS,
                 ".csv:3: time runs backwards");
}

/* Against an insertion sort. */
static void sorting_random_rows(void **state) {
    (void)state;
    enum { ROWS = 2000 };
    char *text = hd_alloc(ROWS * 32), *end = text + sprintf(text, HEADER);
    int at[ROWS], tag[ROWS];
    unsigned random = 12345;
    for (int i = 0; i < ROWS; i++) {
        random = random * 1103515245u + 12345u;
        at[i] = (int)(random >> 16) % 300;
        tag[i] = i;
        end += sprintf(end, "%d,m,%d,1\n", at[i], i);
    }
    for (int i = 1; i < ROWS; i++)
        for (int j = i; j > 0 && at[j - 1] > at[j]; j--) {
            int a = at[j], g = tag[j];
            at[j] = at[j - 1], tag[j] = tag[j - 1];
            at[j - 1] = a, tag[j - 1] = g;
        }
    struct hd_trace_options sort = HD_TRACE_OPTIONS;
    sort.sort = true;
    struct hd_trace *t = load(text, sort);
    for (int i = 0; i < ROWS; i++) {
        assert_true(t->row[i].at == S(at[i]));
        assert_int_equal(t->row[i].input_tokens, tag[i]);
    }
    hd_trace_free(t);
    free(text);
}

/* ---- cuts ---------------------------------------------------------------- */

static struct hd_trace_options cut(const char *from, const char *to, double before_s,
                                   double after_s) {
    return (struct hd_trace_options){
        .from = from, .to = to, .before_s = before_s, .after_s = after_s};
}

/* A request each minute from 0 on, models in turn, an hour long. */
static char *hour(void) {
    char *text = hd_alloc(4096), *end = text + sprintf(text, HEADER);
    for (int i = 0; i <= 60; i++) end += sprintf(end, "%d,m%d,1,1\n", 60 * i, i % 30);
    return text;
}

static void cut_with_margins(void **state) {
    (void)state;
    char *text = hour(), clock[HD_CLOCK_TEXT_BYTES];
    for (int sort = 0; sort < 2; sort++) {
        struct hd_trace_options asked = cut("+20m", "00:23", 60, 120);
        asked.sort = sort;
        struct hd_trace *t = load(text, asked);
        /* 19 min is tick 0: one warm-up request, three asked for, two behind */
        assert_rows(t, "0 m19, 60 m20, 120 m21, 180 m22, 240 m23, 300 m24");
        assert_int_equal(t->rows_before, 19);
        assert_int_equal(t->rows_after, 36);
        assert_true(t->from == S(60) && t->to == S(240));
        assert_string_equal(hd_trace_clock_text(t, 0, clock), "1140.000 s");
        hd_trace_free(t);
    }
    free(text);
}

static void cut_by_default_margins(void **state) {
    (void)state;
    char *text = hour();
    struct hd_trace *t = load(text, cut("+20m", "+40m", -1, -1)); /* 2 minutes each */
    assert_int_equal(t->rows, 24);
    assert_true(t->from == S(120) && t->to == S(1320));
    hd_trace_free(t);
    t = load(text, cut("+20m", NULL, -1, -1)); /* 40 minutes and a tick: 4 before */
    assert_int_equal(t->rows, 45);
    assert_int_equal(t->rows_before, 16);
    assert_int_equal(t->to, -1);
    hd_trace_free(t);
    t = load(text, cut(NULL, "+10m", 0, 0));
    assert_int_equal(t->rows, 10);
    assert_int_equal(t->from, -1);
    hd_trace_free(t);
    t = load(text, cut("+30s", "+90s", 3600, 0)); /* no time before the file's zero */
    assert_rows(t, "0 m0, 60 m1");
    assert_true(t->from == S(30) && t->to == S(90));
    hd_trace_free(t);
    t = load(text, cut("+30m", "+31m", 1e300, 1e300)); /* all there is */
    assert_int_equal(t->rows, 61);
    assert_true(t->from == S(1800) && t->to == S(1860));
    hd_trace_free(t);
    free(text);
}

static void cut_without_requests(void **state) {
    (void)state;
    char *text = hour();
    assert_fails(text, cut("+61m", NULL, -1, -1), "no request between");
    assert_fails(text, cut("+601s", "+602s", -1, -1), "no request between");
    assert_fails(text, cut("+10m", "+10m", -1, -1), "--to +10m: is not after");
    assert_fails(text, cut("+10", NULL, -1, -1), "--from: '10' needs a unit");
    assert_fails(text, cut(NULL, "2026-01-01", -1, -1), "--to: '2026-01-01' is");
    free(text);
}

static void a_time_of_day_is_the_next_one(void **state) {
    (void)state;
    struct hd_trace *t = load(DATES "2026-11-16 22:00:00,a,1,1\n"
                                    "2026-11-17 01:00:00,b,1,1\n"
                                    "2026-11-17 23:00:00,c,1,1\n",
                              cut("01:00", "22:30", 0, 0));
    assert_rows(t, "0 b");
    assert_int_equal(t->rows_before, 1);
    assert_int_equal(t->rows_after, 1);
    hd_trace_free(t);
}

/* 121 days, as BurstGPT's first file: too long whole, fine in parts. */
static void more_than_a_run_can_hold(void **state) {
    (void)state;
    const char *text = HEADER "0,a,1,1\n86400,b,1,1\n10454400,c,1,1\n";
    assert_fails(text, HD_TRACE_OPTIONS,
                 ".csv:4: lies 121 days from the trace's zero; a run holds at most 90 "
                 "days: cut the trace with --from and --to");
    struct hd_trace *t = load(text, cut("+120d", NULL, 0, 0));
    assert_rows(t, "86400 c");
    hd_trace_free(t);
    t = load(text, cut(NULL, "+2d", 0, 0));
    assert_rows(t, "0 a, 86400 b");
    hd_trace_free(t);
    struct hd_trace_options sort = HD_TRACE_OPTIONS;
    sort.sort = true;
    /* each within 90 days of the first row, but not of one another */
    assert_fails(DATES "2026-04-01 00:00:00,a,1,1\n2026-06-29 00:00:00,b,1,1\n"
                       "2026-01-02 00:00:00,c,1,1\n",
                 sort, "lies 178 days from the trace's zero");
    assert_fails(DATES "2026-04-01 00:00:00,a,1,1\n2025-01-01 00:00:00,b,1,1\n", sort,
                 "lies 455 days from the trace's zero");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(sha256_of_the_bytes),
        cmocka_unit_test(dates_count_from_the_first),
        cmocka_unit_test(sorting_is_stable_and_counted),
        cmocka_unit_test(sorting_random_rows),
        cmocka_unit_test(cut_with_margins),
        cmocka_unit_test(cut_by_default_margins),
        cmocka_unit_test(cut_without_requests),
        cmocka_unit_test(a_time_of_day_is_the_next_one),
        cmocka_unit_test(more_than_a_run_can_hold),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
