/* A trace as hotdesk's own CSV: format native, or dated where its clock has dates. */
#ifndef HD_TRACE_CSV_WRITE_H
#define HD_TRACE_CSV_WRITE_H

#include <stdio.h>

#include "trace/trace.h"

/* Writes notes, header and rows with every optional column that a row has something
 * for. Times and deadlines are decimals that read back to the same tick, all of a
 * column with as many digits as its most particular one needs. False if the stream
 * failed. */
bool hd_csv_trace_write(const struct hd_trace *, FILE *);

#endif
