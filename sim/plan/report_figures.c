/* Figures of a run from its measure. */
#include "plan/report_figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool hd_run_is_whole(const struct hd_run_record *r) {
    return r->measure && (r->end == HD_RUN_WHOLE || r->end == HD_RUN_STALLED);
}

bool hd_run_is_complete(const struct hd_run_record *r) {
    return hd_run_is_whole(r) || r->end == HD_RUN_CANNOT;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct hd_spread hd_spread_of(const double *value, int count) {
    struct hd_spread s = {NAN, NAN, NAN, NAN, -1};
    if (count == 0) return s;
    double *sorted = hd_alloc((size_t)count * sizeof *sorted);
    double sum = 0, squares = 0;
    for (int i = 0; i < count; i++) {
        sorted[i] = value[i];
        sum += value[i];
        squares += value[i] * value[i];
        if (s.worst_entry < 0 || value[i] < value[s.worst_entry]) s.worst_entry = i;
    }
    qsort(sorted, (size_t)count, sizeof *sorted, ascending);
    s.worst = sorted[0];
    s.mean = sum / count;
    s.p10 = sorted[(count + 9) / 10 - 1];
    if (squares > 0) s.jain = sum * sum / (count * squares);
    free(sorted);
    return s;
}

static double quantile_s(const struct hd_hist *h, double q) {
    int64_t ticks = hd_hist_quantile(h, q);
    return ticks < 0 ? NAN : hd_s_from_tick(ticks);
}

static struct hd_latency latency_of(const struct hd_hist *h) {
    struct hd_latency l = {NAN, NAN, NAN, NAN};
    if (!h || h->total == 0) return l;
    l.p50_s = quantile_s(h, 0.5);
    l.p90_s = quantile_s(h, 0.9);
    l.p99_s = quantile_s(h, 0.99);
    l.mean_s = hd_hist_mean(h) / (double)HD_TICKS_PER_S;
    return l;
}

static const struct hd_latency no_latency = {NAN, NAN, NAN, NAN};
static const struct hd_attainments no_attainments = {NAN, NAN, NAN};

static double of_metric(const struct hd_attainments *a, enum hd_metric metric) {
    return metric == HD_METRIC_TOKEN   ? a->token
           : metric == HD_METRIC_RATIO ? a->ratio
                                       : a->request;
}

static struct hd_attainments attained_by(const struct hd_measure *m, int model,
                                         double target) {
    return (struct hd_attainments){hd_attained(m, HD_METRIC_TOKEN, model, target),
                                   hd_attained(m, HD_METRIC_RATIO, model, target),
                                   hd_attained(m, HD_METRIC_REQUEST, model, target)};
}

/* ---- a run --------------------------------------------------------------- */

void hd_run_figures_absent(struct hd_run_figures *f) {
    *f = (struct hd_run_figures){.gpus = HD_INT_ABSENT};
    int64_t *count = &f->counts.measured;
    for (size_t i = 0; i < sizeof f->counts / sizeof *count; i++)
        count[i] = HD_INT_ABSENT;
    f->pass.ok = -1;
    f->pass.judged_models = f->pass.rare_models = HD_INT_ABSENT;
    f->attain = no_attainments;
    f->pooled = NAN;
    f->spread = (struct hd_spread){NAN, NAN, NAN, NAN, -1};
    f->ttft = f->tbt = f->tpot = f->e2e = f->gap_longest = no_latency;
    f->goodput.requests_per_s = f->goodput.tokens_per_s = NAN;
    f->load.active_models = f->load.active_models_if_independent = NAN;
    for (int u = 0; u < HD_GPU_SHARES; u++) f->gpu[u] = NAN;
    for (int u = 0; u < HD_GPU_USES; u++) f->gpu_s[u] = NAN;
    f->gpus_s = NAN;
    for (int b = 0; b < HD_BLAMES; b++) f->blame_s[b] = NAN;
    for (int s = 0; s < HD_STAGES; s++) f->stage_s[s] = NAN;
    f->latency_s = NAN;
    f->switches = f->switches_hidden = HD_INT_ABSENT;
    f->vram_bytes = f->dram_bytes = f->active_models_peak = HD_INT_ABSENT;
    for (int p = 0; p < HD_VRAM_PARTS; p++) {
        f->vram.mean_bytes[p] = NAN;
        f->vram.peak_bytes[p] = HD_INT_ABSENT;
    }
    f->vram.card_bytes = f->vram.fragments = f->vram.fragments_peak = NAN;
    f->output_tokens = f->models = HD_INT_ABSENT;
    f->output_tokens_per_s = f->gpu_hours = f->models_per_gpu = NAN;
    f->limit = (struct hd_limit_figures){{NAN, NAN}, NULL, NULL};
    f->timing_error_p50 = NAN;
}

/* Attainment of some models together. */
static struct hd_attainments attained_together(const struct hd_measure *m,
                                               const bool *among) {
    int64_t requests = 0, tokens = 0, on_time = 0, ok = 0;
    hd_wide units = 0;
    for (int n = 0; n < m->models; n++) {
        if (!among[n]) continue;
        requests += m->model[n].requests;
        tokens += m->model[n].tokens;
        on_time += m->model[n].tokens_on_time;
        ok += m->model[n].requests_ok;
        units += m->model[n].ratio_units;
    }
    if (requests == 0) return no_attainments;
    return (struct hd_attainments){(double)on_time / (double)tokens,
                                   (double)units /
                                       ((double)HD_RATIO_ONE * (double)requests),
                                   (double)ok / (double)requests};
}

/* The entries that the pass rule looks at: judged models one by one; the rare ones as
 * one more, or as one more for each target where classes have their own. */
static void spread_over_models(const struct hd_question *q, const struct hd_measure *m,
                               const struct hd_criterion *c, struct hd_run_figures *f) {
    size_t most = (size_t)m->models + 1;
    double *value = hd_alloc(most * sizeof *value);
    char **name = hd_alloc(most * sizeof *name);
    bool *rare = hd_alloc(most * sizeof *rare), *together = hd_alloc(most);
    f->failing = hd_alloc(most * sizeof *f->failing);
    int entries = 0, failing = 0;
    f->pass.judged_models = f->pass.rare_models = f->models = 0;
    for (int n = 0; n < m->models; n++) {
        if (m->model[n].requests == 0) continue;
        f->models++;
        rare[n] = !hd_judged(m, n, c->attain);
        f->pass.rare_models += rare[n];
        if (rare[n]) continue;
        f->pass.judged_models++;
        name[entries] = q->model[n].name;
        value[entries] = hd_attained(m, c->metric, n, c->attain);
        if (value[entries] < hd_target(m, n, c->attain))
            f->failing[failing++] = name[entries];
        entries++;
    }
    for (int n = 0; n < m->models; n++) {
        if (!rare[n]) continue;
        double target = hd_target(m, n, c->attain);
        for (int k = 0; k < m->models; k++) {
            together[k] = rare[k] && hd_target(m, k, c->attain) == target;
            if (k > n && together[k]) rare[k] = false; /* is in this entry */
        }
        struct hd_attainments a = attained_together(m, together);
        name[entries] = HD_RARE_NAME;
        value[entries] = of_metric(&a, c->metric);
        if (value[entries] < target) f->failing[failing++] = name[entries];
        entries++;
    }
    f->spread = hd_spread_of(value, entries);
    if (entries) f->worst_model = name[f->spread.worst_entry];
    f->pass.failing_models = (struct hd_text_list){failing, f->failing};
    free(value);
    free(name);
    free(rare);
    free(together);
}

/* Models at work at once if requests of each came alone and at random: sum of
 * 1 - exp(-rate * time in the system) (M/G/infinity, as in Theorem 3.1 of Aegaeon,
 * SOSP'25), with the times of this very run. */
static double active_if_independent(const struct hd_measure *m, double span_s) {
    double sum = 0;
    for (int n = 0; n < m->models; n++) {
        double blame = 0;
        for (int b = 0; b < HD_BLAMES; b++) blame += m->model[n].blame_s[b];
        /* rate * mean time = total time / span */
        sum += -expm1(-blame / span_s);
    }
    return sum;
}

static void fill_gpu(const struct hd_measure *m, struct hd_run_figures *f) {
    double all = m->gpus_s > 0 ? m->gpus_s : NAN;
    memcpy(f->gpu_s, m->gpu_s, sizeof f->gpu_s);
    f->gpus_s = m->gpus_s;
    f->gpu[HD_SHARE_BUSY] = hd_measure_busy_s(m) / all;
    f->gpu[HD_SHARE_SWITCHING] = hd_measure_switching_s(m) / all;
    f->gpu[HD_SHARE_IDLE_WAITING] = m->gpu_s[HD_GPU_IDLE_WAITING] / all;
    f->gpu[HD_SHARE_IDLE_FREE] = m->gpu_s[HD_GPU_IDLE_FREE] / all;
}

static void fill_counts(const struct hd_measure *m, struct hd_run_figures *f) {
    f->counts.measured = m->measured;
    f->counts.done = m->finished[HD_STATUS_DONE];
    f->counts.rejected = m->finished[HD_STATUS_REJECTED];
    f->counts.too_long = m->finished[HD_STATUS_TOO_LONG];
    f->counts.empty = m->finished[HD_STATUS_EMPTY];
    f->counts.unfinished = m->finished[HD_STATUS_UNFINISHED];
    f->counts.preempted = m->preempted;
    bool cached = m->prompt_tokens > 0;
    f->prefix.prompt_tokens = cached ? m->prompt_tokens : HD_INT_ABSENT;
    f->prefix.cached_tokens = cached ? m->cached_tokens : HD_INT_ABSENT;
    f->prefix.hit_rate =
        cached ? (double)m->cached_tokens / (double)m->prompt_tokens : NAN;
}

struct hd_limit_figures hd_limit_figures(const struct hd_question *q,
                                         const struct hd_limit *l) {
    struct hd_limit_figures f = {{NAN, NAN}, NULL, NULL};
    if (l->known)
        f = (struct hd_limit_figures){{hd_trace_since_zero_s(q->trace, l->from),
                                       hd_trace_since_zero_s(q->trace, l->to)},
                                      l->models,
                                      l->resource};
    return f;
}

static void fill_vram(const struct hd_vram_account *a, struct hd_run_figures *f) {
    double gpu_ticks = (double)a->gpu_ticks;
    if (gpu_ticks <= 0) return; /* no GPU was up in the window */
    for (int p = 0; p < HD_VRAM_PARTS; p++) {
        f->vram.mean_bytes[p] = (double)a->sum[p] / gpu_ticks;
        f->vram.peak_bytes[p] = a->peak[p];
    }
    f->vram.card_bytes = (double)a->card / gpu_ticks;
    double lost = (double)a->sum[HD_VRAM_FRAGMENTS];
    double held = lost + (double)a->sum[HD_VRAM_KV];
    f->vram.fragments = held > 0 ? lost / held : 0;
    f->vram.fragments_peak = a->fragments_peak;
}

static void fill_whole(const struct hd_question *q, const struct hd_run_record *r,
                       const struct hd_criterion *c, struct hd_run_figures *f) {
    const struct hd_measure *m = r->measure;
    double span = f->window.span_s;
    double rated = span > 1e-9 ? span : NAN; /* all came at one instant: no rate */
    fill_counts(m, f);
    spread_over_models(q, m, c, f);
    f->pass.ok = hd_passes(m, c);
    f->attain = attained_by(m, -1, c->attain);
    f->pooled = of_metric(&f->attain, c->metric);
    f->ttft = latency_of(&m->ttft);
    f->tbt = latency_of(&m->tbt);
    f->tpot = latency_of(&m->tpot);
    f->e2e = latency_of(&m->e2e);
    f->gap_longest = latency_of(&m->gap_longest);
    f->goodput.requests_per_s = (double)m->requests_ok / rated;
    f->goodput.tokens_per_s = (double)m->tokens_on_time / rated;
    f->load.active_models = m->active_models_s / span;
    f->load.active_models_if_independent = active_if_independent(m, span);
    fill_gpu(m, f);
    f->latency_s = 0;
    for (int b = 0; b < HD_BLAMES; b++) {
        f->blame_s[b] = m->blame_s[b];
        f->latency_s += m->blame_s[b];
    }
    f->switches = m->switches;
    f->switches_hidden = m->switches_hidden;
    for (int s = 0; s < HD_STAGES; s++) f->stage_s[s] = m->stage_s[s];
    f->vram_bytes = m->peak_vram_bytes;
    f->dram_bytes = m->peak_dram_bytes;
    fill_vram(&m->vram, f);
    f->active_models_peak = m->active_models_peak;
    f->output_tokens = m->tokens_emitted;
    f->output_tokens_per_s = (double)m->tokens_emitted / rated;
    f->gpu_hours = m->gpus_s / 3600;
    if (r->gpus > 0) f->models_per_gpu = (double)f->models / r->gpus;
    f->limit = hd_limit_figures(q, &r->limit);
    for (int i = 0; i < r->timings; i++)
        f->timing_error_p50 = fmax(f->timing_error_p50, r->timing[i].error_p50);
}

void hd_run_figures(const struct hd_question *q, const struct hd_run_record *r,
                    const struct hd_criterion *c, struct hd_run_figures *f) {
    hd_run_figures_absent(f);
    hd_tick from = q->from, to = q->to;
    if (r->measure && to == HD_TICK_NEVER) to = r->measure->end;
    f->window.from_s = hd_trace_since_zero_s(q->trace, from);
    f->window.to_s = hd_trace_since_zero_s(q->trace, to);
    f->window.span_s = hd_s_from_tick(to - from);
    f->window.warm_up_s = hd_s_from_tick(q->warm_up);
    f->window.cool_down_s = hd_s_from_tick(q->cool_down);
    f->pass.rule = hd_pass_rule_name(c->rule);
    f->pass.metric = hd_metric_name(c->metric);
    f->pass.target = c->attain;
    f->pass.slo_scale = r->scale;
    f->pass.judged_from = hd_judged_from(c->attain);
    f->gpus = r->gpus;
    if (hd_run_is_whole(r)) fill_whole(q, r, c, f);
}

void hd_run_figures_free(struct hd_run_figures *f) {
    free(f->failing);
    f->failing = NULL;
}

/* ---- models and classes -------------------------------------------------- */

void hd_model_figures(const struct hd_question *q, const struct hd_run_record *r,
                      double target, int model, struct hd_model_figures *f) {
    const struct hd_market_model *market = &q->model[model];
    const struct hd_model_result *result = &r->measure->model[model];
    *f = (struct hd_model_figures){
        .name = market->name,
        .model = market->spec->name,
        .slo_class = q->slo[market->slo].name,
        .tp = market->tp,
        .requests = result->requests,
        .done = result->finished[HD_STATUS_DONE],
        .rejected = result->finished[HD_STATUS_REJECTED],
        .too_long = result->finished[HD_STATUS_TOO_LONG],
        .empty = result->finished[HD_STATUS_EMPTY],
        .unfinished = result->finished[HD_STATUS_UNFINISHED],
        .judged = hd_judged(r->measure, model, target),
        .attain =
            result->requests ? attained_by(r->measure, model, target) : no_attainments,
        .ttft = latency_of(result->ttft),
        .e2e = latency_of(result->e2e),
    };
    memcpy(f->blame_s, result->blame_s, sizeof f->blame_s);
}

static void add_hist(struct hd_hist *to, const struct hd_hist *h) {
    if (!h) return;
    for (int i = 0; i < HD_HIST_BUCKETS; i++) to->count[i] += h->count[i];
    to->total += h->total;
    to->sum += h->sum;
    if (h->max > to->max) to->max = h->max;
}

void hd_class_figures(const struct hd_question *q, const struct hd_run_record *r,
                      double target, int slo_class, struct hd_class_figures *f) {
    const struct hd_slo_class *slo = &q->slo[slo_class];
    const struct hd_measure *m = r->measure;
    *f = (struct hd_class_figures){.name = slo->name,
                                   .ttft_limit_s = slo->ttft_s * r->scale,
                                   .tbt_limit_s = slo->tbt_s * r->scale,
                                   .target = slo->attain > 0 ? slo->attain : target,
                                   .attain = no_attainments,
                                   .worst_model_attain = NAN};
    struct hd_hist *ttft = hd_alloc(sizeof *ttft), *e2e = hd_alloc(sizeof *e2e);
    bool *among = hd_alloc((size_t)m->models + 1);
    for (int n = 0; n < m->models; n++) {
        const struct hd_model_result *result = &m->model[n];
        among[n] = q->model[n].slo == slo_class;
        if (!among[n]) continue;
        f->models++;
        f->requests += result->requests;
        add_hist(ttft, result->ttft);
        add_hist(e2e, result->e2e);
        double attained = hd_attained(m, q->metric, n, target);
        if (hd_judged(m, n, target) && !(attained >= f->worst_model_attain)) {
            f->worst_model_attain = attained;
            f->worst_model = q->model[n].name;
        }
    }
    f->attain = attained_together(m, among);
    f->ttft = latency_of(ttft);
    f->e2e = latency_of(e2e);
    free(ttft);
    free(e2e);
    free(among);
}
