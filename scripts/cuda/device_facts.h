/* What the program knows of GPU 0 before any process measures on it. */
#ifndef HOTDESK_CUDA_DEVICE_FACTS_H
#define HOTDESK_CUDA_DEVICE_FACTS_H

#include <cuda_runtime.h>

#include "quantity.h"
#include "session.h"

struct device_facts {
    bool found;
    cudaDeviceProp properties;
    int default_mhz; /* the clock that the device runs at unless something holds it back
                      */
    char bus_id[32];
    char driver[96]; /* "580.159.04 cuda 13.0" */
    char error[256]; /* why it was not found */
};

/* Fills them in; makes calls of CUDA, so in a process of its own. */
void device_facts_read(void *facts);

/* Measures the quantity: suite.h's measure, with the facts as its context. */
void bench_measure(void *facts, const struct quantity *, struct session *);

#endif
