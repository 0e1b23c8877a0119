/* Kernel tables of a GPU from published measurements. */
#ifndef HD_CALIBRATE_TABLES_H
#define HD_CALIBRATE_TABLES_H

#include "calibrate/kernel.h"
#include "timing/kernel_tables.h"

/* The GPUs of which kernels were published, by name; NULL after the last. */
const char *hd_tables_gpu(int n);

/* Reads what DATA (a folder with kernels/) has of the GPU's kernels. False with one
 * line in err. */
bool hd_tables_rows(const struct hd_catalog *, const char *data,
                    const struct hd_gpu_spec *, struct hd_kernels *, struct hd_err *);

/* Adds the rows of named files below DATA/kernels, NULL after the last, by an importer
 * (import.h). False with one line in err. */
bool hd_tables_import(struct hd_kernels *, const struct hd_catalog *, const char *data,
                      const char *importer, const char *const *file, struct hd_err *);

/* Fits all operators that the rows have of the GPU: each twice, once without what
 * judges it (kernel_points.h says what that is) and once with everything. The caller
 * frees the tables. */
void hd_tables_fit(const struct hd_kernels *, const struct hd_gpu_spec *,
                   struct hd_kernel_tables *);

/* Adds how much uneven decodes wait for their longest context, where that was measured.
 * False with one line in err. */
bool hd_tables_fit_skew(const char *data, const struct hd_gpu_spec *,
                        struct hd_kernel_tables *, struct hd_err *);

/* Writes FOLDER/GPU/gemm.csv and so on, as far as there are tables for them: each file
 * whole or not at all. */
bool hd_tables_write(const struct hd_kernel_tables *, const struct hd_gpu_spec *,
                     const char *folder, struct hd_err *);

#endif
