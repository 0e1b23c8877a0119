/* How far predictions are off on measurements that no fit has seen: what `hotdesk
 * calibrate check` prints and the validation tests ask. */
#ifndef HD_CALIBRATE_CHECK_H
#define HD_CALIBRATE_CHECK_H

#include "calibrate/fit.h"

struct hd_check_limit { /* absolute relative error; 0: none, also of p90 alone */
    double p50, p90;
};

struct hd_check {
    char gate[8];          /* "G1": of timing gates; "" for a report without a limit */
    char name[64];         /* what was predicted */
    char gpu[48];          /* and where */
    char data[128];        /* whose measurements */
    const char *procedure; /* what the fit saw, and what judges it */
    struct hd_fit_error in_sample, held_out; /* values 0: there is none */
    /* What held_out must not exceed, and what an earlier fit to the same data gave. */
    struct hd_check_limit limit, reference;
};

struct hd_checks {
    struct hd_check *check;
    int count, capacity;
};
void hd_checks_free(struct hd_checks *);

/* Whether it is within its limit; one without a limit always is. */
bool hd_check_passes(const struct hd_check *);

/* Each adds its checks from DATA/kernels: false with one line in err if a file is
 * missing or wrong. */
bool hd_check_tables(const struct hd_catalog *, const char *data, struct hd_checks *,
                     struct hd_err *); /* GEMM (G1) and attention on unseen shapes */
bool hd_check_layers(const struct hd_catalog *, const char *data, struct hd_checks *,
                     struct hd_err *); /* the sum of one layer's operators (G2) */
bool hd_check_composed(const struct hd_catalog *, const char *data, struct hd_checks *,
                       struct hd_err *); /* whole prefills by their kernels */
bool hd_check_mixed(const struct hd_catalog *, const char *data, struct hd_checks *,
                    struct hd_err *); /* prefills and decodes in one batch */
bool hd_check_reduces(const struct hd_catalog *, const char *data, struct hd_checks *,
                      struct hd_err *); /* all-reduces of unseen sizes (G5) */
/* From DATA/measured: whole runs of an engine, replayed (G4). */
bool hd_check_logs(const struct hd_catalog *, const char *data, struct hd_checks *,
                   struct hd_err *);

/* From DATA/measured too: whole iterations of models left out of the fit (G3). */
bool hd_check_iterations(const struct hd_catalog *, const char *data,
                         struct hd_checks *, struct hd_err *);

/* What an earlier fit of the same law to the same rows gave: in sample, and held out by
 * phase and of both. */
struct hd_iteration_reference {
    const char *gpu;
    struct hd_check_limit in_sample, prefill, decode, both;
};
const struct hd_iteration_reference *hd_iteration_reference_of(const char *gpu);

/* Adds a check with nothing but its texts; for the files check_*.c. */
struct hd_check *hd_checks_add(struct hd_checks *, const char *gate, const char *name,
                               const char *gpu, const char *data,
                               const char *procedure);

#endif
