/* From a row's op to its table. */
#include "calibrate/row_prediction.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate/kernel_points.h"

bool hd_row_predictor_init(struct hd_row_predictor *p, const struct hd_catalog *catalog,
                           const struct hd_gpu_spec *gpu, struct hd_err *err) {
    *p = (struct hd_row_predictor){.catalog = catalog, .gpu = gpu};
    p->set = hd_kernel_set_load(gpu, false, err);
    p->calibration = p->set ? hd_calibration_load(gpu, NULL, err) : NULL;
    if (p->calibration) return true;
    hd_row_predictor_free(p);
    return false;
}

void hd_row_predictor_free(struct hd_row_predictor *p) {
    hd_kernel_set_free(p->set);
    hd_calibration_free(p->calibration);
    *p = (struct hd_row_predictor){0};
}

static const struct hd_row_prediction nothing = {0, NAN, NAN};

static struct hd_row_prediction table_says(const struct hd_row_predictor *p,
                                           enum hd_roof_op op, enum hd_roof_type type,
                                           const struct hd_roof_shape *shape) {
    const struct hd_kernel_origin *origin;
    const struct hd_kernel_table *table = hd_kernel_set_find(p->set, op, type, &origin);
    if (!table) return nothing;
    struct hd_kernel_band band = hd_kernel_band(table, origin, op, shape, false);
    double seconds = hd_roof_s(&table->law, op, type, p->gpu, 1, shape);
    return (struct hd_row_prediction){1e6 * seconds, band.p50, band.p90};
}

/* The prefill, and the decodes times what they add beside it. */
static struct hd_row_prediction mixed(const struct hd_row_predictor *p,
                                      enum hd_roof_type type,
                                      const struct hd_roof_shape *shape) {
    struct hd_roof_shape chunk = *shape;
    chunk.batch = 1;
    struct hd_row_prediction prefill = table_says(p, HD_ROOF_PREFILL, type, &chunk),
                             decode = table_says(p, HD_ROOF_DECODE, type, shape),
                             ratio = table_says(p, HD_ROOF_MIXED, type, shape);
    if (!(prefill.us > 0 && decode.us > 0 && ratio.us > 0)) return nothing;
    double seconds = ratio.us * 1e-6; /* a ratio, see HD_ROOF_MIXED */
    return (struct hd_row_prediction){prefill.us + decode.us * seconds, ratio.p50,
                                      ratio.p90};
}

/* An iteration of an eager engine, 16 bit, as the law was fitted to. */
static struct hd_row_prediction step(const struct hd_row_predictor *p,
                                     const struct hd_kernel_row *row) {
    const char *name = strchr(row->variant, ':');
    struct hd_err ignored = {0};
    const struct hd_model_spec *model =
        name ? hd_catalog_model(p->catalog, name + 1, &ignored) : NULL;
    int64_t gpus = row->shape[HD_DIM_GPUS];
    if (!model || gpus > 1 || hd_kernel_dtype_bytes(row->dtype) != 2) return nothing;
    struct hd_iteration law;
    hd_iteration_law(&p->calibration->fit, NULL, p->gpu, model, 1, 1, &law);
    double batch = (double)row->shape[HD_DIM_BATCH];
    double seconds;
    if (strncmp(row->variant, "prefill:", 8) == 0) {
        double chunk = (double)row->shape[HD_DIM_CHUNK];
        seconds = hd_iteration_s(&law, batch * chunk, batch, batch * chunk * chunk, 0);
    } else {
        double context = (double)row->shape[HD_DIM_CONTEXT];
        seconds = hd_iteration_s(&law, batch, batch, 0, batch * context);
    }
    return (struct hd_row_prediction){1e6 * seconds, p->calibration->held_out.p50,
                                      p->calibration->held_out.p90};
}

struct hd_row_prediction hd_row_predict(const struct hd_row_predictor *p,
                                        const struct hd_kernel_row *row) {
    if (row->op == HD_OP_STEP) return step(p, row);
    int bytes = hd_kernel_dtype_bytes(row->dtype);
    if (bytes != 1 && bytes != 2) return nothing;
    enum hd_roof_type type = bytes == 1 ? HD_ROOF_FP8 : HD_ROOF_BF16;
    for (enum hd_roof_op op = 0; op < HD_ROOF_OPS; op++) {
        if (!hd_kernel_is_op(row->op, op)) continue;
        struct hd_roof_shape shape = hd_kernel_shape_of(row);
        /* the roofline has no word for an empty KV cache */
        if (op == HD_ROOF_DECODE && shape.context < 1) return nothing;
        return op == HD_ROOF_MIXED ? mixed(p, type, &shape)
                                   : table_says(p, op, type, &shape);
    }
    return nothing;
}
