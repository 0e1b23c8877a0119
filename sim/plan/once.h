/* One run of one policy, with what plan wants to know of it. */
#ifndef HD_PLAN_ONCE_H
#define HD_PLAN_ONCE_H

#include "measure/pass.h"
#include "plan/late.h"
#include "plan/search.h"
#include "plan/setup.h"
#include "plan/timeline.h"

/* The fixed replicas of hd_case in C, in place of a policy of the question. */
enum { HD_POLICY_FIXED = -1 };

/* Criteria to watch, and when each was lost. */
struct hd_watch {
    int criteria;
    struct hd_criterion criterion[HD_SEARCH_CRITERIA_MAX];
    uint32_t open; /* the run stops once all of these are lost; 0: never */
    /* Out: measured requests that had ended when the criterion was first seen to be
     * lost; INT64_MAX: never. It does not depend on `open`, as far as the run went. */
    int64_t lost_at[HD_SEARCH_CRITERIA_MAX];
    uint32_t passes; /* out: of a whole run */
};

struct hd_outcome {
    enum hd_run_end end;
    int gpus;
    struct hd_measure *measure;
    struct hd_late *late; /* NULL unless asked for */
    int timings;
    struct hd_timing_source *timing;
    struct hd_err note, err; /* err: why it failed, or could not start */
    struct hd_profile profile;
};

/* What to look at beside the measure; all may be NULL or false. */
struct hd_views {
    struct hd_watch *watch;
    bool late, timings, profile;
    void (*on_finished)(void *context, const struct hd_finished *);
    void *on_finished_context;
    struct hd_timeline *timeline; /* of a scene of all models */
};

/* A late account stands on the scene's models: until hd_scene_close. */
void hd_once(struct hd_scene *, int policy, const struct hd_views *,
             struct hd_outcome *);
void hd_outcome_free(struct hd_outcome *);

/* Moves an outcome into a record, with what decided it if its late tokens were looked
 * at. replicas (may be NULL) becomes the record's. */
void hd_outcome_record(struct hd_outcome *, const struct hd_setup *, int policy,
                       double scale, int *replicas, struct hd_run_record *);

/* True when the run means something: every request reached an end, or nothing moved
 * any more. */
bool hd_outcome_whole(const struct hd_outcome *);

#endif
