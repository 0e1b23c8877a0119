/* Rows of kernel measurements as points of a roofline's fit, and which of them a fit
 * must not see. */
#ifndef HD_CALIBRATE_KERNEL_POINTS_H
#define HD_CALIBRATE_KERNEL_POINTS_H

#include "calibrate/kernel.h"
#include "calibrate/roof_fit.h"

/* Whether rows of that measured operator are points of the other. */
bool hd_kernel_is_op(enum hd_kernel_op, enum hd_roof_op);

/* A row's shape as rooflines have it: what the row lacks is 0, the rotary embedding's
 * width is that of all heads. */
struct hd_roof_shape hd_kernel_shape_of(const struct hd_kernel_row *);

/* Adds the rows of the GPU, operator and type (16-bit types are one) that `use` says
 * yes to (NULL: all); the output head is a GEMM. Mixed attention comes as ratios, see
 * HD_ROOF_MIXED, and needs the law of decodes alone and the prefills' rows: a row
 * without a row of the same prefill alone is left out. Returns how many rows of that
 * operator were left out. */
int hd_kernel_points_of(const struct hd_kernels *, struct hd_roof_points *,
                        const struct hd_roof_law *decode,
                        bool (*use)(const struct hd_kernel_row *));

/* Splits in two: *train is what a fit may see, *test is inside what train spans and
 * judges it. GEMMs on a full grid: every second n and every second k of 1024 to 16384
 * is seen (at all m), the other pairs within judge. Else every second pair (n, k), head
 * configuration or width judges; with fewer than six of these every second point. */
void hd_kernel_points_split(const struct hd_roof_points *, struct hd_roof_points *train,
                            struct hd_roof_points *test);

#endif
