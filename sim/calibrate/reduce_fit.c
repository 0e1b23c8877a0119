/* Piecewise linear least squares of log time over log size. */
#include "calibrate/reduce_fit.h"

#include <gsl/gsl_multifit.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/units.h"

enum { KNOTS = 8, ROWS_MAX = 64, ELEMENT_BYTES = 2 };

static const struct hd_reduce_source sources[] = {
    {"A100-80-SXM", "comm_a100_sxm_vllm_0.14.0_custom_allreduce.csv",
     "vLLM_custom_eager", "bfloat16"},
    {"H100-SXM", "comm_h100_sxm_vllm_0.24.0_custom_allreduce.csv", "vLLM_custom_eager",
     "bfloat16"},
    {"RTX-PRO-6000-Server", "comm_rtx_pro_6000_server_vllm_0.19.0_custom_allreduce.csv",
     "vLLM_custom_eager", "bfloat16"},
    {"H200-SXM", "comm_h200_sxm_nccl_2.29.2_nccl.csv", "NCCL", "half"},
    {"B200-SXM", "comm_b200_sxm_nccl_2.29.2_nccl.csv", "NCCL", "half"},
    {"L40S", "comm_l40s_nccl_2.27.3_nccl.csv", "NCCL", "half"},
};

static const struct hd_reduce_source graph_sources[] = {
    {"A100-80-SXM", "comm_a100_sxm_vllm_0.14.0_custom_allreduce.csv",
     "vLLM_custom_graph", "bfloat16"},
    {"H100-SXM", "comm_h100_sxm_vllm_0.24.0_custom_allreduce.csv", "vLLM_custom_graph",
     "bfloat16"},
    {"RTX-PRO-6000-Server", "comm_rtx_pro_6000_server_vllm_0.19.0_custom_allreduce.csv",
     "vLLM_custom_graph", "bfloat16"},
};

static const struct hd_reduce_source *find(const struct hd_reduce_source *of,
                                           size_t count, const char *gpu) {
    for (size_t n = 0; n < count; n++)
        if (strcmp(of[n].gpu, gpu) == 0) return &of[n];
    return NULL;
}

const struct hd_reduce_source *hd_reduce_source_of(const char *gpu) {
    return find(sources, sizeof sources / sizeof *sources, gpu);
}

const struct hd_reduce_source *hd_reduce_graph_source_of(const char *gpu) {
    return find(graph_sources, sizeof graph_sources / sizeof *graph_sources, gpu);
}

/* ---- reading ------------------------------------------------------------- */

struct point {
    double bytes, seconds;
};

struct group { /* rows of one number of GPUs, by ascending size */
    int gpus, points;
    struct point point[ROWS_MAX];
};

struct table {
    int groups;
    struct group group[HD_REDUCE_GROUPS_MAX];
};

enum { OPERATION, KERNEL, GPUS, SIZE, LATENCY, TYPE, COLUMNS };

static bool find_columns(const struct hd_csv_row *header, int *at, struct hd_err *why) {
    static const char *const name[] = {"op_name", "kernel_source", "num_gpus",
                                       "message_size", "latency"};
    for (int n = 0; n < TYPE; n++) {
        at[n] = hd_csv_column(header, name[n]);
        if (at[n] < 0) return hd_fail(why, "no column '%s'", name[n]);
    }
    at[TYPE] = hd_csv_column(header, "nccl_dtype");
    if (at[TYPE] < 0) at[TYPE] = hd_csv_column(header, "allreduce_dtype");
    return at[TYPE] >= 0 || hd_fail(why, "no column 'nccl_dtype' or 'allreduce_dtype'");
}

static bool add_point(struct table *t, int gpus, struct point p, struct hd_err *why) {
    int g = 0;
    while (g < t->groups && t->group[g].gpus != gpus) g++;
    if (g == HD_REDUCE_GROUPS_MAX) return hd_fail(why, "too many numbers of GPUs");
    struct group *to = &t->group[g];
    if (g == t->groups) {
        if (g && t->group[g - 1].gpus > gpus)
            return hd_fail(why, "num_gpus %d after more GPUs; expected ascending",
                           gpus);
        *to = (struct group){.gpus = gpus};
        t->groups++;
    }
    if (to->points == ROWS_MAX) return hd_fail(why, "too many sizes");
    if (to->points && to->point[to->points - 1].bytes >= p.bytes)
        return hd_fail(why, "message_size is not above the one before it");
    to->point[to->points++] = p;
    return true;
}

static bool read_row(const struct hd_reduce_source *source,
                     const struct hd_csv_row *row, const int *at, struct table *t,
                     struct hd_err *why) {
    for (int n = 0; n < COLUMNS; n++)
        if (at[n] >= row->count) return hd_fail(why, "%d fields", row->count);
    if (strcmp(row->field[at[OPERATION]], "all_reduce") != 0 ||
        strcmp(row->field[at[KERNEL]], source->kernel) != 0 ||
        strcmp(row->field[at[TYPE]], source->type) != 0)
        return true;
    long gpus, elements;
    double milliseconds;
    if (!hd_parse_integer(row->field[at[GPUS]], 2, 1024, &gpus, why) ||
        !hd_parse_integer(row->field[at[SIZE]], 1, 1L << 40, &elements, why) ||
        !hd_parse_number(row->field[at[LATENCY]], &milliseconds, why))
        return false;
    if (milliseconds <= 0) return hd_fail(why, "latency is not above 0");
    struct point p = {(double)elements * ELEMENT_BYTES, milliseconds / 1e3};
    return add_point(t, (int)gpus, p, why);
}

static bool read_table(const char *path, const struct hd_reduce_source *source,
                       struct table *t, struct hd_err *err) {
    struct hd_csv *csv = hd_csv_open(path, err);
    if (!csv) return false;
    struct hd_csv_row row;
    struct hd_err why = {0};
    int at[COLUMNS], got;
    bool fine = true, header = true;
    t->groups = 0;
    while (fine && (got = hd_csv_next(csv, &row, err)) > 0) {
        fine =
            header ? find_columns(&row, at, &why) : read_row(source, &row, at, t, &why);
        header = false;
    }
    if (!fine)
        hd_fail(err, "%s:%ld: %s", path, row.line, why.text);
    else if (got < 0)
        fine = false;
    else if (t->groups == 0)
        fine = hd_fail(err, "%s: no all_reduce of %s with %s", path, source->kernel,
                       source->type);
    hd_csv_close(csv);
    return fine;
}

/* ---- fitting ------------------------------------------------------------- */

/* Weights of the two knots around x, which lies between the first and the last. */
static void hat(const double *knot, double x, double *weight) {
    memset(weight, 0, KNOTS * sizeof *weight);
    int k = 1;
    while (k + 1 < KNOTS && x > knot[k]) k++;
    double along = (x - knot[k - 1]) / (knot[k] - knot[k - 1]);
    weight[k - 1] = 1 - along;
    weight[k] = along;
}

/* Every `stride`-th point, and always the last. */
static void fit_group(const struct group *g, int stride, struct hd_reduce_group *to) {
    double knot[KNOTS], weight[KNOTS];
    double first = log(g->point[0].bytes), last = log(g->point[g->points - 1].bytes);
    for (int k = 0; k < KNOTS; k++) knot[k] = first + (last - first) * k / (KNOTS - 1);
    int rows = 0, chosen[ROWS_MAX];
    for (int n = 0; n < g->points; n++)
        if (n % stride == 0 || n == g->points - 1) chosen[rows++] = n;
    gsl_matrix *a = gsl_matrix_alloc((size_t)rows, KNOTS);
    gsl_vector *y = gsl_vector_alloc((size_t)rows), *c = gsl_vector_alloc(KNOTS);
    gsl_matrix *covariance = gsl_matrix_alloc(KNOTS, KNOTS);
    for (int n = 0; n < rows; n++) {
        hat(knot, log(g->point[chosen[n]].bytes), weight);
        for (int k = 0; k < KNOTS; k++)
            gsl_matrix_set(a, (size_t)n, (size_t)k, weight[k]);
        gsl_vector_set(y, (size_t)n, log(g->point[chosen[n]].seconds));
    }
    double rest;
    gsl_multifit_linear_workspace *w = gsl_multifit_linear_alloc((size_t)rows, KNOTS);
    gsl_multifit_linear(a, y, c, covariance, &rest, w);
    gsl_multifit_linear_free(w);
    *to = (struct hd_reduce_group){.gpus = g->gpus, .knots = KNOTS};
    for (int k = 0; k < KNOTS; k++) {
        to->bytes[k] = hd_fit_rounded(exp(knot[k]));
        to->seconds[k] = hd_fit_rounded(exp(gsl_vector_get(c, (size_t)k)));
    }
    gsl_matrix_free(a);
    gsl_matrix_free(covariance);
    gsl_vector_free(y);
    gsl_vector_free(c);
}

bool hd_reduce_fit_read(const char *data, const struct hd_reduce_source *source,
                        struct hd_reduce_report *report, struct hd_err *err) {
    struct table *t = hd_alloc(sizeof *t);
    char *path = hd_format("%s/kernels/aiconfigurator/%s", data, source->file);
    bool fine = read_table(path, source, t, err);
    for (int g = 0; fine && g < t->groups; g++)
        if (t->group[g].points < 2 * KNOTS)
            fine = hd_fail(err, "%s: %d sizes for %d GPUs; expected at least %d", path,
                           t->group[g].points, t->group[g].gpus, 2 * KNOTS);
    free(path);
    double in[HD_REDUCE_GROUPS_MAX * ROWS_MAX], out[HD_REDUCE_GROUPS_MAX * ROWS_MAX];
    int ins = 0, outs = 0;
    *report = (struct hd_reduce_report){.fit.groups = fine ? t->groups : 0};
    for (int g = 0; fine && g < t->groups; g++) {
        const struct group *group = &t->group[g];
        struct hd_reduce_fit half = {.groups = 1};
        fit_group(group, 1, &report->fit.group[g]);
        fit_group(group, 2, &half.group[0]);
        for (int n = 0; n < group->points; n++) {
            const struct point *p = &group->point[n];
            in[ins++] =
                fabs(hd_reduce_s(&report->fit, group->gpus, p->bytes) / p->seconds - 1);
            if (n % 2 && n != group->points - 1)
                out[outs++] =
                    fabs(hd_reduce_s(&half, group->gpus, p->bytes) / p->seconds - 1);
        }
    }
    if (fine) {
        report->in_sample = hd_fit_error_of(in, ins);
        report->held_out = hd_fit_error_of(out, outs);
    }
    free(t);
    return fine;
}
