/* The engine as a whole against measured runs (gate G4). */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "calibrate/check.h"
#include "calibrate/log_replay.h"
#include "timing/calibration.h"

/* Logs that are there, the GPU they are of, and the profile of their engine; no
 * constant of any of these was fitted to a log. */
static const struct {
    const char *folder, *gpu, *engine;
} logs[] = {{"measured/vllm-0.19-rtxpro6000-llama-3.1-8b", "RTX-PRO-6000-Server",
             "vllm-0.14-async"}};

static void add(struct hd_checks *all, const char *name, const char *gpu, double p50,
                double p90, int values, struct hd_check_limit limit,
                struct hd_check_limit reference) {
    struct hd_check *c = hd_checks_add(all, "G4", name, gpu, "LLMServingSim",
                                       "a measured vLLM run replayed with its own "
                                       "settings, nothing fitted to it (`hotdesk "
                                       "calibrate log`); of a mean there is one error");
    c->held_out = (struct hd_fit_error){p50, p90, values};
    c->limit = limit;
    c->reference = reference;
}

/* A mean has one error, which stands for both. References: LLMServingSim on this
 * log. */
static void add_mean(struct hd_checks *all, const char *name, const char *gpu,
                     double simulated, double measured, double limit, double reference,
                     int values) {
    double error = fabs(hd_log_bias(simulated, measured));
    add(all, name, gpu, error, error, values, (struct hd_check_limit){limit, limit},
        (struct hd_check_limit){reference, reference});
}

static void add_errors(struct hd_checks *all, const char *gpu,
                       const struct hd_log_errors *e) {
    add_mean(all, "run: mean TPOT", gpu, e->tpot.simulated_s, e->tpot.measured_s, 0.03,
             0.010, e->requests);
    add_mean(all, "run: mean TTFT", gpu, e->ttft.simulated_s, e->ttft.measured_s, 0.08,
             0.040, e->requests);
    add_mean(all, "run: makespan", gpu, e->makespan_simulated_s, e->makespan_measured_s,
             0.03, 0, e->requests);
    add(all, "run: E2E of each request", gpu, e->latency.p50, e->latency.p90,
        e->requests, (struct hd_check_limit){0.04, 0},
        (struct hd_check_limit){0.0154, 0});
    add(all, "run: TPOT of each request", gpu, e->tpot.p50, e->tpot.p90, e->requests,
        (struct hd_check_limit){0, 0}, (struct hd_check_limit){0.0071, 0});
    add(all, "run: TTFT of each request", gpu, e->ttft.p50, e->ttft.p90, e->requests,
        (struct hd_check_limit){0, 0}, (struct hd_check_limit){0.068, 0});
}

static bool check_one(int n, const struct hd_catalog *catalog,
                      const struct hd_engines *engines, const char *data,
                      struct hd_checks *all, struct hd_err *err) {
    char *folder = hd_format("%s/%s", data, logs[n].folder);
    struct hd_log *log = hd_log_read(folder, err);
    free(folder);
    if (!log) return false;
    struct hd_log_world w = {.gpu = hd_catalog_gpu(catalog, logs[n].gpu, err),
                             .model = hd_log_model(log, catalog, NULL, err),
                             .engine = hd_engines_find(engines, logs[n].engine, err)};
    bool fine = w.gpu && w.model && w.engine;
    struct hd_calibration *c = fine ? hd_calibration_load(w.gpu, w.engine, err) : NULL;
    fine = fine && c && hd_calibration_serves(c, w.model, w.engine, err);
    struct hd_timing *timing = NULL;
    if (fine) {
        timing =
            hd_timing_compile(c, w.gpu, w.model, log->tp, 1, w.engine,
                              log->max_batch ? log->max_batch : w.engine->max_batch);
        w.timing = timing;
        struct hd_log_errors errors;
        fine = hd_log_replay(log, &w, &errors, err);
        if (fine) add_errors(all, w.gpu->name, &errors);
    }
    hd_timing_free(timing);
    hd_calibration_free(c);
    hd_log_free(log);
    return fine;
}

bool hd_check_logs(const struct hd_catalog *catalog, const char *data,
                   struct hd_checks *all, struct hd_err *err) {
    struct hd_engines *engines = hd_engines_load(err);
    bool fine = engines != NULL;
    for (size_t n = 0; fine && n < sizeof logs / sizeof *logs; n++)
        fine = check_one((int)n, catalog, engines, data, all, err);
    hd_engines_free(engines);
    return fine;
}
