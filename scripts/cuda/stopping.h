/* When enough samples were taken, and which of them count.
 *
 * The rules are those of nvbench (timing.md, section 6): the noise is low enough, or
 * the distribution of what was measured no longer changes, or the time is used up. */
#ifndef HOTDESK_CUDA_STOPPING_H
#define HOTDESK_CUDA_STOPPING_H

#include <stdbool.h>

#include "record.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    STOPPING_WINDOW = 256, /* running entropies that the line is laid through */
    STOPPING_BINS = 512
};

struct stopping_limits {
    double least_s; /* of measured time before noise or entropy may stop it */
    double most_s;  /* of the wall clock */
    int least_samples, most_samples;
};

struct stopping {
    struct stopping_limits limits;
    int count;
    double measured_s, mean, squares;                /* Welford's running moments */
    int bins, bin[STOPPING_BINS], in[STOPPING_BINS]; /* how often each value came */
    double count_log_count;                          /* sum over the bins of n log2 n */
    double entropy[STOPPING_WINDOW]; /* a ring of the last ones, in bits */
};

void stopping_start(struct stopping *, const struct stopping_limits *);

/* Takes a sample (s, > 0) that was `measured_s` of work, `elapsed_s` after the start by
 * the wall clock. True once it is enough; *reason then says why. */
bool stopping_add(struct stopping *, double sample_s, double measured_s,
                  double elapsed_s, enum stop_reason *reason);

/* Standard deviation over mean, in parts; 0 for fewer than two samples. */
double stopping_noise(const struct stopping *);

/* Entropy of the samples' distribution, in bits; values within half a percent of each
 * other are one. */
double stopping_entropy(const struct stopping *);

/* Whether a sample is to be dropped because the clock was low. */
struct throttle {
    double least_mhz; /* 0.75 of the device's default clock; 0: not known, keeps all */
    int in_a_row;
    long dropped;
    bool accepted; /* the clock did not recover: what it is now is what is measured */
};

enum { THROTTLE_PATIENCE = 20 }; /* drops in a row, then the low clock is accepted */

void throttle_start(struct throttle *, double default_mhz);

/* mhz <= 0: not known. False: drop it, pause, take another. */
bool throttle_keeps(struct throttle *, double mhz);

#ifdef __cplusplus
}
#endif
#endif
