/* Fitted kernels of one GPU, read from and written to results/calibration/GPU:
 * gemm.csv, attention_prefill.csv, attention_decode.csv, small_ops.csv.
 *
 * One schema for all four: op,type,field,values, where a field is a coefficient (t0_s,
 * ec or c1_s, em, p), `axis` (the knots of the grid's axes, in their order), `residual`
 * (thousandths of the logarithm; a row for every combination of all axes but the last
 * two),
 * `in_sample`, `held_out` and `roof_only` (median, 90th percentile, how many values),
 * `source`, `licence`, `skew` (of attention_decode) and `superseded` (yes: kernels of
 * an engine that current ones have replaced). Values are separated by blanks. */
#ifndef HD_TIMING_KERNEL_TABLES_H
#define HD_TIMING_KERNEL_TABLES_H

#include <stdio.h>

#include "base/err.h"
#include "timing/roofline.h"

struct hd_kernel_error { /* absolute relative error, 0.05 = 5 %; values 0: none */
    double p50, p90;
    int values;
};

struct hd_kernel_table {
    struct hd_roof_law law; /* law.known: whether there is one */
    struct hd_kernel_error in_sample, held_out;
    struct hd_kernel_error roof_only; /* of the roofline without its grid, held out */
    char source[256], licence[32];
    bool superseded;
    double skew; /* decodes: t = t(mean) + skew (t(longest) - t(mean)); 0: not known */
};

struct hd_kernel_tables {
    struct hd_kernel_table of[HD_ROOF_OPS][HD_ROOF_TYPES];
};

enum { HD_KERNEL_FILES = 4 };
extern const char *const hd_kernel_files[HD_KERNEL_FILES];
/* Which of the files an operator stands in. */
int hd_kernel_file_of(enum hd_roof_op);

/* Adds the tables of one file. False with "PATH:LINE: what, and what was expected" in
 * err; the tables are then to be freed all the same. */
bool hd_kernel_tables_read(struct hd_kernel_tables *, const char *path,
                           struct hd_err *);

/* Writes the rows of those that stand in file number `file`: the same tables give the
 * same bytes. */
void hd_kernel_tables_print(const struct hd_kernel_tables *, int file, FILE *);

void hd_kernel_tables_free(struct hd_kernel_tables *);

#endif
