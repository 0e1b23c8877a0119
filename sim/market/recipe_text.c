/* Writing a table back. */
#include "market/recipe_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void write_number(FILE *out, double number) {
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    fputs(text, out);
}

static void write_text(FILE *out, const char *text) {
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

static void write_value(FILE *out, const struct hd_value *v) {
    const char *slash, *comma = "";
    switch (v->type) {
    case HD_VALUE_BOOLEAN:
        fputs(v->boolean ? "true" : "false", out);
        break;
    case HD_VALUE_NUMBER:
        write_number(out, v->number);
        break;
    case HD_VALUE_TEXT:
        write_text(out, v->text);
        break;
    case HD_VALUE_FILE:
        slash = strrchr(v->text, '/');
        fprintf(out, "%s ", v->call);
        write_text(out, slash ? slash + 1 : v->text);
        break;
    case HD_VALUE_TABLE:
        fputc('{', out);
        for (int i = 0; i < v->items; i++, comma = ", ") {
            fputs(comma, out);
            write_value(out, &v->item[i]);
        }
        for (int i = 0; i < v->fields; i++, comma = ", ") {
            fprintf(out, "%s%s = ", comma, v->field[i].key);
            write_value(out, &v->field[i]);
        }
        fputc('}', out);
    }
}

char *hd_recipe_text(const struct hd_value *root) {
    char *text;
    size_t bytes;
    FILE *out = hd_text_stream(&text, &bytes);
    write_value(out, root);
    hd_text_stream_end(out, &text);
    return text;
}
