/* Rooflines of kernels, as roofline.h has them. */
#include "timing/roofline.h"

#include <math.h>
#include <string.h>

static const char *const op_names[HD_ROOF_OPS] = {
    "gemm", "attention_prefill", "attention_decode", "attention_mixed", "norm", "add",
    "rope", "activation",        "embedding",        "sampling"};
static const char *const type_names[HD_ROOF_TYPES] = {"bf16", "fp8"};

const char *hd_roof_op_name(enum hd_roof_op op) {
    return op_names[op];
}
const char *hd_roof_type_name(enum hd_roof_type type) {
    return type_names[type];
}

enum hd_roof_type hd_roof_type_as(enum hd_number n) {
    return n == HD_NUMBER_FP8 ? HD_ROOF_FP8 : HD_ROOF_BF16;
}

static int find(const char *const *names, int count, const char *name) {
    for (int n = 0; n < count; n++)
        if (strcmp(names[n], name) == 0) return n;
    return -1;
}

int hd_roof_op_of(const char *name) {
    return find(op_names, HD_ROOF_OPS, name);
}
int hd_roof_type_of(const char *name) {
    return find(type_names, HD_ROOF_TYPES, name);
}

int hd_roof_axes(enum hd_roof_op op, const struct hd_roof_shape *s,
                 double x[HD_GRID_AXES_MAX]) {
    switch (op) {
    case HD_ROOF_GEMM:
        x[0] = s->m, x[1] = s->n, x[2] = s->k;
        return 3;
    case HD_ROOF_PREFILL:
        x[0] = s->batch * s->heads, x[1] = s->chunk, x[2] = s->heads / s->kv_heads;
        x[3] = 1 + s->prefix / s->chunk;
        return 4;
    case HD_ROOF_DECODE:
    case HD_ROOF_MIXED:
        x[0] = s->batch * s->kv_heads, x[1] = s->context;
        x[2] = s->heads / s->kv_heads, x[3] = s->chunk;
        return op == HD_ROOF_MIXED ? 4 : 3;
    default:
        x[0] = s->m, x[1] = s->n;
        return 2;
    }
}

enum { TILE = 128, ACTIVATION_BYTES = 2 };

void hd_roof_demand(enum hd_roof_op op, enum hd_roof_type type,
                    const struct hd_roof_shape *s, double *work, double *bytes) {
    double element = type == HD_ROOF_FP8 ? 1 : 2;
    *work = 0;
    switch (op) {
    case HD_ROOF_GEMM: /* the result is 16-bit whatever goes in */
        *work = 2 * s->m * s->n * s->k;
        *bytes = (s->m * s->k + fmax(1, s->batch) * s->n * s->k) * element +
                 s->m * s->n * ACTIVATION_BYTES;
        break;
    case HD_ROOF_PREFILL:
        *work = 4 * s->heads * s->head_dim * s->batch * s->chunk *
                (s->prefix + s->chunk / 2 + TILE);
        *bytes = s->batch * s->head_dim *
                 (2 * s->heads * s->chunk * ACTIVATION_BYTES +
                  2 * s->kv_heads * (s->chunk + s->prefix) * element);
        break;
    case HD_ROOF_DECODE:
        *work = s->batch * s->kv_heads;
        *bytes =
            s->batch * s->head_dim *
            (2 * s->kv_heads * s->context * element + 2 * s->heads * ACTIVATION_BYTES);
        break;
    case HD_ROOF_ADD:
    case HD_ROOF_ACTIVATION: /* two numbers in, one out */
        *bytes = 3 * s->m * s->n * ACTIVATION_BYTES;
        break;
    case HD_ROOF_SAMPLING: /* logits as 32-bit numbers */
        *bytes = s->m * s->n * 4;
        break;
    default:
        *bytes = 2 * s->m * s->n * ACTIVATION_BYTES;
    }
}

double hd_roof_bare_s(const struct hd_roof_law *law, enum hd_roof_op op,
                      enum hd_roof_type type, const struct hd_gpu_spec *gpu,
                      double share, const struct hd_roof_shape *shape) {
    if (op == HD_ROOF_MIXED) return 1;
    double work, bytes;
    hd_roof_demand(op, type, shape, &work, &bytes);
    double memory = bytes / (law->em * gpu->hbm_bytes_per_s * share), compute = 0;
    if (op == HD_ROOF_DECODE)
        compute = work * law->ec / (gpu->sms * share);
    else if (work > 0)
        compute =
            work / (law->ec * share *
                    (type == HD_ROOF_FP8 && op == HD_ROOF_GEMM ? gpu->fp8_flops
                                                               : gpu->bf16_flops));
    double most = fmax(memory, compute), least = fmin(memory, compute);
    if (least > 0) most *= pow(1 + pow(least / most, law->p), 1 / law->p);
    return law->t0_s + most;
}

double hd_roof_s(const struct hd_roof_law *law, enum hd_roof_op op,
                 enum hd_roof_type type, const struct hd_gpu_spec *gpu, double share,
                 const struct hd_roof_shape *shape) {
    double x[HD_GRID_AXES_MAX];
    hd_roof_axes(op, shape, x);
    return hd_roof_bare_s(law, op, type, gpu, share, shape) *
           exp(hd_grid_at(&law->grid, x));
}
