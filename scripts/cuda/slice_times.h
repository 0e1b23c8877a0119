/* From the slices of some processes on one clock to the length of a slice and the cost
 * of a switch. */
#ifndef HOTDESK_CUDA_SLICE_TIMES_H
#define HOTDESK_CUDA_SLICE_TIMES_H

#include <stdbool.h>

#include "slice_log.h"

#ifdef __cplusplus
extern "C" {
#endif

struct process_slices {
    const struct slice *slice; /* in order of time */
    int count;
};

/* Lengths in us, in no special order. */
struct slice_times {
    double *slice_us; /* whole slices while all processes wanted to run */
    double
        *switch_us; /* from the end of a slice to the beginning of another process's */
    double *gap_us; /* from the end of a slice to the same process's next one */
    int slices, switches, gaps;
    double stretch; /* time that passed for all over the time that one of them ran, mean
                       over the processes: 2 for two that share without loss */
    int overlaps;   /* slices that began before another process's had ended */
};

/* The slices within the time in which all processes had begun and none had ended; the
 * first and last of each process are cut off by its own start and end and do not count.
 * Returns false, with nothing to free, where there is no such time. */
bool slice_times_of(const struct process_slices *, int processes, struct slice_times *);
void slice_times_free(struct slice_times *);

/* The most frequent length: the median of the values in the fullest bin of a histogram
 * with 8 bins per factor of two and its two neighbours. mad: the median absolute
 * deviation of those values; used: how many they are. count >= 1, values > 0. */
double slice_mode_us(const double *us, int count, double *mad_us, int *used);

#ifdef __cplusplus
}
#endif
#endif
