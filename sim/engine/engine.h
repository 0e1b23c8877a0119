/* The simulator: one run of one trace on one fleet under one policy.
 *
 * A run is a deterministic function of its configuration. With `step` it runs
 * one iteration at a time with plain code and gives the same result to the last
 * bit; that is what the tests compare. */
#ifndef HD_ENGINE_ENGINE_H
#define HD_ENGINE_ENGINE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "base/tick.h"
#include "engine/observe.h"
#include "engine/policy.h"
#include "measure/measure.h"
#include "timing/contention.h"
#include "timing/table.h"

struct hd_arrival {
    hd_tick at;
    int32_t model;         /* index into the configuration's models */
    int32_t input_tokens;  /* >= 1 */
    int32_t output_tokens; /* 0: nothing was generated, counted as empty */
    bool too_long;         /* decided by the caller: beyond the model's context */
    /* What its prompt says, block by block from its first token: equal numbers behind
     * equal ones are equal words. Read before the next arrival is asked for. */
    const int32_t *prefix;
    int prefix_blocks;
};

/* 1: the next arrival, in order of time; 0: no more. */
typedef int (*hd_arrival_source)(void *context, struct hd_arrival *);

struct hd_run_model {
    const char *name, *slo_class;
    const char *gpu; /* GPU type asked for, or NULL */
    int tp;          /* tensor-parallel degree asked for */
    int replicas;    /* for `dedicated` */
    int64_t weights_bytes, kv_token_bytes;
    int kv_heads;      /* KV is replicated once tp exceeds it */
    int max_context;   /* tokens */
    hd_tick ttft, tbt; /* SLO limits; HD_TICK_NEVER: none. tbt below 60 s */
    double mean_rate, mean_input, mean_output; /* of the trace, for oracles */
};

struct hd_gpu_kind {
    const char *name;
    int64_t usable_bytes; /* for weights and KV, after workspace and context */
    /* of each process on it: its context, and that with its workspace; the first one's
     * is not in usable_bytes */
    int64_t context_bytes, process_bytes;
    int64_t vram_bytes; /* the whole card; 0: no more than the above */
    struct hd_contention contention;
};

struct hd_sharing {     /* of instances that are formed on a share of their GPUs */
    bool time_slice;    /* those that do not say take the driver's time slices, else a
                           share of the SMs each (MPS) */
    double share_limit; /* the most that SM shares on one GPU may add up to, >= 1 */
};

struct hd_node_config {
    int kind, gpus;
    double dram_bytes; /* host cache of weights, and swapped KV */
    double disk_bytes_per_s;
    double pcie_bytes_per_s; /* achievable, each direction, of one link */
    int pcie_shared_by;      /* GPUs on one link */
    double pcie_both;        /* of its rate, that a direction keeps while the other is
                                busy too; 0: all of it */
    double nvlink_bytes_per_s, nic_bytes_per_s;
    /* Only where transfers hold paths (enum hd_links). 0: no limit of its own, or none
     * there. */
    int pcie_switch;           /* GPUs behind one switch */
    double switch_bytes_per_s; /* of its uplink, each direction */
    double host_bytes_per_s;   /* of the host's memory, reads and writes together */
};

struct hd_failure { /* a GPU leaves or returns */
    hd_tick at;
    int gpu;
    bool up;
};

enum hd_host_keeps { /* weights in host memory, when there is no room for more */
                     HD_HOST_KEEPS_LRU,    /* what was used last; what is read from disk
                                              comes in */
                     HD_HOST_KEEPS_PINNED, /* all that is there; what is read comes in
                                              while it fits */
                     HD_HOST_KEEPS_POLICY  /* all that is there; only the policy changes
                                              that */
};

enum hd_links {
    HD_LINKS_ALONE, /* a transfer holds its slowest link only, and jobs on a link share
                       it alike */
    /* A transfer holds every link on its path, and rates are max-min fair: among all,
     * by the weights of their classes, or class by class. The classes: loads that a
     * turn waits for, KV, loads ahead. */
    HD_LINKS_FAIR,
    HD_LINKS_WEIGHTED,
    HD_LINKS_STRICT
};

const char *hd_links_name(int links); /* alone, fair, ... */

struct hd_switching { /* each mechanism by itself; see ladder.h for usual sets of them
                       */
    double engine_start_s; /* of an instance formed after time 0 */
    /* At a change of model, one after the other, before weights are read: */
    double gc_s;      /* memory of the last model is collected, if it is not managed */
    double restart_s; /* a process of its own for each model, 0: none; weights on the
                         GPU, loaded ahead too, do not outlive it */
    double reinit_s;  /* re-initialisation of the engine */
    /* How weights are read onto each GPU: no faster than load_bytes_per_s (0: as the
     * links go). From host memory through pinned buffers that are filled at
     * staging_bytes_per_s (0: the host's copy is pinned itself), chunk_bytes at a time
     * (0: all of it before any is sent). */
    double load_bytes_per_s, staging_bytes_per_s, chunk_bytes;
    int64_t staging_bytes; /* of host memory for these buffers, for each GPU */
    enum hd_host_keeps host_keeps;
    bool prefetch;        /* hd_act_load during a turn is possible */
    bool prefetch_yields; /* loads that no turn waits for have of a PCIe link only what
                             others leave; with links alone, else those decide */
    bool no_cache;        /* every load reads the disk */
    bool warm_cache;      /* the host cache holds what fits at time 0 */
    bool placed;          /* loads asked for in `start` are done at time 0 */
    bool kv_first;        /* a switch waits until KV has left before anything else */
    bool kv_events; /* KV moves request by request, and each goes on as soon as its own
                       is there; else a transfer is there when all of it is */
    double kv_in_s_per_token;  /* 0: from bytes and bandwidth; else this instead */
    bool kv_out_free;          /* swap-out takes no time and no link (the artifact) */
    uint8_t links;             /* enum hd_links */
    double remote_bytes_per_s; /* of the store of all nodes, for those with no disk; 0:
                                  there is none */
};

struct hd_serving {     /* the engine profile */
    int max_batch;      /* running members */
    int prefill_tokens; /* budget of one prefill batch */
    int chunk_tokens;   /* 0: whole prompts with priority; else the tokens of a step, of
                           which decodes take one each, then prompts what is left */
    bool async;         /* the next step is decided while one runs: who comes, comes in
                           one step later */
    /* Outside the engine (HTTP, tokens to text and back), per request and for each one
     * that runs beside it when it begins. In TTFT and E2E, not between tokens. */
    double front_s, front_sequence_s;
    /* 0: KV of any model lies in any block of the pool. Else the pool is taken in slabs
     * of so many bytes on each GPU, each for one number of bytes per block. Not with
     * prefix_cache. */
    int64_t slab_bytes;
    bool prefix_cache; /* KV of prompts is kept, for others that begin alike */
    bool preempt_swap; /* else recompute */
    double watermark;  /* share of the pool that admission leaves free */
    double patience_s; /* a request whose prefill has not begun fails; 0: off */
    double drain_s;    /* nothing but ticks for so long: the run ends */
};

struct hd_run_config {
    const struct hd_run_model *model;
    int models;
    const struct hd_gpu_kind *kind;
    int kinds;
    const struct hd_node_config *node;
    int nodes;
    /* Compiled timing of a model on `tp` GPUs of a kind with a share of their
     * compute, of which the engine asks 1: what sharing costs is its own matter. Owned
     * by the callee, constant during the run. */
    const struct hd_timing *(*timing)(void *context, int model, int kind, int tp,
                                      double share);
    void *timing_context;
    hd_arrival_source next;
    void *next_context;
    int prefix_block_tokens; /* of a number in an arrival's prefix; 0: there are none */
    struct hd_switching switching;
    struct hd_serving serving;
    struct hd_sharing sharing;
    const struct hd_failure *failure; /* in order of time */
    int failures;
    hd_tick from, to; /* measurement window, [from, to) */
    uint64_t seed;
    bool step;         /* one iteration at a time */
    uint64_t cut_seed; /* != 0: cut every plan at a random earlier step (tests) */
    const atomic_int *interrupted;      /* a person pressed Ctrl-C; may be NULL */
    const struct hd_observer *observer; /* may be NULL */
};

const char *hd_host_keeps_name(enum hd_host_keeps); /* "lru", ... */

/* Sensible settings: vLLM-like serving, all of Aegaeon's switching mechanisms. */
struct hd_switching hd_switching_default(void);
struct hd_serving hd_serving_default(void);
struct hd_sharing hd_sharing_default(void); /* by SMs, which add up to 120 % at most */

enum hd_run_end {
    HD_RUN_WHOLE,   /* every request reached an end */
    HD_RUN_STALLED, /* drain: some were left; counted as unfinished */
    HD_RUN_CANNOT,  /* the policy's start gave a reason; err has it */
    HD_RUN_DECIDED, /* stopped early by `hopeless`: a verdict, no percentiles */
    HD_RUN_INTERRUPTED,
    HD_RUN_FAILED /* a policy error; err has one line */
};

/* Runs and fills measure. note (may be NULL) gets one line about a stalled run. */
enum hd_run_end hd_run(const struct hd_run_config *, const struct hd_policy *,
                       struct hd_measure *, struct hd_err *note, struct hd_err *err);

#endif
