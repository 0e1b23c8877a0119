/* The actions of a policy: each checks that it is possible, names the call when
 * it is not, and takes effect at once on what the policy sees. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/parts.h"

bool hd_act_fail(struct hd_engine *e, const char *format, ...) {
    va_list args;
    va_start(args, format);
    hd_vfail(&e->err, format, args);
    va_end(args);
    return false;
}

void hd_act_forgive(struct hd_engine *e) {
    e->err.text[0] = '\0';
}

static bool live_instance(struct hd_engine *e, const char *call, int instance) {
    if (instance < 0 || instance >= e->instances)
        return hd_act_fail(e, "%s: no such instance", call);
    if (e->instance[instance].alive) return true;
    return hd_act_fail(e, "%s: instance %d is dead", call, instance);
}

static bool open_group(struct hd_engine *e, const char *call, struct hd_grp g) {
    if (hd_ask_group_open(e, g)) return true;
    return hd_act_fail(e, "%s: the group is closed", call);
}

static bool live_request(struct hd_engine *e, const char *call, struct hd_req r) {
    if (hd_ask_request_known(e, r) && !e->request[r.slot].doomed) return true;
    return hd_act_fail(e, "%s: the request is finished", call);
}

int hd_act_form(struct hd_engine *e, const struct hd_form *f) {
    int tp = f->gpus > 0 ? f->gpus : 1;
    if (!f->role || !*f->role) return hd_act_fail(e, "form: needs a role"), -2;
    if (tp > HD_GPUS_PER_INSTANCE_MAX)
        return hd_act_fail(e, "form: %d GPUs: at most %d", tp,
                           HD_GPUS_PER_INSTANCE_MAX),
               -2;
    if (f->share < 0 || f->share > 1 || f->prefill_share < 0 || f->prefill_share > 1)
        return hd_act_fail(e, "form: share %g; expected more than 0, at most 1",
                           f->share < 0 || f->share > 1 ? f->share : f->prefill_share),
               -2;
    if (f->type) {
        bool known = false;
        for (int k = 0; k < e->config->kinds; k++)
            known |= strcmp(e->config->kind[k].name, f->type) == 0;
        if (!known)
            return hd_act_fail(e, "form: no GPU type '%s' in this fleet", f->type), -2;
    }
    for (int g = 0; f->on && g < tp; g++)
        if (f->on[g] < 0 || f->on[g] >= e->gpus ||
            e->gpu[f->on[g]].node != e->gpu[f->on[0]].node)
            return hd_act_fail(e,
                               "form: `on` names GPUs of more than one node, or none"),
                   -2;
    struct hd_form whole = *f;
    if (whole.share <= 0) whole.share = 1;
    if (whole.prefill_share <= 0) whole.prefill_share = whole.share;
    if (whole.share < 1 && !whole.sharing)
        whole.sharing = e->config->sharing.time_slice ? HD_SHARE_TIME : HD_SHARE_SPACE;
    return hd_instance_form(e, &whole);
}

bool hd_act_dissolve(struct hd_engine *e, int instance, bool drain) {
    if (!live_instance(e, "dissolve", instance)) return false;
    struct hd_instance *i = &e->instance[instance];
    i->closing = true;
    hd_index_touch(e, i);
    if (!drain) {
        i->dissolve = true;
        i->interrupt = true;
        hd_instance_cut(e, i);
        hd_instance_dirty(e, i);
    } else {
        hd_instance_dirty(e, i);
    }
    return true;
}

bool hd_act_limit(struct hd_engine *e, int instance, double kv_bytes,
                  double memory_bytes) {
    if (!live_instance(e, "limit", instance)) return false;
    struct hd_instance *i = &e->instance[instance];
    int64_t limit = kv_bytes > 0 && kv_bytes < 9e18 ? (int64_t)kv_bytes : INT64_MAX;
    if (memory_bytes > 0 && !i->sharing)
        return hd_act_fail(e, "limit: memory: instance %d shares no GPU", instance);
    i->kv_wanted = limit;
    i->memory_wanted = memory_bytes < 9e18 ? (int64_t)memory_bytes : INT64_MAX;
    i->limits = true;
    if (i->sharing && i->phase == HD_PHASE_REST) hd_limits_apply(e, i);
    hd_instance_cut(e, i);
    hd_instance_dirty(e, i);
    return true;
}

struct hd_grp hd_act_group(struct hd_engine *e, int instance, int model) {
    if (!live_instance(e, "group", instance)) return HD_NO_GRP;
    if (e->instance[instance].closing) {
        hd_act_fail(e, "group: instance %d is closing", instance);
        return HD_NO_GRP;
    }
    return hd_grp_of(e, hd_group_new(e, instance, model, -1));
}

bool hd_act_run(struct hd_engine *e, int instance, struct hd_grp group,
                const struct hd_turn *option) {
    if (!live_instance(e, "run", instance) || !open_group(e, "run", group))
        return false;
    struct hd_instance *i = &e->instance[instance];
    const struct hd_group *g = &e->group[group.slot];
    if (i->turn >= 0) return hd_act_fail(e, "run: instance %d has a turn", instance);
    if (i->phase == HD_PHASE_STARTING)
        return hd_act_fail(e, "run: instance %d is starting", instance);
    if (g->instance != instance)
        return hd_act_fail(e, "run: the group is on instance %d, not %d", g->instance,
                           instance);
    bool nothing = option->prefill > 0    ? g->waiting.count == 0
                   : option->prefill == 0 ? g->ready.count == 0
                                          : g->size == 0;
    if (nothing) return hd_act_fail(e, "run: nothing in the group to run");
    if (e->shape[i->shape].weight_bytes[g->model] >= i->usable)
        return hd_act_fail(e, "run: %s does not fit instance %d",
                           e->config->model[g->model].name, instance);
    hd_turn_begin(e, i, group.slot, option);
    return true;
}

bool hd_act_interrupt(struct hd_engine *e, int instance) {
    if (!live_instance(e, "interrupt", instance)) return false;
    struct hd_instance *i = &e->instance[instance];
    if (i->turn < 0) return true;
    i->interrupt = true;
    hd_instance_cut(e, i);
    return true;
}

/* Blocks that the running group keeps, whatever is prefetched beside it. */
static int64_t reserved_blocks(const struct hd_engine *e, const struct hd_instance *i) {
    const struct hd_group *g = &e->group[i->turn];
    int64_t least = e->config->model[g->model].max_context / HD_BLOCK_TOKENS;
    if (least < 1024) least = 1024;
    int64_t own = g->ready_blocks + hd_blocks_of(g->waiting_tokens) + i->batch.blocks +
                  2 * (int64_t)g->size;
    return own > least ? own : least;
}

int hd_act_load(struct hd_engine *e, int instance, int model) {
    if (!live_instance(e, "load", instance)) return -1;
    struct hd_instance *i = &e->instance[instance];
    if (hd_residence(i, model) != HD_ABSENT) return 1;
    int64_t bytes = e->shape[i->shape].weight_bytes[model];
    if (i->turn < 0) {
        if (!i->many) hd_evict_unused(e, i, model);
        return hd_load_start(e, i, model, false);
    }
    const struct hd_group *g = &e->group[i->turn];
    int64_t own = e->shape[i->shape].weight_bytes[g->model];
    int64_t room = i->usable - own - bytes;
    if (!e->config->switching.prefetch) return 0;
    if (room < 0 || reserved_blocks(e, i) > hd_pool_blocks(e, i->shape, g->model, room))
        return 0;
    if (!i->many) hd_evict_unused(e, i, g->model);
    bool own_is_there = i->phase != HD_PHASE_SWITCH;
    if (!own_is_there) {
        i->prefetch = model;
        return 1;
    }
    /* One block for each running member stays free: the iteration under way may
     * need it at its end. */
    int64_t now = hd_free_bytes(e, i);
    now -= hd_kv_need_bytes(e, i, g->model, i->batch.count, -1, 0);
    if (now < bytes || !hd_load_start(e, i, model, false)) return 0;
    hd_instance_cut(e, i);
    return 1;
}

bool hd_act_unload(struct hd_engine *e, int instance, int model) {
    if (!live_instance(e, "unload", instance)) return false;
    struct hd_instance *i = &e->instance[instance];
    int running = i->turn >= 0 ? e->group[i->turn].model : -1;
    if (model >= 0 && model == running)
        return hd_act_fail(e, "unload: a group of %s is running",
                           e->config->model[model].name);
    if (model >= 0)
        hd_evict(e, i, model);
    else
        hd_evict_unused(e, i, running);
    hd_instance_cut(e, i);
    return true;
}

/* Takes a request from wherever it is, if it can be moved now. */
static bool detach(struct hd_engine *e, const char *call, int slot) {
    struct hd_request *r = &e->request[slot];
    if (r->state == HD_REQ_HELD) {
        hd_held_remove(e, slot);
        return true;
    }
    struct hd_instance *i = &e->instance[e->group[r->group].instance];
    if (r->state == HD_REQ_PREFILL)
        return hd_act_fail(e, "%s: the request is being prefilled", call);
    if (r->state == HD_REQ_RUNNING) {
        hd_instance_cut(e, i); /* a boundary at this instant counts as reached */
        if (i->phase != HD_PHASE_BOUNDARY)
            return hd_act_fail(
                e, "%s: the request is decoding: interrupt its turn first", call);
        hd_batch_out(e, i, slot);
        r->state = HD_REQ_HELD;
        hd_group_remove(e, slot);
        hd_instance_dirty(e, i);
        return true;
    }
    int group = r->group;
    hd_group_remove(e, slot);
    if (i->turn == group) hd_instance_cut(e, i);
    return true;
}

static void close_behind(struct hd_engine *e, int group) {
    if (group >= 0) hd_group_close_if_empty(e, group);
}

bool hd_act_join_group(struct hd_engine *e, struct hd_req req, struct hd_grp group,
                       enum hd_kv_move how) {
    if (!live_request(e, "join", req) || !open_group(e, "join", group)) return false;
    struct hd_request *r = &e->request[req.slot];
    const struct hd_group *g = &e->group[group.slot];
    struct hd_instance *i = &e->instance[g->instance];
    int instance = g->instance, before = r->group;
    if (g->model != r->model)
        return hd_act_fail(e, "join: the request is for %s, the group for %s",
                           e->config->model[r->model].name,
                           e->config->model[g->model].name);
    if (i->closing) return hd_act_fail(e, "join: instance %d is closing", instance);
    if (before == group.slot) return true;
    if (!hd_could_hold(e, i->shape, r->model, (int64_t)r->input + r->output - 1))
        return hd_act_fail(e, "join: the request can never fit instance %d", instance);
    if (!detach(e, "join", req.slot)) return false;
    if (how == HD_KV_DROP) hd_kv_drop(e, req.slot);
    hd_group_add(e, group.slot, req.slot);
    if (how == HD_KV_PUSH || how == HD_KV_LIVE)
        hd_kv_in(e, i, group.slot, req.slot, -1);
    close_behind(e, before);
    return true;
}

bool hd_act_join_instance(struct hd_engine *e, struct hd_req req, int instance,
                          enum hd_kv_move how) {
    if (!live_request(e, "join", req) || !live_instance(e, "join", instance))
        return false;
    struct hd_instance *i = &e->instance[instance];
    int model = e->request[req.slot].model, tail = i->last_group;
    if (i->closing) return hd_act_fail(e, "join: instance %d is closing", instance);
    if (!hd_could_hold(e, i->shape, model,
                       (int64_t)e->request[req.slot].input +
                           e->request[req.slot].output - 1))
        return hd_act_fail(e, "join: the request can never fit instance %d", instance);
    if (tail < 0 || e->group[tail].model != model)
        tail = hd_group_new(e, instance, model, -1);
    return hd_act_join_group(e, req, hd_grp_of(e, tail), how);
}

bool hd_act_hold(struct hd_engine *e, struct hd_req req) {
    if (!live_request(e, "join", req)) return false;
    struct hd_request *r = &e->request[req.slot];
    int before = r->group;
    if (r->state == HD_REQ_HELD) return true;
    if (!detach(e, "join", req.slot)) return false;
    hd_held_add(e, req.slot);
    close_behind(e, before);
    return true;
}

bool hd_act_reject(struct hd_engine *e, struct hd_req req) {
    if (!live_request(e, "reject", req)) return false;
    int before = e->request[req.slot].group;
    if (!detach(e, "reject", req.slot)) return false;
    hd_held_add(e, req.slot);
    hd_request_finish(e, req.slot, HD_STATUS_REJECTED, true);
    close_behind(e, before);
    return true;
}

bool hd_act_park(struct hd_engine *e, struct hd_req req, bool to_host) {
    if (!live_request(e, "park", req)) return false;
    struct hd_request *r = &e->request[req.slot];
    if (r->state == HD_REQ_RUNNING || r->state == HD_REQ_PREFILL)
        return hd_act_fail(e, "park: the request is running");
    if (r->kv == HD_KV_NONE || r->kv == HD_KV_MOVING) return true;
    if (r->kv == HD_KV_HOST && to_host) return true;
    if (to_host) {
        hd_kv_out(e, &e->instance[r->kv_at], &(int32_t){req.slot}, 1);
        return true;
    }
    hd_kv_lose(e, req.slot);
    return true;
}

/* ---- whole groups -------------------------------------------------------- */

static bool resting_group(struct hd_engine *e, const char *call, struct hd_grp g) {
    if (!open_group(e, call, g)) return false;
    if (e->instance[e->group[g.slot].instance].turn != g.slot) return true;
    return hd_act_fail(e, "%s: the group is running", call);
}

static int first_member(const struct hd_engine *e, const struct hd_group *g) {
    int w = g->waiting.count ? g->waiting.first : -1,
        d = g->ready.count ? g->ready.first : -1;
    if (w < 0 || d < 0) return w < 0 ? d : w;
    return e->request[w].id < e->request[d].id ? w : d;
}

static bool could_move(const struct hd_engine *e, int slot, int instance) {
    const struct hd_request *r = &e->request[slot];
    return hd_could_hold(e, e->instance[instance].shape, r->model,
                         (int64_t)r->input + r->output - 1);
}

static void hand_over(struct hd_engine *e, int slot, int group) {
    hd_group_remove(e, slot);
    hd_group_add(e, group, slot);
}

struct hd_grp hd_act_move(struct hd_engine *e, struct hd_grp group, int instance) {
    if (!resting_group(e, "move", group) || !live_instance(e, "move", instance))
        return HD_NO_GRP;
    struct hd_instance *to = &e->instance[instance];
    int model = e->group[group.slot].model;
    if (to->closing) {
        hd_act_fail(e, "move: instance %d is closing", instance);
        return HD_NO_GRP;
    }
    const struct hd_list *list[] = {&e->group[group.slot].waiting,
                                    &e->group[group.slot].ready};
    for (int n = 0; n < 2; n++)
        for (int s = list[n]->count ? list[n]->first : -1; s >= 0;
             s = e->request[s].next)
            if (!could_move(e, s, instance)) {
                hd_act_fail(e, "move: request %lld can never fit instance %d",
                            (long long)e->request[s].id, instance);
                return HD_NO_GRP;
            }
    int fresh = hd_group_new(e, instance, model, -1), slot;
    while ((slot = first_member(e, &e->group[group.slot])) >= 0)
        hand_over(e, slot, fresh);
    e->group[group.slot].had_members = true;
    hd_group_close_if_empty(e, group.slot);
    return hd_grp_of(e, fresh);
}

bool hd_act_merge(struct hd_engine *e, struct hd_grp group, struct hd_grp other,
                  int room, struct hd_grp *rest) {
    if (!resting_group(e, "merge", group) || !resting_group(e, "merge", other))
        return false;
    if (e->group[group.slot].model != e->group[other.slot].model)
        return hd_act_fail(e, "merge: the groups are of different models");
    if (group.slot == other.slot) return hd_act_fail(e, "merge: a group with itself");
    int slot;
    while ((slot = first_member(e, &e->group[other.slot])) >= 0) {
        if (!hd_ask_group_fits(e, group, hd_req_of(e, slot), room) ||
            !could_move(e, slot, e->group[group.slot].instance))
            break;
        hand_over(e, slot, group.slot);
    }
    *rest = slot < 0 ? HD_NO_GRP : other;
    if (slot < 0) {
        e->group[other.slot].had_members = true;
        hd_group_close_if_empty(e, other.slot);
    }
    return true;
}

bool hd_act_split(struct hd_engine *e, struct hd_grp group, int room,
                  struct hd_grp *rest) {
    *rest = HD_NO_GRP;
    if (!resting_group(e, "split", group)) return false;
    while (e->group[group.slot].size > 1 &&
           !hd_ask_group_fits(e, group, HD_NO_REQ, room)) {
        const struct hd_group *g = &e->group[group.slot];
        int w = g->waiting.count ? g->waiting.last : -1;
        int slot = g->ready.count ? g->ready.last : -1;
        if (slot < 0 || (w >= 0 && e->request[w].id > e->request[slot].id)) slot = w;
        if (rest->slot < 0)
            *rest = hd_grp_of(e, hd_group_new(e, g->instance, g->model, group.slot));
        hand_over(e, slot, rest->slot);
    }
    return true;
}

bool hd_act_cache(struct hd_engine *e, int node, int model, bool keep) {
    if (node < 0 || node >= e->nodes) return hd_act_fail(e, "cache: no such node");
    struct hd_node *n = &e->node[node];
    struct hd_cached *c = &n->cached[model];
    int64_t bytes = e->config->model[model].weights_bytes;
    if (keep && !c->there) {
        if (!hd_dram_room(e, node, bytes))
            return hd_act_fail(e, "cache: no room for %s on node %d",
                               e->config->model[model].name, node);
        c->there = true;
        hd_dram_take(e, n, bytes);
    } else if (!keep && c->there) {
        c->there = false;
        n->dram_used -= bytes;
    }
    c->pinned = keep;
    return true;
}

bool hd_act_after(struct hd_engine *e, double seconds, int64_t cookie) {
    if (!(seconds >= 0) || isinf(seconds))
        return hd_act_fail(e, "after: %g s: expected a finite time >= 0", seconds);
    e->timer = hd_grow(e->timer, &e->timer_capacity, e->timers + 1, sizeof *e->timer);
    struct hd_timer t = {e->now + hd_tick_from_s(seconds), e->timer_orders++, cookie};
    int at = e->timers++;
    while (at > 0) {
        struct hd_timer *up = &e->timer[(at - 1) / 2];
        if (up->at < t.at || (up->at == t.at && up->order < t.order)) break;
        e->timer[at] = *up;
        at = (at - 1) / 2;
    }
    e->timer[at] = t;
    return true;
}
