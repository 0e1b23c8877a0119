/* The whole calibration of a GPU from measured data: fit, judge, write. */
#ifndef HD_CALIBRATE_CALIBRATE_H
#define HD_CALIBRATE_CALIBRATE_H

#include "calibrate/fit.h"
#include "calibrate/reduce_fit.h"

enum { HD_CALIBRATED_MODELS_MAX = 16 };

struct hd_calibration_report {
    const struct hd_gpu_spec *gpu;
    bool iterations; /* there were rows of it: the fields up to transfer are set */
    int models, rows;
    const struct hd_model_spec *model[HD_CALIBRATED_MODELS_MAX]; /* in file order */
    struct hd_iteration_fit fit;
    bool suspect; /* it reads weights at less than half of the data sheet's rate */
    struct hd_fit_errors in_sample;
    /* Each model judged by a fit on the others. With one model only there is no
     * other: then what fits on that same model did to the others' rows on the other
     * GPUs. */
    struct hd_fit_errors held_out;
    bool held_out_elsewhere;
    struct hd_fit_errors transfer;                /* this fit on the other GPUs' rows */
    const struct hd_reduce_source *reduce_source; /* NULL: no measured all-reduce */
    struct hd_reduce_report reduce;
    const struct hd_reduce_source *graph_source; /* of those that graphs launch */
    struct hd_reduce_report graph;
};

/* Fits everything that DATA (a folder with measured/aegaeon_iterations.csv and
 * kernels/aiconfigurator) has: one report per GPU of the catalogue that was measured
 * at all, in the catalogue's order; *count of them. The caller frees the array. NULL
 * with one line in err. */
struct hd_calibration_report *hd_calibrate(const struct hd_catalog *, const char *data,
                                           int *count, struct hd_err *err);

/* Writes FOLDER/GPU/iteration.csv, allreduce.csv and allreduce_graph.csv, as far as
 * there are any: whole files or none. The same report gives the same bytes. */
bool hd_calibration_write(const struct hd_calibration_report *, const char *folder,
                          struct hd_err *err);

#endif
