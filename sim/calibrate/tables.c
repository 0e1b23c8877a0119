/* Which published files hold a GPU's kernels, and the fit of each operator to them. */
#include "calibrate/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/home.h"
#include "base/mem.h"
#include "base/new_file.h"
#include "calibrate/import.h"
#include "calibrate/kernel_points.h"
#include "calibrate/skew_fit.h"

/* ---- sources ------------------------------------------------------------- */

enum { FILES_MAX = 12 };

#define AICONFIGURATOR(gpu)                                                            \
    "aiconfigurator", {                                                                \
        "aiconfigurator/gemm_" gpu ".csv.gz",                                          \
            "aiconfigurator/context_attention_" gpu ".csv.gz",                         \
            "aiconfigurator/generation_attention_" gpu ".csv.gz"                       \
    }
#define SKEW(place) "llmservingsim/" place "/skew.csv"
#define LLMSERVINGSIM(place)                                                           \
    "llmservingsim/" place "/attention.csv", "llmservingsim/" place "/dense.csv",      \
        "llmservingsim/" place "/per_sequence.csv"

static const struct source {
    const char *gpu, *importer;
    const char *file[FILES_MAX];
    const char *more_importer; /* the same of a second collector; NULL: none */
    const char *more[FILES_MAX];
    /* Size of the L2 cache where the benchmark of decodes reads the same KV cache again
     * and again: below it the memory was not measured. 0: it does not. */
    double rereads_bytes;
    const char *skew[5]; /* uneven decodes, NULL after the last */
    const char *own; /* rows of hotdesk-bench, below hotdesk's own folder, or NULL */
} sources[] = {
    {"A100-80-SXM",
     AICONFIGURATOR("a100_sxm"),
     "vidur",
     {"vidur/a100/Llama-2-7b-hf/mlp.csv", "vidur/a100/Llama-2-70b-hf/mlp.csv",
      "vidur/a100/Meta-Llama-3-8B/mlp.csv"},
     40 << 20,
     {NULL},
     NULL},
    {"H100-SXM",
     AICONFIGURATOR("h100_sxm"),
     "vidur",
     {"vidur/h100/Llama-2-7b-hf/mlp.csv", "vidur/h100/Llama-2-70b-hf/mlp.csv"},
     50 << 20,
     {NULL},
     NULL},
    {"H200-SXM",
     AICONFIGURATOR("h200_sxm"),
     NULL,
     {NULL},
     50 << 20,
     {NULL},
     "results/calibration/H200-SXM/measured.csv"},
    {"B200-SXM", AICONFIGURATOR("b200_sxm"), NULL, {NULL}, 126 << 20, {NULL}, NULL},
    {"L40S", AICONFIGURATOR("l40s"), NULL, {NULL}, 96 << 20, {NULL}, NULL},
    {"RTX-4090",
     "llmservingsim",
     {LLMSERVINGSIM("RTX4090/meta-llama/Llama-3.1-8B/bf16/tp1")},
     NULL,
     {NULL},
     0,
     {SKEW("RTX4090/meta-llama/Llama-3.1-8B/bf16/tp1")},
     NULL},
    {"RTX-PRO-6000-Server",
     "llmservingsim",
     {LLMSERVINGSIM("RTXPRO6000/meta-llama/Llama-3.1-8B/bf16/tp1"),
      LLMSERVINGSIM("RTXPRO6000/meta-llama/Llama-3.1-8B/bf16/tp2"),
      LLMSERVINGSIM("RTXPRO6000/Qwen/Qwen3-32B/bf16/tp1"),
      LLMSERVINGSIM("RTXPRO6000/Qwen/Qwen3-32B/bf16/tp2")},
     NULL,
     {NULL},
     0,
     {SKEW("RTXPRO6000/meta-llama/Llama-3.1-8B/bf16/tp1"),
      SKEW("RTXPRO6000/meta-llama/Llama-3.1-8B/bf16/tp2"),
      SKEW("RTXPRO6000/Qwen/Qwen3-32B/bf16/tp1"),
      SKEW("RTXPRO6000/Qwen/Qwen3-32B/bf16/tp2")},
     NULL},
};
enum { SOURCES = sizeof sources / sizeof *sources };

const char *hd_tables_gpu(int n) {
    return n < SOURCES ? sources[n].gpu : NULL;
}

static const struct source *source_of(const struct hd_gpu_spec *gpu) {
    for (int n = 0; n < SOURCES; n++)
        if (strcmp(sources[n].gpu, gpu->name) == 0) return &sources[n];
    return NULL;
}

static void take_row(struct hd_kernels *all, const struct hd_kernels *from,
                     const struct hd_kernel_row *of) {
    struct hd_kernel_row row = *of;
    row.variant = hd_kernels_text(all, row.variant);
    row.dtype = hd_kernels_text(all, row.dtype);
    row.stop = hd_kernels_text(all, row.stop);
    row.driver = hd_kernels_text(all, row.driver);
    row.source = hd_kernels_text(all, row.source);
    row.licence = hd_kernels_text(all, row.licence);
    row.file = hd_kernels_file(all, from->file[row.file]);
    hd_kernels_add(all, &row);
}

/* An import wants an empty set: each collector's rows go through one of its own. */
bool hd_tables_import(struct hd_kernels *all, const struct hd_catalog *catalog,
                      const char *data, const char *importer, const char *const *file,
                      struct hd_err *err) {
    struct hd_kernels part = {0};
    struct hd_import_report report = {0};
    char *path[FILES_MAX];
    int paths = 0;
    for (; paths < FILES_MAX && file[paths]; paths++)
        path[paths] = hd_format("%s/kernels/%s", data, file[paths]);
    bool fine = hd_import(&part, catalog, hd_import_source(importer, err),
                          (const char *const *)path, paths, NULL, &report, err);
    for (int n = 0; n < part.rows && fine; n++) take_row(all, &part, &part.row[n]);
    for (int n = 0; n < paths; n++) free(path[n]);
    hd_kernels_free(&part);
    return fine;
}

/* Of our own measurements what nobody published: small operators and output heads.
 * GEMMs and attention are those that engines link, by another's measurements. */
static bool is_small(const struct hd_kernel_row *row) {
    switch (row->op) {
    case HD_OP_NORM:
    case HD_OP_ADD:
    case HD_OP_ROPE:
    case HD_OP_ACTIVATION:
    case HD_OP_EMBEDDING:
    case HD_OP_LM_HEAD:
        return true;
    case HD_OP_SAMPLING: /* as the engine that the other tables are of: no softmax */
        return strncmp(row->variant, "argmax", 6) == 0;
    default:
        return false;
    }
}

static bool add_own(struct hd_kernels *to, const struct hd_catalog *catalog,
                    const char *part, struct hd_err *err) {
    struct hd_kernels own = {0};
    char *path = hd_home_path(part);
    bool fine = hd_kernels_read(&own, catalog, path, err);
    for (int n = 0; n < own.rows && fine; n++)
        if (is_small(&own.row[n])) take_row(to, &own, &own.row[n]);
    free(path);
    hd_kernels_free(&own);
    return fine;
}

bool hd_tables_rows(const struct hd_catalog *catalog, const char *data,
                    const struct hd_gpu_spec *gpu, struct hd_kernels *to,
                    struct hd_err *err) {
    const struct source *s = source_of(gpu);
    if (!s) return hd_fail(err, "no published kernels of %s are known", gpu->name);
    return hd_tables_import(to, catalog, data, s->importer, s->file, err) &&
           (!s->more_importer ||
            hd_tables_import(to, catalog, data, s->more_importer, s->more, err)) &&
           (!s->own || add_own(to, catalog, s->own, err));
}

/* ---- fitting ------------------------------------------------------------- */

static double kv_bytes(const struct hd_roof_points *p, const struct hd_roof_shape *s) {
    double work, bytes;
    hd_roof_demand(p->op, p->type, s, &work, &bytes);
    return bytes;
}

/* In an engine the other layers' weights and caches lie between two reads of a layer's
 * KV cache: it comes from memory. Where a benchmark read it again from the L2 cache, no
 * time is faster than the roofline that the larger ones give. */
static void make_cold(struct hd_roof_points *p, double resident_bytes) {
    if (p->op != HD_ROOF_DECODE || resident_bytes <= 0) return;
    struct hd_roof_points large = {.op = p->op, .type = p->type, .gpu = p->gpu};
    for (int n = 0; n < p->points; n++) {
        double bytes = kv_bytes(p, &p->point[n].shape);
        if (bytes > resident_bytes || bytes < resident_bytes / 32)
            hd_roof_points_add(&large, &p->point[n].shape, p->point[n].seconds, 1);
    }
    if (large.points == 0) return;
    struct hd_roof_law roof;
    hd_roof_fit(&large, &(struct hd_grid_knots){0}, &roof);
    for (int n = 0; n < p->points; n++) {
        struct hd_roof_point *at = &p->point[n];
        double s = hd_roof_bare_s(&roof, p->op, p->type, p->gpu, 1, &at->shape);
        if (kv_bytes(p, &at->shape) <= resident_bytes && at->seconds < s)
            at->seconds = s;
    }
    hd_roof_points_free(&large);
}

/* Without those that were not measured as an engine would see them. */
static void keep_measured(struct hd_roof_points *p, double resident_bytes) {
    if (p->op != HD_ROOF_DECODE) return;
    int kept = 0;
    for (int n = 0; n < p->points; n++)
        if (kv_bytes(p, &p->point[n].shape) > resident_bytes)
            p->point[kept++] = p->point[n];
    p->points = kept;
}

static struct hd_kernel_error error_of(const struct hd_roof_law *law,
                                       const struct hd_roof_points *p) {
    struct hd_fit_error e = hd_roof_errors(law, p, NULL);
    return (struct hd_kernel_error){e.p50, e.p90, e.values};
}

/* Vidur's rows are of an engine of 2024: its small kernels have been replaced. */
static bool is_superseded(const struct hd_kernel_row *row) {
    return strstr(row->source, "vidur") != NULL;
}

/* Its GEMMs of four shapes do not join a full grid of another collector: they judge. */
static bool is_wanted(const struct hd_kernel_row *row) {
    return row->op != HD_OP_GEMM || !is_superseded(row);
}

static void name_source(const struct hd_kernels *rows, const struct hd_roof_points *p,
                        int left_out, struct hd_kernel_table *t) {
    const char *named[2] = {NULL, NULL};
    for (int n = 0; n < rows->rows; n++) {
        const struct hd_kernel_row *row = &rows->row[n];
        if (row->gpu != p->gpu || !hd_kernel_is_op(row->op, p->op) || !is_wanted(row))
            continue;
        if (!named[0])
            named[0] = row->source;
        else if (!named[1] && row->source != named[0])
            named[1] = row->source;
        if (named[0] == row->source)
            snprintf(t->licence, sizeof t->licence, "%s", row->licence);
        if (p->op != HD_ROOF_GEMM) t->superseded |= is_superseded(row);
    }
    char *less = left_out ? hd_format(" of %d", p->points + left_out) : NULL;
    snprintf(t->source, sizeof t->source, "fitted to %d%s rows: %s%s%s", p->points,
             less ? less : "", named[0] ? named[0] : "", named[1] ? " and " : "",
             named[1] ? named[1] : "");
    free(less);
    for (char *c = t->source; *c; c++)
        if (*c == ',' || *c == '"') *c = ' ';
}

static void fit_one(const struct hd_kernels *rows, struct hd_roof_points *p,
                    const struct hd_roof_law *decode, double resident_bytes,
                    struct hd_kernel_table *t) {
    int left_out = hd_kernel_points_of(rows, p, decode, is_wanted);
    if (p->points == 0) return;
    name_source(rows, p, left_out, t);
    struct hd_roof_points train, test;
    hd_kernel_points_split(p, &train, &test);
    make_cold(&train, resident_bytes);
    keep_measured(&test, resident_bytes);
    struct hd_grid_knots knots;
    if (train.points && test.points) {
        struct hd_roof_law seen, roof;
        hd_roof_knots_for(&train, &knots);
        hd_roof_fit(&train, &knots, &seen);
        t->held_out = error_of(&seen, &test);
        roof = seen;
        roof.grid = (struct hd_grid){0};
        t->roof_only = error_of(&roof, &test);
        hd_grid_free(&seen.grid);
    }
    make_cold(p, resident_bytes);
    hd_roof_knots_for(p, &knots);
    hd_roof_fit(p, &knots, &t->law);
    keep_measured(p, resident_bytes);
    t->in_sample = error_of(&t->law, p);
    hd_roof_points_free(&train);
    hd_roof_points_free(&test);
}

void hd_tables_fit(const struct hd_kernels *rows, const struct hd_gpu_spec *gpu,
                   struct hd_kernel_tables *tables) {
    const struct source *s = source_of(gpu);
    for (int op = 0; op < HD_ROOF_OPS; op++)
        for (int type = 0; type < HD_ROOF_TYPES; type++) {
            struct hd_roof_points p = {
                .op = (enum hd_roof_op)op, .type = (enum hd_roof_type)type, .gpu = gpu};
            const struct hd_kernel_table *decode = &tables->of[HD_ROOF_DECODE][type];
            if (op == HD_ROOF_MIXED && !decode->law.known) continue;
            fit_one(rows, &p, &decode->law, s ? s->rereads_bytes : 0,
                    &tables->of[op][type]);
            hd_roof_points_free(&p);
        }
}

bool hd_tables_fit_skew(const char *data, const struct hd_gpu_spec *gpu,
                        struct hd_kernel_tables *tables, struct hd_err *err) {
    const struct source *s = source_of(gpu);
    struct hd_skew_fit fit;
    if (!s || !s->skew[0]) return true;
    if (!hd_skew_fit_read(data, s->skew, &fit, err)) return false;
    tables->of[HD_ROOF_DECODE][HD_ROOF_BF16].skew = fit.skew;
    return true;
}

/* ---- writing ------------------------------------------------------------- */

static bool has_any(const struct hd_kernel_tables *tables, int file) {
    for (int op = 0; op < HD_ROOF_OPS; op++)
        for (int type = 0; type < HD_ROOF_TYPES; type++)
            if (tables->of[op][type].law.known &&
                hd_kernel_file_of((enum hd_roof_op)op) == file)
                return true;
    return false;
}

bool hd_tables_write(const struct hd_kernel_tables *tables,
                     const struct hd_gpu_spec *gpu, const char *folder,
                     struct hd_err *err) {
    char *own = hd_format("%s/%s", folder, gpu->name);
    bool fine = mkdir(own, 0777) == 0 || errno == EEXIST ||
                hd_fail(err, "%s: %s", own, strerror(errno));
    for (int f = 0; f < HD_KERNEL_FILES && fine; f++) {
        if (!has_any(tables, f)) continue;
        char *path = hd_format("%s/%s", own, hd_kernel_files[f]);
        struct hd_new_file file;
        fine = hd_new_file_begin(&file, path, true, err);
        if (fine) {
            hd_kernel_tables_print(tables, f, file.stream);
            fine = hd_new_file_keep(&file, err);
        }
        free(path);
    }
    free(own);
    return fine;
}
