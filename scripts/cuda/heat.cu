/* bf16, 8192 x 8192 x 8192, values that are not zero: zeros draw less power. */
#include "heat.h"

#include <cublasLt.h>
#include <cuda_bf16.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

enum { SIDE = 8192, WORKSPACE_BYTES = 32 << 20, BLOCK = 256, BLOCKS = 1024 };

struct heat {
    cublasLtHandle_t handle;
    cublasLtMatmulDesc_t product;
    cublasLtMatrixLayout_t layout;
    cublasLtMatmulHeuristicResult_t way;
    __nv_bfloat16 *a, *b, *c;
    void *workspace;
};

static void check(cublasStatus_t status, int line) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    fprintf(stderr, "\nheat.cu:%d: cuBLASLt: status %d\n", line, (int)status);
    exit(1);
}
#define BLAS(call) check((call), __LINE__)

/* Well-mixed values in [-1, 1) (the finaliser of MurmurHash3). */
static __global__ void fill(__nv_bfloat16 *values, unsigned seed) {
    for (unsigned i = blockIdx.x * BLOCK + threadIdx.x; i < SIDE * SIDE;
         i += gridDim.x * BLOCK) {
        unsigned x = i ^ seed;
        x = (x ^ x >> 16) * 0x85ebca6bu;
        x = (x ^ x >> 13) * 0xc2b2ae35u;
        values[i] = __float2bfloat16((float)(x >> 8) / (1 << 23) - 1);
    }
}

struct heat *heat_begin(void) {
    const size_t bytes = sizeof(__nv_bfloat16) * SIDE * SIDE;
    struct heat *h = new heat();
    cublasLtMatmulPreference_t preference;
    size_t workspace = WORKSPACE_BYTES;
    int ways = 0;
    CUDA(cudaMalloc((void **)&h->a, bytes));
    CUDA(cudaMalloc((void **)&h->b, bytes));
    CUDA(cudaMalloc((void **)&h->c, bytes));
    CUDA(cudaMalloc(&h->workspace, WORKSPACE_BYTES));
    fill<<<BLOCKS, BLOCK>>>(h->a, 1);
    fill<<<BLOCKS, BLOCK>>>(h->b, 2);
    CUDA(cudaGetLastError());
    CUDA(cudaDeviceSynchronize());
    BLAS(cublasLtCreate(&h->handle));
    BLAS(cublasLtMatmulDescCreate(&h->product, CUBLAS_COMPUTE_32F, CUDA_R_32F));
    BLAS(cublasLtMatrixLayoutCreate(&h->layout, CUDA_R_16BF, SIDE, SIDE, SIDE));
    BLAS(cublasLtMatmulPreferenceCreate(&preference));
    BLAS(cublasLtMatmulPreferenceSetAttribute(preference,
                                              CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                              &workspace, sizeof workspace));
    BLAS(cublasLtMatmulAlgoGetHeuristic(h->handle, h->product, h->layout, h->layout,
                                        h->layout, h->layout, preference, 1, &h->way,
                                        &ways));
    BLAS(cublasLtMatmulPreferenceDestroy(preference));
    if (ways == 0) BLAS(CUBLAS_STATUS_NOT_SUPPORTED);
    return h;
}

void heat_enqueue(struct heat *h, cudaStream_t stream) {
    const float one = 1, zero = 0;
    BLAS(cublasLtMatmul(h->handle, h->product, &one, h->a, h->layout, h->b, h->layout,
                        &zero, h->c, h->layout, h->c, h->layout, &h->way.algo,
                        h->workspace, WORKSPACE_BYTES, stream));
}

void heat_end(struct heat *h) {
    cublasLtMatrixLayoutDestroy(h->layout);
    cublasLtMatmulDescDestroy(h->product);
    cublasLtDestroy(h->handle);
    CUDA(cudaFree(h->a));
    CUDA(cudaFree(h->b));
    CUDA(cudaFree(h->c));
    CUDA(cudaFree(h->workspace));
    delete h;
}
