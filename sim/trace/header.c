/* Recognising a format by its column names, and saying well what is missing. */
#include "trace/header.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "trace/reader.h"

static const struct hd_format *const formats[] = {
    &hd_format_native,  &hd_format_dated,        &hd_format_azure,
    &hd_format_aegaeon, &hd_format_burstgpt,     &hd_format_vidur,
    &hd_format_arena,   &hd_format_splitwise,    &hd_format_fineserve,
    &hd_format_gentd26, &hd_format_functions2021};
enum { FORMATS = sizeof formats / sizeof *formats };

const char *hd_reader_formats(void) {
    return "native, dated, azure, aegaeon, burstgpt, vidur, arena, splitwise, "
           "fineserve, gentd26, functions2021, functions2019, servegen, mooncake, "
           "qwen-bailian";
}

const struct hd_format *hd_format_named(const char *name, struct hd_err *err) {
    for (int i = 0; i < FORMATS; i++)
        if (strcmp(name, formats[i]->name) == 0) return formats[i];
    hd_fail(err, "--format %.60s: no such format; expected one of %s", name,
            hd_reader_formats());
    return NULL;
}

char *hd_excerpt(const char *text, char excerpt[HD_EXCERPT_BYTES]) {
    size_t n = 0;
    for (; text[n] && n < 40; n++)
        excerpt[n] = isprint((unsigned char)text[n]) ? text[n] : '?';
    strcpy(excerpt + n, text[n] ? "..." : "");
    return excerpt;
}

/* "a,b,c" of a format, for messages. */
static char *column_list(const struct hd_format *format, char *list, size_t bytes) {
    static const enum hd_column order[] = {HD_COLUMN_TIME,   HD_COLUMN_MODEL,
                                           HD_COLUMN_PART,   HD_COLUMN_INPUT,
                                           HD_COLUMN_OUTPUT, HD_COLUMN_DURATION};
    size_t used = 0;
    list[0] = '\0';
    for (int i = 0; i < HD_COLUMNS_ASKED; i++) {
        const char *name = format->column[order[i]];
        if (name && used < bytes)
            used += (size_t)snprintf(list + used, bytes - used, "%s%s", used ? "," : "",
                                     name);
    }
    return list;
}

static int columns_present(const struct hd_csv_row *header,
                           const struct hd_format *format, const char **missing) {
    int present = 0;
    *missing = NULL;
    for (int i = HD_COLUMNS_ASKED - 1; i >= 0; i--) {
        if (!format->column[i]) continue;
        if (hd_csv_column(header, format->column[i]) >= 0)
            present++;
        else
            *missing = format->column[i];
    }
    return present;
}

static void unknown_header(const char *path, const struct hd_csv_row *header,
                           struct hd_err *err) {
    char known[720], list[160], first[HD_EXCERPT_BYTES];
    int used = 0;
    for (int i = 0; i < FORMATS && used < (int)sizeof known; i++)
        used += snprintf(known + used, sizeof known - (size_t)used, "%s%s (%s)",
                         i ? ", " : "", formats[i]->name,
                         column_list(formats[i], list, sizeof list));
    hd_fail(err, "%.200s:%ld: no known header (it begins '%s'); known formats: %s",
            path, header->line, hd_excerpt(header->field[0], first), known);
}

static bool named_twice(const struct hd_csv_row *header, int column) {
    struct hd_csv_row rest = *header;
    rest.field += column + 1;
    rest.length += column + 1;
    rest.count -= column + 1;
    char name[64];
    snprintf(name, sizeof name, "%s", header->field[column]);
    return strlen(header->field[column]) < sizeof name &&
           hd_csv_column(&rest, name) >= 0;
}

const struct hd_format *hd_format_of_header(const char *path,
                                            const struct hd_csv_row *header,
                                            const struct hd_format *asked,
                                            int column[HD_COLUMNS],
                                            struct hd_err *err) {
    const struct hd_format *best = asked;
    const char *missing, *best_missing = NULL;
    int most = 0;
    for (int i = 0; i < FORMATS && !asked; i++) {
        int present = columns_present(header, formats[i], &missing);
        if (present > most ||
            (present && present == most && !missing && best_missing)) {
            most = present;
            best = formats[i];
            best_missing = missing;
        }
    }
    if (!best) {
        unknown_header(path, header, err);
        return NULL;
    }
    columns_present(header, best, &missing);
    if (missing) {
        char list[160];
        hd_fail(err, "%s:%ld: no column '%s'; %s format %s, whose columns are %s", path,
                header->line, missing, asked ? "it was read as" : "it looks most like",
                best->name, column_list(best, list, sizeof list));
        return NULL;
    }
    for (int i = 0; i < HD_COLUMNS; i++) {
        column[i] = best->column[i] ? hd_csv_column(header, best->column[i]) : -1;
        if (column[i] >= 0 && named_twice(header, column[i])) {
            hd_fail(err, "%s:%ld: two columns are named '%s'", path, header->line,
                    best->column[i]);
            return NULL;
        }
    }
    return best;
}
