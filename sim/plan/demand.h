/* The work that a trace asks for, in GPU-seconds, before anything is simulated: what
 * its requests would keep busy if each found its model loaded and its GPUs free.
 *
 * A prompt is timed alone. An output token is timed as its share of a decode step of
 * `batch` such requests half way through their outputs; the first one comes with the
 * prompt. No switching, no waiting, no idle GPU: a pool needs more, unless its batches
 * are larger. */
#ifndef HD_PLAN_DEMAND_H
#define HD_PLAN_DEMAND_H

#include "plan/question.h"

enum { HD_DEMAND_BATCH = 8 };

struct hd_demand {
    int batch;
    double prefill_gpu_s, decode_gpu_s; /* over all requests that are counted */
    int64_t counted, too_long, empty;   /* too_long: beyond their model's context */
    double error_p90;                   /* of the timings, the largest; held out */
    /* By the model's place in the trace; by intervals of the arrival. */
    double *model_gpu_s, *interval_gpu_s;
};

/* Of the question's trace and models on the GPUs of its first part, its engine. The
 * intervals lie end to end from the first request on. False with one line in err if
 * the GPU has no calibration. */
bool hd_demand(const struct hd_question *, int batch, double interval_s, int intervals,
               struct hd_demand *, struct hd_err *err);
void hd_demand_free(struct hd_demand *);

#endif
