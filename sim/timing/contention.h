/* How much longer an iteration takes on a GPU that instances share: in space, each on
 * a share of the SMs (MPS), or in time, by the driver's slices.
 *
 * In space, two demands: prefills are bound by compute, decode steps by memory. With
 * g = the share of the SMs, or its part of their sum where they add up to more than 1:
 *   compute   1 / g, whatever runs beside it
 *   memory    alone (1 + (knee / g)^power)^(1 / power): few SMs cannot draw the whole
 *             bandwidth; together they never draw more than it, and then each gets its
 *             part by SMs, but no more than it would draw alone
 * which is what hotdesk-bench measured of pairs of kernels (corun rows of
 * results/calibration). In time, n processes with work take turns of a slice each, and
 * every change costs a switch: n (slice + switch) / slice (its time_slice rows). */
#ifndef HD_TIMING_CONTENTION_H
#define HD_TIMING_CONTENTION_H

#include <stdbool.h>

enum hd_bound { HD_BOUND_NONE, HD_BOUND_COMPUTE, HD_BOUND_MEMORY };

struct hd_contention {
    double knee, power;       /* knee 0: a share, however small, draws all bandwidth */
    double slice_s, switch_s; /* slice_s 0: changes cost nothing */
    const char *basis;        /* "measured: ..." or "assumed: ..." */
};

/* Of a GPU by its catalogue name; of one that was not measured, the H100's. */
struct hd_contention hd_contention_of(const char *gpu);

enum { HD_RUNNERS_MAX = 48 }; /* on one card: what MPS allows */

/* Factor (>= 1) on the time of an iteration on the whole card, for the first of `count`
 * that run; share[n] in (0, 1], demand[n] not NONE. */
double hd_contention_space(const struct hd_contention *, int count,
                           const enum hd_bound *demand, const double *share);
/* The same where `count` processes with work take slices. */
double hd_contention_time(const struct hd_contention *, int count);

#endif
