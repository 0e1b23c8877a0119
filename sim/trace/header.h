/* Which format a header line is of. Internal to this room. */
#ifndef HD_TRACE_HEADER_H
#define HD_TRACE_HEADER_H

#include "base/csv.h"
#include "trace/format.h"

/* The format of that name; NULL with "--format NAME: ..." in err. */
const struct hd_format *hd_format_named(const char *name, struct hd_err *err);

/* Finds the format (asked: the one the user named, or NULL) and where its columns
 * are; -1 for those that are not there. NULL on failure. */
const struct hd_format *hd_format_of_header(const char *path,
                                            const struct hd_csv_row *header,
                                            const struct hd_format *asked,
                                            int column[HD_COLUMNS], struct hd_err *err);

/* Text of the file fit for a message: at most 40 bytes, printable ASCII. */
enum { HD_EXCERPT_BYTES = 44 };
char *hd_excerpt(const char *text, char excerpt[HD_EXCERPT_BYTES]);

#endif
