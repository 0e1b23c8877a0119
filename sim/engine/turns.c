/* Turns: giving one to an instance, cutting its plan, ending it. */
#include <stdlib.h>

#include "engine/parts.h"

void hd_instance_wake(struct hd_engine *e, struct hd_instance *i, hd_tick at) {
    hd_events_set(&e->events, hd_event_id(e, i), at);
}

void hd_instance_dirty(struct hd_engine *e, struct hd_instance *i) {
    int number = hd_instance_number(e, i);
    if (!i->alive || hd_heap_has(&e->dirty, number)) return;
    hd_heap_set(&e->dirty, number, e->round + (number <= e->planning));
}

static enum hd_gpu_use use_of(const struct hd_instance *i) {
    switch ((enum hd_phase)i->phase) {
    case HD_PHASE_PREFILL:
        return HD_GPU_PREFILL;
    case HD_PHASE_MIXED:
        return HD_GPU_MIXED;
    case HD_PHASE_DECODE:
        return HD_GPU_DECODE;
    case HD_PHASE_STARTING:
        return HD_GPU_START;
    case HD_PHASE_SWITCH:
    case HD_PHASE_KV:
        return (enum hd_gpu_use)(HD_GPU_STAGE + i->stage);
    default:
        return i->requests ? HD_GPU_IDLE_WAITING : HD_GPU_IDLE_FREE;
    }
}

static void account_use(struct hd_engine *e, struct hd_instance *i) {
    enum hd_gpu_use use = use_of(i);
    if (i->sharing) {
        i->use = (uint8_t)use;
        hd_share_phase(e, i);
        return;
    }
    if (use == i->use) return;
    hd_measure_gpu(e->measure, (enum hd_gpu_use)i->use, i->tp, i->use_since, e->now);
    i->use = (uint8_t)use;
    i->use_since = e->now;
}

static void close_stage(struct hd_engine *e, struct hd_instance *i) {
    if (e->config->observer) hd_observe_stage(e, i);
    hd_measure_stage(e->measure, (enum hd_stage)i->stage, e->now - i->stage_since);
    i->stage_since = e->now;
}

void hd_instance_stage(struct hd_engine *e, struct hd_instance *i,
                       enum hd_stage stage) {
    close_stage(e, i);
    i->stage = (uint8_t)stage;
    account_use(e, i);
}

/* Enters a phase and keeps the accounts: of what the turn's group waited for, and of
 * GPU time. A boundary has no length: it
 * is not accounted, so that a plan that was cut counts as one that was not. */
void hd_instance_phase(struct hd_engine *e, struct hd_instance *i,
                       enum hd_phase phase) {
    if (e->config->observer) hd_observe_phase(e, i);
    if (i->phase == HD_PHASE_SWITCH || i->phase == HD_PHASE_KV) close_stage(e, i);
    if (phase == HD_PHASE_KV) i->stage = HD_STAGE_KV_IN;
    i->stage_since = e->now;
    if (i->turn >= 0 && i->phase == HD_PHASE_SWITCH)
        e->group[i->turn].switch_time += e->now - i->phase_since;
    if (i->turn >= 0 && i->phase == HD_PHASE_KV)
        e->group[i->turn].kv_time += e->now - i->phase_since;
    i->phase = (uint8_t)phase;
    i->phase_since = e->now;
    i->phase_requests = phase == HD_PHASE_PREFILL ? i->prefilling_count
                        : phase == HD_PHASE_MIXED ? i->batch.count + i->prefilling_count
                                                  : i->batch.count;
    if (phase != HD_PHASE_BOUNDARY) account_use(e, i);
}

void hd_instance_want(struct hd_engine *e, struct hd_instance *i, enum hd_why why,
                      int group) {
    if (i->turn >= 0 || !i->alive || i->phase == HD_PHASE_STARTING) return;
    hd_instance_dirty(e, i);
    if (i->wants_turn) return;
    hd_heap_set(&e->wants, hd_instance_number(e, i), 0);
    i->wants_turn = true;
    i->why = (uint8_t)why;
    i->why_group = hd_grp_of(e, group);
}

bool hd_other_work(const struct hd_engine *e, const struct hd_instance *i) {
    return i->with_work > (e->group[i->turn].size > 0);
}

/* Ends the plan at the first boundary at or after t. Once the instance has had its
 * plan of this instant, the boundary at `now` lies behind: then the first one after
 * it. Before the boundaries of this instant it is left to take its turn. */
static void cut_at(struct hd_engine *e, struct hd_instance *i, hd_tick t) {
    struct hd_batch *b = &i->batch;
    if (i->phase != HD_PHASE_DECODE) return;
    hd_tick x = t - b->start;
    if (t == e->now && hd_instance_number(e, i) < e->planned) x++;
    int64_t k = hd_batch_inverse(b, x);
    if (k >= b->steps) return;
    b->steps = k;
    hd_tick end = b->start + hd_batch_time(b, k);
    if (end > e->now || !e->boundaries) {
        hd_instance_wake(e, i, end);
        return;
    }
    hd_events_remove(&e->events, hd_event_id(e, i));
    hd_batch_settle(e, i, k);
    hd_instance_dirty(e, i);
}

void hd_instance_cut(struct hd_engine *e, struct hd_instance *i) {
    if (i->turn < 0) return;
    if (i->phase == HD_PHASE_DECODE)
        cut_at(e, i, e->now);
    else if (i->phase != HD_PHASE_PREFILL && i->phase != HD_PHASE_MIXED)
        hd_instance_dirty(e, i);
}

void hd_instance_work(struct hd_engine *e, struct hd_instance *i, int slot) {
    int group = e->request[slot].group;
    if (i->turn < 0) {
        /* the account of idle time changes as soon as somebody waits */
        hd_instance_phase(e, i, (enum hd_phase)i->phase);
        hd_instance_want(e, i, HD_WHY_WORK, group);
        return;
    }
    const struct hd_group *g = &e->group[group];
    if (i->turn != group) {
        if (i->for_ticks == 0 || i->first_iteration < 0) return;
        hd_tick end = i->first_iteration + i->for_ticks;
        if (end <= e->now)
            hd_instance_cut(e, i);
        else
            cut_at(e, i, end);
        return;
    }
    /* Somebody before it in the queue, or a full batch: nothing changes before
     * the plan ends. */
    bool only_waits = e->request[slot].state == HD_REQ_WAITING;
    if (only_waits && i->phase == HD_PHASE_DECODE &&
        (g->waiting.first != slot || i->batch.count >= i->option.max))
        return;
    hd_instance_cut(e, i);
}

int64_t hd_instance_kv_planned(const struct hd_engine *e, const struct hd_instance *i) {
    if (e->step) return i->kv;
    int64_t done = hd_batch_done_by(i, e->boundaries ? e->now : e->now - 1);
    int64_t blocks = hd_batch_blocks_after(&i->batch, done);
    return i->kv +
           (blocks - i->batch.blocks) * hd_block_bytes(e, i, e->group[i->turn].model);
}

bool hd_kv_leaves_first(const struct hd_engine *e, const struct hd_instance *i) {
    return e->config->switching.kv_first && i->transfers_out > 0;
}

void hd_timed_stage(struct hd_engine *e, struct hd_instance *i) {
    const struct hd_switching *w = &e->config->switching;
    const double seconds[HD_STAGES] = {[HD_STAGE_GC] = w->gc_s,
                                       [HD_STAGE_RESTART] = w->restart_s,
                                       [HD_STAGE_REINIT] = w->reinit_s};
    do i->timed++;
    while (i->timed < HD_STAGE_LOAD && seconds[i->timed] <= 0);
    bool loads = hd_residence(i, e->group[i->turn].model) != HD_ABSENT;
    hd_instance_stage(e, i,
                      i->timed < HD_STAGE_LOAD ? (enum hd_stage)i->timed
                      : loads                  ? HD_STAGE_LOAD
                                               : HD_STAGE_KV_OUT);
    if (i->timed < HD_STAGE_LOAD)
        hd_instance_wake(e, i, e->now + hd_tick_from_s(seconds[i->timed]));
}

void hd_turn_begin(struct hd_engine *e, struct hd_instance *i, int group,
                   const struct hd_turn *option) {
    struct hd_group *g = &e->group[group];
    int cap = e->config->serving.max_batch;
    i->turn = group;
    i->option = *option;
    if (i->option.max <= 0 || i->option.max > cap) i->option.max = cap;
    if (i->option.chunk == 0) i->option.chunk = e->config->serving.chunk_tokens;
    if (i->option.chunk < 0) i->option.chunk = 0;
    i->for_ticks = option->for_s > 0 ? hd_tick_from_s(option->for_s) : 0;
    if (option->for_s > 0 && i->for_ticks < 1) i->for_ticks = 1;
    i->first_iteration = -1;
    i->turn_iterations = 0;
    i->interrupt = i->prefill_done = i->wants_turn = false;
    i->prefetch = i->chunking = -1;
    i->turn_prefills = 0;
    i->flows = false;
    i->turn_since = e->now;
    i->turns++;
    g->started = true;
    enum hd_residence there = hd_residence(i, g->model);
    bool restarts = false;
    i->timed = HD_STAGE_LOAD;
    if (i->model != g->model || there == HD_ABSENT) {
        restarts = i->model >= 0 && e->config->switching.restart_s > 0;
        e->measure->switches++;
        if (there == HD_RESIDENT && !restarts) e->measure->switches_hidden++;
        i->timed = HD_STAGE_KV_OUT;
    }
    i->model = g->model;
    if (option->out != HD_OUT_LAZY)
        hd_kv_out_others(e, i, group, -1, option->out == HD_OUT_DROP);
    if (restarts) { /* nothing on the GPU outlives its process */
        hd_kv_out_others(e, i, -1, -1, false);
        hd_evict_unused(e, i, -1);
    } else if (!i->many) {
        hd_evict_unused(e, i, g->model);
    }
    e->node[i->node].cached[g->model].used_at = ++e->uses;
    i->stage = i->timed == HD_STAGE_LOAD && there != HD_ABSENT ? HD_STAGE_LOAD
                                                               : HD_STAGE_KV_OUT;
    hd_instance_phase(e, i, HD_PHASE_SWITCH);
    if (i->timed < HD_STAGE_LOAD && !hd_kv_leaves_first(e, i)) hd_timed_stage(e, i);
    hd_instance_dirty(e, i);
    hd_index_touch(e, i);
}

static void sort_by_id(const struct hd_engine *e, int32_t *slot, int count) {
    for (int n = 1; n < count; n++) { /* insertion: nearly sorted by joining */
        int32_t s = slot[n];
        int at = n;
        while (at > 0 && e->request[slot[at - 1]].id > e->request[s].id) {
            slot[at] = slot[at - 1];
            at--;
        }
        slot[at] = s;
    }
}

void hd_turn_end(struct hd_engine *e, struct hd_instance *i, enum hd_why why) {
    int group = i->turn;
    struct hd_batch *b = &i->batch;
    int count = b->count;
    if (count) {
        int32_t few[128],
            *slot = count <= 128 ? few : hd_alloc(sizeof *slot * (size_t)count);
        for (int m = 0; m < count; m++) slot[m] = b->member[m].slot;
        sort_by_id(e, slot, count);
        for (int m = 0; m < count; m++) {
            hd_batch_out(e, i, slot[m]);
            hd_group_ready_add(e, group, slot[m]);
        }
        if (slot != few) free(slot);
    }
    if (i->chunking >= 0) { /* a prompt half done starts again */
        int slot = i->chunking;
        hd_kv_drop(e, slot);
        hd_request_phase(e, &e->request[slot], HD_BLAME_QUEUE);
        hd_group_waiting_add(e, group, slot);
        i->chunking = -1;
        i->chunk_done = 0;
    }
    hd_instance_phase(e, i, HD_PHASE_REST);
    if (e->config->observer) hd_observe_turn(e, i, why);
    i->turn = -1;
    i->rest_at = e->now;
    hd_instance_want(e, i, why, group);
    hd_index_touch(e, i);
    hd_group_close_if_empty(e, group);
}
