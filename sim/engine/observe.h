/* What a run did, span by span, for whoever draws it: turns and what happens in them,
 * transfers, phases of requests. An observer changes nothing; without one a run pays a
 * test per span.
 *
 * A span comes when it ends. A running batch may come in pieces of any size that touch:
 * how it was cut means nothing. Turns and what is in them end with the run; transfers
 * under way then do not come. */
#ifndef HD_ENGINE_OBSERVE_H
#define HD_ENGINE_OBSERVE_H

#include <stdint.h>

#include "base/tick.h"

enum hd_seen_kind {
    HD_SEEN_TURN,    /* of an instance; detail: enum hd_why it ended, -1: the instance
                        did; requests: that its group has left */
    HD_SEEN_START,   /* an engine starts */
    HD_SEEN_STAGE,   /* of a switch; detail: enum hd_stage */
    HD_SEEN_PREFILL, /* iterations; requests: that took part */
    HD_SEEN_MIXED,
    HD_SEEN_DECODE,
    HD_SEEN_STALL,  /* nothing of the turn's group could run */
    HD_SEEN_LOAD,   /* transfers; detail: 1 if it was broken off */
    HD_SEEN_KV_OUT, /* requests: whose KV it was */
    HD_SEEN_KV_IN,
    HD_SEEN_REQUEST /* a request's phase; detail: enum hd_blame it counts as, where
                       queue and wait include its group's switch and KV */
};

struct hd_seen {
    enum hd_seen_kind kind;
    int detail;
    hd_tick since, until;
    int64_t id;          /* of the request; of an instance's turn: which one, from 1 */
    int model, instance; /* -1: none */
    const int32_t *gpu;  /* of the instance; lives as long as the call */
    int gpus, requests;
    double bytes; /* of a transfer, over all GPUs */
};

struct hd_observer {
    void *context;
    void (*seen)(void *context, const struct hd_seen *);
};

#endif
