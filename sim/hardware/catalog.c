/* Reading the catalogue, and finding a row by any of its names. */
#include "hardware/catalog.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/home.h"
#include "base/mem.h"
#include "hardware/columns.h"
#include "hardware/model.h"
#include "hardware/names.h"

struct hd_catalog {
    int gpus, models, gpu_capacity, model_capacity;
    struct hd_gpu_spec *gpu;
    struct hd_model_spec *model;
    struct hd_model_spec *form; /* FORMS of each model: as it is not listed */
};

enum { FORMS = HD_NUMBERS * HD_NUMBERS - 1 };

/* ---- the two files ------------------------------------------------------- */

#define GPU(field) offsetof(struct hd_gpu_spec, field)
#define MODEL(field) offsetof(struct hd_model_spec, field)

static const struct hd_column gpu_columns[] = {
    {"gpu", HD_COLUMN_TEXT, GPU(name), 0, NULL},
    {"aliases", HD_COLUMN_TEXT, GPU(aliases), 0, NULL},
    {"vram_mib", HD_COLUMN_WHOLE, GPU(vram_mib), 1, NULL},
    {"hbm_gb_per_s", HD_COLUMN_RATE, GPU(hbm_bytes_per_s), 1e9, NULL},
    {"bf16_tflops", HD_COLUMN_RATE, GPU(bf16_flops), 1e12, NULL},
    {"fp8_tflops", HD_COLUMN_RATE, GPU(fp8_flops), 1e12, NULL},
    {"pcie_gb_per_s", HD_COLUMN_RATE, GPU(pcie_bytes_per_s), 1e9, NULL},
    {"nvlink_gb_per_s", HD_COLUMN_RATE, GPU(nvlink_bytes_per_s), 1e9, NULL},
    {"sms", HD_COLUMN_WHOLE, GPU(sms), 1, NULL},
    {"fitted_as", HD_COLUMN_TEXT, GPU(fitted_as), 0, NULL},
    {"reduce_as", HD_COLUMN_TEXT, GPU(reduce_as), 0, NULL},
    {"kernels_as", HD_COLUMN_TEXT, GPU(kernels_as), 0, NULL},
    {"small_as", HD_COLUMN_TEXT, GPU(small_as), 0, NULL},
    {"verified", HD_COLUMN_FLAG, GPU(verified), 0, NULL},
    {"source", HD_COLUMN_TEXT, GPU(source), 0, NULL},
};

static const struct hd_column model_columns[] = {
    {"model", HD_COLUMN_TEXT, MODEL(name), 0, NULL},
    {"aliases", HD_COLUMN_TEXT, MODEL(aliases), 0, NULL},
    {"layers", HD_COLUMN_WHOLE, MODEL(layers), 1, NULL},
    {"hidden", HD_COLUMN_WHOLE, MODEL(hidden), 1, NULL},
    {"heads", HD_COLUMN_WHOLE, MODEL(heads), 1, NULL},
    {"kv_heads", HD_COLUMN_WHOLE, MODEL(kv_heads), 1, NULL},
    {"head_dim", HD_COLUMN_WHOLE, MODEL(head_dim), 1, NULL},
    {"ffn", HD_COLUMN_WHOLE, MODEL(ffn), 1, NULL},
    {"vocab", HD_COLUMN_WHOLE, MODEL(vocab), 1, NULL},
    {"tied", HD_COLUMN_FLAG, MODEL(tied), 0, NULL},
    {"bias", HD_COLUMN_WORD, MODEL(bias), 0, "none qkv all"},
    {"qk_norm", HD_COLUMN_FLAG, MODEL(qk_norm), 0, NULL},
    {"experts", HD_COLUMN_WHOLE, MODEL(experts), 0, NULL},
    {"topk", HD_COLUMN_WHOLE, MODEL(topk), 0, NULL},
    {"moe_ffn", HD_COLUMN_WHOLE, MODEL(moe_ffn), 0, NULL},
    {"shared_ffn", HD_COLUMN_WHOLE, MODEL(shared_ffn), 0, NULL},
    {"dense_layers", HD_COLUMN_WHOLE, MODEL(dense_layers), 0, NULL},
    {"q_rank", HD_COLUMN_WHOLE, MODEL(q_rank), 0, NULL},
    {"kv_rank", HD_COLUMN_WHOLE, MODEL(kv_rank), 0, NULL},
    {"rope_dim", HD_COLUMN_WHOLE, MODEL(rope_dim), 0, NULL},
    {"max_context_tokens", HD_COLUMN_WHOLE, MODEL(max_context_tokens), 1, NULL},
    {"published_params", HD_COLUMN_RATE, MODEL(published_params), 1, NULL},
    {"verified", HD_COLUMN_FLAG, MODEL(verified), 0, NULL},
    {"source", HD_COLUMN_TEXT, MODEL(source), 0, NULL},
};

enum {
    GPU_COLUMNS = sizeof gpu_columns / sizeof *gpu_columns,
    MODEL_COLUMNS = sizeof model_columns / sizeof *model_columns,
    COLUMNS_MAX = 32
};

static bool gpu_is_sound(struct hd_gpu_spec *g, struct hd_err *why) {
    if (!*g->name) return hd_fail(why, "a GPU without a name");
    if (g->hbm_bytes_per_s <= 0 || g->bf16_flops <= 0 || g->pcie_bytes_per_s <= 0)
        return hd_fail(why,
                       "hbm_gb_per_s, bf16_tflops and pcie_gb_per_s of %s must "
                       "be above 0",
                       g->name);
    g->vram_bytes = (int64_t)g->vram_mib << 20;
    return true;
}

static bool model_is_sound(struct hd_model_spec *m, struct hd_err *why) {
    if (!*m->name) return hd_fail(why, "a model without a name");
    if (m->kv_heads > m->heads)
        return hd_fail(why, "%s has more kv_heads than heads", m->name);
    if (m->experts ? !(m->topk >= 1 && m->topk <= m->experts && m->moe_ffn >= 1 &&
                       m->dense_layers < m->layers)
                   : m->topk || m->moe_ffn || m->shared_ffn || m->dense_layers)
        return hd_fail(why,
                       "experts of %s: expected topk of 1 to experts, moe_ffn and "
                       "fewer dense_layers than layers, or 0 in all",
                       m->name);
    if ((m->kv_rank != 0) != (m->q_rank != 0) || (m->kv_rank && !m->rope_dim))
        return hd_fail(why, "%s: expected q_rank, kv_rank and rope_dim, or none",
                       m->name);
    hd_model_derive(m);
    double off = m->published_params / (double)m->params - 1;
    if (m->published_params && (off > 0.005 || off < -0.005))
        return hd_fail(why,
                       "the shape of %s gives %lld parameters; %.0f were published",
                       m->name, (long long)m->params, m->published_params);
    return true;
}

static void *next_spec(struct hd_catalog *c, bool of_gpus) {
    if (of_gpus) {
        c->gpu = hd_grow(c->gpu, &c->gpu_capacity, c->gpus + 1, sizeof *c->gpu);
        c->gpu[c->gpus] = (struct hd_gpu_spec){0};
        return &c->gpu[c->gpus++];
    }
    c->model = hd_grow(c->model, &c->model_capacity, c->models + 1, sizeof *c->model);
    c->model[c->models] = (struct hd_model_spec){0};
    return &c->model[c->models++];
}

static bool read_file(struct hd_catalog *c, const char *path, bool of_gpus,
                      struct hd_err *err) {
    const struct hd_column *columns = of_gpus ? gpu_columns : model_columns;
    int count = of_gpus ? GPU_COLUMNS : MODEL_COLUMNS, at[COLUMNS_MAX], got;
    struct hd_csv *csv = hd_csv_open(path, err);
    if (!csv) return false;
    struct hd_csv_row row;
    struct hd_err why = {0};
    bool fine = true, header = true;
    while (fine && (got = hd_csv_next(csv, &row, err)) > 0) {
        if (header) {
            fine = hd_columns_find(&row, columns, count, at, &why);
            header = false;
            continue;
        }
        void *spec = next_spec(c, of_gpus);
        fine = hd_columns_read(&row, columns, count, at, spec, &why) &&
               (of_gpus ? gpu_is_sound(spec, &why) : model_is_sound(spec, &why));
    }
    if (!fine)
        hd_fail(err, "%s:%ld: %s", path, row.line, why.text);
    else if (got < 0)
        fine = false; /* err has it */
    else if (of_gpus ? c->gpus == 0 : c->models == 0)
        fine = hd_fail(err, "%s: no rows; expected at least one", path);
    hd_csv_close(csv);
    return fine;
}

/* ---- names --------------------------------------------------------------- */

const struct hd_gpu_spec *hd_catalog_gpu(const struct hd_catalog *c, const char *name,
                                         struct hd_err *err) {
    struct hd_names all = {0};
    for (int n = 0; n < c->gpus; n++)
        if (hd_is_called(c->gpu[n].name, c->gpu[n].aliases, name)) return &c->gpu[n];
    for (int n = 0; n < c->gpus; n++)
        hd_names_add(&all, c->gpu[n].name, c->gpu[n].aliases);
    hd_names_unknown(&all, "GPU", name, "gpus", err);
    hd_names_free(&all);
    return NULL;
}

static const struct hd_model_spec *listed(const struct hd_catalog *c, const char *name,
                                          struct hd_err *err) {
    struct hd_names all = {0};
    for (int n = 0; n < c->models; n++)
        if (hd_is_called(c->model[n].name, c->model[n].aliases, name))
            return &c->model[n];
    for (int n = 0; n < c->models; n++)
        hd_names_add(&all, c->model[n].name, c->model[n].aliases);
    hd_names_unknown(&all, "model", name, "models", err);
    hd_names_free(&all);
    return NULL;
}

/* ---- forms --------------------------------------------------------------- */

int hd_number_of(const char *name) {
    if (strcasecmp(name, "bf16") == 0 || strcasecmp(name, "fp16") == 0)
        return HD_NUMBER_16BIT;
    return strcasecmp(name, "fp8") == 0 ? HD_NUMBER_FP8 : -1;
}

/* Cuts one ending of a form off the name; false: there is none. */
static bool cut_form(char *name, int number[2], bool said[2]) {
    char *slash = strrchr(name, '/');
    if (!slash) return false;
    bool kv = strncasecmp(slash + 1, "kv-", 3) == 0;
    int of = hd_number_of(slash + (kv ? 4 : 1));
    if (of < 0 || said[kv]) return false;
    number[kv] = of;
    said[kv] = true;
    *slash = '\0';
    return true;
}

const struct hd_model_spec *hd_catalog_model_said(const struct hd_catalog *c,
                                                  const char *name, bool said[2],
                                                  struct hd_err *err) {
    int number[2] = {HD_NUMBER_16BIT, HD_NUMBER_16BIT};
    char *bare = hd_strdup(name);
    said[0] = said[1] = false;
    while (cut_form(bare, number, said)) {
    }
    const struct hd_model_spec *m = listed(c, bare, err);
    free(bare);
    return m ? m->as[number[0]][number[1]] : NULL;
}

const struct hd_model_spec *hd_catalog_model(const struct hd_catalog *c,
                                             const char *name, struct hd_err *err) {
    bool said[2];
    return hd_catalog_model_said(c, name, said, err);
}

static void make_forms(struct hd_model_spec *m, struct hd_model_spec form[FORMS]) {
    int made = 0;
    for (int w = 0; w < HD_NUMBERS; w++)
        for (int k = 0; k < HD_NUMBERS; k++) {
            struct hd_model_spec *f = w || k ? &form[made++] : m;
            m->as[w][k] = f;
            if (f == m) continue;
            *f = *m;
            f->name = hd_format("%s%s%s", m->name, w ? "/fp8" : "", k ? "/kv-fp8" : "");
            f->weights = (enum hd_number)w;
            f->kv = (enum hd_number)k;
            hd_model_derive(f);
        }
    for (int n = 0; n < made; n++) memcpy(form[n].as, m->as, sizeof m->as);
}

static void add_forms(struct hd_catalog *c) {
    c->form = hd_alloc((size_t)c->models * FORMS * sizeof *c->form);
    for (int n = 0; n < c->models; n++) make_forms(&c->model[n], &c->form[n * FORMS]);
}

/* ---- the whole ----------------------------------------------------------- */

static bool name_relatives(struct hd_catalog *c, const char *path, struct hd_err *err) {
    for (int n = 0; n < c->gpus; n++) {
        struct hd_gpu_spec *g = &c->gpu[n];
        g->fitted = hd_catalog_gpu(c, g->fitted_as, NULL);
        g->linked = hd_catalog_gpu(c, g->reduce_as, NULL);
        g->tabled = hd_catalog_gpu(c, g->kernels_as, NULL);
        g->small = hd_catalog_gpu(c, g->small_as, NULL);
        const char *missing = !g->fitted   ? g->fitted_as
                              : !g->linked ? g->reduce_as
                              : !g->tabled ? g->kernels_as
                              : !g->small  ? g->small_as
                                           : NULL;
        if (missing)
            return hd_fail(err, "%s: relatives of %s: no GPU '%s' in this file", path,
                           g->name, missing);
    }
    return true;
}

static bool is_sound(struct hd_catalog *c, const char *gpus_path,
                     const char *models_path, struct hd_err *err) {
    struct hd_names gpus = {0}, models = {0};
    for (int n = 0; n < c->gpus; n++)
        hd_names_add(&gpus, c->gpu[n].name, c->gpu[n].aliases);
    for (int n = 0; n < c->models; n++)
        hd_names_add(&models, c->model[n].name, c->model[n].aliases);
    bool fine = hd_names_differ(&gpus, gpus_path, err) &&
                hd_names_differ(&models, models_path, err) &&
                name_relatives(c, gpus_path, err);
    hd_names_free(&gpus);
    hd_names_free(&models);
    return fine;
}

struct hd_catalog *hd_catalog_read(const char *gpus_path, const char *models_path,
                                   struct hd_err *err) {
    struct hd_catalog *c = hd_alloc(sizeof *c);
    if (read_file(c, gpus_path, true, err) && read_file(c, models_path, false, err) &&
        is_sound(c, gpus_path, models_path, err)) {
        add_forms(c);
        return c;
    }
    hd_catalog_free(c);
    return NULL;
}

struct hd_catalog *hd_catalog_load(struct hd_err *err) {
    char *gpus = hd_home_path("sim/catalog/gpus.csv");
    char *models = hd_home_path("sim/catalog/models.csv");
    struct hd_catalog *c = hd_catalog_read(gpus, models, err);
    free(gpus);
    free(models);
    return c;
}

void hd_catalog_free(struct hd_catalog *c) {
    if (!c) return;
    for (int n = 0; n < c->gpus; n++)
        hd_columns_free(&c->gpu[n], gpu_columns, GPU_COLUMNS);
    for (int n = 0; n < c->models; n++)
        hd_columns_free(&c->model[n], model_columns, MODEL_COLUMNS);
    for (int n = 0; c->form && n < c->models * FORMS; n++)
        free((void *)c->form[n].name);
    free(c->gpu);
    free(c->model);
    free(c->form);
    free(c);
}

const struct hd_gpu_spec *hd_catalog_gpus(const struct hd_catalog *c, int *count) {
    *count = c->gpus;
    return c->gpu;
}

const struct hd_model_spec *hd_catalog_models(const struct hd_catalog *c, int *count) {
    *count = c->models;
    return c->model;
}
