/* The law of an iteration composed from kernels, in the form that a compiled timing
 * samples. */
#ifndef HD_TIMING_KERNELS_LAW_H
#define HD_TIMING_KERNELS_LAW_H

#include "timing/kernels.h"
#include "timing/table.h"

struct hd_kernels_law {
    const struct hd_composition *composition;
    double *step_s; /* decode step of each batch without attention and all-reduces */
    double *reduce_s;
    int batches;
    struct hd_law law; /* its context is this struct */
};

/* floor_s: what the launches of all layers take at least, a floor beside which the GPU
 * works as in iteration.h; 0 where the engine replays graphs. Host times are left to
 * the caller. The composition must outlive it, and it must stay where it is while the
 * law is used. */
void hd_kernels_law_init(struct hd_kernels_law *, const struct hd_composition *,
                         double floor_s, int batches);
void hd_kernels_law_free(struct hd_kernels_law *);

#endif
