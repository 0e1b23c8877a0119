/* The policy interface: what a policy is to the engine, and what it may ask and
 * do. The Lua host and the policies written in C stand on this header alone.
 *
 * A policy moves groups of requests among instances and gives each free
 * instance its next turn. Callbacks never nest: what an action causes is queued
 * and runs after the callback returns, at the same instant.
 *
 * Order within an instant: fleet events, ends of iterations and of transfers
 * (then `done` and `prefilled`), arrivals in trace order, timers, tick, and last,
 * in order of instance number, `turn`. Every boundary at or before the instant
 * has happened when a callback looks.
 *
 * Errors: an `hd_act_*` that cannot be done returns false (or a null handle) and
 * leaves one line in hd_ask_error(); the policy returns false from its callback
 * and the run ends. Only hd_act_form and hd_act_load may refuse without error. */
#ifndef HD_ENGINE_POLICY_H
#define HD_ENGINE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/tick.h"

struct hd_engine;

/* Handles. A slot is used again after the object is gone; its serial is not, so
 * a stale handle is recognised. slot < 0 is "none". */
struct hd_req {
    int32_t slot, serial;
};
struct hd_grp {
    int32_t slot, serial;
};
#define HD_NO_REQ ((struct hd_req){-1, 0})
#define HD_NO_GRP ((struct hd_grp){-1, 0})

enum hd_why { /* why an instance has no turn */
              HD_WHY_STARTED,
              HD_WHY_PREFILLED,
              HD_WHY_QUANTUM,
              HD_WHY_EMPTY,
              HD_WHY_INTERRUPTED,
              HD_WHY_FULL,
              HD_WHY_LOADED,
              HD_WHY_WORK
};
const char *hd_why_name(enum hd_why why);

enum hd_fleet_event { HD_FLEET_DOWN, HD_FLEET_UP, HD_FLEET_FREE };

/* A policy. Callbacks return false when the policy itself failed (the reason is
 * then in hd_ask_error()); NULL where the policy has none. */
struct hd_policy {
    const char *name;
    const char *about;
    bool sees_output; /* oracle: "output" */
    bool sees_rates;  /* oracle: "rates" */
    double period_s;  /* of tick; 0: no tick */
    void *state;

    /* Time 0. May set *reason to a text that lives until the run ends: this
     * fleet cannot do, the run counts as failed at every attainment. */
    bool (*start)(void *state, struct hd_engine *, const char **reason);
    bool (*arrive)(void *state, struct hd_engine *, struct hd_req);
    bool (*turn)(void *state, struct hd_engine *, int instance, enum hd_why,
                 struct hd_grp);
    bool (*prefilled)(void *state, struct hd_engine *, struct hd_req);
    bool (*done)(void *state, struct hd_engine *, struct hd_req);
    bool (*timer)(void *state, struct hd_engine *, int64_t cookie);
    bool (*tick)(void *state, struct hd_engine *);
    bool (*fleet)(void *state, struct hd_engine *, enum hd_fleet_event, const int *gpus,
                  int count);
    /* The object is gone for good: drop what the host keeps for its handle. */
    void (*forget_request)(void *state, struct hd_req);
    void (*forget_group)(void *state, struct hd_grp);
};

/* ---- what a policy may ask: pure reads, no effect on any result ---------- */

const char *hd_ask_error(const struct hd_engine *);
/* Records why the policy failed (the first text wins); returns false. */
bool hd_act_fail(struct hd_engine *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Forgets that text: for a host that adds where in the script it happened and then
 * fails with the whole. */
void hd_act_forgive(struct hd_engine *);

hd_tick hd_ask_now(const struct hd_engine *);
int hd_ask_models(const struct hd_engine *); /* number; ids are 0 to n-1 */
int hd_ask_nodes(const struct hd_engine *);
int hd_ask_gpus(const struct hd_engine *);
int hd_ask_free_gpus(const struct hd_engine *);
int hd_ask_instances(const struct hd_engine *); /* ever formed; ids 0 to n-1 */
/* Deterministic random number in [0, 1) from the run's own stream. */
double hd_ask_random(struct hd_engine *);

struct hd_model_view {
    const char *name, *slo_class;
    const char *gpu; /* type asked for, or NULL */
    int tp, replicas;
    int64_t weights_bytes, kv_token_bytes; /* of the whole model */
    double ttft_s, tbt_s;                  /* infinity: no limit */
};
struct hd_model_view hd_ask_model(const struct hd_engine *, int model);
int hd_ask_model_held(const struct hd_engine *, int model);
double hd_ask_model_rate(const struct hd_engine *,
                         int model); /* arrivals/s, 60 s memory */
/* Oracle only: from the whole trace. */
double hd_ask_model_mean_rate(const struct hd_engine *, int model);
double hd_ask_model_mean_input(const struct hd_engine *, int model);
double hd_ask_model_mean_output(const struct hd_engine *, int model);

enum hd_request_state {
    HD_REQ_HELD,    /* in no group: the policy owes it a decision */
    HD_REQ_WAITING, /* in a group, to be prefilled (again) */
    HD_REQ_READY,   /* in a group, prefilled, not running */
    HD_REQ_RUNNING, /* in the batch of a running turn */
    HD_REQ_PREFILL, /* in a prefill that runs now */
    HD_REQ_DONE,
    HD_REQ_REJECTED,
    HD_REQ_TIMED_OUT,
    HD_REQ_IMPOSSIBLE
};
const char *hd_request_state_name(enum hd_request_state);

enum hd_kv_place { HD_KV_NONE, HD_KV_GPU, HD_KV_HOST, HD_KV_MOVING };

bool hd_ask_request_known(const struct hd_engine *,
                          struct hd_req); /* slot still its own */
int64_t hd_ask_request_id(const struct hd_engine *, struct hd_req);
int hd_ask_request_model(const struct hd_engine *, struct hd_req);
hd_tick hd_ask_request_arrival(const struct hd_engine *, struct hd_req);
int hd_ask_request_input(const struct hd_engine *, struct hd_req);
int hd_ask_request_output(const struct hd_engine *, struct hd_req); /* oracle only */
int hd_ask_request_tokens(const struct hd_engine *, struct hd_req); /* emitted by now */
int64_t hd_ask_request_context(const struct hd_engine *, struct hd_req);
double hd_ask_request_slack_s(const struct hd_engine *, struct hd_req);
/* Of a finished request (in `done`): the group that it was in, which may be closed. */
struct hd_grp hd_ask_request_group(const struct hd_engine *, struct hd_req);
enum hd_request_state hd_ask_request_state(const struct hd_engine *, struct hd_req);
enum hd_kv_place hd_ask_request_kv(const struct hd_engine *, struct hd_req);
/* Where its KV is: an instance (HD_KV_GPU), a node (HD_KV_HOST), else -1. */
int hd_ask_request_kv_at(const struct hd_engine *, struct hd_req);
int hd_ask_request_retries(const struct hd_engine *, struct hd_req);
/* What its prompt says, block by block of hd_ask_prefix_block_tokens tokens, the last
 * may be shorter: the n-th numbers of two requests are equal iff their prompts are, up
 * to the end of that block. *out belongs to the engine until the request is over; the
 * number of blocks, 0 where nothing is known. O(1). */
int hd_ask_request_prefix(const struct hd_engine *, struct hd_req,
                          const uint64_t **out);
int hd_ask_prefix_block_tokens(const struct hd_engine *); /* 0: of no request */

bool hd_ask_group_open(const struct hd_engine *, struct hd_grp);
int hd_ask_group_instance(const struct hd_engine *, struct hd_grp); /* -1 when closed */
int hd_ask_group_model(const struct hd_engine *, struct hd_grp);
int hd_ask_group_size(const struct hd_engine *, struct hd_grp);
int hd_ask_group_waiting(const struct hd_engine *, struct hd_grp);
int64_t hd_ask_group_waiting_tokens(const struct hd_engine *, struct hd_grp);
int64_t hd_ask_group_context(const struct hd_engine *, struct hd_grp);
int64_t hd_ask_group_blocks(const struct hd_engine *, struct hd_grp);
bool hd_ask_group_started(const struct hd_engine *, struct hd_grp); /* has had a turn */
struct hd_req hd_ask_group_first(const struct hd_engine *, struct hd_grp);
/* Room for req (NULL handle: none) and `room` tokens of growth for each member, of
 * whom there are no more than run together (max_batch). */
bool hd_ask_group_fits(const struct hd_engine *, struct hd_grp, struct hd_req,
                       int room);
/* Members in FCFS order into out (room for hd_ask_group_size); their number. */
int hd_ask_group_members(const struct hd_engine *, struct hd_grp, struct hd_req *out);

enum hd_instance_state {
    HD_INST_STARTING,
    HD_INST_RESTING,
    HD_INST_TURN,
    HD_INST_CLOSING
};
const char *hd_instance_state_name(enum hd_instance_state);

struct hd_instance_view {
    const char *role, *gpu; /* gpu: type */
    int node, tp;           /* tp = number of GPUs */
    double share;
    bool alive;
    enum hd_instance_state state;
    int64_t turns;
    int model; /* of the last turn, or -1 */
    int groups, requests, waiting;
    int64_t waiting_tokens;
    int tail_model, tail_size; /* -1 / 0 without groups, then tail_model = model */
    hd_tick rest_at;           /* since when it rests; -1: never used */
};
struct hd_instance_view hd_ask_instance(const struct hd_engine *, int instance);
bool hd_ask_instance_alive(const struct hd_engine *, int instance);
struct hd_grp hd_ask_instance_turn(const struct hd_engine *, int instance);
struct hd_grp hd_ask_instance_head(const struct hd_engine *, int instance);
double hd_ask_instance_queue_s(const struct hd_engine *, int instance);
int64_t hd_ask_instance_kv_total(const struct hd_engine *, int instance); /* bytes */
int64_t hd_ask_instance_kv_used(const struct hd_engine *, int instance);  /* bytes */
hd_tick hd_ask_instance_step_at(const struct hd_engine *, int instance);
int hd_ask_instance_gpus(const struct hd_engine *, int instance, int *out);
/* Open groups in queue order (by_model: those of one model side by side, in the
 * order of each model's first group); out has room for `groups`; their number. */
int hd_ask_instance_groups(const struct hd_engine *, int instance, bool by_model,
                           struct hd_grp *out);

int hd_ask_node_gpus(const struct hd_engine *, int node,
                     int *out); /* out may be NULL */
int hd_ask_node_free(const struct hd_engine *, int node);
int64_t hd_ask_node_dram_free(const struct hd_engine *, int node);
const char *hd_ask_node_tier(const struct hd_engine *, int node, int model);
int hd_ask_gpu_node(const struct hd_engine *, int gpu);
const char *hd_ask_gpu_type(const struct hd_engine *, int gpu);
int64_t hd_ask_gpu_free_bytes(const struct hd_engine *, int gpu); /* down: 0 */
/* What each process on it takes beside its memory, but the first. */
int64_t hd_ask_gpu_process_bytes(const struct hd_engine *, int gpu);
int hd_ask_gpu_instances(const struct hd_engine *, int gpu,
                         int *out); /* out may be NULL */

/* ---- host primitives ----------------------------------------------------- */

/* A filter: all instances of the role; those where a model is resident, loading
 * or queued; those that could ever hold a request; or both. */
struct hd_filter {
    int model;         /* >= 0: by model */
    struct hd_req req; /* slot >= 0: by request */
};
#define HD_ALL ((struct hd_filter){-1, {-1, 0}})

enum hd_key {
    HD_KEY_GROUPS,
    HD_KEY_REQUESTS,
    HD_KEY_WAITING,
    HD_KEY_WAITING_TOKENS,
    HD_KEY_QUEUE_S,
    HD_KEY_REST_AT, /* resting instances only; never used is first */
    HD_KEYS
};

/* Number of a role's name; roles come into being when first named. */
int hd_ask_role(struct hd_engine *, const char *name);
/* First open group of req's model on an instance of the role that is not closing,
 * by instance number then age, with fewer than max_waiting waiting and max_size
 * members (-1: any), and room for req plus `room` tokens of growth each (-1: any). */
struct hd_grp hd_ask_find(struct hd_engine *, struct hd_req, int role, int max_waiting,
                          int max_size, int room);
/* Instance with the least (most) key, ties to the lowest number; -1: none. */
int hd_ask_least(struct hd_engine *, int role, enum hd_key, struct hd_filter);
int hd_ask_most(struct hd_engine *, int role, enum hd_key, struct hd_filter);
int hd_ask_count(struct hd_engine *, int role, struct hd_filter);
/* Instances in order of number into *out, which the engine owns until the next
 * call; their number. */
int hd_ask_each(struct hd_engine *, int role, struct hd_filter, const int **out);
/* Held requests in order of arrival (model -1: all), as above. */
int hd_ask_held(struct hd_engine *, int model, const struct hd_req **out);

double hd_ask_prefill_s(const struct hd_engine *, int instance, int model,
                        int64_t tokens);
double hd_ask_step_s(const struct hd_engine *,
                     struct hd_grp); /* next step, whole group */
double hd_ask_switch_s(const struct hd_engine *, int instance,
                       int model);                                       /* from now */
double hd_ask_load_s(const struct hd_engine *, int instance, int model); /* cold */
double hd_ask_swap_s(const struct hd_engine *, int instance, int64_t tokens, int model);

/* Tokens of the request's prompt that a prefill on the instance would find cached if
 * it began now: 0 without a cache. O(blocks of its prompt in the trace). */
int64_t hd_ask_cached_tokens(struct hd_engine *, int instance, struct hd_req);

/* The same for an instance that does not exist, to plan a layout by: -1 with the
 * reason in hd_ask_error() if there can be no such instance. */
struct hd_layout {
    const char *type; /* of GPU */
    int tp;
    double share;
    int model;
};
double hd_ask_layout_prefill_s(struct hd_engine *, const struct hd_layout *,
                               int64_t tokens);
double hd_ask_layout_step_s(struct hd_engine *, const struct hd_layout *, int64_t batch,
                            int64_t context);
double hd_ask_layout_load_s(struct hd_engine *, const struct hd_layout *); /* cold */

/* ---- actions ------------------------------------------------------------- */

enum hd_share_way { HD_SHARE_DEFAULT, HD_SHARE_SPACE, HD_SHARE_TIME };

struct hd_form {
    const char *role;
    int gpus;             /* tensor-parallel degree; 0: 1 */
    const char *type;     /* GPU type, NULL: any */
    int node;             /* -1: any */
    const int *on;        /* the GPUs to take, or NULL */
    double share;         /* of the SMs; 0: 1 */
    double prefill_share; /* the same while it prefills; 0: as share */
    double kv_bytes;      /* 0: all there is */
    bool many;            /* weights = "many": several resident models */
    /* Shared instances: `on` may name GPUs that others of the same kind are on. A
     * share below 1 is shared in the run's way unless this says how. */
    enum hd_share_way sharing;
    /* On each GPU, for weights and KV; 0: shared, its share of the card's less a
     * process; else all there is. */
    double memory_bytes;
};
/* The new instance, -1 when there are no such GPUs, or no room on those named, for its
 * memory or its share; -2 on error. */
int hd_act_form(struct hd_engine *, const struct hd_form *);
bool hd_act_dissolve(struct hd_engine *, int instance, bool drain);
/* From the next boundary, or at once if it shares its GPUs and rests: so much KV at most (infinity: no limit), and so much memory
 * on each GPU (0: as it is). The memory of a shared instance grows as far as its GPUs
 * have room then, and shrinks as far as weights and KV let it, youngest members
 * preempted but one; that of others stays. */
bool hd_act_limit(struct hd_engine *, int instance, double kv_bytes,
                  double memory_bytes);
struct hd_grp hd_act_group(struct hd_engine *, int instance, int model);

enum hd_out { HD_OUT_HOST, HD_OUT_DROP, HD_OUT_LAZY };
struct hd_turn {
    int prefill;  /* -1: serve; 0: serve without prefilling; n: one prefill of <= n */
    double for_s; /* quantum; <= 0: none */
    bool strict;
    enum hd_out out;
    int max;   /* most running members; 0: the engine's cap */
    int chunk; /* tokens of a prefill chunk mixed into decode; 0: the engine's setting,
                  -1: whole prompts */
};
#define HD_TURN ((struct hd_turn){.prefill = -1})
bool hd_act_run(struct hd_engine *, int instance, struct hd_grp,
                const struct hd_turn *);
bool hd_act_interrupt(struct hd_engine *, int instance);
/* 1: loading or there already; 0: refused (memory); -1: error. */
int hd_act_load(struct hd_engine *, int instance, int model);
bool hd_act_unload(struct hd_engine *, int instance,
                   int model); /* model -1: all idle */

enum hd_kv_move { HD_KV_PULL, HD_KV_PUSH, HD_KV_LIVE, HD_KV_DROP };
bool hd_act_join_group(struct hd_engine *, struct hd_req, struct hd_grp,
                       enum hd_kv_move);
/* Its tail group if the model agrees, else a new group behind it. */
bool hd_act_join_instance(struct hd_engine *, struct hd_req, int instance,
                          enum hd_kv_move);
bool hd_act_hold(struct hd_engine *, struct hd_req);
bool hd_act_reject(struct hd_engine *, struct hd_req);
bool hd_act_park(struct hd_engine *, struct hd_req, bool to_host); /* else drop */
struct hd_grp hd_act_move(struct hd_engine *, struct hd_grp, int instance);
/* Takes over the oldest of `other` that fit with `room` tokens each; *rest is
 * `other`, or none when that was emptied. */
bool hd_act_merge(struct hd_engine *, struct hd_grp, struct hd_grp other, int room,
                  struct hd_grp *rest);
/* Moves what does not fit into a new group behind this one; *rest is it, or none. */
bool hd_act_split(struct hd_engine *, struct hd_grp, int room, struct hd_grp *rest);
bool hd_act_cache(struct hd_engine *, int node, int model, bool keep);
/* timer(cookie) after `seconds`. */
bool hd_act_after(struct hd_engine *, double seconds, int64_t cookie);

#endif
