/* The reports of a made-up world, byte for byte as they lie in tests/golden/report.
 * `PROGRAM write` writes them anew; read the difference before you keep it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    assert_true(hd_requests_csv_finish(&csv));
}

static void a_run(void **state) {
    (void)state;
    report_world_make(&world);
    check("run.json", write_run_json);
    check("run.csv", write_run_csv);
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

int main(int argc, char **argv) {
    write_anew = argc > 1 && strcmp(argv[1], "write") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run),
        cmocka_unit_test(a_comparison),
        cmocka_unit_test(the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
