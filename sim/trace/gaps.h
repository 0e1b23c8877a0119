/* Gaps of a renewal process at unit mean. */
#ifndef HD_TRACE_GAPS_H
#define HD_TRACE_GAPS_H

#include <gsl/gsl_rng.h>

enum hd_gap_law { HD_GAP_POISSON, HD_GAP_GAMMA, HD_GAP_WEIBULL };

/* Shape k of a Weibull law with that coefficient of variation (0.05 to 1000). */
double hd_weibull_shape(double cv);

struct hd_gaps {
    enum hd_gap_law law;
    double shape, scale;
};
struct hd_gaps hd_gaps_of(enum hd_gap_law, double cv);

double hd_gap_draw(const struct hd_gaps *, gsl_rng *);
/* Time to the first request of a process that has run for ever. */
double hd_gap_draw_first(const struct hd_gaps *, gsl_rng *);

#endif
