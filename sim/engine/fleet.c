/* The machine room: nodes, GPUs, links, and instances that come and go. */
#include <stdlib.h>
#include <string.h>

#include "engine/parts.h"

/* NVLink of 0 bytes a second is not there, and on no path. */
static int new_link(struct hd_engine *e, double bytes_per_s) {
    hd_link_init(&e->link[e->links], bytes_per_s);
    if (e->network) hd_network_link(e->network, bytes_per_s > 0 ? bytes_per_s : 1);
    return e->links++;
}

static int new_limit(struct hd_engine *e, double bytes_per_s) {
    return e->network && bytes_per_s > 0 ? new_link(e, bytes_per_s) : -1;
}

static void init_links(struct hd_engine *e) {
    static const int weight[][HD_FLOW_CLASSES] = {[HD_LINKS_FAIR] = {1, 1, 1},
                                                  [HD_LINKS_WEIGHTED] = {4, 2, 1},
                                                  [HD_LINKS_STRICT] = {1, 1, 1}};
    const struct hd_run_config *c = e->config;
    int mode = c->switching.links, most = 4 * c->nodes + 3 * e->gpus;
    if (mode != HD_LINKS_ALONE) {
        most += 1 + 2 * c->nodes + 3 * e->gpus;
        e->network = hd_network_new(mode == HD_LINKS_STRICT, weight[mode]);
    }
    e->link = hd_alloc(sizeof *e->link * (size_t)most);
    e->remote = new_limit(e, c->switching.remote_bytes_per_s);
}

/* The links of a GPU, the g-th of its node: its own, or those of the one before it. */
static void init_gpu_links(struct hd_engine *e, const struct hd_node_config *from,
                           int gpu, int g) {
    struct hd_gpu *one = &e->gpu[gpu];
    int shared = from->pcie_shared_by > 0 ? from->pcie_shared_by : 1;
    if (g % shared == 0) {
        e->gpu_link_in[gpu] = new_link(e, from->pcie_bytes_per_s);
        e->gpu_link_out[gpu] = new_link(e, from->pcie_bytes_per_s);
        /* On paths, of both together; of one alone at least its own. */
        if (!e->network)
            hd_link_pair(e, e->gpu_link_in[gpu], e->gpu_link_out[gpu], from->pcie_both);
        double both = from->pcie_both > 0 ? 2 * from->pcie_both : 2;
        bool limits = both < 2;
        if (both < 1) both = 1;
        one->both = new_limit(e, limits ? both * from->pcie_bytes_per_s : 0);
    } else {
        e->gpu_link_in[gpu] = e->gpu_link_in[gpu - 1];
        e->gpu_link_out[gpu] = e->gpu_link_out[gpu - 1];
        one->both = one[-1].both;
    }
    int behind = from->pcie_switch;
    if (behind <= 0 || g % behind == 0) {
        one->switch_in = new_limit(e, behind > 0 ? from->switch_bytes_per_s : 0);
        one->switch_out = new_limit(e, behind > 0 ? from->switch_bytes_per_s : 0);
    } else {
        one->switch_in = one[-1].switch_in;
        one->switch_out = one[-1].switch_out;
    }
}

void hd_fleet_init(struct hd_engine *e) {
    const struct hd_run_config *c = e->config;
    for (int n = 0; n < c->nodes; n++) e->gpus += c->node[n].gpus;
    e->nodes = c->nodes;
    e->node = hd_alloc(sizeof *e->node * (size_t)c->nodes);
    e->gpu = hd_alloc(sizeof *e->gpu * (size_t)e->gpus);
    init_links(e);
    e->gpu_link_in = hd_alloc(sizeof *e->gpu_link_in * (size_t)e->gpus);
    e->gpu_link_out = hd_alloc(sizeof *e->gpu_link_out * (size_t)e->gpus);
    int gpu = 0;
    for (int n = 0; n < c->nodes; n++) {
        const struct hd_node_config *from = &c->node[n];
        struct hd_node *node = &e->node[n];
        node->kind = from->kind;
        node->first_gpu = gpu;
        node->gpus = node->free = from->gpus;
        node->dram = (int64_t)from->dram_bytes;
        hd_dram_take(e, node, c->switching.staging_bytes * from->gpus);
        node->disk = new_link(e, from->disk_bytes_per_s);
        node->nvlink = new_link(e, from->nvlink_bytes_per_s);
        node->nic = new_link(e, from->nic_bytes_per_s);
        node->delay = new_link(e, 1);
        e->link[node->delay].delay = true;
        node->host = new_limit(e, from->host_bytes_per_s);
        node->nic_out = new_limit(e, from->nic_bytes_per_s);
        node->cached = hd_alloc(sizeof *node->cached * (size_t)c->models);
        for (int m = 0;
             m < c->models && c->switching.warm_cache && !c->switching.no_cache; m++) {
            if (node->dram - node->dram_used < c->model[m].weights_bytes) continue;
            node->cached[m].there = true;
            hd_dram_take(e, node, c->model[m].weights_bytes);
        }
        for (int g = 0; g < from->gpus; g++, gpu++) {
            e->gpu[gpu] = (struct hd_gpu){
                .node = n, .kind = from->kind, .up = true, .instance = -1};
            init_gpu_links(e, from, gpu, g);
        }
    }
    for (int g = 0; g < e->gpus && c->switching.prefetch_yields && !e->network; g++)
        if (e->link[e->gpu_link_in[g]].behind < 0) {
            int link = e->gpu_link_in[g];
            hd_link_behind(e, new_link(e, e->link[link].bytes_per_s), link);
        }
    e->free_gpus = e->gpus;
    e->most_tokens = hd_alloc(sizeof *e->most_tokens * (size_t)c->models);
    for (int m = 0; m < c->models; m++) {
        int tp = c->model[m].tp > 0 ? c->model[m].tp : 1;
        for (int n = 0; n < c->nodes; n++) {
            if (c->node[n].gpus < tp) continue;
            const char *kind = c->kind[c->node[n].kind].name;
            if (c->model[m].gpu && strcmp(c->model[m].gpu, kind) != 0) continue;
            int shape = hd_shape_of(e, c->node[n].kind, tp,
                                    c->kind[c->node[n].kind].usable_bytes, INT64_MAX);
            const struct hd_shape *s = &e->shape[shape];
            int64_t room = s->usable - s->weight_bytes[m];
            int64_t tokens = hd_pool_blocks(e, shape, m, room) * HD_BLOCK_TOKENS;
            if (room > 0 && tokens > e->most_tokens[m]) e->most_tokens[m] = tokens;
        }
    }
}

int hd_shape_of(struct hd_engine *e, int kind, int tp, int64_t usable,
                int64_t kv_limit) {
    for (int n = 0; n < e->shapes; n++) {
        const struct hd_shape *s = &e->shape[n];
        if (s->kind == kind && s->tp == tp && s->usable == usable &&
            s->kv_limit == kv_limit)
            return n;
    }
    const struct hd_run_config *c = e->config;
    e->shape = hd_realloc(e->shape, sizeof *e->shape * (size_t)(e->shapes + 1));
    struct hd_shape *s = &e->shape[e->shapes];
    *s = (struct hd_shape){
        .kind = kind, .tp = tp, .usable = usable, .kv_limit = kv_limit};
    s->timing = hd_alloc(sizeof *s->timing * (size_t)c->models);
    s->block_bytes = hd_alloc(sizeof *s->block_bytes * (size_t)c->models);
    s->kv_shape = hd_alloc(sizeof *s->kv_shape * (size_t)c->models);
    s->weight_bytes = hd_alloc(sizeof *s->weight_bytes * (size_t)c->models);
    for (int m = 0; m < c->models; m++) {
        const struct hd_run_model *model = &c->model[m];
        int heads = model->kv_heads > 0 ? model->kv_heads : tp;
        int heads_here = (heads + tp - 1) / tp; /* replicated once tp > heads */
        s->timing[m] = c->timing(c->timing_context, m, kind, tp, 1);
        s->weight_bytes[m] = (model->weights_bytes + tp - 1) / tp;
        s->block_bytes[m] =
            (HD_BLOCK_TOKENS * model->kv_token_bytes * heads_here + heads - 1) / heads;
        if (s->block_bytes[m] < 1) s->block_bytes[m] = 1;
        while (s->block_bytes[s->kv_shape[m]] != s->block_bytes[m]) s->kv_shape[m]++;
    }
    return e->shapes++;
}

/* n free GPUs of one node, or none. */
static bool pick(const struct hd_engine *e, const struct hd_form *f, int tp,
                 int32_t *out) {
    for (int n = 0; n < e->nodes; n++) {
        const struct hd_node *node = &e->node[n];
        if (node->free < tp || (f->node >= 0 && f->node != n)) continue;
        if (f->type && strcmp(f->type, e->config->kind[node->kind].name) != 0) continue;
        int found = 0;
        for (int g = node->first_gpu; g < node->first_gpu + node->gpus && found < tp;
             g++)
            if (e->gpu[g].up && e->gpu[g].instance < 0) out[found++] = g;
        if (found == tp) return true;
    }
    return false;
}

/* The GPUs that the instance gets; the bytes on each. */
static bool take_gpus(const struct hd_engine *e, const struct hd_form *f, int tp,
                      int32_t *gpu, int64_t *bytes) {
    for (int g = 0; f->on && g < tp; g++) gpu[g] = f->on[g];
    if (!f->on && !pick(e, f, tp, gpu)) return false;
    *bytes = hd_share_memory(e, e->gpu[gpu[0]].kind, f, f->sharing);
    for (int g = 0; g < tp; g++)
        if (!hd_share_fits(e, gpu[g], f->sharing, f->share, *bytes)) return false;
    return true;
}

int hd_instance_form(struct hd_engine *e, const struct hd_form *f) {
    int tp = f->gpus > 0 ? f->gpus : 1;
    int32_t gpu[HD_GPUS_PER_INSTANCE_MAX];
    int64_t bytes;
    if (!take_gpus(e, f, tp, gpu, &bytes)) return -1;
    e->instance = hd_grow(e->instance, &e->instance_capacity, e->instances + 1,
                          sizeof *e->instance);
    int number = e->instances++;
    struct hd_instance *i = &e->instance[number];
    memset(i, 0, sizeof *i);
    hd_events_reserve(&e->events, e->links + e->instances);
    hd_heap_reserve(&e->wants, e->instances);
    hd_heap_reserve(&e->dirty, e->instances);
    i->role = hd_ask_role(e, f->role);
    i->node = e->gpu[gpu[0]].node;
    i->kind = e->gpu[gpu[0]].kind;
    i->tp = tp;
    i->share = f->share;
    i->prefill_share = f->prefill_share;
    i->sharing = (uint8_t)f->sharing;
    i->kv_limit = f->kv_bytes > 0 ? (int64_t)f->kv_bytes : INT64_MAX;
    i->usable = bytes;
    i->shape = hd_shape_of(e, i->kind, tp, i->usable, i->kv_limit);
    i->many = f->many;
    i->alive = true;
    memcpy(i->gpu, gpu, sizeof *gpu * (size_t)tp);
    for (int g = 0; g < tp; g++) {
        struct hd_gpu *one = &e->gpu[gpu[g]];
        if (one->instance >= 0) continue;
        hd_measure_gpu(e->measure, HD_GPU_IDLE_FREE, 1, one->free_since, e->now);
        one->instance = number;
        e->node[i->node].free--;
        e->free_gpus--;
    }
    i->first_group = i->last_group = i->idle_kv_first = i->idle_kv_last = -1;
    i->turn = i->model = i->chunking = i->prefetch = -1;
    i->rest_at = -1;
    i->batch.least_bound = HD_TICK_NEVER;
    i->use = HD_GPU_IDLE_FREE;
    i->use_since = e->now;
    if (i->sharing) hd_share_join(e, number);
    if (e->config->serving.slab_bytes > 0)
        i->slab_blocks = hd_alloc(sizeof *i->slab_blocks * (size_t)e->config->models);
    if (e->config->serving.prefix_cache && e->config->prefix_block_tokens > 0)
        i->cache = hd_prefix_cache_new();
    hd_index_join(e, number);
    double start = e->now > 0 ? e->config->switching.engine_start_s : 0;
    if (start > 0) {
        hd_instance_phase(e, i, HD_PHASE_STARTING);
        hd_instance_wake(e, i, e->now + hd_tick_from_s(start));
    } else {
        i->phase = HD_PHASE_REST;
        hd_instance_want(e, i, HD_WHY_STARTED, -1);
    }
    return number;
}

/* A member of a dying instance goes back to the policy; its KV here is lost. */
static void orphan(struct hd_engine *e, struct hd_instance *i, int slot) {
    struct hd_request *r = &e->request[slot];
    hd_group_remove(e, slot);
    if (r->kv == HD_KV_GPU && r->kv_at == hd_instance_number(e, i)) hd_kv_drop(e, slot);
    hd_request_phase(e, r, r->emitted ? HD_BLAME_WAIT : HD_BLAME_QUEUE);
    r->retries++;
    hd_held_add(e, slot);
}

/* The instance ends now: at a failure in mid-iteration, else at rest. Members
 * are orphaned; its GPUs are free unless they are down. */
void hd_instance_kill(struct hd_engine *e, struct hd_instance *i, bool failed) {
    int number = hd_instance_number(e, i);
    struct hd_batch *b = &i->batch;
    hd_events_remove(&e->events, hd_event_id(e, i));
    if (i->phase == HD_PHASE_DECODE) { /* boundaries that have passed stand */
        int64_t done = hd_batch_done_by(i, e->now);
        if (done > 0 && done < b->steps)
            hd_batch_settle(e, i, done);
        else if (done > 0)
            hd_batch_settle(e, i, b->steps);
    }
    hd_instance_phase(e, i, HD_PHASE_BOUNDARY); /* the last: nothing plans here again */
    int count = 0;
    int32_t *member = hd_alloc(sizeof *member * (size_t)(i->requests + 1));
    for (int m = 0; m < b->count; m++) member[count++] = b->member[m].slot;
    for (int m = 0; m < count; m++) {
        hd_batch_remove(e, i, member[m]);
        hd_kv_drop(e, member[m]);
        e->request[member[m]].state = HD_REQ_HELD;
    }
    for (int n = 0; n < i->prefilling_count; n++) member[count++] = i->prefilling[n];
    if (i->chunking >= 0) member[count++] = i->chunking;
    for (int n = count - i->prefilling_count - (i->chunking >= 0); n < count; n++) {
        hd_kv_drop(e, member[n]); /* of a prefill that did not end */
        e->request[member[n]].state = HD_REQ_HELD;
    }
    i->prefilling_count = 0;
    i->chunking = -1;
    for (int g = i->first_group; g >= 0; g = e->group[g].next) {
        for (int s = e->group[g].waiting.first; s >= 0; s = e->request[s].next)
            member[count++] = s;
        for (int s = e->group[g].ready.first; s >= 0; s = e->request[s].next)
            member[count++] = s;
    }
    if (i->turn >= 0 && e->config->observer) hd_observe_turn(e, i, -1);
    hd_instance_phase(e, i, HD_PHASE_REST);
    for (int n = 1; n < count; n++) /* in order of arrival */
        for (int at = n;
             at > 0 && e->request[member[at - 1]].id > e->request[member[at]].id;
             at--) {
            int32_t swap = member[at];
            member[at] = member[at - 1];
            member[at - 1] = swap;
        }
    struct hd_req *lost = hd_alloc(sizeof *lost * (size_t)(count + 1));
    for (int n = 0; n < count; n++) {
        lost[n] = hd_req_of(e, member[n]);
        orphan(e, i, member[n]);
    }
    i->turn = -1;
    i->alive = false;
    hd_kv_abandon(e, number);
    while (i->idle_kv_first >= 0) hd_kv_lose(e, i->idle_kv_first); /* of others */
    for (int g = i->first_group, next; g >= 0; g = next) {
        next = e->group[g].next;
        e->group[g].had_members = true;
        hd_group_close_if_empty(e, g);
    }
    hd_evict_unused(e, i, -1);
    if (i->sharing)
        hd_share_leave(e, number);
    else
        hd_measure_gpu(e->measure, (enum hd_gpu_use)i->use, i->tp, i->use_since,
                       e->now);
    hd_index_leave(e, number);
    for (int g = 0; g < i->tp; g++) {
        struct hd_gpu *gpu = &e->gpu[i->gpu[g]];
        if (i->sharing && gpu->shared->tenants > 0) {
            gpu->instance = gpu->shared->tenant[0];
            continue;
        }
        gpu->instance = -1;
        gpu->free_since = e->now;
        if (gpu->up) {
            e->node[i->node].free++;
            e->free_gpus++;
        }
    }
    hd_batch_free(b);
    free(i->prefilling);
    free(i->resident);
    hd_prefix_cache_free(i->cache);
    free(i->slab_blocks);
    i->cache = NULL;
    i->slab_blocks = NULL;
    memset(b, 0, sizeof *b);
    i->prefilling = NULL;
    i->resident = NULL;
    i->residents = i->resident_capacity = i->prefilling_capacity = 0;
    free(member);
    if (failed) { /* the caller has queued `down`: now whoever lost its place */
        for (int n = 0; n < count; n++)
            hd_queue_call(e, HD_CALL_ARRIVE, lost[n].slot, lost[n].serial, 0);
    } else {
        for (int g = 0; g < i->tp; g++)
            hd_queue_call(e, HD_CALL_FLEET, i->gpu[g], 1, HD_FLEET_FREE);
        hd_fleet_ask_again(e);
    }
    free(lost);
}

/* A draining instance that is done ends. */
void hd_instance_maybe_close(struct hd_engine *e, struct hd_instance *i) {
    if (!i->alive || !i->closing || i->groups || i->turn >= 0) return;
    if (i->transfers_in || i->transfers_out || i->idle_kv_first >= 0) return;
    hd_instance_kill(e, i, false);
}

void hd_fleet_ask_again(struct hd_engine *e) {
    for (int s = e->held.count ? e->held.first : -1; s >= 0; s = e->request[s].next)
        hd_queue_call(e, HD_CALL_ARRIVE, s, e->request[s].serial, 0);
}

void hd_fleet_fail(struct hd_engine *e, const struct hd_failure *f) {
    struct hd_gpu *gpu = &e->gpu[f->gpu];
    if (gpu->up == f->up) return;
    gpu->up = f->up;
    bool held = gpu->instance >= 0;
    if (f->up) {
        e->node[gpu->node].free++;
        e->free_gpus++;
    } else if (!held) {
        e->node[gpu->node].free--;
        e->free_gpus--;
    }
    hd_queue_call(e, HD_CALL_FLEET, f->gpu, 1, f->up ? HD_FLEET_UP : HD_FLEET_DOWN);
    while (!f->up && gpu->instance >= 0)
        hd_instance_kill(e, &e->instance[gpu->instance], true);
    if (f->up) hd_fleet_ask_again(e);
}
