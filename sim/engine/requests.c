/* The life of a request: its slot, the held ones, its end. */
#include <math.h>
#include <string.h>

#include "engine/parts.h"

/* Time that turns of a group have spent in a stage, up to now. */
static hd_tick stage_time(const struct hd_engine *e, int group, enum hd_phase phase,
                          hd_tick closed) {
    const struct hd_group *g = &e->group[group];
    if (g->instance < 0) return closed;
    const struct hd_instance *i = &e->instance[g->instance];
    if (i->turn != group || i->phase != phase) return closed;
    return closed + e->now - i->phase_since;
}

/* Closes the running phase of its account and opens another. What its group's
 * turns spent in switching or on KV meanwhile is taken out of waiting. */
void hd_request_phase(struct hd_engine *e, struct hd_request *r, enum hd_blame phase) {
    hd_tick elapsed = e->now - r->phase_at;
    if (elapsed == 0) { /* then nothing has happened in its group's turns either */
        r->phase = (uint8_t)phase;
        return;
    }
    if (e->config->observer) hd_observe_request(e, r);
    bool waits = r->phase == HD_BLAME_QUEUE || r->phase == HD_BLAME_WAIT;
    if (r->group >= 0) {
        const struct hd_group *g = &e->group[r->group];
        hd_tick switched = stage_time(e, r->group, HD_PHASE_SWITCH, g->switch_time);
        hd_tick kv = stage_time(e, r->group, HD_PHASE_KV, g->kv_time);
        if (waits) {
            r->blame[HD_BLAME_SWITCH] += switched - r->base_switch;
            r->blame[HD_BLAME_KV] += kv - r->base_kv;
            elapsed -= switched - r->base_switch + kv - r->base_kv;
        }
        r->base_switch = switched;
        r->base_kv = kv;
    }
    r->blame[r->phase] += elapsed;
    r->phase = (uint8_t)phase;
    r->phase_at = e->now;
}

void hd_request_regroup(struct hd_engine *e, struct hd_request *r, int group) {
    hd_request_phase(e, r, r->phase);
    r->group = group;
    if (group < 0) return;
    /* what the group's turns spent before it came is no time of its own */
    const struct hd_group *g = &e->group[group];
    r->base_switch = stage_time(e, group, HD_PHASE_SWITCH, g->switch_time);
    r->base_kv = stage_time(e, group, HD_PHASE_KV, g->kv_time);
}

/* Enters or leaves the count of models with work. */
static void count_active(struct hd_engine *e, int model, int change) {
    struct hd_model_state *m = &e->model[model];
    int before = m->active > 0;
    m->active += change;
    int after = m->active > 0;
    if (before == after) return;
    hd_measure_active(e->measure, e->active_models, e->active_since, e->now);
    e->active_since = e->now;
    e->active_models += after - before;
    if (e->active_models > e->measure->active_models_peak)
        e->measure->active_models_peak = e->active_models;
}

static void note_rate(struct hd_engine *e, int model) {
    struct hd_model_state *m = &e->model[model];
    double seconds = hd_s_from_tick(e->now - m->rate_at);
    m->rate_weight = m->rate_weight * exp(-seconds / 60) + 1;
    m->rate_at = e->now;
}

int hd_request_new(struct hd_engine *e, const struct hd_arrival *a) {
    int slot = e->free_request;
    int32_t serial = 0;
    if (slot >= 0) {
        serial = e->request[slot].serial + 1;
        e->free_request = e->request[slot].next;
    } else {
        e->request = hd_grow(e->request, &e->request_capacity, e->requests + 1,
                             sizeof *e->request);
        slot = e->requests++;
    }
    struct hd_request *r = &e->request[slot];
    memset(r, 0, sizeof *r);
    r->serial = serial;
    r->id = e->next_id++;
    r->model = a->model;
    r->input = a->input_tokens;
    r->output = a->output_tokens;
    r->state = HD_REQ_HELD;
    r->phase = HD_BLAME_QUEUE;
    r->measured = a->at >= e->config->from && a->at < e->config->to;
    r->group = r->prev = r->next = r->kv_at = r->kv_prev = r->kv_next = -1;
    r->kv_from = r->kv_home = r->transfer = r->instance = -1;
    r->arrival = r->phase_at = a->at;
    r->first_token = r->last_token = r->gap_longest = r->seen_at = -1;
    if (!e->step) r->score.fast.last_miss = -2;
    hd_prompt_new(e, slot, a);
    e->live_requests++;
    return slot;
}

/* The record of a request that is over, for the measure. */
static void report(struct hd_engine *e, struct hd_request *r, enum hd_status status) {
    const struct hd_run_model *m = &e->config->model[r->model];
    struct hd_finished f = {.id = r->id,
                            .model = r->model,
                            .instance = r->instance,
                            .measured = r->measured,
                            .status = status,
                            .input_tokens = r->input,
                            .output_tokens = r->output,
                            .emitted_tokens = r->emitted,
                            .arrival = r->arrival,
                            .first_token = -1,
                            .last_token = -1,
                            .gap_longest = r->gap_longest,
                             .ended = r->phase_at,
                             .preempted = r->preempted,
                             .cached_tokens = -1};
    if (e->prompt) f.cached_tokens = (int)e->prompt[r - e->request].found;
    memcpy(f.blame, r->blame, sizeof f.blame);
    if (r->emitted) {
        f.first_token = r->first_token + r->front;
        f.last_token = r->last_token + r->front;
        f.blame[HD_BLAME_QUEUE] += r->front;
        f.ended += r->front;
    }
    if (status == HD_STATUS_DONE) {
        f.tokens_on_time = hd_score_on_time(e, r);
        f.ratio = hd_score_ratio(e, r);
        bool first_ok =
            m->ttft == HD_TICK_NEVER || f.first_token - r->arrival <= m->ttft;
        bool pace_ok =
            m->tbt == HD_TICK_NEVER || r->output < 2 ||
            r->last_token - r->first_token <= (hd_wide)(r->output - 1) * m->tbt;
        f.request_ok = first_ok && pace_ok;
    }
    if (hd_measure_finish(e->measure, &f)) e->stop = true;
}

void hd_request_release(struct hd_engine *e, int slot) {
    struct hd_request *r = &e->request[slot];
    if (r->in_callback || r->transfer >= 0) return;
    if (e->policy->forget_request)
        e->policy->forget_request(e->policy->state, hd_req_of(e, slot));
    r->serial++; /* handles that are still about become stale at once */
    r->next = e->free_request;
    e->free_request = slot;
}

/* It is out of any batch. Leaves its group or the held ones, gives back its KV. */
void hd_request_finish(struct hd_engine *e, int slot, enum hd_status status,
                       bool call_done) {
    struct hd_request *r = &e->request[slot];
    hd_request_phase(e, r, r->phase);
    int group = r->group;
    r->left = hd_grp_of(e, group);
    if (group >= 0)
        hd_group_remove(e, slot);
    else if (r->state == HD_REQ_HELD)
        hd_held_remove(e, slot);
    hd_kv_drop(e, slot);
    r = &e->request[slot];
    r->state = status == HD_STATUS_DONE       ? HD_REQ_DONE
               : status == HD_STATUS_REJECTED ? HD_REQ_REJECTED
                                              : HD_REQ_IMPOSSIBLE;
    r->doomed = true;
    count_active(e, r->model, -1);
    e->live_requests--;
    report(e, r, status);
    if (call_done && e->policy->done) {
        r->in_callback = true;
        hd_queue_call(e, HD_CALL_DONE, slot, r->serial, 0);
    }
    if (group >= 0) hd_group_close_if_empty(e, group);
    hd_request_release(e, slot);
}

void hd_held_add(struct hd_engine *e, int slot) {
    struct hd_request *r = &e->request[slot];
    r->state = HD_REQ_HELD;
    hd_list_insert(e, &e->held, slot);
    e->model[r->model].held.count++;
}

void hd_held_remove(struct hd_engine *e, int slot) {
    hd_list_remove(e, &e->held, slot);
    e->model[e->request[slot].model].held.count--;
}

/* A new arrival enters the system: counts, then the held list. False when no
 * instance of this fleet could ever hold it, or there is nothing to generate. */
bool hd_request_admit(struct hd_engine *e, int slot, const struct hd_arrival *a) {
    struct hd_request *r = &e->request[slot];
    note_rate(e, r->model);
    count_active(e, r->model, 1);
    enum hd_status status = HD_STATUS_DONE;
    if (a->output_tokens <= 0)
        status = HD_STATUS_EMPTY;
    else if (a->too_long ||
             !hd_fleet_could_hold(e, r->model, (int64_t)r->input + r->output - 1))
        status = HD_STATUS_TOO_LONG;
    hd_held_add(e, slot);
    if (status == HD_STATUS_DONE) return true;
    hd_request_finish(e, slot, status, false);
    return false;
}
