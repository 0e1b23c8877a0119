/* Host work of several calls that belong together, such as allocate and free: one
 * repetition gives a sample of each. */
#ifndef HOTDESK_CUDA_PHASES_H
#define HOTDESK_CUDA_PHASES_H

#include "bench.h"

enum { PHASES_MOST = 8 };

struct phases {
    int count;
    const char *variant[PHASES_MOST]; /* of the rows */
    /* One repetition; the seconds of each phase. False: it can't be done here. */
    bool (*once)(void *state, double *seconds);
    void *state;
    int most;      /* samples */
    double most_s; /* of the wall clock, looked at between repetitions */
};

/* Fills a row per phase; `shape` less its variant is that of all. One more repetition
 * before warms up if it is short. False: the time is used up. */
bool bench_phases(struct bench *, const struct shape *, const struct phases *);

/* A row of samples that were taken elsewhere, count >= 1, in seconds. */
bool bench_samples(struct bench *, const struct shape *, const double *seconds,
                   int count);

#endif
