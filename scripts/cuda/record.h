/* One measurement of the suite and its line in the schema of README.md. */
#ifndef HOTDESK_CUDA_RECORD_H
#define HOTDESK_CUDA_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What was measured. A number of -1 does not apply. Start from shape_of(): it leaves
 * nothing unset. */
struct shape {
    const char *op;      /* gemm, copy, ... as README.md lists them */
    const char *variant; /* "" where there is but one way */
    const char *dtype;   /* "bf16", "fp8"; "" where the op has none */
    long m, n, k;
    long batch, chunk, prefix, context;
    long heads, kv_heads, head_dim;
    long gpus;
    long bytes, count;
};

struct shape shape_of(const char *op, const char *variant, const char *dtype);

enum stop_reason {
    STOP_STDREL,  /* the relative standard deviation is low enough */
    STOP_ENTROPY, /* the distribution no longer changes */
    STOP_BUDGET,  /* its share of the time was used up */
    STOP_FIXED    /* as many samples as were asked for, or as there is use for */
};

struct record {
    const char *gpu; /* as in sim/catalog/gpus.csv */
    struct shape shape;
    double time_us, mad_us; /* median, median absolute deviation */
    long samples;
    enum stop_reason stop;
    int sm_mhz, memory_mhz; /* while it ran; 0: not known */
    const char *driver;     /* "580.159.04 cuda 13.0" */
};

/* The header line of every file, without its newline. */
const char *record_header(void);

/* The row with its newline, as snprintf counts: the length that it needs. */
size_t record_row(char *text, size_t bytes, const struct record *);

/* The part of a row that tells it from all others: gpu to count, as in the row. */
size_t record_key(char *text, size_t bytes, const char *gpu, const struct shape *);

#ifdef __cplusplus
}
#endif
#endif
