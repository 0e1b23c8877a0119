/* What attention must give, in double on the host, for random queries, keys and values
 * (number_formats.h). */
#ifndef HOTDESK_CUDA_ATTENTION_REFERENCE_H
#define HOTDESK_CUDA_ATTENTION_REFERENCE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { QUERY_SEED = 31, KEY_SEED = 32, VALUE_SEED = 33 };

/* Of the scores, for heads of dim elements: six times what models use, so that random
 * data give a softmax with peaks and not a plain mean. */
double attention_scale(int dim);

/* One query's output, dim elements. query: its first element in the buffer of queries;
 * rows: each token's first element in the buffers of keys and of values. */
void attention_reference(double *out, uint64_t query, const uint64_t *rows, long tokens,
                         int dim);

/* How far a right kernel may be off: its weights and its output are bf16. */
double attention_tolerance(double out);

#ifdef __cplusplus
}
#endif
#endif
