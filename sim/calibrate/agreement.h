/* How far two sets of kernel measurements of one GPU agree. */
#ifndef HD_CALIBRATE_AGREEMENT_H
#define HD_CALIBRATE_AGREEMENT_H

#include "calibrate/fit.h"
#include "calibrate/lookup.h"

/* Rows of one op, type and kind in either set. The kind is the variant up to its first
 * ':', of a step all of it. Of computing kernels it says who wrote them, and every kind
 * of the one set meets every kind of the other; of all else, and of ragged batches, it
 * says what was timed and must be the same. 16-bit types are one. */
struct hd_agreement_group {
    enum hd_kernel_op op;
    const char *dtype; /* of the first set's first row */
    char *kind[2];
    int rows[2];
    int grid; /* 0, 1: whose rows are read at the other's shapes: the larger group */
    int same, between;                    /* shapes of the other that were compared */
    int unlike[HD_DIMS], outside, sparse; /* and those that were not, by reason */
    int unused;                           /* rows of the grid that no shape asked for */
    double ratio;                      /* second / first: the median; NAN: no point */
    struct hd_fit_error difference;    /* |second / first - 1| */
    const struct hd_kernel_row *worst; /* the largest |ln ratio|; NULL: no point */
    double worst_ratio;
};

struct hd_agreement_lone { /* rows that nothing in the other set is alike */
    int set;               /* 0, 1: where they are */
    enum hd_kernel_op op;
    const char *dtype;
    char *kind;
    int rows;
    enum { HD_LONE_OP, HD_LONE_TYPE, HD_LONE_KIND } why; /* what the other lacks */
};

struct hd_agreement {
    struct hd_agreement_group *group; /* in the order of op, type and kinds */
    int groups, group_capacity;
    struct hd_agreement_lone *lone;
    int lones, lone_capacity;
};

/* False with one line in err if the rows are not all of one GPU. The sets must outlive
 * it. */
bool hd_agreement_of(struct hd_agreement *, const struct hd_kernels *first,
                     const struct hd_kernels *second, struct hd_err *err);
void hd_agreement_free(struct hd_agreement *);

#endif
