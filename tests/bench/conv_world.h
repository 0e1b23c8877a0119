/* Work for one model: the Azure conversation trace of 2023 (or, where that is
 * not at hand, arrivals generated like it) on instances of two A100 each, serving
 * about what Llama-2-70B is. The timings are assumed, in order of magnitude: figures
 * on this world say how fast and how consistent the simulator is, not how good a
 * policy is. */
#ifndef HD_TESTS_CONV_WORLD_H
#define HD_TESTS_CONV_WORLD_H

#include "engine/engine.h"

struct conv {
    struct hd_arrival *row;
    int64_t rows, input, output; /* input, output: tokens in all */
    bool real;                   /* the trace itself */
};

/* The trace, `copies` times in a row; `speed` divides the times between arrivals. Data
 * is looked for in HOTDESK_DATA, default ../shared/data. */
struct conv *conv_load(int copies, double speed);
void conv_free(struct conv *);

struct conv_world {
    struct hd_run_config config; /* ready to run, but for the places it says */
    struct hd_run_model model;
    struct hd_gpu_kind kind;
    struct hd_node_config node;
    struct hd_timing *timing;
    const struct conv *conv;
    int64_t next, requests, tokens; /* requests, tokens: what is expected */
};

/* Instances of two GPUs, 53,248 tokens of KV and 128 places each; every request is
 * measured. TTFT 10 s, TBT 100 ms until changed. */
void conv_world_make(struct conv_world *, const struct conv *, int instances);
void conv_world_free(struct conv_world *);
/* A measure for one run of it; also starts the arrivals anew. */
struct hd_measure *conv_world_measure(struct conv_world *);

#endif
