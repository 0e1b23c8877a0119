/* Prompts: who is admitted, and iterations that prefill, alone or beside decode steps.
 */
#include "engine/parts.h"

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

/* ---- admission ----------------------------------------------------------- */

/* Requests that hold a place beside the batch: their prefill runs, or has begun. */
static int prefills_begun(const struct hd_instance *i) {
    return i->prefilling_count + (i->chunking >= 0);
}

/* Whether the prompt may be prefilled with `taken` blocks and `joining` places already
 * promised to others. */
static bool fits(const struct hd_engine *e, const struct hd_instance *i, int slot,
                 int64_t taken, int joining) {
    const struct hd_request *r = &e->request[slot];
    if (i->batch.count + joining >= i->option.max) return false;
    int64_t need = hd_prefill_blocks(e, i, slot) + taken;
    if (i->batch.count + joining > 0) { /* an empty batch must not be refused */
        int64_t pool = hd_pool_blocks(e, i->shape, r->model, i->usable - i->weights);
        need += (int64_t)(e->config->serving.watermark * (double)pool);
    }
    return hd_blocks_free(e, i, r->model, need);
}

bool hd_admissible(const struct hd_engine *e, const struct hd_instance *i, int slot) {
    return !i->gated || e->request[slot].seen_at == i->seen_at;
}

/* Somebody else is to have the instance: nobody new comes in. */
static bool turn_is_due(const struct hd_engine *e, const struct hd_instance *i) {
    return (i->interrupt && i->turn_iterations > 0) || hd_quantum_over(e, i);
}

/* Whether the head of the queue comes into the next iteration. */
static bool admits(const struct hd_engine *e, const struct hd_instance *i,
                   int64_t taken) {
    const struct hd_group *g = &e->group[i->turn];
    if (g->waiting.count == 0) return false;
    int slot = g->waiting.first, most = i->option.prefill;
    if (most >= 0 && i->turn_prefills >= most) return false;
    return hd_admissible(e, i, slot) && fits(e, i, slot, taken, prefills_begun(i));
}

int hd_see_waiting(struct hd_engine *e, struct hd_instance *i) {
    const struct hd_group *g = &e->group[i->turn];
    int64_t taken = hd_batch_growth(e, i);
    int seen = 0, joining = prefills_begun(i);
    int here = hd_instance_number(e, i);
    i->seen_at = e->now;
    if (i->option.prefill <= 0) {
        int s = g->ready.count ? g->ready.first : -1;
        for (; s >= 0 && i->batch.count + joining < i->option.max;
             s = e->request[s].next) {
            struct hd_request *r = &e->request[s];
            if (r->kv != HD_KV_GPU || r->kv_at != here) continue;
            r->seen_at = e->now;
            joining++;
            seen++;
        }
    }
    if (i->option.prefill == 0) return seen;
    int s = g->waiting.count ? g->waiting.first : -1;
    for (; s >= 0 && fits(e, i, s, taken, joining); s = e->request[s].next) {
        e->request[s].seen_at = e->now;
        taken += hd_prefill_blocks(e, i, s);
        joining++;
        seen++;
    }
    return seen;
}

/* Memory, state and account of the head of the queue, whose prefill begins behind what
 * is cached of it. */
static int enter_prefill(struct hd_engine *e, struct hd_instance *i) {
    int slot = e->group[i->turn].waiting.first;
    struct hd_request *r = &e->request[slot];
    hd_group_waiting_remove(e, r->group, slot);
    int64_t found = i->cache ? hd_prefix_hold(e, i, slot) : 0;
    hd_kv_take(e, i, r->model, hd_blocks_of(hd_prompt_tokens(r)) - found);
    i->chunk_done = (int32_t)(found * HD_BLOCK_TOKENS);
    r->state = HD_REQ_PREFILL;
    r->kv = HD_KV_GPU;
    r->kv_at = hd_instance_number(e, i);
    r->instance = r->kv_at;
    hd_request_phase(e, r, HD_BLAME_PREFILL);
    if (r->emitted == 0)
        r->front = hd_tick_from_s(e->config->serving.front_s) +
                   hd_tick_from_s(e->config->serving.front_sequence_s) *
                       (i->batch.count + prefills_begun(i) + 1);
    i->turn_prefills++;
    return slot;
}

static void prefills(struct hd_instance *i, int slot) {
    i->prefilling = hd_grow(i->prefilling, &i->prefilling_capacity,
                            i->prefilling_count + 1, sizeof *i->prefilling);
    i->prefilling[i->prefilling_count++] = slot;
}

/* ---- whole prompts ------------------------------------------------------- */

bool hd_prefill_start(struct hd_engine *e, struct hd_instance *i) {
    struct hd_group *g = &e->group[i->turn];
    int64_t tokens = 0, square = 0;
    i->prefilling_count = 0;
    while (admits(e, i, 0)) {
        int slot = g->waiting.first;
        int64_t all = hd_prompt_tokens(&e->request[slot]);
        int64_t cached = hd_prefix_tokens(e, i, slot);
        if (i->prefilling_count &&
            tokens + all - cached > e->config->serving.prefill_tokens)
            break;
        prefills(i, enter_prefill(e, i));
        if (i->cache) hd_prefix_computed(e, i, slot, all);
        tokens += all - cached;
        square += all * all - cached * cached;
    }
    i->chunk_done = 0;
    if (i->prefilling_count == 0) return false;
    const struct hd_timing *t = hd_timing_of(e, i, g->model);
    hd_tick time = hd_timing_prefill(t, tokens, i->prefilling_count, square, 0, 0);
    time = hd_share_stretch(e, i, HD_BOUND_COMPUTE, time);
    time += hd_fill(i, t, i->prefilling_count);
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

static void leave_prefills(struct hd_engine *e, struct hd_instance *i) {
    i->prefill_done = i->option.prefill > 0 && i->chunking < 0;
    for (int n = 0; n < i->prefilling_count; n++) leave_prefill(e, i, i->prefilling[n]);
    i->prefilling_count = 0;
}

static void count_iteration(struct hd_engine *e, struct hd_instance *i) {
    i->step_at = e->now;
    i->turn_iterations++;
    i->flows = true;
    e->measure->iterations++;
    e->measure->segments++;
}

void hd_prefill_end(struct hd_engine *e, struct hd_instance *i) {
    i->batch.stall += e->now - i->phase_since;
    hd_instance_phase(e, i, HD_PHASE_BOUNDARY);
    count_iteration(e, i);
    leave_prefills(e, i);
}

/* ---- chunked prefill: prompts share a step's tokens with the decode steps - */

struct chunks { /* of one mixed iteration */
    int64_t room, tokens, square;
    int count;
};

/* The next tokens of a prompt of which `done` are cached, as many as there is room for.
 * True: they are its last. */
static bool take_chunk(struct chunks *c, int64_t all, int64_t done, int64_t *now) {
    int64_t left = all - done;
    *now = left < c->room ? left : c->room;
    c->room -= *now;
    c->tokens += *now;
    c->square += *now * (2 * done + *now);
    c->count++;
    return *now == left;
}

/* The prompt goes on with the tokens that are left, or is done in this iteration. */
static void chunk_of(struct hd_engine *e, struct hd_instance *i, struct chunks *c,
                     int slot) {
    int64_t now;
    bool last = take_chunk(c, hd_prompt_tokens(&e->request[slot]), i->chunk_done, &now);
    if (i->cache) hd_prefix_computed(e, i, slot, i->chunk_done + now);
    if (last) {
        i->chunking = -1;
        i->chunk_done = i->chunk_now = 0;
        prefills(i, slot);
    } else {
        i->chunking = slot;
        i->chunk_now = (int32_t)now;
    }
}

bool hd_mixed_start(struct hd_engine *e, struct hd_instance *i, bool admit) {
    struct hd_batch *b = &i->batch;
    const struct hd_timing *t = hd_timing_of(e, i, e->group[i->turn].model);
    struct chunks c = {.room = i->option.chunk - b->count};
    int64_t growth = hd_batch_growth(e, i);
    if (c.room < 1) c.room = i->chunking >= 0; /* who has begun gets on */
    i->prefilling_count = 0;
    if (i->chunking >= 0) chunk_of(e, i, &c, i->chunking);
    while (admit && c.room > 0 && !turn_is_due(e, i) && admits(e, i, growth))
        chunk_of(e, i, &c, enter_prefill(e, i));
    if (c.count == 0) return false;
    b->start = e->now + hd_fill(i, t, b->count + c.count);
    b->tau = hd_timing_prefill(t, c.tokens + b->count, b->count + c.count, c.square,
                               b->count, b->context);
    b->tau = hd_share_stretch(e, i, HD_BOUND_COMPUTE, b->tau);
    b->delta = 0;
    b->steps = 1;
    hd_instance_phase(e, i, HD_PHASE_MIXED);
    hd_instance_wake(e, i, b->start + b->tau);
    return true;
}

void hd_mixed_end(struct hd_engine *e, struct hd_instance *i) {
    if (i->batch.count)
        hd_batch_settle(e, i, 1);
    else
        count_iteration(e, i);
    e->measure->iterations_stepped++;
    hd_instance_phase(e, i, HD_PHASE_BOUNDARY);
    i->chunk_done += i->chunk_now;
    i->chunk_now = 0;
    leave_prefills(e, i);
}
