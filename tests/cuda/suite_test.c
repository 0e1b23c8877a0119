/* The suite with quantities that need no device: what one breaks is its own alone, the
 * budget is shared out, a second run measures what is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "apart.h"
#include "base/text.h"
#include "clock_log.h"
#include "result_file.h"
#include "suite.h"
#include "supervise.h"

#define DRIVER "580.1 cuda 13.0"

static char path[64], said[64];

static int make_path(void **state) {
    (void)state;
    strcpy(path, "/tmp/suite-test-XXXXXX");
    strcpy(said, "/tmp/suite-said-XXXXXX");
    int file = mkstemp(path), words = mkstemp(said);
    return file < 0 || words < 0 || close(file) || close(words) || unlink(path);
}

static int remove_path(void **state) {
    (void)state;
    unlink(path);
    unlink(said);
    return 0;
}

static struct shape row(const char *variant) {
    struct shape shape = shape_of("sync", variant, "");
    return shape;
}

/* Writes a row if it is to be measured; what it was told. */
static enum session_answer measure_row(struct session *s, const struct shape *shape) {
    enum session_answer answer = session_ask(s, shape);
    if (answer == SESSION_MEASURE)
        session_write(s, shape, 5, 0.5, 12, STOP_STDREL, 1755, 0);
    if (answer != SESSION_STOP) session_passed(s, shape);
    return answer;
}

static void say_failed(struct session *s, const struct shape *shape, const char *f,
                       ...) {
    va_list args;
    va_start(args, f);
    session_fail(s, shape, f, args);
    va_end(args);
}

/* One quantity's behaviour by its name. */
static void measure(void *context, const struct quantity *q, struct session *s) {
    struct shape a = row("spin"), b = row("yield"), c = row("blocking");
    (void)context;
    if (strcmp(q->name, "well") == 0) {
        measure_row(s, &a);
        measure_row(s, &b);
    } else if (strcmp(q->name, "crash") == 0) {
        measure_row(s, &c);
        abort();
    } else if (strcmp(q->name, "half") == 0) {
        FILE *out = fopen(path, "a");
        fputs("H100-SXM,sync,half a li", out);
        fclose(out);
        exit(1);
    } else if (strcmp(q->name, "withheld") == 0) {
        struct shape w = row("stream_sync");
        say_failed(s, &w, "%d bytes differ", 7);
        session_withhold(s, &w);
        measure_row(s, &w);
        w.variant = "event_sync";
        measure_row(s, &w);
    } else if (strcmp(q->name, "absent") == 0) {
        session_skip(s, "one GPU");
    } else { /* more rows than there is time for */
        session_expect(s, 3);
        struct shape shapes[] = {row("r1"), row("r2"), row("r3")};
        for (int i = 0; i < 3 && measure_row(s, &shapes[i]) != SESSION_STOP; i++)
            while (now_s() < s->deadline_s) {
            }
    }
}

static void no_run(struct bench *b) {
    (void)b;
}
static const struct quantity well = {"well", "a", 1, no_run},
                             crash = {"crash", "b", 1, no_run},
                             half = {"half", "c", 1, no_run},
                             withheld = {"withheld", "d", 1, no_run},
                             absent = {"absent", "e", 1, no_run},
                             late = {"late", "f", 1, no_run};

/* Runs the suite with its words going to a file; *text is to be freed. */
static int run(const struct quantity *const *table, int count, double budget_s,
               char **text) {
    struct options options = {.budget_s = budget_s};
    struct suite suite = {&options, table, count,   "H100-SXM",
                          DRIVER,   NULL,  measure, NULL};
    struct hd_err err = {0};
    size_t bytes;
    fflush(stderr);
    int before = dup(STDERR_FILENO);
    assert_non_null(freopen(said, "w", stderr));
    int status = suite_run(&suite, path);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    *text = hd_read_text(said, 1 << 16, &bytes, &err);
    assert_non_null(*text);
    return status;
}

static long rows_in_file(void) {
    long cut;
    struct hd_err err = {0};
    struct result_file *file = result_file_open(path, "H100-SXM", DRIVER, &cut, &err);
    assert_non_null(file);
    assert_int_equal(cut, 0);
    long rows = result_file_rows(file);
    result_file_close(file);
    return rows;
}

static void all_well(void **state) {
    (void)state;
    const struct quantity *const table[] = {&well, &absent};
    char *text;
    assert_int_equal(run(table, 2, 60, &text), 0);
    assert_non_null(strstr(text, "absent: skipped: one GPU\n"));
    assert_non_null(strstr(text, "2 rows written, 1 skipped\n"));
    free(text);
    assert_int_equal(rows_in_file(), 2);
    /* Again: nothing is left to do, and nothing is written twice. */
    assert_int_equal(run(table, 2, 60, &text), 0);
    assert_non_null(strstr(text, ": goes on behind 2 rows\n"));
    assert_non_null(strstr(text, "0 rows written, 1 skipped\n"));
    free(text);
    assert_int_equal(rows_in_file(), 2);
}

static void others_go_on(void **state) {
    (void)state;
    const struct quantity *const table[] = {&crash, &half, &withheld, &well};
    char *text;
    assert_int_equal(run(table, 4, 60, &text), 1);
    assert_non_null(strstr(text, "ended by signal 6 (Aborted)"));
    assert_non_null(strstr(text, "exit status 1"));
    assert_non_null(strstr(text, "removed a last line without its end (23 bytes)"));
    assert_non_null(strstr(text, "withheld: H100-SXM,sync,stream_sync,,,,,,,,,,,,,,: "
                                 "7 bytes differ\n"));
    assert_non_null(strstr(text, "4 rows written, 1 withheld by failed checks, 3 "
                                 "failed\n"));
    free(text);
    assert_int_equal(rows_in_file(), 4);
}

static void budget_used_up(void **state) {
    (void)state;
    const struct quantity *const table[] = {&late};
    char *text;
    /* Enough for a slow machine to begin the first row in time. */
    assert_int_equal(run(table, 1, 1.5, &text), 0);
    assert_non_null(
        strstr(text, "late: its time is used up, about 2 rows are missing"));
    assert_non_null(strstr(text, "1 rows written, 2 or more missing (no time left)\n"));
    free(text);
    assert_int_equal(rows_in_file(), 1);
}

static void unfit_file(void **state) {
    (void)state;
    const struct quantity *const table[] = {&well};
    char *text;
    FILE *out = fopen(path, "w");
    fputs("not ours\n", out);
    fclose(out);
    assert_int_equal(run(table, 1, 60, &text), 1);
    assert_non_null(strstr(text, ": line 1: expected the header"));
    free(text);
}

/* What a row may take is its part of what is left, within bounds. */
static void shares(void **state) {
    (void)state;
    struct session s = {.deadline_s = now_s() + 100, .left = -1};
    assert_float_equal(session_limits(&s).most_s, 0.5, 1e-9F);
    session_expect(&s, 100);
    assert_float_equal(session_limits(&s).most_s, 1, 0.01F);
    assert_float_equal(session_limits(&s).least_s, 0.25, 0.01F);
    session_expect(&s, 1);
    assert_float_equal(session_limits(&s).most_s, 3, 1e-9F);
    assert_float_equal(session_limits(&s).least_s, 0.5, 1e-9F);
    session_expect(&s, 1000000);
    assert_float_equal(session_limits(&s).most_s, 0.01, 1e-9F);
}

static void sleep_long(void *argument) {
    (void)argument;
    if (fork() == 0) sleep(100);
    sleep(100);
}
static void exit_3(void *argument) {
    (void)argument;
    _exit(3);
}

static void supervised(void **state) {
    (void)state;
    char text[128];
    struct outcome outcome = supervise(sleep_long, NULL, 0.05);
    assert_true(outcome.ended && outcome.timed_out);
    assert_true(outcome.seconds < 5);
    outcome_text(&outcome, text, sizeof text);
    assert_string_equal(text, "stopped after 0 s");
    outcome = supervise(exit_3, NULL, 60);
    assert_false(outcome.timed_out);
    outcome_text(&outcome, text, sizeof text);
    assert_string_equal(text, "exit status 3");
}

static void three_values(void *argument, struct apart_report *report) {
    for (int i = 0; i < 3; i++)
        report->seconds[report->count++] = *(double *)argument + i;
}
static void dies(void *argument, struct apart_report *report) {
    (void)argument;
    report->count = 1;
    exit(1);
}

static void samples_apart(void **state) {
    (void)state;
    double first = 0.5, seconds[APART_VALUES];
    struct apart apart = {three_values, &first, 60};
    assert_int_equal(apart_run(&apart, "sync", seconds), 3);
    assert_float_equal(seconds[0], 0.5, 1e-9F);
    assert_float_equal(seconds[2], 2.5, 1e-9F);
    apart.work = dies;
    assert_int_equal(apart_run(&apart, "sync", seconds), -1);
}

static void clock_lines(void **state) {
    (void)state;
    char text[256] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    struct nvml_state known = {1755,  2619,
                               699.6, 700,
                               61,    NVML_REASON_POWER_CAP | NVML_REASON_SOFT_THERMAL},
                      unknown = {-1, -1, -1, -1, -1, -1}, free_clock = known;
    free_clock.reasons = 0;
    clock_log_line(out, 1.25, &known);
    clock_log_line(out, 2, &unknown);
    clock_log_line(out, 3, &free_clock);
    fclose(out);
    assert_string_equal(text, "1.2,1755,2619,700,700,61,power_cap+thermal\n"
                              "2.0,,,,,,\n"
                              "3.0,1755,2619,700,700,61,\n");
}

static void listed(void **state) {
    (void)state;
    const struct quantity *const table[] = {&well, &crash};
    char text[256] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    suite_list(out, table, 2);
    fclose(out);
    assert_string_equal(text, "well               a\ncrash              b\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_path, remove_path)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(all_well),
        TEST(others_go_on),
        TEST(budget_used_up),
        TEST(unfit_file),
        cmocka_unit_test(shares),
        cmocka_unit_test(supervised),
        cmocka_unit_test(samples_apart),
        cmocka_unit_test(clock_lines),
        cmocka_unit_test(listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
