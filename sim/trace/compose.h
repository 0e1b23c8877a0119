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

/* Rows of a source that lie in order of time, all moved by as much. */
struct hd_lane {
    int64_t row, end;    /* from row to before end */
    hd_wide shift;       /* from the row's tick to the new clock */
    const uint8_t *kept; /* by row, a bit each, those of 8 rows from the lowest on;
                            NULL: all are */
    int source, copy, session_copy;
};

/* Adds all, in order of time, those of one instant by lane. Nothing is held of them but
 * where each lane is. */
bool hd_compose_merge(struct hd_compose *, struct hd_lane *, int lanes,
                      struct hd_err *);

/* What was taken, at least one request; notes, path, name and format are the caller's
 * to fill in. Also frees the builder. */
struct hd_trace *hd_compose_end(struct hd_compose *);
void hd_compose_drop(struct hd_compose *);

#endif
