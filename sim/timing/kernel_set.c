/* Loading kernel tables and those of relatives. */
#include "timing/kernel_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/home.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"

/* What nobody else has: measured in vLLM 0.19, uneven decodes too. */
static const char all_of[] = "RTX-PRO-6000-Server";

enum { FILE_BYTES_MAX = 1 << 20 };

static int origins_of(const struct hd_gpu_spec *gpu,
                      const char *name[HD_KERNEL_ORIGINS_MAX]) {
    const char *const wanted[] = {gpu->tabled->name, gpu->small->name, all_of};
    int origins = 0;
    for (size_t n = 0; n < sizeof wanted / sizeof *wanted; n++) {
        bool there = false;
        for (int o = 0; o < origins; o++) there |= strcmp(name[o], wanted[n]) == 0;
        if (!there) name[origins++] = wanted[n];
    }
    return origins;
}

int hd_kernel_set_files(const struct hd_gpu_spec *gpu,
                        char *part[HD_KERNEL_SET_FILES_MAX]) {
    const char *name[HD_KERNEL_ORIGINS_MAX];
    int origins = origins_of(gpu, name), count = 0;
    for (int o = 0; o < origins; o++)
        for (int f = 0; f < HD_KERNEL_FILES; f++) {
            char *file =
                hd_format("results/calibration/%s/%s", name[o], hd_kernel_files[f]);
            char *path = hd_home_path(file);
            if (hd_file_exists(path))
                part[count++] = file;
            else
                free(file);
            free(path);
        }
    return count;
}

static bool read_origin(struct hd_kernel_origin *o, struct hd_sha256 *hash,
                        struct hd_err *err) {
    bool fine = true;
    for (int f = 0; f < HD_KERNEL_FILES && fine; f++) {
        char *part = hd_format("results/calibration/%s/%s", o->gpu, hd_kernel_files[f]);
        char *path = hd_home_path(part), *text = NULL;
        size_t length;
        if (hd_file_exists(path)) {
            text = hd_read_text(path, FILE_BYTES_MAX, &length, err);
            fine = text && hd_kernel_tables_read(&o->tables, path, err);
            if (fine) hd_sha256_add(hash, text, length);
        }
        free(text);
        free(path);
        free(part);
    }
    return fine;
}

struct hd_kernel_set *hd_kernel_set_load(const struct hd_gpu_spec *gpu, bool superseded,
                                         struct hd_err *err) {
    struct hd_kernel_set *set = hd_alloc(sizeof *set);
    const char *name[HD_KERNEL_ORIGINS_MAX];
    struct hd_sha256 *hash = hd_sha256_begin();
    bool fine = true;
    set->gpu = gpu;
    set->superseded = superseded;
    set->origins = origins_of(gpu, name);
    for (int n = 0; n < set->origins && fine; n++) {
        struct hd_kernel_origin *o = &set->origin[n];
        snprintf(o->gpu, sizeof o->gpu, "%s", name[n]);
        o->own = strcmp(name[n], gpu->name) == 0;
        fine = read_origin(o, hash, err);
    }
    unsigned char digest[HD_SHA256_BYTES];
    hd_sha256_end(hash, digest);
    for (int n = 0; n < 6; n++)
        snprintf(set->revision + 2 * n, 3, "%02x", (unsigned)digest[n]);
    for (int op = 0; op < HD_ROOF_OPS && fine; op++)
        if (op != HD_ROOF_ADD && op != HD_ROOF_MIXED &&
            !hd_kernel_set_find(set, (enum hd_roof_op)op, HD_ROOF_BF16, NULL))
            fine = hd_fail(err, "results/calibration/%s: no kernel table of %s",
                           name[0], hd_roof_op_name((enum hd_roof_op)op));
    if (fine) return set;
    hd_kernel_set_free(set);
    return NULL;
}

void hd_kernel_set_free(struct hd_kernel_set *set) {
    if (!set) return;
    for (int n = 0; n < set->origins; n++)
        hd_kernel_tables_free(&set->origin[n].tables);
    free(set);
}

double hd_kernel_set_skew(const struct hd_kernel_set *set) {
    for (int n = 0; n < set->origins; n++) {
        double skew = set->origin[n].tables.of[HD_ROOF_DECODE][HD_ROOF_BF16].skew;
        if (skew > 0) return skew;
    }
    return 0;
}

const struct hd_kernel_table *hd_kernel_set_find(const struct hd_kernel_set *set,
                                                 enum hd_roof_op op,
                                                 enum hd_roof_type type,
                                                 const struct hd_kernel_origin **from) {
    /* a relative's mixed batches say how its attention kernel goes, not this GPU's */
    int origins = op == HD_ROOF_MIXED ? 1 : set->origins;
    for (int n = 0; n < origins; n++) {
        const struct hd_kernel_table *t = &set->origin[n].tables.of[op][type];
        if (!t->law.known || (t->superseded && !set->superseded)) continue;
        if (from) *from = &set->origin[n];
        return t;
    }
    return NULL;
}

bool hd_kernel_set_serves(const struct hd_kernel_set *set,
                          const struct hd_model_spec *model, struct hd_err *err) {
    const struct {
        enum hd_number number;
        enum hd_roof_op op;
    } need[] = {{model->weights, HD_ROOF_GEMM},
                {model->kv, HD_ROOF_PREFILL},
                {model->kv, HD_ROOF_DECODE}};
    for (size_t n = 0; n < sizeof need / sizeof *need; n++) {
        enum hd_roof_type type = hd_roof_type_as(need[n].number);
        if (type == HD_ROOF_FP8 && !(set->gpu->fp8_flops > 0))
            return hd_fail(err, "%s: %s has no fp8; expected bf16", model->name,
                           set->gpu->name);
        if (!hd_kernel_set_find(set, need[n].op, type, NULL))
            return hd_fail(err,
                           "%s: nobody measured %s in %s on %s or a relative; expected "
                           "bf16",
                           model->name, hd_roof_op_name(need[n].op),
                           hd_roof_type_name(type), set->gpu->name);
    }
    return true;
}

struct hd_kernel_band hd_kernel_band(const struct hd_kernel_table *t,
                                     const struct hd_kernel_origin *origin,
                                     enum hd_roof_op op,
                                     const struct hd_roof_shape *shape, bool bare) {
    double x[HD_GRID_AXES_MAX];
    hd_roof_axes(op, shape, x);
    struct hd_kernel_band band = {.inside = !bare && hd_grid_inside(&t->law.grid, x)};
    const struct hd_kernel_error *e = t->held_out.values ? &t->held_out : &t->in_sample;
    if (!band.inside) e = &t->roof_only;
    band.p50 = e->p50;
    band.p90 = e->p90;
    if (origin->own) return band;
    bool small = op > HD_ROOF_MIXED;
    band.p50 = fmax(band.p50, small ? HD_UNSEEN_SMALL_P50 : HD_UNSEEN_GPU_P50);
    band.p90 = fmax(band.p90, small ? HD_UNSEEN_SMALL_P90 : HD_UNSEEN_GPU_P90);
    return band;
}
