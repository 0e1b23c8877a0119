/* A policy on miniature workloads, each made to break a policy in one way. Timing is
 * made up (round numbers), so this says whether a policy is sound, never how good. */
#ifndef HD_PLAN_CHECK_H
#define HD_PLAN_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "policy/host.h"

enum { HD_CHECK_WORKLOADS = 10 };

struct hd_check_result {    /* of one workload */
    const char *name, *why; /* why: what it is made to find */
    bool ran;               /* false: `start` said that the fleet cannot do */
    bool passed;            /* it ran, nothing was lost, nobody starved */
    int requests, done, rejected, too_long, lost, starved;
    int64_t first_lost;   /* row, from 0; -1: none */
    double idle_fraction; /* of GPU time: at rest with requests of its own */
    struct hd_err note;   /* ran: what the engine says of a stalled run; else why not */
};

struct hd_check {
    int workloads, passed, refused; /* refused: did not run */
    int rejected, lost, starved;
    double idle_fraction; /* over all that ran */
    int64_t decisions;    /* callbacks */
    double wall_s;        /* of the runs: not the same every time */
    struct hd_check_result result[HD_CHECK_WORKLOADS];
};

/* A request is starved when it waits longer for its first token. Every workload can
 * be served in a fraction of that. */
enum { HD_CHECK_STARVED_S = 120 };

/* Runs all workloads. False when the script failed: err has the script's error and
 * the workload. step: one iteration at a time (the result is the same). */
bool hd_check_policy(const struct hd_script *, const struct hd_param_values *,
                     bool step, struct hd_check *, struct hd_err *err);

#endif
