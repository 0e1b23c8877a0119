/* Prefill attention of one sequence's chunk: by cuDNN's fused kernel, variant
 * cudnn_sdpa, and by that of prefill_kernels.h, variant own_mma. Keys and values are
 * cold, queries as warm as the layer before left them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apart.h"
#include "attention_reference.h"
#include "bench.h"
#include "cudnn_attention.h"
#include "fill_kernels.h"
#include "math_shapes.h"
#include "prefill_kernels.h"
#include "rotation.h"

namespace {

const char *const CUDNN = "cudnn_sdpa";
enum { WHY_BYTES = 400 };

struct prefill {
    struct cudnn_attention *cudnn;  /* NULL: not there */
    size_t pool_bytes, query_bytes; /* of keys, and again of values; of queries */
    uint16_t *keys, *values, *queries, *outputs;
    /* of the shape at hand */
    struct prefill_call call;
    struct rotation rotation;
    int dim;
    bool by_cudnn;
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

bool fits(const struct prefill *p, const struct shape *s,
          const cudaDeviceProp *device) {
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
    if (p->by_cudnn) {
        if (!cudnn_attention_enqueue(p->cudnn, &call, stream)) exit(1);
        return;
    }
    if (p->dim == 64)
        prefill_kernel_64<<<grid, PREFILL_THREADS, prefill_shared_bytes(64), stream>>>(
            call);
    else
        prefill_kernel_128<<<grid, PREFILL_THREADS, prefill_shared_bytes(128),
                             stream>>>(call);
    CUDA(cudaGetLastError());
}

/* False and a reason where cuDNN has no kernel for the shape. */
bool prepare(struct prefill *p, const struct shape *s, const cudaDeviceProp *device,
             char *why, size_t bytes) {
    p->rotation = rotation_for(p, s, device);
    p->dim = (int)s->head_dim;
    p->by_cudnn = strcmp(s->variant, CUDNN) == 0;
    p->call.queries = p->queries;
    p->call.keys = p->keys;
    p->call.values = p->values;
    p->call.outputs = p->outputs;
    p->call.chunk = (int)s->chunk;
    p->call.prefix = (int)s->prefix;
    p->call.heads = (int)s->heads;
    p->call.kv_heads = (int)s->kv_heads;
    p->call.scale = (float)(attention_scale(p->dim) * 1.4426950408889634);
    if (p->by_cudnn &&
        !cudnn_attention_plan(p->cudnn, &p->call, p->dim,
                              (float)attention_scale(p->dim), why, bytes))
        return false;
    CUDA(cudaMemset(p->outputs, 0xff, bytes_of_queries(s)));
    enqueue(p, 1, 0); /* loads the kernel, too: not behind one that blocks */
    CUDA(cudaDeviceSynchronize());
    return true;
}

void *host_memory(size_t bytes) {
    void *const at = malloc(bytes);
    if (at != NULL) return at;
    fprintf(stderr, "attention_prefill: out of memory\n");
    exit(1);
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

/* The largest error of some heads of some queries, the last query among them; below 0
 * and a reason where there is no kernel. */
double worst_error(struct prefill *p, const struct shape *s,
                   const cudaDeviceProp *device, char *why, size_t bytes) {
    enum { QUERIES = 16, TURN = 1 }; /* the turn that prepare() runs */
    if (!prepare(p, s, device, why, bytes)) return -1;
    double worst = 0;
    for (uint64_t i = 0; i < QUERIES; i++) {
        const long query =
            i == 0 ? s->chunk - 1 : (long)(scrambled(i, 1) % (uint64_t)s->chunk);
        const double off =
            query_error(p, TURN, query, (long)(scrambled(i, 2) % (uint64_t)s->heads));
        worst = larger_error(worst, off);
    }
    snprintf(why, bytes,
             "chunk %ld prefix %ld heads %ld/%ld of %ld: %.3g times the error that "
             "rounding explains",
             s->chunk, s->prefix, s->heads, s->kv_heads, s->head_dim, worst);
    return worst;
}

/* chunk, prefix, heads, KV heads, head size */
const long VERIFIED[][5] = {
    {300, 0, 32, 8, 128},  {77, 1000, 28, 4, 128}, {512, 333, 64, 8, 64},
    {1, 500, 40, 40, 128}, {129, 63, 64, 4, 128},
};

enum { ALL_VERIFIED = sizeof VERIFIED / sizeof *VERIFIED, FOR_CUDNN = 3 };

struct shape verified_shape(const char *variant, int i) {
    struct shape s = shape_of("attention_prefill", variant, "bf16");
    s.batch = 1;
    s.chunk = VERIFIED[i][0];
    s.prefix = VERIFIED[i][1];
    s.heads = VERIFIED[i][2];
    s.kv_heads = VERIFIED[i][3];
    s.head_dim = VERIFIED[i][4];
    return s;
}

void verify(struct bench *b, struct prefill *p) {
    char why[WHY_BYTES];
    for (int i = 0; i < ALL_VERIFIED; i++) {
        const struct shape s = verified_shape("own_mma", i);
        if (!fits(p, &s, bench_properties(b))) continue;
        const double worst = worst_error(p, &s, bench_properties(b), why, sizeof why);
        bench_verified(b, &s, worst >= 0 && worst <= 1, "%s", why);
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

/* Tries cuDNN, which need not have a kernel for each shape; ends the process where one
 * gives wrong values. */
void try_cudnn(void *properties, struct apart_report *report) {
    const cudaDeviceProp *const device = (const cudaDeviceProp *)properties;
    struct prefill p;
    char why[WHY_BYTES];
    allocate(&p, device);
    p.cudnn = cudnn_attention_open(why, sizeof why);
    if (p.cudnn == NULL) {
        fprintf(stderr, "\nattention_prefill: %s\n", why);
        return;
    }
    for (int i = 0; i < FOR_CUDNN; i++) {
        const struct shape s = verified_shape(CUDNN, i);
        const double worst = worst_error(&p, &s, device, why, sizeof why);
        if (worst >= 0 && worst <= 1) {
            report->seconds[report->count++] = worst;
            continue;
        }
        fprintf(stderr, "\nattention_prefill: %s: chunk %ld prefix %ld: %s\n", CUDNN,
                s.chunk, s.prefix, why);
        if (worst >= 0) exit(1);
    }
}

/* Whether cuDNN's kernels are there and right: found out in a process of its own, as a
 * kernel that fails takes all of its process's work on the GPU with it. */
bool cudnn_works(struct bench *b) {
    struct apart apart;
    double errors[APART_VALUES];
    apart.work = try_cudnn;
    apart.argument = (void *)bench_properties(b);
    apart.limit_s = 60;
    if (apart_run(&apart, "attention_prefill", errors) > 0) return true;
    bench_skip(b, "cudnn_sdpa: cuDNN's attention does not work here");
    return false;
}

int keep_possible(struct bench *b, const struct prefill *p, struct shape *list,
                  int count) {
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (fits(p, &list[i], bench_properties(b))) list[kept++] = list[i];
    if (kept < count) {
        char why[80];
        snprintf(why, sizeof why, "%d shapes need more memory than their share",
                 count - kept);
        bench_skip(b, why);
    }
    return kept;
}

/* Measures the shapes with one kernel until the quantity has only leave_s seconds left.
 * False: nothing more can be measured. */
bool measure(struct bench *b, struct prefill *p, const struct shape *list, int count,
             const char *variant, double leave_s) {
    struct device_work work;
    memset(&work, 0, sizeof work);
    work.enqueue = enqueue;
    work.state = p;
    int without = 0;
    bool more = true;
    char why[WHY_BYTES], first_why[WHY_BYTES] = "";
    for (int i = 0; i < count && more && bench_left_s(b) > leave_s; i++) {
        struct shape s = list[i];
        s.variant = variant;
        if (!bench_wants(b, &s)) continue;
        if (prepare(p, &s, bench_properties(b), why, sizeof why))
            more = bench_device(b, &s, &work);
        else if (without++ == 0)
            memcpy(first_why, why, sizeof first_why);
    }
    if (without > 0) {
        char text[WHY_BYTES + 64];
        snprintf(text, sizeof text, "%s: no kernel for %d shapes; of the first: %s",
                 variant, without, first_why);
        bench_skip(b, text);
    }
    return more;
}

/* Our kernel for half of the time; then cuDNN's, which it compiles for each shape; then
 * what is missing of ours. */
void measure_all(struct bench *b, struct prefill *p, const struct shape *list,
                 int count) {
    const char *const own = "own_mma";
    const double half = p->cudnn != NULL ? bench_left_s(b) / 2 : 0;
    bench_expect(b, rows_within(bench_left_s(b), p->cudnn != NULL ? 2 * count : count));
    if (!measure(b, p, list, count, own, half)) return;
    if (p->cudnn == NULL || !measure(b, p, list, count, CUDNN, 0)) return;
    measure(b, p, list, count, own, 0);
}

void run(struct bench *b) {
    struct shape *const list =
        (struct shape *)host_memory(MATH_SHAPES_MOST * sizeof *list);
    const bool with_cudnn = cudnn_works(b); /* before the first call of CUDA */
    struct prefill p;
    char why[WHY_BYTES];
    allocate(&p, bench_properties(b));
    if (with_cudnn) p.cudnn = cudnn_attention_open(why, sizeof why);
    const int count = keep_possible(
        b, &p, list, prefill_shapes(list, bench_quick(b) ? 2 : WHOLE_LIST));
    verify(b, &p);
    measure_all(b, &p, list, count);
    cudnn_attention_close(p.cudnn);
    release(&p);
    free(list);
}

} // namespace

extern const struct quantity quantity_attention_prefill = {
    "attention_prefill",
    "causal attention of a chunk after a prefix, cold keys and values", 0.15, run};
