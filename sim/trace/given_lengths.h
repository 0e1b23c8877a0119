/* Lengths of requests for traces that have none: the same for all, or pairs drawn from
 * another trace's rows. Internal to this room. */
#ifndef HD_TRACE_GIVEN_LENGTHS_H
#define HD_TRACE_GIVEN_LENGTHS_H

#include <stdint.h>

#include "base/err.h"

struct hd_given_lengths;

/* asked: "512,128", input and output tokens, or a trace file. NULL on failure, with
 * "--lengths ...: why" in err. */
struct hd_given_lengths *hd_given_lengths_open(const char *asked, uint64_t seed,
                                               struct hd_err *);

/* The next request's. Pairs of a file are drawn with equal chance, input and output of
 * one row together. */
void hd_given_lengths_next(struct hd_given_lengths *, int32_t *input, int32_t *output);

/* What they rest on: "invented, 512 in and 128 out each". */
const char *hd_given_lengths_about(const struct hd_given_lengths *);
void hd_given_lengths_close(struct hd_given_lengths *);

#endif
