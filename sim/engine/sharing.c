/* Instances that share GPUs: their memory, how they slow each other down, and what such
 * a GPU does. README.md says how plans stay exact. */
#include <stdlib.h>
#include <string.h>

#include "engine/parts.h"

struct hd_sharing hd_sharing_default(void) {
    return (struct hd_sharing){.share_limit = 1.2}; /* as MuxServe's placement */
}

/* ---- memory -------------------------------------------------------------- */

int64_t hd_share_memory(const struct hd_engine *e, int kind, const struct hd_form *f,
                        enum hd_share_way way) {
    const struct hd_gpu_kind *k = &e->config->kind[kind];
    if (f->memory_bytes > 0) return (int64_t)f->memory_bytes;
    if (way == HD_SHARE_DEFAULT) return k->usable_bytes;
    int64_t bytes = (int64_t)((double)(k->usable_bytes + k->process_bytes) * f->share) -
                    k->process_bytes;
    return bytes > 0 ? bytes : 0;
}

/* Tolerance of a sum of shares, so that ten tenths are one. */
#define SHARE_EPSILON 1e-9

bool hd_share_fits(const struct hd_engine *e, int gpu, enum hd_share_way way,
                   double share, int64_t bytes) {
    const struct hd_gpu *g = &e->gpu[gpu];
    const struct hd_gpu_kind *k = &e->config->kind[g->kind];
    if (!g->up || bytes <= 0 || bytes > k->usable_bytes) return false;
    if (g->instance < 0) return true;
    if (way == HD_SHARE_DEFAULT) return false;
    if (e->instance[g->instance].sharing != way) return false;
    const struct hd_shared *s = g->shared;
    if (s->tenants == HD_RUNNERS_MAX) return false;
    if (s->taken + bytes + k->process_bytes > k->usable_bytes) return false;
    if (way == HD_SHARE_TIME || share >= 1) return true; /* no SMs are set apart */
    for (int n = 0; n < s->tenants; n++)
        if (e->instance[s->tenant[n]].share < 1)
            share += e->instance[s->tenant[n]].share;
    return share <= e->config->sharing.share_limit + SHARE_EPSILON;
}

void hd_share_resize(struct hd_engine *e, struct hd_instance *i, int64_t bytes) {
    for (int g = 0; g < i->tp; g++) {
        const struct hd_gpu *gpu = &e->gpu[i->gpu[g]];
        int64_t most = e->config->kind[gpu->kind].usable_bytes - gpu->shared->taken;
        if (bytes > i->usable + most) bytes = i->usable + most;
    }
    while (i->weights + hd_kv_held(e, i) > bytes && i->batch.count > 1)
        hd_preempt_youngest(e, i);
    if (bytes < i->weights + hd_kv_held(e, i)) bytes = i->weights + hd_kv_held(e, i);
    for (int g = 0; g < i->tp; g++)
        e->gpu[i->gpu[g]].shared->taken += bytes - i->usable;
    i->usable = bytes;
}

int64_t hd_share_used(const struct hd_engine *e, const struct hd_instance *i) {
    int64_t most = i->weights + hd_kv_held(e, i);
    for (int g = 0; i->sharing && g < i->tp; g++) {
        const struct hd_shared *s = e->gpu[i->gpu[g]].shared;
        int64_t bytes = 0;
        for (int n = 0; n < s->tenants; n++) {
            const struct hd_instance *other = &e->instance[s->tenant[n]];
            bytes += other->weights + hd_kv_held(e, other);
        }
        if (bytes > most) most = bytes;
    }
    return most;
}

/* ---- what the card does -------------------------------------------------- */

/* Of several uses the first in the order of enum hd_gpu_use: work before switches
 * before idling. */
static void account_card(struct hd_engine *e, const struct hd_gpu *g) {
    struct hd_shared *s = g->shared;
    int use = HD_GPU_IDLE_FREE;
    for (int n = 0; n < s->tenants; n++)
        if (e->instance[s->tenant[n]].use < use) use = e->instance[s->tenant[n]].use;
    if (use == s->use) return;
    hd_measure_gpu(e->measure, (enum hd_gpu_use)s->use, 1, s->use_since, e->now);
    s->use = (uint8_t)use;
    s->use_since = e->now;
}

void hd_share_close_account(struct hd_engine *e, const struct hd_gpu *g) {
    const struct hd_shared *s = g->shared;
    hd_measure_gpu(e->measure, (enum hd_gpu_use)s->use, 1, s->use_since, e->now);
}

/* ---- tenants ------------------------------------------------------------- */

static void neighbours_change(struct hd_engine *e, const struct hd_instance *i) {
    for (int g = 0; g < i->tp; g++) {
        const struct hd_shared *s = e->gpu[i->gpu[g]].shared;
        for (int n = 0; n < s->tenants; n++) {
            struct hd_instance *other = &e->instance[s->tenant[n]];
            if (other == i) continue;
            memset(other->factor, 0, sizeof other->factor);
            if (other->phase == HD_PHASE_DECODE) hd_instance_cut(e, other);
        }
    }
}

void hd_share_join(struct hd_engine *e, int instance) {
    struct hd_instance *i = &e->instance[instance];
    int64_t process = e->config->kind[i->kind].process_bytes;
    for (int n = 0; n < i->tp; n++) {
        struct hd_gpu *g = &e->gpu[i->gpu[n]];
        if (!g->shared) g->shared = hd_alloc(sizeof *g->shared);
        struct hd_shared *s = g->shared;
        if (s->tenants == 0) {
            s->taken = -process; /* the first one's is not in usable_bytes */
            s->use = HD_GPU_IDLE_FREE;
            s->use_since = e->now;
        }
        s->taken += i->usable + process;
        HD_CHECK(s->taken <= e->config->kind[i->kind].usable_bytes);
        s->tenant[s->tenants++] = instance; /* numbers only grow */
        account_card(e, g);
    }
}

void hd_share_leave(struct hd_engine *e, int instance) {
    struct hd_instance *i = &e->instance[instance];
    i->demand = HD_BOUND_NONE;
    neighbours_change(e, i);
    for (int n = 0; n < i->tp; n++) {
        struct hd_gpu *g = &e->gpu[i->gpu[n]];
        struct hd_shared *s = g->shared;
        int at = 0;
        while (s->tenant[at] != instance) at++;
        memmove(s->tenant + at, s->tenant + at + 1,
                sizeof *s->tenant * (size_t)(--s->tenants - at));
        s->taken -= i->usable + e->config->kind[i->kind].process_bytes;
        account_card(e, g);
        if (s->tenants == 0) hd_share_close_account(e, g);
    }
}

static enum hd_bound demand_of(const struct hd_instance *i) {
    switch ((enum hd_phase)i->phase) {
    case HD_PHASE_PREFILL:
    case HD_PHASE_MIXED:
        return HD_BOUND_COMPUTE;
    case HD_PHASE_DECODE:
        return HD_BOUND_MEMORY;
    default:
        return HD_BOUND_NONE;
    }
}

void hd_share_phase(struct hd_engine *e, struct hd_instance *i) {
    for (int n = 0; n < i->tp; n++) account_card(e, &e->gpu[i->gpu[n]]);
    enum hd_bound demand = demand_of(i);
    if (demand == i->demand) return;
    i->demand = (uint8_t)demand;
    neighbours_change(e, i);
}

/* ---- factors ------------------------------------------------------------- */

static double share_for(const struct hd_instance *i, enum hd_bound bound) {
    return bound == HD_BOUND_COMPUTE ? i->prefill_share : i->share;
}

/* On one of its GPUs; of a TP group the slowest GPU holds up the others. */
static double factor_on(const struct hd_engine *e, const struct hd_instance *i,
                        const struct hd_gpu *g, enum hd_bound demand) {
    const struct hd_contention *law = &e->config->kind[g->kind].contention;
    enum hd_bound runs[HD_RUNNERS_MAX] = {demand};
    double share[HD_RUNNERS_MAX] = {share_for(i, demand)};
    int count = 1;
    for (int n = 0; n < g->shared->tenants; n++) {
        const struct hd_instance *other = &e->instance[g->shared->tenant[n]];
        if (other == i || other->demand == HD_BOUND_NONE) continue;
        runs[count] = (enum hd_bound)other->demand;
        share[count] = share_for(other, runs[count]);
        count++;
    }
    return i->sharing == HD_SHARE_TIME ? hd_contention_time(law, count)
                                       : hd_contention_space(law, count, runs, share);
}

static int64_t factor_of(const struct hd_engine *e, struct hd_instance *i,
                         enum hd_bound demand) {
    if (i->factor[demand]) return i->factor[demand];
    double most = 1;
    for (int n = 0; n < i->tp; n++) {
        double factor = factor_on(e, i, &e->gpu[i->gpu[n]], demand);
        if (factor > most) most = factor;
    }
    return i->factor[demand] = (int64_t)(most * HD_FACTOR_ONE + 0.5);
}

/* Of a time or, where a stretch of a table is steep, of a constant below 0. */
static hd_tick stretched(hd_tick ticks, int64_t factor) {
    hd_wide wide = (hd_wide)ticks * factor;
    return (hd_tick)(wide >= 0 ? wide / HD_FACTOR_ONE : -(-wide / HD_FACTOR_ONE));
}

hd_tick hd_share_stretch(struct hd_engine *e, struct hd_instance *i,
                         enum hd_bound demand, hd_tick time) {
    if (!i->sharing) return time;
    hd_tick t = stretched(time, factor_of(e, i, demand));
    return t > 0 ? t : 1;
}

hd_tick hd_share_stretch_step(struct hd_engine *e, struct hd_instance *i, hd_tick tau,
                              int64_t context, hd_tick *slope) {
    if (!i->sharing) return tau;
    int64_t factor = factor_of(e, i, HD_BOUND_MEMORY);
    hd_tick constant = stretched(tau - *slope * context, factor);
    *slope = stretched(*slope, factor);
    hd_tick t = constant + *slope * context; /* a tick less for each token at most */
    HD_CHECK(t > 0);
    return t;
}

double hd_share_alone(const struct hd_engine *e, int kind, double share,
                      enum hd_bound demand, double seconds) {
    return seconds *
           hd_contention_space(&e->config->kind[kind].contention, 1, &demand, &share);
}
