/* A policy that does everything it may, at random: for the engine's tests. What it
 * draws depends on its seed and on what it sees, so it does the same in two runs as
 * long as these are the same. */
#ifndef HD_TESTS_SCENARIO_POLICY_H
#define HD_TESTS_SCENARIO_POLICY_H

#include <stdio.h>

#include "engine/engine.h"

enum { WANDERER_MOST = 512 }; /* groups, members, instances that it looks at */

struct wanderer {
    uint64_t random, digest; /* digest: of all callbacks and of all that it read */
    bool reads;              /* reads every field there is, again and again */
    bool places;             /* decides by what it reads of running segments */
    bool follows;            /* a `done` starts a follow-up at the same instant */
    bool mischief;           /* moves, parks, dissolves, limits, ... */
    bool quanta, prefills, chunks;
    bool leaves_turns; /* has no `turn`: the head of the queue runs */
    bool shares;       /* instances share GPUs */
    bool slices;       /* by the driver's time slices, where it says how */
    bool whole_ms;     /* all its times are whole milliseconds */
    int period_ms;
    int models;
    int64_t callbacks;
    FILE *log; /* of callbacks, to read a failure by; may be NULL */
};

struct hd_policy wanderer_policy(struct wanderer *);

/* scenario_reads.c: what it reads goes into its digest. */
extern const char *const wanderer_role[2];
void wanderer_read_request(struct wanderer *, struct hd_engine *, struct hd_req);
void wanderer_read_all(struct wanderer *, struct hd_engine *);

/* Splitmix64: the tests' own generator; below >= 1. */
uint64_t draw_next(uint64_t *state);
uint64_t draw_below(uint64_t *state, uint64_t below);
void digest_add(uint64_t *digest, uint64_t value);
void digest_double(uint64_t *digest, double value);

#endif
