/* What came of a run. The engine reports finished requests, GPU time and
 * switches here; plan and output read the result.
 *
 * Only requests that arrive inside the measurement window count, all of them:
 *     measured = done + rejected + too_long + empty + unfinished
 * `measured` comes from the trace and the rest from the engine, so the sum holds
 * only if no request was lost; a run that was cut short does not reach it. A token
 * that was never emitted is late, and so is every token of a request that failed. */
#ifndef HD_MEASURE_MEASURE_H
#define HD_MEASURE_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"
#include "measure/hist.h"

enum hd_status {
    HD_STATUS_DONE,
    HD_STATUS_REJECTED,   /* by the policy, or by patience */
    HD_STATUS_TOO_LONG,   /* no instance of this fleet could ever hold it */
    HD_STATUS_EMPTY,      /* the trace records no output: one late token */
    HD_STATUS_UNFINISHED, /* left when the run ended */
    HD_STATUSES
};
const char *hd_status_name(enum hd_status);

/* Where a request's time went; the parts of one request sum to its latency. */
enum hd_blame {
    HD_BLAME_QUEUE,   /* held, or waiting in a group for its first prefill; and
                         time outside the engine */
    HD_BLAME_SWITCH,  /* its group's turn is making the model runnable */
    HD_BLAME_PREFILL, /* in a prefill of its own */
    HD_BLAME_KV,      /* its KV moves, or its group's turn waits for KV */
    HD_BLAME_DECODE,  /* in decode iterations */
    HD_BLAME_WAIT,    /* has its first token and waits: between turns, stalled by
                         another's prefill, or preempted */
    HD_BLAMES
};

enum hd_metric { HD_METRIC_TOKEN, HD_METRIC_RATIO, HD_METRIC_REQUEST, HD_METRICS };
const char *hd_metric_name(enum hd_metric);

/* One finished (or failed) request, all times in ticks since the trace's zero. */
struct hd_finished {
    int64_t id;          /* row of the trace, from 0 */
    int model, instance; /* instance of its last iteration, -1: none */
    bool measured;
    enum hd_status status;
    int input_tokens, output_tokens, emitted_tokens;
    int tokens_on_time; /* metric T */
    double ratio;       /* metric Q, the artifact's time ratio, 0 to 1 */
    bool request_ok;    /* done, TTFT and mean gap within their limits */
    hd_tick arrival, first_token, last_token; /* -1: never */
    hd_tick gap_longest; /* between tokens; -1 with fewer than two */
    hd_tick blame[HD_BLAMES];
    hd_tick ended;     /* when its account was closed: blame sums to ended - arrival */
    int preempted;     /* times */
    int cached_tokens; /* of its prompt, when its first prefill began; -1: none did, or
                          there is no cache of prompts */
};

enum hd_stage { /* of a switch, in the order in which a turn waits for them */
                HD_STAGE_KV_OUT,
                HD_STAGE_GC,
                HD_STAGE_RESTART,
                HD_STAGE_REINIT,
                HD_STAGE_LOAD,
                HD_STAGE_KV_IN,
                HD_STAGES
};
const char *hd_stage_name(enum hd_stage); /* "kv_out", ... */

/* What a GPU does: at each moment exactly one of these. */
enum hd_gpu_use {
    HD_GPU_PREFILL,
    HD_GPU_MIXED, /* a step of prompts in chunks and decodes */
    HD_GPU_DECODE,
    HD_GPU_START, /* its engine starts */
    HD_GPU_STAGE, /* the first of the stages of a switch, in their order */
    HD_GPU_IDLE_WAITING = HD_GPU_STAGE + HD_STAGES, /* work is there, and waits */
    HD_GPU_IDLE_FREE,                               /* no work, no instance, or down */
    HD_GPU_USES
};
const char *hd_gpu_use_name(enum hd_gpu_use);

/* Ratios are added as whole units: a sum that does not depend on the order, so that
 * "can no longer pass" is exact. */
#define HD_RATIO_ONE ((int64_t)1 << 62)

/* What the trace promises, known before the run: the denominators. */
struct hd_expected {
    int models;
    const int64_t *requests;      /* measured, per model */
    const int64_t *output_tokens; /* of those, empty ones counting as one token */
};

struct hd_model_result {
    int64_t requests, tokens; /* expected: of all measured requests */
    double attain;            /* a target of its own; 0: the criterion's */
    /* of those that have come to an end: */
    int64_t finished[HD_STATUSES];
    int64_t tokens_on_time, tokens_late, requests_ok;
    hd_wide ratio_units;        /* sum of metric Q, in units of 1/HD_RATIO_ONE */
    struct hd_hist *ttft, *e2e; /* NULL until the first entry; in of_models */
    double blame_s[HD_BLAMES];
    hd_wide blame_ticks[HD_BLAMES]; /* behind blame_s */
};

/* What a GPU's memory is used for; the parts add up to the card. */
enum hd_vram_part {
    HD_VRAM_UNCLAIMED, /* the engine does not ask for it (gpu_memory) */
    HD_VRAM_CONTEXT,   /* driver and context of each process */
    HD_VRAM_WORKSPACE, /* workspace and activations of each */
    HD_VRAM_WEIGHTS,
    HD_VRAM_LOADING,   /* weights on their way, and prefetched ones */
    HD_VRAM_KV,        /* blocks of requests */
    HD_VRAM_CACHED,    /* of prompts that nobody holds */
    HD_VRAM_FRAGMENTS, /* of slabs, in no block */
    HD_VRAM_FREE,
    HD_VRAM_PARTS
};

struct hd_vram_account {              /* sampled within the window */
    hd_wide sum[HD_VRAM_PARTS], card; /* byte-ticks over all GPUs; card: their sum */
    hd_wide gpu_ticks;
    int64_t peak[HD_VRAM_PARTS]; /* the most on one GPU */
    double fragments_peak;       /* the largest share of all slabs' bytes in no block */
};

struct hd_measure {
    hd_tick from, to; /* window of arrivals that count */
    int models;
    struct hd_model_result *model;
    struct hd_hist *of_models; /* behind the models' own histograms */
    struct hd_hist ttft, tbt, tpot, e2e, gap_longest;
    /* measured, tokens: expected; preempted: measured requests, each time */
    int64_t measured, finished[HD_STATUSES], preempted;
    int64_t tokens, tokens_on_time, tokens_late, tokens_emitted, requests_ok;
    /* Of measured requests whose prefill began where prompts are cached: tokens of the
     * prompts, and of those, found in the cache. */
    int64_t prompt_tokens, cached_tokens;
    hd_wide ratio_units;
    double blame_s[HD_BLAMES];
    double gpu_s[HD_GPU_USES], gpus_s; /* within the window; gpus_s: all GPU-seconds,
                                          the sum of the others */
    int64_t switches, switches_hidden; /* turns that changed the model; of those,
                                          found the weights already there */
    double stage_s[HD_STAGES];         /* that turns waited for a stage, at any time */
    double active_models_s;            /* integral over the window */
    int active_models_peak;
    /* the most that was used on one GPU (weights and KV), and on one host */
    int64_t peak_vram_bytes, peak_dram_bytes;
    struct hd_vram_account vram;
    int64_t iterations, iterations_stepped, segments, callbacks;
    hd_tick end; /* when the run ended */
    /* called for every finished request, measured or not; may be NULL */
    void (*on_finished)(void *context, const struct hd_finished *);
    void *on_finished_context;
    /* asked when requests have ended that missed something, at least once for every
     * 1 + models/64 of them; true ends the run early (the verdict is known); may be
     * NULL */
    bool (*hopeless)(void *context, const struct hd_measure *);
    void *hopeless_context;
    int missed_since_asked;
    /* The sums behind gpu_s, stage_s, blame_s and active_models_s: exact, so that it
     * does not matter into how many pieces a stretch of time was cut, and parts add up
     * to the tick. The seconds are made of them by hd_measure_close. */
    hd_wide gpu_ticks[HD_GPU_USES], stage_ticks[HD_STAGES], blame_ticks[HD_BLAMES];
    hd_wide active_ticks, latency_ticks; /* latency: of all that blame is part of */
};

/* A fresh measure of a window; ends with hd_measure_free. `to` may be
 * HD_TICK_NEVER. */
struct hd_measure *hd_measure_new(const struct hd_expected *, hd_tick from, hd_tick to);
void hd_measure_free(struct hd_measure *);

/* Called by the engine. Returns true when the run may stop (see `hopeless`). */
bool hd_measure_finish(struct hd_measure *, const struct hd_finished *);

/* gpus GPUs were in that state from `since` to `until`; the part outside the
 * window is left out. */
void hd_measure_gpu(struct hd_measure *, enum hd_gpu_use, int gpus, hd_tick since,
                    hd_tick until);
/* All GPU-ticks of `gpus` GPUs in the window up to `end`: what gpu_ticks must sum to.
 */
hd_wide hd_measure_gpus(const struct hd_measure *, int gpus, hd_tick end);
/* The run is over at `end`: turns the sums into seconds. */
void hd_measure_close(struct hd_measure *, hd_tick end);
/* In iterations; making models runnable, the start of engines included. */
double hd_measure_busy_s(const struct hd_measure *);
double hd_measure_switching_s(const struct hd_measure *);
/* A turn waited `ticks` for a stage of a switch. */
void hd_measure_stage(struct hd_measure *, enum hd_stage, hd_tick ticks);
/* `count` models had work from since to until. */
void hd_measure_active(struct hd_measure *, int count, hd_tick since, hd_tick until);

/* The pass rule and derived figures: see pass.h. */

#endif
