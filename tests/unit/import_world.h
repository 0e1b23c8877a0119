/* Profiles that a test writes into a folder of its own, and what is imported of them.
 */
#ifndef HD_TESTS_IMPORT_WORLD_H
#define HD_TESTS_IMPORT_WORLD_H

#include "calibrate/import.h"

enum { VIDUR, AICONFIGURATOR, LLMSERVINGSIM, AEGAEON };

struct import_world {
    struct hd_catalog *catalog;
    char folder[32], *path;
    struct hd_kernels set;
    struct hd_import_report report;
    struct hd_err err;
};

int import_world_open(void **state);
int import_world_close(void **state);

/* Writes a profile at NAME below the folder, which may have folders of its own. */
void import_put(struct import_world *, const char *name, const char *text);

/* Imports what was put last; the second form must get that many rows, the third must
 * be refused, with the file named first and `why` somewhere behind. */
bool import_as(struct import_world *, int source, const struct hd_gpu_spec *gpu);
void import_takes(struct import_world *, int source, int rows);
void import_refuses(struct import_world *, int source, const char *why);

/* How many rows the report has a note of, by a part of it. */
int64_t import_noted(const struct import_world *, const char *what);

void row_has(const struct hd_kernel_row *, enum hd_kernel_op op, int64_t m, int64_t n,
             int64_t k);
void row_has_heads(const struct hd_kernel_row *, int64_t heads, int64_t kv_heads);

#endif
