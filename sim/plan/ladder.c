/* The world of two models, and its policy. */
#include "plan/ladder.h"

#include <string.h>

#include "measure/measure.h"

enum { LEAVES, COMES, MODELS };                     /* models */
enum { PREFILL_COMES = 1, PREFILL_LEAVES, SWITCH }; /* turns; the third is told */

/* Long enough that whatever is prefetched is there when it ends. */
static const double PREFILL_S = 1e5;

struct ladder {
    const struct hd_ladder_case *asked;
    struct hd_ladder_switch *told;
    struct hd_timing *timing;
    struct hd_grp group[MODELS];
    int next, turns;
    bool switched;
};

static const struct hd_timing *timing_of(void *context, int model, int kind, int tp,
                                         double share) {
    (void)model, (void)kind, (void)tp, (void)share;
    return ((struct ladder *)context)->timing;
}

/* All at once; a second token each, so that the batch that comes has one to decode. */
static int next_arrival(void *context, struct hd_arrival *a) {
    struct ladder *l = context;
    if (l->next == MODELS * l->asked->requests) return 0;
    *a = (struct hd_arrival){.model = l->next++ % MODELS,
                             .input_tokens = l->asked->tokens,
                             .output_tokens = 2};
    return 1;
}

static bool on_start(void *state, struct hd_engine *e, const char **reason) {
    struct ladder *l = state;
    (void)reason;
    if (hd_act_form(e, &(struct hd_form){
                           .role = "serve", .gpus = l->asked->tp, .node = -1}) != 0)
        return hd_act_fail(e, "no instance");
    for (int m = 0; m < MODELS; m++) l->group[m] = HD_NO_GRP;
    return true;
}

/* At its arrival, and again when it is prefilled: then its KV stays where it is. */
static bool joins(void *state, struct hd_engine *e, struct hd_req r) {
    struct ladder *l = state;
    int model = hd_ask_request_model(e, r);
    if (!hd_ask_group_open(e, l->group[model]))
        l->group[model] = hd_act_group(e, 0, model);
    return hd_act_join_group(e, r, l->group[model], HD_KV_PULL);
}

static bool on_turn(void *state, struct hd_engine *e, int instance, enum hd_why why,
                    struct hd_grp group) {
    struct ladder *l = state;
    struct hd_turn turn = HD_TURN;
    (void)group;
    if (why == HD_WHY_FULL)
        return hd_act_fail(e, "the models or their KV do not fit beside each other");
    int model = l->turns == 0 || l->turns == 2 ? COMES : LEAVES;
    if (!hd_ask_group_open(e, l->group[model])) return true; /* all are done */
    turn.prefill = l->turns < 2 ? l->asked->requests : -1;
    l->turns++;
    if (!hd_act_run(e, instance, l->group[model], &turn)) return false;
    return l->turns != PREFILL_LEAVES || hd_act_load(e, instance, COMES) >= 0;
}

static void seen(void *context, const struct hd_seen *s) {
    struct ladder *l = context;
    struct hd_ladder_switch *told = l->told;
    if (s->kind == HD_SEEN_STAGE && s->id == SWITCH && !l->switched) {
        told->stage[s->detail] += s->until - s->since;
        told->total += s->until - s->since;
    }
    bool loaded = s->kind == HD_SEEN_LOAD && s->model == COMES && !s->detail;
    if (loaded && l->turns == PREFILL_LEAVES) told->ahead = s->until - s->since;
    l->switched |= s->kind == HD_SEEN_DECODE && s->id == SWITCH;
}

bool hd_ladder_run(const struct hd_ladder_case *asked, bool step,
                   struct hd_ladder_switch *told, struct hd_err *err) {
    static const char *const name[MODELS] = {"leaves", "comes"};
    struct ladder l = {.asked = asked, .told = told};
    struct hd_run_model model[MODELS];
    memset(told, 0, sizeof *told);
    l.timing = hd_timing_plain(&(struct hd_plain_law){
        .step = HD_TICKS_PER_S, .prefill = hd_tick_from_s(PREFILL_S), .stretches = 1});
    for (int m = 0; m < MODELS; m++)
        model[m] = (struct hd_run_model){.name = name[m],
                                         .slo_class = name[m],
                                         .tp = asked->tp,
                                         .replicas = 1,
                                         .weights_bytes = asked->weights_bytes,
                                         .kv_token_bytes = asked->kv_token_bytes,
                                         .kv_heads = asked->kv_heads,
                                         .max_context = asked->tokens + 2,
                                         .ttft = HD_TICK_NEVER,
                                         .tbt = HD_TICK_NEVER};
    struct hd_gpu_kind kind = {.name = "gpu", .usable_bytes = asked->usable_bytes};
    struct hd_node_config node = {.gpus = asked->tp,
                                  .dram_bytes = asked->dram_bytes,
                                  .disk_bytes_per_s = asked->disk_bytes_per_s,
                                  .pcie_bytes_per_s = asked->pcie_bytes_per_s,
                                  .pcie_shared_by = 1};
    struct hd_observer observer = {&l, seen};
    struct hd_run_config c = {.model = model,
                              .models = MODELS,
                              .kind = &kind,
                              .kinds = 1,
                              .node = &node,
                              .nodes = 1,
                              .timing = timing_of,
                              .timing_context = &l,
                              .next = next_arrival,
                              .next_context = &l,
                              .switching = asked->switching,
                              .serving = hd_serving_default(),
                              .to = HD_TICK_NEVER,
                              .step = step,
                              .observer = &observer};
    c.serving.max_batch = asked->requests;
    c.serving.prefill_tokens = INT32_MAX;
    c.serving.watermark = 0;
    struct hd_policy policy = {.name = "ladder",
                               .state = &l,
                               .start = on_start,
                               .arrive = joins,
                               .prefilled = joins,
                               .turn = on_turn};
    int64_t requests[MODELS] = {asked->requests, asked->requests};
    int64_t tokens[MODELS] = {2 * (int64_t)asked->requests,
                              2 * (int64_t)asked->requests};
    struct hd_measure *m = hd_measure_new(
        &(struct hd_expected){MODELS, requests, tokens}, 0, HD_TICK_NEVER);
    enum hd_run_end end = hd_run(&c, &policy, m, NULL, err);
    int64_t done = m->finished[HD_STATUS_DONE];
    hd_measure_free(m);
    hd_timing_free(l.timing);
    if (end == HD_RUN_FAILED) return false;
    return done == MODELS * (int64_t)asked->requests ||
           hd_fail(err, "the models or their KV do not fit beside each other");
}
