/* From a calibration and a model's shape to the table that the engine reads. */
#include <assert.h>
#include <stddef.h>

#include "timing/calibration.h"
#include "timing/kernels_law.h"

static double step_s(const void *context, int batch, double kv_tokens) {
    return hd_iteration_s(context, batch, batch, 0, kv_tokens);
}

static double multiply_s(const void *context, double tokens) {
    const struct hd_iteration *law = context;
    return law->gemm_s_per_token * tokens;
}

static double read_s(const void *context, double tokens) {
    return hd_iteration_read_s(context, tokens);
}

static double reduce_s(const void *context, double tokens) {
    const struct hd_iteration *law = context;
    return law->reduces *
           hd_reduce_s(law->reduce, law->tp, tokens * law->reduce_bytes_per_token);
}

static struct hd_timing *
compile_kernels(const struct hd_calibration *calibration, const struct hd_gpu_spec *gpu,
                const struct hd_model_spec *model, int tp, double share,
                const struct hd_engine_profile *engine, int batches) {
    struct hd_composition c;
    struct hd_kernels_law l;
    hd_compose(&c, calibration->kernels, &calibration->reduce, gpu, model, tp, share);
    hd_kernels_law_init(&l, &c, engine->layer_s * model->layers, batches);
    l.law.skew = hd_kernel_set_skew(calibration->kernels);
    l.law.host_step_s = engine->step_s;
    l.law.host_sequence_s = engine->sequence_s;
    l.law.overlapped = engine->async;
    struct hd_timing *t = hd_timing_sample(&l.law, batches);
    hd_kernels_law_free(&l);
    return t;
}

struct hd_timing *hd_timing_compile(const struct hd_calibration *calibration,
                                    const struct hd_gpu_spec *gpu,
                                    const struct hd_model_spec *model, int tp,
                                    double share,
                                    const struct hd_engine_profile *engine,
                                    int batches) {
    if (calibration->kernels)
        return compile_kernels(calibration, gpu, model, tp, share, engine, batches);
    assert(model->weights == HD_NUMBER_16BIT && model->kv == HD_NUMBER_16BIT);
    struct hd_iteration it;
    hd_iteration_law(&calibration->fit, &calibration->reduce, gpu, model, tp, share,
                     &it);
    double usable = (double)gpu->vram_bytes * tp / (double)model->kv_token_bytes;
    double longest = (double)batches * model->max_context_tokens;
    struct hd_law law = {
        .context = &it,
        .step_s = step_s,
        .multiply_s = multiply_s,
        .read_s = read_s,
        .reduce_s = it.reduce ? reduce_s : NULL,
        .fixed_s = it.t0_s,
        .sequence_s = it.ts_s,
        .floor_s = it.floor_s,
        .logits_s = it.head_s,
        .square_s = it.square_s,
        .token_kv_s = it.kv_s,
        .kv_s = it.kv_s,
        /* no more context than the GPUs can hold, or the batch can have */
        .context_max = usable < longest ? usable : longest,
        .tokens_max = 1 << 18,
        .host_step_s = engine->step_s,
        .host_sequence_s = engine->sequence_s,
        .overlapped = engine->async,
    };
    return hd_timing_sample(&law, batches);
}
