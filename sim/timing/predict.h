/* How long one iteration takes, part by part, and how sure that is. */
#ifndef HD_TIMING_PREDICT_H
#define HD_TIMING_PREDICT_H

#include "timing/calibration.h"
#include "timing/kernels.h"

struct hd_step_prediction {
    struct hd_part part[HD_PARTS_MAX]; /* table NULL: see the calibration's source */
    int parts;
    double kernels_s; /* all parts together */
    double launch_s;  /* what launching them adds, where it is not hidden behind them */
    double host_s;    /* of the engine: added, or hidden behind the kernels */
    bool overlapped;  /* host time is beside the kernels: the longer one counts */
    double step_s;    /* the iteration */
    /* Errors to expect, absolute and relative: of the parts by their shares, as if all
     * erred the same way, and not below what sums of kernels are off from iterations;
     * host and launch times as the kernels. Half of such
     * predictions are off by less than p50, nine of ten by less than p90. */
    double p50, p90;
    bool inside; /* every part within what was measured on this very GPU */
};

/* The calibration must have been loaded for this engine, and serve the model. */
void hd_predict_step(const struct hd_calibration *, const struct hd_gpu_spec *,
                     const struct hd_model_spec *, int tp,
                     const struct hd_engine_profile *, const struct hd_batch_shape *,
                     struct hd_step_prediction *);

#endif
