/* The few things of CUDA that the suite's own kernels use. Under nvcc they are CUDA;
 * elsewhere the tests' emulator supplies them (tests/cuda/emulator.h), so that the very
 * source of a kernel runs, and is checked, on a machine without a GPU. */
#ifndef HOTDESK_CUDA_GPU_H
#define HOTDESK_CUDA_GPU_H

#include "number_formats.h"

#ifdef __CUDACC__

#define KERNEL static __attribute__((unused)) __global__ void
/* Needs the hardware, so cannot run on the host beside it. */
#define ON_GPU static __device__ __forceinline__
#define UNROLL _Pragma("unroll")
#define UNROLL_BY(n) UNROLL_PRAGMA(unroll n)
#define UNROLL_PRAGMA(words) _Pragma(#words)
#define SHARED(type, name, count) __shared__ type name[count]
#define DYNAMIC_SHARED(name) extern __shared__ __align__(128) unsigned char name[]

#define THREAD ((int)threadIdx.x)
#define THREADS ((int)blockDim.x)
#define GRID_X ((int)gridDim.x)
#define BLOCK_X ((int)blockIdx.x)
#define BLOCK_Y ((int)blockIdx.y)
#define BLOCK_Z ((int)blockIdx.z)

ON_GPU void sync_block(void) {
    __syncthreads();
}

ON_GPU void sync_warp(void) {
    __syncwarp();
}

ON_GPU float shuffle_xor(float value, int mask) {
    return __shfl_xor_sync(0xffffffffu, value, mask);
}

ON_GPU int shuffle_xor_int(int value, int mask) {
    return __shfl_xor_sync(0xffffffffu, value, mask);
}

/* 16 bytes that the kernel never writes, in one load. */
ON_GPU struct words4 load16(const void *at) {
    const uint4 v = __ldg((const uint4 *)at);
    return words4_of(v.x, v.y, v.z, v.w);
}

ON_GPU void store16(void *at, struct words4 v) {
    *(uint4 *)at = make_uint4(v.w[0], v.w[1], v.w[2], v.w[3]);
}

ON_GPU struct words4 load16_shared(const void *at) {
    const uint4 v = *(const uint4 *)at;
    return words4_of(v.x, v.y, v.z, v.w);
}

/* The low halves of two words, and the high halves, as one word. */
ON_GPU uint32_t low_halves(uint32_t a, uint32_t b) {
    return __byte_perm(a, b, 0x5410);
}
ON_GPU uint32_t high_halves(uint32_t a, uint32_t b) {
    return __byte_perm(a, b, 0x7632);
}

/* 2 to the power of x, to about 22 bits. */
ON_GPU float exp2_fast(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

/* d += a * b on the tensor cores: a is 16 x 16, b 16 x 8, both bf16, d 16 x 8. The
 * lanes' shares are those of PTX's mma.m16n8k16. */
ON_GPU void mma_bf16(float d[4], const uint32_t a[4], uint32_t b0, uint32_t b1) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/* Four 8 x 8 matrices of 16-bit elements from shared memory; lanes 8 i to 8 i + 7 name
 * the rows of matrix i. Lane l gets row l / 4, columns 2 (l % 4) and the next. */
ON_GPU void load_matrices(uint32_t r[4], const void *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"((uint32_t)__cvta_generic_to_shared(row))
                 : "memory");
}

/* The same, each matrix transposed. */
ON_GPU void load_matrices_transposed(uint32_t r[4], const void *row) {
    asm volatile(
        "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
        : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
        : "r"((uint32_t)__cvta_generic_to_shared(row))
        : "memory");
}

/* 16 bytes from global to shared memory, on their way until copies_wait; zeros instead
 * where `there` is false, and then `from` is not read. */
ON_GPU void copy16_async(void *to, const void *from, bool there) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                     (uint32_t)__cvta_generic_to_shared(to)),
                 "l"(from), "r"(there ? 16 : 0)
                 : "memory");
}

ON_GPU void copies_commit(void) {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/* Waits until at most `left` of this thread's committed groups are on their way. */
#define copies_wait(left) asm volatile("cp.async.wait_group %0;" ::"n"(left) : "memory")

#else

#include "cuda/emulator.h"

#define KERNEL static inline void
#define ON_GPU static inline
#define UNROLL
#define UNROLL_BY(n)

#endif

/* The sum over the block's threads, in every thread. scratch: 32 shared floats that no
 * thread uses at the moment. */
ON_GPU float block_sum(float value, float *scratch) {
    for (int mask = 16; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
    if (THREAD % 32 == 0) scratch[THREAD / 32] = value;
    sync_block();
    const int warps = THREADS / 32;
    float sum = 0;
    for (int warp = 0; warp < warps; warp++) sum += scratch[warp];
    sync_block();
    return sum;
}

/* Likewise the largest. */
ON_GPU float block_max(float value, float *scratch) {
    for (int mask = 16; mask > 0; mask /= 2)
        value = fmaxf(value, shuffle_xor(value, mask));
    if (THREAD % 32 == 0) scratch[THREAD / 32] = value;
    sync_block();
    const int warps = THREADS / 32;
    for (int warp = 0; warp < warps; warp++) value = fmaxf(value, scratch[warp]);
    sync_block();
    return value;
}

#endif
