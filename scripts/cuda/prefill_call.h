/* What prefill attention works on. */
#ifndef HOTDESK_CUDA_PREFILL_CALL_H
#define HOTDESK_CUDA_PREFILL_CALL_H

#include <stdint.h>

struct prefill_call {
    const uint16_t *queries;       /* [token of the chunk][head][element] */
    const uint16_t *keys, *values; /* [token][KV head][element], the prefix first */
    uint16_t *outputs;             /* as the queries */
    int chunk, prefix, heads, kv_heads;
    float scale; /* of the scores, times log2 e */
};

#endif
