/* A list of shapes measured one after the other: attention and small operators. */
#ifndef HOTDESK_CUDA_SHAPE_LIST_H
#define HOTDESK_CUDA_SHAPE_LIST_H

#include "bench.h"

struct shape_list {
    struct shape *shape; /* of host_memory */
    int count;
    /* Whether the memory that was allocated does for a shape; and setting it up, up to
     * the first launch. Their state is the work's. */
    bool (*fits)(void *state, const struct shape *, const cudaDeviceProp *);
    void (*prepare)(void *state, const struct shape *, const cudaDeviceProp *);
    struct device_work work;
};

/* Drops the shapes that do not fit, and says how many. */
void shapes_drop(struct bench *, struct shape_list *);

/* Measures those of them that are wanted until the budget is used up. */
void shapes_measure(struct bench *, const struct shape_list *);

/* malloc, or the quantity ends and says so. */
void *host_memory(size_t bytes);

#endif
