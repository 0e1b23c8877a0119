/* Between plot.c and plot_script.c only. */
#ifndef HD_CALIBRATE_PLOT_PARTS_H
#define HD_CALIBRATE_PLOT_PARTS_H

#include <stdio.h>

#include "calibrate/plot.h"

/* Where a group is drawn. */
bool hd_plot_computes(const struct hd_plot_group *); /* operations: under the peak */
bool hd_plot_streams(
    const struct hd_plot_group *); /* bytes only: under the bandwidth */

/* "gemm bf16", "attention_prefill bf16 own_mma"; the caller frees it. */
char *hd_plot_label(const struct hd_plot_group *);

/* One for each picture. */
void hd_plot_script_roofline(const struct hd_plot *, FILE *);
void hd_plot_script_predicted(const struct hd_plot *, FILE *);
void hd_plot_script_errors(const struct hd_plot *, FILE *);

#endif
