/* A real stream's instants, dealt out to the models. Internal to this room. */
#ifndef HD_MARKET_REPLAYED_H
#define HD_MARKET_REPLAYED_H

#include "market/arrivals.h"

struct hd_replayed;
struct hd_replayed *hd_replayed_begin(const struct hd_market *, uint64_t seed,
                                      double rate_per_s);
struct hd_instants hd_replayed_of(const struct hd_replayed *, int model);
void hd_replayed_end(struct hd_replayed *);

#endif
