/* What each GPU's memory is used for, looked at from time to time: the parts add up to
 * the card. Moments are fixed by the clock alone, so that every way of running sees the
 * same; their distance doubles as a run grows, and each counts for its distance. */
#include "engine/parts.h"

static const hd_tick first_distance = HD_TICKS_PER_S / 100;

static void add_instance(struct hd_engine *e, struct hd_instance *i, int64_t *part) {
    int64_t kv = hd_instance_kv_now(e, i), loading = 0;
    if (i->cache) {
        hd_prefix_trim(e, i); /* KV has grown over what lay there */
        part[HD_VRAM_CACHED] += i->cache->idle_bytes;
    }
    for (int n = 0; n < i->residents; n++)
        if (i->resident[n].state == HD_LOADING)
            loading += e->shape[i->shape].weight_bytes[i->resident[n].model];
    part[HD_VRAM_LOADING] += loading;
    part[HD_VRAM_WEIGHTS] += i->weights - loading;
    part[HD_VRAM_KV] += kv;
    part[HD_VRAM_FRAGMENTS] += hd_kv_held(e, i) - kv;
}

static int64_t account(struct hd_engine *e, const struct hd_gpu *g, int64_t *part) {
    const struct hd_gpu_kind *k = &e->config->kind[g->kind];
    int64_t least = k->usable_bytes + k->process_bytes, used = 0;
    int64_t card = k->vram_bytes > least ? k->vram_bytes : least;
    int processes = 1; /* room for one is set aside, whether it runs or not */
    if (g->instance >= 0 && e->instance[g->instance].sharing) {
        processes = g->shared->tenants;
        for (int n = 0; n < processes; n++)
            add_instance(e, &e->instance[g->shared->tenant[n]], part);
    } else if (g->instance >= 0) {
        add_instance(e, &e->instance[g->instance], part);
    }
    int64_t context =
        k->context_bytes < k->process_bytes ? k->context_bytes : k->process_bytes;
    part[HD_VRAM_CONTEXT] = processes * context;
    part[HD_VRAM_WORKSPACE] = processes * (k->process_bytes - context);
    part[HD_VRAM_UNCLAIMED] = card - least;
    for (int p = 0; p < HD_VRAM_PARTS; p++) used += part[p];
    part[HD_VRAM_FREE] = card - used;
    for (int p = 0; p < HD_VRAM_PARTS; p++) HD_CHECK(part[p] >= 0);
    return card;
}

static void sample(struct hd_engine *e) {
    struct hd_vram_account *a = &e->measure->vram;
    hd_wide held = 0, lost = 0;
    for (int g = 0; g < e->gpus; g++) {
        if (!e->gpu[g].up) continue;
        int64_t part[HD_VRAM_PARTS] = {0};
        int64_t card = account(e, &e->gpu[g], part);
        a->card += (hd_wide)card * e->vram_distance;
        a->gpu_ticks += e->vram_distance;
        for (int p = 0; p < HD_VRAM_PARTS; p++) {
            a->sum[p] += (hd_wide)part[p] * e->vram_distance;
            if (part[p] > a->peak[p]) a->peak[p] = part[p];
        }
        lost += part[HD_VRAM_FRAGMENTS];
        held += part[HD_VRAM_FRAGMENTS] + part[HD_VRAM_KV];
    }
    if (lost > 0 && (double)lost / (double)held > a->fragments_peak)
        a->fragments_peak = (double)lost / (double)held;
}

void hd_vram_until(struct hd_engine *e, hd_tick next) {
    if (e->vram_next >= next) return; /* as nearly always: one is asked every instant */
    const struct hd_run_config *c = e->config;
    if (e->vram_distance == 0) {
        e->vram_distance = first_distance;
        e->vram_next = c->from;
    }
    int often = e->gpus <= 256 ? 256 : e->gpus < 4096 ? 65536 / e->gpus : 16;
    e->boundaries = true; /* those until then have been */
    while (e->vram_next < next && e->vram_next < c->to) {
        e->now = e->vram_next;
        sample(e);
        if (++e->vram_samples % often == 0) e->vram_distance *= 2;
        e->vram_next += e->vram_distance;
    }
    if (e->vram_next >= c->to) e->vram_next = HD_TICK_NEVER;
    e->boundaries = false;
}
