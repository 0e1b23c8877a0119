/* What ships about GPUs and models: specifications, each with its source.
 *
 * sim/catalog/gpus.csv and models.csv are read whole and checked; everything that
 * follows from a model's shape is computed here, never typed in. */
#ifndef HD_HARDWARE_CATALOG_H
#define HD_HARDWARE_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct hd_gpu_spec {            /* one GPU; rates are peaks of the data sheet */
    const char *name, *aliases; /* aliases: separated by blanks, "" for none */
    int vram_mib;               /* as the driver reports it, 2^20 bytes */
    int64_t vram_bytes;
    double hbm_bytes_per_s;
    double bf16_flops, fp8_flops; /* dense, per second; fp8 0: not supported */
    double pcie_bytes_per_s;      /* each direction */
    double nvlink_bytes_per_s;    /* each direction; 0: has none */
    int sms;
    /* Whose measured iterations, all-reduces, kernels, and small operators (norms and
     * such) where these lack them, stand for its own: itself or the nearest relative
     * that was measured. Names in the file, and what they name. */
    const char *fitted_as, *reduce_as, *kernels_as, *small_as;
    const struct hd_gpu_spec *fitted, *linked, *tabled, *small;
    bool verified; /* every figure was found in a public source */
    const char *source;
};

enum hd_bias { HD_BIAS_NONE, HD_BIAS_QKV, HD_BIAS_ALL };

/* What numbers are kept as: bf16 or fp16, which take the same time; fp8. */
enum hd_number { HD_NUMBER_16BIT, HD_NUMBER_FP8, HD_NUMBERS };

struct hd_model_spec {
    const char *name, *aliases;
    /* The shape, as in the model's public configuration. */
    int layers, hidden, heads, kv_heads, head_dim, ffn, vocab;
    bool tied; /* one matrix is both embedding and output head */
    enum hd_bias bias;
    bool qk_norm;
    int experts, topk, moe_ffn, shared_ffn; /* experts 0: a dense model */
    int dense_layers;              /* first layers of a mixture that have a plain FFN */
    int q_rank, kv_rank, rope_dim; /* multi-head latent attention; 0: not used */
    int max_context_tokens;
    double published_params; /* in all; 0: not known. The shape must give it */
    bool verified;
    const char *source;
    /* How a server keeps it: the layers' matrices and what is multiplied by them; the
     * KV cache. 16-bit as the catalogue lists it; `as` has its other forms, whose names
     * end in /fp8, /kv-fp8 or both. */
    enum hd_number weights, kv;
    const struct hd_model_spec *as[HD_NUMBERS][HD_NUMBERS]; /* by weights, by KV */
    /* What follows from all that. */
    int64_t params, active_params; /* active: those that one token passes */
    int64_t weights_bytes, kv_token_bytes;
};

struct hd_catalog;

/* Reads both files. NULL with one line in err if one is missing or wrong. */
struct hd_catalog *hd_catalog_load(struct hd_err *err);
/* The same from named files. */
struct hd_catalog *hd_catalog_read(const char *gpus_path, const char *models_path,
                                   struct hd_err *err);
void hd_catalog_free(struct hd_catalog *);

/* By name or alias, ignoring case. NULL when unknown; err then names the nearest. A
 * model's name may be followed by /bf16 or /fp8 and by /kv-bf16 or /kv-fp8. */
const struct hd_gpu_spec *hd_catalog_gpu(const struct hd_catalog *, const char *name,
                                         struct hd_err *err);
const struct hd_model_spec *hd_catalog_model(const struct hd_catalog *,
                                             const char *name, struct hd_err *err);

/* The same, and in said[0] and said[1] whether the name says how weights and KV are
 * kept: else they are 16-bit. */
const struct hd_model_spec *hd_catalog_model_said(const struct hd_catalog *,
                                                  const char *name, bool said[2],
                                                  struct hd_err *err);

/* "bf16" or "fp16", "fp8"; -1: neither. */
int hd_number_of(const char *name);

/* All of them, in the order of the files. */
const struct hd_gpu_spec *hd_catalog_gpus(const struct hd_catalog *, int *count);
const struct hd_model_spec *hd_catalog_models(const struct hd_catalog *, int *count);

#endif
