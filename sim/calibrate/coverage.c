/* Groups of rows, and their octaves. */
#include "calibrate/coverage.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The two dimensions that an op's times depend on most; no grid where there is one. */
static const struct axes {
    bool shown;
    enum hd_kernel_dim down, across;
} axes_of[HD_OPS] = {
    [HD_OP_GEMM] = {true, HD_DIM_N, HD_DIM_K},
    [HD_OP_LM_HEAD] = {true, HD_DIM_N, HD_DIM_M},
    [HD_OP_ATTENTION_PREFILL] = {true, HD_DIM_BATCH, HD_DIM_CHUNK},
    [HD_OP_ATTENTION_DECODE] = {true, HD_DIM_BATCH, HD_DIM_CONTEXT},
    [HD_OP_ATTENTION_MIXED] = {true, HD_DIM_CHUNK, HD_DIM_CONTEXT},
    [HD_OP_NORM] = {true, HD_DIM_N, HD_DIM_M},
    [HD_OP_ADD] = {true, HD_DIM_N, HD_DIM_M},
    [HD_OP_ACTIVATION] = {true, HD_DIM_N, HD_DIM_M},
    [HD_OP_EMBEDDING] = {true, HD_DIM_N, HD_DIM_M},
    [HD_OP_ROPE] = {true, HD_DIM_HEADS, HD_DIM_M},
    [HD_OP_SAMPLING] = {true, HD_DIM_N, HD_DIM_M},
    [HD_OP_ALL_REDUCE] = {true, HD_DIM_BYTES, HD_DIM_GPUS},
    [HD_OP_ALL_GATHER] = {true, HD_DIM_BYTES, HD_DIM_GPUS},
    [HD_OP_REDUCE_SCATTER] = {true, HD_DIM_BYTES, HD_DIM_GPUS},
    [HD_OP_ALL_TO_ALL] = {true, HD_DIM_BYTES, HD_DIM_GPUS},
    [HD_OP_SEND_RECV] = {true, HD_DIM_BYTES, HD_DIM_GPUS},
    [HD_OP_BLOCK_GATHER] = {true, HD_DIM_BYTES, HD_DIM_COUNT},
    [HD_OP_STEP] = {true, HD_DIM_BATCH, HD_DIM_CONTEXT},
};

/* A row with what it is grouped by. */
struct member {
    const struct hd_kernel_row *row;
    size_t kind, project; /* bytes of the variant and the source that count */
    int combination;
};

static int compare_part(const char *a, size_t bytes_a, const char *b, size_t bytes_b) {
    size_t least = bytes_a < bytes_b ? bytes_a : bytes_b;
    int order = memcmp(a, b, least);
    return order ? order : (bytes_a > bytes_b) - (bytes_a < bytes_b);
}

/* By op and dtype, of a step by kind too: the rows of one grid. */
static int compare_grid(const struct member *a, const struct member *b) {
    int order = (a->row->op > b->row->op) - (a->row->op < b->row->op);
    if (!order) order = strcmp(a->row->dtype, b->row->dtype);
    if (!order && a->row->op == HD_OP_STEP)
        order = compare_part(a->row->variant, a->kind, b->row->variant, b->kind);
    return order;
}

static int compare_group(const struct member *a, const struct member *b) {
    int order = compare_grid(a, b);
    if (!order)
        order = compare_part(a->row->variant, a->kind, b->row->variant, b->kind);
    if (!order)
        order = compare_part(a->row->source, a->project, b->row->source, b->project);
    return order;
}

static int by_group(const void *a, const void *b) {
    const struct member *m = a, *n = b;
    int order = compare_group(m, n);
    return order ? order : (m->row > n->row) - (m->row < n->row);
}

/* ---- ranges -------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static struct hd_coverage_range range_of(const struct member *member, int count,
                                         enum hd_kernel_dim dim, int64_t *value) {
    int values = 0;
    for (int n = 0; n < count; n++)
        if (member[n].row->shape[dim] != HD_DIM_ABSENT)
            value[values++] = member[n].row->shape[dim];
    if (values == 0) return (struct hd_coverage_range){0, 0, 0};
    qsort(value, (size_t)values, sizeof *value, by_value);
    struct hd_coverage_range range = {value[0], value[values - 1], 1};
    for (int n = 1; n < values; n++) range.values += value[n] != value[n - 1];
    return range;
}

static void add_group(struct hd_coverage *c, struct member *member, int count) {
    const struct hd_kernel_row *first = member->row;
    struct hd_coverage_group group = {
        .op = first->op,
        .dtype = first->dtype,
        .licence = first->licence,
        .kind = hd_format("%.*s", (int)member->kind, first->variant),
        .project = hd_format("%.*s", (int)member->project, first->source),
        .rows = count,
        .least_us = first->time_us,
        .most_us = first->time_us,
        .spread = NAN};
    int64_t *value = hd_alloc((size_t)count * sizeof *value);
    for (int dim = 0; dim < HD_DIMS; dim++)
        group.range[dim] = range_of(member, count, dim, value);
    free(value);
    double *spread = hd_alloc((size_t)count * sizeof *spread);
    size_t known = 0;
    for (int n = 0; n < count; n++) {
        const struct hd_kernel_row *row = member[n].row;
        group.least_us = fmin(group.least_us, row->time_us);
        group.most_us = fmax(group.most_us, row->time_us);
        if (!isnan(row->mad_us)) spread[known++] = row->mad_us / row->time_us;
    }
    gsl_sort(spread, 1, known);
    if (known) group.spread = gsl_stats_median_from_sorted_data(spread, 1, known);
    free(spread);
    c->group = hd_grow(c->group, &c->group_capacity, c->groups + 1, sizeof *c->group);
    c->group[c->groups++] = group;
}

/* ---- grids --------------------------------------------------------------- */

/* Zero is an octave of its own, then 1, 2 to 3, 4 to 7, ... */
static int octave_of(int64_t value) {
    int octave = 0;
    for (; value > 0; value >>= 1) octave++;
    return octave;
}

static int64_t octave_start(int octave) {
    return octave == 0 ? 0 : (int64_t)1 << (octave - 1);
}

int64_t hd_coverage_octave(int64_t from, int n) {
    return octave_start(octave_of(from) + n);
}

static struct axes axes_for(const struct member *member, int count, int64_t *value) {
    enum hd_kernel_op op = member->row->op;
    struct axes axes = axes_of[op];
    if (op == HD_OP_STEP &&
        compare_part(member->row->variant, member->kind, "prefill", 7) == 0)
        axes.across = HD_DIM_CHUNK;
    if (op == HD_OP_ATTENTION_PREFILL &&
        range_of(member, count, HD_DIM_BATCH, value).values == 1)
        axes.down = HD_DIM_PREFIX; /* one prompt at a time */
    return axes;
}

/* What follows from a dimension of the grid: KV heads are split as heads are, and a
 * step's context as its prompt. */
static bool follows(enum hd_kernel_op op, enum hd_kernel_dim dim) {
    return (op == HD_OP_ROPE && dim == HD_DIM_KV_HEADS) ||
           (op == HD_OP_STEP && dim == HD_DIM_CHUNK);
}

static int by_rest(const void *a, const void *b, void *context) {
    const struct axes *axes = context;
    const struct hd_kernel_row *x = ((const struct member *)a)->row,
                               *y = ((const struct member *)b)->row;
    for (int dim = 0; dim < HD_DIMS; dim++) {
        if (dim == (int)axes->down || dim == (int)axes->across) continue;
        if (follows(x->op, dim)) continue;
        if (x->shape[dim] != y->shape[dim])
            return x->shape[dim] < y->shape[dim] ? -1 : 1;
    }
    return 0;
}

/* Counts each combination once in each cell. */
static void fill_cells(struct hd_coverage_grid *grid, const struct member *member,
                       int count) {
    int down = octave_of(grid->from_down), across = octave_of(grid->from_across);
    int64_t *pair = hd_alloc((size_t)count * sizeof *pair);
    for (int n = 0; n < count; n++) {
        const int64_t *shape = member[n].row->shape;
        int64_t cell = (int64_t)(octave_of(shape[grid->down]) - down) * grid->acrosses +
                       octave_of(shape[grid->across]) - across;
        pair[n] = cell * grid->depth + member[n].combination;
    }
    qsort(pair, (size_t)count, sizeof *pair, by_value);
    for (int n = 0; n < count; n++)
        if (n == 0 || pair[n] != pair[n - 1]) grid->cell[pair[n] / grid->depth]++;
    free(pair);
    for (int n = 0; n < grid->downs * grid->acrosses; n++)
        grid->holes += grid->cell[n] == 0;
}

/* Even batches only: ragged ones would be shapes that no even one has. */
static int copy_even(const struct member *member, int count, struct member *to) {
    enum hd_kernel_op op = member->row->op;
    bool attention = op == HD_OP_ATTENTION_DECODE || op == HD_OP_ATTENTION_MIXED;
    int kept = 0;
    for (int n = 0; n < count; n++)
        if (!attention || member[n].row->shape[HD_DIM_COUNT] == HD_DIM_ABSENT)
            to[kept++] = member[n];
    return kept;
}

static void map_grid(struct hd_coverage *c, struct member *member, int count,
                     int64_t *value) {
    struct axes axes = axes_for(member, count, value);
    const struct hd_kernel_row *first = member->row;
    struct hd_coverage_range down = range_of(member, count, axes.down, value);
    struct hd_coverage_range across = range_of(member, count, axes.across, value);
    bool step = first->op == HD_OP_STEP;
    struct hd_coverage_grid grid = {
        .op = first->op,
        .dtype = first->dtype,
        .kind = hd_format("%.*s", step ? (int)member->kind : 0, first->variant),
        .down = axes.down,
        .across = axes.across,
        .from_down = octave_start(octave_of(down.least)),
        .from_across = octave_start(octave_of(across.least)),
        .downs = octave_of(down.most) - octave_of(down.least) + 1,
        .acrosses = octave_of(across.most) - octave_of(across.least) + 1};
    qsort_r(member, (size_t)count, sizeof *member, by_rest, &axes);
    for (int n = 0; n < count; n++) {
        if (n == 0 || by_rest(&member[n - 1], &member[n], &axes) != 0) grid.depth++;
        member[n].combination = grid.depth - 1;
    }
    grid.cell = hd_alloc((size_t)(grid.downs * grid.acrosses) * sizeof *grid.cell);
    fill_cells(&grid, member, count);
    c->grid = hd_grow(c->grid, &c->grid_capacity, c->grids + 1, sizeof *c->grid);
    c->grid[c->grids++] = grid;
}

static void add_grid(struct hd_coverage *c, struct member *member, int count) {
    if (!axes_of[member->row->op].shown) return;
    struct member *even = hd_alloc((size_t)count * sizeof *even);
    int64_t *value = hd_alloc((size_t)count * sizeof *value);
    int kept = copy_even(member, count, even);
    if (kept > 0) map_grid(c, even, kept, value);
    free(value);
    free(even);
}

/* ---- all ----------------------------------------------------------------- */

/* Calls `add` for each run of members that are the same to `compare`. */
static void each_run(struct hd_coverage *c, struct member *member, int count,
                     int (*compare)(const struct member *, const struct member *),
                     void (*add)(struct hd_coverage *, struct member *, int)) {
    for (int from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count; to++)
            if (compare(&member[from], &member[to]) != 0) break;
        add(c, member + from, to - from);
    }
}

void hd_coverage_of(struct hd_coverage *c, const struct hd_kernels *set,
                    const struct hd_gpu_spec *gpu) {
    *c = (struct hd_coverage){0};
    struct member *member = hd_alloc((size_t)(set->rows + 1) * sizeof *member);
    for (int n = 0; n < set->rows; n++) {
        const struct hd_kernel_row *row = &set->row[n];
        if (row->gpu != gpu) continue;
        member[c->rows++] = (struct member){row, strcspn(row->variant, ":"),
                                            strcspn(row->source, " :"), 0};
    }
    qsort(member, (size_t)c->rows, sizeof *member, by_group);
    each_run(c, member, c->rows, compare_group, add_group);
    each_run(c, member, c->rows, compare_grid, add_grid);
    free(member);
}

void hd_coverage_free(struct hd_coverage *c) {
    for (int n = 0; n < c->groups; n++) {
        free(c->group[n].kind);
        free(c->group[n].project);
    }
    for (int n = 0; n < c->grids; n++) {
        free(c->grid[n].kind);
        free(c->grid[n].cell);
    }
    free(c->group);
    free(c->grid);
    *c = (struct hd_coverage){0};
}
