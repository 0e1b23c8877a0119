/* Conservation, counted anew from the requests: nothing is lost, held twice or
 * forgotten. Only in checked builds, at the ends of instants. */
#include "engine/parts.h"

#ifdef HD_CHECKED
#include <stdlib.h>
#include <string.h>

/* KV bytes on each GPU of every instance, and on every host; and who holds the runs of
 * an instance's cache, by their slots. */
struct held {
    int64_t *instance, *node;
    int32_t **holders;
    int64_t *blocks; /* [instance * models + shape of KV], where KV lies in slabs */
};

/* Its own blocks on the instance; `shares`: beside those that it holds in the cache. */
static void hold(struct hd_engine *e, struct held *h, int instance, int slot,
                 int64_t tokens, bool shares) {
    const struct hd_instance *i = &e->instance[instance];
    int64_t blocks = hd_blocks_of(tokens);
    int model = e->request[slot].model;
    if (shares && i->cache && e->prompt[slot].shared > 0) {
        const struct hd_prompt *p = &e->prompt[slot];
        struct hd_prompt_chain chain = {p->chain, p->chains,
                                        e->config->prefix_block_tokens, model};
        HD_CHECK(p->shared <= p->blocks && p->shared <= blocks);
        blocks -= p->shared;
        for (int64_t at = 0; at < p->shared;) {
            int32_t run = hd_prefix_cache_run(i->cache, &chain, at);
            HD_CHECK(run >= 0);
            h->holders[instance][run]++;
            at += i->cache->run[run].blocks;
            HD_CHECK(at <= p->shared);
        }
    }
    h->instance[instance] += blocks * hd_block_bytes(e, i, model);
    if (h->blocks)
        h->blocks[instance * e->config->models + e->shape[i->shape].kv_shape[model]] +=
            blocks;
}

static void check_slabs(const struct hd_engine *e, const struct held *h, int instance) {
    const struct hd_instance *i = &e->instance[instance];
    const struct hd_shape *s = &e->shape[i->shape];
    int64_t slab = e->config->serving.slab_bytes, slabs = 0;
    for (int m = 0; m < e->config->models; m++) {
        int64_t blocks = h->blocks[instance * e->config->models + m];
        HD_CHECK(i->slab_blocks[m] == blocks);
        int64_t per = slab / s->block_bytes[m];
        for (int64_t left = blocks; left > 0; left -= per) slabs++;
    }
    HD_CHECK(i->slabs == slabs && slabs * slab + i->weights <= i->usable);
    HD_CHECK(slabs * slab <= i->kv_limit);
}

static void count_kv(struct hd_engine *e, struct held *h, int slot) {
    const struct hd_request *r = &e->request[slot];
    int64_t tokens = hd_kv_tokens(r);
    int64_t bytes = tokens * e->config->model[r->model].kv_token_bytes;
    switch ((enum hd_kv_place)r->kv) {
    case HD_KV_NONE:
        HD_CHECK(r->state != HD_REQ_READY && r->state != HD_REQ_RUNNING);
        break;
    case HD_KV_GPU:
        if (r->state == HD_REQ_RUNNING) {
            const struct hd_batch *b = &e->instance[r->kv_at].batch;
            if (!e->step) tokens += b->step - r->join_step;
        }
        if (r->state == HD_REQ_PREFILL) tokens = (int64_t)r->input + r->emitted;
        hold(e, h, r->kv_at, slot, tokens, true);
        break;
    case HD_KV_HOST:
        h->node[r->kv_at] += bytes;
        break;
    case HD_KV_MOVING: /* memory is taken at both ends */
        HD_CHECK(r->transfer >= 0);
        hold(e, h, r->kv_at, slot, tokens,
             e->transfer[r->transfer].kind == HD_MOVE_OUT);
        if (e->transfer[r->transfer].kind == HD_MOVE_OUT)
            h->node[e->instance[r->kv_at].node] += bytes;
        else if (r->kv_from >= 0)
            hold(e, h, r->kv_from, slot, tokens, true);
        else
            h->node[r->kv_home] += bytes;
        break;
    }
}

/* Every run is held by as many as say so, or stands once in the list; and nothing is
 * kept for which there is no room. */
static void check_cache(struct hd_engine *e, struct held *h, int instance) {
    const struct hd_instance *i = &e->instance[instance];
    const struct hd_prefix_cache *c = i->cache;
    int64_t idle = 0;
    int listed = 0, held = 0;
    for (int32_t at = c->oldest, older = -1; at >= 0; at = c->run[at].newer) {
        const struct hd_prefix_run *r = &c->run[at];
        HD_CHECK(r->holders == 0 && r->blocks > 0 && r->older == older);
        HD_CHECK(hd_residence(i, r->model) != HD_ABSENT);
        idle += r->blocks * hd_block_bytes(e, i, r->model);
        listed++;
        older = at;
        HD_CHECK(r->newer >= 0 || c->newest == at);
    }
    for (int n = 0; n < c->runs; n++) {
        const struct hd_prefix_run *r = &c->run[n];
        if (r->blocks == 0 || r->holders == 0) continue;
        HD_CHECK(r->holders == h->holders[instance][n]);
        h->instance[instance] += r->blocks * hd_block_bytes(e, i, r->model);
        held++;
    }
    HD_CHECK(idle == c->idle_bytes && listed + held == c->live);
    if (i->phase == HD_PHASE_DECODE) return; /* a plan grows unseen */
    HD_CHECK(i->kv + idle + i->weights <= i->usable && i->kv + idle <= i->kv_limit);
}

static void check_batch(const struct hd_engine *e, const struct hd_instance *i) {
    const struct hd_batch *b = &i->batch;
    int64_t context = 0, blocks = 0, measured = 0;
    for (int m = 0; m < b->count; m++) {
        const struct hd_request *r = &e->request[b->member[m].slot];
        int64_t tokens = hd_kv_tokens(r) + (e->step ? 0 : b->step - r->join_step);
        HD_CHECK(r->state == HD_REQ_RUNNING && r->group == i->turn);
        context += tokens;
        blocks += hd_blocks_of(tokens);
        measured += r->measured;
    }
    HD_CHECK(context == b->context && blocks == b->blocks && measured == b->measured);
}

static void check_instance(const struct hd_engine *e, const struct hd_instance *i) {
    int groups = 0, requests = 0, waiting = 0, with_work = 0;
    int64_t weights = 0, waiting_tokens = 0;
    for (int g = i->first_group; g >= 0; g = e->group[g].next) {
        const struct hd_group *group = &e->group[g];
        int running = 0;
        if (i->turn == g)
            running = i->batch.count + i->prefilling_count + (i->chunking >= 0);
        HD_CHECK(group->size == group->waiting.count + group->ready.count + running);
        groups++;
        requests += group->size;
        waiting += group->waiting.count;
        waiting_tokens += group->waiting_tokens;
        with_work += group->size > 0;
    }
    for (int n = 0; n < i->residents; n++)
        weights += e->shape[i->shape].weight_bytes[i->resident[n].model];
    HD_CHECK(groups == i->groups && requests == i->requests);
    HD_CHECK(waiting == i->waiting && waiting_tokens == i->waiting_tokens);
    HD_CHECK(with_work == i->with_work && weights == i->weights);
    HD_CHECK(i->turn < 0 || e->group[i->turn].instance == hd_instance_number(e, i));
    check_batch(e, i);
}

static void check_room(const struct hd_engine *e) {
    int free_gpus = 0;
    for (int n = 0; n < e->nodes; n++) {
        const struct hd_node *node = &e->node[n];
        int here = 0;
        for (int g = node->first_gpu; g < node->first_gpu + node->gpus; g++)
            here += e->gpu[g].up && e->gpu[g].instance < 0;
        HD_CHECK(here == node->free);
        free_gpus += here;
        int64_t cached = 0;
        for (int m = 0; m < e->config->models; m++)
            if (node->cached[m].there) cached += e->config->model[m].weights_bytes;
        int64_t staging = e->config->switching.staging_bytes * node->gpus;
        HD_CHECK(node->dram_used == node->host_kv + cached + staging);
        HD_CHECK(node->dram_used <= node->dram);
    }
    HD_CHECK(free_gpus == e->free_gpus);
}

/* What GPUs did and what requests waited for, to the tick. */
void hd_check_accounts(const struct hd_engine *e) {
    const struct hd_measure *m = e->measure;
    hd_wide used = 0, blamed = 0;
    for (int u = 0; u < HD_GPU_USES; u++) {
        HD_CHECK(m->gpu_ticks[u] >= 0);
        used += m->gpu_ticks[u];
    }
    HD_CHECK(used == hd_measure_gpus(m, e->gpus, e->now));
    for (int b = 0; b < HD_BLAMES; b++) blamed += m->blame_ticks[b];
    HD_CHECK(blamed == m->latency_ticks);
}

/* All of it costs as much as there are requests: with many it is done now and then. */
void hd_check(struct hd_engine *e) {
    if (e->requests > 200 && e->checks++ % 256) return;
    struct held h = {hd_alloc(sizeof *h.instance * (size_t)(e->instances + 1)),
                     hd_alloc(sizeof *h.node * (size_t)(e->nodes + 1)),
                     hd_alloc(sizeof *h.holders * (size_t)(e->instances + 1)), NULL};
    if (e->config->serving.slab_bytes > 0)
        h.blocks =
            hd_alloc(sizeof *h.blocks * (size_t)(e->instances * e->config->models + 1));
    for (int n = 0; n < e->instances; n++)
        if (e->instance[n].cache)
            h.holders[n] = hd_alloc(sizeof *h.holders[n] *
                                    (size_t)(e->instance[n].cache->runs + 1));
    int live = 0, held = 0, in_groups = 0;
    for (int s = 0; s < e->requests; s++) {
        const struct hd_request *r = &e->request[s];
        bool moves = r->kv == HD_KV_MOVING && r->transfer >= 0;
        if (!r->doomed || moves) count_kv(e, &h, s);
        if (r->doomed) continue;
        live++;
        held += r->state == HD_REQ_HELD;
        in_groups += r->group >= 0;
        HD_CHECK((r->state == HD_REQ_HELD) == (r->group < 0));
        HD_CHECK(r->emitted < r->output);
    }
    HD_CHECK(live == e->live_requests && held == e->held.count);
    int requests = 0;
    for (int n = 0; n < e->instances; n++) {
        const struct hd_instance *i = &e->instance[n];
        if (!i->alive) continue;
        if (i->cache) check_cache(e, &h, n);
        if (i->slab_blocks) check_slabs(e, &h, n);
        HD_CHECK(i->kv == h.instance[n] && i->kv + i->weights <= i->usable);
        check_instance(e, i);
        requests += i->requests;
    }
    HD_CHECK(requests == in_groups);
    for (int n = 0; n < e->nodes; n++) HD_CHECK(h.node[n] == e->node[n].host_kv);
    check_room(e);
    for (int n = 0; n < e->instances; n++) free(h.holders[n]);
    free(h.holders);
    free(h.instance);
    free(h.blocks);
    free(h.node);
}
#endif
