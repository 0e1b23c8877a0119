/* Traces as text: read twice they are the same, and what is converted to the binary
 * format and from there to CSV keeps every field. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "fuzz/trace_checks.h"
#include "trace/binary.h"
#include "trace/csv_write.h"
#include "trace/reader.h"
#include "unit/same_trace.h"

enum { ROWS_MOST = 2000 };

static char *written(const struct hd_trace *t, bool binary, size_t *bytes) {
    char *text;
    FILE *out = hd_text_stream(&text, bytes);
    fuzz_require(binary ? hd_binary_write(t, out) : hd_csv_trace_write(t, out),
                 "a trace cannot be written");
    hd_text_stream_end(out, &text);
    return text;
}

static struct hd_trace *read_back(int number, const char *bytes, size_t count) {
    struct hd_err err = {0};
    struct hd_trace *t =
        hd_trace_load(fuzz_file(number, bytes, count), &HD_TRACE_OPTIONS, &err);
    fuzz_require(t, "what was written cannot be read: %s", err.text);
    return t;
}

static void require_same(const char *how, const struct hd_trace *a,
                         const struct hd_trace *b) {
    const char *what = trace_difference(a, b);
    fuzz_require(!what, "%s: they differ in their %s", how, what);
}

/* As a CSV file begins: of a cut it does not say what was ahead of it. */
static bool begins_at_zero(const struct hd_trace *t) {
    const hd_wide year_9999 = (hd_wide)HD_TICKS_PER_S * 253370764800;
    if (t->origin != t->zero) return false;
    if (t->clock != HD_CLOCK_DATE) return t->zero == 0;
    return t->row[0].at == 0 && t->zero >= 0 && t->zero < year_9999;
}

static void check_csv(const struct hd_trace *t, const struct hd_trace *mapped) {
    size_t bytes;
    char *csv = written(mapped, false, &bytes);
    struct hd_trace *native = read_back(2, csv, bytes);
    require_same("CSV", t, native);
    hd_trace_free(native);
    free(csv);
}

void fuzz_check_trace(const struct hd_trace *t, bool ours) {
    size_t bytes, again_bytes;
    char *binary = written(t, true, &bytes);
    struct hd_trace *mapped = read_back(1, binary, bytes);
    require_same("binary", t, mapped);
    fuzz_require(t->clock == mapped->clock, "another clock");
    char *again = written(mapped, true, &again_bytes);
    fuzz_same_bytes("binary, twice", binary, bytes, again, again_bytes);
    if (ours && begins_at_zero(t)) check_csv(t, mapped);
    hd_trace_free(mapped);
    free(again);
    free(binary);
}

/* Row by row, as a streaming reader hands them out. Whether there are more than a test
 * should hold: a count can stand for any number. */
static bool read_rows(const char *path) {
    struct hd_err err = {0};
    struct hd_reader_options asked = {.any_order = true, .times_only = true};
    struct hd_reader *reader = hd_reader_open(path, &asked, &err);
    struct hd_row row;
    int got = reader ? 1 : -1;
    for (int rows = 0; reader && (got = hd_reader_next(reader, &row, &err)) > 0;) {
        fuzz_require(row.input_tokens >= 0 && row.input_tokens <= HD_TRACE_TOKENS_MAX &&
                         row.output_tokens >= 0 &&
                         row.output_tokens <= HD_TRACE_TOKENS_MAX && row.model >= 0 &&
                         row.model < hd_reader_models(reader),
                     "line %ld is out of range", row.line);
        if (++rows == ROWS_MOST) break;
    }
    if (got < 0) fuzz_check_error(&err);
    hd_reader_close(reader);
    return got > 0;
}

void fuzz_trace(const uint8_t *bytes, size_t count) {
    const char *path = fuzz_file(0, bytes, count);
    if (hd_binary_recognise(path) || read_rows(path)) return;
    for (int way = 0; way < 2; way++) {
        struct hd_trace_options asked = HD_TRACE_OPTIONS;
        asked.sort = way;
        asked.skip_bad = 2 * way;
        asked.times_only = !way;
        if (way) asked.to = "+10m";
        struct hd_err err = {0}, other = {0};
        struct hd_trace *t = hd_trace_load(path, &asked, &err);
        struct hd_trace *twice = hd_trace_load(path, &asked, &other);
        fuzz_require(!t == !twice && strcmp(err.text, other.text) == 0,
                     "once '%s', then '%s'", err.text, other.text);
        if (t) {
            require_same("twice", t, twice);
            if (!asked.to) fuzz_check_trace(t, true);
        } else {
            fuzz_check_error(&err);
        }
        hd_trace_free(t);
        hd_trace_free(twice);
    }
}
