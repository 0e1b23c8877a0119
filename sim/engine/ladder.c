/* Rungs and costs. The published figures are those of Aegaeon (SOSP'25) as secondary
 * accounts of it give them. */
#include "engine/ladder.h"

static const struct {
    const char *name, *adds;
} rung_of[HD_RUNGS] = {
    {"restart", "a process of its own for each model"},
    {"naive", "one process; the engine starts anew"},
    {"reuse", "executor, NCCL, tokeniser and profile are kept"},
    {"explicit", "memory is managed, nothing is collected"},
    {"pipelined", "weights in chunks, at the speed of the links"},
    {"cached", "weights from host memory"},
    {"overlap", "KV leaves while weights come"},
    {"events", "KV request by request, each awaited alone"},
    {"prefetch", "weights come during the turn before"},
};

const char *hd_rung_name(enum hd_rung rung) {
    return rung_of[rung].name;
}

const char *hd_rung_adds(enum hd_rung rung) {
    return rung_of[rung].adds;
}

static const struct hd_switch_cost_of costs[HD_SWITCH_COSTS] = {
    [HD_COST_RESTART] = {"restart", "s", 5,
                         "assumed: a Python process and its imports"},
    [HD_COST_REINIT] = {"reinit", "s", 17,
                        "published: 26.9 s in all for a 13B model, less the other "
                        "stages, gc assumed; executor and NCCL, pinning, profiling"},
    [HD_COST_GC] = {"gc", "s", 0.5, "assumed: garbage collection, caches emptied"},
    [HD_COST_LOAD_RATE] = {"load-rate", "bytes/s", 2.83e9,
                           "published: of a 32 GB/s bus, by an unoptimised loader"},
    [HD_COST_STAGING_RATE] = {"staging", "bytes/s", 100e9,
                              "assumed: several threads fill the buffers faster than "
                              "the bus empties them"},
    [HD_COST_STAGING_CHUNK] = {"chunk", "bytes", 256.0 * (1 << 20),
                               "assumed: a sixteenth of the 4 GiB that are published "
                               "for each GPU"},
};

const struct hd_switch_cost_of *hd_switch_cost(enum hd_switch_cost cost) {
    return &costs[cost];
}

struct hd_switching hd_switching_rung(enum hd_rung rung,
                                      const double cost[HD_SWITCH_COSTS]) {
    double shipped[HD_SWITCH_COSTS];
    for (int c = 0; c < HD_SWITCH_COSTS; c++) shipped[c] = costs[c].value;
    if (!cost) cost = shipped;
    struct hd_switching s = hd_switching_default();
    if (rung < HD_RUNG_NAIVE) s.restart_s = cost[HD_COST_RESTART];
    if (rung < HD_RUNG_REUSE) s.reinit_s = cost[HD_COST_REINIT];
    if (rung < HD_RUNG_EXPLICIT) s.gc_s = cost[HD_COST_GC];
    if (rung < HD_RUNG_PIPELINED) {
        s.load_bytes_per_s = cost[HD_COST_LOAD_RATE];
    } else {
        s.staging_bytes_per_s = cost[HD_COST_STAGING_RATE];
        s.chunk_bytes = cost[HD_COST_STAGING_CHUNK];
    }
    s.no_cache = rung < HD_RUNG_CACHED;
    s.kv_first = rung < HD_RUNG_OVERLAP;
    s.kv_events = rung >= HD_RUNG_EVENTS;
    s.prefetch = rung >= HD_RUNG_PREFETCH;
    return s;
}
