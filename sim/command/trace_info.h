/* What `hotdesk trace info` says of a trace. */
#ifndef HD_COMMAND_TRACE_INFO_H
#define HD_COMMAND_TRACE_INFO_H

#include <stdbool.h>
#include <stdio.h>

#include "trace/stats.h"

/* For people: about a dozen lines. */
void hd_trace_info_text(const struct hd_trace *, const struct hd_trace_stats *, FILE *);
/* One JSON value, schema hotdesk.trace/1. False on a write error. */
bool hd_trace_info_json(const struct hd_trace *, const struct hd_trace_stats *, FILE *);

#endif
