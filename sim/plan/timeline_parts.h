/* Between timeline.c and timeline_write.c: what was kept of a run. */
#ifndef HD_PLAN_TIMELINE_PARTS_H
#define HD_PLAN_TIMELINE_PARTS_H

#include "plan/timeline.h"

struct hd_timeline_row {
    hd_tick since, until;
    int64_t id; /* of a request: its row of the trace */
    double bytes;
    int32_t kind, detail, model, instance, requests; /* as in hd_seen */
};

struct hd_timeline_request { /* that has ended */
    int64_t row;
    hd_tick arrival, ended, first_token; /* first_token -1: none */
    hd_tick blame[HD_BLAMES];
    int32_t model, status, input, output, on_time;
};

struct hd_timeline_instance {
    int32_t *gpu;
    int gpus, shown; /* shown: of those in the bounds */
    int64_t last;    /* the row that touches what comes next, -1: none */
};

struct hd_timeline {
    const struct hd_question *question;
    hd_tick from, to;
    bool *gpu; /* shown */
    int gpus;
    int64_t most, rows_used; /* rows of the file */
    hd_tick full_at;         /* HD_TICK_NEVER: not full */
    struct hd_observer observer;
    int64_t (*row_of)(const void *, int64_t);
    const void *row_context;
    struct hd_timeline_row *row;
    int rows, row_capacity;
    struct hd_timeline_request *request;
    int requests, request_capacity;
    struct hd_timeline_instance *instance;
    int instances, instance_capacity;
};

/* Node of a GPU, its first GPU, how many it has, and its part of the fleet. */
struct hd_timeline_node {
    int node, first, gpus, part;
};
struct hd_timeline_node hd_timeline_node_of(const struct hd_question *, int gpu);

#endif
