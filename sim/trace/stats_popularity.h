/* How requests spread over models, and two laws that say it in few numbers. */
#ifndef HD_TRACE_STATS_POPULARITY_H
#define HD_TRACE_STATS_POPULARITY_H

#include <stdint.h>

struct hd_popularity {
    int models;
    double top1, top2, top5, top10;  /* shares of requests, of so many models */
    double coldest_half;             /* of the less popular half, rounded up */
    int hold_half, hold_90, hold_99; /* models that hold so much, the hottest first */
    /* Gini coefficient of requests over models: 0 when all are alike, (n-1)/n when one
     * has them all. */
    double gini;
    double slope; /* of log share over log rank, by least squares; NAN: one model */
    /* Zipf: share proportional to rank^-zipf. Maximum likelihood, and its standard
     * error from the Fisher information, as if the ranks were known beforehand; NAN:
     * one model. */
    double zipf, zipf_error;
    /* Two classes, the models of each alike: `hot` models share hot_share. Maximum
     * likelihood; 0 when all models are alike or there is one. */
    int hot;
    double hot_share;
    /* Share of requests that would have to go to another model to make the law true
     * (total variation); NAN where there is no law. */
    double zipf_off, classes_off;
};

/* rows: requests of each model, at least one each. */
void hd_popularity(const int64_t *rows, int models, struct hd_popularity *);

#endif
