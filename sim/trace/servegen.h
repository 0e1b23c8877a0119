/* A ServeGen directory (Xiang et al., arXiv 2505.09999; alibaba/ServeGen, Apache-2.0):
 * not requests but, for each client, windows of rate and variation, and how many tokens
 * its requests have.
 *
 * chunk-N-trace.csv, without a header, a row a window: second, requests/s, coefficient
 * of variation of the gaps, Gamma or Weibull (empty where there is no request), and two
 * parameters that say the same again. chunk-N-dataset.json, for some clients: by the
 * second from which they hold, "input_tokens" and "output_tokens", each a text
 * "{tokens: weight, ...}". */
#ifndef HD_TRACE_SERVEGEN_H
#define HD_TRACE_SERVEGEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "trace/gaps.h"

struct hd_servegen_window {
    double rate_per_s, cv;
    enum hd_gap_law law; /* POISSON where the rate is 0 */
};

struct hd_token_law {
    int values;      /* 0: none */
    int32_t *tokens; /* ascending as the file has them */
    double *up_to;   /* the sum of the weights so far, the last 1 */
};

struct hd_servegen_period { /* of the tokens */
    double from_s;
    struct hd_token_law input, output; /* both have values */
};

struct hd_servegen_client {
    int number;                  /* of its files */
    double window_s, rate_per_s; /* rate: the mean over the windows */
    int windows, periods;        /* periods 0: nothing is said of its tokens */
    struct hd_servegen_window *window;
    struct hd_servegen_period *period; /* ascending */
};

struct hd_servegen {
    int clients;
    struct hd_servegen_client *client; /* by number */
    char sha256[65];                   /* of the files' own, by number */
};

/* tokens: read the datasets too. NULL with "PLACE: why" in err when there is no such
 * folder or file, or something in it does not read so. */
struct hd_servegen *hd_servegen_open(const char *directory, bool tokens,
                                     struct hd_err *err);
void hd_servegen_close(struct hd_servegen *);

/* The period that holds at at_s; the first one before all. */
const struct hd_servegen_period *
hd_servegen_period_at(const struct hd_servegen_client *, double at_s);
/* The value of a law at a uniform number of [0, 1). */
int32_t hd_token_law_value(const struct hd_token_law *, double uniform);

#endif
