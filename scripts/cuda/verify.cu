/* The pattern, written and compared by kernels: one word per thread and turn, so that
 * nothing here shares an index computation with the kernels under test. */
#include "verify.h"

#include "bench.h"
#include "pattern.h"

enum { THREADS = 256, BLOCKS = 1024 };

static __global__ void fill(uint32_t *memory, size_t words, uint32_t seed,
                            uint64_t first) {
    size_t threads = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < words;
         i += threads)
        memory[i] = pattern_word(seed, first + i);
}

static __global__ void compare(const uint32_t *memory, size_t words, uint32_t seed,
                               uint64_t first, unsigned long long *wrong) {
    size_t threads = (size_t)gridDim.x * blockDim.x;
    unsigned long long mine = 0;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < words;
         i += threads)
        mine += memory[i] != pattern_word(seed, first + i);
    if (mine > 0) atomicAdd(wrong, mine);
}

static __global__ void exclusive_or(size_t words, uint32_t seed, uint64_t first,
                                    unsigned *sum) {
    size_t threads = (size_t)gridDim.x * blockDim.x;
    unsigned mine = 0;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < words;
         i += threads)
        mine ^= pattern_word(seed, first + i);
    atomicXor(sum, mine);
}

void verify_fill(void *memory, size_t bytes, uint32_t seed, uint64_t first) {
    fill<<<BLOCKS, THREADS>>>((uint32_t *)memory, bytes / 4, seed, first);
    CUDA(cudaGetLastError());
    CUDA(cudaDeviceSynchronize());
}

unsigned long long verify_wrong(const void *memory, size_t bytes, uint32_t seed,
                                uint64_t first) {
    unsigned long long *count, wrong = 0;
    CUDA(cudaMalloc(&count, sizeof *count));
    CUDA(cudaMemset(count, 0, sizeof *count));
    compare<<<BLOCKS, THREADS>>>((const uint32_t *)memory, bytes / 4, seed, first,
                                 count);
    CUDA(cudaGetLastError());
    CUDA(cudaMemcpy(&wrong, count, sizeof wrong, cudaMemcpyDeviceToHost));
    CUDA(cudaFree(count));
    return wrong;
}

uint32_t verify_xor(size_t bytes, uint32_t seed, uint64_t first) {
    unsigned *sum, value = 0;
    CUDA(cudaMalloc(&sum, sizeof *sum));
    CUDA(cudaMemset(sum, 0, sizeof *sum));
    exclusive_or<<<BLOCKS, THREADS>>>(bytes / 4, seed, first, sum);
    CUDA(cudaGetLastError());
    CUDA(cudaMemcpy(&value, sum, sizeof value, cudaMemcpyDeviceToHost));
    CUDA(cudaFree(sum));
    return value;
}

unsigned long long verify_wrong_on_host(const void *memory, size_t bytes, uint32_t seed,
                                        uint64_t first) {
    const size_t edge = (1 << 20) / 4, step = 1024 / 4, words = bytes / 4;
    const uint32_t *word = (const uint32_t *)memory;
    unsigned long long wrong = 0;
    for (size_t i = 0; i < words;) {
        wrong += word[i] != pattern_word(seed, first + i);
        i += i < edge || i + edge >= words || i + step >= words ? 1 : step;
    }
    return wrong;
}
