/* A directory of results that is whole or not there: it is made under a temporary
 * name beside its own, and renamed when everything in it is written. */
#ifndef HD_OUTPUT_OUTDIR_H
#define HD_OUTPUT_OUTDIR_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

struct hd_outdir;

/* Begins a result that will be `path`. What is there now decides:
 *   nothing, or an empty directory: fine;
 *   a result (it holds `marker`): fine if its marker is, byte for byte, one of the
 *     `marks` (the same inputs), or with force; then it is replaced at the end;
 *   anything else: refused, also with force.
 * NULL on failure, with one line in err and nothing left behind. *again (may be
 * NULL) tells which mark was found, -1 for none. */
struct hd_outdir *hd_outdir_begin(const char *path, bool force, const char *marker,
                                  const char *const *mark, int marks, int *again,
                                  struct hd_err *err);

/* Opens a file of the result for writing; folders in its relative name are made.
 * Close it with hd_outdir_close. NULL on failure. */
FILE *hd_outdir_open(struct hd_outdir *, const char *name, struct hd_err *err);
/* Closes it; false, with one line, if anything written to it was lost. */
bool hd_outdir_close(struct hd_outdir *, FILE *, const char *name, struct hd_err *err);

/* A whole small file. */
bool hd_outdir_put(struct hd_outdir *, const char *name, const char *text,
                   struct hd_err *err);

/* The temporary directory, for programs that write into it; valid until the end. */
const char *hd_outdir_folder(const struct hd_outdir *);

/* Gives the result its name, in one step. Frees the handle; on failure nothing is
 * left of the new result and what was there before is untouched. */
bool hd_outdir_commit(struct hd_outdir *, struct hd_err *err);

/* Leaves nothing behind. NULL is fine. */
void hd_outdir_abort(struct hd_outdir *);

#endif
