/* Reference policies in C, on the same interface as those in Lua: plain enough to
 * check the engine against closed forms, and to time the Lua host against.
 *
 * All of them own their GPUs for the whole run: `replicas` instances per model, each
 * of the model's own tensor-parallel degree. */
#ifndef HD_POLICY_BUILTIN_H
#define HD_POLICY_BUILTIN_H

#include "engine/policy.h"

enum hd_builtin {
    HD_BUILTIN_DEDICATED,   /* an arrival joins the model's instance with the fewest
                               requests, ties to the lowest number */
    HD_BUILTIN_ROUND_ROBIN, /* its instances in turn */
    HD_BUILTIN_CENTRAL,     /* one queue per model, first come first served: an
                               instance gets the next request when it holds fewer
                               than `slots` */
};

/* A new policy; it may serve many runs, one after the other. replicas: instances of
 * each model, 0: as many as the run's configuration says. slots (>= 1): for
 * HD_BUILTIN_CENTRAL. Ends with hd_builtin_free. */
struct hd_policy *hd_builtin_new(enum hd_builtin, int replicas, int slots);
void hd_builtin_free(struct hd_policy *);

#endif
