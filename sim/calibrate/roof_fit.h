/* Fitting the law of one kernel to its measurements. */
#ifndef HD_CALIBRATE_ROOF_FIT_H
#define HD_CALIBRATE_ROOF_FIT_H

#include "calibrate/fit.h"
#include "timing/roofline.h"

struct hd_roof_point {
    struct hd_roof_shape shape;
    double seconds;
    double share; /* of the whole that was measured, 0 to 1: an error of the point is
                     one of the whole times this */
};

/* What is fitted: one operator and type on one GPU. */
struct hd_roof_points {
    enum hd_roof_op op;
    enum hd_roof_type type;
    const struct hd_gpu_spec *gpu;
    struct hd_roof_point *point;
    int points, capacity;
};
void hd_roof_points_add(struct hd_roof_points *, const struct hd_roof_shape *,
                        double seconds, double share);
void hd_roof_points_free(struct hd_roof_points *);

/* The knots that a shipped grid of that operator has, cut to the range of the points.
 */
void hd_roof_knots_for(const struct hd_roof_points *, struct hd_grid_knots *);

/* Fits the roofline (Nelder-Mead on the mean of |ln (predicted / measured)|), then the
 * grid of what is left on the knots; axes 0: none. There must be at least one point.
 * The caller frees the law's grid. */
void hd_roof_fit(const struct hd_roof_points *, const struct hd_grid_knots *,
                 struct hd_roof_law *);

/* Absolute relative errors on the points that `among` says yes to (NULL: all). */
struct hd_fit_error hd_roof_errors(const struct hd_roof_law *,
                                   const struct hd_roof_points *,
                                   bool (*among)(const struct hd_roof_shape *));

#endif
