/* Kernels that keep one part of the GPU busy for a chosen time, to run beside others.
 */
#ifndef HOTDESK_CUDA_LOADS_H
#define HOTDESK_CUDA_LOADS_H

#include "bench.h"
#include "stream_memory.h"

enum load_kind {
    LOAD_COMPUTE, /* multiply-adds in registers */
    LOAD_MEMORY,  /* reads the GPU's memory */
    LOAD_COPY,    /* reads and writes the GPU's memory */
    LOAD_KINDS
};
extern const char *const load_name[LOAD_KINDS];

/* What several loads share: memory that exceeds the L2 cache by far. */
struct load_memory {
    vector16 *vectors; /* patterned */
    size_t count;      /* a power of two */
    void *results;     /* one word per thread */
    long threads_most;
};

struct load {
    enum load_kind kind;
    struct load_memory *memory;
    int blocks, threads; /* of a launch */
    size_t amount;       /* rounds, or vectors that are read */
};

void load_memory_open(struct load_memory *, struct bench *, size_t bytes);
void load_memory_close(struct load_memory *);

/* A load that lasts about wanted_us in the stream alone, in blocks of 256 threads: so
 * many per SM on so many SMs. Returns what it took really, in us. */
double load_prepare(struct load *, enum load_kind, struct load_memory *, int sms,
                    int blocks_per_sm, double wanted_us, cudaStream_t);

/* As struct device_work has it; state is the load. */
void load_enqueue(void *load, int turn, cudaStream_t);

/* Whether each kind of load computes what it should; says what it does not. */
bool load_verify(struct load_memory *);

#endif
