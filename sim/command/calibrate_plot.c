/* hotdesk calibrate plot: measurements of a GPU as pictures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate/plot.h"
#include "calibrate/shipped.h"
#include "command/calibrate.h"
#include "output/quantity.h"
#include "output/text_table.h"

static const struct hd_option options[] = {
    {HD_GROUP_WHAT, 1, "measurements", "FILES...", NULL, "what ships", true,
     "files of kernel measurements: `hotdesk calibrate import` makes them"},
    {HD_GROUP_WRITTEN, 1, "out", "FOLDER", NULL, NULL, false,
     "where the pictures go, with their data and gnuplot scripts"},
    {HD_GROUP_WRITTEN, 1, "force", NULL, NULL, NULL, false,
     "replace pictures that are in FOLDER"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help help = {
    "hotdesk calibrate plot GPU --out FOLDER [options]",
    "Draws roofline.png: measured kernels under the data sheet's roofline;\n"
    "predicted.png: measured times against what the shipped tables say, with the 1:1 "
    "line\n"
    "and the band of their held-out error; errors.png: how far off, by op.",
    {"hotdesk calibrate plot H200 --out /tmp/h200 --force",
     "hotdesk calibrate plot H100 --measurements k.csv --out pictures"},
};

static void cell_error(struct hd_text_table *t, const struct hd_fit_error *e) {
    hd_text_table_cell(t, "%.1f / %.1f", 100 * e->p50, 100 * e->p90);
}

static void print_groups(const struct hd_plot *plot) {
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "op", false);
    hd_text_table_column(t, "variant", false);
    hd_text_table_column(t, "points", true);
    hd_text_table_column(t, "predicted", true);
    hd_text_table_column(t, "predicted /\nmeasured", true);
    hd_text_table_column(t, "off by, %\np50 / p90", true);
    for (int n = 0; n < plot->groups; n++) {
        const struct hd_plot_group *g = &plot->group[n];
        hd_text_table_cell(t, "%s%s%s", hd_kernel_op_name(g->op), *g->dtype ? " " : "",
                           g->dtype);
        hd_text_table_cell(t, "%s", *g->kind ? g->kind : "-");
        hd_text_table_cell(t, "%d", g->points);
        hd_text_table_cell(t, "%d", g->predicted);
        if (g->predicted) {
            hd_text_table_cell(t, "%.2f", g->ratio[2]);
            cell_error(t, &g->error);
        } else {
            hd_text_table_cell(t, "-");
            hd_text_table_cell(t, "-");
        }
    }
    hd_text_table_print(t, 0, stdout);
    hd_text_table_free(t);
    if (plot->not_shown)
        printf("\nnot shown: %s without a roofline and a prediction\n",
               hd_say_things(plot->not_shown, "row").text);
}

static bool draw(const struct hd_plot *plot, const struct hd_args *args,
                 struct hd_problem *problem) {
    const char *path = hd_args_get(args, "out");
    struct hd_err why = {0}, no_figure = {0};
    struct hd_outdir *dir = hd_outdir_begin(path, hd_args_get(args, "force") != NULL,
                                            "points.dat", NULL, 0, NULL, &why);
    bool fine = dir && hd_plot_write(plot, dir, &no_figure, &why);
    if (dir && !fine) hd_outdir_abort(dir);
    fine = fine && hd_outdir_commit(dir, &why);
    if (!fine) return hd_bad_input(problem, "%s", why.text);
    if (no_figure.text[0]) fprintf(stderr, "warning: %s\n", no_figure.text);
    fprintf(stderr, "written: %s\n", path);
    return true;
}

static bool read(struct hd_kernels *set, const struct hd_catalog *catalog,
                 const struct hd_gpu_spec *gpu, const struct hd_args *args,
                 struct hd_err *why) {
    if (!hd_args_get(args, "measurements")) {
        if (!hd_shipped_measurements(set, catalog, gpu, why)) return false;
        return set->rows ||
               hd_fail(why,
                       "%s: no measurements ship; expected --measurements FILES...",
                       gpu->name);
    }
    for (int n = 0; n < args->count; n++)
        if (strcmp(args->given[n].option->name, "measurements") == 0 &&
            !hd_kernels_read(set, catalog, args->given[n].value, why))
            return false;
    for (int n = 1; n < args->words; n++)
        if (!hd_kernels_read(set, catalog, args->word[n], why)) return false;
    return true;
}

static bool show(const struct hd_kernels *set, const struct hd_catalog *catalog,
                 const struct hd_gpu_spec *gpu, const struct hd_args *args,
                 struct hd_problem *problem) {
    struct hd_err why = {0};
    struct hd_row_predictor predictor;
    if (!hd_row_predictor_init(&predictor, catalog, gpu, &why))
        return hd_bad_input(problem, "%s", why.text);
    struct hd_plot plot;
    hd_plot_of(&plot, set, &predictor);
    bool fine =
        plot.points > 0 || hd_bad_input(problem, "%s: nothing of %s that can be drawn",
                                        set->file[0], gpu->name);
    if (fine && draw(&plot, args, problem)) {
        print_groups(&plot);
        fine = hd_stdout_flush(problem);
    }
    hd_plot_free(&plot);
    hd_row_predictor_free(&predictor);
    return fine;
}

static bool plot(const struct hd_args *args, struct hd_problem *problem) {
    if (args->words > 1 && !hd_args_get(args, "measurements"))
        return hd_usage(problem,
                        "calibrate plot: '%s' is one word too many; expected one GPU, "
                        "and files behind --measurements",
                        args->word[1]);
    if (!hd_args_get(args, "out"))
        return hd_usage(problem,
                        "calibrate plot: no --out FOLDER; expected where to write");
    struct hd_err why = {0};
    struct hd_catalog *catalog = hd_catalog_load(&why);
    if (!catalog) return hd_bad_input(problem, "%s", why.text);
    struct hd_kernels set = {0};
    const struct hd_gpu_spec *gpu = hd_catalog_gpu(catalog, args->word[0], &why);
    bool fine = gpu || hd_usage(problem, "%s", why.text);
    fine = fine && (read(&set, catalog, gpu, args, &why) ||
                    hd_bad_input(problem, "%s", why.text));
    fine = fine && show(&set, catalog, gpu, args, problem);
    hd_kernels_free(&set);
    hd_catalog_free(catalog);
    return fine;
}

const struct hd_calibrate_word hd_calibrate_plot = {
    "plot", "calibrate plot", options, OPTIONS, &help, 1, -1, "one GPU", plot};
