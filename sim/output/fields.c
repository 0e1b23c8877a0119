/* Records as JSON, CSV and help, from one table of fields. */
#include "output/fields.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const void *at(const struct hd_field *f, const void *record) {
    return (const char *)record + f->offset;
}

static void put_json(struct hd_json *j, const char *key, const struct hd_field *f,
                     const void *record) {
    const void *p = at(f, record);
    switch (f->type) {
    case HD_FIELD_INT:
        if (*(const int64_t *)p == HD_INT_ABSENT)
            hd_json_null(j, key);
        else
            hd_json_int(j, key, *(const int64_t *)p);
        return;
    case HD_FIELD_REAL:
        hd_json_real(j, key, *(const double *)p);
        return;
    case HD_FIELD_TEXT:
        hd_json_text(j, key, *(const char *const *)p);
        return;
    case HD_FIELD_BOOL:
        if (*(const int *)p < 0)
            hd_json_null(j, key);
        else
            hd_json_bool(j, key, *(const int *)p);
        return;
    case HD_FIELD_INTS: {
        const struct hd_int_list *list = p;
        hd_json_inline_array(j, key);
        for (int i = 0; i < list->count; i++) hd_json_int(j, NULL, list->item[i]);
        hd_json_close(j);
        return;
    }
    case HD_FIELD_TEXTS: {
        const struct hd_text_list *list = p;
        hd_json_inline_array(j, key);
        for (int i = 0; i < list->count; i++) hd_json_text(j, NULL, list->item[i]);
        hd_json_close(j);
        return;
    }
    case HD_FIELD_RANGE: {
        const struct hd_range *range = p;
        if (!isfinite(range->from) || !isfinite(range->to)) {
            hd_json_null(j, key);
            return;
        }
        hd_json_inline_array(j, key);
        hd_json_real(j, NULL, range->from);
        hd_json_real(j, NULL, range->to);
        hd_json_close(j);
        return;
    }
    case HD_FIELD_LATER:
        hd_json_null(j, key);
        return;
    }
}

/* Fields whose name starts with the first `prefix` bytes of `group`: the members
 * of one object. A group is written whole where its first field stands. */
static void put_group(const struct hd_field_set *set, const char *group, size_t prefix,
                      const void *record, struct hd_json *j) {
    for (int i = 0; i < set->fields; i++) {
        const char *name = set->field[i].name;
        if (strncmp(name, group, prefix) != 0) continue;
        const char *dot = strchr(name + prefix, '.');
        if (!dot) {
            put_json(j, name + prefix, &set->field[i], record);
            continue;
        }
        size_t inner = (size_t)(dot - name) + 1;
        bool first = true;
        for (int k = 0; k < i && first; k++)
            first = strncmp(set->field[k].name, name, inner) != 0;
        if (!first) continue;
        char key[64];
        assert(inner - prefix <= sizeof key);
        memcpy(key, name + prefix, inner - prefix - 1);
        key[inner - prefix - 1] = '\0';
        hd_json_object(j, key);
        put_group(set, name, inner, record, j);
        hd_json_close(j);
    }
}

void hd_fields_json(const struct hd_field_set *set, const void *record,
                    struct hd_json *j) {
    put_group(set, "", 0, record, j);
}

static void csv_name(const char *name, char *text, size_t bytes) {
    assert(strlen(name) < bytes);
    for (; *name; name++) *text++ = *name == '.' ? '_' : *name;
    *text = '\0';
}

void hd_fields_csv_header(const struct hd_field_set *set, struct hd_csv_writer *w) {
    char name[64];
    for (int i = 0; i < set->fields; i++) {
        csv_name(set->field[i].name, name, sizeof name);
        hd_csv_text(w, name);
    }
    hd_csv_end_row(w);
}

static void put_joined(struct hd_csv_writer *w, const struct hd_field *f,
                       const void *record) {
    char *text;
    size_t bytes;
    FILE *memory = hd_text_stream(&text, &bytes);
    if (f->type == HD_FIELD_INTS) {
        const struct hd_int_list *list = at(f, record);
        for (int i = 0; i < list->count; i++)
            fprintf(memory, "%s%d", i ? " " : "", list->item[i]);
    } else {
        const struct hd_text_list *list = at(f, record);
        for (int i = 0; i < list->count; i++)
            fprintf(memory, "%s%s", i ? " " : "", list->item[i]);
    }
    hd_text_stream_end(memory, &text);
    hd_csv_text(w, *text ? text : NULL);
    free(text);
}

static void put_csv(struct hd_csv_writer *w, const struct hd_field *f,
                    const void *record) {
    const void *p = at(f, record);
    switch (f->type) {
    case HD_FIELD_INT:
        if (*(const int64_t *)p == HD_INT_ABSENT)
            hd_csv_empty(w);
        else
            hd_csv_int(w, *(const int64_t *)p);
        return;
    case HD_FIELD_REAL:
        hd_csv_real(w, *(const double *)p);
        return;
    case HD_FIELD_TEXT:
        hd_csv_text(w, *(const char *const *)p);
        return;
    case HD_FIELD_BOOL:
        hd_csv_text(w, *(const int *)p < 0 ? NULL : *(const int *)p ? "yes" : "no");
        return;
    case HD_FIELD_INTS:
    case HD_FIELD_TEXTS:
        put_joined(w, f, record);
        return;
    case HD_FIELD_RANGE: {
        const struct hd_range *range = p;
        char from[HD_REAL_TEXT_BYTES], to[HD_REAL_TEXT_BYTES];
        char both[2 * HD_REAL_TEXT_BYTES + 1];
        if (!isfinite(range->from) || !isfinite(range->to)) {
            hd_csv_empty(w);
            return;
        }
        hd_shortest(range->from, from);
        hd_shortest(range->to, to);
        snprintf(both, sizeof both, "%s-%s", from, to);
        hd_csv_text(w, both);
        return;
    }
    case HD_FIELD_LATER:
        hd_csv_empty(w);
        return;
    }
}

void hd_fields_csv_row(const struct hd_field_set *set, const void *record,
                       struct hd_csv_writer *w) {
    for (int i = 0; i < set->fields; i++) put_csv(w, &set->field[i], record);
    hd_csv_end_row(w);
}

/* Does `name` equal key, or key and a unit suffix? */
static bool named(const char *name, const char *key) {
    static const char *const suffix[] = {"", "_s", "_bytes", "_per_s"};
    size_t length = strlen(key);
    if (strncmp(name, key, length) != 0) return false;
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++)
        if (strcmp(name + length, suffix[i]) == 0) return true;
    return false;
}

const struct hd_field *hd_fields_find(const struct hd_field_set *set, const char *key) {
    char flat[64];
    /* exact names first: "output_tokens" is not "output_tokens_per_s" */
    for (int i = 0; i < set->fields; i++) {
        csv_name(set->field[i].name, flat, sizeof flat);
        if (strcmp(set->field[i].name, key) == 0 || strcmp(flat, key) == 0)
            return &set->field[i];
    }
    for (int i = 0; i < set->fields; i++) {
        csv_name(set->field[i].name, flat, sizeof flat);
        if (named(set->field[i].name, key) || named(flat, key)) return &set->field[i];
    }
    return NULL;
}

double hd_field_number(const struct hd_field *f, const void *record) {
    const void *p = at(f, record);
    switch (f->type) {
    case HD_FIELD_INT:
        return *(const int64_t *)p == HD_INT_ABSENT ? NAN : (double)*(const int64_t *)p;
    case HD_FIELD_REAL:
        return isfinite(*(const double *)p) ? *(const double *)p : NAN;
    case HD_FIELD_BOOL:
        return *(const int *)p < 0 ? NAN : *(const int *)p;
    default:
        return NAN;
    }
}

void hd_fields_help(const struct hd_field_set *set, FILE *out) {
    int wide = 0, unit = 0;
    for (int i = 0; i < set->fields; i++) {
        int n = (int)strlen(set->field[i].name), u = (int)strlen(set->field[i].unit);
        if (n > wide) wide = n;
        if (u > unit) unit = u;
    }
    fprintf(out, "%s: %s\n", set->file, set->about);
    for (int i = 0; i < set->fields; i++)
        fprintf(out, "  %-*s  %-*s  %s\n", wide, set->field[i].name, unit,
                set->field[i].unit, set->field[i].about);
}
