/* A new trace from requests of others: part of one, several copies, several traces. */
#ifndef HD_TRACE_COMPOSE_H
#define HD_TRACE_COMPOSE_H

#include "trace/trace.h"

struct hd_compose;

/* clock, zero and start: of the new trace; tick 0 is `start` on that clock. */
struct hd_compose *hd_compose_begin(enum hd_clock, hd_wide zero, hd_wide start);

/* Requests will come from this trace, its models' names with `prefix` before them
 * (NULL: none). Returns its number: 0, 1, ... */
int hd_compose_source(struct hd_compose *, const struct hd_trace *, const char *prefix);

/* One request. Prefix blocks are shared within one copy of one source, and with no
 * other; sessions likewise. Those of copy 0 of source 0 keep identities and names. */
struct hd_pick {
    hd_wide at; /* on the new clock */
    int64_t row;
    int source, copy, session_copy;
};

/* Requests come in order of time. False with "why" (no place) when there are too many
 * of them or of blocks, blocks are of different sizes, or the span is longer than a run
 * can be. */
bool hd_compose_add(struct hd_compose *, const struct hd_pick *, struct hd_err *);

/* Puts requests in order of time, those of one instant by copy, source and row; adds
 * all. */
bool hd_compose_add_all(struct hd_compose *, struct hd_pick *, int64_t count,
                        struct hd_err *);

/* What was taken, at least one request; notes, path, name and format are the caller's
 * to fill in. Also frees the builder. */
struct hd_trace *hd_compose_end(struct hd_compose *);
void hd_compose_drop(struct hd_compose *);

#endif
