/* When a model's requests, or its sessions, begin. Internal to this room. */
#ifndef HD_MARKET_ARRIVALS_H
#define HD_MARKET_ARRIVALS_H

#include "market/market.h"

#define HD_MARKET_REQUESTS_MAX 20000000

struct hd_instants {
    int count, capacity;
    int64_t *at_us; /* of the trace, never falling */
};

/* What all models share: the paths of the groups, the stream as it is dealt out. */
struct hd_arrival_source;
struct hd_arrival_source *hd_arrivals_begin(const struct hd_market *, uint64_t seed,
                                            double rate_per_s);
/* The instants of one model; the caller frees them. As soon as they are more than
 * HD_MARKET_REQUESTS_MAX, no more are drawn. */
struct hd_instants hd_arrivals_of(const struct hd_arrival_source *, int model);
void hd_arrivals_end(struct hd_arrival_source *);

#endif
