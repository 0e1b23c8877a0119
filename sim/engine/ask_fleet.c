/* What a policy may read of instances, nodes and GPUs, and estimates. */
#include <string.h>

#include "engine/parts.h"

struct hd_instance_view hd_ask_instance(const struct hd_engine *e, int instance) {
    const struct hd_instance *i = &e->instance[instance];
    int tail = i->alive ? i->last_group : -1;
    return (struct hd_instance_view){
        .role = e->role[i->role].name,
        .gpu = e->config->kind[i->kind].name,
        .node = i->node,
        .tp = i->tp,
        .share = i->share,
        .alive = i->alive,
        .state = i->closing                      ? HD_INST_CLOSING
                 : i->phase == HD_PHASE_STARTING ? HD_INST_STARTING
                 : i->turn >= 0                  ? HD_INST_TURN
                                                 : HD_INST_RESTING,
        .turns = i->turns,
        .model = i->model,
        .groups = i->groups,
        .requests = i->requests,
        .waiting = i->waiting,
        .waiting_tokens = i->waiting_tokens,
        .tail_model = tail >= 0 ? e->group[tail].model : i->model,
        .tail_size = tail >= 0 ? e->group[tail].size : 0,
        .rest_at = i->rest_at};
}

bool hd_ask_instance_alive(const struct hd_engine *e, int instance) {
    return e->instance[instance].alive;
}
struct hd_grp hd_ask_instance_turn(const struct hd_engine *e, int instance) {
    return hd_grp_of(e, e->instance[instance].turn);
}
struct hd_grp hd_ask_instance_head(const struct hd_engine *e, int instance) {
    const struct hd_instance *i = &e->instance[instance];
    return i->alive ? hd_grp_of(e, i->first_group) : HD_NO_GRP;
}

/* Waiting prefills, and a load wherever the model changes along the queue. */
double hd_ask_instance_queue_s(const struct hd_engine *e, int instance) {
    const struct hd_instance *i = &e->instance[instance];
    double seconds = 0;
    int model = i->model;
    for (int n = i->alive ? i->first_group : -1; n >= 0; n = e->group[n].next) {
        const struct hd_group *g = &e->group[n];
        int64_t count = g->waiting.count;
        if (g->size == 0) continue;
        if (g->model != model) seconds += hd_ask_load_s(e, instance, g->model);
        model = g->model;
        if (count)
            seconds += (double)count *
                       hd_ask_prefill_s(e, instance, model, g->waiting_tokens / count);
    }
    return seconds;
}

int64_t hd_ask_instance_kv_total(const struct hd_engine *e, int instance) {
    const struct hd_instance *i = &e->instance[instance];
    (void)e;
    int64_t room = i->usable - i->weights;
    return (room < i->kv_limit ? room : i->kv_limit) * i->tp;
}
int64_t hd_ask_instance_kv_used(const struct hd_engine *e, int instance) {
    const struct hd_instance *i = &e->instance[instance];
    return hd_kv_held(e, i) * i->tp;
}
hd_tick hd_ask_instance_step_at(const struct hd_engine *e, int instance) {
    const struct hd_instance *i = &e->instance[instance];
    int64_t done = hd_batch_done_by(i, e->now);
    return done ? i->batch.start + hd_batch_time(&i->batch, done) : i->step_at;
}
int hd_ask_instance_gpus(const struct hd_engine *e, int instance, int *out) {
    const struct hd_instance *i = &e->instance[instance];
    for (int g = 0; out && g < i->tp; g++) out[g] = i->gpu[g];
    return i->tp;
}

int hd_ask_instance_groups(const struct hd_engine *e, int instance, bool by_model,
                           struct hd_grp *out) {
    const struct hd_instance *i = &e->instance[instance];
    int count = 0;
    for (int g = i->alive ? i->first_group : -1; g >= 0; g = e->group[g].next)
        out[count++] = hd_grp_of(e, g);
    if (!by_model) return count;
    for (int n = 1; n < count; n++) { /* behind the last of its model, if any */
        int at = n;
        while (at > 0 &&
               e->group[out[at - 1].slot].model != e->group[out[n].slot].model)
            at--;
        if (at == 0) continue;
        struct hd_grp moved = out[n];
        memmove(out + at + 1, out + at, sizeof *out * (size_t)(n - at));
        out[at] = moved;
    }
    return count;
}

int hd_ask_node_gpus(const struct hd_engine *e, int node, int *out) {
    const struct hd_node *n = &e->node[node];
    for (int g = 0; out && g < n->gpus; g++) out[g] = n->first_gpu + g;
    return n->gpus;
}
int hd_ask_node_free(const struct hd_engine *e, int node) {
    return e->node[node].free;
}
int64_t hd_ask_node_dram_free(const struct hd_engine *e, int node) {
    return e->node[node].dram - e->node[node].dram_used;
}
const char *hd_ask_node_tier(const struct hd_engine *e, int node, int model) {
    static const char *const name[] = {
        [HD_TIER_HOST] = "dram", [HD_TIER_DISK] = "disk", [HD_TIER_REMOTE] = "remote"};
    return name[hd_tier_of(e, node, model)];
}
int hd_ask_gpu_node(const struct hd_engine *e, int gpu) {
    return e->gpu[gpu].node;
}
const char *hd_ask_gpu_type(const struct hd_engine *e, int gpu) {
    return e->config->kind[e->gpu[gpu].kind].name;
}
int64_t hd_ask_gpu_free_bytes(const struct hd_engine *e, int gpu) {
    const struct hd_gpu *g = &e->gpu[gpu];
    const struct hd_gpu_kind *kind = &e->config->kind[g->kind];
    if (g->instance < 0) return g->up ? kind->usable_bytes : 0;
    const struct hd_instance *i = &e->instance[g->instance];
    if (i->sharing) { /* for one more process */
        int64_t left = kind->usable_bytes - g->shared->taken - kind->process_bytes;
        return left > 0 ? left : 0;
    }
    return hd_free_bytes(e, i);
}
int64_t hd_ask_gpu_process_bytes(const struct hd_engine *e, int gpu) {
    return e->config->kind[e->gpu[gpu].kind].process_bytes;
}
int hd_ask_gpu_instances(const struct hd_engine *e, int gpu, int *out) {
    const struct hd_gpu *g = &e->gpu[gpu];
    if (g->instance < 0) return 0;
    bool shared = e->instance[g->instance].sharing != HD_SHARE_DEFAULT;
    int count = shared ? g->shared->tenants : 1;
    for (int n = 0; out && n < count; n++)
        out[n] = shared ? g->shared->tenant[n] : g->instance;
    return count;
}

/* ---- estimates ----------------------------------------------------------- */

double hd_ask_prefill_s(const struct hd_engine *e, int instance, int model,
                        int64_t tokens) {
    if (tokens <= 0) return 0;
    const struct hd_instance *i = &e->instance[instance];
    double whole = hd_s_from_tick(
        hd_timing_prefill(hd_timing_of(e, i, model), tokens, 1, tokens * tokens, 0, 0));
    if (i->sharing != HD_SHARE_SPACE) return whole;
    return hd_share_alone(e, i->kind, i->prefill_share, HD_BOUND_COMPUTE, whole);
}

double hd_ask_load_s(const struct hd_engine *e, int instance, int model) {
    const struct hd_instance *i = &e->instance[instance];
    double rate = e->link[e->gpu_link_in[i->gpu[0]]].bytes_per_s;
    return e->config->switching.reinit_s +
           (double)e->shape[i->shape].weight_bytes[model] / rate;
}

double hd_ask_switch_s(const struct hd_engine *e, int instance, int model) {
    const struct hd_instance *i = &e->instance[instance];
    if (hd_residence(i, model) == HD_RESIDENT)
        return i->model == model ? 0 : e->config->switching.reinit_s;
    return hd_ask_load_s(e, instance, model);
}

double hd_ask_swap_s(const struct hd_engine *e, int instance, int64_t tokens,
                     int model) {
    const struct hd_instance *i = &e->instance[instance];
    double own = e->config->switching.kv_in_s_per_token;
    if (own > 0) return own * (double)tokens;
    double per_token = (double)e->shape[i->shape].block_bytes[model] / HD_BLOCK_TOKENS;
    return per_token * (double)tokens / e->link[e->gpu_link_in[i->gpu[0]]].bytes_per_s;
}
