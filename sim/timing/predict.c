/* The same sums as a compiled timing's, with their terms kept. */
#include "timing/predict.h"

#include <math.h>
#include <string.h>

/* ---- parts --------------------------------------------------------------- */

static bool is_reduce(const struct hd_part *part) {
    return strcmp(part->name, "all-reduce") == 0;
}

static void add(struct hd_step_prediction *p, const struct hd_calibration *c,
                const char *name, double times, double seconds) {
    if (!(seconds > 0)) return;
    p->part[p->parts++] =
        (struct hd_part){.name = name,
                         .times = times,
                         .seconds = seconds,
                         .inside = c->basis == HD_CALIBRATION_FITTED ||
                                   c->basis == HD_CALIBRATION_SUSPECT,
                         .p50 = c->held_out.p50,
                         .p90 = c->held_out.p90};
}

/* Terms of the iteration law: it knows no kernels. */
static void split_iteration(const struct hd_calibration *c,
                            const struct hd_iteration *law,
                            const struct hd_batch_shape *b, int layers,
                            struct hd_step_prediction *p) {
    double own = b->prefills * b->chunk;
    double square = own * (2 * b->prefix + b->chunk);
    double attention = fmax(law->square_s * square, law->kv_s * b->tokens);
    add(p, c, "GEMM and small operators", layers,
        hd_iteration_gemm_s(law, b->tokens, b->rows));
    add(p, c, "attention", layers, attention + law->kv_s * b->context);
    if (law->reduce)
        add(p, c, "all-reduce", law->reduces,
            law->reduces * hd_reduce_s(law->reduce, law->tp,
                                       b->tokens * law->reduce_bytes_per_token));
}

/* ---- the sum ------------------------------------------------------------- */

/* Launches are a floor beside the kernels but not beside all-reduces. */
static void add_up(struct hd_step_prediction *p, double floor_s) {
    double gpu = 0, reduce = 0;
    p->inside = true;
    for (int n = 0; n < p->parts; n++) {
        const struct hd_part *part = &p->part[n];
        if (is_reduce(part))
            reduce += part->seconds;
        else
            gpu += part->seconds;
        p->p50 += part->seconds * part->p50;
        p->p90 += part->seconds * part->p90;
        p->inside &= part->inside;
    }
    p->kernels_s = gpu + reduce;
    p->p50 /= p->kernels_s;
    p->p90 /= p->kernels_s;
    p->launch_s = sqrt(sqrt(pow(gpu, 4) + pow(floor_s, 4))) - gpu;
    double work = p->kernels_s + p->launch_s;
    p->step_s = p->overlapped ? fmax(work, p->host_s) : work + p->host_s;
}

void hd_predict_step(const struct hd_calibration *c, const struct hd_gpu_spec *gpu,
                     const struct hd_model_spec *model, int tp,
                     const struct hd_engine_profile *engine,
                     const struct hd_batch_shape *b, struct hd_step_prediction *p) {
    *p = (struct hd_step_prediction){.overlapped = engine->async};
    p->host_s = engine->step_s + engine->sequence_s * b->rows;
    double floor_s = engine->layer_s * model->layers;
    if (c->kernels) {
        struct hd_composition composed;
        hd_compose(&composed, c->kernels, &c->reduce, gpu, model, tp, 1);
        p->parts = hd_compose_parts(&composed, b, p->part);
        for (int n = 0; n < p->parts; n++) {
            struct hd_part *part = &p->part[n];
            if (!is_reduce(part) || strcmp(c->linked, c->gpu) == 0) continue;
            part->inside = false;
            part->p50 = fmax(part->p50, HD_UNSEEN_GPU_P50);
            part->p90 = fmax(part->p90, HD_UNSEEN_GPU_P90);
        }
    } else {
        struct hd_iteration law;
        hd_iteration_law(&c->fit, &c->reduce, gpu, model, tp, 1, &law);
        split_iteration(c, &law, b, model->layers, p);
        p->host_s += law.t0_s + law.ts_s * b->rows;
        floor_s = law.floor_s;
    }
    add_up(p, floor_s);
    if (!c->kernels) return;
    p->p50 = fmax(p->p50, HD_COMPOSED_P50);
    p->p90 = fmax(p->p90, HD_COMPOSED_P90);
}
