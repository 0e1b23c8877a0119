/* The file of rows: grows a whole row at a time, and goes on where it was left. */
#ifndef HOTDESK_CUDA_RESULT_FILE_H
#define HOTDESK_CUDA_RESULT_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "record.h"

struct result_file;

/* Opens it, or begins it with the header line. A last line without its end (a session
 * that was killed while it wrote) is removed; *cut then says how many bytes it had.
 * NULL with "PATH: line N: why" in err: another header, a row with too few columns, two
 * rows with one key, or rows of this GPU under another driver. One process at a time.
 */
struct result_file *result_file_open(const char *path, const char *gpu,
                                     const char *driver, long *cut, struct hd_err *);
void result_file_close(struct result_file *);

/* Reads what another process that shares the file has added, and has ended since; what
 * it left half written is removed, *cut bytes. */
bool result_file_catch_up(struct result_file *, long *cut, struct hd_err *);

bool result_file_has(const struct result_file *, const struct shape *);
long result_file_rows(const struct result_file *);

/* Adds the row, whole or not at all. */
bool result_file_add(struct result_file *, const struct record *, struct hd_err *);

#endif
