/* Seconds of one kernel on one GPU: a roofline with fitted efficiencies, times the
 * exponential of a residual grid.
 *
 *   t = (t0 + ((work / rate)^p + (bytes / (em BW))^p)^(1/p)) exp(residual)
 *
 * with BW the data sheet's bandwidth. `work` and `rate` by operator:
 *   GEMM          2 m n k;                          ec P, P the peak of the type
 *   prefill       4 H d b (c (q + c/2) + 128 c);    ec P      (one diagonal tile more)
 *   decode        b K, sequences times KV heads;    SMs / c1, c1 seconds in place of ec
 *   all others    0: only memory
 * for b sequences of c new tokens after q cached ones, H heads, K KV heads of size d.
 */
#ifndef HD_TIMING_ROOFLINE_H
#define HD_TIMING_ROOFLINE_H

#include "hardware/catalog.h"
#include "timing/grid.h"

enum hd_roof_op {
    HD_ROOF_GEMM,
    HD_ROOF_PREFILL,
    HD_ROOF_DECODE,
    HD_ROOF_MIXED,      /* decodes beside a prefill: not seconds, but the ratio of what
                           they add to what they take alone; the roofline is 1 */
    HD_ROOF_NORM,       /* with the residual added in the same kernel or not */
    HD_ROOF_ADD,        /* where it is a kernel of its own */
    HD_ROOF_ROPE,       /* n = (heads + KV heads) head size */
    HD_ROOF_ACTIVATION, /* n = width behind it */
    HD_ROOF_EMBEDDING,
    HD_ROOF_SAMPLING, /* n = vocabulary */
    HD_ROOF_OPS
};

enum hd_roof_type { HD_ROOF_BF16, HD_ROOF_FP8, HD_ROOF_TYPES };
enum hd_roof_type hd_roof_type_as(enum hd_number);

/* Fields that the operator does not have are not looked at. */
struct hd_roof_shape {
    double m, n, k; /* tokens or rows; outputs or width; inputs */
    double batch;   /* attention: sequences; GEMM: matrices of one grouped kernel, of
                       which m is the rows in all; 0: one */
    double chunk, prefix; /* prefill: new and cached tokens of each */
    double context;       /* decode: cached tokens of each, the mean */
    double heads, kv_heads, head_dim;
};

struct hd_roof_law {
    bool known;             /* false: all else is 0 */
    double t0_s, ec, em, p; /* decode: ec holds c1, seconds */
    struct hd_grid grid;    /* axes: see hd_roof_axes */
};

/* The sizes that an operator's grid lies on; returns how many:
 *   GEMM m n k; prefill b H, c, H / K, 1 + q / c; decode b K, context, H / K, and mixed
 * also the c beside them; others m n. */
int hd_roof_axes(enum hd_roof_op, const struct hd_roof_shape *,
                 double x[HD_GRID_AXES_MAX]);

/* `work` as above, and bytes moved through memory. */
void hd_roof_demand(enum hd_roof_op, enum hd_roof_type, const struct hd_roof_shape *,
                    double *work, double *bytes);

/* The roofline alone, and with the residual. share: of the GPU, (0, 1]. */
double hd_roof_bare_s(const struct hd_roof_law *, enum hd_roof_op, enum hd_roof_type,
                      const struct hd_gpu_spec *, double share,
                      const struct hd_roof_shape *);
double hd_roof_s(const struct hd_roof_law *, enum hd_roof_op, enum hd_roof_type,
                 const struct hd_gpu_spec *, double share,
                 const struct hd_roof_shape *);

/* "gemm", "attention_prefill", ... as in files of kernel measurements; -1: unknown. */
const char *hd_roof_op_name(enum hd_roof_op);
int hd_roof_op_of(const char *name);
const char *hd_roof_type_name(enum hd_roof_type);
int hd_roof_type_of(const char *name);

#endif
