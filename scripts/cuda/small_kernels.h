/* The memory-bound kernels of a transformer's layer and of sampling: rmsnorm, rope,
 * silu-mul, residual add, embedding, argmax, drawing at a temperature. bf16 in and out
 * (logits: float), 16 bytes per access; widths are multiples of 8. */
#ifndef HOTDESK_CUDA_SMALL_KERNELS_H
#define HOTDESK_CUDA_SMALL_KERNELS_H

#include <stddef.h>

#include "gpu.h"

enum { SMALL_THREADS = 256, SAMPLING_THREADS = 1024 };

/* x / (1 + e^-x) * up */
DEVICE float silu_mul(float gate, float up) {
    return gate / (1 + expf(-gate)) * up;
}

/* Eight elements, two by two: what f makes of each pair of words. */
ON_GPU struct words4 silu_mul8(struct words4 gate, struct words4 up) {
    struct words4 out;
    UNROLL
    for (int i = 0; i < 4; i++)
        out.w[i] = bf16_pair(silu_mul(bf16_low(gate.w[i]), bf16_low(up.w[i])),
                             silu_mul(bf16_high(gate.w[i]), bf16_high(up.w[i])));
    return out;
}

/* out[row] = in[row] / sqrt(mean of squares + 1e-5) * weight. One block per row. */
KERNEL rmsnorm_kernel(const uint16_t *in, const uint16_t *weight, uint16_t *out,
                      int width) {
    SHARED(float, scratch, 32);
    const uint16_t *const row = in + (size_t)BLOCK_X * (size_t)width;
    float squares = 0;
    for (int i = THREAD * 8; i < width; i += THREADS * 8) {
        const struct words4 x = load16(row + i);
        UNROLL
        for (int j = 0; j < 4; j++)
            squares += bf16_low(x.w[j]) * bf16_low(x.w[j]) +
                       bf16_high(x.w[j]) * bf16_high(x.w[j]);
    }
    squares = block_sum(squares, scratch);
    const float scale = 1 / sqrtf(squares / (float)width + 1e-5f);
    for (int i = THREAD * 8; i < width; i += THREADS * 8) {
        const struct words4 x = load16(row + i), w = load16(weight + i);
        struct words4 y;
        UNROLL
        for (int j = 0; j < 4; j++)
            y.w[j] = bf16_pair(bf16_low(x.w[j]) * scale * bf16_low(w.w[j]),
                               bf16_high(x.w[j]) * scale * bf16_high(w.w[j]));
        store16(out + (size_t)BLOCK_X * (size_t)width + i, y);
    }
}

/* out = a + b, eight elements a thread. */
KERNEL add_kernel(const uint16_t *a, const uint16_t *b, uint16_t *out,
                  size_t elements) {
    const size_t i = ((size_t)BLOCK_X * (size_t)THREADS + (size_t)THREAD) * 8;
    if (i >= elements) return;
    const struct words4 x = load16(a + i), y = load16(b + i);
    struct words4 sum;
    UNROLL
    for (int j = 0; j < 4; j++)
        sum.w[j] = bf16_pair(bf16_low(x.w[j]) + bf16_low(y.w[j]),
                             bf16_high(x.w[j]) + bf16_high(y.w[j]));
    store16(out + i, sum);
}

/* in: rows of `width` gates and `width` ups. Block (row, slice of the row). */
KERNEL silu_mul_kernel(const uint16_t *in, uint16_t *out, int width) {
    const int i = (BLOCK_Y * THREADS + THREAD) * 8;
    if (i >= width) return;
    const uint16_t *const row = in + (size_t)BLOCK_X * 2 * (size_t)width;
    store16(out + (size_t)BLOCK_X * (size_t)width + i,
            silu_mul8(load16(row + i), load16(row + width + i)));
}

/* out[row] = table[ids[row]]. Block (row, slice of the row). */
KERNEL embedding_kernel(const uint16_t *table, const int *ids, uint16_t *out,
                        int width) {
    const int i = (BLOCK_Y * THREADS + THREAD) * 8;
    if (i >= width) return;
    store16(out + (size_t)BLOCK_X * (size_t)width + i,
            load16(table + (size_t)ids[BLOCK_X] * (size_t)width + i));
}

/* Rotates queries and keys by their position: in each head, element i of the first half
 * with element i of the second. rows: one per token, queries, keys and values after one
 * another; turned: written likewise, values left out. angles: head_dim / 2 cosines and
 * as many sines of a position in a row. One block per token. */
KERNEL rope_kernel(const uint16_t *rows, const int *positions, const uint16_t *angles,
                   uint16_t *turned, int heads, int kv_heads, int head_dim) {
    const int half = head_dim / 2, vectors = (heads + kv_heads) * (half / 8);
    const size_t width = (size_t)(heads + 2 * kv_heads) * (size_t)head_dim;
    const uint16_t *const row = rows + (size_t)BLOCK_X * width;
    uint16_t *const to = turned + (size_t)BLOCK_X * width;
    const uint16_t *const angle =
        angles + (size_t)positions[BLOCK_X] * (size_t)head_dim;
    for (int v = THREAD; v < vectors; v += THREADS) {
        const int i = v % (half / 8) * 8, at = v / (half / 8) * head_dim + i;
        const struct words4 c = load16(angle + i), s = load16(angle + half + i);
        const struct words4 x = load16(row + at), y = load16(row + at + half);
        struct words4 first, second;
        UNROLL
        for (int j = 0; j < 4; j++) {
            const float x0 = bf16_low(x.w[j]), x1 = bf16_high(x.w[j]);
            const float y0 = bf16_low(y.w[j]), y1 = bf16_high(y.w[j]);
            const float c0 = bf16_low(c.w[j]), c1 = bf16_high(c.w[j]);
            const float s0 = bf16_low(s.w[j]), s1 = bf16_high(s.w[j]);
            first.w[j] = bf16_pair(x0 * c0 - y0 * s0, x1 * c1 - y1 * s1);
            second.w[j] = bf16_pair(y0 * c0 + x0 * s0, y1 * c1 + x1 * s1);
        }
        store16(to + at, first);
        store16(to + at + half, second);
    }
}

/* The larger of two candidates; the lower index where they are equal. */
struct candidate {
    float value;
    int index;
};

DEVICE struct candidate better(struct candidate a, struct candidate b) {
    return b.value > a.value || (b.value == a.value && b.index < a.index) ? b : a;
}

ON_GPU struct candidate candidate_of(float value, int index) {
    struct candidate c;
    c.value = value;
    c.index = index;
    return c;
}

/* The best of the block's candidates, in every thread. */
ON_GPU struct candidate block_best(struct candidate mine, float *values, int *indices) {
    for (int mask = 16; mask > 0; mask /= 2)
        mine = better(mine, candidate_of(shuffle_xor(mine.value, mask),
                                         shuffle_xor_int(mine.index, mask)));
    if (THREAD % 32 == 0) {
        values[THREAD / 32] = mine.value;
        indices[THREAD / 32] = mine.index;
    }
    sync_block();
    for (int warp = 0; warp < THREADS / 32; warp++)
        mine = better(mine, candidate_of(values[warp], indices[warp]));
    sync_block();
    return mine;
}

/* chosen[row] = the index of the row's largest logit. One block per row. */
KERNEL argmax_kernel(const float *logits, int vocabulary, int *chosen) {
    SHARED(float, values, 32);
    SHARED(int, indices, 32);
    const float *const row = logits + (size_t)BLOCK_X * (size_t)vocabulary;
    struct candidate best = candidate_of(-INFINITY, 0);
    for (int i = THREAD * 4; i < vocabulary; i += THREADS * 4) {
        const struct words4 x = load16(row + i);
        UNROLL
        for (int j = 0; j < 4; j++)
            best = better(best, candidate_of(float_of_bits(x.w[j]), i + j));
    }
    best = block_best(best, values, indices);
    if (THREAD == 0) chosen[BLOCK_X] = best.index;
}

/* chosen[row] = an index drawn with the probabilities softmax(logits / temperature), as
 * the winner of an exponential race: the largest p_i / e_i. sums[row] = the softmax's
 * largest exponent and its sum, from a first pass as engines make it, who return the
 * probabilities too. One block per row. */
KERNEL draw_kernel(const float *logits, int vocabulary, float inverse_temperature,
                   uint32_t seed, float *sums, int *chosen) {
    SHARED(float, values, 32);
    SHARED(int, indices, 32);
    const float *const row = logits + (size_t)BLOCK_X * (size_t)vocabulary;
    float largest = -INFINITY, sum = 0;
    for (int i = THREAD * 4; i < vocabulary; i += THREADS * 4) {
        const struct words4 x = load16(row + i);
        UNROLL
        for (int j = 0; j < 4; j++) {
            const float logit = float_of_bits(x.w[j]) * inverse_temperature;
            if (logit > largest) {
                sum *= expf(largest - logit);
                largest = logit;
            }
            sum += expf(logit - largest);
        }
    }
    const float overall = block_best(candidate_of(largest, 0), values, indices).value;
    sum = block_sum(largest == -INFINITY ? 0 : sum * expf(largest - overall), values);
    const float log_sum = overall + logf(sum);
    struct candidate best = candidate_of(-INFINITY, 0);
    for (int i = THREAD * 4; i < vocabulary; i += THREADS * 4) {
        const struct words4 x = load16(row + i);
        UNROLL
        for (int j = 0; j < 4; j++) {
            const uint64_t draw =
                (uint64_t)BLOCK_X * (uint64_t)vocabulary + (uint64_t)(i + j);
            const float log_p = float_of_bits(x.w[j]) * inverse_temperature - log_sum;
            best =
                better(best, candidate_of(log_p - log_exponential(draw, seed), i + j));
        }
    }
    best = block_best(best, values, indices);
    if (THREAD == 0) {
        sums[2 * BLOCK_X] = overall;
        sums[2 * BLOCK_X + 1] = sum;
        chosen[BLOCK_X] = best.index;
    }
}

#endif
