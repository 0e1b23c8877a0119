/* The step twin: the same running members, one iteration and one token at a
 * time, in code that anyone can check by eye. It shares decisions with the fast
 * batch (who joins, who leaves), but none of the arithmetic that is to be proved:
 * durations, blocks, finishes, gaps and both metrics are worked out plainly. */
#include "engine/parts.h"

static int64_t context_of(const struct hd_request *r) {
    return (int64_t)r->input + r->emitted - 1;
}

void hd_plain_add(struct hd_engine *e, struct hd_instance *i, int slot) {
    struct hd_batch *b = &i->batch;
    struct hd_request *r = &e->request[slot];
    b->member =
        hd_grow(b->member, &b->member_capacity, b->count + 1, sizeof *b->member);
    b->member[b->count++] = (struct hd_member){.order = b->orders++, .slot = slot};
    b->context += context_of(r);
    b->blocks += hd_blocks_of(context_of(r));
    b->measured += r->measured;
    r->join_at = e->now;
    r->stall_base = b->stall;
    r->instance = hd_instance_number(e, i);
    hd_request_phase(e, r, HD_BLAME_DECODE);
}

void hd_plain_remove(struct hd_engine *e, struct hd_instance *i, int slot) {
    struct hd_batch *b = &i->batch;
    struct hd_request *r = &e->request[slot];
    int at = 0;
    while (b->member[at].slot != slot) at++;
    b->count--;
    for (; at < b->count; at++) b->member[at] = b->member[at + 1];
    b->context -= context_of(r);
    b->blocks -= hd_blocks_of(context_of(r));
    b->measured -= r->measured;
    hd_tick stalled = b->stall - r->stall_base;
    r->blame[HD_BLAME_DECODE] -= stalled;
    r->blame[HD_BLAME_WAIT] += stalled;
    hd_request_phase(e, r, HD_BLAME_WAIT);
}

int64_t hd_plain_growth(const struct hd_engine *e, const struct hd_instance *i) {
    int64_t growth = 0;
    for (int m = 0; m < i->batch.count; m++)
        growth +=
            context_of(&e->request[i->batch.member[m].slot]) % HD_BLOCK_TOKENS == 0;
    return growth;
}

void hd_plain_plan(struct hd_engine *e, struct hd_instance *i) {
    struct hd_batch *b = &i->batch;
    int64_t context = 0, longest = 0, until;
    hd_tick slope;
    for (int m = 0; m < b->count; m++) {
        int64_t tokens = context_of(&e->request[b->member[m].slot]);
        context += tokens;
        if (tokens > longest) longest = tokens;
    }
    HD_CHECK(context == b->context);
    const struct hd_timing *t = hd_timing_of(e, i, e->group[i->turn].model);
    b->start = e->now;
    if (!i->flows) b->start += hd_timing_fill(t, b->count);
    b->steps = 1;
    b->tau = hd_timing_ragged_step(t, b->count, context, longest, &slope, &until);
    b->tau = hd_share_stretch_step(e, i, b->tau, context, &slope);
    b->delta = 0;
    hd_instance_wake(e, i, b->start + b->tau);
}

/* The artifact's loop (policies.md, metric Q) beside the absolute deadline of
 * metric T, for the token that comes out now. */
void hd_plain_token(struct hd_engine *e, struct hd_request *r, hd_tick now) {
    const struct hd_run_model *m = &e->config->model[r->model];
    struct hd_plain_score *s = &r->score.plain;
    hd_wide ttft = m->ttft == HD_TICK_NEVER ? (hd_wide)HD_TICK_NEVER * 4 : m->ttft;
    hd_wide tbt = m->tbt == HD_TICK_NEVER ? (hd_wide)HD_TICK_NEVER * 4 : m->tbt;
    hd_wide t = now + r->front - r->arrival, due = ttft;
    if (r->emitted == 0)
        s->target = ttft;
    else
        due = ttft + r->emitted * tbt;
    s->on_time += t <= due;
    if (t - s->start <= s->target) {
        s->acc = s->target;
    } else {
        s->qos += s->acc;
        s->start = t;
        s->acc = 0;
    }
    s->target += tbt;
}

void hd_plain_settle(struct hd_engine *e, struct hd_instance *i) {
    struct hd_batch *b = &i->batch;
    struct hd_hist *tbt = &e->measure->tbt;
    int model = e->group[i->turn].model;
    hd_tick t = b->start + b->tau;
    int64_t growth = 0;
    for (int m = 0; m < b->count; m++) {
        struct hd_request *r = &e->request[b->member[m].slot];
        hd_tick gap = t - r->last_token;
        if (context_of(r) % HD_BLOCK_TOKENS == 0) growth++;
        hd_plain_token(e, r, t);
        r->emitted++;
        r->last_token = t;
        if (r->measured) hd_hist_add(tbt, gap, 1);
        if (gap > r->gap_longest) r->gap_longest = gap;
    }
    if (growth) hd_kv_take(e, i, model, growth);
    b->blocks += growth;
    b->context += b->count;
    i->step_at = t;
    i->turn_iterations++;
    i->flows = true;
    e->measure->iterations++;
    e->measure->segments++;
    e->measure->tokens_emitted += b->measured;
    if (e->config->observer) hd_observe_phase(e, i);
    i->phase = HD_PHASE_BOUNDARY;
    for (int m = 0; m < b->count;) {
        struct hd_request *r = &e->request[b->member[m].slot];
        if (r->emitted < r->output) {
            m++;
            continue;
        }
        int slot = b->member[m].slot;
        hd_plain_remove(e, i, slot);
        hd_request_finish(e, slot, HD_STATUS_DONE, true);
    }
}
