/* All-reduces between the sizes that were measured. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calibrate/check.h"
#include "calibrate/tables.h"
#include "timing/iteration.h"

static const char half[] = "seen: every second size of each number of GPUs, log-log "
                           "between; judged: the others";

static const struct asked {
    const char *gpu, *gate, *file, *variant;
    struct hd_check_limit limit, reference;
} asked[] = {
    {"A100-80-SXM",
     "G5",
     "comm_a100_sxm_nccl_2.27.3_nccl.csv",
     "nccl",
     {.04, .12},
     {.035, .102}},
    {"H100-SXM",
     "G5",
     "comm_h100_sxm_nccl_2.29.2_nccl.csv",
     "nccl",
     {.04, .12},
     {.020, .098}},
    {"H200-SXM",
     "G5",
     "comm_h200_sxm_nccl_2.29.2_nccl.csv",
     "nccl",
     {.04, .12},
     {.028, .089}},
    {"B200-SXM",
     "G5",
     "comm_b200_sxm_nccl_2.29.2_nccl.csv",
     "nccl",
     {.04, .12},
     {.022, .108}},
    {"H100-SXM",
     "G5",
     "comm_h100_sxm_vllm_0.24.0_custom_allreduce.csv",
     "vllm",
     {.04, .12},
     {.020, .102}},
    {"A100-80-SXM",
     "",
     "comm_a100_sxm_vllm_0.14.0_custom_allreduce.csv",
     "vllm",
     {0, 0},
     {.015, .159}},
    {"L40S", "", "comm_l40s_nccl_2.27.3_nccl.csv", "nccl", {0, 0}, {.028, .198}},
    {"RTX-PRO-6000-Server",
     "",
     "comm_rtx_pro_6000_server_vllm_0.19.0_custom_allreduce.csv",
     "vllm",
     {0, 0},
     {0, 0}},
};

/* One curve: a kernel on a number of GPUs, by ascending size. */
struct curve {
    const char *variant, *dtype;
    int64_t gpus;
    double *bytes, *seconds;
    int points, capacity, more;
};

static bool is_of(const struct curve *c, const struct hd_kernel_row *row) {
    return strcmp(c->variant, row->variant) == 0 && strcmp(c->dtype, row->dtype) == 0 &&
           c->gpus == row->shape[HD_DIM_GPUS];
}

static void add_point(struct curve *c, const struct hd_kernel_row *row) {
    c->bytes = hd_grow(c->bytes, &c->capacity, c->points + 1, sizeof *c->bytes);
    c->seconds = hd_grow(c->seconds, &c->more, c->points + 1, sizeof *c->seconds);
    c->bytes[c->points] = (double)row->shape[HD_DIM_BYTES];
    c->seconds[c->points++] = row->time_us * 1e-6;
}

/* Errors of the sizes between every second one; the last is seen. */
static int judge(const struct curve *c, double *error) {
    int count = 0;
    for (int n = 1; n + 1 < c->points; n += 2) {
        double along =
            log(c->bytes[n] / c->bytes[n - 1]) / log(c->bytes[n + 1] / c->bytes[n - 1]);
        double s =
            c->seconds[n - 1] * pow(c->seconds[n + 1] / c->seconds[n - 1], along);
        error[count++] = fabs(s / c->seconds[n] - 1);
    }
    return count;
}

static void check_one(const struct asked *a, struct hd_kernels *rows,
                      struct hd_checks *all) {
    enum { CURVES_MAX = 64 };
    struct curve curve[CURVES_MAX] = {{0}};
    int curves = 0, count = 0, *order = hd_kernels_sorted(rows);
    for (int i = 0; i < rows->rows; i++) {
        const struct hd_kernel_row *row = &rows->row[order[i]];
        if (row->op != HD_OP_ALL_REDUCE || hd_kernel_dtype_bytes(row->dtype) != 2 ||
            strncmp(row->variant, a->variant, strlen(a->variant)) != 0)
            continue;
        int n = 0;
        while (n < curves && !is_of(&curve[n], row)) n++;
        if (n == CURVES_MAX) continue;
        if (n == curves)
            curve[curves++] = (struct curve){.variant = row->variant,
                                             .dtype = row->dtype,
                                             .gpus = row->shape[HD_DIM_GPUS]};
        add_point(&curve[n], row);
    }
    double *error = hd_alloc(((size_t)rows->rows + 1) * sizeof *error);
    for (int n = 0; n < curves; n++) {
        count += judge(&curve[n], error + count);
        free(curve[n].bytes);
        free(curve[n].seconds);
    }
    char name[64];
    snprintf(name, sizeof name, "all-reduce %s", a->variant);
    struct hd_check *c =
        hd_checks_add(all, a->gate, name, a->gpu, "aiconfigurator", half);
    c->held_out = hd_fit_error_of(error, count);
    c->limit = a->limit;
    c->reference = a->reference;
    free(error);
    free(order);
}

bool hd_check_reduces(const struct hd_catalog *catalog, const char *data,
                      struct hd_checks *all, struct hd_err *err) {
    bool fine = true;
    for (size_t n = 0; n < sizeof asked / sizeof *asked && fine; n++) {
        struct hd_kernels rows = {0};
        char *file = hd_format("aiconfigurator/%s", asked[n].file);
        fine = hd_tables_import(&rows, catalog, data, "aiconfigurator",
                                (const char *const[]){file, NULL}, err);
        if (fine) check_one(&asked[n], &rows, all);
        free(file);
        hd_kernels_free(&rows);
    }
    return fine;
}
