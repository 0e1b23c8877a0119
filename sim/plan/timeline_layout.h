/* Between timeline_layout.c and timeline_write.c: where each event of the file goes.
 *
 * Slices of one thread must nest. Turns hold their stages and iterations; transfers and
 * requests, of which several run at once, get a thread for as many as overlap. */
#ifndef HD_PLAN_TIMELINE_LAYOUT_H
#define HD_PLAN_TIMELINE_LAYOUT_H

#include "plan/timeline_parts.h"

/* Numbers of processes and threads: a node's are low, a model's are high. */
enum { HD_NODE_PID = 1, HD_MODEL_PID = 100001 };

enum hd_timeline_event_kind {
    HD_EVENT_SLICE_REQUEST,
    HD_EVENT_SLICE_ROW,
    HD_EVENT_FLOW_FROM,
    HD_EVENT_FLOW_TO
};

struct hd_timeline_event {
    int64_t since, until; /* ns since the trace's zero */
    int32_t pid, tid, depth;
    enum hd_timeline_event_kind kind;
    int64_t of;   /* row, or request in `whole` */
    int64_t flow; /* which one, from 1 on; 0: none */
};

struct hd_timeline_whole { /* a request, from its record or from its phases */
    int64_t row;
    hd_tick since, until;
    int32_t model, lane;
    bool shown;    /* was on a GPU that is shown, or none is hidden */
    int64_t ended; /* its record, -1: it had not ended */
};

struct hd_timeline_layout {
    struct hd_timeline *t;
    struct hd_timeline_event *event;
    int events, event_capacity;
    struct hd_timeline_whole *whole;
    int wholes, whole_capacity;
    int *lanes;  /* of requests, by model */
    int *copies; /* lanes of transfers, by GPU */
    bool flows, hides;
};

/* Lays out what was kept; all zero but for `t` before. Its events are in order of time,
 * of those that begin together the outer first. */
void hd_timeline_lay_out(struct hd_timeline_layout *);
void hd_timeline_layout_free(struct hd_timeline_layout *);

/* Thread of a GPU's turns, within its node; those of its transfers follow. */
int hd_timeline_gpu_tid(const struct hd_timeline_node *, int gpu);
/* Whether a row is a transfer. */
bool hd_timeline_moves(const struct hd_timeline_row *);

#endif
