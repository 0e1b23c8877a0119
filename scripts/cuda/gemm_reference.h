/* What a GEMM's outputs must be. Inputs and weights are random data, so that the host
 * knows them without reading them back. */
#ifndef HOTDESK_CUDA_GEMM_REFERENCE_H
#define HOTDESK_CUDA_GEMM_REFERENCE_H

#include "number_formats.h"

enum { INPUT_SEED = 11, WEIGHT_SEED = 12 };

/* One output and how far a right one may be off. */
struct gemm_output {
    double value, tolerance;
};

/* The output of token i and row j of weights that begin at element `first_weight` of
 * their pool; both operands have k elements a row. bf16 products are summed in float; fp8
 * products, on Hopper, with about 14 bits, which adds up over thousands of them. The
 * output is a bf16. */
DEVICE struct gemm_output gemm_reference(bool fp8, uint64_t first_weight, uint64_t i,
                                         uint64_t j, uint64_t k) {
    double sum = 0, sizes = 0;
    for (uint64_t x = 0; x < k; x++) {
        const uint64_t input = i * k + x, weight = first_weight + j * k + x;
        const double a = fp8 ? float_of_e4m3(random_e4m3(input, INPUT_SEED))
                             : float_of_bf16(random_bf16(input, INPUT_SEED));
        const double b = fp8 ? float_of_e4m3(random_e4m3(weight, WEIGHT_SEED))
                             : float_of_bf16(random_bf16(weight, WEIGHT_SEED));
        sum += a * b;
        sizes += fabs(a * b);
    }
    struct gemm_output out;
    out.value = sum;
    out.tolerance = fabs(sum) / 256 + sizes * (fp8 ? 1.0 / 1024 : 1.0 / 262144) + 1e-6;
    return out;
}

#endif
