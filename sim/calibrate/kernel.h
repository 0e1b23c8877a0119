/* Kernel measurements: rows of the one CSV schema that the microbenchmarks write, that
 * `hotdesk calibrate import` makes of other people's profiles and that tables are built
 * from. README.md of this room describes the columns. */
#ifndef HD_CALIBRATE_KERNEL_H
#define HD_CALIBRATE_KERNEL_H

#include <stdint.h>

#include "base/intern.h"
#include "hardware/catalog.h"

enum hd_kernel_op { /* what was timed */
                    HD_OP_GEMM,
                    HD_OP_LM_HEAD,
                    HD_OP_ATTENTION_PREFILL,
                    HD_OP_ATTENTION_DECODE,
                    HD_OP_ATTENTION_MIXED,
                    HD_OP_NORM,
                    HD_OP_ADD,
                    HD_OP_ACTIVATION,
                    HD_OP_EMBEDDING,
                    HD_OP_ROPE,
                    HD_OP_SAMPLING,
                    HD_OP_ALL_REDUCE,
                    HD_OP_ALL_GATHER,
                    HD_OP_REDUCE_SCATTER,
                    HD_OP_ALL_TO_ALL,
                    HD_OP_SEND_RECV,
                    HD_OP_COPY,
                    HD_OP_COPY_OVERLAP,
                    HD_OP_HBM,
                    HD_OP_BLOCK_GATHER,
                    HD_OP_LAUNCH,
                    HD_OP_GRAPH,
                    HD_OP_SYNC,
                    HD_OP_ALLOCATE,
                    HD_OP_HOST_ALLOC,
                    HD_OP_CONTEXT,
                    HD_OP_PREEMPTION,
                    HD_OP_TIME_SLICE,
                    HD_OP_CORUN,
                    HD_OP_CLOCK,
                    HD_OP_STEP,
                    HD_OPS
};

enum hd_kernel_dim { /* the shape's columns, in the order of the file */
                     HD_DIM_M,
                     HD_DIM_N,
                     HD_DIM_K,
                     HD_DIM_BATCH,
                     HD_DIM_CHUNK,
                     HD_DIM_PREFIX,
                     HD_DIM_CONTEXT,
                     HD_DIM_HEADS,
                     HD_DIM_KV_HEADS,
                     HD_DIM_HEAD_DIM,
                     HD_DIM_GPUS,
                     HD_DIM_BYTES,
                     HD_DIM_COUNT,
                     HD_DIMS
};

enum { HD_DIM_ABSENT = -1 };

struct hd_kernel_row {
    const struct hd_gpu_spec *gpu;
    enum hd_kernel_op op;
    const char *variant, *dtype; /* "" where there is none */
    int64_t shape[HD_DIMS];      /* HD_DIM_ABSENT where it does not apply */
    double time_us;              /* median, > 0 */
    double mad_us;               /* median absolute deviation; NAN: not known */
    int64_t samples;             /* 0: not known */
    int sm_mhz, memory_mhz;      /* while it ran; 0: not known */
    const char *stop, *driver;   /* driver: "" where it is not known */
    const char *source, *licence;
    int file;  /* where the row stands: file[] of the set, and */
    long line; /* its line there */
};

/* Rows of any number of files. All zero is an empty set. The texts of the rows belong
 * to it, the GPUs to the catalogue. */
struct hd_kernels {
    struct hd_kernel_row *row;
    int rows, capacity;
    char **file;
    int files, file_capacity;
    struct hd_intern text;
};

/* The columns' names, and how many. */
enum { HD_KERNEL_COLUMNS = 26 };
extern const char *const hd_kernel_columns[HD_KERNEL_COLUMNS];

/* "gemm", "attention_decode", ... and "m", "n", ... */
const char *hd_kernel_op_name(enum hd_kernel_op);
const char *hd_kernel_dim_name(enum hd_kernel_dim);

/* Whether rows of that op have the dimension: always, or at all. */
bool hd_kernel_needs(enum hd_kernel_op, enum hd_kernel_dim);
bool hd_kernel_allows(enum hd_kernel_op, enum hd_kernel_dim);

/* Bytes of an element: "bf16" 2, "fp8" 1, ...; 0 for what is no dtype of the schema. */
int hd_kernel_dtype_bytes(const char *dtype);

/* Adds the rows of a file of the schema, plain or compressed with gzip, in its order.
 * Every field is checked, that the time is one that such a kernel can take, and that no
 * two rows of the file have the same key. False
 * with "FILE:LINE: what, and what was expected" in err; the set is then as it was. */
bool hd_kernels_read(struct hd_kernels *, const struct hd_catalog *, const char *path,
                     struct hd_err *err);

/* Writes all rows as one file of the schema: whole, or nothing. replace: a file of that
 * name may be there. The same rows give the same bytes. */
bool hd_kernels_write(const struct hd_kernels *, const char *path, bool replace,
                      struct hd_err *err);

/* A new row of an op, all else absent; it is not in a set yet. */
struct hd_kernel_row hd_kernel_row_of(const struct hd_gpu_spec *, enum hd_kernel_op);

/* Copies a text into the set and returns it; the same text is the same pointer. */
const char *hd_kernels_text(struct hd_kernels *, const char *text);

/* Adds a row whose texts came from hd_kernels_text. */
void hd_kernels_add(struct hd_kernels *, const struct hd_kernel_row *);

/* Names a file, for row.file. */
int hd_kernels_file(struct hd_kernels *, const char *path);

/* What is wrong with a row, as the reader would say it; true if nothing is. */
bool hd_kernel_row_check(const struct hd_kernel_row *, struct hd_err *why);

/* Orders by key, gpu to count: < 0, 0, > 0. */
int hd_kernel_compare(const struct hd_kernel_row *, const struct hd_kernel_row *);

/* The rows' numbers in the order of their keys, those of one key as they came. The
 * caller frees it. */
int *hd_kernels_sorted(const struct hd_kernels *);

void hd_kernels_free(struct hd_kernels *);

#endif
