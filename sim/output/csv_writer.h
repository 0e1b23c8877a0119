/* Rows of a CSV file: quoted as RFC 4180 asks, empty where a value is absent,
 * numbers as the shortest decimals that read back the same, lines end in LF. */
#ifndef HD_OUTPUT_CSV_WRITER_H
#define HD_OUTPUT_CSV_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct hd_csv_writer {
    FILE *file;
    bool inside; /* a row has begun */
};

void hd_csv_start(struct hd_csv_writer *, FILE *);
void hd_csv_text(struct hd_csv_writer *, const char *text); /* NULL: absent */
void hd_csv_int(struct hd_csv_writer *, int64_t);
void hd_csv_real(struct hd_csv_writer *, double); /* NaN, infinity: absent */
void hd_csv_empty(struct hd_csv_writer *);
void hd_csv_end_row(struct hd_csv_writer *);

/* False if the stream had an error. */
bool hd_csv_finish(struct hd_csv_writer *);

#endif
