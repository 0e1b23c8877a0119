/* A whole text file in memory. */
#ifndef HD_BASE_TEXT_H
#define HD_BASE_TEXT_H

#include <stddef.h>

#include "base/err.h"

/* The file's bytes with a NUL behind them, to be freed by the caller; NULL with
 * "PATH: why" in err if it cannot be read or has more than `most` bytes. */
char *hd_read_text(const char *path, size_t most, size_t *length, struct hd_err *);

#endif
