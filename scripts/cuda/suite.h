/* All quantities, one after the other, each in a process of its own. */
#ifndef HOTDESK_CUDA_SUITE_H
#define HOTDESK_CUDA_SUITE_H

#include "options.h"
#include "quantity.h"
#include "session.h"

#ifdef __cplusplus
extern "C" {
#endif

struct suite {
    const struct options *options;
    const struct quantity *const *table;
    int count;
    const char *gpu, *driver; /* the catalogue's name; "580.159.04 cuda 13.0" */
    const char *bus_id;       /* of the device, for the log of clocks; NULL: no log */
    /* Measures the quantity, in a process in which no call of CUDA was made yet. */
    void (*measure)(void *context, const struct quantity *, struct session *);
    void *context;
};

/* Runs those that --only asks for within the budget: what one leaves of its share goes
 * to those behind it. The clocks' log goes on beside `path`: for x.csv in x-clocks.csv.
 * Says on stderr how each went and what was counted. The exit status: 0; 1 when
 * anything failed or the file is unfit; 130 when the user interrupted. */
int suite_run(const struct suite *, const char *path);

void suite_list(FILE *, const struct quantity *const *table, int count);

#ifdef __cplusplus
}
#endif
#endif
