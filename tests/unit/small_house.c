/* The small house of the engine's tests by hand, and its policy. */
#include "unit/small_house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct hd_timing *timing_of(void *context, int model, int kind, int tp,
                                         double share) {
    (void)model, (void)kind, (void)tp, (void)share;
    return ((struct house *)context)->timing;
}

static int next_arrival(void *context, struct hd_arrival *a) {
    struct house *h = context;
    if (h->next == h->arrivals) return 0;
    *a = h->arrival[h->next++];
    return 1;
}

static void note_end(void *context, const struct hd_finished *f) {
    ((struct house *)context)->finished[f->id] = *f;
}

void house_build(struct house *h) {
    memset(h, 0, sizeof *h);
    h->timing = hd_timing_plain(
        &(struct hd_plain_law){.step = MS, .prefill = MS, .stretches = 1});
    h->model = (struct hd_run_model){.name = "m",
                                     .slo_class = "m",
                                     .tp = 1,
                                     .weights_bytes = 1000,
                                     .kv_token_bytes = 1,
                                     .kv_heads = 1,
                                     .max_context = 1000,
                                     .ttft = 1000 * MS,
                                     .tbt = 10 * MS};
    h->kind = (struct hd_gpu_kind){.name = "gpu", .usable_bytes = 3000};
    for (int n = 0; n < HOUSE_INSTANCES; n++)
        h->node[n] = (struct hd_node_config){.gpus = 1,
                                             .dram_bytes = 1e6,
                                             .disk_bytes_per_s = 1e6,
                                             .pcie_bytes_per_s = 1e6,
                                             .pcie_shared_by = 1,
                                             .nvlink_bytes_per_s = 1e6,
                                             .nic_bytes_per_s = 1e6};
    struct hd_run_config *c = &h->config;
    c->model = &h->model;
    c->models = 1;
    c->kind = &h->kind;
    c->kinds = 1;
    c->node = h->node;
    c->nodes = HOUSE_INSTANCES;
    c->timing = timing_of;
    c->timing_context = h;
    c->next = next_arrival;
    c->next_context = h;
    c->failure = h->failure;
    c->switching = hd_switching_default();
    c->switching.placed = true;
    c->serving = hd_serving_default();
    c->sharing = hd_sharing_default();
    c->to = HD_TICK_NEVER;
}

void house_add(struct house *h, int at_ms, int input, int output, int home) {
    h->home[h->arrivals] = home;
    h->arrival[h->arrivals++] = (struct hd_arrival){
        .at = at_ms * MS, .input_tokens = input, .output_tokens = output};
}

static bool noted(struct house *h, struct hd_engine *e, const char *what, int64_t id) {
    assert_int_equal(h->depth, 0);
    h->depth++;
    if (hd_ask_now(e) == h->watched) {
        size_t used = strlen(h->log);
        snprintf(h->log + used, sizeof h->log - used, "%s %lld\n", what, (long long)id);
    }
    bool fine = !h->extra || h->extra(h, e, what, id);
    h->depth--;
    return fine;
}

static bool on_start(void *state, struct hd_engine *e, const char **reason) {
    struct house *h = state;
    (void)reason;
    for (int n = 0; n < h->forms; n++) {
        h->formed[n] = hd_act_form(e, &h->form[n]);
        if (h->formed[n] < -1) return false;
        if (h->formed[n] >= 0 && hd_act_load(e, h->formed[n], 0) < 0) return false;
    }
    for (int n = 0; n < HOUSE_INSTANCES && !h->forms; n++)
        if (hd_act_form(e, &(struct hd_form){.role = "serve", .node = n}) != n ||
            hd_act_load(e, n, 0) != 1)
            return false;
    return h->timer_s <= 0 || hd_act_after(e, h->timer_s, 77);
}

static bool on_arrive(void *state, struct hd_engine *e, struct hd_req r) {
    struct house *h = state;
    int64_t id = hd_ask_request_id(e, r);
    int home = h->home[id];
    if (!noted(h, e, "arrive", id)) return false;
    if (home < 0 || !hd_ask_instance_alive(e, home)) return true;
    return hd_act_join_instance(e, r, home, HD_KV_PULL);
}

static bool on_turn(void *state, struct hd_engine *e, int n, enum hd_why why,
                    struct hd_grp g) {
    struct house *h = state;
    char what[40];
    (void)g;
    snprintf(what, sizeof what, "turn %s", hd_why_name(why));
    if (!noted(h, e, what, n)) return false;
    if (why == HD_WHY_FULL) return true;
    struct hd_grp head = hd_ask_instance_head(e, n);
    if (head.slot < 0 || hd_ask_group_size(e, head) == 0) return true;
    struct hd_turn turn = HD_TURN;
    if (h->prefills_on_0 && n == 0) turn.prefill = 1;
    turn.for_s = h->quantum_s;
    turn.strict = h->quantum_s > 0;
    return hd_act_run(e, n, head, &turn);
}

static bool on_prefilled(void *state, struct hd_engine *e, struct hd_req r) {
    return noted(state, e, "prefilled", hd_ask_request_id(e, r));
}

static bool on_done(void *state, struct hd_engine *e, struct hd_req r) {
    ((struct house *)state)->last_state = hd_ask_request_state(e, r);
    return noted(state, e, "done", hd_ask_request_id(e, r));
}

static bool on_timer(void *state, struct hd_engine *e, int64_t cookie) {
    return noted(state, e, "timer", cookie);
}

static bool on_tick(void *state, struct hd_engine *e) {
    return noted(state, e, "tick", 0);
}

static bool on_fleet(void *state, struct hd_engine *e, enum hd_fleet_event event,
                     const int *gpus, int count) {
    (void)count;
    return noted(state, e, event == HD_FLEET_DOWN ? "down" : "up", gpus[0]);
}

enum hd_run_end house_run(struct house *h, bool step) {
    int64_t requests = h->arrivals, tokens = 0;
    for (int n = 0; n < h->arrivals; n++) tokens += h->arrival[n].output_tokens;
    struct hd_measure *m =
        hd_measure_new(&(struct hd_expected){1, &requests, &tokens}, 0, HD_TICK_NEVER);
    m->on_finished = note_end;
    m->on_finished_context = h;
    struct hd_policy policy = {.name = "orders",
                               .period_s = h->tick_s,
                               .state = h,
                               .start = on_start,
                               .arrive = on_arrive,
                               .turn = on_turn,
                               .prefilled = on_prefilled,
                               .done = on_done,
                               .timer = on_timer,
                               .tick = on_tick,
                               .fleet = on_fleet};
    h->next = 0;
    h->log[0] = 0;
    h->err.text[0] = 0;
    h->config.step = step;
    enum hd_run_end end = hd_run(&h->config, &policy, m, NULL, &h->err);
    memcpy(h->gpu_ticks, m->gpu_ticks, sizeof h->gpu_ticks);
    h->vram = m->vram;
    h->peak_dram_bytes = m->peak_dram_bytes;
    hd_measure_free(m);
    return end;
}
