/* Whole prefills of a real engine by its kernels: nothing was fitted to an iteration.
 */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "calibrate/check.h"
#include "calibrate/measured.h"
#include "hardware/engines.h"
#include "timing/predict.h"

static const char unseen[] =
    "seen: kernels only; judged: prefills of 1024 to 2048 tokens, whole, eager vLLM of "
    "2024, three models or more";

enum { TOKENS_LEAST = 1024 };

/* The engine profile nearest to what Aegaeon's authors ran, with kernels of its time.
 */
static const char engine_name[] = "vllm-0.6-sync";

static bool judge(const struct hd_measured *measured, const struct hd_gpu_spec *gpu,
                  const struct hd_engine_profile *engine, struct hd_checks *all,
                  struct hd_err *err) {
    struct hd_calibration *c = hd_calibration_load(gpu, engine, err);
    if (!c) return false;
    double *error = hd_alloc((size_t)measured->rows * sizeof *error);
    int count = 0;
    for (int n = 0; n < measured->rows; n++) {
        const struct hd_measured_row *row = &measured->row[n];
        double tokens = (double)row->input_tokens * row->batch;
        if (row->gpu != gpu || !hd_measured_is_clean(row) || tokens < TOKENS_LEAST)
            continue;
        struct hd_batch_shape b = {.tokens = tokens,
                                   .rows = row->batch,
                                   .prefills = row->batch,
                                   .chunk = row->input_tokens};
        struct hd_step_prediction p;
        hd_predict_step(c, gpu, row->model, 1, engine, &b, &p);
        error[count++] = fabs(p.step_s / row->prefill_s - 1);
    }
    struct hd_check *check =
        hd_checks_add(all, "", "prefill by kernels", gpu->name, "Aegaeon", unseen);
    check->held_out = hd_fit_error_of(error, count);
    free(error);
    hd_calibration_free(c);
    return true;
}

bool hd_check_composed(const struct hd_catalog *catalog, const char *data,
                       struct hd_checks *all, struct hd_err *err) {
    static const char *const gpus[] = {"A100-80-SXM", "H100-SXM", "H800-SXM"};
    struct hd_measured measured = {0};
    struct hd_engines *engines = hd_engines_load(err);
    const struct hd_engine_profile *engine =
        engines ? hd_engines_find(engines, engine_name, err) : NULL;
    char *path = hd_format("%s/measured/aegaeon_iterations.csv", data);
    bool fine = engine && hd_measured_read(catalog, path, &measured, err);
    for (size_t n = 0; n < sizeof gpus / sizeof *gpus && fine; n++) {
        const struct hd_gpu_spec *gpu = hd_catalog_gpu(catalog, gpus[n], err);
        fine = gpu && judge(&measured, gpu, engine, all, err);
    }
    free(path);
    hd_measured_free(&measured);
    hd_engines_free(engines);
    return fine;
}
