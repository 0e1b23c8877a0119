/* The ladder: usual sets of switching mechanisms, each with one more optimisation than
 * the last, and what the stages of a switch cost.
 *
 * From an engine that is made anew for each model to token-level switching as Aegaeon
 * (SOSP'25) describes it. */
#ifndef HD_ENGINE_LADDER_H
#define HD_ENGINE_LADDER_H

#include "engine/engine.h"

enum hd_rung {
    HD_RUNG_RESTART,   /* a process for each model */
    HD_RUNG_NAIVE,     /* one process; its engine is made anew */
    HD_RUNG_REUSE,     /* of everything but weights and KV */
    HD_RUNG_EXPLICIT,  /* memory is managed: nothing to collect */
    HD_RUNG_PIPELINED, /* weights in chunks through pinned buffers, at the links' speed
                        */
    HD_RUNG_CACHED,    /* from the host's memory */
    HD_RUNG_OVERLAP,   /* KV leaves while weights come */
    HD_RUNG_EVENTS,    /* KV request by request, each awaited by itself */
    HD_RUNG_PREFETCH,  /* the next model's weights come while this one computes */
    HD_RUNGS
};
const char *hd_rung_name(enum hd_rung); /* "restart", "naive", ... */
const char *hd_rung_adds(enum hd_rung); /* what it has that the one before has not */

/* What no bandwidth gives: times, rates and sizes of the stages. */
enum hd_switch_cost {
    HD_COST_RESTART,       /* s */
    HD_COST_REINIT,        /* s */
    HD_COST_GC,            /* s */
    HD_COST_LOAD_RATE,     /* bytes/s on each GPU, of a loader that is not pipelined */
    HD_COST_STAGING_RATE,  /* bytes/s, filling pinned buffers */
    HD_COST_STAGING_CHUNK, /* bytes */
    HD_SWITCH_COSTS
};
struct hd_switch_cost_of {
    const char *name, *unit; /* unit: "s", "bytes/s" or "bytes" */
    double value;
    /* "published: ...", "measured: ..." or "assumed: ..." */
    const char *basis;
};
/* The shipped ones. */
const struct hd_switch_cost_of *hd_switch_cost(enum hd_switch_cost);

/* The mechanisms of a rung at these costs; NULL: the shipped ones. The rest is
 * hd_switching_default. */
struct hd_switching hd_switching_rung(enum hd_rung, const double cost[HD_SWITCH_COSTS]);

#endif
