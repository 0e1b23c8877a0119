/* A table of fields says once what a result's figures are called, in which unit,
 * and what they mean. JSON, CSV, help and look-ups by name all come from it, so
 * they cannot disagree.
 *
 * A field lies at an offset in a plain struct. Its name is its path in JSON, with
 * dots between levels ("ttft.p99_s"); in CSV the dots are underscores. */
#ifndef HD_OUTPUT_FIELDS_H
#define HD_OUTPUT_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "output/csv_writer.h"
#include "output/json.h"

#define HD_INT_ABSENT INT64_MIN

enum hd_field_type {
    HD_FIELD_INT,   /* int64_t; HD_INT_ABSENT: absent */
    HD_FIELD_REAL,  /* double; NaN or infinite: absent */
    HD_FIELD_TEXT,  /* const char *; NULL: absent */
    HD_FIELD_BOOL,  /* int: 0, 1, or -1: absent */
    HD_FIELD_INTS,  /* struct hd_int_list; in CSV one field, blanks between */
    HD_FIELD_TEXTS, /* struct hd_text_list; in CSV one field, blanks between */
    HD_FIELD_RANGE, /* struct hd_range; in JSON [from, to], in CSV from-to */
    HD_FIELD_LATER  /* reserved: always absent */
};

struct hd_int_list {
    int count;
    const int *item;
};
struct hd_text_list {
    int count;
    char *const *item;
};
struct hd_range {
    double from, to; /* NaN: absent */
};

struct hd_field {
    const char *name;
    enum hd_field_type type;
    const char *unit; /* "s", "fraction", "1/s", "bytes", ...; "" for none */
    size_t offset;
    const char *about; /* one sentence */
};

struct hd_field_set {
    const char *file;  /* of which this is the schema: "compare.csv" */
    const char *about; /* what one record of it is */
    const struct hd_field *field;
    int fields;
};

/* The fields as members of the object that is open, groups as nested objects in
 * the order of their first field. */
void hd_fields_json(const struct hd_field_set *, const void *record, struct hd_json *);

void hd_fields_csv_header(const struct hd_field_set *, struct hd_csv_writer *);
void hd_fields_csv_row(const struct hd_field_set *, const void *record,
                       struct hd_csv_writer *);

/* The field of that JSON path, of that CSV name, or either without its unit suffix
 * ("ttft.p99" for "ttft.p99_s"); NULL if there is none. */
const struct hd_field *hd_fields_find(const struct hd_field_set *, const char *key);

/* A numeric field's value, booleans as 0 and 1; NaN when absent or not a number. */
double hd_field_number(const struct hd_field *, const void *record);

/* For people: name, unit and sentence of each. */
void hd_fields_help(const struct hd_field_set *, FILE *);

#endif
