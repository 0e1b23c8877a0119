/* Prefill attention by cuDNN's fused kernel: what serving engines come closest to. The
 * library is opened when it is first asked for, so that the suite runs without it. */
#ifndef HOTDESK_CUDA_CUDNN_ATTENTION_H
#define HOTDESK_CUDA_CUDNN_ATTENTION_H

#include <cuda_runtime.h>

#include "prefill_call.h"

struct cudnn_attention;

/* NULL and a reason where cuDNN is not there, or was not when this was built. */
struct cudnn_attention *cudnn_attention_open(char *why, size_t bytes);
void cudnn_attention_close(struct cudnn_attention *);

/* Plans the call's shape, causal with the prefix before the chunk; may compile a
 * kernel, for seconds. The call's scale is ignored: `scale` is that of the scores.
 * False and a reason where cuDNN has no kernel for it. */
bool cudnn_attention_plan(struct cudnn_attention *, const struct prefill_call *,
                          int dim, float scale, char *why, size_t bytes);

/* Puts the planned shape with these buffers into the stream. False and a line on stderr
 * where cuDNN refuses. */
bool cudnn_attention_enqueue(struct cudnn_attention *, const struct prefill_call *,
                             cudaStream_t);

#endif
