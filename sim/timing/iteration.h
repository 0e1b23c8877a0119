/* The iteration law: seconds of one engine iteration from a model's shape, a GPU's
 * data sheet and seven fitted numbers.
 *
 *   gemm flops F = (2 W T + 2 E N) / tp
 *   gemm bytes B = (weights touched + E) 2 / tp + activations
 *   g    = ((F / (ec P))^2.5 + (B / (em BW))^2.5)^(1/2.5)
 *   gpu  = g + max(F_a / (ea P), B_a / (ek BW))
 *   time = t0 + ts N + (gpu^4 + (L tl)^4)^(1/4) + 2 L allreduce(T h elements)
 *
 * with T new tokens, N sequences, W weights a token passes, E those of the output
 * head, L layers, F_a and B_a the attention's operations and KV bytes, P and BW the
 * GPU's peaks. All reads are of 16-bit numbers. A mixture of experts reads the
 * experts that T tokens choose among, evenly by assumption. */
#ifndef HD_TIMING_ITERATION_H
#define HD_TIMING_ITERATION_H

#include "hardware/catalog.h"

struct hd_iteration_fit {
    double t0_s;   /* per iteration */
    double tl_s;   /* per layer: launches, a floor beside which the GPU works */
    double ts_s;   /* per sequence: host time */
    double ec, em; /* GEMM: shares of peak FLOP/s and of peak bandwidth */
    double ea, ek; /* attention: the same; not physical, they absorb each other */
};

enum { HD_REDUCE_GROUPS_MAX = 4, HD_REDUCE_KNOTS_MAX = 16 };

/* An all-reduce among `gpus` GPUs: linear in log size and log time between knots,
 * and with the last slope beyond them. */
struct hd_reduce_group {
    int gpus, knots;
    double bytes[HD_REDUCE_KNOTS_MAX], seconds[HD_REDUCE_KNOTS_MAX];
};

struct hd_reduce_fit {
    int groups; /* by ascending gpus; 0: nothing known, tp must be 1 */
    struct hd_reduce_group group[HD_REDUCE_GROUPS_MAX];
};

/* Seconds of one all-reduce. A number of GPUs that was not measured takes the next
 * larger one's time; more than the largest, the largest's. */
double hd_reduce_s(const struct hd_reduce_fit *, int gpus, double bytes);

/* The law with everything but the batch filled in. */
struct hd_iteration {
    double t0_s, ts_s, floor_s;
    double gemm_s_per_token, head_s; /* compute: per token; per logits row */
    double read_s;                   /* weights every token needs, and the head */
    double expert_read_s;            /* all routed experts */
    double miss;                     /* an expert is not chosen by one token */
    double activation_s_per_token;
    double square_s, kv_s; /* attention: per unit of Q, per KV token read */
    double reduces, reduce_bytes_per_token;
    int tp;
    const struct hd_reduce_fit *reduce; /* NULL when tp is 1 */
};

/* share: of the GPU's compute and bandwidth that the instance has, (0, 1]. The
 * reduce fit must outlive the law. */
void hd_iteration_law(const struct hd_iteration_fit *, const struct hd_reduce_fit *,
                      const struct hd_gpu_spec *, const struct hd_model_spec *, int tp,
                      double share, struct hd_iteration *);

/* Bytes of the GEMMs of T tokens, in seconds of reading them. */
double hd_iteration_read_s(const struct hd_iteration *, double tokens);

/* GEMM seconds of T tokens, with logits for N rows. */
double hd_iteration_gemm_s(const struct hd_iteration *, double tokens, double rows);

/* One iteration: `tokens` new tokens in all, `sequences` rows that need logits,
 * `square` as hd_timing_prefill has it, decodes that read `context` KV tokens. */
double hd_iteration_s(const struct hd_iteration *, double tokens, double sequences,
                      double square, double context);

#endif
