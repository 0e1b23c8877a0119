/* Two traces beside each other, however that is shown. Internal to this room. */
#ifndef HD_COMMAND_TRACE_COMPARE_H
#define HD_COMMAND_TRACE_COMPARE_H

#include <stdio.h>

#include "command/session.h"
#include "plan/compare.h"
#include "plan/plan.h"
#include "trace/distance.h"

struct hd_trace_side {
    struct hd_session session;
    struct hd_comparison comparison;
    struct hd_likeness like;
    bool no_gpu, no_models; /* said nothing: what is assumed is printed */
};

/* One JSON value, hotdesk.trace_compare/1. False if the stream had an error. */
bool hd_trace_compare_json(const struct hd_trace_side side[2], FILE *);
/* Its schema, for people. */
void hd_trace_compare_schema(FILE *);

#endif
