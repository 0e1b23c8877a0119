/* When a kernel ran and when it stood still, from a clock that it reads in a loop: a
 * step of the clock longer than any turn of the loop can take means that the GPU did
 * something else meanwhile. */
#ifndef HOTDESK_CUDA_SLICE_LOG_H
#define HOTDESK_CUDA_SLICE_LOG_H

#include <stdint.h>

#include "device.h"

enum { SLICE_LOG_MOST = 8192 };

struct slice { /* a time in which it ran throughout, in ns of one clock for all */
    uint64_t begin, end;
};

struct slice_watch {
    uint64_t least_gap; /* ns: a shorter step of the clock is a turn of the loop */
    uint64_t begin, last;
    uint32_t count; /* slices that ended; of them SLICE_LOG_MOST are kept */
};

DEVICE struct slice_watch slice_watch_at(uint64_t now, uint64_t least_gap) {
    struct slice_watch w;
    w.least_gap = least_gap;
    w.begin = w.last = now;
    w.count = 0;
    return w;
}

/* Ends the slice; also to be called when the kernel ends. */
DEVICE void slice_watch_end(struct slice_watch *w, struct slice *kept) {
    if (w->count < SLICE_LOG_MOST) {
        kept[w->count].begin = w->begin;
        kept[w->count].end = w->last;
    }
    w->count++;
}

/* To be told each reading of the clock. */
DEVICE void slice_watch_see(struct slice_watch *w, struct slice *kept, uint64_t now) {
    if (now - w->last >= w->least_gap) {
        slice_watch_end(w, kept);
        w->begin = now;
    }
    w->last = now;
}

#endif
