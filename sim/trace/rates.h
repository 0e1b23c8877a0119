/* A rate over time: pieces of constant height. Internal to this room. */
#ifndef HD_TRACE_RATES_H
#define HD_TRACE_RATES_H

#include <gsl/gsl_rng.h>

#include "trace/market.h"

/* Alternating on and off; level[i] holds from at_s[i] to at_s[i+1]. */
struct hd_rate_path {
    double *at_s, *level;
    int pieces, at_capacity, level_capacity;
};

/* Draws a path over span_s, in equilibrium from the start; its mean is 1. Without
 * alternation it is one piece of level 1. */
void hd_rate_draw(struct hd_rate_path *, const struct hd_on_off *, double span_s,
                  gsl_rng *);
/* The product of two paths over the same span. */
void hd_rate_multiply(struct hd_rate_path *product, const struct hd_rate_path *,
                      const struct hd_rate_path *);
void hd_rate_free(struct hd_rate_path *);

#endif
