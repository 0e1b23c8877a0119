/* A recipe fitted to a real trace, so that a synthetic twin can be shared in its place.
 *
 * What is fitted: rate and span; the models' shares; the rate over time, in equal
 * stretches that all models share; the gaps of a model between requests once that rate
 * is taken out (of exponential, gamma and Weibull with any coefficient of variation
 * from 0.25 to 8, the law that comes nearest by Kolmogorov-Smirnov); the quantiles of
 * input and output tokens, tied by a Gaussian copula of the same rank correlation
 * (2 sin(pi/6 r) for Spearman's r). What is not: sessions, prefixes, classes, lengths
 * that differ by model or move with time, models that wake together beyond the common
 * rate. */
#ifndef HD_MARKET_FIT_H
#define HD_MARKET_FIT_H

#include "market/market.h"
#include "trace/distance.h"

/* A market fitted to the trace: as a recipe would give it, to be drawn or written. NULL
 * with a reason in err when there are too few requests (50), no span, or none with
 * input and output. The caller frees it. */
struct hd_market *hd_fit(const struct hd_trace *, struct hd_err *err);

/* How well a fit does. */
struct hd_fit_check {
    int64_t fitted, twin, held; /* requests */
    struct hd_likeness of_held, of_twin;
    struct hd_distance distance;
};
/* Two of them: the whole trace beside a twin drawn from the market that was fitted to
 * it, and its second half in time beside a twin of the first. False with a reason in
 * err when a half is too small. */
bool hd_fit_check_whole(const struct hd_trace *, const struct hd_market *,
                        struct hd_fit_check *, struct hd_err *err);
bool hd_fit_check_halves(const struct hd_trace *, struct hd_fit_check *,
                         struct hd_err *err);

/* The market as a recipe, what it was fitted to and how well as comments in it. about
 * names the trace; `halves` may be NULL. */
void hd_fit_write(const struct hd_market *, const char *about,
                  const struct hd_fit_check *whole, const struct hd_fit_check *halves,
                  FILE *);
/* The goodness of fit as lines of text, each after `lead`. */
void hd_fit_check_write(const struct hd_fit_check *whole,
                        const struct hd_fit_check *halves, const char *lead, FILE *);

#endif
