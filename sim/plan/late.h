/* Where a run's late tokens come from: arrival time, model and cause of each. */
#ifndef HD_PLAN_LATE_H
#define HD_PLAN_LATE_H

#include "measure/pass.h"
#include "plan/result.h"

struct hd_late;

/* For a run that is accounted for in the measure, whose window it divides into bins of
 * 5 minutes, or of a tenth of a shorter one; models are the run's. Memory: bins times
 * models. */
struct hd_late *hd_late_new(const struct hd_measure *, const struct hd_run_model *);
void hd_late_free(struct hd_late *);

void hd_late_add(struct hd_late *, const struct hd_finished *);

/* The bin with the most late tokens, its models and the cause that weighs most there.
 * With a criterion, of the models that fail it alone; without, of all. Not known when
 * no token of theirs was late.
 *
 * The cause is what late requests spent the most time on, where decoding counts only
 * as far as it was slower than the TBT limit: the rest was granted. Where most late
 * tokens were never due to come (rejected, too long, no output) that is the cause. */
struct hd_limit hd_late_limit(const struct hd_late *, const struct hd_measure *,
                              const struct hd_criterion *);

#endif
