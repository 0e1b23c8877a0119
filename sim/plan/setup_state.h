/* What a setup holds. Internal to this room: setup.c makes it, scene.c reads it. */
#ifndef HD_PLAN_SETUP_STATE_H
#define HD_PLAN_SETUP_STATE_H

#include <pthread.h>

#include "plan/setup.h"
#include "plan/timings.h"

struct hd_setup_model {
    int64_t sent, input, output; /* rows, and their tokens */
    int part;                    /* of the fleet, where it runs alone */
};

struct hd_setup {
    const struct hd_question *question;
    struct hd_timings *timings;
    struct hd_load load;
    struct hd_setup_model *model;
    int64_t *requests, *tokens; /* measured, per model: the denominators */
    /* Rows sent, by model: m's from first[m] to first[m+1]. Made when a model first
     * runs alone, since it takes memory for every row. */
    pthread_mutex_t indexing;
    int32_t *by_model;
    int64_t *first;
    int64_t *unsent; /* of each row that is not sent: how many are, before it */
    int unsents;
    int kinds;
    const struct hd_gpu_spec *gpu[HD_FLEET_PARTS_MAX]; /* of each kind */
    struct hd_gpu_kind kind[HD_FLEET_PARTS_MAX];
    int kind_of_part[HD_FLEET_PARTS_MAX];
};

/* Makes by_model if it is not there. */
void hd_setup_index(struct hd_setup *);
/* The row as the engine gets it; false: it is not sent. */
bool hd_setup_arrival(const struct hd_setup *, int64_t row, struct hd_arrival *);

#endif
