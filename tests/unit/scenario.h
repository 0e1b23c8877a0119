/* Random small worlds for the engine's tests: fleets, models, timing, arrivals and
 * a policy that does everything it may, all drawn from one seed. The same seed
 * gives the same world whether it is stepped or fast-forwarded. */
#ifndef HD_TESTS_SCENARIO_H
#define HD_TESTS_SCENARIO_H

#include <stdio.h>

#include "engine/engine.h"

enum {
    WORLD_MODELS_MAX = 5,
    WORLD_KINDS = 2,
    WORLD_NODES_MAX = 3,
    WORLD_ARRIVALS_MAX = 160,
    WORLD_PREFIX_MAX = 64
};

struct world {
    struct hd_run_config config;
    struct hd_run_model model[WORLD_MODELS_MAX];
    struct hd_gpu_kind kind[WORLD_KINDS];
    struct hd_node_config node[WORLD_NODES_MAX];
    struct hd_arrival arrival[WORLD_ARRIVALS_MAX];
    int32_t prefix[WORLD_ARRIVALS_MAX][WORLD_PREFIX_MAX];
    struct hd_failure failure[4];
    struct hd_timing *timing[WORLD_MODELS_MAX][WORLD_KINDS];
    int arrivals, next;
    uint64_t seed;
    bool shares;  /* GPUs are shared */
    bool watches; /* its policy decides by what it reads of running segments */
};

/* What a run was, to the last bit: a digest of every finished request in order, of
 * every callback in order, of all that the policy read, of the histograms and of the
 * counts. */
struct outcome {
    enum hd_run_end end;
    uint64_t digest, reads; /* reads: the policy's part of it */
    int64_t iterations, stepped, segments, finished, preempted, callbacks, switches;
    int64_t arrivals, measured, ended[HD_STATUSES];
    int64_t tokens, late, prompt_tokens, cached_tokens;
    bool conserved; /* every request ended once; tokens and GPU time add up */
    int bad_blame;  /* requests whose blame is below 0 or is not their latency */
    FILE *log;      /* of the finished requests, to read a failure by */
    char error[256], last[256];
};

void world_make(struct world *, uint64_t seed);
void world_free(struct world *);
struct outcome world_run(struct world *, bool step, uint64_t cut_seed);
struct outcome world_run_logged(struct world *, bool step, uint64_t cut_seed,
                                FILE *log);
/* The whole world as text, to read a failure by. */
void world_print(const struct world *);

#endif
