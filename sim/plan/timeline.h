/* A run as a picture that can be walked through: a file of trace events, which
 * https://ui.perfetto.dev and chrome://tracing open.
 *
 * Nodes are processes and GPUs their threads: turns, and in them the stages of a switch
 * and the iterations; beside each GPU what moves over its links. Models are processes
 * too, with their requests, and an arrow leads from a request to the GPU whenever it is
 * prefilled or decodes there. It is bounded by a window of time, a list of GPUs and a
 * number of rows. */
#ifndef HD_PLAN_TIMELINE_H
#define HD_PLAN_TIMELINE_H

#include <stdio.h>

#include "plan/question.h"

enum { HD_TIMELINE_ROWS_DEFAULT = 500000, HD_TIMELINE_ROWS_MAX = 50000000 };

struct hd_timeline_bounds {
    hd_tick from, to; /* what touches [from, to) is kept, whole */
    const bool *gpu;  /* by number, from 0 on, of the question's GPUs; NULL: all */
    int64_t rows;     /* at most so many; what ends after they are full is left out */
};

struct hd_timeline;

/* Of a replay of the question on its own fleet. The bounds are copied. */
struct hd_timeline *hd_timeline_new(const struct hd_question *,
                                    const struct hd_timeline_bounds *);
void hd_timeline_free(struct hd_timeline *);

/* GPUs of the question's fleet, which are numbered node by node. */
int hd_timeline_gpus(const struct hd_question *);

/* What it must be told while the run goes on: what an observer sees, and who has
 * ended. row_of turns a request's number in the run into its row of the trace. */
const struct hd_observer *hd_timeline_observer(struct hd_timeline *,
                                               int64_t (*row_of)(const void *, int64_t),
                                               const void *context);
void hd_timeline_finished(struct hd_timeline *, const struct hd_finished *,
                          int64_t row);

/* Writes the file. False if the stream had an error. */
bool hd_timeline_write(struct hd_timeline *, FILE *);

/* Rows in it; and, if there was no room for all, until when it is whole, in seconds
 * since the trace's zero (NAN: it is whole). */
int64_t hd_timeline_rows(const struct hd_timeline *);
double hd_timeline_full_s(const struct hd_timeline *);

#endif
