/* A GPU's thread block on the CPU, for checking the suite's own kernels where there is
 * no GPU: each thread is a coroutine, and whatever needs its warp or block waits for
 * them. The operations have the names and the meaning of scripts/cuda/gpu.h. */
#ifndef HOTDESK_TEST_CUDA_EMULATOR_H
#define HOTDESK_TEST_CUDA_EMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "number_formats.h"

/* Runs kernel(arguments) in every thread of every block, one block after the other.
 * threads: a multiple of 32, at most 1024. Fails the test when threads wait for one
 * another for ever. */
void emulate(int grid_x, int grid_y, int grid_z, int threads, size_t dynamic_shared,
             void (*kernel)(void *), void *arguments);

/* Where the running thread is. */
struct emulated_place {
    int thread, threads, grid_x, block_x, block_y, block_z;
};
const struct emulated_place *emulated_place(void);
void *emulated_shared(void);

#define THREAD (emulated_place()->thread)
#define THREADS (emulated_place()->threads)
#define GRID_X (emulated_place()->grid_x)
#define BLOCK_X (emulated_place()->block_x)
#define BLOCK_Y (emulated_place()->block_y)
#define BLOCK_Z (emulated_place()->block_z)

/* Blocks run one after the other, so that one array for all is one for each. */
#define SHARED(type, name, count) static type name[count]
#define DYNAMIC_SHARED(name) unsigned char *const name = emulated_shared()

void sync_block(void);
void sync_warp(void);
float shuffle_xor(float value, int mask);
int shuffle_xor_int(int value, int mask);
struct words4 load16(const void *at);
struct words4 load16_shared(const void *at);
void store16(void *at, struct words4 v);
uint32_t low_halves(uint32_t a, uint32_t b);
uint32_t high_halves(uint32_t a, uint32_t b);
float exp2_fast(float x);
void mma_bf16(float d[4], const uint32_t a[4], uint32_t b0, uint32_t b1);
void load_matrices(uint32_t r[4], const void *row);
void load_matrices_transposed(uint32_t r[4], const void *row);
/* The bytes arrive at copies_wait and not before, so that a kernel that reads too early
 * is found out. */
void copy16_async(void *to, const void *from, bool there);
void copies_commit(void);
void copies_wait(int left);

#endif
