/* The reports of a made-up world, byte for byte as they lie in tests/golden/report.
 * `PROGRAM write` writes them anew; read the difference before you keep it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/home.h"
#include "base/mem.h"
#include "unit/report_world.h"

static struct report_world world;
static bool write_anew;

/* The version is not what is tested. */
static void hide_version(char *text) {
    static const char mark[] = "\"version\": \"";
    char *at = strstr(text, mark);
    if (!at) return;
    at += sizeof mark - 1;
    size_t length = strcspn(at, "\"");
    memmove(at + 1, at + length, strlen(at + length) + 1);
    *at = 'V';
}

static char *read_golden(const char *path) {
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("%s: %s", path, strerror(errno));
    char *text = hd_alloc(1 << 20);
    size_t got = fread(text, 1, (1 << 20) - 1, f);
    text[got] = '\0';
    fclose(f);
    return text;
}

static void check(const char *name, void (*write)(void *, FILE *)) {
    char *part = hd_format("tests/golden/report/%s", name), *path = hd_home_path(part);
    char *text = report_world_print(write, &world);
    hide_version(text);
    if (write_anew) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(text, f);
        assert_int_equal(fclose(f), 0);
    } else {
        char *golden = read_golden(path);
        const char *a = text, *b = golden;
        int line = 1;
        while (*a && *a == *b) line += *a++ == '\n', b++;
        if (*a != *b) {
            while (a > text && a[-1] != '\n') a--, b--;
            fail_msg("%s:%d: is\n%.*s\nwas\n%.*s", name, line, (int)strcspn(a, "\n"), a,
                     (int)strcspn(b, "\n"), b);
        }
        free(golden);
    }
    free(text);
    free(path);
    free(part);
}

static void write_run_json(void *context, FILE *f) {
    struct report_world *w = context;
    assert_true(hd_report_run_json(&w->report, &w->record, f));
}
static void write_time_csv(void *context, FILE *f) {
    struct report_world *w = context;
    assert_true(hd_report_time_csv(&w->report, &w->record, f));
}

static void write_run_csv(void *context, FILE *f) {
    struct report_world *w = context;
    assert_true(hd_report_run_csv(&w->report, &w->record, f));
}
static void write_run_text(void *context, FILE *f) {
    struct report_world *w = context;
    w->report.verbose = true;
    hd_report_run(&w->report, &w->record, f);
    w->report.verbose = false;
}
static void write_compare_json(void *context, FILE *f) {
    struct report_world *w = context;
    assert_true(hd_report_comparison_json(&w->report, &w->comparison, f));
}
static void write_compare_csv(void *context, FILE *f) {
    struct report_world *w = context;
    assert_true(hd_report_comparison_csv(&w->report, &w->comparison, f));
}
static void write_compare_text(void *context, FILE *f) {
    struct report_world *w = context;
    hd_report_comparison(&w->report, &w->comparison, f);
}
static void write_schema(void *context, FILE *f) {
    (void)context;
    hd_report_schema(f);
}

/* The requests of the world in the order of its trace, three of them. */
static void write_requests(void *context, FILE *f) {
    struct report_world *w = context;
    struct hd_requests_csv csv;
    hd_requests_csv_start(&csv, &w->question, f);
    struct hd_finished done = {
        .id = 0,
        .model = 0,
        .instance = 3,
        .measured = true,
        .status = HD_STATUS_DONE,
        .input_tokens = 100,
        .output_tokens = 10,
        .emitted_tokens = 10,
        .tokens_on_time = 9,
        .arrival = HD_TICKS_PER_S,
        .first_token = 2 * HD_TICKS_PER_S,
        .last_token = 11 * HD_TICKS_PER_S,
        .gap_longest = HD_TICKS_PER_S / 4,
        .blame = {HD_TICKS_PER_S, 0, 0, 0, 9 * HD_TICKS_PER_S, 0}};
    struct hd_finished rejected = {.id = 1,
                                   .model = 2,
                                   .instance = -1,
                                   .status = HD_STATUS_REJECTED,
                                   .input_tokens = 7,
                                   .output_tokens = 2,
                                   .first_token = -1,
                                   .last_token = -1,
                                   .gap_longest = -1};
    struct hd_finished unfinished = done; /* its tokens came, but not all of them */
    unfinished.id = 2;
    unfinished.status = HD_STATUS_UNFINISHED;
    hd_requests_csv_row(&csv, &done);
    hd_requests_csv_row(&csv, &rejected);
    hd_requests_csv_row(&csv, &unfinished);
    assert_true(hd_csv_finish(&csv.writer));
}

static void a_run(void **state) {
    (void)state;
    report_world_make(&world);
    check("run.json", write_run_json);
    check("run.csv", write_run_csv);
    check("time.csv", write_time_csv);
    check("run.txt", write_run_text);
    check("requests.csv", write_requests);
    report_world_free(&world);
}

static void a_comparison(void **state) {
    (void)state;
    report_world_make(&world);
    report_world_compare(&world, 1);
    check("compare.json", write_compare_json);
    check("compare.csv", write_compare_csv);
    report_world_free(&world);
    report_world_make(&world);
    report_world_compare(&world, 3);
    check("compare.txt", write_compare_text);
    report_world_free(&world);
}

static void the_schema(void **state) {
    (void)state;
    check("schema.txt", write_schema);
}

/* ---- text that depends on what ships, or on how a run ended -------------- */

static void write_header(void *context, FILE *f) {
    struct report_world *w = context;
    hd_report_header(&w->report, f);
}

static void contains(void (*write)(void *, FILE *), const char *part) {
    char *text = report_world_print(write, &world);
    if (!strstr(text, part)) fail_msg("\"%s\" is not in\n%s", part, text);
    free(text);
}

static void header(void **state) {
    (void)state;
    report_world_make(&world);
    contains(write_header, "trace     market.csv  310 requests, 3 models, 96.6 s");
    contains(write_header, "window    measured 0 s to 100 s; 5 s before and 0 s after");
    contains(write_header, "slo       ttft 10 s, tbt 100 ms; token metric\n");
    contains(write_header, "by each model with at least 100 requests");
    contains(write_header, "fleet     8 Made-up, nodes of 8");
    contains(write_header, "timing    ");
    contains(write_header, "oracle sees the future");
    report_world_compare(&world, 3);
    contains(write_header, "each times 1, 0.8, 0.6");
    contains(write_header, "90 % or 99 % is reached");
    contains(write_header, "100 or 1,000 requests");
    contains(write_header, "pooled: by all requests together");
    contains(write_header, "Made-up at most 1024");
    report_world_free(&world);
    report_world_make(&world);
    struct hd_slo_class two[] = {{"chat", 2, 0.06, 0.99}, {"batch", 120, INFINITY, 0}};
    world.question.slo = two;
    world.question.classes = 2;
    contains(write_header, "chat (ttft 2 s, tbt 60 ms, 99 %)");
    contains(write_header, "batch (ttft 120 s, no tbt limit)");
    report_world_free(&world);
}

static void runs_without_figures(void **state) {
    (void)state;
    report_world_make(&world);
    world.record.end = HD_RUN_CANNOT;
    hd_fail(&world.record.err, "too few GPUs");
    contains(write_run_text, "cannot    too few GPUs\n");
    contains(write_run_json, "\"complete\": true");
    contains(write_run_json, "\"error\": \"too few GPUs\"");
    contains(write_run_json, "\"measured\": null");
    world.record.end = HD_RUN_FAILED;
    contains(write_run_text, "failed    too few GPUs\n");
    contains(write_run_json, "\"complete\": false");
    world.record.err.text[0] = '\0';
    world.record.end = HD_RUN_INTERRUPTED;
    contains(write_run_text, "stopped   before its end");
    contains(write_run_json, "\"complete\": false");
    world.record.end = HD_RUN_STALLED;
    hd_fail(&world.record.note, "3 requests were left");
    contains(write_run_text, "warning: 3 requests were left\n");
    contains(write_run_json,
             "\"code\": \"stalled\", \"text\": \"3 requests were left\"");
    report_world_free(&world);
}

/* One request, which failed at once: what cannot be told is "-". */
static void next_to_nothing(void **state) {
    (void)state;
    report_world_make(&world);
    report_world_compare(&world, 1);
    struct hd_trace one = *world.question.trace;
    one.rows = 1;
    world.question.trace = &one;
    contains(write_compare_text, "index of dispersion (60 s) -\n");
    memset(world.record.measure->blame_s, 0, sizeof world.record.measure->blame_s);
    contains(write_run_text, "\ntime      of requests: -\n");
    report_world_free(&world);
}

static void interrupted(void **state) {
    (void)state;
    report_world_make(&world);
    report_world_compare(&world, 1);
    world.comparison.complete = false;
    world.comparison.answer[2].whole = false;
    contains(write_compare_text, "(incomplete)");
    contains(write_compare_text, "aegaeon: not answered, interrupted");
    contains(write_compare_json, "\"complete\": false");
    contains(write_compare_json, "\"reached\": null");
    report_world_free(&world);
}

int main(int argc, char **argv) {
    write_anew = argc > 1 && strcmp(argv[1], "write") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run),
        cmocka_unit_test(a_comparison),
        cmocka_unit_test(the_schema),
        cmocka_unit_test(header),
        cmocka_unit_test(runs_without_figures),
        cmocka_unit_test(next_to_nothing),
        cmocka_unit_test(interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
