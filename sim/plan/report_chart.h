/* Between report_chart.c and report_chart_script.c only. */
#ifndef HD_PLAN_REPORT_CHART_H
#define HD_PLAN_REPORT_CHART_H

#include "plan/report_parts.h"

struct hd_chart {
    const struct hd_question *q;
    const struct hd_comparison *c;
    const struct hd_answer **panel; /* the first answer of each, at the first scale */
    int panels, columns, rows;
    int most;                /* GPUs, over all */
    double x[HD_SCALES_MAX]; /* of each scale */
    bool baseline, bound, missing;
};

/* The answer of a policy (its index) in a panel at a scale (its index), or NULL. */
const struct hd_answer *hd_chart_find(const struct hd_chart *,
                                      const struct hd_answer *panel, int scale,
                                      int policy);
/* GPUs that it needs; 0: no answer, or none passes. */
int hd_chart_gpus(const struct hd_answer *);

/* The script that draws the data. */
void hd_chart_script(const struct hd_chart *, FILE *);

#endif
