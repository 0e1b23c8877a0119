/* Compiled timings, made when first asked for and then shared by all threads. */
#ifndef HD_PLAN_TIMINGS_H
#define HD_PLAN_TIMINGS_H

#include "hardware/catalog.h"
#include "timing/calibration.h"

struct hd_timings;

/* batches: the largest batch that tables are made for. The engine must outlive it. */
struct hd_timings *hd_timings_new(const struct hd_engine_profile *, int batches);
void hd_timings_free(struct hd_timings *);

/* Loads the GPU's calibration; to be called for every GPU before any timing of it is
 * asked for. False with one line in err. */
bool hd_timings_add_gpu(struct hd_timings *, const struct hd_gpu_spec *,
                        struct hd_err *err);

/* Whether the GPU's calibration, added before, serves the model (calibration.h). */
bool hd_timings_serve(const struct hd_timings *, const struct hd_gpu_spec *,
                      const struct hd_model_spec *, struct hd_err *);

/* The timing of a model on tp GPUs with a share of each, and in *entry a number for
 * it, from 0 in the order in which they were made. Safe from any thread. */
const struct hd_timing *hd_timings_get(struct hd_timings *, const struct hd_gpu_spec *,
                                       const struct hd_model_spec *, int tp,
                                       double share, int *entry);

/* What an entry rests on. */
void hd_timings_source(struct hd_timings *, int entry, struct hd_timing_source *);

#endif
