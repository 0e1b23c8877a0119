/* What the clocks did while the suite ran: the validity record of all its rows. */
#ifndef HOTDESK_CUDA_CLOCK_LOG_H
#define HOTDESK_CUDA_CLOCK_LOG_H

#include <stdbool.h>
#include <stdio.h>

#include "nvml.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The header line and one line of the log: seconds since the log began, clocks in MHz,
 * power in W, degrees Celsius, and why the clock is not higher, as words joined by "+";
 * what is not known is empty. */
void clock_log_header(FILE *);
void clock_log_line(FILE *, double time_s, const struct nvml_state *);

/* The words alone; nothing for no reason. */
void clock_log_reasons(FILE *, long long reasons);

struct clock_log;

/* A process that adds a line each second to `path` until it is ended. NULL: there is no
 * such file or process; why is said on stderr. */
struct clock_log *clock_log_begin(const char *path, const char *bus_id);
void clock_log_end(struct clock_log *); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
