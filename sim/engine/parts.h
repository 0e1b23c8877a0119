/* What each file of this room does for the others; nobody else includes it. */
#ifndef HD_ENGINE_PARTS_H
#define HD_ENGINE_PARTS_H

#include "engine/state.h"

/* ---- requests.c: life of a request --------------------------------------- */
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
/* Tokens that a prefill of it covers. */
static inline int64_t hd_prompt_tokens(const struct hd_request *r) {
    return (int64_t)r->input + r->emitted;
}
/* Its arrival by a clock that is late by its time outside the engine: what its client
 * gets at t leaves the engine so much earlier. */
static inline hd_tick hd_sent_at(const struct hd_request *r) {
    return r->arrival - r->front;
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

/* ---- groups.c ------------------------------------------------------------ */
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

/* ---- batch.c, batch_step.c: the running members -------------------------- */
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

/* ---- score.c: metrics T and Q over pieces -------------------------------- */
void hd_score_token(const struct hd_run_model *, struct hd_request *, hd_tick t);
void hd_score_stay(const struct hd_run_model *, const struct hd_batch *,
                   struct hd_request *, hd_tick bound, int64_t tokens);
int64_t hd_piece_late(const struct hd_piece *, hd_tick tbt, hd_tick bound);
hd_tick hd_piece_f(const struct hd_piece *, hd_tick tbt, int64_t j);

/* ---- turns.c: giving and ending turns ------------------------------------ */
void hd_turn_begin(struct hd_engine *, struct hd_instance *, int group,
                   const struct hd_turn *);
void hd_turn_end(struct hd_engine *, struct hd_instance *, enum hd_why);
void hd_instance_dirty(struct hd_engine *, struct hd_instance *);
void hd_instance_phase(struct hd_engine *, struct hd_instance *, enum hd_phase);
/* Within a switch: another stage of it begins. */
void hd_instance_stage(struct hd_engine *, struct hd_instance *, enum hd_stage);
/* The next stage that takes a set time begins, or none is left: then it waits for the
 * weights, or for room. */
void hd_timed_stage(struct hd_engine *, struct hd_instance *);
/* KV is on its way out and a switch must let it. */
bool hd_kv_leaves_first(const struct hd_engine *, const struct hd_instance *);
/* Its running plan ends at the first boundary at or after now. */
void hd_instance_cut(struct hd_engine *, struct hd_instance *);
void hd_instance_want(struct hd_engine *, struct hd_instance *, enum hd_why, int group);
void hd_instance_wake(struct hd_engine *, struct hd_instance *, hd_tick at);
/* The request, of a group of this instance, is something new to run. */
void hd_instance_work(struct hd_engine *, struct hd_instance *, int slot);
/* The same while a plan runs: as of the last boundary that has passed (O(1)). */
int64_t hd_instance_kv_planned(const struct hd_engine *, const struct hd_instance *);
bool hd_other_work(const struct hd_engine *, const struct hd_instance *);

/* ---- prefill.c: who comes in, iterations with prompts --------------------- */
/* Starts the prefill of whole prompts; a step of chunks beside the running members,
 * with new prompts or only the one that has begun. False: no prompt comes in. */
bool hd_prefill_start(struct hd_engine *, struct hd_instance *);
bool hd_mixed_start(struct hd_engine *, struct hd_instance *, bool admit);
void hd_prefill_end(struct hd_engine *, struct hd_instance *);
void hd_mixed_end(struct hd_engine *, struct hd_instance *);
/* An asynchronous scheduler, as an iteration begins, decides who comes into the one
 * after it: who is here now and has a place and memory. Returns how many those are. */
int hd_see_waiting(struct hd_engine *, struct hd_instance *);
bool hd_admissible(const struct hd_engine *, const struct hd_instance *, int slot);

/* ---- prefix.c: prompts that begin alike ----------------------------------- */
/* All but hd_prompt_new, hd_prompts_free, hd_prefill_blocks and hd_prefix_tokens only
 * where the instance has a cache. */
void hd_prompt_new(struct hd_engine *, int slot, const struct hd_arrival *);
void hd_prompts_free(struct hd_engine *);
/* Free blocks that a prefill of it would take: those that others hold are there. */
int64_t hd_prefill_blocks(const struct hd_engine *, const struct hd_instance *,
                          int slot);
/* Tokens of it that a prefill which began now would find cached, 0 without a cache. */
int64_t hd_prefix_tokens(const struct hd_engine *, const struct hd_instance *,
                         int slot);
/* Its prefill begins: it holds the blocks that are there; their number. */
int64_t hd_prefix_hold(struct hd_engine *, struct hd_instance *, int slot);
/* Its first `tokens` are computed, or are by the iteration that begins: others find
 * them from now on, in the same iteration too, for it writes them before it reads. */
void hd_prefix_computed(struct hd_engine *, struct hd_instance *, int slot,
                        int64_t tokens);
/* It holds nothing any more; how many blocks it had held. They stay while the model
 * is there. */
int64_t hd_prefix_release(struct hd_engine *, struct hd_instance *, int slot);
/* Forgets what KV and weights have taken the room of, up to now. */
void hd_prefix_trim(struct hd_engine *, struct hd_instance *);

/* ---- iterate.c: what happens within a turn ------------------------------- */
bool hd_quantum_over(const struct hd_engine *, const struct hd_instance *);
void hd_turn_boundary(struct hd_engine *, struct hd_instance *); /* its wake came */
/* At a boundary, before anybody is asked for a next turn. */
void hd_turn_end_if_over(struct hd_engine *, struct hd_instance *);
void hd_turn_plan(struct hd_engine *, struct hd_instance *); /* end of the instant */
/* Takes a running member out of the batch at a boundary: its KV stays, idle. */
void hd_batch_out(struct hd_engine *, struct hd_instance *, int slot);
/* The youngest member makes room: its KV is recomputed later, or swapped out. */
void hd_preempt_youngest(struct hd_engine *, struct hd_instance *);

/* ---- memory.c: weights and KV on GPUs and hosts -------------------------- */
enum hd_residence hd_residence(const struct hd_instance *, int model);
bool hd_load_start(struct hd_engine *, struct hd_instance *, int model, bool demanded);
void hd_evict(struct hd_engine *, struct hd_instance *, int model);
bool hd_evict_unused(struct hd_engine *, struct hd_instance *, int keep);
void hd_kv_take(struct hd_engine *, struct hd_instance *, int model, int64_t blocks);
void hd_kv_give(struct hd_engine *, struct hd_instance *, int model, int64_t blocks);
/* The KV of the request, of so many tokens, is on that instance no more. */
void hd_kv_leave(struct hd_engine *, struct hd_instance *, int slot, int64_t tokens);
void hd_load_done(struct hd_engine *, struct hd_transfer *);
/* The jobs of a load once its first buffer is full. */
void hd_load_send(struct hd_engine *, int transfer);
/* KV bytes of the whole request, not of one GPU; they come to, or leave, a host. */
int64_t hd_whole_kv_bytes(const struct hd_engine *, const struct hd_request *);
void hd_host_kv(struct hd_engine *, int node, int64_t bytes);
void hd_idle_kv_add(struct hd_engine *, struct hd_instance *, int slot);
void hd_idle_kv_remove(struct hd_engine *, struct hd_instance *, int slot);
void hd_kv_drop(struct hd_engine *, int slot); /* its KV is gone */
void hd_kv_lose(struct hd_engine *,
                int slot); /* and a member must be prefilled again */
/* Starts moving idle KV to the host: of one request, or of all groups but one. */
bool hd_kv_out(struct hd_engine *, struct hd_instance *, const int32_t *slots,
               int count);
int hd_kv_out_others(struct hd_engine *, struct hd_instance *, int group, int64_t bytes,
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
/* vram.c: looks at all GPUs' memory at the moments that are due before `next`. */
void hd_vram_until(struct hd_engine *, hd_tick next);

/* ---- slabs.c: KV by slabs, or by pages -------------------------------------- */

/* More blocks of the model, or fewer, of an instance with slabs. */
void hd_slabs_take(struct hd_engine *, struct hd_instance *, int model, int64_t blocks);
int64_t hd_slabs_held(const struct hd_engine *, const struct hd_instance *); /* bytes */
/* Either way: blocks of the model that an empty pool of so many bytes holds; blocks
 * that are free on the instance as of now. */
int64_t hd_pool_blocks(const struct hd_engine *, int shape, int model, int64_t bytes);
int64_t hd_room_blocks(const struct hd_engine *, const struct hd_instance *, int model);
/* Bytes that more blocks of the model take of the pool, with those of another model
 * (any number below 1: none). */
int64_t hd_kv_need_bytes(const struct hd_engine *, const struct hd_instance *,
                         int model, int64_t blocks, int other, int64_t other_blocks);
void hd_dram_take(struct hd_engine *, struct hd_node *, int64_t bytes);

/* ---- links.c: transfers -------------------------------------------------- */
void hd_link_init(struct hd_link *, double bytes_per_s);
/* Two directions of the same lanes: while both have jobs each keeps `both` of its rate
 * (0 or 1: all of it). */
void hd_link_pair(struct hd_engine *, int in, int out, double both);
/* The jobs of `behind` wait while `link`, which is paired already, has any. */
void hd_link_behind(struct hd_engine *, int behind, int link);
enum hd_tier { HD_TIER_HOST, HD_TIER_DISK, HD_TIER_REMOTE }; /* where weights lie */
/* The nearest of a node's that has the model. */
enum hd_tier hd_tier_of(const struct hd_engine *, int node, int model);
/* Paths: one more link, unless it is -1; between a GPU and its host; of weights onto a
 * GPU, and into the memory of a host. */
void hd_path_add(struct hd_path *, int link);
struct hd_path hd_path_gpu(const struct hd_engine *, int gpu, bool out);
struct hd_path hd_path_load(const struct hd_engine *, int gpu, enum hd_tier);
struct hd_path hd_path_host(const struct hd_engine *, int node, enum hd_tier);
/* A job on a path: with links alone, one of a single link. */
void hd_transfer_path(struct hd_engine *, int transfer, const struct hd_path *,
                      double bytes);
/* What links.c leaves to paths: an event; a load that is waited for, or no more. */
void hd_path_event(struct hd_engine *, int link);
void hd_path_hasten(struct hd_engine *, const struct hd_instance *, int transfer);
void hd_path_cancel(struct hd_engine *, const struct hd_instance *, int transfer);
int hd_transfer_new(struct hd_engine *, enum hd_transfer_kind, int instance, int model);
void hd_transfer_job(struct hd_engine *, int transfer, int link, hd_tick demand);
hd_tick hd_link_demand(const struct hd_link *, double bytes);
void hd_link_event(struct hd_engine *, int link);
void hd_transfer_done(struct hd_engine *, int transfer); /* kv.c: its effect */
void hd_transfer_free(struct hd_engine *, int transfer);
/* Takes a load of the instance off its links; the caller undoes the rest. */
void hd_load_cancel(struct hd_engine *, const struct hd_instance *, int transfer);
/* A turn waits for a load that was behind others: it is no more. */
void hd_load_hasten(struct hd_engine *, const struct hd_instance *, int transfer);

/* ---- fleet.c: GPUs, nodes, instances ------------------------------------- */
void hd_fleet_init(struct hd_engine *);
int hd_instance_form(struct hd_engine *, const struct hd_form *);
void hd_instance_kill(struct hd_engine *, struct hd_instance *, bool failed);
void hd_instance_maybe_close(struct hd_engine *, struct hd_instance *);
/* `arrive` for every held request. */
void hd_fleet_ask_again(struct hd_engine *);
void hd_fleet_fail(struct hd_engine *, const struct hd_failure *);
int hd_shape_of(struct hd_engine *, int kind, int tp, int64_t usable, int64_t kv_limit);

/* ---- sharing.c: instances side by side on one GPU ------------------------- */
/* Bytes on each GPU for an instance that is to be formed: what it asks for, or the
 * default. 0: none are left for weights and KV. */
int64_t hd_share_memory(const struct hd_engine *, int kind, const struct hd_form *,
                        enum hd_share_way);
/* Whether one of that way, share and memory may join whoever is on the GPU. */
bool hd_share_fits(const struct hd_engine *, int gpu, enum hd_share_way, double share,
                   int64_t bytes);
/* A shared instance comes to its GPUs, or goes. */
void hd_share_join(struct hd_engine *, int instance);
void hd_share_leave(struct hd_engine *, int instance);
/* Weights and KV as of now on that of its GPUs where they are most, of whoever shares
 * it too. */
int64_t hd_share_used(const struct hd_engine *, const struct hd_instance *);
/* At a boundary: its memory becomes so many bytes, as nearly as may be. */
void hd_share_resize(struct hd_engine *, struct hd_instance *, int64_t bytes);
/* Another phase of a shared instance, other than a boundary, behind which it goes on: what its neighbours feel of it, and the account
 * of its GPUs. */
void hd_share_phase(struct hd_engine *, struct hd_instance *);
void hd_share_close_account(struct hd_engine *, const struct hd_gpu *);
/* The time of an iteration that begins now, given that on a card of its own. Of decode
 * steps: the constant and the slope are stretched apart, so that steps stay linear in
 * the context; *slope is stretched too. */
hd_tick hd_share_stretch(struct hd_engine *, struct hd_instance *, enum hd_bound,
                         hd_tick time);
hd_tick hd_share_stretch_step(struct hd_engine *, struct hd_instance *, hd_tick tau,
                              int64_t context, hd_tick *slope);
/* Seconds on the share, with nobody beside it: for estimates. */
double hd_share_alone(const struct hd_engine *, int kind, double share, enum hd_bound,
                      double seconds);

/* ---- index.c: instances by key, and by model ----------------------------- */
void hd_index_join(struct hd_engine *, int instance);
void hd_index_leave(struct hd_engine *, int instance);
void hd_index_touch(struct hd_engine *, struct hd_instance *);
/* It is of another shape from now on. */
void hd_index_reshape(struct hd_engine *, struct hd_instance *, int shape);
void hd_holder_add(struct hd_engine *, int model, int instance);
void hd_holder_remove(struct hd_engine *, int model, int instance);

/* ---- instant.c: one instant, callbacks ----------------------------------- */
bool hd_instant(struct hd_engine *);
/* At a boundary, or at rest: the limits that were asked for hold from now on. */
void hd_limits_apply(struct hd_engine *, struct hd_instance *);
hd_tick hd_patience_end(const struct hd_engine *); /* of the first, or NEVER */
void hd_queue_call(struct hd_engine *, enum hd_call, int slot, int serial, int event);

/* ---- observe.c: what the observer is told; only where there is one ---------- */
/* The instance's present phase ends now; the stage of its switch; its turn. */
void hd_observe_phase(struct hd_engine *, const struct hd_instance *);
void hd_observe_stage(struct hd_engine *, const struct hd_instance *);
void hd_observe_turn(struct hd_engine *, const struct hd_instance *, int why);
/* The run ends: whatever of these it is in. */
void hd_observe_end(struct hd_engine *, const struct hd_instance *);
void hd_observe_transfer(struct hd_engine *, int transfer, bool broken_off);
/* The present phase of its account ends now. */
void hd_observe_request(struct hd_engine *, const struct hd_request *);

/* ---- check.c ------------------------------------------------------------- */
#ifdef HD_CHECKED
void hd_check(struct hd_engine *);
/* At the end of a run: its accounts add up. */
void hd_check_accounts(const struct hd_engine *);
#else
static inline void hd_check(struct hd_engine *e) {
    (void)e;
}
static inline void hd_check_accounts(const struct hd_engine *e) {
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
/* Bytes that KV takes from everything else: of its blocks, or of their slabs. */
static inline int64_t hd_kv_held(const struct hd_engine *e,
                                 const struct hd_instance *i) {
    return i->slab_blocks ? hd_slabs_held(e, i) : hd_instance_kv_now(e, i);
}
/* Per GPU, for anything; for KV. */
static inline int64_t hd_free_bytes(const struct hd_engine *e,
                                    const struct hd_instance *i) {
    return i->usable - i->weights - hd_kv_held(e, i);
}
static inline int64_t hd_free_kv_bytes(const struct hd_engine *e,
                                       const struct hd_instance *i) {
    int64_t kv = hd_kv_held(e, i), bytes = i->usable - i->weights - kv;
    return i->kv_limit - kv < bytes ? i->kv_limit - kv : bytes;
}
/* Whether so many blocks are free; unlike their number, without a division. */
static inline bool hd_blocks_free(const struct hd_engine *e,
                                  const struct hd_instance *i, int model,
                                  int64_t blocks) {
    if (i->slab_blocks) return blocks <= 0 || blocks <= hd_room_blocks(e, i, model);
    return blocks <= 0 ||
           blocks * hd_block_bytes(e, i, model) <= hd_free_kv_bytes(e, i);
}
static inline const struct hd_timing *
hd_timing_of(const struct hd_engine *e, const struct hd_instance *i, int model) {
    return e->shape[i->shape].timing[model];
}

/* Host time before a first iteration: no kernels run that it could hide behind. */
static inline hd_tick hd_fill(const struct hd_instance *i, const struct hd_timing *t,
                              int sequences) {
    return i->flows ? 0 : hd_timing_fill(t, sequences);
}

#endif
