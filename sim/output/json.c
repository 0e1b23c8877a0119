/* Streaming JSON writer. */
#include "output/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void hd_shortest(double x, char text[HD_REAL_TEXT_BYTES]) {
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, HD_REAL_TEXT_BYTES, "%.*g", digits, x);
        if (strtod(text, NULL) == x) return;
    }
}

static void put_string(FILE *file, const char *text) {
    putc('"', file);
    while (*text) {
        int bytes = hd_utf8_bytes(text);
        unsigned char c = (unsigned char)*text;
        if (bytes == 0)
            fputs("\\ufffd", file);
        else if (c == '"' || c == '\\')
            fprintf(file, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", file);
        else if (c == '\t')
            fputs("\\t", file);
        else if (c < 0x20 || c == 0x7F)
            fprintf(file, "\\u%04x", c);
        else
            fwrite(text, 1, (size_t)bytes, file);
        text += bytes ? bytes : 1;
    }
    putc('"', file);
}

static void indent(struct hd_json *j) {
    putc('\n', j->file);
    for (int i = 0; i < j->depth; i++) fputs("  ", j->file);
}

/* What comes before a value: comma, line break, key. */
static void lead(struct hd_json *j, const char *key) {
    if (j->depth == 0) {
        assert(!key);
        return;
    }
    bool array = j->level[j->depth - 1].array;
    assert(array ? !key : key != NULL);
    if (j->level[j->depth - 1].any) putc(',', j->file);
    if (!j->level[j->depth - 1].inline_)
        indent(j);
    else if (j->level[j->depth - 1].any)
        putc(' ', j->file);
    j->level[j->depth - 1].any = true;
    if (array) return;
    put_string(j->file, key);
    fputs(": ", j->file);
}

static void open_level(struct hd_json *j, const char *key, bool array, bool inline_) {
    lead(j, key);
    assert(j->depth < HD_JSON_DEPTH_MAX);
    bool inherited = j->depth > 0 && j->level[j->depth - 1].inline_;
    putc(array ? '[' : '{', j->file);
    j->level[j->depth].array = array;
    j->level[j->depth].any = false;
    j->level[j->depth++].inline_ = inline_ || inherited;
}

void hd_json_start(struct hd_json *j, FILE *file) {
    *j = (struct hd_json){.file = file};
}

void hd_json_object(struct hd_json *j, const char *key) {
    open_level(j, key, false, false);
}

void hd_json_array(struct hd_json *j, const char *key) {
    open_level(j, key, true, false);
}

void hd_json_inline_object(struct hd_json *j, const char *key) {
    open_level(j, key, false, true);
}

void hd_json_inline_array(struct hd_json *j, const char *key) {
    open_level(j, key, true, true);
}

void hd_json_close(struct hd_json *j) {
    assert(j->depth > 0);
    j->depth--;
    if (j->level[j->depth].any && !j->level[j->depth].inline_) indent(j);
    putc(j->level[j->depth].array ? ']' : '}', j->file);
}

void hd_json_text(struct hd_json *j, const char *key, const char *text) {
    if (!text) {
        hd_json_null(j, key);
        return;
    }
    lead(j, key);
    put_string(j->file, text);
}

void hd_json_int(struct hd_json *j, const char *key, int64_t value) {
    lead(j, key);
    fprintf(j->file, "%" PRId64, value);
}

void hd_json_real(struct hd_json *j, const char *key, double value) {
    if (!isfinite(value)) {
        hd_json_null(j, key);
        return;
    }
    char text[HD_REAL_TEXT_BYTES];
    hd_shortest(value, text);
    lead(j, key);
    fputs(text, j->file);
}

void hd_json_bool(struct hd_json *j, const char *key, bool value) {
    lead(j, key);
    fputs(value ? "true" : "false", j->file);
}

void hd_json_null(struct hd_json *j, const char *key) {
    lead(j, key);
    fputs("null", j->file);
}

bool hd_json_finish(struct hd_json *j) {
    assert(j->depth == 0);
    putc('\n', j->file);
    return fflush(j->file) == 0 && !ferror(j->file);
}
