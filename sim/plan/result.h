/* What a run and a search gave: written by plan, printed by output. */
#ifndef HD_PLAN_RESULT_H
#define HD_PLAN_RESULT_H

#include "plan/question.h"
#include "timing/calibration.h"

/* What became of the trace's rows. What is too long or empty was failed, dropped or
 * clipped as the question says; a row that is both counts as empty. */
struct hd_load {
    int64_t rows;                        /* of the trace, or of the cut */
    int64_t sent, measured;              /* to the engine; of those, in the window */
    int64_t too_long, too_long_measured; /* beyond their model's context */
    int64_t empty, empty_measured;       /* no output recorded */
    int64_t no_input;                    /* sent as one token, which a run needs */
};

/* What decided a verdict: the stretch of arrivals, the models and the resource
 * that cost the most late tokens. */
struct hd_limit {
    bool known;
    hd_tick from, to; /* of the worst bin */
    char *models;     /* up to three names, worst first, blank between */
    const char
        *resource; /* "prefill queue", "switching", "compute", "KV memory", ... */
};

/* Where the time of a run went: the machine's, not the simulated one. */
struct hd_profile {
    bool timed;     /* false: nothing below is known */
    double run_s;   /* of hd_run alone: no reading, no writing */
    double clock_s; /* of a look at the clock; each call has two, one counts as its */
    int64_t calls[HD_CALLBACKS];
    double callback_s[HD_CALLBACKS];
};

/* One run, whole. */
struct hd_run_record {
    int policy;    /* index into the question's */
    double scale;  /* of the SLO */
    int gpus;      /* in the fleet */
    int *replicas; /* per model as `dedicated` was given them; NULL: not asked */
    enum hd_run_end end;
    struct hd_measure *measure;
    struct hd_err note, err; /* a stalled run; why it failed or could not start */
    int timings;             /* what the times rest on, per (GPU, model, tp) used */
    struct hd_timing_source *timing;
    struct hd_limit limit;
    struct hd_load load;
    struct hd_profile profile;
};
/* Frees what it holds, not the record itself. */
void hd_run_record_free(struct hd_run_record *);

enum { HD_FAILS_ABOVE_MAX = 16 };

enum { HD_ABOVE = 4 }; /* with N GPUs, N + 1 to N + 4 must pass as well */

/* The answer for one (policy, scale, attain, rule). Everything counts the serial
 * search only, and so is the same for any number of threads. */
struct hd_answer {
    int policy;
    double scale, attain;
    enum hd_pass_rule rule;
    bool whole;   /* the search ended; false: interrupted, nothing below is known */
    bool reached; /* gpus is the least N with N .. N+HD_ABOVE all passing */
    int gpus;
    int above; /* N that failed although fewer GPUs were seen to pass; the least of
                  them, ascending, in */
    int fails_above[HD_FAILS_ABOVE_MAX];
    double best;   /* not reached: what the criterion hangs on attained at best, the
                      worst judged model, the rare ones or all; NAN: not known */
    char *why_not; /* ... and the reason, one line */
    char *note;    /* what else to know of the answer, one line, or NULL */
    /* The run at gpus, or if not reached at the most that was tried; NULL when no run
     * was needed or the policy did not start. The comparison owns it. */
    const struct hd_run_record *record;
    struct hd_limit limit;    /* of gpus - 1: what failed this criterion there; not
                                 known if the policy does not start there (see note) */
    int bound_gpus;           /* no policy can do with fewer; 0: not known */
    int baseline_gpus;        /* dedicated at the same rule; 0: unknown */
    double saved;             /* 1 - gpus / baseline_gpus; NAN: unknown */
    double one_each_attained; /* pooled, by one replica per model at the same scale;
                                 NAN: unknown */
    /* Runs of the search, which the answers of a policy and scale share; of them
     * stopped early. */
    int probes, probes_cut;
};

struct hd_comparison {
    bool complete;
    int answers;
    struct hd_answer *answer; /* by scale, attain, rule, policy in the order asked */
    int records;
    struct hd_run_record *record;
    int one_each_gpus;
    struct hd_load load;
    int64_t requests_simulated, requests_saved; /* saved: not run, by early stops */
};
void hd_comparison_free(struct hd_comparison *);

#endif
