/* A function of two whole numbers, sampled where ranges meet and bilinear between: what
 * compiled timing asks for the time of attention. */
#ifndef HD_TIMING_SURFACE_H
#define HD_TIMING_SURFACE_H

#include <stddef.h>
#include <stdint.h>

#include "timing/ranges.h"

struct hd_surface_axis { /* ranges as in ranges.h; beyond `most` the last one goes on */
    int unit, fine;
    int64_t most;
};

struct hd_surface {
    struct hd_surface_axis x, y;
    int columns, rows; /* cells in x and in y */
    struct hd_surface_cell {
        /* at its first corner: the value, its slopes, and what both together add */
        double at, along_x, along_y, twist;
    } * cell;
};

/* Samples f(context, x, y) >= 0 at the starts of all ranges. To be freed. */
struct hd_surface *hd_surface_new(struct hd_surface_axis x, struct hd_surface_axis y,
                                  double (*f)(const void *context, double x, double y),
                                  const void *context);
void hd_surface_free(struct hd_surface *);

/* At x, y >= 0; never below 0. Here, as compiled timing asks it for every prefill. */
static inline double hd_surface_at(const struct hd_surface *s, int64_t x, int64_t y) {
    int64_t along_x, along_y;
    int i = hd_range_split(x, s->x.unit, s->x.fine, &along_x);
    int j = hd_range_split(y, s->y.unit, s->y.fine, &along_y);
    if (i >= s->columns) {
        i = s->columns - 1;
        along_x = x - hd_range_start(i, s->x.unit, s->x.fine);
    }
    if (j >= s->rows) {
        j = s->rows - 1;
        along_y = y - hd_range_start(j, s->y.unit, s->y.fine);
    }
    const struct hd_surface_cell *c = &s->cell[(size_t)i * (size_t)s->rows + (size_t)j];
    double dx = (double)along_x, dy = (double)along_y;
    double v = c->at + c->along_x * dx + (c->along_y + c->twist * dx) * dy;
    return v > 0 ? v : 0;
}

#endif
