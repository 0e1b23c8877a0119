/* What happens within a turn: switching, prefill, decode, preemption. Everything
 * here runs at a boundary; plans are made at the end of the instant. */
#include "engine/parts.h"

/* ---- preemption ---------------------------------------------------------- */

void hd_batch_out(struct hd_engine *e, struct hd_instance *i, int slot) {
    hd_batch_remove(e, i, slot);
    hd_idle_kv_add(e, i, slot);
}

void hd_preempt_youngest(struct hd_engine *e, struct hd_instance *i) {
    int slot = hd_batch_youngest(i);
    struct hd_request *r = &e->request[slot];
    hd_batch_out(e, i, slot);
    r->state = HD_REQ_READY; /* for the moment: in no list */
    r->preempted++;
    if (r->measured) e->measure->preempted++;
    if (e->config->serving.preempt_swap) {
        hd_group_ready_add(e, r->group, slot);
        hd_kv_out(e, i, &(int32_t){slot}, 1);
    } else {
        hd_kv_drop(e, slot);
        hd_group_waiting_add(e, r->group, slot);
    }
}

/* Makes room for the next step. False: even one member does not fit now, or what is
 * swapped out has not left yet; to preempt more meanwhile would empty the batch.
 * *made: somebody had to go, so the next boundary may admit somebody. */
static bool room_for_step(struct hd_engine *e, struct hd_instance *i, bool *made) {
    int model = e->group[i->turn].model;
    while (!hd_blocks_free(e, i, model, hd_batch_growth(e, i))) {
        *made = true;
        if (i->residents > 1 && !i->many && hd_evict_unused(e, i, model)) continue;
        if (e->config->serving.preempt_swap && i->transfers_out) return false;
        if (i->batch.count == 1) return false;
        hd_preempt_youngest(e, i);
    }
    return true;
}

/* ---- the stages of a turn ------------------------------------------------ */

/* Makes the model resident. True once it is; false while that takes time, or when
 * the turn ended because it cannot be. */
static bool switch_model(struct hd_engine *e, struct hd_instance *i) {
    struct hd_group *g = &e->group[i->turn];
    if (hd_kv_leaves_first(e, i) && i->timed <= HD_STAGE_KV_OUT) return false;
    if (i->timed == HD_STAGE_KV_OUT) hd_timed_stage(e, i);
    if (i->timed < HD_STAGE_LOAD) return false;
    for (;;) {
        enum hd_residence there = hd_residence(i, g->model);
        if (there == HD_RESIDENT) break;
        if (there == HD_LOADING) return false;
        if (hd_load_start(e, i, g->model, true)) {
            hd_instance_stage(e, i, HD_STAGE_LOAD);
            continue;
        }
        if (i->transfers_out || i->transfers_in) return false;
        int64_t lacks = e->shape[i->shape].weight_bytes[g->model] - hd_free_bytes(e, i);
        if (hd_kv_out_others(e, i, i->turn, lacks, false)) continue;
        hd_turn_end(e, i, HD_WHY_FULL);
        return false;
    }
    if (i->option.prefill <= 0) hd_kv_in(e, i, i->turn, -1, i->option.max);
    hd_instance_phase(e, i, i->transfers_in ? HD_PHASE_KV : HD_PHASE_BOUNDARY);
    if (i->prefetch >= 0) hd_load_start(e, i, i->prefetch, false);
    i->prefetch = -1;
    return true;
}

/* Members whose KV is here enter the batch; KV elsewhere starts to come. */
static void take_joiners(struct hd_engine *e, struct hd_instance *i) {
    int here = hd_instance_number(e, i), next;
    struct hd_group *g = &e->group[i->turn];
    bool elsewhere = false;
    for (int s = g->ready.first; s >= 0 && i->batch.count < i->option.max; s = next) {
        struct hd_request *r = &e->request[s];
        next = r->next;
        if (r->kv != HD_KV_GPU || r->kv_at != here) {
            elsewhere |= r->kv != HD_KV_MOVING;
            continue;
        }
        if (!hd_admissible(e, i, s)) continue;
        hd_group_ready_remove(e, i->turn, s);
        hd_idle_kv_remove(e, i, s);
        r->state = HD_REQ_RUNNING;
        hd_batch_add(e, i, s);
    }
    if (elsewhere) hd_kv_in(e, i, i->turn, -1, i->option.max - i->batch.count);
}

/* Who was swapped out comes back before anybody is prefilled: new prompts are shorter
 * than it and would take all room that becomes free. */
static bool swapped_waits(const struct hd_engine *e, const struct hd_instance *i) {
    const struct hd_group *g = &e->group[i->turn];
    if (!e->config->serving.preempt_swap || i->batch.count == 0) return false;
    if (g->ready.count == 0) return false;
    const struct hd_request *r = &e->request[g->ready.first];
    return r->preempted > 0 && r->kv != HD_KV_GPU;
}

/* Bytes that are lacking on each GPU for whoever of the group would run next. */
static int64_t lacking(const struct hd_engine *e, const struct hd_instance *i) {
    const struct hd_group *g = &e->group[i->turn];
    int64_t blocks = 1;
    if (i->batch.count)
        blocks = hd_batch_growth(e, i);
    else if (g->ready.count)
        blocks = hd_blocks_of(hd_kv_tokens(&e->request[g->ready.first]) + 1);
    else if (g->waiting.count)
        blocks = hd_prefill_blocks(e, i, g->waiting.first);
    int64_t bytes =
        hd_kv_need_bytes(e, i, g->model, blocks, -1, 0) - hd_free_kv_bytes(e, i);
    return bytes > 1 ? bytes : 1;
}

/* Nothing of the group runs now: wait for what is on its way, or give up. */
static void nothing_runs(struct hd_engine *e, struct hd_instance *i) {
    struct hd_group *g = &e->group[i->turn];
    bool coming = i->transfers_in || i->transfers_out;
    for (int s = g->ready.first; s >= 0 && !coming; s = e->request[s].next)
        coming = e->request[s].kv == HD_KV_MOVING;
    bool made = !coming && !i->many && hd_evict_unused(e, i, g->model);
    if (!coming && !made)
        made = hd_kv_out_others(e, i, i->turn, lacking(e, i), false) > 0;
    if (!coming && !made) {
        hd_turn_end(e, i, HD_WHY_FULL);
        return;
    }
    i->flows = false;
    hd_instance_phase(e, i, HD_PHASE_STALL);
    if (made && i->transfers_out == 0) hd_instance_dirty(e, i); /* room at once */
}

bool hd_quantum_over(const struct hd_engine *e, const struct hd_instance *i) {
    return i->for_ticks && i->first_iteration >= 0 && i->turn_iterations > 0 &&
           e->now - i->first_iteration >= i->for_ticks &&
           (i->option.strict || hd_other_work(e, i));
}

/* Ends the turn if it is over, whatever might still be admitted. */
static bool ended(struct hd_engine *e, struct hd_instance *i) {
    const struct hd_group *g = &e->group[i->turn];
    if (i->prefill_done)
        hd_turn_end(e, i, HD_WHY_PREFILLED);
    else if (i->interrupt && i->turn_iterations > 0 && i->chunking < 0)
        hd_turn_end(e, i, HD_WHY_INTERRUPTED);
    else if (i->chunking < 0 && hd_quantum_over(e, i))
        hd_turn_end(e, i, HD_WHY_QUANTUM);
    else if (i->batch.count == 0 && i->chunking < 0 && g->ready.count == 0 &&
             (i->option.prefill == 0 || g->waiting.count == 0))
        hd_turn_end(e, i, HD_WHY_EMPTY);
    else
        return false;
    return true;
}

void hd_turn_end_if_over(struct hd_engine *e, struct hd_instance *i) {
    if (i->turn >= 0 && i->phase == HD_PHASE_BOUNDARY) ended(e, i);
}

/* A plan of decode steps. */
static void start_decode(struct hd_engine *e, struct hd_instance *i, bool one_step) {
    hd_tick until = HD_TICK_NEVER;
    if (i->for_ticks && (i->option.strict || hd_other_work(e, i))) {
        hd_tick first = i->first_iteration < 0 ? e->now : i->first_iteration;
        until = first + i->for_ticks;
    }
    if (one_step) until = e->now;
    hd_batch_plan(e, i, until);
    hd_instance_phase(e, i, HD_PHASE_DECODE);
}

/* Starts what runs next, with whoever may join it. False: nothing can. */
static bool start_iteration(struct hd_engine *e, struct hd_instance *i) {
    struct hd_batch *b = &i->batch;
    if (i->option.prefill <= 0) take_joiners(e, i);
    bool prefills = i->option.prefill != 0 && e->group[i->turn].waiting.count > 0 &&
                    !swapped_waits(e, i);
    bool whole = !i->option.chunk && i->chunking < 0, made_room = false;
    if (prefills && whole && hd_prefill_start(e, i)) {
        if (e->config->serving.async) hd_see_waiting(e, i);
        return true;
    }
    if (b->count && !room_for_step(e, i, &made_room)) return false;
    if (!whole && (prefills || i->chunking >= 0) &&
        hd_mixed_start(e, i, prefills && !made_room)) {
        if (e->config->serving.async) hd_see_waiting(e, i);
        return true;
    }
    if (b->count == 0) return false;
    bool seen = e->config->serving.async && hd_see_waiting(e, i) > 0;
    /* one iteration, then there is something to look at */
    start_decode(e, i, i->interrupt || i->limits || made_room || seen);
    return true;
}

static void next_iteration(struct hd_engine *e, struct hd_instance *i) {
    if (ended(e, i)) return;
    i->gated = e->config->serving.async && i->flows;
    bool runs = start_iteration(e, i);
    if (!runs && i->batch.count == 0 && i->chunking < 0 && i->gated) {
        /* nothing is on the GPU that the next step could have been decided beside */
        i->gated = i->flows = false;
        runs = start_iteration(e, i);
    }
    if (!runs)
        nothing_runs(e, i);
    else if (i->first_iteration < 0)
        i->first_iteration = e->now;
}

/* KV that moves by requests: the first that is here may begin. */
static bool one_is_here(const struct hd_engine *e, const struct hd_instance *i) {
    if (!e->config->switching.kv_events) return false;
    int here = hd_instance_number(e, i);
    for (int s = e->group[i->turn].ready.first; s >= 0; s = e->request[s].next)
        if (e->request[s].kv == HD_KV_GPU && e->request[s].kv_at == here) return true;
    return false;
}

void hd_turn_plan(struct hd_engine *e, struct hd_instance *i) {
    if (i->turn < 0) return;
    if (i->phase == HD_PHASE_SWITCH && !switch_model(e, i)) return;
    if (i->phase == HD_PHASE_KV) {
        if (i->transfers_in && !one_is_here(e, i)) return;
        hd_instance_phase(e, i, HD_PHASE_BOUNDARY);
    }
    if (i->phase == HD_PHASE_STALL) {
        i->batch.stall += e->now - i->phase_since;
        hd_instance_phase(e, i, HD_PHASE_BOUNDARY);
    }
    if (i->phase == HD_PHASE_BOUNDARY) next_iteration(e, i);
}

void hd_turn_boundary(struct hd_engine *e, struct hd_instance *i) {
    switch ((enum hd_phase)i->phase) {
    case HD_PHASE_STARTING:
        hd_instance_phase(e, i, HD_PHASE_REST);
        hd_instance_want(e, i, HD_WHY_STARTED, -1);
        break;
    case HD_PHASE_SWITCH:
        hd_timed_stage(e, i);
        break;
    case HD_PHASE_PREFILL:
        hd_prefill_end(e, i);
        break;
    case HD_PHASE_MIXED:
        hd_mixed_end(e, i);
        break;
    case HD_PHASE_DECODE:
        hd_batch_settle(e, i, i->batch.steps);
        break;
    default:
        HD_CHECK(!"a wake without a phase that has one");
    }
    hd_instance_dirty(e, i);
}
