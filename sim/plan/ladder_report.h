/* The ladder of one model on one GPU, as text, JSON and a picture. */
#ifndef HD_PLAN_LADDER_REPORT_H
#define HD_PLAN_LADDER_REPORT_H

#include <stdio.h>

#include "engine/ladder.h"
#include "plan/ladder.h"

enum { HD_LADDER_CHECKS_MAX = 8 };

/* A cost beside a measurement of what it is about, or of a part of it. */
struct hd_ladder_check {
    const char *what, *unit; /* unit: "s" or "bytes/s" */
    double measured;
    const char *beside;
    double used;
};

struct hd_ladder_report {
    const char *model, *gpu;
    struct hd_ladder_case world; /* its switching: of no rung in particular */
    struct hd_switch_cost_of cost[HD_SWITCH_COSTS];
    const char *pcie_basis, *disk_basis;
    double gpu_pcie_bytes_per_s; /* what runs give this GPU, unless told otherwise */
    struct hd_ladder_switch rung[HD_RUNGS];
    const char *measured_on; /* NULL: nothing was */
    struct hd_ladder_check check[HD_LADDER_CHECKS_MAX];
    int checks;
};

/* Climbs it: fills in `rung`. */
bool hd_ladder_climb(struct hd_ladder_report *, struct hd_err *err);
/* Weights over the bus, and nothing else. */
double hd_ladder_floor_s(const struct hd_ladder_report *);

void hd_ladder_text(const struct hd_ladder_report *, FILE *);
void hd_ladder_json(const struct hd_ladder_report *, FILE *);

/* The picture, PATH.png (its name ends so), with the script and the data that it is
 * drawn from beside it, PATH.gp and PATH.dat. Something of these names may be there if
 * `replace`. False with one line in err. */
bool hd_ladder_plot(const struct hd_ladder_report *, const char *path_png, bool replace,
                    struct hd_err *err);

#endif
