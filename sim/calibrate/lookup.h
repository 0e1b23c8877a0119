/* The time that a set of measured rows gives for a shape: a row's own, or between rows,
 * linear in the logarithms of time and sizes. */
#ifndef HD_CALIBRATE_LOOKUP_H
#define HD_CALIBRATE_LOOKUP_H

#include "calibrate/kernel.h"

/* Neighbours further apart than this factor say too little of what lies between. */
#define HD_LOOKUP_STEP_MOST 4.0

enum hd_lookup_found {
    HD_LOOKUP_SAME,    /* rows of this very shape: the geometric mean of their times */
    HD_LOOKUP_BETWEEN, /* between rows */
    HD_LOOKUP_UNLIKE,  /* no row has its value of a dimension that nothing is
                          interpolated over: *dim */
    HD_LOOKUP_OUTSIDE, /* outside of what the rows span */
    HD_LOOKUP_SPARSE,  /* the rows around it are further apart than STEP_MOST */
};

struct hd_lookup {
    const struct hd_kernel_row *
        *row;   /* sorted by the fixed dimensions, then the axes */
    bool *used; /* of each: whether a shape was answered by it */
    int rows;
    enum hd_kernel_op op;
};

/* Of rows of one op, of which nothing but the shape differs that matters; the array
 * belongs to the lookup from now on, and there is at least one. */
void hd_lookup_init(struct hd_lookup *, const struct hd_kernel_row **row, int rows);
void hd_lookup_free(struct hd_lookup *);

/* The time of the shape in microseconds, and the rows that it came from are marked.
 * Nothing is taken from outside of the rows: at each axis, the lines on both sides must
 * span the shape too. Sizes of 0 have no logarithm: only a row of that size itself
 * will do. dim: set with HD_LOOKUP_UNLIKE. */
enum hd_lookup_found hd_lookup_us(struct hd_lookup *, const int64_t shape[HD_DIMS],
                                  double *us, enum hd_kernel_dim *dim);

#endif
