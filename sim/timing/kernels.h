/* An iteration composed from its kernels.
 *
 *   gpu(iteration) = sum over kernels of times per iteration * seconds of one
 *
 * with, for each layer: projections of queries, keys and values, output projection,
 * both halves of the gated FFN (or router, experts and shared expert), attention of
 * prefills and of decodes, norms, rotary embedding, activation, and two all-reduces
 * under tensor parallelism; once: embedding and last norm for every token, output head
 * and sampling for every sequence that needs logits. Under tp, heads, FFN and
 * vocabulary are split.
 *
 * Experts: T tokens that choose k of E evenly touch E (1 - (1 - k/E)^T) of them, whose
 * weights one grouped kernel reads; its efficiency is that of plain GEMMs (assumed).
 * Prefills and decodes of one iteration: what decodes add where that was measured, else
 * the sum of both; GEMMs and small operators see all tokens once.
 * fp8 weights: their GEMMs are fp8's, but for output head and router; fp8 KV: attention
 * reads half the bytes, by the kernels measured so.
 * Latent attention: one KV head of rank and position, shared by all heads; a decode
 * step's scores and values are work that can bind as well as the bytes. */
#ifndef HD_TIMING_KERNELS_H
#define HD_TIMING_KERNELS_H

#include "timing/iteration.h"
#include "timing/kernel_set.h"

struct hd_batch_shape { /* of one iteration; means where sequences differ */
    double tokens;      /* new ones in all: prefills times chunk, plus decodes */
    double rows;        /* sequences that need logits */
    double prefills, chunk, prefix; /* sequences, new and cached tokens of each */
    double decodes, context;        /* sequences, KV tokens that they read in all */
};

/* A prefill from what hd_timing_prefill is told: `tokens` new ones in all, `square` =
 * sum of chunk (2 prefix + chunk). While square / tokens is within tokens it is taken
 * for whole prompts of that length, above for one chunk behind a prefix. */
void hd_batch_prefills(struct hd_batch_shape *, double tokens, double square);

enum { HD_PIECES_MAX = 24, HD_PARTS_MAX = HD_PIECES_MAX + 4 };

struct hd_part { /* one kernel of an iteration */
    const char *name;
    double times, seconds; /* kernels in the iteration, and all of them together */
    const struct hd_kernel_table *table;   /* NULL: all-reduces */
    const struct hd_kernel_origin *origin; /* where the table is from */
    bool inside;      /* what was measured; else the roofline has most of the say */
    double p50, p90;  /* error to expect: held out, of the roofline alone outside, and
                         that of unseen GPUs where a relative's table stands in or nobody
                         measured such a kernel */
    const char *note; /* what its time is assumed from, where nobody measured it; or
                         NULL */
};

struct hd_composition {
    const struct hd_gpu_spec *gpu;
    const struct hd_model_spec *model;
    const struct hd_kernel_set *set;
    const struct hd_reduce_fit *reduce;
    int tp;
    double share;                    /* of the GPU that the instance has, (0, 1] */
    enum hd_roof_type type, kv_type; /* of the layers' GEMMs; of attention */
    int pieces;
    struct hd_piece {
        const char *name;
        enum hd_roof_op op;
        enum hd_roof_type type;
        double times; /* in an iteration */
        enum { HD_PER_TOKEN, HD_PER_ROW, HD_PER_EXPERT } per;
        double factor; /* rows of the kernel for each token */
        double n, k;
        const struct hd_kernel_table *table;
        const struct hd_kernel_origin *origin;
    } piece[HD_PIECES_MAX];
};

/* The kernels of a model on tp GPUs; the set must have those of its types
 * (hd_kernel_set_serves). The set and the reduce fit must outlive it. */
void hd_compose(struct hd_composition *, const struct hd_kernel_set *,
                const struct hd_reduce_fit *, const struct hd_gpu_spec *,
                const struct hd_model_spec *, int tp, double share);

/* Seconds of: all kernels for `tokens` tokens but attention and all-reduces; head and
 * sampling of `rows`; attention of the prefills; attention of the decodes; all-reduces
 * of `tokens`. 0 for none of it. */
double hd_compose_tokens_s(const struct hd_composition *, double tokens);
double hd_compose_rows_s(const struct hd_composition *, double rows);
double hd_compose_prefill_s(const struct hd_composition *,
                            const struct hd_batch_shape *);
double hd_compose_decode_s(const struct hd_composition *, double decodes,
                           double context);
double hd_compose_reduce_s(const struct hd_composition *, double tokens);

/* What the decodes' attention adds to an iteration with `chunk` new tokens of prefills
 * as well: where that was measured; else what it takes alone. */
double hd_compose_beside_s(const struct hd_composition *, double decodes,
                           double context, double chunk);

/* All parts of an iteration, in the order of the model; returns how many. Their sum is
 * the sum of the above. */
int hd_compose_parts(const struct hd_composition *, const struct hd_batch_shape *,
                     struct hd_part part[HD_PARTS_MAX]);

#endif
