/* The loads and how much work makes so many microseconds of them. */
#include "loads.h"

#include <stdio.h>

#include "compute_chain.h"
#include "verify.h"

enum { THREADS = 256, SEED = 3, POISON = 97, BLOCKS_MOST_PER_SM = 8 };

const char *const load_name[LOAD_KINDS] = {"compute", "memory", "copy"};

/* The bounds leave registers for as many blocks of another load as of one's own. */
static __global__ void __launch_bounds__(THREADS, BLOCKS_MOST_PER_SM)
    compute_kernel(int rounds, float *result) {
    uint32_t thread = blockIdx.x * blockDim.x + threadIdx.x;
    result[thread] = compute_chains(thread, rounds);
}

static __global__ void __launch_bounds__(THREADS, BLOCKS_MOST_PER_SM)
    read_kernel(const vector16 *in, size_t count, size_t mask, uint32_t *result) {
    size_t thread = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    size_t threads = (size_t)gridDim.x * blockDim.x;
    result[thread] = stream_read(in, count, mask, thread, threads);
}

static __global__ void __launch_bounds__(THREADS, BLOCKS_MOST_PER_SM)
    copy_kernel(vector16 *out, const vector16 *in, size_t count, size_t mask) {
    size_t thread = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    size_t threads = (size_t)gridDim.x * blockDim.x;
    stream_copy(out, in, count, mask, thread, threads);
}

void load_memory_open(struct load_memory *m, struct bench *bench, size_t bytes) {
    size_t threads_most = (size_t)bench_properties(bench)->multiProcessorCount *
                          BLOCKS_MOST_PER_SM * THREADS;
    m->count = bytes / sizeof(vector16);
    for (int part = 0; part < LOAD_PARTS; part++) {
        CUDA(cudaMalloc(&m->vectors[part], bytes));
        CUDA(cudaMalloc(&m->results[part], threads_most * sizeof(uint32_t)));
        verify_fill(m->vectors[part], bytes, SEED, 0);
    }
}

void load_memory_close(struct load_memory *m) {
    for (int part = 0; part < LOAD_PARTS; part++) {
        CUDA(cudaFree(m->results[part]));
        CUDA(cudaFree(m->vectors[part]));
    }
}

/* A copy goes from the lower half of the part to the upper one. Each turn begins
 * where it likes in the cache's eyes: one pass exceeds it. */
cudaError_t load_try(const struct load *l, cudaStream_t stream) {
    vector16 *vectors = l->memory->vectors[l->part];
    uint32_t *results = l->memory->results[l->part];
    size_t count = l->memory->count;
    switch (l->kind) {
    case LOAD_COMPUTE:
        compute_kernel<<<l->blocks, l->threads, 0, stream>>>((int)l->amount,
                                                             (float *)results);
        break;
    case LOAD_MEMORY:
        read_kernel<<<l->blocks, l->threads, 0, stream>>>(vectors, l->amount, count - 1,
                                                          results);
        break;
    default:
        copy_kernel<<<l->blocks, l->threads, 0, stream>>>(vectors + count / 2, vectors,
                                                          l->amount, count / 2 - 1);
    }
    return cudaGetLastError();
}

void load_enqueue(void *state, int, cudaStream_t stream) {
    CUDA(load_try((const struct load *)state, stream));
}

static double time_us(struct load *l, cudaStream_t stream) {
    cudaEvent_t start, stop;
    float ms = 0;
    CUDA(cudaEventCreate(&start));
    CUDA(cudaEventCreate(&stop));
    load_enqueue(l, 0, stream); /* warms up, and keeps the host ahead */
    CUDA(cudaEventRecord(start, stream));
    load_enqueue(l, 1, stream);
    CUDA(cudaEventRecord(stop, stream));
    CUDA(cudaEventSynchronize(stop));
    CUDA(cudaEventElapsedTime(&ms, start, stop));
    CUDA(cudaEventDestroy(stop));
    CUDA(cudaEventDestroy(start));
    return 1e3 * (double)ms;
}

double load_prepare(struct load *l, enum load_kind kind, struct load_memory *memory,
                    int sms, int blocks_per_sm, double wanted_us, cudaStream_t stream) {
    /* rounds are counted by an int; 1e12 vectors take hours */
    const double least = kind == LOAD_COMPUTE ? 16 : 4096;
    const double most = kind == LOAD_COMPUTE ? 1e9 : 1e12;
    l->kind = kind;
    l->memory = memory;
    l->part = 0;
    l->threads = THREADS;
    l->blocks = sms * blocks_per_sm;
    l->amount = kind == LOAD_COMPUTE ? 4096 : (size_t)4 << 20;
    double us = time_us(l, stream);
    for (int i = 0; i < 3; i++) { /* launching takes a part that does not grow */
        double amount = (double)l->amount * wanted_us / us;
        l->amount = (size_t)(amount < least ? least : amount > most ? most : amount);
        us = time_us(l, stream);
    }
    return us;
}

static bool compute_is_right(struct load_memory *m, int part) {
    enum { ROUNDS = 300, CHECKED = 1024 };
    struct load l = {LOAD_COMPUTE, m, part, CHECKED / THREADS, THREADS, ROUNDS};
    float result[CHECKED];
    load_enqueue(&l, 0, 0);
    CUDA(cudaMemcpy(result, m->results[part], sizeof result, cudaMemcpyDeviceToHost));
    for (int i = 0; i < CHECKED; i++) {
        float right = compute_chains((uint32_t)i, ROUNDS);
        if (fabsf(result[i] - right) <= 1e-5f) continue;
        fprintf(stderr, "hotdesk-bench: thread %d computed %.8g instead of %.8g\n", i,
                (double)result[i], (double)right);
        return false;
    }
    return true;
}

/* One and a half times round the part: what is read twice cancels out. */
static bool read_is_right(struct load_memory *m, int part) {
    enum { BLOCKS = BLOCKS_MOST_PER_SM, READERS = BLOCKS * THREADS };
    struct load l = {LOAD_MEMORY, m, part, BLOCKS, THREADS, m->count / 2 * 3};
    uint32_t *result = new uint32_t[READERS], sum = 0;
    load_enqueue(&l, 0, 0);
    CUDA(cudaMemcpy(result, m->results[part], READERS * sizeof *result,
                    cudaMemcpyDeviceToHost));
    for (int i = 0; i < READERS; i++) sum ^= result[i];
    delete[] result;
    size_t half = m->count / 2 * sizeof(vector16);
    if (sum == verify_xor(half, SEED, half / 4)) return true;
    fprintf(stderr, "hotdesk-bench: the memory load read something else\n");
    return false;
}

static bool copy_is_right(struct load_memory *m, int part) {
    size_t half = m->count / 2 * sizeof(vector16);
    struct load l = {LOAD_COPY, m, part, 64, THREADS, m->count / 2};
    vector16 *upper = m->vectors[part] + m->count / 2;
    verify_fill(upper, half, POISON, 0);
    load_enqueue(&l, 0, 0);
    CUDA(cudaDeviceSynchronize());
    unsigned long long wrong = verify_wrong(upper, half, SEED, 0);
    verify_fill(m->vectors[part], 2 * half, SEED, 0);
    if (wrong > 0)
        fprintf(stderr, "hotdesk-bench: the copy load left %llu wrong words\n", wrong);
    return wrong == 0;
}

bool load_verify(struct load_memory *m) {
    bool right = true;
    for (int part = 0; part < LOAD_PARTS; part++)
        right = right && compute_is_right(m, part) && read_is_right(m, part) &&
                copy_is_right(m, part);
    return right;
}
