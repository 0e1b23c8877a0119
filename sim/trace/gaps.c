/* Exponential, gamma and Weibull gaps. */
#include "trace/gaps.h"

#include <gsl/gsl_randist.h>
#include <math.h>

/* cv^2 = G(1 + 2/k) / G(1 + 1/k)^2 - 1 falls with k: bisection. */
double hd_weibull_shape(double cv) {
    double low = 0.05, high = 60;
    for (int i = 0; i < 200; i++) {
        double k = (low + high) / 2;
        double ratio = exp(lgamma(1 + 2 / k) - 2 * lgamma(1 + 1 / k)) - 1;
        if (ratio > cv * cv)
            low = k;
        else
            high = k;
    }
    return (low + high) / 2;
}

struct hd_gaps hd_gaps_of(enum hd_gap_law law, double cv) {
    struct hd_gaps g = {.law = law};
    if (law == HD_GAP_GAMMA) {
        g.shape = 1 / (cv * cv);
        g.scale = cv * cv;
    } else if (law == HD_GAP_WEIBULL) {
        g.shape = hd_weibull_shape(cv);
        g.scale = 1 / tgamma(1 + 1 / g.shape);
    }
    return g;
}

double hd_gap_draw(const struct hd_gaps *g, gsl_rng *rng) {
    switch (g->law) {
    case HD_GAP_GAMMA:
        return gsl_ran_gamma(rng, g->shape, g->scale);
    case HD_GAP_WEIBULL:
        return gsl_ran_weibull(rng, g->scale, g->shape);
    default:
        return gsl_ran_exponential(rng, 1);
    }
}

/* A uniform part of a gap drawn in proportion to its length (Cox, Renewal Theory,
 * 1962). Such a gap is gamma with the shape one larger, or, for Weibull, has gap^k
 * gamma with shape 1 + 1/k. */
double hd_gap_draw_first(const struct hd_gaps *g, gsl_rng *rng) {
    double part = gsl_rng_uniform_pos(rng);
    switch (g->law) {
    case HD_GAP_GAMMA:
        return part * gsl_ran_gamma(rng, g->shape + 1, g->scale);
    case HD_GAP_WEIBULL:
        return part * g->scale *
               pow(gsl_ran_gamma(rng, 1 + 1 / g->shape, 1), 1 / g->shape);
    default:
        return gsl_ran_exponential(rng, 1);
    }
}
