/* Which part of a pool of memory a repetition works on, so that what it reads is no
 * longer in the L2 cache. */
#ifndef HOTDESK_CUDA_ROTATION_H
#define HOTDESK_CUDA_ROTATION_H

#include <stddef.h>

#include "device.h"

struct rotation {
    size_t stride; /* bytes from one copy to the next, a multiple of 256 */
    int copies;    /* 0: the pool is too small */
};

/* Copies of `bytes` in a pool: four times the L2 cache in sum where the pool has the
 * room, and at least two, or one alone that is larger than that. */
DEVICE struct rotation rotation_of(size_t bytes, size_t pool_bytes, size_t l2_bytes) {
    struct rotation r;
    r.stride = (bytes + 255) / 256 * 256;
    const size_t cold = 4 * l2_bytes, room = pool_bytes / r.stride;
    size_t copies = (cold + r.stride - 1) / r.stride;
    if (copies < 2) copies = 2;
    if (copies > room) copies = room;
    r.copies = copies * r.stride >= cold ? (int)copies : 0;
    return r;
}

DEVICE size_t rotation_offset(const struct rotation *r, int turn) {
    return (size_t)(turn % r->copies) * r->stride;
}

#endif
