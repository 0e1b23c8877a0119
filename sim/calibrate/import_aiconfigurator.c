/* Kernel tables of ai-dynamo/aiconfigurator: GEMM, attention and collectives, one file
 * each. Times are in ms. Sizes of collectives are in elements: its collector divides
 * bytes by the element's size. Attention: step is what is cached; a row with step 0 is
 * a prefill of isl tokens, any other a decode with isl 1. The head's width is in none
 * of the extracts; 128 is assumed, and counted. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calibrate/import_parts.h"

#define MS 1000.0 /* in us */
enum { HEAD_DIM = 128 };

static bool knows(const struct hd_profile *p) {
    if (hd_profile_column(p, "latency") < 0) return false;
    return hd_profile_column(p, "gemm_dtype") >= 0 ||
           hd_profile_column(p, "kv_cache_dtype") >= 0 ||
           hd_profile_column(p, "message_size") >= 0;
}

/* The columns that only some of its files have. */
struct origin {
    int device, framework, version;
};

static struct origin origin_of(const struct hd_profile *p) {
    return (struct origin){hd_profile_column(p, "device"),
                           hd_profile_column(p, "framework"),
                           hd_profile_column(p, "version")};
}

/* A row of this line with its GPU, dtype, time and source. */
static bool start_row(struct hd_profile *p, const struct origin *origin,
                      enum hd_kernel_op op, int dtype, int latency,
                      struct hd_kernel_row *to) {
    char *const *field = p->row.field;
    const struct hd_gpu_spec *gpu =
        hd_profile_gpu(p, origin->device >= 0 ? field[origin->device] : NULL);
    if (!gpu) return false;
    *to = hd_kernel_row_of(gpu, op);
    to->dtype = hd_profile_dtype(p, field[dtype]);
    if (!to->dtype || !hd_profile_time(p, latency, MS, &to->time_us)) return false;
    const char *name = strrchr(p->path, '/');
    bool framework = origin->framework >= 0 && origin->version >= 0;
    char *source =
        hd_format("ai-dynamo/aiconfigurator %s%s%s%s%s", name ? name + 1 : p->path,
                  framework ? ": " : "", framework ? field[origin->framework] : "",
                  framework ? " " : "", framework ? field[origin->version] : "");
    to->source = hd_kernels_text(p->set, source);
    to->licence = hd_kernels_text(p->set, "Apache-2.0");
    free(source);
    return true;
}

/* ---- GEMM ---------------------------------------------------------------- */

static bool take_gemm(struct hd_profile *p) {
    enum { DTYPE, M, N, K, LATENCY, COLUMNS };
    static const char *const name[COLUMNS] = {"gemm_dtype", "m", "n", "k", "latency"};
    int at[COLUMNS], got;
    if (!hd_profile_columns(p, name, COLUMNS, at)) return false;
    struct origin origin = origin_of(p);
    while ((got = hd_profile_next(p)) > 0) {
        struct hd_kernel_row row;
        if (!start_row(p, &origin, HD_OP_GEMM, at[DTYPE], at[LATENCY], &row))
            return false;
        if (!hd_profile_integer(p, at[M], 1, &row.shape[HD_DIM_M]) ||
            !hd_profile_integer(p, at[N], 1, &row.shape[HD_DIM_N]) ||
            !hd_profile_integer(p, at[K], 1, &row.shape[HD_DIM_K]) ||
            !hd_profile_keep(p, &row, true))
            return false;
    }
    return got == 0;
}

/* ---- attention ----------------------------------------------------------- */

static bool take_attention(struct hd_profile *p) {
    enum { DTYPE, BATCH, ISL, HEADS, KV_HEADS, STEP, LATENCY, COLUMNS };
    static const char *const name[COLUMNS] = {
        "kv_cache_dtype",      "batch_size", "isl",    "num_heads",
        "num_key_value_heads", "step",       "latency"};
    int at[COLUMNS], got;
    if (!hd_profile_columns(p, name, COLUMNS, at)) return false;
    int head_dim = hd_profile_column(p, "head_dim");
    struct origin origin = origin_of(p);
    while ((got = hd_profile_next(p)) > 0) {
        struct hd_kernel_row row;
        int64_t isl, step;
        if (!hd_profile_integer(p, at[ISL], 1, &isl) ||
            !hd_profile_integer(p, at[STEP], 0, &step))
            return false;
        if (step > 0 && isl != 1)
            return hd_fail(&p->why,
                           "isl %lld at step %lld; expected step 0 for a prefill "
                           "or isl 1 for a decode",
                           (long long)isl, (long long)step);
        bool decode = step > 0;
        if (!start_row(p, &origin,
                       decode ? HD_OP_ATTENTION_DECODE : HD_OP_ATTENTION_PREFILL,
                       at[DTYPE], at[LATENCY], &row))
            return false;
        row.shape[decode ? HD_DIM_CONTEXT : HD_DIM_CHUNK] = decode ? step : isl;
        if (!decode) row.shape[HD_DIM_PREFIX] = 0;
        row.shape[HD_DIM_HEAD_DIM] = HEAD_DIM;
        if (!hd_profile_integer(p, at[BATCH], 1, &row.shape[HD_DIM_BATCH]) ||
            !hd_profile_integer(p, at[HEADS], 1, &row.shape[HD_DIM_HEADS]) ||
            !hd_profile_integer(p, at[KV_HEADS], 1, &row.shape[HD_DIM_KV_HEADS]))
            return false;
        if (head_dim < 0)
            hd_import_note(p->report, "without a head_dim: 128 assumed");
        else if (!hd_profile_integer(p, head_dim, 1, &row.shape[HD_DIM_HEAD_DIM]))
            return false;
        if (!hd_profile_keep(p, &row, true)) return false;
    }
    return got == 0;
}

/* ---- collectives --------------------------------------------------------- */

static bool find_collective(struct hd_profile *p, const char *name,
                            enum hd_kernel_op *op) {
    static const struct {
        const char *name;
        enum hd_kernel_op op;
    } known[] = {{"all_reduce", HD_OP_ALL_REDUCE},
                 {"all_gather", HD_OP_ALL_GATHER},
                 {"reduce_scatter", HD_OP_REDUCE_SCATTER},
                 {"alltoall", HD_OP_ALL_TO_ALL}};
    for (size_t n = 0; n < sizeof known / sizeof *known; n++)
        if (strcmp(known[n].name, name) == 0) {
            *op = known[n].op;
            return true;
        }
    return hd_fail(&p->why,
                   "op_name '%.40s' is unknown; expected all_reduce, all_gather, "
                   "reduce_scatter or alltoall",
                   name);
}

/* "vLLM_custom_graph" as "vllm_custom_graph". */
static const char *variant_of(struct hd_profile *p, const char *kernel) {
    char *lower = hd_strdup(kernel);
    for (char *c = lower; *c; c++) *c = (char)tolower((unsigned char)*c);
    const char *text = hd_kernels_text(p->set, lower);
    free(lower);
    return text;
}

static bool take_collectives(struct hd_profile *p) {
    enum { OP, KERNEL, GPUS, SIZE, LATENCY, COLUMNS };
    static const char *const name[COLUMNS] = {"op_name", "kernel_source", "num_gpus",
                                              "message_size", "latency"};
    int at[COLUMNS], got;
    if (!hd_profile_columns(p, name, COLUMNS, at)) return false;
    int dtype = hd_profile_column(p, "nccl_dtype");
    if (dtype < 0) dtype = hd_profile_column(p, "allreduce_dtype");
    if (dtype < 0)
        return hd_fail(&p->why, "no column 'nccl_dtype' or 'allreduce_dtype'");
    struct origin origin = origin_of(p);
    while ((got = hd_profile_next(p)) > 0) {
        struct hd_kernel_row row;
        enum hd_kernel_op op = HD_OPS;
        int64_t elements;
        if (!find_collective(p, p->row.field[at[OP]], &op) ||
            !start_row(p, &origin, op, dtype, at[LATENCY], &row) ||
            !hd_profile_integer(p, at[GPUS], 2, &row.shape[HD_DIM_GPUS]) ||
            !hd_profile_integer(p, at[SIZE], 1, &elements))
            return false;
        row.variant = variant_of(p, p->row.field[at[KERNEL]]);
        row.shape[HD_DIM_BYTES] = elements * hd_kernel_dtype_bytes(row.dtype);
        hd_import_note(p->report, "with a size in elements: bytes from the dtype");
        if (!hd_profile_keep(p, &row, true)) return false;
    }
    return got == 0;
}

static bool take(struct hd_profile *p) {
    if (hd_profile_column(p, "gemm_dtype") >= 0) return take_gemm(p);
    if (hd_profile_column(p, "kv_cache_dtype") >= 0) return take_attention(p);
    return take_collectives(p);
}

const struct hd_import_reader hd_import_aiconfigurator = {
    "aiconfigurator", "a GEMM, attention or collectives table", knows, take};
