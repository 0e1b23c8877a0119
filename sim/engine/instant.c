/* One instant: the order of what happens in it, and the callbacks. */
#include <limits.h>
#include <string.h>

#include "engine/parts.h"

/* ---- callbacks: never one inside another --------------------------------- */

void hd_queue_call(struct hd_engine *e, enum hd_call call, int slot, int serial,
                   int event) {
    if (e->queue_count == e->queue_capacity) {
        int capacity = e->queue_capacity ? 2 * e->queue_capacity : 64;
        struct hd_queued *larger = hd_alloc(sizeof *larger * (size_t)capacity);
        for (int n = 0; n < e->queue_count; n++)
            larger[n] = e->queue[(e->queue_first + n) & (e->queue_capacity - 1)];
        free(e->queue);
        e->queue = larger;
        e->queue_capacity = capacity;
        e->queue_first = 0;
    }
    e->queue[(e->queue_first + e->queue_count++) & (e->queue_capacity - 1)] =
        (struct hd_queued){(uint8_t)call, (uint8_t)event, slot, serial};
}

/* Time must go on: more callbacks in one instant than this are a livelock. */
static bool count_call(struct hd_engine *e, const char *what) {
    e->measure->callbacks++;
    e->last_calls[e->calls_now % HD_LAST_CALLS] = what;
    int64_t most = 1000 + 10 * ((int64_t)e->live_requests + e->instances + e->groups);
    if (++e->calls_now <= most) return true;
    char last[HD_LAST_CALLS * 12] = "";
    for (int n = 0; n < HD_LAST_CALLS; n++) {
        strcat(last, n ? ", " : "");
        strcat(last, e->last_calls[(e->calls_now + n) % HD_LAST_CALLS]);
    }
    return hd_act_fail(e,
                       "policy livelock: %lld callbacks while time stood still at "
                       "%.6f s; the last ten: %s",
                       (long long)e->calls_now, hd_s_from_tick(e->now), last);
}

static bool call_request(struct hd_engine *e, const struct hd_queued *q) {
    const struct hd_policy *p = e->policy;
    struct hd_req req = {q->slot, q->serial};
    bool known = hd_ask_request_known(e, req);
    if (q->call == HD_CALL_ARRIVE) {
        if (!p->arrive || !known || e->request[q->slot].state != HD_REQ_HELD)
            return true;
        return count_call(e, "arrive") && p->arrive(p->state, e, req);
    }
    if (q->call == HD_CALL_PREFILLED) {
        if (!known || e->request[q->slot].doomed) return true;
        return count_call(e, "prefilled") && p->prefilled(p->state, e, req);
    }
    bool fine = count_call(e, "done") && p->done(p->state, e, req);
    e->request[q->slot].in_callback = false;
    hd_request_release(e, q->slot);
    return fine;
}

/* False: the policy failed. */
static bool drain_queue(struct hd_engine *e) {
    while (e->queue_count) {
        struct hd_queued q = e->queue[e->queue_first];
        e->queue_first = (e->queue_first + 1) & (e->queue_capacity - 1);
        e->queue_count--;
        bool fine = true;
        if (q.call != HD_CALL_FLEET)
            fine = call_request(e, &q);
        else if (e->policy->fleet)
            fine = count_call(e, "fleet") &&
                   e->policy->fleet(e->policy->state, e, (enum hd_fleet_event)q.event,
                                    &(int){q.slot}, 1);
        if (!fine) return false;
    }
    return true;
}

/* ---- an instant ---------------------------------------------------------- */

static void fail_gpus(struct hd_engine *e) {
    const struct hd_run_config *c = e->config;
    while (e->next_failure < c->failures && c->failure[e->next_failure].at <= e->now)
        hd_fleet_fail(e, &c->failure[e->next_failure++]);
}

static void run_events(struct hd_engine *e) {
    const struct hd_heap_node *first;
    while ((first = hd_events_first(&e->events)) && first->key == e->now) {
        int id = first->id;
        if (id < e->links) {
            hd_link_event(e, id);
        } else {
            e->boundaries = true;
            hd_events_take(&e->events);
            hd_turn_boundary(e, &e->instance[id - e->links]);
        }
    }
    e->boundaries = true;
}

/* Remembers who may time out; those who are over make room at the front. */
static void be_patient(struct hd_engine *e, int slot) {
    if (e->patient_first > 64 && 2 * e->patient_first > e->patient_next) {
        size_t left = (size_t)(e->patient_next - e->patient_first);
        memmove(e->patient, e->patient + e->patient_first, left * sizeof *e->patient);
        e->patient_next -= e->patient_first;
        e->patient_first = 0;
    }
    e->patient = hd_grow(e->patient, &e->patient_capacity, (int)e->patient_next + 1,
                         sizeof *e->patient);
    e->patient[e->patient_next++] = hd_req_of(e, slot);
}

static bool take_arrivals(struct hd_engine *e) {
    while (e->arrival_there && e->arrival.at == e->now) {
        struct hd_arrival a = e->arrival;
        int slot = hd_request_new(e, &a);
        e->arrival_there = e->config->next(e->config->next_context, &e->arrival) > 0;
        HD_CHECK(!e->arrival_there || e->arrival.at >= e->now);
        e->calls_now = 0; /* arrivals are progress */
        if (!hd_request_admit(e, slot, &a)) continue;
        if (e->config->serving.patience_s > 0) be_patient(e, slot);
        if (e->policy->arrive &&
            !(count_call(e, "arrive") &&
              e->policy->arrive(e->policy->state, e, hd_req_of(e, slot))))
            return false;
        if (e->queue_count && !drain_queue(e)) return false;
    }
    return true;
}

hd_tick hd_patience_end(const struct hd_engine *e) {
    if (e->patient_first == e->patient_next) return HD_TICK_NEVER;
    struct hd_req r = e->patient[e->patient_first];
    if (!hd_ask_request_known(e, r)) return 0; /* over: to be passed over */
    return e->request[r.slot].arrival + hd_tick_from_s(e->config->serving.patience_s);
}

/* Requests that have waited too long for their first token. */
static bool lose_patience(struct hd_engine *e) {
    while (hd_patience_end(e) <= e->now) {
        struct hd_req r = e->patient[e->patient_first++];
        if (!hd_ask_request_known(e, r)) continue;
        struct hd_request *q = &e->request[r.slot];
        if (q->doomed || q->emitted || q->state == HD_REQ_PREFILL) continue;
        if (!hd_act_reject(e, r)) return false;
        q->state = HD_REQ_TIMED_OUT;
        if (!drain_queue(e)) return false;
    }
    return true;
}

static struct hd_timer take_timer(struct hd_engine *e) {
    struct hd_timer first = e->timer[0], last = e->timer[--e->timers];
    int at = 0;
    for (;;) {
        int child = 2 * at + 1;
        if (child >= e->timers) break;
        struct hd_timer *c = &e->timer[child], *d = c + 1;
        if (child + 1 < e->timers &&
            (d->at < c->at || (d->at == c->at && d->order < c->order)))
            child++, c = d;
        if (last.at < c->at || (last.at == c->at && last.order < c->order)) break;
        e->timer[at] = *c;
        at = child;
    }
    if (e->timers) e->timer[at] = last;
    return first;
}

static bool run_timers(struct hd_engine *e) {
    while (e->timers && e->timer[0].at <= e->now) {
        struct hd_timer t = take_timer(e);
        if (!count_call(e, "timer")) return false;
        if (!e->policy->timer)
            return hd_act_fail(e, "a timer expired, and the policy has no `timer`");
        if (!e->policy->timer(e->policy->state, e, t.cookie) || !drain_queue(e))
            return false;
    }
    return true;
}

static bool run_tick(struct hd_engine *e) {
    if (e->next_tick != e->now) return true;
    e->next_tick = e->now + hd_tick_from_s(e->policy->period_s);
    return count_call(e, "tick") && e->policy->tick(e->policy->state, e) &&
           drain_queue(e);
}

static bool call_turn(struct hd_engine *e, int number) {
    struct hd_instance *i = &e->instance[number];
    i->wants_turn = false;
    if (i->dissolve) return true;
    if (e->policy->turn)
        return count_call(e, "turn") &&
               e->policy->turn(e->policy->state, e, number, (enum hd_why)i->why,
                               i->why_group) &&
               drain_queue(e);
    if (i->why == HD_WHY_FULL) return true; /* the same again would be as full */
    int head = i->first_group;
    while (head >= 0 && e->group[head].size == 0) head = e->group[head].next;
    if (head < 0) return true;
    if (!count_call(e, "turn")) return false;
    return hd_act_run(e, number, hd_grp_of(e, head), &HD_TURN);
}

void hd_limits_apply(struct hd_engine *e, struct hd_instance *i) {
    i->limits = false;
    i->kv_limit = i->kv_wanted;
    if (i->memory_wanted) hd_share_resize(e, i, i->memory_wanted);
    hd_index_reshape(e, i, hd_shape_of(e, i->kind, i->tp, i->usable, i->kv_limit));
    while (hd_kv_held(e, i) > i->kv_limit && i->batch.count > 1)
        hd_preempt_youngest(e, i);
    if (hd_kv_held(e, i) > i->kv_limit)
        i->kv_limit = hd_kv_held(e, i); /* no further than it can */
    if (i->cache) hd_prefix_trim(e, i);
}

/* What waits for a boundary of an instance: limits, dissolution. */
static void apply_pending(struct hd_engine *e, int number) {
    struct hd_instance *i = &e->instance[number];
    bool mid = i->phase == HD_PHASE_DECODE || i->phase == HD_PHASE_PREFILL ||
               i->phase == HD_PHASE_MIXED || i->phase == HD_PHASE_SWITCH;
    if (i->limits && !mid) hd_limits_apply(e, i);
    if (i->dissolve && i->turn < 0 && i->transfers_in + i->transfers_out == 0)
        hd_instance_kill(e, i, false);
    else
        hd_instance_maybe_close(e, i);
}

/* First of a round: what waited for a boundary, and turns that are over. */
static void end_turns(struct hd_engine *e) {
    struct hd_index_heap *dirty = &e->dirty;
    if (dirty->count == 1) { /* mostly it is one, and nothing waits there */
        struct hd_instance *i = &e->instance[dirty->node[0].id];
        if (!i->limits && !i->dissolve && !i->closing) hd_turn_end_if_over(e, i);
        if (!i->limits && !i->dissolve && !i->closing && dirty->count == 1) return;
    }
    e->pending_count = 0;
    while (dirty->count) {
        int number = dirty->node[0].id;
        hd_heap_remove(dirty, number);
        struct hd_instance *i = &e->instance[number];
        if (!i->alive || i->pending_round == e->round) continue;
        i->pending_round = e->round;
        e->pending = hd_grow(e->pending, &e->pending_capacity, e->pending_count + 1,
                             sizeof *e->pending);
        e->pending[e->pending_count++] = number;
        apply_pending(e, number);
        if (i->alive) hd_turn_end_if_over(e, i);
        if (i->alive && i->dissolve && i->turn < 0) apply_pending(e, number);
    }
    for (int n = 0; n < e->pending_count; n++)
        hd_instance_dirty(e, &e->instance[e->pending[n]]);
}

/* Last of a round: the plans, in order of number. What a plan does to an instance of
 * a higher number is in that one's plan of this round; one of a lower number has had
 * its plan, and gets another round. */
static void make_plans(struct hd_engine *e) {
    struct hd_index_heap *dirty = &e->dirty;
    while (dirty->count && dirty->node[0].key == e->round) {
        e->planning = dirty->node[0].id;
        hd_heap_remove(dirty, e->planning);
        if (e->planned <= e->planning) e->planned = e->planning + 1;
        if (e->instance[e->planning].alive) hd_turn_plan(e, &e->instance[e->planning]);
    }
    e->planned = INT_MAX;
    e->planning = -1;
    e->round++;
}

/* Ends of turns, then `turn` for whoever needs one, lowest number first, then plans;
 * again while that left something to do at this instant. */
static bool settle_instances(struct hd_engine *e) {
    for (;;) {
        end_turns(e);
        if (e->queue_count && !drain_queue(e)) return false;
        while (e->wants.count) {
            int number = e->wants.node[0].id;
            hd_heap_remove(&e->wants, number);
            struct hd_instance *i = &e->instance[number];
            if (i->alive && i->wants_turn && i->turn < 0 && !call_turn(e, number))
                return false;
        }
        if (e->dirty.count == 0) return true;
        make_plans(e);
        if (e->queue_count && !drain_queue(e)) return false;
    }
}

bool hd_instant(struct hd_engine *e) {
    e->calls_now = 0;
    e->boundaries = false;
    e->planned = 0;
    fail_gpus(e);
    run_events(e);
    return (!e->queue_count || drain_queue(e)) && take_arrivals(e) &&
           lose_patience(e) && run_timers(e) && run_tick(e) && settle_instances(e);
}
