/* Columns of a catalogue's file, and where each goes in the struct of a row. */
#ifndef HD_HARDWARE_COLUMNS_H
#define HD_HARDWARE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/csv.h"
#include "base/err.h"

enum hd_column_kind {
    HD_COLUMN_TEXT,  /* const char *, allocated */
    HD_COLUMN_WHOLE, /* int of at least 1; with unit 0, of at least 0 */
    HD_COLUMN_RATE,  /* double, not below 0, times `unit` */
    HD_COLUMN_FLAG,  /* bool: yes or no */
    HD_COLUMN_WORD   /* an enum, by the place of the word in `words` */
};

struct hd_column {
    const char *name;
    enum hd_column_kind kind;
    size_t offset;
    double unit;
    const char *words; /* separated by blanks */
};

/* Where each column stands in the header. False: one is not there. */
bool hd_columns_find(const struct hd_csv_row *, const struct hd_column *, int count,
                     int *at, struct hd_err *why);
/* Fills the struct of a row. False: a field is missing, or not what its column holds;
 * texts that were set by then are to be freed all the same. */
bool hd_columns_read(const struct hd_csv_row *, const struct hd_column *, int count,
                     const int *at, void *spec, struct hd_err *why);
void hd_columns_free(const void *spec, const struct hd_column *, int count);

#endif
