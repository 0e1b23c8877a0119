/* What a policy may read. Pure: nothing here changes any result, and a field of a
 * running segment is computed from its closed form, never by cutting it. */
#include <gsl/gsl_rng.h>
#include <math.h>
#include <string.h>

#include "engine/parts.h"

const char *hd_ask_error(const struct hd_engine *e) {
    return e->err.text;
}
hd_tick hd_ask_now(const struct hd_engine *e) {
    return e->now;
}
int hd_ask_models(const struct hd_engine *e) {
    return e->config->models;
}
int hd_ask_nodes(const struct hd_engine *e) {
    return e->nodes;
}
int hd_ask_gpus(const struct hd_engine *e) {
    return e->gpus;
}
int hd_ask_free_gpus(const struct hd_engine *e) {
    return e->free_gpus;
}
int hd_ask_instances(const struct hd_engine *e) {
    return e->instances;
}
double hd_ask_random(struct hd_engine *e) {
    return gsl_rng_uniform(e->random);
}

const char *hd_why_name(enum hd_why why) {
    static const char *const name[] = {"started",     "prefilled", "quantum", "empty",
                                       "interrupted", "full",      "loaded",  "work"};
    return name[why];
}

const char *hd_request_state_name(enum hd_request_state state) {
    static const char *const name[] = {"held",     "waiting",   "ready",
                                       "running",  "prefill",   "done",
                                       "rejected", "timed out", "impossible"};
    return name[state];
}

const char *hd_instance_state_name(enum hd_instance_state state) {
    static const char *const name[] = {"starting", "resting", "turn", "closing"};
    return name[state];
}

static double limit_s(hd_tick t) {
    return t == HD_TICK_NEVER ? INFINITY : hd_s_from_tick(t);
}

/* ---- models -------------------------------------------------------------- */

struct hd_model_view hd_ask_model(const struct hd_engine *e, int model) {
    const struct hd_run_model *m = &e->config->model[model];
    return (struct hd_model_view){m->name,
                                  m->slo_class,
                                  m->gpu,
                                  m->tp > 0 ? m->tp : 1,
                                  m->replicas,
                                  m->weights_bytes,
                                  m->kv_token_bytes,
                                  limit_s(m->ttft),
                                  limit_s(m->tbt)};
}

int hd_ask_model_held(const struct hd_engine *e, int model) {
    return e->model[model].held.count;
}

double hd_ask_model_rate(const struct hd_engine *e, int model) {
    const struct hd_model_state *m = &e->model[model];
    return m->rate_weight * exp(-hd_s_from_tick(e->now - m->rate_at) / 60) / 60;
}

double hd_ask_model_mean_rate(const struct hd_engine *e, int model) {
    return e->config->model[model].mean_rate;
}

double hd_ask_model_mean_input(const struct hd_engine *e, int model) {
    return e->config->model[model].mean_input;
}

double hd_ask_model_mean_output(const struct hd_engine *e, int model) {
    return e->config->model[model].mean_output;
}

/* ---- requests ------------------------------------------------------------ */

bool hd_ask_request_known(const struct hd_engine *e, struct hd_req r) {
    return r.slot >= 0 && r.slot < e->requests && e->request[r.slot].serial == r.serial;
}

static const struct hd_instance *runs_on(const struct hd_engine *e,
                                         const struct hd_request *r) {
    return r->state == HD_REQ_RUNNING && r->group >= 0
               ? &e->instance[e->group[r->group].instance]
               : NULL;
}

/* Emitted by now: what was settled, its stay so far, and the running plan. */
static int64_t emitted(const struct hd_engine *e, const struct hd_request *r) {
    const struct hd_instance *i = runs_on(e, r);
    if (!i || e->step) return r->emitted;
    return r->emitted + i->batch.step - r->join_step + hd_batch_done_by(i, e->now);
}

int64_t hd_ask_request_id(const struct hd_engine *e, struct hd_req r) {
    return e->request[r.slot].id;
}
int hd_ask_request_model(const struct hd_engine *e, struct hd_req r) {
    return e->request[r.slot].model;
}
hd_tick hd_ask_request_arrival(const struct hd_engine *e, struct hd_req r) {
    return e->request[r.slot].arrival;
}
int hd_ask_request_input(const struct hd_engine *e, struct hd_req r) {
    return e->request[r.slot].input;
}
int hd_ask_request_output(const struct hd_engine *e, struct hd_req r) {
    return e->request[r.slot].output;
}
int hd_ask_request_tokens(const struct hd_engine *e, struct hd_req r) {
    return (int)emitted(e, &e->request[r.slot]);
}

int64_t hd_ask_request_context(const struct hd_engine *e, struct hd_req req) {
    const struct hd_request *r = &e->request[req.slot];
    return r->input + emitted(e, r);
}

double hd_ask_request_slack_s(const struct hd_engine *e, struct hd_req req) {
    const struct hd_request *r = &e->request[req.slot];
    const struct hd_run_model *m = &e->config->model[r->model];
    double due = limit_s(m->ttft) + hd_s_from_tick(hd_sent_at(r) - e->now);
    int64_t tokens = emitted(e, r);
    return tokens ? due + (double)tokens * limit_s(m->tbt) : due;
}

struct hd_grp hd_ask_request_group(const struct hd_engine *e, struct hd_req r) {
    const struct hd_request *q = &e->request[r.slot];
    return q->doomed ? q->left : hd_grp_of(e, q->group);
}
enum hd_request_state hd_ask_request_state(const struct hd_engine *e, struct hd_req r) {
    return (enum hd_request_state)e->request[r.slot].state;
}
enum hd_kv_place hd_ask_request_kv(const struct hd_engine *e, struct hd_req r) {
    const struct hd_request *q = &e->request[r.slot];
    return q->state == HD_REQ_PREFILL ? HD_KV_NONE : (enum hd_kv_place)q->kv;
}
int hd_ask_request_kv_at(const struct hd_engine *e, struct hd_req r) {
    return hd_ask_request_kv(e, r) == HD_KV_NONE ? -1 : e->request[r.slot].kv_at;
}
int hd_ask_request_retries(const struct hd_engine *e, struct hd_req r) {
    return e->request[r.slot].retries;
}

int hd_ask_prefix_block_tokens(const struct hd_engine *e) {
    return e->config->prefix_block_tokens;
}
int hd_ask_request_prefix(const struct hd_engine *e, struct hd_req r,
                          const uint64_t **out) {
    *out = e->prompt ? e->prompt[r.slot].chain : NULL;
    return e->prompt ? e->prompt[r.slot].chains : 0;
}

/* What a running plan has taken by now is gone from the cache, seen or not. */
int64_t hd_ask_cached_tokens(struct hd_engine *e, int instance, struct hd_req r) {
    struct hd_instance *i = &e->instance[instance];
    if (!i->cache) return 0;
    hd_prefix_trim(e, i);
    return hd_prefix_tokens(e, i, r.slot);
}

/* ---- groups -------------------------------------------------------------- */

bool hd_ask_group_open(const struct hd_engine *e, struct hd_grp g) {
    return g.slot >= 0 && g.slot < e->groups && e->group[g.slot].serial == g.serial &&
           e->group[g.slot].instance >= 0;
}
int hd_ask_group_instance(const struct hd_engine *e, struct hd_grp g) {
    return hd_ask_group_open(e, g) ? e->group[g.slot].instance : -1;
}
int hd_ask_group_model(const struct hd_engine *e, struct hd_grp g) {
    return e->group[g.slot].model;
}
int hd_ask_group_size(const struct hd_engine *e, struct hd_grp g) {
    return e->group[g.slot].size;
}
int hd_ask_group_waiting(const struct hd_engine *e, struct hd_grp g) {
    return e->group[g.slot].waiting.count;
}
int64_t hd_ask_group_waiting_tokens(const struct hd_engine *e, struct hd_grp g) {
    return e->group[g.slot].waiting_tokens;
}
bool hd_ask_group_started(const struct hd_engine *e, struct hd_grp g) {
    return e->group[g.slot].started;
}

/* Tokens of its running members, and those by their place in the last block. */
struct running {
    int64_t count, tokens;
    int64_t residue[HD_BLOCK_TOKENS];
};

static struct running running_of(const struct hd_engine *e, int group) {
    struct running all = {0};
    const struct hd_instance *i = &e->instance[e->group[group].instance];
    if (i->turn != group) return all;
    const struct hd_batch *b = &i->batch;
    if (e->step) {
        for (int m = 0; m < b->count; m++)
            all.residue[hd_kv_tokens(&e->request[b->member[m].slot]) %
                        HD_BLOCK_TOKENS]++;
        all.tokens = b->context;
    } else {
        int64_t done = hd_batch_done_by(i, e->now);
        for (int c = 0; c < HD_BLOCK_TOKENS; c++)
            all.residue[(c + b->step + done) & (HD_BLOCK_TOKENS - 1)] = b->residue[c];
        all.tokens = b->context + done * b->count;
    }
    all.count = b->count;
    for (int n = 0; n < i->prefilling_count + (i->chunking >= 0); n++) {
        int slot = n < i->prefilling_count ? i->prefilling[n] : i->chunking;
        int64_t tokens = (int64_t)e->request[slot].input + e->request[slot].emitted;
        all.residue[tokens % HD_BLOCK_TOKENS]++;
        all.tokens += tokens;
        all.count++;
    }
    return all;
}

int64_t hd_ask_group_context(const struct hd_engine *e, struct hd_grp g) {
    return e->group[g.slot].ready_context + running_of(e, g.slot).tokens;
}

/* sum of ceil(x/16) = (sum of x + what each lacks to a whole block) / 16 */
static int64_t blocks_with(const int64_t *residue, int64_t tokens, int64_t count,
                           int room) {
    int64_t padded = tokens + count * room;
    for (int c = 0; c < HD_BLOCK_TOKENS; c++)
        padded += residue[c] *
                  ((HD_BLOCK_TOKENS - (c + room) % HD_BLOCK_TOKENS) % HD_BLOCK_TOKENS);
    return padded / HD_BLOCK_TOKENS;
}

int64_t hd_ask_group_blocks(const struct hd_engine *e, struct hd_grp g) {
    struct running r = running_of(e, g.slot);
    return e->group[g.slot].ready_blocks + blocks_with(r.residue, r.tokens, r.count, 0);
}

struct hd_req hd_ask_group_first(const struct hd_engine *e, struct hd_grp g) {
    int best = -1;
    const struct hd_group *group = &e->group[g.slot];
    const struct hd_instance *i = &e->instance[group->instance];
    int candidate[2] = {group->waiting.count ? group->waiting.first : -1,
                        group->ready.count ? group->ready.first : -1};
    for (int n = 0; n < 2; n++)
        if (candidate[n] >= 0 &&
            (best < 0 || e->request[candidate[n]].id < e->request[best].id))
            best = candidate[n];
    for (int m = 0; i->turn == g.slot && m < i->batch.count; m++) {
        int slot = i->batch.member[m].slot;
        if (best < 0 || e->request[slot].id < e->request[best].id) best = slot;
    }
    for (int n = 0; i->turn == g.slot && n < i->prefilling_count; n++) {
        int slot = i->prefilling[n];
        if (best < 0 || e->request[slot].id < e->request[best].id) best = slot;
    }
    int chunking = i->turn == g.slot ? i->chunking : -1;
    if (chunking >= 0 && (best < 0 || e->request[chunking].id < e->request[best].id))
        best = chunking;
    return hd_req_of(e, best);
}

bool hd_ask_group_fits(const struct hd_engine *e, struct hd_grp g, struct hd_req req,
                       int room) {
    const struct hd_group *group = &e->group[g.slot];
    const struct hd_instance *i = &e->instance[group->instance];
    const struct hd_shape *s = &e->shape[i->shape];
    struct running all = running_of(e, g.slot);
    for (int c = 0; c < HD_BLOCK_TOKENS; c++) all.residue[c] += group->residue[c];
    all.tokens += group->ready_context + group->waiting_tokens;
    all.count += group->ready.count + group->waiting.count;
    if (room < 0) room = 0;
    if (all.count + (req.slot >= 0) > e->config->serving.max_batch) return false;
    int64_t need = blocks_with(all.residue, all.tokens, all.count, room);
    if (req.slot >= 0) need += hd_blocks_of(hd_ask_request_context(e, req) + room);
    int64_t bytes = s->usable - s->weight_bytes[group->model];
    if (i->kv_limit < bytes) bytes = i->kv_limit;
    return bytes >= 0 && need <= hd_pool_blocks(e, i->shape, group->model, bytes);
}

int hd_ask_group_members(const struct hd_engine *e, struct hd_grp g,
                         struct hd_req *out) {
    const struct hd_group *group = &e->group[g.slot];
    const struct hd_instance *i = &e->instance[group->instance];
    int count = 0;
    for (int s = group->waiting.count ? group->waiting.first : -1; s >= 0;
         s = e->request[s].next)
        out[count++] = hd_req_of(e, s);
    for (int s = group->ready.count ? group->ready.first : -1; s >= 0;
         s = e->request[s].next)
        out[count++] = hd_req_of(e, s);
    if (i->turn == g.slot) {
        for (int m = 0; m < i->batch.count; m++)
            out[count++] = hd_req_of(e, i->batch.member[m].slot);
        for (int n = 0; n < i->prefilling_count; n++)
            out[count++] = hd_req_of(e, i->prefilling[n]);
        if (i->chunking >= 0) out[count++] = hd_req_of(e, i->chunking);
    }
    for (int n = 1; n < count; n++) /* in order of arrival */
        for (int at = n;
             at > 0 && e->request[out[at - 1].slot].id > e->request[out[at].slot].id;
             at--) {
            struct hd_req swap = out[at];
            out[at] = out[at - 1];
            out[at - 1] = swap;
        }
    return count;
}

double hd_ask_step_s(const struct hd_engine *e, struct hd_grp g) {
    const struct hd_group *group = &e->group[g.slot];
    const struct hd_instance *i = &e->instance[group->instance];
    struct running all = running_of(e, g.slot);
    int64_t count = all.count + group->ready.count + group->waiting.count;
    int64_t tokens = all.tokens + group->ready_context + group->waiting_tokens, until;
    hd_tick slope;
    if (count == 0) count = 1;
    if (count > e->config->serving.max_batch) count = e->config->serving.max_batch;
    double whole = hd_s_from_tick(hd_timing_step(hd_timing_of(e, i, group->model),
                                                 (int)count, tokens, &slope, &until));
    if (i->sharing != HD_SHARE_SPACE) return whole;
    return hd_share_alone(e, i->kind, i->share, HD_BOUND_MEMORY, whole);
}
