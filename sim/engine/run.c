/* One run: the clock, the order of things within an instant, the callbacks. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/state.h"

struct hd_switching hd_switching_default(void) {
    return (struct hd_switching){
        .engine_start_s = 20, .prefetch = true, .warm_cache = true};
}

struct hd_serving hd_serving_default(void) {
    return (struct hd_serving){
        .max_batch = 256, .prefill_tokens = 8192, .watermark = 0.01, .drain_s = 600};
}

/* ---- callbacks: never one inside another ---- */

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

/* ---- an instant ---- */

static void fail_gpus(struct hd_engine *e) {
    const struct hd_run_config *c = e->config;
    while (e->next_failure < c->failures && c->failure[e->next_failure].at <= e->now)
        hd_fleet_fail(e, &c->failure[e->next_failure++]);
}

static void run_events(struct hd_engine *e) {
    const struct hd_heap_node *first;
    while ((first = hd_heap_first(&e->events)) && first->key == e->now) {
        int id = first->id;
        if (id < e->links) {
            hd_link_event(e, id);
        } else {
            e->boundaries = true;
            hd_heap_take(&e->events);
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
        e->arrival_there = e->config->next(e->config->next_context, &e->arrival) > 0;
        HD_CHECK(!e->arrival_there || e->arrival.at >= e->now);
        int slot = hd_request_new(e, &a);
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

static hd_tick patience_end(const struct hd_engine *e) {
    if (e->patient_first == e->patient_next) return HD_TICK_NEVER;
    struct hd_req r = e->patient[e->patient_first];
    if (!hd_ask_request_known(e, r)) return 0; /* over: to be passed over */
    return e->request[r.slot].arrival + hd_tick_from_s(e->config->serving.patience_s);
}

/* Requests that have waited too long for their first token. */
static bool lose_patience(struct hd_engine *e) {
    while (patience_end(e) <= e->now) {
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
    int head = i->first_group;
    while (head >= 0 && e->group[head].size == 0) head = e->group[head].next;
    if (head < 0) return true;
    if (!count_call(e, "turn")) return false;
    return hd_act_run(e, number, hd_grp_of(e, head), &HD_TURN);
}

/* What waits for a boundary of an instance: limits, dissolution. */
static void apply_pending(struct hd_engine *e, int number) {
    struct hd_instance *i = &e->instance[number];
    bool mid = i->phase == HD_PHASE_DECODE || i->phase == HD_PHASE_PREFILL ||
               i->phase == HD_PHASE_MIXED || i->phase == HD_PHASE_SWITCH;
    if (i->limits && !mid) {
        i->limits = false;
        i->kv_limit = i->kv_wanted;
        hd_index_reshape(e, i, hd_shape_of(e, i->kind, i->tp, i->share, i->kv_limit));
        while (i->kv > i->kv_limit && i->batch.count > 1) hd_preempt_youngest(e, i);
        if (i->kv > i->kv_limit) i->kv_limit = i->kv; /* no further than it can */
    }
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

static bool run_instant(struct hd_engine *e) {
    e->calls_now = 0;
    e->boundaries = false;
    e->planned = 0;
    fail_gpus(e);
    run_events(e);
    return (!e->queue_count || drain_queue(e)) && take_arrivals(e) &&
           lose_patience(e) && run_timers(e) && run_tick(e) && settle_instances(e);
}

/* ---- the run ---- */

static hd_tick earlier(hd_tick a, hd_tick b) {
    return a < b ? a : b;
}

/* The next instant, or NEVER when nothing but waiting is left. */
static hd_tick next_instant(const struct hd_engine *e) {
    const struct hd_run_config *c = e->config;
    const struct hd_heap_node *first = hd_heap_first(&e->events);
    hd_tick real = first ? first->key : HD_TICK_NEVER;
    if (e->arrival_there) real = earlier(real, e->arrival.at);
    if (e->next_failure < c->failures)
        real = earlier(real, c->failure[e->next_failure].at);
    real = earlier(real, patience_end(e));
    hd_tick idle = e->timers ? e->timer[0].at : HD_TICK_NEVER;
    idle = earlier(idle, e->next_tick);
    if (real != HD_TICK_NEVER) return earlier(real, idle);
    double drain = c->serving.drain_s;
    if (idle == HD_TICK_NEVER || idle - e->progress_at > hd_tick_from_s(drain))
        return HD_TICK_NEVER;
    return idle;
}

static void close_accounts(struct hd_engine *e) {
    struct hd_measure *m = e->measure;
    for (int n = 0; n < e->instances; n++) {
        const struct hd_instance *i = &e->instance[n];
        if (i->alive)
            hd_measure_gpu(m, (enum hd_gpu_use)i->use, i->tp, i->use_since, e->now);
    }
    hd_measure_active(m, e->active_models, e->active_since, e->now);
    m->end = e->now;
    hd_tick until = earlier(e->now, m->to);
    m->gpus_s = until > m->from ? hd_s_from_tick(until - m->from) * e->gpus : 0;
    double used = m->gpu_s[HD_GPU_BUSY] + m->gpu_s[HD_GPU_SWITCHING] +
                  m->gpu_s[HD_GPU_IDLE_WAITING];
    m->gpu_s[HD_GPU_IDLE_FREE] = m->gpus_s > used ? m->gpus_s - used : 0;
}

/* Nothing moves any more: what is left counts as unfinished, and one line says so. */
static void leave_unfinished(struct hd_engine *e, struct hd_err *note) {
    int left = 0, resting = 0;
    int64_t first = -1;
    for (int n = 0; n < e->instances; n++)
        resting += e->instance[n].alive && e->instance[n].turn < 0;
    for (int s = 0; s < e->requests; s++) {
        struct hd_request *r = &e->request[s];
        bool free_slot = r->doomed || r->model < 0;
        if (free_slot) continue;
        if (first < 0 || r->id < first) first = r->id;
        left++;
        if (r->state == HD_REQ_RUNNING || r->state == HD_REQ_PREFILL) continue;
        hd_request_finish(e, s, HD_STATUS_UNFINISHED, false);
    }
    if (left && note)
        hd_fail(
            note,
            "%d requests were left when nothing moved any more (at %.3f s); the first "
            "is row %lld; %d of %d instances rested",
            left, hd_s_from_tick(e->now), (long long)first + 1, resting, e->instances);
}

static struct hd_engine *create(const struct hd_run_config *c,
                                const struct hd_policy *p, struct hd_measure *m) {
    struct hd_engine *e = hd_alloc(sizeof *e);
    e->config = c;
    e->policy = p;
    e->measure = m;
    e->step = c->step;
    e->free_request = e->free_group = e->free_transfer = -1;
    e->held = (struct hd_list){-1, -1, 0};
    e->random = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(e->random, (unsigned long)c->seed + 1);
    if (c->cut_seed && !c->step) {
        e->cuts = gsl_rng_alloc(gsl_rng_taus2);
        gsl_rng_set(e->cuts, (unsigned long)c->cut_seed);
    }
    e->model = hd_alloc(sizeof *e->model * (size_t)c->models);
    for (int n = 0; n < c->models; n++) {
        e->model[n].first_group = e->model[n].last_group = -1;
        e->model[n].held = (struct hd_list){-1, -1, 0};
    }
    e->planning = -1;
    e->round = 1;
    hd_fleet_init(e);
    hd_heap_reserve(&e->events, e->links);
    e->next_tick =
        p->tick && p->period_s > 0 ? hd_tick_from_s(p->period_s) : HD_TICK_NEVER;
    e->arrival_there = c->next(c->next_context, &e->arrival) > 0;
    return e;
}

static void destroy(struct hd_engine *e) {
    for (int n = 0; n < e->instances; n++) {
        hd_batch_free(&e->instance[n].batch);
        free(e->instance[n].prefilling);
        free(e->instance[n].resident);
    }
    for (int n = 0; n < e->nodes; n++) free(e->node[n].cached);
    for (int n = 0; n < e->links; n++) free(e->link[n].job);
    for (int n = 0; n < e->transfers; n++) free(e->transfer[n].request);
    for (int n = 0; n < e->config->models; n++) {
        free(e->model[n].holder);
        free(e->model[n].holder_uses);
    }
    for (int n = 0; n < e->shapes; n++) {
        free(e->shape[n].timing);
        free(e->shape[n].block_bytes);
        free(e->shape[n].weight_bytes);
    }
    for (int n = 0; n < e->roles; n++) {
        for (int x = 0; x < e->role[n].indexed_shapes * HD_KEYS; x++) {
            hd_heap_free(&e->role[n].index[x].least);
            hd_heap_free(&e->role[n].index[x].most);
        }
        free(e->role[n].index);
        free(e->role[n].member);
        free(e->role[n].name);
    }
    hd_heap_free(&e->events);
    hd_heap_free(&e->wants);
    hd_heap_free(&e->dirty);
    void *rest[] = {e->request,  e->group,        e->instance,     e->gpu,
                    e->node,     e->link,         e->shape,        e->role,
                    e->transfer, e->model,        e->gpu_link_in,  e->timer,
                    e->queue,    e->pending,      e->gpu_link_out, e->patient,
                    e->scratch,  e->held_scratch, e->most_tokens};
    for (size_t n = 0; n < sizeof rest / sizeof *rest; n++) free(rest[n]);
    gsl_rng_free(e->random);
    if (e->cuts) gsl_rng_free(e->cuts);
    free(e);
}

static bool start(struct hd_engine *e, const char **reason) {
    if (!e->policy->start)
        return hd_act_fail(e, "the policy has no `start`: no instances");
    if (!e->policy->start(e->policy->state, e, reason)) return false;
    if (*reason) return true;
    if (e->instances == 0) return hd_act_fail(e, "`start` formed no instance");
    return run_instant(e);
}

static enum hd_run_end loop(struct hd_engine *e) {
    const struct hd_run_config *c = e->config;
    for (int64_t turn = 0;; turn++) {
        if (e->stop) return HD_RUN_DECIDED;
        if (e->live_requests == 0 && !e->arrival_there) return HD_RUN_WHOLE;
        if ((turn & 4095) == 0 && c->interrupted && *c->interrupted)
            return HD_RUN_INTERRUPTED;
        hd_tick next = next_instant(e);
        if (next == HD_TICK_NEVER) return HD_RUN_STALLED;
        if (next > e->now && (hd_heap_first(&e->events) || e->arrival_there))
            e->progress_at = next;
        if (next > e->now)
            e->now = next; /* a patience of the past is passed over now */
        if (!run_instant(e)) return HD_RUN_FAILED;
        hd_check(e);
    }
}

enum hd_run_end hd_run(const struct hd_run_config *c, const struct hd_policy *p,
                       struct hd_measure *m, struct hd_err *note, struct hd_err *err) {
    struct hd_engine *e = create(c, p, m);
    const char *reason = NULL;
    enum hd_run_end end = HD_RUN_FAILED;
    if (start(e, &reason)) {
        if (reason) {
            end = HD_RUN_CANNOT;
            hd_fail(err, "%s", reason);
        } else {
            end = loop(e);
        }
    }
    if (end == HD_RUN_STALLED) leave_unfinished(e, note);
    if (end == HD_RUN_FAILED)
        hd_fail(err, "%s", e->err.text[0] ? e->err.text : "the policy failed");
    close_accounts(e);
    destroy(e);
    return end;
}
