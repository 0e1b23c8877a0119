/* The schema: which columns each op has, and what a row must fulfil. */
#include "calibrate/kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *const hd_kernel_columns[HD_KERNEL_COLUMNS] = {
    "gpu",    "op",         "variant", "dtype",   "m",      "n",        "k",
    "batch",  "chunk",      "prefix",  "context", "heads",  "kv_heads", "head_dim",
    "gpus",   "bytes",      "count",   "time_us", "mad_us", "samples",  "stop",
    "sm_mhz", "memory_mhz", "driver",  "source",  "licence"};

#define M (1u << HD_DIM_M)
#define N (1u << HD_DIM_N)
#define K (1u << HD_DIM_K)
#define BATCH (1u << HD_DIM_BATCH)
#define CHUNK (1u << HD_DIM_CHUNK)
#define PREFIX (1u << HD_DIM_PREFIX)
#define CONTEXT (1u << HD_DIM_CONTEXT)
#define HEADS (1u << HD_DIM_HEADS | 1u << HD_DIM_KV_HEADS | 1u << HD_DIM_HEAD_DIM)
#define GPUS (1u << HD_DIM_GPUS)
#define BYTES (1u << HD_DIM_BYTES)
#define COUNT (1u << HD_DIM_COUNT)

static const struct {
    const char *name;
    bool dtype;
    unsigned needs, may; /* bits of hd_kernel_dim */
} ops[HD_OPS] = {
    [HD_OP_GEMM] = {"gemm", true, M | N | K, 0},
    [HD_OP_LM_HEAD] = {"lm_head", true, M | N | K, 0},
    [HD_OP_ATTENTION_PREFILL] = {"attention_prefill", true,
                                 BATCH | CHUNK | PREFIX | HEADS, 0},
    [HD_OP_ATTENTION_DECODE] = {"attention_decode", true, BATCH | CONTEXT | HEADS,
                                COUNT},
    [HD_OP_ATTENTION_MIXED] = {"attention_mixed", true,
                               CHUNK | PREFIX | BATCH | CONTEXT | HEADS, COUNT},
    [HD_OP_NORM] = {"norm", true, M | N, 0},
    [HD_OP_ADD] = {"add", true, M | N, 0},
    [HD_OP_ACTIVATION] = {"activation", true, M | N, 0},
    [HD_OP_EMBEDDING] = {"embedding", true, M | N, 0},
    [HD_OP_ROPE] = {"rope", true, M | HEADS, 0},
    [HD_OP_SAMPLING] = {"sampling", true, M | N, 0},
    [HD_OP_ALL_REDUCE] = {"all_reduce", true, GPUS | BYTES, 0},
    [HD_OP_ALL_GATHER] = {"all_gather", true, GPUS | BYTES, 0},
    [HD_OP_REDUCE_SCATTER] = {"reduce_scatter", true, GPUS | BYTES, 0},
    [HD_OP_ALL_TO_ALL] = {"all_to_all", true, GPUS | BYTES, 0},
    [HD_OP_SEND_RECV] = {"send_recv", true, GPUS | BYTES, 0},
    [HD_OP_COPY] = {"copy", false, BYTES, COUNT},
    [HD_OP_COPY_OVERLAP] = {"copy_overlap", false, BYTES, 0},
    [HD_OP_HBM] = {"hbm", false, BYTES, 0},
    [HD_OP_BLOCK_GATHER] = {"block_gather", false, BYTES | COUNT, 0},
    [HD_OP_LAUNCH] = {"launch", false, COUNT, BYTES},
    [HD_OP_GRAPH] = {"graph", false, COUNT, 0},
    [HD_OP_SYNC] = {"sync", false, 0, 0},
    [HD_OP_ALLOCATE] = {"allocate", false, BYTES, 0},
    [HD_OP_HOST_ALLOC] = {"host_alloc", false, BYTES, 0},
    [HD_OP_CONTEXT] = {"context", false, 0, 0},
    [HD_OP_PREEMPTION] = {"preemption", false, COUNT, 0},
    [HD_OP_TIME_SLICE] = {"time_slice", false, COUNT, 0},
    [HD_OP_CORUN] = {"corun", false, COUNT, 0},
    [HD_OP_CLOCK] = {"clock", false, 0, 0},
    [HD_OP_STEP] = {"step", true, BATCH, CHUNK | CONTEXT | GPUS},
};

static const struct {
    const char *name;
    int bytes;
} dtypes[] = {{"fp32", 4}, {"fp16", 2}, {"bf16", 2}, {"fp8", 1}, {"int8", 1}};

static const char *const stops[] = {"stdrel", "entropy", "budget", "fixed", "imported"};

const char *hd_kernel_op_name(enum hd_kernel_op op) {
    return ops[op].name;
}

const char *hd_kernel_dim_name(enum hd_kernel_dim dim) {
    return hd_kernel_columns[4 + dim];
}

bool hd_kernel_needs(enum hd_kernel_op op, enum hd_kernel_dim dim) {
    return ops[op].needs >> dim & 1;
}

bool hd_kernel_allows(enum hd_kernel_op op, enum hd_kernel_dim dim) {
    return (ops[op].needs | ops[op].may) >> dim & 1;
}

int hd_kernel_dtype_bytes(const char *dtype) {
    for (size_t n = 0; n < sizeof dtypes / sizeof *dtypes; n++)
        if (strcmp(dtypes[n].name, dtype) == 0) return dtypes[n].bytes;
    return 0;
}

/* ---- what a row must fulfil ---------------------------------------------- */

static bool check_dim(const struct hd_kernel_row *row, enum hd_kernel_dim dim,
                      struct hd_err *why) {
    const char *op = ops[row->op].name, *name = hd_kernel_dim_name(dim);
    int64_t value = row->shape[dim];
    if (value == HD_DIM_ABSENT)
        return !hd_kernel_needs(row->op, dim) ||
               hd_fail(why, "%s is empty; %s needs it", name, op);
    if (!hd_kernel_allows(row->op, dim))
        return hd_fail(why, "%s is %lld; expected nothing there for %s", name,
                       (long long)value, op);
    /* Nothing cached, no arguments, an immediate answer: zero is fine for these. */
    bool zero = dim == HD_DIM_PREFIX || dim == HD_DIM_CONTEXT || dim == HD_DIM_BYTES ||
                dim == HD_DIM_COUNT;
    return value >= (zero ? 0 : 1) || hd_fail(why, "%s is %lld; expected at least %d",
                                              name, (long long)value, zero ? 0 : 1);
}

/* A whole iteration is a prefill of chunks or a decode over contexts. */
static bool check_step(const struct hd_kernel_row *row, struct hd_err *why) {
    if (row->op != HD_OP_STEP) return true;
    bool prefill = strncmp(row->variant, "prefill:", 8) == 0;
    if (!prefill && strncmp(row->variant, "decode:", 7) != 0)
        return hd_fail(why,
                       "variant is '%s'; a step needs prefill:MODEL or decode:MODEL",
                       row->variant);
    enum hd_kernel_dim dim = prefill ? HD_DIM_CHUNK : HD_DIM_CONTEXT;
    return row->shape[dim] != HD_DIM_ABSENT ||
           hd_fail(why, "%s is empty; a %s step needs it", hd_kernel_dim_name(dim),
                   prefill ? "prefill" : "decode");
}

static bool check_dtype(const struct hd_kernel_row *row, struct hd_err *why) {
    const char *op = ops[row->op].name;
    if (!ops[row->op].dtype)
        return !*row->dtype ||
               hd_fail(why, "dtype is %s; expected nothing there for %s", row->dtype,
                       op);
    if (!*row->dtype) return hd_fail(why, "dtype is empty; %s needs it", op);
    return hd_kernel_dtype_bytes(row->dtype) > 0 ||
           hd_fail(why, "dtype '%s' is unknown; expected fp32, fp16, bf16, fp8 or int8",
                   row->dtype);
}

static bool check_values(const struct hd_kernel_row *row, struct hd_err *why) {
    if (!(row->time_us > 0 && row->time_us < 1e12))
        return hd_fail(why, "time_us is %g; expected more than 0", row->time_us);
    if (!isnan(row->mad_us) && !(row->mad_us >= 0 && row->mad_us < 1e12))
        return hd_fail(why, "mad_us is %g; expected at least 0", row->mad_us);
    if (row->samples < 0)
        return hd_fail(why, "samples is %lld; expected at least 1",
                       (long long)row->samples);
    bool known = false;
    for (size_t n = 0; n < sizeof stops / sizeof *stops; n++)
        known |= strcmp(stops[n], row->stop) == 0;
    if (!known)
        return hd_fail(why,
                       "stop is '%s'; expected stdrel, entropy, budget, fixed or "
                       "imported",
                       row->stop);
    if (row->sm_mhz < 0 || row->memory_mhz < 0) return hd_fail(why, "a clock below 0");
    if (!*row->source)
        return hd_fail(why, "source is empty; expected where it is from");
    return *row->licence ||
           hd_fail(why, "licence is empty; expected its name, such as MIT");
}

bool hd_kernel_row_check(const struct hd_kernel_row *row, struct hd_err *why) {
    if (!check_dtype(row, why)) return false;
    for (int dim = 0; dim < HD_DIMS; dim++)
        if (!check_dim(row, dim, why)) return false;
    return check_step(row, why) && check_values(row, why);
}

/* ---- sets ---------------------------------------------------------------- */

struct hd_kernel_row hd_kernel_row_of(const struct hd_gpu_spec *gpu,
                                      enum hd_kernel_op op) {
    struct hd_kernel_row row = {.gpu = gpu,
                                .op = op,
                                .variant = "",
                                .dtype = "",
                                .mad_us = NAN,
                                .stop = "imported",
                                .driver = "",
                                .source = "",
                                .licence = ""};
    for (int dim = 0; dim < HD_DIMS; dim++) row.shape[dim] = HD_DIM_ABSENT;
    return row;
}

const char *hd_kernels_text(struct hd_kernels *set, const char *text) {
    int at = hd_intern(&set->text, text, strlen(text));
    return set->text.name[at];
}

void hd_kernels_add(struct hd_kernels *set, const struct hd_kernel_row *row) {
    set->row = hd_grow(set->row, &set->capacity, set->rows + 1, sizeof *set->row);
    set->row[set->rows++] = *row;
}

int hd_kernels_file(struct hd_kernels *set, const char *path) {
    set->file =
        hd_grow(set->file, &set->file_capacity, set->files + 1, sizeof *set->file);
    set->file[set->files] = hd_strdup(path);
    return set->files++;
}

static int compare_text(const char *a, const char *b) {
    return a == b ? 0 : strcmp(a, b);
}

int hd_kernel_compare(const struct hd_kernel_row *a, const struct hd_kernel_row *b) {
    int order = compare_text(a->gpu->name, b->gpu->name);
    if (!order) order = (a->op > b->op) - (a->op < b->op);
    if (!order) order = compare_text(a->variant, b->variant);
    if (!order) order = compare_text(a->dtype, b->dtype);
    for (int dim = 0; !order && dim < HD_DIMS; dim++)
        order = (a->shape[dim] > b->shape[dim]) - (a->shape[dim] < b->shape[dim]);
    return order;
}

static int by_key(const void *a, const void *b, void *rows) {
    const struct hd_kernel_row *row = rows;
    int i = *(const int *)a, j = *(const int *)b;
    int order = hd_kernel_compare(&row[i], &row[j]);
    return order ? order : (i > j) - (i < j);
}

int *hd_kernels_sorted(const struct hd_kernels *set) {
    int *order = hd_alloc((size_t)(set->rows + 1) * sizeof *order);
    for (int n = 0; n < set->rows; n++) order[n] = n;
    qsort_r(order, (size_t)set->rows, sizeof *order, by_key, set->row);
    return order;
}

void hd_kernels_free(struct hd_kernels *set) {
    for (int n = 0; n < set->files; n++) free(set->file[n]);
    free(set->file);
    free(set->row);
    hd_intern_free(&set->text);
    *set = (struct hd_kernels){0};
}
