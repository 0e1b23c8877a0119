/* How far a search has come: a bar on a terminal, few lines elsewhere. */
#ifndef HD_COMMAND_PROGRESS_H
#define HD_COMMAND_PROGRESS_H

#include <stdbool.h>
#include <time.h>

#include "plan/plan.h"

struct hd_progress_bar {
    bool silent, terminal, drawn;
    struct timespec start;
    double said_s; /* when the last line or bar was written */
    struct hd_progress last;
};

/* silent: nothing is written. */
void hd_progress_start(struct hd_progress_bar *, bool silent);
void hd_progress_show(void *bar, const struct hd_progress *); /* an hd_progress_fn */
/* Wipes the bar; elsewhere the closing line. */
void hd_progress_end(struct hd_progress_bar *);

#endif
