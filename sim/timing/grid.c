/* Multilinear interpolation between logarithmic knots. */
#include "timing/grid.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

void hd_grid_init(struct hd_grid *g, const struct hd_grid_knots *k) {
    assert(k->axes >= 1 && k->axes <= HD_GRID_AXES_MAX);
    *g = (struct hd_grid){.axes = k->axes};
    for (int a = 0; a < k->axes; a++) {
        assert(k->knots[a] >= 1 && k->knots[a] <= HD_GRID_KNOTS_MAX);
        g->knots[a] = k->knots[a];
        for (int n = 0; n < k->knots[a]; n++) {
            assert(k->at[a][n] > 0 && (n == 0 || k->at[a][n] > k->at[a][n - 1]));
            g->log_at[a][n] = log(k->at[a][n]);
        }
    }
    g->value = hd_alloc((size_t)hd_grid_values(g) * sizeof *g->value);
}

void hd_grid_free(struct hd_grid *g) {
    free(g->value);
    *g = (struct hd_grid){0};
}

int hd_grid_values(const struct hd_grid *g) {
    int values = g->axes > 0;
    for (int a = 0; a < g->axes; a++) values *= g->knots[a];
    return values;
}

/* Where ln x lies on an axis: knot below and share of the next one. */
static int place(const struct hd_grid *g, int axis, double log_x, double *share,
                 double *beyond) {
    const double *at = g->log_at[axis];
    int last = g->knots[axis] - 1;
    double out = fmax(at[0] - log_x, log_x - at[last]) / log(2);
    if (out > *beyond) *beyond = out;
    *share = 0;
    if (log_x <= at[0]) return 0;
    if (log_x >= at[last]) return last;
    int low = 0, high = last;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (at[middle] <= log_x)
            low = middle;
        else
            high = middle;
    }
    *share = (log_x - at[low]) / (at[high] - at[low]);
    return low;
}

int hd_grid_cell(const struct hd_grid *g, const double *x,
                 int index[HD_GRID_CORNERS_MAX], double weight[HD_GRID_CORNERS_MAX],
                 double *beyond) {
    int count = 1;
    index[0] = 0;
    weight[0] = 1;
    *beyond = 0;
    for (int a = 0; a < g->axes; a++) {
        double share;
        int low = place(g, a, log(x[a]), &share, beyond), had = count;
        for (int n = 0; n < had; n++) {
            index[n] = index[n] * g->knots[a] + low;
            if (share <= 0) continue;
            index[count] = index[n] + 1;
            weight[count++] = weight[n] * share;
            weight[n] *= 1 - share;
        }
    }
    return count;
}

double hd_grid_at(const struct hd_grid *g, const double *x) {
    if (g->axes == 0) return 0;
    int index[HD_GRID_CORNERS_MAX];
    double weight[HD_GRID_CORNERS_MAX], beyond, sum = 0;
    int corners = hd_grid_cell(g, x, index, weight, &beyond);
    if (beyond >= HD_GRID_FADE) return 0;
    for (int n = 0; n < corners; n++) sum += weight[n] * g->value[index[n]];
    return sum * (1 - beyond / HD_GRID_FADE);
}

bool hd_grid_inside(const struct hd_grid *g, const double *x) {
    double beyond = 0, share;
    for (int a = 0; a < g->axes; a++) place(g, a, log(x[a]), &share, &beyond);
    return g->axes > 0 && beyond <= 1e-9;
}
