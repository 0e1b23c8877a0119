/* Fit, judge, write: the steps of one GPU's calibration. */
#include "timing/calibrate.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* The H20's rows read weights at 1.1 TB/s of 4.0: below this the measurement, not the
 * model, is the likelier culprit. */
#define SUSPECT_BELOW 0.5

/* ---- judging -------------------------------------------------------------------- */

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
        if (m == models && models < HD_CALIBRATED_MODELS_MAX)
            model[models++] = row->model;
    }
    return models;
}

static struct hd_fit_errors leave_one_out(const struct hd_measured *measured,
                                          const struct hd_calibration_report *r) {
    struct hd_fit_tally tally = {0};
    for (int m = 0; m < r->models; m++) {
        struct hd_fit_rows others = {.gpu = r->gpu, .not_model = r->model[m]};
        struct hd_fit_rows it = {.gpu = r->gpu, .model = r->model[m]};
        struct hd_iteration_fit fit = hd_fit_iteration(measured, &others);
        hd_fit_judge(&fit, measured, &it, &tally);
    }
    return hd_fit_summary(&tally);
}

/* Calls `see` with every other GPU whose rows can be trusted. */
static void each_other_gpu(const struct hd_measured *measured,
                           const struct hd_gpu_spec *gpu,
                           void (*see)(void *, const struct hd_gpu_spec *),
                           void *context) {
    for (int n = 0; n < measured->rows; n++) {
        const struct hd_gpu_spec *other = measured->row[n].gpu;
        int first = 0;
        while (measured->row[first].gpu != other) first++;
        if (first != n || other == gpu) continue;
        struct hd_fit_rows all = {.gpu = other};
        const struct hd_model_spec *model[HD_CALIBRATED_MODELS_MAX];
        int rows;
        if (models_of(measured, other, model, &rows) == 0) continue;
        if (hd_fit_iteration(measured, &all).em >= SUSPECT_BELOW) see(context, other);
    }
}

struct elsewhere {
    const struct hd_measured *measured;
    const struct hd_calibration_report *report;
    struct hd_fit_tally tally;
};

static void see_transfer(void *context, const struct hd_gpu_spec *other) {
    struct elsewhere *e = context;
    struct hd_fit_rows all = {.gpu = other};
    hd_fit_judge(&e->report->fit, e->measured, &all, &e->tally);
}

static void see_one_model(void *context, const struct hd_gpu_spec *other) {
    struct elsewhere *e = context;
    struct hd_fit_rows one = {.gpu = other, .model = e->report->model[0]};
    struct hd_fit_rows rest = {.gpu = other, .not_model = e->report->model[0]};
    const struct hd_model_spec *model[HD_CALIBRATED_MODELS_MAX];
    int rows, models = models_of(e->measured, other, model, &rows);
    bool has_it = false;
    for (int m = 0; m < models; m++) has_it |= model[m] == e->report->model[0];
    if (!has_it || models < 2) return;
    struct hd_iteration_fit fit = hd_fit_iteration(e->measured, &one);
    hd_fit_judge(&fit, e->measured, &rest, &e->tally);
}

static void fit_and_judge(const struct hd_measured *measured,
                          struct hd_calibration_report *r) {
    struct hd_fit_rows own = {.gpu = r->gpu};
    struct elsewhere e = {.measured = measured, .report = r};
    r->fit = hd_fit_iteration(measured, &own);
    r->suspect = r->fit.em < SUSPECT_BELOW;
    hd_fit_judge(&r->fit, measured, &own, &e.tally);
    r->in_sample = hd_fit_summary(&e.tally);
    each_other_gpu(measured, r->gpu, see_transfer, &e);
    r->transfer = hd_fit_summary(&e.tally);
    r->held_out_elsewhere = r->models < 2;
    if (r->held_out_elsewhere) {
        each_other_gpu(measured, r->gpu, see_one_model, &e);
        r->held_out = hd_fit_summary(&e.tally);
    } else {
        r->held_out = leave_one_out(measured, r);
    }
}

bool hd_calibrate(const struct hd_measured *measured, const char *data,
                  const struct hd_gpu_spec *gpu, struct hd_calibration_report *r,
                  struct hd_err *err) {
    *r = (struct hd_calibration_report){.gpu = gpu};
    r->models = models_of(measured, gpu, r->model, &r->rows);
    r->iterations = r->models > 0;
    if (r->iterations) fit_and_judge(measured, r);
    r->reduce_source = hd_reduce_source_of(gpu->name);
    if (!r->reduce_source) return true;
    return hd_reduce_fit_read(data, r->reduce_source, &r->reduce, err);
}

/* ---- writing -------------------------------------------------------------------- */

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

static void put_reduce(FILE *out, const struct hd_calibration_report *r) {
    fprintf(out, "gpus,bytes,seconds,source\n");
    for (int g = 0; g < r->reduce.fit.groups; g++) {
        const struct hd_reduce_group *group = &r->reduce.fit.group[g];
        for (int k = 0; k < group->knots; k++)
            fprintf(out,
                    "%d,%.4g,%.4g,fit to %s rows of ai-dynamo/aiconfigurator %s "
                    "(Apache-2.0)\n",
                    group->gpus, group->bytes[k], group->seconds[k],
                    r->reduce_source->kernel, r->reduce_source->file);
    }
}

static bool write_file(const char *folder, const char *name,
                       void (*put)(FILE *, const struct hd_calibration_report *),
                       const struct hd_calibration_report *r, struct hd_err *err) {
    char *path = hd_format("%s/%s", folder, name);
    char *temporary = hd_format("%s.%ld.part", path, (long)getpid());
    FILE *out = fopen(temporary, "w");
    bool fine = out != NULL;
    if (out) {
        put(out, r);
        fine = !ferror(out);
        if (fclose(out) != 0) fine = false;
        fine = fine && rename(temporary, path) == 0;
    }
    if (!fine) {
        hd_fail(err, "%s: %s", path, strerror(errno));
        unlink(temporary);
    }
    free(temporary);
    free(path);
    return fine;
}

bool hd_calibration_write(const struct hd_calibration_report *r, const char *folder,
                          struct hd_err *err) {
    char *own = hd_format("%s/%s", folder, r->gpu->name);
    bool fine = true;
    if (!r->iterations && !r->reduce_source)
        fine = hd_fail(err, "%s: nothing was measured on it", r->gpu->name);
    else if (mkdir(own, 0777) != 0 && errno != EEXIST)
        fine = hd_fail(err, "%s: %s", own, strerror(errno));
    if (fine && r->iterations)
        fine = write_file(own, "iteration.csv", put_iteration, r, err);
    if (fine && r->reduce_source)
        fine = write_file(own, "allreduce.csv", put_reduce, r, err);
    free(own);
    return fine;
}
