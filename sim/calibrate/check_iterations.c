/* Whole iterations of models that a fit has not seen. */
#include <stdlib.h>
#include <string.h>

#include "calibrate/calibrate.h"
#include "calibrate/check.h"

static const char left_out[] = "seen: all models on the GPU but one; judged: that one, "
                               "each in turn";
static const char elsewhere[] =
    "one model measured there, so nothing of this GPU: seen: that model on another; "
    "judged: the other models on that, all such GPUs pooled";

/* The reference on GPU timing, section 4: the same law without the pull that fit.c
 * explains. */
static const struct hd_iteration_reference references[] = {
    {"A100-80-SXM", {.032, .090}, {.043, .107}, {.036, .091}, {.037, .103}},
    {"H100-SXM", {.024, .074}, {.032, .122}, {.052, .171}, {.042, .154}},
    {"H800-SXM", {.026, .071}, {.034, .136}, {.072, .172}, {.056, .160}},
    {"H20", {.058, .137}, {.053, .155}, {.158, .356}, {.087, .329}},
    {"A10", {.016, .088}, {0, 0}, {0, 0}, {0, 0}},
};

const struct hd_iteration_reference *hd_iteration_reference_of(const char *gpu) {
    for (size_t n = 0; n < sizeof references / sizeof *references; n++)
        if (strcmp(references[n].gpu, gpu) == 0) return &references[n];
    return NULL;
}

static struct hd_check *add(struct hd_checks *all,
                            const struct hd_calibration_report *r, const char *gate,
                            const char *name, const struct hd_fit_error *in_sample,
                            const struct hd_fit_error *held_out) {
    struct hd_check *c = hd_checks_add(all, gate, name, r->gpu->name, "Aegaeon",
                                       r->held_out_elsewhere ? elsewhere : left_out);
    c->in_sample = *in_sample;
    c->held_out = *held_out;
    return c;
}

static void check_one(const struct hd_calibration_report *r, struct hd_checks *all) {
    static const struct hd_iteration_reference none = {0};
    const struct hd_iteration_reference *reference =
        hd_iteration_reference_of(r->gpu->name);
    if (!reference) reference = &none;
    const struct hd_fit_errors *in = &r->in_sample, *out = &r->held_out;
    struct hd_check *c =
        add(all, r, r->suspect ? "" : "G3", "iterations", &in->both, &out->both);
    if (!r->suspect) c->limit = (struct hd_check_limit){.07, .20};
    c->reference = reference->both;
    c = add(all, r, "", "prefills", &in->prefill, &out->prefill);
    c->reference = reference->prefill;
    c = add(all, r, "", "decode steps", &in->decode, &out->decode);
    c->reference = reference->decode;
}

bool hd_check_iterations(const struct hd_catalog *catalog, const char *data,
                         struct hd_checks *all, struct hd_err *err) {
    int count;
    struct hd_calibration_report *report = hd_calibrate(catalog, data, &count, err);
    for (int n = 0; report && n < count; n++)
        if (report[n].iterations) check_one(&report[n], all);
    bool fine = report != NULL;
    free(report);
    return fine;
}
