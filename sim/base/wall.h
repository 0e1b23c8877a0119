/* The clock on the wall, for profiles: no result may depend on it. */
#ifndef HD_BASE_WALL_H
#define HD_BASE_WALL_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds since some moment that stays the same. */
static inline int64_t hd_wall_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#endif
