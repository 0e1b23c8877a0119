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

enum { LOAD_PARTS = 2 };

/* What several loads share: memory of which each part exceeds the L2 cache by far. Two
 * loads that run at once take different parts, or one would read from the cache what
 * the other has just fetched. */
struct load_memory {
    vector16 *vectors[LOAD_PARTS]; /* patterned */
    size_t count;                  /* of a part, a power of two */
    uint32_t *results[LOAD_PARTS]; /* one word per thread */
};

struct load {
    enum load_kind kind;
    struct load_memory *memory;
    int part;
    int blocks, threads; /* of a launch */
    size_t amount;       /* rounds, or vectors that are read */
};

/* bytes of each part: 16 times a power of two. */
void load_memory_open(struct load_memory *, struct bench *, size_t bytes);
void load_memory_close(struct load_memory *);

/* A load that lasts about wanted_us in the stream alone, in blocks of 256 threads: so
 * many per SM on so many SMs, in part 0 of the memory. Returns what it took really, in
 * us. */
double load_prepare(struct load *, enum load_kind, struct load_memory *, int sms,
                    int blocks_per_sm, double wanted_us, cudaStream_t);

/* Launches it once. */
cudaError_t load_try(const struct load *, cudaStream_t);

/* As struct device_work has it; state is the load. An error ends the quantity. */
void load_enqueue(void *load, int turn, cudaStream_t);

/* Whether each kind of load computes what it should; says what it does not. */
bool load_verify(struct load_memory *);

#endif
