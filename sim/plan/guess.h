/* Where a search for the fewest GPUs begins: a queueing estimate of each class of
 * policy. It decides how many runs a search takes, never what it answers. */
#ifndef HD_PLAN_GUESS_H
#define HD_PLAN_GUESS_H

#include "plan/setup.h"

struct hd_guess_model { /* of one model: its mean request and what it asks for */
    int tp;             /* GPUs */
    double rate_per_s;  /* of arrivals */
    double prefill_s, output_tokens;
    double step_s;        /* a decode step of one request alone */
    double token_s;       /* an output token's share of a step of many */
    double switch_s;      /* until its weights are there */
    double ttft_s, tbt_s; /* limits, INFINITY: none */
};

/* GPUs where one holds a model from its first request until it has none. */
int hd_guess_by_models(const struct hd_guess_model *, int models);

/* GPUs where models take turns between tokens. */
int hd_guess_by_tokens(const struct hd_guess_model *, int models);

/* The same for the setup's question at a scale of its limits; at least 1. */
int hd_guess_gpus(const struct hd_setup *, enum hd_pooling, double scale);

#endif
