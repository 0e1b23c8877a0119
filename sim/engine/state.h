/* The engine's own data: what every file of this room shares, and nobody else
 * includes. Objects are slots in arrays, links are slot numbers, -1 is none. */
#ifndef HD_ENGINE_STATE_H
#define HD_ENGINE_STATE_H

#include <gsl/gsl_rng.h>

#include "base/index_heap.h"
#include "base/mem.h"
#include "engine/engine.h"

enum { HD_BLOCK_TOKENS = 16, HD_GPUS_PER_INSTANCE_MAX = 64, HD_LAST_CALLS = 10 };

#ifdef HD_CHECKED
#include <stdio.h>
#define HD_CHECK(condition)                                                            \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "hotdesk: invariant broken at %s:%d: %s\n", __FILE__,      \
                    __LINE__, #condition);                                             \
            abort();                                                                   \
        }                                                                              \
    } while (0)
#else
#define HD_CHECK(condition) ((void)0)
#endif

/* ---- requests ---------------------------------------------------------------- */

struct hd_score { /* metric T and Q, carried from token to token */
    int32_t on_time, last_miss;
    hd_tick start;  /* of the artifact's current interval, relative to arrival */
    hd_wide earned; /* time that counted, over the closed intervals */
};

struct hd_plain_score { /* the same by the artifact's own loop: the step twin's */
    int32_t on_time;
    hd_wide start, acc, target, qos;
};

struct hd_request {
    int64_t id;
    int32_t serial, model, input, output, emitted; /* emitted: when last settled */
    uint8_t state, kv, phase;
    bool measured, doomed;      /* doomed: over, but a transfer still holds the slot */
    bool in_callback, computed; /* a `done` is queued; has had its first prefill */
    int32_t group, prev, next;  /* place in its group's list, or among the held */
    struct hd_grp left;         /* doomed: the group that it was in */
    int32_t kv_at;              /* instance (GPU, or where it moves to) or node */
    int32_t kv_from, kv_home;   /* while it moves in: instance, or node, it leaves */
    int32_t kv_prev, kv_next;   /* among the idle KV of an instance */
    int32_t transfer;
    int32_t retries, preempted, instance;
    hd_tick arrival, first_token, last_token, gap_longest;
    /* the present stay in a batch */
    int64_t join_step, peak_after, join_order, first_piece;
    hd_tick join_at, stall_base;
    union {
        struct hd_score fast;
        struct hd_plain_score plain;
    } score;
    hd_tick blame[HD_BLAMES], phase_at, base_switch, base_kv;
};

/* ---- groups ------------------------------------------------------------------ */

struct hd_list {
    int32_t first, last, count;
};

struct hd_group {
    int32_t serial, model, instance; /* instance -1: closed */
    int32_t size;                    /* members, wherever they are */
    int32_t prev, next;              /* in the instance's queue */
    int32_t model_prev, model_next;  /* among the open groups of its model */
    int64_t age;                     /* order of creation */
    bool had_members, started;
    struct hd_list waiting, ready; /* in order of request id */
    int64_t waiting_tokens, ready_context, ready_blocks;
    int32_t residue[HD_BLOCK_TOKENS]; /* both lists: members by tokens mod 16 */
    hd_tick switch_time, kv_time;     /* its turns spent in these stages so far */
};

/* ---- batches ------------------------------------------------------------------- */

struct hd_member {
    int64_t finish; /* batch step after which it is done */
    int64_t order;  /* of joining: ties, and who is youngest */
    int32_t slot;
    hd_tick bound; /* on time at step s iff F(s) <= bound (README, metric T) */
};

struct hd_piece { /* steps whose F exceeded somebody's bound */
    hd_tick start, tau, delta, low, high;
    int64_t step, steps;
};

struct hd_peak { /* a gap that no later one has reached yet */
    int64_t step;
    hd_tick gap;
};

struct hd_batch {
    int count, measured;
    int64_t step, context, blocks;
    int64_t orders;
    hd_tick last_at; /* when the members other than the fresh emitted last */
    hd_tick stall;   /* time that members stood still, in all */
    /* the plan: steps of tau, tau + delta, ... from start */
    hd_tick start, tau, delta;
    int64_t steps;
    struct hd_member *member; /* fast: a heap by (finish, order); step: a plain list */
    int member_capacity;
    /* fast mode only */
    int32_t residue[HD_BLOCK_TOKENS]; /* members by (L - step) mod 16 at joining */
    hd_tick least_bound;
    int32_t *fresh; /* joined since the last settled plan */
    int fresh_count, fresh_capacity;
    int fresh_measured;
    struct hd_piece *piece; /* pieces first_piece .. next_piece - 1, in a ring */
    int piece_capacity;
    int64_t first_piece, next_piece;
    struct hd_peak *peak;
    int peaks, peak_capacity;
};

/* ---- instances ------------------------------------------------------------------ */

enum hd_phase {
    HD_PHASE_REST,
    HD_PHASE_STARTING, /* engine start-up */
    HD_PHASE_SWITCH,   /* turn given, weights not there yet */
    HD_PHASE_KV,       /* waits for KV to come (back) */
    HD_PHASE_BOUNDARY, /* between iterations: to be planned at the end of the instant */
    HD_PHASE_PREFILL,
    HD_PHASE_MIXED,
    HD_PHASE_DECODE,
    HD_PHASE_STALL /* nothing to run, something on its way */
};

enum hd_residence { HD_ABSENT, HD_LOADING, HD_RESIDENT };

struct hd_resident {
    int32_t model;
    uint8_t state;
    bool demanded; /* a turn waits for it, or has */
    int32_t transfer;
};

struct hd_instance {
    int32_t role, kind, node, tp, shape;
    double share;
    int32_t gpu[HD_GPUS_PER_INSTANCE_MAX];
    bool alive, closing, dissolve, many, limits;
    int64_t pending_round;
    int64_t kv_wanted;  /* a limit that takes effect at the next boundary */
    uint8_t phase, why; /* why: of the pending turn callback */
    bool wants_turn;    /* a turn callback is due */
    struct hd_grp why_group;
    /* groups in queue order */
    int32_t first_group, last_group, groups;
    int32_t requests, waiting, with_work; /* with_work: groups that have members */
    int64_t waiting_tokens;
    /* memory, bytes per GPU */
    int64_t usable, weights, kv, kv_limit;
    struct hd_resident *resident;
    int residents, resident_capacity;
    int32_t idle_kv_first, idle_kv_last; /* requests not running with KV here */
    int transfers_in, transfers_out;     /* of KV, under way */
    /* the turn */
    int32_t turn; /* group, -1: none */
    int64_t turns, turn_iterations;
    int32_t model; /* of the last turn */
    struct hd_turn option;
    hd_tick for_ticks, first_iteration, phase_since, stage_since;
    bool interrupt, reinit_done, prefill_done;
    int32_t prefetch;    /* model to load once the turn's own switch is done, -1 */
    int32_t *prefilling; /* requests of the running prefill */
    int prefilling_count, prefilling_capacity;
    int32_t chunking, chunk_done, chunk_now; /* chunked prefill: request, tokens */
    hd_tick rest_at, step_at;
    struct hd_batch batch;
    /* use of GPU time */
    uint8_t use;
    hd_tick use_since;
    int32_t *set_place; /* place in the index heaps of its shape */
};

/* ---- links and transfers ------------------------------------------------------- */

struct hd_job {
    hd_wide target; /* virtual time at which it is done */
    int32_t transfer;
    int64_t order;
};

struct hd_link { /* processor sharing: n jobs each progress at 1/n */
    double bytes_per_s;
    bool delay; /* a pure delay: jobs do not share */
    hd_wide virtual_now;
    hd_tick last;
    struct hd_job *job; /* heap by (target, order) */
    int jobs, capacity;
    int64_t orders;
};

enum hd_transfer_kind { HD_MOVE_LOAD, HD_MOVE_OUT, HD_MOVE_IN };

struct hd_transfer {
    uint8_t kind;
    bool cancelled, from_disk;
    int32_t instance, model, parts; /* parts: jobs not done yet */
    int32_t *request; /* slots; one counts only while its `transfer` is this */
    int requests, capacity, next_free;
};

/* ---- the machine room ------------------------------------------------------------ */

struct hd_gpu {
    int32_t node, kind;
    bool up;
    int32_t instance; /* -1: free */
};

struct hd_cached { /* a model's weights in a node's DRAM */
    bool there, pinned;
    int64_t used_at;
};

struct hd_node {
    int32_t kind, first_gpu, gpus, free;
    int64_t dram, dram_used, host_kv; /* bytes; dram_used includes host_kv */
    int32_t disk, nvlink, nic, delay; /* links */
    struct hd_cached *cached;         /* per model */
};

struct hd_model_state {
    struct hd_list held;
    int32_t first_group, last_group; /* open, by (instance, age) */
    int32_t active;                  /* requests in the system */
    double rate_weight;
    hd_tick rate_at;
    int32_t *holder; /* instances where it is resident, loading or queued, by number */
    int32_t *holder_uses;
    int holders, holder_capacity;
};

struct hd_shape { /* what makes instances interchangeable for a request */
    int32_t kind, tp;
    double share;
    int64_t usable, kv_limit;
    const struct hd_timing **timing;     /* per model */
    int64_t *block_bytes, *weight_bytes; /* per model, on each GPU */
};

struct hd_index { /* instances of one role and shape, by one key */
    bool asked_least, asked_most;
    struct hd_index_heap least, most;
};

struct hd_role {
    char *name;
    int32_t *member; /* alive instances, by number */
    int members, capacity;
    int asked;              /* mask of keys */
    struct hd_index *index; /* [shape * HD_KEYS + key] */
    int indexed_shapes;
};

enum hd_call { HD_CALL_ARRIVE, HD_CALL_PREFILLED, HD_CALL_DONE, HD_CALL_FLEET };

struct hd_queued {
    uint8_t call, event;
    int32_t slot, serial; /* request, or for fleet: first gpu and count */
};

struct hd_timer {
    hd_tick at;
    int64_t order, cookie;
};

struct hd_engine {
    const struct hd_run_config *config;
    const struct hd_policy *policy;
    struct hd_measure *measure;
    hd_tick now;
    bool step, failed, stop;
    bool boundaries; /* those at `now` have happened; plans are not made yet */
    int planned;     /* instances below this number have had their plan at `now` */
    struct hd_err err;
    gsl_rng *random, *cuts;

    struct hd_request *request;
    int request_capacity, requests, free_request, live_requests;
    struct hd_group *group;
    int group_capacity, groups, free_group;
    int64_t group_ages;
    struct hd_instance *instance;
    int instances, instance_capacity;
    struct hd_gpu *gpu;
    int gpus, free_gpus;
    struct hd_node *node;
    int nodes;
    struct hd_link *link;
    int links;
    int32_t *gpu_link_in, *gpu_link_out; /* per GPU: host to device, device to host */
    struct hd_transfer *transfer;
    int64_t *most_tokens; /* most_tokens: per model, on the best instance */
    int transfers, transfer_capacity, free_transfer;
    struct hd_model_state *model;
    int32_t *model_held_scratch;
    struct hd_shape *shape;
    int shapes;
    struct hd_role *role;
    int roles;

    struct hd_index_heap events; /* ids: links, then instances */
    struct hd_index_heap wants;  /* instances that a `turn` is due to */
    struct hd_index_heap dirty;  /* those with a boundary or a change behind them */
    struct hd_timer *timer;      /* heap by (at, order) */
    int timers, timer_capacity;
    int64_t timer_orders;
    hd_tick next_tick;
    struct hd_queued *queue; /* callbacks owed, FIFO */
    int queue_first, queue_count, queue_capacity;
    int64_t round;    /* of plans */
    int32_t planning; /* the instance whose plan is being made, -1: none */
    int32_t *pending; /* instances of this round */
    int pending_count, pending_capacity;
    struct hd_list held;
    int64_t next_id, calls_now, uses;
    const char *last_calls[HD_LAST_CALLS]; /* by calls_now, to name a livelock */
    struct hd_arrival arrival;             /* the next one */
    bool arrival_there;
    int next_failure;
    hd_tick progress_at;
    struct hd_req *patient; /* requests that may time out, in order of arrival */
    int64_t patient_first, patient_next;
    int patient_capacity;
    int active_models;
    hd_tick active_since;
    int32_t *scratch; /* answers of hd_ask_each */
    int scratch_capacity;
    int64_t checks; /* of conservation, in checked builds */
    struct hd_req *held_scratch;
    int held_capacity;
};

/* ---- requests.c: life of a request ---- */
int hd_request_new(struct hd_engine *, const struct hd_arrival *);
void hd_request_phase(struct hd_engine *, struct hd_request *, enum hd_blame phase);
void hd_request_finish(struct hd_engine *, int slot, enum hd_status, bool call_done);
void hd_request_release(struct hd_engine *, int slot);
bool hd_request_admit(struct hd_engine *, int slot, const struct hd_arrival *);
void hd_held_add(struct hd_engine *, int slot);
void hd_held_remove(struct hd_engine *, int slot);
/* KV entries it holds while it is not running. */
static inline int64_t hd_kv_tokens(const struct hd_request *r) {
    return r->emitted ? (int64_t)r->input + r->emitted - 1 : 0;
}
static inline int64_t hd_blocks_of(int64_t tokens) {
    return (tokens + HD_BLOCK_TOKENS - 1) / HD_BLOCK_TOKENS;
}
static inline struct hd_req hd_req_of(const struct hd_engine *e, int slot) {
    return slot < 0 ? HD_NO_REQ : (struct hd_req){slot, e->request[slot].serial};
}
static inline struct hd_grp hd_grp_of(const struct hd_engine *e, int slot) {
    return slot < 0 ? HD_NO_GRP : (struct hd_grp){slot, e->group[slot].serial};
}

/* Moves it to a group (-1: none) for the account of where its time goes. */
void hd_request_regroup(struct hd_engine *, struct hd_request *, int group);

/* ---- groups.c -------------------------------------------------------------------- */
int hd_group_new(struct hd_engine *, int instance, int model, int behind);
/* Puts a held request into a group: to be prefilled, or with its KV. */
void hd_group_add(struct hd_engine *, int group, int slot);
/* Takes it out of whichever list it is in; it belongs nowhere then. */
void hd_group_remove(struct hd_engine *, int slot);
void hd_group_close_if_empty(struct hd_engine *, int group);
void hd_list_insert(struct hd_engine *, struct hd_list *, int slot);
void hd_list_remove(struct hd_engine *, struct hd_list *, int slot);
/* A waiting or ready member changes list; sizes of the instance follow. */
void hd_group_waiting_add(struct hd_engine *, int group, int slot);
void hd_group_waiting_remove(struct hd_engine *, int group, int slot);
void hd_group_ready_add(struct hd_engine *, int group, int slot);
void hd_group_ready_remove(struct hd_engine *, int group, int slot);

/* ---- batch.c, batch_step.c: the running members ---- */
void hd_batch_add(struct hd_engine *, struct hd_instance *, int slot);
/* Ends its stay at this boundary; what it did is in the request then. */
void hd_batch_remove(struct hd_engine *, struct hd_instance *, int slot);
int hd_batch_youngest(const struct hd_instance *);
/* Blocks that the next step needs beyond those held. */
int64_t hd_batch_growth(const struct hd_engine *, const struct hd_instance *);
/* Plans from now; `until` (HD_TICK_NEVER: none) is where the turn should end. */
void hd_batch_plan(struct hd_engine *, struct hd_instance *, hd_tick until);
/* `steps` of the plan have been run; pushes finishers through hd_request_finish. */
void hd_batch_settle(struct hd_engine *, struct hd_instance *, int64_t steps);
/* Steps of the running plan that have ended by t (inclusive). */
int64_t hd_batch_done_by(const struct hd_instance *, hd_tick t);
hd_tick hd_batch_time(const struct hd_batch *, int64_t steps); /* sum of the first */
int64_t hd_batch_blocks_after(const struct hd_batch *, int64_t steps);
int64_t hd_batch_inverse(const struct hd_batch *, hd_tick x);
/* Largest k <= most for which the pool has room: blocks(k) - blocks <= free. */
int64_t hd_batch_steps_that_fit(const struct hd_batch *, int64_t free_blocks,
                                int64_t most);
/* A gap that ended with a step; the largest one that ended after a step, or -1. */
void hd_peak_push(struct hd_batch *, int64_t step, hd_tick gap);
hd_tick hd_peak_since(const struct hd_batch *, int64_t after);
void hd_batch_free(struct hd_batch *);
/* One token outside decode steps (a prefill's). */
void hd_token(struct hd_engine *, struct hd_request *, hd_tick t);
/* The step twin: plain code, one step, one token at a time. */
void hd_plain_add(struct hd_engine *, struct hd_instance *, int slot);
void hd_plain_remove(struct hd_engine *, struct hd_instance *, int slot);
int64_t hd_plain_growth(const struct hd_engine *, const struct hd_instance *);
void hd_plain_plan(struct hd_engine *, struct hd_instance *);
void hd_plain_settle(struct hd_engine *, struct hd_instance *);
void hd_plain_token(struct hd_engine *, struct hd_request *, hd_tick t);
double hd_score_ratio(const struct hd_engine *, const struct hd_request *);
int hd_score_on_time(const struct hd_engine *, const struct hd_request *);

/* ---- score.c: metrics T and Q over pieces ---- */
void hd_score_token(const struct hd_run_model *, struct hd_request *, hd_tick t);
void hd_score_stay(const struct hd_run_model *, const struct hd_batch *,
                   struct hd_request *, hd_tick bound, int64_t tokens);
int64_t hd_piece_late(const struct hd_piece *, hd_tick tbt, hd_tick bound);
hd_tick hd_piece_f(const struct hd_piece *, hd_tick tbt, int64_t j);

/* ---- turns.c: giving and ending turns ---- */
void hd_turn_begin(struct hd_engine *, struct hd_instance *, int group,
                   const struct hd_turn *);
void hd_turn_end(struct hd_engine *, struct hd_instance *, enum hd_why);
void hd_instance_dirty(struct hd_engine *, struct hd_instance *);
void hd_instance_phase(struct hd_engine *, struct hd_instance *, enum hd_phase);
/* Its running plan ends at the first boundary at or after now. */
void hd_instance_cut(struct hd_engine *, struct hd_instance *);
void hd_instance_want(struct hd_engine *, struct hd_instance *, enum hd_why, int group);
void hd_instance_wake(struct hd_engine *, struct hd_instance *, hd_tick at);
/* The request, of a group of this instance, is something new to run. */
void hd_instance_work(struct hd_engine *, struct hd_instance *, int slot);
/* The same while a plan runs: as of the last boundary that has passed (O(1)). */
int64_t hd_instance_kv_planned(const struct hd_engine *, const struct hd_instance *);
bool hd_other_work(const struct hd_engine *, const struct hd_instance *);

/* ---- iterate.c: what happens within a turn ---- */
void hd_turn_boundary(struct hd_engine *, struct hd_instance *); /* its wake came */
/* At a boundary, before anybody is asked for a next turn. */
void hd_turn_end_if_over(struct hd_engine *, struct hd_instance *);
void hd_turn_plan(struct hd_engine *, struct hd_instance *); /* end of the instant */
/* Takes a running member out of the batch at a boundary: its KV stays, idle. */
void hd_batch_out(struct hd_engine *, struct hd_instance *, int slot);
/* The youngest member makes room: its KV is recomputed later, or swapped out. */
void hd_preempt_youngest(struct hd_engine *, struct hd_instance *);

/* ---- memory.c: weights and KV on GPUs and hosts ---- */
enum hd_residence hd_residence(const struct hd_instance *, int model);
bool hd_load_start(struct hd_engine *, struct hd_instance *, int model, bool demanded);
void hd_evict(struct hd_engine *, struct hd_instance *, int model);
bool hd_evict_unused(struct hd_engine *, struct hd_instance *, int keep);
void hd_kv_take(struct hd_engine *, struct hd_instance *, int model, int64_t blocks);
void hd_kv_give(struct hd_engine *, struct hd_instance *, int model, int64_t blocks);
void hd_idle_kv_add(struct hd_engine *, struct hd_instance *, int slot);
void hd_idle_kv_remove(struct hd_engine *, struct hd_instance *, int slot);
void hd_kv_drop(struct hd_engine *, int slot); /* its KV is gone */
void hd_kv_lose(struct hd_engine *,
                int slot); /* and a member must be prefilled again */
/* Starts moving idle KV to the host: of one request, or of all groups but one. */
bool hd_kv_out(struct hd_engine *, struct hd_instance *, const int32_t *slots,
               int count);
int hd_kv_out_others(struct hd_engine *, struct hd_instance *, int group, int most,
                     bool drop);
/* Starts bringing the group's KV in, oldest first, as far as it fits, until `most`
 * members (-1: all) have it here or on its way; how many started. `only`: that of
 * one member, -1: of any. */
int hd_kv_in(struct hd_engine *, struct hd_instance *, int group, int only, int most);
/* Fits an instance of the shape with nothing else there. */
bool hd_could_hold(const struct hd_engine *, int shape, int model, int64_t tokens);
bool hd_fleet_could_hold(const struct hd_engine *, int model, int64_t tokens);
void hd_kv_abandon(struct hd_engine *, int instance); /* it died */
bool hd_dram_room(struct hd_engine *, int node, int64_t bytes);

/* ---- links.c: transfers ---- */
int hd_transfer_new(struct hd_engine *, enum hd_transfer_kind, int instance, int model);
void hd_transfer_job(struct hd_engine *, int transfer, int link, hd_tick demand);
hd_tick hd_link_demand(const struct hd_link *, double bytes);
void hd_link_event(struct hd_engine *, int link);
void hd_transfer_done(struct hd_engine *, int transfer); /* memory.c: its effect */
void hd_transfer_free(struct hd_engine *, int transfer);
void hd_transfer_cancel(struct hd_engine *, int transfer);

/* ---- fleet.c: GPUs, nodes, instances ---- */
void hd_fleet_init(struct hd_engine *);
int hd_instance_form(struct hd_engine *, const struct hd_form *);
void hd_instance_kill(struct hd_engine *, struct hd_instance *, bool failed);
void hd_instance_maybe_close(struct hd_engine *, struct hd_instance *);
/* `arrive` for every held request. */
void hd_fleet_ask_again(struct hd_engine *);
void hd_fleet_fail(struct hd_engine *, const struct hd_failure *);
int hd_shape_of(struct hd_engine *, int kind, int tp, double share, int64_t kv_limit);

/* ---- index.c: instances by key, and by model ---- */
void hd_index_join(struct hd_engine *, int instance);
void hd_index_leave(struct hd_engine *, int instance);
void hd_index_touch(struct hd_engine *, struct hd_instance *);
/* It is of another shape from now on. */
void hd_index_reshape(struct hd_engine *, struct hd_instance *, int shape);
void hd_holder_add(struct hd_engine *, int model, int instance);
void hd_holder_remove(struct hd_engine *, int model, int instance);

/* ---- run.c: the loop, callbacks ---- */
void hd_queue_call(struct hd_engine *, enum hd_call, int slot, int serial, int event);

/* ---- check.c ------------------------------------------------------------------- */
#ifdef HD_CHECKED
void hd_check(struct hd_engine *);
#else
static inline void hd_check(struct hd_engine *e) {
    (void)e;
}
#endif

static inline int hd_event_id(const struct hd_engine *e, const struct hd_instance *i) {
    return e->links + (int)(i - e->instance);
}
static inline int hd_instance_number(const struct hd_engine *e,
                                     const struct hd_instance *i) {
    return (int)(i - e->instance);
}
static inline int64_t hd_block_bytes(const struct hd_engine *e,
                                     const struct hd_instance *i, int model) {
    return e->shape[i->shape].block_bytes[model];
}
static inline int64_t hd_instance_kv_now(const struct hd_engine *e,
                                         const struct hd_instance *i) {
    return i->phase == HD_PHASE_DECODE ? hd_instance_kv_planned(e, i) : i->kv;
}
/* Per GPU, for anything; for KV. */
static inline int64_t hd_free_bytes(const struct hd_engine *e,
                                    const struct hd_instance *i) {
    return i->usable - i->weights - hd_instance_kv_now(e, i);
}
static inline int64_t hd_free_kv_bytes(const struct hd_engine *e,
                                       const struct hd_instance *i) {
    int64_t kv = hd_instance_kv_now(e, i), bytes = i->usable - i->weights - kv;
    return i->kv_limit - kv < bytes ? i->kv_limit - kv : bytes;
}
/* Whether so many blocks are free; unlike their number, without a division. */
static inline bool hd_blocks_free(const struct hd_engine *e,
                                  const struct hd_instance *i, int model,
                                  int64_t blocks) {
    return blocks <= 0 ||
           blocks * hd_block_bytes(e, i, model) <= hd_free_kv_bytes(e, i);
}
static inline const struct hd_timing *
hd_timing_of(const struct hd_engine *e, const struct hd_instance *i, int model) {
    return e->shape[i->shape].timing[model];
}

#endif
