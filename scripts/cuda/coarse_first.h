/* An order for a sorted list of sizes in which every beginning covers the whole range:
 * both ends, then the middles of what is left. A short budget ends somewhere in it. */
#ifndef HOTDESK_CUDA_COARSE_FIRST_H
#define HOTDESK_CUDA_COARSE_FIRST_H

/* Puts the numbers 0 to count-1 into order: at each step the one that is farthest from
 * all before it, the lower one of equals. count >= 1. */
static inline void coarse_first(int *order, int count) {
    int taken = 0;
    order[taken++] = 0;
    if (count > 1) order[taken++] = count - 1;
    while (taken < count) {
        int best = 0, best_distance = 0;
        for (int i = 0; i < count; i++) {
            int distance = count;
            for (int t = 0; t < taken; t++) {
                int d = i > order[t] ? i - order[t] : order[t] - i;
                if (d < distance) distance = d;
            }
            if (distance > best_distance) {
                best = i;
                best_distance = distance;
            }
        }
        order[taken++] = best;
    }
}

#endif
