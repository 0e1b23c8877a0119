/* What requests say besides: prompts that begin as earlier ones did, conversations,
 * service levels, deadlines. */
#ifndef HD_TRACE_STATS_REUSE_H
#define HD_TRACE_STATS_REUSE_H

#include "trace/trace.h"

struct hd_reuse {
    /* Prompts with block identities. A block is hit when it and all before it stood at
     * the head of an earlier prompt of the same model: what a cache without end that
     * begins empty would find. The last block counts for the tokens that the prompt
     * has of it. */
    int64_t prefixed;           /* requests with any; 0: the rest is 0 */
    int64_t blocks, blocks_hit; /* of them */
    int64_t blocks_distinct;    /* model by model: what the cache would come to hold */
    int64_t tokens, tokens_hit; /* input tokens of these requests */
    int64_t full_hits;          /* requests whose every block is hit */
    int block_tokens;

    int sessions;       /* conversations; 0: none is told */
    int64_t in_session; /* requests */
    int single_turn;    /* sessions of one request */
    double turns_mean, turns_p50, turns_p99;
    int turns_most;

    int64_t *class_rows; /* requests of each service level; NULL: none is told */
    int64_t deadlines;   /* requests with one */
    double deadline_least_s, deadline_p50_s, deadline_most_s;
};

void hd_reuse(const struct hd_trace *, struct hd_reuse *);
void hd_reuse_free(struct hd_reuse *);

#endif
