/* Prefill attention of one sequence's chunk by the kernel of prefill_kernels.h, variant
 * own_mma. Keys and values are cold, queries as warm as the layer before left them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attention_reference.h"
#include "bench.h"
#include "fill_kernels.h"
#include "math_shapes.h"
#include "prefill_kernels.h"
#include "rotation.h"
#include "shape_list.h"

namespace {

const char *const OWN = "own_mma";

struct prefill {
    size_t pool_bytes, query_bytes; /* of keys, and again of values; of queries */
    uint16_t *keys, *values, *queries, *outputs;
    /* of the shape at hand */
    struct prefill_call call;
    struct rotation rotation;
    int dim;
};

size_t bytes_of_queries(const struct shape *s) {
    return (size_t)(s->chunk * s->heads * s->head_dim) * 2;
}

struct rotation rotation_for(const struct prefill *p, const struct shape *s,
                             const cudaDeviceProp *device) {
    const long tokens = s->prefix + s->chunk;
    /* keys alone: as many values lie in the other pool */
    return rotation_of((size_t)(tokens * s->kv_heads * s->head_dim) * 2, p->pool_bytes,
                       (size_t)device->l2CacheSize / 2);
}

bool fits(void *state, const struct shape *s, const cudaDeviceProp *device) {
    const struct prefill *const p = (const struct prefill *)state;
    return bytes_of_queries(s) <= p->query_bytes &&
           rotation_for(p, s, device).copies > 0;
}

void enqueue(void *state, int turn, cudaStream_t stream) {
    const struct prefill *const p = (const struct prefill *)state;
    struct prefill_call call = p->call;
    const size_t offset = rotation_offset(&p->rotation, turn) / 2;
    const dim3 grid((unsigned)((call.chunk + BLOCK_ROWS - 1) / BLOCK_ROWS),
                    (unsigned)call.heads);
    call.keys += offset;
    call.values += offset;
    if (p->dim == 64)
        prefill_kernel_64<<<grid, PREFILL_THREADS, prefill_shared_bytes(64), stream>>>(
            call);
    else
        prefill_kernel_128<<<grid, PREFILL_THREADS, prefill_shared_bytes(128),
                             stream>>>(call);
    CUDA(cudaGetLastError());
}

void prepare(void *state, const struct shape *s, const cudaDeviceProp *device) {
    struct prefill *const p = (struct prefill *)state;
    p->rotation = rotation_for(p, s, device);
    p->dim = (int)s->head_dim;
    p->call.queries = p->queries;
    p->call.keys = p->keys;
    p->call.values = p->values;
    p->call.outputs = p->outputs;
    p->call.chunk = (int)s->chunk;
    p->call.prefix = (int)s->prefix;
    p->call.heads = (int)s->heads;
    p->call.kv_heads = (int)s->kv_heads;
    p->call.scale = (float)(attention_scale(p->dim) * 1.4426950408889634);
    CUDA(cudaMemset(p->outputs, 0xff, bytes_of_queries(s)));
    enqueue(p, 1, 0); /* loads the kernel, too: not behind one that blocks */
    CUDA(cudaDeviceSynchronize());
}

/* The largest error of one head of one query, against what rounding explains. */
double query_error(const struct prefill *p, int turn, long query, long head) {
    const struct prefill_call *const c = &p->call;
    const long tokens = c->prefix + query + 1;
    const uint64_t first = rotation_offset(&p->rotation, turn) / 2;
    const uint64_t kv_head = (uint64_t)(head / (c->heads / c->kv_heads));
    const uint64_t row = (uint64_t)((query * c->heads + head) * p->dim);
    uint64_t *const rows = (uint64_t *)host_memory((size_t)tokens * sizeof *rows);
    for (long i = 0; i < tokens; i++)
        rows[i] =
            first + ((uint64_t)i * (uint64_t)c->kv_heads + kv_head) * (uint64_t)p->dim;
    double must[PREFILL_LARGEST_DIM], worst = 0;
    uint16_t is[PREFILL_LARGEST_DIM];
    attention_reference(must, row, rows, tokens, p->dim);
    CUDA(cudaMemcpy(is, p->outputs + row, (size_t)p->dim * sizeof *is,
                    cudaMemcpyDeviceToHost));
    for (int i = 0; i < p->dim; i++) {
        const double off =
            fabs(float_of_bf16(is[i]) - must[i]) / attention_tolerance(must[i]);
        worst = larger_error(worst, off);
    }
    free(rows);
    return worst;
}

/* The largest error of some heads of some queries, the last query among them. */
double worst_error(struct prefill *p, const struct shape *s,
                   const cudaDeviceProp *device) {
    enum { QUERIES = 16, TURN = 1 }; /* the turn that prepare() runs */
    double worst = 0;
    prepare(p, s, device);
    for (uint64_t i = 0; i < QUERIES; i++) {
        const long query =
            i == 0 ? s->chunk - 1 : (long)(scrambled(i, 1) % (uint64_t)s->chunk);
        const double off =
            query_error(p, TURN, query, (long)(scrambled(i, 2) % (uint64_t)s->heads));
        worst = larger_error(worst, off);
    }
    return worst;
}

/* chunk, prefix, heads, KV heads, head size */
const long VERIFIED[][5] = {
    {300, 0, 32, 8, 128},  {77, 1000, 28, 4, 128}, {512, 333, 64, 8, 64},
    {1, 500, 40, 40, 128}, {129, 63, 64, 4, 128},
};

void verify(struct bench *b, struct prefill *p) {
    for (size_t i = 0; i < sizeof VERIFIED / sizeof *VERIFIED; i++) {
        struct shape s = shape_of("attention_prefill", OWN, "bf16");
        s.batch = 1;
        s.chunk = VERIFIED[i][0];
        s.prefix = VERIFIED[i][1];
        s.heads = VERIFIED[i][2];
        s.kv_heads = VERIFIED[i][3];
        s.head_dim = VERIFIED[i][4];
        if (!fits(p, &s, bench_properties(b))) continue;
        const double worst = worst_error(p, &s, bench_properties(b));
        bench_verified(b, &s, worst <= 1,
                       "chunk %ld prefix %ld heads %ld/%ld of %ld: %.3g times the "
                       "error that rounding explains",
                       s.chunk, s.prefix, s.heads, s.kv_heads, s.head_dim, worst);
    }
}

void allow_shared(const void *kernel, int dim) {
    CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                              (int)prefill_shared_bytes(dim)));
}

void allocate(struct prefill *p, const cudaDeviceProp *device) {
    const size_t share = device->totalGlobalMem / 12;
    memset(p, 0, sizeof *p);
    p->pool_bytes = share < ((size_t)2 << 30) ? share : (size_t)2 << 30;
    p->query_bytes = share < ((size_t)512 << 20) ? share : (size_t)512 << 20;
    CUDA(cudaMalloc((void **)&p->keys, p->pool_bytes));
    CUDA(cudaMalloc((void **)&p->values, p->pool_bytes));
    CUDA(cudaMalloc((void **)&p->queries, p->query_bytes));
    CUDA(cudaMalloc((void **)&p->outputs, p->query_bytes));
    fill_bf16_kernel<<<FILL_BLOCKS, FILL_THREADS>>>(p->keys, p->pool_bytes / 2,
                                                    KEY_SEED);
    fill_bf16_kernel<<<FILL_BLOCKS, FILL_THREADS>>>(p->values, p->pool_bytes / 2,
                                                    VALUE_SEED);
    fill_bf16_kernel<<<FILL_BLOCKS, FILL_THREADS>>>(p->queries, p->query_bytes / 2,
                                                    QUERY_SEED);
    CUDA(cudaGetLastError());
    CUDA(cudaDeviceSynchronize());
    allow_shared((const void *)prefill_kernel_64, 64);
    allow_shared((const void *)prefill_kernel_128, 128);
}

void release(struct prefill *p) {
    CUDA(cudaFree(p->keys));
    CUDA(cudaFree(p->values));
    CUDA(cudaFree(p->queries));
    CUDA(cudaFree(p->outputs));
}

void run(struct bench *b) {
    struct shape_list list;
    struct prefill p;
    memset(&list, 0, sizeof list);
    list.shape = (struct shape *)host_memory(MATH_SHAPES_MOST * sizeof *list.shape);
    list.count = prefill_shapes(list.shape, bench_quick(b) ? 2 : WHOLE_LIST);
    for (int i = 0; i < list.count; i++) list.shape[i].variant = OWN;
    list.fits = fits;
    list.prepare = prepare;
    list.work.enqueue = enqueue;
    list.work.state = &p;
    allocate(&p, bench_properties(b));
    shapes_drop(b, &list);
    verify(b, &p);
    shapes_measure(b, &list);
    release(&p);
    free(list.shape);
}

} // namespace

extern const struct quantity quantity_attention_prefill = {
    "attention_prefill",
    "causal attention of a chunk after a prefix, cold keys and values", 0.15, run};
