/* Prefill attention: a chunk of new tokens over all that came before and themselves,
 * causal, grouped queries, online softmax, on the tensor cores through mma.sync. Keys
 * and values pass through shared memory, one tile on its way while another is worked
 * on. A block takes 128 queries of one head, each of its warps 32 of them. */
#ifndef HOTDESK_CUDA_PREFILL_KERNELS_H
#define HOTDESK_CUDA_PREFILL_KERNELS_H

#include <stddef.h>

#include "gpu.h"
#include "prefill_call.h"

enum {
    PREFILL_WARPS = 4,
    PREFILL_THREADS = 32 * PREFILL_WARPS,
    WARP_ROWS = 32, /* queries: two operands of 16 rows */
    BLOCK_ROWS = PREFILL_WARPS * WARP_ROWS,
    TILE_TOKENS = 64, /* in shared memory at a time, and again */
    STEP_TOKENS = 32, /* whose scores a warp holds at a time */
    PREFILL_LARGEST_DIM = 128
};

/* Shared memory: the block's queries, two tiles of keys, two of values. */
DEVICE size_t prefill_shared_bytes(int dim) {
    return (size_t)(BLOCK_ROWS + 4 * TILE_TOKENS) * (size_t)dim * 2;
}

/* Where in a tile of rows the 16 bytes number `chunk` of a row lie: rotated by the row,
 * so that eight rows' chunks of one number lie in different banks. */
DEVICE int tile_element(int row, int chunk, int dim) {
    return row * dim + (chunk ^ (row & 7)) * 8;
}

/* Sends `rows` rows on their way; those from `there` on are zeros. */
ON_GPU void send_rows(uint16_t *to, const uint16_t *from, size_t stride, int rows,
                      int there, int dim) {
    const int chunks = dim / 8;
    UNROLL
    for (int i = 0; i < rows * chunks / PREFILL_THREADS; i++) {
        const int at = i * PREFILL_THREADS + THREAD;
        const int row = at / chunks, chunk = at % chunks;
        copy16_async(to + tile_element(row, chunk, dim),
                     from + (size_t)row * stride + (size_t)(8 * chunk), row < there);
    }
}

/* What a warp knows of its 32 queries: two tiles of 16, in each the lane's rows g and
 * g + 8. */
struct prefill_rows {
    float largest[2][2], sum[2][2]; /* sum: over the lane's own tokens */
    float out[2][PREFILL_LARGEST_DIM / 8][4];
};

ON_GPU void start_rows(struct prefill_rows *r, int dim) {
    UNROLL
    for (int m = 0; m < 2; m++) {
        UNROLL
        for (int row = 0; row < 2; row++) {
            r->largest[m][row] = -INFINITY;
            r->sum[m][row] = 0;
        }
        UNROLL
        for (int i = 0; i < dim / 8; i++) UNROLL
        for (int j = 0; j < 4; j++) r->out[m][i][j] = 0;
    }
}

/* s = the warp's queries times the keys of 32 tokens. */
ON_GPU void score_step(float s[2][4][4], const uint16_t *queries, const uint16_t *keys,
                       int first_row, int first_token, int dim) {
    const int lane = THREAD % 32, eighth = lane / 8, in_eighth = lane % 8;
    UNROLL
    for (int m = 0; m < 2; m++) UNROLL
    for (int n = 0; n < 4; n++) UNROLL
    for (int j = 0; j < 4; j++) s[m][n][j] = 0;
    UNROLL
    for (int k = 0; k < dim / 16; k++) {
        uint32_t q[2][4];
        UNROLL
        for (int m = 0; m < 2; m++)
            load_matrices(q[m], queries + tile_element(first_row + 16 * m + in_eighth +
                                                           8 * (eighth & 1),
                                                       2 * k + eighth / 2, dim));
        UNROLL
        for (int n = 0; n < 2; n++) {
            uint32_t key[4];
            load_matrices(key, keys + tile_element(first_token + 16 * n + in_eighth +
                                                       8 * (eighth / 2),
                                                   2 * k + (eighth & 1), dim));
            UNROLL
            for (int m = 0; m < 2; m++) {
                mma_bf16(s[m][2 * n], q[m], key[0], key[1]);
                mma_bf16(s[m][2 * n + 1], q[m], key[2], key[3]);
            }
        }
    }
}

/* Lets each query see the tokens up to itself. ahead: how many tokens the step's first
 * comes after the place of the warp's first query; negative before it. */
ON_GPU void hide_later(float s[2][4][4], int ahead) {
    const int g = THREAD % 32 / 4, t = THREAD % 4;
    UNROLL
    for (int m = 0; m < 2; m++) UNROLL
    for (int n = 0; n < 4; n++) UNROLL
    for (int j = 0; j < 4; j++)
        if (ahead + 8 * n + 2 * t + (j & 1) > 16 * m + g + 8 * (j >> 1))
            s[m][n][j] = -INFINITY;
}

/* Scores become weights, and what was summed before is scaled to the new largest. */
ON_GPU void weigh_step(struct prefill_rows *r, float s[2][4][4], float scale, int dim) {
    UNROLL
    for (int m = 0; m < 2; m++) UNROLL
    for (int row = 0; row < 2; row++) {
        float largest = -INFINITY, sum = 0;
        UNROLL
        for (int n = 0; n < 4; n++)
            largest = fmaxf(largest, fmaxf(s[m][n][2 * row], s[m][n][2 * row + 1]));
        largest = fmaxf(largest, shuffle_xor(largest, 1));
        largest = fmaxf(largest, shuffle_xor(largest, 2));
        largest = fmaxf(r->largest[m][row], largest * scale);
        const float fade = exp2_fast(r->largest[m][row] - largest);
        r->largest[m][row] = largest;
        UNROLL
        for (int n = 0; n < 4; n++) UNROLL
        for (int j = 2 * row; j < 2 * row + 2; j++) {
            s[m][n][j] = exp2_fast(s[m][n][j] * scale - largest);
            sum += s[m][n][j];
        }
        r->sum[m][row] = r->sum[m][row] * fade + sum;
        UNROLL
        for (int i = 0; i < dim / 8; i++) UNROLL
        for (int j = 2 * row; j < 2 * row + 2; j++) r->out[m][i][j] *= fade;
    }
}

/* Adds the weighted values of 32 tokens. */
ON_GPU void value_step(struct prefill_rows *r, float s[2][4][4], const uint16_t *values,
                       int first_token, int dim) {
    const int lane = THREAD % 32, eighth = lane / 8, in_eighth = lane % 8;
    UNROLL
    for (int k = 0; k < 2; k++) {
        uint32_t weights[2][4];
        UNROLL
        for (int m = 0; m < 2; m++) UNROLL
        for (int i = 0; i < 4; i++)
            weights[m][i] = bf16_pair(s[m][2 * k + i / 2][2 * (i & 1)],
                                      s[m][2 * k + i / 2][2 * (i & 1) + 1]);
        UNROLL
        for (int i = 0; i < dim / 16; i++) {
            uint32_t value[4];
            load_matrices_transposed(
                value, values + tile_element(first_token + 16 * k + in_eighth +
                                                 8 * (eighth & 1),
                                             2 * i + eighth / 2, dim));
            UNROLL
            for (int m = 0; m < 2; m++) {
                mma_bf16(r->out[m][2 * i], weights[m], value[0], value[1]);
                mma_bf16(r->out[m][2 * i + 1], weights[m], value[2], value[3]);
            }
        }
    }
}

/* Writes the warp's rows through its own part of the queries' shared memory, which no
 * other warp reads, so that whole rows go out 16 bytes a store. rows: how many exist.
 */
ON_GPU void write_rows(const struct prefill_rows *r, uint16_t *shared, uint16_t *to,
                       size_t stride, int first_row, int rows, int dim) {
    const int lane = THREAD % 32, g = lane / 4, t = lane % 4;
    UNROLL
    for (int m = 0; m < 2; m++) UNROLL
    for (int half = 0; half < 2; half++) {
        const int row = first_row + 16 * m + 8 * half + g;
        float sum = r->sum[m][half];
        sum += shuffle_xor(sum, 1);
        sum += shuffle_xor(sum, 2);
        const float share = 1 / sum;
        UNROLL
        for (int i = 0; i < dim / 8; i++) {
            const uint32_t pair = bf16_pair(r->out[m][i][2 * half] * share,
                                            r->out[m][i][2 * half + 1] * share);
            *(uint32_t *)(void *)(shared + tile_element(row, i, dim) + 2 * t) = pair;
        }
    }
    sync_warp();
    const int chunks = dim / 8;
    UNROLL
    for (int i = 0; i < WARP_ROWS * chunks / 32; i++) {
        const int row = first_row + (i * 32 + lane) / chunks, chunk = lane % chunks;
        if (row < rows)
            store16(to + (size_t)row * stride + (size_t)(8 * chunk),
                    load16_shared(shared + tile_element(row, chunk, dim)));
    }
}

/* Block (128 queries, the last first as they have most to see; head). */
ON_GPU void prefill_block(const struct prefill_call *c, int dim) {
    DYNAMIC_SHARED(shared);
    uint16_t *const queries = (uint16_t *)(void *)shared;
    uint16_t *const keys = queries + BLOCK_ROWS * dim;
    uint16_t *const values = keys + 2 * TILE_TOKENS * dim;
    const int first_query = (GRID_X - 1 - BLOCK_X) * BLOCK_ROWS;
    const int first_row = THREAD / 32 * WARP_ROWS;
    const int rows =
        c->chunk - first_query < BLOCK_ROWS ? c->chunk - first_query : BLOCK_ROWS;
    const int tokens = c->prefix + first_query + rows;
    const int tiles = (tokens + TILE_TOKENS - 1) / TILE_TOKENS;
    const size_t query_stride = (size_t)c->heads * (size_t)dim;
    const size_t token_stride = (size_t)c->kv_heads * (size_t)dim;
    const size_t in_query =
        (size_t)first_query * query_stride + (size_t)BLOCK_Y * (size_t)dim;
    const size_t in_token = (size_t)(BLOCK_Y / (c->heads / c->kv_heads)) * (size_t)dim;
    struct prefill_rows running;
    start_rows(&running, dim);
    send_rows(queries, c->queries + in_query, query_stride, BLOCK_ROWS, rows, dim);
    send_rows(keys, c->keys + in_token, token_stride, TILE_TOKENS, tokens, dim);
    send_rows(values, c->values + in_token, token_stride, TILE_TOKENS, tokens, dim);
    copies_commit();
    for (int tile = 0; tile < tiles; tile++) {
        const int first = tile * TILE_TOKENS, next = first + TILE_TOKENS;
        const uint16_t *const tile_keys = keys + (tile & 1) * TILE_TOKENS * dim;
        const uint16_t *const tile_values = values + (tile & 1) * TILE_TOKENS * dim;
        copies_wait(0);
        sync_block(); /* the tile is there, and all are done with the one before it */
        if (next < tokens) {
            const size_t at = (size_t)next * token_stride + in_token;
            const int to = (~tile & 1) * TILE_TOKENS * dim;
            send_rows(keys + to, c->keys + at, token_stride, TILE_TOKENS, tokens - next,
                      dim);
            send_rows(values + to, c->values + at, token_stride, TILE_TOKENS,
                      tokens - next, dim);
            copies_commit();
        }
        for (int step = 0; step < TILE_TOKENS; step += STEP_TOKENS) {
            const int ahead = first + step - (c->prefix + first_query + first_row);
            float s[2][4][4];
            if (ahead >= WARP_ROWS) break; /* later than all of the warp's queries */
            score_step(s, queries, tile_keys, first_row, step, dim);
            if (ahead + STEP_TOKENS > 1) hide_later(s, ahead);
            weigh_step(&running, s, c->scale, dim);
            value_step(&running, s, tile_values, step, dim);
        }
    }
    write_rows(&running, queries, c->outputs + in_query, query_stride, first_row, rows,
               dim);
}

KERNEL prefill_kernel_64(const struct prefill_call call) {
    prefill_block(&call, 64);
}
KERNEL prefill_kernel_128(const struct prefill_call call) {
    prefill_block(&call, 128);
}

#endif
