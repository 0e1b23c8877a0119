/* One run: from its configuration to its end, the clock. */
#include <stdlib.h>

#include "engine/parts.h"

struct hd_switching hd_switching_default(void) {
    return (struct hd_switching){
        .engine_start_s = 20, .prefetch = true, .warm_cache = true};
}

const char *hd_host_keeps_name(enum hd_host_keeps keeps) {
    static const char *const name[] = {"lru", "pinned", "policy"};
    return name[keeps];
}

struct hd_serving hd_serving_default(void) {
    return (struct hd_serving){
        .max_batch = 256, .prefill_tokens = 8192, .watermark = 0.01, .drain_s = 600};
}

static hd_tick earlier(hd_tick a, hd_tick b) {
    return a < b ? a : b;
}

/* The next instant, or NEVER when nothing but waiting is left. */
static hd_tick next_instant(const struct hd_engine *e) {
    const struct hd_run_config *c = e->config;
    const struct hd_heap_node *first = hd_events_first(&e->events);
    hd_tick real = first ? first->key : HD_TICK_NEVER;
    if (e->arrival_there) real = earlier(real, e->arrival.at);
    if (e->next_failure < c->failures)
        real = earlier(real, c->failure[e->next_failure].at);
    real = earlier(real, hd_patience_end(e));
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
        if (!i->alive) continue;
        if (!i->sharing)
            hd_measure_gpu(m, (enum hd_gpu_use)i->use, i->tp, i->use_since, e->now);
        if (e->config->observer) hd_observe_end(e, i);
    }
    for (int g = 0; g < e->gpus; g++)
        if (e->gpu[g].instance < 0)
            hd_measure_gpu(m, HD_GPU_IDLE_FREE, 1, e->gpu[g].free_since, e->now);
        else if (e->instance[e->gpu[g].instance].sharing)
            hd_share_close_account(e, &e->gpu[g]);
    hd_measure_active(m, e->active_models, e->active_since, e->now);
    hd_measure_close(m, e->now);
    hd_check_accounts(e);
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
    hd_events_reserve(&e->events, e->links);
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
        hd_prefix_cache_free(e->instance[n].cache);
        free(e->instance[n].slab_blocks);
    }
    hd_prompts_free(e);
    for (int n = 0; n < e->nodes; n++) free(e->node[n].cached);
    for (int n = 0; n < e->gpus; n++) free(e->gpu[n].shared);
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
        free(e->shape[n].kv_shape);
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
    hd_network_free(e->network);
    hd_events_free(&e->events);
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
    return hd_instant(e);
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
        if (next > e->now && (hd_events_first(&e->events) || e->arrival_there))
            e->progress_at = next;
        hd_vram_until(e, next);
        if (next > e->now)
            e->now = next; /* a patience of the past is passed over now */
        if (!hd_instant(e)) return HD_RUN_FAILED;
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
