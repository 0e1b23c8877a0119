/* Tables: measured kernels of the schema and of other people's profiles, fitted
 * kernels, measured iterations, the catalogue's GPUs, models and engines. What has a
 * writer is written, read again and written again: the same bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/home.h"
#include "base/mem.h"
#include "calibrate/import.h"
#include "calibrate/measured.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "hardware/catalog.h"
#include "hardware/engines.h"
#include "timing/kernel_tables.h"

static void check(bool fine, const struct hd_err *err) {
    if (!fine) fuzz_check_error(err);
    fuzz_require(fine == !*err->text, "read, and '%s'", err->text);
}

static struct hd_catalog *shipped(void) {
    struct hd_err err = {0};
    struct hd_catalog *catalog = hd_catalog_load(&err);
    fuzz_require(catalog, "%s", err.text);
    return catalog;
}

/* ---- kernels ---------------------------------------------------------------- */

static char *kernels_text(const struct hd_kernels *set, size_t *bytes) {
    char path[64];
    struct hd_err err = {0};
    snprintf(path, sizeof path, "/tmp/hd-fuzz-kernels-%ld", (long)getpid());
    fuzz_require(hd_kernels_write(set, path, true, &err), "%s", err.text);
    FILE *file = fopen(path, "rb");
    fuzz_require(file, "%s", path);
    char *text = hd_alloc(1 << 20);
    *bytes = fread(text, 1, 1 << 20, file);
    fclose(file);
    unlink(path);
    return text;
}

static void check_kernels(const struct hd_kernels *set,
                          const struct hd_catalog *catalog) {
    struct hd_kernels again = {0};
    struct hd_err err = {0};
    size_t bytes, again_bytes;
    char *text = kernels_text(set, &bytes);
    fuzz_require(hd_kernels_read(&again, catalog, fuzz_file(1, text, bytes), &err) ||
                     set->rows == 0,
                 "what was written cannot be read: %s", err.text);
    char *twice = kernels_text(&again, &again_bytes);
    fuzz_same_bytes("kernels, twice", text, bytes, twice, again_bytes);
    hd_kernels_free(&again);
    free(twice);
    free(text);
}

static char *tables_text(const struct hd_kernel_tables *tables, int file,
                         size_t *bytes) {
    char *text;
    FILE *out = hd_text_stream(&text, bytes);
    hd_kernel_tables_print(tables, file, out);
    hd_text_stream_end(out, &text);
    return text;
}

/* Each of the files that they are written to; one without a table is not one to read.
 */
static void check_tables(const char *path) {
    struct hd_kernel_tables tables = {0};
    struct hd_err err = {0};
    check(hd_kernel_tables_read(&tables, path, &err), &err);
    for (int file = 0; file < HD_KERNEL_FILES && !*err.text; file++) {
        struct hd_kernel_tables again = {0};
        struct hd_err none = {0};
        size_t bytes, again_bytes;
        char *text = tables_text(&tables, file, &bytes);
        if (hd_kernel_tables_read(&again, fuzz_file(1, text, bytes), &none)) {
            char *twice = tables_text(&again, file, &again_bytes);
            fuzz_same_bytes("tables, twice", text, bytes, twice, again_bytes);
            free(twice);
        }
        hd_kernel_tables_free(&again);
        free(text);
    }
    hd_kernel_tables_free(&tables);
}

void fuzz_kernels(const uint8_t *bytes, size_t count) {
    static struct hd_catalog *catalog; /* the same for every input */
    if (!catalog) catalog = shipped();
    const char *path = fuzz_file(0, bytes, count);
    struct hd_kernels set = {0};
    struct hd_err err = {0};
    check(hd_kernels_read(&set, catalog, path, &err), &err);
    if (!*err.text) check_kernels(&set, catalog);
    hd_kernels_free(&set);
    check_tables(path);
    struct hd_measured measured = {0};
    err = (struct hd_err){0};
    check(hd_measured_read(catalog, path, &measured, &err), &err);
    hd_measured_free(&measured);
    struct hd_err why = {0};
    const struct hd_gpu_spec *gpu = hd_catalog_gpu(catalog, "H100", &why);
    fuzz_require(gpu, "%s", why.text);
    for (int source = 0; source < HD_IMPORT_SOURCES; source++) {
        struct hd_kernels made = {0};
        struct hd_import_report report = {0};
        err = (struct hd_err){0};
        check(hd_import(&made, catalog, source, &path, 1, gpu, &report, &err), &err);
        if (!*err.text) check_kernels(&made, catalog);
        hd_kernels_free(&made);
    }
}

/* ---- the catalogue ---------------------------------------------------------- */

void fuzz_catalog(const uint8_t *bytes, size_t count) {
    char *gpus = hd_format("%s/sim/catalog/gpus.csv", hd_home());
    char *models = hd_format("%s/sim/catalog/models.csv", hd_home());
    const char *path = fuzz_file(0, bytes, count);
    struct hd_err err[3] = {0};
    struct hd_catalog *by_gpus = hd_catalog_read(path, models, &err[0]);
    struct hd_catalog *by_models = hd_catalog_read(gpus, path, &err[1]);
    struct hd_engines *engines = hd_engines_read(path, &err[2]);
    check(by_gpus, &err[0]);
    check(by_models, &err[1]);
    check(engines, &err[2]);
    int specs = 0;
    if (by_models) {
        const struct hd_model_spec *m = hd_catalog_models(by_models, &specs);
        for (int i = 0; i < specs; i++)
            fuzz_require(m[i].weights_bytes > 0 && m[i].kv_token_bytes > 0 &&
                             m[i].params >= m[i].active_params &&
                             hd_catalog_model(by_models, m[i].name, &err[1]) == &m[i],
                         "model %s cannot be", m[i].name);
    }
    hd_catalog_free(by_gpus);
    hd_catalog_free(by_models);
    hd_engines_free(engines);
    free(gpus);
    free(models);
}
