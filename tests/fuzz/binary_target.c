/* Binary traces whose sums hold whatever else is in them: the target puts them right,
 * so that what lies behind them is reached. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "fuzz/trace_checks.h"
#include "trace/binary.h"
#include "trace/binary_layout.h"

static void mend_section(char *file, size_t count, struct hd_binary_section *s,
                         const struct hd_binary_section *rows) {
    if (s->offset > count || s->bytes > count - s->offset) return;
    if (s->kind == HD_BINARY_ROW_CRCS && rows && rows->offset <= count &&
        rows->bytes <= count - rows->offset) {
        uint32_t crc = hd_binary_crc(file + rows->offset, rows->bytes);
        if (s->bytes >= sizeof crc) memcpy(file + s->offset, &crc, sizeof crc);
    }
    if (s->kind != HD_BINARY_ROWS) s->crc = hd_binary_crc(file + s->offset, s->bytes);
}

static void mend(char *file, size_t count) {
    struct hd_binary_head head;
    if (count < sizeof head) return;
    memcpy(&head, file, sizeof head);
    struct hd_binary_section table[HD_BINARY_KINDS], *rows = NULL;
    size_t bytes = head.sections * sizeof *table;
    if (head.sections > HD_BINARY_KINDS || sizeof head + bytes > count) return;
    memcpy(table, file + sizeof head, bytes);
    for (uint32_t i = 0; i < head.sections; i++)
        if (table[i].kind == HD_BINARY_ROWS) rows = &table[i];
    for (uint32_t i = 0; i < head.sections; i++)
        mend_section(file, count, &table[i], rows);
    memcpy(file + sizeof head, table, bytes);
    head.crc = 0;
    memcpy(file, &head, sizeof head);
    head.crc = hd_binary_crc(file, sizeof head + bytes);
    memcpy(file, &head, sizeof head);
}

void fuzz_binary(const uint8_t *bytes, size_t count) {
    char *file = hd_alloc(count + 1);
    if (count) memcpy(file, bytes, count);
    for (int mended = 0; mended < 2; mended++) {
        struct hd_err err = {0};
        if (mended) mend(file, count);
        const char *path = fuzz_file(0, file, count);
        if (!hd_binary_recognise(path)) break;
        struct hd_trace *t = hd_binary_load(path, &HD_TRACE_OPTIONS, &err);
        if (t)
            fuzz_check_trace(t, !mended);
        else
            fuzz_check_error(&err);
        hd_trace_free(t);
        struct hd_trace_options cut = {.from = "+1s", .to = "+5s", .before_s = 1};
        err = (struct hd_err){0};
        t = hd_binary_load(path, &cut, &err);
        if (!t) fuzz_check_error(&err);
        hd_trace_free(t);
    }
    free(file);
}
