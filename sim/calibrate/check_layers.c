/* One layer of a model, the sum of its operators: between the token counts that a table
 * has knots at, and by rooflines alone. And its small operators by what current engines
 * are timed with, which is another GPU's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calibrate/check.h"
#include "calibrate/kernel_points.h"
#include "calibrate/row_prediction.h"
#include "calibrate/tables.h"

static const char knots_22[] = "seen: at most 22 token counts of each operator, "
                               "residual over its roofline; judged: "
                               "the sum of a layer at the others";
static const char roof_80[] = "seen: four token counts of five, a roofline for each "
                              "operator; judged: the sum of a "
                              "layer at the fifth";
static const char relative[] = "seen: the kernels of hotdesk-bench on an H200; judged: "
                               "those of an engine of 2024, at all token counts";

/* Halving steps, and steps of a half where it matters. */
static const double knots[] = {1,    2,    4,    8,    16,   24,  32,  48,
                               64,   96,   128,  192,  256,  384, 512, 768,
                               1024, 1536, 2048, 2560, 3072, 4096};
enum { KNOTS = sizeof knots / sizeof *knots };

static const char *const layer_ops[] = {"input_layernorm",
                                        "attn_pre_proj",
                                        "attn_rope",
                                        "attn_post_proj",
                                        "post_attention_layernorm",
                                        "mlp_up_proj",
                                        "mlp_act",
                                        "mlp_down_proj",
                                        "add"};
enum { LAYER_OPS = sizeof layer_ops / sizeof *layer_ops };

struct point {
    double tokens, seconds;
    struct hd_roof_shape shape;
};

struct curve { /* an operator of one model and degree, by ascending tokens */
    struct point *point;
    int points, capacity;
};

struct layer {          /* one model and degree */
    const char *suffix; /* "model:tpN" of the variants */
    struct curve curve[LAYER_OPS];
};

enum { LAYERS_MAX = 32 };
struct layers {
    struct layer layer[LAYERS_MAX];
    int count;
    const struct hd_gpu_spec *gpu;
    struct hd_roof_law law[LAYER_OPS];
};

static const enum hd_roof_op ops[LAYER_OPS] = {
    HD_ROOF_NORM, HD_ROOF_GEMM,       HD_ROOF_ROPE, HD_ROOF_GEMM, HD_ROOF_NORM,
    HD_ROOF_GEMM, HD_ROOF_ACTIVATION, HD_ROOF_GEMM, HD_ROOF_ADD};

/* ---- rows ---------------------------------------------------------------- */

static int op_of(const char *variant) {
    size_t length = strcspn(variant, ":");
    for (int n = 0; n < LAYER_OPS; n++)
        if (strlen(layer_ops[n]) == length &&
            strncmp(layer_ops[n], variant, length) == 0)
            return n;
    return -1;
}

static struct hd_roof_shape shape_of(const struct hd_kernel_row *row) {
    const int64_t *s = row->shape;
    struct hd_roof_shape to = {
        .m = (double)s[HD_DIM_M], .n = (double)s[HD_DIM_N], .k = (double)s[HD_DIM_K]};
    if (row->op == HD_OP_ROPE)
        to.n = (double)((s[HD_DIM_HEADS] + s[HD_DIM_KV_HEADS]) * s[HD_DIM_HEAD_DIM]);
    return to;
}

static void sort_in(struct layers *l, struct hd_kernels *rows) {
    int *order = hd_kernels_sorted(rows); /* a curve's rows by ascending tokens */
    for (int i = 0; i < rows->rows; i++) {
        const struct hd_kernel_row *row = &rows->row[order[i]];
        int op = op_of(row->variant);
        const char *suffix = strchr(row->variant, ':');
        if (op < 0 || !suffix) continue;
        int n = 0;
        while (n < l->count && strcmp(l->layer[n].suffix, suffix + 1) != 0) n++;
        if (n == LAYERS_MAX) continue;
        if (n == l->count) l->layer[l->count++] = (struct layer){.suffix = suffix + 1};
        struct curve *c = &l->layer[n].curve[op];
        c->point = hd_grow(c->point, &c->capacity, c->points + 1, sizeof *c->point);
        c->point[c->points++] = (struct point){(double)row->shape[HD_DIM_M],
                                               row->time_us * 1e-6, shape_of(row)};
    }
    free(order);
}

/* ---- predictions --------------------------------------------------------- */

static bool is_knot(const struct point *p, int index) {
    (void)index;
    for (int n = 0; n < KNOTS; n++)
        if (knots[n] == p->tokens) return true;
    return false;
}

static bool is_four_of_five(const struct point *p, int index) {
    (void)p;
    return index % 5 != 2;
}

/* A roofline for each operator, over all models and degrees. */
static void fit_roofs(struct layers *l, bool (*seen)(const struct point *, int)) {
    for (int op = 0; op < LAYER_OPS; op++) {
        struct hd_roof_points p = {.op = ops[op], .type = HD_ROOF_BF16, .gpu = l->gpu};
        for (int n = 0; n < l->count; n++) {
            const struct curve *c = &l->layer[n].curve[op];
            for (int i = 0; i < c->points; i++)
                if (seen(&c->point[i], i))
                    hd_roof_points_add(&p, &c->point[i].shape, c->point[i].seconds, 1);
        }
        hd_roof_fit(&p, &(struct hd_grid_knots){0}, &l->law[op]);
        hd_roof_points_free(&p);
    }
}

static double roof_s(const struct layers *l, int op, const struct point *p) {
    return hd_roof_bare_s(&l->law[op], ops[op], HD_ROOF_BF16, l->gpu, 1, &p->shape);
}

/* The residual between the two seen points around point i. */
static double between(const struct layers *l, int op, const struct curve *c, int i,
                      bool (*seen)(const struct point *, int)) {
    int low = i, high = i;
    while (low >= 0 && !seen(&c->point[low], low)) low--;
    while (high < c->points && !seen(&c->point[high], high)) high++;
    if (low < 0) low = high;
    if (high == c->points) high = low;
    const struct point *a = &c->point[low], *b = &c->point[high];
    double at_a = log(a->seconds / roof_s(l, op, a));
    double at_b = log(b->seconds / roof_s(l, op, b));
    double along =
        low == high ? 0
                    : log(c->point[i].tokens / a->tokens) / log(b->tokens / a->tokens);
    return at_a + along * (at_b - at_a);
}

/* Errors of layer sums at the counts that were, or were not, seen. */
static struct hd_fit_error judge(const struct layers *l, bool table, bool in_sample,
                                 bool (*seen)(const struct point *, int)) {
    double *error = NULL;
    int count = 0, capacity = 0;
    for (int n = 0; n < l->count; n++) {
        const struct layer *layer = &l->layer[n];
        for (int i = 0; i < layer->curve[0].points; i++) {
            if (seen(&layer->curve[0].point[i], i) != in_sample) continue;
            double got = 0, measured = 0;
            bool whole = true;
            for (int op = 0; op < LAYER_OPS; op++) {
                const struct curve *c = &layer->curve[op];
                whole = whole && i < c->points &&
                        c->point[i].tokens == layer->curve[0].point[i].tokens;
                if (!whole) break;
                measured += c->point[i].seconds;
                got += roof_s(l, op, &c->point[i]) *
                       (table ? exp(between(l, op, c, i, seen)) : 1);
            }
            if (!whole) continue;
            error = hd_grow(error, &capacity, count + 1, sizeof *error);
            error[count++] = fabs(got / measured - 1);
        }
    }
    struct hd_fit_error e = hd_fit_error_of(error, count);
    free(error);
    return e;
}

static const struct asked {
    const char *gpu, *gate;
    const char *file[4];
    struct hd_check_limit limit, table, roof; /* the latter two: references */
} asked[] = {
    {"H100-SXM",
     "G2",
     {"vidur/h100/Llama-2-7b-hf/mlp.csv", "vidur/h100/Llama-2-70b-hf/mlp.csv"},
     {.05, .17},
     {.036, .123},
     {.048, .166}},
    {"A100-80-SXM",
     "",
     {"vidur/a100/Llama-2-7b-hf/mlp.csv", "vidur/a100/Llama-2-70b-hf/mlp.csv",
      "vidur/a100/Meta-Llama-3-8B/mlp.csv"},
     {0, 0},
     {.020, .087},
     {.031, .121}},
};

static void check_one(const struct asked *a, struct layers *l, struct hd_checks *all) {
    fit_roofs(l, is_knot);
    struct hd_check *c =
        hd_checks_add(all, a->gate, "layer sum, table", a->gpu, "Vidur", knots_22);
    c->held_out = judge(l, true, false, is_knot);
    c->limit = a->limit;
    c->reference = a->table;
    fit_roofs(l, is_four_of_five);
    c = hd_checks_add(all, a->gate, "layer sum, rooflines", a->gpu, "Vidur", roof_80);
    c->in_sample = judge(l, false, true, is_four_of_five);
    c->held_out = judge(l, false, false, is_four_of_five);
    c->limit = a->limit;
    c->reference = a->roof;
}

static bool check_small(const struct hd_catalog *catalog, const struct hd_kernels *rows,
                        const struct hd_gpu_spec *gpu, struct hd_checks *all,
                        struct hd_err *err) {
    static const struct {
        enum hd_kernel_op op;
        const char *name;
    } small[] = {{HD_OP_NORM, "norms, relative's"},
                 {HD_OP_ROPE, "rotary embeddings, relative's"},
                 {HD_OP_ACTIVATION, "activations, relative's"}};
    struct hd_row_predictor predictor;
    if (!hd_row_predictor_init(&predictor, catalog, gpu, err)) return false;
    double *error = hd_alloc(((size_t)rows->rows + 1) * sizeof *error);
    for (size_t n = 0; n < sizeof small / sizeof *small; n++) {
        int count = 0;
        for (int i = 0; i < rows->rows; i++)
            if (rows->row[i].op == small[n].op)
                error[count++] = fabs(hd_row_predict(&predictor, &rows->row[i]).us /
                                          rows->row[i].time_us -
                                      1);
        hd_checks_add(all, "", small[n].name, gpu->name, "Vidur", relative)->held_out =
            hd_fit_error_of(error, count);
    }
    free(error);
    hd_row_predictor_free(&predictor);
    return true;
}

bool hd_check_layers(const struct hd_catalog *catalog, const char *data,
                     struct hd_checks *all, struct hd_err *err) {
    bool fine = true;
    for (size_t n = 0; n < sizeof asked / sizeof *asked && fine; n++) {
        struct hd_kernels rows = {0};
        struct layers *l = hd_alloc(sizeof *l);
        l->gpu = hd_catalog_gpu(catalog, asked[n].gpu, err);
        fine = l->gpu &&
               hd_tables_import(&rows, catalog, data, "vidur", asked[n].file, err);
        if (fine) {
            sort_in(l, &rows);
            check_one(&asked[n], l, all);
            fine = check_small(catalog, &rows, l->gpu, all, err);
        }
        for (int i = 0; i < l->count; i++)
            for (int op = 0; op < LAYER_OPS; op++) free(l->layer[i].curve[op].point);
        free(l);
        hd_kernels_free(&rows);
    }
    return fine;
}
