/* A rate over time: pieces of constant height. Internal to this room. */
#ifndef HD_MARKET_RATES_H
#define HD_MARKET_RATES_H

#include <gsl/gsl_rng.h>

#include "market/market.h"

/* level[i] holds from at_s[i] to at_s[i+1]; at_s[0] is 0. */
struct hd_rate_path {
    double *at_s, *level;
    int pieces, at_capacity, level_capacity;
};

/* Draws a path over span_s, in equilibrium from the start; its mean is 1. Without
 * alternation it is one piece of level 1. */
void hd_rate_draw(struct hd_rate_path *, const struct hd_on_off *, double span_s,
                  gsl_rng *);
/* The same of a hidden Markov state. */
void hd_rate_draw_mmpp(struct hd_rate_path *, const struct hd_mmpp *, double span_s,
                       gsl_rng *);
/* Windows in turn, from the one of that number on. */
void hd_rate_windows(struct hd_rate_path *, const struct hd_windows *, int first,
                     double span_s);
/* A rhythm, shift_s into it at time 0 (negative too). */
void hd_rate_rhythm(struct hd_rate_path *, const struct hd_rhythm *, double shift_s,
                    double span_s);
/* Makes the first the product of both, which are over the same span, and frees the
 * second. */
void hd_rate_multiply(struct hd_rate_path *, struct hd_rate_path *);
/* The product of two paths over the same span. */
void hd_rate_product(struct hd_rate_path *product, const struct hd_rate_path *,
                     const struct hd_rate_path *);
void hd_rate_free(struct hd_rate_path *);

#endif
