/* Pictures of a GPU's measurements: under the rooflines of its data sheet, against what
 * the shipped tables predict, and the errors by op. */
#ifndef HD_CALIBRATE_PLOT_H
#define HD_CALIBRATE_PLOT_H

#include "calibrate/fit.h"
#include "calibrate/row_prediction.h"
#include "output/outdir.h"

struct hd_plot_point {
    const struct hd_kernel_row *row;
    double flops, bytes; /* of the row's work; 0: none */
    double predicted_us; /* 0: nothing is known of it */
    double claim_p90;    /* error to expect of that; NAN: not known */
};

/* Rows of one op, type and kind (the variant up to its first ':'). */
struct hd_plot_group {
    enum hd_kernel_op op;
    const char *dtype;
    char *kind;
    struct hd_plot_point *point;
    int points, capacity;
    int predicted;    /* of these */
    double claim_p90; /* error to expect of its predictions, mean; NAN: not known */
    double ratio[5];  /* predicted / measured: 5, 25, 50, 75, 95 % of the points */
    struct hd_fit_error error; /* |predicted / measured - 1| */
};

struct hd_plot {
    const struct hd_gpu_spec *gpu;
    struct hd_plot_group *group; /* in the order of the ops */
    int groups, capacity;
    int points, predicted; /* of all groups */
    int not_shown;         /* rows that have neither work nor prediction */
    struct hd_fit_error error;
    double claim_p50, claim_p90; /* mean over the predicted points; NAN: not known */
};

/* Of the GPU's rows. The set must outlive it. */
void hd_plot_of(struct hd_plot *, const struct hd_kernels *,
                const struct hd_row_predictor *);
void hd_plot_free(struct hd_plot *);

/* The pictures, named in hd_plot_pictures, with the gnuplot scripts and the data that
 * they draw, into a folder; those that would be empty are left out. Without gnuplot, or
 * if it fails, no_figure says why and the scripts are there all the same. False with
 * one line in err if a file cannot be written. */
bool hd_plot_write(const struct hd_plot *, struct hd_outdir *, struct hd_err *no_figure,
                   struct hd_err *err);
enum { HD_PLOT_PICTURES = 3 };
extern const char *const hd_plot_pictures[HD_PLOT_PICTURES];

#endif
