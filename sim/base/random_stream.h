/* Random numbers of one part of one thing, whatever else is drawn. */
#ifndef HD_BASE_RANDOM_STREAM_H
#define HD_BASE_RANDOM_STREAM_H

#include <gsl/gsl_rng.h>
#include <stdint.h>

/* A generator for (seed, part, number), the same wherever it is made; the caller frees
 * it. */
gsl_rng *hd_random_stream(uint64_t seed, const char *part, int number);

#endif
