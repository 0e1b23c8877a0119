/* A measured run once more, simulated: how far off the engine is, request by request.
 */
#ifndef HD_CALIBRATE_LOG_REPLAY_H
#define HD_CALIBRATE_LOG_REPLAY_H

#include "calibrate/log.h"
#include "hardware/catalog.h"
#include "hardware/engines.h"
#include "timing/table.h"

struct hd_log_world {
    const struct hd_gpu_spec *gpu;
    const struct hd_model_spec *model;
    const struct hd_engine_profile *engine;
    const struct hd_timing *timing; /* of that model on log->tp of those GPUs */
    bool step;                      /* one iteration at a time */
};

enum { HD_LOG_QUANTILES = 5 };
extern const double hd_log_quantile[HD_LOG_QUANTILES]; /* 0.05 .. 0.95 */

struct hd_log_figure {              /* of one latency over the requests */
    double measured_s, simulated_s; /* means */
    double
        quantile[HD_LOG_QUANTILES]; /* of the signed error, simulated / measured - 1 */
    double p50, p90;                /* of the absolute error */
};

struct hd_log_errors {
    int requests;   /* that were compared: all, or those with two tokens for TPOT */
    int not_served; /* too long for the KV memory of this configuration */
    int max_batch, step_tokens, kv_blocks;    /* as replayed */
    struct hd_log_figure ttft, tpot, latency; /* latency: from arrival to last token */
    double makespan_measured_s,
        makespan_simulated_s; /* arrival of first to last token */
    double hit_rate; /* of prompts' tokens in the cache; NAN: nothing is cached, or the
                        log does not say which prompts are alike */
    int peak_batch;  /* most sequences that ran together, simulated */
    /* Mean TTFT if all steps took 4 % less, or more: where places run short a small
     * error of the step time moves it a lot. */
    double ttft_low_s, ttft_high_s;
};

/* Replays the log on an engine with its settings (where the log has none, the
 * profile's), alone on log->tp GPUs, and compares. The stamps of a log are the engine's
 * own: no front end is added. False with one line in err: the weights do not fit, no
 * request could be served. */
bool hd_log_replay(const struct hd_log *, const struct hd_log_world *,
                   struct hd_log_errors *, struct hd_err *err);

/* Relative error of means or makespans: simulated / measured - 1. */
double hd_log_bias(double simulated, double measured);

#endif
