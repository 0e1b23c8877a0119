/* hotdesk calibrate kernels: the shipped kernel tables from published measurements,
 * once more. */
#include <stdlib.h>
#include <string.h>

#include "base/home.h"
#include "base/mem.h"
#include "calibrate/tables.h"
#include "command/calibrate.h"
#include "output/text_table.h"

static const struct hd_option options[] = {
    {HD_GROUP_WHAT, 1, "data", "DIR", NULL, NULL, false,
     "the measurements: a folder with kernels/"},
    {HD_GROUP_WHAT, 1, "gpu", "A,B", NULL, "all that were measured", false,
     "which GPUs to fit"},
    {HD_GROUP_WRITTEN, 1, "write", NULL, NULL, NULL, false,
     "replace the kernel tables in results/calibration"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help help = {
    "hotdesk calibrate kernels --data DIR [options]",
    "Fits a roofline and a grid of what it leaves over to published times of kernels: "
    "GEMM,\n"
    "attention, small operators. Errors are median / 90th percentile in percent; held "
    "out is\n"
    "what a fit without every second matrix, head configuration or point did to those.",
    {"hotdesk calibrate kernels --data ../shared/data",
     "hotdesk calibrate kernels --data ../shared/data --gpu H100 --write"},
};

/* ---- printing ------------------------------------------------------------ */

static void cell_error(struct hd_text_table *t, const struct hd_kernel_error *e) {
    if (e->values)
        hd_text_table_cell(t, "%.1f / %.1f", 100 * e->p50, 100 * e->p90);
    else
        hd_text_table_cell(t, "-");
}

static void add_row(struct hd_text_table *t, const char *gpu, enum hd_roof_op op,
                    enum hd_roof_type type, const struct hd_kernel_table *k) {
    const struct hd_roof_law *law = &k->law;
    hd_text_table_cell(t, "%s", gpu);
    hd_text_table_cell(t, "%s", hd_roof_op_name(op));
    hd_text_table_cell(t, "%s", hd_roof_type_name(type));
    hd_text_table_cell(t, "%d", k->in_sample.values);
    hd_text_table_cell(t, "%.1f", law->t0_s * 1e6);
    if (op == HD_ROOF_DECODE)
        hd_text_table_cell(t, "%.1f us", law->ec * 1e6);
    else
        hd_text_table_cell(t, "%.2f", law->ec);
    hd_text_table_cell(t, "%.2f", law->em);
    hd_text_table_cell(t, "%d", hd_grid_values(&law->grid));
    cell_error(t, &k->roof_only);
    cell_error(t, &k->in_sample);
    cell_error(t, &k->held_out);
}

static struct hd_text_table *new_table(void) {
    static const char *const right[] = {"rows",         "t0\nus",
                                        "ec or\nc1",    "em",
                                        "knots",        "roofline\nheld out, %",
                                        "in sample\n%", "held out\n%"};
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "GPU", false);
    hd_text_table_column(t, "kernel", false);
    hd_text_table_column(t, "type", false);
    for (size_t n = 0; n < sizeof right / sizeof *right; n++)
        hd_text_table_column(t, right[n], true);
    return t;
}

static void add_tables(struct hd_text_table *t, const char *gpu,
                       const struct hd_kernel_tables *tables) {
    const char *name = gpu;
    for (int op = 0; op < HD_ROOF_OPS; op++)
        for (int type = 0; type < HD_ROOF_TYPES; type++) {
            const struct hd_kernel_table *k = &tables->of[op][type];
            if (!k->law.known) continue;
            add_row(t, name, (enum hd_roof_op)op, (enum hd_roof_type)type, k);
            name = "";
        }
}

/* ---- the command --------------------------------------------------------- */

static bool is_among(const char *list, const struct hd_gpu_spec *gpu,
                     const struct hd_catalog *catalog) {
    for (; list && *list; list += strcspn(list, ","), list += *list == ',') {
        char *name = hd_format("%.*s", (int)strcspn(list, ","), list);
        struct hd_err ignored = {0};
        bool is = hd_catalog_gpu(catalog, name, &ignored) == gpu;
        free(name);
        if (is) return true;
    }
    return list == NULL;
}

/* Every name of the list must be one that was measured, before any work. */
static bool check(const char *list, const struct hd_catalog *catalog,
                  struct hd_problem *problem) {
    for (; *list; list += strcspn(list, ","), list += *list == ',') {
        char *name = hd_format("%.*s", (int)strcspn(list, ","), list);
        struct hd_err why = {0};
        const struct hd_gpu_spec *gpu = hd_catalog_gpu(catalog, name, &why);
        free(name);
        if (!gpu) return hd_usage(problem, "--gpu: %s", why.text);
        const char *known = NULL;
        for (int n = 0; !known && hd_tables_gpu(n); n++)
            if (strcmp(hd_tables_gpu(n), gpu->name) == 0) known = gpu->name;
        if (!known)
            return hd_usage(problem,
                            "--gpu: no kernels of %s were published; those of %s "
                            "stand for them",
                            gpu->name, gpu->tabled->name);
    }
    return true;
}

static bool fit_one(const struct hd_catalog *catalog, const struct hd_gpu_spec *gpu,
                    const struct hd_args *args, struct hd_text_table *shown,
                    struct hd_problem *problem) {
    struct hd_kernels rows = {0};
    struct hd_err why = {0};
    struct hd_kernel_tables *tables = hd_alloc(sizeof *tables);
    char *folder = hd_home_path("results/calibration");
    bool fine = hd_tables_rows(catalog, hd_args_get(args, "data"), gpu, &rows, &why);
    if (fine) {
        hd_tables_fit(&rows, gpu, tables);
        fine = hd_tables_fit_skew(hd_args_get(args, "data"), gpu, tables, &why);
    }
    if (fine) {
        add_tables(shown, gpu->name, tables);
        if (hd_args_get(args, "write")) {
            fine = hd_tables_write(tables, gpu, folder, &why);
            if (fine) fprintf(stderr, "written: %s/%s\n", folder, gpu->name);
        }
    }
    free(folder);
    hd_kernel_tables_free(tables);
    free(tables);
    hd_kernels_free(&rows);
    return fine || hd_bad_input(problem, "%s", why.text);
}

static bool fit(const struct hd_args *args, struct hd_problem *problem) {
    const char *list = hd_args_get(args, "gpu");
    struct hd_err why = {0};
    if (!hd_args_get(args, "data"))
        return hd_usage(problem,
                        "calibrate kernels: no --data DIR; expected the folder "
                        "of the measurements");
    struct hd_catalog *catalog = hd_catalog_load(&why);
    if (!catalog) return hd_bad_input(problem, "%s", why.text);
    bool fine = (!list || check(list, catalog, problem)) &&
                hd_calibrate_has(hd_args_get(args, "data"), "kernels", problem);
    struct hd_text_table *shown = new_table();
    for (int n = 0; fine && hd_tables_gpu(n); n++) {
        const struct hd_gpu_spec *gpu = hd_catalog_gpu(catalog, hd_tables_gpu(n), &why);
        if (gpu && is_among(list, gpu, catalog))
            fine = fit_one(catalog, gpu, args, shown, problem);
    }
    if (fine) {
        hd_text_table_print(shown, 0, stdout);
        fine = hd_stdout_flush(problem);
    }
    hd_text_table_free(shown);
    hd_catalog_free(catalog);
    return fine;
}

const struct hd_calibrate_word hd_calibrate_kernels = {
    "kernels", "calibrate kernels", options, OPTIONS, &help, 0,
    0,         "no further word",   fit};
