/* A table for people: aligned columns, no escape codes. */
#ifndef HD_OUTPUT_TEXT_TABLE_H
#define HD_OUTPUT_TEXT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

struct hd_text_table;

struct hd_text_table *hd_text_table_new(void);
void hd_text_table_free(struct hd_text_table *);

/* Columns come before cells. A title may have several lines ('\n'); it is aligned
 * as its column is: left, or right as numbers are. */
void hd_text_table_column(struct hd_text_table *, const char *title, bool right);

/* The next cell, row by row; a copy is kept. */
void hd_text_table_cell(struct hd_text_table *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints. A table wider than `width` (0: no limit) is broken into several, one
 * below the other, each with the first column. */
void hd_text_table_print(const struct hd_text_table *, int width, FILE *);

#endif
