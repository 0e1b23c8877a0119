/* Which part of the composition answers which question of a compiled timing. */
#include "timing/kernels_law.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static double with_floor(double gpu_s, double floor_s) {
    double gpu = gpu_s * gpu_s, floor = floor_s * floor_s;
    return floor > 0 ? sqrt(sqrt(gpu * gpu + floor * floor)) : gpu_s;
}

static double step_s(const void *context, int batch, double kv_tokens) {
    const struct hd_kernels_law *l = context;
    double attention = hd_compose_decode_s(l->composition, batch, kv_tokens);
    return with_floor(l->step_s[batch] + attention, l->law.floor_s) +
           l->reduce_s[batch];
}

static double multiply_s(const void *context, double tokens) {
    const struct hd_kernels_law *l = context;
    return hd_compose_tokens_s(l->composition, tokens);
}

static double rows_s(const void *context, double rows) {
    const struct hd_kernels_law *l = context;
    return hd_compose_rows_s(l->composition, rows);
}

static double reduce_s(const void *context, double tokens) {
    const struct hd_kernels_law *l = context;
    return hd_compose_reduce_s(l->composition, tokens);
}

static double attention_s(const void *context, double tokens, double mean) {
    const struct hd_kernels_law *l = context;
    struct hd_batch_shape b = {0};
    hd_batch_prefills(&b, tokens, tokens * mean);
    return hd_compose_prefill_s(l->composition, &b);
}

/* Decodes beside a prefill of the usual size; other sizes are a factor on it. */
enum { USUAL_CHUNK = 256, USUAL_DECODES = 64, USUAL_CONTEXT = 64 * 1024 };

static double beside_s(const void *context, double decodes, double kv_tokens) {
    const struct hd_kernels_law *l = context;
    return hd_compose_beside_s(l->composition, decodes, kv_tokens, USUAL_CHUNK);
}

static double beside_factor(const void *context, double tokens) {
    const struct hd_kernels_law *l = context;
    double usual =
        hd_compose_beside_s(l->composition, USUAL_DECODES, USUAL_CONTEXT, USUAL_CHUNK);
    return hd_compose_beside_s(l->composition, USUAL_DECODES, USUAL_CONTEXT,
                               fmax(1, tokens)) /
           usual;
}

void hd_kernels_law_init(struct hd_kernels_law *l, const struct hd_composition *c,
                         double floor_s, int batches) {
    *l = (struct hd_kernels_law){.composition = c, .batches = batches};
    /* a table also asks for one batch beyond its last */
    l->step_s = hd_alloc((size_t)(batches + 2) * sizeof *l->step_s);
    l->reduce_s = hd_alloc((size_t)(batches + 2) * sizeof *l->reduce_s);
    for (int b = 1; b <= batches + 1; b++) {
        l->step_s[b] = hd_compose_tokens_s(c, b) + hd_compose_rows_s(c, b);
        l->reduce_s[b] = hd_compose_reduce_s(c, b);
    }
    double usable =
        (double)c->gpu->vram_bytes * c->tp / (double)c->model->kv_token_bytes;
    double longest = (double)batches * c->model->max_context_tokens;
    l->law = (struct hd_law){
        .context = l,
        .step_s = step_s,
        .multiply_s = multiply_s,
        .reduce_s = c->reduce ? reduce_s : NULL,
        .rows_s = rows_s,
        .attention_s = attention_s,
        .beside_s = beside_s,
        .beside_factor = beside_factor,
        .floor_s = floor_s,
        /* no more context than the GPUs can hold, or the batch can have */
        .context_max = usable < longest ? usable : longest,
        .tokens_max = 1 << 18,
    };
}

void hd_kernels_law_free(struct hd_kernels_law *l) {
    free(l->step_s);
    free(l->reduce_s);
    *l = (struct hd_kernels_law){0};
}
