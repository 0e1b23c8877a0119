/* From a question to the configuration of one run.
 *
 * What all runs of a question share is made once: the requests as they are to be
 * sent, the denominators, the kinds of GPU, the compiled timings. Threads share it;
 * only the cache of timings and the order of rows by model are made later, under a
 * lock. */
#ifndef HD_PLAN_SETUP_H
#define HD_PLAN_SETUP_H

#include "plan/result.h"

struct hd_setup;

/* Checks the question and prepares its runs; it must outlive the setup. NULL with
 * one line in err: no request in the window, a TBT limit that is too long, a model
 * that no node has enough GPUs for, no calibration of a GPU. */
struct hd_setup *hd_setup_new(const struct hd_question *, struct hd_err *err);
void hd_setup_free(struct hd_setup *);

const struct hd_question *hd_setup_question(const struct hd_setup *);
/* What became of the trace's rows. */
struct hd_load hd_setup_load(const struct hd_setup *);
/* A fresh measure of all models (model -1) or of one alone. */
struct hd_measure *hd_setup_measure(const struct hd_setup *, int model);
/* Measured requests of a model, or of all (-1); those sent at all. */
int64_t hd_setup_measured(const struct hd_setup *, int model);
int64_t hd_setup_sent(const struct hd_setup *, int model);
/* Bytes of one GPU for weights and KV where the model runs alone: the most that any
 * GPU of the fleet offers it. */
int64_t hd_setup_usable_bytes(const struct hd_setup *, int model);
/* The run in which every measured request that a run could serve at all does
 * perfectly: what no policy can better. */
struct hd_measure *hd_setup_perfect(const struct hd_setup *);
/* The least GPUs, in nodes of the part where it runs alone, that hold so many replicas
 * of a model. */
int hd_setup_gpus_for(const struct hd_setup *, int model, int replicas);
/* The mean request that is sent of a model, on idle GPUs of its own: its prefill alone,
 * and one decode step of `batch` such requests half way through their outputs. */
struct hd_mean_request {
    int64_t input, output; /* tokens; 0 where none is sent */
    double prefill_s, step_s;
};
struct hd_mean_request hd_setup_mean_request(const struct hd_setup *, int model,
                                             int batch);
/* The row of the trace behind the id-th request sent to a run of all models. */
int64_t hd_setup_row(const struct hd_setup *, int64_t id);

/* What one run differs in. */
struct hd_case {
    double scale;        /* of the SLO */
    int gpus;            /* compare: of the only part; 0: the fleet as asked */
    int model;           /* -1: all; else that one alone, on its own kind of GPU */
    const int *replicas; /* per model, NULL: one each; alone: of that one, [0] */
};

/* One run's configuration and what it stands on; not to be moved while in use. */
struct hd_scene {
    struct hd_run_config config;
    struct hd_setup *setup;
    struct hd_run_model *model;
    struct hd_node_config *node;
    int node_capacity;
    int alone;         /* index of the only model, or -1 */
    int64_t next, end; /* rows still to be sent */
    bool *used;        /* entries of the timings that were asked for */
    int used_capacity;
};
void hd_scene_open(struct hd_setup *, const struct hd_case *, struct hd_scene *);
int hd_scene_gpus(const struct hd_scene *);
/* What the run's times rest on, by GPU, model and tp; the caller frees it. */
struct hd_timing_source *hd_scene_timings(const struct hd_scene *, int *count);
void hd_scene_close(struct hd_scene *);

#endif
