/* Between check.c and check_world.c: the miniature workloads themselves. */
#ifndef HD_PLAN_CHECK_WORLD_H
#define HD_PLAN_CHECK_WORLD_H

#include "engine/engine.h"

enum {
    HD_MINI_MODELS_MAX = 16,
    HD_MINI_KINDS_MAX = 2,
    HD_MINI_NODES_MAX = 2,
    HD_MINI_ARRIVALS_MAX = 256,
    HD_MINI_FAILURES_MAX = 16
};

struct hd_mini {
    const char *name, *why;
    struct hd_run_config config; /* points into this */
    struct hd_run_model model[HD_MINI_MODELS_MAX];
    char model_name[HD_MINI_MODELS_MAX][16];
    struct hd_gpu_kind kind[HD_MINI_KINDS_MAX];
    struct hd_node_config node[HD_MINI_NODES_MAX];
    struct hd_arrival arrival[HD_MINI_ARRIVALS_MAX];
    struct hd_failure failure[HD_MINI_FAILURES_MAX];
    struct hd_timing *timing[HD_MINI_KINDS_MAX];
    int arrivals, next;
};

/* Workload `number`, 0 to HD_CHECK_WORKLOADS - 1; not to be moved afterwards. */
void hd_mini_make(struct hd_mini *, int number);
void hd_mini_free(struct hd_mini *);

#endif
