/* Weights and KV: what lies where on GPUs and hosts, and how it moves. Nothing is
 * ever over-committed: memory is taken when a move starts and given back when
 * it has ended. */
#include "engine/state.h"

bool hd_could_hold(const struct hd_engine *e, int shape, int model, int64_t tokens) {
    const struct hd_shape *s = &e->shape[shape];
    int64_t room = s->usable - s->weight_bytes[model];
    if (room > s->kv_limit) room = s->kv_limit;
    return hd_blocks_of(tokens) * s->block_bytes[model] <= room;
}

bool hd_fleet_could_hold(const struct hd_engine *e, int model, int64_t tokens) {
    return tokens <= e->most_tokens[model];
}

/* Bytes on each of its GPUs as of now; before any is given back and after any is
 * taken, so that the most is seen though KV grows unseen while a plan runs. */
static void note_vram(struct hd_engine *e, const struct hd_instance *i) {
    int64_t bytes = i->weights + hd_instance_kv_now(e, i);
    if (bytes > e->measure->peak_vram_bytes) e->measure->peak_vram_bytes = bytes;
}

void hd_kv_take(struct hd_engine *e, struct hd_instance *i, int model, int64_t blocks) {
    i->kv += blocks * hd_block_bytes(e, i, model);
    note_vram(e, i);
    HD_CHECK(i->kv + i->weights <= i->usable && i->kv <= i->kv_limit);
}

/* Whoever runs there may admit somebody now. */
void hd_kv_give(struct hd_engine *e, struct hd_instance *i, int model, int64_t blocks) {
    note_vram(e, i);
    i->kv -= blocks * hd_block_bytes(e, i, model);
    HD_CHECK(i->kv >= 0);
    if (i->phase != HD_PHASE_BOUNDARY) hd_instance_cut(e, i);
}

/* ---- idle KV of an instance: least recently used first ---- */

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

static int64_t whole_kv_bytes(const struct hd_engine *e, const struct hd_request *r) {
    return hd_kv_tokens(r) * e->config->model[r->model].kv_token_bytes;
}

static void host_kv(struct hd_engine *e, int node, int64_t bytes) {
    struct hd_node *n = &e->node[node];
    n->dram_used += bytes;
    n->host_kv += bytes;
    HD_CHECK(n->host_kv >= 0 && n->dram_used <= n->dram);
    if (n->dram_used > e->measure->peak_dram_bytes)
        e->measure->peak_dram_bytes = n->dram_used;
}

/* Running members have left their batch first; one that moves is dropped when the
 * transfer ends. */
void hd_kv_drop(struct hd_engine *e, int slot) {
    struct hd_request *r = &e->request[slot];
    if (r->kv == HD_KV_NONE || r->kv == HD_KV_MOVING) return;
    if (r->kv == HD_KV_HOST) {
        host_kv(e, r->kv_at, -whole_kv_bytes(e, r));
    } else {
        struct hd_instance *i = &e->instance[r->kv_at];
        int64_t tokens = hd_kv_tokens(r);
        if (r->state == HD_REQ_PREFILL) tokens = (int64_t)r->input + r->emitted;
        if (r->state != HD_REQ_RUNNING && r->state != HD_REQ_PREFILL)
            hd_idle_kv_remove(e, i, slot);
        hd_kv_give(e, i, r->model, hd_blocks_of(tokens));
    }
    r->kv = HD_KV_NONE;
    r->kv_at = -1;
}

/* ---- host DRAM ---- */

/* Makes room by forgetting the least recently used weights; they are on disk. */
bool hd_dram_room(struct hd_engine *e, int node, int64_t bytes) {
    struct hd_node *n = &e->node[node];
    while (n->dram - n->dram_used < bytes) {
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

/* ---- weights ---- */

static struct hd_resident *find_resident(const struct hd_instance *i, int model) {
    for (int n = 0; n < i->residents; n++)
        if (i->resident[n].model == model) return &i->resident[n];
    return NULL;
}

enum hd_residence hd_residence(const struct hd_instance *i, int model) {
    const struct hd_resident *r = find_resident(i, model);
    return r ? (enum hd_residence)r->state : HD_ABSENT;
}

/* False when the memory is not there. */
bool hd_load_start(struct hd_engine *e, struct hd_instance *i, int model,
                   bool demanded) {
    struct hd_resident *r = find_resident(i, model);
    struct hd_node *n = &e->node[i->node];
    n->cached[model].used_at = ++e->uses;
    if (r) {
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
    int t = hd_transfer_new(e, HD_MOVE_LOAD, hd_instance_number(e, i), model);
    r->transfer = t;
    if (n->cached[model].there) {
        for (int g = 0; g < i->tp; g++) {
            int link = e->gpu_link_in[i->gpu[g]];
            hd_transfer_job(e, t, link, hd_link_demand(&e->link[link], (double)bytes));
        }
    } else {
        /* From disk: the slower of disk and PCIe decides and is held; the other
         * has room to spare. */
        double whole = (double)e->config->model[model].weights_bytes;
        double pcie = e->link[e->gpu_link_in[i->gpu[0]]].bytes_per_s * i->tp;
        struct hd_link *disk = &e->link[n->disk];
        double slow = pcie < disk->bytes_per_s ? disk->bytes_per_s / pcie : 1;
        e->transfer[t].from_disk = true;
        hd_transfer_job(e, t, n->disk, hd_link_demand(disk, whole * slow));
    }
    return true;
}

void hd_evict(struct hd_engine *e, struct hd_instance *i, int model) {
    struct hd_resident *r = find_resident(i, model);
    if (!r) return;
    if (r->state == HD_LOADING) hd_transfer_cancel(e, r->transfer);
    int64_t bytes = e->shape[i->shape].weight_bytes[model];
    note_vram(e, i);
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

static void load_done(struct hd_engine *e, struct hd_transfer *t) {
    struct hd_instance *i = &e->instance[t->instance];
    struct hd_resident *r = find_resident(i, t->model);
    struct hd_node *n = &e->node[i->node];
    int64_t whole = e->config->model[t->model].weights_bytes;
    r->state = HD_RESIDENT;
    r->transfer = -1;
    if (t->from_disk && !n->cached[t->model].there && hd_dram_room(e, i->node, whole)) {
        n->cached[t->model].there = true;
        n->dram_used += whole;
        if (n->dram_used > e->measure->peak_dram_bytes)
            e->measure->peak_dram_bytes = n->dram_used;
    }
    if (i->phase == HD_PHASE_SWITCH)
        hd_instance_dirty(e, i);
    else if (i->turn < 0)
        hd_instance_want(e, i, HD_WHY_LOADED, -1);
}

/* ---- KV out: GPU to host ---- */

static void chain(struct hd_engine *e, int transfer, int slot) {
    struct hd_transfer *t = &e->transfer[transfer];
    t->request = hd_grow(t->request, &t->capacity, t->requests + 1, sizeof *t->request);
    t->request[t->requests++] = slot;
    e->request[slot].transfer = transfer;
    e->request[slot].kv = HD_KV_MOVING;
}

/* Tells whoever runs the request's group that something changed for it. */
static void tell_group(struct hd_engine *e, int slot) {
    const struct hd_request *r = &e->request[slot];
    if (r->group < 0) return;
    struct hd_instance *i = &e->instance[e->group[r->group].instance];
    if (i->turn == r->group)
        hd_instance_cut(e, i);
    else
        hd_instance_work(e, i, slot);
}

/* Its idle KV is gone; a member is prefilled again. */
void hd_kv_lose(struct hd_engine *e, int slot) {
    hd_kv_drop(e, slot);
    struct hd_request *r = &e->request[slot];
    if (r->group >= 0 && r->state == HD_REQ_READY) {
        hd_group_ready_remove(e, r->group, slot);
        hd_group_waiting_add(e, r->group, slot);
        tell_group(e, slot);
    }
}

/* Idle KV of these requests leaves for the host; without room there it is lost. */
bool hd_kv_out(struct hd_engine *e, struct hd_instance *i, const int32_t *slots,
               int count) {
    int transfer = -1;
    int64_t tokens = 0;
    double token_bytes = 0;
    for (int n = 0; n < count; n++) {
        struct hd_request *r = &e->request[slots[n]];
        int64_t bytes = whole_kv_bytes(e, r);
        if (!hd_dram_room(e, i->node, bytes)) {
            hd_kv_lose(e, slots[n]);
            continue;
        }
        hd_idle_kv_remove(e, i, slots[n]);
        host_kv(e, i->node, bytes);
        if (e->config->switching.kv_out_free) {
            hd_kv_give(e, i, r->model, hd_blocks_of(hd_kv_tokens(r)));
            r->kv = HD_KV_HOST;
            r->kv_at = i->node;
            tell_group(e, slots[n]);
            continue;
        }
        if (transfer < 0)
            transfer =
                hd_transfer_new(e, HD_MOVE_OUT, hd_instance_number(e, i), r->model);
        chain(e, transfer, slots[n]);
        tokens += hd_kv_tokens(r);
        token_bytes += (double)hd_kv_tokens(r) *
                       (double)hd_block_bytes(e, i, r->model) / HD_BLOCK_TOKENS;
    }
    if (transfer < 0) return false;
    i->transfers_out++;
    for (int g = 0; g < i->tp; g++) {
        int link = e->gpu_link_out[i->gpu[g]];
        hd_transfer_job(e, transfer, link, hd_link_demand(&e->link[link], token_bytes));
    }
    return tokens > 0;
}

/* The idle KV that is not the group's: to the host or dropped, oldest first, at
 * most `most` requests (-1: all). Number of requests. */
int hd_kv_out_others(struct hd_engine *e, struct hd_instance *i, int group, int most,
                     bool drop) {
    int32_t few[64], *slots = few;
    int count = 0, capacity = 64;
    for (int s = i->idle_kv_first; s >= 0 && (most < 0 || count < most);
         s = e->request[s].kv_next) {
        if (e->request[s].group == group && group >= 0) continue;
        if (count == capacity) {
            int32_t *larger = hd_alloc(2 * sizeof *larger * (size_t)capacity);
            for (int n = 0; n < count; n++) larger[n] = slots[n];
            if (slots != few) free(slots);
            slots = larger;
            capacity *= 2;
        }
        slots[count++] = s;
    }
    if (drop) {
        for (int n = 0; n < count; n++) {
            hd_kv_lose(e, slots[n]);
        }
    } else if (count) {
        hd_kv_out(e, i, slots, count);
    }
    if (slots != few) free(slots);
    return count;
}

static void out_done(struct hd_engine *e, int transfer) {
    struct hd_transfer *t = &e->transfer[transfer];
    struct hd_instance *i = &e->instance[t->instance];
    i->transfers_out--;
    for (int n = 0; n < t->requests; n++) {
        int slot = t->request[n];
        struct hd_request *r = &e->request[slot];
        if (r->transfer != transfer) continue;
        r->transfer = -1;
        hd_kv_give(e, i, r->model, hd_blocks_of(hd_kv_tokens(r)));
        r->kv = HD_KV_HOST;
        r->kv_at = i->node;
        if (r->doomed) {
            hd_kv_drop(e, slot);
            hd_request_release(e, slot);
        } else {
            tell_group(e, slot);
        }
    }
    hd_instance_cut(e, i);
    hd_instance_maybe_close(e, i);
}

/* ---- KV in: host, or another instance's GPU, to this one ---- */

enum { PATH_HOST, PATH_NVLINK, PATH_NIC, PATHS };

int hd_kv_in(struct hd_engine *e, struct hd_instance *i, int group, int only,
             int most) {
    struct hd_group *g = &e->group[group];
    int transfer[PATHS] = {-1, -1, -1}, started = 0, here = hd_instance_number(e, i);
    int64_t tokens[PATHS] = {0};
    int next, there = 0; /* there: or on the way */
    int64_t reserve = 0; /* the iteration under way may need it at its end */
    if (i->batch.count)
        reserve = i->batch.count * hd_block_bytes(e, i, e->group[i->turn].model);
    for (int s = g->ready.first; s >= 0 && (most < 0 || there < most); s = next) {
        struct hd_request *r = &e->request[s];
        next = r->next;
        if (only >= 0 && s != only) continue;
        if (r->kv == HD_KV_MOVING) {
            there += r->kv_at == here && e->transfer[r->transfer].kind == HD_MOVE_IN;
            continue;
        }
        HD_CHECK(r->kv != HD_KV_NONE);
        there++;
        if (r->kv == HD_KV_GPU && r->kv_at == here) continue;
        int64_t blocks = hd_blocks_of(hd_kv_tokens(r) + 1);
        if (blocks * hd_block_bytes(e, i, g->model) + reserve > hd_free_kv_bytes(e, i))
            break;
        int node = r->kv == HD_KV_HOST ? r->kv_at : e->instance[r->kv_at].node;
        int path = node != i->node       ? PATH_NIC
                   : r->kv == HD_KV_HOST ? PATH_HOST
                                         : PATH_NVLINK;
        r->kv_home = r->kv == HD_KV_HOST ? r->kv_at : -1;
        r->kv_from = r->kv == HD_KV_GPU ? r->kv_at : -1;
        if (r->kv_from >= 0) hd_idle_kv_remove(e, &e->instance[r->kv_from], s);
        hd_kv_take(e, i, g->model, hd_blocks_of(hd_kv_tokens(r)));
        if (transfer[path] < 0)
            transfer[path] = hd_transfer_new(e, HD_MOVE_IN, here, g->model);
        r->kv_at = here;
        chain(e, transfer[path], s);
        tokens[path] += hd_kv_tokens(r);
        started++;
    }
    if (started && i->phase == HD_PHASE_DECODE) hd_instance_cut(e, i);
    struct hd_node *n = &e->node[i->node];
    double per_token = (double)hd_block_bytes(e, i, g->model) / HD_BLOCK_TOKENS;
    double own = e->config->switching.kv_in_s_per_token;
    for (int p = 0; p < PATHS; p++) {
        if (transfer[p] < 0) continue;
        i->transfers_in++;
        if (own > 0) {
            hd_transfer_job(e, transfer[p], n->delay,
                            hd_tick_from_s(own * (double)tokens[p]));
        } else if (p == PATH_HOST) {
            for (int x = 0; x < i->tp; x++) {
                int link = e->gpu_link_in[i->gpu[x]];
                hd_transfer_job(
                    e, transfer[p], link,
                    hd_link_demand(&e->link[link], per_token * (double)tokens[p]));
            }
        } else {
            int link = p == PATH_NIC ? n->nic : n->nvlink;
            hd_transfer_job(
                e, transfer[p], link,
                hd_link_demand(&e->link[link], per_token * i->tp * (double)tokens[p]));
        }
    }
    return started;
}

static void in_done(struct hd_engine *e, int transfer) {
    struct hd_transfer *t = &e->transfer[transfer];
    struct hd_instance *i = &e->instance[t->instance];
    i->transfers_in--;
    for (int n = 0; n < t->requests; n++) {
        int slot = t->request[n];
        struct hd_request *r = &e->request[slot];
        if (r->transfer != transfer) continue;
        r->transfer = -1;
        if (r->kv_from >= 0) {
            struct hd_instance *source = &e->instance[r->kv_from];
            hd_kv_give(e, source, r->model, hd_blocks_of(hd_kv_tokens(r)));
        } else {
            host_kv(e, r->kv_home, -whole_kv_bytes(e, r));
        }
        r->kv_from = r->kv_home = -1;
        hd_idle_kv_add(e, i, slot);
        if (r->doomed) {
            hd_kv_drop(e, slot);
            hd_request_release(e, slot);
        } else if (r->group >= 0 && e->group[r->group].instance != t->instance) {
            tell_group(e, slot); /* it went elsewhere meanwhile */
        }
    }
    hd_instance_cut(e, i);
}

/* An instance died: KV that was leaving it or coming to it is lost. */
void hd_kv_abandon(struct hd_engine *e, int instance) {
    for (int slot = 0; slot < e->requests; slot++) {
        struct hd_request *r = &e->request[slot];
        if (r->kv != HD_KV_MOVING || r->transfer < 0) continue;
        struct hd_transfer *t = &e->transfer[r->transfer];
        if (r->kv_at != instance && r->kv_from != instance) continue;
        struct hd_instance *i = &e->instance[r->kv_at];
        hd_kv_give(e, i, r->model, hd_blocks_of(hd_kv_tokens(r)));
        if (t->kind == HD_MOVE_OUT)
            host_kv(e, i->node, -whole_kv_bytes(e, r));
        else if (r->kv_home >= 0)
            host_kv(e, r->kv_home, -whole_kv_bytes(e, r));
        else
            hd_kv_give(e, &e->instance[r->kv_from], r->model,
                       hd_blocks_of(hd_kv_tokens(r)));
        r->kv = HD_KV_NONE;
        r->kv_at = r->kv_from = r->kv_home = r->transfer = -1;
        if (r->doomed)
            hd_request_release(e, slot);
        else
            hd_kv_lose(e, slot);
    }
}

void hd_transfer_done(struct hd_engine *e, int transfer) {
    struct hd_transfer *t = &e->transfer[transfer];
    if (t->kind == HD_MOVE_LOAD)
        load_done(e, t);
    else if (t->kind == HD_MOVE_OUT)
        out_done(e, transfer);
    else
        in_done(e, transfer);
    hd_transfer_free(e, transfer);
}
