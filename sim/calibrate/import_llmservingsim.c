/* Profiles of casys-kaist/LLMServingSim: vLLM's kernels of one layer, in us, eager. The
 * folders say what was measured: GPU/ORGANISATION/MODEL/DTYPE/tpN. Tensor parallelism
 * was emulated by shrinking the layer on one GPU: there is no all-reduce in it. What
 * does not depend on it was measured once and copied; it is imported once. meta.yaml
 * beside the tp folders must agree, where it is there. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "calibrate/import_parts.h"

enum kind { DENSE, PER_SEQUENCE, ATTENTION, SKEW, KINDS };

/* What makes each of its tables one. */
static const char *const marks[KINDS][2] = {{"layer", "tokens"},
                                            {"layer", "sequences"},
                                            {"prefill_chunk", "kv_decode"},
                                            {"kv_big", "t_skew_us"}};

static int kind_of(const struct hd_profile *p) {
    for (int n = 0; n < KINDS; n++)
        if (hd_profile_column(p, marks[n][0]) >= 0 &&
            hd_profile_column(p, marks[n][1]) >= 0)
            return n;
    return KINDS;
}

static bool knows(const struct hd_profile *p) {
    return kind_of(p) < KINDS;
}

/* ---- what the folders say ------------------------------------------------ */

struct setting {
    const struct hd_gpu_spec *gpu;
    const struct hd_model_spec *model;
    const char *dtype, *source;
    int tp;
    int64_t samples; /* 0: not known */
};

/* The value of a top-level key of a YAML file, without quotes; the caller frees it. */
static char *yaml_value(const char *text, const char *key) {
    size_t bytes = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, key, bytes) != 0 || line[bytes] != ':') continue;
        const char *value = line + bytes + 1;
        value += strspn(value, " '\"");
        return hd_format("%.*s", (int)strcspn(value, "'\"\r\n"), value);
    }
    return NULL;
}

/* meta.yaml of the profile: against mixed-up folders, and for what they do not say. */
static bool take_meta(struct hd_profile *p, const char *text, struct setting *s) {
    char *gpu = yaml_value(text, "gpu"), *model = yaml_value(text, "model");
    char *version = yaml_value(text, "vllm_version");
    char *iterations = yaml_value(text, "measurement_iterations");
    const struct hd_gpu_spec *told = gpu ? hd_gpu_of_device(p->catalog, gpu) : NULL;
    struct hd_err ignored = {0};
    const struct hd_model_spec *said =
        model ? hd_catalog_model(p->catalog, model, &ignored) : NULL;
    bool fine = true;
    if (told && told != s->gpu)
        fine = hd_fail(&p->why,
                       "meta.yaml says %s; expected %s, as the folder or --gpu "
                       "says",
                       gpu, s->gpu->name);
    if (said && said != s->model)
        fine = hd_fail(&p->why, "meta.yaml says %s; expected %s, as the folder says",
                       said->name, s->model->name);
    if (iterations) s->samples = atoi(iterations) > 0 ? atoi(iterations) : 0;
    char *source = hd_format("casys-kaist/LLMServingSim: vLLM%s%s eager",
                             version ? " " : "", version ? version : "");
    s->source = hd_kernels_text(p->set, source);
    free(source);
    free(gpu);
    free(model);
    free(version);
    free(iterations);
    return fine;
}

static bool read_meta(struct hd_profile *p, struct setting *s) {
    size_t end = strlen(p->place);
    for (int n = 0; n < 2 && end > 0; n++) do
            end--;
        while (end > 0 && p->place[end] != '/');
    char *path = hd_format("%.*s/meta.yaml", (int)end, p->place);
    size_t bytes;
    struct hd_err ignored = {0};
    char *text = hd_read_text(path, 1 << 20, &bytes, &ignored);
    free(path);
    bool fine = take_meta(p, text ? text : "", s);
    free(text);
    return fine;
}

static bool read_folders(struct hd_profile *p, struct setting *s) {
    char *tp = hd_profile_folder(p, 1), *dtype = hd_profile_folder(p, 2);
    char *model = hd_profile_folder(p, 3), *above = hd_profile_folder(p, 4);
    char rest;
    *s = (struct setting){0};
    bool fine = sscanf(tp, "tp%d%c", &s->tp, &rest) == 1 && s->tp >= 1;
    if (!fine)
        hd_fail(&p->why,
                "lies in a folder '%s'; expected .../GPU/ORGANISATION/MODEL/DTYPE/"
                "tpN as that profiler writes",
                tp);
    s->dtype = fine ? hd_profile_dtype(p, dtype) : NULL;
    s->gpu = s->dtype ? hd_profile_gpu(p, NULL) : NULL;
    s->model = s->gpu ? hd_model_of_folder(p->catalog, above, model) : NULL;
    fine = s->model != NULL;
    if (s->gpu && !fine)
        hd_fail(&p->why,
                "model '%s/%s' of the folders is none of the catalogue, whose "
                "shape is needed",
                above, model);
    if (fine &&
        (s->model->heads % s->tp || s->model->ffn % s->tp || s->model->vocab % s->tp))
        fine = hd_fail(&p->why, "%s cannot be split on %d GPUs", s->model->name, s->tp);
    free(tp);
    free(dtype);
    free(model);
    free(above);
    return fine && read_meta(p, s);
}

/* ---- rows ---------------------------------------------------------------- */

/* tp: whether the operator depends on it; it is then part of what was measured. */
static struct hd_kernel_row row_of(struct hd_profile *p, const struct setting *s,
                                   enum hd_kernel_op op, const char *layer, bool tp) {
    struct hd_kernel_row row = hd_kernel_row_of(s->gpu, op);
    char *variant = tp ? hd_format("%s:%s:tp%d", layer, s->model->name, s->tp)
                       : hd_format("%s:%s", layer, s->model->name);
    row.variant = hd_kernels_text(p->set, variant);
    free(variant);
    row.dtype = s->dtype;
    row.samples = s->samples;
    row.source = s->source;
    row.licence = hd_kernels_text(p->set, "MIT");
    return row;
}

static void put_heads(const struct setting *s, struct hd_kernel_row *row) {
    const struct hd_model_spec *m = s->model;
    row->shape[HD_DIM_HEADS] = m->heads / s->tp;
    row->shape[HD_DIM_KV_HEADS] = m->kv_heads > s->tp ? m->kv_heads / s->tp : 1;
    row->shape[HD_DIM_HEAD_DIM] = m->head_dim;
}

struct layer {
    const char *name;
    enum hd_kernel_op op;
    bool tp;
    int64_t n, k;
};

/* Of one GPU's part. q and k are normalised head by head; their row counts all heads'
 * width, of the whole model since it was measured once for all degrees. */
static int layers_of(const struct setting *s, struct layer layer[13]) {
    const struct hd_model_spec *m = s->model;
    int64_t d = m->head_dim, h = m->hidden, f = m->ffn / s->tp, q = m->heads / s->tp;
    int64_t kv = m->kv_heads > s->tp ? m->kv_heads / s->tp : 1;
    int64_t none = HD_DIM_ABSENT;
    const struct layer all[] = {
        {"embedding", HD_OP_EMBEDDING, true, h, none},
        {"layernorm", HD_OP_NORM, false, h, none},
        {"final_layernorm", HD_OP_NORM, false, h, none},
        {"qk_norm", HD_OP_NORM, false, (m->heads + m->kv_heads) * d, none},
        {"qkv_proj", HD_OP_GEMM, true, (q + 2 * kv) * d, h},
        {"rotary_emb", HD_OP_ROPE, true, none, none},
        {"o_proj", HD_OP_GEMM, true, h, q * d},
        {"gate_up_proj", HD_OP_GEMM, true, 2 * f, h},
        {"act_fn", HD_OP_ACTIVATION, true, f, none},
        {"down_proj", HD_OP_GEMM, true, h, f},
        {"lm_head", HD_OP_LM_HEAD, true, m->vocab / s->tp, h},
        {"sampler", HD_OP_SAMPLING, false, m->vocab, none},
    };
    memcpy(layer, all, sizeof all);
    return sizeof all / sizeof *all;
}

static bool take_layers(struct hd_profile *p, const struct setting *s,
                        const char *count) {
    enum { LAYER, COUNT, TIME, COLUMNS };
    const char *const name[COLUMNS] = {"layer", count, "time_us"};
    int at[COLUMNS], got;
    struct layer layer[13];
    int layers = layers_of(s, layer);
    if (!hd_profile_columns(p, name, COLUMNS, at)) return false;
    while ((got = hd_profile_next(p)) > 0) {
        int n = 0;
        while (n < layers && strcmp(layer[n].name, p->row.field[at[LAYER]]) != 0) n++;
        if (n == layers)
            return hd_fail(&p->why,
                           "layer '%.40s' is unknown; expected qkv_proj, lm_head "
                           "or another of a dense model",
                           p->row.field[at[LAYER]]);
        struct hd_kernel_row row =
            row_of(p, s, layer[n].op, layer[n].name, layer[n].tp);
        row.shape[HD_DIM_N] = layer[n].n;
        row.shape[HD_DIM_K] = layer[n].k;
        if (layer[n].op == HD_OP_ROPE) put_heads(s, &row);
        if (!hd_profile_integer(p, at[COUNT], 1, &row.shape[HD_DIM_M]) ||
            !hd_profile_time(p, at[TIME], 1, &row.time_us) ||
            !hd_profile_keep(p, &row, true))
            return false;
    }
    return got == 0;
}

struct mix { /* one chunk beside some decodes */
    int64_t chunk, prefix, batch, context;
};

static bool keep_attention(struct hd_profile *p, const struct setting *s,
                           const char *layer, const struct mix *mix, int64_t longest,
                           double time_us) {
    bool mixed = mix->chunk > 0 && mix->batch > 0;
    if (mix->chunk == 0 && mix->batch == 0)
        return hd_fail(&p->why, "neither a chunk nor decodes; expected one of them");
    struct hd_kernel_row row = row_of(p, s,
                                      mixed            ? HD_OP_ATTENTION_MIXED
                                      : mix->chunk > 0 ? HD_OP_ATTENTION_PREFILL
                                                       : HD_OP_ATTENTION_DECODE,
                                      layer, true);
    put_heads(s, &row);
    row.time_us = time_us;
    row.shape[HD_DIM_BATCH] = mix->batch > 0 ? mix->batch : 1;
    row.shape[HD_DIM_COUNT] = longest;
    if (mix->chunk > 0) {
        row.shape[HD_DIM_CHUNK] = mix->chunk;
        row.shape[HD_DIM_PREFIX] = mix->prefix;
    }
    if (mix->batch > 0) row.shape[HD_DIM_CONTEXT] = mix->context;
    return hd_profile_keep(p, &row, true);
}

static bool take_attention(struct hd_profile *p, const struct setting *s, bool skew) {
    enum { CHUNK, PREFIX, BATCH, CONTEXT, TIME, LONGEST, COLUMNS };
    static const char *const even[COLUMNS] = {"prefill_chunk", "kv_prefill", "n_decode",
                                              "kv_decode",     "time_us",    "time_us"};
    static const char *const uneven[COLUMNS] = {"pc",      "kp",        "n",
                                                "kv_mean", "t_skew_us", "kv_big"};
    int at[COLUMNS], got;
    if (!hd_profile_columns(p, skew ? uneven : even, COLUMNS, at)) return false;
    while ((got = hd_profile_next(p)) > 0) {
        struct mix mix;
        int64_t longest = HD_DIM_ABSENT;
        double time_us;
        if (!hd_profile_integer(p, at[CHUNK], 0, &mix.chunk) ||
            !hd_profile_integer(p, at[PREFIX], 0, &mix.prefix) ||
            !hd_profile_integer(p, at[BATCH], 0, &mix.batch) ||
            !hd_profile_integer(p, at[CONTEXT], 0, &mix.context) ||
            !hd_profile_time(p, at[TIME], 1, &time_us))
            return false;
        if (skew) {
            if (!hd_profile_integer(p, at[LONGEST], 1, &longest)) return false;
            hd_import_note(p->report,
                           "of ragged decodes: the times of even ones beside "
                           "them are left out");
        }
        if (!keep_attention(p, s, skew ? "ragged" : "attention", &mix, longest,
                            time_us))
            return false;
    }
    return got == 0;
}

static bool take(struct hd_profile *p) {
    struct setting s;
    enum kind kind = (enum kind)kind_of(p);
    if (!read_folders(p, &s)) return false;
    if (kind == DENSE || kind == PER_SEQUENCE)
        return take_layers(p, &s, kind == DENSE ? "tokens" : "sequences");
    return take_attention(p, &s, kind == SKEW);
}

const struct hd_import_reader hd_import_llmservingsim = {
    "llmservingsim", "dense, per_sequence, attention or skew.csv", knows, take};
