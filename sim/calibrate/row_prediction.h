/* What the shipped tables and laws of a GPU say of a measured row. */
#ifndef HD_CALIBRATE_ROW_PREDICTION_H
#define HD_CALIBRATE_ROW_PREDICTION_H

#include "calibrate/kernel.h"
#include "timing/calibration.h"
#include "timing/kernel_set.h"

struct hd_row_predictor {
    const struct hd_catalog *catalog;
    const struct hd_gpu_spec *gpu;
    struct hd_kernel_set *set;
    struct hd_calibration *calibration;
};

struct hd_row_prediction {
    double us;       /* 0: nothing is known of such a row */
    double p50, p90; /* error to expect, see hd_kernel_band; NAN: not known */
};

/* Reads what ships. False with one line in err. */
bool hd_row_predictor_init(struct hd_row_predictor *, const struct hd_catalog *,
                           const struct hd_gpu_spec *, struct hd_err *err);
void hd_row_predictor_free(struct hd_row_predictor *);

/* Of a row of that GPU: kernels from its tables, mixed attention as a prefill and what
 * its decodes add, whole iterations of eager engines (steps of a model that the
 * catalogue has) from the iteration law. */
struct hd_row_prediction hd_row_predict(const struct hd_row_predictor *,
                                        const struct hd_kernel_row *);

#endif
