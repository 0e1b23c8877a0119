/* Profiles of microsoft/vidur: mlp.csv, the dense operators of one layer and model for
 * several tensor-parallel degrees, and all_reduce.csv or send_recv.csv. Times are in ms
 * on a grid of 1 us, sizes in bytes. What a row is about follows from its own columns;
 * the folder names the model and the GPU. The kernels are taken to be of 16-bit floats,
 * its profiler's default. Its NCCL times include those of the framework around it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calibrate/import_parts.h"

#define MS 1000.0 /* in us */
#define ON_GRID "on a grid of 1 us: deviation at least half of it"
/* A time on a grid of 1 us is not known better than half of it. */
#define HALF_GRID_US 0.5

static bool knows_network(const struct hd_profile *p) {
    return hd_profile_column(p, "collective") >= 0 &&
           hd_profile_column(p, "devices_per_node") >= 0;
}

static bool knows(const struct hd_profile *p) {
    return hd_profile_column(p, "num_tensor_parallel_workers") >= 0 || knows_network(p);
}

/* The time and its deviation of an operator; false with no error: it has none. */
static bool find_times(const struct hd_profile *p, const char *op, int *median,
                       int *std) {
    char *name = hd_format("time_stats.%s.median", op);
    *median = hd_profile_column(p, name);
    free(name);
    name = hd_format("time_stats.%s.std", op);
    *std = hd_profile_column(p, name);
    free(name);
    return *median >= 0 && *std >= 0;
}

static bool take_times(struct hd_profile *p, int median, int std,
                       struct hd_kernel_row *to) {
    if (!hd_profile_time(p, median, MS, &to->time_us) ||
        !hd_profile_deviation(p, std, MS * HD_MAD_OF_STD, &to->mad_us))
        return false;
    to->mad_us = fmax(HALF_GRID_US, to->mad_us);
    return true;
}

/* ---- mlp.csv ------------------------------------------------------------- */

struct shape { /* of one GPU's part of a layer */
    int64_t tokens, tp, heads, kv_heads, head_dim, hidden, ffn;
    bool gated;
};

static struct hd_kernel_row row_of(const struct hd_gpu_spec *gpu, enum hd_kernel_op op,
                                   int64_t m, int64_t n, int64_t k) {
    struct hd_kernel_row row = hd_kernel_row_of(gpu, op);
    row.shape[HD_DIM_M] = m;
    row.shape[HD_DIM_N] = n;
    row.shape[HD_DIM_K] = k;
    return row;
}

enum { EMB, NORM_1, QKV, ROPE, OUT, NORM_2, UP, ACT, DOWN, ADD, OPS };
static const char *const op_names[OPS] = {
    "emb",         "input_layernorm", "attn_pre_proj",
    "attn_rope",   "attn_post_proj",  "post_attention_layernorm",
    "mlp_up_proj", "mlp_act",         "mlp_down_proj",
    "add"};

static struct hd_kernel_row shape_of(const struct hd_gpu_spec *gpu, int op,
                                     const struct shape *s) {
    int64_t m = s->tokens, h = s->hidden, f = s->ffn / s->tp;
    int64_t q = s->heads / s->tp, kv = s->kv_heads > s->tp ? s->kv_heads / s->tp : 1;
    struct hd_kernel_row row;
    switch (op) {
    case QKV:
        return row_of(gpu, HD_OP_GEMM, m, (q + 2 * kv) * s->head_dim, h);
    case OUT:
        return row_of(gpu, HD_OP_GEMM, m, h, q * s->head_dim);
    case UP:
        return row_of(gpu, HD_OP_GEMM, m, s->gated ? 2 * f : f, h);
    case DOWN:
        return row_of(gpu, HD_OP_GEMM, m, h, f);
    case EMB:
        return row_of(gpu, HD_OP_EMBEDDING, m, h, HD_DIM_ABSENT);
    case ACT:
        return row_of(gpu, HD_OP_ACTIVATION, m, f, HD_DIM_ABSENT);
    case ADD:
        return row_of(gpu, HD_OP_ADD, m, h, HD_DIM_ABSENT);
    case ROPE:
        row = row_of(gpu, HD_OP_ROPE, m, HD_DIM_ABSENT, HD_DIM_ABSENT);
        row.shape[HD_DIM_HEADS] = q;
        row.shape[HD_DIM_KV_HEADS] = kv;
        row.shape[HD_DIM_HEAD_DIM] = s->head_dim;
        return row;
    default:
        return row_of(gpu, HD_OP_NORM, m, h, HD_DIM_ABSENT);
    }
}

enum { HEADS, KV_HEADS, HIDDEN, FFN, GATED, TOKENS, TP, COLUMNS };
static const char *const column_names[COLUMNS] = {"n_head",
                                                  "n_kv_head",
                                                  "n_embd",
                                                  "n_expanded_embd",
                                                  "use_gated_mlp",
                                                  "num_tokens",
                                                  "num_tensor_parallel_workers"};

static bool take_shape(struct hd_profile *p, const int *at, struct shape *s) {
    if (!hd_profile_integer(p, at[HEADS], 1, &s->heads) ||
        !hd_profile_integer(p, at[KV_HEADS], 1, &s->kv_heads) ||
        !hd_profile_integer(p, at[HIDDEN], 1, &s->hidden) ||
        !hd_profile_integer(p, at[FFN], 1, &s->ffn) ||
        !hd_profile_integer(p, at[TOKENS], 1, &s->tokens) ||
        !hd_profile_integer(p, at[TP], 1, &s->tp))
        return false;
    if (s->hidden % s->heads || s->heads % s->tp || s->ffn % s->tp)
        return hd_fail(&p->why,
                       "%lld heads, width %lld, FFN %lld: cannot be split on %lld "
                       "GPUs",
                       (long long)s->heads, (long long)s->hidden, (long long)s->ffn,
                       (long long)s->tp);
    s->head_dim = s->hidden / s->heads;
    const char *gated = p->row.field[at[GATED]];
    s->gated = strcmp(gated, "True") == 0;
    return s->gated || strcmp(gated, "False") == 0 ||
           hd_fail(&p->why, "use_gated_mlp is '%.20s'; expected True or False", gated);
}

/* The folder's model, if the catalogue knows it, must have the row's shape. */
static bool check_model(struct hd_profile *p, const struct hd_model_spec *model,
                        const struct shape *s) {
    if (!model) return true;
    return (model->heads == s->heads && model->kv_heads == s->kv_heads &&
            model->hidden == s->hidden && model->ffn == s->ffn) ||
           hd_fail(
               &p->why,
               "%lld heads, %lld KV heads, width %lld, FFN %lld; expected %d, %d, %d "
               "and %d of %s, as the folder says",
               (long long)s->heads, (long long)s->kv_heads, (long long)s->hidden,
               (long long)s->ffn, model->heads, model->kv_heads, model->hidden,
               model->ffn, model->name);
}

static bool take_layer(struct hd_profile *p, const int *at, const int *median,
                       const int *std, const struct hd_gpu_spec *gpu,
                       const struct hd_model_spec *model, const char *model_name,
                       const char *source) {
    struct shape s;
    if (!take_shape(p, at, &s) || !check_model(p, model, &s)) return false;
    for (int op = 0; op < OPS; op++) {
        struct hd_kernel_row row = shape_of(gpu, op, &s);
        if (!take_times(p, median[op], std[op], &row)) return false;
        char *variant = hd_format("%s:%s:tp%d", op_names[op], model_name, (int)s.tp);
        row.variant = hd_kernels_text(p->set, variant);
        free(variant);
        row.dtype = hd_kernels_text(p->set, "fp16");
        row.source = source;
        row.licence = hd_kernels_text(p->set, "MIT");
        if (!hd_profile_keep(p, &row, true)) return false;
        hd_import_note(p->report, ON_GRID);
    }
    return true;
}

static bool take_layers(struct hd_profile *p) {
    int at[COLUMNS], median[OPS], std[OPS], got = 0;
    if (!hd_profile_columns(p, column_names, COLUMNS, at)) return false;
    for (int op = 0; op < OPS; op++)
        if (!find_times(p, op_names[op], &median[op], &std[op]))
            return hd_fail(&p->why, "no column 'time_stats.%s.median' or its .std",
                           op_names[op]);
    const struct hd_gpu_spec *gpu = hd_profile_gpu(p, NULL);
    if (!gpu) return false;
    char *folder = hd_profile_folder(p, 1), *above = hd_profile_folder(p, 2);
    const struct hd_model_spec *model = hd_model_of_folder(p->catalog, above, folder);
    char *text = hd_format("microsoft/vidur %s/%s mlp.csv", above, folder);
    const char *source = hd_kernels_text(p->set, text);
    free(text);
    bool fine = true;
    while (fine && (got = hd_profile_next(p)) > 0)
        fine = take_layer(p, at, median, std, gpu, model, model ? model->name : folder,
                          source);
    free(folder);
    free(above);
    return fine && got == 0;
}

/* ---- all_reduce.csv, send_recv.csv --------------------------------------- */

static bool take_network(struct hd_profile *p) {
    enum { WORKERS, SIZE, COLLECTIVE, PER_NODE, NAMES };
    static const char *const name[NAMES] = {"num_workers", "size", "collective",
                                            "devices_per_node"};
    int at[NAMES], median, std, got;
    if (!hd_profile_columns(p, name, NAMES, at)) return false;
    enum hd_kernel_op op = HD_OP_ALL_REDUCE;
    if (!find_times(p, "all_reduce", &median, &std)) {
        op = HD_OP_SEND_RECV;
        if (!find_times(p, "send_recv", &median, &std))
            return hd_fail(&p->why, "no column 'time_stats.all_reduce.median' or of "
                                    "send_recv, with its .std");
    }
    const struct hd_gpu_spec *gpu = hd_profile_gpu(p, NULL);
    if (!gpu) return false;
    char *folder = hd_profile_folder(p, 1);
    char *text = hd_format("microsoft/vidur network %s", folder);
    const char *source = hd_kernels_text(p->set, text);
    free(text);
    free(folder);
    while ((got = hd_profile_next(p)) > 0) {
        int64_t workers, per_node;
        struct hd_kernel_row row = hd_kernel_row_of(gpu, op);
        if (strcmp(p->row.field[at[COLLECTIVE]], hd_kernel_op_name(op)) != 0)
            return hd_fail(&p->why, "collective is '%.40s'; expected %s",
                           p->row.field[at[COLLECTIVE]], hd_kernel_op_name(op));
        if (!hd_profile_integer(p, at[WORKERS], 2, &workers) ||
            !hd_profile_integer(p, at[PER_NODE], 1, &per_node) ||
            !hd_profile_integer(p, at[SIZE], 1, &row.shape[HD_DIM_BYTES]) ||
            !take_times(p, median, std, &row))
            return false;
        if (per_node != workers) {
            hd_import_note(p->report, "across several nodes: dropped");
            continue;
        }
        row.shape[HD_DIM_GPUS] = workers;
        row.variant = hd_kernels_text(p->set, "nccl_torch");
        row.dtype = hd_kernels_text(p->set, "fp16");
        row.source = source;
        row.licence = hd_kernels_text(p->set, "MIT");
        if (!hd_profile_keep(p, &row, true)) return false;
        hd_import_note(p->report, ON_GRID);
    }
    return got == 0;
}

static bool take(struct hd_profile *p) {
    return knows_network(p) ? take_network(p) : take_layers(p);
}

const struct hd_import_reader hd_import_vidur = {
    "vidur", "mlp.csv, all_reduce.csv or send_recv.csv", knows, take};
