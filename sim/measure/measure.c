/* The account of a run: what is added to it while it goes on. */
#include "measure/measure.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

const char *hd_status_name(enum hd_status status) {
    static const char *const name[HD_STATUSES] = {"done", "rejected", "too_long",
                                                  "empty", "unfinished"};
    return name[status];
}

const char *hd_stage_name(enum hd_stage stage) {
    static const char *const name[HD_STAGES] = {"kv_out", "gc",   "restart",
                                                "reinit", "load", "kv_in"};
    return name[stage];
}

const char *hd_gpu_use_name(enum hd_gpu_use use) {
    static const char *const busy[] = {"prefill", "mixed", "decode", "start"};
    static const char *const idle[] = {"idle_waiting", "idle_free"};
    if (use < HD_GPU_STAGE) return busy[use];
    if (use < HD_GPU_IDLE_WAITING)
        return hd_stage_name((enum hd_stage)(use - HD_GPU_STAGE));
    return idle[use - HD_GPU_IDLE_WAITING];
}

const char *hd_metric_name(enum hd_metric metric) {
    static const char *const name[HD_METRICS] = {"token", "ratio", "request"};
    return name[metric];
}

struct hd_measure *hd_measure_new(const struct hd_expected *expected, hd_tick from,
                                  hd_tick to) {
    struct hd_measure *m = hd_alloc(sizeof *m);
    m->from = from;
    m->to = to;
    m->models = expected->models;
    m->model = hd_alloc(sizeof *m->model * (size_t)(expected->models + 1));
    for (int n = 0; n < expected->models; n++) {
        m->model[n].requests = expected->requests[n];
        m->model[n].tokens = expected->output_tokens[n];
        m->measured += expected->requests[n];
        m->tokens += expected->output_tokens[n];
    }
    return m;
}

void hd_measure_free(struct hd_measure *m) {
    if (!m) return;
    free(m->of_models);
    free(m->model);
    free(m);
}

/* The histograms of all models are one block: of a block so large the pages that are
 * never written, most of them, take no memory. */
static void add_of_model(struct hd_measure *m, struct hd_hist **h, int at,
                         hd_tick value) {
    if (!m->of_models)
        m->of_models = hd_alloc(sizeof *m->of_models * 2 * (size_t)m->models);
    if (!*h) *h = &m->of_models[at];
    hd_hist_add(*h, value, 1);
}

/* Latencies of what was emitted; end to end only of requests that are whole. */
static void add_latencies(struct hd_measure *m, struct hd_model_result *model,
                          const struct hd_finished *f) {
    if (f->first_token >= 0) {
        hd_hist_add(&m->ttft, f->first_token - f->arrival, 1);
        add_of_model(m, &model->ttft, 2 * f->model, f->first_token - f->arrival);
    }
    if (f->gap_longest >= 0) hd_hist_add(&m->gap_longest, f->gap_longest, 1);
    if (f->status != HD_STATUS_DONE) return;
    hd_hist_add(&m->e2e, f->last_token - f->arrival, 1);
    add_of_model(m, &model->e2e, 2 * f->model + 1, f->last_token - f->arrival);
    if (f->output_tokens > 1)
        hd_hist_add(&m->tpot, (f->last_token - f->first_token) / (f->output_tokens - 1),
                    1);
}

bool hd_measure_finish(struct hd_measure *m, const struct hd_finished *f) {
    if (m->on_finished) m->on_finished(m->on_finished_context, f);
    if (!f->measured) return false;
    struct hd_model_result *model = &m->model[f->model];
    bool done = f->status == HD_STATUS_DONE;
    int64_t tokens = f->output_tokens > 0 ? f->output_tokens : 1;
    int64_t on_time = done ? f->tokens_on_time : 0;
    bool ok = done && f->request_ok;
    hd_wide units = done ? (hd_wide)llrint(f->ratio * 0x1p62) : 0;

    m->finished[f->status]++;
    m->tokens_on_time += on_time;
    m->tokens_late += tokens - on_time;
    m->requests_ok += ok;
    m->ratio_units += units;
    if (f->cached_tokens >= 0) {
        m->prompt_tokens += f->input_tokens;
        m->cached_tokens += f->cached_tokens;
    }
    model->finished[f->status]++;
    model->tokens_on_time += on_time;
    model->tokens_late += tokens - on_time;
    model->requests_ok += ok;
    model->ratio_units += units;
    for (int b = 0; b < HD_BLAMES; b++) {
        m->blame_ticks[b] += f->blame[b];
        model->blame_ticks[b] += f->blame[b];
    }
    m->latency_ticks += f->ended - f->arrival;
    add_latencies(m, model, f);

    if (on_time == tokens && ok && units == HD_RATIO_ONE) return false;
    if (!m->hopeless || ++m->missed_since_asked < 1 + m->models / 64) return false;
    m->missed_since_asked = 0;
    return m->hopeless(m->hopeless_context, m);
}

/* Ticks of [since, until) inside the window. */
static hd_tick inside(const struct hd_measure *m, hd_tick since, hd_tick until) {
    if (since < m->from) since = m->from;
    if (until > m->to) until = m->to;
    return until > since ? until - since : 0;
}

static double seconds_of(hd_wide ticks) {
    return (double)ticks / (double)HD_TICKS_PER_S;
}

void hd_measure_gpu(struct hd_measure *m, enum hd_gpu_use use, int gpus, hd_tick since,
                    hd_tick until) {
    m->gpu_ticks[use] += (hd_wide)inside(m, since, until) * gpus;
}

hd_wide hd_measure_gpus(const struct hd_measure *m, int gpus, hd_tick end) {
    return (hd_wide)inside(m, 0, end) * gpus;
}

void hd_measure_stage(struct hd_measure *m, enum hd_stage stage, hd_tick ticks) {
    m->stage_ticks[stage] += ticks;
}

void hd_measure_active(struct hd_measure *m, int count, hd_tick since, hd_tick until) {
    m->active_ticks += (hd_wide)inside(m, since, until) * count;
}

void hd_measure_close(struct hd_measure *m, hd_tick end) {
    hd_wide gpus = 0;
    m->end = end;
    for (int u = 0; u < HD_GPU_USES; u++) {
        m->gpu_s[u] = seconds_of(m->gpu_ticks[u]);
        gpus += m->gpu_ticks[u];
    }
    m->gpus_s = seconds_of(gpus);
    for (int s = 0; s < HD_STAGES; s++) m->stage_s[s] = seconds_of(m->stage_ticks[s]);
    for (int b = 0; b < HD_BLAMES; b++) {
        m->blame_s[b] = seconds_of(m->blame_ticks[b]);
        for (int n = 0; n < m->models; n++)
            m->model[n].blame_s[b] = seconds_of(m->model[n].blame_ticks[b]);
    }
    m->active_models_s = seconds_of(m->active_ticks);
}

double hd_measure_busy_s(const struct hd_measure *m) {
    return seconds_of(m->gpu_ticks[HD_GPU_PREFILL] + m->gpu_ticks[HD_GPU_MIXED] +
                      m->gpu_ticks[HD_GPU_DECODE]);
}

double hd_measure_switching_s(const struct hd_measure *m) {
    hd_wide ticks = m->gpu_ticks[HD_GPU_START];
    for (int s = 0; s < HD_STAGES; s++) ticks += m->gpu_ticks[HD_GPU_STAGE + s];
    return seconds_of(ticks);
}
