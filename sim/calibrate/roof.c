/* Operations and bytes by op. */
#include "calibrate/roof.h"

#include <math.h>
#include <string.h>

static double at(const struct hd_kernel_row *row, enum hd_kernel_dim dim) {
    return row->shape[dim] == HD_DIM_ABSENT ? 0 : (double)row->shape[dim];
}

/* Queries and outputs of `tokens`, and KV of `cached` tokens, all heads. */
static double attention_bytes(const struct hd_kernel_row *row, double tokens,
                              double cached, double element) {
    double head_dim = at(row, HD_DIM_HEAD_DIM);
    return 2 * tokens * at(row, HD_DIM_HEADS) * head_dim * 2 +
           2 * cached * at(row, HD_DIM_KV_HEADS) * head_dim * element;
}

static struct hd_kernel_work attention(const struct hd_kernel_row *row,
                                       double element) {
    double batch = at(row, HD_DIM_BATCH), chunk = at(row, HD_DIM_CHUNK),
           prefix = at(row, HD_DIM_PREFIX), context = at(row, HD_DIM_CONTEXT);
    double per_pair = 4 * at(row, HD_DIM_HEADS) * at(row, HD_DIM_HEAD_DIM);
    double chunks = row->op == HD_OP_ATTENTION_PREFILL ? batch
                    : row->op == HD_OP_ATTENTION_MIXED ? 1
                                                       : 0;
    double decodes = row->op == HD_OP_ATTENTION_PREFILL ? 0 : batch;
    double pairs = chunks * chunk * (prefix + chunk / 2) + decodes * (context + 1);
    return (struct hd_kernel_work){
        per_pair * pairs,
        attention_bytes(row, chunks * chunk + decodes,
                        chunks * (prefix + chunk) + decodes * (context + 1), element)};
}

static struct hd_kernel_work step(const struct hd_kernel_row *row,
                                  const struct hd_model_spec *model) {
    if (!model) return (struct hd_kernel_work){0, 0};
    double tokens = at(row, HD_DIM_BATCH);
    if (row->shape[HD_DIM_CHUNK] != HD_DIM_ABSENT &&
        strncmp(row->variant, "prefill", 7) == 0)
        tokens *= at(row, HD_DIM_CHUNK);
    double gpus = fmax(1, at(row, HD_DIM_GPUS));
    double active = (double)model->active_params;
    return (struct hd_kernel_work){2 * active * tokens / gpus, 2 * active / gpus};
}

struct hd_kernel_work hd_kernel_work_of(const struct hd_kernel_row *row,
                                        const struct hd_model_spec *model) {
    double m = at(row, HD_DIM_M), n = at(row, HD_DIM_N), k = at(row, HD_DIM_K);
    double element = hd_kernel_dtype_bytes(row->dtype);
    switch (row->op) {
    case HD_OP_GEMM:
    case HD_OP_LM_HEAD:
        return (struct hd_kernel_work){2 * m * n * k,
                                       (m * k + n * k) * element + m * n * 2};
    case HD_OP_ATTENTION_PREFILL:
    case HD_OP_ATTENTION_DECODE:
    case HD_OP_ATTENTION_MIXED:
        return attention(row, element);
    case HD_OP_NORM:
    case HD_OP_EMBEDDING:
        return (struct hd_kernel_work){0, 2 * m * n * element};
    case HD_OP_ADD:
    case HD_OP_ACTIVATION: /* gated: two in, one out */
        return (struct hd_kernel_work){0, 3 * m * n * element};
    case HD_OP_ROPE:
        return (struct hd_kernel_work){
            0, 2 * m * (at(row, HD_DIM_HEADS) + at(row, HD_DIM_KV_HEADS)) *
                   at(row, HD_DIM_HEAD_DIM) * element};
    case HD_OP_SAMPLING:
        return (struct hd_kernel_work){0, m * n * element};
    case HD_OP_ALL_REDUCE:
    case HD_OP_ALL_GATHER:
    case HD_OP_REDUCE_SCATTER:
    case HD_OP_ALL_TO_ALL:
    case HD_OP_SEND_RECV:
    case HD_OP_HBM:
        return (struct hd_kernel_work){0, at(row, HD_DIM_BYTES)};
    case HD_OP_STEP:
        return step(row, model);
    default:
        return (struct hd_kernel_work){0, 0};
    }
}

static bool over_links(enum hd_kernel_op op) {
    return op >= HD_OP_ALL_REDUCE && op <= HD_OP_SEND_RECV;
}

double hd_kernel_roof_us(const struct hd_kernel_row *row,
                         const struct hd_model_spec *model) {
    struct hd_kernel_work work = hd_kernel_work_of(row, model);
    const struct hd_gpu_spec *gpu = row->gpu;
    bool narrow = hd_kernel_dtype_bytes(row->dtype) == 1 && gpu->fp8_flops > 0;
    double flops = narrow ? gpu->fp8_flops : gpu->bf16_flops;
    double link =
        gpu->nvlink_bytes_per_s > 0 ? gpu->nvlink_bytes_per_s : gpu->pcie_bytes_per_s;
    double bandwidth = over_links(row->op) ? link : gpu->hbm_bytes_per_s;
    return 1e6 * fmax(work.flops / flops, work.bytes / bandwidth);
}

/* Kernels of 1 us to 50 us are launches more than work: their floor. Of the profiles
 * that came with it, no row lies below 0.28 times roofline plus floor (from the
 * caches), and none above 80 (a single warp at work): a factor of 1000 shows either
 * way. The shortest time in them is 1 us. */
#define FLOOR_US 5.0
#define SHORTEST_US 0.5
#define LEAST 0.1
#define MOST 200.0

bool hd_kernel_is_possible(const struct hd_kernel_row *row,
                           const struct hd_model_spec *model, struct hd_err *why) {
    double roof = hd_kernel_roof_us(row, model);
    if (roof <= 0) return true;
    if (row->time_us < SHORTEST_US && row->time_us >= LEAST * roof)
        return hd_fail(why, "%g us is less than any kernel takes; wrong units?",
                       row->time_us);
    const char *side = row->time_us < LEAST * roof ? "less than a tenth of the" : NULL;
    if (row->time_us > MOST * (roof + FLOOR_US)) side = "more than 200 times the";
    return !side ||
           hd_fail(why,
                   "%g us is %s %.3g us that the data sheet of %s gives for it; wrong "
                   "units, or another GPU's profile?",
                   row->time_us, side, roof, row->gpu->name);
}
