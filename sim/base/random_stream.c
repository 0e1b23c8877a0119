/* One generator for each part of each model or group. */
#include "base/random_stream.h"

#include <stdio.h>

/* FNV-1a over the three, then the finaliser of splitmix64 (Steele et al., OOPSLA
 * 2014), so that neighbouring numbers start far apart. */
gsl_rng *hd_random_stream(uint64_t seed, const char *part, int number) {
    char name[64];
    snprintf(name, sizeof name, "%llu/%s/%d", (unsigned long long)seed, part, number);
    uint64_t h = 14695981039346656037u;
    for (char *c = name; *c; c++) h = (h ^ (unsigned char)*c) * 1099511628211u;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    h ^= h >> 31;
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(rng, (unsigned long)(h >> 32));
    return rng;
}
