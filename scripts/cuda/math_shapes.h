/* Which shapes the computing kernels are measured on: those of the shipped models
 * (sim/catalog/models.csv) and round ones between. The lists begin with a coarse grid
 * over the whole range and refine it, so that a short budget still covers the range. */
#ifndef HOTDESK_CUDA_MATH_SHAPES_H
#define HOTDESK_CUDA_MATH_SHAPES_H

#include "record.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MATH_SHAPES_MOST = 16384, WHOLE_LIST = 100 };

/* Each fills list with at most MATH_SHAPES_MOST shapes, no two of them the same, in the
 * order in which to measure them, and returns how many. depth: how far to refine, 0 for
 * the coarsest grid, WHOLE_LIST for all.
 *
 * gemm with weights that are not square too, and lm_head; bf16 and fp8. */
int gemm_shapes(struct shape *list, int depth);

/* batch 1, chunk 16 to 8192 after a prefix of 0 to 32k; variant own_mma. */
int prefill_shapes(struct shape *list, int depth);

/* batch 1 to 512, context 64 to 128k; variants ragged_4 and ragged_16 have one sequence
 * that is 4 or 16 times as long as the mean, and its length as count. */
int decode_shapes(struct shape *list, int depth);

/* norm, add, activation, embedding, rope; sampling. */
int small_shapes(struct shape *list, int depth);

/* all_reduce, all_gather and send_recv of 256 B to 512 MB between 2, 4 and 8 GPUs, as
 * far as there are so many; variants nccl and nccl_graph. bytes: what one GPU has in
 * the end. */
int collective_shapes(struct shape *list, int gpus);

/* How many rows of a list to share left_s seconds between: all, or as many as leave
 * each 25 ms. Those behind them are measured when the others have left time. */
long rows_within(double left_s, long count);

#ifdef __cplusplus
}
#endif
#endif
