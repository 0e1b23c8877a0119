/* Groups of like rows, paired and read at each other's shapes. */
#include "calibrate/agreement.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- bunches: rows of one set that are alike but for their shape ---------- */

struct bunch {
    enum hd_kernel_op op;
    const char *dtype, *variant;
    int kind; /* bytes of the variant that count */
    const struct hd_kernel_row **row;
    int rows, capacity;
    bool met; /* one of the other set was alike */
};

struct bunches {
    struct bunch *bunch;
    int count, capacity;
};

/* The name of a step's model counts too. */
static int kind_of(const struct hd_kernel_row *row) {
    return (int)(row->op == HD_OP_STEP ? strlen(row->variant)
                                       : strcspn(row->variant, ":"));
}

static bool same_kind(const struct bunch *a, const struct bunch *b) {
    return a->kind == b->kind && strncmp(a->variant, b->variant, (size_t)a->kind) == 0;
}

static int by_bunch(const void *a, const void *b) {
    const struct bunch *x = a, *y = b;
    int order = (x->op > y->op) - (x->op < y->op);
    if (!order) order = strcmp(x->dtype, y->dtype);
    if (!order)
        order = strncmp(x->variant, y->variant,
                        (size_t)(x->kind > y->kind ? x->kind : y->kind));
    return order;
}

static void collect(struct bunches *all, const struct hd_kernels *set) {
    for (int n = 0; n < set->rows; n++) {
        const struct hd_kernel_row *row = &set->row[n];
        struct bunch is = {.op = row->op,
                           .dtype = row->dtype,
                           .variant = row->variant,
                           .kind = kind_of(row)};
        int at = 0;
        while (at < all->count && (all->bunch[at].op != is.op ||
                                   strcmp(all->bunch[at].dtype, is.dtype) != 0 ||
                                   !same_kind(&all->bunch[at], &is)))
            at++;
        if (at == all->count) {
            all->bunch =
                hd_grow(all->bunch, &all->capacity, all->count + 1, sizeof *all->bunch);
            all->bunch[all->count++] = is;
        }
        struct bunch *to = &all->bunch[at];
        to->row = hd_grow(to->row, &to->capacity, to->rows + 1, sizeof *to->row);
        to->row[to->rows++] = row;
    }
    if (all->count) qsort(all->bunch, (size_t)all->count, sizeof *all->bunch, by_bunch);
}

static void bunches_free(struct bunches *all) {
    for (int n = 0; n < all->count; n++) free(all->bunch[n].row);
    free(all->bunch);
}

/* ---- which of them are alike ---------------------------------------------- */

static bool computes(enum hd_kernel_op op) {
    return op <= HD_OP_SAMPLING;
}

static bool is_ragged(const struct bunch *b) {
    return strncmp(b->variant, "ragged", 6) == 0;
}

/* fp16 and bf16 take the same time on the same units. */
static bool like_type(const struct bunch *a, const struct bunch *b) {
    return strcmp(a->dtype, b->dtype) == 0 || (hd_kernel_dtype_bytes(a->dtype) == 2 &&
                                               hd_kernel_dtype_bytes(b->dtype) == 2);
}

static bool like_kind(const struct bunch *a, const struct bunch *b) {
    if (computes(a->op) && !is_ragged(a) && !is_ragged(b)) return true;
    return same_kind(a, b);
}

static void add_lone(struct hd_agreement *to, int set, const struct bunch *b,
                     const struct bunches *other) {
    struct hd_agreement_lone lone = {.set = set,
                                     .op = b->op,
                                     .dtype = b->dtype,
                                     .kind = hd_format("%.*s", b->kind, b->variant),
                                     .rows = b->rows,
                                     .why = HD_LONE_OP};
    for (int n = 0; n < other->count; n++) {
        const struct bunch *o = &other->bunch[n];
        if (o->op != b->op) continue;
        if (lone.why == HD_LONE_OP) lone.why = HD_LONE_TYPE;
        if (like_type(b, o)) lone.why = HD_LONE_KIND;
    }
    to->lone = hd_grow(to->lone, &to->lone_capacity, to->lones + 1, sizeof *to->lone);
    to->lone[to->lones++] = lone;
}

/* ---- comparing ------------------------------------------------------------ */

static void count_missing(struct hd_agreement_group *g, enum hd_lookup_found found,
                          enum hd_kernel_dim dim) {
    if (found == HD_LOOKUP_UNLIKE)
        g->unlike[dim]++;
    else if (found == HD_LOOKUP_OUTSIDE)
        g->outside++;
    else
        g->sparse++;
}

static void summarise(struct hd_agreement_group *g, double *ratio, int points) {
    g->difference = hd_fit_error_of(NULL, 0);
    g->ratio = NAN;
    if (points == 0) return;
    double *difference = hd_alloc((size_t)points * sizeof *difference);
    for (int n = 0; n < points; n++) difference[n] = fabs(ratio[n] - 1);
    g->difference = hd_fit_error_of(difference, points);
    free(difference);
    gsl_sort(ratio, 1, (size_t)points);
    g->ratio = gsl_stats_median_from_sorted_data(ratio, 1, (size_t)points);
}

static void compare(struct hd_agreement *to, const struct bunch *a,
                    const struct bunch *b) {
    struct hd_agreement_group g = {.op = a->op,
                                   .dtype = a->dtype,
                                   .kind = {hd_format("%.*s", a->kind, a->variant),
                                            hd_format("%.*s", b->kind, b->variant)},
                                   .rows = {a->rows, b->rows},
                                   .grid = b->rows > a->rows};
    const struct bunch *grid = g.grid ? b : a, *other = g.grid ? a : b;
    const struct hd_kernel_row **rows = hd_alloc((size_t)grid->rows * sizeof *rows);
    memcpy(rows, grid->row, (size_t)grid->rows * sizeof *rows);
    struct hd_lookup lookup;
    hd_lookup_init(&lookup, rows, grid->rows);
    double *ratio = hd_alloc((size_t)other->rows * sizeof *ratio);
    int points = 0;
    for (int n = 0; n < other->rows; n++) {
        const struct hd_kernel_row *row = other->row[n];
        double us;
        enum hd_kernel_dim dim;
        enum hd_lookup_found found = hd_lookup_us(&lookup, row->shape, &us, &dim);
        if (found > HD_LOOKUP_BETWEEN) {
            count_missing(&g, found, dim);
            continue;
        }
        g.same += found == HD_LOOKUP_SAME;
        g.between += found == HD_LOOKUP_BETWEEN;
        double r = g.grid ? us / row->time_us : row->time_us / us;
        if (!g.worst || fabs(log(r)) > fabs(log(g.worst_ratio)))
            g.worst = row, g.worst_ratio = r;
        ratio[points++] = r;
    }
    for (int n = 0; n < lookup.rows; n++) g.unused += !lookup.used[n];
    summarise(&g, ratio, points);
    free(ratio);
    hd_lookup_free(&lookup);
    to->group =
        hd_grow(to->group, &to->group_capacity, to->groups + 1, sizeof *to->group);
    to->group[to->groups++] = g;
}

static bool one_gpu(const struct hd_kernels *first, const struct hd_kernels *second,
                    struct hd_err *err) {
    const struct hd_kernels *set[] = {first, second};
    const struct hd_gpu_spec *gpu = first->rows ? first->row[0].gpu : NULL;
    for (int s = 0; s < 2; s++)
        for (int n = 0; n < set[s]->rows; n++) {
            const struct hd_kernel_row *row = &set[s]->row[n];
            if (row->gpu != gpu)
                return hd_fail(err, "%s:%ld: gpu is %s; expected %s, as %s has",
                               set[s]->file[row->file], row->line, row->gpu->name,
                               gpu ? gpu->name : "no row", first->file[0]);
        }
    return true;
}

bool hd_agreement_of(struct hd_agreement *to, const struct hd_kernels *first,
                     const struct hd_kernels *second, struct hd_err *err) {
    *to = (struct hd_agreement){0};
    if (!one_gpu(first, second, err)) return false;
    struct bunches a = {0}, b = {0};
    collect(&a, first);
    collect(&b, second);
    for (int m = 0; m < a.count; m++)
        for (int n = 0; n < b.count; n++) {
            struct bunch *x = &a.bunch[m], *y = &b.bunch[n];
            if (x->op != y->op || !like_type(x, y) || !like_kind(x, y)) continue;
            compare(to, x, y);
            x->met = y->met = true;
        }
    for (int m = 0; m < a.count; m++)
        if (!a.bunch[m].met) add_lone(to, 0, &a.bunch[m], &b);
    for (int n = 0; n < b.count; n++)
        if (!b.bunch[n].met) add_lone(to, 1, &b.bunch[n], &a);
    bunches_free(&a);
    bunches_free(&b);
    return true;
}

void hd_agreement_free(struct hd_agreement *a) {
    for (int n = 0; n < a->groups; n++) {
        free(a->group[n].kind[0]);
        free(a->group[n].kind[1]);
    }
    for (int n = 0; n < a->lones; n++) free(a->lone[n].kind);
    free(a->group);
    free(a->lone);
    *a = (struct hd_agreement){0};
}
