/* Kernel tables on shapes that they have not seen. */
#include <string.h>

#include "calibrate/check.h"
#include "calibrate/kernel_points.h"
#include "calibrate/tables.h"

static const char grid_half[] = "seen: every second n and k of 1024 to 16384, all m; "
                                "judged: the other pairs within";
static const char heads_half[] =
    "seen: every second configuration of heads; judged: the others";
static const char heads_cold[] =
    "seen: every second configuration of heads; judged: the others, KV above 64 MB";

static const struct asked {
    const char *gpu, *gate;
    enum hd_roof_op op;
    enum hd_roof_type type;
    bool cold; /* only what cannot have been read again from the L2 cache */
    struct hd_check_limit limit, reference;
} asked[] = {
    {"H100-SXM", "G1", HD_ROOF_GEMM, HD_ROOF_BF16, false, {.04, .13}, {.027, .103}},
    {"H100-SXM", "", HD_ROOF_GEMM, HD_ROOF_FP8, false, {0, 0}, {.017, .085}},
    {"A100-80-SXM", "", HD_ROOF_GEMM, HD_ROOF_BF16, false, {0, 0}, {.040, .152}},
    {"H200-SXM", "", HD_ROOF_GEMM, HD_ROOF_BF16, false, {0, 0}, {.028, .091}},
    {"H200-SXM", "", HD_ROOF_GEMM, HD_ROOF_FP8, false, {0, 0}, {.023, .091}},
    {"B200-SXM", "", HD_ROOF_GEMM, HD_ROOF_BF16, false, {0, 0}, {.034, .110}},
    {"L40S", "", HD_ROOF_GEMM, HD_ROOF_BF16, false, {0, 0}, {.067, .216}},
    {"H100-SXM", "KV", HD_ROOF_DECODE, HD_ROOF_BF16, true, {.06, .15}, {.031, .082}},
    {"A100-80-SXM", "", HD_ROOF_DECODE, HD_ROOF_BF16, true, {0, 0}, {.069, .155}},
    {"H200-SXM", "", HD_ROOF_DECODE, HD_ROOF_BF16, true, {0, 0}, {.061, .143}},
    {"H100-SXM", "", HD_ROOF_DECODE, HD_ROOF_FP8, true, {0, 0}, {0, 0}},
    {"H100-SXM", "", HD_ROOF_PREFILL, HD_ROOF_BF16, false, {0, 0}, {.063, .187}},
    {"H100-SXM", "", HD_ROOF_PREFILL, HD_ROOF_FP8, false, {0, 0}, {0, 0}},
    {"A100-80-SXM", "", HD_ROOF_PREFILL, HD_ROOF_BF16, false, {0, 0}, {.073, .297}},
    {"H200-SXM", "", HD_ROOF_PREFILL, HD_ROOF_BF16, false, {0, 0}, {.065, .186}},
};

/* Keys and values of 16 bits, and of 8. */
static bool is_cold(const struct hd_roof_shape *s) {
    return s->batch * s->kv_heads * s->context * s->head_dim * 4 > 64e6;
}

static bool is_cold_fp8(const struct hd_roof_shape *s) {
    return s->batch * s->kv_heads * s->context * s->head_dim * 2 > 64e6;
}

static void check_one(const struct asked *a, const struct hd_gpu_spec *gpu,
                      const struct hd_kernels *rows, struct hd_checks *all) {
    struct hd_roof_points p = {.op = a->op, .type = a->type, .gpu = gpu}, train, test;
    hd_kernel_points_of(rows, &p, NULL, NULL);
    hd_kernel_points_split(&p, &train, &test);
    struct hd_grid_knots knots;
    struct hd_roof_law law;
    hd_roof_knots_for(&train, &knots);
    hd_roof_fit(&train, &knots, &law);
    char name[64];
    snprintf(name, sizeof name, "%s %s", hd_roof_op_name(a->op),
             hd_roof_type_name(a->type));
    const char *how = a->op == HD_ROOF_GEMM ? grid_half
                      : a->cold             ? heads_cold
                                            : heads_half;
    struct hd_check *c =
        hd_checks_add(all, a->gate, name, gpu->name, "aiconfigurator", how);
    bool (*among)(const struct hd_roof_shape *) = !a->cold                 ? NULL
                                                  : a->type == HD_ROOF_FP8 ? is_cold_fp8
                                                                           : is_cold;
    c->in_sample = hd_roof_errors(&law, &train, among);
    c->held_out = hd_roof_errors(&law, &test, among);
    c->limit = a->limit;
    c->reference = a->reference;
    hd_grid_free(&law.grid);
    hd_roof_points_free(&p);
    hd_roof_points_free(&train);
    hd_roof_points_free(&test);
}

static const char *file_of(enum hd_roof_op op) {
    return op == HD_ROOF_GEMM      ? "gemm"
           : op == HD_ROOF_PREFILL ? "context_attention"
                                   : "generation_attention";
}

/* As the files are called. */
static const char *place_of(const char *gpu) {
    static const char *const of[][2] = {{"H100-SXM", "h100_sxm"},
                                        {"A100-80-SXM", "a100_sxm"},
                                        {"H200-SXM", "h200_sxm"},
                                        {"B200-SXM", "b200_sxm"},
                                        {"L40S", "l40s"}};
    for (size_t n = 0; n < sizeof of / sizeof *of; n++)
        if (strcmp(of[n][0], gpu) == 0) return of[n][1];
    return gpu;
}

bool hd_check_tables(const struct hd_catalog *catalog, const char *data,
                     struct hd_checks *all, struct hd_err *err) {
    bool fine = true;
    for (size_t n = 0; n < sizeof asked / sizeof *asked && fine; n++) {
        const struct asked *a = &asked[n];
        const struct hd_gpu_spec *gpu = hd_catalog_gpu(catalog, a->gpu, err);
        char file[96];
        snprintf(file, sizeof file, "aiconfigurator/%s_%s.csv.gz", file_of(a->op),
                 place_of(a->gpu));
        struct hd_kernels rows = {0};
        fine = gpu && hd_tables_import(&rows, catalog, data, "aiconfigurator",
                                       (const char *const[]){file, NULL}, err);
        if (fine) check_one(a, gpu, &rows, all);
        hd_kernels_free(&rows);
    }
    return fine;
}
