/* The engine's own data: what the files of this room share, and nobody else includes.
 * Objects are slots in arrays, links are slot numbers, -1 is none. */
#ifndef HD_ENGINE_STATE_H
#define HD_ENGINE_STATE_H

#include <gsl/gsl_rng.h>

#include "base/index_heap.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/network.h"
#include "engine/prefix_cache.h"

enum {
    HD_GPUS_PER_INSTANCE_MAX = 64,
    HD_LAST_CALLS = 10,
    HD_FACTOR_ONE = 1 << 20 /* unit of contention factors */
};

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

/* ---- requests ------------------------------------------------------------ */

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
    hd_tick front;   /* spent outside the engine, before and after it */
    hd_tick seen_at; /* when an asynchronous scheduler decided to let it in, or -1 */
    /* the present stay in a batch */
    int64_t join_step, peak_after, join_order, first_piece;
    hd_tick join_at, stall_base;
    union {
        struct hd_score fast;
        struct hd_plain_score plain;
    } score;
    hd_tick blame[HD_BLAMES], phase_at, base_switch, base_kv;
};

/* What is known of the words of a request's prompt; beside the requests, so that runs
 * of traces without do not carry it about. */
struct hd_prompt {
    uint64_t *chain; /* see prefix_cache.h; kept for the next request in the slot */
    int32_t chains, chain_capacity;
    int64_t blocks; /* whole ones of KV that the chain covers */
    int64_t shared; /* leading ones that it holds in its instance's cache */
    int64_t found;  /* tokens that its first prefill found cached; -1: none began */
};

/* ---- groups -------------------------------------------------------------- */

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

/* ---- batches ------------------------------------------------------------- */

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
    int64_t longest; /* of the members' KV length - step, if it is known */
    bool longest_known;
    int32_t *fresh; /* joined since the last settled plan */
    int fresh_count, fresh_capacity;
    int fresh_measured;
    struct hd_piece *piece; /* pieces first_piece .. next_piece - 1, in a ring */
    int piece_capacity;
    int64_t first_piece, next_piece;
    struct hd_peak *peak;
    int peaks, peak_capacity;
};

/* ---- instances ----------------------------------------------------------- */

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
    double share, prefill_share; /* of the SMs, in decodes and else */
    uint8_t sharing;             /* enum hd_share_way; DEFAULT: the GPUs are its own */
    uint8_t demand;    /* shared: enum hd_bound of its iterations, from plan to plan */
    int64_t factor[3]; /* shared: on times by demand, in 1 / HD_FACTOR_ONE; 0: stale */
    int32_t gpu[HD_GPUS_PER_INSTANCE_MAX];
    bool alive, closing, dissolve, many, limits;
    int64_t pending_round;
    int64_t kv_wanted;     /* a limit that takes effect at the next boundary */
    int64_t memory_wanted; /* the same; 0: as it is */
    uint8_t phase, why;    /* why: of the pending turn callback */
    bool wants_turn;       /* a turn callback is due */
    struct hd_grp why_group;
    /* groups in queue order */
    int32_t first_group, last_group, groups;
    int32_t requests, waiting, with_work; /* with_work: groups that have members */
    int64_t waiting_tokens;
    /* memory, bytes per GPU */
    int64_t usable, weights, kv, kv_limit;
    int64_t *slab_blocks, slabs;   /* blocks in slabs, by shape of KV; NULL: paged */
    struct hd_prefix_cache *cache; /* of prompts; NULL: none. Bytes of what nobody
                                      holds are free, and not in kv */
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
    hd_tick turn_since;
    int phase_requests; /* that take part in the iterations of the phase */
    uint8_t stage;      /* of its switch, or the last one */
    uint8_t timed; /* of a switch: the stage that takes a set time and runs, or is next;
                      HD_STAGE_LOAD: none is left */
    bool interrupt, prefill_done;
    bool flows; /* an iteration ended here: the next is decided and prepared already */
    bool gated; /* so only those come in that were seen before it began, at: */
    hd_tick seen_at;
    int turn_prefills;   /* that the turn has begun */
    int32_t prefetch;    /* model to load once the turn's own switch is done, -1 */
    int32_t *prefilling; /* requests of the running prefill */
    int prefilling_count, prefilling_capacity;
    /* chunked prefill: the prompt that is not done with this iteration, its tokens
     * before and in it */
    int32_t chunking, chunk_done, chunk_now;
    hd_tick rest_at, step_at;
    struct hd_batch batch;
    /* use of GPU time */
    uint8_t use;
    hd_tick use_since;
    int32_t *set_place; /* place in the index heaps of its shape */
};

/* ---- links and transfers ------------------------------------------------- */

struct hd_job {
    hd_wide target; /* virtual time at which it is done */
    int32_t transfer;
    int64_t order;
};

struct hd_link { /* processor sharing: n jobs each progress at 1/n */
    double bytes_per_s;
    bool delay; /* a pure delay: jobs do not share */
    /* Other links of the same lanes, -1: none. */
    int32_t
        opposite;   /* in the other direction: busy, it takes some of this one's rate */
    int32_t ahead;  /* whose jobs go first; this one stands still while there are any */
    int32_t behind; /* the link that this one goes ahead of */
    int64_t both;   /* progress while the opposite is busy, of 2^20 */
    hd_wide virtual_now;
    hd_tick last;
    struct hd_job *job; /* heap by (target, order) */
    int jobs, capacity;
    int64_t orders;
};

enum hd_transfer_kind { HD_MOVE_LOAD, HD_MOVE_OUT, HD_MOVE_IN };

struct hd_transfer {
    uint8_t kind, path;
    bool from_disk, staging; /* staging: the first buffer of a load is being filled */
    bool demanded;           /* a load that a turn waits for, or has */
    int32_t instance, model, parts; /* parts: jobs not done yet */
    int32_t *request; /* slots; one counts only while its `transfer` is this */
    int requests, capacity, next_free;
    hd_tick since;
    double bytes; /* sent so far, over all GPUs */
    int arrived;  /* KV by request: so many of them are through */
};

/* ---- the machine room ---------------------------------------------------- */

struct hd_gpu {
    int32_t node, kind;
    bool up;
    int32_t instance;              /* its only one, the first of several; -1: free */
    hd_tick free_since;            /* with no instance */
    int32_t both;                  /* link: PCIe, both directions; -1: no limit */
    int32_t switch_in, switch_out; /* links: of its switch; -1: none */
    struct hd_shared *shared;      /* NULL: never was */
};

struct hd_shared { /* a GPU that instances share, or shared */
    int tenants;
    int32_t tenant[HD_RUNNERS_MAX]; /* instances, by number */
    int64_t taken;                  /* bytes: their memory, and a process for each */
    uint8_t use;                    /* of the card: the first of its tenants' */
    hd_tick use_since;
};

struct hd_cached { /* a model's weights in a node's DRAM */
    bool there, pinned;
    int64_t used_at;
};

struct hd_node {
    int32_t kind, first_gpu, gpus, free;
    int64_t dram, dram_used, host_kv; /* bytes; dram_used includes host_kv and what
                                         staging buffers have taken for good */
    int32_t disk, nvlink, nic, delay; /* links; nic: into the node */
    int32_t host, nic_out;            /* on paths only; host -1: no limit */
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
    int64_t usable, kv_limit;
    const struct hd_timing **timing;     /* per model */
    int64_t *block_bytes, *weight_bytes; /* per model, on each GPU */
    int32_t *kv_shape; /* per model: the first model with as many bytes per block */
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
    struct hd_prompt *prompt; /* by slot; none where no prompt has an identity */
    int prompt_capacity, prompts;
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
    struct hd_network *network;          /* of the same links; NULL: each is alone */
    int32_t remote;                      /* link, -1: none */
    struct hd_transfer *transfer;
    int64_t *most_tokens; /* most_tokens: per model, on the best instance */
    int transfers, transfer_capacity, free_transfer;
    struct hd_model_state *model;
    int32_t *model_held_scratch;
    struct hd_shape *shape;
    int shapes;
    struct hd_role *role;
    int roles;

    struct hd_events events;    /* ids: links, then instances */
    struct hd_index_heap wants; /* instances that a `turn` is due to */
    struct hd_index_heap dirty; /* those with a boundary or a change behind them */
    struct hd_timer *timer;     /* heap by (at, order) */
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
    hd_tick vram_next, vram_distance; /* of looks at the GPUs' memory */
    int64_t vram_samples;
    int64_t checks; /* of conservation, in checked builds */
    struct hd_req *held_scratch;
    int held_capacity;
};

#endif
