/* hotdesk calibrate fit: how the shipped timing coefficients came about, once more. */
#include <stdlib.h>
#include <string.h>

#include "base/home.h"
#include "base/mem.h"
#include "calibrate/calibrate.h"
#include "calibrate/check.h"
#include "command/calibrate.h"
#include "output/text_table.h"

static const struct hd_option options[] = {
    {HD_GROUP_WHAT, 1, "data", "DIR", NULL, NULL, false,
     "the measurements: a folder with measured/ and kernels/"},
    {HD_GROUP_WHAT, 1, "gpu", "A,B", NULL, "all that were measured", false,
     "which GPUs to show and write"},
    {HD_GROUP_WRITTEN, 1, "write", NULL, NULL, NULL, false,
     "replace the coefficients in results/calibration"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help help = {
    "hotdesk calibrate fit --data DIR [options]",
    "Fits the timing law to measured iterations and all-reduces, and shows how far "
    "off\n"
    "it is: on what it was fitted to, on models it had not seen, and on other GPUs\n"
    "through their data sheets. Errors are median / 90th percentile in percent.",
    {"hotdesk calibrate fit --data ../shared/data",
     "hotdesk calibrate fit --data ../shared/data --gpu H100 --write"},
};

/* ---- printing ------------------------------------------------------------ */

static void cell_error(struct hd_text_table *t, const struct hd_fit_error *e) {
    hd_text_table_cell(t, "%.1f / %.1f", 100 * e->p50, 100 * e->p90);
}

static void cell_reference(struct hd_text_table *t, const struct hd_check_limit *e) {
    if (e->p50 > 0)
        hd_text_table_cell(t, "%.1f / %.1f", 100 * e->p50, 100 * e->p90);
    else
        hd_text_table_cell(t, "-");
}

static void print_coefficients(const struct hd_calibration_report *all,
                               const bool *wanted, int count) {
    static const char *const title[] = {"t0\nms", "tl\nus", "ts\nus", "ec",
                                        "em",     "ea",     "ek"};
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "GPU", false);
    hd_text_table_column(t, "models", true);
    hd_text_table_column(t, "rows", true);
    for (int n = 0; n < 7; n++) hd_text_table_column(t, title[n], true);
    hd_text_table_column(t, "", false);
    for (int n = 0; n < count; n++) {
        const struct hd_calibration_report *r = &all[n];
        if (!wanted[n] || !r->iterations) continue;
        hd_text_table_cell(t, "%s", r->gpu->name);
        hd_text_table_cell(t, "%d", r->models);
        hd_text_table_cell(t, "%d", r->rows);
        hd_text_table_cell(t, "%.2f", r->fit.t0_s * 1e3);
        hd_text_table_cell(t, "%.0f", r->fit.tl_s * 1e6);
        hd_text_table_cell(t, "%.0f", r->fit.ts_s * 1e6);
        hd_text_table_cell(t, "%.2f", r->fit.ec);
        hd_text_table_cell(t, "%.2f", r->fit.em);
        hd_text_table_cell(t, "%.2f", r->fit.ea);
        hd_text_table_cell(t, "%.2f", r->fit.ek);
        hd_text_table_cell(t, "%s", r->suspect ? "suspect" : "");
    }
    hd_text_table_print(t, 0, stdout);
    hd_text_table_free(t);
}

static void print_errors(const struct hd_calibration_report *all, const bool *wanted,
                         int count) {
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "GPU", false);
    hd_text_table_column(t, "error, %", false);
    hd_text_table_column(t, "in sample\nprefill", true);
    hd_text_table_column(t, "in sample\ndecode", true);
    hd_text_table_column(t, "in sample\nboth", true);
    hd_text_table_column(t, "held out\nprefill", true);
    hd_text_table_column(t, "held out\ndecode", true);
    hd_text_table_column(t, "held out\nboth", true);
    hd_text_table_column(t, "other GPUs", true);
    for (int n = 0; n < count; n++) {
        const struct hd_calibration_report *r = &all[n];
        if (!wanted[n] || !r->iterations) continue;
        hd_text_table_cell(t, "%s", r->gpu->name);
        hd_text_table_cell(t, "%s", r->held_out_elsewhere ? "this fit *" : "this fit");
        cell_error(t, &r->in_sample.prefill);
        cell_error(t, &r->in_sample.decode);
        cell_error(t, &r->in_sample.both);
        cell_error(t, &r->held_out.prefill);
        cell_error(t, &r->held_out.decode);
        cell_error(t, &r->held_out.both);
        cell_error(t, &r->transfer.both);
        const struct hd_iteration_reference *p =
            hd_iteration_reference_of(r->gpu->name);
        if (!p) continue;
        hd_text_table_cell(t, "%s", "");
        hd_text_table_cell(t, "reference");
        hd_text_table_cell(t, "-");
        hd_text_table_cell(t, "-");
        cell_reference(t, &p->in_sample);
        cell_reference(t, &p->prefill);
        cell_reference(t, &p->decode);
        cell_reference(t, &p->both);
        hd_text_table_cell(t, "-");
    }
    hd_text_table_print(t, 0, stdout);
    hd_text_table_free(t);
    printf("\nheld out: each model by a fit on the others; * one model only: what fits "
           "on it\nalone do to the others' rows on other GPUs. reference: an earlier "
           "fit of the same\nlaw to the same rows, without the pull that fit.c "
           "explains.\n");
}

static void print_reduces(const struct hd_calibration_report *all, const bool *wanted,
                          int count, bool apart) {
    static const double size[] = {8 << 10, 1 << 20, 64 << 20};
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "all-reduce of", false);
    hd_text_table_column(t, "kernel", false);
    hd_text_table_column(t, "GPUs", true);
    hd_text_table_column(t, "8 KiB\nus", true);
    hd_text_table_column(t, "1 MiB\nus", true);
    hd_text_table_column(t, "64 MiB\nus", true);
    hd_text_table_column(t, "in sample\n%", true);
    hd_text_table_column(t, "held out\n%", true);
    bool any = false;
    for (int n = 0; n < count; n++) {
        const struct hd_calibration_report *r = &all[n];
        if (!wanted[n] || !r->reduce_source) continue;
        any = true;
        for (int g = 0; g < r->reduce.fit.groups; g++) {
            int gpus = r->reduce.fit.group[g].gpus;
            hd_text_table_cell(t, "%s", g ? "" : r->gpu->name);
            hd_text_table_cell(t, "%s", g ? "" : r->reduce_source->kernel);
            hd_text_table_cell(t, "%d", gpus);
            for (size_t b = 0; b < sizeof size / sizeof *size; b++)
                hd_text_table_cell(t, "%.1f",
                                   1e6 * hd_reduce_s(&r->reduce.fit, gpus, size[b]));
            if (g) {
                hd_text_table_cell(t, "%s", "");
                hd_text_table_cell(t, "%s", "");
            } else {
                cell_error(t, &r->reduce.in_sample);
                cell_error(t, &r->reduce.held_out);
            }
        }
    }
    if (any) {
        if (apart) putchar('\n');
        hd_text_table_print(t, 0, stdout);
        printf("\nheld out: every second size.\n");
    }
    hd_text_table_free(t);
}

/* ---- the command --------------------------------------------------------- */

enum { CHOSEN_MAX = 64 };

/* The GPUs of a comma list: known ones with a measurement, before any work. */
static bool choose(const struct hd_catalog *catalog, const char *list,
                   const struct hd_gpu_spec *chosen[CHOSEN_MAX], int *count,
                   struct hd_problem *problem) {
    *count = 0;
    while (*list) {
        size_t length = strcspn(list, ",");
        char *name = hd_format("%.*s", (int)length, list);
        struct hd_err why = {0};
        const struct hd_gpu_spec *gpu = hd_catalog_gpu(catalog, name, &why);
        free(name);
        if (!gpu) return hd_usage(problem, "--gpu: %s", why.text);
        if (gpu->fitted != gpu && !hd_reduce_source_of(gpu->name))
            return hd_usage(problem,
                            "--gpu: nothing was measured on %s; its timing is "
                            "scaled from %s",
                            gpu->name, gpu->fitted->name);
        if (*count == CHOSEN_MAX) return hd_usage(problem, "--gpu: too many");
        chosen[(*count)++] = gpu;
        list += length + (list[length] == ',');
    }
    return *count > 0 || hd_usage(problem, "--gpu: no name; expected one or more");
}

static bool write_all(const struct hd_calibration_report *report, const bool *wanted,
                      int count, struct hd_problem *problem) {
    struct hd_err why = {0};
    char *folder = hd_home_path("results/calibration");
    for (int n = 0; n < count && !why.text[0]; n++)
        if (wanted[n] && hd_calibration_write(&report[n], folder, &why))
            fprintf(stderr, "written: %s/%s\n", folder, report[n].gpu->name);
    free(folder);
    return why.text[0] ? hd_bad_input(problem, "%s", why.text) : true;
}

static bool show(const struct hd_calibration_report *report, const bool *wanted,
                 int count, struct hd_problem *problem) {
    bool iterations = false;
    for (int n = 0; n < count; n++) iterations |= wanted[n] && report[n].iterations;
    if (iterations) {
        print_coefficients(report, wanted, count);
        putchar('\n');
        print_errors(report, wanted, count);
    }
    print_reduces(report, wanted, count, iterations);
    return hd_stdout_flush(problem);
}

static bool fit(const struct hd_args *args, struct hd_problem *problem) {
    const char *data = hd_args_get(args, "data"), *list = hd_args_get(args, "gpu");
    const struct hd_gpu_spec *chosen[CHOSEN_MAX];
    struct hd_err why = {0};
    int count = 0, chosen_count = 0;
    if (!data)
        return hd_usage(problem, "calibrate fit: no --data DIR; expected the folder of "
                                 "the measurements");
    if (!hd_calibrate_has(data, "measured", problem)) return false;
    struct hd_catalog *catalog = hd_catalog_load(&why);
    bool fine = catalog != NULL || hd_bad_input(problem, "%s", why.text);
    fine = fine && (!list || choose(catalog, list, chosen, &chosen_count, problem));
    struct hd_calibration_report *report =
        fine ? hd_calibrate(catalog, data, &count, &why) : NULL;
    fine = fine && (report || hd_bad_input(problem, "%s", why.text));
    bool *wanted = hd_alloc((size_t)count * sizeof *wanted);
    for (int n = 0; n < count; n++) {
        wanted[n] = !list;
        for (int c = 0; c < chosen_count; c++)
            if (chosen[c] == report[n].gpu) wanted[n] = true;
    }
    fine = fine && show(report, wanted, count, problem);
    if (fine && hd_args_get(args, "write"))
        fine = write_all(report, wanted, count, problem);
    free(wanted);
    free(report);
    hd_catalog_free(catalog);
    return fine;
}

const struct hd_calibrate_word hd_calibrate_fit = {
    "fit", "calibrate fit", options, OPTIONS, &help, 0, 0, "no further word", fit};
