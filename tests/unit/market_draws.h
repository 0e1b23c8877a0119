/* Markets drawn in tests. */
#ifndef TESTS_MARKET_DRAWS_H
#define TESTS_MARKET_DRAWS_H

#include "market/market.h"
#include "unit/trace_files.h"

/* Drawn, and in order of time. */
static inline struct hd_market_requests draw(const struct hd_market *market,
                                             uint64_t seed) {
    struct hd_err err = {0};
    struct hd_market_requests r;
    if (!hd_market_draw(market, seed, &r, &err)) fail_msg("%s", err.text);
    for (int64_t i = 1; i < r.count; i++)
        assert_true(r.of[i].at_us >= r.of[i - 1].at_us);
    return r;
}

#endif
