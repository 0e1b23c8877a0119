/* How long an iteration takes: compiled for one model on tp GPUs of one kind.
 *
 * Every coefficient is a whole number of ticks, rounded once when the table is
 * made; a decode step is an integer that is linear in the batch's total context
 * within a stretch, so the engine's closed forms are exact. Nothing here is
 * written after it was made: tables are shared by threads. */
#ifndef HD_TIMING_TABLE_H
#define HD_TIMING_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"

struct hd_timing;

/* Ticks (>= 1) of one decode step of `batch` sequences (>= 1) that read `context`
 * KV tokens in all. *slope (>= 0): ticks that each further token of context adds,
 * valid below *until tokens (INT64_MAX: for ever). A batch larger than the table
 * is timed by extrapolation of its last row, linear in the batch. */
hd_tick hd_timing_step(const struct hd_timing *, int batch, int64_t context,
                       hd_tick *slope, int64_t *until);

/* The same for sequences of unequal length, the longest of `longest` KV tokens (at
 * least the mean); *slope and *until hold while all of them grow alike. */
hd_tick hd_timing_ragged_step(const struct hd_timing *, int batch, int64_t context,
                              int64_t longest, hd_tick *slope, int64_t *until);
bool hd_timing_ragged(const struct hd_timing *); /* whether that makes a difference */

/* Ticks (>= 1) of one prefill or mixed iteration: `tokens` new tokens in all (those
 * of the prompts or chunks, and one for each decoding sequence), `sequences` rows
 * that need logits, `square` = sum over the chunks of chunk * (2 * kv_before +
 * chunk), which is n * n for a whole prompt of n; `decodes` sequences decode beside
 * them and read `context` KV tokens. */
hd_tick hd_timing_prefill(const struct hd_timing *, int64_t tokens, int sequences,
                          int64_t square, int decodes, int64_t context);

/* Ticks (>= 0) of host work that a step of so many sequences adds when no step before
 * it is there to hide it behind: 0 unless host work is overlapped. */
hd_tick hd_timing_fill(const struct hd_timing *, int sequences);

/* ---- making one ---------------------------------------------------------- */

/* Host work around the kernels of a step: scheduling, inputs, outputs. Overlapped, it
 * is done beside the kernels of the step before, and a step takes the longer of the
 * two; else it adds to each. */
struct hd_host_time {
    hd_tick step, sequence; /* >= 0: each step; each of its sequences */
    bool overlapped;
};

enum { HD_PLAIN_STRETCHES_MAX = 8 };

/* The plainest law, in whole ticks: what tests and closed-form checks use.
 *   step(b, C)  = step + sequence * b + sum over stretches of their slopes
 *   prefill     = prefill + token * tokens + sequence * sequences
 *                 + floor(square_1024 * square / 1024) + slope part of context
 * and, `skewed` times, the slope part of batch * longest; host time besides. */
struct hd_plain_law {
    hd_tick step, sequence, prefill, token, square_1024;
    struct hd_host_time host;
    int skewed;                            /* >= 0 */
    int stretches;                         /* >= 1; from[0] = 0, ascending */
    int64_t from[HD_PLAIN_STRETCHES_MAX];  /* context at which the stretch begins */
    hd_tick slope[HD_PLAIN_STRETCHES_MAX]; /* >= 0, ticks per token in it */
};
struct hd_timing *hd_timing_plain(const struct hd_plain_law *);

/* A law in seconds, by its parts, so that a table of one variable holds each:
 *   decode step = step(batch, C)
 *   prefill     = fixed + sequence * N + reduce(T)
 *                 + ((gemm + attention)^4 + floor^4)^(1/4)
 *   gemm        = ((multiply(T) + logits * N)^2.5 + read(T)^2.5)^(1/2.5)
 *   attention   = max(square * Q, token_kv * T) + kv * C
 * with T new tokens, N sequences, Q the `square` and C the context above. Every
 * function is finite and not negative; multiply and read are not both 0. Times that
 * were measured whole are a multiply without a read. Where attention, or the rows of
 * logits, were measured too, functions of them take the place of those terms: then
 * attention(T', Q / T') with T' the new tokens of chunks, plus, for d decodes beside
 * them, beside(d, C) times beside_factor(T).
 * Host time comes on top. In a step of unequal sequences a share `skew` of them waits
 * for the longest: (1 - skew) step(batch, C) + skew step(batch, batch * longest) */
struct hd_law {
    const void *context; /* passed to the functions; not kept */
    double (*step_s)(const void *context, int batch, double kv_tokens);
    double (*multiply_s)(const void *context, double tokens);
    double (*read_s)(const void *context, double tokens);   /* NULL: none */
    double (*reduce_s)(const void *context, double tokens); /* NULL: none */
    double (*rows_s)(const void *context, double rows);     /* NULL: logits_s each */
    double (*attention_s)(const void *context, double tokens, double mean); /* NULL */
    double (*beside_s)(const void *context, double decodes, double kv_tokens);
    double (*beside_factor)(const void *context, double tokens); /* NULL: 1 */
    double fixed_s, sequence_s, floor_s;
    double logits_s, square_s, token_kv_s, kv_s;
    double context_max; /* tokens of KV; beyond, the last stretch goes on */
    double tokens_max;  /* new tokens of one iteration; the same */
    double skew;        /* [0, 1] */
    double host_step_s, host_sequence_s;
    bool overlapped; /* see hd_host_time */
};

/* Samples a law: decode steps at every batch from 1 to `batches` and at the contexts
 * of a fixed grid, prefill parts at a fixed grid of tokens. Between grid points all
 * is linear: off the law by less than 0.5 %. Slopes below 0 become 0. */
struct hd_timing *hd_timing_sample(const struct hd_law *, int batches);

void hd_timing_free(struct hd_timing *);

#endif
