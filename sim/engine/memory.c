/* Weights and KV: what lies where on GPUs and hosts. Nothing is ever over-committed:
 * memory is taken when a move starts and given back when it has ended. */
#include <math.h>

#include "engine/parts.h"

bool hd_could_hold(const struct hd_engine *e, int shape, int model, int64_t tokens) {
    const struct hd_shape *s = &e->shape[shape];
    int64_t room = s->usable - s->weight_bytes[model];
    if (room > s->kv_limit) room = s->kv_limit;
    if (e->config->serving.slab_bytes > 0)
        return hd_blocks_of(tokens) <= hd_pool_blocks(e, shape, model, room);
    return hd_blocks_of(tokens) * s->block_bytes[model] <= room;
}

bool hd_fleet_could_hold(const struct hd_engine *e, int model, int64_t tokens) {
    return tokens <= e->most_tokens[model];
}

/* Bytes on each of its GPUs as of now; before any is given back and after any is
 * taken, so that the most is seen though KV grows unseen while a plan runs; and what
 * is cached gives way to it as it grows. */
static void note_vram(struct hd_engine *e, struct hd_instance *i) {
    int64_t bytes = hd_share_used(e, i);
    if (bytes > e->measure->peak_vram_bytes) e->measure->peak_vram_bytes = bytes;
    if (i->cache) hd_prefix_trim(e, i);
}

void hd_kv_take(struct hd_engine *e, struct hd_instance *i, int model, int64_t blocks) {
    i->kv += blocks * hd_block_bytes(e, i, model);
    if (i->slab_blocks) hd_slabs_take(e, i, model, blocks);
    note_vram(e, i);
    HD_CHECK(i->kv + i->weights <= i->usable && i->kv <= i->kv_limit);
    HD_CHECK(i->slabs * e->config->serving.slab_bytes + i->weights <= i->usable);
    HD_CHECK(i->slabs * e->config->serving.slab_bytes <= i->kv_limit);
}

/* Whoever runs there may admit somebody now. */
void hd_kv_give(struct hd_engine *e, struct hd_instance *i, int model, int64_t blocks) {
    note_vram(e, i);
    i->kv -= blocks * hd_block_bytes(e, i, model);
    if (i->slab_blocks) hd_slabs_take(e, i, model, -blocks);
    HD_CHECK(i->kv >= 0);
    if (i->phase != HD_PHASE_BOUNDARY) hd_instance_cut(e, i);
}

void hd_kv_leave(struct hd_engine *e, struct hd_instance *i, int slot, int64_t tokens) {
    int64_t blocks = hd_blocks_of(tokens);
    if (i->cache) {
        note_vram(e, i);
        blocks -= hd_prefix_release(e, i, slot);
    }
    hd_kv_give(e, i, e->request[slot].model, blocks);
}

/* ---- idle KV of an instance: least recently used first ------------------- */

void hd_idle_kv_add(struct hd_engine *e, struct hd_instance *i, int slot) {
    struct hd_request *r = &e->request[slot];
    r->kv = HD_KV_GPU;
    r->kv_at = hd_instance_number(e, i);
    r->kv_prev = i->idle_kv_last;
    r->kv_next = -1;
    if (i->idle_kv_last >= 0)
        e->request[i->idle_kv_last].kv_next = slot;
    else
        i->idle_kv_first = slot;
    i->idle_kv_last = slot;
}

void hd_idle_kv_remove(struct hd_engine *e, struct hd_instance *i, int slot) {
    struct hd_request *r = &e->request[slot];
    if (r->kv_prev >= 0)
        e->request[r->kv_prev].kv_next = r->kv_next;
    else
        i->idle_kv_first = r->kv_next;
    if (r->kv_next >= 0)
        e->request[r->kv_next].kv_prev = r->kv_prev;
    else
        i->idle_kv_last = r->kv_prev;
    r->kv_prev = r->kv_next = -1;
}

int64_t hd_whole_kv_bytes(const struct hd_engine *e, const struct hd_request *r) {
    return hd_kv_tokens(r) * e->config->model[r->model].kv_token_bytes;
}

void hd_host_kv(struct hd_engine *e, int node, int64_t bytes) {
    struct hd_node *n = &e->node[node];
    hd_dram_take(e, n, bytes);
    n->host_kv += bytes;
    HD_CHECK(n->host_kv >= 0);
}

/* Running members have left their batch first; one that moves is dropped when the
 * transfer ends. */
void hd_kv_drop(struct hd_engine *e, int slot) {
    struct hd_request *r = &e->request[slot];
    if (r->kv == HD_KV_NONE || r->kv == HD_KV_MOVING) return;
    if (r->kv == HD_KV_HOST) {
        hd_host_kv(e, r->kv_at, -hd_whole_kv_bytes(e, r));
    } else {
        struct hd_instance *i = &e->instance[r->kv_at];
        int64_t tokens = hd_kv_tokens(r);
        if (r->state == HD_REQ_PREFILL) tokens = (int64_t)r->input + r->emitted;
        if (r->state != HD_REQ_RUNNING && r->state != HD_REQ_PREFILL)
            hd_idle_kv_remove(e, i, slot);
        hd_kv_leave(e, i, slot, tokens);
    }
    r->kv = HD_KV_NONE;
    r->kv_at = -1;
}

/* ---- host DRAM ----------------------------------------------------------- */

void hd_dram_take(struct hd_engine *e, struct hd_node *n, int64_t bytes) {
    n->dram_used += bytes;
    HD_CHECK(n->dram_used <= n->dram);
    if (n->dram_used > e->measure->peak_dram_bytes)
        e->measure->peak_dram_bytes = n->dram_used;
}

/* Makes room by forgetting the least recently used weights, if that may be; they are on
 * disk. */
bool hd_dram_room(struct hd_engine *e, int node, int64_t bytes) {
    struct hd_node *n = &e->node[node];
    while (n->dram - n->dram_used < bytes) {
        if (e->config->switching.host_keeps != HD_HOST_KEEPS_LRU) return false;
        int oldest = -1;
        for (int m = 0; m < e->config->models; m++) {
            if (!n->cached[m].there || n->cached[m].pinned) continue;
            if (oldest < 0 || n->cached[m].used_at < n->cached[oldest].used_at)
                oldest = m;
        }
        if (oldest < 0) return false;
        n->cached[oldest].there = false;
        n->dram_used -= e->config->model[oldest].weights_bytes;
    }
    return true;
}

/* ---- weights ------------------------------------------------------------- */

static struct hd_resident *find_resident(const struct hd_instance *i, int model) {
    for (int n = 0; n < i->residents; n++)
        if (i->resident[n].model == model) return &i->resident[n];
    return NULL;
}

enum hd_residence hd_residence(const struct hd_instance *i, int model) {
    const struct hd_resident *r = find_resident(i, model);
    return r ? (enum hd_residence)r->state : HD_ABSENT;
}

/* A loader that cannot read faster than it does, on each GPU, needs so long at least;
 * `spent` of that has passed. */
static void load_no_faster(struct hd_engine *e, int transfer, double seconds,
                           double spent) {
    int delay = e->node[e->instance[e->transfer[transfer].instance].node].delay;
    if (seconds > spent)
        hd_transfer_job(e, transfer, delay, hd_tick_from_s(seconds - spent));
}

static double least_load_s(const struct hd_engine *e, double bytes) {
    double most = e->config->switching.load_bytes_per_s;
    return most > 0 ? bytes / most : 0;
}

/* What fills before anything is sent. */
static double first_buffer(const struct hd_engine *e, double bytes) {
    double chunk = e->config->switching.chunk_bytes;
    return chunk > 0 && chunk < bytes ? chunk : bytes;
}

/* With n chunks of c bytes, filled at rate a and sent at rate b, the last is sent at
 *     c/a + max((n - 1) c/a + c/b, n c/b)
 * (two stages in a row): a first buffer, then the link beside the other buffers. */
void hd_load_send(struct hd_engine *e, int transfer) {
    struct hd_transfer *t = &e->transfer[transfer];
    const struct hd_instance *i = &e->instance[t->instance];
    double bytes = (double)e->shape[i->shape].weight_bytes[t->model];
    double rate = e->config->switching.staging_bytes_per_s, filled = 0, others = 0;
    if (t->staging && !t->from_disk) {
        double chunk = first_buffer(e, bytes);
        filled = chunk / rate;
        others = (bytes - chunk) / rate +
                 chunk / e->link[e->gpu_link_in[i->gpu[0]]].bytes_per_s;
    }
    t->staging = false;
    bool waited_for = find_resident(i, t->model)->demanded;
    for (int g = 0; g < i->tp; g++) {
        int link = e->gpu_link_in[i->gpu[g]];
        if (e->network || waited_for || e->link[link].behind < 0) {
            struct hd_path path = hd_path_load(e, i->gpu[g], HD_TIER_HOST);
            hd_transfer_path(e, transfer, &path, bytes);
            continue;
        }
        link = e->link[link].behind;
        hd_transfer_job(e, transfer, link, hd_link_demand(&e->link[link], bytes));
    }
    load_no_faster(e, transfer, fmax(others + filled, least_load_s(e, bytes)), filled);
}

/* From disk or the remote store: into the host's memory, or through it. */
static void load_on_paths(struct hd_engine *e, const struct hd_instance *i,
                          int transfer) {
    const struct hd_transfer *t = &e->transfer[transfer];
    enum hd_tier tier = hd_tier_of(e, i->node, t->model);
    double bytes = (double)e->shape[i->shape].weight_bytes[t->model];
    if (t->staging) {
        struct hd_path path = hd_path_host(e, i->node, tier);
        hd_transfer_path(e, transfer, &path,
                         (double)e->config->model[t->model].weights_bytes);
        return;
    }
    for (int g = 0; g < i->tp; g++) {
        struct hd_path path = hd_path_load(e, i->gpu[g], tier);
        hd_transfer_path(e, transfer, &path, bytes);
    }
    load_no_faster(e, transfer, least_load_s(e, bytes), 0);
}

/* Onto the GPUs of an instance, from the host's memory or its disk. */
static void load_from_somewhere(struct hd_engine *e, const struct hd_instance *i,
                                int transfer) {
    const struct hd_switching *w = &e->config->switching;
    struct hd_transfer *t = &e->transfer[transfer];
    const struct hd_node *n = &e->node[i->node];
    double bytes = (double)e->shape[i->shape].weight_bytes[t->model];
    bool staged = w->staging_bytes_per_s > 0;
    if (n->cached[t->model].there) {
        t->staging = staged;
        if (staged)
            load_no_faster(e, transfer, first_buffer(e, bytes) / w->staging_bytes_per_s,
                           0);
        else
            hd_load_send(e, transfer);
        return;
    }
    t->from_disk = true;
    t->staging = staged && w->chunk_bytes <= 0;
    if (e->network) {
        load_on_paths(e, i, transfer);
        return;
    }
    /* From disk, which fills the buffers: the slower of disk and PCIe decides and is
     * held; the other has room to spare. All of it first, if it is not in chunks. */
    double whole = (double)e->config->model[t->model].weights_bytes;
    double pcie = e->link[e->gpu_link_in[i->gpu[0]]].bytes_per_s * i->tp;
    struct hd_link *disk = &e->link[n->disk];
    double slow = pcie < disk->bytes_per_s ? disk->bytes_per_s / pcie : 1;
    hd_transfer_job(e, transfer, n->disk,
                    hd_link_demand(disk, t->staging ? whole : whole * slow));
    if (!t->staging) load_no_faster(e, transfer, least_load_s(e, bytes), 0);
}

/* False when the memory is not there. */
bool hd_load_start(struct hd_engine *e, struct hd_instance *i, int model,
                   bool demanded) {
    struct hd_resident *r = find_resident(i, model);
    struct hd_node *n = &e->node[i->node];
    n->cached[model].used_at = ++e->uses;
    if (r) {
        if (demanded && !r->demanded && r->state == HD_LOADING)
            hd_load_hasten(e, i, r->transfer);
        r->demanded |= demanded;
        return true;
    }
    int64_t bytes = e->shape[i->shape].weight_bytes[model];
    if (hd_free_bytes(e, i) < bytes) return false;
    i->resident = hd_grow(i->resident, &i->resident_capacity, i->residents + 1,
                          sizeof *i->resident);
    r = &i->resident[i->residents++];
    *r = (struct hd_resident){model, HD_LOADING, demanded, -1};
    i->weights += bytes;
    note_vram(e, i);
    hd_holder_add(e, model, hd_instance_number(e, i));
    if (e->config->switching.placed && e->now == 0) {
        r->state = HD_RESIDENT;
        return true;
    }
    r->transfer = hd_transfer_new(e, HD_MOVE_LOAD, hd_instance_number(e, i), model);
    e->transfer[r->transfer].bytes = (double)bytes * i->tp;
    e->transfer[r->transfer].demanded = demanded;
    load_from_somewhere(e, i, r->transfer);
    return true;
}

void hd_evict(struct hd_engine *e, struct hd_instance *i, int model) {
    struct hd_resident *r = find_resident(i, model);
    if (!r) return;
    if (r->state == HD_LOADING) hd_load_cancel(e, i, r->transfer);
    int64_t bytes = e->shape[i->shape].weight_bytes[model];
    note_vram(e, i);
    if (i->cache) hd_prefix_cache_drop(i->cache, model, hd_block_bytes(e, i, model));
    i->weights -= bytes;
    if (i->phase != HD_PHASE_BOUNDARY) hd_instance_cut(e, i);
    *r = i->resident[--i->residents];
    hd_holder_remove(e, model, hd_instance_number(e, i));
}

/* Evicts every model but one; true if there was any. */
bool hd_evict_unused(struct hd_engine *e, struct hd_instance *i, int keep) {
    bool any = false;
    for (int n = i->residents - 1; n >= 0; n--) {
        if (i->resident[n].model == keep) continue;
        hd_evict(e, i, i->resident[n].model);
        any = true;
    }
    return any;
}

void hd_load_done(struct hd_engine *e, struct hd_transfer *t) {
    struct hd_instance *i = &e->instance[t->instance];
    struct hd_resident *r = find_resident(i, t->model);
    struct hd_node *n = &e->node[i->node];
    int64_t whole = e->config->model[t->model].weights_bytes;
    r->state = HD_RESIDENT;
    r->transfer = -1;
    bool keeps = t->from_disk && !e->config->switching.no_cache &&
                 e->config->switching.host_keeps != HD_HOST_KEEPS_POLICY;
    if (keeps && !n->cached[t->model].there && hd_dram_room(e, i->node, whole)) {
        n->cached[t->model].there = true;
        hd_dram_take(e, n, whole);
    }
    if (i->phase == HD_PHASE_SWITCH)
        hd_instance_dirty(e, i);
    else if (i->turn < 0)
        hd_instance_want(e, i, HD_WHY_LOADED, -1);
}
