/* A market of models that is drawn, not recorded: who is popular, when requests
 * come, how long they are.
 *
 * Every part draws from streams of its own, one per model (gaps, bursts, input,
 * output) or per group, seeded from (seed, part, number) alone. So changing one
 * part leaves the draws of all others as they were, which makes two markets
 * comparable; and a market is a function of its recipe and seed. */
#ifndef HD_TRACE_MARKET_H
#define HD_TRACE_MARKET_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/* Law of the gaps between one model's requests, at unit mean. */
enum hd_gap_law { HD_GAP_POISSON, HD_GAP_GAMMA, HD_GAP_WEIBULL };

/* A rate that alternates between high and low for exponential times, its mean kept:
 * low = quiet * high. on_s = 0: it does not alternate. */
struct hd_on_off {
    double on_s, off_s; /* mean durations */
    double quiet;       /* 0 to 1: the low rate over the high one */
};

/* Tokens: lognormal with that median and mean, drawn again outside [min, max]. */
struct hd_length_law {
    double p50, mean; /* before the bounds take effect; mean > p50 */
    int min, max;
};

struct hd_market {
    int models;                /* named m1, m2, ... by rank, zero-padded to one width */
    double *share;             /* of the mean rate, per model; sums to 1 */
    double rate_per_s, span_s; /* requests per second of the whole market */
    enum hd_gap_law gaps;
    double gap_cv;           /* of gamma and Weibull gaps, over the mean rate */
    struct hd_on_off bursts; /* of each model by itself */
    /* Groups of models that wake together: the groups * group_size last models,
     * dealt to the groups in turn. */
    int groups, group_size;
    struct hd_on_off group_activity;
    struct hd_length_law input, output;
    char *parts; /* where each part comes from: real, fitted, published, invented */
};

struct hd_market_request {
    int64_t at_us;
    int32_t model, number; /* among the model's requests, from 0 */
    int32_t input_tokens, output_tokens;
};

/* Draws the requests, in order of time (then model, then number); the caller frees
 * them. NULL with a reason in err when they would be more than 20 million, or none
 * came. */
struct hd_market_request *hd_market_draw(const struct hd_market *, uint64_t seed,
                                         int64_t *count, struct hd_err *err);

/* Writes a native trace: notes ("# parts: ...", "# made: ..."), header, rows. False
 * on a write error. */
bool hd_market_write(const struct hd_market *, const char *made,
                     const struct hd_market_request *, int64_t count, FILE *);

/* Shares of n models. Classes: `classes` groups of models[c] equal models that
 * hold share[c] together. Zipf-Mandelbrot: proportional to (rank + shift)^-s. */
void hd_share_classes(double *out, const int *models, const double *share, int classes);
void hd_share_zipf(double *out, int n, double s, double shift);

/* Shape k of a Weibull law with that coefficient of variation (0.05 to 20). */
double hd_weibull_shape(double cv);

#endif
