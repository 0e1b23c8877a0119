/* A run's log through the engine, and the errors. */
#include "calibrate/log_replay.h"

#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "hardware/model.h"
#include "hardware/node.h"

const double hd_log_quantile[HD_LOG_QUANTILES] = {0.05, 0.25, 0.5, 0.75, 0.95};

double hd_log_bias(double simulated, double measured) {
    return simulated / measured - 1;
}

/* ---- one run ------------------------------------------------------------- */

struct times { /* of a request, simulated; seconds */
    bool done;
    double begun, first, last;
    int cached_tokens; /* of its prompt; -1: there is no cache */
};

struct replay {
    const struct hd_log *log;
    const struct hd_log_world *world;
    double stretch; /* of all steps: 1.04 is 4 % longer */
    int next;
    struct times *times;
};

/* Steps that take s times as long, seen on a clock that runs s times as fast, are steps
 * as they were under arrivals that come s times as close. */
static int next_arrival(void *context, struct hd_arrival *a) {
    struct replay *r = context;
    if (r->next == r->log->requests) return 0;
    const struct hd_log_request *q = &r->log->request[r->next++];
    *a = (struct hd_arrival){.at = hd_tick_from_s(q->arrival_s / r->stretch),
                             .input_tokens = q->input_tokens,
                             .output_tokens = q->output_tokens,
                             .prefix = &q->prompt,
                             .prefix_blocks = q->prompt >= 0};
    return 1;
}

static void note_end(void *context, const struct hd_finished *f) {
    struct replay *r = context;
    if (f->status != HD_STATUS_DONE) return;
    r->times[f->id] = (struct times){
        true, hd_s_from_tick(f->arrival + f->blame[HD_BLAME_QUEUE]) * r->stretch,
        hd_s_from_tick(f->first_token) * r->stretch,
        hd_s_from_tick(f->last_token) * r->stretch, f->cached_tokens};
}

static const struct hd_timing *timing_of(void *context, int model, int kind, int tp,
                                         double share) {
    (void)model, (void)kind, (void)tp, (void)share;
    return ((struct replay *)context)->world->timing;
}

/* One instance on all GPUs, with the weights there; requests come as they are. */
static bool form(void *state, struct hd_engine *e, const char **reason) {
    const struct replay *r = state;
    (void)reason;
    struct hd_form f = {.role = "engine", .gpus = r->log->tp, .node = -1};
    int instance = hd_act_form(e, &f);
    return instance >= 0 && hd_act_load(e, instance, 0) >= 0;
}

static bool arrive(void *state, struct hd_engine *e, struct hd_req r) {
    (void)state;
    return hd_act_join_instance(e, r, 0, HD_KV_PULL);
}

static int64_t weights_of_gpu(const struct hd_log *log, const struct hd_model_spec *m) {
    return (m->weights_bytes + log->tp - 1) / log->tp;
}

static int64_t block_bytes_of_gpu(const struct hd_log *log,
                                  const struct hd_model_spec *m) {
    enum { BLOCK_TOKENS = 16 };
    return (int64_t)(BLOCK_TOKENS * hd_model_kv_token_bytes(m, log->tp));
}

static int64_t usable_bytes(const struct hd_log *log, const struct hd_log_world *w) {
    struct hd_gpu_reserve reserve = hd_gpu_reserve_default();
    reserve.utilisation = w->engine->gpu_memory;
    if (log->kv_blocks == 0) return hd_gpu_usable(w->gpu, &reserve);
    return weights_of_gpu(log, w->model) +
           log->kv_blocks * block_bytes_of_gpu(log, w->model);
}

static struct hd_serving serving_of(const struct hd_log *log,
                                    const struct hd_engine_profile *p) {
    struct hd_serving s = hd_serving_default();
    int tokens = log->step_tokens ? log->step_tokens : p->step_tokens;
    s.max_batch = log->max_batch ? log->max_batch : p->max_batch;
    s.prefill_tokens = tokens;
    s.chunk_tokens = p->chunked ? tokens : 0;
    s.watermark = p->watermark;
    s.async = p->async;
    s.prefix_cache = p->prefix_cache;
    return s;
}

static bool run(const struct hd_log *log, const struct hd_log_world *w, double stretch,
                struct times *times, struct hd_err *err) {
    const struct hd_model_spec *m = w->model;
    struct replay r = {log, w, stretch, 0, times};
    struct hd_node_spec usual;
    hd_node_defaults(w->gpu, &usual, NULL);
    struct hd_run_model model = {.name = m->name,
                                 .slo_class = "none",
                                 .tp = log->tp,
                                 .replicas = 1,
                                 .weights_bytes = m->weights_bytes,
                                 .kv_token_bytes = m->kv_token_bytes,
                                 .kv_heads = m->kv_rank > 0 ? 1 : m->kv_heads,
                                 .max_context = m->max_context_tokens,
                                 .ttft = HD_TICK_NEVER,
                                 .tbt = HD_TICK_NEVER};
    struct hd_gpu_kind kind = {.name = w->gpu->name,
                               .usable_bytes = usable_bytes(log, w)};
    struct hd_node_config node = {.gpus = log->tp,
                                  .dram_bytes = usual.dram_bytes,
                                  .disk_bytes_per_s = usual.disk_bytes_per_s,
                                  .pcie_bytes_per_s = usual.pcie_bytes_per_s,
                                  .pcie_shared_by = usual.pcie_shared_by,
                                  .nvlink_bytes_per_s = usual.nvlink_bytes_per_s,
                                  .nic_bytes_per_s = usual.nic_bytes_per_s};
    struct hd_run_config c = {.model = &model,
                              .models = 1,
                              .kind = &kind,
                              .kinds = 1,
                              .node = &node,
                              .nodes = 1,
                              .timing = timing_of,
                              .timing_context = &r,
                              .next = next_arrival,
                              .next_context = &r,
                              .switching = hd_switching_default(),
                              .serving = serving_of(log, w->engine),
                              .from = 0,
                              .to = HD_TICK_NEVER,
                              .seed = 1,
                              .step = w->step,
                              /* one identity stands for the whole of any prompt */
                              .prefix_block_tokens = log->prompts ? 1 << 28 : 0};
    c.switching.placed = true;
    int64_t requests = log->requests, tokens = 0;
    for (int n = 0; n < log->requests; n++) tokens += log->request[n].output_tokens;
    struct hd_measure *measure =
        hd_measure_new(&(struct hd_expected){1, &requests, &tokens}, 0, HD_TICK_NEVER);
    measure->on_finished = note_end;
    measure->on_finished_context = &r;
    struct hd_policy policy = {
        .name = "one engine", .state = &r, .start = form, .arrive = arrive};
    struct hd_err note = {0};
    enum hd_run_end end = hd_run(&c, &policy, measure, &note, err);
    hd_measure_free(measure);
    if (end == HD_RUN_WHOLE) return true;
    if (end == HD_RUN_STALLED) return hd_fail(err, "%s", note.text);
    return hd_fail(err, "%s", err->text[0] ? err->text : "the run failed");
}

/* ---- comparing ----------------------------------------------------------- */

struct figure_values {
    int count;
    double measured, simulated; /* sums */
    double *error;
};

static void compare(struct figure_values *v, double measured, double simulated) {
    v->measured += measured;
    v->simulated += simulated;
    v->error[v->count++] = hd_log_bias(simulated, measured);
}

static struct hd_log_figure figure_of(struct figure_values *v) {
    struct hd_log_figure f = {
        v->measured / v->count, v->simulated / v->count, {0}, 0, 0};
    size_t n = (size_t)v->count;
    gsl_sort(v->error, 1, n);
    for (int q = 0; q < HD_LOG_QUANTILES; q++)
        f.quantile[q] =
            gsl_stats_quantile_from_sorted_data(v->error, 1, n, hd_log_quantile[q]);
    for (size_t k = 0; k < n; k++) v->error[k] = fabs(v->error[k]);
    gsl_sort(v->error, 1, n);
    f.p50 = gsl_stats_quantile_from_sorted_data(v->error, 1, n, 0.5);
    f.p90 = gsl_stats_quantile_from_sorted_data(v->error, 1, n, 0.9);
    return f;
}

struct edge {
    double at;
    int change;
};

static int by_time(const void *a, const void *b) {
    const struct edge *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->change - y->change; /* who leaves makes room */
}

static int peak_of(const struct times *t, int count) {
    struct edge *edge = hd_alloc(2 * (size_t)count * sizeof *edge);
    int edges = 0, now = 0, peak = 0;
    for (int n = 0; n < count; n++) {
        if (!t[n].done) continue;
        edge[edges++] = (struct edge){t[n].begun, 1};
        edge[edges++] = (struct edge){t[n].last, -1};
    }
    qsort(edge, (size_t)edges, sizeof *edge, by_time);
    for (int n = 0; n < edges; n++) {
        now += edge[n].change;
        if (now > peak) peak = now;
    }
    free(edge);
    return peak;
}

static bool mean_ttft(const struct hd_log *log, const struct hd_log_world *w,
                      double stretch, double *mean_s, struct hd_err *err) {
    struct times *t = hd_alloc((size_t)log->requests * sizeof *t);
    bool fine = run(log, w, stretch, t, err);
    double sum = 0;
    int count = 0;
    for (int n = 0; fine && n < log->requests; n++) {
        if (!t[n].done) continue;
        sum += t[n].first - log->request[n].arrival_s;
        count++;
    }
    *mean_s = sum / count;
    free(t);
    return fine;
}

static double hit_rate_of(const struct hd_log *log, const struct times *t) {
    double prompts = 0, cached = 0;
    for (int n = 0; n < log->requests; n++) {
        if (!t[n].done || t[n].cached_tokens < 0) continue;
        prompts += log->request[n].input_tokens;
        cached += t[n].cached_tokens;
    }
    return log->prompts && prompts > 0 ? cached / prompts : NAN;
}

bool hd_log_replay(const struct hd_log *log, const struct hd_log_world *w,
                   struct hd_log_errors *e, struct hd_err *err) {
    int64_t room = usable_bytes(log, w) - weights_of_gpu(log, w->model);
    if (room < block_bytes_of_gpu(log, w->model))
        return hd_fail(err, "%s does not fit on %d %s", w->model->name, log->tp,
                       w->gpu->name);
    size_t count = (size_t)log->requests;
    struct times *t = hd_alloc(count * sizeof *t);
    bool fine = run(log, w, 1, t, err);
    struct figure_values ttft = {.error = hd_alloc(count * sizeof(double))},
                         tpot = {.error = hd_alloc(count * sizeof(double))},
                         latency = {.error = hd_alloc(count * sizeof(double))};
    struct hd_serving s = serving_of(log, w->engine);
    *e = (struct hd_log_errors){.max_batch = s.max_batch,
                                .step_tokens = s.prefill_tokens,
                                .kv_blocks =
                                    (int)(room / block_bytes_of_gpu(log, w->model))};
    for (int n = 0; fine && n < log->requests; n++) {
        const struct hd_log_request *r = &log->request[n];
        if (!t[n].done) {
            e->not_served++;
            continue;
        }
        compare(&ttft, r->first_s - r->arrival_s, t[n].first - r->arrival_s);
        compare(&latency, r->last_s - r->arrival_s, t[n].last - r->arrival_s);
        if (r->output_tokens > 1 && r->last_s > r->first_s)
            compare(&tpot, (r->last_s - r->first_s) / (r->output_tokens - 1),
                    (t[n].last - t[n].first) / (r->output_tokens - 1));
        e->makespan_measured_s = fmax(e->makespan_measured_s, r->last_s);
        e->makespan_simulated_s = fmax(e->makespan_simulated_s, t[n].last);
    }
    e->requests = ttft.count;
    fine = fine &&
           (tpot.count > 0 || hd_fail(err, "no request of two tokens could be served"));
    if (fine) {
        e->ttft = figure_of(&ttft);
        e->tpot = figure_of(&tpot);
        e->latency = figure_of(&latency);
        e->peak_batch = peak_of(t, log->requests);
        e->hit_rate = hit_rate_of(log, t);
        fine = mean_ttft(log, w, 0.96, &e->ttft_low_s, err) &&
               mean_ttft(log, w, 1.04, &e->ttft_high_s, err);
    }
    free(ttft.error);
    free(tpot.error);
    free(latency.error);
    free(t);
    return fine;
}
