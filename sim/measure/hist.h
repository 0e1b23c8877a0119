/* Histogram of durations with logarithmic buckets on integer ticks.
 *
 * A bucket is the exponent and the top 8 mantissa bits of the value, so its width
 * is at most 1/256 of its value; values below 512 ticks (0.5 ns) are exact.
 * Histograms add exactly, so counts never depend on the order of adds. */
#ifndef HD_MEASURE_HIST_H
#define HD_MEASURE_HIST_H

#include <stdint.h>

#include "base/tick.h"

enum { HD_HIST_MANTISSA_BITS = 8, HD_HIST_BUCKETS = 57 << 8 };

struct hd_hist {
    uint64_t count[HD_HIST_BUCKETS];
    uint64_t total;
    int64_t max;
    hd_wide sum;
};

/* Bucket of a value >= 0. */
static inline int hd_hist_bucket(int64_t value) {
    uint64_t v = (uint64_t)value;
    if (v < (1u << (HD_HIST_MANTISSA_BITS + 1))) return (int)v;
    int shift = 63 - __builtin_clzll(v) - HD_HIST_MANTISSA_BITS;
    return (shift << HD_HIST_MANTISSA_BITS) + (int)(v >> shift);
}

/* First value that lies above the bucket. */
static inline int64_t hd_hist_limit(int bucket) {
    if (bucket < (1 << (HD_HIST_MANTISSA_BITS + 1))) return bucket + 1;
    int shift = (bucket >> HD_HIST_MANTISSA_BITS) - 1;
    int64_t mantissa = bucket - ((int64_t)shift << HD_HIST_MANTISSA_BITS);
    return (mantissa + 1) << shift;
}

static inline void hd_hist_add(struct hd_hist *h, int64_t value, uint64_t weight) {
    h->count[hd_hist_bucket(value)] += weight;
    h->total += weight;
    h->sum += (hd_wide)value * (hd_wide)weight;
    if (weight && value > h->max) h->max = value;
}

/* Adds `steps` values first, first + delta, ... with the same weight, in as many
 * adds as the ramp crosses buckets. delta >= 0. */
void hd_hist_add_ramp(struct hd_hist *h, int64_t first, int64_t delta, int64_t steps,
                      uint64_t weight);

/* The value below which a fraction q of the entries lies, in ticks: the middle
 * of the bucket of the entry with rank ceil(q * total), never above max; -1 when
 * empty. Relative error at most 1/512. */
int64_t hd_hist_quantile(const struct hd_hist *h, double q);

/* Mean in ticks; NAN when empty. Exact up to the final division. */
double hd_hist_mean(const struct hd_hist *h);

#endif
