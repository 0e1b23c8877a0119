/* How decode attention cuts its work: pages of the KV cache, and splits of a context.
 */
#ifndef HOTDESK_CUDA_DECODE_PLAN_H
#define HOTDESK_CUDA_DECODE_PLAN_H

#include <stddef.h>

#include "device.h"

enum { PAGE_TOKENS = 16 };

DEVICE int pages_of(int context) {
    return (context + PAGE_TOKENS - 1) / PAGE_TOKENS;
}

/* Where in the cache a page begins; token_stride: elements from one token to the next.
 */
DEVICE size_t page_element(int page, size_t token_stride) {
    return (size_t)page * PAGE_TOKENS * token_stride;
}

DEVICE int splits_of(int pages, int pages_per_split) {
    return (pages + pages_per_split - 1) / pages_per_split;
}

/* Pages of one split: as many as make all blocks fit the GPU at once, if that is at
 * most 32 pages. More work goes about six times round the GPU, so that the blocks that
 * end last matter little. At least one page for each of a block's four warps. pages: of
 * all sequences; resident: blocks that the GPU runs at once. */
DEVICE int pages_per_split_of(long pages, int kv_heads, int resident) {
    const long least = 4, most_at_once = 32, rounds = 6;
    const long at_once = (pages * kv_heads + resident - 1) / resident;
    const long in_rounds = (at_once + rounds - 1) / rounds;
    const long of_much = in_rounds > most_at_once ? in_rounds : most_at_once;
    const long each = at_once < most_at_once ? at_once : of_much;
    return (int)(each < least ? least : each);
}

/* Sequence i's context in a ragged batch: the first has the length `longest`, the
 * others share what that leaves of the sum batch * mean. longest < 0: all alike. */
DEVICE int context_of(long batch, long mean, long longest, long i) {
    if (longest < 0) return (int)mean;
    if (i == 0) return (int)longest;
    const long rest = batch * mean - longest, others = batch - 1;
    return (int)(rest / others + (i <= rest % others ? 1 : 0));
}

/* Entry i of a table that scatters the pages of a pool: each of them once. */
DEVICE long scatter_step(long pages) {
    long step = (long)((double)pages * 0.6180339887498949);
    for (;; step++) {
        long a = pages, b = step < 1 ? 1 : step;
        while (b != 0) {
            const long rest = a % b;
            a = b;
            b = rest;
        }
        if (a == 1) return step < 1 ? 1 : step;
    }
}

DEVICE int scattered_page(long i, long step, long pages) {
    return (int)(i % pages * step % pages);
}

#endif
