/* From rows to points, and what is held back of them. */
#include "calibrate/kernel_points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- rows ---------------------------------------------------------------- */

bool hd_kernel_is_op(enum hd_kernel_op op, enum hd_roof_op wanted) {
    static const enum hd_kernel_op of[HD_ROOF_OPS] = {
        [HD_ROOF_GEMM] = HD_OP_GEMM,
        [HD_ROOF_PREFILL] = HD_OP_ATTENTION_PREFILL,
        [HD_ROOF_DECODE] = HD_OP_ATTENTION_DECODE,
        [HD_ROOF_MIXED] = HD_OP_ATTENTION_MIXED,
        [HD_ROOF_NORM] = HD_OP_NORM,
        [HD_ROOF_ADD] = HD_OP_ADD,
        [HD_ROOF_ROPE] = HD_OP_ROPE,
        [HD_ROOF_ACTIVATION] = HD_OP_ACTIVATION,
        [HD_ROOF_EMBEDDING] = HD_OP_EMBEDDING,
        [HD_ROOF_SAMPLING] = HD_OP_SAMPLING};
    return op == of[wanted] || (wanted == HD_ROOF_GEMM && op == HD_OP_LM_HEAD);
}

static double dim(const struct hd_kernel_row *row, enum hd_kernel_dim d) {
    return row->shape[d] == HD_DIM_ABSENT ? 0 : (double)row->shape[d];
}

struct hd_roof_shape hd_kernel_shape_of(const struct hd_kernel_row *row) {
    struct hd_roof_shape s = {.m = dim(row, HD_DIM_M),
                              .n = dim(row, HD_DIM_N),
                              .k = dim(row, HD_DIM_K),
                              .batch = dim(row, HD_DIM_BATCH),
                              .chunk = dim(row, HD_DIM_CHUNK),
                              .prefix = dim(row, HD_DIM_PREFIX),
                              .context = dim(row, HD_DIM_CONTEXT),
                              .heads = dim(row, HD_DIM_HEADS),
                              .kv_heads = dim(row, HD_DIM_KV_HEADS),
                              .head_dim = dim(row, HD_DIM_HEAD_DIM)};
    if (row->op == HD_OP_ROPE) s.n = (s.heads + s.kv_heads) * s.head_dim;
    if (row->op == HD_OP_GEMM || row->op == HD_OP_LM_HEAD) s.batch = 0;
    return s;
}

static bool is_type(const struct hd_kernel_row *row, enum hd_roof_type type) {
    /* logits are 32-bit numbers; nothing else that is fitted here is */
    int bytes = hd_kernel_dtype_bytes(row->dtype);
    return bytes == (type == HD_ROOF_FP8 ? 1 : row->op == HD_OP_SAMPLING ? bytes : 2);
}

struct prefills { /* measured alone */
    const struct hd_kernel_row **row;
    int rows, capacity;
};

static void collect(struct prefills *p, const struct hd_kernels *all,
                    const struct hd_gpu_spec *gpu) {
    for (int n = 0; n < all->rows; n++) {
        const struct hd_kernel_row *row = &all->row[n];
        if (row->op != HD_OP_ATTENTION_PREFILL || row->gpu != gpu ||
            row->shape[HD_DIM_BATCH] != 1)
            continue;
        p->row = hd_grow(p->row, &p->capacity, p->rows + 1, sizeof *p->row);
        p->row[p->rows++] = row;
    }
}

/* The time of the prefill of a mixed row alone; 0: not measured. */
static double alone_us(const struct prefills *p, const struct hd_kernel_row *mixed) {
    static const enum hd_kernel_dim same[] = {HD_DIM_CHUNK, HD_DIM_PREFIX, HD_DIM_HEADS,
                                              HD_DIM_KV_HEADS};
    for (int n = 0; n < p->rows; n++) {
        bool is = true;
        for (size_t d = 0; d < sizeof same / sizeof *same; d++)
            is = is && p->row[n]->shape[same[d]] == mixed->shape[same[d]];
        if (is) return p->row[n]->time_us;
    }
    return 0;
}

/* What decodes add to a prefill, over what they take alone. They hide behind a long
 * prefill; a tenth is as good as nothing there, and a logarithm can hold it. */
static double mixed_ratio(const struct prefills *prefills,
                          const struct hd_kernel_row *row,
                          const struct hd_roof_points *p,
                          const struct hd_roof_law *decode, double *share) {
    struct hd_roof_shape s = hd_kernel_shape_of(row);
    double prefill_us = alone_us(prefills, row);
    if (prefill_us <= 0) return 0;
    double decodes_us =
        1e6 * hd_roof_s(decode, HD_ROOF_DECODE, HD_ROOF_BF16, p->gpu, 1, &s);
    double ratio = fmax(0.1, (row->time_us - prefill_us) / decodes_us);
    *share = fmin(1, ratio * decodes_us / row->time_us);
    return ratio;
}

int hd_kernel_points_of(const struct hd_kernels *all, struct hd_roof_points *p,
                        const struct hd_roof_law *decode,
                        bool (*use)(const struct hd_kernel_row *)) {
    int left_out = 0;
    struct prefills prefills = {0};
    if (p->op == HD_ROOF_MIXED) collect(&prefills, all, p->gpu);
    for (int n = 0; n < all->rows; n++) {
        const struct hd_kernel_row *row = &all->row[n];
        if (row->gpu != p->gpu || !hd_kernel_is_op(row->op, p->op) ||
            !is_type(row, p->type) || strncmp(row->variant, "ragged", 6) == 0 ||
            (use && !use(row)))
            continue;
        struct hd_roof_shape s = hd_kernel_shape_of(row);
        double value = row->time_us * 1e-6, share = 1;
        if (p->op == HD_ROOF_MIXED)
            value = mixed_ratio(&prefills, row, p, decode, &share);
        /* the roofline has no word for an empty KV cache */
        if (p->op == HD_ROOF_DECODE && s.context < 1) value = 0;
        if (value > 0)
            hd_roof_points_add(p, &s, value, share);
        else
            left_out++;
    }
    free(prefills.row);
    return left_out;
}

/* ---- splitting ----------------------------------------------------------- */

enum {
    VALUES_MAX = 4096,
    GRID_LEAST = 1024,
    GRID_MOST = 16384,
    GRID_VALUES = 7,
    KEYS_LEAST = 6
};

struct values { /* distinct, ascending */
    double at[VALUES_MAX];
    int count;
};

static int place(const struct values *v, double x) {
    int low = 0, high = v->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (v->at[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct values *v, double x) {
    int at = place(v, x);
    if ((at < v->count && v->at[at] == x) || v->count == VALUES_MAX) return;
    memmove(&v->at[at + 1], &v->at[at], (size_t)(v->count - at) * sizeof *v->at);
    v->at[at] = x;
    v->count++;
}

/* What a user of the law would not have: matrices, heads, widths. */
static double key_of(enum hd_roof_op op, const struct hd_roof_shape *s) {
    switch (op) {
    case HD_ROOF_GEMM:
        return s->n * 1e7 + s->k;
    case HD_ROOF_PREFILL:
    case HD_ROOF_DECODE:
    case HD_ROOF_MIXED:
        return s->heads * 1e4 + s->kv_heads;
    default:
        return s->n;
    }
}

static bool in_grid(double x) {
    return x >= GRID_LEAST && x <= GRID_MOST;
}

struct split {
    struct values n, k, keys;
    bool grid;
};

enum side { TRAIN, TEST, NEITHER };

static enum side side_of(const struct split *of, enum hd_roof_op op,
                         const struct hd_roof_shape *s, int index) {
    if (!of->grid) {
        if (of->keys.count < KEYS_LEAST) return index % 2 ? TEST : TRAIN;
        return place(&of->keys, key_of(op, s)) % 2 ? TEST : TRAIN;
    }
    if (!in_grid(s->n) || !in_grid(s->k)) return NEITHER;
    int n = place(&of->n, s->n), k = place(&of->k, s->k);
    if (n % 2 == 0 && k % 2 == 0) return TRAIN;
    /* beyond the last one seen is outside the hull */
    bool within = n <= (of->n.count - 1) / 2 * 2 && k <= (of->k.count - 1) / 2 * 2;
    return within ? TEST : NEITHER;
}

void hd_kernel_points_split(const struct hd_roof_points *p,
                            struct hd_roof_points *train, struct hd_roof_points *test) {
    struct split *of = hd_alloc(sizeof *of);
    for (int n = 0; n < p->points; n++) {
        const struct hd_roof_shape *s = &p->point[n].shape;
        insert(&of->keys, key_of(p->op, s));
        if (p->op != HD_ROOF_GEMM || !in_grid(s->n) || !in_grid(s->k)) continue;
        insert(&of->n, s->n);
        insert(&of->k, s->k);
    }
    of->grid = of->n.count >= GRID_VALUES && of->k.count >= GRID_VALUES &&
               of->keys.count >= of->n.count * of->k.count;
    *train = *test =
        (struct hd_roof_points){.op = p->op, .type = p->type, .gpu = p->gpu};
    for (int n = 0; n < p->points; n++) {
        enum side side = side_of(of, p->op, &p->point[n].shape, n);
        if (side != NEITHER)
            hd_roof_points_add(side == TRAIN ? train : test, &p->point[n].shape,
                               p->point[n].seconds, p->point[n].share);
    }
    free(of);
}
