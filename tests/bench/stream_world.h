/* Requests that are drawn when the engine asks for them, as many as one likes: nothing
 * is kept of them. Their rate goes up and down with the day, their lengths are
 * log-normal with the means of the Azure conversation trace of 2023. */
#ifndef HD_TESTS_STREAM_WORLD_H
#define HD_TESTS_STREAM_WORLD_H

#include "bench/conv_world.h"

struct stream_world {
    struct conv_world fleet; /* instances of two GPUs; its config is ready to run */
    double per_s, now_s;     /* per_s: mean rate */
    uint64_t state;
    int64_t left;
};

/* `requests` of them on that many instances, at a mean rate of per_s. */
void stream_world_make(struct stream_world *, int64_t requests, double per_s,
                       int instances);
void stream_world_free(struct stream_world *);
/* A measure for one run of it; also starts the arrivals anew. */
struct hd_measure *stream_world_measure(struct stream_world *);

#endif
