/* A function of two whole numbers, sampled where ranges meet and bilinear between: what
 * compiled timing asks for the time of attention. */
#ifndef HD_TIMING_SURFACE_H
#define HD_TIMING_SURFACE_H

#include <stdint.h>

struct hd_surface;

struct hd_surface_axis { /* ranges as in ranges.h; beyond `most` the last one goes on */
    int unit, fine;
    int64_t most;
};

/* Samples f(context, x, y) >= 0 at the starts of all ranges. To be freed. */
struct hd_surface *hd_surface_new(struct hd_surface_axis x, struct hd_surface_axis y,
                                  double (*f)(const void *context, double x, double y),
                                  const void *context);
void hd_surface_free(struct hd_surface *);

/* At x, y >= 0; never below 0. */
double hd_surface_at(const struct hd_surface *, int64_t x, int64_t y);

#endif
