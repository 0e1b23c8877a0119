/* Fitting all-reduce times to measured ones. */
#ifndef HD_CALIBRATE_REDUCE_FIT_H
#define HD_CALIBRATE_REDUCE_FIT_H

#include "calibrate/fit.h"

/* A measured table that a GPU's all-reduce is fitted to. */
struct hd_reduce_source {
    const char *gpu;    /* name in the catalogue */
    const char *file;   /* in kernels/aiconfigurator of the data folder */
    const char *kernel; /* rows of this kernel_source and ... */
    const char *type;   /* ... of this element type, 2 bytes each */
};
/* Of a GPU, or NULL. Eager kernels where there are any, as the iterations that the
 * law is fitted to come from an eager engine. */
const struct hd_reduce_source *hd_reduce_source_of(const char *gpu);
/* The same of kernels that a graph launches; NULL: not measured. */
const struct hd_reduce_source *hd_reduce_graph_source_of(const char *gpu);

struct hd_reduce_report {
    struct hd_reduce_fit fit;
    struct hd_fit_error in_sample, held_out; /* held out: every second size */
};

/* Reads DATA/kernels/aiconfigurator/FILE and fits each number of GPUs by itself:
 * least squares of log time, piecewise linear in log size. False with a line in
 * err. */
bool hd_reduce_fit_read(const char *data, const struct hd_reduce_source *,
                        struct hd_reduce_report *, struct hd_err *err);

#endif
