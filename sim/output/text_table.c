/* Lays cells out in columns as wide as their widest cell. */
#include "output/text_table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { GAP = 2 };

struct column {
    char *title;
    bool right;
};

struct hd_text_table {
    struct column *column;
    int columns, column_capacity;
    char **cell;
    int cells, cell_capacity;
};

struct hd_text_table *hd_text_table_new(void) {
    return hd_alloc(sizeof(struct hd_text_table));
}

void hd_text_table_free(struct hd_text_table *t) {
    if (!t) return;
    for (int i = 0; i < t->columns; i++) free(t->column[i].title);
    for (int i = 0; i < t->cells; i++) free(t->cell[i]);
    free(t->column);
    free(t->cell);
    free(t);
}

void hd_text_table_column(struct hd_text_table *t, const char *title, bool right) {
    t->column =
        hd_grow(t->column, &t->column_capacity, t->columns + 1, sizeof *t->column);
    t->column[t->columns++] = (struct column){hd_strdup(title), right};
}

void hd_text_table_cell(struct hd_text_table *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->cell = hd_grow(t->cell, &t->cell_capacity, t->cells + 1, sizeof *t->cell);
    t->cell[t->cells++] = hd_strdup(text);
}

/* Columns on a screen of the first `bytes` bytes: continuation bytes of UTF-8 take
 * none. */
static int seen_width(const char *text, size_t bytes) {
    int width = 0;
    for (size_t i = 0; i < bytes; i++) width += ((unsigned char)text[i] & 0xC0) != 0x80;
    return width;
}

/* Line `line` of a title, bottom-aligned in `lines` lines. */
static const char *title_line(const char *title, int line, int lines, size_t *bytes) {
    int own = 1;
    for (const char *s = title; *s; s++) own += *s == '\n';
    line -= lines - own;
    if (line < 0) {
        *bytes = 0;
        return "";
    }
    while (line--) title = strchr(title, '\n') + 1;
    *bytes = strcspn(title, "\n");
    return title;
}

static int column_width(const struct hd_text_table *t, int c) {
    int width = 0;
    for (const char *s = t->column[c].title;; s++) {
        size_t bytes = strcspn(s, "\n");
        int w = seen_width(s, bytes);
        if (w > width) width = w;
        s += bytes;
        if (!*s) break;
    }
    for (int i = c; i < t->cells; i += t->columns) {
        int w = seen_width(t->cell[i], strlen(t->cell[i]));
        if (w > width) width = w;
    }
    return width;
}

/* A row's text is collected first, so that no line ends in blanks. */
struct line {
    int pending;
    FILE *out;
};

static void put(struct line *l, const char *text, size_t bytes, int width, bool right) {
    int blank = width - seen_width(text, bytes);
    if (right) l->pending += blank;
    if (bytes) {
        fprintf(l->out, "%*s", l->pending, "");
        fwrite(text, 1, bytes, l->out);
        l->pending = 0;
    }
    if (!right) l->pending += blank;
}

static void print_columns(const struct hd_text_table *t, const int *width, int from,
                          int to, FILE *out) {
    int lines = 1;
    for (int c = 0; c < t->columns; c++) {
        int own = 1;
        for (const char *s = t->column[c].title; *s; s++) own += *s == '\n';
        if (own > lines) lines = own;
    }
    int rows = t->columns ? t->cells / t->columns : 0;
    for (int row = -lines; row < rows; row++) {
        struct line l = {0, out};
        for (int c = 0; c < to; c = c == 0 && from > 0 ? from : c + 1) {
            const char *text;
            size_t bytes;
            if (row < 0) {
                text = title_line(t->column[c].title, row + lines, lines, &bytes);
            } else {
                text = t->cell[row * t->columns + c];
                bytes = strlen(text);
            }
            if (c) l.pending += GAP;
            put(&l, text, bytes, width[c], t->column[c].right);
        }
        putc('\n', out);
    }
}

void hd_text_table_print(const struct hd_text_table *t, int limit, FILE *out) {
    if (t->columns == 0) return;
    int *width = hd_alloc((size_t)t->columns * sizeof *width);
    for (int c = 0; c < t->columns; c++) width[c] = column_width(t, c);
    int from = 0;
    while (from < t->columns) {
        int total = width[0], to = from ? from : 1;
        while (to < t->columns &&
               (!limit || total + GAP + width[to] <= limit || to == (from ? from : 1)))
            total += GAP + width[to++];
        if (from) putc('\n', out);
        print_columns(t, width, from, to, out);
        from = to;
    }
    free(width);
}
