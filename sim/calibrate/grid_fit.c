/* Normal equations of a grid: a banded matrix, as a knot meets only its neighbours. */
#include "calibrate/grid_fit.h"

#include <gsl/gsl_linalg.h>
#include <gsl/gsl_matrix.h>
#include <gsl/gsl_vector.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* One measurement on a knot weighs 1. Held-out errors of the H100's GEMMs move by less
 * than 0.1 points when these are halved or doubled. */
#define TO_NEIGHBOUR 0.02
#define TO_ZERO 0.002

enum { ROUNDS = 4 };
#define HUBER 0.05 /* residuals beyond this weigh less */

struct normal {
    int size, band;
    gsl_matrix *matrix; /* column d: the d-th diagonal below the main one */
    gsl_vector *right;
};

static void add(struct normal *n, int i, int j, double value) {
    int low = i > j ? i : j, high = i > j ? j : i;
    double *at = gsl_matrix_ptr(n->matrix, (size_t)high, (size_t)(low - high));
    *at += value;
}

/* Differences between neighbours along every axis. */
static void hold_together(struct normal *n, const struct hd_grid *g) {
    int stride = 1;
    for (int i = 0; i < n->size; i++) add(n, i, i, TO_ZERO);
    for (int a = g->axes - 1; a >= 0; a--) {
        for (int i = 0; i < n->size; i++) {
            if (i / stride % g->knots[a] == g->knots[a] - 1) continue;
            add(n, i, i, TO_NEIGHBOUR);
            add(n, i + stride, i + stride, TO_NEIGHBOUR);
            add(n, i, i + stride, -TO_NEIGHBOUR);
        }
        stride *= g->knots[a];
    }
}

static void add_point(struct normal *n, const int *index, const double *share,
                      int corners, double weight, double residual) {
    for (int a = 0; a < corners; a++) {
        *gsl_vector_ptr(n->right, (size_t)index[a]) += weight * share[a] * residual;
        add(n, index[a], index[a], weight * share[a] * share[a]);
        for (int b = 0; b < a; b++)
            add(n, index[a], index[b], weight * share[a] * share[b]);
    }
}

static void one_round(struct hd_grid *g, struct normal *n,
                      const struct hd_grid_point *point, int points, bool first) {
    gsl_matrix_set_zero(n->matrix);
    gsl_vector_set_zero(n->right);
    hold_together(n, g);
    for (int p = 0; p < points; p++) {
        int index[HD_GRID_CORNERS_MAX];
        double share[HD_GRID_CORNERS_MAX], beyond, weight = point[p].weight;
        int corners = hd_grid_cell(g, point[p].x, index, share, &beyond);
        if (beyond > 1e-9) continue;
        if (!first) {
            double off = point[p].residual;
            for (int c = 0; c < corners; c++) off -= share[c] * g->value[index[c]];
            if (fabs(off) > HUBER) weight *= HUBER / fabs(off);
        }
        add_point(n, index, share, corners, weight, point[p].residual);
    }
    gsl_vector_view solution = gsl_vector_view_array(g->value, (size_t)n->size);
    gsl_linalg_cholesky_band_decomp(n->matrix);
    gsl_linalg_cholesky_band_solve(n->matrix, n->right, &solution.vector);
}

void hd_grid_fit(struct hd_grid *g, const struct hd_grid_point *point, int points) {
    struct normal n = {.size = hd_grid_values(g), .band = 0};
    /* the farthest corner of a cell: one step along every axis */
    for (int a = g->axes - 1, stride = 1; a >= 0; stride *= g->knots[a--])
        if (g->knots[a] > 1) n.band += stride;
    n.matrix = gsl_matrix_alloc((size_t)n.size, (size_t)n.band + 1);
    n.right = gsl_vector_alloc((size_t)n.size);
    for (int round = 0; round < ROUNDS; round++)
        one_round(g, &n, point, points, round == 0);
    gsl_matrix_free(n.matrix);
    gsl_vector_free(n.right);
}
