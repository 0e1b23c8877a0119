/* What is known about a GPU's timing: coefficients, where they come from and how far
 * off they were on measurements that they had not seen. */
#ifndef HD_TIMING_CALIBRATION_H
#define HD_TIMING_CALIBRATION_H

#include "base/err.h"
#include "hardware/catalog.h"
#include "hardware/engines.h"
#include "timing/iteration.h"
#include "timing/kernel_set.h"
#include "timing/table.h"

enum hd_calibration_basis {
    HD_CALIBRATION_FITTED,  /* on iterations measured on this GPU */
    HD_CALIBRATION_SUSPECT, /* so, but the measurements contradict the data sheet */
    HD_CALIBRATION_SCALED,  /* a relative's efficiencies on this GPU's data sheet */
    HD_CALIBRATION_TABLES   /* composed from kernels measured on this GPU */
};

struct hd_calibration_error { /* absolute relative error, 0.05 = 5 % */
    double p50, p90;
};

struct hd_calibration {
    char gpu[48];    /* whose timing this is */
    char fitted[48]; /* whose iterations, or kernels, it rests on */
    char linked[48]; /* whose all-reduces */
    enum hd_calibration_basis basis;
    char revision[13]; /* of the coefficients: start of their files' SHA-256 */
    char source[256];  /* of the measurements */
    int models;        /* measured ones, whose rows the fit has seen */
    struct hd_iteration_fit fit;
    struct hd_reduce_fit reduce;
    struct hd_calibration_error in_sample, held_out; /* held out: an unseen model;
                                                        scaled: an unseen GPU; tables:
                                                        the worst of GEMM and decode
                                                        attention of unseen shape, and
                                                        of whole prefills */
    struct hd_kernel_set *kernels; /* of an engine with tables, else NULL */
};

/* For results: what one compiled timing rests on. */
struct hd_timing_source {
    char gpu[48], model[64];
    int tp;
    enum hd_calibration_basis basis;
    char revision[13];
    char source[512];            /* one line for a person */
    double error_p50, error_p90; /* held out */
};

/* The files that a GPU's timing is read from, below hotdesk's own folder: iteration.csv
 * of gpu->fitted and allreduce.csv of gpu->linked (allreduce_graph.csv where the engine
 * launches graphs and there is one), and for an engine with tables those of
 * gpu->tabled. Returns how many; the caller frees each. engine NULL: one without tables
 * or graphs. */
enum { HD_CALIBRATION_FILES_MAX = 2 + HD_KERNEL_SET_FILES_MAX };
int hd_calibration_files(const struct hd_gpu_spec *, const struct hd_engine_profile *,
                         char *part[HD_CALIBRATION_FILES_MAX]);

/* What these hold. NULL with one line in err. */
struct hd_calibration *hd_calibration_load(const struct hd_gpu_spec *,
                                           const struct hd_engine_profile *,
                                           struct hd_err *err);
void hd_calibration_free(struct hd_calibration *);

/* "fitted", "suspect", "scaled", "tables". */
const char *hd_calibration_basis_name(enum hd_calibration_basis);

/* Whether a timing of the model, kept as it is, can be made. False with one line in
 * err: fp8 without kernels of it; whole iterations were measured at 16 bits. */
bool hd_calibration_serves(const struct hd_calibration *, const struct hd_model_spec *,
                           const struct hd_engine_profile *, struct hd_err *);

/* Timing of a model on tp GPUs of the kind, of which it has `share` in (0, 1] each,
 * with rows for batches up to `batches`. A share scales compute and bandwidth alike
 * and leaves host times as they are: assumed. The model must be served. Host times are
 * the engine's, or without tables those of the fitted iterations. Constant; may be
 * shared by threads. */
struct hd_timing *hd_timing_compile(const struct hd_calibration *,
                                    const struct hd_gpu_spec *,
                                    const struct hd_model_spec *, int tp, double share,
                                    const struct hd_engine_profile *, int batches);

void hd_timing_source_of(const struct hd_calibration *, const struct hd_model_spec *,
                         int tp, struct hd_timing_source *);

#endif
