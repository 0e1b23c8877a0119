/* Queues with known answers, played by the real engine: Poisson arrivals, lengths
 * from a distribution with known moments, timings chosen so that instances are the
 * servers of a textbook queue. Every figure comes from independent replications, so
 * that its standard error is known. */
#ifndef HD_TESTS_QUEUE_WORLD_H
#define HD_TESTS_QUEUE_WORLD_H

#include <gsl/gsl_rng.h>

#include "engine/engine.h"
#include "policy/builtin.h"

/* Output lengths in tokens, of the same mean. */
enum qw_size {
    QW_CONSTANT,
    QW_EXPONENTIAL, /* rounded up, which is geometric */
    QW_TWO_POINT    /* mean/5 with probability 5/6, else 5 * mean */
};
const char *qw_size_name(enum qw_size);
/* Moments of the length as drawn, rounding included. */
double qw_size_mean(enum qw_size, double mean_tokens);
double qw_size_square(enum qw_size, double mean_tokens);

struct qw {
    int models;       /* all alike; an arrival is for each with the same probability */
    int replicas;     /* instances of each, one GPU each */
    int max_batch;    /* running members of an instance */
    double step_s;    /* of a decode step, whatever the batch */
    double per_seq_s; /* and for each member of the batch */
    double prefill_s; /* of a prompt, beside per_seq_s; at least a tick */
    enum hd_builtin which;
    int slots;   /* of HD_BUILTIN_CENTRAL */
    double rate; /* arrivals per second, all models together */
    enum qw_size size;
    double mean_tokens;
    double warm_s, span_s;            /* arrivals before warm_s are not measured */
    const struct hd_policy *policy;   /* instead of `which`; may be NULL */
    const struct hd_failure *failure; /* of GPUs, in order of time */
    int failures;
};

/* Called for every measured request. */
typedef void (*qw_seen)(void *context, const struct hd_finished *);

/* How many replications a mean rests on. The checked build sees the same runs of the
 * engine with every invariant checked, twenty times slower: fewer, and qw_expect asks
 * for as much less sharpness. */
#ifdef HD_CHECKED
enum { QW_REPLICATIONS = 5 };
#else
enum { QW_REPLICATIONS = 20 };
#endif

/* One replication. The caller frees the measure. The run must have ended whole. */
struct hd_measure *qw_run(const struct qw *, uint64_t seed, qw_seen, void *context);

/* Means of replications, and the check of their mean. */
struct qw_stat {
    long count;
    double sum, square;
};
void qw_add(struct qw_stat *, double value);
double qw_mean(const struct qw_stat *);
double qw_error(const struct qw_stat *); /* standard error of the mean */

/* Prints both and fails unless they agree within four standard errors and `bias`
 * (what the model leaves out, e.g. the length of a step). A standard error above
 * `sharpness` (with 20 replications) of the expected value fails too: such a check
 * would say nothing. */
void qw_expect(const char *what, double expected, const struct qw_stat *, double bias,
               double sharpness);

#endif
