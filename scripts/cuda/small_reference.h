/* What the small kernels must give for the data that small_ops.cu feeds them: plain
 * double arithmetic on the host. */
#ifndef HOTDESK_CUDA_SMALL_REFERENCE_H
#define HOTDESK_CUDA_SMALL_REFERENCE_H

#include "record.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SMALL_DATA_SEED = 21,
    SMALL_WEIGHT_SEED = 22,
    LOGIT_SEED = 23,
    DRAW_SEED = 24,
    POSITIONS = 8192, /* that rope's table of angles knows */
};

#define TEMPERATURE 0.8f

bool is_op(const struct shape *, const char *op);

/* Elements of one token's row: rope's holds queries, keys and values. */
long row_elements(const struct shape *);

int position_of(long token);

/* Cosine i of a position, or, from head_dim / 2 on, sine; as a bf16 holds it. */
double rope_angle(int position, long i, long head_dim);

/* Which of the table's rows token i looks up. */
int embedding_row(long table_rows, long token);

/* Element (row, column) of the output of turn 0: norm, add, activation, rope, and
 * embedding from a table of table_rows rows. */
double small_output(const struct shape *, long table_rows, long row, long column);

/* How good a choice of sampling is; the largest is the right one. */
double choice_score(const struct shape *, long row, long index);

#ifdef __cplusplus
}
#endif
#endif
