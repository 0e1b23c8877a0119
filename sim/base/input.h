/* The bytes of a file, front to back. A file compressed with gzip or zstd, by its first
 * bytes and whatever its name, is read as what it holds. */
#ifndef HD_BASE_INPUT_H
#define HD_BASE_INPUT_H

#include <stddef.h>

#include "base/err.h"

struct hd_input;

/* NULL on failure, with "PATH: why" in err. */
struct hd_input *hd_input_open(const char *path, struct hd_err *err);

/* Reads up to `most` bytes (above 0). More than 0: so many, as many as there are; 0:
 * the end; -1: what stopped it is in *why: a read error, a compressed file that is
 * damaged or cut off. */
long hd_input_read(struct hd_input *, void *bytes, size_t most, const char **why);

void hd_input_close(struct hd_input *);

#endif
