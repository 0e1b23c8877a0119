/* Attention of a prefill's chunk and of decodes in one batch: how far off the sum of
 * both alone is, which is what stands in where no mixed batches were measured. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calibrate/check.h"
#include "calibrate/tables.h"

static const char sum_rule[] =
    "seen: the same prefill alone and the same decodes "
    "alone, measured; judged: their sum, as the time of both "
    "in one batch";

struct alone { /* rows of one op */
    const struct hd_kernel_row **row;
    int rows, capacity;
};

static void take(struct alone *a, const struct hd_kernel_row *row) {
    a->row = hd_grow(a->row, &a->capacity, a->rows + 1, sizeof *a->row);
    a->row[a->rows++] = row;
}

static bool is_ragged(const struct hd_kernel_row *row) {
    return strncmp(row->variant, "ragged", 6) == 0;
}

/* The time of the row that agrees with the mixed one in those columns; 0: none. */
static double time_of(const struct alone *a, const struct hd_kernel_row *mixed,
                      const enum hd_kernel_dim *same, int dims) {
    for (int n = 0; n < a->rows; n++) {
        int d = 0;
        while (d < dims && a->row[n]->shape[same[d]] == mixed->shape[same[d]]) d++;
        if (d == dims) return a->row[n]->time_us;
    }
    return 0;
}

static void judge(const struct hd_kernels *rows, const char *gpu,
                  struct hd_checks *all) {
    static const enum hd_kernel_dim prefill[] = {HD_DIM_CHUNK, HD_DIM_PREFIX,
                                                 HD_DIM_HEADS, HD_DIM_KV_HEADS},
                                    decode[] = {HD_DIM_BATCH, HD_DIM_CONTEXT,
                                                HD_DIM_HEADS, HD_DIM_KV_HEADS};
    struct alone prefills = {0}, decodes = {0};
    double *error = hd_alloc(((size_t)rows->rows + 1) * sizeof *error);
    int count = 0;
    for (int n = 0; n < rows->rows; n++) {
        const struct hd_kernel_row *row = &rows->row[n];
        if (is_ragged(row)) continue;
        if (row->op == HD_OP_ATTENTION_PREFILL) take(&prefills, row);
        if (row->op == HD_OP_ATTENTION_DECODE) take(&decodes, row);
    }
    for (int n = 0; n < rows->rows; n++) {
        const struct hd_kernel_row *row = &rows->row[n];
        if (row->op != HD_OP_ATTENTION_MIXED || is_ragged(row)) continue;
        double own = time_of(&prefills, row, prefill, 4);
        double beside = time_of(&decodes, row, decode, 4);
        if (own > 0 && beside > 0)
            error[count++] = fabs((own + beside) / row->time_us - 1);
    }
    hd_checks_add(all, "", "mixed attention, the sum", gpu, "LLMServingSim", sum_rule)
        ->held_out = hd_fit_error_of(error, count);
    free(error);
    free(prefills.row);
    free(decodes.row);
}

bool hd_check_mixed(const struct hd_catalog *catalog, const char *data,
                    struct hd_checks *all, struct hd_err *err) {
    static const char *const gpus[] = {"RTX-PRO-6000-Server", "RTX-4090"};
    bool fine = true;
    for (size_t n = 0; n < sizeof gpus / sizeof *gpus && fine; n++) {
        const struct hd_gpu_spec *gpu = hd_catalog_gpu(catalog, gpus[n], err);
        struct hd_kernels rows = {0};
        fine = gpu && hd_tables_rows(catalog, data, gpu, &rows, err);
        if (fine) judge(&rows, gpu->name, all);
        hd_kernels_free(&rows);
    }
    return fine;
}
