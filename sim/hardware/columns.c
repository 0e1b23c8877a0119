/* Fields of a row, as their columns say. */
#include "hardware/columns.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

static bool set_whole(const char *text, const struct hd_column *c, int *to,
                      struct hd_err *why) {
    long value;
    if (!hd_parse_integer(text, c->unit == 0 ? 0 : 1, 1 << 30, &value, why))
        return false;
    *to = (int)value;
    return true;
}

static bool set_word(const char *text, const char *words, int *to, struct hd_err *why) {
    size_t length = strlen(text);
    int n = 0;
    for (const char *w = words; *w; n++) {
        size_t word = strcspn(w, " ");
        if (word == length && strncmp(w, text, length) == 0) {
            *to = n;
            return true;
        }
        w += word + strspn(w + word, " ");
    }
    return hd_fail(why, "'%s'; expected one of: %s", text, words);
}

static bool set_field(void *spec, const struct hd_column *c, const char *text,
                      struct hd_err *why) {
    void *to = (char *)spec + c->offset;
    double number;
    switch (c->kind) {
    case HD_COLUMN_TEXT:
        *(const char **)to = hd_strdup(text);
        return true;
    case HD_COLUMN_WHOLE:
        return set_whole(text, c, to, why);
    case HD_COLUMN_RATE:
        if (!hd_parse_number(text, &number, why)) return false;
        if (number < 0) return hd_fail(why, "%s is below 0", text);
        *(double *)to = number * c->unit;
        return true;
    case HD_COLUMN_FLAG:
        *(bool *)to = strcmp(text, "yes") == 0;
        if (*(bool *)to || strcmp(text, "no") == 0) return true;
        return hd_fail(why, "'%s'; expected yes or no", text);
    case HD_COLUMN_WORD:
        return set_word(text, c->words, to, why);
    }
    return false;
}

bool hd_columns_find(const struct hd_csv_row *row, const struct hd_column *columns,
                     int count, int *at, struct hd_err *why) {
    for (int n = 0; n < count; n++) {
        at[n] = hd_csv_column(row, columns[n].name);
        if (at[n] < 0) return hd_fail(why, "no column '%s'", columns[n].name);
    }
    return true;
}

bool hd_columns_read(const struct hd_csv_row *row, const struct hd_column *columns,
                     int count, const int *at, void *spec, struct hd_err *why) {
    for (int n = 0; n < count; n++) {
        if (at[n] >= row->count)
            return hd_fail(why, "%d fields; expected one for '%s'", row->count,
                           columns[n].name);
        struct hd_err field = {0};
        if (!set_field(spec, &columns[n], row->field[at[n]], &field))
            return hd_fail(why, "%s: %s", columns[n].name, field.text);
    }
    return true;
}

void hd_columns_free(const void *spec, const struct hd_column *columns, int count) {
    for (int n = 0; n < count; n++)
        if (columns[n].kind == HD_COLUMN_TEXT)
            free(*(char *const *)((const char *)spec + columns[n].offset));
}
