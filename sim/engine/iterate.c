/* What happens within a turn: switching, prefill, decode, preemption. Everything
 * here runs at a boundary; plans are made at the end of the instant. */
#include "engine/parts.h"

/* ---- tokens and prefills ------------------------------------------------- */

/* The token that a prefill emits. */
void hd_token(struct hd_engine *e, struct hd_request *r, hd_tick now) {
    if (e->step)
        hd_plain_token(e, r, now);
    else
        hd_score_token(&e->config->model[r->model], r, now);
    if (r->emitted == 0) {
        r->first_token = now;
    } else {
        hd_tick gap = now - r->last_token;
        if (r->measured) hd_hist_add(&e->measure->tbt, gap, 1);
        if (gap > r->gap_longest) r->gap_longest = gap;
    }
    r->emitted++;
    r->last_token = now;
    e->measure->tokens_emitted += r->measured;
}

static int64_t prompt(const struct hd_request *r) {
    return (int64_t)r->input + r->emitted;
}

/* Memory, state and account of a request whose prefill begins. */
static void enter_prefill(struct hd_engine *e, struct hd_instance *i, int slot) {
    struct hd_request *r = &e->request[slot];
    hd_group_waiting_remove(e, r->group, slot);
    hd_kv_take(e, i, r->model, hd_blocks_of(prompt(r)));
    r->state = HD_REQ_PREFILL;
    r->kv = HD_KV_GPU;
    r->kv_at = hd_instance_number(e, i);
    r->instance = r->kv_at;
    hd_request_phase(e, r, HD_BLAME_PREFILL);
}

/* Whether the head of the queue may be prefilled now, with `taken` blocks and
 * `joining` requests already promised. */
static bool admits(const struct hd_engine *e, const struct hd_instance *i, int slot,
                   int64_t taken, int joining) {
    const struct hd_request *r = &e->request[slot];
    if (i->batch.count + joining >= i->option.max) return false;
    int64_t need = hd_blocks_of(prompt(r)) + taken;
    if (i->batch.count + joining > 0) { /* an empty batch must not be refused */
        int64_t pool = (i->usable - i->weights) / hd_block_bytes(e, i, r->model);
        need += (int64_t)(e->config->serving.watermark * (double)pool);
    }
    return hd_blocks_free(e, i, r->model, need);
}

/* One prefill batch of at most `most` waiting members. False: none could enter. */
static bool start_prefill(struct hd_engine *e, struct hd_instance *i, int most) {
    struct hd_group *g = &e->group[i->turn];
    int64_t tokens = 0, square = 0;
    i->prefilling_count = 0;
    while (g->waiting.count && (most < 0 || i->prefilling_count < most)) {
        int slot = g->waiting.first;
        int64_t n = prompt(&e->request[slot]);
        if (i->prefilling_count && tokens + n > e->config->serving.prefill_tokens)
            break;
        if (!admits(e, i, slot, 0, i->prefilling_count)) break;
        enter_prefill(e, i, slot);
        i->prefilling = hd_grow(i->prefilling, &i->prefilling_capacity,
                                i->prefilling_count + 1, sizeof *i->prefilling);
        i->prefilling[i->prefilling_count++] = slot;
        tokens += n;
        square += n * n;
    }
    if (i->prefilling_count == 0) return false;
    hd_tick time = hd_timing_prefill(hd_timing_of(e, i, g->model), tokens,
                                     i->prefilling_count, square, 0, 0);
    hd_instance_phase(e, i, HD_PHASE_PREFILL);
    hd_instance_wake(e, i, e->now + time);
    return true;
}

/* A prefilled request goes on: into the batch, or back to the policy. */
static void leave_prefill(struct hd_engine *e, struct hd_instance *i, int slot) {
    struct hd_request *r = &e->request[slot];
    hd_token(e, r, e->now);
    if (r->emitted >= r->output) {
        r->state = HD_REQ_RUNNING; /* its KV is not idle */
        hd_request_finish(e, slot, HD_STATUS_DONE, true);
        return;
    }
    if (i->option.prefill > 0) {
        int group = r->group;
        r->state = HD_REQ_RUNNING;
        hd_request_phase(e, r, HD_BLAME_WAIT);
        hd_group_remove(e, slot);
        hd_idle_kv_add(e, i, slot);
        hd_held_add(e, slot);
        hd_group_close_if_empty(e, group);
    } else {
        r->state = HD_REQ_RUNNING;
        hd_batch_add(e, i, slot);
    }
    if (e->policy->prefilled) hd_queue_call(e, HD_CALL_PREFILLED, slot, r->serial, 0);
}

static void end_prefill(struct hd_engine *e, struct hd_instance *i) {
    i->batch.stall += e->now - i->phase_since;
    hd_instance_phase(e, i, HD_PHASE_BOUNDARY);
    i->step_at = e->now;
    i->turn_iterations++;
    i->prefill_done = i->option.prefill > 0;
    e->measure->iterations++;
    e->measure->segments++;
    for (int n = 0; n < i->prefilling_count; n++) leave_prefill(e, i, i->prefilling[n]);
    i->prefilling_count = 0;
}

/* ---- chunked prefill: part of a prompt beside the decode steps ----------- */

static void start_mixed(struct hd_engine *e, struct hd_instance *i) {
    struct hd_batch *b = &i->batch;
    const struct hd_request *r = &e->request[i->chunking];
    int64_t left = prompt(r) - i->chunk_done;
    int64_t room = i->option.chunk - b->count;
    int64_t now = room < 1 ? 1 : left < room ? left : room;
    i->chunk_now = (int32_t)now;
    b->start = e->now;
    b->tau = hd_timing_prefill(hd_timing_of(e, i, r->model), now + b->count,
                               b->count + 1, now * (2 * (int64_t)i->chunk_done + now),
                               b->count, b->context);
    b->delta = 0;
    b->steps = 1;
    hd_instance_phase(e, i, HD_PHASE_MIXED);
    hd_instance_wake(e, i, b->start + b->tau);
}

static void end_mixed(struct hd_engine *e, struct hd_instance *i) {
    int slot = i->chunking;
    if (i->batch.count) {
        hd_batch_settle(e, i, 1);
    } else {
        i->step_at = e->now;
        i->turn_iterations++;
        e->measure->iterations++;
        e->measure->segments++;
    }
    e->measure->iterations_stepped++;
    hd_instance_phase(e, i, HD_PHASE_BOUNDARY);
    i->chunk_done += i->chunk_now;
    if (i->chunk_done < prompt(&e->request[slot])) return;
    i->chunking = -1;
    i->prefill_done = i->option.prefill > 0;
    leave_prefill(e, i, slot);
}

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

static void stage(struct hd_engine *e, struct hd_instance *i, enum hd_stage which) {
    hd_measure_stage(e->measure, which, e->now - i->stage_since);
    i->stage_since = e->now;
}

/* Makes the model resident. True once it is; false while that takes time, or when
 * the turn ended because it cannot be. */
static bool switch_model(struct hd_engine *e, struct hd_instance *i) {
    struct hd_group *g = &e->group[i->turn];
    if (!i->reinit_done) return false;
    for (;;) {
        enum hd_residence there = hd_residence(i, g->model);
        if (there == HD_RESIDENT) break;
        if (there == HD_LOADING) return false;
        if (hd_load_start(e, i, g->model, true)) {
            stage(e, i, HD_STAGE_KV_OUT);
            continue;
        }
        if (i->transfers_out || i->transfers_in) return false;
        int64_t lacks = e->shape[i->shape].weight_bytes[g->model] - hd_free_bytes(e, i);
        if (hd_kv_out_others(e, i, i->turn, lacks, false)) continue;
        hd_turn_end(e, i, HD_WHY_FULL);
        return false;
    }
    stage(e, i, HD_STAGE_LOAD);
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
        blocks = hd_blocks_of(prompt(&e->request[g->waiting.first]));
    int64_t bytes = blocks * hd_block_bytes(e, i, g->model) - hd_free_kv_bytes(e, i);
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
    hd_instance_phase(e, i, HD_PHASE_STALL);
    if (made && i->transfers_out == 0) hd_instance_dirty(e, i); /* room at once */
}

/* Ends the turn if it is over, whatever might still be admitted. */
static bool ended(struct hd_engine *e, struct hd_instance *i) {
    const struct hd_group *g = &e->group[i->turn];
    if (i->prefill_done)
        hd_turn_end(e, i, HD_WHY_PREFILLED);
    else if (i->interrupt && i->turn_iterations > 0 && i->chunking < 0)
        hd_turn_end(e, i, HD_WHY_INTERRUPTED);
    else if (i->for_ticks && i->first_iteration >= 0 && i->turn_iterations > 0 &&
             i->chunking < 0 && e->now - i->first_iteration >= i->for_ticks &&
             (i->option.strict || hd_other_work(e, i)))
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

static void next_iteration(struct hd_engine *e, struct hd_instance *i) {
    struct hd_batch *b = &i->batch;
    struct hd_group *g = &e->group[i->turn];
    if (ended(e, i)) return;
    if (i->option.prefill <= 0) take_joiners(e, i);
    bool prefills =
        i->option.prefill != 0 && g->waiting.count > 0 && !swapped_waits(e, i);
    if (prefills && i->option.chunk && i->chunking < 0 &&
        admits(e, i, g->waiting.first, hd_batch_growth(e, i), 0)) {
        i->chunking = g->waiting.first;
        i->chunk_done = 0;
        enter_prefill(e, i, i->chunking);
    }
    bool runs = false, made_room = false;
    if (i->chunking >= 0) {
        if (b->count == 0 || room_for_step(e, i, &made_room)) {
            start_mixed(e, i);
            runs = true;
        }
    } else if (prefills && !i->option.chunk && start_prefill(e, i, i->option.prefill)) {
        runs = true;
    } else if (b->count && room_for_step(e, i, &made_room)) {
        hd_tick until = HD_TICK_NEVER;
        if (i->for_ticks && (i->option.strict || hd_other_work(e, i))) {
            hd_tick first = i->first_iteration < 0 ? e->now : i->first_iteration;
            until = first + i->for_ticks;
        }
        /* one iteration, then there is something to look at */
        if (i->interrupt || i->limits || made_room) until = e->now;
        hd_batch_plan(e, i, until);
        hd_instance_phase(e, i, HD_PHASE_DECODE);
        runs = true;
    }
    if (!runs)
        nothing_runs(e, i);
    else if (i->first_iteration < 0)
        i->first_iteration = e->now;
}

void hd_turn_plan(struct hd_engine *e, struct hd_instance *i) {
    if (i->turn < 0) return;
    if (i->phase == HD_PHASE_SWITCH && !switch_model(e, i)) return;
    if (i->phase == HD_PHASE_KV) {
        if (i->transfers_in) return;
        stage(e, i, HD_STAGE_KV_IN);
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
        i->reinit_done = true;
        stage(e, i, HD_STAGE_REINIT);
        break;
    case HD_PHASE_PREFILL:
        end_prefill(e, i);
        break;
    case HD_PHASE_MIXED:
        end_mixed(e, i);
        break;
    case HD_PHASE_DECODE:
        hd_batch_settle(e, i, i->batch.steps);
        break;
    default:
        HD_CHECK(!"a wake without a phase that has one");
    }
    hd_instance_dirty(e, i);
}
