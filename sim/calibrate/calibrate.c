/* Fit, judge, write: the steps of one GPU's calibration. */
#include "calibrate/calibrate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/new_file.h"

/* The H20's rows read weights at 1.1 TB/s of 4.0: below this the measurement, not the
 * model, is the likelier culprit. */
#define SUSPECT_BELOW 0.5

/* ---- judging ------------------------------------------------------------- */

/* Models with clean rows on the GPU, and how many rows; -1: too many models. */
static int models_of(const struct hd_measured *measured, const struct hd_gpu_spec *gpu,
                     const struct hd_model_spec **model, int *rows) {
    int models = 0;
    *rows = 0;
    for (int n = 0; n < measured->rows; n++) {
        const struct hd_measured_row *row = &measured->row[n];
        if (row->gpu != gpu || !hd_measured_is_clean(row)) continue;
        (*rows)++;
        int m = 0;
        while (m < models && model[m] != row->model) m++;
        if (m < models) continue;
        if (models == HD_CALIBRATED_MODELS_MAX) return -1;
        model[models++] = row->model;
    }
    return models;
}

static void leave_one_out(const struct hd_measured *measured,
                          const struct hd_calibration_report *r,
                          struct hd_fit_tally *tally) {
    for (int m = 0; m < r->models; m++) {
        struct hd_fit_rows others = {.gpu = r->gpu, .not_model = r->model[m]};
        struct hd_fit_rows it = {.gpu = r->gpu, .model = r->model[m]};
        struct hd_iteration_fit fit = hd_fit_iteration(measured, &others);
        hd_fit_judge(&fit, measured, &it, tally);
    }
}

/* What a fit to this one model does to the others of the same GPU. */
static void leave_one_in(const struct hd_measured *measured,
                         const struct hd_calibration_report *r,
                         const struct hd_model_spec *model,
                         struct hd_fit_tally *tally) {
    bool has_it = false;
    for (int m = 0; m < r->models; m++) has_it |= r->model[m] == model;
    if (!has_it || r->models < 2) return;
    struct hd_fit_rows one = {.gpu = r->gpu, .model = model};
    struct hd_fit_rows rest = {.gpu = r->gpu, .not_model = model};
    struct hd_iteration_fit fit = hd_fit_iteration(measured, &one);
    hd_fit_judge(&fit, measured, &rest, tally);
}

static void fit_own(const struct hd_measured *measured,
                    struct hd_calibration_report *r) {
    struct hd_fit_rows own = {.gpu = r->gpu};
    struct hd_fit_tally tally = {0};
    r->fit = hd_fit_iteration(measured, &own);
    r->suspect = r->fit.em < SUSPECT_BELOW;
    hd_fit_judge(&r->fit, measured, &own, &tally);
    r->in_sample = hd_fit_summary(&tally);
}

static void judge(const struct hd_measured *measured, struct hd_calibration_report *r,
                  const struct hd_calibration_report *all, int count) {
    struct hd_fit_tally transfer = {0}, held_out = {0};
    r->held_out_elsewhere = r->models < 2;
    if (!r->held_out_elsewhere) leave_one_out(measured, r, &held_out);
    for (int n = 0; n < count; n++) {
        const struct hd_calibration_report *other = &all[n];
        if (other == r || !other->iterations || other->suspect) continue;
        struct hd_fit_rows rows = {.gpu = other->gpu};
        hd_fit_judge(&r->fit, measured, &rows, &transfer);
        if (r->held_out_elsewhere)
            leave_one_in(measured, other, r->model[0], &held_out);
    }
    r->transfer = hd_fit_summary(&transfer);
    r->held_out = hd_fit_summary(&held_out);
}

static bool calibrate_all(const struct hd_measured *measured, const char *data,
                          struct hd_calibration_report *report, int count,
                          struct hd_err *err) {
    for (int n = 0; n < count; n++)
        if (report[n].iterations) fit_own(measured, &report[n]);
    for (int n = 0; n < count; n++) {
        struct hd_calibration_report *r = &report[n];
        if (r->iterations) judge(measured, r, report, count);
        if (r->reduce_source &&
            !hd_reduce_fit_read(data, r->reduce_source, &r->reduce, err))
            return false;
        if (r->graph_source &&
            !hd_reduce_fit_read(data, r->graph_source, &r->graph, err))
            return false;
    }
    return true;
}

struct hd_calibration_report *hd_calibrate(const struct hd_catalog *catalog,
                                           const char *data, int *count,
                                           struct hd_err *err) {
    struct hd_measured measured;
    char *path = hd_format("%s/measured/aegaeon_iterations.csv", data);
    bool fine = hd_measured_read(catalog, path, &measured, err);
    free(path);
    if (!fine) return NULL;
    int gpus;
    const struct hd_gpu_spec *gpu = hd_catalog_gpus(catalog, &gpus);
    struct hd_calibration_report *report = hd_alloc((size_t)gpus * sizeof *report);
    *count = 0;
    for (int n = 0; n < gpus; n++) {
        struct hd_calibration_report r = {.gpu = &gpu[n]};
        r.models = models_of(&measured, r.gpu, r.model, &r.rows);
        if (r.models < 0)
            fine = hd_fail(err, "%s: measured with more than %d models", r.gpu->name,
                           HD_CALIBRATED_MODELS_MAX);
        r.iterations = r.models > 0;
        r.reduce_source = hd_reduce_source_of(r.gpu->name);
        r.graph_source = hd_reduce_graph_source_of(r.gpu->name);
        if (r.iterations || r.reduce_source) report[(*count)++] = r;
    }
    fine = fine && calibrate_all(&measured, data, report, *count, err);
    hd_measured_free(&measured);
    if (fine) return report;
    free(report);
    return NULL;
}

/* ---- writing ------------------------------------------------------------- */

static void put_errors(FILE *out, const char *name, const struct hd_fit_errors *e,
                       const char *note) {
    fprintf(out, "%s_p50,%.4f,%s: median error\n", name, e->both.p50, note);
    fprintf(out, "%s_p90,%.4f,%s: 90th percentile\n", name, e->both.p90, note);
}

static void put_iteration(FILE *out, const struct hd_calibration_report *r) {
    const struct hd_iteration_fit *f = &r->fit;
    fprintf(out, "name,value,note\n");
    fprintf(out, "basis,%s,%s\n", r->suspect ? "suspect" : "fitted",
            r->suspect ? "the rows read weights at less than half of the data sheet's "
                         "bandwidth"
                       : "to iterations measured on this GPU");
    fprintf(out, "t0_s,%.4g,per iteration\n", f->t0_s);
    fprintf(out, "tl_s,%.4g,per layer: launches\n", f->tl_s);
    fprintf(out, "ts_s,%.4g,per sequence: host\n", f->ts_s);
    fprintf(out, "ec,%.4g,GEMM: share of peak compute\n", f->ec);
    fprintf(out, "em,%.4g,GEMM: share of peak bandwidth\n", f->em);
    fprintf(out, "ea,%.4g,attention: share of peak compute\n", f->ea);
    fprintf(out, "ek,%.4g,attention: share of peak bandwidth\n", f->ek);
    put_errors(out, "in_sample", &r->in_sample, "the rows it was fitted to");
    put_errors(out, "held_out", &r->held_out,
               r->held_out_elsewhere
                   ? "unseen models on other GPUs by fits on this model alone"
                   : "each model by a fit on the others");
    put_errors(out, "transfer", &r->transfer,
               "rows of the other GPUs by these coefficients and their data sheets");
    fprintf(out, "rows,%d,prefill and decode of each\n", r->rows);
    fprintf(out, "models,");
    for (int m = 0; m < r->models; m++)
        fprintf(out, "%s%s", m ? " " : "", r->model[m]->name);
    fprintf(out, ",measured\n");
    fprintf(out, "source,iterations of eager vLLM measured by Aegaeon's authors "
                 "(Zyyeric/Aegaeon; Apache-2.0),fp16 weights on one GPU\n");
}

static void put_knots(FILE *out, const struct hd_reduce_fit *fit,
                      const struct hd_reduce_source *source) {
    fprintf(out, "gpus,bytes,seconds,source\n");
    for (int g = 0; g < fit->groups; g++) {
        const struct hd_reduce_group *group = &fit->group[g];
        for (int k = 0; k < group->knots; k++)
            fprintf(out,
                    "%d,%.4g,%.4g,fit to %s rows of ai-dynamo/aiconfigurator %s "
                    "(Apache-2.0)\n",
                    group->gpus, group->bytes[k], group->seconds[k], source->kernel,
                    source->file);
    }
}

static void put_reduce(FILE *out, const struct hd_calibration_report *r) {
    put_knots(out, &r->reduce.fit, r->reduce_source);
}

static void put_graph(FILE *out, const struct hd_calibration_report *r) {
    put_knots(out, &r->graph.fit, r->graph_source);
}

static bool write_file(const char *folder, const char *name,
                       void (*put)(FILE *, const struct hd_calibration_report *),
                       const struct hd_calibration_report *r, struct hd_err *err) {
    char *path = hd_format("%s/%s", folder, name);
    struct hd_new_file file;
    bool fine = hd_new_file_begin(&file, path, true, err);
    free(path);
    if (!fine) return false;
    put(file.stream, r);
    return hd_new_file_keep(&file, err);
}

bool hd_calibration_write(const struct hd_calibration_report *r, const char *folder,
                          struct hd_err *err) {
    char *own = hd_format("%s/%s", folder, r->gpu->name);
    bool fine = true;
    if (mkdir(own, 0777) != 0 && errno != EEXIST)
        fine = hd_fail(err, "%s: %s", own, strerror(errno));
    if (fine && r->iterations)
        fine = write_file(own, "iteration.csv", put_iteration, r, err);
    if (fine && r->reduce_source)
        fine = write_file(own, "allreduce.csv", put_reduce, r, err);
    if (fine && r->graph_source)
        fine = write_file(own, "allreduce_graph.csv", put_graph, r, err);
    free(own);
    return fine;
}
