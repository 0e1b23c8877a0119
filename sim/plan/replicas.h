/* How many replicas each model needs when it has its GPUs for itself: what `dedicated`
 * and other policies with a fixed layout are given. */
#ifndef HD_PLAN_REPLICAS_H
#define HD_PLAN_REPLICAS_H

#include "plan/setup.h"

/* What a search cost: runs, of them stopped early, measured requests run and not
 * run. */
struct hd_effort {
    int runs, cut;
    int64_t simulated, saved;
};

struct hd_need { /* of one model at one attainment */
    int replicas;
    double margin; /* attained by so many, alone, above the target */
    bool hopeless; /* no number reaches the target: the fewest that reach that share
                      of what the largest number attains; 1 if that is nothing */
};

/* The fewest replicas with which the model alone keeps each target at a scale; models
 * do not interact, so that this is a run of its own requests only. A class's own
 * attainment goes before the target; a models file's minimum is kept. need: one per
 * target. False when interrupted, or with one line in err. */
bool hd_needs_of(struct hd_setup *, int model, double scale, const double *target,
                 int targets, struct hd_need *need, struct hd_effort *,
                 struct hd_err *err);

/* The least GPUs of the question's only part on which all replicas can be laid out,
 * model by model, each on the first node with room. */
int hd_replicas_gpus(const struct hd_setup *, const int *replicas);

/* What a fixed layout makes of `gpus` GPUs: the needed replicas, and on what is left
 * one more for the models with the least margin, round and round, as far as they fit.
 * Too few GPUs change nothing: the policy will say so. On a fleet of several parts the
 * policy chooses the type, and only what is needed is asked for. replicas: one per
 * model. */
void hd_replicas_on(const struct hd_setup *, int gpus, const struct hd_need *need,
                    int *replicas);

#endif
