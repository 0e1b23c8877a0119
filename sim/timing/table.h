/* How long an iteration takes: compiled for one model on tp GPUs of one kind.
 *
 * Every coefficient is a whole number of ticks, rounded once when the table is
 * made; a decode step is an integer that is linear in the batch's total context
 * within a stretch, so the engine's closed forms are exact. Nothing here is
 * written after it was made: tables are shared by threads. */
#ifndef HD_TIMING_TABLE_H
#define HD_TIMING_TABLE_H

#include <stdint.h>

#include "base/tick.h"

struct hd_timing;

/* Ticks (>= 1) of one decode step of `batch` sequences (>= 1) that read `context`
 * KV tokens in all. *slope (>= 0): ticks that each further token of context adds,
 * valid below *until tokens (INT64_MAX: for ever). A batch larger than the table
 * is timed by extrapolation of its last row, linear in the batch. */
hd_tick hd_timing_step(const struct hd_timing *, int batch, int64_t context,
                       hd_tick *slope, int64_t *until);

/* Ticks (>= 1) of one prefill or mixed iteration: `tokens` new tokens in all (those
 * of the prompts or chunks, and one for each decoding sequence), `sequences` rows
 * that need logits, `square` = sum over the chunks of chunk * (2 * kv_before +
 * chunk), which is n * n for a whole prompt of n; `decodes` sequences decode beside
 * them and read `context` KV tokens. */
hd_tick hd_timing_prefill(const struct hd_timing *, int64_t tokens, int sequences,
                          int64_t square, int decodes, int64_t context);

/* ---- making one -------------------------------------------------------------- */

enum { HD_PLAIN_STRETCHES_MAX = 8 };

/* The plainest law, in whole ticks: what tests and closed-form checks use.
 *   step(b, C)  = step + sequence * b + sum over stretches of their slopes
 *   prefill     = prefill + token * tokens + sequence * sequences
 *                 + floor(square_1024 * square / 1024) + slope part of context */
struct hd_plain_law {
    hd_tick step, sequence, prefill, token, square_1024;
    int stretches;                        /* >= 1; from[0] = 0, ascending */
    int64_t from[HD_PLAIN_STRETCHES_MAX]; /* context at which the stretch begins */
    hd_tick slope[HD_PLAIN_STRETCHES_MAX]; /* >= 0, ticks per token in it */
};
struct hd_timing *hd_timing_plain(const struct hd_plain_law *);

/* From any law in seconds: sampled at batch 1 to `batches` and at the contexts of a
 * fixed grid, made piecewise linear; slopes below 0 become 0. */
struct hd_law {
    const void *context;
    double (*step_s)(const void *context, int batch, double kv_tokens);
    double (*prefill_s)(const void *context, double tokens, double sequences,
                        double square, double decodes, double kv_tokens);
    double context_max; /* tokens of KV beyond which the last stretch goes on */
};
struct hd_timing *hd_timing_sample(const struct hd_law *, int batches);

void hd_timing_free(struct hd_timing *);

#endif
