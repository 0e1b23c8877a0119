/* Tokens of requests, as they are drawn. Internal to this room. */
#ifndef HD_MARKET_LENGTHS_H
#define HD_MARKET_LENGTHS_H

#include <gsl/gsl_rng.h>

#include "market/market.h"

/* Tokens by one law. */
int32_t hd_length_draw(const struct hd_length_law *, gsl_rng *);
/* Its mean, before the bounds take effect. */
double hd_length_mean(const struct hd_length_law *);

/* The lengths of one model's requests, one after the other. */
struct hd_lengths_source {
    const struct hd_market *market;
    gsl_rng *input, *output, *both;
};
void hd_lengths_begin(struct hd_lengths_source *, const struct hd_market *,
                      uint64_t seed, int model);
void hd_lengths_next(struct hd_lengths_source *, int32_t *input, int32_t *output);
void hd_lengths_end(struct hd_lengths_source *);
double hd_lengths_mean_output(const struct hd_market *);

#endif
