/* Tells the observer what has ended. Called only where there is one. */
#include "engine/parts.h"

static void tell(struct hd_engine *e, struct hd_seen *s) {
    s->until = e->now;
    if (s->instance >= 0) {
        s->gpu = e->instance[s->instance].gpu;
        s->gpus = e->instance[s->instance].tp;
    }
    if (s->until > s->since) e->config->observer->seen(e->config->observer->context, s);
}

void hd_observe_phase(struct hd_engine *e, const struct hd_instance *i) {
    static const int kind[] = {[HD_PHASE_REST] = -1,
                               [HD_PHASE_STARTING] = HD_SEEN_START,
                               [HD_PHASE_SWITCH] = -1, /* told by its stages */
                               [HD_PHASE_KV] = -1,
                               [HD_PHASE_BOUNDARY] = -1,
                               [HD_PHASE_PREFILL] = HD_SEEN_PREFILL,
                               [HD_PHASE_MIXED] = HD_SEEN_MIXED,
                               [HD_PHASE_DECODE] = HD_SEEN_DECODE,
                               [HD_PHASE_STALL] = HD_SEEN_STALL};
    if (kind[i->phase] < 0) return;
    tell(e, &(struct hd_seen){.kind = (enum hd_seen_kind)kind[i->phase],
                              .since = i->phase_since,
                              .id = i->turns,
                              .model = i->turn < 0 ? -1 : e->group[i->turn].model,
                              .instance = hd_instance_number(e, i),
                              .requests = i->phase_requests});
}

void hd_observe_stage(struct hd_engine *e, const struct hd_instance *i) {
    tell(e, &(struct hd_seen){.kind = HD_SEEN_STAGE,
                              .detail = i->stage,
                              .since = i->stage_since,
                              .id = i->turns,
                              .model = i->model,
                              .instance = hd_instance_number(e, i)});
}

void hd_observe_turn(struct hd_engine *e, const struct hd_instance *i, int why) {
    tell(e, &(struct hd_seen){.kind = HD_SEEN_TURN,
                              .detail = why,
                              .since = i->turn_since,
                              .id = i->turns,
                              .model = i->model,
                              .instance = hd_instance_number(e, i),
                              .requests = i->turn < 0 ? 0 : e->group[i->turn].size});
}

void hd_observe_end(struct hd_engine *e, const struct hd_instance *i) {
    hd_observe_phase(e, i);
    if (i->phase == HD_PHASE_SWITCH || i->phase == HD_PHASE_KV) hd_observe_stage(e, i);
    if (i->turn >= 0) hd_observe_turn(e, i, -1);
}

void hd_observe_transfer(struct hd_engine *e, int transfer, bool broken_off) {
    static const enum hd_seen_kind kind[] = {[HD_MOVE_LOAD] = HD_SEEN_LOAD,
                                             [HD_MOVE_OUT] = HD_SEEN_KV_OUT,
                                             [HD_MOVE_IN] = HD_SEEN_KV_IN};
    const struct hd_transfer *t = &e->transfer[transfer];
    tell(e, &(struct hd_seen){.kind = kind[t->kind],
                              .detail = broken_off,
                              .since = t->since,
                              .id = transfer,
                              .model = t->model,
                              .instance = t->instance,
                              .requests = t->requests,
                              .bytes = t->bytes});
}

void hd_observe_request(struct hd_engine *e, const struct hd_request *r) {
    int instance = r->group >= 0 ? e->group[r->group].instance : -1;
    tell(e, &(struct hd_seen){.kind = HD_SEEN_REQUEST,
                              .detail = r->phase,
                              .since = r->phase_at,
                              .id = r->id,
                              .model = r->model,
                              .instance = instance});
}
