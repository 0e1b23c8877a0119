/* The CSV reader against libcsv fed one byte at a time, which is its slow twin: the
 * same fields in the same rows on the same lines, wherever reads of the file end. */
#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/mem.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"

struct twin {
    char *text; /* fields, each with a NUL behind it */
    int used, capacity;
    long *length; /* of the fields; -1 - LINE behind the last of a row */
    int lengths, length_capacity;
    long line, row_line;
    bool ended; /* cannot be parsed further */
};

static void add_length(struct twin *t, long length) {
    t->length =
        hd_grow(t->length, &t->length_capacity, t->lengths + 1, sizeof *t->length);
    t->length[t->lengths++] = length;
}

static void twin_field(void *data, size_t bytes, void *context) {
    struct twin *t = context;
    t->text = hd_grow(t->text, &t->capacity, t->used + (int)bytes + 1, 1);
    if (bytes) memcpy(t->text + t->used, data, bytes);
    t->used += (int)bytes;
    t->text[t->used++] = '\0';
    add_length(t, (long)bytes);
}

static void twin_row(int terminator, void *context) {
    struct twin *t = context;
    (void)terminator;
    add_length(t, -1 - t->row_line);
}

static void twin_parse(struct twin *t, const uint8_t *bytes, size_t count) {
    struct csv_parser parser;
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
    t->line = 1;
    size_t at = count >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    for (; at < count && !t->ended; at++) {
        if (parser.pstate == 0) t->row_line = t->line; /* no row has begun */
        t->ended = csv_parse(&parser, bytes + at, 1, twin_field, twin_row, t) != 1;
        if (bytes[at] == '\r' ||
            (bytes[at] == '\n' && (at == 0 || bytes[at - 1] != '\r')))
            t->line++;
    }
    if (!t->ended) t->ended = csv_fini(&parser, twin_field, twin_row, t) != 0;
    csv_free(&parser);
}

/* Reads the file to its end or first error: all rows are the twin's. */
static void compare(const char *path, const struct twin *t, bool has_nul) {
    struct hd_err err = {0};
    struct hd_csv *csv = hd_csv_open(path, &err);
    fuzz_require(csv, "%s", err.text);
    struct hd_csv_row row;
    const char *text = t->text;
    int got, at = 0;
    while ((got = hd_csv_next(csv, &row, &err)) > 0) {
        for (int i = 0; i < row.count; i++, at++) {
            fuzz_require(at < t->lengths && t->length[at] == (long)row.length[i] &&
                             memcmp(text, row.field[i], row.length[i] + 1) == 0,
                         "line %ld: field %d is '%s'", row.line, i, row.field[i]);
            text += row.length[i] + 1;
        }
        fuzz_require(at < t->lengths && t->length[at] < 0, "line %ld: %d fields",
                     row.line, row.count);
        fuzz_require(t->length[at] == -1 - row.line, "line %ld instead of %ld",
                     row.line, -1 - t->length[at]);
        at++;
    }
    if (got < 0) fuzz_check_error(&err);
    fuzz_require(got < 0 || at == t->lengths, "rows are lost");
    fuzz_require((got < 0) == (t->ended || has_nul), "'%s'", err.text);
    hd_csv_close(csv);
}

/* The same bytes as zstd frames of at most `most`, not compressed: a read ends where a
 * frame does. */
static uint8_t *in_frames(const uint8_t *bytes, size_t count, size_t most,
                          size_t *written) {
    uint8_t *out = hd_alloc((count / most + 1) * (most + 9)), *end = out;
    while (count) {
        size_t take = count < most ? count : most;
        const uint8_t head[9] = {0x28,
                                 0xB5,
                                 0x2F,
                                 0xFD,
                                 0x20,
                                 (uint8_t)take,
                                 (uint8_t)(take << 3 | 1),
                                 (uint8_t)(take >> 5),
                                 0};
        memcpy(end, head, sizeof head);
        memcpy(end + sizeof head, bytes, take);
        end += sizeof head + take;
        bytes += take;
        count -= take;
    }
    *written = (size_t)(end - out);
    return out;
}

void fuzz_csv(const uint8_t *bytes, size_t count) {
    static const size_t sizes[] = {1, 2, 3, 7, 61, 200};
    if (count >= 2 && (bytes[0] == 0x1F || bytes[0] == 0x28)) return; /* compressed? */
    struct twin twin = {0};
    twin_parse(&twin, bytes, count);
    bool has_nul = count && memchr(bytes, 0, count);
    compare(fuzz_file(0, bytes, count), &twin, has_nul);
    for (size_t i = 0; count && i < sizeof sizes / sizeof *sizes; i++) {
        size_t framed;
        uint8_t *frames = in_frames(bytes, count, sizes[i], &framed);
        compare(fuzz_file(0, frames, framed), &twin, has_nul);
        free(frames);
    }
    free(twin.text);
    free(twin.length);
}
