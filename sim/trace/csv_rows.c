/* Rows of a CSV file whose header names its columns. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/units.h"
#include "base/utf8.h"
#include "trace/header.h"
#include "trace/reader_parts.h"

enum { BLOCK_TOKENS = 16 }; /* where a file does not say */

struct csv_rows {
    struct hd_csv *csv;
    const struct hd_format *format;
    int column[HD_COLUMNS], columns;
    bool begun, zoned;
    int zone_minutes; /* of the first row */
    char *name;       /* of a model in two parts */
    int name_capacity;
};

/* ---- the header ----------------------------------------------------------- */

/* The line's fields joined again (libcsv took the blanks around them), without the
 * leading #. */
static void keep_note(struct hd_reader *r, const struct hd_csv_row *row) {
    size_t bytes = 1;
    for (int i = 0; i < row->count; i++) bytes += row->length[i] + 2;
    char *note = hd_alloc(bytes), *end = note;
    for (int i = 0; i < row->count; i++)
        end += sprintf(end, "%s%s", i ? ", " : "", row->field[i]);
    char *text = note + 1;
    while (*text == ' ') text++;
    memmove(note, text, strlen(text) + 1);
    for (char *c = note; *c; c += hd_utf8_bytes(c))
        if (!hd_utf8_bytes(c))
            *c = '?'; /* a binary trace keeps notes in JSON */
        else if (iscntrl((unsigned char)*c))
            *c = ' ';
    r->note = hd_grow(r->note, &r->note_capacity, r->notes + 1, sizeof *r->note);
    r->note[r->notes++] = note;
}

static void list_unused(struct hd_reader *r, const struct csv_rows *c,
                        const struct hd_csv_row *header) {
    char name[HD_EXCERPT_BYTES];
    for (int i = 0; i < header->count; i++) {
        bool used = false;
        for (int n = 0; n < HD_COLUMNS; n++) used |= c->column[n] == i;
        if (!used) hd_reader_add_unused(r, hd_excerpt(header->field[i], name));
    }
}

/* "# prefix_block_tokens: 512" */
static bool read_block_tokens(struct hd_reader *r, struct hd_err *err) {
    const char *note = hd_reader_note(r, "prefix_block_tokens");
    long tokens = BLOCK_TOKENS;
    struct hd_err why = {0};
    if (note && !hd_parse_integer(note, 1, HD_TRACE_TOKENS_MAX, &tokens, &why))
        return hd_fail(err, "%s: note prefix_block_tokens: %s", r->path, why.text);
    r->prefix_block_tokens = (int)tokens;
    return true;
}

static bool read_header(struct hd_reader *r, struct csv_rows *c, struct hd_err *err) {
    const struct hd_format *asked = NULL;
    struct hd_csv_row row;
    int got;
    if (r->asked.format && !(asked = hd_format_named(r->asked.format, err)))
        return false;
    while ((got = hd_csv_next(c->csv, &row, err)) > 0 && row.field[0][0] == '#')
        keep_note(r, &row);
    if (got < 0) return false;
    if (got == 0)
        return hd_fail(err, "%s: is empty; expected a header line and requests",
                       r->path);
    const struct hd_format *f =
        hd_format_of_header(r->path, &row, asked, c->column, err);
    if (!f) return false;
    c->format = f;
    r->format = f->name;
    r->clock = f->clock;
    c->columns = row.count;
    list_unused(r, c, &row);
    if (!read_block_tokens(r, err)) return false;
    if (f->model_name) hd_intern(&r->models, f->model_name, strlen(f->model_name));
    return !f->no_tokens || hd_reader_needs_lengths(r, f->no_tokens, err);
}

/* ---- a row ---------------------------------------------------------------- */

/* A field that is wrong: its place, its column and what it holds. */
static bool wrong(const struct hd_reader *r, const struct hd_csv_row *row,
                  enum hd_column column, const char *why, struct hd_err *err) {
    const struct csv_rows *c = r->state;
    char excerpt[HD_EXCERPT_BYTES];
    const char *text = row->field[c->column[column]];
    const char *name = c->format->column[column];
    if (*text == '\0')
        return hd_fail(err, "%s:%ld: column '%s' is empty", r->path, row->line, name);
    return hd_fail(err, "%s:%ld: column '%s': '%s' %s", r->path, row->line, name,
                   hd_excerpt(text, excerpt), why);
}

/* The number of a name, -1 where there is none: no such column, an empty field. */
static bool read_name(struct hd_reader *r, const struct hd_csv_row *row,
                      enum hd_column column, struct hd_intern *names, int32_t *number,
                      struct hd_err *err) {
    int at = ((struct csv_rows *)r->state)->column[column];
    *number = -1;
    if (at < 0) return true;
    const char *name = row->field[at];
    size_t bytes = row->length[at];
    const char *why = hd_field_name(&name, &bytes);
    if (why) return wrong(r, row, column, why, err);
    if (bytes) *number = hd_intern(names, name, bytes);
    return true;
}

/* "first/second" */
static bool read_two_parts(struct hd_reader *r, const struct hd_csv_row *row,
                           struct hd_row *out, struct hd_err *err) {
    static const enum hd_column columns[] = {HD_COLUMN_MODEL, HD_COLUMN_PART};
    struct csv_rows *c = r->state;
    int used = 0;
    for (int i = 0; i < 2; i++) {
        const char *name = row->field[c->column[columns[i]]];
        size_t bytes = row->length[c->column[columns[i]]];
        const char *why = hd_field_name(&name, &bytes);
        if (why || !bytes) return wrong(r, row, columns[i], why, err);
        c->name = hd_grow(c->name, &c->name_capacity, used + (int)bytes + 1, 1);
        if (i) c->name[used++] = '/';
        memcpy(c->name + used, name, bytes);
        used += (int)bytes;
    }
    out->model = hd_intern(&r->models, c->name, (size_t)used);
    return true;
}

static bool read_model(struct hd_reader *r, const struct hd_csv_row *row,
                       struct hd_row *out, struct hd_err *err) {
    const struct csv_rows *c = r->state;
    if (c->column[HD_COLUMN_PART] >= 0) return read_two_parts(r, row, out, err);
    if (!read_name(r, row, HD_COLUMN_MODEL, &r->models, &out->model, err)) return false;
    if (out->model >= 0) return true;
    out->model = 0;
    if (c->column[HD_COLUMN_MODEL] >= 0 && c->format->unnamed) {
        const char *name = c->format->unnamed;
        out->model = hd_intern(&r->models, name, strlen(name));
        return true;
    }
    return c->column[HD_COLUMN_MODEL] < 0 ||
           hd_fail(err, "%s:%ld: column '%s' is empty", r->path, row->line,
                   c->format->column[HD_COLUMN_MODEL]);
}

static bool read_deadline(struct hd_reader *r, const struct hd_csv_row *row,
                          struct hd_row *out, struct hd_err *err) {
    int column = ((struct csv_rows *)r->state)->column[HD_COLUMN_DEADLINE];
    out->deadline = -1;
    if (column < 0 || !*row->field[column]) return true;
    struct hd_stamp span;
    const char *why = hd_stamp_seconds(row->field[column], &span);
    if (!why && span.at > HD_TICK_SPAN_MAX) why = "is longer than a run can be";
    if (why) return wrong(r, row, HD_COLUMN_DEADLINE, why, err);
    out->deadline = span.at;
    return true;
}

static bool read_prefix(struct hd_reader *r, const struct hd_csv_row *row,
                        struct hd_row *out, struct hd_err *err) {
    const struct csv_rows *c = r->state;
    int column = c->column[HD_COLUMN_PREFIX];
    r->blocks.count = 0;
    const char *why =
        column < 0 ? NULL : hd_field_blocks(row->field[column], &r->blocks);
    if (why) return wrong(r, row, HD_COLUMN_PREFIX, why, err);
    out->prefix = r->blocks.id;
    out->prefix_blocks = r->blocks.count;
    return hd_blocks_fit(r, out, "column 'prefix'", err);
}

static bool read_images(struct hd_reader *r, const struct hd_csv_row *row,
                        struct hd_err *err) {
    int column = ((struct csv_rows *)r->state)->column[HD_COLUMN_IMAGES];
    int32_t images;
    if (column < 0) return true;
    if (hd_field_tokens(row->field[column], &images))
        return wrong(r, row, HD_COLUMN_IMAGES, "is not a whole number of pictures",
                     err);
    r->count.images += images;
    r->count.rows_images += images > 0;
    return true;
}

static bool read_optional(struct hd_reader *r, const struct hd_csv_row *row,
                          struct hd_row *out, struct hd_err *err) {
    return read_name(r, row, HD_COLUMN_SESSION, &r->sessions, &out->session, err) &&
           read_name(r, row, HD_COLUMN_CLASS, &r->classes, &out->class_, err) &&
           read_deadline(r, row, out, err) && read_prefix(r, row, out, err);
}

static bool read_tokens(struct hd_reader *r, const struct hd_csv_row *row,
                        enum hd_column column, int32_t *tokens, struct hd_err *err) {
    int at = ((struct csv_rows *)r->state)->column[column];
    const char *why = at < 0 ? NULL : hd_field_tokens(row->field[at], tokens);
    return !why || wrong(r, row, column, why, err);
}

static bool read_time(struct hd_reader *r, const struct hd_csv_row *row,
                      struct hd_row *out, struct hd_err *err) {
    struct csv_rows *c = r->state;
    struct hd_stamp stamp, lasted = {0};
    const char *why = c->format->stamp(row->field[c->column[HD_COLUMN_TIME]], &stamp);
    if (why) return wrong(r, row, HD_COLUMN_TIME, why, err);
    int duration = c->column[HD_COLUMN_DURATION];
    if (duration >= 0 && (why = hd_stamp_seconds(row->field[duration], &lasted)))
        return wrong(r, row, HD_COLUMN_DURATION, why, err);
    if (!c->begun) {
        c->zoned = stamp.zoned;
        c->zone_minutes = stamp.zone_minutes;
    } else if (stamp.zoned != c->zoned) {
        return wrong(r, row, HD_COLUMN_TIME,
                     c->zoned ? "has no time zone, but the rows above have one"
                              : "has a time zone, but the rows above have none",
                     err);
    }
    c->begun = true;
    out->at = stamp.at - lasted.at +
              (hd_wide)(c->zone_minutes - stamp.zone_minutes) * 60 * HD_TICKS_PER_S;
    if (r->clock == HD_CLOCK_DATE && !hd_clock_is_date(out->at))
        return wrong(r, row, HD_COLUMN_TIME, "lies outside the years 1 to 9999", err);
    return true;
}

/* Empty, or what programs write for no number. */
static bool lacks_time(const struct csv_rows *c, const struct hd_csv_row *row) {
    const char *text = row->field[c->column[HD_COLUMN_TIME]];
    return c->format->time_may_lack &&
           (!*text || strcasecmp(text, "nan") == 0 || strcasecmp(text, "none") == 0 ||
            strcasecmp(text, "null") == 0);
}

static enum hd_got next(struct hd_reader *r, struct hd_row *out, struct hd_err *err) {
    struct csv_rows *c = r->state;
    struct hd_csv_row row;
    int got = hd_csv_next(c->csv, &row, err);
    if (got == 0) return HD_GOT_END;
    if (got < 0) return hd_csv_went_on(c->csv) ? HD_GOT_BAD : HD_GOT_FAILED;
    if (row.count != c->columns) {
        hd_fail(err, "%s:%ld: %d field%s; the header has %d", r->path, row.line,
                row.count, row.count == 1 ? "" : "s", c->columns);
        return HD_GOT_BAD;
    }
    out->line = row.line;
    if (!read_tokens(r, &row, HD_COLUMN_INPUT, &out->input_tokens, err) ||
        !read_tokens(r, &row, HD_COLUMN_OUTPUT, &out->output_tokens, err) ||
        !read_model(r, &row, out, err) || !read_optional(r, &row, out, err))
        return HD_GOT_BAD;
    if (lacks_time(c, &row)) return HD_GOT_NO_TIME;
    if (!read_time(r, &row, out, err) || !read_images(r, &row, err)) return HD_GOT_BAD;
    return HD_GOT_ROW;
}

static void close_rows(void *state) {
    struct csv_rows *c = state;
    hd_csv_close(c->csv);
    free(c->name);
    free(c);
}

bool hd_csv_rows_open(struct hd_reader *r, struct hd_err *err) {
    static const struct hd_source source = {next, close_rows};
    struct hd_csv *csv = hd_csv_open(r->path, err);
    if (!csv) return false;
    struct csv_rows *c = hd_alloc(sizeof *c);
    c->csv = csv;
    r->source = &source;
    r->state = c;
    return read_header(r, c, err);
}
