/* Sampling a surface. */
#include "timing/surface.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static int64_t start(const struct hd_surface_axis *a, int n) {
    return hd_range_start(n, a->unit, a->fine);
}

static int cells(const struct hd_surface_axis *a) {
    return hd_range_of(a->most, a->unit, a->fine) + 1;
}

struct hd_surface *hd_surface_new(struct hd_surface_axis x, struct hd_surface_axis y,
                                  double (*f)(const void *context, double x, double y),
                                  const void *context) {
    struct hd_surface *s = hd_alloc(sizeof *s);
    *s = (struct hd_surface){.x = x, .y = y, .columns = cells(&x), .rows = cells(&y)};
    s->cell = hd_alloc((size_t)s->columns * (size_t)s->rows * sizeof *s->cell);
    size_t wide = (size_t)s->rows + 1;
    double *value = hd_alloc(((size_t)s->columns + 1) * wide * sizeof *value);
    for (int i = 0; i <= s->columns; i++)
        for (int j = 0; j <= s->rows; j++) {
            double v = f(context, (double)start(&x, i), (double)start(&y, j));
            assert(isfinite(v) && v >= 0);
            value[(size_t)i * wide + (size_t)j] = v;
        }
    for (int i = 0; i < s->columns; i++)
        for (int j = 0; j < s->rows; j++) {
            const double *low = &value[(size_t)i * wide + (size_t)j],
                         *high = low + wide;
            double dx = (double)(start(&x, i + 1) - start(&x, i));
            double dy = (double)(start(&y, j + 1) - start(&y, j));
            s->cell[(size_t)i * (size_t)s->rows + (size_t)j] = (struct hd_surface_cell){
                low[0], (high[0] - low[0]) / dx, (low[1] - low[0]) / dy,
                (high[1] - high[0] - low[1] + low[0]) / (dx * dy)};
        }
    free(value);
    return s;
}

void hd_surface_free(struct hd_surface *s) {
    if (!s) return;
    free(s->cell);
    free(s);
}
