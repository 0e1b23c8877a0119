/* Ramps into, and quantiles out of, a logarithmic histogram. */
#include "measure/hist.h"

#include <math.h>

void hd_hist_add_ramp(struct hd_hist *h, int64_t first, int64_t delta, int64_t steps,
                      uint64_t weight) {
    if (steps <= 0 || weight == 0) return;
    int64_t last = first + delta * (steps - 1);
    h->total += weight * (uint64_t)steps;
    h->sum += (hd_wide)weight * ((hd_wide)first * steps +
                                 (hd_wide)delta * ((hd_wide)steps * (steps - 1) / 2));
    if (last > h->max) h->max = last;
    int last_bucket = hd_hist_bucket(last);
    int bucket = hd_hist_bucket(first);
    while (bucket < last_bucket) {
        int64_t here = (hd_hist_limit(bucket) - first + delta - 1) / delta;
        h->count[bucket] += weight * (uint64_t)here;
        first += here * delta;
        steps -= here;
        bucket = hd_hist_bucket(first);
    }
    h->count[bucket] += weight * (uint64_t)steps;
}

int64_t hd_hist_quantile(const struct hd_hist *h, double q) {
    if (h->total == 0) return -1;
    uint64_t rank = (uint64_t)ceil(q * (double)h->total);
    if (rank < 1) rank = 1;
    uint64_t seen = 0;
    for (int i = 0; i < HD_HIST_BUCKETS; i++) {
        seen += h->count[i];
        if (seen < rank) continue;
        int64_t low = i ? hd_hist_limit(i - 1) : 0;
        int64_t middle = low + (hd_hist_limit(i) - 1 - low) / 2;
        return middle < h->max ? middle : h->max;
    }
    return h->max;
}

double hd_hist_mean(const struct hd_hist *h) {
    return h->total ? (double)h->sum / (double)h->total : NAN;
}
