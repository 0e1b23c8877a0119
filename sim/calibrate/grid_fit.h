/* Residual grids from scattered measurements. */
#ifndef HD_CALIBRATE_GRID_FIT_H
#define HD_CALIBRATE_GRID_FIT_H

#include "timing/grid.h"

struct hd_grid_point {
    double x[HD_GRID_AXES_MAX]; /* sizes; those beyond the grid's axes are not read */
    double residual;            /* ln (measured / roofline) */
    double weight;              /* 1: as all others */
};

/* Sets the values of a grid whose knots are set: robust least squares (Huber's weights
 * by repeated weighting, so that a stray measurement does not bend its neighbours).
 * Neighbouring knots are held together slightly, and all towards 0 less than that, so
 * that knots which no point is near follow their neighbours. Points outside the hull
 * are passed over. Deterministic. */
void hd_grid_fit(struct hd_grid *, const struct hd_grid_point *, int points);

#endif
