/* The cache of compiled timings. */
#include "plan/timings.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

struct gpu {
    const struct hd_gpu_spec *spec;
    struct hd_calibration *calibration;
};

struct entry {
    const struct hd_gpu_spec *gpu;
    const struct hd_model_spec *model;
    int tp;
    double share;
    struct hd_timing *timing;
};

struct hd_timings {
    const struct hd_engine_profile *engine;
    int batches;
    int gpus, gpu_capacity;
    struct gpu *gpu;
    pthread_mutex_t lock; /* of the entries */
    int entries, capacity;
    struct entry *entry;
};

struct hd_timings *hd_timings_new(const struct hd_engine_profile *engine, int batches) {
    struct hd_timings *t = hd_alloc(sizeof *t);
    t->engine = engine;
    t->batches = batches;
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void hd_timings_free(struct hd_timings *t) {
    if (!t) return;
    for (int n = 0; n < t->gpus; n++) hd_calibration_free(t->gpu[n].calibration);
    for (int n = 0; n < t->entries; n++) hd_timing_free(t->entry[n].timing);
    free(t->gpu);
    free(t->entry);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static const struct hd_calibration *calibration_of(const struct hd_timings *t,
                                                   const struct hd_gpu_spec *gpu) {
    for (int n = 0; n < t->gpus; n++)
        if (t->gpu[n].spec == gpu) return t->gpu[n].calibration;
    return NULL;
}

bool hd_timings_add_gpu(struct hd_timings *t, const struct hd_gpu_spec *spec,
                        struct hd_err *err) {
    if (calibration_of(t, spec)) return true;
    struct hd_calibration *calibration = hd_calibration_load(spec, t->engine, err);
    if (!calibration) return false;
    t->gpu = hd_grow(t->gpu, &t->gpu_capacity, t->gpus + 1, sizeof *t->gpu);
    t->gpu[t->gpus++] = (struct gpu){spec, calibration};
    return true;
}

bool hd_timings_serve(const struct hd_timings *t, const struct hd_gpu_spec *gpu,
                      const struct hd_model_spec *model, struct hd_err *err) {
    return hd_calibration_serves(calibration_of(t, gpu), model, t->engine, err);
}

/* Compiling holds the lock: it is done once per entry, and whoever waits most likely
 * wants the same one. */
const struct hd_timing *hd_timings_get(struct hd_timings *t,
                                       const struct hd_gpu_spec *gpu,
                                       const struct hd_model_spec *model, int tp,
                                       double share, int *entry) {
    pthread_mutex_lock(&t->lock);
    int n = 0;
    for (; n < t->entries; n++) {
        const struct entry *e = &t->entry[n];
        if (e->model == model && e->gpu == gpu && e->tp == tp && e->share == share)
            break;
    }
    if (n == t->entries) {
        struct hd_timing *made = hd_timing_compile(calibration_of(t, gpu), gpu, model,
                                                   tp, share, t->engine, t->batches);
        t->entry = hd_grow(t->entry, &t->capacity, n + 1, sizeof *t->entry);
        t->entry[t->entries++] = (struct entry){gpu, model, tp, share, made};
    }
    const struct hd_timing *timing = t->entry[n].timing;
    pthread_mutex_unlock(&t->lock);
    *entry = n;
    return timing;
}

void hd_timings_source(struct hd_timings *t, int entry, struct hd_timing_source *s) {
    pthread_mutex_lock(&t->lock);
    struct entry e = t->entry[entry];
    pthread_mutex_unlock(&t->lock);
    hd_timing_source_of(calibration_of(t, e.gpu), e.model, e.tp, s);
}
