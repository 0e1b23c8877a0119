/* Measured iterations of real engines, as the profiles of Zyyeric/Aegaeon give them:
 * model,gpu,i,b,...,pre,dec with i prompt tokens for each of b sequences, and the
 * prefill's and a decode step's duration in seconds. */
#ifndef HD_CALIBRATE_MEASURED_H
#define HD_CALIBRATE_MEASURED_H

#include "hardware/catalog.h"

struct hd_measured_row {
    const struct hd_gpu_spec *gpu;
    const struct hd_model_spec *model;
    int input_tokens, batch;
    double prefill_s, decode_s;
};

struct hd_measured {
    struct hd_measured_row *row;
    int rows;
};

/* Reads all rows. False with one line in err. */
bool hd_measured_read(const struct hd_catalog *, const char *path, struct hd_measured *,
                      struct hd_err *err);
void hd_measured_free(struct hd_measured *);

/* Whether the row shows one whole prefill and pure decode steps: above 2048 prompt
 * tokens that engine cut the prefill in chunks and averaged them into the decode
 * steps, and some decode values are below any possible time. */
bool hd_measured_is_clean(const struct hd_measured_row *);

/* KV tokens that a decode step of the row read: its values are over the first ten
 * steps or so, so five more than the prompt. */
double hd_measured_context(const struct hd_measured_row *);

#endif
