/* Reading results/calibration. */
#include "timing/calibration.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/home.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/units.h"

/* ---- iteration.csv: name,value,note -------------------------------------- */

enum { NUMBER, WORDS };

struct entry {
    const char *name;
    int kind;
    size_t offset, size;
    bool seen;
};

struct iteration_file { /* as it stands in the file */
    char basis[16], source[256], models[256];
    double rows, transfer_p50, transfer_p90;
    struct hd_iteration_fit fit;
    struct hd_calibration_error in_sample, held_out;
};

#define NUMBER_OF(field) NUMBER, offsetof(struct iteration_file, field), 0, false
#define WORDS_OF(field)                                                                \
    WORDS, offsetof(struct iteration_file, field),                                     \
        sizeof((struct iteration_file *)0)->field, false

static bool set_entry(struct iteration_file *file, struct entry *entries, size_t count,
                      const char *name, const char *value, struct hd_err *why) {
    for (size_t n = 0; n < count; n++) {
        struct entry *e = &entries[n];
        if (strcmp(e->name, name) != 0) continue;
        if (e->seen) return hd_fail(why, "%s for the second time", name);
        e->seen = true;
        char *to = (char *)file + e->offset;
        if (e->kind == NUMBER) return hd_parse_number(value, (double *)(void *)to, why);
        if (strlen(value) >= e->size) return hd_fail(why, "%s is too long", name);
        memcpy(to, value, strlen(value) + 1);
        return true;
    }
    return hd_fail(why, "unknown name '%s'", name);
}

static bool read_entries(struct hd_csv *csv, const char *path, struct entry *entries,
                         size_t count, struct iteration_file *file,
                         struct hd_err *err) {
    struct hd_csv_row row;
    struct hd_err why = {0};
    int got;
    bool header = true;
    while ((got = hd_csv_next(csv, &row, err)) > 0) {
        if (!header && row.count < 2) hd_fail(&why, "expected name,value,note");
        if (!header && row.count >= 2)
            set_entry(file, entries, count, row.field[0], row.field[1], &why);
        if (why.text[0]) return hd_fail(err, "%s:%ld: %s", path, row.line, why.text);
        header = false;
    }
    if (got < 0) return false;
    for (size_t n = 0; n < count; n++)
        if (!entries[n].seen) return hd_fail(err, "%s: no %s", path, entries[n].name);
    const struct hd_iteration_fit *f = &file->fit;
    const double positive[] = {f->ec, f->em, f->ea, f->ek};
    for (size_t n = 0; n < 4; n++)
        if (!(positive[n] > 0))
            return hd_fail(err, "%s: an efficiency is not above 0", path);
    if (!(f->t0_s >= 0 && f->tl_s >= 0 && f->ts_s >= 0))
        return hd_fail(err, "%s: a host time is below 0", path);
    return true;
}

static bool read_iteration(const char *path, struct iteration_file *file,
                           struct hd_err *err) {
    struct entry entries[] = {
        {"basis", WORDS_OF(basis)},
        {"t0_s", NUMBER_OF(fit.t0_s)},
        {"tl_s", NUMBER_OF(fit.tl_s)},
        {"ts_s", NUMBER_OF(fit.ts_s)},
        {"ec", NUMBER_OF(fit.ec)},
        {"em", NUMBER_OF(fit.em)},
        {"ea", NUMBER_OF(fit.ea)},
        {"ek", NUMBER_OF(fit.ek)},
        {"in_sample_p50", NUMBER_OF(in_sample.p50)},
        {"in_sample_p90", NUMBER_OF(in_sample.p90)},
        {"held_out_p50", NUMBER_OF(held_out.p50)},
        {"held_out_p90", NUMBER_OF(held_out.p90)},
        {"transfer_p50", NUMBER_OF(transfer_p50)},
        {"transfer_p90", NUMBER_OF(transfer_p90)},
        {"rows", NUMBER_OF(rows)},
        {"models", WORDS_OF(models)},
        {"source", WORDS_OF(source)},
    };
    struct hd_csv *csv = hd_csv_open(path, err);
    if (!csv) return false;
    bool fine =
        read_entries(csv, path, entries, sizeof entries / sizeof *entries, file, err);
    hd_csv_close(csv);
    return fine;
}

/* ---- allreduce.csv: gpus,bytes,seconds ----------------------------------- */

static bool add_knot(struct hd_reduce_fit *fit, const struct hd_csv_row *row,
                     struct hd_err *why) {
    long gpus;
    double bytes, seconds;
    if (row->count < 3) return hd_fail(why, "expected gpus,bytes,seconds,source");
    if (!hd_parse_integer(row->field[0], 2, 1024, &gpus, why) ||
        !hd_parse_number(row->field[1], &bytes, why) ||
        !hd_parse_number(row->field[2], &seconds, why))
        return false;
    if (!(bytes > 0 && seconds > 0)) return hd_fail(why, "a size or time of 0");
    int g = fit->groups - 1;
    if (g < 0 || fit->group[g].gpus != gpus) {
        if (g >= 0 && fit->group[g].gpus > gpus)
            return hd_fail(why, "numbers of GPUs are not ascending");
        if (++g == HD_REDUCE_GROUPS_MAX) return hd_fail(why, "too many of them");
        fit->group[g] = (struct hd_reduce_group){.gpus = (int)gpus};
        fit->groups++;
    }
    struct hd_reduce_group *to = &fit->group[g];
    if (to->knots == HD_REDUCE_KNOTS_MAX) return hd_fail(why, "too many knots");
    if (to->knots && to->bytes[to->knots - 1] >= bytes)
        return hd_fail(why, "sizes are not ascending");
    to->bytes[to->knots] = bytes;
    to->seconds[to->knots++] = seconds;
    return true;
}

static bool read_reduce(const char *path, struct hd_reduce_fit *fit,
                        struct hd_err *err) {
    struct hd_csv *csv = hd_csv_open(path, err);
    if (!csv) return false;
    struct hd_csv_row row;
    struct hd_err why = {0};
    int got;
    bool fine = true, header = true;
    *fit = (struct hd_reduce_fit){0};
    while (fine && (got = hd_csv_next(csv, &row, err)) > 0) {
        if (!header) fine = add_knot(fit, &row, &why);
        header = false;
    }
    if (!fine)
        hd_fail(err, "%s:%ld: %s", path, row.line, why.text);
    else if (got < 0)
        fine = false;
    else if (fit->groups == 0)
        fine = hd_fail(err, "%s: no rows", path);
    hd_csv_close(csv);
    return fine;
}

/* A relative's links to this GPU's: latency stays, the rest goes as the bandwidth. */
static void scale_reduce(struct hd_reduce_fit *fit, double slower) {
    for (int g = 0; g < fit->groups; g++) {
        double latency = fit->group[g].seconds[0];
        for (int k = 0; k < fit->group[g].knots; k++) {
            double rest = fit->group[g].seconds[k] - latency;
            if (rest > 0) fit->group[g].seconds[k] = latency + rest * slower;
        }
    }
}

/* ---- loading ------------------------------------------------------------- */

static bool hash_file(struct hd_sha256 *hash, const char *path, struct hd_err *err) {
    FILE *file = fopen(path, "rb");
    if (!file) return hd_fail(err, "%s: %s", path, strerror(errno));
    unsigned char part[4096];
    size_t got;
    while ((got = fread(part, 1, sizeof part, file)) > 0)
        hd_sha256_add(hash, part, got);
    bool fine = !ferror(file) || hd_fail(err, "%s: cannot be read", path);
    fclose(file);
    return fine;
}

static double link_of(const struct hd_gpu_spec *gpu) {
    return gpu->nvlink_bytes_per_s > 0 ? gpu->nvlink_bytes_per_s
                                       : gpu->pcie_bytes_per_s;
}

static void fill_in(struct hd_calibration *c, const struct iteration_file *file,
                    bool own) {
    c->fit = file->fit;
    c->in_sample = file->in_sample;
    c->held_out = file->held_out;
    c->basis = HD_CALIBRATION_FITTED;
    if (strcmp(file->basis, "suspect") == 0) c->basis = HD_CALIBRATION_SUSPECT;
    if (!own) {
        c->basis = HD_CALIBRATION_SCALED;
        c->held_out =
            (struct hd_calibration_error){file->transfer_p50, file->transfer_p90};
    }
    memcpy(c->source, file->source, sizeof c->source);
    c->models = 1;
    for (const char *m = file->models; *m; m++) c->models += *m == ' ';
}

int hd_calibration_files(const struct hd_gpu_spec *gpu,
                         const struct hd_engine_profile *engine,
                         char *part[HD_CALIBRATION_FILES_MAX]) {
    part[0] = hd_format("results/calibration/%s/iteration.csv", gpu->fitted->name);
    part[1] =
        hd_format("results/calibration/%s/allreduce_graph.csv", gpu->linked->name);
    char *graph = hd_home_path(part[1]);
    if (!engine || !engine->graph || !hd_file_exists(graph)) {
        free(part[1]);
        part[1] = hd_format("results/calibration/%s/allreduce.csv", gpu->linked->name);
    }
    free(graph);
    return 2 + (engine && engine->tables ? hd_kernel_set_files(gpu, part + 2) : 0);
}

/* What the errors of a composition are, and whose GEMMs it rests on. */
static struct hd_calibration_error worse(const struct hd_kernel_error *a,
                                         const struct hd_kernel_error *b) {
    return (struct hd_calibration_error){fmax(a->p50, b->p50), fmax(a->p90, b->p90)};
}

static const struct hd_kernel_table *rests_on(const struct hd_kernel_set *set,
                                              enum hd_roof_type gemm_type,
                                              enum hd_roof_type kv_type,
                                              const struct hd_kernel_origin **origin,
                                              struct hd_calibration_error *in_sample,
                                              struct hd_calibration_error *held_out) {
    const struct hd_kernel_table *gemm =
        hd_kernel_set_find(set, HD_ROOF_GEMM, gemm_type, origin);
    const struct hd_kernel_table *decode =
        hd_kernel_set_find(set, HD_ROOF_DECODE, kv_type, NULL);
    *in_sample = worse(&gemm->in_sample, &decode->in_sample);
    *held_out = worse(&gemm->held_out, &decode->held_out);
    held_out->p50 = fmax(held_out->p50, HD_COMPOSED_P50);
    held_out->p90 = fmax(held_out->p90, HD_COMPOSED_P90);
    if (!(*origin)->own) {
        held_out->p50 = fmax(held_out->p50, HD_UNSEEN_GPU_P50);
        held_out->p90 = fmax(held_out->p90, HD_UNSEEN_GPU_P90);
    }
    return gemm;
}

/* What stands on kernels in place of iterations. Engines that serve prompts whole and
 * first are those of 2024, with the small kernels of that time. */
static bool take_tables(struct hd_calibration *c, const struct hd_gpu_spec *gpu,
                        const struct hd_engine_profile *engine, struct hd_err *err) {
    c->kernels = hd_kernel_set_load(gpu, !engine->chunked, err);
    if (!c->kernels) return false;
    const struct hd_kernel_origin *origin = NULL;
    const struct hd_kernel_table *gemm = rests_on(
        c->kernels, HD_ROOF_BF16, HD_ROOF_BF16, &origin, &c->in_sample, &c->held_out);
    c->basis = origin->own ? HD_CALIBRATION_TABLES : HD_CALIBRATION_SCALED;
    c->models = 0;
    snprintf(c->fitted, sizeof c->fitted, "%s", origin->gpu);
    snprintf(c->source, sizeof c->source, "kernels, GEMM %.230s", gemm->source);
    return true;
}

struct hd_calibration *hd_calibration_load(const struct hd_gpu_spec *gpu,
                                           const struct hd_engine_profile *engine,
                                           struct hd_err *err) {
    const struct hd_gpu_spec *linked = gpu->linked;
    struct hd_calibration *c = hd_alloc(sizeof *c);
    char *part[HD_CALIBRATION_FILES_MAX];
    int files = hd_calibration_files(gpu, engine, part);
    struct iteration_file file = {0};
    struct hd_sha256 *hash = hd_sha256_begin();
    unsigned char digest[HD_SHA256_BYTES];
    bool fine = true;
    for (int n = 0; n < files; n++) {
        char *path = hd_home_path(part[n]);
        if (n == 0) fine = read_iteration(path, &file, err);
        if (n == 1) fine = fine && read_reduce(path, &c->reduce, err);
        fine = fine && hash_file(hash, path, err);
        free(path);
        free(part[n]);
    }
    hd_sha256_end(hash, digest);
    if (fine) {
        scale_reduce(&c->reduce, link_of(linked) / link_of(gpu));
        fill_in(c, &file, gpu->fitted == gpu);
        snprintf(c->fitted, sizeof c->fitted, "%s", gpu->fitted->name);
        for (int n = 0; n < 6; n++)
            snprintf(c->revision + 2 * n, 3, "%02x", (unsigned)digest[n]);
        snprintf(c->gpu, sizeof c->gpu, "%s", gpu->name);
        snprintf(c->linked, sizeof c->linked, "%s", linked->name);
        fine = !engine || !engine->tables || take_tables(c, gpu, engine, err);
    }
    if (fine) return c;
    hd_calibration_free(c);
    return NULL;
}

void hd_calibration_free(struct hd_calibration *c) {
    if (!c) return;
    hd_kernel_set_free(c->kernels);
    free(c);
}

bool hd_calibration_serves(const struct hd_calibration *c,
                           const struct hd_model_spec *model,
                           const struct hd_engine_profile *engine, struct hd_err *err) {
    if (c->kernels) return hd_kernel_set_serves(c->kernels, model, err);
    if (model->weights == HD_NUMBER_16BIT && model->kv == HD_NUMBER_16BIT) return true;
    return hd_fail(err,
                   "%s: engine %s is timed by whole iterations, which were measured at "
                   "16 bits; expected bf16 or an engine of kernel tables, as "
                   "vllm-0.14-async",
                   model->name, engine->name);
}

const char *hd_calibration_basis_name(enum hd_calibration_basis basis) {
    static const char *const names[] = {"fitted", "suspect", "scaled", "tables"};
    return names[basis];
}

void hd_timing_source_of(const struct hd_calibration *c,
                         const struct hd_model_spec *model, int tp,
                         struct hd_timing_source *to) {
    static const char *const how[] = {
        "fitted to", "fitted to (suspect: contradicts the data sheet)",
        "scaled from specification, relative fitted to", "composed from"};
    enum hd_calibration_basis basis = c->basis;
    struct hd_calibration_error error = c->held_out, ignored;
    char source[sizeof c->source];
    const char *on = c->fitted;
    memcpy(source, c->source, sizeof source);
    if (c->kernels && (model->weights || model->kv)) {
        const struct hd_kernel_origin *origin = NULL;
        const struct hd_kernel_table *gemm =
            rests_on(c->kernels, hd_roof_type_as(model->weights),
                     hd_roof_type_as(model->kv), &origin, &ignored, &error);
        basis = origin->own ? HD_CALIBRATION_TABLES : HD_CALIBRATION_SCALED;
        on = origin->gpu;
        snprintf(source, sizeof source, "kernels, %sGEMM %.200s%s",
                 model->weights == HD_NUMBER_FP8 ? "fp8 " : "", gemm->source,
                 model->kv == HD_NUMBER_FP8 ? "; attention of fp8 KV" : "");
    }
    *to = (struct hd_timing_source){
        .tp = tp, .basis = basis, .error_p50 = error.p50, .error_p90 = error.p90};
    snprintf(to->gpu, sizeof to->gpu, "%s", c->gpu);
    snprintf(to->model, sizeof to->model, "%s", model->name);
    memcpy(to->revision, c->revision, sizeof to->revision);
    snprintf(to->source, sizeof to->source, "%s %s on %s%s%s", how[basis], source, on,
             tp > 1 ? "; all-reduce kernels of " : "", tp > 1 ? c->linked : "");
}
