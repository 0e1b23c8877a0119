/* The pass rule: does a run keep the SLO? Defined once, for every command.
 *
 * `model`: every judged model (at least 10/(1-attain) measured requests, rounded
 * to the nearest integer) reaches the target, and all rarer models, taken
 * together, do too. `pooled`: all requests together reach it. At a target of 1 no
 * number of requests is enough by that rule; every model is judged then, which
 * gives the verdict of the pool and names the models that fail.
 *
 * Models with a target of their own (hd_model_result.attain) are held to it: the rule
 * then applies to the models of each target by themselves. */
#ifndef HD_MEASURE_PASS_H
#define HD_MEASURE_PASS_H

#include "measure/measure.h"

enum hd_pass_rule { HD_PASS_MODEL, HD_PASS_POOLED, HD_PASS_RULES };
const char *hd_pass_rule_name(enum hd_pass_rule);

struct hd_criterion {
    enum hd_metric metric;
    enum hd_pass_rule rule;
    double attain; /* (0, 1] */
};

/* The target that a model is held to: its own, or the criterion's. */
double hd_target(const struct hd_measure *, int model, double attain);

/* Attainment of one model, of all (model -1) or of the rare ones among those held to
 * `target`, which is the criterion's (model -2; otherwise it is not looked at); 1 when
 * there is nothing to attain. */
double hd_attained(const struct hd_measure *, enum hd_metric, int model, double target);

/* Least number of measured requests with which a model is judged. */
int64_t hd_judged_from(double attain);
/* Has the model so many? attain: the criterion's. */
bool hd_judged(const struct hd_measure *, int model, double attain);

/* Meaningful once the run is whole. */
bool hd_passes(const struct hd_measure *, const struct hd_criterion *);

/* True exactly when the criterion can no longer be met, whatever happens to the
 * requests that have not finished yet: hd_passes of the run in which each of them
 * does perfectly. O(models). */
bool hd_cannot_pass(const struct hd_measure *, const struct hd_criterion *);

#endif
