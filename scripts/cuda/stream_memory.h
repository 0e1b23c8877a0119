/* What one thread of a memory kernel does: it takes every threads-th vector of 16
 * bytes, UNROLL of them in flight at a time. The vectors are numbered 0 to count-1 and
 * lie at (number & mask): a mask of 2^k - 1 goes round in a buffer of 2^k vectors, one
 * of all bits leaves the number as it is. */
#ifndef HOTDESK_CUDA_STREAM_MEMORY_H
#define HOTDESK_CUDA_STREAM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "pattern.h"

#ifdef __CUDACC__
typedef uint4 vector16; /* loaded and stored by one instruction */
#else
typedef struct {
    uint32_t x, y, z, w;
} vector16;
#endif

enum { STREAM_UNROLL = 4 };
#define STREAM_NO_WRAP (~(size_t)0)

DEVICE uint32_t vector_xor(vector16 v) {
    return v.x ^ v.y ^ v.z ^ v.w;
}

DEVICE vector16 vector_pattern(uint32_t seed, uint64_t number) {
    vector16 v;
    v.x = pattern_word(seed, 4 * number);
    v.y = v.x + 0x9e3779b9u;
    v.z = v.y + 0x9e3779b9u;
    v.w = v.z + 0x9e3779b9u;
    return v;
}

/* The exclusive or of all words that this thread read. */
DEVICE uint32_t stream_read(const vector16 *in, size_t count, size_t mask,
                            size_t thread, size_t threads) {
    uint32_t sum = 0;
    size_t i = thread;
    for (; i + (STREAM_UNROLL - 1) * threads < count; i += STREAM_UNROLL * threads) {
        vector16 v[STREAM_UNROLL];
        for (int u = 0; u < STREAM_UNROLL; u++) v[u] = in[(i + u * threads) & mask];
        for (int u = 0; u < STREAM_UNROLL; u++) sum ^= vector_xor(v[u]);
    }
    for (; i < count; i += threads) sum ^= vector_xor(in[i & mask]);
    return sum;
}

/* Writes the pattern. */
DEVICE void stream_write(vector16 *out, size_t count, uint32_t seed, size_t thread,
                         size_t threads) {
    for (size_t i = thread; i < count; i += threads) out[i] = vector_pattern(seed, i);
}

DEVICE void stream_copy(vector16 *out, const vector16 *in, size_t count, size_t mask,
                        size_t thread, size_t threads) {
    size_t i = thread;
    for (; i + (STREAM_UNROLL - 1) * threads < count; i += STREAM_UNROLL * threads) {
        vector16 v[STREAM_UNROLL];
        for (int u = 0; u < STREAM_UNROLL; u++) v[u] = in[(i + u * threads) & mask];
        for (int u = 0; u < STREAM_UNROLL; u++) out[(i + u * threads) & mask] = v[u];
    }
    for (; i < count; i += threads) out[i & mask] = in[i & mask];
}

/* a + 3 b of each word, modulo 2^32: whole numbers, so that the result is exact. */
DEVICE vector16 triad_of(vector16 a, vector16 b) {
    vector16 v;
    v.x = a.x + 3 * b.x;
    v.y = a.y + 3 * b.y;
    v.z = a.z + 3 * b.z;
    v.w = a.w + 3 * b.w;
    return v;
}

DEVICE void stream_triad(vector16 *out, const vector16 *a, const vector16 *b,
                         size_t count, size_t thread, size_t threads) {
    size_t i = thread;
    for (; i + threads < count; i += 2 * threads) {
        vector16 a0 = a[i], a1 = a[i + threads], b0 = b[i], b1 = b[i + threads];
        out[i] = triad_of(a0, b0);
        out[i + threads] = triad_of(a1, b1);
    }
    for (; i < count; i += threads) out[i] = triad_of(a[i], b[i]);
}

#endif
