/* What looks wrong with a trace: each finding is a line with a measured figure. Nothing
 * here is an error, as a real trace may be any of it. */
#ifndef HD_TRACE_LINT_H
#define HD_TRACE_LINT_H

#include "trace/trace.h"

struct hd_lint {
    const char *what; /* "units", "blocks", "grid", "capped", "few", "twice", "empty" */
    char *text;
};

struct hd_lints {
    struct hd_lint *of;
    int count, capacity;
};

/* percentile: the one that will be asked for, 0.99. */
void hd_lint(const struct hd_trace *, double percentile, struct hd_lints *);
void hd_lints_free(struct hd_lints *);

#endif
