/* Decode attention over a paged KV cache in bf16, pages of 16 tokens: the kernels of
 * decode_kernels.h. The cache is cold and its pages lie scattered. Of a ragged batch
 * (variants ragged_4, ragged_16) the mean is `context`, the longest sequence `count`: 4
 * or 16 times the mean; the others are alike. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attention_reference.h"
#include "bench.h"
#include "decode_kernels.h"
#include "fill_kernels.h"
#include "math_shapes.h"
#include "rotation.h"
#include "shape_list.h"

namespace {

enum { MOST_SEQUENCES = 512, MOST_HEADS = 128 };

/* Of all shapes. */
struct memory {
    size_t pool_bytes;    /* of keys, and again of values */
    size_t partial_bytes; /* of the splits' outputs */
    uint16_t *keys, *values, *queries, *outputs;
    float *partial_outputs, *partial_sums;
    int *pages; /* the pool's pages, scattered; for one size of page at a time */
    size_t pages_bytes;
    int *first_page, *contexts;
};

struct decode {
    struct memory memory;
    int resident[2]; /* blocks that the GPU runs at once: heads of 64, of 128 */
    long page_bytes; /* that `pages` was made for */
    /* of the shape at hand */
    struct decode_call call;
    struct rotation rotation;
    long pages_used; /* by one copy */
    int sequences, dim;
};

long page_bytes_of(const struct shape *s) {
    return PAGE_TOKENS * s->kv_heads * s->head_dim * 2;
}

long sequence_pages(const struct shape *s, long i) {
    return pages_of(context_of(s->batch, s->context, s->count, i));
}

long all_pages(const struct shape *s) {
    long pages = 0;
    for (long i = 0; i < s->batch; i++) pages += sequence_pages(s, i);
    return pages;
}

int pages_per_split(const struct decode *d, const struct shape *s) {
    return pages_per_split_of(all_pages(s), (int)s->kv_heads,
                              d->resident[s->head_dim == 64 ? 0 : 1]);
}

/* Of the longest sequence, which is the first. */
int most_splits(const struct decode *d, const struct shape *s) {
    return splits_of((int)sequence_pages(s, 0), pages_per_split(d, s));
}

struct rotation rotation_for(const struct decode *d, const struct shape *s,
                             const cudaDeviceProp *device) {
    /* keys alone: as many values lie in the other pool */
    return rotation_of((size_t)(all_pages(s) * page_bytes_of(s)), d->memory.pool_bytes,
                       (size_t)device->l2CacheSize / 2);
}

bool fits(void *state, const struct shape *s, const cudaDeviceProp *device) {
    const struct decode *const d = (const struct decode *)state;
    const size_t parts = (size_t)(s->batch * s->heads * most_splits(d, s));
    return s->batch <= MOST_SEQUENCES && s->heads <= MOST_HEADS &&
           most_splits(d, s) <= MOST_SPLITS &&
           parts * (size_t)s->head_dim * 4 <= d->memory.partial_bytes &&
           rotation_for(d, s, device).copies > 0;
}

/* Scatters the pool's pages anew when their size has changed. */
void scatter_pages(struct decode *d, const struct shape *s) {
    const long bytes = page_bytes_of(s), pages = (long)d->memory.pool_bytes / bytes;
    if (bytes == d->page_bytes) return;
    const long step = scatter_step(pages);
    int *const table = (int *)host_memory((size_t)pages * sizeof *table);
    for (long i = 0; i < pages; i++) table[i] = scattered_page(i, step, pages);
    CUDA(cudaMemcpy(d->memory.pages, table, (size_t)pages * sizeof *table,
                    cudaMemcpyHostToDevice));
    free(table);
    d->page_bytes = bytes;
}

void enqueue(void *state, int turn, cudaStream_t stream) {
    const struct decode *const d = (const struct decode *)state;
    struct decode_call call = d->call;
    call.pages += turn % d->rotation.copies * d->pages_used;
    const dim3 grid((unsigned)call.kv_heads, (unsigned)call.splits,
                    (unsigned)d->sequences);
    if (d->dim == 64)
        decode_kernel_64<<<grid, DECODE_THREADS, 0, stream>>>(call);
    else
        decode_kernel_128<<<grid, DECODE_THREADS, 0, stream>>>(call);
    if (call.splits > 1) {
        const dim3 rows((unsigned)call.heads, (unsigned)d->sequences);
        merge_splits_kernel<<<rows, (unsigned)d->dim, 0, stream>>>(call);
    }
    CUDA(cudaGetLastError());
}

void prepare(void *state, const struct shape *s, const cudaDeviceProp *device) {
    struct decode *const d = (struct decode *)state;
    int first_page[MOST_SEQUENCES], contexts[MOST_SEQUENCES];
    const size_t bytes = (size_t)s->batch * sizeof *contexts;
    d->pages_used = 0;
    for (long i = 0; i < s->batch; i++) {
        first_page[i] = (int)d->pages_used;
        contexts[i] = context_of(s->batch, s->context, s->count, i);
        d->pages_used += pages_of(contexts[i]);
    }
    CUDA(cudaMemcpy(d->memory.first_page, first_page, bytes, cudaMemcpyHostToDevice));
    CUDA(cudaMemcpy(d->memory.contexts, contexts, bytes, cudaMemcpyHostToDevice));
    scatter_pages(d, s);
    d->sequences = (int)s->batch;
    d->dim = (int)s->head_dim;
    d->rotation = rotation_for(d, s, device);
    d->call.queries = d->memory.queries;
    d->call.keys = d->memory.keys;
    d->call.values = d->memory.values;
    d->call.pages = d->memory.pages;
    d->call.first_page = d->memory.first_page;
    d->call.contexts = d->memory.contexts;
    d->call.partial_outputs = d->memory.partial_outputs;
    d->call.partial_sums = d->memory.partial_sums;
    d->call.outputs = d->memory.outputs;
    d->call.heads = (int)s->heads;
    d->call.kv_heads = (int)s->kv_heads;
    d->call.splits = most_splits(d, s);
    d->call.pages_per_split = pages_per_split(d, s);
    d->call.scale = (float)(attention_scale(d->dim) * 1.4426950408889634);
    enqueue(d, 0, 0); /* loads the kernels: not behind one that blocks */
    CUDA(cudaDeviceSynchronize());
}

/* The largest error of one head of one sequence, against what rounding explains. */
double head_error(const struct decode *d, const struct shape *s, int turn,
                  long sequence, long head) {
    const long context = context_of(s->batch, s->context, s->count, sequence);
    const long pool_pages = (long)d->memory.pool_bytes / page_bytes_of(s);
    const long step = scatter_step(pool_pages);
    const size_t stride = (size_t)(s->kv_heads * s->head_dim);
    const uint64_t row = (uint64_t)((sequence * s->heads + head) * s->head_dim);
    uint64_t *const tokens = (uint64_t *)host_memory((size_t)context * sizeof *tokens);
    long first = turn % d->rotation.copies * d->pages_used;
    for (long i = 0; i < sequence; i++) first += sequence_pages(s, i);
    for (long i = 0; i < context; i++) {
        const int page = scattered_page(first + i / PAGE_TOKENS, step, pool_pages);
        tokens[i] = page_element(page, stride) + (size_t)(i % PAGE_TOKENS) * stride +
                    (size_t)(head / (s->heads / s->kv_heads) * s->head_dim);
    }
    double must[LARGEST_DIM], worst = 0;
    uint16_t is[LARGEST_DIM];
    attention_reference(must, row, tokens, context, d->dim);
    CUDA(cudaMemcpy(is, d->memory.outputs + row, (size_t)d->dim * sizeof *is,
                    cudaMemcpyDeviceToHost));
    for (int i = 0; i < d->dim; i++) {
        const double off =
            fabs(float_of_bf16(is[i]) - must[i]) / attention_tolerance(must[i]);
        worst = larger_error(worst, off);
    }
    free(tokens);
    return worst;
}

void verify(struct bench *b, struct decode *d, const struct shape *s) {
    enum { HEADS = 12, TURN = 1 };
    prepare(d, s, bench_properties(b));
    CUDA(cudaMemset(d->memory.outputs, 0xff,
                    (size_t)(s->batch * s->heads * s->head_dim) * 2));
    enqueue(d, TURN, 0);
    CUDA(cudaDeviceSynchronize());
    double worst = 0;
    for (uint64_t i = 0; i < HEADS; i++) {
        /* the first sequence, the long one, among them */
        const long sequence = i == 0 ? 0 : (long)(scrambled(i, 1) % (uint64_t)s->batch);
        const long head = (long)(scrambled(i, 2) % (uint64_t)s->heads);
        const double off = head_error(d, s, TURN, sequence, head);
        worst = larger_error(worst, off);
    }
    bench_verified(
        b, s, worst <= 1,
        "batch %ld context %ld heads %ld/%ld of %ld: %.3g times the error that "
        "rounding explains",
        s->batch, s->context, s->heads, s->kv_heads, s->head_dim, worst);
}

void verify_all(struct bench *b, struct decode *d) {
    static const struct {
        long batch, context, count, heads, kv_heads, head_dim;
        const char *variant;
    } SHAPES[] = {
        {3, 1500, -1, 32, 8, 128, ""},
        {300, 100, -1, 28, 4, 128, ""},
        {2, 700, -1, 40, 40, 128, ""},
        {2, 700, -1, 64, 4, 128, ""},
        {4, 999, -1, 64, 8, 64, ""},
        {8, 500, 2000, 32, 8, 128, "ragged_4"},
        {40, 100, 1600, 32, 8, 128, "ragged_16"},
    };
    for (const auto &size : SHAPES) {
        struct shape s = shape_of("attention_decode", size.variant, "bf16");
        s.batch = size.batch;
        s.context = size.context;
        s.count = size.count;
        s.heads = size.heads;
        s.kv_heads = size.kv_heads;
        s.head_dim = size.head_dim;
        if (fits(d, &s, bench_properties(b))) verify(b, d, &s);
    }
}

void allocate(struct decode *d, const cudaDeviceProp *device) {
    struct memory *const m = &d->memory;
    const size_t row_bytes = (size_t)MOST_SEQUENCES * MOST_HEADS * LARGEST_DIM * 2;
    const size_t smallest_page = (size_t)PAGE_TOKENS * 2 * 64 * 2;
    const void *const kernels[2] = {(const void *)decode_kernel_64,
                                    (const void *)decode_kernel_128};
    size_t free_bytes, total_bytes;
    memset(d, 0, sizeof *d);
    for (int i = 0; i < 2; i++) {
        CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&d->resident[i], kernels[i],
                                                           DECODE_THREADS, 0));
        d->resident[i] *= device->multiProcessorCount;
    }
    CUDA(cudaMemGetInfo(&free_bytes, &total_bytes));
    m->pool_bytes = free_bytes / 3 / smallest_page * smallest_page;
    if (m->pool_bytes > (size_t)20 << 30) m->pool_bytes = (size_t)20 << 30;
    m->partial_bytes = free_bytes / 64;
    m->pages_bytes = m->pool_bytes / smallest_page * sizeof *m->pages;
    CUDA(cudaMalloc((void **)&m->keys, m->pool_bytes));
    CUDA(cudaMalloc((void **)&m->values, m->pool_bytes));
    CUDA(cudaMalloc((void **)&m->queries, row_bytes));
    CUDA(cudaMalloc((void **)&m->outputs, row_bytes));
    CUDA(cudaMalloc((void **)&m->partial_outputs, m->partial_bytes));
    CUDA(cudaMalloc((void **)&m->partial_sums, m->partial_bytes / 32));
    CUDA(cudaMalloc((void **)&m->pages, m->pages_bytes));
    CUDA(cudaMalloc((void **)&m->first_page, MOST_SEQUENCES * sizeof(int)));
    CUDA(cudaMalloc((void **)&m->contexts, MOST_SEQUENCES * sizeof(int)));
    fill_bf16_kernel<<<FILL_BLOCKS, FILL_THREADS>>>(m->keys, m->pool_bytes / 2,
                                                    KEY_SEED);
    fill_bf16_kernel<<<FILL_BLOCKS, FILL_THREADS>>>(m->values, m->pool_bytes / 2,
                                                    VALUE_SEED);
    fill_bf16_kernel<<<FILL_BLOCKS, FILL_THREADS>>>(m->queries, row_bytes / 2,
                                                    QUERY_SEED);
    CUDA(cudaGetLastError());
    CUDA(cudaDeviceSynchronize());
}

void release(struct memory *m) {
    CUDA(cudaFree(m->keys));
    CUDA(cudaFree(m->values));
    CUDA(cudaFree(m->queries));
    CUDA(cudaFree(m->outputs));
    CUDA(cudaFree(m->partial_outputs));
    CUDA(cudaFree(m->partial_sums));
    CUDA(cudaFree(m->pages));
    CUDA(cudaFree(m->first_page));
    CUDA(cudaFree(m->contexts));
}

void run(struct bench *b) {
    struct shape_list list;
    struct decode d;
    memset(&list, 0, sizeof list);
    list.shape = (struct shape *)host_memory(MATH_SHAPES_MOST * sizeof *list.shape);
    list.count = decode_shapes(list.shape, bench_quick(b) ? 2 : WHOLE_LIST);
    list.fits = fits;
    list.prepare = prepare;
    list.work.enqueue = enqueue;
    list.work.state = &d;
    list.work.launches = 2;
    allocate(&d, bench_properties(b));
    shapes_drop(b, &list);
    verify_all(b, &d);
    shapes_measure(b, &list);
    release(&d.memory);
    free(list.shape);
}

} // namespace

extern const struct quantity quantity_attention_decode = {
    "attention_decode", "paged decode attention, even and ragged batches, cold cache",
    0.15, run};
