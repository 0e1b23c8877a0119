/* Binary traces: a file whose rows are struct hd_trace_row as they lie in memory, so
 * that they are mapped and not read. All numbers are little-endian.
 *
 *     head       64 bytes: magic, version, number of sections, bytes of the file,
 * SHA-256 of all that follows the head, CRC-32 of head and table table      24 bytes a
 * section: kind, CRC-32, offset, bytes sections   from multiples of 64 on: notes and
 * names (JSON), rows, CRC-32 of each 65536 rows, and those arrays of struct
 * hd_trace_extra that there are
 *
 * Opening a file checks every CRC-32 and that each row is one that a reader of text
 * could have handed out, in one pass; a cut reads and checks its own rows alone. The
 * SHA-256 stands for the file in results; hd_binary_verify computes it anew. */
#ifndef HD_TRACE_BINARY_H
#define HD_TRACE_BINARY_H

#include <stdio.h>

#include "trace/trace.h"

/* Whether a file begins with the magic; false when it cannot be read. */
bool hd_binary_recognise(const char *path);

/* As hd_trace_load. Rows lie in a read-only mapping where nothing is cut. */
struct hd_trace *hd_binary_load(const char *path, const struct hd_trace_options *,
                                struct hd_err *);

/* Whether its SHA-256 is still that of its content; "PATH: why" when not. */
bool hd_binary_verify(const char *path, struct hd_err *);

/* Writes a trace. The same trace gives the same bytes. False if the stream failed. */
bool hd_binary_write(const struct hd_trace *, FILE *);

/* Gives back what points into the mapping. Internal to this room. */
void hd_binary_unmap(struct hd_trace *);

#endif
