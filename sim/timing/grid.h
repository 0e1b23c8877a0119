/* What a roofline leaves over, on a grid of knots: log(measured / roofline) over one to
 * four sizes, linear between knots in the logarithm of each size.
 *
 * Beyond the outermost knots the nearest edge's value fades to 0 over HD_GRID_FADE
 * octaves, so that far from what was measured the roofline stands alone and no jump
 * lies at the edge. */
#ifndef HD_TIMING_GRID_H
#define HD_TIMING_GRID_H

#include <stdbool.h>

enum { HD_GRID_AXES_MAX = 4, HD_GRID_KNOTS_MAX = 32, HD_GRID_CORNERS_MAX = 16 };

/* Octaves beyond the edge after which the residual is 0. Of grids of GEMMs up to 8192
 * that judged larger ones (H100 bf16, B200 bf16), 0, 1, 2, 4 and no fading were off by
 * 4.1, 3.8, 3.6, 3.5, 4.3 and 6.3, 5.8, 5.3, 5.2, 5.5 % in the median. */
#define HD_GRID_FADE 4.0

struct hd_grid {
    int axes; /* 0: no grid, the residual is 0 everywhere */
    int knots[HD_GRID_AXES_MAX];
    double log_at[HD_GRID_AXES_MAX][HD_GRID_KNOTS_MAX]; /* ln of the sizes, ascending */
    double *value; /* last axis fastest: natural logarithms of ratios */
};

struct hd_grid_knots { /* sizes, positive and ascending */
    int axes, knots[HD_GRID_AXES_MAX];
    double at[HD_GRID_AXES_MAX][HD_GRID_KNOTS_MAX];
};

/* A grid of zeros on these knots. value is allocated. */
void hd_grid_init(struct hd_grid *, const struct hd_grid_knots *);
void hd_grid_free(struct hd_grid *);

int hd_grid_values(const struct hd_grid *); /* how many */

/* The corners of the cell around sizes x[axes] (clamped into the hull) and their
 * weights, which sum to 1; returns how many. *beyond: octaves outside the hull, the
 * largest of the axes; 0 inside. */
int hd_grid_cell(const struct hd_grid *, const double *x,
                 int index[HD_GRID_CORNERS_MAX], double weight[HD_GRID_CORNERS_MAX],
                 double *beyond);

/* The residual at sizes x[axes] (positive). */
double hd_grid_at(const struct hd_grid *, const double *x);

/* Whether x lies within the outermost knots. */
bool hd_grid_inside(const struct hd_grid *, const double *x);

#endif
