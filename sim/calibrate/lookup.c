/* Nested lines of a sorted array: no grid has to be full. */
#include "calibrate/lookup.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum { AXES_MAX = 3 };

/* What is interpolated over, the outermost first; all other dimensions must be the
 * same. */
static const struct axes {
    int count;
    enum hd_kernel_dim dim[AXES_MAX];
} axes_of[HD_OPS] = {
    [HD_OP_GEMM] = {3, {HD_DIM_N, HD_DIM_K, HD_DIM_M}},
    [HD_OP_LM_HEAD] = {3, {HD_DIM_N, HD_DIM_K, HD_DIM_M}},
    [HD_OP_ATTENTION_PREFILL] = {2, {HD_DIM_BATCH, HD_DIM_CHUNK}},
    [HD_OP_ATTENTION_DECODE] = {2, {HD_DIM_BATCH, HD_DIM_CONTEXT}},
    [HD_OP_ATTENTION_MIXED] = {3, {HD_DIM_CHUNK, HD_DIM_BATCH, HD_DIM_CONTEXT}},
    [HD_OP_NORM] = {2, {HD_DIM_N, HD_DIM_M}},
    [HD_OP_ADD] = {2, {HD_DIM_N, HD_DIM_M}},
    [HD_OP_ACTIVATION] = {2, {HD_DIM_N, HD_DIM_M}},
    [HD_OP_EMBEDDING] = {2, {HD_DIM_N, HD_DIM_M}},
    [HD_OP_ROPE] = {1, {HD_DIM_M}},
    [HD_OP_SAMPLING] = {2, {HD_DIM_N, HD_DIM_M}},
    [HD_OP_ALL_REDUCE] = {1, {HD_DIM_BYTES}},
    [HD_OP_ALL_GATHER] = {1, {HD_DIM_BYTES}},
    [HD_OP_REDUCE_SCATTER] = {1, {HD_DIM_BYTES}},
    [HD_OP_ALL_TO_ALL] = {1, {HD_DIM_BYTES}},
    [HD_OP_SEND_RECV] = {1, {HD_DIM_BYTES}},
    [HD_OP_COPY] = {1, {HD_DIM_BYTES}},
    [HD_OP_COPY_OVERLAP] = {1, {HD_DIM_BYTES}},
    [HD_OP_HBM] = {1, {HD_DIM_BYTES}},
    [HD_OP_BLOCK_GATHER] = {2, {HD_DIM_BYTES, HD_DIM_COUNT}},
    [HD_OP_LAUNCH] = {1, {HD_DIM_COUNT}},
    [HD_OP_GRAPH] = {1, {HD_DIM_COUNT}},
    [HD_OP_ALLOCATE] = {1, {HD_DIM_BYTES}},
    [HD_OP_HOST_ALLOC] = {1, {HD_DIM_BYTES}},
    [HD_OP_STEP] = {3, {HD_DIM_BATCH, HD_DIM_CHUNK, HD_DIM_CONTEXT}},
};

static bool is_axis(enum hd_kernel_op op, enum hd_kernel_dim dim) {
    for (int n = 0; n < axes_of[op].count; n++)
        if (axes_of[op].dim[n] == dim) return true;
    return false;
}

/* The dimension that rows are sorted by at that depth: first those that must be the
 * same, in the file's order, then the axes. */
static enum hd_kernel_dim dim_at(enum hd_kernel_op op, int depth) {
    int fixed = HD_DIMS - axes_of[op].count;
    if (depth >= fixed) return axes_of[op].dim[depth - fixed];
    for (int dim = 0;; dim++)
        if (!is_axis(op, dim) && depth-- == 0) return dim;
}

static int by_shape(const void *a, const void *b) {
    const struct hd_kernel_row *x = *(const struct hd_kernel_row *const *)a,
                               *y = *(const struct hd_kernel_row *const *)b;
    for (int depth = 0; depth < HD_DIMS; depth++) {
        enum hd_kernel_dim dim = dim_at(x->op, depth);
        if (x->shape[dim] != y->shape[dim])
            return x->shape[dim] < y->shape[dim] ? -1 : 1;
    }
    return (x > y) - (x < y);
}

void hd_lookup_init(struct hd_lookup *l, const struct hd_kernel_row **row, int rows) {
    *l = (struct hd_lookup){.row = row, .rows = rows, .op = row[0]->op};
    l->used = hd_alloc((size_t)rows * sizeof *l->used);
    qsort(row, (size_t)rows, sizeof *row, by_shape);
}

void hd_lookup_free(struct hd_lookup *l) {
    free(l->row);
    free(l->used);
    *l = (struct hd_lookup){0};
}

/* Rows from `from` up to `to`, all the same in what lies above this depth. */
struct line {
    int from, to;
};

/* The first row of the line whose value there is at least `value`. */
static int first_at_least(const struct hd_lookup *l, struct line in,
                          enum hd_kernel_dim dim, int64_t value) {
    int low = in.from, high = in.to;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (l->row[middle]->shape[dim] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Those of the line with that very value. */
static struct line with(const struct hd_lookup *l, struct line in,
                        enum hd_kernel_dim dim, int64_t value) {
    return (struct line){first_at_least(l, in, dim, value),
                         first_at_least(l, in, dim, value + 1)};
}

static enum hd_lookup_found worse(enum hd_lookup_found a, enum hd_lookup_found b) {
    return a > b ? a : b;
}

/* Logarithm of the time at the shape; `reached` collects the rows it is made of. */
static enum hd_lookup_found log_time(const struct hd_lookup *l, struct line in,
                                     int axis, const int64_t *shape, double *log_us,
                                     struct line *reached, int *lines) {
    if (axis == axes_of[l->op].count) {
        double sum = 0;
        for (int n = in.from; n < in.to; n++) sum += log(l->row[n]->time_us);
        *log_us = sum / (in.to - in.from);
        reached[(*lines)++] = in;
        return HD_LOOKUP_SAME;
    }
    enum hd_kernel_dim dim = axes_of[l->op].dim[axis];
    int64_t value = shape[dim];
    struct line same = with(l, in, dim, value);
    if (same.from < same.to)
        return log_time(l, same, axis + 1, shape, log_us, reached, lines);
    if (same.from == in.from || same.from == in.to) return HD_LOOKUP_OUTSIDE;
    int64_t below = l->row[same.from - 1]->shape[dim],
            above = l->row[same.from]->shape[dim];
    if (below <= 0) return HD_LOOKUP_OUTSIDE;
    if ((double)above > HD_LOOKUP_STEP_MOST * (double)below) return HD_LOOKUP_SPARSE;
    double low, high;
    enum hd_lookup_found found =
        log_time(l, with(l, in, dim, below), axis + 1, shape, &low, reached, lines);
    if (found <= HD_LOOKUP_BETWEEN)
        found = worse(found, log_time(l, with(l, in, dim, above), axis + 1, shape,
                                      &high, reached, lines));
    if (found > HD_LOOKUP_BETWEEN) return found;
    double weight =
        log((double)value / (double)below) / log((double)above / (double)below);
    *log_us = low + weight * (high - low);
    return HD_LOOKUP_BETWEEN;
}

enum hd_lookup_found hd_lookup_us(struct hd_lookup *l, const int64_t shape[HD_DIMS],
                                  double *us, enum hd_kernel_dim *dim) {
    struct line in = {0, l->rows}, reached[1 << AXES_MAX];
    int lines = 0;
    for (int depth = 0; depth < HD_DIMS - axes_of[l->op].count; depth++) {
        enum hd_kernel_dim fixed = dim_at(l->op, depth);
        in = with(l, in, fixed, shape[fixed]);
        *dim = fixed;
        if (in.from == in.to) return HD_LOOKUP_UNLIKE;
    }
    double log_us;
    enum hd_lookup_found found = log_time(l, in, 0, shape, &log_us, reached, &lines);
    if (found > HD_LOOKUP_BETWEEN) return found;
    for (int n = 0; n < lines; n++)
        for (int row = reached[n].from; row < reached[n].to; row++) l->used[row] = true;
    *us = exp(log_us);
    return found;
}
