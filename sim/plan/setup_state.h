/* What a setup holds. Internal to this room: setup.c makes it, scene.c reads it. */
#ifndef HD_PLAN_SETUP_STATE_H
#define HD_PLAN_SETUP_STATE_H

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
    int32_t *by_model;          /* rows sent: model m's from first[m] to first[m+1] */
    int64_t *first;
    int32_t *sent; /* rows sent, in order of time; NULL when that is all of them */
    int kinds;
    const struct hd_gpu_spec *gpu[HD_FLEET_PARTS_MAX]; /* of each kind */
    struct hd_gpu_kind kind[HD_FLEET_PARTS_MAX];
    int kind_of_part[HD_FLEET_PARTS_MAX];
};

/* The row as the engine gets it; false: it is not sent. */
bool hd_setup_arrival(const struct hd_setup *, int64_t row, struct hd_arrival *);

#endif
