/* Many runs: one replay, or the fewest GPUs of every policy. */
#ifndef HD_PLAN_PLAN_H
#define HD_PLAN_PLAN_H

#include "plan/result.h"
#include "plan/timeline.h"

/* One run of policy `policy` on the question's fleet at SLO scale `scale`. False on
 * bad input or a policy error, with one line in err. A fleet that the policy says
 * it cannot use is a result (HD_RUN_CANNOT), not an error. on_finished (may be
 * NULL) sees every request as it ends, measured or not; a timeline (may be NULL) is
 * told of what it shows.
 *
 * A policy that reads `replicas` is given what the first attainment takes, found by
 * runs of each model alone, and on a fleet of one kind what fits beyond that: as in a
 * comparison. When such a search is interrupted the record has no measure. */
bool hd_replay(const struct hd_question *, int policy, double scale,
               void (*on_finished)(void *context, const struct hd_finished *),
               void *on_finished_context, struct hd_timeline *, struct hd_run_record *,
               struct hd_err *err);

/* Told as searches go on; called from one thread at a time. */
struct hd_progress {
    int searches, searches_done, runs, runs_cut;
};
typedef void (*hd_progress_fn)(void *context, const struct hd_progress *);

/* The fewest GPUs of each policy for every scale, attainment and rule, on
 * question->jobs threads; the result is the same for any number of them. False on
 * bad input or a policy error. An interrupt returns true with complete = false. */
bool hd_compare(const struct hd_question *, hd_progress_fn, void *progress_context,
                struct hd_comparison *, struct hd_err *err);

#endif
