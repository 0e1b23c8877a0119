/* Traces of which a file says how many requests and not when: windows of a ServeGen
 * folder, counts of calls by the minute. */
#include <math.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "market/recipe.h"
#include "trace/trace.h"
#include "unit/trace_files.h"

static char folder[64];

static void write_file(const char *name, const char *text) {
    char *path = hd_format("%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    free(path);
}

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/hd-drawn-%ld", (long)getpid());
    return mkdir(folder, 0700);
}

static int remove_folder(void **state) {
    remove_file(state);
    static const char *const names[] = {"chunk-3-trace.csv", "chunk-3-dataset.json",
                                        "chunk-10-trace.csv", "chunk-7-trace.csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = hd_format("%s/%s", folder, names[i]);
        remove(path);
        free(path);
    }
    return rmdir(folder);
}

/* Client 3: 20/s, nothing, 5/s; client 10: 1/s throughout; client 7 has no request. */
static void servegen_files(void) {
    write_file("chunk-3-trace.csv", "0,20,1.5,Gamma,0,0\n600,0,0,,0,0\n"
                                    "1200,5,0.7,Weibull,0,0\n");
    write_file("chunk-10-trace.csv", "0,1,1,Gamma,0,0\n600,1,1,Gamma,0,0\n"
                                     "1200,1,1,Gamma,0,0\n");
    write_file("chunk-7-trace.csv", "0,0,0,,0,0\n600,0,0,,0,0\n");
    write_file("chunk-3-dataset.json",
               "{\"1200\": {\"input_tokens\": \"{500: 1}\", \"output_tokens\": "
               "\"{7: 3.0}\"},\n \"600\": {\"input_tokens\": \"{}\", "
               "\"output_tokens\": \"{}\"},\n"
               " \"0\": {\"input_tokens\": \"{10: 0.25, 40: 0.75}\", "
               "\"output_tokens\": \"{1: 0.5, 2: 0.5}\", \"reason_ratio\": \"{}\"}}");
}

static struct hd_trace *drawn(uint64_t seed, const char *to) {
    struct hd_trace_options asked = HD_TRACE_OPTIONS;
    struct hd_err err = {0};
    asked.seed = seed;
    asked.to = to;
    asked.before_s = asked.after_s = 0;
    struct hd_trace *t = hd_trace_load(folder, &asked, &err);
    if (!t) fail_msg("%s", err.text);
    return t;
}

static int model_named(const struct hd_trace *t, const char *name) {
    int n = 0;
    while (n < t->models && strcmp(t->model[n], name) != 0) n++;
    assert_in_range(n, 0, t->models - 1);
    return n;
}

/* The count of a renewal process over n mean gaps has a variance of about cv^2 n. */
static void near_count(int64_t count, double expected, double cv) {
    assert_true(fabs((double)count - expected) < 5 * cv * sqrt(expected));
}

static void rates_are_those_of_the_windows(void **state) {
    (void)state;
    servegen_files();
    struct hd_trace *t = drawn(4, NULL);
    assert_string_equal(t->format, "servegen");
    assert_int_equal(t->models, 2);
    int64_t count[2][3] = {{0}};
    int busy = model_named(t, "client-3");
    model_named(t, "client-10");
    for (int64_t i = 0; i < t->rows; i++) {
        const struct hd_trace_row *r = &t->row[i];
        assert_true(i == 0 || r->at >= t->row[i - 1].at);
        assert_int_equal(r->line, i + 1);
        count[r->model != busy][(int)(hd_s_from_tick(r->at) / 600)]++;
    }
    near_count(count[0][0], 12000, 1.5);
    assert_int_equal(count[0][1], 0);
    near_count(count[0][2], 3000, 0.7);
    for (int w = 0; w < 3; w++) near_count(count[1][w], 600, 1);
    hd_trace_free(t);
}

/* Client 3 has its own lengths, from 1200 s on others; client 10, of which nothing is
 * told, has client 3's. */
static void lengths_are_drawn_from_the_distributions(void **state) {
    (void)state;
    servegen_files();
    struct hd_trace *t = drawn(4, NULL);
    int64_t first = 0, of_40 = 0, of_2 = 0, both = 0;
    for (int64_t i = 0; i < t->rows; i++) {
        const struct hd_trace_row *r = &t->row[i];
        if (r->at >= hd_tick_from_s(1200)) {
            assert_int_equal(r->input_tokens, 500);
            assert_int_equal(r->output_tokens, 7);
            continue;
        }
        assert_true(r->input_tokens == 10 || r->input_tokens == 40);
        assert_true(r->output_tokens == 1 || r->output_tokens == 2);
        first++;
        of_40 += r->input_tokens == 40;
        of_2 += r->output_tokens == 2;
        both += r->input_tokens == 40 && r->output_tokens == 2;
    }
    double n = (double)first;
    assert_true(fabs((double)of_40 - 0.75 * n) < 4 * sqrt(0.75 * 0.25 * n));
    assert_true(fabs((double)of_2 - 0.5 * n) < 4 * sqrt(0.25 * n));
    assert_true(fabs((double)both - 0.375 * n) < 4 * sqrt(0.375 * 0.625 * n));
    assert_non_null(strstr(t->parts, "of 1 clients from their own, of the others from "
                                     "client 3's"));
    hd_trace_free(t);
}

static void a_seed_is_one_trace_and_a_cut_its_beginning(void **state) {
    (void)state;
    servegen_files();
    struct hd_trace *a = drawn(4, NULL), *b = drawn(4, "+100s"), *c = drawn(5, "+100s");
    assert_true(b->rows > 1000 && b->rows < a->rows);
    assert_string_equal(a->sha256, b->sha256);
    int64_t differ = 0;
    for (int64_t i = 0; i < b->rows; i++) {
        assert_memory_equal(&a->row[i], &b->row[i], sizeof a->row[i]);
        differ += i < c->rows && c->row[i].at != b->row[i].at;
    }
    assert_true(a->row[b->rows].at >= hd_tick_from_s(100));
    assert_true(differ > b->rows / 2);
    hd_trace_free(a);
    hd_trace_free(b);
    hd_trace_free(c);
}

/* 180 million requests: nobody asked for so many. */
static void what_is_drawn_has_an_end(void **state) {
    (void)state;
    struct hd_trace_options asked = HD_TRACE_OPTIONS;
    struct hd_err err = {0};
    servegen_files();
    write_file("chunk-10-trace.csv", "0,1e5,1,Gamma,0,0\n600,1e5,1,Gamma,0,0\n"
                                     "1200,1e5,1,Gamma,0,0\n");
    assert_null(hd_trace_load(folder, &asked, &err));
    assert_says(err.text, "would be about 1.8e+08 requests; expected a part");
    struct hd_trace *t = drawn(4, "+50ms");
    assert_true(t->drawn && t->rows > 4000 && t->rows < 6000);
    assert_non_null(
        strstr(t->note[0], "parts: arrivals: drawn from ServeGen's windows"));
    hd_trace_free(t);
}

static void refuses(const char *name, const char *text, const char *why) {
    struct hd_err err = {0};
    servegen_files();
    write_file(name, text);
    assert_null(hd_trace_load(folder, &HD_TRACE_OPTIONS, &err));
    assert_says(err.text, why);
}

static void wrong_folders_are_refused(void **state) {
    (void)state;
    refuses("chunk-3-trace.csv", "0,20,1.5,Gamma,0\n", ":1: 5 columns; expected 6");
    refuses("chunk-3-trace.csv", "0,20,1.5,Gamma,0,0\n600,1,1,Pareto,0,0\n",
            ":2: column 4: 'Pareto' is none of Gamma, Weibull");
    refuses("chunk-3-dataset.json", "{\"0\": {\"input_tokens\": \"{1: 1}\"}}",
            "\"0\": output_tokens: expected a text");
    refuses("chunk-3-dataset.json",
            "{\"0\": {\"input_tokens\": \"{1: 0}\", \"output_tokens\": \"{1: 1}\"}}",
            "\"0\": input_tokens: expected a text");
    refuses("chunk-3-dataset.json",
            "{\"0\": {\"input_tokens\": \"{1: 1}x\", \"output_tokens\": \"{1: 1}\"}}",
            "\"0\": input_tokens: expected a text");
    refuses("chunk-3-dataset.json", "{\"soon\": {}}", "\"soon\"");
    refuses("chunk-3-dataset.json", "{\"0\": ", ".json:1: ");
    /* Nobody's tokens are told. */
    refuses("chunk-3-dataset.json", "{}", "expected --lengths");
    struct hd_trace_options asked = HD_TRACE_OPTIONS;
    struct hd_err err = {0};
    asked.lengths = "30,3";
    struct hd_trace *t = hd_trace_load(folder, &asked, &err);
    assert_non_null(t);
    assert_int_equal(t->row[9].input_tokens, 30);
    hd_trace_free(t);
}

/* ---- counts ---------------------------------------------------------------- */

#define COUNTS                                                                         \
    "HashOwner,HashApp,HashFunction,Trigger,1,2,3\n"                                   \
    "o,a,f,http,0,400,1\n"                                                             \
    "o,a,g,timer,2,100,0\n"                                                            \
    "p,b,f,queue,0,0,0\n"

static struct hd_trace_options with_lengths(void) {
    struct hd_trace_options asked = HD_TRACE_OPTIONS;
    asked.lengths = "100,10";
    asked.before_s = asked.after_s = 0;
    return asked;
}

static void counts_are_kept_minute_by_minute(void **state) {
    (void)state;
    struct hd_err err = {0};
    struct hd_trace_options asked = with_lengths();
    struct hd_trace *t = hd_trace_load(file_of(COUNTS), &asked, &err);
    if (!t) fail_msg("%s", err.text);
    assert_string_equal(t->format, "functions2019");
    assert_int_equal(t->rows, 503);
    assert_int_equal(t->models, 2);
    int f = model_named(t, "a/f"), count[2][3] = {{0}};
    double sum_s = 0;
    for (int i = 0; i < 503; i++) {
        double at_s = hd_s_from_tick(t->row[i].at);
        assert_true(i == 0 || t->row[i].at >= t->row[i - 1].at);
        assert_int_equal(t->row[i].input_tokens, 100);
        assert_int_equal(t->row[i].line, t->row[i].model == f ? 2 : 3);
        count[t->row[i].model != f][(int)(at_s / 60)]++;
        if (at_s >= 60 && at_s < 120) sum_s += at_s - 60;
    }
    static const int expected[2][3] = {{0, 400, 1}, {2, 100, 0}};
    assert_memory_equal(count, expected, sizeof expected);
    /* 500 uniform instants of a minute: 30 s on average, deviation 17.3 / sqrt(500). */
    assert_true(fabs(sum_s / 500 - 30) < 4 * 17.3 / sqrt(500));
    hd_trace_free(t);
}

static void refuses_counts(const char *text, const char *why) {
    struct hd_err err = {0};
    struct hd_trace_options asked = with_lengths();
    assert_null(hd_trace_load(file_of(text), &asked, &err));
    assert_says(err.text, why);
}

#define HEADER "HashOwner,HashApp,HashFunction,Trigger,1,2\n"
static void wrong_counts_are_refused(void **state) {
    (void)state;
    struct hd_err err = {0};
    assert_null(hd_trace_load(file_of(COUNTS), &HD_TRACE_OPTIONS, &err));
    assert_says(err.text, "counts of calls have no tokens; expected --lengths");
    refuses_counts("HashOwner,HashApp,HashFunction,Trigger,1,3\no,a,f,x,1,1\n",
                   ":1: column 6 is '3'; expected '2'");
    refuses_counts("HashOwner,HashApp,HashFunction,Trigger\no,a,f,x\n", "0 minutes");
    refuses_counts(HEADER "o,a,f,x,1\n", ":2: 5 fields; the header has 6");
    refuses_counts(HEADER "o,a,f,x,1,1\no,a,,x,1,1\n",
                   ":3: column 'HashFunction' is empty");
    refuses_counts(HEADER "o,a,f,x,1,-1\n", ":2: column '2': '-1' is not");
    refuses_counts(HEADER "o,a,f,x,1,1000001\n", "is not a number of calls up to");
    refuses_counts(HEADER "o,a,caf\xE9,x,1,1\n",
                   ":2: column 'HashFunction' is not printable");
    refuses_counts(HEADER "o,a,f,x,0,0\n", "no function was called");
    struct hd_trace_options asked = with_lengths();
    asked.skip_bad = 1;
    struct hd_trace *t =
        hd_trace_load(file_of(HEADER "o,a,f,x,1,1.5\no,a,g,x,2,1\n"), &asked, &err);
    assert_non_null(t);
    assert_int_equal(t->rows, 3);
    assert_int_equal(t->rows_bad, 1);
    hd_trace_free(t);
}

/* A market takes the instants of a trace that has no tokens. */
static void a_market_needs_no_lengths_for_arrivals(void **state) {
    (void)state;
    char *recipe = hd_format(
        "return {models = 2, load = {rate_per_s = 3, span = \"2m\", label = "
        "'invented'},"
        " popularity = {kind = 'uniform', label = 'invented'},"
        " arrivals = {kind = 'stream', from = trace '%s', method = 'each', label = "
        "'real'}, input = {p50 = 90, mean = 100, min = 1, max = 1000, label = "
        "'invented'},"
        " output = {p50 = 90, mean = 100, min = 1, max = 1000, label = 'invented'}}",
        file_of(COUNTS));
    char *path =
        hd_format("%s/chunk-7-trace.csv", folder); /* any name that is removed */
    write_file("chunk-7-trace.csv", recipe);
    struct hd_err err = {0};
    struct hd_market *m = hd_recipe_load(path, &err);
    if (!m) fail_msg("%s", err.text);
    assert_int_equal(m->stream.count, 503);
    hd_market_free(m);
    free(path);
    free(recipe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_those_of_the_windows),
        cmocka_unit_test(lengths_are_drawn_from_the_distributions),
        cmocka_unit_test(a_seed_is_one_trace_and_a_cut_its_beginning),
        cmocka_unit_test(what_is_drawn_has_an_end),
        cmocka_unit_test(wrong_folders_are_refused),
        cmocka_unit_test(counts_are_kept_minute_by_minute),
        cmocka_unit_test(wrong_counts_are_refused),
        cmocka_unit_test(a_market_needs_no_lengths_for_arrivals),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
