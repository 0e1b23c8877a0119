/* Rows of a CSV file, one at a time, on libcsv. Memory does not depend on the
 * file's length. Line ends LF, CRLF or CR, a missing final newline, a UTF-8 BOM and
 * quoted fields are all fine; blank lines are passed over. A file compressed with gzip
 * or zstd is read as what it holds. */
#ifndef HD_BASE_CSV_H
#define HD_BASE_CSV_H

#include <stddef.h>

#include "base/err.h"

struct hd_csv;

struct hd_csv_row {
    long line;            /* 1-based line of the file on which the row starts */
    int count;            /* fields */
    char *const *field;   /* NUL-terminated; valid until the next call */
    const size_t *length; /* bytes of each field */
};

/* Opens a file. NULL on failure, with "PATH: why" in err. */
struct hd_csv *hd_csv_open(const char *path, struct hd_err *err);

/* 1: a row; 0: end of file; -1: error, with "PATH:LINE: what" in err (a field
 * with a NUL byte or of more than 1 MiB, a row of more than 65536 fields or 16 MiB, a
 * quote that never closes, a read error, a compressed file that is damaged or cut
 * off). */
int hd_csv_next(struct hd_csv *csv, struct hd_csv_row *row, struct hd_err *err);

/* Once hd_csv_next has returned -1: whether only the line that is named was at fault (a
 * quote inside a field without quotes), so that the next call goes on behind it. */
bool hd_csv_went_on(const struct hd_csv *csv);

/* The column of that name in a header row, ignoring case and outer blanks, or -1. */
int hd_csv_column(const struct hd_csv_row *header, const char *name);

/* Once hd_csv_next has returned 0: whether the last line lacks its end, as where a file
 * was cut off. */
bool hd_csv_cut_off(const struct hd_csv *csv);

void hd_csv_close(struct hd_csv *csv);

#endif
