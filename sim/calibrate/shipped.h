/* The kernel measurements that ship beside a GPU's coefficients. */
#ifndef HD_CALIBRATE_SHIPPED_H
#define HD_CALIBRATE_SHIPPED_H

#include "calibrate/kernel.h"

/* Adds the rows of every file of measurements in results/calibration/GPU; there may be
 * none. False with one line in err. */
bool hd_shipped_measurements(struct hd_kernels *, const struct hd_catalog *,
                             const struct hd_gpu_spec *, struct hd_err *err);

#endif
