/* A file that appears whole or not at all: until it is written it lies beside its place
 * under another name. */
#ifndef HD_BASE_NEW_FILE_H
#define HD_BASE_NEW_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

struct hd_new_file {
    FILE *stream;
    char *path, *temporary;
};

/* Opens it for writing; what is at `path` stays until the end. replace: something may
 * be there (--force). False with "PATH: why" in err, and nothing to drop. */
bool hd_new_file_begin(struct hd_new_file *, const char *path, bool replace,
                       struct hd_err *);

/* Gives it its name, in place of what may have that. False with "PATH: why" in err if
 * anything was lost: then nothing of it is left, and what was there before still is. */
bool hd_new_file_keep(struct hd_new_file *, struct hd_err *);

/* Leaves nothing behind, unless it was kept. A file that is all zero is fine. */
void hd_new_file_drop(struct hd_new_file *);

#endif
