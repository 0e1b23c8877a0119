/* The random policy of the engine's tests. It checks beforehand whatever would be
 * an error, by nothing but what a policy may ask. */
#include "unit/scenario_policy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int draw(struct wanderer *w, int below) {
    return (int)draw_below(&w->random, (uint64_t)below);
}

static bool chance(struct wanderer *w, int percent) {
    return draw(w, 100) < percent;
}

static double some_time(struct wanderer *w, int most_ms) {
    if (w->whole_ms) return 0.001 * (1 + draw(w, most_ms));
    return 1e-6 * (1 + draw(w, 1000 * most_ms));
}

/* It would go on for ever where a request can never be served: it stops to poke. */
static bool tired(const struct wanderer *w) {
    return w->callbacks > 3000;
}

static void note(struct wanderer *w, struct hd_engine *e, int what, int64_t whom) {
    static const char *const name[] = {"",     "arrive", "turn", "prefilled",
                                       "done", "timer",  "tick", "fleet"};
    w->callbacks++;
    digest_add(&w->digest, (uint64_t)hd_ask_now(e));
    digest_add(&w->digest, (uint64_t)what);
    digest_add(&w->digest, (uint64_t)whom);
    if (w->reads && chance(w, 40)) wanderer_read_all(w, e);
    if (w->log)
        fprintf(w->log, "@ %.9f %s %lld %016llx\n", hd_s_from_tick(hd_ask_now(e)),
                name[what], (long long)whom, (unsigned long long)w->digest);
}

/* ---- choosing ------------------------------------------------------------ */

static bool closing(const struct hd_engine *e, int n) {
    return hd_ask_instance(e, n).state == HD_INST_CLOSING;
}

static int some_instance(struct wanderer *w, struct hd_engine *e, bool open) {
    int fit[WANDERER_MOST], count = 0;
    for (int n = 0; n < hd_ask_instances(e) && count < WANDERER_MOST; n++)
        if (hd_ask_instance_alive(e, n) && !(open && closing(e, n))) fit[count++] = n;
    return count ? fit[draw(w, count)] : -1;
}

static bool can_hold(struct hd_engine *e, int instance, struct hd_req r) {
    const int *out;
    int role = hd_ask_role(e, hd_ask_instance(e, instance).role);
    int count = hd_ask_each(e, role, (struct hd_filter){-1, r}, &out);
    for (int n = 0; n < count; n++)
        if (out[n] == instance) return true;
    return false;
}

static int target_for(struct wanderer *w, struct hd_engine *e, struct hd_req r) {
    struct hd_filter f = {-1, r};
    int role = hd_ask_role(e, wanderer_role[draw(w, 2)]), best = -1;
    int64_t most = -1;
    enum hd_key key = (enum hd_key)draw(w, HD_KEYS);
    switch (draw(w, w->places ? 7 : 3)) {
    case 0:
        best = hd_ask_least(e, role, key, f);
        break;
    case 1:
        best = hd_ask_most(e, role, key, f);
        break;
    case 2:
        break;
    case 3: /* most of its prompt cached: of running segments too */
        for (int n = 0; n < hd_ask_instances(e); n++) {
            if (!hd_ask_instance_alive(e, n) || closing(e, n) || !can_hold(e, n, r))
                continue;
            int64_t cached = hd_ask_cached_tokens(e, n, r);
            if (cached > most) best = n, most = cached;
        }
        break;
    default: /* most free bytes: reads running segments */
        for (int n = 0; n < hd_ask_instances(e); n++) {
            if (!hd_ask_instance_alive(e, n) || closing(e, n) || !can_hold(e, n, r))
                continue;
            int64_t room =
                hd_ask_instance_kv_total(e, n) - hd_ask_instance_kv_used(e, n);
            if (room > most) best = n, most = room;
        }
    }
    for (int tries = 0; best < 0 && tries < 4; tries++) {
        int n = some_instance(w, e, true);
        if (n >= 0 && can_hold(e, n, r)) best = n;
    }
    return best;
}

static enum hd_kv_move some_move(struct wanderer *w) {
    return (enum hd_kv_move)draw(w, 4);
}

/* A held, waiting or ready request goes somewhere. False: an error. */
static bool place(struct wanderer *w, struct hd_engine *e, struct hd_req r) {
    if (chance(w, 30)) {
        struct hd_grp g =
            hd_ask_find(e, r, hd_ask_role(e, wanderer_role[draw(w, 2)]), draw(w, 8) - 1,
                        draw(w, 10) - 1, chance(w, 50) ? draw(w, 80) : -1);
        if (g.slot >= 0) return hd_act_join_group(e, r, g, some_move(w));
    }
    int n = target_for(w, e, r);
    if (n >= 0) return hd_act_join_instance(e, r, n, some_move(w));
    if (hd_ask_request_state(e, r) != HD_REQ_HELD) return true;
    if (chance(w, 30)) return hd_act_reject(e, r);
    return hd_act_after(e, some_time(w, 200), -1);
}

static bool release_held(struct wanderer *w, struct hd_engine *e, int most) {
    const struct hd_req *out;
    struct hd_req held[WANDERER_MOST];
    int count = hd_ask_held(e, chance(w, 80) ? -1 : draw(w, w->models), &out);
    if (count > most) count = most;
    memcpy(held, out, sizeof *held * (size_t)count);
    for (int n = 0; n < count; n++)
        if (hd_ask_request_known(e, held[n]) &&
            hd_ask_request_state(e, held[n]) == HD_REQ_HELD && !place(w, e, held[n]))
            return false;
    return true;
}

static struct hd_grp some_group(struct wanderer *w, struct hd_engine *e, int instance,
                                bool resting) {
    struct hd_grp group[WANDERER_MOST];
    if (instance < 0 || hd_ask_instance(e, instance).groups > WANDERER_MOST)
        return HD_NO_GRP;
    int count = hd_ask_instance_groups(e, instance, chance(w, 30), group);
    if (count == 0) return HD_NO_GRP;
    struct hd_grp g = group[draw(w, count)];
    if (resting && hd_ask_instance_turn(e, instance).slot == g.slot) return HD_NO_GRP;
    return g;
}

/* A request that can be moved: held, waiting or ready. */
static struct hd_req some_request(struct wanderer *w, struct hd_engine *e) {
    struct hd_req all[WANDERER_MOST];
    int count = 0;
    if (chance(w, 30)) {
        const struct hd_req *held;
        count = hd_ask_held(e, -1, &held);
        return count ? held[draw(w, count)] : HD_NO_REQ;
    }
    struct hd_grp g = some_group(w, e, some_instance(w, e, false), false);
    if (g.slot < 0 || hd_ask_group_size(e, g) > WANDERER_MOST) return HD_NO_REQ;
    count = hd_ask_group_members(e, g, all);
    if (count == 0) return HD_NO_REQ;
    struct hd_req r = all[draw(w, count)];
    enum hd_request_state s = hd_ask_request_state(e, r);
    return s == HD_REQ_WAITING || s == HD_REQ_READY ? r : HD_NO_REQ;
}

/* ---- acting -------------------------------------------------------------- */

/* On a part of its GPUs: of one that is shared already, or on free ones. */
static void share(struct wanderer *w, struct hd_engine *e, struct hd_form *f,
                  int *gpu) {
    f->share = 0.1 * (1 + draw(w, 10));
    f->sharing = w->slices ? HD_SHARE_TIME : HD_SHARE_SPACE;
    if (f->share < 1 && chance(w, 50)) f->sharing = HD_SHARE_DEFAULT;
    if (chance(w, 30)) f->memory_bytes = 5000 + draw(w, 60000);
    if (chance(w, 30)) return;
    f->type = NULL;
    f->on = gpu;
    gpu[0] = draw(w, hd_ask_gpus(e));
    for (int g = 1; g < f->gpus; g++) { /* those behind it, on the same node */
        gpu[g] = gpu[0] + g;
        if (gpu[g] < hd_ask_gpus(e) &&
            hd_ask_gpu_node(e, gpu[g]) == hd_ask_gpu_node(e, gpu[0]))
            continue;
        f->gpus = g;
    }
}

static bool form_some(struct wanderer *w, struct hd_engine *e, bool may_fail) {
    struct hd_form f = {.role = wanderer_role[draw(w, 2)],
                        .gpus = 1 + draw(w, chance(w, 40) ? 3 : 1),
                        .node = -1,
                        .many = chance(w, 30)};
    if (chance(w, 10)) f.kv_bytes = 3000 + draw(w, 60000);
    int gpu = draw(w, hd_ask_gpus(e)), one[1] = {gpu}, some[3];
    if (chance(w, 10)) f.type = hd_ask_gpu_type(e, gpu);
    if (chance(w, 10)) f.gpus = 1, f.on = one, f.type = NULL;
    if (w->shares && chance(w, 80)) share(w, e, &f, some);
    int got = hd_act_form(e, &f);
    if (got == -1 && !may_fail) { /* one GPU there must be */
        f.gpus = 1;
        f.on = NULL;
        f.type = NULL;
        f.sharing = HD_SHARE_DEFAULT;
        f.share = f.memory_bytes = 0;
        got = hd_act_form(e, &f);
    }
    return got != -2;
}

static bool move_group(struct wanderer *w, struct hd_engine *e) {
    struct hd_req member[WANDERER_MOST];
    struct hd_grp g = some_group(w, e, some_instance(w, e, false), true);
    int to = some_instance(w, e, true);
    if (g.slot < 0 || to < 0 || hd_ask_group_size(e, g) > WANDERER_MOST) return true;
    int count = hd_ask_group_members(e, g, member);
    for (int m = 0; m < count; m++)
        if (!can_hold(e, to, member[m])) return true;
    if (count == 0) return true;
    return hd_act_move(e, g, to).slot >= 0;
}

static bool merge_groups(struct wanderer *w, struct hd_engine *e) {
    struct hd_grp g = some_group(w, e, some_instance(w, e, true), true), rest;
    struct hd_grp other = some_group(w, e, some_instance(w, e, false), true);
    if (g.slot < 0 || other.slot < 0 || g.slot == other.slot) return true;
    if (hd_ask_group_model(e, g) != hd_ask_group_model(e, other)) return true;
    return hd_act_merge(e, g, other, draw(w, 60), &rest);
}

static bool misbehave(struct wanderer *w, struct hd_engine *e) {
    int n = some_instance(w, e, false), model = draw(w, w->models);
    struct hd_req r = some_request(w, e);
    struct hd_grp g, rest;
    if (n < 0) return form_some(w, e, true);
    switch (draw(w, 20)) {
    case 0:
    case 1:
        return hd_act_interrupt(e, n);
    case 2:
    case 3:
        return hd_act_load(e, n, model) >= 0;
    case 4:
        g = hd_ask_instance_turn(e, n);
        if (g.slot >= 0 && hd_ask_group_model(e, g) == model) model = -1;
        return hd_act_unload(e, n, chance(w, 20) ? -1 : model);
    case 5:
    case 6:
        return r.slot < 0 || hd_act_park(e, r, chance(w, 70));
    case 7:
        if (!chance(w, 15)) return true;
        {
            /* a group's model must go on fitting */
            bool shared = w->shares && hd_ask_instance(e, n).share < 1 && chance(w, 60);
            double kv = chance(w, 50) ? 0 : 4000 + draw(w, 100000), memory = 0;
            for (int m = 0; shared && m < w->models; m++)
                memory = fmax(memory, (double)hd_ask_model(e, m).weights_bytes);
            if (shared) memory += 1000 + draw(w, 60000);
            return hd_act_limit(e, n, kv, memory);
        }
    case 8:
        if (!chance(w, 30) ||
            hd_ask_count(e, hd_ask_role(e, wanderer_role[0]), HD_ALL) +
                    hd_ask_count(e, hd_ask_role(e, wanderer_role[1]), HD_ALL) <
                2)
            return true;
        return hd_act_dissolve(e, n, chance(w, 50));
    case 9:
        return form_some(w, e, true);
    case 10:
    case 11:
        return move_group(w, e);
    case 12:
        return merge_groups(w, e);
    case 13:
        g = some_group(w, e, n, true);
        return g.slot < 0 || hd_act_split(e, g, draw(w, 100), &rest);
    case 14: {
        int node = draw(w, hd_ask_nodes(e));
        bool keep = chance(w, 40) && hd_ask_node_dram_free(e, node) >=
                                         hd_ask_model(e, model).weights_bytes;
        return hd_act_cache(e, node, model, keep);
    }
    case 15:
        if (r.slot < 0) return true;
        return hd_act_hold(e, r) && hd_act_after(e, some_time(w, 100), -1);
    case 16:
        if (r.slot < 0) return true;
        return !chance(w, hd_ask_request_kv(e, r) == HD_KV_MOVING ? 80 : 20) ||
               hd_act_reject(e, r);
    case 17:
        return hd_act_after(e, some_time(w, 100), n);
    case 18:
        if (closing(e, n) || !chance(w, 20)) return true;
        return hd_act_group(e, n, model).slot >= 0;
    default:
        return r.slot < 0 || place(w, e, r);
    }
}

static bool prefetch(struct wanderer *w, struct hd_engine *e, int n,
                     struct hd_grp runs) {
    struct hd_grp next = some_group(w, e, n, true);
    if (next.slot < 0 || hd_ask_group_model(e, next) == hd_ask_group_model(e, runs))
        return true;
    return hd_act_load(e, n, hd_ask_group_model(e, next)) >= 0;
}

/* A turn for a resting instance, if one of its groups has anything to run. */
static bool give_turn(struct wanderer *w, struct hd_engine *e, int n) {
    struct hd_grp group[WANDERER_MOST];
    if (hd_ask_instance(e, n).groups > WANDERER_MOST) return true;
    int count = hd_ask_instance_groups(e, n, chance(w, 50), group), kept = 0;
    for (int g = 0; g < count; g++)
        if (hd_ask_group_size(e, group[g])) group[kept++] = group[g];
    if (kept == 0) return true;
    struct hd_grp g = group[chance(w, 60) ? 0 : draw(w, kept)];
    int waiting = hd_ask_group_waiting(e, g), ready = hd_ask_group_size(e, g) - waiting;
    struct hd_turn t = HD_TURN;
    if (w->prefills && waiting && chance(w, 50))
        t.prefill = 1 + draw(w, 4);
    else if (w->prefills && ready && chance(w, 10))
        t.prefill = 0;
    if (w->quanta && chance(w, 70)) {
        t.for_s = some_time(w, chance(w, 50) ? 3 : 60);
        t.strict = chance(w, 30);
    }
    t.out = (enum hd_out)draw(w, 3);
    if (chance(w, 20)) t.max = 1 + draw(w, 8);
    if (w->chunks && chance(w, 40)) t.chunk = chance(w, 20) ? -1 : 1 + draw(w, 64);
    if (!hd_act_run(e, n, g, &t)) return false;
    return !chance(w, 40) || prefetch(w, e, n, g);
}

/* ---- callbacks ----------------------------------------------------------- */

static bool on_start(void *state, struct hd_engine *e, const char **reason) {
    struct wanderer *w = state;
    (void)reason;
    hd_ask_role(e, wanderer_role[0]);
    hd_ask_role(e, wanderer_role[1]);
    int most = chance(w, 70) ? 100 : 1 + draw(w, 3);
    for (int n = 0; n < most && hd_ask_free_gpus(e) > 0; n++)
        if (!form_some(w, e, false)) return false;
    for (int n = draw(w, 8); w->shares && n > 0; n--)
        if (!form_some(w, e, true)) return false;
    for (int n = 0; n < hd_ask_instances(e); n++)
        if (chance(w, 50) && hd_act_load(e, n, draw(w, w->models)) < 0) return false;
    return true;
}

static bool on_arrive(void *state, struct hd_engine *e, struct hd_req r) {
    struct wanderer *w = state;
    note(w, e, 1, hd_ask_request_id(e, r));
    if (w->mischief && chance(w, 10) && !misbehave(w, e)) return false;
    if (!hd_ask_request_known(e, r) || hd_ask_request_state(e, r) != HD_REQ_HELD)
        return true;
    if (w->mischief && chance(w, 1)) return hd_act_reject(e, r);
    if (chance(w, w->follows ? 25 : 4)) return hd_act_after(e, some_time(w, 300), -1);
    return place(w, e, r);
}

static bool on_turn(void *state, struct hd_engine *e, int n, enum hd_why why,
                    struct hd_grp g) {
    struct wanderer *w = state;
    note(w, e, 2, n * 16 + (int)why);
    digest_add(&w->digest, (uint64_t)g.slot);
    if (w->mischief && chance(w, why == HD_WHY_FULL ? 50 : 6) && !misbehave(w, e))
        return false;
    if (!hd_ask_instance_alive(e, n) || hd_ask_instance_turn(e, n).slot >= 0)
        return true;
    if (why == HD_WHY_FULL && w->mischief && !release_held(w, e, 2)) return false;
    if (!hd_ask_instance_alive(e, n) || hd_ask_instance_turn(e, n).slot >= 0)
        return true;
    bool rest = why == HD_WHY_FULL ? chance(w, 75) : chance(w, 3);
    if (why == HD_WHY_FULL && tired(w)) return true;
    if (why == HD_WHY_FULL && chance(w, 60) && !hd_act_unload(e, n, -1)) return false;
    if (rest) return hd_act_after(e, some_time(w, 60), n);
    return give_turn(w, e, n);
}

static bool on_prefilled(void *state, struct hd_engine *e, struct hd_req r) {
    struct wanderer *w = state;
    note(w, e, 3, hd_ask_request_id(e, r));
    if (hd_ask_request_state(e, r) == HD_REQ_HELD) {
        if (chance(w, 5)) return hd_act_after(e, some_time(w, 50), -1);
        return place(w, e, r);
    }
    /* it decodes on; at this boundary it may still be taken out */
    if (w->mischief && chance(w, 6) && hd_ask_request_state(e, r) == HD_REQ_RUNNING)
        return place(w, e, r);
    return !w->mischief || !chance(w, 6) || misbehave(w, e);
}

static bool on_done(void *state, struct hd_engine *e, struct hd_req r) {
    struct wanderer *w = state;
    note(w, e, 4, hd_ask_request_id(e, r));
    wanderer_read_request(w, e, r);
    if (w->follows && chance(w, 80) && !release_held(w, e, 1)) return false;
    return !w->mischief || !chance(w, 10) || misbehave(w, e);
}

static bool on_timer(void *state, struct hd_engine *e, int64_t cookie) {
    struct wanderer *w = state;
    note(w, e, 5, cookie);
    if (tired(w)) return true;
    if (cookie < 0) {
        const struct hd_req *held;
        if (!release_held(w, e, 1 + draw(w, 4))) return false;
        return hd_ask_held(e, -1, &held) == 0 || hd_act_after(e, some_time(w, 100), -1);
    }
    int n = (int)cookie;
    if (!hd_ask_instance_alive(e, n) || hd_ask_instance_turn(e, n).slot >= 0)
        return true;
    if (hd_ask_instance(e, n).state != HD_INST_RESTING) return true;
    return give_turn(w, e, n);
}

static bool on_tick(void *state, struct hd_engine *e) {
    struct wanderer *w = state;
    note(w, e, 6, 0);
    if (tired(w)) return true;
    if (chance(w, 30) && !release_held(w, e, WANDERER_MOST)) return false;
    return !w->mischief || !chance(w, 40) || misbehave(w, e);
}

static bool on_fleet(void *state, struct hd_engine *e, enum hd_fleet_event event,
                     const int *gpus, int count) {
    struct wanderer *w = state;
    note(w, e, 7, (int64_t)event * 1000 + gpus[0] + count);
    if (event == HD_FLEET_DOWN) return true;
    bool none = some_instance(w, e, true) < 0;
    return !(none || chance(w, 60)) || hd_ask_free_gpus(e) == 0 ||
           form_some(w, e, !none);
}

static void on_forget_request(void *state, struct hd_req r) {
    struct wanderer *w = state;
    digest_add(&w->digest, (uint64_t)r.slot);
}

static void on_forget_group(void *state, struct hd_grp g) {
    struct wanderer *w = state;
    digest_add(&w->digest, (uint64_t)g.slot + 1000);
}

struct hd_policy wanderer_policy(struct wanderer *w) {
    return (struct hd_policy){.name = "wanderer",
                              .about = "anything goes",
                              .period_s = 0.001 * w->period_ms,
                              .state = w,
                              .start = on_start,
                              .arrive = on_arrive,
                              .turn = w->leaves_turns ? NULL : on_turn,
                              .prefilled = on_prefilled,
                              .done = on_done,
                              .timer = on_timer,
                              .tick = w->period_ms ? on_tick : NULL,
                              .fleet = on_fleet,
                              .forget_request = on_forget_request,
                              .forget_group = on_forget_group};
}
