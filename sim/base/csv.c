/* libcsv pushes fields through callbacks; this turns a chunk of pushes into
 * rows that can be pulled. */
#include "base/csv.h"

#include <csv.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/input.h"
#include "base/mem.h"

enum {
    CHUNK_BYTES = 1 << 16,
    FIELD_GROWTH_BYTES = 1 << 16,
    FIELD_BYTES_MAX = 1 << 20,
    FIELDS_MAX = 1 << 16, /* of a row */
    ROW_BYTES_MAX = 1 << 24,
    NO_ROW_YET = 0 /* libcsv's ROW_NOT_BEGUN: blanks and line ends at most */
};

struct row_span {
    int first_field, count;
    long line;
};

struct hd_csv {
    char *path;
    struct hd_input *file;
    char *chunk; /* of the file; bytes at_byte to chunk_bytes are not parsed yet */
    size_t at_byte, chunk_bytes;
    struct csv_parser parser;
    char *text; /* the fields of this chunk's rows, one after another */
    int text_capacity, text_used;
    char **field; /* each in text */
    size_t *length;
    int field_capacity, length_capacity, fields;
    struct row_span *row;
    int row_capacity, rows, next_row;
    int open_row_first;  /* first field of the row that is still incomplete */
    long line, row_line; /* line now; line on which the open row began */
    bool finished, too_long, at_row_start, after_cr, cut_off;
    bool leaving;         /* the rest of a line that cannot be parsed */
    bool has_cr, has_nul; /* the chunk; it or one before it */
    long nul_line;
    struct hd_err pending; /* of the line behind the rows that are parsed */
    bool went_on;
};

/* There is room: make_room has seen to it. */
static void on_field(void *data, size_t bytes, void *context) {
    struct hd_csv *csv = context;
    if (bytes > FIELD_BYTES_MAX) {
        csv->too_long = true; /* the reading ends; what is left of the chunk is lost */
        return;
    }
    if (csv->has_nul && bytes && !csv->nul_line && memchr(data, 0, bytes))
        csv->nul_line = csv->row_line;
    char *to = csv->text + csv->text_used;
    csv->field[csv->fields] = to;
    csv->length[csv->fields++] = bytes;
    if (bytes) memcpy(to, data, bytes);
    to[bytes] = '\0';
    csv->text_used += (int)bytes + 1;
}

static void on_row(int terminator, void *context) {
    struct hd_csv *csv = context;
    (void)terminator;
    int count = csv->fields - csv->open_row_first;
    csv->too_long |= count > FIELDS_MAX;
    csv->row[csv->rows++] =
        (struct row_span){csv->open_row_first, count, csv->row_line};
    csv->open_row_first = csv->fields;
}

static void start_parser(struct hd_csv *csv) {
    csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI);
    /* libcsv grows its field 128 bytes at a time: quadratic in a field of 1 MiB where
     * an allocator moves the block every time. */
    csv_set_blk_size(&csv->parser, FIELD_GROWTH_BYTES);
}

struct hd_csv *hd_csv_open(const char *path, struct hd_err *err) {
    struct hd_input *file = hd_input_open(path, err);
    if (!file) return NULL;
    struct hd_csv *csv = hd_alloc(sizeof *csv);
    csv->path = hd_strdup(path);
    csv->file = file;
    csv->chunk = hd_alloc(CHUNK_BYTES);
    csv->line = csv->row_line = 1;
    csv->at_row_start = true;
    start_parser(csv);
    return csv;
}

/* Where the fields of the open row, the only ones left, lie: from the text's begin on.
 */
static void place_fields(struct hd_csv *csv) {
    char *at = csv->text;
    for (int i = 0; i < csv->fields; at += csv->length[i++] + 1) csv->field[i] = at;
}

/* Drops the rows already handed out and moves the open row to the front. */
static void compact(struct hd_csv *csv) {
    int first = csv->open_row_first, keep = csv->fields - first, used = 0;
    if (keep) {
        char *from = csv->field[first];
        used = (int)(csv->text + csv->text_used - from);
        memmove(csv->text, from, (size_t)used);
        memmove(csv->length, csv->length + first, (size_t)keep * sizeof *csv->length);
    }
    csv->text_used = used;
    csv->fields = keep;
    csv->open_row_first = csv->rows = csv->next_row = 0;
    place_fields(csv);
}

/* Room for all that so many bytes can hold, and the field that has begun: a field and a
 * row for each byte, and a NUL behind each field. No row is waiting. */
static void make_room(struct hd_csv *csv, size_t bytes) {
    int more = (int)bytes + 2;
    int text = csv->text_used + (int)csv->parser.entry_pos + 2 * more;
    csv->text = hd_grow(csv->text, &csv->text_capacity, text, 1);
    csv->field = hd_grow(csv->field, &csv->field_capacity, csv->fields + more,
                         sizeof *csv->field);
    csv->length = hd_grow(csv->length, &csv->length_capacity, csv->fields + more,
                          sizeof *csv->length);
    csv->row = hd_grow(csv->row, &csv->row_capacity, more, sizeof *csv->row);
    place_fields(csv);
}

/* How many bytes reach to the end of the line, LF, CRLF or a lone CR, or of the
 * chunk. */
static size_t line_bytes(const char *bytes, size_t count, bool has_cr, bool *ends) {
    const char *lf = memchr(bytes, '\n', count);
    size_t take = lf ? (size_t)(lf - bytes) + 1 : count;
    const char *cr = has_cr ? memchr(bytes, '\r', take) : NULL;
    bool last = cr && cr + 1 == bytes + count; /* what follows is not known */
    if (cr && !last && cr[1] != '\n') take = (size_t)(cr - bytes) + 1;
    *ends = bytes[take - 1] == '\n' || bytes[take - 1] == '\r';
    return take;
}

/* A line that libcsv stopped at: its row is dropped, and the next line begins anew. */
static void leave_line(struct hd_csv *csv) {
    hd_fail(&csv->pending, "%s:%ld: %s", csv->path, csv->line,
            csv_error(&csv->parser) == CSV_EPARSE
                ? "a quote inside a field that is not quoted"
                : csv_strerror(csv_error(&csv->parser)));
    csv_free(&csv->parser);
    start_parser(csv);
    if (csv->fields > csv->open_row_first)
        csv->text_used = (int)(csv->field[csv->open_row_first] - csv->text);
    csv->fields = csv->open_row_first;
    csv->leaving = true;
}

/* Parses the chunk to its end, or to a line that cannot be parsed; one line's bytes at
 * a time, so that every row knows its line. */
static void parse_chunk(struct hd_csv *csv) {
    while (csv->at_byte < csv->chunk_bytes && !csv->pending.text[0]) {
        const char *bytes = csv->chunk + csv->at_byte;
        bool ends;
        size_t take =
            line_bytes(bytes, csv->chunk_bytes - csv->at_byte, csv->has_cr, &ends);
        if (csv->at_row_start) csv->row_line = csv->line;
        if (!csv->leaving &&
            csv_parse(&csv->parser, bytes, take, on_field, on_row, csv) != take)
            leave_line(csv);
        csv->at_row_start = csv->leaving || csv->parser.pstate == NO_ROW_YET;
        if (ends) csv->leaving = false;
        /* The LF of a CRLF that two chunks share was counted at its CR. */
        if (ends && !(csv->after_cr && *bytes == '\n')) csv->line++;
        csv->after_cr = bytes[take - 1] == '\r';
        csv->at_byte += take;
    }
}

/* The next bytes, without a byte order mark at the file's begin; the parser would find
 * a quote behind the mark misplaced. False when reading fails. */
static bool fill_chunk(struct hd_csv *csv, struct hd_err *err) {
    bool first = csv->chunk_bytes == 0;
    const char *why;
    long got;
    csv->at_byte = csv->chunk_bytes = 0;
    do {
        got = hd_input_read(csv->file, csv->chunk + csv->chunk_bytes,
                            CHUNK_BYTES - csv->chunk_bytes, &why);
        if (got < 0) return hd_fail(err, "%s:%ld: %s", csv->path, csv->line, why);
        csv->chunk_bytes += (size_t)got;
    } while (first && got && csv->chunk_bytes < 3);
    if (first && csv->chunk_bytes >= 3 && memcmp(csv->chunk, "\xEF\xBB\xBF", 3) == 0)
        csv->at_byte = 3;
    csv->finished = csv->chunk_bytes == 0;
    csv->has_cr = memchr(csv->chunk, '\r', csv->chunk_bytes) != NULL;
    csv->has_nul |= memchr(csv->chunk, 0, csv->chunk_bytes) != NULL;
    make_room(csv, csv->chunk_bytes);
    return true;
}

static bool finish(struct hd_csv *csv, struct hd_err *err) {
    csv->cut_off = !csv->at_row_start;
    return csv_fini(&csv->parser, on_field, on_row, csv) == 0 ||
           hd_fail(err, "%s:%ld: a quote opens and never closes", csv->path,
                   csv->row_line);
}

/* False with a word in err; csv->went_on says whether there is more behind it. */
static bool refill(struct hd_csv *csv, struct hd_err *err) {
    compact(csv);
    while (csv->rows == 0 && !csv->finished) {
        if (csv->pending.text[0]) {
            hd_fail(err, "%s", csv->pending.text);
            csv->pending.text[0] = '\0';
            csv->went_on = true;
            return false;
        }
        if (csv->at_byte == csv->chunk_bytes && !fill_chunk(csv, err)) return false;
        if (!csv->finished)
            parse_chunk(csv);
        else if (!finish(csv, err))
            return false;
        int open = csv->fields - csv->open_row_first;
        if (csv->too_long || csv->parser.entry_pos > FIELD_BYTES_MAX ||
            open > FIELDS_MAX ||
            (open && csv->text + csv->text_used - csv->field[csv->open_row_first] >
                         ROW_BYTES_MAX))
            return hd_fail(err,
                           "%s:%ld: a field of more than 1 MiB, or a row of more than "
                           "65536 fields or 16 MiB: not a CSV file?",
                           csv->path, csv->row_line);
        if (csv->nul_line)
            return hd_fail(err, "%s:%ld: a NUL byte: not a text file", csv->path,
                           csv->nul_line);
    }
    return true;
}

bool hd_csv_went_on(const struct hd_csv *csv) {
    return csv->went_on;
}

int hd_csv_next(struct hd_csv *csv, struct hd_csv_row *row, struct hd_err *err) {
    if (csv->next_row == csv->rows) {
        csv->went_on = false;
        if (!refill(csv, err)) return -1;
        if (csv->rows == 0) return 0;
    }
    struct row_span *span = &csv->row[csv->next_row++];
    row->line = span->line;
    row->count = span->count;
    row->field = csv->field + span->first_field;
    row->length = csv->length + span->first_field;
    return 1;
}

int hd_csv_column(const struct hd_csv_row *header, const char *name) {
    size_t bytes = strlen(name);
    for (int i = 0; i < header->count; i++) {
        const char *field = header->field[i];
        size_t length = header->length[i];
        while (length && isspace((unsigned char)*field)) field++, length--;
        while (length && isspace((unsigned char)field[length - 1])) length--;
        if (length == bytes && strncasecmp(field, name, bytes) == 0) return i;
    }
    return -1;
}

bool hd_csv_cut_off(const struct hd_csv *csv) {
    return csv->cut_off;
}

void hd_csv_close(struct hd_csv *csv) {
    if (!csv) return;
    hd_input_close(csv->file);
    free(csv->chunk);
    csv_free(&csv->parser);
    free(csv->path);
    free(csv->text);
    free(csv->field);
    free(csv->length);
    free(csv->row);
    free(csv);
}
