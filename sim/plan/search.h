/* The logic of the search for the fewest GPUs, apart from what a probe is.
 *
 * Sought, for each of several criteria: the least N such that N to N + `above` all
 * pass. One probe at N gives the verdicts of all criteria that are still open, so
 * none is run at any N twice. The search is a pure function of the verdicts so far:
 * what it asks for next can be computed for verdicts that are only supposed, which
 * is how idle threads run ahead without any effect on the result.
 *
 * What it finds: N to N + above passed, and N - 1 failed (or is below `least`). That
 * is the least such N unless, below a number that was seen to fail, above + 1 in a
 * row pass: more GPUs hurting over such a stretch is not looked for. */
#ifndef HD_PLAN_SEARCH_H
#define HD_PLAN_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

enum { HD_SEARCH_CRITERIA_MAX = 32 };

struct hd_verdict { /* of the criteria in `known`, those in `passes` pass */
    int n;
    uint32_t known, passes;
};

struct hd_search {
    int criteria;    /* easiest first: the order in which they are answered */
    int first;       /* where to begin, within [least, most] */
    int step;        /* the first step from there; it doubles */
    int least, most; /* bounds of the answer; verdicts reach to most + above */
    int above;
    int verdicts, capacity;
    struct hd_verdict *verdict; /* ascending in n */
};

struct hd_found {
    bool answered, reached;
    int n; /* when reached */
};

/* The number to probe next, with the criteria whose verdict is asked for in *open;
 * 0 when every criterion is answered. found (may be NULL) gets one per criterion. */
int hd_search_next(const struct hd_search *, uint32_t *open, struct hd_found *found);

/* Adds the verdicts of a probe. One that stopped early knows only what it was asked
 * for: all of it lost. */
void hd_search_add(struct hd_search *, struct hd_verdict);

/* A copy for suppositions. */
struct hd_search hd_search_copy(const struct hd_search *);
void hd_search_free(struct hd_search *);

/* Numbers that failed although a smaller one passed, ascending, at most `room` of
 * them into out; returns how many there are. */
int hd_search_dips(const struct hd_search *, int criterion, int *out, int room);

#endif
