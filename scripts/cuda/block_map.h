/* Where the KV blocks of a sequence lie in a pool: scattered, as a paged cache leaves
 * them. A pool has 2^k slots; block i lies in slot (i * step + first) mod 2^k, and an
 * odd step makes that a different slot for each of 2^k blocks in a row. */
#ifndef HOTDESK_CUDA_BLOCK_MAP_H
#define HOTDESK_CUDA_BLOCK_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "device.h"
#include "stream_memory.h"

struct block_map {
    uint32_t step;  /* odd; 1: one block behind the other */
    uint32_t first; /* slot of block 0 */
    uint32_t slots; /* a power of two */
};

DEVICE size_t block_slot(struct block_map map, uint32_t block) {
    return (block * map.step + map.first) & (map.slots - 1);
}

/* Where vector `number` of all blocks, counted through, lies in the pool; a block has
 * 2^shift vectors of 16 bytes. */
DEVICE size_t block_vector(struct block_map map, int shift, size_t number) {
    size_t inside = number & (((size_t)1 << shift) - 1);
    return (block_slot(map, (uint32_t)(number >> shift)) << shift) + inside;
}

/* Moves this thread's share of count blocks from one pool's slots to the other's. */
DEVICE void block_move(vector16 *to, struct block_map to_map, const vector16 *from,
                       struct block_map from_map, int shift, size_t count,
                       size_t thread, size_t threads) {
    size_t vectors = count << shift, i = thread;
    for (; i + 3 * threads < vectors; i += 4 * threads) {
        vector16 v[4];
        for (int u = 0; u < 4; u++)
            v[u] = from[block_vector(from_map, shift, i + u * threads)];
        for (int u = 0; u < 4; u++)
            to[block_vector(to_map, shift, i + u * threads)] = v[u];
    }
    for (; i < vectors; i += threads)
        to[block_vector(to_map, shift, i)] = from[block_vector(from_map, shift, i)];
}

#endif
