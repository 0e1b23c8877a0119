/* A comparison under way. Internal to this room: compare.c runs it, answers.c turns
 * it into results. */
#ifndef HD_PLAN_COMPARE_H
#define HD_PLAN_COMPARE_H

#include "plan/cells.h"
#include "plan/plan.h"

struct hd_one_each { /* one replica of each model, at one scale */
    bool known;
    double attained;
};

struct hd_compare {
    const struct hd_question *question;
    struct hd_setup *setup;
    struct hd_measure *perfect; /* what no policy can better */
    /* The criteria in order of ease: by attainment, pooled before model. */
    int criteria, attain_of[HD_SEARCH_CRITERIA_MAX];
    struct hd_criterion criterion[HD_SEARCH_CRITERIA_MAX];
    int attains_by_ease[HD_ATTAINS_MAX];
    struct hd_need *need; /* by scale, attainment (as asked) and model */
    int *needs_left;      /* models whose needs are not known yet, by scale */
    struct hd_one_each *one_each;
    int one_each_gpus;
    int cells;
    struct hd_cell *cell; /* an error of an earlier one goes before a later one's */
    int failed;           /* the first that failed, or `cells` */
    bool interrupted;
    hd_progress_fn tell;
    void *tell_context;
    struct hd_progress progress;
};

/* The needs of one scale and attainment, one per model. */
struct hd_need *hd_compare_needs(const struct hd_compare *, int scale, int attain);

/* Does the policy's script read how many replicas a model has? */
bool hd_reads_replicas(const struct hd_script *);

/* Fills in the answers of all that is done. */
void hd_compare_answers(const struct hd_compare *, struct hd_comparison *);

#endif
