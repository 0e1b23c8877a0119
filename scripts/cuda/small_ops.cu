/* The memory-bound tail of a layer, and sampling: the kernels of small_kernels.h, m
 * tokens (sampling: sequences) of width n. What they read is cold. activation reads 2 n
 * and writes n; embedding looks rows up in a table of 2 GB; sampling: logits in float,
 * argmax, and temperature, which also makes the softmax's sums. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "fill_kernels.h"
#include "math_shapes.h"
#include "rotation.h"
#include "shape_list.h"
#include "small_kernels.h"
#include "small_reference.h"

namespace {

enum { WIDEST = 65536, MOST_ROWS = 8192, HEAD_DIMS = 2 };
const long HEAD_DIM[HEAD_DIMS] = {64, 128};

struct small_op {
    size_t in_bytes, out_bytes; /* of the pools */
    uint16_t *in, *out;
    bool logits; /* what the inputs' pool holds: logits, or bf16 */
    uint16_t *weight, *angles[HEAD_DIMS];
    int *row_of, *positions; /* of each token: its row of the embedding, its place */
    float *sums;
    int *chosen;
    /* of the shape at hand */
    const struct shape *shape;
    struct rotation in_rotation, out_rotation;
    long table_rows;
};

bool is_drawn(const struct shape *s) {
    return strcmp(s->variant, "temperature") == 0;
}

size_t out_bytes_of(const struct shape *s) {
    if (is_op(s, "sampling")) return 256;
    return (size_t)s->m * (size_t)row_elements(s) * 2;
}

/* What one repetition reads; of the embedding, which reads rows all over its table, as
 * much as it writes. */
size_t in_bytes_of(const struct shape *s) {
    if (is_op(s, "sampling")) return (size_t)s->m * (size_t)s->n * 4;
    const size_t twice = is_op(s, "activation") || is_op(s, "add") ? 2 : 1;
    return (size_t)s->m * (size_t)row_elements(s) * 2 * twice;
}

void rotate(struct small_op *o, const struct shape *s, const cudaDeviceProp *device) {
    const size_t l2 = (size_t)device->l2CacheSize;
    o->shape = s;
    o->in_rotation = rotation_of(in_bytes_of(s), o->in_bytes, l2);
    o->out_rotation = rotation_of(out_bytes_of(s), o->out_bytes, 0);
}

bool fits(void *state, const struct shape *s, const cudaDeviceProp *device) {
    struct small_op *const o = (struct small_op *)state;
    rotate(o, s, device);
    return o->in_rotation.copies > 0 && o->out_rotation.copies > 0;
}

unsigned blocks_for(size_t vectors) {
    return (unsigned)((vectors + SMALL_THREADS - 1) / SMALL_THREADS);
}

void enqueue_sampling(const struct small_op *o, const float *logits,
                      cudaStream_t stream) {
    const struct shape *const s = o->shape;
    const unsigned rows = (unsigned)s->m;
    if (is_drawn(s))
        draw_kernel<<<rows, SAMPLING_THREADS, 0, stream>>>(
            logits, (int)s->n, 1 / TEMPERATURE, DRAW_SEED, o->sums, o->chosen);
    else
        argmax_kernel<<<rows, SAMPLING_THREADS, 0, stream>>>(logits, (int)s->n,
                                                             o->chosen);
}

void enqueue_rope(const struct small_op *o, const uint16_t *in, uint16_t *out,
                  cudaStream_t stream) {
    const struct shape *const s = o->shape;
    rope_kernel<<<(unsigned)s->m, SMALL_THREADS, 0, stream>>>(
        in, o->positions, o->angles[s->head_dim == HEAD_DIM[0] ? 0 : 1], out,
        (int)s->heads, (int)s->kv_heads, (int)s->head_dim);
}

void enqueue(void *state, int turn, cudaStream_t stream) {
    const struct small_op *const o = (const struct small_op *)state;
    const struct shape *const s = o->shape;
    const int width = (int)row_elements(s);
    const size_t elements = (size_t)s->m * (size_t)width;
    const uint16_t *const in = o->in + rotation_offset(&o->in_rotation, turn) / 2;
    uint16_t *const out = o->out + rotation_offset(&o->out_rotation, turn) / 2;
    const unsigned rows = (unsigned)s->m;
    const dim3 sliced(rows, blocks_for((size_t)width / 8));
    if (is_op(s, "sampling"))
        enqueue_sampling(o, (const float *)in, stream);
    else if (is_op(s, "rope"))
        enqueue_rope(o, in, out, stream);
    else if (is_op(s, "norm"))
        rmsnorm_kernel<<<rows, SMALL_THREADS, 0, stream>>>(in, o->weight, out, width);
    else if (is_op(s, "add"))
        add_kernel<<<blocks_for(elements / 8), SMALL_THREADS, 0, stream>>>(
            in, in + elements, out, elements);
    else if (is_op(s, "activation"))
        silu_mul_kernel<<<sliced, SMALL_THREADS, 0, stream>>>(in, out, width);
    else /* other rows of the table each turn */
        embedding_kernel<<<sliced, SMALL_THREADS, 0, stream>>>(
            o->in, o->row_of + turn * (long)s->m % MOST_ROWS, out, width);
    CUDA(cudaGetLastError());
}

/* Fills the inputs' pool with what the op reads. */
void fill(struct small_op *o, bool logits) {
    if (logits)
        fill_logits_kernel<<<FILL_BLOCKS, FILL_THREADS>>>((float *)o->in,
                                                          o->in_bytes / 4, LOGIT_SEED);
    else
        fill_bf16_kernel<<<FILL_BLOCKS, FILL_THREADS>>>(o->in, o->in_bytes / 2,
                                                        SMALL_DATA_SEED);
    CUDA(cudaGetLastError());
    CUDA(cudaDeviceSynchronize());
    o->logits = logits;
}

/* The embedding's table is the whole pool, so that its rows are cold. */
void look_up_in_pool(struct small_op *o, const struct shape *s) {
    const long rows = (long)(o->in_bytes / 2 / (size_t)s->n);
    if (rows == o->table_rows) return;
    int *const ids = (int *)host_memory(2 * MOST_ROWS * sizeof *ids);
    for (int i = 0; i < 2 * MOST_ROWS; i++) ids[i] = embedding_row(rows, i);
    CUDA(cudaMemcpy(o->row_of, ids, 2 * MOST_ROWS * sizeof *ids,
                    cudaMemcpyHostToDevice));
    free(ids);
    o->table_rows = rows;
}

void prepare(void *state, const struct shape *s, const cudaDeviceProp *device) {
    struct small_op *const o = (struct small_op *)state;
    rotate(o, s, device);
    if (is_op(s, "sampling") != o->logits) fill(o, is_op(s, "sampling"));
    if (is_op(s, "embedding")) look_up_in_pool(o, s);
    enqueue(o, 0, 0); /* loads the kernel: not behind one that blocks */
    CUDA(cudaDeviceSynchronize());
}

void verify_elements(struct bench *b, struct small_op *o) {
    enum { SAMPLES = 256 };
    const struct shape *const s = o->shape;
    const long width = row_elements(s);
    const long written =
        is_op(s, "rope") ? (s->heads + s->kv_heads) * s->head_dim : width;
    double worst = 0;
    CUDA(cudaMemset(o->out, 0xff, out_bytes_of(s)));
    enqueue(o, 0, 0);
    CUDA(cudaDeviceSynchronize());
    for (uint64_t sample = 0; sample < SAMPLES; sample++) {
        const long row = (long)(scrambled(sample, 1) % (uint64_t)s->m);
        const long column = (long)(scrambled(sample, 2) % (uint64_t)written);
        uint16_t is;
        CUDA(cudaMemcpy(&is, o->out + row * width + column, sizeof is,
                        cudaMemcpyDeviceToHost));
        const double must = small_output(s, o->table_rows, row, column);
        const double off =
            fabs(float_of_bf16(is) - must) / (fabs(must) * (1.1 / 256) + 2e-6);
        worst = larger_error(worst, off);
    }
    bench_verified(b, s, worst <= 1,
                   "%.3g times the error that rounding explains, in %d elements", worst,
                   (int)SAMPLES);
}

void verify_sampling(struct bench *b, struct small_op *o) {
    const struct shape *const s = o->shape;
    double worst = 0;
    CUDA(cudaMemset(o->chosen, 0xff, (size_t)s->m * sizeof *o->chosen));
    enqueue(o, 0, 0);
    CUDA(cudaDeviceSynchronize());
    for (long row = 0; row < s->m; row++) {
        int chosen;
        CUDA(cudaMemcpy(&chosen, o->chosen + row, sizeof chosen,
                        cudaMemcpyDeviceToHost));
        double best = -INFINITY;
        for (long i = 0; i < s->n; i++) best = fmax(best, choice_score(s, row, i));
        const bool inside = chosen >= 0 && chosen < s->n;
        const double off = inside ? best - choice_score(s, row, chosen) : INFINITY;
        worst = larger_error(worst, off);
    }
    bench_verified(b, s, worst <= 1e-4,
                   "the chosen words score less than the best by up to %.3g", worst);
}

void verify_all(struct bench *b, struct small_op *o) {
    static const char *const OPS[][3] = {
        {"norm", "rmsnorm", "bf16"},
        {"add", "", "bf16"},
        {"embedding", "", "bf16"},
        {"activation", "silu_mul", "bf16"},
        {"rope", "", "bf16"},
        {"sampling", "argmax", "fp32"},
        {"sampling", "temperature", "fp32"},
    };
    for (const char *const *op : OPS) {
        struct shape s = shape_of(op[0], op[1], op[2]);
        s.m = 7;
        if (is_op(&s, "rope")) {
            s.heads = 28;
            s.kv_heads = 4;
            s.head_dim = 128;
        } else {
            s.n = is_op(&s, "sampling") ? 32000 : 3584;
        }
        if (!fits(o, &s, bench_properties(b))) continue;
        prepare(o, &s, bench_properties(b));
        if (is_op(&s, "sampling"))
            verify_sampling(b, o);
        else
            verify_elements(b, o);
    }
}

uint16_t *uploaded_angles(long head_dim) {
    const size_t bytes = POSITIONS * (size_t)head_dim * 2;
    uint16_t *const angles = (uint16_t *)host_memory(bytes), *at;
    for (int position = 0; position < POSITIONS; position++)
        for (long i = 0; i < head_dim; i++)
            angles[position * head_dim + i] =
                bf16_of_float((float)rope_angle(position, i, head_dim));
    CUDA(cudaMalloc((void **)&at, bytes));
    CUDA(cudaMemcpy(at, angles, bytes, cudaMemcpyHostToDevice));
    free(angles);
    return at;
}

void allocate(struct small_op *o, const cudaDeviceProp *device) {
    const size_t eighth = device->totalGlobalMem / 8;
    static int positions[MOST_ROWS];
    memset(o, 0, sizeof *o);
    o->in_bytes = eighth < ((size_t)2 << 30) ? eighth : (size_t)2 << 30;
    o->out_bytes = eighth < ((size_t)1 << 30) ? eighth : (size_t)1 << 30;
    CUDA(cudaMalloc((void **)&o->in, o->in_bytes));
    CUDA(cudaMalloc((void **)&o->out, o->out_bytes));
    CUDA(cudaMalloc((void **)&o->weight, WIDEST * sizeof *o->weight));
    fill_bf16_kernel<<<FILL_BLOCKS, FILL_THREADS>>>(o->weight, WIDEST,
                                                    SMALL_WEIGHT_SEED);
    CUDA(cudaGetLastError());
    CUDA(cudaMalloc((void **)&o->sums, 2 * MOST_ROWS * sizeof *o->sums));
    CUDA(cudaMalloc((void **)&o->chosen, MOST_ROWS * sizeof *o->chosen));
    CUDA(cudaMalloc((void **)&o->row_of, 2 * MOST_ROWS * sizeof *o->row_of));
    CUDA(cudaMalloc((void **)&o->positions, sizeof positions));
    for (int i = 0; i < MOST_ROWS; i++) positions[i] = position_of(i);
    CUDA(cudaMemcpy(o->positions, positions, sizeof positions, cudaMemcpyHostToDevice));
    for (int i = 0; i < HEAD_DIMS; i++) o->angles[i] = uploaded_angles(HEAD_DIM[i]);
    fill(o, false);
}

void release(struct small_op *o) {
    CUDA(cudaFree(o->in));
    CUDA(cudaFree(o->out));
    CUDA(cudaFree(o->weight));
    CUDA(cudaFree(o->sums));
    CUDA(cudaFree(o->chosen));
    CUDA(cudaFree(o->row_of));
    CUDA(cudaFree(o->positions));
    for (int i = 0; i < HEAD_DIMS; i++) CUDA(cudaFree(o->angles[i]));
}

void run(struct bench *b) {
    struct shape_list list;
    struct small_op o;
    memset(&list, 0, sizeof list);
    list.shape = (struct shape *)host_memory(MATH_SHAPES_MOST * sizeof *list.shape);
    list.count = small_shapes(list.shape, bench_quick(b) ? 2 : WHOLE_LIST);
    list.fits = fits;
    list.prepare = prepare;
    list.work.enqueue = enqueue;
    list.work.state = &o;
    allocate(&o, bench_properties(b));
    shapes_drop(b, &list);
    verify_all(b, &o);
    shapes_measure(b, &list);
    release(&o);
    free(list.shape);
}

} // namespace

extern const struct quantity quantity_small_ops = {
    "small_ops", "norms, rope, activation, add, embedding, sampling", 0.06, run};
