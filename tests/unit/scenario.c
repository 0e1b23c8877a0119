/* Random small worlds, and what came of a run in one of them. */
#include "unit/scenario.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unit/scenario_policy.h"

#define MS (HD_TICKS_PER_S / 1000)

/* What the drawing of a world needs to remember. */
struct draft {
    uint64_t random;
    bool whole_ms; /* costs in whole milliseconds, slope 0: nearly everything ties */
    bool crowded;  /* few GPUs, long answers: batches outgrow their pool */
};

static int64_t between(struct draft *d, int64_t low, int64_t high) {
    return low + (int64_t)draw_below(&d->random, (uint64_t)(high - low + 1));
}

static bool chance(struct draft *d, int percent) {
    return between(d, 1, 100) <= percent;
}

/* A duration of about the size: in whole milliseconds where all are. */
static hd_tick some_ticks(struct draft *d, int64_t low_us, int64_t high_us) {
    if (d->whole_ms)
        return MS * between(d, (low_us + 999) / 1000, (high_us + 999) / 1000);
    return (HD_TICKS_PER_US * between(d, low_us, high_us)) + between(d, -500, 500);
}

/* Host time, sometimes above that of the kernels, so that steps change from one to the
 * other as the context grows. */
static struct hd_host_time some_host(struct draft *d) {
    struct hd_host_time h = {.overlapped = chance(d, 60)};
    if (chance(d, 50)) return h;
    h.step = some_ticks(d, 0, 6000);
    if (h.step < 0) h.step = 0;
    if (!d->whole_ms) h.sequence = between(d, 0, 500 * HD_TICKS_PER_US);
    return h;
}

static struct hd_timing *some_timing(struct draft *d) {
    struct hd_plain_law law = {.stretches = 1, .host = some_host(d)};
    law.step = some_ticks(d, 1000, 8000);
    law.prefill = some_ticks(d, 1000, 10000);
    if (d->whole_ms) {
        law.sequence = chance(d, 30) ? MS : 0;
        law.token = chance(d, 10) ? MS : 0;
        return hd_timing_plain(&law);
    }
    law.sequence = between(d, 0, 200 * HD_TICKS_PER_US);
    law.token = between(d, 0, 60 * HD_TICKS_PER_US);
    law.square_1024 = chance(d, 50) ? between(d, 0, 100000) : 0;
    law.stretches = (int)between(d, 1, 5);
    for (int n = 0; n < law.stretches; n++) {
        if (n) law.from[n] = law.from[n - 1] + between(d, 1, 600);
        law.slope[n] = chance(d, 15) ? 0 : between(d, 0, 15 * HD_TICKS_PER_US);
    }
    law.skewed = chance(d, 30) ? (int)between(d, 1, 3) : 0;
    return hd_timing_plain(&law);
}

static void make_models(struct world *w, struct draft *d) {
    static const char *const name[] = {"m0", "m1", "m2", "m3", "m4"};
    static const int64_t kv_bytes[] = {10, 20, 32, 48};
    w->config.models = (int)between(d, 1, d->crowded ? 2 : WORLD_MODELS_MAX);
    bool alike = chance(d, 75);
    for (int n = 0; n < w->config.models; n++) {
        struct hd_run_model *m = &w->model[n];
        m->name = m->slo_class = name[n];
        m->tp = chance(d, 30) ? 2 : 1;
        m->replicas = 1;
        m->weights_bytes = 1000 * (alike ? 20 : between(d, 5, 60));
        m->kv_token_bytes = kv_bytes[between(d, 0, 3)];
        m->kv_heads = (int)between(d, 1, 4);
        m->max_context = (int)between(d, 32, 4000);
        m->ttft = chance(d, 5) ? HD_TICK_NEVER : some_ticks(d, 10000, 8000000);
        m->tbt = chance(d, 5) ? HD_TICK_NEVER : some_ticks(d, 4000, 60000);
        for (int k = 0; k < WORLD_KINDS; k++) w->timing[n][k] = some_timing(d);
    }
}

static void make_fleet(struct world *w, struct draft *d) {
    static const char *const name[] = {"big", "small"};
    w->config.kinds = (int)between(d, 1, WORLD_KINDS);
    int64_t largest = 0;
    for (int n = 0; n < w->config.models; n++)
        if (w->model[n].weights_bytes > largest) largest = w->model[n].weights_bytes;
    for (int k = 0; k < w->config.kinds; k++) {
        int64_t pool = between(d, 4, d->crowded ? 24 : 200); /* blocks, about */
        w->kind[k].name = name[k];
        w->kind[k].usable_bytes =
            (chance(d, 85) ? largest : largest / 2) *
                (!d->crowded && chance(d, 50) ? 2 : 1) +
            pool * 16 * w->model[between(d, 0, w->config.models - 1)].kv_token_bytes;
    }
    w->config.nodes = d->crowded ? 1 : (int)between(d, 1, WORLD_NODES_MAX);
    double slow = chance(d, 30) ? 1e5 : 1e6; /* of links: KV is long under way */
    for (int n = 0; n < w->config.nodes; n++) {
        struct hd_node_config *c = &w->node[n];
        c->kind = (int)between(d, 0, w->config.kinds - 1);
        c->gpus = (int)between(d, 1, d->crowded ? 3 : 4);
        c->dram_bytes = chance(d, 25) ? 0 : 1000.0 * (double)between(d, 10, 300);
        c->pcie_bytes_per_s = slow * (double)between(d, 1, 20);
        c->pcie_shared_by = (int)between(d, 1, 3);
        if (chance(d, 50)) c->pcie_both = 0.01 * (double)between(d, 20, 100);
        c->disk_bytes_per_s = 1e6 * (double)between(d, 1, 10);
        c->nvlink_bytes_per_s = chance(d, 30) ? 0 : 1e6 * (double)between(d, 5, 50);
        c->nic_bytes_per_s = slow * (double)between(d, 1, 10);
    }
}

/* Mechanisms that the engine has off by default. */
static void make_ladder(struct hd_switching *s, struct draft *d) {
    if (chance(d, 30)) s->gc_s = 0.001 * (double)between(d, 1, 20);
    if (chance(d, 30)) s->restart_s = 0.001 * (double)between(d, 1, 50);
    if (chance(d, 30)) s->load_bytes_per_s = 1e5 * (double)between(d, 1, 100);
    if (chance(d, 40)) s->staging_bytes_per_s = 1e5 * (double)between(d, 1, 200);
    if (chance(d, 60)) s->chunk_bytes = 1000 * (double)between(d, 1, 40);
    s->no_cache = chance(d, 20);
    s->kv_first = chance(d, 50);
    s->kv_events = chance(d, 60);
    s->prefetch_yields = chance(d, 40);
}

static void make_settings(struct world *w, struct draft *d) {
    struct hd_switching *s = &w->config.switching;
    s->engine_start_s = 0.001 * (double)between(d, 0, 100);
    s->reinit_s = chance(d, 50) ? 0 : 0.001 * (double)between(d, 1, 50);
    s->prefetch = chance(d, 70);
    s->warm_cache = chance(d, 70);
    s->placed = chance(d, 30);
    s->kv_in_s_per_token = chance(d, 25) ? 1e-6 * (double)between(d, 1, 1000) : 0;
    if (d->whole_ms && s->kv_in_s_per_token > 0) s->kv_in_s_per_token = 1e-3;
    s->kv_out_free = chance(d, 25);
    if (chance(d, 50)) make_ladder(s, d);
    struct hd_serving *v = &w->config.serving;
    v->max_batch = (int)between(d, 1, chance(d, 50) ? 6 : 40);
    v->prefill_tokens = (int)between(d, 16, 512);
    v->chunk_tokens = chance(d, 35) ? (int)between(d, 1, chance(d, 50) ? 64 : 400) : 0;
    v->async = chance(d, 50);
    if (chance(d, 30)) {
        v->front_s = 0.001 * (double)between(d, 0, 20);
        v->front_sequence_s = 0.001 * (double)between(d, 0, 2);
    }
    v->preempt_swap = chance(d, 50);
    v->watermark = chance(d, 50) ? 0.01 * (double)between(d, 0, 20) : 0;
    v->patience_s = chance(d, 20) ? 0.001 * (double)between(d, 20, 800) : 0;
    v->drain_s = 2;
}

static void make_arrivals(struct world *w, struct draft *d) {
    w->arrivals = (int)between(d, 1, chance(d, 30) ? WORLD_ARRIVALS_MAX : 60);
    int64_t gap_us = chance(d, 25) ? between(d, 0, 8000)
                                   : between(d, 0, d->crowded ? 30000 : 120000);
    int long_input = (int)between(d, 1, chance(d, 80) ? 40 : 400);
    int long_output = (int)between(d, d->crowded ? 30 : 1, chance(d, 40) ? 40 : 150);
    int hot = (int)between(d, 0, w->config.models - 1);
    hd_tick at = 0;
    for (int n = 0; n < w->arrivals; n++) {
        struct hd_arrival *a = &w->arrival[n];
        if (!chance(d, 15)) at += some_ticks(d, 0, 2 * gap_us);
        if (at < 0) at = 0;
        if (n && at < w->arrival[n - 1].at) at = w->arrival[n - 1].at;
        a->at = at;
        a->model = chance(d, 40) ? hot : (int)between(d, 0, w->config.models - 1);
        a->input_tokens = (int)between(d, 1, long_input);
        a->output_tokens = chance(d, 3) ? 0 : (int)between(d, 1, long_output);
        if (chance(d, 2)) a->input_tokens = (int)between(d, 100, 100000);
        a->too_long = chance(d, 1);
    }
    w->config.from = chance(d, 70) ? 0 : at / 4;
    w->config.to = chance(d, 50) ? HD_TICK_NEVER : at - at / 5 + 1;
    int gpus = 0;
    for (int n = 0; n < w->config.nodes; n++) gpus += w->node[n].gpus;
    w->config.failures = chance(d, 40) ? (int)between(d, 1, 4) : 0;
    for (int n = 0; n < w->config.failures; n++) {
        hd_tick before = n ? w->failure[n - 1].at : 0;
        w->failure[n].at = before + some_ticks(d, 0, 600000);
        if (w->failure[n].at < before) w->failure[n].at = before;
        w->failure[n].up = n && chance(d, 60);
        w->failure[n].gpu =
            w->failure[n].up ? w->failure[n - 1].gpu : (int)between(d, 0, gpus - 1);
    }
}

/* How memory is kept; slabs only without a cache of prompts. A stream of its own. */
static void make_memory(struct world *w) {
    struct draft d = {.random = w->seed * 31337 + 5};
    struct hd_switching *s = &w->config.switching;
    s->host_keeps = (enum hd_host_keeps)between(&d, 0, 2);
    double least = 1e6; /* staging buffers may take half of the smallest host */
    for (int n = 0; n < w->config.nodes; n++)
        least = fmin(least, w->node[n].dram_bytes / w->node[n].gpus);
    if (chance(&d, 40)) s->staging_bytes = between(&d, 0, (int64_t)least / 2);
    if (w->config.serving.prefix_cache || !chance(&d, 40)) return;
    w->config.serving.slab_bytes = 16 * 48 * between(&d, 1, 12);
}

/* What is at the beginning of prompts: from nowhere, or as far as some earlier one's,
 * or the same. From a stream of its own, so that worlds without are as they were. */
static void make_prefixes(struct world *w) {
    static const int sizes[] = {16, 16, 16, 32, 64, 512, 8, 24};
    struct draft d = {.random = w->seed * 31337 + 3};
    int32_t fresh = 0;
    if (chance(&d, 40)) return;
    int tokens = sizes[between(&d, 0, 7)];
    w->config.prefix_block_tokens = tokens;
    w->config.serving.prefix_cache = chance(&d, 85);
    int longer = chance(&d, 60) ? (int)between(&d, 0, 200) : 0;
    int alike = (int)between(&d, 20, 100);
    for (int n = 0; n < w->arrivals; n++) {
        struct hd_arrival *a = &w->arrival[n];
        int shared = 0, from = (int)between(&d, 0, n ? n - 1 : 0);
        const struct hd_arrival *other = &w->arrival[from];
        if (a->input_tokens < 1000) a->input_tokens += (int)between(&d, 0, longer);
        a->prefix = w->prefix[n];
        if (n && chance(&d, alike)) {
            shared = (int)between(&d, 0, other->prefix_blocks);
            if (chance(&d, 40)) { /* the whole of it */
                shared = other->prefix_blocks;
                a->input_tokens = other->input_tokens;
            } else if (a->input_tokens < shared * tokens) {
                a->input_tokens = shared * tokens + (int)between(&d, 0, 40);
            }
            if (chance(&d, 60)) a->model = other->model;
        }
        int blocks = (a->input_tokens + tokens - 1) / tokens;
        if (blocks > WORLD_PREFIX_MAX) blocks = WORLD_PREFIX_MAX;
        if (chance(&d, 8)) blocks = (int)between(&d, 0, blocks);
        a->prefix_blocks = blocks;
        for (int b = 0; b < blocks; b++)
            w->prefix[n][b] = b < shared ? w->prefix[from][b] : fresh++;
    }
}

static const struct hd_timing *timing_of(void *context, int model, int kind, int tp,
                                         double share) {
    const struct world *w = context;
    (void)tp, (void)share;
    return w->timing[model][kind];
}

static int next_arrival(void *context, struct hd_arrival *a) {
    struct world *w = context;
    if (w->next == w->arrivals) return 0;
    *a = w->arrival[w->next++];
    return 1;
}

static struct wanderer policy_of(const struct world *w) {
    uint64_t r = w->seed * 77 + 5;
    return (struct wanderer){.random = w->seed * 1000003 + 11,
                             .reads = w->watches && draw_below(&r, 3) == 0,
                             .places = w->watches,
                             .follows = draw_below(&r, 3) == 0,
                             .mischief = draw_below(&r, 2) == 0,
                             .quanta = draw_below(&r, 2) == 0,
                             .prefills = draw_below(&r, 2) == 0,
                             .chunks = draw_below(&r, 3) == 0,
                             .leaves_turns = w->seed % 23 == 0,
                             .whole_ms = w->seed % 3 == 0,
                             .period_ms =
                                 draw_below(&r, 3) ? 1 + (int)draw_below(&r, 50) : 0,
                             .shares = w->shares,
                             .slices = w->config.sharing.time_slice,
                             .models = w->config.models};
}

/* Drawn apart, so that worlds without are as they were. */
static void make_sharing(struct world *w) {
    struct draft d = {.random = w->seed * 31 + 7};
    w->shares = chance(&d, 35);
    if (!w->shares) return;
    w->config.sharing.time_slice = chance(&d, 30);
    w->config.sharing.share_limit = 0.1 * (double)between(&d, 10, 20);
    for (int k = 0; k < w->config.kinds; k++) {
        w->kind[k].process_bytes = chance(&d, 50) ? between(&d, 0, 4000) : 0;
        w->kind[k].usable_bytes *= between(&d, 1, 4);
        if (chance(&d, 30)) continue; /* factors are whole or nearly */
        w->kind[k].contention =
            (struct hd_contention){.knee = 0.1 * (double)between(&d, 0, 5),
                                   .power = 0.5 * (double)between(&d, 2, 8),
                                   .slice_s = 0.002,
                                   .switch_s = 0.0001 * (double)between(&d, 0, 9)};
    }
}

/* Drawn apart, as sharing is. */
static void make_links(struct world *w) {
    struct draft d = {.random = w->seed * 37 + 5};
    if (!chance(&d, 40)) return;
    struct hd_switching *s = &w->config.switching;
    s->links = (uint8_t)between(&d, HD_LINKS_FAIR, HD_LINKS_STRICT);
    if (chance(&d, 50)) s->remote_bytes_per_s = 1e5 * (double)between(&d, 1, 50);
    for (int n = 0; n < w->config.nodes; n++) {
        struct hd_node_config *c = &w->node[n];
        double one = c->pcie_bytes_per_s;
        c->pcie_switch = chance(&d, 50) ? (int)between(&d, 1, 4) : 0;
        c->switch_bytes_per_s = one * 0.1 * (double)between(&d, 5, 25);
        if (chance(&d, 50)) c->host_bytes_per_s = one * (double)between(&d, 1, 4);
        if (s->remote_bytes_per_s > 0 && chance(&d, 60)) c->disk_bytes_per_s = 0;
    }
}

void world_make(struct world *w, uint64_t seed) {
    memset(w, 0, sizeof *w);
    struct draft d = {.random = seed, .whole_ms = seed % 3 == 0};
    d.crowded = chance(&d, 40);
    w->seed = seed;
    w->watches = chance(&d, 50);
    make_models(w, &d);
    make_fleet(w, &d);
    make_settings(w, &d);
    make_arrivals(w, &d);
    make_prefixes(w);
    make_memory(w);
    make_sharing(w);
    make_links(w);
    struct hd_run_config *c = &w->config;
    c->model = w->model;
    c->kind = w->kind;
    c->node = w->node;
    c->failure = w->failure;
    c->timing = timing_of;
    c->timing_context = w;
    c->next = next_arrival;
    c->next_context = w;
    c->seed = seed;
}

void world_free(struct world *w) {
    for (int m = 0; m < w->config.models; m++)
        for (int k = 0; k < WORLD_KINDS; k++) hd_timing_free(w->timing[m][k]);
}

/* ---- running ------------------------------------------------------------- */

struct ear { /* hears of every finished request */
    struct outcome *outcome;
    int32_t times[WORLD_ARRIVALS_MAX];
};

/* What an observer saw of GPU time, in the window, to be held against the account. */
struct eye {
    hd_tick from, to;
    hd_wide ticks[HD_GPU_USES];
};

static void see(void *context, const struct hd_seen *s) {
    static const int use[] = {[HD_SEEN_TURN] = -1,
                              [HD_SEEN_START] = HD_GPU_START,
                              [HD_SEEN_STAGE] = HD_GPU_STAGE,
                              [HD_SEEN_PREFILL] = HD_GPU_PREFILL,
                              [HD_SEEN_MIXED] = HD_GPU_MIXED,
                              [HD_SEEN_DECODE] = HD_GPU_DECODE,
                              [HD_SEEN_STALL] = -1,
                              [HD_SEEN_LOAD] = -1,
                              [HD_SEEN_KV_OUT] = -1,
                              [HD_SEEN_KV_IN] = -1,
                              [HD_SEEN_REQUEST] = -1};
    struct eye *eye = context;
    hd_tick since = s->since < eye->from ? eye->from : s->since;
    hd_tick until = s->until > eye->to ? eye->to : s->until;
    if (use[s->kind] < 0 || until <= since) return;
    int stage = s->kind == HD_SEEN_STAGE ? s->detail : 0;
    eye->ticks[use[s->kind] + stage] += (hd_wide)(until - since) * s->gpus;
}

static void hear(void *context, const struct hd_finished *f) {
    struct ear *ear = context;
    struct outcome *o = ear->outcome;
    int64_t field[] = {f->id,
                       f->model,
                       f->instance,
                       f->measured,
                       f->status,
                       f->input_tokens,
                       f->output_tokens,
                       f->emitted_tokens,
                       f->tokens_on_time,
                       f->request_ok,
                       f->arrival,
                       f->first_token,
                       f->last_token,
                       f->gap_longest,
                       f->preempted,
                       f->cached_tokens};
    for (size_t n = 0; n < sizeof field / sizeof *field; n++)
        digest_add(&o->digest, (uint64_t)field[n]);
    digest_double(&o->digest, f->ratio);
    hd_tick sum = 0;
    for (int b = 0; b < HD_BLAMES; b++) {
        digest_add(&o->digest, (uint64_t)f->blame[b]);
        sum += f->blame[b];
        if (f->blame[b] < 0) o->bad_blame++;
    }
    if (sum != f->ended - f->arrival) o->bad_blame++;
    if (f->status == HD_STATUS_DONE && f->ended != f->last_token) o->bad_blame++;
    if (f->status == HD_STATUS_DONE && f->emitted_tokens != f->output_tokens)
        o->bad_blame++;
    o->finished++;
    ear->times[f->id]++;
    snprintf(o->last, sizeof o->last,
             "request %lld %s at %.6f s on %d: %d of %d tokens, %d on time, "
             "first %.6f, gap %.6f, q %.6f",
             (long long)f->id, hd_status_name(f->status), hd_s_from_tick(f->last_token),
             f->instance, f->emitted_tokens, f->output_tokens, f->tokens_on_time,
             hd_s_from_tick(f->first_token), hd_s_from_tick(f->gap_longest), f->ratio);
    if (o->log) fprintf(o->log, "%s; blame", o->last);
    for (int b = 0; b < HD_BLAMES && o->log; b++)
        fprintf(o->log, " %.6f", hd_s_from_tick(f->blame[b]));
    if (o->log) fprintf(o->log, "; preempted %d\n", f->preempted);
}

static void digest_hist(uint64_t *d, const struct hd_hist *h) {
    digest_add(d, h->total);
    digest_add(d, (uint64_t)h->max);
    digest_add(d, (uint64_t)h->sum);
    for (int b = 0; b < HD_HIST_BUCKETS && h->total; b++)
        if (h->count[b]) digest_add(d, (uint64_t)b << 32 ^ h->count[b]);
}

static void digest_measure(uint64_t *d, const struct hd_measure *m) {
    const struct hd_hist *hist[] = {&m->ttft, &m->tbt, &m->tpot, &m->e2e,
                                    &m->gap_longest};
    for (int n = 0; n < 5; n++) digest_hist(d, hist[n]);
    int64_t count[] = {m->tokens_on_time,     m->tokens_late,     m->tokens_emitted,
                       m->requests_ok,        m->preempted,       m->prompt_tokens,
                       m->cached_tokens,      m->switches,        m->switches_hidden,
                       m->active_models_peak, m->peak_vram_bytes, m->peak_dram_bytes,
                       m->iterations,         m->callbacks,       m->end,
                       m->iterations_stepped};
    for (size_t n = 0; n < sizeof count / sizeof *count; n++)
        digest_add(d, (uint64_t)count[n]);
    for (int n = 0; n < HD_STATUSES; n++) digest_add(d, (uint64_t)m->finished[n]);
    for (int n = 0; n < HD_BLAMES; n++) digest_double(d, m->blame_s[n]);
    for (int n = 0; n < HD_GPU_USES; n++) digest_double(d, m->gpu_s[n]);
    for (int n = 0; n < HD_STAGES; n++) digest_double(d, m->stage_s[n]);
    for (int p = 0; p < HD_VRAM_PARTS; p++) {
        digest_double(d, (double)m->vram.sum[p]);
        digest_add(d, (uint64_t)m->vram.peak[p]);
    }
    digest_double(d, m->vram.fragments_peak);
    digest_double(d, m->active_models_s);
    digest_double(d, m->gpus_s);
}

static void print_measure(FILE *f, const struct hd_measure *m) {
    const struct hd_hist *hist[] = {&m->ttft, &m->tbt, &m->tpot, &m->e2e,
                                    &m->gap_longest};
    for (int n = 0; n < 5; n++) {
        uint64_t d = 0;
        digest_hist(&d, hist[n]);
        fprintf(f, "= histogram %d: %llu, mean %.9g, max %lld, %016llx\n", n,
                (unsigned long long)hist[n]->total, hd_hist_mean(hist[n]),
                (long long)hist[n]->max, (unsigned long long)d);
    }
    for (int n = 0; n < HD_BLAMES; n++)
        fprintf(f, "= blame %d %.12g\n", n, m->blame_s[n]);
    for (int n = 0; n < HD_GPU_USES; n++)
        fprintf(f, "= gpu %d %.12g\n", n, m->gpu_s[n]);
    for (int n = 0; n < HD_STAGES; n++)
        fprintf(f, "= stage %d %.12g\n", n, m->stage_s[n]);
    fprintf(f,
            "= gpus %.12g, active %.12g peak %d, vram %lld, dram %lld, emitted %lld, "
            "stepped %lld, hidden %lld, end %lld\n",
            m->gpus_s, m->active_models_s, m->active_models_peak,
            (long long)m->peak_vram_bytes, (long long)m->peak_dram_bytes,
            (long long)m->tokens_emitted, (long long)m->iterations_stepped,
            (long long)m->switches_hidden, (long long)m->end);
}

struct outcome world_run_logged(struct world *w, bool step, uint64_t cut_seed,
                                FILE *log) {
    struct outcome o = {.log = log};
    struct ear ear = {.outcome = &o};
    int64_t requests[WORLD_MODELS_MAX] = {0}, tokens[WORLD_MODELS_MAX] = {0};
    for (int n = 0; n < w->arrivals; n++) {
        const struct hd_arrival *a = &w->arrival[n];
        if (a->at < w->config.from || a->at >= w->config.to) continue;
        requests[a->model]++;
        tokens[a->model] += a->output_tokens > 0 ? a->output_tokens : 1;
    }
    struct hd_measure *m =
        hd_measure_new(&(struct hd_expected){w->config.models, requests, tokens},
                       w->config.from, w->config.to);
    m->on_finished = hear;
    m->on_finished_context = &ear;
    struct wanderer wanderer = policy_of(w);
    wanderer.log = log;
    struct hd_policy policy = wanderer_policy(&wanderer);
    struct hd_err note = {0}, err = {0};
    struct eye eye = {.from = w->config.from, .to = w->config.to};
    struct hd_observer observer = {&eye, see};
    w->config.observer = &observer;
    w->next = 0;
    w->config.step = step;
    w->config.cut_seed = cut_seed;
    o.end = hd_run(&w->config, &policy, m, &note, &err);
    snprintf(o.error, sizeof o.error, "%.120s%.120s", err.text, note.text);
    digest_measure(&o.digest, m);
    if (log) print_measure(log, m);
    digest_add(&o.digest, wanderer.digest);
    digest_add(&o.digest, (uint64_t)wanderer.callbacks);
    o.reads = wanderer.digest;
    o.iterations = m->iterations;
    o.stepped = m->iterations_stepped;
    o.segments = m->segments;
    o.preempted = m->preempted;
    o.callbacks = m->callbacks;
    o.switches = m->switches;
    o.arrivals = w->next;
    o.measured = m->measured;
    o.tokens = m->tokens;
    o.late = m->tokens_late;
    o.prompt_tokens = m->prompt_tokens;
    o.cached_tokens = m->cached_tokens;
    int64_t ended = 0, late_or_not = m->tokens_on_time + m->tokens_late;
    for (int n = 0; n < HD_STATUSES; n++) {
        o.ended[n] = m->finished[n];
        ended += m->finished[n];
    }
    o.conserved = ended == m->measured && late_or_not == m->tokens;
    for (int n = 0; n < w->next; n++) o.conserved &= ear.times[n] == 1;
    hd_wide used = 0, blamed = 0;
    int gpus = 0;
    for (int n = 0; n < HD_GPU_USES; n++) used += m->gpu_ticks[n];
    for (int n = 0; n < HD_BLAMES; n++) blamed += m->blame_ticks[n];
    for (int n = 0; n < w->config.nodes; n++) gpus += w->config.node[n].gpus;
    o.conserved &= used == hd_measure_gpus(m, gpus, m->end);
    o.conserved &= blamed == m->latency_ticks;
    /* Of a GPU that is shared the account has the first of what its instances do. */
    for (int n = 0; n < HD_GPU_IDLE_WAITING; n++)
        o.conserved &= w->shares ? eye.ticks[n] >= m->gpu_ticks[n]
                                 : eye.ticks[n] == m->gpu_ticks[n];
    w->config.observer = NULL;
    hd_measure_free(m);
    return o;
}

struct outcome world_run(struct world *w, bool step, uint64_t cut_seed) {
    return world_run_logged(w, step, cut_seed, NULL);
}

void world_print(const struct world *w) {
    const struct hd_run_config *c = &w->config;
    struct wanderer p = policy_of(w);
    printf("world %llu: policy reads %d places %d follows %d mischief %d quanta %d "
           "prefills %d chunks %d, tick every %d ms\n",
           (unsigned long long)w->seed, p.reads, p.places, p.follows, p.mischief,
           p.quanta, p.prefills, p.chunks, p.period_ms);
    for (int m = 0; m < c->models; m++)
        printf(
            "model %d: tp %d, weights %lld, kv %lld/token, %d heads, context %d, ttft "
            "%.6f, tbt %.6f s\n",
            m, w->model[m].tp, (long long)w->model[m].weights_bytes,
            (long long)w->model[m].kv_token_bytes, w->model[m].kv_heads,
            w->model[m].max_context, hd_s_from_tick(w->model[m].ttft),
            hd_s_from_tick(w->model[m].tbt));
    for (int n = 0; n < c->nodes; n++)
        printf("node %d: %d GPUs of kind %d (%lld bytes), dram %g, pcie %g by %d, both "
               "%g, disk "
               "%g, nvlink %g, nic %g\n",
               n, w->node[n].gpus, w->node[n].kind,
               (long long)w->kind[w->node[n].kind].usable_bytes, w->node[n].dram_bytes,
               w->node[n].pcie_bytes_per_s, w->node[n].pcie_shared_by,
               w->node[n].pcie_both, w->node[n].disk_bytes_per_s,
               w->node[n].nvlink_bytes_per_s, w->node[n].nic_bytes_per_s);
    printf("switching: start %g, reinit %g, prefetch %d (behind %d), warm %d, placed "
           "%d, kv in %g, kv "
           "out free %d\n",
           c->switching.engine_start_s, c->switching.reinit_s, c->switching.prefetch,
           c->switching.prefetch_yields, c->switching.warm_cache, c->switching.placed,
           c->switching.kv_in_s_per_token, c->switching.kv_out_free);
    printf("links: %s, remote %g\n", hd_links_name(c->switching.links),
           c->switching.remote_bytes_per_s);
    for (int n = 0; n < c->nodes; n++)
        printf("node %d: switches of %d with %g, dram %g\n", n, w->node[n].pcie_switch,
               w->node[n].switch_bytes_per_s, w->node[n].host_bytes_per_s);
    printf("ladder: gc %g, restart %g, load %g, staging %g, chunk %g, no cache %d, kv "
           "first %d, kv events %d\n",
           c->switching.gc_s, c->switching.restart_s, c->switching.load_bytes_per_s,
           c->switching.staging_bytes_per_s, c->switching.chunk_bytes,
           c->switching.no_cache, c->switching.kv_first, c->switching.kv_events);
    printf("serving: async %d, front %g + %g, batch %d, prefill %d, chunk %d, swap %d, "
           "watermark %g, patience %g\n",
           c->serving.async, c->serving.front_s, c->serving.front_sequence_s,
           c->serving.max_batch, c->serving.prefill_tokens, c->serving.chunk_tokens,
           c->serving.preempt_swap, c->serving.watermark, c->serving.patience_s);
    for (int n = 0; n < c->failures; n++)
        printf("gpu %d %s at %.6f s\n", w->failure[n].gpu,
               w->failure[n].up ? "up" : "down", hd_s_from_tick(w->failure[n].at));
    printf("memory: slabs %lld, host keeps %s, staging %lld\n",
           (long long)c->serving.slab_bytes,
           hd_host_keeps_name(c->switching.host_keeps),
           (long long)c->switching.staging_bytes);
    if (c->prefix_block_tokens)
        printf("prompts of blocks of %d, %s\n", c->prefix_block_tokens,
               c->serving.prefix_cache ? "cached" : "not cached");
    for (int n = 0; n < w->arrivals; n++) {
        printf("arrival %d at %.6f s: model %d, %d in, %d out%s", n,
               hd_s_from_tick(w->arrival[n].at), w->arrival[n].model,
               w->arrival[n].input_tokens, w->arrival[n].output_tokens,
               w->arrival[n].too_long ? ", too long" : "");
        for (int b = 0; b < w->arrival[n].prefix_blocks; b++)
            printf(b ? " %d" : ": %d", w->arrival[n].prefix[b]);
        printf("\n");
    }
}
