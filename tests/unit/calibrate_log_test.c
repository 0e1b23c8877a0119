/* Logs of measured runs: what is read, what is refused, and what a replay makes of a
 * log whose times can be worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "calibrate/log_replay.h"

static const char meta[] =
    "{\"model\": \"m\", \"vllm_version\": \"0.19.0\", \"engine_kwargs\": "
    "{\"tensor_parallel_size\": 1, \"max_num_seqs\": 4, \"max_num_batched_tokens\": "
    "64, "
    "\"max_model_len\": null}}";

static void put(const char *folder, const char *name, const char *text) {
    char *path = hd_format("%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    free(path);
}

/* The log of these two files, or NULL with what is wrong, less the folder. */
static struct hd_log *read_of(const char *meta_text, const char *requests,
                              struct hd_err *why) {
    char folder[] = P_tmpdir "/hd_log_XXXXXX";
    assert_non_null(mkdtemp(folder));
    put(folder, "meta.json", meta_text);
    put(folder, "requests.jsonl", requests);
    struct hd_err err = {0};
    struct hd_log *log = hd_log_read(folder, &err);
    const char *said = err.text;
    if (strncmp(said, folder, strlen(folder)) == 0) said += strlen(folder) + 1;
    hd_fail(why, "%s", said);
    for (int n = 0; n < 2; n++) {
        char *path = hd_format("%s/%s", folder, n ? "meta.json" : "requests.jsonl");
        remove(path);
        free(path);
    }
    rmdir(folder);
    return log;
}

#define LINE(id, in, out, arrival, queued, first, last)                                \
    "{\"request_id\": \"" id "\", \"input_toks\": " in ", \"output_toks\": " out       \
    ", \"arrival_time\": " arrival ", \"queued_ts\": " queued                          \
    ", \"first_token_ts\": " first ", \"last_token_ts\": " last "}\n"

static void clocks_are_aligned_by_the_quickest_to_be_queued(void **state) {
    (void)state;
    struct hd_err why = {0};
    /* a is queued 0.25 s after it came, b at once */
    struct hd_log *log =
        read_of(meta,
                LINE("b", "7", "3", "1002.5", "62.5", "63", "64") "\n" //
                LINE("a", "5", "2", "1000", "60.25", "60.5", "61")     //
                LINE("c", "5", "2", "999", "59", "null", "null"),
                &why);
    assert_non_null(log);
    assert_string_equal(log->model, "m");
    assert_string_equal(log->version, "0.19.0");
    assert_int_equal(log->tp, 1);
    assert_int_equal(log->max_batch, 4);
    assert_int_equal(log->step_tokens, 64);
    assert_int_equal(log->kv_blocks, 0);
    assert_int_equal(log->requests, 2);
    assert_int_equal(log->unfinished, 1);
    assert_int_equal(log->request[0].input_tokens, 5);
    assert_true(log->request[0].arrival_s == 0 && log->request[0].first_s == 0.5);
    assert_true(log->request[1].arrival_s == 2.5 && log->request[1].last_s == 4);
    hd_log_free(log);
}

static void refused(const char *meta_text, const char *requests, const char *expected) {
    struct hd_err why = {0};
    struct hd_log *log = read_of(meta_text, requests, &why);
    if (log || !strstr(why.text, expected))
        fail_msg("'%s'; expected '%s'", log ? "accepted" : why.text, expected);
}

static void wrong_logs_are_refused(void **state) {
    (void)state;
    static const char fine[] = LINE("a", "5", "2", "1000", "60", "60.5", "61");
    refused(meta, "", "requests.jsonl: no requests");
    refused(meta, "{\"request_id\": \"a\"", "requests.jsonl:1: not JSON");
    refused(meta, "[1]\n", "requests.jsonl:1: expected one JSON object");
    char *twice = hd_format("%s%s", fine, fine);
    refused(meta, twice, "requests.jsonl:2: request a again; it is in line 1");
    free(twice);
    refused(meta, LINE("a", "0", "2", "1000", "60", "60.5", "61"), ":1: input_toks");
    refused(meta, LINE("a", "5", "2.5", "1000", "60", "60.5", "61"), ":1: output_toks");
    refused(meta, LINE("a", "5", "2", "\"now\"", "60", "60.5", "61"),
            ":1: arrival_time");
    refused(meta, LINE("a", "5", "2", "1000", "60", "60", "61"),
            "first_token_ts is not after queued_ts");
    refused(meta, LINE("a", "5", "2", "1000", "60", "60.5", "60.4"),
            "last_token_ts is before first_token_ts");
    refused(meta, LINE("a", "5", "2", "1000", "60", "null", "null"),
            "no request has its tokens' stamps");
    refused(meta, "{\"request_id\": \"a\", \"input_toks\": 5}\n",
            ":1: no field 'output_toks'");
    refused("{\"model\": \"m\"}", fine, "meta.json: no object 'engine_kwargs'");
    refused("{\"model\":", fine, "meta.json:1: not JSON");
    refused("{\"model\": \"m\", \"engine_kwargs\": {\"max_num_seqs\": 0}}", fine,
            "meta.json: max_num_seqs");
    refused("{\"model\": \"m\", \"engine_kwargs\": {\"data_parallel_size\": 2}}", fine,
            "meta.json: data_parallel_size");
}

/* quantization and kv_cache_dtype say how numbers were kept, unless the name asked for
 * does. */
static void numbers_are_those_of_the_log(void **state) {
    (void)state;
    static const char fine[] = LINE("a", "5", "2", "1000", "60", "60.5", "61");
    struct hd_err why = {0};
    struct hd_catalog *catalog = hd_catalog_load(&why);
    struct hd_log *log =
        read_of("{\"model\": \"llama-2-7b\", \"engine_kwargs\": {\"dtype\": "
                "\"bfloat16\", \"quantization\": \"fp8\", \"kv_cache_dtype\": "
                "\"fp8_e4m3\"}}",
                fine, &why);
    if (!log || !catalog) fail_msg("%s", why.text);
    assert_string_equal(hd_log_model(log, catalog, NULL, &why)->name,
                        "meta-llama/Llama-2-7b/fp8/kv-fp8");
    assert_string_equal(hd_log_model(log, catalog, "yi-34b/bf16", &why)->name,
                        "01-ai/Yi-34B/kv-fp8");
    hd_log_free(log);
    hd_catalog_free(catalog);
    refused("{\"model\": \"m\", \"engine_kwargs\": {\"dtype\": \"fp8\"}}", fine,
            "meta.json: dtype 'fp8' is not simulated; expected 16 bits");
    refused("{\"model\": \"m\", \"engine_kwargs\": {\"quantization\": \"awq\"}}", fine,
            "meta.json: quantization 'awq' is not simulated; expected 16 bits or fp8");
    refused("{\"model\": \"m\", \"engine_kwargs\": {\"kv_cache_dtype\": 8}}", fine,
            "meta.json: kv_cache_dtype");
}

/* A GPU, a model and an engine whose steps take 1 s whatever they hold. */
struct house {
    struct hd_gpu_spec gpu;
    struct hd_model_spec model;
    struct hd_engine_profile engine;
    struct hd_timing *timing;
};

static struct hd_log_world house_make(struct house *h) {
    *h = (struct house){
        .gpu = {.name = "g", .vram_bytes = 1 << 20, .pcie_bytes_per_s = 1e9},
        .model = {.name = "m",
                  .layers = 1,
                  .heads = 1,
                  .kv_heads = 1,
                  .head_dim = 1,
                  .max_context_tokens = 1000,
                  .weights_bytes = 1000,
                  .kv_token_bytes = 4},
        .engine = {.chunked = true, .gpu_memory = 0.9},
        .timing = hd_timing_plain(&(struct hd_plain_law){
            .step = HD_TICKS_PER_S, .prefill = HD_TICKS_PER_S, .stretches = 1})};
    return (struct hd_log_world){&h->gpu, &h->model, &h->engine, h->timing, false};
}

/* The first prompt is prefilled in 0..1, the second,
 * which comes at 0.5, in 1..2 beside a decode; and the log says what came of it, once
 * as it is and once with all latencies doubled. */
static void errors_of_a_run_known_by_hand(void **state) {
    (void)state;
    struct hd_log_request r[] = {{0, 1, 3, 10, 3, -1}, {0.5, 2, 5, 10, 4, -1}};
    char name[] = "m", version[] = "";
    struct hd_log log = {
        name, version, 1, HD_NUMBER_16BIT, HD_NUMBER_16BIT, 4, 64, 100, 0, 2, r, 0};
    struct house h;
    struct hd_log_world w = house_make(&h);
    struct hd_log_errors e, stepped;
    struct hd_err err = {0};
    assert_true(hd_log_replay(&log, &w, &e, &err));
    assert_int_equal(e.requests, 2);
    assert_int_equal(e.not_served, 0);
    assert_int_equal(e.kv_blocks, 100);
    assert_int_equal(e.peak_batch, 2);
    assert_true(e.ttft.measured_s == 1.25 && e.ttft.simulated_s == 1.25);
    assert_true(e.tpot.p90 == 0 && e.latency.p90 == 0 && e.ttft.p90 == 0);
    assert_true(e.makespan_measured_s == 5 && e.makespan_simulated_s == 5);
    /* prefills of 1.04 s: the second starts at 1.04 and ends at 2.08 */
    assert_true(fabs(e.ttft_high_s - (1.04 + 2.08 - 0.5) / 2) < 1e-6);
    assert_true(fabs(e.ttft_low_s - (0.96 + 1.92 - 0.5) / 2) < 1e-6);
    for (int n = 0; n < 2; n++) {
        r[n].first_s += r[n].first_s - r[n].arrival_s;
        r[n].last_s += r[n].last_s - r[n].arrival_s;
    }
    assert_true(hd_log_replay(&log, &w, &e, &err));
    assert_true(fabs(e.ttft.p50 - 0.5) < 1e-9 && fabs(e.latency.p90 - 0.5) < 1e-9);
    assert_true(fabs(e.latency.quantile[0] + 0.5) < 1e-9);
    assert_true(fabs(hd_log_bias(e.ttft.simulated_s, e.ttft.measured_s) + 0.5) < 1e-9);
    w.step = true;
    assert_true(hd_log_replay(&log, &w, &stepped, &err));
    assert_memory_equal(&stepped, &e, sizeof e);
    hd_timing_free(h.timing);
}

/* One block of 16 tokens holds the one request and never the other. */
static void what_never_fits_is_counted_and_left_out(void **state) {
    (void)state;
    struct hd_log_request r[] = {{0, 1, 3, 10, 3, -1}, {0.5, 2, 5, 100, 4, -1}};
    char name[] = "m", version[] = "";
    struct hd_log log = {
        name, version, 1, HD_NUMBER_16BIT, HD_NUMBER_16BIT, 4, 64, 1, 0, 2, r, 0};
    struct house h;
    struct hd_log_world w = house_make(&h);
    struct hd_log_errors e;
    struct hd_err err = {0};
    assert_true(hd_log_replay(&log, &w, &e, &err));
    assert_int_equal(e.requests, 1);
    assert_int_equal(e.not_served, 1);
    log.requests = 1;
    r[0] = r[1];
    assert_false(hd_log_replay(&log, &w, &e, &err));
    assert_non_null(strstr(err.text, "could be served"));
    hd_timing_free(h.timing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_the_log),
        cmocka_unit_test(clocks_are_aligned_by_the_quickest_to_be_queued),
        cmocka_unit_test(wrong_logs_are_refused),
        cmocka_unit_test(errors_of_a_run_known_by_hand),
        cmocka_unit_test(what_never_fits_is_counted_and_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
