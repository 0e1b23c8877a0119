/* Decode attention over a paged KV cache: one new token per sequence, grouped queries,
 * on the tensor cores, the context split over blocks so that few sequences fill the GPU
 * too.
 *
 * A warp takes 16 tokens, one page, at a time. K and V go from memory straight to the
 * registers in which the tensor cores want them, 16 bytes a load: a product's sum may
 * take its terms, and its columns may be dealt out, in any order that both operands
 * share, and so the order is chosen such that what a lane needs lies together:
 *   scores: slots 2 t, 2 t + 1, 2 t + 8, 2 t + 9 of products 2 j and 2 j + 1 are
 * elements 32 j + 8 t and the next seven of query and key; output: column c of product
 * i is element 64 (i / 8) + 8 c + i % 8 of the value. (t: the lane in its group of
 * four, as in PTX's fragments.) */
#ifndef HOTDESK_CUDA_DECODE_KERNELS_H
#define HOTDESK_CUDA_DECODE_KERNELS_H

#include "decode_plan.h"
#include "gpu.h"

enum {
    DECODE_WARPS = 4,
    DECODE_THREADS = 32 * DECODE_WARPS,
    QUERY_ROWS = 16, /* of a tensor core's operand: the most queries per KV head */
    LARGEST_DIM = 128,
    MOST_SPLITS = 2048
};

struct decode_call {
    const uint16_t *queries;       /* [sequence][head][element] */
    const uint16_t *keys, *values; /* [page][token in page][KV head][element] */
    const int *pages;       /* the sequences' pages, one sequence after the other */
    const int *first_page;  /* of each sequence: where in `pages` */
    const int *contexts;    /* of each sequence: its tokens */
    float *partial_outputs; /* [sequence][head][split][element] */
    float *partial_sums;    /* [sequence][head][split]: largest score, sum */
    uint16_t *outputs;      /* [sequence][head][element] */
    int heads, kv_heads, splits, pages_per_split;
    float scale; /* of the scores, times log2 e */
};

/* One warp's K or V rows of a page, as its lane holds them. */
struct page_rows {
    struct words4 v[2 * LARGEST_DIM / 32];
};

/* Keys of tokens g and g + 8. */
ON_GPU void load_keys(struct page_rows *r, const uint16_t *page, size_t token_stride,
                      int dim) {
    const int g = THREAD % 32 / 4, t = THREAD % 4;
    UNROLL
    for (int tile = 0; tile < 2; tile++) {
        const uint16_t *const row =
            page + (size_t)(g + 8 * tile) * token_stride + 8 * t;
        UNROLL
        for (int j = 0; j < dim / 32; j++)
            r->v[tile * (dim / 32) + j] = load16(row + 32 * j);
    }
}

/* Values of tokens 2 t, 2 t + 1, 2 t + 8, 2 t + 9. */
ON_GPU void load_values(struct page_rows *r, const uint16_t *page, size_t token_stride,
                        int dim) {
    const int g = THREAD % 32 / 4, t = THREAD % 4;
    UNROLL
    for (int i = 0; i < 4; i++) {
        const int token = 2 * t + (i & 1) + 8 * (i >> 1);
        const uint16_t *const row = page + (size_t)token * token_stride + 8 * g;
        UNROLL
        for (int h = 0; h < dim / 64; h++)
            r->v[i * (dim / 64) + h] = load16(row + 64 * h);
    }
}

ON_GPU void load_queries(uint32_t q[][4], const uint16_t *first, int group, int dim) {
    const int g = THREAD % 32 / 4, t = THREAD % 4;
    UNROLL
    for (int j = 0; j < dim / 32; j++) UNROLL
    for (int lower = 0; lower < 2; lower++) {
        const int row = g + 8 * lower;
        struct words4 x = words4_of(0, 0, 0, 0);
        if (row < group) x = load16(first + row * dim + 32 * j + 8 * t);
        q[2 * j][lower] = x.w[0];
        q[2 * j][2 + lower] = x.w[1];
        q[2 * j + 1][lower] = x.w[2];
        q[2 * j + 1][2 + lower] = x.w[3];
    }
}

/* What a lane knows of its two rows, g and g + 8, of the softmax. */
struct running {
    float largest[2], sum[2]; /* sum: over the lane's own tokens */
    float out[LARGEST_DIM / 8][4];
};

ON_GPU void start_running(struct running *r) {
    UNROLL
    for (int row = 0; row < 2; row++) {
        r->largest[row] = -INFINITY;
        r->sum[row] = 0;
    }
    UNROLL
    for (int i = 0; i < LARGEST_DIM / 8; i++) UNROLL
    for (int j = 0; j < 4; j++) r->out[i][j] = 0;
}

/* Scores become weights, and what was summed before is scaled to the new largest.
 * first: the page's first token; tokens from `context` on do not count. */
ON_GPU void weigh(struct running *r, float s[2][4], int first, int context, float scale,
                  int dim) {
    const int t = THREAD % 4;
    float largest[2] = {r->largest[0], r->largest[1]};
    UNROLL
    for (int tile = 0; tile < 2; tile++) UNROLL
    for (int j = 0; j < 4; j++) {
        const bool counts = first + 8 * tile + 2 * t + (j & 1) < context;
        s[tile][j] = counts ? s[tile][j] * scale : -INFINITY;
        largest[j >> 1] = fmaxf(largest[j >> 1], s[tile][j]);
    }
    UNROLL
    for (int row = 0; row < 2; row++) {
        largest[row] = fmaxf(largest[row], shuffle_xor(largest[row], 1));
        largest[row] = fmaxf(largest[row], shuffle_xor(largest[row], 2));
    }
    if (largest[0] > r->largest[0] || largest[1] > r->largest[1]) {
        const float fade[2] = {exp2_fast(r->largest[0] - largest[0]),
                               exp2_fast(r->largest[1] - largest[1])};
        UNROLL
        for (int row = 0; row < 2; row++) {
            r->largest[row] = largest[row];
            r->sum[row] *= fade[row];
        }
        UNROLL
        for (int i = 0; i < dim / 8; i++) UNROLL
        for (int j = 0; j < 4; j++) r->out[i][j] *= fade[j >> 1];
    }
    UNROLL
    for (int tile = 0; tile < 2; tile++) UNROLL
    for (int j = 0; j < 4; j++) {
        s[tile][j] = exp2_fast(s[tile][j] - r->largest[j >> 1]);
        r->sum[j >> 1] += s[tile][j];
    }
}

ON_GPU void multiply_keys(float s[2][4], uint32_t q[][4], const struct page_rows *keys,
                          int dim) {
    UNROLL
    for (int tile = 0; tile < 2; tile++) {
        UNROLL
        for (int j = 0; j < 4; j++) s[tile][j] = 0;
        UNROLL
        for (int j = 0; j < dim / 32; j++) {
            const struct words4 k = keys->v[tile * (dim / 32) + j];
            mma_bf16(s[tile], q[2 * j], k.w[0], k.w[1]);
            mma_bf16(s[tile], q[2 * j + 1], k.w[2], k.w[3]);
        }
    }
}

ON_GPU void multiply_values(struct running *r, float s[2][4],
                            const struct page_rows *values, int dim) {
    const uint32_t weights[4] = {
        bf16_pair(s[0][0], s[0][1]), bf16_pair(s[0][2], s[0][3]),
        bf16_pair(s[1][0], s[1][1]), bf16_pair(s[1][2], s[1][3])};
    const int chunks = dim / 64;
    UNROLL
    for (int h = 0; h < chunks; h++) UNROLL
    for (int i = 0; i < 4; i++) {
        const uint32_t a = values->v[h].w[i], b = values->v[chunks + h].w[i];
        const uint32_t c = values->v[2 * chunks + h].w[i];
        const uint32_t d = values->v[3 * chunks + h].w[i];
        mma_bf16(r->out[8 * h + 2 * i], weights, low_halves(a, b), low_halves(c, d));
        mma_bf16(r->out[8 * h + 2 * i + 1], weights, high_halves(a, b),
                 high_halves(c, d));
    }
}

/* Lays a warp's rows into shared memory. */
ON_GPU void share_running(const struct running *r, float *outputs, float *largest,
                          float *sums, int group, int dim) {
    const int g = THREAD % 32 / 4, t = THREAD % 4;
    UNROLL
    for (int lower = 0; lower < 2; lower++) {
        const int row = g + 8 * lower;
        float sum = r->sum[lower];
        sum += shuffle_xor(sum, 1);
        sum += shuffle_xor(sum, 2);
        if (row >= group) continue;
        largest[row] = r->largest[lower];
        sums[row] = sum;
        UNROLL
        for (int i = 0; i < dim / 8; i++) UNROLL
        for (int j = 0; j < 2; j++)
            outputs[row * dim + 64 * (i / 8) + 8 * (2 * t + j) + i % 8] =
                r->out[i][2 * lower + j];
    }
}

/* Merges the warps' rows: the block's part of the softmax, or all of it. */
ON_GPU void merge_warps(const struct decode_call *c, const float *outputs,
                        const float *largest, const float *sums, int dim, bool whole) {
    const int group = c->heads / c->kv_heads;
    for (int i = THREAD; i < group * dim; i += THREADS) {
        const int row = i / dim, element = i % dim;
        const size_t head =
            (size_t)BLOCK_Z * (size_t)c->heads + (size_t)(BLOCK_X * group + row);
        float overall = -INFINITY, sum = 0, out = 0;
        UNROLL
        for (int warp = 0; warp < DECODE_WARPS; warp++)
            overall = fmaxf(overall, largest[warp * QUERY_ROWS + row]);
        UNROLL
        for (int warp = 0; warp < DECODE_WARPS; warp++) {
            const float fade = exp2_fast(largest[warp * QUERY_ROWS + row] - overall);
            sum += fade * sums[warp * QUERY_ROWS + row];
            out += fade * outputs[(warp * QUERY_ROWS + row) * dim + element];
        }
        if (whole) {
            c->outputs[head * (size_t)dim + (size_t)element] = bf16_of_float(out / sum);
            continue;
        }
        const size_t part = head * (size_t)c->splits + (size_t)BLOCK_Y;
        c->partial_outputs[part * (size_t)dim + (size_t)element] = out;
        if (element == 0) {
            c->partial_sums[2 * part] = overall;
            c->partial_sums[2 * part + 1] = sum;
        }
    }
}

/* Block (KV head, split, sequence). */
ON_GPU void decode_block(const struct decode_call *c, int dim) {
    SHARED(float, outputs, DECODE_WARPS *QUERY_ROWS *LARGEST_DIM);
    SHARED(float, largest, DECODE_WARPS *QUERY_ROWS);
    SHARED(float, sums, DECODE_WARPS *QUERY_ROWS);
    const int context = c->contexts[BLOCK_Z], pages = pages_of(context);
    const int first = BLOCK_Y * c->pages_per_split;
    const int end =
        first + c->pages_per_split < pages ? first + c->pages_per_split : pages;
    if (first >= pages) return; /* a shorter sequence than others: the whole block */
    const int group = c->heads / c->kv_heads, warp = THREAD / 32;
    const size_t token_stride = (size_t)c->kv_heads * (size_t)dim;
    const int *const page_of = c->pages + c->first_page[BLOCK_Z];
    const size_t in_token = (size_t)BLOCK_X * (size_t)dim;
    uint32_t q[LARGEST_DIM / 16][4];
    struct running running;
    struct page_rows keys, values;
    load_queries(q,
                 c->queries +
                     ((size_t)BLOCK_Z * (size_t)c->heads + (size_t)(BLOCK_X * group)) *
                         (size_t)dim,
                 group, dim);
    start_running(&running);
    int page = first + warp;
    if (page < end) {
        const size_t at = page_element(page_of[page], token_stride) + in_token;
        load_keys(&keys, c->keys + at, token_stride, dim);
        load_values(&values, c->values + at, token_stride, dim);
    }
    /* the next page's rows are on their way while this one's are worked on */
    int following = page + DECODE_WARPS < end ? page_of[page + DECODE_WARPS] : 0;
    for (; page < end; page += DECODE_WARPS) {
        const bool more = page + DECODE_WARPS < end;
        const size_t at = page_element(following, token_stride) + in_token;
        float s[2][4];
        if (page + 2 * DECODE_WARPS < end) following = page_of[page + 2 * DECODE_WARPS];
        multiply_keys(s, q, &keys, dim);
        if (more) load_keys(&keys, c->keys + at, token_stride, dim);
        weigh(&running, s, page * PAGE_TOKENS, context, c->scale, dim);
        multiply_values(&running, s, &values, dim);
        if (more) load_values(&values, c->values + at, token_stride, dim);
    }
    share_running(&running, outputs + warp * QUERY_ROWS * dim,
                  largest + warp * QUERY_ROWS, sums + warp * QUERY_ROWS, group, dim);
    sync_block();
    merge_warps(c, outputs, largest, sums, dim, pages <= c->pages_per_split);
}

KERNEL decode_kernel_64(const struct decode_call call) {
    decode_block(&call, 64);
}
KERNEL decode_kernel_128(const struct decode_call call) {
    decode_block(&call, 128);
}

/* Merges the splits of each head; block (head, sequence), a thread per element. What
 * one split alone made is finished already. */
KERNEL merge_splits_kernel(const struct decode_call c) {
    SHARED(float, fades, MOST_SPLITS);
    SHARED(float, scratch, 32);
    const int splits = splits_of(pages_of(c.contexts[BLOCK_Y]), c.pages_per_split);
    if (splits == 1) return;
    const int dim = THREADS;
    const size_t head = (size_t)BLOCK_Y * (size_t)c.heads + (size_t)BLOCK_X;
    const float *const sums = c.partial_sums + 2 * head * (size_t)c.splits;
    const float *const outputs =
        c.partial_outputs + head * (size_t)c.splits * (size_t)dim + THREAD;
    float overall = -INFINITY, sum = 0, out = 0;
    for (int i = THREAD; i < splits; i += THREADS)
        overall = fmaxf(overall, sums[2 * i]);
    overall = block_max(overall, scratch);
    for (int i = THREAD; i < splits; i += THREADS) {
        fades[i] = exp2_fast(sums[2 * i] - overall);
        sum += fades[i] * sums[2 * i + 1];
    }
    sum = block_sum(sum, scratch);
    UNROLL_BY(8)
    for (int i = 0; i < splits; i++) out += fades[i] * outputs[(size_t)i * (size_t)dim];
    c.outputs[head * (size_t)dim + (size_t)THREAD] = bf16_of_float(out / sum);
}

#endif
