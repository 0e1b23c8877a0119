/* Memory that does not grow with a trace: what a long one needs at most, whatever is
 * done with it. */
#include <inttypes.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "command/trace_about.h"
#include "market/rescale.h"
#include "trace/binary.h"
#include "trace/compose.h"
#include "trace/csv_write.h"
#include "trace/lint.h"
#include "trace/trace.h"
#include "unit/trace_files.h"

enum {
    ROWS = 1500000, /* 68 bytes each with all fields: 102 MB, and as much for what is
                       made */
    MOST_MB = 56
};

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static char path[] = "/tmp/hd-memory-XXXXXX";

static int64_t most_mb(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss / 1024;
}

static int write_rows(void **state) {
    (void)state;
    if (SANITIZED) return 0;
    FILE *f = fdopen(mkstemp(path), "w");
    if (!f) return -1;
    fputs(
        "arrival_s,model,input_tokens,output_tokens,session,class,deadline_s,prefix\n",
        f);
    for (int i = 0; i < ROWS; i++)
        fprintf(f, "%d.%03d,m%d,%d,%d,s%d,c%d,%d,%d\n", i / 1000, i % 1000, i % 7,
                40 + i % 900, 1 + i % 300, i % 50, i % 3, 1 + i % 9, i % 1000);
    return fclose(f);
}

static int remove_rows(void **state) {
    (void)state;
    if (!SANITIZED) remove(path);
    return 0;
}

static void passes_over(const struct hd_trace *t) {
    struct hd_trace_about about;
    struct hd_lints found = {0};
    FILE *nowhere = fopen("/dev/null", "w");
    hd_trace_about(t, 16, &about);
    assert_int_equal(about.stats.rows, t->rows);
    hd_trace_about_free(&about);
    hd_lint(t, 0.99, &found);
    hd_lints_free(&found);
    assert_true(hd_binary_write(t, nowhere));
    fclose(nowhere);
}

static void made(struct hd_trace *t, int64_t rows) {
    assert_non_null(t);
    assert_in_range(t->rows, rows - rows / 100, rows + rows / 100);
    hd_trace_free(t);
}

static void memory_does_not_grow_with_the_rows(void **state) {
    (void)state;
    if (SANITIZED) skip();
    struct hd_err err = {0};
    struct hd_trace *t = hd_trace_load(path, &HD_TRACE_OPTIONS, &err);
    if (!t) fail_msg("%s", err.text);
    assert_int_equal(t->rows, ROWS);
    passes_over(t);
    made(hd_thin(t, 0.5, HD_UNIT_REQUEST, 1, &err), ROWS / 2);
    made(hd_press(t, 2 * (hd_wide)HD_TICKS_PER_S, &err), ROWS);
    made(hd_superpose(t, 1.25, HD_UNIT_REQUEST, HD_TICK_NEVER, 1, &err), ROWS / 4 * 5);
    hd_trace_free(t);
    if (most_mb() > MOST_MB) fail_msg("%" PRId64 " MB", most_mb());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_does_not_grow_with_the_rows)};
    return cmocka_run_group_tests(tests, write_rows, remove_rows);
}
