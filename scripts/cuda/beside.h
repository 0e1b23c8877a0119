/* The time of one kind of work while another goes on beside it in another stream. */
#ifndef HOTDESK_CUDA_BESIDE_H
#define HOTDESK_CUDA_BESIDE_H

#include <cuda_runtime.h>

#include "bench.h"

/* Work of 10 us or more, so that the host can feed it without gaps. */
struct beside_work {
    void (*enqueue)(void *state, int turn, cudaStream_t); /* as struct device_work's */
    void *state;
    cudaStream_t stream; /* non-blocking, not the other work's */
};

struct beside_time {
    double time_us, mad_us; /* median and median absolute deviation of one repetition */
    long samples;
    long uncovered; /* samples dropped, since the work beside ended too early */
};

/* Times `timed` for about `seconds` while `background`, of which one repetition takes
 * background_us alone, is repeated from before it begins until it has ended; background
 * NULL: nothing beside it. timed_us is about what one repetition takes, to tell how
 * many make a sample; 0: not known. Returns false, and says why on stderr, where no
 * sample came about. Waits until both streams are empty. */
bool beside_measure(const struct beside_work *timed, double timed_us,
                    const struct beside_work *background, double background_us,
                    double seconds, struct beside_time *);

#endif
