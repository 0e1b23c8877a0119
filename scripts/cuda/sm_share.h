/* Streams whose kernels have a part of the GPU's SMs to themselves: two green contexts
 * of the driver (CUDA 12.4), no MPS. */
#ifndef HOTDESK_CUDA_SM_SHARE_H
#define HOTDESK_CUDA_SM_SHARE_H

#include <cuda_runtime.h>

struct sm_share_driver; /* the driver's functions */

/* One part of the SMs and a stream on it. */
struct sm_part {
    int sms;
    cudaStream_t stream;
    void *context;
};

struct sm_share {
    struct sm_part first, rest;
};

/* Finds the functions; NULL: the driver has them not, *why says it. The primary context
 * has to be there. */
struct sm_share_driver *sm_share_open(const char **why);
void sm_share_close(struct sm_share_driver *);

/* Divides the SMs: the first part gets at least `sms` of them, rounded up as the GPU
 * demands it, the rest what is left. false: it could not, *why says it. */
bool sm_share_split(const struct sm_share_driver *, int sms, struct sm_share *,
                    const char **why);

/* Nothing may be running in the streams. */
void sm_share_end(const struct sm_share_driver *, struct sm_share *);

#endif
