/* What one switch costs, stage by stage: a run of the engine on one instance and two
 * models of a size, in which a batch of one is served, then a batch of the other comes
 * back. The switch of that last turn is what is told. */
#ifndef HD_PLAN_LADDER_H
#define HD_PLAN_LADDER_H

#include "engine/engine.h"

struct hd_ladder_case {
    int64_t weights_bytes, kv_token_bytes; /* of the whole model */
    int kv_heads, tp;
    int64_t usable_bytes;                /* of each GPU, for weights and KV */
    double pcie_bytes_per_s;             /* of each GPU, each direction */
    double disk_bytes_per_s, dram_bytes; /* of the node */
    int requests, tokens;                /* of either batch; tokens of KV of each */
    struct hd_switching switching;
};

struct hd_ladder_switch {
    hd_tick stage[HD_STAGES];
    hd_tick total; /* from the turn's begin to its first iteration: sum of stages */
    hd_tick ahead; /* loading that weights had done when it began; not in total */
};

/* False with one line in err when two batches and a model do not fit. `step`: one
 * iteration at a time, the same result. */
bool hd_ladder_run(const struct hd_ladder_case *, bool step, struct hd_ladder_switch *,
                   struct hd_err *err);

#endif
