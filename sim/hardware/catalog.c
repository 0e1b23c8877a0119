/* Reading the catalogue, and finding a row by any of its names. */
#include "hardware/catalog.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/csv.h"
#include "base/home.h"
#include "base/mem.h"
#include "base/units.h"
#include "hardware/model.h"

struct hd_catalog {
    int gpus, models, gpu_capacity, model_capacity;
    struct hd_gpu_spec *gpu;
    struct hd_model_spec *model;
};

/* ---- one field of a row -------------------------------------------------- */

enum kind { TEXT, WHOLE, RATE, FLAG, BIAS };

struct column { /* of the file, and where it goes in the spec */
    const char *name;
    enum kind kind;
    size_t offset;
    double unit; /* RATE: what one means; WHOLE: 0 may be written if 0 */
};

static bool set_whole(const char *text, const struct column *c, int *to,
                      struct hd_err *why) {
    long value;
    if (!hd_parse_integer(text, c->unit == 0 ? 0 : 1, 1 << 30, &value, why))
        return false;
    *to = (int)value;
    return true;
}

static bool set_field(void *spec, const struct column *c, const char *text,
                      struct hd_err *why) {
    void *to = (char *)spec + c->offset;
    double number;
    switch (c->kind) {
    case TEXT:
        *(const char **)to = hd_strdup(text);
        return true;
    case WHOLE:
        return set_whole(text, c, to, why);
    case RATE:
        if (!hd_parse_number(text, &number, why)) return false;
        if (number < 0) return hd_fail(why, "%s is below 0", text);
        *(double *)to = number * c->unit;
        return true;
    case FLAG:
        *(bool *)to = strcmp(text, "yes") == 0;
        if (*(bool *)to || strcmp(text, "no") == 0) return true;
        return hd_fail(why, "'%s'; expected yes or no", text);
    case BIAS:
        for (int n = HD_BIAS_NONE; n <= HD_BIAS_ALL; n++) {
            static const char *const name[] = {"none", "qkv", "all"};
            *(enum hd_bias *)to = (enum hd_bias)n;
            if (strcmp(text, name[n]) == 0) return true;
        }
        return hd_fail(why, "'%s'; expected none, qkv or all", text);
    }
    return false;
}

/* ---- the two files ------------------------------------------------------- */

#define GPU(field) offsetof(struct hd_gpu_spec, field)
#define MODEL(field) offsetof(struct hd_model_spec, field)

static const struct column gpu_columns[] = {
    {"gpu", TEXT, GPU(name), 0},
    {"aliases", TEXT, GPU(aliases), 0},
    {"vram_mib", WHOLE, GPU(vram_mib), 1},
    {"hbm_gb_per_s", RATE, GPU(hbm_bytes_per_s), 1e9},
    {"bf16_tflops", RATE, GPU(bf16_flops), 1e12},
    {"fp8_tflops", RATE, GPU(fp8_flops), 1e12},
    {"pcie_gb_per_s", RATE, GPU(pcie_bytes_per_s), 1e9},
    {"nvlink_gb_per_s", RATE, GPU(nvlink_bytes_per_s), 1e9},
    {"sms", WHOLE, GPU(sms), 1},
    {"fitted_as", TEXT, GPU(fitted_as), 0},
    {"reduce_as", TEXT, GPU(reduce_as), 0},
    {"kernels_as", TEXT, GPU(kernels_as), 0},
    {"verified", FLAG, GPU(verified), 0},
    {"source", TEXT, GPU(source), 0},
};

static const struct column model_columns[] = {
    {"model", TEXT, MODEL(name), 0},
    {"aliases", TEXT, MODEL(aliases), 0},
    {"layers", WHOLE, MODEL(layers), 1},
    {"hidden", WHOLE, MODEL(hidden), 1},
    {"heads", WHOLE, MODEL(heads), 1},
    {"kv_heads", WHOLE, MODEL(kv_heads), 1},
    {"head_dim", WHOLE, MODEL(head_dim), 1},
    {"ffn", WHOLE, MODEL(ffn), 1},
    {"vocab", WHOLE, MODEL(vocab), 1},
    {"tied", FLAG, MODEL(tied), 0},
    {"bias", BIAS, MODEL(bias), 0},
    {"qk_norm", FLAG, MODEL(qk_norm), 0},
    {"experts", WHOLE, MODEL(experts), 0},
    {"topk", WHOLE, MODEL(topk), 0},
    {"moe_ffn", WHOLE, MODEL(moe_ffn), 0},
    {"shared_ffn", WHOLE, MODEL(shared_ffn), 0},
    {"dense_layers", WHOLE, MODEL(dense_layers), 0},
    {"q_rank", WHOLE, MODEL(q_rank), 0},
    {"kv_rank", WHOLE, MODEL(kv_rank), 0},
    {"rope_dim", WHOLE, MODEL(rope_dim), 0},
    {"max_context_tokens", WHOLE, MODEL(max_context_tokens), 1},
    {"published_params", RATE, MODEL(published_params), 1},
    {"verified", FLAG, MODEL(verified), 0},
    {"source", TEXT, MODEL(source), 0},
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

/* Finds every column in the header. */
static bool match_header(const struct hd_csv_row *row, const struct column *columns,
                         int count, int *at, struct hd_err *why) {
    for (int n = 0; n < count; n++) {
        at[n] = hd_csv_column(row, columns[n].name);
        if (at[n] < 0) return hd_fail(why, "no column '%s'", columns[n].name);
    }
    return true;
}

static bool read_row(const struct hd_csv_row *row, const struct column *columns,
                     int count, const int *at, void *spec, struct hd_err *why) {
    for (int n = 0; n < count; n++) {
        if (at[n] >= row->count)
            return hd_fail(why, "%d fields; expected one for '%s'", row->count,
                           columns[n].name);
        struct hd_err field = {0};
        if (!set_field(spec, &columns[n], row->field[at[n]], &field))
            return hd_fail(why, "%s: %s", columns[n].name, field.text);
    }
    return true;
}

static void free_texts(const void *spec, const struct column *columns, int count) {
    for (int n = 0; n < count; n++)
        if (columns[n].kind == TEXT)
            free(*(char *const *)((const char *)spec + columns[n].offset));
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
    const struct column *columns = of_gpus ? gpu_columns : model_columns;
    int count = of_gpus ? GPU_COLUMNS : MODEL_COLUMNS, at[COLUMNS_MAX], got;
    struct hd_csv *csv = hd_csv_open(path, err);
    if (!csv) return false;
    struct hd_csv_row row;
    struct hd_err why = {0};
    bool fine = true, header = true;
    while (fine && (got = hd_csv_next(csv, &row, err)) > 0) {
        if (header) {
            fine = match_header(&row, columns, count, at, &why);
            header = false;
            continue;
        }
        void *spec = next_spec(c, of_gpus);
        fine = read_row(&row, columns, count, at, spec, &why) &&
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

/* Whether a name is the row's own or one of its blank-separated aliases. */
static bool is_called(const char *own, const char *aliases, const char *name) {
    if (strcasecmp(own, name) == 0) return true;
    size_t length = strlen(name);
    for (const char *a = aliases; length && *a;) {
        size_t word = strcspn(a, " ");
        if (word == length && strncasecmp(a, name, length) == 0) return true;
        a += word + strspn(a + word, " ");
    }
    return false;
}

struct names { /* of all rows, each alias by itself */
    char **name;
    int count, capacity;
};

static void add_names(struct names *n, const char *own, const char *aliases) {
    n->name = hd_grow(n->name, &n->capacity, n->count + 1, sizeof *n->name);
    n->name[n->count++] = hd_strdup(own);
    for (const char *a = aliases; *a;) {
        size_t word = strcspn(a, " ");
        n->name = hd_grow(n->name, &n->capacity, n->count + 1, sizeof *n->name);
        n->name[n->count++] = hd_format("%.*s", (int)word, a);
        a += word + strspn(a + word, " ");
    }
}

static void free_names(struct names *n) {
    for (int i = 0; i < n->count; i++) free(n->name[i]);
    free(n->name);
}

static void unknown(struct names *n, const char *what, const char *name,
                    const char *command, struct hd_err *err) {
    const char *near = hd_nearest(name, (const char *const *)n->name, n->count);
    if (near)
        hd_fail(err, "%s: no such %s in the catalogue; the nearest is %s", name, what,
                near);
    else
        hd_fail(err, "%s: no such %s in the catalogue; `hotdesk catalog %s` lists them",
                name, what, command);
    free_names(n);
}

const struct hd_gpu_spec *hd_catalog_gpu(const struct hd_catalog *c, const char *name,
                                         struct hd_err *err) {
    struct names all = {0};
    for (int n = 0; n < c->gpus; n++)
        if (is_called(c->gpu[n].name, c->gpu[n].aliases, name)) return &c->gpu[n];
    for (int n = 0; n < c->gpus; n++)
        add_names(&all, c->gpu[n].name, c->gpu[n].aliases);
    unknown(&all, "GPU", name, "gpus", err);
    return NULL;
}

const struct hd_model_spec *hd_catalog_model(const struct hd_catalog *c,
                                             const char *name, struct hd_err *err) {
    struct names all = {0};
    for (int n = 0; n < c->models; n++)
        if (is_called(c->model[n].name, c->model[n].aliases, name)) return &c->model[n];
    for (int n = 0; n < c->models; n++)
        add_names(&all, c->model[n].name, c->model[n].aliases);
    unknown(&all, "model", name, "models", err);
    return NULL;
}

/* ---- the whole ----------------------------------------------------------- */

/* Two rows that a search could not tell apart. */
static bool names_are_sound(struct names *n, const char *path, struct hd_err *err) {
    for (int i = 0; i < n->count; i++)
        for (int j = 0; j < i; j++)
            if (strcasecmp(n->name[i], n->name[j]) == 0)
                return hd_fail(err, "%s: the name %s stands for two rows", path,
                               n->name[i]);
    return true;
}

static bool name_relatives(struct hd_catalog *c, const char *path, struct hd_err *err) {
    for (int n = 0; n < c->gpus; n++) {
        struct hd_gpu_spec *g = &c->gpu[n];
        g->fitted = hd_catalog_gpu(c, g->fitted_as, NULL);
        g->linked = hd_catalog_gpu(c, g->reduce_as, NULL);
        g->tabled = hd_catalog_gpu(c, g->kernels_as, NULL);
        const char *missing = !g->fitted   ? g->fitted_as
                              : !g->linked ? g->reduce_as
                              : !g->tabled ? g->kernels_as
                                           : NULL;
        if (missing)
            return hd_fail(err, "%s: relatives of %s: no GPU '%s' in this file", path,
                           g->name, missing);
    }
    return true;
}

static bool is_sound(struct hd_catalog *c, const char *gpus_path,
                     const char *models_path, struct hd_err *err) {
    struct names gpus = {0}, models = {0};
    for (int n = 0; n < c->gpus; n++)
        add_names(&gpus, c->gpu[n].name, c->gpu[n].aliases);
    for (int n = 0; n < c->models; n++)
        add_names(&models, c->model[n].name, c->model[n].aliases);
    bool fine = names_are_sound(&gpus, gpus_path, err) &&
                names_are_sound(&models, models_path, err) &&
                name_relatives(c, gpus_path, err);
    free_names(&gpus);
    free_names(&models);
    return fine;
}

struct hd_catalog *hd_catalog_read(const char *gpus_path, const char *models_path,
                                   struct hd_err *err) {
    struct hd_catalog *c = hd_alloc(sizeof *c);
    if (read_file(c, gpus_path, true, err) && read_file(c, models_path, false, err) &&
        is_sound(c, gpus_path, models_path, err))
        return c;
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
    for (int n = 0; n < c->gpus; n++) free_texts(&c->gpu[n], gpu_columns, GPU_COLUMNS);
    for (int n = 0; n < c->models; n++)
        free_texts(&c->model[n], model_columns, MODEL_COLUMNS);
    free(c->gpu);
    free(c->model);
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
