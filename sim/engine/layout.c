/* Estimates for instances that do not exist: how a policy weighs one layout of its
 * fleet against another. */
#include <string.h>

#include "engine/parts.h"

/* The shape, or -1 with the reason. */
static int shape_of(struct hd_engine *e, const struct hd_layout *l) {
    const struct hd_run_config *c = e->config;
    int kind = 0;
    while (kind < c->kinds && strcmp(c->kind[kind].name, l->type) != 0) kind++;
    if (kind == c->kinds) {
        hd_act_fail(e, "estimate: no GPU type '%s' in this fleet", l->type);
        return -1;
    }
    if (l->tp < 1 || l->tp > HD_GPUS_PER_INSTANCE_MAX) {
        hd_act_fail(e, "estimate: %d GPUs; expected 1 to %d", l->tp,
                    HD_GPUS_PER_INSTANCE_MAX);
        return -1;
    }
    if (!(l->share > 0 && l->share <= 1)) {
        hd_act_fail(e, "estimate: share %g; expected more than 0, at most 1", l->share);
        return -1;
    }
    int shape = hd_shape_of(e, kind, l->tp, c->kind[kind].usable_bytes, INT64_MAX);
    if (e->shape[shape].weight_bytes[l->model] < e->shape[shape].usable) return shape;
    hd_act_fail(e, "estimate: %s does not fit on %d %s", c->model[l->model].name, l->tp,
                l->type);
    return -1;
}

double hd_ask_layout_prefill_s(struct hd_engine *e, const struct hd_layout *l,
                               int64_t tokens) {
    int shape = shape_of(e, l);
    if (shape < 0) return -1;
    if (tokens <= 0) return 0;
    double whole = hd_s_from_tick(hd_timing_prefill(e->shape[shape].timing[l->model],
                                                    tokens, 1, tokens * tokens, 0, 0));
    return hd_share_alone(e, e->shape[shape].kind, l->share, HD_BOUND_COMPUTE, whole);
}

double hd_ask_layout_step_s(struct hd_engine *e, const struct hd_layout *l,
                            int64_t batch, int64_t context) {
    int shape = shape_of(e, l);
    if (shape < 0) return -1;
    int64_t most = e->config->serving.max_batch, until;
    hd_tick slope;
    if (batch < 1) batch = 1;
    if (batch > most) batch = most;
    double whole =
        hd_s_from_tick(hd_timing_step(e->shape[shape].timing[l->model], (int)batch,
                                      context > 0 ? context : 0, &slope, &until));
    return hd_share_alone(e, e->shape[shape].kind, l->share, HD_BOUND_MEMORY, whole);
}

double hd_ask_layout_load_s(struct hd_engine *e, const struct hd_layout *l) {
    int shape = shape_of(e, l);
    if (shape < 0) return -1;
    const struct hd_run_config *c = e->config;
    int node = 0; /* the first of that kind */
    while (c->node[node].kind != e->shape[shape].kind && node < c->nodes - 1) node++;
    return c->switching.reinit_s + (double)e->shape[shape].weight_bytes[l->model] /
                                       c->node[node].pcie_bytes_per_s;
}
