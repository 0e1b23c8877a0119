/* The searches of a comparison, cut into runs that threads can do in any order.
 * Internal to this room: compare.c makes the cells, answers.c reads them.
 *
 * What counts is the serial search: the runs that it would make, in its order. Runs
 * made ahead of it are kept until it asks for them, and leave no trace if it never
 * does; how far a run would have gone if fewer criteria were open is known from when
 * each was lost. So nothing of a result depends on the number of threads. */
#ifndef HD_PLAN_CELLS_H
#define HD_PLAN_CELLS_H

#include "plan/once.h"
#include "plan/replicas.h"

enum hd_cell_kind {
    HD_CELL_SEARCH,  /* the fewest GPUs of a policy */
    HD_CELL_NEEDS,   /* replicas of one model alone */
    HD_CELL_ONE_EACH /* one replica of each model, one run */
};

enum hd_cell_stage {
    HD_CELL_WAITS, /* for the needs of its scale */
    HD_CELL_SEEKS,
    HD_CELL_RECORDS, /* the runs that its answers show are run whole */
    HD_CELL_DONE
};

struct hd_probe { /* one run of a search */
    int n;
    bool out; /* being run */
    uint32_t open, passes;
    int64_t lost_at[HD_SEARCH_CRITERIA_MAX];
    enum hd_run_end end;
    char *text; /* of one that failed or could not start */
};

struct hd_whole { /* a run that an answer shows */
    int n;
    bool out, done;
    struct hd_run_record record;
    struct hd_limit limit[HD_SEARCH_CRITERIA_MAX]; /* by what failed each criterion */
};

struct hd_cell {
    enum hd_cell_kind kind;
    enum hd_cell_stage stage;
    int policy; /* HD_POLICY_FIXED: the baseline */
    int scale, model;
    int attain; /* of its needs; -1: the policy reads no replicas */
    int criteria;
    struct hd_criterion criterion[HD_SEARCH_CRITERIA_MAX]; /* easiest first */
    struct hd_search search;
    struct hd_found found[HD_SEARCH_CRITERIA_MAX];
    int probes, probe_capacity;
    struct hd_probe **probe;
    int wholes;
    struct hd_whole *whole;
    int64_t measured;           /* requests of one run */
    struct hd_effort effort;    /* of the serial search */
    const struct hd_need *need; /* per model, of its scale and attainment */
    int base_gpus;              /* that hold these */
    bool out;                   /* NEEDS, ONE_EACH: being done */
    bool failed;
    struct hd_err err;
};

/* What a thread does at a time. */
struct hd_piece {
    struct hd_cell *cell;
    struct hd_probe *probe; /* or */
    struct hd_whole *whole; /* or neither: the cell itself */
};

/* The run that the search needs now, or NULL: it is out, or there is none. */
struct hd_probe *hd_cell_next(struct hd_cell *);
/* A run that it may need later, at most `ahead` at a time; NULL: none. */
struct hd_probe *hd_cell_ahead(struct hd_cell *, int ahead);
/* A whole run that is still to be made, or NULL. */
struct hd_whole *hd_cell_whole(struct hd_cell *);
/* Takes over what has come back, as far as the serial search has got. */
void hd_cell_absorb(struct hd_cell *);

/* Makes the run; anything but the probe or the whole stays as it is. */
void hd_cell_probe(struct hd_setup *, const struct hd_cell *, struct hd_probe *);
void hd_cell_record(struct hd_setup *, const struct hd_cell *, struct hd_whole *);

/* The whole run at n, or NULL. */
struct hd_whole *hd_cell_whole_at(const struct hd_cell *, int n);
struct hd_probe *hd_cell_probe_at(const struct hd_cell *, int n);
void hd_cell_free(struct hd_cell *);

#endif
