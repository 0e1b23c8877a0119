/* Running a policy on the miniature workloads and counting what became of each
 * request. */
#include "plan/check.h"

#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "plan/check_world.h"

static void on_finished(void *context, const struct hd_finished *f) {
    struct hd_check_result *r = context;
    switch (f->status) {
    case HD_STATUS_DONE:
        r->done++;
        break;
    case HD_STATUS_REJECTED:
        r->rejected++;
        break;
    case HD_STATUS_UNFINISHED:
        r->lost++;
        if (r->first_lost < 0 || f->id < r->first_lost) r->first_lost = f->id;
        break;
    default:
        r->too_long++;
    }
    if (f->status == HD_STATUS_DONE &&
        f->first_token - f->arrival > hd_tick_from_s(HD_CHECK_STARVED_S))
        r->starved++;
}

static struct hd_measure *measure_of(const struct hd_mini *w) {
    int64_t requests[HD_MINI_MODELS_MAX] = {0}, tokens[HD_MINI_MODELS_MAX] = {0};
    for (int n = 0; n < w->arrivals; n++) {
        requests[w->arrival[n].model]++;
        tokens[w->arrival[n].model] += w->arrival[n].output_tokens;
    }
    struct hd_expected expected = {w->config.models, requests, tokens};
    return hd_measure_new(&expected, 0, w->config.to);
}

static double wall_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool run_one(const struct hd_script *script,
                    const struct hd_param_values *values, struct hd_mini *w,
                    struct hd_check *all, struct hd_check_result *r, double *idle_s,
                    double *gpus_s, struct hd_err *err) {
    struct hd_policy *policy = hd_script_new(script, values, err);
    if (!policy) return false;
    struct hd_measure *m = measure_of(w);
    struct hd_err why = {""};
    *r = (struct hd_check_result){
        .name = w->name, .why = w->why, .requests = w->arrivals, .first_lost = -1};
    m->on_finished = on_finished;
    m->on_finished_context = r;
    double began = wall_s();
    enum hd_run_end end = hd_run(&w->config, policy, m, &r->note, &why);
    all->wall_s += wall_s() - began;
    all->decisions += m->callbacks;
    r->ran = end != HD_RUN_CANNOT;
    if (!r->ran) r->note = why;
    r->passed = r->ran && r->lost == 0 && r->starved == 0;
    r->idle_fraction = m->gpus_s > 0 ? m->gpu_s[HD_GPU_IDLE_WAITING] / m->gpus_s : 0;
    *idle_s += m->gpu_s[HD_GPU_IDLE_WAITING];
    *gpus_s += m->gpus_s;
    hd_measure_free(m);
    hd_script_end(policy);
    if (end != HD_RUN_FAILED) return true;
    return hd_fail(err, "%s; workload `%s`", why.text, w->name);
}

bool hd_check_policy(const struct hd_script *script,
                     const struct hd_param_values *values, bool step,
                     struct hd_check *all, struct hd_err *err) {
    struct hd_mini *w = hd_alloc(sizeof *w);
    double idle_s = 0, gpus_s = 0;
    bool fine = true;
    *all = (struct hd_check){0};
    for (int n = 0; n < HD_CHECK_WORKLOADS && fine; n++) {
        struct hd_check_result *r = &all->result[n];
        hd_mini_make(w, n);
        w->config.step = step;
        fine = run_one(script, values, w, all, r, &idle_s, &gpus_s, err);
        hd_mini_free(w);
        all->workloads++;
        all->passed += r->passed;
        all->refused += !r->ran;
        all->rejected += r->rejected;
        all->lost += r->lost;
        all->starved += r->starved;
    }
    all->idle_fraction = gpus_s > 0 ? idle_s / gpus_s : 0;
    free(w);
    return fine;
}
