/* What a set of measurements covers of one GPU: ranges by op, and where the holes are.
 */
#ifndef HD_CALIBRATE_COVERAGE_H
#define HD_CALIBRATE_COVERAGE_H

#include "calibrate/kernel.h"

struct hd_coverage_range {
    int64_t least, most;
    int values; /* different ones; 0: no row has the dimension */
};

/* Rows of one op, dtype, kind and project. The kind is the variant up to its first ':'
 * (layers and models come behind it), the project the source up to its first blank or
 * colon. */
struct hd_coverage_group {
    enum hd_kernel_op op;
    const char *dtype, *licence; /* licence: of its first row */
    char *kind, *project;
    int rows;
    struct hd_coverage_range range[HD_DIMS];
    double least_us, most_us; /* times */
    double spread;            /* median of mad / time; NAN: of no row known */
};

/* How the rows of one op and dtype (of a step also: one kind) lie over two of their
 * dimensions, octave by octave. Ragged batches are left out. */
struct hd_coverage_grid {
    enum hd_kernel_op op;
    const char *dtype;
    char *kind; /* of a step, else "" */
    enum hd_kernel_dim down, across;
    int64_t from_down,
        from_across;     /* lower ends of the first octaves; 0: zero itself */
    int downs, acrosses; /* octaves; each begins at twice the one before */
    int depth;           /* different combinations of all other dimensions */
    int *cell; /* of these, those that were measured: [down * acrosses + across] */
    int holes; /* cells with none */
};

struct hd_coverage {
    struct hd_coverage_group *group;
    int groups, group_capacity;
    struct hd_coverage_grid *grid;
    int grids, grid_capacity;
    int rows; /* of that GPU, in all */
};

/* Of the GPU's rows. The set must outlive it. */
void hd_coverage_of(struct hd_coverage *, const struct hd_kernels *,
                    const struct hd_gpu_spec *);
void hd_coverage_free(struct hd_coverage *);

/* The lower end of the nth octave from `from` on. */
int64_t hd_coverage_octave(int64_t from, int n);

#endif
