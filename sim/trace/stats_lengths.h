/* How long requests are: the distribution of tokens, and how input and output go
 * together. */
#ifndef HD_TRACE_STATS_LENGTHS_H
#define HD_TRACE_STATS_LENGTHS_H

#include "trace/trace.h"

enum hd_side { HD_INPUT, HD_OUTPUT };

/* How many requests have each number of tokens: exact, and as large as there are
 * different ones. */
struct hd_token_counts {
    int64_t rows, zeros;
    int distinct;
    int32_t *tokens; /* ascending */
    int64_t *below;  /* distinct + 1: requests with fewer than tokens[i] */
};
/* both: only of requests that have tokens on both sides. */
void hd_token_counts(const struct hd_trace *, enum hd_side, bool both,
                     struct hd_token_counts *);
void hd_token_counts_free(struct hd_token_counts *);

double hd_token_mean(const struct hd_token_counts *);
/* Interpolates linearly between order statistics (R's type 7, which GSL and numpy
 * use). */
double hd_token_quantile(const struct hd_token_counts *, double fraction);

/* Of requests that have tokens on both sides; NAN when they are fewer than two or one
 * side never changes. */
struct hd_token_correlation {
    int64_t rows;
    double pearson_of_logs;
    double spearman; /* of ranks, ties sharing their mean rank */
};
struct hd_token_correlation hd_token_correlation(const struct hd_trace *);

#endif
