/* Fills buffers with the random data of number_formats.h, 16 bytes a thread at a time:
 * the host knows every element without reading it back. */
#ifndef HOTDESK_CUDA_FILL_KERNELS_H
#define HOTDESK_CUDA_FILL_KERNELS_H

#include <stddef.h>

#include "gpu.h"

enum { FILL_BLOCKS = 2048, FILL_THREADS = 256 };

/* elements: a multiple of 8. */
KERNEL fill_bf16_kernel(uint16_t *to, size_t elements, uint32_t seed) {
    const size_t stride = (size_t)GRID_X * (size_t)THREADS * 8;
    size_t i = ((size_t)BLOCK_X * (size_t)THREADS + (size_t)THREAD) * 8;
    for (; i < elements; i += stride) {
        struct words4 v;
        UNROLL
        for (size_t j = 0; j < 4; j++)
            v.w[j] = bf16_pair(random_value(i + 2 * j, seed),
                               random_value(i + 2 * j + 1, seed));
        store16(to + i, v);
    }
}

/* elements: a multiple of 16. */
KERNEL fill_e4m3_kernel(uint8_t *to, size_t elements, uint32_t seed) {
    const size_t stride = (size_t)GRID_X * (size_t)THREADS * 16;
    size_t i = ((size_t)BLOCK_X * (size_t)THREADS + (size_t)THREAD) * 16;
    for (; i < elements; i += stride) {
        struct words4 v = words4_of(0, 0, 0, 0);
        UNROLL
        for (size_t j = 0; j < 16; j++)
            v.w[j / 4] |= (uint32_t)random_e4m3(i + j, seed) << (8 * (j % 4));
        store16(to + i, v);
    }
}

/* Logits: from -8 to 8. elements: a multiple of 4. */
KERNEL fill_logits_kernel(float *to, size_t elements, uint32_t seed) {
    const size_t stride = (size_t)GRID_X * (size_t)THREADS * 4;
    size_t i = ((size_t)BLOCK_X * (size_t)THREADS + (size_t)THREAD) * 4;
    for (; i < elements; i += stride) {
        struct words4 v;
        UNROLL
        for (size_t j = 0; j < 4; j++)
            v.w[j] = bits_of_float(8 * random_value(i + j, seed));
        store16(to + i, v);
    }
}

#endif
