/* GEMMs as an engine's linear layers and lm_head run them: m tokens (lm_head:
 * sequences) by k inputs, n outputs a row, by cuBLASLt with the first algorithm of its
 * heuristic. Outputs are bf16; fp8 is e4m3 with one scale per tensor and fast
 * accumulation, as engines use it. Weights are cold, inputs as warm as the layer before
 * left them. */
#include <cublasLt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "fill_kernels.h"
#include "gemm_reference.h"
#include "math_shapes.h"
#include "rotation.h"

namespace {

const size_t WORKSPACE_BYTES = (size_t)64 << 20;

void blas_check(cublasStatus_t status, const char *call, int line) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    fprintf(stderr, "gemm.cu:%d: %s: %s\n", line, call,
            cublasLtGetStatusString(status));
    exit(1);
}
#define BLAS(call) blas_check((call), #call, __LINE__)

struct memory {
    size_t weight_bytes, input_bytes, output_bytes; /* of each type's pool */
    unsigned char *weights[2], *inputs[2];          /* bf16, fp8 */
    uint16_t *outputs;
    float *one; /* fp8's scale */
    void *workspace;
};

struct gemm {
    cublasLtHandle_t handle;
    struct memory memory;
    /* of the shape at hand */
    bool fp8;
    struct rotation rotation;
    cublasLtMatmulDesc_t operation;
    cublasLtMatrixLayout_t weights, inputs, outputs;
    cublasLtMatmulAlgo_t algorithm;
};

bool is_fp8(const struct shape *s) {
    return strcmp(s->dtype, "fp8") == 0;
}
size_t element_bytes(bool fp8) {
    return fp8 ? 1 : 2;
}

struct memory memory_of(const cudaDeviceProp *device, bool with_fp8) {
    struct memory m;
    memset(&m, 0, sizeof m);
    const size_t share = device->totalGlobalMem / 12;
    m.weight_bytes = share < ((size_t)6 << 30) ? share : (size_t)6 << 30;
    m.input_bytes = share < ((size_t)1 << 30) ? share : (size_t)1 << 30;
    m.output_bytes = share < ((size_t)2 << 30) ? share : (size_t)2 << 30;
    for (int fp8 = 0; fp8 <= (with_fp8 ? 1 : 0); fp8++) {
        CUDA(cudaMalloc((void **)&m.weights[fp8], m.weight_bytes));
        CUDA(cudaMalloc((void **)&m.inputs[fp8], m.input_bytes));
    }
    fill_bf16_kernel<<<FILL_BLOCKS, FILL_THREADS>>>((uint16_t *)m.weights[0],
                                                    m.weight_bytes / 2, WEIGHT_SEED);
    fill_bf16_kernel<<<FILL_BLOCKS, FILL_THREADS>>>((uint16_t *)m.inputs[0],
                                                    m.input_bytes / 2, INPUT_SEED);
    if (with_fp8) {
        fill_e4m3_kernel<<<FILL_BLOCKS, FILL_THREADS>>>(m.weights[1], m.weight_bytes,
                                                        WEIGHT_SEED);
        fill_e4m3_kernel<<<FILL_BLOCKS, FILL_THREADS>>>(m.inputs[1], m.input_bytes,
                                                        INPUT_SEED);
    }
    CUDA(cudaGetLastError());
    CUDA(cudaMalloc((void **)&m.outputs, m.output_bytes));
    CUDA(cudaMalloc(&m.workspace, WORKSPACE_BYTES));
    const float one = 1;
    CUDA(cudaMalloc((void **)&m.one, sizeof one));
    CUDA(cudaMemcpy(m.one, &one, sizeof one, cudaMemcpyHostToDevice));
    CUDA(cudaDeviceSynchronize());
    return m;
}

void memory_free(struct memory *m) {
    for (int fp8 = 0; fp8 <= 1; fp8++) {
        CUDA(cudaFree(m->weights[fp8]));
        CUDA(cudaFree(m->inputs[fp8]));
    }
    CUDA(cudaFree(m->outputs));
    CUDA(cudaFree(m->workspace));
    CUDA(cudaFree(m->one));
}

struct rotation rotation_for(const struct memory *memory, const struct shape *s,
                             const cudaDeviceProp *device) {
    return rotation_of((size_t)s->n * (size_t)s->k * element_bytes(is_fp8(s)),
                       memory->weight_bytes, (size_t)device->l2CacheSize);
}

bool fits(const struct memory *memory, const struct shape *s,
          const cudaDeviceProp *device) {
    return rotation_for(memory, s, device).copies > 0 &&
           (size_t)s->m * (size_t)s->k * element_bytes(is_fp8(s)) <=
               memory->input_bytes &&
           (size_t)s->m * (size_t)s->n * 2 <= memory->output_bytes;
}

void destroy_plan(struct gemm *g) {
    BLAS(cublasLtMatrixLayoutDestroy(g->outputs));
    BLAS(cublasLtMatrixLayoutDestroy(g->inputs));
    BLAS(cublasLtMatrixLayoutDestroy(g->weights));
    BLAS(cublasLtMatmulDescDestroy(g->operation));
}

void set_operation(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t what,
                   const void *value, size_t bytes) {
    BLAS(cublasLtMatmulDescSetAttribute(operation, what, value, bytes));
}

/* The row-major y[m][n] = x[m][k] w[n][k]^T is, by columns, y^T = w x^T with w^T
 * stored. false: the library has no algorithm for the shape, and there is no plan to
 * destroy. */
bool create_plan(struct gemm *g, const struct shape *s, const cudaDeviceProp *device) {
    const uint64_t m = (uint64_t)s->m, n = (uint64_t)s->n, k = (uint64_t)s->k;
    const cublasOperation_t transposed = CUBLAS_OP_T;
    g->fp8 = is_fp8(s);
    g->rotation = rotation_for(&g->memory, s, device);
    const cudaDataType_t type = g->fp8 ? CUDA_R_8F_E4M3 : CUDA_R_16BF;
    BLAS(cublasLtMatmulDescCreate(&g->operation, CUBLAS_COMPUTE_32F, CUDA_R_32F));
    set_operation(g->operation, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                  sizeof transposed);
    if (g->fp8) {
        const int8_t fast = 1; /* as serving engines sum fp8 */
        const float *const one = g->memory.one;
        set_operation(g->operation, CUBLASLT_MATMUL_DESC_FAST_ACCUM, &fast,
                      sizeof fast);
        set_operation(g->operation, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, &one,
                      sizeof one);
        set_operation(g->operation, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, &one,
                      sizeof one);
    }
    BLAS(cublasLtMatrixLayoutCreate(&g->weights, type, k, n, (int64_t)k));
    BLAS(cublasLtMatrixLayoutCreate(&g->inputs, type, k, m, (int64_t)k));
    BLAS(cublasLtMatrixLayoutCreate(&g->outputs, CUDA_R_16BF, n, m, (int64_t)n));

    cublasLtMatmulPreference_t preference;
    cublasLtMatmulHeuristicResult_t found;
    int count = 0;
    memset(&found, 0, sizeof found);
    BLAS(cublasLtMatmulPreferenceCreate(&preference));
    BLAS(cublasLtMatmulPreferenceSetAttribute(
        preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &WORKSPACE_BYTES,
        sizeof WORKSPACE_BYTES));
    const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
        g->handle, g->operation, g->weights, g->inputs, g->outputs, g->outputs,
        preference, 1, &found, &count);
    BLAS(cublasLtMatmulPreferenceDestroy(preference));
    if (status != CUBLAS_STATUS_NOT_SUPPORTED) BLAS(status);
    g->algorithm = found.algo;
    if (status == CUBLAS_STATUS_SUCCESS && count == 1) return true;
    destroy_plan(g);
    return false;
}

void enqueue(void *state, int turn, cudaStream_t stream) {
    struct gemm *const g = (struct gemm *)state;
    const float one = 1, zero = 0;
    const unsigned char *const weights =
        g->memory.weights[g->fp8] + rotation_offset(&g->rotation, turn);
    BLAS(cublasLtMatmul(g->handle, g->operation, &one, weights, g->weights,
                        g->memory.inputs[g->fp8], g->inputs, &zero, g->memory.outputs,
                        g->outputs, g->memory.outputs, g->outputs, &g->algorithm,
                        g->memory.workspace, WORKSPACE_BYTES, stream));
}

/* Compares outputs all over the matrix with sums in double. */
void verify(struct bench *b, struct gemm *g, const struct shape *s) {
    enum { SAMPLES = 64, TURN = 1 };
    if (!create_plan(g, s, bench_properties(b))) {
        bench_verified(b, s, false, "cuBLASLt has no algorithm for it");
        return;
    }
    CUDA(cudaMemset(g->memory.outputs, 0xff, (size_t)s->m * (size_t)s->n * 2));
    enqueue(g, TURN, 0);
    CUDA(cudaDeviceSynchronize());
    const uint64_t first = rotation_offset(&g->rotation, TURN) / element_bytes(g->fp8);
    double worst = 0;
    for (uint64_t sample = 0; sample < SAMPLES; sample++) {
        const uint64_t i = scrambled(sample, 1) % (uint64_t)s->m;
        const uint64_t j = scrambled(sample, 2) % (uint64_t)s->n;
        const struct gemm_output must =
            gemm_reference(g->fp8, first, i, j, (uint64_t)s->k);
        uint16_t is;
        CUDA(cudaMemcpy(&is, g->memory.outputs + i * (uint64_t)s->n + j, sizeof is,
                        cudaMemcpyDeviceToHost));
        const double off = fabs(float_of_bf16(is) - must.value) / must.tolerance;
        worst = larger_error(worst, off);
    }
    bench_verified(
        b, s, worst <= 1,
        "m %ld n %ld k %ld: %.3g times the error that rounding explains, in %d "
        "outputs",
        s->m, s->n, s->k, worst, (int)SAMPLES);
    destroy_plan(g);
}

void verify_all(struct bench *b, struct gemm *g, bool with_fp8) {
    static const long SIZES[][3] = {
        {1, 6144, 4096}, {65, 4096, 14336}, {1535, 1024, 1024}};
    for (int fp8 = 0; fp8 <= (with_fp8 ? 1 : 0); fp8++) {
        struct shape s = shape_of("gemm", "", fp8 != 0 ? "fp8" : "bf16");
        for (const long *size : SIZES) {
            s.m = size[0];
            s.n = size[1];
            s.k = size[2];
            if (fits(&g->memory, &s, bench_properties(b))) verify(b, g, &s);
        }
    }
    struct shape s = shape_of("lm_head", "", "bf16");
    s.m = 5;
    s.n = 128256;
    s.k = 4096;
    if (fits(&g->memory, &s, bench_properties(b))) verify(b, g, &s);
}

/* Keeps the shapes that this device can run. */
int keep_possible(struct bench *b, const struct gemm *g, bool with_fp8,
                  struct shape *list, int count) {
    int kept = 0, too_large = 0;
    for (int i = 0; i < count; i++) {
        if (is_fp8(&list[i]) && !with_fp8) continue;
        if (fits(&g->memory, &list[i], bench_properties(b)))
            list[kept++] = list[i];
        else
            too_large++;
    }
    if (!with_fp8) bench_skip(b, "fp8: needs a device of compute capability 8.9");
    if (too_large > 0) {
        char why[80];
        snprintf(why, sizeof why, "%d shapes need more memory than their share",
                 too_large);
        bench_skip(b, why);
    }
    return kept;
}

void measure(struct bench *b, struct gemm *g, const struct shape *list, int count) {
    struct device_work work;
    memset(&work, 0, sizeof work);
    bench_expect(b, rows_within(bench_left_s(b), count));
    work.enqueue = enqueue;
    work.state = g;
    work.launches = 2; /* a split sum has a second kernel */
    int without = 0;
    bool more = true;
    for (int i = 0; i < count && more; i++) {
        if (!bench_wants(b, &list[i])) continue;
        if (!create_plan(g, &list[i], bench_properties(b))) {
            without++;
            continue;
        }
        enqueue(g, 0, 0); /* loads the kernel: not behind one that blocks */
        CUDA(cudaDeviceSynchronize());
        more = bench_device(b, &list[i], &work);
        destroy_plan(g);
    }
    if (without > 0) {
        char why[80];
        snprintf(why, sizeof why, "cuBLASLt has no algorithm for %d shapes", without);
        bench_skip(b, why);
    }
}

void run(struct bench *b) {
    const cudaDeviceProp *const device = bench_properties(b);
    const bool with_fp8 =
        device->major > 8 || (device->major == 8 && device->minor >= 9);
    struct shape *const list = (struct shape *)calloc(MATH_SHAPES_MOST, sizeof *list);
    if (list == NULL) {
        fprintf(stderr, "gemm: out of memory\n");
        exit(1);
    }
    struct gemm g;
    memset(&g, 0, sizeof g);
    BLAS(cublasLtCreate(&g.handle));
    g.memory = memory_of(device, with_fp8);
    const int count = keep_possible(b, &g, with_fp8, list,
                                    gemm_shapes(list, bench_quick(b) ? 2 : WHOLE_LIST));
    verify_all(b, &g, with_fp8);
    measure(b, &g, list, count);
    memory_free(&g.memory);
    BLAS(cublasLtDestroy(g.handle));
    free(list);
}

} // namespace

extern const struct quantity quantity_gemm = {
    "gemm", "bf16 and fp8 matrix products, cold weights, and lm_head", 0.35, run};
