/* Points, groups and their errors; the data file that the scripts read. */
#include "calibrate/plot.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calibrate/plot_parts.h"
#include "calibrate/roof.h"
#include "output/figure.h"

const char *const hd_plot_pictures[HD_PLOT_PICTURES] = {"roofline.png", "predicted.png",
                                                        "errors.png"};

/* ---- points and groups ---------------------------------------------------- */

static size_t kind_of(const struct hd_kernel_row *row) {
    return strcspn(row->variant, ":");
}

static bool belongs(const struct hd_plot_group *g, const struct hd_kernel_row *row) {
    size_t bytes = kind_of(row);
    return g->op == row->op && strcmp(g->dtype, row->dtype) == 0 &&
           strlen(g->kind) == bytes && strncmp(g->kind, row->variant, bytes) == 0;
}

static struct hd_plot_group *group_of(struct hd_plot *plot,
                                      const struct hd_kernel_row *row) {
    for (int n = 0; n < plot->groups; n++)
        if (belongs(&plot->group[n], row)) return &plot->group[n];
    plot->group =
        hd_grow(plot->group, &plot->capacity, plot->groups + 1, sizeof *plot->group);
    struct hd_plot_group *g = &plot->group[plot->groups++];
    *g = (struct hd_plot_group){.op = row->op,
                                .dtype = row->dtype,
                                .kind =
                                    hd_format("%.*s", (int)kind_of(row), row->variant)};
    return g;
}

static int by_group(const void *a, const void *b) {
    const struct hd_plot_group *x = a, *y = b;
    int order = (x->op > y->op) - (x->op < y->op);
    if (!order) order = strcmp(x->dtype, y->dtype);
    return order ? order : strcmp(x->kind, y->kind);
}

/* Work over memory: over links it meets another roof, and a part of the GPU or bytes
 * that are in its cache already meet none of the data sheet's. */
static bool under_roof(const struct hd_kernel_row *row) {
    return row->op <= HD_OP_SAMPLING ||
           (row->op == HD_OP_HBM && !strchr(row->variant, '_'));
}

static void summarise(struct hd_plot_group *g) {
    static const double at[] = {0.05, 0.25, 0.5, 0.75, 0.95};
    size_t room = (size_t)g->points + 1, count = 0;
    double claim = 0;
    int claimed = 0;
    double *ratio = hd_alloc(room * sizeof *ratio);
    double *error = hd_alloc(room * sizeof *error);
    for (int n = 0; n < g->points; n++) {
        const struct hd_plot_point *p = &g->point[n];
        if (!(p->predicted_us > 0)) continue;
        ratio[count] = p->predicted_us / p->row->time_us;
        error[count] = fabs(ratio[count] - 1);
        count++;
        if (!isnan(p->claim_p90)) claim += p->claim_p90, claimed++;
    }
    g->predicted = (int)count;
    g->claim_p90 = claimed ? claim / claimed : NAN;
    g->error = hd_fit_error_of(error, g->predicted);
    gsl_sort(ratio, 1, count);
    for (int q = 0; q < 5; q++)
        g->ratio[q] =
            count ? gsl_stats_quantile_from_sorted_data(ratio, 1, count, at[q]) : NAN;
    free(ratio);
    free(error);
}

/* Sums of what was claimed for points, and of how many. */
struct claims {
    double p50, p90;
    int points;
};

static void add_claim(struct claims *sum, const struct hd_row_prediction *is) {
    if (isnan(is->p90)) return;
    sum->p50 += is->p50;
    sum->p90 += is->p90;
    sum->points++;
}

static void pool_errors(struct hd_plot *plot, const struct claims *sum) {
    double *error = hd_alloc(((size_t)plot->points + 1) * sizeof *error);
    int count = 0;
    for (int g = 0; g < plot->groups; g++)
        for (int n = 0; n < plot->group[g].points; n++) {
            const struct hd_plot_point *p = &plot->group[g].point[n];
            if (p->predicted_us > 0)
                error[count++] = fabs(p->predicted_us / p->row->time_us - 1);
        }
    plot->predicted = count;
    plot->error = hd_fit_error_of(error, count);
    plot->claim_p50 = sum->points ? sum->p50 / sum->points : NAN;
    plot->claim_p90 = sum->points ? sum->p90 / sum->points : NAN;
    free(error);
}

/* Adds the row's point if there is anywhere to draw it. */
static void add_row(struct hd_plot *plot, const struct hd_kernel_row *row,
                    const struct hd_row_prediction *is) {
    struct hd_kernel_work work = hd_kernel_work_of(row, NULL);
    if (!under_roof(row)) work = (struct hd_kernel_work){0, 0};
    if (!(work.bytes > 0) && !(is->us > 0)) {
        plot->not_shown++;
        return;
    }
    struct hd_plot_group *g = group_of(plot, row);
    g->point = hd_grow(g->point, &g->capacity, g->points + 1, sizeof *g->point);
    g->point[g->points++] =
        (struct hd_plot_point){row, work.flops, work.bytes, is->us, is->p90};
    plot->points++;
}

void hd_plot_of(struct hd_plot *plot, const struct hd_kernels *set,
                const struct hd_row_predictor *predictor) {
    *plot = (struct hd_plot){.gpu = predictor->gpu};
    struct claims all = {0};
    for (int n = 0; n < set->rows; n++) {
        const struct hd_kernel_row *row = &set->row[n];
        if (row->gpu != plot->gpu) continue;
        struct hd_row_prediction is = hd_row_predict(predictor, row);
        add_row(plot, row, &is);
        if (is.us > 0) add_claim(&all, &is);
    }
    if (plot->groups)
        qsort(plot->group, (size_t)plot->groups, sizeof *plot->group, by_group);
    for (int g = 0; g < plot->groups; g++) summarise(&plot->group[g]);
    pool_errors(plot, &all);
}

void hd_plot_free(struct hd_plot *plot) {
    for (int g = 0; g < plot->groups; g++) {
        free(plot->group[g].kind);
        free(plot->group[g].point);
    }
    free(plot->group);
    *plot = (struct hd_plot){0};
}

/* ---- files ---------------------------------------------------------------- */

bool hd_plot_computes(const struct hd_plot_group *g) {
    return g->points && g->point[0].flops > 0;
}

bool hd_plot_streams(const struct hd_plot_group *g) {
    return g->points && g->point[0].bytes > 0 && !(g->point[0].flops > 0);
}

char *hd_plot_label(const struct hd_plot_group *g) {
    return hd_format("%s%s%s%s%s", hd_kernel_op_name(g->op), *g->dtype ? " " : "",
                     g->dtype, *g->kind ? " " : "", g->kind);
}

static void number(FILE *f, double x) {
    if (x > 0)
        fprintf(f, "\t%.6g", x);
    else
        fputs("\tNaN", f);
}

static void write_points(const struct hd_plot *plot, FILE *f) {
    fputs("# A block for each group: measured us, predicted us, FLOP for each byte, "
          "FLOP/s,\n# bytes, bytes/s. NaN: there is none.\n",
          f);
    for (int g = 0; g < plot->groups; g++) {
        char *label = hd_plot_label(&plot->group[g]);
        fprintf(f, "# %s\n", label);
        free(label);
        for (int n = 0; n < plot->group[g].points; n++) {
            const struct hd_plot_point *p = &plot->group[g].point[n];
            double seconds = p->row->time_us * 1e-6;
            fprintf(f, "%.6g", p->row->time_us);
            number(f, p->predicted_us);
            number(f, p->bytes > 0 ? p->flops / p->bytes : 0);
            number(f, p->flops / seconds);
            number(f, p->bytes);
            number(f, p->bytes / seconds);
            putc('\n', f);
        }
        fputs("\n\n", f);
    }
}

/* Groups with predictions only, the first on top. */
static void write_errors(const struct hd_plot *plot, FILE *f) {
    fputs("# Place, predicted / measured at 5, 25, 50, 75, 95 % of the points, error "
          "(p90) "
          "that\n# the predictions carry, points\n",
          f);
    int place = 0;
    for (int g = plot->groups - 1; g >= 0; g--) {
        const struct hd_plot_group *is = &plot->group[g];
        if (is->predicted == 0) continue;
        fprintf(f, "%d", place++);
        for (int q = 0; q < 5; q++) number(f, is->ratio[q]);
        number(f, is->claim_p90);
        fprintf(f, "\t%d\n", is->predicted);
    }
}

static bool write_file(const struct hd_plot *plot, struct hd_outdir *dir,
                       const char *name, void (*write)(const struct hd_plot *, FILE *),
                       struct hd_err *err) {
    FILE *f = hd_outdir_open(dir, name, err);
    if (!f) return false;
    write(plot, f);
    return hd_outdir_close(dir, f, name, err);
}

static bool any_roof(const struct hd_plot *plot) {
    for (int g = 0; g < plot->groups; g++)
        if (hd_plot_computes(&plot->group[g]) || hd_plot_streams(&plot->group[g]))
            return true;
    return false;
}

bool hd_plot_write(const struct hd_plot *plot, struct hd_outdir *dir,
                   struct hd_err *no_figure, struct hd_err *err) {
    static const char *const script[HD_PLOT_PICTURES] = {"roofline.gp", "predicted.gp",
                                                         "errors.gp"};
    static void (*const write[])(const struct hd_plot *, FILE *) = {
        hd_plot_script_roofline, hd_plot_script_predicted, hd_plot_script_errors};
    if (!write_file(plot, dir, "points.dat", write_points, err) ||
        !write_file(plot, dir, "errors.dat", write_errors, err))
        return false;
    for (int n = 0; n < HD_PLOT_PICTURES; n++) {
        if (n == 0 ? !any_roof(plot) : plot->predicted == 0) continue;
        if (!write_file(plot, dir, script[n], write[n], err)) return false;
        if (!no_figure->text[0])
            hd_figure_draw(hd_outdir_folder(dir), script[n], &hd_plot_pictures[n], 1,
                           no_figure);
    }
    return true;
}
