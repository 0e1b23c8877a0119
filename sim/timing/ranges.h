/* Ranges of whole numbers that widen with the numbers, found from their bits without a
 * search: ranges of 2^unit up to 2^(unit + fine), then 2^fine ranges per octave. */
#ifndef HD_TIMING_RANGES_H
#define HD_TIMING_RANGES_H

#include <stdint.h>

/* The range that x >= 0 lies in, from 0. */
static inline int hd_range_of(int64_t x, int unit, int fine) {
    x >>= unit;
    if (x < (INT64_C(1) << fine)) return (int)x;
    int octave = 63 - __builtin_clzll((unsigned long long)x);
    int part = (int)(x >> (octave - fine)) & ((1 << fine) - 1);
    return ((octave - fine + 1) << fine) + part;
}

/* The same, and in *within how far behind the range's first number x is. */
static inline int hd_range_split(int64_t x, int unit, int fine, int64_t *within) {
    int64_t y = x >> unit;
    if (y < (INT64_C(1) << fine)) {
        *within = x & ((INT64_C(1) << unit) - 1);
        return (int)y;
    }
    int octave = 63 - __builtin_clzll((unsigned long long)y);
    int shift = octave - fine;
    *within = x & ((INT64_C(1) << (shift + unit)) - 1);
    return ((shift + 1) << fine) + ((int)(y >> shift) & ((1 << fine) - 1));
}

/* The first number of a range. */
static inline int64_t hd_range_start(int range, int unit, int fine) {
    if (range < 1 << fine) return (int64_t)range << unit;
    int octave = (range >> fine) + fine - 1;
    int64_t part = range & ((1 << fine) - 1);
    return ((INT64_C(1) << fine) + part) << (octave - fine + unit);
}

#endif
