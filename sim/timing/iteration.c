/* The iteration law, as written down in iteration.h. */
#include "timing/iteration.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "hardware/model.h"

enum { WEIGHT_BYTES = 2 };

double hd_reduce_s(const struct hd_reduce_fit *fit, int gpus, double bytes) {
    if (gpus < 2) return 0;
    assert(fit->groups > 0);
    int n = 0;
    while (n + 1 < fit->groups && fit->group[n].gpus < gpus) n++;
    const struct hd_reduce_group *g = &fit->group[n];
    /* below the first knot a message costs its latency, whatever its size */
    if (g->knots == 1 || bytes <= g->bytes[0]) return g->seconds[0];
    int k = 1;
    while (k + 1 < g->knots && bytes > g->bytes[k]) k++;
    double along = log(bytes / g->bytes[k - 1]) / log(g->bytes[k] / g->bytes[k - 1]);
    return g->seconds[k - 1] * pow(g->seconds[k] / g->seconds[k - 1], along);
}

/* Elements that one token's activations move through memory in one pass: residual
 * stream whole on every GPU, the inner widths split over tp. */
static double activation_elements(const struct hd_model_spec *m, int tp) {
    int with_experts = hd_model_expert_layers(m);
    double inner = (double)m->ffn * (m->layers - with_experts) +
                   ((double)m->topk * m->moe_ffn + m->shared_ffn) * with_experts;
    double heads = (double)(m->heads + 2 * m->kv_heads) * m->head_dim * m->layers;
    return 4.0 * m->hidden * m->layers + (2 * inner + heads) * 2 / tp;
}

void hd_iteration_law(const struct hd_iteration_fit *fit,
                      const struct hd_reduce_fit *reduce, const struct hd_gpu_spec *gpu,
                      const struct hd_model_spec *model, int tp, double share,
                      struct hd_iteration *law) {
    assert(tp >= 1 && share > 0 && share <= 1);
    double flops = gpu->bf16_flops * share, reads = gpu->hbm_bytes_per_s * share;
    double gemm = fit->ec * flops * tp, memory = fit->em * reads;
    double common = (double)hd_model_common_weights(model);
    double head = (double)hd_model_head_weights(model);
    double expert =
        (double)hd_model_expert_weights(model) * (double)hd_model_expert_layers(model);
    *law = (struct hd_iteration){
        .t0_s = fit->t0_s,
        .ts_s = fit->ts_s,
        .floor_s = fit->tl_s * model->layers,
        .gemm_s_per_token = 2 * (common + expert * model->topk) / gemm,
        .head_s = 2 * head / gemm,
        .read_s = (common + head) * WEIGHT_BYTES / tp / memory,
        .expert_read_s = expert * model->experts * WEIGHT_BYTES / tp / memory,
        .miss = model->experts ? 1 - (double)model->topk / model->experts : 0,
        .activation_s_per_token =
            activation_elements(model, tp) * WEIGHT_BYTES / memory,
        /* scores and values of H heads: 2 multiply-adds a pair, half of them masked */
        .square_s = 2.0 * model->layers * model->heads *
                    (model->head_dim + model->rope_dim / 2.0) / (fit->ea * flops * tp),
        .kv_s = hd_model_kv_token_bytes(model, tp) / (fit->ek * reads),
        .reduces = tp > 1 ? 2.0 * model->layers : 0,
        .reduce_bytes_per_token = (double)model->hidden * WEIGHT_BYTES,
        .tp = tp,
        .reduce = tp > 1 ? reduce : NULL,
    };
}

double hd_iteration_read_s(const struct hd_iteration *law, double tokens) {
    double read = law->read_s + law->activation_s_per_token * tokens;
    if (law->expert_read_s > 0)
        read += law->expert_read_s * (1 - pow(law->miss, tokens));
    return read;
}

double hd_iteration_gemm_s(const struct hd_iteration *law, double tokens, double rows) {
    double compute = law->gemm_s_per_token * tokens + law->head_s * rows;
    double read = hd_iteration_read_s(law, tokens);
    double most = fmax(compute, read), least = fmin(compute, read);
    return most * pow(1 + pow(least / most, 2.5), 1 / 2.5);
}

double hd_iteration_s(const struct hd_iteration *law, double tokens, double sequences,
                      double square, double context) {
    double gpu = hd_iteration_gemm_s(law, tokens, sequences) +
                 fmax(law->square_s * square, law->kv_s * tokens) + law->kv_s * context;
    double floor = law->floor_s;
    double time = law->t0_s + law->ts_s * sequences +
                  sqrt(sqrt(gpu * gpu * gpu * gpu + floor * floor * floor * floor));
    if (law->reduce)
        time += law->reduces *
                hd_reduce_s(law->reduce, law->tp, tokens * law->reduce_bytes_per_token);
    return time;
}
