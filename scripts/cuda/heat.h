/* The work that draws most power: a large GEMM on the tensor cores, over and over. */
#ifndef HOTDESK_CUDA_HEAT_H
#define HOTDESK_CUDA_HEAT_H

#include <cuda_runtime.h>

struct heat;

/* Takes 400 MB of the device. Ends the process, saying why, where there is none. */
struct heat *heat_begin(void);
void heat_enqueue(struct heat *,
                  cudaStream_t); /* one GEMM, under a millisecond or two */
void heat_end(struct heat *);

#endif
