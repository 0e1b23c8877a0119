/* The fitted kernels that a GPU's iterations are composed from: its own where they were
 * measured, else a relative's efficiencies on its own data sheet. */
#ifndef HD_TIMING_KERNEL_SET_H
#define HD_TIMING_KERNEL_SET_H

#include "timing/kernel_tables.h"

enum { HD_KERNEL_ORIGINS_MAX = 3 };

/* Errors of whole iterations on a GPU that no fit has seen (reference fits of Aegaeon's
 * profiles, other GPUs' coefficients on its data sheet): what a relative's table is
 * good for. */
#define HD_UNSEEN_GPU_P50 0.10
#define HD_UNSEEN_GPU_P90 0.28
/* The same of small operators: the H200's on the A100's and H100's data sheets against
 * Vidur's (`hotdesk calibrate check`, norms, relative's, of the A100). */
#define HD_UNSEEN_SMALL_P50 0.44
#define HD_UNSEEN_SMALL_P90 0.57
/* Attention of a prefill and of decodes in one batch, as the sum of both alone, where
 * mixed batches were not measured (`hotdesk calibrate check`, mixed attention, the sum:
 * the larger of both GPUs where they were). */
#define HD_SUMMED_P50 0.34
#define HD_SUMMED_P90 0.69
/* Sums of kernels against whole iterations: the A100's and H100's prefills by another
 * group's engine, to which nothing was fitted (`hotdesk calibrate check`, prefill by
 * kernels). A composition is not surer than that. */
#define HD_COMPOSED_P50 0.06
#define HD_COMPOSED_P90 0.15

struct hd_kernel_set {
    const struct hd_gpu_spec *gpu;
    bool superseded; /* old engines' kernels are wanted where there are any */
    int origins;
    struct hd_kernel_origin { /* in the order in which they are asked */
        char gpu[48];
        bool own; /* measured on this very GPU */
        struct hd_kernel_tables tables;
    } origin[HD_KERNEL_ORIGINS_MAX];
    char revision[13]; /* of all tables: start of the SHA-256 of their files */
};

/* Reads results/calibration/R/ of gpu->tabled R, of gpu->small, whose small operators
 * stand for those that R lacks, and of RTX-PRO-6000-Server, which lacks nothing. A file
 * that is not there is no error. superseded: with the kernels of old engines where
 * there are any, else without. NULL with one line in err. */
struct hd_kernel_set *hd_kernel_set_load(const struct hd_gpu_spec *, bool superseded,
                                         struct hd_err *);
void hd_kernel_set_free(struct hd_kernel_set *);

/* The table of an operator and where it is from; NULL: nobody has one. */
const struct hd_kernel_table *hd_kernel_set_find(const struct hd_kernel_set *,
                                                 enum hd_roof_op, enum hd_roof_type,
                                                 const struct hd_kernel_origin **);

/* Whether it has the kernels of the model's numbers. False with one line in err: fp8 on
 * a GPU that has none, or nobody measured it. */
bool hd_kernel_set_serves(const struct hd_kernel_set *, const struct hd_model_spec *,
                          struct hd_err *);

/* How far off a kernel of a shape may be: what the table was off, held out; outside its
 * grid, or where bare says that the grid does not count, what the roofline alone was;
 * and no less than unseen GPUs where a relative's table stands in. */
struct hd_kernel_band {
    bool inside;
    double p50, p90;
};
struct hd_kernel_band hd_kernel_band(const struct hd_kernel_table *,
                                     const struct hd_kernel_origin *, enum hd_roof_op,
                                     const struct hd_roof_shape *, bool bare);

/* How much a decode step waits for its longest context (kernel_tables.h): measured on
 * the nearest of the GPUs; 0: on none. */
double hd_kernel_set_skew(const struct hd_kernel_set *);

/* The files below hotdesk's own folder that it rests on; returns how many. The caller
 * frees each. */
enum { HD_KERNEL_SET_FILES_MAX = HD_KERNEL_ORIGINS_MAX * HD_KERNEL_FILES };
int hd_kernel_set_files(const struct hd_gpu_spec *,
                        char *part[HD_KERNEL_SET_FILES_MAX]);

#endif
