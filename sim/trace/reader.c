/* Rows of any known format, checked and turned into integers. */
#include "trace/reader.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/csv.h"
#include "base/intern.h"
#include "base/mem.h"
#include "base/units.h"
#include "trace/header.h"
#include "trace/notes.h"
#include "trace/row_fields.h"

struct hd_reader {
    char *path;
    struct hd_csv *csv;
    const struct hd_format *format;
    int column[HD_COLUMNS], columns;
    char *unused;
    char **note; /* "key: text" */
    int notes, note_capacity;
    struct hd_intern models, sessions, classes;
    struct hd_blocks blocks; /* of the row handed out */
    int prefix_block_tokens;
    bool any_order, begun, zoned;
    int zone_minutes; /* of the first row */
    hd_wide last;
    long last_line;
};

/* A trace is read twice, its rows and its sha256, so it must be a plain file. */
static bool plain_file(const char *path, struct hd_err *err) {
    struct stat about;
    if (stat(path, &about) != 0) return hd_fail(err, "%s: %s", path, strerror(errno));
    if (S_ISDIR(about.st_mode))
        return hd_fail(err, "%s: is a directory; expected a trace file", path);
    if (!S_ISREG(about.st_mode))
        return hd_fail(err, "%s: is not a plain file; a trace is read twice", path);
    return true;
}

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
    for (char *c = note; *c; c++)
        if (iscntrl((unsigned char)*c)) *c = ' ';
    r->note = hd_grow(r->note, &r->note_capacity, r->notes + 1, sizeof *r->note);
    r->note[r->notes++] = note;
}

static void list_unused(struct hd_reader *r, const struct hd_csv_row *header) {
    char name[HD_EXCERPT_BYTES];
    for (int i = 0; i < header->count; i++) {
        bool used = false;
        for (int c = 0; c < HD_COLUMNS; c++) used |= r->column[c] == i;
        if (used) continue;
        hd_excerpt(header->field[i], name);
        char *list = r->unused ? hd_format("%s, %s", r->unused, name) : hd_strdup(name);
        free(r->unused);
        r->unused = list;
    }
}

/* "# prefix_block_tokens: 512" */
static bool read_block_tokens(struct hd_reader *r, struct hd_err *err) {
    const char *note = hd_reader_note(r, "prefix_block_tokens");
    long tokens = HD_BLOCK_TOKENS;
    struct hd_err why = {0};
    if (note && !hd_parse_integer(note, 1, HD_TRACE_TOKENS_MAX, &tokens, &why))
        return hd_fail(err, "%s: note prefix_block_tokens: %s", r->path, why.text);
    r->prefix_block_tokens = (int)tokens;
    return true;
}

static bool read_header(struct hd_reader *r, const struct hd_format *asked,
                        struct hd_err *err) {
    struct hd_csv_row row;
    int got;
    while ((got = hd_csv_next(r->csv, &row, err)) > 0 && row.field[0][0] == '#')
        keep_note(r, &row);
    if (got < 0) return false;
    if (got == 0)
        return hd_fail(err, "%s: is empty; expected a header line and requests",
                       r->path);
    r->format = hd_format_of_header(r->path, &row, asked, r->column, err);
    if (!r->format) return false;
    r->columns = row.count;
    list_unused(r, &row);
    if (!read_block_tokens(r, err)) return false;
    if (r->format->model_name)
        hd_intern(&r->models, r->format->model_name, strlen(r->format->model_name));
    return true;
}

struct hd_reader *hd_reader_open(const char *path, const char *format, bool any_order,
                                 struct hd_err *err) {
    const struct hd_format *asked = NULL;
    if (format && !(asked = hd_format_named(format, err))) return NULL;
    if (!plain_file(path, err)) return NULL;
    struct hd_csv *csv = hd_csv_open(path, err);
    if (!csv) return NULL;
    struct hd_reader *r = hd_alloc(sizeof *r);
    r->path = hd_strdup(path);
    r->csv = csv;
    r->any_order = any_order;
    if (read_header(r, asked, err)) return r;
    hd_reader_close(r);
    return NULL;
}

/* A field that is wrong: its place, its column and what it holds. */
static int wrong(const struct hd_reader *r, const struct hd_csv_row *row,
                 enum hd_column column, const char *why, struct hd_err *err) {
    char excerpt[HD_EXCERPT_BYTES];
    const char *text = row->field[r->column[column]];
    if (*text == '\0')
        hd_fail(err, "%s:%ld: column '%s' is empty", r->path, row->line,
                r->format->column[column]);
    else
        hd_fail(err, "%s:%ld: column '%s': '%s' %s", r->path, row->line,
                r->format->column[column], hd_excerpt(text, excerpt), why);
    return -1;
}

/* The number of a name, -1 where there is none: no such column, an empty field. */
static int read_name(struct hd_reader *r, const struct hd_csv_row *row,
                     enum hd_column column, struct hd_intern *names, int32_t *number,
                     struct hd_err *err) {
    int at = r->column[column];
    *number = -1;
    if (at < 0) return 1;
    const char *name = row->field[at];
    size_t bytes = row->length[at];
    const char *why = hd_field_name(&name, &bytes);
    if (why) return wrong(r, row, column, why, err);
    if (bytes) *number = hd_intern(names, name, bytes);
    return 1;
}

static int read_model(struct hd_reader *r, const struct hd_csv_row *row,
                      struct hd_row *out, struct hd_err *err) {
    if (read_name(r, row, HD_COLUMN_MODEL, &r->models, &out->model, err) < 0) return -1;
    if (out->model >= 0) return 1;
    if (r->column[HD_COLUMN_MODEL] < 0) {
        out->model = 0;
        return 1;
    }
    hd_fail(err, "%s:%ld: column '%s' is empty", r->path, row->line,
            r->format->column[HD_COLUMN_MODEL]);
    return -1;
}

static int read_deadline(struct hd_reader *r, const struct hd_csv_row *row,
                         struct hd_row *out, struct hd_err *err) {
    int column = r->column[HD_COLUMN_DEADLINE];
    out->deadline = -1;
    if (column < 0 || !*row->field[column]) return 1;
    struct hd_stamp span;
    const char *why = hd_stamp_seconds(row->field[column], &span);
    if (!why && span.at > HD_TICK_SPAN_MAX) why = "is longer than a run can be";
    if (why) return wrong(r, row, HD_COLUMN_DEADLINE, why, err);
    out->deadline = span.at;
    return 1;
}

static int read_prefix(struct hd_reader *r, const struct hd_csv_row *row,
                       struct hd_row *out, struct hd_err *err) {
    int column = r->column[HD_COLUMN_PREFIX];
    r->blocks.count = 0;
    const char *why =
        column < 0 ? NULL : hd_field_blocks(row->field[column], &r->blocks);
    if (why) return wrong(r, row, HD_COLUMN_PREFIX, why, err);
    out->prefix = r->blocks.id;
    out->prefix_blocks = r->blocks.count;
    int full = out->input_tokens / r->prefix_block_tokens;
    int most = full + (out->input_tokens % r->prefix_block_tokens != 0);
    if (out->prefix_blocks <= most) return 1;
    hd_fail(err, "%s:%ld: column '%s': %d blocks of %d tokens; its %d tokens fill %d",
            r->path, row->line, r->format->column[HD_COLUMN_PREFIX], out->prefix_blocks,
            r->prefix_block_tokens, out->input_tokens, most);
    return -1;
}

static int read_optional(struct hd_reader *r, const struct hd_csv_row *row,
                         struct hd_row *out, struct hd_err *err) {
    if (read_name(r, row, HD_COLUMN_SESSION, &r->sessions, &out->session, err) < 0 ||
        read_name(r, row, HD_COLUMN_CLASS, &r->classes, &out->class_, err) < 0 ||
        read_deadline(r, row, out, err) < 0)
        return -1;
    return read_prefix(r, row, out, err);
}

static int read_time(struct hd_reader *r, const struct hd_csv_row *row,
                     struct hd_row *out, struct hd_err *err) {
    struct hd_stamp stamp;
    const char *why = r->format->stamp(row->field[r->column[HD_COLUMN_TIME]], &stamp);
    if (why) return wrong(r, row, HD_COLUMN_TIME, why, err);
    if (!r->begun) {
        r->zoned = stamp.zoned;
        r->zone_minutes = stamp.zone_minutes;
    } else if (stamp.zoned != r->zoned) {
        return wrong(r, row, HD_COLUMN_TIME,
                     r->zoned ? "has no time zone, but the rows above have one"
                              : "has a time zone, but the rows above have none",
                     err);
    }
    out->at = stamp.at +
              (hd_wide)(r->zone_minutes - stamp.zone_minutes) * 60 * HD_TICKS_PER_S;
    if (r->begun && out->at < r->last && !r->any_order) {
        char now[HD_CLOCK_TEXT_BYTES], before[HD_CLOCK_TEXT_BYTES];
        hd_fail(err,
                "%s:%ld: time runs backwards: %s after %s (line %ld); "
                "--sort puts rows in order",
                r->path, row->line, hd_clock_text(r->format->clock, out->at, now),
                hd_clock_text(r->format->clock, r->last, before), r->last_line);
        return -1;
    }
    r->begun = true;
    r->last = out->at;
    r->last_line = row->line;
    return 1;
}

int hd_reader_next(struct hd_reader *r, struct hd_row *out, struct hd_err *err) {
    struct hd_csv_row row;
    int got = hd_csv_next(r->csv, &row, err);
    if (got == 0 && !r->begun) {
        hd_fail(err, "%s: has a header but no request", r->path);
        return -1;
    }
    if (got <= 0) return got;
    if (row.count != r->columns) {
        hd_fail(err, "%s:%ld: %d field%s; the header has %d", r->path, row.line,
                row.count, row.count == 1 ? "" : "s", r->columns);
        return -1;
    }
    out->line = row.line;
    const char *why;
    if ((why = hd_field_tokens(row.field[r->column[HD_COLUMN_INPUT]],
                               &out->input_tokens)))
        return wrong(r, &row, HD_COLUMN_INPUT, why, err);
    if ((why = hd_field_tokens(row.field[r->column[HD_COLUMN_OUTPUT]],
                               &out->output_tokens)))
        return wrong(r, &row, HD_COLUMN_OUTPUT, why, err);
    if (read_model(r, &row, out, err) < 0 || read_optional(r, &row, out, err) < 0)
        return -1;
    return read_time(r, &row, out, err);
}

int hd_reader_models(const struct hd_reader *r) {
    return r->models.names;
}

const char *hd_reader_model_name(const struct hd_reader *r, int model) {
    return r->models.name[model];
}

int hd_reader_classes(const struct hd_reader *r) {
    return r->classes.names;
}

const char *hd_reader_class_name(const struct hd_reader *r, int class_) {
    return r->classes.name[class_];
}

char *const *hd_reader_class_names(const struct hd_reader *r) {
    return r->classes.name;
}

char *const *hd_reader_session_names(const struct hd_reader *r) {
    return r->sessions.name;
}

int hd_reader_prefix_block_tokens(const struct hd_reader *r) {
    return r->prefix_block_tokens;
}

const char *hd_reader_format(const struct hd_reader *r) {
    return r->format->name;
}

enum hd_clock hd_reader_clock(const struct hd_reader *r) {
    return r->format->clock;
}

const char *hd_reader_unused(const struct hd_reader *r) {
    return r->unused;
}

const char *hd_reader_note(const struct hd_reader *r, const char *key) {
    return hd_note(r->note, r->notes, key);
}

char *const *hd_reader_notes(const struct hd_reader *r, int *count) {
    *count = r->notes;
    return r->note;
}

void hd_reader_close(struct hd_reader *r) {
    if (!r) return;
    hd_csv_close(r->csv);
    hd_intern_free(&r->models);
    hd_intern_free(&r->sessions);
    hd_intern_free(&r->classes);
    free(r->blocks.id);
    for (int i = 0; i < r->notes; i++) free(r->note[i]);
    free(r->note);
    free(r->unused);
    free(r->path);
    free(r);
}
